# SPDX-License-Identifier: Apache-2.0
"""The driver asks servers that answer as Keylime's were recorded to."""

from __future__ import annotations

from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.model import Status
from tests.authorities import keylime_data as data
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import page
from tests.unit.authority.keylime.driving import ALL
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import DriverCase


class AskingTest(DriverCase):
    def test_one_call_brings_everything(self) -> None:
        self.collect()
        self.collect()
        self.assertEqual(
            [
                "/version",
                "/v2.6/agents/?bulk=true",
                "/v2.6/agents/?bulk=true",
            ],
            self.paths(),
        )

    def test_no_credential_but_the_certificate_is_sent(self) -> None:
        # which would switch mutual TLS off
        self.collect()
        for asked in self.stage.server.asked:
            self.assertNotIn("authorization", asked.headers)

    def test_the_newest_version_that_both_know_is_spoken(self) -> None:
        for version, spoken in (
            ("7.14.3", "2.6"),
            ("7.13.1", "2.4"),
            ("7.8.0", "2.1"),
        ):
            with self.subTest(version):
                self.stage.versions = data.recorded("version", version)
                self.driver = self.stage.driver()
                self.collect()
                self.assertIn(f"/v{spoken}/agents/?bulk=true", self.paths())

    def test_another_version_is_found_after_a_failure(self) -> None:
        self.collect()
        self.stage.versions = data.recorded("version", "7.13.1")
        with self.assertRaises(AuthorityError):
            self.collect()
        self.assertEqual({A, B}, set(self.collect().results))

    def test_a_server_that_speaks_none_that_we_do(self) -> None:
        for offered in (["3.0"], ["1.0"], [], None, "2.6", [2.6], {"2.6": 1}):
            with self.subTest(offered):
                self.stage.versions["results"]["supported_versions"] = offered
                self.driver = self.stage.driver()
                with self.assertRaises(AuthorityError) as caught:
                    self.collect()
                self.assertEqual("contact-bad-answer", caught.exception.code)

    def test_a_verifier_without_a_page_of_versions(self) -> None:
        # gone (410) where agents push
        for status in (404, 410):
            self.lack_versions(status)
            self.assertEqual({A, B}, set(self.collect().results))
            self.assertIn("/v2.6/agents/?bulk=true", self.paths())
        for status in (400, 409, 500, 503):
            self.lack_versions(status)
            with self.assertRaises(AuthorityError) as caught:
                self.collect()
            self.assertEqual("contact-bad-status", caught.exception.code)

    def lack_versions(self, status: int) -> None:
        def answer(asked: Asked) -> Script:
            if asked.path == "/version":
                return [page(status=status)]
            return self.stage.answer(asked)

        self.stage.server.answer = answer
        self.driver = self.stage.driver()

    def test_agents_of_older_versions(self) -> None:
        for version in ("7.13.1", "7.8.0", "7.2.5"):
            with self.subTest(version):
                self.stage.versions = data.recorded("version", version)
                self.stage.agents = data.recorded("agents", version)["results"]
                self.driver = self.stage.driver()
                found = self.collect(
                    data.HEALTHY, data.BARE, data.UNREACHED, data.FAILED
                )
                self.assertEqual(
                    {data.HEALTHY, data.FAILED}, set(found.results)
                )
                claims = found.results[data.HEALTHY].claims
                self.assertEqual(ALL, set(claims))
                self.assertEqual(
                    {Status.CONTRAINDICATED},
                    {
                        claim.status
                        for claim in found.results[data.FAILED].claims.values()
                    },
                )
                self.assertTrue(found.complete)

    def test_one_that_is_too_old_gives_nothing(self) -> None:
        self.stage.agents = data.recorded("agents", "6.5.3")["results"]
        found = self.collect(data.HEALTHY, data.FAILED)
        self.assertEqual({}, dict(found.results))
        self.assertFalse(found.complete)
        self.assertEqual(
            {"keylime-malformed"},
            {line.split()[1] for line in self.problems(found)},
        )

    def test_what_is_no_answer(self) -> None:
        self.collect()
        for body in (
            b"",
            b"{",
            b"[]",
            b"{}",
            b'{"results": null}',
            b'{"results": []}',
            b'{"results": {"a": NaN}}',
            b'{"results": {"a": {}, "a": {}}}',
            data.answer(self.stage.agents)[:-9],
        ):
            with self.subTest(body[:40]):
                self.stage.server.answer = lambda _asked, body=body: [
                    page(body)
                ]
                with self.assertRaises(AuthorityError) as caught:
                    self.collect()
                self.assertEqual("contact-bad-answer", caught.exception.code)

    def test_a_server_that_is_no_verifier(self) -> None:
        self.collect()
        self.stage.server.answer = lambda _asked: [page(status=404)]
        with self.assertRaises(AuthorityError) as caught:
            self.collect()
        self.assertEqual("contact-bad-status", caught.exception.code)
