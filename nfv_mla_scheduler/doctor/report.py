# SPDX-License-Identifier: Apache-2.0
"""What was found, for people and for programs.  Pure."""

from __future__ import annotations

import collections
import json
import textwrap
from collections.abc import Iterator
from collections.abc import Sequence

from nfv_mla_scheduler.doctor.findings import Finding
from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.registry import CHECKS
from nfv_mla_scheduler.doctor.registry import HEADINGS
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import write_instant

WIDTH = 79
FORMAT = "nfv-mla-doctor/1"
_INDENT = " " * 11


def as_text(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the lines that people read, under headings."""
    for heading, title in HEADINGS.items():
        here = [f for f in findings if f.check.startswith(f"{heading}.")]
        if not here:
            continue
        yield title
        for names, verdict in _together(here).items():
            yield from _lines(names, verdict)
        yield ""
    yield summary(findings)


def _together(findings: Sequence[Finding]) -> dict[str, Verdict]:
    """Return names -> verdict: what is skipped for one reason, at once."""
    found: dict[str, Verdict] = {}
    skipped: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.verdict.state is State.SKIPPED:
            skipped.setdefault(finding.verdict.found, []).append(finding)
        else:
            found[finding.check] = finding.verdict
    for alike in skipped.values():
        found[", ".join(f.check for f in alike)] = alike[0].verdict
    return found


def _lines(names: str, verdict: Verdict) -> Iterator[str]:
    state = f"  {verdict.state.value:<9}"
    yield from _wrapped(f"{names}: {verdict.found}", state, _INDENT)
    if verdict.advice:
        yield from _wrapped(verdict.advice, f"{_INDENT}> ", f"{_INDENT}  ")


def _wrapped(text: str, first: str, then: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_on_hyphens=False,
        break_long_words=False,
    )


def summary(findings: Sequence[Finding]) -> str:
    """Return how many checks there were, by their states."""
    counts = _counts(findings)
    said = ", ".join(f"{counts[state.value]} {state.value}" for state in State)
    noun = "check" if len(findings) == 1 else "checks"
    return f"{len(findings)} {noun}: {said}"


def _counts(findings: Sequence[Finding]) -> collections.Counter[str]:
    return collections.Counter(f.verdict.state.value for f in findings)


def as_json(findings: Sequence[Finding], now: Instant, status: int) -> str:
    """Return the same as one JSON object."""
    counts = _counts(findings)
    return json.dumps(
        {
            "format": FORMAT,
            "at": write_instant(now),
            "exit_status": status,
            "counts": {state.value: counts[state.value] for state in State},
            "checks": [
                {
                    "check": finding.check,
                    "state": finding.verdict.state.value,
                    "found": finding.verdict.found,
                    "advice": finding.verdict.advice,
                    "items": list(finding.verdict.items),
                }
                for finding in findings
            ],
        },
        indent=2,
    )


def listed() -> Iterator[str]:
    """Yield the names of all checks, with what holds when they are OK."""
    heading = ""
    for check in CHECKS:
        if check.heading != heading:
            if heading:
                yield ""
            heading = check.heading
            yield HEADINGS[heading]
        yield from _wrapped(f"{check.name}: {check.meaning}", "  ", "      ")
