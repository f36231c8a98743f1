# SPDX-License-Identifier: Apache-2.0
"""Open a token: find its key, and verify its signature.

Pure.  RFC 7515 in the compact serialization, held to RFC 8725: the header
chooses among the keys that the operator gave, and brings none.
"""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.authority import ear_encoding
from nfv_mla_scheduler.authority.ear_keys import ALGORITHMS
from nfv_mla_scheduler.authority.ear_keys import Key
from nfv_mla_scheduler.authority.ear_keys import Keys
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.results import strict_json

TOKEN_MAX = 64 * 2**10
HEADERS_MAX = 64

# RFC 7519, section 5.1; RFC 9782; what earlier drafts of EAR called it.
_TYPES = frozenset(("jwt", "eat+jwt", "eat-jwt"))


class Opener:
    """Opens tokens; remembers the headers under which signatures were good.

    Not for use by several threads at once.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._headers: dict[bytes, Key] = {}

    def open(self, token: bytes) -> bytes:
        """Return the payload of a token whose signature is good, encoded.

        :raises TokenRefused: TOO_LARGE, MALFORMED, TOO_DEEP, ALGORITHM,
            UNKNOWN_KEY, PROFILE or WRONG_SIGNATURE
        """
        if len(token) > TOKEN_MAX:
            raise TokenRefused(
                TokenCode.TOO_LARGE, f"the token has over {TOKEN_MAX} bytes"
            )
        if token.count(b".") != 2:
            raise TokenRefused(
                TokenCode.MALFORMED,
                f"has {token.count(b'.') + 1} parts between dots; a signed "
                "token has 3",
            )
        signed, _, signature = token.rpartition(b".")
        header, _, payload = signed.partition(b".")
        remembered = self._headers.get(header)
        key = remembered or self._key(header)
        if not key.verifies(signed, decoded(signature, "signature")):
            raise TokenRefused(
                TokenCode.WRONG_SIGNATURE,
                f"the signature was not made with the key {bounded(key.kid)}",
            )
        if remembered is None:
            self._remember(header, key)
        return payload

    def _remember(self, header: bytes, key: Key) -> None:
        """Keep what somebody with the key has signed, and nothing else."""
        if len(self._headers) >= HEADERS_MAX:
            self._headers.clear()
        self._headers[header] = key

    def _key(self, header: bytes) -> Key:
        """Return the key that a header names, if it may be used so."""
        found: dict[str, Any] = ear_encoding.unfolded(
            ear_encoding.parse_object(decoded(header, "header"), "header"),
            "header",
        )
        algorithm = found.get("alg")
        if type(algorithm) is not str or algorithm not in ALGORITHMS:
            raise TokenRefused(
                TokenCode.ALGORITHM,
                f"alg {strict_json.shown(algorithm)!r} is not taken",
            )
        kid = found.get("kid")
        if type(kid) is not str or kid not in self._keys:
            raise TokenRefused(
                TokenCode.UNKNOWN_KEY,
                "the key set has no key with the kid "
                f"{strict_json.shown(kid)!r}",
            )
        key = self._keys[kid]
        if key.algorithm != algorithm:
            raise TokenRefused(
                TokenCode.ALGORITHM,
                f"alg {algorithm} is not that of the key {bounded(kid)}, "
                f"{key.algorithm}",
            )
        _check_extensions(found)
        return key


def _check_extensions(header: dict[str, Any]) -> None:
    """Refuse a header that changes what the token is."""
    for name in ("crit", "b64"):
        if name in header:
            raise TokenRefused(
                TokenCode.MALFORMED,
                f"the header asks for an extension with {name!r}; none is "
                "supported",
            )
    if "typ" not in header:
        return
    typ = header["typ"]
    essence = typ.partition(";")[0].strip() if type(typ) is str else ""
    if essence.lower().removeprefix("application/") not in _TYPES:
        raise TokenRefused(
            TokenCode.PROFILE,
            f"typ {strict_json.shown(typ)!r} is that of another kind of token",
        )


def decoded(text: bytes, what: str) -> bytes:
    """Return what a part of a token stands for.

    :raises TokenRefused: MALFORMED
    """
    data = ear_encoding.decoded(text)
    if data is None:
        raise TokenRefused(
            TokenCode.MALFORMED,
            f"the {what} is not base64url without padding",
        )
    return data
