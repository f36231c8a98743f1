# SPDX-License-Identifier: Apache-2.0
"""A ledger's files as a writer leaves them, made by hand."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit import sealable
from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind

NOON = 1_795_435_200.0  # 2026-11-23T12:00:00Z
SERVER = "6136c0c2-6e0b-43d4-9270-520df04b8f63"
OTHER = "0e0bd3e6-4b5a-4c4f-8b35-7d0f4cf9e1a2"
PROJECT = "7ad4a8ed7cbf515795e7705cb756ed5d"
REFUSED: Mapping[str, Any] = {
    "server": SERVER,
    "project": PROJECT,
    "request": "req-0a77b734-4f01-4e73-94b7-5f4073fa1bea",
    "candidates": 4,
    "counts": {"no-claim": 3, "host-unbound": 1},
}


class Chain:
    """Appends entries to the segments of one chain."""

    def __init__(self, directory: pathlib.Path, origin: str) -> None:
        self.directory = directory
        self.origin = origin
        self.seq = 0
        self.hash = entry.NOTHING
        directory.mkdir(parents=True, exist_ok=True)
        self.rotate()

    def rotate(self) -> None:
        """Begin the next segment."""
        self.path = self.directory / f"{self.seq + 1:020}.jsonl"
        self.path.touch()

    def add(
        self, kind: EventKind, at: float, fields: Mapping[str, Any]
    ) -> None:
        """Append one entry."""
        line = entry.encode(
            self.seq + 1,
            self.hash,
            at,
            self.origin,
            "ctl-1/test/1",
            kind.value,
            fields,
        )
        self.seq += 1
        self.hash = entry.digest(line[:-1])
        self.write(line)

    def write(self, data: bytes) -> None:
        """Append whatever it is."""
        with self.path.open("ab") as file:
            file.write(data)


class Ledger:
    """A ledger of several origins."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)

    def origin(self, name: str) -> Chain:
        return Chain(self.directory / name, name)

    def sealed(self, name: str, domain: str) -> Chain:
        directory = self.directory / name / "sealed" / domain
        return Chain(directory, f"{name}/{domain}")


class Domain:
    """A trust domain whose entries are sealed."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        pem = self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        self.public = pem.decode()
        self.key = sealing.read_seal_key(self.public)

    def pem(self, secret: bytes | None = None) -> bytes:
        """Return the private key."""
        return self.private.private_bytes(
            Encoding.PEM,
            PrivateFormat.PKCS8,
            BestAvailableEncryption(secret) if secret else NoEncryption(),
        )

    def block(self, *events: tuple[EventKind, float, Any]) -> dict[str, Any]:
        """Return the fields of a block with these entries."""
        lines = [
            sealable.encode(Event(kind, at, "ctl-1/monitor/9", fields))
            for kind, at, fields in events
        ]
        return {"jwe": sealing.seal(lines, self.key)}
