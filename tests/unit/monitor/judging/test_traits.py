# SPDX-License-Identifier: Apache-2.0
"""Traits are set right, others' are never touched, and strays are told."""

from __future__ import annotations

import unittest
from collections.abc import Mapping

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.judging.traits import FOREIGN_MAX
from nfv_mla_scheduler.monitor.judging.traits import TOLD_MAX
from nfv_mla_scheduler.monitor.judging.traits import edits
from nfv_mla_scheduler.monitor.judging.traits import tampered
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.policy.traits import trait_of

P, Q, GONE = trait_of("p"), trait_of("q"), trait_of("gone")
OTHERS = "CUSTOM_OTHER"
Has = Mapping[str, set[str]]
TRAITS, PROVIDERS = (P, Q, GONE, OTHERS), ("a", "b", "c", "d")


def verdict(
    wanted: Has,
    kept: frozenset[tuple[str, str]] = frozenset(),
    strangers: tuple[str, ...] = (),
    absent: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(
        {},
        {},
        {trait: frozenset(found) for trait, found in wanted.items()},
        kept,
        strangers,
        absent,
        frozenset(),
        frozenset(),
    )


def picture(
    present: Has, missing: tuple[str, ...] = (), known: str = "abcd"
) -> Picture:
    nodes = {
        f"h-{uuid}": Node(
            f"h-{uuid}", uuid, uuid, f"s-{uuid}", True, "", True, False
        )
        for uuid in known
    }
    traits = {trait: frozenset(found) for trait, found in present.items()}
    return Picture(0.0, {}, nodes, {}, traits, missing)


class EditsTest(unittest.TestCase):
    def check(
        self, wanted: Has, present: Has, *expected: tuple[str, str, bool]
    ) -> None:
        self.assertEqual(
            tuple(TraitEdit(*edit) for edit in expected),
            edits(verdict(wanted), picture(present)),
        )

    def test_what_is_wanted_is_added_and_what_is_not_removed(self) -> None:
        self.check({P: {"a", "b"}}, {}, ("a", P, True), ("b", P, True))
        self.check({P: {"a"}}, {P: {"a"}})
        self.check({P: {"a"}}, {P: {"b"}}, ("b", P, False), ("a", P, True))
        self.check({P: set()}, {P: {"b"}}, ("b", P, False))

    def test_what_is_not_decided_is_left(self) -> None:
        kept = frozenset({(P, "a"), (P, "b")})
        self.assertEqual(
            (TraitEdit("c", P, add=False),),
            edits(verdict({P: {"b"}}, kept), picture({P: {"a", "c"}})),
        )

    def test_a_trait_of_no_pool_goes_last_and_everywhere(self) -> None:
        self.check(
            {P: {"b"}},
            {GONE: {"a", "b"}, P: {"a"}},
            ("a", P, False),
            ("b", P, True),
            ("a", GONE, False),
            ("b", GONE, False),
        )

    def test_what_others_wrote_is_left(self) -> None:
        self.check({P: set()}, {OTHERS: {"a"}, "COMPUTE_NODE": {"a"}})

    def test_a_cycle_does_so_many_and_no_more(self) -> None:
        many = {f"{n:04}" for n in range(500)}
        wanted, had = verdict({P: set()}), picture({P: many})
        first = edits(wanted, had)
        self.assertEqual(200, len(first))
        done = {edit.provider for edit in first}
        second = edits(wanted, picture({P: many - done}))
        self.assertEqual(set(), done & {edit.provider for edit in second})
        self.assertEqual(first[:7], edits(wanted, had, 7))

    def test_junk_takes_no_place_of_what_is_wanted(self) -> None:
        junk = {trait_of(f"junk-{n}"): {"a"} for n in range(2000)}
        many = {f"{n:04}" for n in range(500)}
        found = edits(verdict({P: many}), picture(junk))
        self.assertEqual(200, sum(edit.trait == P for edit in found))
        self.assertEqual(200 + FOREIGN_MAX, len(found))
        self.assertEqual(
            FOREIGN_MAX,
            len(edits(verdict({P: {"a"}}), picture({**junk, P: {"a"}}))),
        )

    @hypothesis.given(
        *(
            st.dictionaries(
                st.sampled_from(traits), st.sets(st.sampled_from(PROVIDERS))
            )
            for traits in ((P, Q), TRAITS)
        ),
        st.frozensets(
            st.tuples(st.sampled_from((P, Q)), st.sampled_from(PROVIDERS))
        ),
    )
    def test_once_done_it_is_as_wanted_for_good(
        self,
        wanted: dict[str, set[str]],
        present: dict[str, set[str]],
        kept: frozenset[tuple[str, str]],
    ) -> None:
        had = {trait: set(found) for trait, found in present.items()}
        asked = verdict(wanted, kept)
        planned = edits(asked, picture(present))
        self.assertEqual(len(planned), len(set(planned)))
        for edit in planned:
            found = had.setdefault(edit.trait, set())
            self.assertEqual(edit.add, edit.provider not in found)
            (found.add if edit.add else found.remove)(edit.provider)
        self.assertEqual((), edits(asked, picture(had)))
        for trait in TRAITS:
            for provider in PROVIDERS:
                has = provider in had.get(trait, ())
                if trait == OTHERS or (
                    trait in wanted and (trait, provider) in kept
                ):
                    self.assertEqual(provider in present.get(trait, ()), has)
                else:
                    self.assertEqual(provider in wanted.get(trait, ()), has)


class TamperedTest(unittest.TestCase):
    def names(self, found: Verdict, seen: Picture) -> list[str]:
        return [one.name for one in tampered(found, seen)]

    def test_a_trait_of_no_pool_is_told_once(self) -> None:
        found = tampered(
            verdict({P: {"a"}}),
            picture({GONE: {"a", "b", "c"}, P: {"a", "b"}, OTHERS: {"a"}}),
        )
        (one,) = found
        self.assertEqual(("trait", GONE), (one.what, one.name))
        self.assertIn("3", one.detail)

    def test_a_host_that_is_not_bound_must_not_have_any(self) -> None:
        self.assertEqual(
            [P],
            self.names(
                verdict({P: {"a"}}, strangers=("h-b",)),
                picture({P: {"a", "b", "c"}}),
            ),
        )

    def test_nor_must_a_provider_that_nova_does_not_know(self) -> None:
        seen = picture({P: {"a", "d"}}, known="abc")
        self.assertEqual([P], self.names(verdict({P: {"a"}}), seen))

    def test_junk_is_told_once_with_how_much_there_is(self) -> None:
        many = {f"{n:05}" for n in range(2000)}
        (one,) = tampered(verdict({P: {"a"}}), picture({P: many | {"a"}}))
        self.assertEqual(P, one.name)
        self.assertIn("2000", one.detail)
        self.assertIn("00000", one.detail)
        self.assertLess(len(one.detail), 200)
        junk = {trait_of(f"junk-{n}"): {"a"} for n in range(TOLD_MAX + 70)}
        found = tampered(verdict({P: {"a"}}), picture(junk))
        self.assertEqual(TOLD_MAX + 1, len(found))
        self.assertIn("70", found[-1].detail)

    def test_one_that_nova_has_lost_may_be_ours(self) -> None:
        seen = picture({P: {"a", "d"}}, known="abc")
        lost = verdict({P: {"a"}}, absent=("h-d",))
        self.assertEqual([], self.names(lost, seen))
        partial = picture({P: {"a", "d"}}, ("cell2",), known="abc")
        self.assertEqual([], self.names(verdict({P: {"a"}}), partial))

    def test_a_trait_that_nobody_has_any_more_is_no_matter(self) -> None:
        self.assertEqual([], self.names(verdict({}), picture({GONE: set()})))


if __name__ == "__main__":
    unittest.main()
