# SPDX-License-Identifier: Apache-2.0
"""What an observer sees of a sealed domain: that there is one.

Two ledgers live through the same day: in one the sealed domain is quiet, in
the other it is busy.  The observer reads the common chain, lists all files at
every moment, sees every call that writes, and reads the log.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import dataclasses
import itertools
import json
import logging
import os
import pathlib
import random
import re
import tempfile
import unittest
from unittest import mock

from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit.ledger import BATCH
from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading import whole
from nfv_mla_scheduler.audit.reading.signing import Trust
from tests.unit.audit import seal_keys

NOW = 1_700_000_000.0
HOUR = 3600.0
LIMITS = Limits(
    queue_size=300,
    checkpoint_interval_s=600.0,
    seal_interval_s=240.0,
    segment_bytes=2**20,
    retry_s=30.0,
    checkpoint_entries=100,
    sync_interval_s=10.0,
)
KEY = ed25519.Ed25519PrivateKey.generate()
SIGNER = CryptoSigner(KEY, SSlibKey.from_crypto(KEY.public_key()))
ANNA, BERT, CARL = seal_keys.PAIRS.values()
KEYS = [pair.opening for pair in seal_keys.PAIRS.values()]
SYNCS = ("fdatasync", "fsync")
CALLS = (*SYNCS, "write", "pwrite", "open", "mkdir", "ftruncate")


def step(number, domain=None, kind=EventKind.STEP_INTENDED):
    """Return an event of which no two are alike."""
    some = random.Random(number)
    fields = {
        "server": f"{some.getrandbits(128):032x}",
        "host": f"cmp-{some.randrange(1000)}",
        "step": "evict",
        "refusals": [f"code-{n}" for n in range(some.randrange(90))],
    }
    return Event(kind, NOW + number, "monitor", fields, domain)


@dataclasses.dataclass(order=True)
class Act:
    """Something that happens at a time, for the processes of that day."""

    at: float
    what: str
    event: Event | None = dataclasses.field(default=None, compare=False)
    keys: dict | None = dataclasses.field(default=None, compare=False)


def usual():
    """Return what happens to everybody."""
    some = random.Random(7)
    acts = [
        Act(some.uniform(0, 24) * HOUR, some.choice(("record", "commit")))
        for _ in range(300)
    ]
    # more than the queue holds, so that some are dropped
    acts += [Act(13.01 * HOUR, "record") for _ in range(400)]
    for number, act in enumerate(acts):
        act.event = step(number)
    both = {"anna": ANNA.pem, "bert": BERT.pem, "operator": None}
    acts += [
        Act(0.5 * HOUR, "seal", keys=both),
        Act(6.03 * HOUR, "seal", keys={**both, "anna": CARL.pem}),
        Act(9.02 * HOUR, "restart", keys=both),
        Act(12.0 * HOUR, "full"),
        Act(12.8 * HOUR, "room"),
        Act(16.4 * HOUR, "seal", keys={**both, "anna": None}),
        Act(19.1 * HOUR, "seal", keys=both),
        Act(24 * HOUR, "end"),
    ]
    return acts


def sealed():
    """Return what happens to the domain anna alone, in a busy day."""
    some = random.Random(8)
    acts = [
        Act(some.uniform(0, 24) * HOUR, some.choice(("record", "commit")))
        for _ in range(900)
    ]
    # bursts: of several blocks, and of more than is kept
    for hour in (1, 9.01, 12.5, 16.39, 17, 23.99):
        acts += [Act(hour * HOUR, "record") for _ in range(500)]
    for number, act in enumerate(acts, start=10**6):
        act.event = step(number, "anna")
    return acts


class Stepped(Ledger):
    """A ledger whose thread runs when the test says so."""

    def _start(self):
        self._thread = self._thread or object()
        return True

    @property
    def due_at(self):
        if self._thread is None:
            return float("inf")
        if self._trouble.fault:
            return self._retry_at
        return float("-inf") if self._intake else self._writer.due_at()

    def step(self):
        """Do what the thread does once."""
        self._retry_at = self._monotonic() + self._limits.retry_s
        items = self._intake.first(BATCH)
        self._note(self._trouble.tries(self._write, items))

    def end(self):
        self._closed = True
        self._trouble.tries(self._writer.finish)


class Day:
    """One process after the other lives through a day.

    :ivar seen: how everything looked, and when that changed
    :ivar calls: what was written, how and when
    :ivar said: what was logged, and when
    """

    def __init__(self, path, acts):
        self.path = path
        self.now = 0.0
        self.full = False
        self.seen = []
        self.calls = []
        self.said = []
        spies = {name: self._spy(name) for name in CALLS}
        with mock.patch.multiple(os, **spies), self._listening():
            self._live(sorted(acts))

    def _live(self, acts):
        ledger = self._new()
        for act in acts:
            while (due := ledger.due_at) <= act.at:
                self.now = max(self.now, due)
                ledger.step()
                self._look(ledger)
            self.now = act.at
            if act.what == "record":
                ledger.record(act.event)
            elif act.what == "commit":
                ledger.commit(act.event, 0)
            elif act.what in ("restart", "end"):
                ledger.end()
                ledger = self._new()
            if act.keys is not None:
                ledger.seal_for(act.keys)
            self.full = act.what == "full" or (
                self.full and act.what != "room"
            )
            self._look(ledger)

    def _new(self):
        return Stepped(
            self.path,
            "ctl-1.monitor",
            lambda: SIGNER,
            LIMITS,
            clock=lambda: NOW + self.now,
            monotonic=lambda: self.now,
        )

    def _look(self, ledger):
        files = {
            str(path.relative_to(self.path)): path.stat().st_size
            for path in self.path.rglob("*")
            if path.is_file()
        }
        found = (files, ledger.healthy, ledger.ledger, ledger.dropped)
        if not self.seen or self.seen[-1][1:] != found:
            self.seen.append((self.now, *found))

    def _spy(self, name):
        real = getattr(os, name)

        def call(what, *args, **kwargs):
            path = what
            if isinstance(what, int):
                path = os.readlink(f"/proc/self/fd/{what}")
            if not str(path).startswith(f"{self.path}/"):
                return real(what, *args, **kwargs)
            data = next((a for a in args if not isinstance(a, int)), b"")
            place = str(path).removeprefix(f"{self.path}/")
            self.calls.append((self.now, name, place, len(data)))
            if self.full and name == "write":
                raise OSError(28, "no room")
            if name in SYNCS:  # a day of them is long
                return None
            return real(what, *args, **kwargs)

        return call

    @contextlib.contextmanager
    def _listening(self):
        logger = logging.getLogger("nfv_mla_scheduler")
        handler = logging.Handler()
        handler.emit = lambda record: self.said.append(
            (self.now, record.getMessage().replace(str(self.path), ""))
        )
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)

    @property
    def origin(self):
        (origin,) = self.path.iterdir()
        return origin

    def entries(self, place):
        return [
            json.loads(line)
            for path in sorted((self.origin / place).glob("*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]

    def common(self):
        return [_masked(entry) for entry in self.entries("")]

    def blocks(self, domain):
        return [_masked(entry) for entry in self.entries(f"sealed/{domain}")]

    def inside(self, domain):
        return [
            sealing.open_block(entry["fields"]["jwe"], KEYS)
            for entry in self.entries(f"sealed/{domain}")
        ]


def _masked(entry):
    """Return an entry without what is random in it."""
    entry.pop("prev")
    fields = entry["fields"]
    if entry["kind"] == "checkpoint":
        payload = json.loads(base64.b64decode(fields["signed"]["payload"]))
        entry["fields"] = {k: v for k, v in payload.items() if k != "hash"}
    if entry["kind"] == "sealed-heads":
        entry["fields"] = {n: h["seq"] for n, h in fields["heads"].items()}
    if entry["kind"] == "sealed":
        parts = fields["jwe"].split(".")
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=="))
        header["epk"] = {k: len(v) for k, v in header["epk"].items()}
        entry["fields"] = (header, *map(len, parts))
    return entry


class ObserverTest(unittest.TestCase):
    maxDiff = 2000

    def day(self, acts):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return Day(pathlib.Path(directory.name), acts)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.days = []
        for name, acts in (("quiet", []), ("busy", sealed())):
            path = pathlib.Path(cls.directory.name) / name
            path.mkdir()
            cls.days.append(Day(path, usual() + acts))

    def check(self, get):
        quiet, busy = map(get, self.days)
        self.assertTrue(quiet)
        for one, two in itertools.zip_longest(quiet, busy):
            self.assertEqual(one, two)

    def test_the_common_chains_are_the_same(self):
        self.check(lambda day: day.common())
        kinds = {entry["kind"] for entry in self.days[1].common()}
        self.assertLessEqual(
            {
                *("step-intended", "checkpoint", "sealed-heads"),
                *("ledger-opened", "ledger-closed", "ledger-interrupted"),
            },
            kinds,
        )

    def test_the_blocks_are_the_same(self):
        for domain in ("anna", "bert"):
            self.check(lambda day, name=domain: day.blocks(name))

    def test_every_file_grows_at_the_same_times(self):
        self.check(lambda day: day.seen)
        self.assertGreater(len(self.days[0].seen), 1000)

    def test_the_same_is_written_in_the_same_way(self):
        self.check(lambda day: day.calls)

    def test_the_same_is_logged(self):
        self.check(lambda day: day.said)

    def test_a_listing_at_the_end_is_the_same(self):
        def listing(day):
            return sorted(
                (
                    str(path.relative_to(day.path)),
                    path.lstat().st_mode,
                    path.lstat().st_nlink,
                    path.lstat().st_size if path.is_file() else 0,
                )
                for path in day.path.rglob("*")
            )

        self.check(listing)

    def test_both_ledgers_verify(self):
        """To the end of each sealed chain: the last heads are of all."""
        key = SIGNER.public_key
        for day in self.days:
            report = whole.verify(day.path, Trust((("", key),)))
            self.assertTrue(report.whole)
            sealed = [one for one in report.chains if one.domain]
            self.assertEqual(["anna", "bert"], [one.domain for one in sealed])
            self.assertEqual([0, 0], [one.tail for one in sealed])
            for one in sealed:
                self.assertGreater(one.entries, 300)

    def test_nothing_of_the_domain_is_in_the_open(self):
        servers = {act.event.fields["server"] for act in sealed()}
        day = self.days[1]
        for path in day.path.rglob("*"):
            if path.is_file():
                text = path.read_text("ascii")
                found = set(re.findall(r"[0-9a-f]{32}", text))
                self.assertEqual(set(), found & servers)

    def test_one_day_was_quiet_and_the_other_was_not(self):
        quiet, busy = (day.inside("anna") for day in self.days)
        self.assertEqual([], [block for block in quiet if block])
        kinds = collections.Counter(e["kind"] for b in busy for e in b)
        self.assertGreater(kinds["step-intended"], 1500)
        self.assertGreater(kinds["events-dropped"], 3)
        self.assertEqual([], [b for b in self.days[1].inside("bert") if b])

    def test_an_observer_who_should_see_a_difference_does(self):
        """What is said of a sealed domain in the open is seen here."""
        acts = [act for act in usual() if act.at < 2 * HOUR]
        quiet = self.day(acts)
        event = step(1, "anna")
        slip = dataclasses.replace(event, domain=None)
        loud = self.day([*acts, Act(1.5 * HOUR, "record", slip)])
        for get in (Day.common, lambda d: d.seen, lambda d: d.calls):
            self.assertNotEqual(get(quiet), get(loud))

    def test_a_first_event_that_is_sealed_starts_nothing(self):
        """When a process opens its ledger must not tell of it."""
        day = self.day([Act(5.0, "commit", step(1, "anna")), Act(HOUR, "")])
        self.assertEqual([], list(day.path.iterdir()))


if __name__ == "__main__":
    unittest.main()
