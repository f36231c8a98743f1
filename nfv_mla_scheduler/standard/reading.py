# SPDX-License-Identifier: Apache-2.0
"""Walk through the catalogue's file, and say where something is wrong.

Pure.  A fault in the catalogue is a fault in this package, hence the first
one is enough: it is raised with the path at which it stands.
"""

from __future__ import annotations

import enum
from collections.abc import Container
from collections.abc import Iterator
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.errors import CatalogueError
from nfv_mla_scheduler.standard.strict_yaml import Path
from nfv_mla_scheduler.standard.strict_yaml import format_path

Word = TypeVar("Word", bound=enum.Enum)


class Place:
    """A value and the path at which it stands."""

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: Path = ()) -> None:
        self.value = value
        self.path = path

    def fault(self, message: str) -> CatalogueError:
        """Return the error to raise about this place."""
        return CatalogueError(f"{format_path(self.path)}: {message}")

    def only(self, *keys: str) -> Place:
        """Return this place if it is a mapping without any other keys."""
        extra = set(self._mapping()) - set(keys)
        if extra:
            raise self.fault(f"unknown: {', '.join(sorted(extra))}")
        return self

    def at(self, key: str) -> Place:
        """Return the entry ``key``, which has to be there."""
        if key not in self._mapping():
            raise self.fault(f"{key} is missing")
        return self._child(key)

    def maybe(self, key: str) -> Place:
        """Return the entry ``key``, or a place that holds ``None``."""
        value = self._mapping().get(key)
        return Place(value, (*self.path, key))

    def given(self) -> bool:
        """Whether there is a value here at all."""
        return self.value is not None

    def entries(self) -> Iterator[tuple[str, Place]]:
        """Yield the entries of a mapping, or nothing for ``None``."""
        if self.value is not None:
            for key in self._mapping():
                yield key, self._child(key)

    def each(self) -> Iterator[Place]:
        """Yield the items of a list, or nothing for ``None``."""
        if self.value is not None:
            if not isinstance(self.value, list):
                raise self.fault("must be a list")
            for index in range(len(self.value)):
                yield self._child(index)

    def text(self) -> str:
        """Return a string that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.fault("must be a string")
        return self.value

    def text_of(self, known: Container[str]) -> str:
        """Return a string that is one of ``known``."""
        if self.text() not in known:
            raise self.fault(f"{self.text()} is not known")
        return self.text()

    def number(self) -> int:
        """Return a whole number above zero."""
        if type(self.value) is not int or self.value < 1:
            raise self.fault("must be a number above zero")
        return self.value

    def flag(self) -> bool:
        """Return ``true`` or ``false``."""
        if not isinstance(self.value, bool):
            raise self.fault("must be true or false")
        return self.value

    def word(self, words: type[Word]) -> Word:
        """Return the member of ``words`` that is meant."""
        try:
            return words(self.value)
        except ValueError:
            known = ", ".join(str(member.value) for member in words)
            raise self.fault(f"not one of {known}") from None

    def texts(self, known: Container[str] | None = None) -> tuple[str, ...]:
        """Return a list of strings, each once and each in ``known``."""
        found: list[str] = []
        for item in self.each():
            text = item.text()
            if text in found:
                raise item.fault(f"{text} stands there twice")
            if known is not None and text not in known:
                raise item.fault(f"{text} is not known")
            found.append(text)
        return tuple(found)

    def _child(self, step: str | int) -> Place:
        return Place(self.value[step], (*self.path, step))

    def _mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.fault("must be a mapping")
        return self.value
