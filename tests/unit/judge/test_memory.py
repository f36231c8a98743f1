# SPDX-License-Identifier: Apache-2.0
"""A judge that has lived through much answers as one that was just born."""

from __future__ import annotations

import dataclasses
import unittest
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import ResultsDocument
from tests.unit import changes
from tests.unit import drafts
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.generators import seeds
from tests.unit.judge import court

CLAIMS = (
    "status",
    "grade",
    "values",
    "key_missing",
    "claim_missing",
    "claim_added",
    "result_missing",
    "boots",
    "boot_changed",
)
POLICY = ("pool", "profile", "declared", "waiver", "permissive", "authority")
steps = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("later", "later", "earlier", "clock", "again", "back"),
                *("lost", "own_state", "glass", "room", *POLICY, *CLAIMS),
            )
        ),
        seeds,
    ),
    min_size=2,
    max_size=7,
)


class Keeper:
    """Hands out the same object for what did not change, as loaders do."""

    def __init__(self) -> None:
        self._policy = None
        self._results = {}
        self._claims = {}
        self._document = None

    def world(self, draft):
        world = drafts.build(draft)
        policy = world.policy
        if policy == self._policy:
            policy = self._policy
        self._policy = policy
        self._document = self._kept(world.document)
        return dataclasses.replace(
            world, policy=policy, document=self._document
        )

    def _kept(self, new):
        results, freshness = {}, {}
        for authority, attesters in new.results.items():
            results[authority] = {
                name: self._result(result)
                for name, result in attesters.items()
            }
            freshness[authority] = {
                name: Freshness(fresh.at, fresh.boot)
                for name, fresh in new.freshness.get(authority, {}).items()
            }
        old = self._document
        if old and old.results == results:
            if old.freshness == freshness:
                return old
            results = old.results
        return ResultsDocument("c", 0.0, "", results, freshness, ())

    def _result(self, new):
        content = tuple(
            (n, c.status, c.grade, tuple(sorted(c.values.items())))
            for n, c in sorted(new.claims.items())
        )
        claims = self._claims.setdefault(content, new.claims)
        key = (
            new.authority,
            new.attester,
            content,
            new.boot,
            new.boot_attested_at,
        )
        return self._results.setdefault(
            key, dataclasses.replace(new, claims=claims)
        )


def take(draft, name, rnd, at_first):
    """Let one thing happen."""
    if name == "clock":
        draft.now += rnd.choice((0, 1, 49, 50, 70, 4000))
    elif name in ("later", "earlier"):
        step = rnd.choice((1, 20, 60)) * (1 if name == "later" else -1)
        for told in draft.told.values():
            if rnd.random() < 0.8:
                told.at += step
        if name == "later":
            draft.now += step
    elif name == "back":
        draft.told.clear()
        draft.told.update(at_first.told)
        draft.bindings.update(at_first.bindings)
    elif name == "lost":
        draft.told = {k: v for k, v in draft.told.items() if k[1] != "h1"}
    elif name in changes.CHANGES and draft.told:
        changes.CHANGES[name](draft, rnd)


class TestMemory(unittest.TestCase):
    @examples(350)
    @given(recipes(most=3), steps)
    def test_it_never_answers_from_what_was(self, recipe, happenings):
        draft = recipe.draft()
        keeper = Keeper()
        world = keeper.world(draft)
        old, snapshot = court.judge_of(world), court.snapshot_of(world)
        self._compare(draft, world, old, snapshot)
        for name, seed in happenings:
            take(draft, name, Random(seed), recipe.draft())
            world = keeper.world(draft)
            snapshot = court.snapshot_of(world, snapshot)
            self._compare(draft, world, old, snapshot)

    def _compare(self, draft, world, old, snapshot):
        known = old.case(world.request, snapshot, world.room)
        new = court.case_of(world)
        everybody = court.candidates(draft)
        for _ in range(2):
            self.assertEqual(
                new.admitted(everybody, draft.now),
                known.admitted(everybody, draft.now),
            )
        for c in everybody:
            afresh = new.decision(c.uuid, c.host, draft.now)
            decision = known.decision(c.uuid, c.host, draft.now)
            # What is remembered of a follower may lapse before what is known
            # of it does, and is tried again then; never after.
            self.assertLessEqual(decision.until, afresh.until)
            self.assertGreater(decision.until, draft.now)
            self.assertEqual(
                afresh, dataclasses.replace(decision, until=afresh.until)
            )

    @examples(60)
    @given(recipes(), recipes())
    def test_requests_do_not_answer_for_one_another(self, one, other):
        draft = one.draft()
        world = drafts.build(draft)
        stranger = drafts.build(other.draft()).request
        judge, snapshot = court.judge_of(world), court.snapshot_of(world)
        everybody = court.candidates(draft)
        judge.case(stranger, snapshot, world.room).admitted(
            everybody, draft.now
        )
        self.assertEqual(
            court.case_of(world).admitted(everybody, draft.now),
            judge.case(world.request, snapshot, world.room).admitted(
                everybody, draft.now
            ),
        )
