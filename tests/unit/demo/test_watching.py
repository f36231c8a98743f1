# SPDX-License-Identifier: Apache-2.0
"""The demo's scenes with a monitor are pleased by Nova alone as well."""

from __future__ import annotations

import io
import pathlib
import subprocess
import tempfile
import typing as ty
import unittest
from unittest import mock

from oslo_config import cfg

from demo import watching
from demo import world
from demo.asked import NotAsExpected
from demo.monitor import Monitor
from demo.power import Power
from demo.screen import Screen
from demo.stage import Stage
from nfv_mla_scheduler.monitor import checking
from nfv_mla_scheduler.monitor import parts
from tests.cloud.client import ApiError
from tests.cloud.site import Site
from tests.unit.demo.fakes import FakeCentre
from tests.unit.demo.fakes import FakeNova
from tests.unit.demo.fakes import FakeReasons

_MARK = "nfv-mla/1 stop 00000000 2026-01-01T00:00:00Z since=x was=active m"
_ENVIRONMENT = {
    "OS_AUTH_TYPE": "password",
    "OS_AUTH_URL": "http://127.0.0.1:1/v3",
    "OS_USERNAME": "monitor",
    "OS_PASSWORD": "monitor",
    "OS_PROJECT_NAME": "security",
    "OS_USER_DOMAIN_ID": "default",
    "OS_PROJECT_DOMAIN_ID": "default",
    "OS_REGION_NAME": "RegionOne",
}


class _Nova(FakeNova):
    """One server, as the test says that it is shown."""

    def __init__(self) -> None:
        super().__init__("a")
        self.shown: dict[str, ty.Any] = {
            "locked": True,
            "locked_reason": _MARK,
            "OS-EXT-STS:task_state": None,
        }
        self.refusal = 0

    def server(self, server: str) -> dict[str, ty.Any]:
        return super().server(server) | self.shown

    def request(self, method: str, path: str, *_: object) -> dict[str, ty.Any]:
        if method == "POST":
            if self.refusal:
                raise ApiError(self.refusal, "is locked")
            return {}
        return super().request(method, path)


class WatchingTest(unittest.TestCase):
    def setUp(self) -> None:
        patch = mock.patch.object(watching, "PATIENCE_S", 0.0)
        patch.start()
        self.addCleanup(patch.stop)
        self.nova = _Nova()
        centre: ty.Any = FakeCentre(self.nova)
        self.monitor = centre.monitor
        self.output = io.StringIO()
        self.stage = Stage(centre, Screen(self.output, colour=False))
        self.stage.reasons = ty.cast(ty.Any, FakeReasons())
        self.stage.create(world.WEB, "shop", "plain").lands_on("a")

    def _server(self, status: str = "ACTIVE", *hosts: str) -> None:
        self.stage.monitor.server("monitor: act", "shop", status, *hosts)

    def test_a_server_has_to_be_as_nova_shows_it(self) -> None:
        self._server("ACTIVE", "a", "b")
        self.assertIn("ok  monitor: act", self.output.getvalue())
        for change in (
            {"OS-EXT-SRV-ATTR:host": "c"},
            {"status": "SHUTOFF"},
            {"locked": False},
            {"OS-EXT-STS:task_state": "migrating"},
        ):
            before = dict(self.nova.shown)
            self.nova.shown.update(change)
            with self.subTest(change), self.assertRaises(NotAsExpected):
                self._server("ACTIVE", "a", "b")
            self.nova.shown = before

    def test_an_owner_has_to_be_refused(self) -> None:
        self.nova.refusal = 409
        self.stage.monitor.owner_may_not("os-start", "shop", 409)
        for http in (0, 403):
            self.nova.refusal = http
            with self.subTest(http), self.assertRaises(NotAsExpected):
                self.stage.monitor.owner_may_not("os-start", "shop", 409)

    def test_a_reason_must_name_neither_host_nor_authority(self) -> None:
        self.stage.monitor.owner_reads_reason("shop")
        for word in ("ber-1", world.OURS):
            self.nova.shown["locked_reason"] = f"{_MARK} {word}"
            with self.subTest(word), self.assertRaises(NotAsExpected):
                self.stage.monitor.owner_reads_reason("shop")

    def test_without_a_reason_there_is_nothing_to_read(self) -> None:
        self.nova.shown["locked_reason"] = None
        with self.assertRaises(NotAsExpected):
            self.stage.monitor.owner_reads_reason("shop")

    def test_says_why_by_the_servers_name(self) -> None:
        self.monitor.log.append("monitor: stop of id-of-shop (step-done)")
        self.stage.monitor.says("stop of shop")
        self.assertIn("why  monitor: stop of shop", self.output.getvalue())
        with self.assertRaises(NotAsExpected):
            self.stage.monitor.says("start of shop")

    def test_tells_of_a_monitor_that_has_ended(self) -> None:
        self.monitor.why = "no such file"
        with self.assertRaises(NotAsExpected) as caught:
            self.stage.monitor.says("anything")
        self.assertIn("no such file", caught.exception.answered)

    def test_a_command_has_to_succeed(self) -> None:
        self.monitor.printed = (0, "is released")
        self.stage.monitor.command("release authority x")
        self.assertIn("is released", self.output.getvalue())
        self.monitor.printed = (1, "is not held")
        with self.assertRaises(NotAsExpected):
            self.stage.monitor.command("release authority x")


class SetupTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.power = Power(self.directory / "power")

    def _run(self, words: tuple[str, ...]) -> str:
        command = [word.format(host="ham-1") for word in words]
        return subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout.strip()

    def test_a_host_is_off_when_it_was_switched_off(self) -> None:
        self.assertEqual("on", self._run(self.power.status))
        self._run(self.power.off)
        self.assertEqual(["ham-1"], self.power.wanted())
        self.assertEqual("on", self._run(self.power.status))
        self.power.is_off("ham-1")
        self.assertEqual("off", self._run(self.power.status))
        self.assertEqual([], self.power.wanted())
        self.assertEqual(["ham-1"], self.power.hosts_off())
        self.power.forget()
        self.assertEqual("on", self._run(self.power.status))

    def test_the_monitors_configuration_can_be_used(self) -> None:
        site = Site(self.directory / "site")
        monitor = Monitor(site, self.power)
        monitor.configure(_ENVIRONMENT)
        conf = cfg.ConfigOpts()
        parts.register(conf)
        conf([], project="x", default_config_files=[str(monitor.conf)])
        found = parts.read(conf)
        self.assertEqual("all", found.settings.act.value)
        self.assertEqual((monitor.key,), found.keys)
        checking.check_reach(found, conf)
