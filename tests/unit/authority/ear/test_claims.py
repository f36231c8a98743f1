# SPDX-License-Identifier: Apache-2.0
"""The worse counts, wherever two speak of one capability."""

from __future__ import annotations

import itertools
import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.authority import ear_boot
from nfv_mla_scheduler.authority import ear_claims
from nfv_mla_scheduler.authority import ear_tiers
from nfv_mla_scheduler.authority import ear_token
from nfv_mla_scheduler.authority.ear_boot import NAME_BYTES_MAX
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results import claim_sets
from tests.unit.authority.ear import reading
from tests.vectors.ear_making import NOW
from tests.vectors.ear_making import submod

ORDER = (
    Status.AFFIRMING,
    Status.NONE,
    Status.WARNING,
    Status.CONTRAINDICATED,
)
VALUES = st.dictionaries(
    st.sampled_from(["ram", "storage"]),
    st.frozensets(st.sampled_from(["overwrite", "reboot"]), max_size=2),
    max_size=2,
) | st.dictionaries(
    st.just(""), st.frozensets(st.sampled_from("ab"), min_size=1), max_size=1
)


def claims(name: str = "tpm") -> st.SearchStrategy[Claim]:
    return st.builds(
        Claim,
        st.just(name),
        st.sampled_from(Status),
        st.sampled_from(Grade),
        VALUES,
    )


SETS = st.fixed_dictionaries(
    {}, optional={name: claims(name) for name in ("tpm", "hsm", "a")}
)


class TiersTest(unittest.TestCase):
    def test_the_worst_of_some_statuses(self) -> None:
        for one, other in itertools.combinations(ORDER, 2):
            self.assertIs(other, ear_tiers.worst((one, other)))
            self.assertIs(other, ear_tiers.worst((other, one)))
            self.assertTrue(ear_tiers.is_better(one, other))
            self.assertFalse(ear_tiers.is_better(other, one))

    def test_silence_hides_what_speaks_against(self) -> None:
        against = {Status.WARNING: 1, Status.CONTRAINDICATED: 2}
        for status, entry in itertools.product(Status, Status):
            expected = against.get(status, 0) < against.get(entry, 0)
            self.assertIs(expected, ear_tiers.hides(status, entry))

    def test_every_value_has_the_tier_that_the_draft_gives_it(self) -> None:
        ranges = {
            Status.NONE: [(-1, 1)],
            Status.AFFIRMING: [(2, 31), (-32, -2)],
            Status.WARNING: [(32, 95), (-96, -33)],
            Status.CONTRAINDICATED: [(96, 127), (-128, -97)],
        }
        expected = {
            value: tier
            for tier, found in ranges.items()
            for least, greatest in found
            for value in range(least, greatest + 1)
        }
        self.assertEqual(expected, ear_tiers.TIERS)
        self.assertEqual(256, len(expected))


class WorseTest(unittest.TestCase):
    @given(claims(), claims())
    def test_neither_order_nor_repetition_matter(
        self, one: Claim, other: Claim
    ) -> None:
        both = ear_claims.worse(one, other)
        self.assertEqual(both, ear_claims.worse(other, one))
        self.assertEqual(one.status, ear_claims.worse(one, one).status)

    @given(claims(), claims())
    def test_it_is_no_better_than_either(
        self, one: Claim, other: Claim
    ) -> None:
        both = ear_claims.worse(one, other)
        for claim in (one, other):
            self.assertFalse(ear_tiers.is_better(both.status, claim.status))
            self.assertLessEqual(both.grade.rank, claim.grade.rank)
            for key, values in claim.values.items():
                self.assertLessEqual(values, both.values[key])

    def test_affirming_different_values_is_a_warning(self) -> None:
        def one(**values: frozenset[str]) -> Claim:
            return Claim("x", Status.AFFIRMING, Grade.BOOT, values)

        a, b = frozenset("a"), frozenset("b")
        plain = Claim("x", Status.AFFIRMING, Grade.BOOT, {"": a})
        for left, right, status in (
            (one(ram=a), one(ram=a), Status.AFFIRMING),
            (one(ram=a), one(storage=b), Status.AFFIRMING),
            (one(ram=a), one(ram=b), Status.WARNING),
            (one(ram=a), one(ram=a, storage=b), Status.AFFIRMING),
            (one(ram=a), one(), Status.AFFIRMING),
            (plain, one(), Status.WARNING),
            (plain, plain, Status.AFFIRMING),
            (one(), one(), Status.AFFIRMING),
        ):
            with self.subTest(left=left, right=right):
                self.assertIs(status, ear_claims.worse(left, right).status)


class WorseOfBothTest(unittest.TestCase):
    @given(SETS, SETS)
    def test_what_one_alone_affirms_does_not_stand(
        self, one: dict[str, Claim], other: dict[str, Claim]
    ) -> None:
        both = ear_claims.worse_of_both(one, other)
        for name, claim in both.items():
            if claim.status is Status.AFFIRMING:
                for found in (one, other):
                    self.assertIs(Status.AFFIRMING, found[name].status)
                    self.assertLessEqual(
                        claim.grade.rank, found[name].grade.rank
                    )

    @given(SETS, SETS)
    def test_what_either_holds_against_it_stands(
        self, one: dict[str, Claim], other: dict[str, Claim]
    ) -> None:
        both = ear_claims.worse_of_both(one, other)
        for found in (one, other):
            for name, claim in found.items():
                if claim.status is not Status.AFFIRMING:
                    self.assertFalse(
                        ear_tiers.is_better(both[name].status, claim.status)
                    )

    @given(SETS, SETS)
    def test_the_order_does_not_matter(
        self, one: dict[str, Claim], other: dict[str, Claim]
    ) -> None:
        self.assertEqual(
            ear_claims.worse_of_both(one, other),
            ear_claims.worse_of_both(other, one),
        )

    @given(SETS)
    def test_of_two_alike_all_stands(self, one: dict[str, Claim]) -> None:
        self.assertEqual(one, ear_claims.worse_of_both(one, one))


class NotesTest(unittest.TestCase):
    def notes(self, **claims: object) -> tuple[str, ...]:
        data = reading.signed(**claims)
        rules = reading.rules()
        return ear_token.read(data, reading.KEYS, rules, NOW).notes

    def test_nothing_is_said_of_a_plain_token(self) -> None:
        self.assertEqual((), self.notes(nfv_mla={"tpm": reading.TPM}))

    def test_what_is_left_out_is_said(self) -> None:
        (said,) = self.notes(nfv_mla={"flux": 1, "tpm": reading.TPM})
        self.assertIn("'flux' is no capability", said)

    def test_not_everything_that_is_left_out_is_said(self) -> None:
        said = self.notes(nfv_mla={f"\n{n}" * 20: 1 for n in range(200)})
        self.assertEqual(6, len(said))
        for note in said:
            self.assertTrue(note.isprintable())
            self.assertLess(len(note), 160)

    def test_what_is_lowered_is_said(self) -> None:
        (said,) = self.notes(
            submods={"host": submod("warning")}, nfv_mla={"tpm": reading.TPM}
        )
        self.assertIn("tpm counts as warning", said)

    def test_what_contradicts_itself_is_said(self) -> None:
        shared = dict(reading.TPM, values=["shared"])
        (said,) = self.notes(
            submods={"host": submod(nfv_mla={"tpm": shared})},
            nfv_mla={"tpm": reading.TPM},
        )
        self.assertIn("tpm is affirmed with different values", said)

    def test_what_travels_comes_back(self) -> None:
        wired = {
            "tpm": reading.TPM,
            "hsm": {"status": "none", "grade": "boot"},
        }
        found = ear_token.read(
            reading.signed(nfv_mla=wired),
            reading.KEYS,
            reading.rules(),
            NOW,
        ).claims
        self.assertEqual(
            wired,
            {
                name: claim
                for name, claim in claim_sets.wire(found).items()
                if name != "attestation"
            },
        )


class BootTest(unittest.TestCase):
    def test_a_long_name_goes_by_its_digest(self) -> None:
        for name, is_digest in (
            ("c" * NAME_BYTES_MAX, False),
            ("c" * (NAME_BYTES_MAX + 1), True),
            ("\u20ac" * 22, True),
            ("\n", True),
        ):
            with self.subTest(name):
                found = ear_boot.boot_name([name])
                self.assertEqual(is_digest, found != name)
                self.assertLessEqual(len(found.encode()), 71)
