# SPDX-License-Identifier: Apache-2.0
"""A value of ``attesters.yaml``, with its path and line.  Pure.

The first thing at fault is raised: a file that somebody edits is read again
as soon as that is mended.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.standard.strict_yaml import Path
from nfv_mla_scheduler.standard.strict_yaml import YamlDocument
from nfv_mla_scheduler.standard.strict_yaml import format_path

Word = TypeVar("Word", bound=enum.Enum)

_DECIMAL = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)


class Place:
    """A value and where it stands."""

    __slots__ = ("document", "path", "value")

    def __init__(
        self, document: YamlDocument, value: Any, path: Path = ()
    ) -> None:
        self.document = document
        self.value = value
        self.path = path

    def wrong(self, message: str, value: object = None) -> DocumentError:
        """Return the error to raise about this place."""
        return self.wrong_at(format_path(self.path), message, value)

    def wrong_at(
        self,
        shown_path: str,
        message: str,
        value: object = None,
        below: Path = (),
    ) -> DocumentError:
        """Return the error about a place below this one."""
        shown = "" if value is None else strict_json.shown(value)
        line = self.document.line((*self.path, *below))
        return DocumentError((Problem(shown_path, message, shown, line),))

    def only(self, keys: Collection[str]) -> Place:
        """Return this place if it is a mapping without any other keys."""
        for key, place in self.entries():
            if key not in keys:
                known = ", ".join(sorted(keys))
                raise place.wrong(f"is not known here; known: {known}")
        return self

    def at(self, key: str, default: Any = None) -> Place:
        """Return the entry ``key`` of a mapping, or one with the default."""
        value = self._mapping().get(key, default)
        return Place(self.document, value, (*self.path, key))

    def entries(self) -> Iterator[tuple[str, Place]]:
        """Yield the entries of a mapping."""
        for key, value in self._mapping().items():
            yield key, Place(self.document, value, (*self.path, key))

    def has(self, key: str) -> bool:
        """Whether a mapping has that key."""
        return key in self._mapping()

    def word(self, words: type[Word]) -> Word:
        """Return the member of ``words`` that is meant."""
        try:
            return words(self.value)
        except ValueError:
            known = ", ".join(str(word.value) for word in words)
            raise self.wrong(f"must be one of {known}", self.value) from None

    def choice(self, choices: Collection[str]) -> str:
        """Return one of ``choices``."""
        if not isinstance(self.value, str) or self.value not in choices:
            raise self.wrong(
                f"must be one of {', '.join(choices)}", self.value
            )
        return str(self.value)

    def name(self) -> str:
        """Return an identifier."""
        if not strict_json.is_name(self.value):
            raise self.wrong(
                "must be 1 to 255 printable characters; quote digits",
                self.value,
            )
        return self.value

    def flag(self) -> bool:
        """Return ``true`` or ``false``."""
        if not isinstance(self.value, bool):
            raise self.wrong("must be true or false", self.value)
        return self.value

    def whole(self, least: int, greatest: int) -> int:
        """Return a whole number within bounds."""
        number = self.value
        if type(number) is not int or not least <= number <= greatest:
            said = f"must be a whole number from {least} to {greatest}"
            raise self.wrong(said, number)
        return number

    def number(self, least: float, greatest: float) -> float:
        """Return a number; strict YAML leaves one with a dot as text."""
        text = str(self.value)
        fits = not isinstance(self.value, bool) and _DECIMAL.fullmatch(text)
        if not fits or not least <= float(text) <= greatest:
            said = f"must be a number from {least:g} to {greatest:g}"
            raise self.wrong(said, self.value)
        return float(text)

    def _mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.wrong("must be a mapping", self.value)
        return self.value
