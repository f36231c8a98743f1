# SPDX-License-Identifier: Apache-2.0
"""JSON from strangers: bounded in depth, no key twice, no NaN.

Pure.  What this refuses is refused before or while it is parsed, so that no
document, however odd, costs more than its length in time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from typing import NoReturn
from typing import TypeGuard

from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded

DEPTH_MAX = 16
NUMBER_MAX = 2**53
NAME_MAX = 255

_BRACKETS = b"[]{}"
_NOT_BRACKETS = bytes(set(range(256)) - set(_BRACKETS))


class _Fault(ValueError):
    """What the hooks of the parser raise."""


def invalid(path: str, message: str, value: object = "") -> ResultsRefused:
    """Return the refusal of a whole document for what is at ``path``."""
    said = f" ({shown(value)!r})" if value != "" else ""
    return ResultsRefused(
        ResultsCode.INVALID, f"{bounded(path)}: {message}{said}"
    )


def shown(value: object) -> str:
    """Return what an error shows of a value, which may be of any size."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return bounded(value)


def parse(data: bytes, what: str) -> Any:
    """Return the value that ``data`` holds.

    :param what: the part of the document, for the error
    :raises ResultsRefused: TOO_DEEP beyond ``DEPTH_MAX``, otherwise INVALID
    """
    if not _shallow(data):
        raise ResultsRefused(
            ResultsCode.TOO_DEEP,
            f"{what}: brackets nest deeper than {DEPTH_MAX} levels",
        )
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_each_key_once,
            parse_constant=_no_constant,
        )
    except _Fault as exc:
        raise invalid(what, str(exc)) from None
    except UnicodeDecodeError:
        raise invalid(what, "is not UTF-8") from None
    except json.JSONDecodeError as exc:
        raise invalid(
            what, f"is not JSON: {exc.msg} at character {exc.pos}"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise invalid(what, "is not JSON that can be read") from None


def _shallow(data: bytes) -> bool:
    """Whether brackets outside strings nest at most ``DEPTH_MAX`` deep.

    Works from the inside out, one level a round.  Exact for JSON; for what
    is not JSON it is exact up to the place where a parser gives up.
    """
    if data.count(b"[") + data.count(b"{") <= DEPTH_MAX:
        return True
    unescaped = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    left = outside.translate(None, _NOT_BRACKETS)
    for _ in range(DEPTH_MAX):
        if not left:
            break
        left = left.replace(b"[]", b"").replace(b"{}", b"")
    return not left


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, unless one of its keys stands there twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Fault(f"the key {bounded(key)!r} is there twice")
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise _Fault(f"{name} is not a number")


def fields(
    value: Any,
    path: str,
    required: Sequence[str],
    optional: Sequence[str] = (),
) -> dict[str, Any]:
    """Return ``value`` as an object with these keys and no others."""
    if type(value) is not dict:
        raise invalid(path, "must be an object")
    for key in required:
        if key not in value:
            raise invalid(path, f"lacks the key {key!r}")
    for key in value:
        if key not in required and key not in optional:
            raise invalid(path, "has a key that is not known", key)
    return value


def mapping(value: Any, path: str) -> dict[str, Any]:
    """Return ``value`` as an object."""
    if type(value) is not dict:
        raise invalid(path, "must be an object")
    return value


def array(value: Any, path: str) -> list[Any]:
    """Return ``value`` as an array."""
    if type(value) is not list:
        raise invalid(path, "must be an array")
    return value


def is_name(value: Any) -> TypeGuard[str]:
    """Whether ``value`` is an identifier: printable and of sane length."""
    return (
        type(value) is str
        and 0 < len(value) <= NAME_MAX
        and value.isprintable()
    )


def is_number(value: Any) -> TypeGuard[float]:
    """Whether ``value`` is a number from 0 to 2**53; a bool is none."""
    return type(value) in (int, float) and 0 <= value <= NUMBER_MAX


def number(value: Any, path: str) -> float:
    """Return ``value`` as a number."""
    if not is_number(value):
        raise invalid(path, "must be a number from 0 to 2**53", value)
    return float(value)


def numbers(value: Any, path: str) -> list[float]:
    """Return ``value`` as an array of numbers, all checked at once."""
    column = array(value, path)
    if column and not (
        set(map(type, column)) <= {int, float}
        and min(column) >= 0
        and max(column) <= NUMBER_MAX
    ):
        wrong = next(x for x in column if not is_number(x))
        raise invalid(path, "holds what is no number from 0 to 2**53", wrong)
    return column


def numbers_or_null(value: Any, path: str) -> list[float | None]:
    """Return ``value`` as an array of numbers and nulls."""
    column = array(value, path)
    numbers([x for x in column if x is not None], path)
    return column


def names(value: Any, path: str) -> list[str | None]:
    """Return ``value`` as an array of identifiers and nulls."""
    column = array(value, path)
    for found in set(map(type, column)) - {str, type(None)}:
        raise invalid(path, "must hold strings and nulls", found.__name__)
    for text in set(column) - {None}:
        if not is_name(text):
            raise invalid(path, "holds an unfit identifier", text)
    return column
