# SPDX-License-Identifier: Apache-2.0
"""Whether a function goes only where its follower can go, too."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.policy.values import Waiver
from tests.unit.drafts import NOW
from tests.unit.drafts import uuid
from tests.unit.judge.court import decide
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent
from tests.unit.judge.scenes import why

NOTHING = {"nothing-follows"}
BOTH = ("kl", "ver")


def following(axis="jurisdiction", profile="lawful-interception"):
    """h1 asks; only on h2 is room for what has to follow."""
    draft = asking(hosts=2, follow=f"{profile}@{axis}")
    draft.room = frozenset({uuid("h2")})
    return draft


def at(draft, host, **where):
    for authority in BOTH:
        says(draft, "location", authority, host, values=where)


class TestFollow(unittest.TestCase):
    def test_a_good_host_with_room_nearby_is_enough(self):
        for axis in ("jurisdiction", "geographic", "logical"):
            self.assertEqual(set(), why(following(axis)), axis)

    def test_without_an_axis_it_is_the_jurisdiction(self):
        draft = asking(hosts=2, follow="lawful-interception")
        self.assertEqual(set(), why(draft))
        at(draft, "h1", geographic="paris", jurisdiction="FR")
        draft.room = frozenset({uuid("h2")})
        self.assertEqual(NOTHING, why(draft))

    def test_without_room_nothing_follows(self):
        draft = following()
        for room in (None, frozenset(), frozenset({"another"})):
            draft.room = room
            self.assertEqual(NOTHING, why(draft))

    def test_the_follower_has_to_be_satisfied(self):
        draft = following()
        silent(draft, "secure-clean-up", "h2")
        self.assertEqual(NOTHING, why(draft))

    def test_what_its_application_would_contribute_is_granted(self):
        draft = following()
        draft.image.clear()
        draft.extra_specs = {
            k: v for k, v in draft.extra_specs.items() if "nfv" in k
        }
        self.assertEqual(set(), why(draft))

    def test_the_follower_is_granted_what_its_profile_waives(self):
        draft = following()
        silent(draft, "secure-clean-up", "h2")
        draft.waivers.append(
            Waiver("lawful-interception", "5.2.8", "why", "ref", NOW + 1)
        )
        self.assertEqual(set(), why(draft))

    def test_the_followers_host_may_belong_to_its_own_domain(self):
        draft = following()
        pool(
            draft,
            host_class=HostClass.SINGLE_RESTRICTED,
            members="h2",
            exclusive_to=of("police"),
            management_domains=of("police"),
        )
        self.assertEqual(set(), why(draft))

    def test_to_be_in_one_group_is_not_to_share(self):
        draft = following()
        at(draft, "h1", jurisdiction="FR")
        self.assertEqual(NOTHING, why(draft))
        draft.groups = {}
        self.assertEqual(set(), why(draft))

    def test_regions_around_both_are_shared(self):
        draft = following()
        at(draft, "h1", jurisdiction="DE-BY")
        self.assertEqual(set(), why(draft))

    def test_only_what_all_voices_agree_on_counts(self):
        draft = following()
        says(draft, "location", "ver", "h2", values={"jurisdiction": "FR"})
        draft.groups = {"jurisdiction": of("EU")}
        self.assertEqual(NOTHING, why(draft))

    def test_the_own_place_has_to_be_known(self):
        draft = following("logical")
        at(draft, "h1", jurisdiction="DE-BE")
        self.assertEqual({"no-claim"} | NOTHING, why(draft))

    def test_a_pool_or_a_host_is_shared_by_name(self):
        draft = following("pool")
        self.assertEqual(NOTHING, why(draft))
        pool(draft, members="h1 h2")
        self.assertEqual(set(), why(draft))
        self.assertEqual(NOTHING, why(following("host")))
        self.assertEqual(set(), why(following("host"), "h2"))

    def test_several_have_to_be_able_to_follow(self):
        draft = following()
        key = "nfv_mla:follow"
        draft.extra_specs[key] += ", retained-data@pool"
        self.assertEqual(NOTHING, why(draft))
        pool(draft, members="h1 h2")
        self.assertEqual(set(), why(draft))

    def test_an_admission_ends_when_the_follower_can_no_longer_come(self):
        draft = following()
        self.assertEqual(set(), why(draft, now=NOW + 49))
        self.assertEqual(NOTHING, why(draft, now=NOW + 50))
        self.assertEqual(NOW + 50, decide(draft).until)
