# SPDX-License-Identifier: Apache-2.0
"""Slips and tricks with names, and what must not open a host."""

from __future__ import annotations

import gc
import unittest

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.results.view import Snapshot
from tests.unit import drafts
from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import NOW
from tests.unit.judge import court
from tests.unit.judge.court import Candidate
from tests.unit.judge.court import codes
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import own
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent
from tests.unit.judge.scenes import why


class TestNames(unittest.TestCase):
    def test_a_host_of_a_pool_stays_closed_under_another_name(self):
        for keys in ({}, {"capability__tpm": "required"}):
            with self.subTest(keys):
                draft = asking(**keys)
                pool(draft, exclusive_to=of("somebody-else"))
                case = court.case_of(drafts.build(draft))
                uuid = drafts.uuid("h1")
                for name in ("h1.example.org", "H1", "h1"):
                    host = Candidate(uuid, name)
                    self.assertEqual([], case.admitted([host], NOW))
                    found = codes(case.decision(uuid, name, NOW))
                    self.assertIn("pool-exclusive", found)

    def test_a_waiver_for_a_host_is_not_for_its_impostor(self):
        draft = asking(capability__hsm="required")
        silent(draft, "hsm")
        draft.break_glass = [
            BreakGlass(
                BreakGlassTarget.HOST, "h1", "flood", "k", NOW - 1, NOW + 9
            )
        ]
        case = court.case_of(drafts.build(draft))
        genuine = Candidate(drafts.uuid("h1"), "h1")
        impostor = Candidate("deadbeef-0000-4000-8000-000000000000", "h1")
        self.assertEqual([genuine], case.admitted([genuine, impostor], NOW))
        self.assertFalse(
            case.decision(impostor.uuid, impostor.host, NOW).admitted
        )

    def test_a_slip_in_the_prefix_is_malformed_and_not_ignored(self):
        for name in (
            "NFV_MLA:profile",
            " nfv_mla:profile",
            "nfv_mla :profile",
            "nfv-mla:profile",
            "nfv_mla.profile",
            "nfvmla:profile",
        ):
            with self.subTest(name), self.assertRaises(Malformed) as caught:
                read_ask(Source.FLAVOR, {name: "pii-protection"}, CATALOGUE)
            self.assertIn("nfv_mla:", str(caught.exception))

    def test_keys_of_others_are_none_of_ours(self):
        for name in ("hw:cpu_policy", "my_nfv_mla:x", "nfv_mlab:x", "nfv"):
            with self.subTest(name):
                ask = read_ask(Source.FLAVOR, {name: "x"}, CATALOGUE)
                self.assertFalse(ask.demands)


class TestLocation(unittest.TestCase):
    def test_a_claim_without_a_region_says_nothing(self):
        for values in ({}, {"geographic": ""}):
            with self.subTest(values):
                draft = asking(profile="own")
                own(draft, requirements=("5.1.6",), location_axes=())
                self.assertEqual(set(), why(draft))
                for authority in ("kl", "ver"):
                    says(draft, "location", authority, values=values)
                self.assertEqual({"no-claim"}, why(draft))


class TestMemory(unittest.TestCase):
    def test_a_malformed_request_keeps_no_snapshot_alive(self):
        draft = asking(profile="nobody-knows-it")
        world = drafts.build(draft)
        judge, snapshot = court.judge_of(world), court.snapshot_of(world)
        self.assertIsNotNone(
            judge.case(world.request, snapshot, world.room).malformed
        )
        generation = snapshot.generation
        del snapshot
        gc.collect()
        alive = [
            held
            for held in gc.get_objects()
            if isinstance(held, Snapshot)
            and held.document is world.document
            and held.generation == generation
        ]
        self.assertEqual([], alive)
        del judge
