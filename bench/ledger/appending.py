# SPDX-License-Identifier: Apache-2.0
"""What it costs to record entries, and how long it takes to sync one.

Writes ledgers beside that of the ground.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from bench.ledger.ground import Ground
from bench.ledger.ground import Odd
from bench.ledger.ground import record
from bench.meter import cpu_seconds
from nfv_mla_scheduler.audit.entry import NOTHING
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event

#: How many entries are synced for one sample, each by itself.
SYNCED = 20
#: How many are recorded for one sample, each after a pause.
ALONE = 200
PAUSE_S = 0.002

_PATIENCE_S = 60.0
# About what is signed of a checkpoint.
_SIGNED_BYTES = 256


class Appending:
    """A process records all entries: a ledger from first to last.

    Recording, what the ledger's thread does, opening and closing are in it.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def prepare(self) -> None:
        self._directory = self._ground.new_directory()
        self._events = self._ground.events()

    def sample(self) -> Mapping[str, float]:
        ledger = self._ground.open(self._directory)
        cost = cpu_seconds(lambda: record(ledger, self._events))
        self._ground.check(self._directory)
        shutil.rmtree(self._directory)
        return {"append": cost / len(self._events)}


class Bare:
    """The very lines of a ledger are made, hashed and signed, no more."""

    def __init__(self, ground: Ground) -> None:
        self._entries = [json.loads(line) for line in ground.lines]
        self._every = Limits().checkpoint_entries
        self._key = ed25519.Ed25519PrivateKey.generate()
        if [_made(entry) for entry in self._entries] != ground.lines:
            raise Odd("lines are made otherwise than the ledger's")

    def prepare(self) -> None:
        """Nothing."""

    def sample(self) -> Mapping[str, float]:
        return {"append-bare": cpu_seconds(self._make) / len(self._entries)}

    def _make(self) -> None:
        last = NOTHING
        for number, entry in enumerate(self._entries):
            last = hashlib.sha256(_made(entry)).hexdigest()
            if number % self._every == 0:
                self._key.sign(last.encode().ljust(_SIGNED_BYTES))


class Alone:
    """Entries are recorded with pauses, in which each is written.

    What the pauses cost by themselves is not in it.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def prepare(self) -> None:
        self._directory = self._ground.new_directory()
        self._events = self._ground.events()[: ALONE + 1]

    def sample(self) -> Mapping[str, float]:
        first, *events = self._events
        with contextlib.closing(self._ground.open(self._directory)) as ledger:
            # which opens the ledger
            _commit(ledger, first)
            pauses = cpu_seconds(lambda: _paused(_forget, events))
            cost = cpu_seconds(lambda: _paused(ledger.record, events))
        shutil.rmtree(self._directory)
        return {"append-alone": (cost - pauses) / len(events)}


class Committing:
    """Entries are synced one by one, by a ledger and bare, in turns.

    By the clock on the wall, since it is the device that takes its time.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def prepare(self) -> None:
        self._directory = self._ground.new_directory()
        self._events = self._ground.events()[: SYNCED + 1]

    def sample(self) -> Mapping[str, float]:
        first, *events = self._events
        synced, committed = [], []
        with (
            contextlib.closing(self._ground.open(self._directory)) as ledger,
            open(self._directory / "bare", "ab", buffering=0) as file,
        ):
            _commit(ledger, first)
            for event, line in zip(events, self._ground.lines, strict=False):
                began = time.monotonic()
                file.write(line + b"\n")
                os.fdatasync(file.fileno())
                between = time.monotonic()
                _commit(ledger, event)
                committed.append(time.monotonic() - between)
                synced.append(between - began)
        shutil.rmtree(self._directory)
        return {
            "commit-bare": statistics.median(synced),
            "commit": statistics.median(committed),
        }


def _made(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode("ascii")


def _commit(ledger: AuditPort, event: Event) -> None:
    if not ledger.commit(event, _PATIENCE_S):
        raise Odd("an entry was not synced")


def _paused(call: Callable[[Event], None], events: Sequence[Event]) -> None:
    for event in events:
        call(event)
        time.sleep(PAUSE_S)


def _forget(event: Event) -> None:
    pass
