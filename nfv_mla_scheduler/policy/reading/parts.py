# SPDX-License-Identifier: Apache-2.0
"""A document under examination: its parts, and everything wrong with them.

Pure.  A part that does not have the shape it should have reads as empty: its
shape has been reported already, and what else is wrong is still to be found.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import FORM
from nfv_mla_scheduler.policy.instants import read_instant
from nfv_mla_scheduler.standard.strict_yaml import Path
from nfv_mla_scheduler.standard.strict_yaml import YamlDocument
from nfv_mla_scheduler.standard.strict_yaml import format_path

PROBLEMS_MAX = 1000


class Report:
    """Collects problems, each with its path and its line."""

    def __init__(self, document: YamlDocument) -> None:
        self._document = document
        self._problems: dict[Problem, None] = {}

    def add(self, path: Path, message: str, value: object = "") -> None:
        """Note a problem; the same one twice is one."""
        problem = Problem(
            format_path(path), message, show(value), self._document.line(path)
        )
        self._problems[problem] = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems in the order of their lines, PROBLEMS_MAX at most."""
        found = sorted(self._problems, key=lambda p: (p.line, p.path))
        if len(found) > PROBLEMS_MAX:
            left = len(found) - PROBLEMS_MAX
            found[PROBLEMS_MAX:] = [
                Problem("document", f"and {left} more problems")
            ]
        return tuple(found)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One value of a document, and where it stands."""

    report: Report
    path: Path
    value: Any

    def wrong(self, message: str, value: object = "") -> None:
        """Note what is wrong with this part."""
        self.report.add(self.path, message, value)

    def at(self, key: str) -> Part:
        """Return the part under ``key``, which may be absent."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Part(self.report, (*self.path, key), value)

    @property
    def present(self) -> bool:
        """Whether the document says anything here."""
        return self.value is not None

    def entries(self) -> Iterator[tuple[str, Part]]:
        """Yield names and parts of a mapping."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield key, Part(self.report, (*self.path, key), value)

    def items(self) -> Iterator[Part]:
        """Yield the parts of a list."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Part(self.report, (*self.path, index), value)

    def words(self) -> Iterator[tuple[str, Part]]:
        """Yield those items of a list that are text."""
        for item in self.items():
            if isinstance(item.value, str):
                yield item.value, item

    def text(self) -> str:
        """Return the text, or an empty one."""
        return self.value if isinstance(self.value, str) else ""

    def number(self, default: int) -> int:
        """Return the whole number, or the default."""
        return self.value if type(self.value) is int else default

    def flag(self, default: bool) -> bool:
        """Return the boolean, or the default."""
        return self.value if isinstance(self.value, bool) else default

    def instant(self, default: Instant) -> Instant:
        """Return the time, or the default; a time that is none is wrong."""
        text = self.text()
        if not text:
            return default
        at = read_instant(text)
        if at is None and FORM.fullmatch(text):
            self.wrong("is a date or time that does not exist", text)
        return default if at is None else at


def show(value: object) -> str:
    """Return a value as a problem shows it, bounded."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return bounded(value)
