# SPDX-License-Identifier: Apache-2.0
"""The short way to the moment at which an admission lapses, and the long one.

The short way leaves out what can never be the first to end, judges hosts that
are alike by one ruling, and remembers what it found; nothing of that may show.
"""

from __future__ import annotations

import dataclasses
import gc
import unittest
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.judge.clock import Clock
from nfv_mla_scheduler.judge.closures import closed_hosts
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.judge.judge import read_requirement
from nfv_mla_scheduler.judge.longevity import deciding
from nfv_mla_scheduler.judge.longevity import group_outlives
from nfv_mla_scheduler.judge.longevity import longest
from nfv_mla_scheduler.judge.ruling import expiries
from nfv_mla_scheduler.judge.ruling import expiry
from nfv_mla_scheduler.judge.ruling import until
from nfv_mla_scheduler.judge.rulings import Rulings
from nfv_mla_scheduler.judge.support import ALWAYS
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.results.view import Snapshot
from tests.unit import drafts
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.judge import court
from tests.unit.judge import scenes

atoms = st.one_of(
    st.just(ALWAYS),
    st.builds(Atom, st.just(ANY_DATE), st.just(False), st.integers(1, 4)),
    st.builds(Atom, st.integers(0, 1), st.booleans(), st.integers(1, 4)),
)
choices = st.lists(atoms, min_size=1, max_size=3).map(tuple)
groups = st.lists(choices, max_size=4).map(tuple)
# What each of two voices has to say, at run time and at boot: how long ago,
# and until when at most.
MOMENTS = tuple(product((NEVER, 0, 2.5), repeat=4))


def lives(atom, moments):
    """Return until when an atom lives, if times are so."""
    if atom.voice == ANY_DATE:
        return atom.limit
    return moments[2 * atom.voice + atom.boot] + atom.limit


def ends(group, moments):
    """Return until when all of a group is carried."""
    longest_of_each = (
        max(lives(atom, moments) for atom in choice) for choice in group
    )
    return min(longest_of_each, default=FOREVER)


class LongevityTest(unittest.TestCase):
    @examples(300)
    @given(groups)
    def test_what_is_left_out_of_a_group_never_ends_first(self, group):
        left = deciding(group)
        self.assertLessEqual(set(left), set(group))
        for moments in MOMENTS:
            self.assertEqual(ends(group, moments), ends(left, moments))

    @examples(300)
    @given(st.lists(groups, max_size=4))
    def test_a_group_that_is_left_out_never_ends_last(self, some):
        left = longest(some)
        self.assertEqual(bool(some), bool(left))
        for moments in MOMENTS:
            self.assertEqual(
                max((ends(group, moments) for group in some), default=NEVER),
                max((ends(group, moments) for group in left), default=NEVER),
            )

    @examples(300)
    @given(groups, groups)
    def test_a_group_that_outlives_another_does(self, one, other):
        if group_outlives(one, other):
            for moments in MOMENTS:
                self.assertGreaterEqual(
                    ends(one, moments), ends(other, moments)
                )

    def test_of_one_voice_what_may_be_older_need_not_be_looked_at(self):
        strict, lax = Atom(0, False, 60.0), Atom(0, False, 600.0)
        other = Atom(1, False, 60.0)
        self.assertEqual(((strict,),), deciding([(lax,), (strict,)]))
        self.assertEqual(((strict,),), deciding([(strict,), (lax, other)]))
        self.assertEqual(2, len(deciding([(strict,), (other,)])))
        self.assertEqual(
            2, len(deciding([(strict,), (lax._replace(boot=True),)]))
        )


def lapse(need, record, snapshot, age):
    """Return until when a need is met, from all that would carry it."""

    def of(support):
        found = (expiry(a, record, snapshot, age) for a in support.atoms)
        return max(found, default=NEVER)

    return max(
        need.waived_until,
        need.permissive_until,
        *(min(map(of, group), default=FOREVER) for group in need.groups),
    )


class ClockTest(unittest.TestCase):
    @examples(250)
    @given(recipes())
    def test_the_short_way_comes_to_the_same_as_the_long_one(self, recipe):
        world = drafts.build(recipe.draft())
        snapshot, policy = court.snapshot_of(world), world.policy
        if policy is None:
            return
        try:
            requirement = read_requirement(world.request, snapshot)
            demand = bind(requirement, policy, world.catalogue)
        except Malformed:
            return
        closed = closed_hosts(
            policy,
            world.catalogue,
            world.request.project_id,
            world.management_domain,
        )
        rulings = Rulings(demand, closed, world.management_domain)
        age = world.boot_max_age_s
        for record in snapshot.records.values():
            ruling = rulings.of(record.shape, snapshot)
            lapses = [lapse(n, record, snapshot, age) for n in ruling.needs]
            lapses += [c.permissive_until for c in ruling.closures]
            long = min([policy.expires_at, *lapses])
            by_number = until(ruling, expiries(ruling, record, snapshot, age))
            self.assertEqual(long, by_number)
            self.assertEqual(long, Clock(snapshot, age).lapse(ruling, record))
            self.assertLessEqual(ruling.hopeless, long == NEVER)


class MemoryTest(unittest.TestCase):
    """What is remembered neither grows for ever nor keeps the past alive."""

    def setUp(self) -> None:
        super().setUp()
        self.draft = scenes.asking(6, capability__tpm="hardware")
        self.world = drafts.build(self.draft)
        self.snapshot = court.snapshot_of(self.world)
        requirement = read_requirement(self.world.request, self.snapshot)
        demand = bind(requirement, self.world.policy, self.world.catalogue)
        self.decisions = Decisions(demand, Bearings("acme"))

    def _goes_on(self, rebooted: str = "") -> None:
        """Let all be appraised anew, and one host be a new boot."""
        document = self.world.document
        results, freshness = {}, {}
        for authority, attesters in document.results.items():
            results[authority] = dict(attesters)
            freshness[authority] = {
                name: Freshness(fresh.at + 1, fresh.boot)
                for name, fresh in document.freshness[authority].items()
            }
            for name in attesters.keys() & {rebooted}:
                results[authority][name] = dataclasses.replace(attesters[name])
        self.draft.now += 1
        self.world = dataclasses.replace(
            self.world,
            document=ResultsDocument("c", 0.0, "", results, freshness, ()),
        )
        self.snapshot = court.snapshot_of(self.world, self.snapshot)

    def _admitted(self) -> int:
        everybody = court.candidates(self.draft)
        return len(
            self.decisions.admitted(everybody, self.snapshot, self.draft.now)
        )

    def test_records_of_the_past_are_forgotten(self) -> None:
        before = self._admitted()
        self.assertTrue(before)
        name = next(iter(next(iter(self.world.document.results.values()))))
        for _ in range(300):
            self._goes_on(rebooted=name)
            self.assertEqual(before, self._admitted())
        held = len(self.decisions._until) + len(self.decisions._refused)
        self.assertLessEqual(held, 2 * len(self.snapshot.records) + 65)

    def test_no_snapshot_of_the_past_is_kept_alive(self) -> None:
        self._admitted()
        past = id(self.snapshot.freshness)
        for _ in range(3):
            self._goes_on()
            self._admitted()
        gc.collect()
        alive = [
            found
            for found in gc.get_objects()
            if isinstance(found, Snapshot)
            and found.policy is self.world.policy
        ]
        self.assertEqual(
            [self.snapshot.generation], [found.generation for found in alive]
        )
        self.assertNotEqual(past, id(self.snapshot.freshness))
