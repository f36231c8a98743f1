# SPDX-License-Identifier: Apache-2.0
"""Ledgers that tests have written, read and checked by themselves.

The check knows nothing of how the product reads or writes: it goes by what
the documentation says of the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
import tempfile
import threading
import time
import unittest

from securesystemslib.signer import CryptoSigner

from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind

ROOT = pathlib.Path(__file__).parents[3]
NOW = 1_700_000_000.0
SIGNER = CryptoSigner.generate_ed25519()
NAME = "ctl-1.nova-scheduler"


def event(number=0, kind=EventKind.REQUEST_REFUSED, domain=None, **fields):
    return Event(kind, NOW, "worker", {"n": number, **fields}, domain)


def lines(directory, pattern="*.jsonl*"):
    """Return the lines of a chain in the order of its files' names."""
    return [
        line
        for path in sorted(directory.glob(pattern))
        for line in path.read_bytes().splitlines()
    ]


def entries(directory, pattern="*.jsonl*"):
    """Return the entries of a chain; what is none is left out."""
    return [
        json.loads(line)
        for line in lines(directory, pattern)
        if line.startswith(b'{"seq":')
    ]


def faults(found, origin, start=(0, "0" * 64)):
    """Return what is wrong with the lines of one chain; empty: nothing."""
    bad = []
    seq, prev = start
    for line in found:
        try:
            one = json.loads(line)
            _ = [one[name] for name in ("seq", "prev", "origin", "kind")]
        except (ValueError, LookupError, TypeError):
            bad.append(f"after {seq}: no entry: {line[:60]!r}")
            continue
        if (one["seq"], one["prev"]) != (seq + 1, prev):
            bad.append(f"after {seq}: does not hold it: {line[:90]!r}")
        if one["origin"] != origin:
            bad.append(f"{one['seq']}: of {one['origin']}")
        if one["kind"] == "checkpoint":
            payload = json.loads(
                base64.b64decode(one["fields"]["signed"]["payload"])
            )
            if (payload["origin"], payload["seq"], payload["hash"]) != (
                origin,
                seq,
                prev,
            ):
                bad.append(f"{one['seq']}: signs something else")
        seq, prev = one["seq"], hashlib.sha256(line).hexdigest()
    return bad


class Case(unittest.TestCase):
    """With a directory, and a ledger in it."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name) / "audit"
        self.directory.mkdir()
        self.origin = self.directory / f"{NAME}.0"

    def ledger(self, signer=lambda: SIGNER, directory=None, **limits):
        limits = {"retry_s": 0.01, **limits}
        clock = limits.pop("clock", lambda: NOW)
        monotonic = limits.pop("monotonic", time.monotonic)
        ledger = Ledger(
            directory or self.directory,
            NAME,
            signer,
            Limits(**limits),
            clock=clock,
            monotonic=monotonic,
        )
        self.addCleanup(ledger.close)
        return ledger

    def entries(self, slot=0):
        return entries(self.directory / f"{NAME}.{slot}")

    def kinds(self, slot=0):
        return [one["kind"] for one in self.entries(slot)]

    def numbers(self, slot=0):
        return [
            one["fields"]["n"]
            for one in self.entries(slot)
            if "n" in one["fields"]
        ]

    def of_kind(self, kind, slot=0):
        return [
            one["fields"] for one in self.entries(slot) if one["kind"] == kind
        ]

    def assert_whole(self, slot=0):
        name = f"{NAME}.{slot}"
        self.assertEqual([], faults(lines(self.directory / name), name))

    def wait(self, condition, says="nothing came of it"):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline, says)
            time.sleep(0.002)


class Time:
    """A clock that stands still until it is set, from any thread."""

    def __init__(self, now):
        self._now = now
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            return self._now

    def advance(self, by_s):
        with self._lock:
            self._now += by_s
