# SPDX-License-Identifier: Apache-2.0
"""How the monitor stands, in lines and tables for people.

Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import prettytable

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant

ROWS_MAX = 50
CELL_MAX = 120

_FINDINGS = ("Finding", "Subject", "Host", "Why")
_IN_FLIGHT = ("Server", "Host", "Step", "State", "For", "Halt within")
_HELD = ("Held", "Step", "Host", "Why", "Detail")
_FENCED = ("Fenced host", "For", "Mark")
# A cell has a line and two blanks around it.
_FRAME = 3
_LABEL = len("Acts on      ")


def report(found: Mapping[str, Any], width: int) -> list[str]:
    """Return a status for people, line by line.

    :param width: in characters, unless a word is longer
    """
    now = found["now"]
    lines = []
    if found["not_halted"]:
        lines.append(
            f"NOT HALTED   {found['not_halted']} servers should be halted or "
            "gone by now, and are not"
        )
    if found.get("ledger") is False:
        lines.append("LEDGER       cannot be written: no step is taken")
    lines += [
        f"Acts on      {_acts(found)}",
        f"Policy       {_policy(found['policy'], now)}",
        f"Results      {_results(found['results'], now)}",
        f"Cloud        {_picture(found['picture'], now)}",
        f"Last cycle   {_cycle(found['cycle'], now)}",
        f"Hosts        {_counts(found['hosts'])}",
        f"Findings     {_counts(found['findings'])}",
        f"In flight    {found['in_flight']}, begun in the last minute "
        f"{found['evictions_last_minute']}",
        f"Held         {_counts(found['held'])}",
    ]
    if found.get("dirty"):
        nodes = {each["node"] for each in found["dirty"]}
        lines.append(f"Not clean    {len(nodes)} hosts, closed to others")
    until = found["paused_until"]
    if until is not None or found.get("paused"):
        when = "" if until is None else f"until {write_instant(until)}: "
        reason = bounded(found.get("pause_reason", ""), 160)
        lines.append(f"Paused       {when}{reason}")
    if found["suspects"]:
        names = ", ".join(bounded(name) for name in found["suspects"])
        lines.append(f"Suspects     {names}: see nfv-mla monitor release")
    if found.get("braked"):
        lines.append("Suspects     the policy: see nfv-mla monitor release")
    for failure in found.get("failures_list", ()):
        lines.append(
            f"Failed       {bounded(failure['part'])}: "
            f"{bounded(failure['text'], 160)} ({bounded(failure['code'])})"
        )
    lines = [part for line in lines for part in _folded(line, width)]
    for headings, rows in _tables(found, now):
        if rows:
            lines += ["", *_table(headings, rows, width)]
    return lines


def _folded(line: str, width: int) -> list[str]:
    return textwrap.wrap(
        line,
        max(width, 2 * _LABEL),
        subsequent_indent=" " * _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _tables(
    found: Mapping[str, Any], now: float
) -> Iterable[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    yield (
        _FINDINGS,
        [
            (
                f["kind"] + (" (permissive)" if f["permissive"] else ""),
                f["subject"],
                f["host"],
                bounded(f["why"], 100),
            )
            for f in found.get("findings_list", ())
        ],
    )
    yield (
        _IN_FLIGHT,
        [
            (
                f["server"],
                f["host"],
                f["step"],
                f["state"],
                _age(now - f["since"]),
                _age(f["halt_by"] - now) if f["halt_by"] > now else "is over",
            )
            for f in found.get("in_flight_list", ())
        ],
    )
    yield (
        _HELD,
        [
            (h["subject"], h["step"], h["host"], h["why"], h["detail"])
            for h in found.get("held_list", ())
        ],
    )
    yield (
        _FENCED,
        [
            (f["host"], _age(now - f["since"]), f["mark"])
            for f in found.get("fenced_list", ())
        ],
    )


def _table(
    headings: tuple[str, ...], rows: list[tuple[str, ...]], width: int
) -> list[str]:
    """Return a table as lines, no wider than ``width`` if words allow."""
    cells = [
        [bounded(cell, CELL_MAX) for cell in row] for row in rows[:ROWS_MAX]
    ]
    told = [  # a column of nothing but blanks is left out
        (heading, column)
        for heading, column in zip(
            headings, zip(*cells, strict=True), strict=True
        )
        if any(column)
    ]
    table = prettytable.PrettyTable(align="l")
    for (heading, column), limit in zip(
        told, _widths(told, width), strict=True
    ):
        table.add_column(heading, [_wrapped(c, limit) for c in column], "l")
    lines = str(table.get_string()).splitlines()
    if len(rows) > ROWS_MAX:
        lines.append(f"and {len(rows) - ROWS_MAX} more")
    return lines


def _widths(
    columns: list[tuple[str, tuple[str, ...]]], width: int
) -> list[int]:
    """Return how wide columns are to be, the widest made narrower first.

    None is narrower than its longest word: who copies a UUID needs all of it.
    """
    widths, least = [], []
    for heading, column in columns:
        words = [word for cell in column for word in cell.split()]
        widths.append(max(map(len, (heading, *column))))
        least.append(max(map(len, (heading, *words))))
    while sum(widths) + _FRAME * len(widths) + 1 > width:
        spare = [
            now if now > at_least else 0
            for now, at_least in zip(widths, least, strict=True)
        ]
        if not any(spare):
            break
        widths[spare.index(max(spare))] -= 1
    return widths


def _wrapped(cell: str, width: int) -> str:
    return textwrap.fill(
        cell, width, break_long_words=False, break_on_hyphens=False
    )


def _acts(found: Mapping[str, Any]) -> str:
    would = found.get("would_act")
    said = f" (a dry run: would act on {bounded(would)})" if would else ""
    return f"{bounded(found['act'])}{said}"


def _policy(policy: Mapping[str, Any] | None, now: float) -> str:
    if policy is None:
        return "none"
    left_s = policy["expires_at"] - now
    when = (
        f"{left_s / DAY_S:.0f} days left"
        if left_s > 2 * DAY_S
        else f"expires in {_age(left_s)}"
        if left_s > 0
        else "HAS EXPIRED: nothing is evicted"
    )
    return (
        f"version {policy['version']}, {when} "
        f"({write_instant(policy['expires_at'])})"
    )


def _results(results: Mapping[str, Any] | None, now: float) -> str:
    if results is None:
        return "none"
    return f"issued {_age(now - results['issued_at'])} ago"


def _picture(picture: Mapping[str, Any] | None, now: float) -> str:
    if picture is None:
        return "was never seen"
    if picture["at"] is None:
        said = "was never seen whole"
    else:
        said = f"seen {_age(now - picture['at'])} ago"
    if picture["full_at"] is not None:
        said += f", all of it {_age(now - picture['full_at'])} ago"
    for key, what in (("missing", "out of sight"), ("unread", "left out")):
        if picture.get(key):
            names = ", ".join(bounded(each, 160) for each in picture[key][:4])
            said += f"; {what}: {names}"
    return said


def _cycle(cycle: Mapping[str, Any] | None, now: float) -> str:
    if cycle is None:
        return "none yet"
    failures = cycle["failures"]
    return (
        f"{_age(now - cycle['at'])} ago, took {cycle['seconds']:.1f} s, "
        f"{failures} failure{'' if failures == 1 else 's'}"
    )


def _counts(counts: Mapping[str, int]) -> str:
    said = ", ".join(f"{int(n)} {bounded(k)}" for k, n in counts.items())
    return said or "none"


def _age(seconds: float) -> str:
    """Return a time that has passed, to two figures or so."""
    seconds = max(seconds, 0.0)
    for unit, size_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds:.0f} s"
