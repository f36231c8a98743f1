# SPDX-License-Identifier: Apache-2.0
"""Issue a token about one attester: an EAR, really signed, or one at fault.

Pure but for the randomness in a signature.  doc/source/reference/ear.rst
describes what stands in one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import jwt

from nfv_mla_scheduler.lab.keys import ALGORITHM
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.keys import base64url
from nfv_mla_scheduler.lab.values import Attester
from nfv_mla_scheduler.lab.values import Roster
from nfv_mla_scheduler.lab.values import Wrong
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.ear_names import LOCATION_CLAIM
from nfv_mla_scheduler.results.ear_names import PRIVATE_CLAIM
from nfv_mla_scheduler.results.ear_names import PROFILES
from nfv_mla_scheduler.results.ear_names import SUBMODS
from nfv_mla_scheduler.results.ear_names import Spelling

SUBMOD = "host"
VERIFIER = {"developer": "nfv-mla-scheduler", "build": "lab, attests nothing"}
PADDING = 2**17
DEPTH = 100
EXPIRED_AGO_S = 60

_CONTRAINDICATED = 96
_JWS = jwt.PyJWS()

Payload = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Issuer:
    """Issues the tokens of a roster."""

    keys: Keys
    roster: Roster

    def issue(self, attester: Attester, other: Attester, now: Instant) -> str:
        """Return a token about ``attester``, as its knobs have it.

        :param other: the attester whose token ``wrong: other-attester`` gives
        """
        knobs = attester.knobs
        about = other if knobs.wrong is Wrong.OTHER_ATTESTER else attester
        at = int(now + knobs.ahead_s)
        if knobs.expired:
            at -= self.roster.lifetime_s + EXPIRED_AGO_S
        payload = self._payload(about, at)
        names = PROFILES[self.roster.profile]
        if knobs.wrong is not None:
            _DAMAGES.get(knobs.wrong, _nothing)(payload, names)
        text = json.dumps(payload, separators=(",", ":"))
        if knobs.wrong is Wrong.CLAIM_TWICE:
            text = f'{text[:-1]},"sub":{json.dumps(about.name)}}}'
        return self._sign(text.encode(), knobs.wrong)

    def _payload(self, attester: Attester, at: int) -> Payload:
        names = PROFILES[self.roster.profile]
        submod: Payload = {names.status: attester.status.value}
        if attester.vector:
            submod[names.vector] = dict(attester.vector)
        payload = {
            "eat_profile": self.roster.profile,
            "sub": attester.name,
            "iat": at,
            "exp": at + self.roster.lifetime_s,
            names.verifier: VERIFIER,
            SUBMODS: {SUBMOD: submod},
            PRIVATE_CLAIM: dict(attester.claims),
            **attester.boot,
        }
        if self.roster.issuer:
            payload["iss"] = self.roster.issuer
        if attester.location:
            payload[LOCATION_CLAIM] = dict(attester.location)
        return payload

    def _sign(self, payload: bytes, wrong: Wrong | None) -> str:
        keys = self.keys
        headers = {"kid": keys.kid}
        key, algorithm = keys.own, ALGORITHM
        if wrong is Wrong.NO_TOKEN:
            return "this is no token"
        if wrong is Wrong.HS256:
            return _with_public_key_as_secret(payload, keys)
        if wrong is Wrong.ALG_NONE:
            return _JWS.encode(payload, "", "none", headers)
        if wrong is Wrong.UNKNOWN_KID:
            headers = {"kid": f"not-{keys.kid}"}
        if wrong is Wrong.KEY:
            key = keys.stranger
        return _JWS.encode(payload, key, algorithm, headers)


def _with_public_key_as_secret(payload: bytes, keys: Keys) -> str:
    """Return a token that takes verifiers in which leave ``alg`` to it.

    PyJWT refuses to make one.
    """
    header = {"alg": "HS256", "kid": keys.kid, "typ": "JWT"}
    text = json.dumps(header, separators=(",", ":")).encode()
    signed = f"{base64url(text)}.{base64url(payload)}"
    mac = hmac.digest(keys.public_pem(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64url(mac)}"


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth - 1):
        found = [found]
    return found


def _nothing(payload: Payload, names: Spelling) -> None:
    """Leave the payload alone: it is the signature that is wrong."""


def _status(status: str) -> Callable[[Payload, Spelling], None]:
    def damage(payload: Payload, names: Spelling) -> None:
        payload[SUBMODS][SUBMOD][names.status] = status

    return damage


def _status_too_good(payload: Payload, names: Spelling) -> None:
    submod = payload[SUBMODS][SUBMOD]
    submod[names.status] = Status.AFFIRMING.value
    vector = submod.get(names.vector, {})
    submod[names.vector] = {**vector, "executables": _CONTRAINDICATED}


def _bad_claim(payload: Payload, names: Spelling) -> None:
    claim = {"status": "affirming", "grade": "boot", "values": ["good-enough"]}
    payload[PRIVATE_CLAIM]["tpm"] = claim


_DAMAGES: Mapping[Wrong, Callable[[Payload, Spelling], object]] = {
    Wrong.NO_ATTESTER: lambda payload, names: payload.pop("sub"),
    Wrong.OTHER_ISSUER: lambda payload, names: payload.update(
        iss="another-authority"
    ),
    Wrong.OTHER_AUDIENCE: lambda payload, names: payload.update(
        aud="somebody-else"
    ),
    Wrong.OTHER_PROFILE: lambda payload, names: payload.update(
        eat_profile="tag:example.org,2026:other"
    ),
    Wrong.NO_VERIFIER: lambda payload, names: payload.pop(names.verifier),
    Wrong.NO_IAT: lambda payload, names: payload.pop("iat"),
    Wrong.NO_SUBMODS: lambda payload, names: payload.update({SUBMODS: {}}),
    Wrong.UNKNOWN_STATUS: _status("excellent"),
    Wrong.STATUS_TOO_GOOD: _status_too_good,
    Wrong.BAD_CLAIM: _bad_claim,
    Wrong.DEEP: lambda payload, names: payload.update(deep=_nested(DEPTH)),
    Wrong.OVERSIZED: lambda payload, names: payload.update(
        padding="x" * PADDING
    ),
}
