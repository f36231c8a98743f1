# SPDX-License-Identifier: Apache-2.0
"""An authority's answer of many tokens, beside their bare signatures.

Pure but for the randomness in keys and signatures.  Each token is an EAR about
one host, made with PyJWT: a trust vector, and the private claim with what the
operator's own authority claims of it in the results document.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    encode_dss_signature,
)
from jwt.algorithms import ECAlgorithm

from bench import rules
from bench.estate import Host
from bench.estate import Standing
from bench.meter import Contender
from bench.meter import cpu_seconds
from nfv_mla_scheduler.authority.ear_keys import read_keys
from nfv_mla_scheduler.authority.ear_reader import EarReader
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.standard import catalogue

PROFILE = "tag:github.com,2023:veraison/ear"
VECTOR = {
    "instance-identity": 2,
    "configuration": 2,
    "executables": 2,
    "hardware": 2,
}
LIFE_S = 3600
KID = "bench-1"
_SIGNATURE = 64


class Answers:
    """Two answers of one authority about all hosts, one after the other.

    :ivar inquiry: to which they are
    :ivar now: when both hold
    """

    def __init__(self, hosts: tuple[Host, ...], now: float) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public = self._key.public_key()
        self.now = now
        self.inquiry = Inquiry(
            tuple(sorted(host.name for host in hosts)), {}, 30.0
        )
        self.pair = tuple(
            [self._token(host, int(now) - age_s) for host in hosts]
            for age_s in (20, 10)
        )

    def keys(self) -> Any:
        """Return the authority's keys, as a collector reads them."""
        jwk = json.loads(ECAlgorithm.to_jwk(self.public))
        jwk |= {"kid": KID, "alg": "ES256", "use": "sig"}
        return read_keys(json.dumps({"keys": [jwk]}).encode())

    def _token(self, host: Host, at: int) -> bytes:
        claims = rules.claims(host, rules.OWN) or {}
        against = host.standing is Standing.CONTRAINDICATED
        status = "contraindicated" if against else "affirming"
        payload = {
            "eat_profile": PROFILE,
            "sub": host.name,
            "iat": at,
            "exp": at + LIFE_S,
            "eat_nonce": _base64url(f"{host.uuid} {at}".encode()),
            "ear.verifier-id": {"developer": "acme", "build": "1.0"},
            "submods": {
                "host": {
                    "ear.status": status,
                    "ear.trustworthiness-vector": {
                        **VECTOR,
                        "executables": 96 if against else 2,
                    },
                }
            },
            "bootseed": _base64url(host.uuid.encode()),
            "nfv_mla": claim_sets.wire(claims),
        }
        token = jwt.encode(payload, self._key, "ES256", {"kid": KID})
        return token.encode()


class Signatures:
    """Verify every signature of an answer, and look at nothing else."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._digest = ec.ECDSA(hashes.SHA256())

    def prepare(self) -> None:
        """Nothing."""

    def sample(self) -> Mapping[str, float]:
        tokens = self._answers.pair[0]
        cost = cpu_seconds(lambda: self._verify(tokens))
        return {"signatures": cost / len(tokens)}

    def _verify(self, tokens: list[bytes]) -> None:
        verify, digest = self._answers.public.verify, self._digest
        half = _SIGNATURE // 2
        for token in tokens:
            message, _, signature = token.rpartition(b".")
            raw = base64.urlsafe_b64decode(signature + b"==")
            r = int.from_bytes(raw[:half], "big")
            s = int.from_bytes(raw[half:], "big")
            verify(encode_dss_signature(r, s), message, digest)


class Reading:
    """Read one answer after the other, and each of them twice."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._reader = EarReader(rules.OWN, answers.keys(), catalogue.load())
        self._turn = 0
        self._read()

    def prepare(self) -> None:
        self._turn += 1

    def sample(self) -> Mapping[str, float]:
        count = len(self._answers.pair[0])
        new = cpu_seconds(self._read)
        unchanged = cpu_seconds(self._read)
        return {
            "tokens-new": new / count,
            "tokens-unchanged": unchanged / count,
        }

    def _read(self) -> None:
        answers = self._answers
        tokens = answers.pair[self._turn % 2]
        found = self._reader.read(
            tokens, answers.inquiry, answers.now, complete=True
        )
        if len(found.results) != len(tokens):
            raise RuntimeError(f"tokens are refused: {found.problems[:3]}")


def contenders(answers: Answers, names: frozenset[str]) -> list[Contender]:
    """Return what has to take turns for these figures."""
    found: list[Contender] = []
    if "signatures" in names:
        found.append(Signatures(answers))
    if names.intersection(("tokens-new", "tokens-unchanged")):
        found.append(Reading(answers))
    return found


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
