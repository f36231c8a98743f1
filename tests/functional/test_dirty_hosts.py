# SPDX-License-Identifier: Apache-2.0
"""A host that a sensitive server left, in a real Nova with filter and monitor.

The monitor says in its status file which hosts are dirty, and nova-scheduler
keeps others off them until they are shown to be clean (5.2.8).
"""

from __future__ import annotations

import functools
import json
import pathlib
import time
import typing as ty

from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.status import status
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.results.publish import publish
from tests.cloud import client
from tests.cloud import description as desc
from tests.functional import monitored
from tests.functional import world

HOST, OTHER = world.GOOD_1, world.GOOD_2
NODE = world.compute(HOST).uuid
PROFILE = "cleaned"
CLEAN_UP = "5.2.8"


class DirtyHostsTestCase(monitored.MonitoredTestCase):
    hosts = (HOST, OTHER)
    act = "none"

    @classmethod
    def prepare_site(cls) -> None:
        super().prepare_site()
        cls.status_file = cls.site.directory / "monitor-status.json"
        cls.options = {"monitor_status_file": str(cls.status_file)}

    status_file: ty.ClassVar[pathlib.Path]

    @classmethod
    def next_policy(cls, **how: ty.Any) -> monitored.Json:
        """Return a policy with a profile that needs nothing but clean-up."""
        document = super().next_policy(**how)
        world.ask_alone(document, PROFILE, CLEAN_UP, time.time())
        return document

    @functools.cached_property
    def sensitive(self) -> str:
        """The flavor of servers after which a host has to be cleaned."""
        return self.admin.create_flavor(
            "sensitive", {"nfv_mla:profile": PROFILE}
        )

    def cycle(self, observe: bool = True) -> CycleReport:
        """Run a cycle, and have nova-scheduler read what it says."""
        done = super().cycle(observe)
        self.assertEqual((), done.failures)
        process = Process(self.now, "none", ended_at=self.now)
        said = status(self.now, process, done, Tally())
        publish(self.status_file, json.dumps(said).encode())
        self.rounds.wait()
        return done

    def dirty(self) -> set[str]:
        """Return the nodes that the last cycle called dirty."""
        return {each.node for each in self.last.dirty or ()}

    def leave(self, server: str, owner: client.Client) -> None:
        """Have a server deleted that the monitor has seen."""
        self.cycle()
        self.assertEqual(set(), self.dirty())
        owner.delete(server)
        self.cycle()
        self.assertEqual({NODE}, self.dirty())

    def assert_kept_off(self, owner: client.Client, flavor: str) -> None:
        """Assert that a project's server does not get onto the host."""
        with self.filter_calls(1):
            server = owner.create_server("vm", flavor, host=HOST)
        self.assert_rests(server, None, "ERROR")
        self.assert_reported(server, {"not-clean": 1}, hosts=1)
        self.assert_fault(server)

    def test_others_wait_until_the_host_is_appraised_anew(self) -> None:
        self.leave(self.boot(self.sensitive, HOST, self.keys), self.keys)
        self.assert_kept_off(self.tenant, self.plain)
        self.assert_kept_off(self.tenant, self.sensitive)
        # its own trust domain's, and others elsewhere
        self.boot(self.sensitive, HOST, self.keys)
        self.boot(self.plain, OTHER, self.tenant)
        self.cycle()
        self.assert_kept_off(self.tenant, self.plain)
        self.publish()
        self.cycle()
        self.assertEqual(set(), self.dirty())
        self.boot(self.plain, HOST, self.tenant)

    def test_who_is_there_already_stays_and_may_be_rebuilt(self) -> None:
        staying = self.boot(self.plain, HOST, self.tenant)
        self.leave(self.boot(self.sensitive, HOST, self.keys), self.keys)
        self.assertNotIn(staying, self.verdict().servers)
        with self.filter_calls(1):
            self.tenant.rebuild(staying, desc.SIGNED_IMAGE)
        self.assert_rests(staying, HOST)

    def test_a_move_leaves_its_source_dirty_and_nothing_else(self) -> None:
        moving = self.boot(self.sensitive, HOST, self.keys)
        self.cycle()
        self.admin.live_migrate(moving, OTHER)
        self.cycle()
        self.assertEqual({NODE}, self.dirty())
        self.assert_kept_off(self.tenant, self.plain)
        self.boot(self.plain, OTHER, self.tenant)

    def test_a_cold_migration_does_once_it_is_confirmed(self) -> None:
        moving = self.boot(self.sensitive, HOST, self.keys)
        self.cycle()
        self.admin.migrate(moving)
        self.cycle()
        self.assertEqual(set(), self.dirty())
        self.admin.confirm_resize(moving)
        self.cycle()
        self.assertEqual({NODE}, self.dirty())

    def test_no_restart_forgets_a_departure(self) -> None:
        self.leave(self.boot(self.sensitive, HOST, self.keys), self.keys)
        self.restart()
        self.cycle()
        self.assertEqual({NODE}, self.dirty())
        self.assert_kept_off(self.tenant, self.plain)

    def test_what_left_while_no_monitor_ran_is_noticed(self) -> None:
        leaving = self.boot(self.sensitive, HOST, self.keys)
        self.cycle()
        self.end_monitor()
        self.keys.delete(leaving)
        self.restart()
        self.cycle()
        self.assertEqual({NODE}, self.dirty())
        self.assert_kept_off(self.tenant, self.plain)

    def test_who_needs_no_clean_up_leaves_nothing(self) -> None:
        server = self.boot(self.tpm, HOST, self.keys)
        self.cycle()
        self.keys.delete(server)
        self.cycle()
        self.assertEqual(set(), self.dirty())
        self.boot(self.plain, HOST, self.tenant)

    def verdict(self) -> ty.Any:
        assert self.last.ruling is not None, self.last.failures
        return self.last.ruling.verdict
