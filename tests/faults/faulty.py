# SPDX-License-Identifier: Apache-2.0
"""The base class of tests with a monitor that fails, or that Nova fails.

One cloud for a class; everything in it begins anew for each run.  The clocks
of monitor and Nova are ahead of ours together: nothing here sleeps.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import enum
import os
import pathlib
import tempfile
import time
import typing as ty

import fixtures

from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.marking import marks
from tests.cloud import client
from tests.cloud import description as desc
from tests.faults import database
from tests.faults import proxy as proxies
from tests.faults import traits
from tests.faults.process import Cycle
from tests.faults.process import Died
from tests.faults.process import Monitor
from tests.faults.process import Zygote
from tests.functional import monitored
from tests.functional import placement
from tests.functional import world


class Mode(enum.Enum):
    """How many faults are tried (``NFV_MLA_FAULTS``)."""

    # two minutes: some
    QUICK = "quick"
    # what differs by what a monitor leaves behind
    ALL = "all"
    # each request, both ways: an hour or more
    EVERY = "every"


MODE = Mode(os.environ.get("NFV_MLA_FAULTS") or "quick")


def slow(test: ty.Any) -> ty.Any:
    """Leave a test out of the quick mode: its steps are others' as well.

    It is not there then, rather than skipped: whoever reads the totals of a
    run is not to wonder what was passed over.
    """
    return None if MODE is Mode.QUICK else test


def quick(test: ty.Any) -> ty.Any:
    """Leave a test out of all modes but the quick one: others do it all."""
    return test if MODE is Mode.QUICK else None


INTERVAL_S = 10.0
WINDOW_S = 60.0
CYCLES_MAX = 60
#: Beyond the authority's max_age_s.
OLD_S = 4000.0
#: Held for a reason that passes with time, and with nothing else.
_PASSING = ("not-yet", "per-minute", "at-once", "per-host", "per-project")
_BEGINS = frozenset(marks.Code) - {
    marks.Code.FENCE,
    marks.Code.DIRTY,
    marks.Code.LOCK,
}


class Clock:
    """The clock of a whole cloud: Nova's, Placement's and the monitor's."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s

    def utcnow(self, with_timezone: bool = False) -> datetime.datetime:
        """Stand in for ``oslo_utils.timeutils.utcnow``."""
        now = datetime.datetime.fromtimestamp(self(), datetime.UTC)
        return now if with_timezone else now.replace(tzinfo=None)


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """How everything is in the end.

    :ivar servers: name -> host, vm_state, task_state, whether it is locked
    :ivar guests: name -> hosts that have such a guest, running or not
    :ivar services: host -> status, reason, whether it is forced down; of a
        mark of ours its code
    :ivar moves: name -> Nova's migrations: kind, source, destination, status
    :ivar traits: host -> those with our prefix that its provider has
    """

    servers: dict[str, tuple[str, str, str, bool]]
    guests: dict[str, list[str]]
    services: dict[str, tuple[str, str, bool]]
    moves: dict[str, list[tuple[str, str, str, str]]]
    traits: dict[str, list[str]]

    def differs(self, other: State) -> list[str]:
        """Return what is otherwise in another state, line by line."""
        lines = []
        for field in dataclasses.fields(self):
            ours = getattr(self, field.name)
            theirs = getattr(other, field.name)
            for name in sorted({*ours, *theirs}):
                before, after = ours.get(name), theirs.get(name)
                if before != after:
                    lines.append(f"{name}: {before} is {after}")
        return lines


class FaultsTestCase(monitored.MonitoredTestCase):
    """Tests with a monitor in another process, behind a proxy.

    :cvar timeout_s: for which the monitor waits for an answer
    """

    hosts = (world.GOOD_1, world.GOOD_2)
    timeout_s: ty.ClassVar[float] = 60.0
    guard: ty.ClassVar[dict[str, int]] = {
        **monitored.MonitoredTestCase.guard,
        "evictions_per_minute": 1,
    }
    zygote: ty.ClassVar[Zygote]
    clock: ty.ClassVar[Clock]
    proxy: ty.ClassVar[proxies.Proxy]

    @classmethod
    def describe(cls) -> desc.Description:
        found = super().describe()
        default = dict(found.overrides.get("DEFAULT", {}))
        # Nobody reports while time is made to pass.
        default["service_down_time"] = 7200
        return dataclasses.replace(
            found, overrides={**found.overrides, "DEFAULT": default}
        )

    @classmethod
    def setUpClass(cls) -> None:
        cls.clock = Clock()
        patch = fixtures.MonkeyPatch(
            "oslo_utils.timeutils.utcnow", cls.clock.utcnow
        )
        cls.zygote = Zygote()
        for fixture in (patch, cls.zygote):
            fixture.setUp()
            cls.addClassCleanup(fixture.cleanUp)
        super().setUpClass()
        cls.proxy = proxies.Proxy(cls.cloud.url, cls.clock)
        cls.addClassCleanup(cls.proxy.close)

    def setUp(self) -> None:
        self._monitor: Monitor | None = None
        # The base's own monitor, in this process, is not wanted.
        super(monitored.MonitoredTestCase, self).setUp()
        self._end: list[ty.Callable[[], None]] = []
        self.acts = self.act
        self.shared_now: dict[str, object] = {}
        self._policy_changed = False
        self.addCleanup(self._forget_policy)
        self.addCleanup(self.end_monitor)
        self.died = 0
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self._runs = pathlib.Path(directory.name)
        self._place_of_run(0)

    def _place_of_run(self, number: int) -> None:
        self._run = number
        self.directory = self._runs / str(number)
        self.directory.mkdir()
        self.results_file = self.directory / "results.json"

    @property
    def ahead_s(self) -> float:
        """By how much all clocks are ahead."""
        return self.clock.ahead_s

    def wait(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self.clock.ahead_s += seconds

    def begin(
        self, fault: proxies.Fault | None = None, **more: object
    ) -> None:
        """Begin anew, with a cloud in which there is nothing.

        :param more: options of ``[monitor]``
        """
        self.end_monitor()
        self.proxy.again(fault)
        self.clock.ahead_s = 0.0
        self.died = 0
        self.cloud.clear()
        database.purge()
        for host in self.hosts:
            traits.give(self.admin, host, ())
        self._place_of_run(self._run + 1)
        self.attest()
        self.publish()
        self.servers: dict[str, str] = {}
        self.flavors: dict[Axis, str] = {}
        url = self.proxy.ours(self.cloud.environment()["OS_AUTH_URL"])
        self.options_now: dict[str, object] = {
            "auth_url": url,
            "workers": 1,
            "traits": False,
            "request_timeout_s": self.timeout_s,
            **more,
        }
        self._conf()

    def use_policy(
        self, playbooks: dict[str, list[str]], guard: dict[str, int]
    ) -> None:
        """Put a policy in place until the test ends."""
        document = self.next_policy()
        document["playbooks"] = playbooks
        document["guard"] = guard
        self.put_policy(document)

    def publish(self, **how: ty.Any) -> None:
        """Publish results, for nova-scheduler and for the monitor."""
        placement.PlacementTestCase.publish(self, **how)
        if self.results_file.parent.exists():
            self.site.publish(issued_at=self.clock(), to=self.results_file)

    def silence(self, *hosts: str) -> None:
        """Let the authority say nothing any more of these."""
        for host in hosts:
            said = self.site.attested[world.AUTHORITY][host]
            said.at = self.clock() - OLD_S
        self.publish()

    def put_server(
        self,
        name: str,
        axis: Axis,
        host: str,
        owner: client.Client | None = None,
    ) -> None:
        """Let a tenant have a server that asks for something."""
        user = owner or self.tenant
        server = user.create_server(name, self._flavor(axis), host=host)
        fault = self.admin.fault_of(server)
        self.assertIsNone(fault, f"{fault} {self.news()}")
        self.servers[name] = server

    def _flavor(self, axis: Axis) -> str:
        if axis not in self.flavors:
            self.flavors[axis] = self.admin.create_flavor(
                f"on-{axis.value}", monitored.ASKED[axis]
            )
        return self.flavors[axis]

    # The monitor.

    def restart(self, act: str | None = None) -> None:
        """Start a monitor, which knows what Nova knows."""
        self.end_monitor()
        self.proxy.pass_on()
        conf = self.directory / "monitor.conf"
        self._monitor = Monitor(self.zygote, self.directory, conf)
        (self.directory / "pid").write_text(str(self._monitor.pid))
        self.proxy.kill = self._monitor.kill

    def end_monitor(self) -> None:
        """Kill the monitor, if there is any."""
        if self._monitor is not None:
            self._monitor.end()
            self._monitor = None

    def cycle(  # type: ignore[override]
        self, observe: bool = True
    ) -> Cycle | None:
        """Have a cycle run; None: the monitor was killed in it."""
        if self._monitor is None:
            self.restart()
        assert self._monitor is not None
        try:
            done = self._monitor.cycle(self.clock.ahead_s)
        except Died:
            self.died += 1
            self.end_monitor()
            return None
        ours = [f for f in done.failures if "fault" in f]
        self.assertEqual([], ours, "the fault is the monitor's own")
        return done

    def between(self) -> None:
        """Do what happens beside the monitor, after each cycle."""

    def rest(self) -> Cycle:
        """Run cycles until one has nothing to do, and nothing to wait for."""
        said: list[object] = []
        self._met = 0
        for _ in range(CYCLES_MAX):
            done = self.cycle()
            self.between()
            said.append(done)
            if done is None or done.busy or self._fault_goes_on():
                self.wait(INTERVAL_S)
            elif done.graces or done.holds(self.servers.values(), *_PASSING):
                self.wait(WINDOW_S + 1)
            else:
                return done
        last = "\n".join(map(str, said[-4:]))
        raise AssertionError(f"comes to no rest:\n{last}\n{self.log()}")

    def _fault_goes_on(self) -> bool:
        """Whether a fault befell the last cycle, and may befall the next."""
        fault = self.proxy.fault
        if fault is None or fault.met in (0, fault.times, self._met):
            return False
        self._met = fault.met
        return True

    def log(self) -> str:
        """Return what monitors have logged since all began anew."""
        path = self.directory / "monitor.log"
        with contextlib.suppress(OSError):
            return path.read_text(encoding="utf-8")
        return ""

    # What is seen.

    def state(self) -> State:
        """Return how everything is."""
        state = State({}, {}, {}, {}, {})
        for name, uuid in self.servers.items():
            shown = self.admin.server(uuid)
            state.servers[name] = (
                shown["OS-EXT-SRV-ATTR:host"] or "",
                shown["OS-EXT-STS:vm_state"],
                shown["OS-EXT-STS:task_state"] or "",
                shown["locked"],
            )
            state.guests[name] = [
                host
                for host in self.hosts
                if uuid in self.cloud.driver(host).list_instance_uuids()
            ]
            state.moves[name] = sorted(
                (
                    move["migration_type"],
                    move["source_compute"] or "",
                    move["dest_compute"] or "",
                    move["status"],
                )
                for move in self.admin.migrations(uuid)
            )
        for host in self.hosts:
            service = self.admin.service_of(host)
            reason = service["disabled_reason"] or ""
            mark = marks.read(reason, service["id"], (monitored.KEY,))
            state.services[host] = (
                service["status"],
                reason if mark is None else mark.code.value,
                service["forced_down"],
            )
            state.traits[host] = sorted(traits.ours(self.admin, host))
        return state

    def begun(self) -> dict[str, float]:
        """Return when the eviction of each server began: by its mark."""
        found: dict[str, float] = {}
        for request in self.proxy.requests:
            if request.action != "lock" or not 200 <= request.status < 300:
                continue
            server = request.path.split("/")[-2]
            reason = request.body["lock"]["locked_reason"]
            mark = marks.read(reason, server, (monitored.KEY,))
            assert mark is not None, reason
            if mark.code in _BEGINS:
                found.setdefault(server, request.at)
        return found

    def most_in_a_minute(self) -> int:
        """Return how many evictions began within any one minute."""
        times = sorted(self.begun().values())
        # Marks have whole seconds.
        return max(
            (
                sum(first <= at < first + WINDOW_S - 1 for at in times)
                for first in times
            ),
            default=0,
        )
