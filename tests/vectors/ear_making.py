# SPDX-License-Identifier: Apache-2.0
"""Make tokens for the vectors, good ones and ones at every kind of fault.

The keys are in ``ear_keys.json``; they sign nothing else.  Signatures of ECDSA
and PSS differ each time; everything else is the same.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from jwt.algorithms import get_default_algorithms

HERE = pathlib.Path(__file__).parent
NOW = 1_790_000_000
ATTESTER = "5d7c3c6e-0a70-4b5e-9d0e-000000000001"
OTHER = "5d7c3c6e-0a70-4b5e-9d0e-000000000002"
DOTTED = "tag:github.com,2023:veraison/ear"
TRUSTEE = "tag:github.com,2024:confidential-containers/Trustee"
DRAFT_03 = "tag:ietf.org,2026:rats/ear#03"
DRAFT_04 = "tag:ietf.org,2026:rats/ear#04"

PRIVATE = json.loads((HERE / "ear_keys.json").read_text(encoding="ascii"))
ALGORITHMS = get_default_algorithms()
BY_KEY = {
    "p256": "ES256",
    "stranger": "ES256",
    "p384": "ES384",
    "p521": "ES512",
    "ed": "EdDSA",
    "rsa": "PS256",
}
_PUBLIC = ("kty", "crv", "x", "y", "n", "e")

Json = Any


@dataclasses.dataclass(frozen=True)
class Case:
    """One vector, all but its name."""

    about: str
    token: str
    expect: Mapping[str, Json]
    rules: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    keys: Mapping[str, Json] = dataclasses.field(
        default_factory=lambda: key_set("p256")
    )
    now: float = NOW

    def as_json(self) -> dict[str, Json]:
        return {
            "about": self.about,
            "token": self.token,
            "keys": self.keys,
            "now": self.now,
            "rules": self.rules,
            "expect": self.expect,
        }


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def public(name: str, algorithm: str | None = None) -> dict[str, Json]:
    """Return a public key as a JWK; its kid is its name."""
    jwk = {k: v for k, v in PRIVATE[name].items() if k in _PUBLIC}
    return {
        **jwk,
        "kid": name,
        "use": "sig",
        "alg": algorithm or BY_KEY[name],
    }


def key_set(*names: str) -> dict[str, Json]:
    return {"keys": [public(name) for name in names]}


def text(value: Json) -> str:
    """Return JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def replaced(payload: Json, old: str, new: str) -> str:
    """Return a payload as text, with one thing in it replaced."""
    whole = text(payload)
    assert whole.count(old) == 1, old
    return whole.replace(old, new)


def sign(signed: str, key: str, algorithm: str) -> str:
    """Return a signed token for the two parts that are signed."""
    ours = ALGORITHMS[algorithm]
    private = ours.from_jwk(PRIVATE[key])
    return f"{signed}.{b64(ours.sign(signed.encode(), private))}"


def token(
    payload: Mapping[str, Json] | str | bytes,
    key: str = "p256",
    algorithm: str | None = None,
    header: Mapping[str, Json] | str | None = None,
) -> str:
    """Return a token with a good signature.

    :param payload: text or bytes are taken as they are
    :param header: further members; or the whole of it as text
    """
    algorithm = algorithm or BY_KEY[key]
    if not isinstance(header, str):
        header = text({"alg": algorithm, "kid": key, **(header or {})})
    if isinstance(payload, Mapping):
        payload = text(payload)
    if isinstance(payload, str):
        payload = payload.encode()
    return sign(f"{b64(header.encode())}.{b64(payload)}", key, algorithm)


VECTOR = {
    "instance-identity": 2,
    "configuration": 2,
    "executables": 2,
    "hardware": 2,
}


def dotted(**changes: Json) -> dict[str, Json]:
    """Return the claims of a good token, changed at the top."""
    payload = {
        "eat_profile": DOTTED,
        "sub": ATTESTER,
        "iat": NOW - 10,
        "exp": NOW + 290,
        "ear.verifier-id": {
            "developer": "https://verifier.example",
            "build": "7.1",
        },
        "submods": {
            "host": {
                "ear.status": "affirming",
                "ear.trustworthiness-vector": dict(VECTOR),
                "ear.appraisal-policy-id": "policy:host/3",
            }
        },
    }
    return changed(payload, changes)


def underscored(profile: str = DRAFT_04, **changes: Json) -> dict[str, Json]:
    """Return the same as :func:`dotted` by the names of the later drafts."""
    payload = {
        "eat_profile": profile,
        "sub": ATTESTER,
        "iat": NOW - 10,
        "exp": NOW + 290,
        "ear_verifier_id": {
            "developer": "https://verifier.example",
            "build": "7.1",
        },
        "submods": {
            "host": {
                "ear_status": "affirming",
                "ear_trustworthiness_vector": dict(VECTOR),
                "ear_appraisal_policy_ids": ["policy:host/3"],
            }
        },
    }
    return changed(payload, changes)


def changed(
    payload: Mapping[str, Json], changes: Mapping[str, Json]
) -> dict[str, Json]:
    """Return a payload with other claims; ``...`` takes a claim away."""
    found = copy.deepcopy(dict(payload))
    for name, value in changes.items():
        if value is ...:
            del found[name]
        else:
            found[name] = value
    return found


def submod(status: Json = "affirming", **more: Json) -> dict[str, Json]:
    """Return an appraisal in the dotted spelling; ``vector``: of its own."""
    vector = more.pop("vector", None)
    found = {"ear.status": status}
    if vector is not None:
        found["ear.trustworthiness-vector"] = vector
    return {**found, **more}


def claim(
    status: str = "affirming", grade: str = "run-time", values: Json = None
) -> dict[str, Json]:
    """Return a claim as it travels."""
    found: dict[str, Json] = {"status": status, "grade": grade}
    if values:
        found["values"] = values
    return found


def attested(status: str = "affirming", **claims: Json) -> dict[str, Json]:
    """Return claims with that of the token's status; ``_`` is ``-``."""
    found = {"attestation": claim(status)}
    for name, one in claims.items():
        found[name.replace("_", "-")] = one
    return found


def result(
    claims: Json = None,
    attester: str = ATTESTER,
    at: float = NOW - 10,
    until: float | None = NOW + 290,
    boot: str | None = None,
) -> dict[str, Json]:
    """Return what is expected of a good token."""
    return {
        "result": {
            "attester": attester,
            "at": at,
            "until": until,
            "boot": boot,
            "claims": claims or attested(),
        }
    }


def refused(code: str) -> dict[str, Json]:
    """Return what is expected of a token at fault."""
    return {"refused": f"token-{code}"}
