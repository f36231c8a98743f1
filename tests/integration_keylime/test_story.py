# SPDX-License-Identifier: Apache-2.0
"""The story with Keylime, once from its beginning to its end.

Real Keylime and TPMs, a real Nova, collector and monitor as processes; what
the story shows is looked at a second time here, in Nova's API alone.
"""

from __future__ import annotations

import io
import typing as ty
import unittest

from demo.keylime import story
from demo.keylime import world
from demo.keylime.centre import BoxedCentre
from demo.keylime.stopwatch import Reached
from demo.keylime.story import Story
from demo.screen import Screen

_SHUTDOWN = 4  # nova.objects.fields.InstancePowerState
_TAMPERED = (
    *("Keylime says FAIL", "published", "host fenced"),
    *("servers locked", "servers halted", "all done"),
)


class TestStory(unittest.TestCase):
    centre: BoxedCentre

    def test_a_tpm_is_tampered_with_and_servers_leave(self) -> None:
        self.centre = self.enterContext(BoxedCentre())
        self.told = io.StringIO()
        told = Story(self.centre, Screen(self.told, colour=False))
        told.placed()
        before = self._servers()
        self._land_on_attested_hosts_alone(before)

        reached = told.tampered()
        self.assertEqual(list(_TAMPERED), self._in_time(reached))
        self._has_left(before)

        self._in_time(told.mended())
        self._is_released()

        self.assertEqual(["result too old"], self._in_time(told.silent()))
        self.assertIn("ber-2: stale", self.told.getvalue())
        waits = self._servers()[story.WAITS]
        self.assertEqual(("ACTIVE", False, story.SILENT), self._stands(waits))
        self.assertNotIn("\n  NO  ", self.told.getvalue())

    def _land_on_attested_hosts_alone(self, servers: ty.Any) -> None:
        hosts = {
            shown["OS-EXT-SRV-ATTR:host"]
            for name, shown in servers.items()
            if name != story.STAYS
        }
        self.assertLessEqual(hosts, set(world.NAMES))
        on_it = {name for name, s in servers.items() if self._is_on_it(s)}
        self.assertLessEqual({*story.HALTED, story.STAYS}, on_it)

    def _has_left(self, before: ty.Any) -> None:
        """No server that asks for attestation runs on that host any more."""
        service = self.centre.admin.service_of(story.TAMPERED)
        self.assertEqual("disabled", service["status"])
        for name, shown in self._servers().items():
            if name == story.STAYS:
                wanted = ("ACTIVE", False, story.TAMPERED)
                self.assertEqual(wanted, self._stands(shown))
            elif self._is_on_it(before[name]):
                wanted = ("SHUTOFF", True, story.TAMPERED)
                self.assertEqual(wanted, self._stands(shown), name)
                self.assertEqual(_SHUTDOWN, shown["OS-EXT-STS:power_state"])
                self.assertEqual("stopped", shown["OS-EXT-STS:vm_state"])
            else:
                self.assertEqual("ACTIVE", shown["status"], name)
                self.assertFalse(shown["locked"], name)

    def _is_released(self) -> None:
        service = self.centre.admin.service_of(story.TAMPERED)
        self.assertEqual("enabled", service["status"])
        for name, shown in self._servers().items():
            self.assertEqual("ACTIVE", shown["status"], name)
            self.assertFalse(shown["locked"], name)

    def _in_time(self, reached: list[Reached]) -> list[str]:
        """Return the stages in the order in which they came about."""
        times = [each.after_s for each in reached]
        self.assertEqual(sorted(times), times)
        for each in reached:
            self.assertLessEqual(each.after_s, each.milestone.within_s)
        return [each.milestone.name for each in reached]

    def _servers(self) -> dict[str, dict[str, ty.Any]]:
        found = self.centre.admin.servers(all_projects=True)
        return {server["name"]: server for server in found}

    @staticmethod
    def _is_on_it(shown: ty.Mapping[str, ty.Any]) -> bool:
        return bool(shown["OS-EXT-SRV-ATTR:host"] == story.TAMPERED)

    @staticmethod
    def _stands(shown: ty.Mapping[str, ty.Any]) -> tuple[str, bool, str]:
        return (
            shown["status"],
            shown["locked"],
            shown["OS-EXT-SRV-ATTR:host"],
        )
