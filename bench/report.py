# SPDX-License-Identifier: Apache-2.0
"""Tell people and machines what was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import textwrap
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from bench.figures import Outcome

FORMAT = "nfv-mla-bench/1"
WIDTH = 79
_PACKAGES = ("nova", "cryptography", "PyJWT", "securesystemslib", "PyYAML")
_HEADINGS = (
    "figure",
    "median",
    "unit",
    "spread",
    "ratio",
    "expected",
    "verdict",
)
_LEFT = (0, 2)


def versions() -> dict[str, str]:
    """Return what ran, and on what."""
    found = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
    }
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "none"
    return found


def machine_form(
    outcomes: Iterable[Outcome],
    facts: Mapping[str, int | float],
    took_s: Mapping[str, float],
    factor: float,
) -> dict[str, Any]:
    """Return everything, samples and all, as the documentation has it."""
    return {
        "format": FORMAT,
        "versions": versions(),
        "fixture": dict(facts),
        "check": factor,
        "took_s": {name: round(s, 1) for name, s in took_s.items()},
        "figures": {
            o.figure.name: {
                "text": o.figure.text,
                "unit": o.figure.unit.value,
                "samples": list(o.samples),
                "median": o.median,
                "beside": o.figure.beside,
                "ratio": o.ratio,
                "expected": o.figure.expected,
                "verdict": o.verdict.value,
            }
            for o in outcomes
        },
    }


def paragraphs(texts: Iterable[str]) -> str:
    """Return texts, wrapped."""
    return "\n".join(textwrap.fill(text, WIDTH) for text in texts)


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the figures as a table, each with what it is compared with."""
    rows = [_HEADINGS, *map(_row, outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def legend(outcomes: Iterable[Outcome]) -> str:
    """Return what the names of the figures stand for."""
    return "\n".join(_explained(outcomes))


def _explained(outcomes: Iterable[Outcome]) -> Iterator[str]:
    known = list(outcomes)
    width = max((len(o.figure.name) for o in known), default=0)
    for outcome in known:
        text = outcome.figure.text
        if outcome.figure.beside is not None:
            text += f"; ratio to {outcome.figure.beside}"
        yield textwrap.fill(
            text,
            WIDTH,
            initial_indent=outcome.figure.name.ljust(width) + "  ",
            subsequent_indent=" " * (width + 2),
        )


def _row(outcome: Outcome) -> tuple[str, ...]:
    figure = outcome.figure
    expected = ""
    if figure.expected is not None:
        what = "" if figure.beside else f" {figure.unit.value}"
        expected = f"{figure.expected:g}{what}"
    ratio = ""
    if outcome.ratio is not None:
        ratio = f"{outcome.ratio:.3f}"
    low, high = min(outcome.samples), max(outcome.samples)
    spread = f"{_digits(low)} - {_digits(high)}" if low < high else ""
    return (
        figure.name,
        _digits(outcome.median),
        figure.unit.value,
        spread,
        ratio,
        expected,
        outcome.verdict.value,
    )


def _digits(value: float) -> str:
    """Return three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _line(row: Iterable[str], widths: Iterable[int]) -> str:
    cells = [
        cell.ljust(width) if index in _LEFT else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
