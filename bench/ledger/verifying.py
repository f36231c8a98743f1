# SPDX-License-Identifier: Apache-2.0
"""What it costs to verify a ledger.

Reads the ledger of the ground.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bench.ledger.ground import Ground
from bench.ledger.ground import Odd
from bench.meter import cpu_seconds
from nfv_mla_scheduler.audit.reading.report import Verdict
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.audit.reading.whole import verify
from nfv_mla_scheduler.policy.root import read_public_key


class Bare:
    """The lines of the files are read and hashed, no more."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._paths = sorted(ground.directory.rglob("*.jsonl"))

    def prepare(self) -> None:
        """Nothing."""

    def sample(self) -> Mapping[str, float]:
        return {"verify-bare": cpu_seconds(self._hash) / self._ground.count}

    def _hash(self) -> None:
        for path in self._paths:
            with open(path, "rb") as file:
                for line in file:
                    hashlib.sha256(line).hexdigest()


class Verifying:
    """The whole ledger is verified, signatures too.  It has to be whole."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        pem = ground.public.read_bytes()
        self._trust = Trust((("", read_public_key(pem, "the ledger's")),))

    def prepare(self) -> None:
        """Nothing."""

    def sample(self) -> Mapping[str, float]:
        cost = cpu_seconds(self._verify)
        found = [
            (chain.verdict, chain.entries, chain.tail)
            for chain in self._report.chains
        ]
        if found != [(Verdict.WHOLE, self._ground.count, 0)]:
            raise Odd(f"it does not verify: {found}")
        return {"verify": cost / self._ground.count}

    def _verify(self) -> None:
        self._report = verify(self._ground.directory, self._trust)
