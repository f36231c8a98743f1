# SPDX-License-Identifier: Apache-2.0
"""Print the catalogue: as tables for a terminal, or as the reference page.

``python -m nfv_mla_scheduler.standard.show`` writes the page
``doc/source/reference/standard.rst`` to standard output.
"""

from __future__ import annotations

import itertools
import re
import sys
import textwrap
from collections.abc import Iterable
from collections.abc import Iterator

from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.sections import sections
from nfv_mla_scheduler.standard.tables import Column
from nfv_mla_scheduler.standard.tables import Section

WIDTH = 98
_SPECIAL = re.compile(r"([\\`*_|])")
_PAGE = """\
..
   Generated: python -m nfv_mla_scheduler.standard.show

=================================
The standard: ETSI GR NFV-SEC 009
=================================

What the catalogue of this scheduler takes from ETSI GR NFV-SEC 009 V1.3.1,
and what it adds where the standard leaves a choice to the implementation.
``nfv-mla standard show`` prints the same.

A term is written ``[who:]name[[key]][=values][@grade]``: ``=a|b`` asks for at
least one of the values, ``=+a+b`` for all of them; ``@`` names the weakest
grade of a claim that counts.
"""


def as_text(shown: Iterable[Section]) -> str:
    """Return sections as tables of at most ``WIDTH`` characters a line."""
    return "\n\n".join(_text(section) for section in shown) + "\n"


def as_page(shown: Iterable[Section]) -> str:
    """Return sections as the reference page, in reStructuredText."""
    return "\n".join((_PAGE, *(_page_section(section) for section in shown)))


def _text(section: Section) -> str:
    parts = [section.heading, "=" * len(section.heading)]
    if section.intro:
        parts += textwrap.wrap(section.intro, WIDTH)
    parts += [f"  {line}" for line in section.legend]
    headings = [column.heading.split("\n") for column in section.columns]
    rows = [
        [
            _wrapped(cell, column.width)
            for cell, column in zip(row, section.columns, strict=True)
        ]
        for row in section.rows
    ]
    widths = [
        max(len(line) for cell in cells for line in cell)
        for cells in zip(headings, *rows, strict=True)
    ]
    parts += ["", *_lines(headings, widths)]
    parts.append("  ".join("-" * width for width in widths))
    for number, row in enumerate(rows):
        if number and section.ruled:
            parts.append("")
        parts += _lines(row, widths)
    return "\n".join(parts)


def _lines(cells: list[list[str]], widths: list[int]) -> Iterator[str]:
    """Yield the lines of a row whose cells may have several."""
    for line in itertools.zip_longest(*cells, fillvalue=""):
        padded = (
            text.ljust(width) for text, width in zip(line, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def _wrapped(cell: str, width: int) -> list[str]:
    """Return the lines of a cell; where an item goes on, it is indented."""
    items = cell.split("\n")
    lines: list[str] = []
    for item in items:
        if " " not in item and len(item) > width:
            item = item.replace(".", ". ")
        lines += textwrap.wrap(
            item,
            width,
            subsequent_indent="  " if len(items) > 1 else "",
            break_on_hyphens=False,
        ) or [""]
    return lines


def _page_section(section: Section) -> str:
    lines = [section.heading, "-" * len(section.heading), ""]
    if section.intro:
        lines += [*textwrap.wrap(_escaped(section.intro), 79), ""]
    if section.legend:
        lines += [*(f"* {_escaped(line)}" for line in section.legend), ""]
    widths = " ".join(str(column.width) for column in section.columns)
    lines += [
        ".. list-table::",
        "   :header-rows: 1",
        f"   :widths: {widths}",
        "",
    ]
    headings = tuple(
        c.heading.replace("-\n", "-").replace("\n", " ")
        for c in section.columns
    )
    prose = tuple(Column(c.heading, c.width) for c in section.columns)
    lines += _page_row(headings, prose)
    for row in section.rows:
        lines += _page_row(row, section.columns)
    return "\n".join((*lines, ""))


def _page_row(row: tuple[str, ...], columns: tuple[Column, ...]) -> list[str]:
    lines: list[str] = []
    for number, (cell, column) in enumerate(zip(row, columns, strict=True)):
        start = "   * - " if number == 0 else "     - "
        items = cell.split("\n")
        if len(items) == 1:
            lines.append((start + _inline(cell, column)).rstrip())
            continue
        for line, item in enumerate(items):
            lead = start if line == 0 else " " * 7
            lines.append(f"{lead}| {_inline(item, column)}")
    return lines


def _inline(text: str, column: Column) -> str:
    if not column.code or not text or text.endswith(":"):
        return _escaped(text)
    lead = "or " if text.startswith("or ") else ""
    terms = text.removeprefix("or ").split(" and ")
    return lead + " and ".join(f"``{term}``" for term in terms)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


if __name__ == "__main__":
    sys.stdout.write(as_page(sections(load())))
