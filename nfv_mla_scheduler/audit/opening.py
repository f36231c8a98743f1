# SPDX-License-Identifier: Apache-2.0
"""The slot of one process, and the chains in it, as long as it is ours.

For one thread.  Touches the directory of the ledger and the log.
"""

from __future__ import annotations

import dataclasses
import logging
import pathlib
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.chain import Chain
from nfv_mla_scheduler.audit.chain import open_chain
from nfv_mla_scheduler.audit.origins import SEALED
from nfv_mla_scheduler.audit.origins import Origin
from nfv_mla_scheduler.audit.origins import file_name
from nfv_mla_scheduler.audit.origins import take
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.tails import Tail
from nfv_mla_scheduler.audit.tails import find_checkpoint
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant

LOG = logging.getLogger(__name__)

Note = Callable[[EventKind, Mapping[str, object]], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """A slot that we have, and its common chain."""

    origin: Origin
    chain: Chain


class Place:
    """Keeps a slot, and takes another one when somebody else has it.

    :param directory: of the ledger
    :param name: of the origin, without the number of its slot
    :param note: adds something about the ledger to the common chain
    :ivar opened: what is open; None: nothing
    :ivar latest: when the last entry was written that was found there
    """

    def __init__(
        self,
        directory: pathlib.Path,
        name: str,
        segment_bytes: int,
        note: Note,
    ) -> None:
        self._directory = directory
        self._name = name
        self._segment_bytes = segment_bytes
        self._note = note
        self._left: dict[str, object] = {}
        self._sealed: dict[str, Chain] = {}
        self.opened: Opened | None = None
        self.latest: Instant = NEVER

    def keep(self) -> None:
        """Have a slot that nobody else has.

        :raises OSError: there is none
        """
        opened = self.opened
        if opened is None:
            self._open()
            return
        if opened.origin.held():
            return
        if opened.origin.regain():
            LOG.warning(
                "nfv-mla audit: the lock of %s was removed; it is there again",
                opened.origin.name,
            )
            self._note(EventKind.LEDGER_MOVED, {"how": "lock-gone"})
            return
        LOG.warning(
            "nfv-mla audit: somebody else has %s now", opened.origin.name
        )
        chain = opened.chain
        self._left = {
            "left": opened.origin.name,
            "left_seq": chain.seq,
            "left_hash": chain.hash,
        }
        self.opened = None
        chain.close()
        opened.origin.release()
        self._open()

    def open_sealed(self, domain: str) -> Chain:
        """Return the chain of a domain, and note what is wrong with it.

        :raises OSError: when it cannot be read
        """
        assert self.opened is not None
        path, origin, above = _sealed_place(self.opened.origin, domain)
        chain, tail = open_chain(path, origin, self._segment_bytes, above)
        self._sealed[domain] = chain
        self._tell_sealed(domain, tail)
        return chain

    def _tell_sealed(self, domain: str, tail: Tail) -> None:
        """Note what is wrong with a sealed chain that was found."""
        fields = {"domain": domain, **found_fields(tail)}
        if tail.damaged or tail.missing:
            self._note(EventKind.LEDGER_MOVED, {"how": "changed", **fields})
        elif tail.torn_bytes:
            self._note(EventKind.LEDGER_INTERRUPTED, fields)

    def tell_moves(self) -> None:
        """Note what somebody else did to the files."""
        assert self.opened is not None
        chains = {"": self.opened.chain, **self._sealed}
        for domain, chain in chains.items():
            found, chain.found = chain.found, None
            if found is not None:
                self._tell_sealed(domain, found)
            moves, chain.moves = chain.moves, []
            for move in moves:
                fields = {"how": move.how, "file": move.file}
                if domain:
                    fields["domain"] = domain
                else:
                    LOG.warning(
                        "nfv-mla audit: %s/%s: %s; goes on in another file",
                        *(self.opened.origin.name, move.file, move.how),
                    )
                self._note(EventKind.LEDGER_MOVED, fields)

    def close(self) -> None:
        """Give everything back, as it is."""
        opened, self.opened = self.opened, None
        for chain in self._sealed.values():
            chain.close()
        if opened is not None:
            opened.chain.close()
            opened.origin.release()

    def _open(self) -> None:
        """Take a slot, and note what was found there."""
        origin, (chain, tail) = take(
            self._directory,
            self._name,
            lambda path, name: open_chain(path, name, self._segment_bytes),
        )
        try:
            for domain, moved in self._sealed.items():
                moved.go_to(*_sealed_place(origin, domain))
        except BaseException:
            chain.close()
            origin.release()
            raise
        # From here on nothing fails: what is open is told.
        self.opened = Opened(origin, chain)
        if tail.at:
            self.latest = entry.instant(tail.at)
        if tail.torn_bytes or tail.damaged or tail.missing:
            LOG.warning(
                "nfv-mla audit: %s ended otherwise than it should: %s",
                *(origin.name, said(tail)),
            )
        signed = find_checkpoint(origin.directory)
        unsigned = None if signed is None else max(0, tail.seq - signed)
        fields = {**found_fields(tail), "unsigned": unsigned, **self._left}
        self._note(EventKind.LEDGER_OPENED, fields)


def _sealed_place(
    origin: Origin, domain: str
) -> tuple[pathlib.Path, str, tuple[pathlib.Path, ...]]:
    """Return a sealed chain's directory and name, and what is above it."""
    name, above = file_name(domain), origin.directory / SEALED
    return above / name, f"{origin.name}/{name}", (above,)


def found_fields(tail: Tail) -> dict[str, object]:
    """Return what an entry says of where a chain goes on."""
    return {
        "after_seq": tail.seq,
        "torn_bytes": tail.torn_bytes,
        "damaged": tail.damaged,
        "missing": tail.missing,
    }


def said(tail: Tail) -> str:
    """Return what is wrong with a tail, in words."""
    if tail.missing:
        return f"entries up to {tail.seq} are missing or changed"
    if tail.damaged:
        return f"what follows entry {tail.seq} is damaged, and is left there"
    return f"a torn line of {tail.torn_bytes} bytes was cut off"
