# SPDX-License-Identifier: Apache-2.0
"""Every refusal can be read: what is the matter, and what would help."""

from __future__ import annotations

import pathlib
import re
import string
import unittest

from hypothesis import given

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.judge import page
from nfv_mla_scheduler.judge import phrases
from nfv_mla_scheduler.judge.phrases import PHRASES
from nfv_mla_scheduler.judge.phrases import Role
from nfv_mla_scheduler.judge.words import general
from nfv_mla_scheduler.judge.words import titled
from nfv_mla_scheduler.judge.words import words
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from tests.unit import drafts
from tests.unit.drafts import CATALOGUE
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.judge import court

CODE = RefusalCode
PAGE = pathlib.Path(__file__).parents[3] / "doc/source/reference/refusals.rst"
PARTS = {
    *("key", "subject", "wanted", "by", "detail", "silent"),
    *("waive", "or_waive"),
}
ALL_PHRASES = (*PHRASES.values(), phrases.OF_FLOOR, phrases.NO_WAY)

# refusal, what is said of it, on what it rests
SAID = (
    (
        Refusal(
            CODE.NO_CLAIM,
            "tpm",
            "5.1.1",
            "",
            "hardware or equivalent-hardware; boot grade",
            "5.1.1",
            "lawful-interception",
        ),
        "Nobody whose word counts claims tpm (Trusted Platform Module, TPM); "
        "wanted: hardware or equivalent-hardware, boot grade.",
        "clause 5.1.1, Capability assertion and attestation at boot-time, for "
        "profile lawful-interception",
    ),
    (
        Refusal(
            CODE.VALUE_MISMATCH,
            "location[jurisdiction]",
            "5.1.6",
            "veraison-bka",
            "DE; not DE-BY; boot grade",
            "location",
        ),
        "Authority veraison-bka claims location[jurisdiction] (Location "
        "assertion) with values that do not fit; wanted: DE, not DE-BY, boot "
        "grade.",
        "clause 5.1.6, for nfv_mla:location.jurisdiction",
    ),
    (
        Refusal(CODE.STALE, "attestation", "6.15", "kl", "", "attestation"),
        "What authority kl said of attestation is too old.",
        "clause 6.15, for nfv_mla:capability.attestation",
    ),
    (
        Refusal(CODE.STALE, "policy-in-force", "5.3.2", "", "", "5.3.2", "p"),
        "The policy in force has expired.",
        "clause 5.3.2, Workload placement policy and operation security, for "
        "profile p",
    ),
    (
        Refusal(CODE.CONTRAINDICATED, "hsm", "6.20", "", "", "key-store", "p"),
        "The policy says that the host is not as it should be: hsm (Hardware "
        "Security Modules).",
        "clause 6.20, key-store, for profile p",
    ),
    (
        Refusal(
            CODE.APPLICATION_LACKS,
            "signed-image",
            "5.1.3",
            requirement="provision",
        ),
        "Flavor and image do not do their part: signed-image (boots from an "
        "image whose signature Nova verifies).",
        "clause 5.1.3, for nfv_mla:provision",
    ),
    (
        Refusal(
            CODE.NOT_JUDGED, "receipts-served", "5.2.10", "", "", "5.2.10", "p"
        ),
        "It cannot be judged yet, and is not taken as met: receipts-served (a "
        "server can ask whether its host met its requirements).",
        "clause 5.2.10, Assurance of compliance by hosting service, for "
        "profile p",
    ),
    (
        Refusal(
            CODE.AUTHORITY_SILENT,
            "independent-authority",
            "5.2.10",
            "",
            "",
            "external-voucher",
            "p",
        ),
        "No authority outside the operator's trust domain vouches for the "
        "host.",
        "clause 5.2.10, external-voucher, for profile p",
    ),
    (
        Refusal(
            CODE.AUTHORITY_SILENT,
            "attestation",
            "5.3.3",
            "kl",
            requirement="authority",
        ),
        "Authority kl says nothing of the host.",
        "clause 5.3.3, for nfv_mla:authority",
    ),
    (
        Refusal(
            CODE.MALFORMED,
            "nfv_mla:max_age",
            "5.3.2",
            detail="is not of the form of '60': 'soon'",
        ),
        "What is asked for cannot be read: nfv_mla:max_age is not of the form "
        "of '60': 'soon'.",
        "clause 5.3.2",
    ),
    (
        Refusal(
            CODE.MALFORMED,
            "floor of the project: nfv_mla:pool",
            "5.3.2",
            detail="the policy knows no such name: 'keys'",
        ),
        "What the project's floor asks for cannot be met by anybody: "
        "nfv_mla:pool the policy knows no such name: 'keys'.",
        "clause 5.3.2",
    ),
    (
        Refusal(CODE.NO_CLAIM, "5.2.9", "5.2.9"),
        "The profile's values leave no way to meet 5.2.9 (Secure "
        "routing/switching).",
        "clause 5.2.9",
    ),
    (
        Refusal(CODE.NOT_IN_POOL, "host_class", "7.2"),
        "The policy lists the host in no host class that was asked for.",
        "clause 7.2",
    ),
    (
        Refusal(
            CODE.POOL_EXCLUSIVE,
            "pool",
            "7.2.2.1",
            detail="pool keys belongs to another trust domain",
            requirement="pool",
        ),
        "The host is kept for others: pool keys belongs to another trust "
        "domain.",
        "clause 7.2.2.1",
    ),
    (
        Refusal(CODE.NOT_CLEAN, "secure-clean-up", "5.2.8"),
        "A server with a need for secure clean-up has left the host, and it "
        "is not shown yet that the host was cleaned.",
        "clause 5.2.8",
    ),
    (
        Refusal(
            CODE.NOTHING_FOLLOWS,
            "follow",
            "4.5.2, 8.2",
            detail="no host with room for li-de shares its jurisdiction",
            requirement="follow",
            profile="li-de",
        ),
        "What has to be able to follow cannot: no host with room for li-de "
        "shares its jurisdiction.",
        "clauses 4.5.2, 8.2, for nfv_mla:follow",
    ),
)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


class TextsTest(unittest.TestCase):
    def test_every_code_says_something_and_what_would_help(self) -> None:
        self.assertEqual(set(RefusalCode), set(PHRASES))
        for code, phrase in PHRASES.items():
            with self.subTest(code=code.value):
                self.assertTrue(phrase.says.endswith("."))
                self.assertTrue(phrase.remedies)
                self.assertTrue(phrase.more.endswith("."))
                self.assertRegex(phrase.clause, r"^\d[\d., ]*$")

    def test_nothing_is_filled_in_that_nobody_knows(self) -> None:
        for phrase in ALL_PHRASES:
            for text in (phrase.says, *phrase.remedies.values()):
                with self.subTest(text=text):
                    self.assertLessEqual(fields(text), PARTS)

    def test_they_are_short_and_plain(self) -> None:
        for phrase in ALL_PHRASES:
            for text in (phrase.says, *phrase.remedies.values()):
                with self.subTest(text=text):
                    self.assertLess(len(text), 140)
                    self.assertNotRegex(text, "[!\u2013\u2014]")
            for text in phrase.remedies.values():
                self.assertFalse(text[0].isupper(), text)
                self.assertFalse(text.endswith("."), text)

    def test_a_tenant_is_told_only_what_a_tenant_can_do(self) -> None:
        for code, phrase in PHRASES.items():
            text = phrase.remedies.get(Role.TENANT, "")
            with self.subTest(code=code.value):
                self.assertNotRegex(text, "polic|host|nova.conf|log")


class WordsTest(unittest.TestCase):
    def test_what_is_said(self) -> None:
        for refusal, says, basis in SAID:
            with self.subTest(refusal=refusal):
                said = words(refusal, CATALOGUE)
                self.assertEqual(says, said.says)
                self.assertEqual(basis, said.basis)
                self.assertTrue(said.remedies)

    def test_a_waiver_is_named_where_one_would_do(self) -> None:
        asked = Refusal(CODE.NO_CLAIM, "tpm", "6.17", requirement="tpm")
        profiled = Refusal(
            CODE.NO_CLAIM, "tpm", "5.1.1", requirement="5.1.1", profile="p"
        )
        for refusal, expected in (
            (asked, "declared grade counts"),
            (profiled, "declared grade counts, or waive 5.1.1 for profile p"),
        ):
            said = words(refusal, CATALOGUE)
            (text,) = (r.text for r in said.remedies if r.role is Role.OFFICER)
            self.assertTrue(text.endswith(expected), text)

    def test_all_is_bounded_whatever_others_write(self) -> None:
        for code in RefusalCode:
            for requirement in ("", "5.1.1", "x" * 999):
                said = words(
                    Refusal(
                        code,
                        "c" * 999,
                        "5.1.1",
                        "a" * 999,
                        "d\n" * 999,
                        requirement,
                        "p" * 999,
                    ),
                    CATALOGUE,
                )
                texts = [said.says, said.basis]
                texts += [remedy.text for remedy in said.remedies]
                for text in texts:
                    self.assertLessEqual(len(text), LINE_MAX)
                    self.assertTrue(text.isprintable())

    def test_a_title_is_the_catalogues_and_said_once(self) -> None:
        for name, expected in (
            ("attestation", "attestation"),
            ("measured-boot", "measured-boot"),
            ("tpm", "tpm (Trusted Platform Module, TPM)"),
            ("5.1.6", "5.1.6 (Location assertion)"),
            ("concealed-resource-usage[ram]",) * 2,
            ("secure-clean-up[ram]",) * 2,
            ("location[logical]", "location[logical] (Location assertion)"),
            ("rng-device", "rng-device (asks for a random number device)"),
            (
                "pinned-tpm",
                "pinned-tpm (the host's TPM was found to have a key that the "
                "policy pins)",
            ),
            ("binding", "binding"),
        ):
            self.assertEqual(expected, titled(name, CATALOGUE))

    @examples(300)
    @given(recipes())
    def test_whatever_the_judge_says_has_words_and_names_no_host(
        self, recipe
    ) -> None:
        draft = recipe.draft()
        case = court.case_of(drafts.build(draft))
        hosts = re.compile(r"\bh\d\b")
        for uuid, host in draft.candidates():
            decision = case.decision(uuid, host, draft.now)
            for refusal in (
                *decision.refusals,
                *decision.waived,
                *decision.would_refuse,
            ):
                said = words(refusal, CATALOGUE)
                texts = [said.says, said.basis]
                texts += [remedy.text for remedy in said.remedies]
                for text in texts:
                    self.assertTrue(text)
                    self.assertLessEqual(len(text), LINE_MAX)
                    self.assertNotRegex(text, hosts)
                    self.assertNotRegex(text, r"[{}]|  | ,|:\.|None\b")
                self.assertRegex(said.basis, r"^clauses? \d")
                self.assertIn(refusal.clause, said.basis)


class PageTest(unittest.TestCase):
    def test_the_page_is_the_generated_one(self) -> None:
        self.assertEqual(
            PAGE.read_text(encoding="utf-8"),
            page.page(),
            "run: python -m nfv_mla_scheduler.judge.page"
            " > doc/source/reference/refusals.rst",
        )

    def test_every_code_has_its_section(self) -> None:
        text = page.page()
        for code in RefusalCode:
            name = code.value
            self.assertIn(f"\n{name}\n{'-' * len(name)}\n", text)
            self.assertIn(general(code).remedies[0].text[1:20], text)
        self.assertNotIn("{", text)

    def test_what_is_said_of_no_host_in_particular(self) -> None:
        for code, says in (
            (CODE.MALFORMED, "What is asked for cannot be read."),
            (CODE.POOL_EXCLUSIVE, "The host is kept for others."),
            (CODE.NO_CLAIM, "Nobody whose word counts claims the capability."),
        ):
            self.assertEqual(says, general(code).says)
