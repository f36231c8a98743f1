# SPDX-License-Identifier: Apache-2.0
"""How the demo looks: plain, aligned text; colour on a terminal only."""

from __future__ import annotations

import itertools
import textwrap
import typing as ty
from collections.abc import Iterable
from collections.abc import Sequence

# Where there is no terminal.
WIDTH = 98
_LEAST, _MOST = 80, 120
_ASKED_AT, _OUTPUT_AT = 6, 4
# The longest hint fits left of it.
_ANSWER_AT = 46
_WHY = "why  "
_BOLD, _DIM, _GREEN, _RED = "1", "2", "32", "31"


class Screen:
    """Writes the demo's lines to a stream, each at once."""

    def __init__(
        self, stream: ty.TextIO, *, colour: bool, width: int = WIDTH
    ) -> None:
        self._stream = stream
        self._colour = colour
        self.width = min(max(width, _LEAST), _MOST)
        self._answer_at = max(_ANSWER_AT, self.width // 2 + 1)

    @property
    def room(self) -> int:
        """How wide what a command prints may be."""
        return self.width - _OUTPUT_AT

    def line(self, text: str = "") -> None:
        """Write one line as it is."""
        print(text, file=self._stream, flush=True)

    def heading(self, title: str, right: str = "") -> None:
        """Write a heading, after an empty line."""
        gap = self.width - len(title) - len(right)
        if gap < 2:
            gap = self.width - len(right)
            title += "\n"
        more = self._in(_DIM, " " * gap + right) if right else ""
        self.line()
        self.line(self._in(_BOLD, title) + more)

    def text(self, text: str, indent: int = 0) -> None:
        """Write a paragraph."""
        for line in _wrapped(text, self.width - indent):
            self.line(" " * indent + line)

    def event(self, text: str) -> None:
        """Write what happens in the scene beside requests to Nova."""
        for number, line in enumerate(_wrapped(text, self.width - _ASKED_AT)):
            mark = "  --  " if number == 0 else " " * _ASKED_AT
            self.line(self._in(_DIM, mark + line))

    def step(self, good: bool, asked: str, answered: str) -> None:
        """Write what was asked, and beside it what Nova answered."""
        left = _wrapped(asked, self._answer_at - _ASKED_AT - 2)
        right = _wrapped(answered, self.width - self._answer_at)
        verdict = self._in(_GREEN, "ok") if good else self._in(_RED, "NO")
        mark = f"  {verdict}  "
        for number in range(max(len(left), len(right))):
            asked_part = left[number] if number < len(left) else ""
            answer_part = right[number] if number < len(right) else ""
            width = self._answer_at - _ASKED_AT
            self.line(f"{mark}{asked_part:<{width}}{answer_part}".rstrip())
            mark = " " * _ASKED_AT

    def why(self, reasons: Iterable[str]) -> None:
        """Write the reasons of the step above."""
        mark = _WHY
        for reason in reasons:
            for line in _wrapped(reason, self.width - _ASKED_AT - len(_WHY)):
                self.line(self._in(_DIM, " " * _ASKED_AT + mark + line))
                mark = " " * len(_WHY)

    def output(self, command: str, lines: Iterable[str]) -> None:
        """Write a command and what it printed; tables as they are."""
        for line in (f"$ {command}", *lines):
            whole = line.startswith(("|", "+")) or len(line) <= self.room
            parts = [line] if whole else _wrapped(line, self.room - 2)
            for number, part in enumerate(parts):
                at = " " * (_OUTPUT_AT + (2 if number else 0))
                self.line(self._in(_DIM, f"{at}{part}".rstrip()))

    def failure(self, expected: str, answered: str) -> None:
        """Write what was expected of a step, and what came instead."""
        for label, text in (("expected", expected), ("instead", answered)):
            lines = _wrapped(text, self.width - _ASKED_AT - 10)
            for number, line in enumerate(lines):
                word = label if number == 0 else ""
                shown = f"{'':{_ASKED_AT}}{word:<10}{line}"
                self.line(self._in(_RED, shown))

    def table(
        self, headings: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> None:
        """Write a table whose columns are as wide as they need to be.

        Where it would be too wide, the widest cells go on in the line below.
        """
        rows = [tuple(headings), *map(tuple, rows)]
        widths = _widths(list(zip(*rows, strict=True)), self.width)
        for number, row in enumerate(rows):
            cells = [_wrapped(c, w) for c, w in zip(row, widths, strict=True)]
            for parts in itertools.zip_longest(*cells, fillvalue=""):
                padded = (
                    f"{c:<{w}}" for c, w in zip(parts, widths, strict=True)
                )
                text = "  " + "  ".join(padded).rstrip()
                self.line(self._in(_BOLD, text) if number == 0 else text)

    def _in(self, style: str, text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._colour else text


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _widths(columns: Sequence[Sequence[str]], most: int) -> list[int]:
    """Return how wide columns are to be; none cuts a word."""
    widths = [max(map(len, column)) for column in columns]
    least = [
        max(len(word) for cell in column for word in cell.split())
        for column in columns
    ]
    while sum(widths) + 2 * len(widths) > most and widths != least:
        spare = [
            now if now > at_least else 0
            for now, at_least in zip(widths, least, strict=True)
        ]
        widths[spare.index(max(spare))] -= 1
    return widths
