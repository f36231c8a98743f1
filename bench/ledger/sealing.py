# SPDX-License-Identifier: Apache-2.0
"""What it costs to seal a trust domain's entries, and how much it writes.

Writes a sealed chain beside the ledger of the ground.
"""

from __future__ import annotations

import pathlib
import shutil
import time
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from jwcrypto import jwe
from jwcrypto import jwk

from bench.ledger import entries
from bench.ledger.ground import Ground
from bench.ledger.ground import Odd
from bench.meter import cpu_seconds
from nfv_mla_scheduler.audit.chain import Chain
from nfv_mla_scheduler.audit.chain import open_chain
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.sealed import SealedStores
from nfv_mla_scheduler.audit.sealing import BLOCK_BYTES

#: How many blocks are one sample, and entries in one of them.
BLOCKS = 50
ENTRIES = 3
DOMAIN = "police"

_DAY_S = 86_400
_HEADER = '{"alg":"ECDH-ES","enc":"A256GCM"}'


class Sealing:
    """Blocks of one domain are sealed and written, none synced for itself."""

    def __init__(self, ground: Ground, pem: str) -> None:
        self._ground = ground
        self._pem = pem
        self._interval_s = Limits().seal_interval_s

    def prepare(self) -> None:
        self._directory = self._ground.new_directory()
        self._stores = SealedStores(
            self._interval_s,
            Limits().queue_size,
            self._open,
            entries.PROCESS,
            time.time,
        )
        self._stores.seal_for({DOMAIN: self._pem})
        self._monotonic = 0.0
        self._stores.tick(self._monotonic, time.time())
        self._blocks = [
            [*entries.events(ENTRIES, time.time(), DOMAIN)]
            for _ in range(BLOCKS)
        ]

    def sample(self) -> Mapping[str, float]:
        before = self._written()
        cost = cpu_seconds(self._seal) / BLOCKS
        size = (self._written() - before) / BLOCKS
        if self._stores.heads()[DOMAIN]["seq"] != BLOCKS:
            raise Odd(f"{BLOCKS} blocks were not written")
        self._stores.close(time.time())
        shutil.rmtree(self._directory)
        a_day = _DAY_S / self._interval_s
        return {
            "seal": cost,
            "seal-day": cost * a_day,
            "seal-day-size": size * a_day,
        }

    def _seal(self) -> None:
        for block in self._blocks:
            for event in block:
                if not self._stores.add(event):
                    raise Odd("an event was not sealed")
            self._monotonic += self._interval_s
            self._stores.tick(self._monotonic, time.time())

    def _open(self, domain: str) -> Chain:
        origin = f"{entries.PROCESS}/{domain}"
        path = self._directory / domain
        return open_chain(path, origin, Limits().segment_bytes)[0]

    def _written(self) -> int:
        paths: list[pathlib.Path] = [*self._directory.rglob("*.jsonl")]
        return sum(path.stat().st_size for path in paths)


class Encrypting:
    """As many bytes are encrypted by jwcrypto to the same key, no more."""

    def __init__(self, pem: str) -> None:
        self._key = jwk.JWK.from_pem(pem.encode())
        self._block = bytes(BLOCK_BYTES)

    def prepare(self) -> None:
        """Nothing."""

    def sample(self) -> Mapping[str, float]:
        return {"seal-bare": cpu_seconds(self._encrypt) / BLOCKS}

    def _encrypt(self) -> None:
        for _ in range(BLOCKS):
            token = jwe.JWE(self._block, _HEADER, recipient=self._key)
            token.serialize(compact=True)


def new_key() -> str:
    """Return a public key in PEM, as a policy may have one of a domain."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")
