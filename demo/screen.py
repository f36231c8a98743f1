# SPDX-License-Identifier: Apache-2.0
"""How the demo looks: plain, aligned text; colour on a terminal only."""

from __future__ import annotations

import textwrap
import typing as ty
from collections.abc import Iterable
from collections.abc import Sequence

WIDTH = 98
_ASKED_AT, _ANSWER_AT = 6, 50
_WHY = "why  "
_BOLD, _DIM, _GREEN, _RED = "1", "2", "32", "31"


class Screen:
    """Writes the demo's lines to a stream, each at once."""

    def __init__(self, stream: ty.TextIO, *, colour: bool) -> None:
        self._stream = stream
        self._colour = colour

    def line(self, text: str = "") -> None:
        """Write one line as it is."""
        print(text, file=self._stream, flush=True)

    def heading(self, title: str, right: str = "") -> None:
        """Write a heading, after an empty line."""
        gap = " " * max(2, WIDTH - len(title) - len(right))
        more = self._in(_DIM, gap + right) if right else ""
        self.line()
        self.line(self._in(_BOLD, title) + more)

    def text(self, text: str, indent: int = 0) -> None:
        """Write a paragraph."""
        for line in _wrapped(text, WIDTH - indent):
            self.line(" " * indent + line)

    def event(self, text: str) -> None:
        """Write what happens in the scene beside requests to Nova."""
        for number, line in enumerate(_wrapped(text, WIDTH - _ASKED_AT)):
            mark = "  --  " if number == 0 else " " * _ASKED_AT
            self.line(self._in(_DIM, mark + line))

    def step(self, good: bool, asked: str, answered: str) -> None:
        """Write what was asked, and beside it what Nova answered."""
        left = _wrapped(asked, _ANSWER_AT - _ASKED_AT - 2)
        right = _wrapped(answered, WIDTH - _ANSWER_AT)
        verdict = self._in(_GREEN, "ok") if good else self._in(_RED, "NO")
        mark = f"  {verdict}  "
        for number in range(max(len(left), len(right))):
            asked_part = left[number] if number < len(left) else ""
            answer_part = right[number] if number < len(right) else ""
            width = _ANSWER_AT - _ASKED_AT
            self.line(f"{mark}{asked_part:<{width}}{answer_part}".rstrip())
            mark = " " * _ASKED_AT

    def why(self, reasons: Iterable[str]) -> None:
        """Write the reasons of the step above."""
        mark = _WHY
        for reason in reasons:
            for line in _wrapped(reason, WIDTH - _ASKED_AT - len(_WHY)):
                self.line(self._in(_DIM, " " * _ASKED_AT + mark + line))
                mark = " " * len(_WHY)

    def output(self, command: str, lines: Iterable[str]) -> None:
        """Write a command and what it printed, as it is."""
        for line in (f"$ {command}", *lines):
            self.line(self._in(_DIM, f"{' ' * _ASKED_AT}{line}".rstrip()))

    def failure(self, expected: str, answered: str) -> None:
        """Write what was expected of a step, and what came instead."""
        for label, text in (("expected", expected), ("instead", answered)):
            lines = _wrapped(text, WIDTH - _ASKED_AT - 10)
            for number, line in enumerate(lines):
                word = label if number == 0 else ""
                shown = f"{'':{_ASKED_AT}}{word:<10}{line}"
                self.line(self._in(_RED, shown))

    def table(
        self, headings: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> None:
        """Write a table whose columns are as wide as they need to be."""
        rows = [tuple(headings), *map(tuple, rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for number, row in enumerate(rows):
            cells = (f"{c:<{w}}" for c, w in zip(row, widths, strict=True))
            text = "  " + "  ".join(cells).rstrip()
            self.line(self._in(_BOLD, text) if number == 0 else text)

    def _in(self, style: str, text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._colour else text


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]
