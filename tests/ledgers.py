# SPDX-License-Identifier: Apache-2.0
"""A ledger as tests and the demo read it: its events, anew each time."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading import files

Json = dict[str, Any]

#: What a ledger says of itself.
OWN = frozenset(
    kind.value
    for kind in (
        EventKind.LEDGER_OPENED,
        EventKind.LEDGER_CLOSED,
        EventKind.LEDGER_INTERRUPTED,
        EventKind.LEDGER_MOVED,
        EventKind.CHECKPOINT,
        EventKind.SEALED_HEADS,
        EventKind.SEALED,
    )
)


class Ledger:
    """The chains in a directory.

    :param service: whose; by default those of all
    """

    def __init__(self, directory: pathlib.Path, service: str = "") -> None:
        self.directory = directory
        self._service = service

    def events(self) -> list[Json]:
        """Return what services recorded for anybody to read, in order."""
        return [one for one in self.entries() if one["kind"] not in OWN]

    def entries(self, domain: str | None = None) -> list[Json]:
        """Return all entries, origin after origin.

        :param domain: of its sealed chains instead
        """
        return [
            found
            for chain in self._chains(domain)
            for line in files.chain_lines(files.segments(chain.directory))
            if line.whole and (found := entry.parse(line.raw)) is not None
        ]

    def opened(
        self, domain: str, keys: Sequence[sealing.SealKey]
    ) -> list[Json]:
        """Return what is sealed for a trust domain."""
        return [
            found
            for block in self.entries(domain)
            if block["kind"] == EventKind.SEALED.value
            for found in sealing.open_block(block["fields"]["jwe"], keys)
        ]

    def bytes(self) -> bytes:
        """Return all that is in its files, sealed chains too."""
        return b"".join(
            path.read_bytes()
            for path in sorted(self.directory.rglob("*"))
            if path.is_file()
        )

    def _chains(self, domain: str | None) -> Iterator[files.ChainFiles]:
        if not self.directory.is_dir():
            return
        for chain in files.chains(self.directory):
            service = chain.origin.partition("/")[0].split(".")[-2]
            if self._service in ("", service) and chain.domain == domain:
                yield chain
