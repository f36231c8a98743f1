# SPDX-License-Identifier: Apache-2.0
"""Tokens for tests, made by hand: none of the names here is imported."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

PROFILE = "tag:github.com,2023:veraison/ear"
LIFETIME_S = 3600
# Of the catalogue, without values.
CAPABILITIES = ("attestation", "measured-boot", "os-access-control")


class Signer:
    """One key of one authority."""

    def __init__(self, kid: str = "key-1") -> None:
        self.kid = kid
        self._key = ec.generate_private_key(ec.SECP256R1())

    def jwk(self) -> dict[str, Any]:
        """Return the public key."""
        jwk = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def token(
        self,
        attester: str,
        at: float,
        capabilities: Iterable[str] = CAPABILITIES,
        boot: int = 1,
        **changes: Any,
    ) -> str:
        """Return a token in which all is well but for the changes.

        :param changes: claims; ``None`` takes one away
        """
        payload = {
            "eat_profile": PROFILE,
            "sub": attester,
            "iat": int(at),
            "exp": int(at) + LIFETIME_S,
            "bootcount": boot,
            "ear.verifier-id": {"developer": "tests", "build": "1"},
            "submods": {"host": {"ear.status": "affirming"}},
            "nfv_mla": {
                name: {"status": "affirming", "grade": "run-time"}
                for name in capabilities
            },
            **changes,
        }
        payload = {k: v for k, v in payload.items() if v is not None}
        return jwt.encode(payload, self._key, "ES256", {"kid": self.kid})


def jwk_set(*signers: Signer) -> bytes:
    """Return the keys of an authority, as its ``keys_file`` has them."""
    return json.dumps({"keys": [signer.jwk() for signer in signers]}).encode()
