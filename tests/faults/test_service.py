# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla-monitor`` itself, by its own clocks, is killed and begins anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.faults import stories
from tests.faults.play import BAD
from tests.faults.play import GOOD
from tests.faults.play import StoryTestCase
from tests.faults.process import LONG_S
from tests.faults.process import ROOT
from tests.faults.proxy import Fault
from tests.faults.proxy import How

MIGRATE = "POST /compute/v2.1/servers/ID/action os-migrateLive"


class ServiceKilledTest(StoryTestCase):
    def start(self) -> subprocess.Popen[bytes]:
        """Start the service, with all processes of its own in one group."""
        conf = self.directory / "monitor.conf"
        log = (self.directory / "monitor.log").open("ab")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m"),
                "nfv_mla_scheduler.cmd.monitor_service",
                *("--config-file", str(conf)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.addCleanup(_kill, process)
        self.proxy.pass_on()
        self.proxy.kill = lambda: _kill(process)
        return process

    def test_at_a_live_migration(self) -> None:
        story = stories.LIVE
        self.use_policy({story.axis.value: list(story.steps)}, self.guard)
        for how in (How.KILL_BEFORE, How.KILL_AFTER):
            with self.subTest(how.value):
                self.set_up(story)
                self.options_now["interval_s"] = 1.0
                self._conf()
                fault = Fault(how, lambda r: r.kind == MIGRATE, 1)
                self.proxy.again(fault)
                self.fail_host(story)
                first = self.start()
                first.wait(LONG_S)
                self.assertEqual(-signal.SIGKILL, first.returncode)
                self.assertEqual(1, fault.met, self.log())
                (server,) = self.servers.values()
                where = BAD if how is How.KILL_BEFORE else GOOD
                self.assertEqual(where, self.admin.host_of(server))
                second = self.start()
                self.admin.wait_until(
                    lambda server=server: self.admin.host_of(server) == GOOD,
                    f"it is not moved: {self.log()}",
                )
                count = len(self.proxy.requests)
                self.admin.wait_until(
                    lambda count=count: len(self.proxy.requests) > count + 20,
                    f"it does not go on: {self.log()}",
                )
                second.send_signal(signal.SIGTERM)
                self.assertEqual(0, second.wait(LONG_S), self.log())
                state = self.state()
                self.assertEqual(1, len(state.moves["vm-1"]), state)
                self.assertEqual(
                    (GOOD, "active", "", True), state.servers["vm-1"]
                )
                self.assertEqual("disabled", state.services[BAD][0])
                self.assertEqual(1, len(self.begun()))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a service with all its processes, and wait until it is gone."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(LONG_S)
