# SPDX-License-Identifier: Apache-2.0
"""The base class of tests of the monitor against a real Nova.

A monitor in this process, put together as its service does, which reaches
Nova and Placement over HTTP with credentials of its own.  Its clocks are
ours, as far ahead of Nova's as a test needs: nothing here sleeps.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import pathlib
import tempfile
import time
import typing as ty

import fixtures
from nova.db.main import api as db
from nova.objects import instance_action
from oslo_config import cfg
from oslo_utils import timeutils

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor import works
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.reporting import telling
from nfv_mla_scheduler.monitor.reporting.entries import Entries
from nfv_mla_scheduler.monitor.reporting.lines import Code
from nfv_mla_scheduler.monitor.reporting.lines import Line
from nfv_mla_scheduler.monitor.reporting.planned import of_ledger
from nfv_mla_scheduler.monitor.reporting.report import Reports
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.sources import new_feed
from tests.cloud import client
from tests.cloud import description as desc
from tests.cloud.site import claim
from tests.functional import placement
from tests.functional import world

Json = client.Json

MONITOR = desc.User(
    "monitor", "security", frozenset({"reader", "member", "admin"})
)
KEY = b"the key that all monitors of this cloud share"
INTERVAL_S = 10.0
#: More than it takes a mark to be old enough for a release.
LONG_S = 61.0
CYCLES_MAX = 16

#: What flavors ask for, by what a failure of it forbids to be carried over.
ASKED: ty.Mapping[Axis, Json] = {
    Axis.INTEGRITY: {"nfv_mla:capability.software-integrity": "run-time"},
    Axis.CONFIDENTIALITY: {"nfv_mla:capability.os-access-control": "required"},
    Axis.EXPOSURE: {"nfv_mla:capability.secure-logging": "entry"},
}
_CLAIMS = (claim("os-access-control"), claim("secure-logging", ["entry"]))

_OPTIONS = {
    "auth_type": "OS_AUTH_TYPE",
    "auth_url": "OS_AUTH_URL",
    "username": "OS_USERNAME",
    "password": "OS_PASSWORD",
    "project_name": "OS_PROJECT_NAME",
    "user_domain_id": "OS_USER_DOMAIN_ID",
    "project_domain_id": "OS_PROJECT_DOMAIN_ID",
    "region_name": "OS_REGION_NAME",
}


class Events(NullAudit):
    """An audit port that keeps all in memory."""

    def __init__(self) -> None:
        self.all: list[Event] = []

    def record(self, event: Event) -> None:
        self.all.append(event)

    def commit(self, event: Event, timeout_s: float) -> bool:
        self.record(event)
        return True


class MonitoredTestCase(placement.PlacementTestCase):
    """Tests with a monitor, which begins anew for each of them.

    :cvar act: what it may do
    :ivar options_now: of ``[monitor]``, beside those of the site
    :ivar shared_now: of ``[nfv_mla]``, likewise
    :cvar guard: of the policy; by default nothing is ever held
    :cvar playbooks: of the policy
    """

    act: ty.ClassVar[str] = "all"
    guard: ty.ClassVar[dict[str, int]] = {
        "evictions_per_minute": 100,
        "evictions_at_once": 100,
        "per_host": 100,
        "per_project": 100,
    }
    playbooks: ty.ClassVar[dict[str, list[str]]] = {}
    key: ty.ClassVar[pathlib.Path]

    @classmethod
    def describe(cls) -> desc.Description:
        return dataclasses.replace(
            super().describe(), users=(*world.USERS, MONITOR)
        )

    @classmethod
    def prepare_site(cls) -> None:
        super().prepare_site()
        cls.key = cls.site.directory / "marks.key"
        cls.key.write_bytes(KEY)
        cls.key.chmod(0o600)

    @classmethod
    def next_policy(cls, **how: ty.Any) -> Json:
        """Return a policy whose one authority may evict."""
        document = super().next_policy(**how)
        for name in (world.HASTY, world.FOREIGN):
            del document["authorities"][name]
            for host in document["hosts"].values():
                del host["attesters"][name]
        for collector in document["collectors"].values():
            collector["authorities"] = [world.AUTHORITY]
        authority = document["authorities"][world.AUTHORITY]
        authority["may_evict"] = True
        authority["vouches"] += [each.capability for each in _CLAIMS]
        if cls.guard:
            document["guard"] = dict(cls.guard)
        if cls.playbooks:
            document["playbooks"] = dict(cls.playbooks)
        return document

    @classmethod
    def attest(cls) -> None:
        super().attest()
        del cls.site.attested[world.HASTY]
        for host, said in cls.site.attested[world.AUTHORITY].items():
            if host != world.DULL:
                said.claims.update({c.capability: c for c in _CLAIMS})

    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.results_file = self.directory / "results.json"
        self.ahead_s = 0.0
        self.monotonic_ahead_s = 0.0
        self.lines: list[Line] = []
        self.events = Events()
        self.acts = self.act
        self.options_now: dict[str, object] = {}
        self.shared_now: dict[str, object] = {}
        self.prepare_monitor()
        self._date_deeds()
        self._date_moves()
        self._flavors: dict[Axis, str] = {}
        self._policy_changed = False
        self.addCleanup(self._forget_policy)
        self._publish_for_monitor()
        self._end: list[ty.Callable[[], None]] = []
        self.addCleanup(self.end_monitor)
        self.restart()
        # What is found from now on was not so before.
        self.cycle()

    def prepare_monitor(self) -> None:
        """Have another monitor than the usual one; it is not made yet."""

    def _forget_policy(self) -> None:
        if self._policy_changed:
            super().put_policy(self.next_policy())

    # What happens on the controller.

    def put_policy(self, document: Json) -> None:
        self._policy_changed = True
        super().put_policy(document)

    def publish(self, **how: ty.Any) -> None:
        """Publish results, for nova-scheduler and for the monitor."""
        super().publish(**how)
        if self._end:
            self._publish_for_monitor()

    def _publish_for_monitor(self) -> None:
        """Publish results that are as far ahead as the monitor is."""
        self.site.publish(issued_at=self.now, to=self.results_file)

    def contraindicate(self, *hosts: str, axis: Axis | None = None) -> None:
        """Let the authority say that hosts are not what they should be.

        :param axis: that all capabilities which it says so of are on
        """
        names = () if axis is None else (_capability(axis),)
        for host in hosts:
            world.contraindicate(self.site, host, *names)
        self.publish()

    def recover(self) -> None:
        """Let the authority say anew what is usual of all hosts."""
        self.attest()
        self.publish()

    def swallow_all(self, host: str) -> None:
        """Let a host take what it is asked for, and do nothing."""
        # Nova waits for a host that is enabled or disabled.
        self.set_option("long_rpc_timeout", 1)
        self.set_option("rpc_response_timeout", 1)
        self.cloud.stop_compute(host)

    # The monitor.

    @property
    def now(self) -> float:
        return time.time() + self.ahead_s

    def _date_deeds(self) -> None:
        """Have Nova record deeds by our clock: marks are told by them."""
        pack = instance_action.InstanceAction.pack_action_start

        def ahead(*given: ty.Any) -> dict[str, ty.Any]:
            values: dict[str, ty.Any] = pack(*given)
            values["start_time"] += datetime.timedelta(seconds=self.ahead_s)
            return values

        patch = fixtures.MonkeyPatch(
            "nova.objects.instance_action.InstanceAction.pack_action_start",
            staticmethod(ahead),
        )
        patch.setUp()
        self.addCleanup(patch.cleanUp)

    def _date_moves(self) -> None:
        """Have Nova record migrations by our clock, for the same reason."""
        create = db.migration_create

        def ahead(context: ty.Any, values: dict[str, ty.Any]) -> ty.Any:
            at = timeutils.utcnow() + datetime.timedelta(seconds=self.ahead_s)
            return create(context, {**values, "created_at": at})

        patch = fixtures.MonkeyPatch(
            "nova.db.main.api.migration_create", ahead
        )
        patch.setUp()
        self.addCleanup(patch.cleanUp)

    def wait(self, seconds: float) -> None:
        """Let time pass for the monitor."""
        self.ahead_s += seconds
        self.monotonic_ahead_s += seconds

    def restart(self, act: str | None = None) -> None:
        """Begin a new monitor, which knows what Nova knows.

        :param act: what it may do from now on
        """
        self.end_monitor()
        self.acts = act or self.acts
        conf = self._conf()
        read = parts.read(conf)
        audit = self.new_audit(read)
        self._end.append(audit.close)
        self._feed: Feed = new_feed(
            read.common,
            conf,
            dict,
            lambda _news: None,
            heed=lambda policy: audit.seal_for(policy.trust_domains),
        )
        self._end.append(self._feed.close)
        self._reports = Reports(self.lines.append)
        entries = Entries(audit, "tests")
        built = works.build(
            read,
            conf,
            audit,
            lambda: self._feed.snapshot,
            "tests",
            announce=lambda known: entries.note(
                known, telling.standings(known)
            ),
        )
        self._end.append(built.close)
        self._cycle = built.cycle
        self.drain = built.drain

    def new_audit(self, read: parts.Parts) -> AuditPort:
        """Return what the monitor records into."""
        return self.events

    def end_monitor(self) -> None:
        """End the monitor that there is, if there is any."""
        while self._end:
            self._end.pop()()

    def _conf(self) -> cfg.ConfigOpts:
        """Return the configuration of the monitor, from a file."""
        environment = self.cloud.environment(MONITOR)
        own = {name: environment[key] for name, key in _OPTIONS.items()}
        own |= {"act": self.acts, "mark_key_files": str(self.key)}
        # Nova's clock does not go ahead with ours.
        own["overlap_s"] = "3600"
        own |= {k: str(v) for k, v in self.options_now.items()}
        shared = self.site.options(
            management_domain="acme",
            state_dir=str(self.directory / "state"),
            results_file=str(self.results_file),
        )
        for name in ("audit_dir", "audit_key_file"):
            del shared[name]
        shared |= self.shared_now
        lines = ["[nfv_mla]"]
        for name, value in shared.items():
            said = ",".join(value) if isinstance(value, list) else value
            lines.append(f"{name} = {said}")
        lines += ["[monitor]", *(f"{k} = {v}" for k, v in own.items())]
        path = self.directory / "monitor.conf"
        path.write_text("\n".join(lines) + "\n")
        conf = cfg.ConfigOpts()
        parts.register(conf)
        conf([], project="nfv-mla", default_config_files=[str(path)])
        return conf

    @property
    def holds_file(self) -> pathlib.Path:
        """The file with what people said."""
        return store.place(self.directory / "state")

    def cycle(self, observe: bool = True) -> CycleReport:
        """Run one whole cycle and return its report."""
        now = self.now
        self._feed.refresh(now)
        monotonic = time.monotonic() + self.monotonic_ahead_s
        done = self._cycle.run(now, monotonic, observe)
        known = {
            **telling.standings(done),
            **of_ledger(False, done.outcomes),
        }
        self._reports.report(known, done.outcomes, done.sealed)
        self.last: CycleReport = done
        return done

    def cycles(
        self,
        until: ty.Callable[[CycleReport], object],
        otherwise: str = "what was to be",
        most: int = CYCLES_MAX,
    ) -> CycleReport:
        """Run cycles until something is so; time passes between them."""
        for _ in range(most):
            done = self.cycle()
            if until(done):
                return done
            self.wait(INTERVAL_S)
        raise AssertionError(
            f"after {most} cycles not {otherwise}: {self.all_that_is_known()}"
        )

    def settled(self) -> CycleReport:
        """Run cycles until two in a row have nothing to do."""
        idle = 0

        def rests(done: CycleReport) -> bool:
            nonlocal idle
            idle = 0 if _does(done) else idle + 1
            return idle == 2

        return self.cycles(rests, "at rest")

    def all_that_is_known(self) -> str:
        """Return what the last cycle knew and did, line by line."""
        known: list[object] = [*self.last.failures, *self.last.outcomes]
        if self.last.ruling is not None:
            verdict = self.last.ruling.verdict
            known += [*verdict.servers.values(), *verdict.hosts.values()]
        if (plan := self.last.plan) is not None:
            known += [*plan.fences, *plan.steps, *plan.releases]
            known += [*plan.held, *plan.in_flight]
        return "\n".join(map(str, known))

    # What is seen.

    def mark_of(self, server: str) -> Mark | None:
        """Return a server's mark; None: it has none, and no lock."""
        shown = self.admin.server(server)
        if not shown["locked"]:
            return None
        return marks.read(shown["locked_reason"], server, (KEY,))

    def fence_of(self, host: str) -> Mark | None:
        """Return the mark of a host's service; None: it is enabled."""
        service = self.admin.service_of(host)
        if service["status"] == "enabled":
            return None
        reason = service["disabled_reason"] or ""
        return marks.read(reason, service["id"], (KEY,))

    def finding(self, server: str) -> Finding:
        """Return what the last cycle found about a server."""
        ruling = self.last.ruling
        assert ruling is not None, self.last.failures
        self.assertIn(
            server, ruling.verdict.servers, str(ruling.verdict.complies)
        )
        return ruling.verdict.servers[server]

    def plan(self) -> Plan:
        """Return what the last cycle planned."""
        assert self.last.plan is not None, self.last.failures
        return self.last.plan

    def held(self, subject: str) -> Held | None:
        """Return what the last cycle held of a server or host."""
        found = [h for h in self.plan().held if h.subject == subject]
        return found[0] if found else None

    def asked(self, subject: str) -> list[Ask]:
        """Return what the last cycle asked about a server or host."""
        return [
            ask
            for step in self.plan().steps
            if step.server == subject
            for ask in step.asks
        ]

    def said(self, *codes: Code) -> list[str]:
        """Return what the monitor has said, by the codes of its lines."""
        return [line.text for line in self.lines if line.code in codes]

    def assert_found(
        self, server: str, kind: Kind, axis: Axis | None = None
    ) -> None:
        """Assert what a cycle finds about a server, and run it."""
        self.cycle()
        found = self.finding(server)
        self.assertIs(kind, found.kind, str(found))
        if axis is not None:
            self.assertIs(axis, found.axis, str(found))

    def assert_evicted(self, server: str, *from_: str) -> str:
        """Assert that a server leaves hosts, runs, and is let go; where to."""
        self.cycles(
            lambda _: (
                self.admin.host_of(server) not in from_
                and self.admin.status_of(server) == "ACTIVE"
            ),
            f"moved away from {from_}",
        )
        self.wait(LONG_S)
        self.cycles(lambda _: self.mark_of(server) is None, "released")
        shown = self.admin.server(server)
        self.assertFalse(shown["locked"], shown)
        self.assertEqual("ACTIVE", shown["status"])
        self.cycle()
        assert self.last.ruling is not None
        self.assertNotIn(server, self.last.ruling.verdict.servers)
        return ty.cast(str, shown["OS-EXT-SRV-ATTR:host"])

    def assert_halted(self, server: str, host: str) -> None:
        """Assert that a server is halted where it is, and stays so."""
        self.cycles(
            lambda _: self.admin.status_of(server) == "SHUTOFF", "halted"
        )
        self.settled()
        self.assert_rests(server, host, "SHUTOFF")
        self.assertIsNotNone(self.mark_of(server))
        self.assertEqual((), self.plan().not_halted)

    def assert_locked_against(
        self, owner: client.Client, server: str, action: str = "os-start"
    ) -> None:
        """Assert that somebody of another project than ours is kept off."""
        error = self.assertRaises(
            client.ApiError, owner.act, server, action, wait=False
        )
        self.assertEqual(409, error.status, str(error))

    @functools.cached_property
    def trusted(self) -> str:
        """The flavor of servers that ask for the integrity of software."""
        return self.flavor(Axis.INTEGRITY)

    def flavor(self, axis: Axis) -> str:
        """Return the flavor that asks for something on an axis."""
        if axis not in self._flavors:
            name = f"on-{axis.value}"
            self._flavors[axis] = self.admin.create_flavor(name, ASKED[axis])
        return self._flavors[axis]


def _capability(axis: Axis) -> str:
    (key,) = ASKED[axis]
    return key.removeprefix("nfv_mla:capability.")


def _does(done: CycleReport) -> bool:
    plan = done.plan
    assert plan is not None, done.failures
    return bool(plan.fences or plan.steps or plan.releases)


def disturbing(plan: Plan) -> list[Step]:
    """Return the steps of a plan that evict."""
    return [step.step for step in plan.steps if step.step.disturbs]
