# SPDX-License-Identifier: Apache-2.0
"""A ledger that is written once, and where others are written beside it.

Touches the directory that it is given.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import time
from collections.abc import Sequence

from bench.ledger import entries
from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.officers import write_key_pair

NAME = "ctl-1.bench"
_PATIENCE_S = 120.0
# What the ledger writes of its own accord.
_OWN = frozenset(
    kind.value
    for kind in (
        EventKind.LEDGER_OPENED,
        EventKind.LEDGER_CLOSED,
        EventKind.CHECKPOINT,
    )
)


class Odd(Exception):
    """A ledger is not as it has to be, whatever it costs."""


class Ground:
    """Keys, and a ledger of so many entries.

    :ivar directory: where the ledger is
    :ivar public: the public key that verifies it
    :ivar lines: of what was recorded in it, without newlines
    :ivar count: of all its entries
    :ivar size: of all of them, in bytes
    """

    def __init__(self, directory: pathlib.Path, count: int) -> None:
        self._parent = directory
        self._numbers = itertools.count(1)
        self._recorded = count
        self._key, self.public = write_key_pair(directory, "ledger")
        self.directory = self.new_directory()
        ledger = self.open(self.directory)
        record(ledger, self.events())
        found = self.check(self.directory)
        self.count = len(found)
        self.size = sum(len(line) + 1 for line in found)
        self.lines = [line for line in found if not _is_own(line)]

    def new_directory(self) -> pathlib.Path:
        """Return a new directory for ledgers."""
        path = self._parent / f"audit-{next(self._numbers)}"
        path.mkdir()
        return path

    def events(self) -> Sequence[Event]:
        """Return what is recorded."""
        return [*entries.events(self._recorded, time.time())]

    def open(self, directory: pathlib.Path) -> Ledger:
        """Return a ledger there, as a service has it, with room for all."""
        limits = Limits(queue_size=2 * self._recorded)
        return Ledger(
            directory,
            NAME,
            lambda: read_signer(self._key, lambda _prompt: b""),
            limits,
        )

    def check(self, directory: pathlib.Path) -> list[bytes]:
        """Return the lines of the one ledger there.

        :raises Odd: when what was recorded is not in it, once and in order
        """
        found = [
            line
            for path in sorted(directory.glob(f"{NAME}.*/*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]
        kinds = [e.kind.value for e in entries.events(self._recorded, 0.0)]
        written = [json.loads(x)["kind"] for x in found if not _is_own(x)]
        if written != kinds:
            raise Odd(f"of {len(kinds)} events {len(written)} were written")
        return found


def record(ledger: AuditPort, events: Sequence[Event]) -> None:
    """Record events, wait until they are written, and close the ledger."""
    for event in events[:-1]:
        ledger.record(event)
    if not ledger.commit(events[-1], _PATIENCE_S):
        raise Odd("the last event was not synced")
    ledger.close()


def _is_own(line: bytes) -> bool:
    return json.loads(line)["kind"] in _OWN
