# SPDX-License-Identifier: Apache-2.0
"""What the monitor does in a real Nova, and what its ledger says of it."""

from __future__ import annotations

import collections
import time
import typing as ty

from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.reading.report import Verdict
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.audit.reading.whole import verify
from nfv_mla_scheduler.audit.sealing import SealKey
from nfv_mla_scheduler.audit.sealing import read_opening_key
from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.reporting.lines import Code
from nfv_mla_scheduler.monitor.reporting.lines import Loudness
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.root import read_public_key
from nfv_mla_scheduler.recording import new_audit
from tests.cloud import description as desc
from tests.functional import monitored
from tests.functional import world
from tests.ledgers import Json
from tests.ledgers import Ledger

HERE, THERE = world.GOOD_1, world.GOOD_2
SERVICE = "nfv-mla-monitor"
LI = "li"
SEAL_S = 0.1
HALT_S = 600.0
TIMEOUT_S = 60.0


class LedgerTestCase(monitored.MonitoredTestCase):
    """A monitor with a ledger on a disk."""

    hosts = (HERE, THERE)

    def prepare_monitor(self) -> None:
        self.ledger_dir = self.directory / "ledger"
        self.ledger_dir.mkdir()
        self.ledger = Ledger(self.ledger_dir, SERVICE)
        self.shared_now = {
            "audit_dir": self.ledger_dir,
            "audit_key_file": self.site.audit_key,
            "audit_seal_interval_s": SEAL_S,
        }

    def new_audit(self, read: parts.Parts) -> AuditPort:
        self.port = new_audit(read.common, SERVICE)
        return self.port

    def assert_whole(self) -> None:
        """Assert that nobody could have changed anything unseen."""
        self.end_monitor()
        pem = self.site.public_key("audit").read_bytes()
        key = read_public_key(pem, "the key of the ledger")
        report = verify(self.ledger_dir, Trust((("", key),)))
        self.assertTrue(report.chains)
        for chain in report.chains:
            self.assertEqual((), chain.anomalies, chain.origin)
            self.assertIs(Verdict.WHOLE, chain.verdict, chain)

    def assert_intended(self, events: list[Json]) -> int:
        """Assert that each request has its intent before its outcome.

        :returns: how many there are
        """
        open_: collections.Counter[tuple[object, ...]] = collections.Counter()
        count = 0
        for event in events:
            fields = event["fields"]
            key = tuple(
                fields.get(name) for name in ("server", "host", "ask", "mark")
            )
            if event["kind"] == "step-intended":
                open_[key] += 1
                count += 1
            elif event["kind"] == "step-done":
                open_[key] -= 1
                self.assertGreaterEqual(open_[key], 0, str(event))
        self.assertEqual(0, +open_.total(), str(open_))
        return count


class LedgerTest(LedgerTestCase):
    def test_an_eviction_is_told_from_its_cause_to_its_end(self) -> None:
        server = self.boot(self.flavor(Axis.EXPOSURE), HERE)
        self.cycle()
        self.contraindicate(HERE, axis=Axis.EXPOSURE)
        self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assert_whole()
        events = self.ledger.events()
        self.assertGreaterEqual(self.assert_intended(events), 4)
        mine = [
            (event["kind"], event["fields"])
            for event in events
            if event["fields"].get("server") == server
        ]
        kinds = [kind for kind, _ in mine]
        first = {kind: kinds.index(kind) for kind in dict.fromkeys(kinds)}
        order = ("placed", "finding", "planned", "step-intended", "step-done",
                 "moved", "finding-over")  # fmt: skip
        self.assertEqual(
            sorted(first[kind] for kind in order),
            [first[kind] for kind in order],
            str(mine),
        )
        asked = [
            (fields["ask"], fields["outcome"])
            for kind, fields in mine
            if kind == "step-done"
        ]
        self.assertEqual(
            [
                ("lock", "done"),
                # with the next mark
                ("lock", "done"),
                ("os-migrateLive", "done"),
                ("unlock", "done"),
            ],
            asked,
        )
        marks = {f["mark"] for kind, f in mine if kind.startswith("step-")}
        self.assertEqual(1, len(marks))
        (moved,) = [fields for kind, fields in mine if kind == "moved"]
        self.assertEqual((HERE, THERE), (moved["from"], moved["to"]))

    def test_a_monitor_that_begins_anew_says_where_all_stand(self) -> None:
        flavor = self.flavor(Axis.EXPOSURE)
        servers = [self.boot(flavor, host) for host in (HERE, THERE, HERE)]
        self.boot(self.plain, HERE)
        self.restart()
        self.cycle()
        self.assert_whole()
        standing = [
            event["fields"]["hosts"]
            for event in self.ledger.events()
            if event["kind"] == "standing"
        ]
        (hosts,) = standing
        self.assertEqual(
            {
                HERE: {servers[0], servers[2]},
                THERE: {servers[1]},
            },
            {each["host"]: set(each["servers"]) for each in hosts},
        )

    def test_without_its_ledger_it_takes_no_step(self) -> None:
        server = self.boot(self.flavor(Axis.INTEGRITY), HERE)
        self.cycle()
        self.break_ledger()
        self.contraindicate(HERE, axis=Axis.INTEGRITY)
        for _ in range(2):
            self.cycle()
            # what is asked of a host may still be waiting for the disk
            self.assertEqual(
                [Result.UNRECORDED],
                [o.code for o in self.last.outcomes if o.subject == server],
            )
            self.wait(monitored.INTERVAL_S)
        self.assertIsNone(self.fence_of(HERE))
        self.assertIsNone(self.mark_of(server))
        self.assertEqual("ACTIVE", self.admin.status_of(server))
        alarms = [x for x in self.lines if x.loudness is Loudness.ALARM]
        self.assertEqual([Code.UNRECORDED], [each.code for each in alarms])
        # what is late is said all the same
        self.wait(HALT_S)
        self.publish()
        self.cycle()
        self.assertEqual(
            [server], [each.server for each in self.plan().not_halted]
        )
        # and it goes on as soon as it can
        self.mend_ledger()
        self.assert_halted(server, HERE)
        self.assertEqual(1, len(self.said(Code.RECORDED)))
        self.assert_whole()
        self.assert_intended(self.ledger.events())

    def break_ledger(self) -> None:
        """Put something else in the ledger's place."""
        self.away = self.ledger_dir.with_suffix(".away")
        self.ledger_dir.rename(self.away)
        self.ledger_dir.touch()
        self.addCleanup(self._is_mended)

    def _is_mended(self) -> None:
        if self.away.exists():
            self.mend_ledger()

    def mend_ledger(self) -> None:
        """Put the ledger back, and wait until it is written again."""
        self.ledger_dir.unlink()
        self.away.rename(self.ledger_dir)
        self.until(lambda: self.port.healthy, "written again")

    def until(self, so: ty.Callable[[], object], what: str) -> None:
        end = time.monotonic() + TIMEOUT_S
        while not so():
            self.assertLess(time.monotonic(), end, f"not {what}")
            time.sleep(0.01)


class SealedTest(LedgerTestCase):
    """The tenant is of a trust domain that keeps its entries to itself."""

    _key = x25519.X25519PrivateKey.generate()

    @classmethod
    def next_policy(cls, **how: ty.Any) -> Json:
        document = super().next_policy(**how)
        pem = cls._key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        document["trust_domains"][LI] = {"seal_key": pem.decode()}
        document["projects"][desc.TENANT.project_id] = {"trust_domain": LI}
        return document

    def opening_key(self) -> SealKey:
        pem = self._key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        return read_opening_key(pem, "the key of the domain")

    def cycle(self, observe: bool = True) -> CycleReport:
        """Run a cycle, and wait until what it began has ended."""
        done = super().cycle(observe)
        self.drain()
        return done

    def test_its_own_store_tells_all_and_nothing_else_tells_anything(
        self,
    ) -> None:
        flavor = self.flavor(Axis.EXPOSURE)
        secret = self.boot(flavor, HERE)
        other = self.boot(flavor, HERE, user=self.other_tenant)
        self.cycle()
        self.contraindicate(HERE, axis=Axis.EXPOSURE)
        for server in (other, secret):
            self.assertEqual(THERE, self.assert_evicted(server, HERE))
        self.assert_whole()
        story = self.ledger.opened(LI, [self.opening_key()])
        kinds = collections.Counter(event["kind"] for event in story)
        for kind in ("placed", "finding", "planned", "moved", "finding-over"):
            about = {
                event["fields"]["server"]
                for event in story
                if event["kind"] == kind
            }
            self.assertEqual({secret}, about, f"{kind} of {kinds}")
        self.assertEqual(4, self.assert_intended(story), str(story))
        marks = {
            event["fields"]["mark"]
            for event in story
            if event["kind"] == "step-done"
        }
        self.assertEqual(1, len(marks))
        # What anybody can read.
        told = self.ledger.bytes()
        for word in (secret, desc.TENANT.project_id, *marks):
            self.assertNotIn(word.encode(), told)
        self.assertIn(other.encode(), told)
        # the other server, and the host's fence
        self.assertEqual(4 + 1, self.assert_intended(self.ledger.events()))
        for event in self.ledger.events():
            if event["kind"].startswith("step-"):
                named = event["fields"].keys() & {"server", "host"}
                self.assertTrue(named, str(event))
        for line in self.lines:
            self.assertNotIn(secret, line.text)

    def test_many_share_a_block_and_keep_no_cycle_waiting(self) -> None:
        flavor = self.flavor(Axis.INTEGRITY)
        servers = [self.boot(flavor, HERE) for _ in range(5)]
        self.cycle()
        self.contraindicate(HERE, axis=Axis.INTEGRITY)
        self.cycles(
            lambda _: all(
                self.admin.status_of(each) == "SHUTOFF" for each in servers
            ),
            "halted",
        )
        self.assert_whole()
        story = self.ledger.opened(LI, [self.opening_key()])
        self.assertEqual(
            2 * len(servers),
            sum(
                event["kind"] == "step-done"
                and event["fields"]["step"] == Step.STOP.value
                for event in story
            ),
        )
