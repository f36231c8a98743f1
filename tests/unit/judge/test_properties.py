# SPDX-License-Identifier: Apache-2.0
"""What holds in every world, and that the brute-force judge agrees."""

from __future__ import annotations

import dataclasses
import math
import unittest
from random import Random

from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.model import Status
from tests.unit import asks
from tests.unit import brute_force
from tests.unit import drafts
from tests.unit import generators
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.generators import seeds
from tests.unit.judge import court

SHARED = {code.value for code in brute_force.KINDS}


class TestAgainstBruteForce(unittest.TestCase):
    @examples(700)
    @given(recipes())
    def test_both_judges_admit_the_same_hosts(self, recipe):
        draft = recipe.draft()
        world = drafts.build(draft)
        case = court.case_of(world)
        for uuid, host in draft.candidates():
            expected = brute_force.refusals(world, uuid, host, draft.now)
            decision = case.decision(uuid, host, draft.now)
            self.assertEqual(
                not expected, decision.admitted, (host, expected, decision)
            )

    @examples(250)
    @given(recipes())
    def test_every_kind_of_refusal_is_told(self, recipe):
        draft = recipe.draft()
        world = drafts.build(draft)
        case = court.case_of(world)
        for uuid, host in draft.candidates():
            kinds = brute_force.refusals(world, uuid, host, draft.now)
            told = court.codes(case.decision(uuid, host, draft.now))
            if "policy-expired" in told | kinds or told & {
                "host-unbound",
                "binding-mismatch",
            }:
                continue  # nothing more is worth saying then
            self.assertEqual(kinds - {"need"}, told & SHARED, host)
            self.assertEqual("need" in kinds, bool(told - SHARED), host)

    @examples(300)
    @given(recipes(most=3))
    def test_an_admission_holds_until_it_says(self, recipe):
        draft = recipe.draft()
        world = drafts.build(draft)
        case = court.case_of(world)
        for uuid, host in draft.candidates():
            decision = case.decision(uuid, host, draft.now)
            if not decision.admitted:
                continue
            self.assertGreater(decision.until, draft.now)
            last = min(math.nextafter(decision.until, 0), 1e12)
            between = [
                moment
                for moment in generators.moments(draft)
                if draft.now < moment < decision.until
            ]
            for moment in (*between, last):
                found = brute_force.refusals(world, uuid, host, moment)
                self.assertEqual(
                    set(), found, (host, moment, draft.now, decision)
                )


class TestOneCase(unittest.TestCase):
    @examples(250)
    @given(recipes())
    def test_list_and_decision_agree(self, recipe):
        draft = recipe.draft()
        draft.misbound.clear()
        case = court.case_of(drafts.build(draft))
        everybody = court.candidates(draft)
        chosen = case.admitted(everybody, draft.now)
        for candidate in everybody:
            decision = case.decision(candidate.uuid, candidate.host, draft.now)
            self.assertEqual(candidate in chosen, decision.admitted, decision)
            self.assertEqual(candidate.host, decision.host)

    @examples(150)
    @given(recipes())
    def test_every_reason_can_be_read_by_people(self, recipe):
        draft = recipe.draft()
        case = court.case_of(drafts.build(draft))
        for candidate in court.candidates(draft):
            decision = case.decision(candidate.uuid, candidate.host, draft.now)
            for refusal in (
                *decision.refusals,
                *decision.waived,
                *decision.would_refuse,
            ):
                self.assertTrue(refusal.clause, refusal)
                self.assertLessEqual(len(refusal.detail), 240)
                self.assertNotIn(candidate.host, refusal.detail)

    @examples(200)
    @given(recipes(), seeds)
    def test_order_does_not_matter(self, recipe, seed):
        draft = recipe.draft()
        mixed = _mixed(recipe.draft(), Random(seed))
        one = court.case_of(drafts.build(draft))
        other = court.case_of(drafts.build(mixed))
        for uuid, host in draft.candidates():
            here = one.decision(uuid, host, draft.now)
            there = other.decision(uuid, host, draft.now)
            self.assertEqual(here.admitted, there.admitted)
            self.assertEqual(here.until, there.until)
            self.assertEqual(
                {(r.code, r.requirement) for r in here.waived},
                {(r.code, r.requirement) for r in there.waived},
            )


class TestOneWay(unittest.TestCase):
    """What may only ever shrink, or only ever grow, the set of hosts."""

    @examples(300)
    @given(
        recipes(),
        st.sampled_from(sorted({*asks.ASKS, "capability.{x}"} - {"conceals"})),
        st.sampled_from(asks.SOURCES),
        seeds,
    )
    def test_asking_for_more_admits_no_other_host(
        self, recipe, key, source, seed
    ):
        draft = recipe.draft()
        before = drafts.build(draft)
        if source == "hint" and key not in asks.HINTS:
            source = "flavor"
        used = {
            "flavor": any("nfv_mla:" in k for k in draft.extra_specs),
            "hint": bool(draft.hints),
            "floor": bool(draft.floor),
        }[source]
        # A profile tells what the keys beside it mean, in its own source.
        assume(not used or key != "profile")
        more = recipe.draft()
        asks.ask(more, key, source, Random(seed))
        assume(not used or len(_asked(more)) > len(_asked(draft)))
        assume(not more.floor or drafts.floor_of(more) is not None)
        first = court.case_of(before)
        assume(first.malformed is None)
        admitted = set(first.admitted(court.candidates(draft), draft.now))
        self.assertLessEqual(court.admitted(more), admitted)

    @examples(200)
    @given(recipes(), seeds)
    def test_fresher_results_refuse_nobody(self, recipe, seed):
        draft = recipe.draft()
        before = court.admitted(draft)
        rnd = Random(seed)
        for told in draft.told.values():
            told.at += rnd.choice((0, 1, 500))
        self.assertLessEqual(before, court.admitted(draft))

    @examples(300)
    @given(recipes(), seeds)
    def test_a_contraindicated_claim_admits_nobody(self, recipe, seed):
        draft = recipe.draft()
        before = court.admitted(draft)
        rnd = Random(seed)
        told = draft.told[rnd.choice(sorted(draft.told))]
        assume(told.claims)
        name = rnd.choice(sorted(told.claims))
        told.claims[name] = dataclasses.replace(
            told.claims[name], status=Status.CONTRAINDICATED
        )
        self.assertLessEqual(court.admitted(draft), before)


def _asked(draft):
    return [
        *(k for k in draft.extra_specs if k.startswith("nfv_mla:")),
        *draft.hints,
        *draft.floor,
    ]


def _mixed(draft, rnd):
    """Return a draft with all its mappings in another order."""
    for field in dataclasses.fields(draft):
        value = getattr(draft, field.name)
        if isinstance(value, dict):
            setattr(draft, field.name, _shuffled(value, rnd))
        elif isinstance(value, list) and field.name != "break_glass":
            rnd.shuffle(value)
    for name, bound in draft.bindings.items():
        draft.bindings[name] = dataclasses.replace(
            bound, attesters=_shuffled(bound.attesters, rnd)
        )
    for told in draft.told.values():
        told.claims = _shuffled(told.claims, rnd)
    return draft


def _shuffled(mapping, rnd):
    items = list(mapping.items())
    rnd.shuffle(items)
    return dict(items)
