# SPDX-License-Identifier: Apache-2.0
"""Know again a payload that differs from another only in a few values.

Pure.  The tokens of an authority are mostly the same text, but for whom they
are about, when they were issued and which boot was seen.  A template is the
text of a payload that was read strictly, cut at these values; a payload that
fits it needs no parsing, and means the same but for them.

That a payload fits says all that parsing would have said: a value is cut out
only where it stands as a whole after its key, and only a number may stand in
place of a number, and text without quotes and escapes in place of such text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import TypeVar

from nfv_mla_scheduler.authority import ear_encoding
from nfv_mla_scheduler.errors import TokenRefused

TEMPLATES_MAX = 256
OF_ONE_LENGTH_MAX = 8

_NAME = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)
# Text that stands in JSON as it is.
_TEXT = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@-"
_DIGITS_MAX = 16
_ZERO = ord("0")

Value = str | int
Values = dict[str, Value]
_Meaning = TypeVar("_Meaning")


class _Cut(NamedTuple):
    """Where a value stands: quotes are not part of it."""

    start: int
    end: int
    name: str
    is_text: bool


class Template:
    """Text cut where values of one token stand."""

    __slots__ = ("_cuts", "_first")

    def __init__(self, text: bytes, cuts: list[_Cut]) -> None:
        ends = [*(cut.start for cut in cuts[1:]), len(text)]
        self._first = text[: cuts[0].start]
        self._cuts = tuple(
            (cut.name, cut.is_text, text[cut.end : end])
            for cut, end in zip(cuts, ends, strict=True)
        )

    def values(self, text: bytes) -> Values | None:
        """Return the values in a text that fits; ``None``: it does not.

        What comes after a value begins with what no value holds, so that a
        value ends where that is found first.
        """
        if not text.startswith(self._first):
            return None
        found: Values = {}
        at = len(self._first)
        for name, is_text, after in self._cuts:
            end = text.find(after, at)
            if end < 0:
                return None
            value = text[at:end]
            if is_text:
                if not _is_text(value):
                    return None
                found[name] = value.decode("ascii")
            else:
                if not _is_number(value):
                    return None
                found[name] = int(value)
            at = end + len(after)
        return found if at == len(text) else None

    def filled(self, values: Mapping[str, Value]) -> bytes:
        """Return the text with these values, each fit for its place."""
        found = [self._first]
        for name, _, after in self._cuts:
            found += [str(values[name]).encode("ascii"), after]
        return b"".join(found)


def _is_text(value: bytes) -> bool:
    """Whether it is text that stands in JSON as it is."""
    return not value.translate(None, _TEXT)


def _is_number(value: bytes) -> bool:
    """Whether it is a whole number as JSON has it."""
    return (
        value.isdigit()
        and len(value) <= _DIGITS_MAX
        and (value[0] != _ZERO or len(value) == 1)
    )


def cuts_of(
    text: bytes, own: Mapping[str, Any], rest: Mapping[str, Any]
) -> list[_Cut]:
    """Return where the values of one token stand; none, if that is in doubt.

    :param text: the payload
    :param own: the values at the top of the payload that are of this token
    :param rest: what else is at its top, objects in pairs
    """
    cuts = []
    for name, value in own.items():
        cut = _cut(text, name, value)
        if cut is None:
            return []
        cuts.append(cut)
    if not cuts:
        return []
    cuts.sort()
    # Other values in the same places have to come out as these claims, and
    # to leave all others as they were.
    others: Values = {
        cut.name: f"another-{cut.name}" if cut.is_text else 10 + number
        for number, cut in enumerate(cuts)
    }
    filled = Template(text, cuts).filled(others)
    try:
        read = dict(ear_encoding.parse_object(filled, "it"))
    except TokenRefused:
        return []
    return cuts if read == {**rest, **others} else []


def _cut(text: bytes, name: str, value: Any) -> _Cut | None:
    """Return where the value of a key stands, if that is beyond doubt."""
    is_text = type(value) is str
    if not _NAME.fullmatch(name) or not (is_text or type(value) is int):
        return None
    shown = str(value).encode("utf-8", "replace")
    if not (_is_text(shown) if is_text else _is_number(shown)):
        return None
    quote = b'"' if is_text else b""
    key = f'"{name}":'.encode("ascii")
    found = [
        text.index(before + shown + quote) + len(before)
        for before in (key + quote, key + b" " + quote)
        if text.count(before + shown + quote) == 1
    ]
    if len(found) != 1:
        return None
    return _Cut(found[0], found[0] + len(shown), name, is_text)


class _Text(NamedTuple):
    """The end of an encoded payload, and the template of what is before."""

    end: bytes
    template: Template
    meaning: Any


class Templates(Generic[_Meaning]):
    """What was read of payloads, by their text; bounded.

    Looked up by length: what differs between tokens is mostly as long.  Of
    the end that two have in common not even the encoding is looked through.
    """

    def __init__(self) -> None:
        self._found: dict[int, list[_Text]] = {}
        self._count = 0

    def find(self, encoded: bytes) -> tuple[Values, _Meaning] | None:
        """Return the values of a payload that is known, and what it means."""
        for end, template, meaning in self._found.get(len(encoded), ()):
            if encoded.endswith(end):
                start = ear_encoding.decoded(
                    encoded[: len(encoded) - len(end)]
                )
                if start is None:
                    return None
                values = template.values(start)
                if values is not None:
                    return values, meaning
        return None

    def add(
        self,
        encoded: bytes,
        own: Mapping[str, Any],
        rest: Mapping[str, Any],
        meaning: _Meaning,
    ) -> None:
        """Remember a payload that was read strictly, if it can be cut."""
        alike = self._found.get(len(encoded), [])
        if len(alike) >= OF_ONE_LENGTH_MAX or self._count >= TEMPLATES_MAX:
            return
        text = ear_encoding.decoded(encoded) or b""
        cuts = cuts_of(text, own, rest)
        if not cuts:
            return
        # Three bytes are four characters, so that the end is cut there.
        triples = cuts[-1].end // 3 + 1
        end = encoded[triples * 4 :] if triples * 3 < len(text) else b""
        template = Template(text[: triples * 3], cuts)
        self._found[len(encoded)] = [*alike, _Text(end, template, meaning)]
        self._count += 1

    def clear(self) -> None:
        """Forget all of them."""
        self._found.clear()
        self._count = 0
