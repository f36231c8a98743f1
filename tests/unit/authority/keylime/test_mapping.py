# SPDX-License-Identifier: Apache-2.0
"""The mapping: what it says, and what it refuses to say."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.authority.keylime import mapping
from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.authority.keylime.reading import TABLE

HEX = "a" * 64
TAG = f"pcrs: [{{pcr: PCR, digest: {HEX}, claims: [CLAIM]}}]"
BOOT = "{capability: attestation, grade: boot}"
PLACE = "{capability: location, grade: boot, values: {jurisdiction: [DE]}}"


def read(text: str) -> mapping.Mapping:
    return mapping.read_mapping(text.encode(), load())


def tag(pcr: object, claim: str = BOOT, more: str = "") -> str:
    return TAG.replace("PCR", str(pcr)).replace("CLAIM", claim) + more


class MappingTest(unittest.TestCase):
    def refused(self, text: str) -> str:
        with self.assertRaises(DocumentError) as caught:
            read(text)
        return " ".join(map(str, caught.exception.problems))

    def test_the_default_is_that_of_the_documentation(self) -> None:
        found = read(mapping.DEFAULT.decode())
        self.assertEqual(
            ["measured-boot", "attestation", "tpm"],
            [claim.capability for claim in found.measured_boot],
        )
        (only,) = found.runtime_policy
        self.assertEqual({"": frozenset({"run-time"})}, dict(only.values))
        # whatever is attested again and again ages by that
        for claim in (*found.measured_boot, *found.runtime_policy):
            self.assertIs(Grade.RUN_TIME, claim.grade)
        self.assertEqual(((), ()), (found.tags, found.resettable))

    def test_tags_of_one_pcr_may_differ(self) -> None:
        there, here = PLACE, PLACE.replace("DE", "FR")
        other = f"{{pcr: 15, digest: {'b' * 64}, claims: [{here}]}}"
        text = tag(15, there).replace("]}]", f"]}}, {other}]")
        self.assertEqual(2, len(read(text).tags))
        text = text.replace("pcr: 15", "pcr: 14", 1)
        self.assertIn("differs in values", self.refused(text))

    def test_what_is_wrong_is_named(self) -> None:
        for text, said in (
            ("[]", "must be a mapping"),
            ("{}", "maps nothing"),
            ("boot: []", "boot: is not known here"),
            ("measured_boot: []", "not an empty one"),
            ("measured_boot: {}", "must be a list"),
            ("measured_boot: [tpm]", "must be a mapping"),
            (f"measured_boot: [{BOOT}, {BOOT}]", "a capability twice"),
            ("measured_boot: [{capability: tpm}]", "grade: must be one of"),
            (
                "measured_boot: [{capability: x, grade: boot}]",
                "is not a capability",
            ),
            (
                "measured_boot: [{capability: tpm, grade: declared}]",
                "grade: must be one of",
            ),
            (
                "measured_boot: [{capability: tpm, grade: boot, at: 1}]",
                "at: is not known here",
            ),
            (
                "runtime_policy: "
                "[{capability: tpm, grade: boot, values: [soft]}]",
                "is not a value",
            ),
            (
                "runtime_policy: [{capability: secure-storage, grade: boot}]",
                "must say of which",
            ),
            (f"measured_boot: [{PLACE}]", "see 'pcrs'"),
            (
                "measured_boot: "
                "[{capability: tpm, grade: boot, values: [virtual]}]\n"
                "runtime_policy: "
                "[{capability: tpm, grade: boot, values: [hardware]}]",
                "differs in values",
            ),
            (
                "measured_boot: [{capability: tpm, grade: boot}]\n"
                "measured_boot_policies: []",
                "not an empty one",
            ),
            (
                "measured_boot: [{capability: tpm, grade: boot}]\n"
                "measured_boot_policies: [7]",
                "must be the name",
            ),
            (tag(15, more="\nmeasured_boot_policies: [a]"), "about nothing"),
            (tag(24), "a number from 0 to 23"),
            (tag("fifteen"), "a number from 0 to 23"),
            (tag(15).replace(HEX, HEX.upper()), "lower case"),
            (tag(15).replace(HEX, "ab"), "must be the value"),
            (tag(15).replace(f", claims: [{BOOT}]", ""), "a list of claims"),
            (tag(15, more="\nresettable_pcrs: please"), "true or false"),
            (
                tag(15).replace("]}]", f"]}}, {tag(15)[7:-2]}}}]"),
                "there twice",
            ),
        ):
            with self.subTest(text):
                self.assertIn(said, self.refused(text))

    def test_pcrs_that_prove_nothing(self) -> None:
        self.assertIn("IMA's", self.refused(tag(10)))
        for pcr in (16, 23):
            for claim in (PLACE, BOOT):
                said = self.refused(tag(pcr, claim))
                self.assertIn("software on the host can set", said)
                found = read(tag(pcr, claim, "\nresettable_pcrs: true"))
                self.assertEqual((pcr,), found.resettable)
        found = read(tag(15, more="\nresettable_pcrs: true"))
        self.assertEqual((), found.resettable)

    def test_its_digest_tells_it_from_others(self) -> None:
        known = {read(TABLE).digest()}
        for old, new in (
            ("grade: boot}", "grade: run-time}"),
            ("pcr: 15", "pcr: 14"),
            ("jurisdiction: [DE]", "jurisdiction: [FR]"),
            ("capability: tpm", "capability: secured-boot"),
            ("digest: 5", "digest: 6"),
        ):
            self.assertIn(old, TABLE)
            known.add(read(TABLE.replace(old, new)).digest())
        self.assertEqual(6, len(known))
        self.assertIn(read(TABLE).digest(), known)
