# SPDX-License-Identifier: Apache-2.0
"""The story with Keylime, without it: its policy, its clock, its exit."""

from __future__ import annotations

import contextlib
import io
import pathlib
import tempfile
import time
import unittest
from unittest import mock

from demo.asked import NotAsExpected
from demo.keylime import __main__ as main
from demo.keylime import milestones
from demo.keylime import world
from demo.keylime.stopwatch import Milestone
from demo.keylime.stopwatch import Sight
from demo.keylime.stopwatch import follow
from demo.screen import Screen
from keylime_box import installation
from nfv_mla_scheduler.authority.keylime.mapping import read_mapping
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.standard import catalogue
from tests.cloud.site import COLLECTOR_KEY
from tests.cloud.site import Site

_KEYS = {
    host.name: f"{number:064x}" for number, host in enumerate(world.HOSTS)
}


class WorldTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.site = Site(pathlib.Path(directory.name))
        self.now = time.time()

    def _policy(self) -> bytes:
        text = world.policy(self.now, _KEYS)
        return text.replace(COLLECTOR_KEY, self.site.collector_key()).encode()

    def test_the_policy_is_sound(self) -> None:
        problems, _ = lint_policy(self._policy(), catalogue.load(), self.now)
        self.assertEqual((), tuple(problems))

    def test_each_host_is_bound_by_its_uuid_and_its_tpm(self) -> None:
        policy = read_policy(self._policy(), catalogue.load())
        self.assertEqual(
            {
                host.name: (
                    {world.AUTHORITY: host.compute.uuid},
                    {f"sha256:{_KEYS[host.name]}"},
                )
                for host in world.HOSTS
            },
            {
                name: (dict(host.attesters), set(host.pinned_keys))
                for name, host in policy.hosts.items()
            },
        )

    def test_the_mapping_vouches_for_what_the_authority_may(self) -> None:
        policy = read_policy(self._policy(), catalogue.load())
        found = read_mapping(world.mapping().encode(), catalogue.load())
        claims = {
            claim.capability
            for some in (
                found.measured_boot,
                found.runtime_policy,
                *(tag.claims for tag in found.tags),
            )
            for claim in some
        }
        self.assertEqual(
            set(policy.authorities[world.AUTHORITY].vouches), claims
        )

    def test_a_success_counts_for_as_long_as_the_story_says(self) -> None:
        policy = read_policy(self._policy(), catalogue.load())
        ages = {a.max_age_s for a in policy.authorities.values()}
        self.assertEqual({world.MAX_AGE_S}, ages)

    def test_one_failing_host_is_no_matter_for_a_person(self) -> None:
        guard = read_policy(self._policy(), catalogue.load()).guard
        self.assertGreater(guard.suspect_share_percent, 100 / len(world.HOSTS))


class FollowTest(unittest.TestCase):
    def setUp(self) -> None:
        self.said = io.StringIO()
        self.looks = 0

    def _follow(self, *stages: Milestone, since: float = 0.0) -> list[str]:
        def look() -> Sight:
            self.looks += 1
            service = {"status": f"after {self.looks}"}
            return Sight({}, service, {}, {"attestation_status": "PASS"})

        reached = follow(
            stages,
            look,
            since or time.monotonic(),
            Screen(self.said, colour=False),
        )
        return [each.milestone.name for each in reached]

    @staticmethod
    def _at_look(name: str, number: int, within_s: float = 60) -> Milestone:
        def seen(sight: Sight) -> str:
            looks = int(sight.service["status"].split()[1])
            return "there" if looks >= number else ""

        return Milestone(name, f"{name} comes", within_s, seen)

    def test_stages_are_told_in_the_order_in_which_they_come(self) -> None:
        at = self._at_look
        self.assertEqual(
            ["b", "c", "a"], self._follow(at("a", 3), at("b", 2), at("c", 2))
        )
        self.assertEqual(3, self.looks)
        lines = self.said.getvalue().splitlines()
        self.assertTrue(all(line.startswith("  ok  ") for line in lines))

    def test_a_stage_that_does_not_come_ends_it(self) -> None:
        with self.assertRaisesRegex(NotAsExpected, "a within 0.1 s"):
            self._follow(self._at_look("a", 10**9, within_s=0.1))
        self.assertIn("  NO  a comes", self.said.getvalue())

    def test_a_stage_that_comes_too_late_ends_it(self) -> None:
        with self.assertRaises(NotAsExpected):
            self._follow(
                self._at_look("a", 1, within_s=5),
                since=time.monotonic() - 6,
            )
        self.assertIn("  NO  a comes", self.said.getvalue())


class MilestonesTest(unittest.TestCase):
    def _stages(self, sight: Sight) -> set[str]:
        return {
            stage.name
            for stage in milestones.of_tampering("a", ("one",))
            if stage.seen(sight)
        }

    @staticmethod
    def _sight(**changed: object) -> Sight:
        """Return what there is to see once all is done, but for changes."""
        server = {
            "status": "SHUTOFF",
            "OS-EXT-SRV-ATTR:host": "a",
            "OS-EXT-STS:task_state": None,
            "locked": True,
        } | changed
        record = {
            "attestation_status": "FAIL",
            "last_event_id": "x",
            "operational_state": 9,
        }
        return Sight(
            {"one": server},
            {"status": "disabled"},
            {"tpm": Status.CONTRAINDICATED},
            record,
        )

    def test_all_are_seen_once_all_is_done(self) -> None:
        self.assertEqual(6, len(self._stages(self._sight())))

    def test_what_still_runs_there_has_not_left(self) -> None:
        seen = self._stages(self._sight(status="ACTIVE"))
        self.assertFalse({"servers halted", "all done"} & seen)

    def test_what_runs_elsewhere_has_left(self) -> None:
        sight = self._sight(status="ACTIVE", **{"OS-EXT-SRV-ATTR:host": "b"})
        self.assertIn("servers halted", self._stages(sight))

    def test_what_is_under_way_is_not_done(self) -> None:
        sight = self._sight(**{"OS-EXT-STS:task_state": "powering-off"})
        self.assertNotIn("all done", self._stages(sight))

    def test_what_is_not_locked_is_not_locked(self) -> None:
        seen = self._stages(self._sight(locked=False))
        self.assertNotIn("servers locked", seen)


class MainTest(unittest.TestCase):
    def test_what_is_missing_is_said_in_one_line(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            tool = pathlib.Path(directory) / "tool"
            tool.write_text("#!/bin/sh\necho this; echo and that; exit 1\n")
            tool.chmod(0o700)
            said = io.StringIO()
            with (
                mock.patch.object(installation, "TOOL", tool),
                contextlib.redirect_stderr(said),
            ):
                status = main.main([])
        self.assertEqual(
            (1, "demo-keylime: this and that\n"), (status, said.getvalue())
        )
