# SPDX-License-Identifier: Apache-2.0
"""What was found of a ledger, for people and for scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import prettytable

from nfv_mla_scheduler.audit.reading.anomalies import PATH_MAX
from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.report import ChainReport
from nfv_mla_scheduler.audit.reading.report import Report
from nfv_mla_scheduler.audit.reading.report import Verdict
from nfv_mla_scheduler.errors import bounded

#: How many anomalies of a chain are printed for people.
SHOWN_MAX = 100

_HEADINGS = ("Origin", "Entries", "Last", "Checkpoints", "Tail", "Verdict")
_TIME = re.compile(r"([0-9-]{10}T[0-9:]{8})\.[0-9]{3}Z", re.ASCII)
_WRITABLE = "whoever can write their files can have written them"


def text(report: Report) -> Iterator[str]:
    """Yield what was found, in lines."""
    table = prettytable.PrettyTable(list(_HEADINGS), align="l")
    for chain in report.chains:
        table.add_row(
            [
                bounded(chain.origin, 255),
                chain.entries,
                _second(chain.last_at),
                chain.checkpoints,
                chain.tail,
                chain.verdict.value,
            ]
        )
    yield str(table.get_string())
    for chain in report.chains:
        yield from _anomalies(chain)
    for chain in report.chains:
        for note in chain.notes:
            yield f"note: {note}"
    yield _summary(report)


def members(report: Report) -> dict[str, Any]:
    """Return what was found, as JSON holds it."""
    return {
        "whole": report.whole,
        "signatures_checked": report.checked,
        "chains": [_chain(chain) for chain in report.chains],
    }


def _anomalies(chain: ChainReport) -> Iterator[str]:
    for anomaly in chain.anomalies[:SHOWN_MAX]:
        yield str(anomaly)
    more = chain.more + max(0, len(chain.anomalies) - SHOWN_MAX)
    if more:
        yield f"{bounded(chain.origin, 255)}: and {more} more like these"


def _summary(report: Report) -> str:
    many = len(report.chains)
    if wrong := len(report.tampered):
        return f"TAMPERED: {wrong} of {many} chains"
    if wrong := len(report.unsigned):
        return f"NOT SIGNED: {wrong} of {many} chains: {_WRITABLE}"
    if not report.checked:
        return (
            "The chains hold, but NO SIGNATURE WAS CHECKED, since no --key "
            "was given: whoever can write the files can have written all of it"
        )
    unsigned = [
        one for one in report.chains if one.verdict is Verdict.NOT_SIGNED
    ]
    if unsigned:
        return (
            f"Whole, but {len(unsigned)} of {many} chains, which are young, "
            f"are NOT SIGNED yet: {_WRITABLE}"
        )
    tails = [one.tail for one in report.chains if one.tail]
    if tails:
        return (
            f"Whole up to the last checkpoints.  Unsigned tail: {sum(tails)} "
            f"entries in {len(tails)} of {many} chains: {_WRITABLE}"
        )
    return "Whole."


def _second(at: str) -> str:
    """Return a time without what is less than a second, if it is one."""
    short = _TIME.sub(r"\1Z", at)
    return bounded(short)


def _chain(chain: ChainReport) -> dict[str, Any]:
    return {
        "origin": bounded(chain.origin, 255),
        "sealed_for": chain.domain and bounded(chain.domain, 255),
        "verdict": chain.verdict.value.lower().replace(" ", "-"),
        "entries": chain.entries,
        "files": chain.files,
        "first_at": chain.first_at or None,
        "last_at": chain.last_at or None,
        "checkpoints": chain.checkpoints,
        "unsigned_tail": chain.tail,
        "young": chain.young,
        "anomalies": [_anomaly(one) for one in chain.anomalies],
        "more_anomalies": chain.more,
        "notes": [
            {
                "kind": note.kind.value,
                "count": note.count,
                "detail": bounded(note.detail, 200),
            }
            for note in chain.notes
        ],
    }


def _anomaly(anomaly: Anomaly) -> dict[str, Any]:
    place = anomaly.place
    return {
        "kind": anomaly.kind.value,
        "first": anomaly.first or None,
        "last": anomaly.last or None,
        "file": bounded(place.path, PATH_MAX) if place else None,
        "line": (place.number or None) if place else None,
        "detail": bounded(anomaly.detail, 200),
    }
