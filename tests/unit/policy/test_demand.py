# SPDX-License-Identifier: Apache-2.0
"""Binding an ask to a policy: needs, and names that mean nothing."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.demand import profile_demand
from nfv_mla_scheduler.policy.keys import RESOURCES
from nfv_mla_scheduler.policy.requirement import meet
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.policy.values import PoolChoice
from nfv_mla_scheduler.policy.values import Source
from tests.unit import brute_reading
from tests.unit import drafts
from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import NOW
from tests.unit.drafts import PROJECT
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool


def bound(draft, *floors):
    """Return the demand of a draft's flavor, and of floors beside it."""
    asks = [
        brute_reading.read(Source.FLAVOR, draft.extra_specs, CATALOGUE),
        *floors,
    ]
    requirement = meet(asks, Application(), PROJECT)
    return bind(requirement, drafts.policy_of(draft), CATALOGUE)


def problems(draft):
    try:
        bound(draft)
    except Malformed as malformed:
        return malformed.problems
    return ()


class TestBinding(unittest.TestCase):
    def test_who_asks_for_nothing_has_no_needs(self):
        demand = bound(drafts.good())
        self.assertEqual((), demand.needs + demand.follows)

    def test_pools_serve_as_what_they_are_and_type_1_as_type_2(self):
        draft = asking(host_class="pooled-restricted-concealed")
        pool(draft, "one", HostClass.POOLED_RESTRICTED)
        pool(draft, "two", HostClass.POOLED_RESTRICTED_CONCEALED)
        pool(draft, "three", HostClass.SECURE_EXECUTION)
        (need,) = bound(draft).needs
        self.assertEqual(
            {PoolChoice("one", RESOURCES), PoolChoice("two")}, set(need.pools)
        )
        both = "pooled-restricted-concealed,pooled-restricted"
        draft.extra_specs["nfv_mla:host_class"] = both
        (need,) = bound(draft).needs
        self.assertIn(PoolChoice("one"), need.pools)

    def test_handles_become_names(self):
        draft = asking(pool="p7", follow="k7@pool")
        pool(draft)
        draft.aliases = {"p7": "pool-1", "k7": "retained-data"}
        demand = bound(draft)
        self.assertEqual((PoolChoice("pool-1"),), demand.needs[0].pools)
        self.assertEqual(
            (Follow("retained-data", FollowAxis.POOL),), demand.follows
        )

    def test_a_handle_of_another_kind_is_no_name(self):
        draft = asking(profile="p7")
        pool(draft)
        draft.aliases = {"p7": "pool-1"}
        self.assertEqual(
            ["nfv_mla:profile"], [p.path for p in problems(draft)]
        )

    def test_every_unknown_name_is_a_problem(self):
        draft = asking(
            profile="x",
            pool="x, y",
            authority="z",
            follow="w",
            location__logical="!v",
        )
        found = {(p.path, p.value) for p in problems(draft)}
        self.assertEqual(
            {
                ("nfv_mla:profile", "x"),
                ("nfv_mla:pool", "x"),
                ("nfv_mla:pool", "y"),
                ("nfv_mla:authority", "z"),
                ("nfv_mla:follow", "w"),
                ("nfv_mla:location.logical", "v"),
            },
            found,
        )

    def test_a_fault_of_the_floor_says_that_it_is_one(self):
        floor = brute_reading.read(
            Source.FLOOR, {"nfv_mla:pool": "x"}, CATALOGUE
        )
        with self.assertRaises(Malformed) as caught:
            bound(drafts.good(), floor)
        self.assertIn("floor", caught.exception.problems[0].path)

    def test_the_maximum_age_of_a_source_is_on_all_its_needs(self):
        draft = asking(profile="network-monitoring-control", max_age="40")
        self.assertEqual({40}, {n.max_age_s for n in bound(draft).needs})
        draft.extra_specs["nfv_mla:max_age"] = "90"
        ages = {n.profile: n.max_age_s for n in bound(draft).needs}
        self.assertEqual({"network-monitoring-control": 60, None: 90}, ages)

    def test_a_place_is_asked_at_the_grade_that_all_profiles_accept(self):
        draft = asking(location__logical="core", profile="a, b")
        base = CATALOGUE.profiles["pii-protection"]
        for accepted, grade in (
            ((of("location"), of("location")), Grade.DECLARED),
            ((of("location"), of()), Grade.BOOT),
        ):
            for name, some in zip("ab", accepted, strict=True):
                draft.profiles[name] = dataclasses.replace(
                    base, name=name, accept_declared=some
                )
            (need,) = [
                n for n in bound(draft).needs if n.requirement == "location"
            ]
            self.assertIs(grade, need.groups[0][0].grade)

    def test_no_source_softens_what_another_asks(self):
        draft = asking(max_age="40")
        floor = brute_reading.read(
            Source.FLOOR, {"nfv_mla:max_age": "60"}, CATALOGUE
        )
        ages = sorted(n.max_age_s for n in bound(draft, floor).needs)
        self.assertEqual([40, 60], ages)

    def test_modes_are_read_off_the_policy(self):
        draft = asking(profile="pii-protection")
        self.assertEqual(NEVER, bound(draft).permissive_until)
        draft.modes["projects"][PROJECT] = NOW + 1
        draft.modes["profiles"]["pii-protection"] = NOW + 2
        demand = bound(draft)
        self.assertEqual(NOW + 1, demand.permissive_until)
        self.assertEqual({NOW + 2}, {n.permissive_until for n in demand.needs})


class TestFollowers(unittest.TestCase):
    def test_nothing_is_asked_of_an_application_that_is_not_there(self):
        policy = drafts.policy_of(drafts.good())
        demand = profile_demand("lawful-interception", policy, CATALOGUE)
        subjects = {
            term.subject
            for need in demand.needs
            for group in need.groups
            for term in group
        }
        self.assertNotIn(Subject.APPLICATION, subjects)
        self.assertEqual((), demand.follows)
