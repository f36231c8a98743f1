# SPDX-License-Identifier: Apache-2.0
"""A measured-boot policy counts that the mapping names, and no other."""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.errors import AuthorityError
from tests.authorities.servers import page
from tests.unit.authority.keylime.driving import ALL
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import DriverCase

GOOD = '{"events": ["00"]}'


class NamedTest(DriverCase):
    def setUp(self) -> None:
        super().setUp()
        self.stage.boot_policies = {"golden": GOOD}
        with self.stage.mapping_file.open("a") as file:
            file.write("measured_boot_policies: [golden, 'a/b ..']\n")

    def check(self, said: str, *agents: str) -> None:
        """Check of whom measured boot counts for nothing, and why."""
        found = self.collect()
        for agent in (A, B):
            lost = {"measured-boot"} if agent in agents else set()
            self.assertEqual(ALL - lost, set(found.results[agent].claims))
        notes = [str(note) for note in found.notes]
        self.assertEqual(bool(agents), bool(notes))
        for note in notes:
            self.assertIn(f"keylime-boot-policy: passes, but {said}", note)
        self.assertTrue(found.complete)

    def test_the_one_that_is_named(self) -> None:
        self.check("")
        self.assertEqual(
            [
                "/version",
                "/v2.6/agents/?bulk=true",
                "/v2.6/mbpolicies/",
                "/v2.6/mbpolicies/golden",
            ],
            self.paths(),
        )

    def test_another_than_is_named(self) -> None:
        assert self.stage.boot_policies is not None
        self.stage.boot_policies["lenient"] = GOOD
        said = "the verifier has a measured-boot policy that is not mapped"
        self.check(said, A, B)

    def test_one_of_its_own(self) -> None:
        assert self.stage.boot_policies is not None
        self.stage.boot_policies[B] = "{}"
        self.check("the measured-boot policy is the agent's own", B)

    def test_one_that_looks_at_nothing(self) -> None:
        for content in ("{}", "[]", "null", "0", "", "{", None, {"a": 1}, 7):
            with self.subTest(content):
                self.stage.boot_policies = {"golden": GOOD, "a/b ..": content}
                said = "the measured-boot policy 'a/b ..' looks at nothing"
                self.check(said, A, B)

    def test_a_verifier_that_has_no_list(self) -> None:
        self.stage.boot_policies = None
        self.check("the verifier does not say which", A, B)

    def test_a_list_that_is_none(self) -> None:
        answer = self.stage.answer
        for body in (
            b'{"results": {}}',
            b'{"results": {"mbpolicy names": 7}}',
        ):
            self.stage.server.answer = lambda asked, body=body: (
                [page(body)] if "mbpolicies" in asked.path else answer(asked)
            )
            with self.assertRaises(AuthorityError) as caught:
                self.collect()
            self.assertEqual("contact-bad-answer", caught.exception.code)

    def test_a_failure_speaks_against_it_all_the_same(self) -> None:
        self.stage.boot_policies = {}
        self.stage.agents[B] |= {"attestation_status": "FAIL"}
        self.assertEqual(ALL, set(self.collect().results[B].claims))

    def test_other_names_are_other_rules(self) -> None:
        before = self.driver.rules()
        text = self.stage.mapping_file.read_text()
        self.stage.mapping_file.write_text(text.replace("golden", "golden-2"))
        self.assertNotEqual(before, self.stage.driver().rules())


class UnnamedTest(DriverCase):
    def test_nobody_is_asked_where_none_is_named(self) -> None:
        found: Any = self.collect()
        self.assertEqual(ALL, set(found.results[A].claims))
        self.assertNotIn("/v2.6/mbpolicies/", self.paths())
