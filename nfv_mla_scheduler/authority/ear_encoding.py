# SPDX-License-Identifier: Apache-2.0
"""The two encodings of a token, base64url and JSON, each read strictly.

Pure.  Objects are first parsed to tuples of pairs, which loses nothing, and
become dictionaries where somebody reads them: what was read before need not
be looked through again.
"""

from __future__ import annotations

import binascii
import json
from typing import Any
from typing import NoReturn

from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.results.strict_json import DEPTH_MAX

Pairs = tuple[tuple[str, Any], ...]


# Whatever is not of the base64url alphabet becomes what is of no alphabet.
_ALPHABET = bytes.maketrans(b"-_+/", b"+/!!")
_PADDING = (b"", b"!", b"==", b"=")
# What a last character can be of which four, or two, bits are left over.
_LAST = (None, None, frozenset(b"AQgw"), frozenset(b"AEIMQUYcgkosw048"))


def decoded(text: bytes) -> bytes | None:
    """Return what base64url without padding stands for; None: it is none.

    RFC 4648, section 5, and no other spelling of the same bytes: what is left
    over of the last character has to be zero (section 3.5).
    """
    rest = len(text) % 4
    last = _LAST[rest]
    if text.endswith(b"=") or (last is not None and text[-1] not in last):
        return None
    # Most text has none of them, and to look is cheaper than to translate.
    if b"-" in text or b"_" in text or b"+" in text or b"/" in text:
        text = text.translate(_ALPHABET)
    try:
        return binascii.a2b_base64(text + _PADDING[rest], strict_mode=True)
    except binascii.Error:
        return None


class _NoNumberError(ValueError):
    """Raised for NaN and the infinities, which JSON does not have."""


def _no_constant(name: str) -> NoReturn:
    raise _NoNumberError(f"{name} is not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple, parse_constant=_no_constant
)


def parse_object(data: bytes, what: str) -> Pairs:
    """Return the pairs of the one object in ``data``, whatever is below.

    Below, objects are tuples of pairs and arrays are lists: see
    :func:`unfolded`.

    :param what: the part of the token, for the error
    :raises TokenRefused: MALFORMED or TOO_DEEP
    """
    try:
        value: Any = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise _malformed(what, "is not UTF-8") from None
    except json.JSONDecodeError as exc:
        raise _malformed(
            what, f"is not JSON: {exc.msg} at character {exc.pos}"
        ) from None
    except _NoNumberError as exc:
        raise _malformed(what, str(exc)) from None
    except RecursionError:
        raise too_deep(what) from None
    except (ValueError, MemoryError):
        raise _malformed(what, "is not JSON that can be read") from None
    if type(value) is not tuple:
        raise _malformed(what, "is not a JSON object")
    return value


def unfolded(value: Any, what: str, depth: int = 1) -> Any:
    """Return a parsed value with dictionaries in place of pairs.

    :param depth: at which the value stands, 1 for the whole
    :raises TokenRefused: MALFORMED for a key that stands twice in an object;
        TOO_DEEP beyond ``DEPTH_MAX``
    """
    kind = type(value)
    if kind is not tuple and kind is not list:
        return value
    if depth > DEPTH_MAX:
        raise too_deep(what)
    if kind is list:
        return [unfolded(item, what, depth + 1) for item in value]
    found = distinct(value, what)
    for key, item in found.items():
        found[key] = unfolded(item, what, depth + 1)
    return found


def distinct(pairs: Pairs, what: str) -> dict[str, Any]:
    """Return the pairs of one object, unless a key stands there twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _malformed(what, f"has {bounded(key)!r} twice")
            seen.add(key)
    return found


def too_deep(what: str) -> TokenRefused:
    """Return the refusal of what nests too deep."""
    return TokenRefused(
        TokenCode.TOO_DEEP,
        f"{what}: brackets nest deeper than {DEPTH_MAX} levels",
    )


def _malformed(what: str, message: str) -> TokenRefused:
    return TokenRefused(TokenCode.MALFORMED, f"{what} {message}")
