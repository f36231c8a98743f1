# SPDX-License-Identifier: Apache-2.0
"""What sets a refusal aside, for how long, and that it is said."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.policy.values import Waiver
from tests.unit.drafts import NOW
from tests.unit.drafts import PROJECT
from tests.unit.drafts import SERVER
from tests.unit.judge.court import codes
from tests.unit.judge.court import decide
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import bare
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent
from tests.unit.judge.scenes import why

END = NOW + 10


class Endings(unittest.TestCase):
    def ends(self, draft, refused, host="h1"):
        """Admitted until END, and refused from then on."""
        self.assertEqual(set(), why(draft, host, END - 0.001))
        self.assertLessEqual(refused, why(draft, host, END))
        self.assertEqual(END, decide(draft, host).until)


class TestWaivers(Endings):
    def _without(self, requirement, **how):
        draft = asking()
        bare(draft, **how)
        draft.waivers = [
            Waiver("own", requirement, "why", "ref", end)
            for end in (NOW - 1, END)
        ]
        return draft

    def test_a_requirement_is_waived_until_its_end(self):
        draft = self._without("5.2.9", requirements=("5.2.9",))
        silent(draft, "host-routing")
        silent(draft, "direct-memory-access")
        self.ends(draft, {"no-claim"})
        self.assertEqual({"no-claim"}, codes(decide(draft).waived))
        draft.profiles["other"] = draft.profiles["own"]
        draft.waivers = [
            Waiver("other", "5.2.9", "why", "ref", END),
        ]
        self.assertEqual({"no-claim"}, why(draft))

    def test_so_are_values_kept_away_and_vouchers(self):
        draft = self._without(
            "memory-inspection",
            refuse_values={"memory-inspection": of("blocked")},
        )
        self.ends(draft, {"value-mismatch"})
        draft = self._without("vouchers", vouchers_min=3)
        self.ends(draft, {"no-claim"})
        draft = self._without("external-voucher", external_voucher=True)
        says(draft, "attestation", "ver", status=Status.NONE)
        self.ends(draft, {"authority-silent"})

    def test_a_need_that_is_met_holds_longer_than_its_waiver(self):
        draft = self._without("5.2.9", requirements=("5.2.9",))
        self.assertEqual(NOW + 50, decide(draft).until)
        self.assertEqual((), decide(draft).waived)


class TestPermissive(Endings):
    def _permissive(self, kind, name, **keys):
        draft = asking(**keys)
        draft.modes[kind][name] = END
        return draft

    def test_a_project_sets_aside_whatever_its_servers_ask_for(self):
        draft = self._permissive("projects", PROJECT, location__logical="core")
        silent(draft, "location")
        self.ends(draft, {"no-claim"})
        self.ends(draft, {"host-unbound"}, "h9")
        self.assertEqual({"no-claim"}, codes(decide(draft).would_refuse))

    def test_but_not_the_rules_of_pools(self):
        draft = self._permissive("projects", PROJECT, location__logical="core")
        pool(draft, exclusive_to=of("police"))
        self.assertEqual({"pool-exclusive"}, why(draft))

    def test_nor_malformed_requests_nor_an_expired_policy(self):
        draft = self._permissive("projects", PROJECT, location__logical="core")
        draft.expires_at = NOW
        self.assertEqual({"policy-expired"}, why(draft))
        draft = self._permissive("projects", PROJECT, location__logical="XX")
        self.assertEqual({"malformed"}, why(draft))

    def test_a_profile_sets_its_own_needs_aside(self):
        draft = self._permissive("profiles", "own")
        bare(draft, requirements=("5.2.9",))
        silent(draft, "host-routing")
        silent(draft, "direct-memory-access")
        self.ends(draft, {"no-claim"})
        self.ends(draft, {"host-unbound"}, "h9")
        draft.extra_specs["nfv_mla:capability.host-routing"] = "required"
        self.assertEqual({"no-claim"}, why(draft))
        self.assertEqual({"host-unbound"}, why(draft, "h9"))

    def test_a_pool_sets_its_two_rules_aside(self):
        draft = self._permissive("pools", "pool-1")
        pool(
            draft,
            host_class=HostClass.POOLED_RESTRICTED,
            exclusive_to=of("police"),
            management_domains=of("police"),
        )
        self.ends(draft, {"pool-exclusive", "management-domain"})
        draft.extra_specs["nfv_mla:capability.secured-boot"] = "required"
        self.ends(draft, {"pool-exclusive", "management-domain"})
        pool(draft, "pool-2", exclusive_to=of("police"))
        self.assertEqual({"pool-exclusive"}, why(draft))

    def test_needs_only_where_all_pools_are_permissive(self):
        draft = self._permissive("pools", "pool-1", pool="pool-1")
        pool(draft)
        silent(draft, "entropy-source")
        self.ends(draft, {"no-claim"})
        pool(draft, "pool-2")
        self.assertEqual({"no-claim"}, why(draft))

    def test_moves_and_followers_are_set_aside_by_project_and_pools(self):
        for kind, name in (("projects", PROJECT), ("pools", "pool-1")):
            with self.subTest(kind):
                draft = self._permissive(
                    kind, name, follow="pii-protection@host"
                )
                draft.source = "h3"
                draft.room = None
                pool(draft)
                pool(draft, "pool-3", HostClass.SINGLE_RESTRICTED, "h3")
                self.assertEqual(
                    {"move-not-allowed", "nothing-follows"},
                    codes(decide(draft).would_refuse),
                )
                self.ends(draft, {"move-not-allowed", "nothing-follows"})


class TestBreakGlass(Endings):
    def _broken(self, target, name):
        draft = asking(capability__tpm="virtual")
        draft.break_glass = [
            BreakGlass(target, name, "why", "alice", NOW, END)
        ]
        return draft

    def test_it_is_for_a_server_a_host_or_a_project(self):
        for target, name in (
            (BreakGlassTarget.SERVER, SERVER),
            (BreakGlassTarget.HOST, "h1"),
            (BreakGlassTarget.PROJECT, PROJECT),
        ):
            with self.subTest(target):
                draft = self._broken(target, name)
                self.ends(draft, {"value-mismatch"})
                self.assertEqual(
                    {"value-mismatch"}, codes(decide(draft).waived)
                )
                self.assertEqual({"value-mismatch"}, why(draft, now=NOW - 1))
                draft = self._broken(target, "another")
                self.assertEqual({"value-mismatch"}, why(draft))

    def test_it_sets_everything_aside_but_malformed_requests(self):
        draft = self._broken(BreakGlassTarget.PROJECT, PROJECT)
        draft.expires_at = NOW
        pool(draft, exclusive_to=of("police"))
        self.assertEqual(set(), why(draft))
        self.assertEqual(set(), why(draft, "h9"))
        draft.without_policy = True
        self.assertEqual(set(), why(draft))
        draft.extra_specs["nfv_mla:what"] = "ever"
        self.assertEqual({"malformed"}, why(draft))
