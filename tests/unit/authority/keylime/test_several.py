# SPDX-License-Identifier: Apache-2.0
"""Several verifiers are one authority."""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import KeylimeCode
from nfv_mla_scheduler.model import Status
from tests.authorities import keylime_data as data
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import C
from tests.unit.authority.keylime.driving import DriverCase


class SeveralTest(DriverCase):
    def setUp(self) -> None:
        super().setUp()
        self.other = self.stage.another_server()
        self.agents: dict[str, Any] = {C: self.stage.agents.pop(B)}
        self.other.answer = self.answer
        self.driver = self.stage.driver(
            verifiers=[self.stage.server.url, self.other.url]
        )

    def answer(self, asked: Asked) -> Script:
        mine, self.stage.agents = self.stage.agents, self.agents
        try:
            return self.stage.answer(asked)
        finally:
            self.stage.agents = mine

    def test_each_one_is_asked_for_its_own(self) -> None:
        found = self.collect(A, C)
        self.assertEqual({A, C}, set(found.results))
        self.assertTrue(found.complete)

    def test_the_agents_of_one_that_is_down_are_not_absent(self) -> None:
        self.collect(A, C)
        port = self.other.port
        self.other.stop()
        found = self.collect(A, C)
        self.assertEqual({A}, set(found.results))
        self.assertFalse(found.complete)
        self.assertEqual(
            [f"127.0.0.1:{port} contact-unreachable"], self.problems(found)
        )

    def test_when_none_answers_that_is_an_error(self) -> None:
        self.other.stop()
        self.stage.server.stop()
        with self.assertRaises(AuthorityError) as caught:
            self.collect(A, C)
        self.assertEqual("contact-unreachable", caught.exception.code)

    def test_an_agent_that_is_at_two_is_at_none(self) -> None:
        self.agents[A] = self.stage.agents[A]
        found = self.collect(A, C)
        self.refused(found, A, KeylimeCode.TWO_VERIFIERS)
        self.assertTrue(found.complete)
        self.assertIn(C, found.results)

    def test_unless_one_of_them_says_that_it_fails(self) -> None:
        self.agents[A] = data.agent(data.FAILED)
        found = self.collect(A, C)
        claim = found.results[A].claims["attestation"]
        self.assertIs(Status.CONTRAINDICATED, claim.status)
        self.assertEqual((), found.problems)

    def test_the_query_of_a_url_is_sent_along(self) -> None:
        self.driver = self.stage.driver(
            verifiers=[
                f"{self.stage.server.url}?verifier=one",
                f"{self.other.url}/?verifier=two",
            ]
        )
        self.collect(A, C)
        self.assertIn("/v2.6/agents/?bulk=true&verifier=one", self.paths())
        self.assertIn(
            "/v2.6/agents/?bulk=true&verifier=two",
            [asked.target for asked in self.other.asked],
        )
