# SPDX-License-Identifier: Apache-2.0
"""Each step of a playbook, taken to its end in a real Nova.

Hosts are switched off by commands, as an operator's would be: what they leave
in a directory is what the harness does to the host.
"""

from __future__ import annotations

import pathlib
import stat
import tempfile

from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking.marks import Code as MarkCode
from nfv_mla_scheduler.monitor.reporting.lines import Code
from nfv_mla_scheduler.monitor.reporting.lines import Loudness
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from tests.functional import monitored
from tests.functional import world

HALT_S = 600.0
STOP_S = 20.0
PLAYBOOKS = {
    "integrity": [
        *("fence", "lock", "stop", "power-off"),
        *("rebuild-elsewhere", "alert"),
    ],
    "confidentiality": ["fence", "lock", "stop", "power-off", "evacuate"],
}
HERE, THERE = world.GOOD_1, world.GOOD_2

_OFF = """#!/bin/sh
: > "{directory}/$1"
"""
_STATUS = """#!/bin/sh
if [ -e "{directory}/$1" ]; then echo off; else echo on; fi
"""


class StepsTestCase(monitored.MonitoredTestCase):
    """A host turns bad, and is left as its playbook says."""

    hosts = (HERE, THERE)

    def setUp(self) -> None:
        self.took: list[Ask] = []
        self.stopped: set[str] = set()
        directory = tempfile.TemporaryDirectory()
        self.off = pathlib.Path(directory.name) / "off"
        super().setUp()
        self.addCleanup(directory.cleanup)

    def swallow(self, host: str = HERE) -> None:
        """Let a host take what it is asked for, and do nothing."""
        self.swallow_all(host)

    def boot_on(self, axis: Axis) -> str:
        """Return a server that the monitor has seen comply."""
        server = self.boot(self.flavor(axis), HERE)
        self.cycle()
        assert self.last.ruling is not None
        self.assertIn(server, self.last.ruling.verdict.complies)
        return server

    def cycle(self, observe: bool = True) -> CycleReport:
        """Run a cycle, then let hosts be off that were switched off."""
        done = super().cycle(observe)
        if done.plan is not None:
            self.took += [ask for s in done.plan.steps for ask in s.asks]
        for host in self.hosts:
            if (self.off / host).exists() and host not in self.stopped:
                self.stopped.add(host)
                self.swallow(host)
        return done

    def switch_on(self, host: str) -> None:
        """Let somebody switch a host on that was switched off."""
        (self.off / host).unlink()
        self.stopped.discard(host)
        self.cloud.start_compute(host)

    def way(self) -> list[Ask]:
        """Return all that was asked about servers, each run of it once."""
        return [
            ask
            for before, ask in zip([None, *self.took], self.took, strict=False)
            if ask is not before
        ]


class StepsTest(StepsTestCase):
    """By the catalogue's own playbooks, and by an operator's."""

    def test_live_migration(self) -> None:
        server = self.boot_on(Axis.EXPOSURE)
        self.contraindicate(HERE, axis=Axis.EXPOSURE)
        self.assert_found(server, Kind.FAILED, Axis.EXPOSURE)
        self.assertIsNotNone(self.fence_of(HERE))
        self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assertEqual([Ask.LOCK, Ask.LIVE_MIGRATE], self.way())
        (move,) = self.admin.migrations(server)
        self.assertEqual("live-migration", move["migration_type"])
        self.assertEqual(monitored.MONITOR.id, move["user_id"])

    def test_cold_migration_is_confirmed_by_us(self) -> None:
        server = self.boot_on(Axis.CONFIDENTIALITY)
        self.contraindicate(HERE, axis=Axis.CONFIDENTIALITY)
        self.assert_found(server, Kind.FAILED, Axis.CONFIDENTIALITY)
        self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assertEqual(
            [Ask.LOCK, Ask.STOP, Ask.MIGRATE, Ask.CONFIRM], self.way()
        )
        (move,) = self.admin.migrations(server)
        self.assertEqual(
            ("migration", "confirmed"),
            (move["migration_type"], move["status"]),
        )

    def test_cold_migration_of_what_its_owner_had_stopped(self) -> None:
        server = self.boot_on(Axis.CONFIDENTIALITY)
        self.tenant.stop(server)
        self.contraindicate(HERE, axis=Axis.CONFIDENTIALITY)
        self.cycles(lambda _: self.admin.host_of(server) == THERE, "moved")
        self.settled()
        self.wait(monitored.LONG_S)
        self.cycles(lambda _: self.mark_of(server) is None, "released")
        self.settled()
        self.assert_rests(server, THERE, "SHUTOFF")

    def test_stop(self) -> None:
        server = self.boot_on(Axis.INTEGRITY)
        self.contraindicate(HERE, axis=Axis.INTEGRITY)
        self.assert_halted(server, HERE)
        self.assertEqual([Ask.LOCK, Ask.STOP], self.way())
        self.assert_locked_against(self.tenant, server)
        (flight,) = self.plan().in_flight
        self.assertIs(State.REPORTED, flight.state)

    def test_nothing_but_a_halt_is_left_when_no_host_complies(self) -> None:
        server = self.boot_on(Axis.EXPOSURE)
        self.contraindicate(HERE, THERE, axis=Axis.EXPOSURE)
        self.assert_halted(server, HERE)
        self.assertEqual([], self.admin.migrations(server))

    def test_migration_that_fails_is_followed_by_the_next_step(self) -> None:
        server = self.boot_on(Axis.EXPOSURE)
        self.cloud.driver(THERE).check_can_live_migrate_destination = _cannot
        self.addCleanup(
            self.cloud.driver(THERE).__dict__.pop,
            "check_can_live_migrate_destination",
        )
        self.contraindicate(HERE, axis=Axis.EXPOSURE)
        self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assertEqual(
            [Ask.LOCK, Ask.LIVE_MIGRATE, Ask.MIGRATE, Ask.CONFIRM], self.way()
        )

    def test_states_in_which_nova_stops_nothing(self) -> None:
        for action, argument in (
            ("pause", None),
            ("rescue", {}),
            ("suspend", None),
        ):
            with self.subTest(action):
                server = self.boot_on(Axis.INTEGRITY)
                self.tenant.act(server, action, argument)
                self.contraindicate(HERE, axis=Axis.INTEGRITY)
                self.settled()
                shown = self.admin.server(server)
                self.assertIn(shown["status"], ("SHUTOFF", "SUSPENDED"))
                self.assertIsNotNone(self.mark_of(server))
                self.assertEqual((), self.plan().not_halted)
                self.recover()
                self.wait(monitored.LONG_S)
                self.publish()
                self.cycles(lambda _: self.fence_of(HERE) is None, "released")

    def test_host_that_swallows_stop_is_the_loudest_alarm(self) -> None:
        server = self.boot_on(Axis.INTEGRITY)
        self.swallow()
        self.contraindicate(HERE, axis=Axis.INTEGRITY)
        self.cycles(
            lambda _: self.admin.server(server)["OS-EXT-STS:task_state"],
            "asked to stop",
        )
        self.assertEqual([], self.said(Code.NOT_HALTED))
        self.wait(HALT_S)
        for _ in range(4):
            self.cycle()
            (flight,) = self.plan().not_halted
            self.assertEqual(server, flight.server)
            self.wait(monitored.INTERVAL_S)
        alarms = [x for x in self.lines if x.loudness is Loudness.ALARM]
        self.assertEqual([Code.NOT_HALTED], [a.code for a in alarms])
        self.assertIn(server, alarms[0].text)
        self.assertIn(server, self.said(Code.NOT_HALTED)[0])
        # It comes back, and does what it was told.
        self.cloud.start_compute(HERE)
        self.assert_halted(server, HERE)
        self.assertEqual(1, len(self.said(Code.HALTED)))

    def test_host_that_only_says_it_has_stopped_is_not_believed(self) -> None:
        server = self.boot_on(Axis.INTEGRITY)
        driver = self.cloud.driver(HERE)
        driver.power_off = lambda *_, **__: None
        self.addCleanup(driver.__dict__.pop, "power_off")
        self.contraindicate(HERE, axis=Axis.INTEGRITY)
        self.settled_or_not(server)
        self.wait(HALT_S)
        self.cycle()
        self.assertEqual(
            [server], [each.server for each in self.plan().not_halted]
        )

    def settled_or_not(self, server: str) -> None:
        """Let the monitor do what it can for a while."""
        for _ in range(4):
            self.cycle()
            self.wait(monitored.INTERVAL_S)
        self.assertIsNotNone(self.mark_of(server))

    # With commands that switch hosts off, out of band.

    def get_power_commands(self) -> None:
        """Have commands, and playbooks that make use of them."""
        self.off.mkdir()
        off = self._script("off.sh", _OFF)
        status = self._script("on.sh", _STATUS)
        self.options_now = {
            "stop_deadline_s": STOP_S,
            "power_off_command": f"{off},{{host}}",
            "power_status_command": f"{status},{{host}}",
        }
        document = self.next_policy()
        document["playbooks"] = PLAYBOOKS
        self.put_policy(document)
        self.restart()
        self.cycle()
        self.took.clear()

    def _script(self, name: str, text: str) -> pathlib.Path:
        path = self.directory / name
        path.write_text(text.format(directory=self.off))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def test_evacuation_after_a_power_off(self) -> None:
        self.get_power_commands()
        server = self.boot_on(Axis.CONFIDENTIALITY)
        self.cloud.swallow(HERE, "stop_instance")
        self.contraindicate(HERE, axis=Axis.CONFIDENTIALITY)
        self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assertEqual(
            [Ask.LOCK, Ask.STOP, Ask.POWER_OFF, Ask.FORCE_DOWN, Ask.EVACUATE],
            self.way(),
        )
        self.assertEqual([], self.said(Code.NOT_HALTED))
        # What is left of the host is called up when it has recovered.
        self.switch_on(HERE)
        self.recover()
        self.wait(monitored.LONG_S)
        self.publish()
        self.cycles(lambda _: self.fence_of(HERE) is None, "released")
        service = self.admin.service_of(HERE)
        self.assertFalse(service["forced_down"], service)
        self.assert_rests(server, THERE)
        self.assertNotIn(server, self.cloud.driver(HERE).instances)

    def test_rebuilt_elsewhere_after_a_power_off(self) -> None:
        self.get_power_commands()
        server = self.boot_on(Axis.INTEGRITY)
        self.contraindicate(HERE, axis=Axis.INTEGRITY)
        self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assertEqual(
            [
                *(Ask.LOCK, Ask.STOP, Ask.POWER_OFF),
                *(Ask.FORCE_DOWN, Ask.EVACUATE, Ask.REBUILD),
            ],
            self.way(),
        )
        actions = self.admin.request(
            "GET", f"/servers/{server}/os-instance-actions"
        )["instanceActions"]
        self.assertIn("rebuild", [each["action"] for each in actions])

    def test_host_is_switched_off_once_for_all_of_its_servers(self) -> None:
        self.get_power_commands()
        flavor = self.flavor(Axis.CONFIDENTIALITY)
        servers = [self.boot(flavor, HERE) for _ in range(3)]
        self.cycle()
        self.cloud.swallow(HERE, "stop_instance")
        self.contraindicate(HERE, axis=Axis.CONFIDENTIALITY)
        for server in servers:
            self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assertEqual(1, self.took.count(Ask.POWER_OFF), str(self.took))

    def test_host_that_stays_on_is_never_evacuated(self) -> None:
        self.get_power_commands()
        server = self.boot_on(Axis.CONFIDENTIALITY)
        self.cloud.swallow(HERE, "stop_instance")
        # It says that it does so.
        self._script("off.sh", "#!/bin/sh\nexit 0\n")
        self.contraindicate(HERE, axis=Axis.CONFIDENTIALITY)
        for _ in range(6):
            self.cycle()
            self.wait(STOP_S)
        self.assertIn(Ask.POWER_OFF, self.took)
        self.wait(HALT_S)
        self.cycle()
        self.assertNotIn(Ask.EVACUATE, self.took)
        self.assertEqual(
            [(server, Step.POWER_OFF)],
            [(each.server, each.step) for each in self.plan().not_halted],
        )
        self.assertEqual(1, len(self.said(Code.NOT_HALTED)))
        mark = self.mark_of(server)
        assert mark is not None
        self.assertIs(MarkCode.POWER_OFF, mark.code)
        # Somebody goes there and pulls the plug.
        (self.off / HERE).touch()
        self.assertEqual(THERE, self.assert_evicted(server, HERE))


def _cannot(*_: object, **__: object) -> None:
    from nova import exception

    raise exception.MigrationPreCheckError(reason="this host cannot")
