# SPDX-License-Identifier: Apache-2.0
"""A ledger to tamper with, made from entries and checkpoints alone."""

from __future__ import annotations

import functools
import pathlib
import random
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.policy.root import key_id

NOW = 1_700_000_000.0
ONE = "ctl-1.nova-scheduler.0"
TWO = "ctl-2.nfv-mla-monitor.0"
DOMAIN = "interception"
SEALED = f"{ONE}/{DOMAIN}"
CHECKPOINT_EVERY = 100
SEGMENT_LINES = 400


@functools.cache
def signer(number: int = 1) -> CryptoSigner:
    """Return a signer; each number has a key of its own, always the same."""
    seed = number.to_bytes(32, "big")
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key()
    return CryptoSigner(
        private, SSlibKey.from_crypto(public, keyid=key_id(public))
    )


def public_pem(number: int = 1) -> bytes:
    """Return the public key of a signer."""
    public = bytes.fromhex(signer(number).public_key.keyval["public"])
    return ed25519.Ed25519PublicKey.from_public_bytes(public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def trust(*numbers: int) -> Trust:
    """Return these keys, for any origin."""
    return Trust(
        tuple(("", signer(number).public_key) for number in numbers or (1,))
    )


class Writer:
    """Writes one chain, into a list of lines without their newlines."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.seq, self.hash = 0, entry.NOTHING
        self.lines: list[bytes] = []

    def add(self, kind: str, fields: dict[str, Any]) -> None:
        """Add an entry."""
        self.seq += 1
        line = entry.encode(
            self.seq,
            self.hash,
            NOW + self.seq,
            self.origin,
            "a process",
            kind,
            fields,
        )[:-1]
        self.hash = entry.digest(line)
        self.lines.append(line)

    def sign(self, number: int = 1) -> None:
        """Add a checkpoint."""
        self.add(
            "checkpoint",
            {
                "signed": checkpoint.sign(
                    self.origin,
                    self.seq,
                    self.hash,
                    NOW + self.seq,
                    signer(number),
                )
            },
        )


def chain(
    origin: str,
    entries: int,
    sealed: Writer | None = None,
    seed: int = 0,
    key: int = 1,
) -> list[bytes]:
    """Return the lines of a chain that ends in a checkpoint."""
    pick = random.Random(seed)
    made = Writer(origin)
    made.add("ledger-opened", {"continued": 0})
    while made.seq < entries:
        if made.seq % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 2:
            if sealed is not None:
                head = {"seq": sealed.seq, "hash": sealed.hash}
                made.add("sealed-heads", {"heads": {DOMAIN: head}})
            made.sign(key)
        else:
            made.add(
                "request-refused",
                {
                    "server": f"{pick.getrandbits(128):032x}",
                    "counts": {"stale": pick.randrange(50)},
                    "hosts": ["ber-1", "ber-2"] * pick.randrange(4),
                },
            )
            if sealed is not None and made.seq % 5 == 0:
                block = f"{pick.getrandbits(512):0128x}"
                sealed.add("sealed", {"jwe": block})
    made.add("ledger-closed", {})
    if sealed is not None:
        head = {"seq": sealed.seq, "hash": sealed.hash}
        made.add("sealed-heads", {"heads": {DOMAIN: head}})
    made.sign(key)
    return made.lines


class Ledger:
    """The lines of a ledger's chains, in files of some hundred lines each.

    :ivar files: file below the ledger's directory -> what is in it, in lines
        that have their newlines
    """

    def __init__(self, files: dict[str, list[bytes]]) -> None:
        self.files = files

    def copy(self) -> Ledger:
        """Return the same, to be changed."""
        return Ledger({name: list(of) for name, of in self.files.items()})

    def put(
        self, origin: str, lines: Iterable[bytes], size: int = SEGMENT_LINES
    ) -> None:
        """Have a chain of these lines, in place of what there was."""
        for name in self.names(origin):
            del self.files[name]
        where, ended = place(origin), [line + b"\n" for line in lines]
        for start in range(0, len(ended), size):
            name = f"{where}/{start + 1:020d}.jsonl"
            self.files[name] = ended[start : start + size]

    def names(self, origin: str) -> list[str]:
        """Return the files of a chain, in order."""
        where = place(origin)
        return sorted(
            name for name in self.files if name.rpartition("/")[0] == where
        )

    def lines(self, origin: str) -> list[bytes]:
        """Return the lines of a chain, without their newlines."""
        return [
            line[:-1]
            for name in self.names(origin)
            for line in self.files[name]
        ]

    def find(self, origin: str, seq: int) -> tuple[str, int]:
        """Return in which file an entry is, and its place there."""
        for name in self.names(origin):
            if seq <= len(self.files[name]):
                return name, seq - 1
            seq -= len(self.files[name])
        raise LookupError(seq)

    def write(self, directory: pathlib.Path) -> None:
        """Write all files below a directory."""
        for name, lines in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(lines))


def place(origin: str) -> str:
    """Return the directory of a chain."""
    name, _, domain = origin.partition("/")
    return f"{name}/sealed/{domain}" if domain else name


@functools.cache
def ledger(entries: int = 2500) -> Ledger:
    """Return a ledger of two origins, one of them with a sealed chain."""
    sealed = Writer(SEALED)
    made = Ledger({})
    made.put(ONE, chain(ONE, entries, sealed, seed=1))
    made.put(SEALED, sealed.lines, 150)
    made.put(TWO, chain(TWO, entries // 4, seed=2))
    return made
