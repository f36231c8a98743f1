# SPDX-License-Identifier: Apache-2.0
"""Decisions without their hosts: what many hosts have in common.

Pure but for its memory.  For logs and records, which count hosts rather than
name them.
"""

from __future__ import annotations

from typing import NamedTuple

from nfv_mla_scheduler.judge.explain import decide
from nfv_mla_scheduler.judge.ruling import Ruling
from nfv_mla_scheduler.judge.ruling import situation
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.view import Snapshot

_KNOWN_MAX = 4096


class Summary(NamedTuple):
    """A decision without its host: what many hosts have in common."""

    refused: tuple[str, ...]
    would_refuse: tuple[str, ...]
    waived: tuple[str, ...]


def summarise(decision: Decision) -> Summary:
    """Return the codes of a decision, and the waivers that it rests on."""
    return Summary(
        _codes(decision.refusals),
        _codes(decision.would_refuse),
        tuple(
            dict.fromkeys(
                f"{r.profile} {r.requirement}".strip() or r.code.value
                for r in decision.waived
            )
        ),
    )


def _codes(refusals: tuple[Refusal, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.code.value for r in refusals))


class Summaries:
    """Summaries of what was decided by the rulings of one demand.

    Hosts under one ruling in the same situation share one.
    """

    def __init__(self, boot_max_age_s: float) -> None:
        self._boot_max_age_s = boot_max_age_s
        self._known: dict[tuple[Ruling, tuple[int, ...]], Summary] = {}

    def of(
        self,
        ruling: Ruling,
        record: HostRecord,
        snapshot: Snapshot,
        lives: list[Instant],
        now: Instant,
    ) -> Summary:
        """Return what is decided about a host.

        :param lives: the expiries of the ruling's atoms on it
        """
        key = (ruling, situation(ruling, lives, now))
        summary = self._known.get(key)
        if summary is None:
            age = self._boot_max_age_s
            summary = summarise(decide(ruling, record, snapshot, age, now))
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[key] = summary
        return summary
