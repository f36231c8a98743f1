# SPDX-License-Identifier: Apache-2.0
"""Say why requests are refused: one INFO line and one event for each.

Touches the log and the audit port.  Nothing here reaches a tenant.  Of servers
of a trust domain whose entries are sealed nothing is logged, and only that
domain can read what is recorded (5.0.3, Table 5).
"""

from __future__ import annotations

import collections
import dataclasses
import logging
import time
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from oslo_context import context as oslo_context

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.recent import Recent
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.scheduler.fallback import Discretion

LOG = logging.getLogger(__name__)

_TOLD = 4096
# Servers, projects and requests have UUIDs; whoever writes something else
# there does not fill our log with it.
_ID_MAX = 40


@dataclasses.dataclass(frozen=True, slots=True)
class About:
    """Of which server something is reported, and to whom."""

    plain: Plain
    whose: Discretion

    def __str__(self) -> str:
        if not self.whose.logged:
            return "a server"
        return (
            f"server {bounded(self.plain.server, _ID_MAX)} of project "
            f"{bounded(self.plain.project_id, _ID_MAX)}"
        )


class Reports:
    """Reports each request once, however often Nova filters for it."""

    def __init__(self, audit: AuditPort, origin: str) -> None:
        self._audit = audit
        self._origin = origin
        self._told: Recent[tuple[str, str, str], object] = Recent(_TOLD)
        self._placed: Recent[str, bool] = Recent(_TOLD)

    def refused(
        self, about: About, case: Case, candidates: Sequence[Any], now: float
    ) -> None:
        """Report a request for which no candidate remains."""
        if not self._first("refused", about):
            return
        counts = case.tally(candidates, now)
        if about.whose.domain is None:
            LOG.info(
                "nfv-mla refused %s on all %d hosts: %s%s",
                about,
                len(candidates),
                _listed(counts),
                _wrong(case),
            )
        self._record(
            EventKind.REQUEST_REFUSED,
            about,
            {"candidates": len(candidates), "counts": dict(counts)},
        )

    def softened(
        self, about: About, case: Case, admitted: Sequence[Any], now: float
    ) -> None:
        """Report what permissive mode and waivers set aside."""
        summaries = case.softened(admitted, now)
        if not summaries:
            return
        sealed = about.whose.domain is not None
        would: collections.Counter[str] = collections.Counter()
        waived: collections.Counter[str] = collections.Counter()
        hosts = 0
        for summary, count in summaries.items():
            hosts += count if summary.would_refuse else 0
            would.update(dict.fromkeys(summary.would_refuse, count))
            waived.update(dict.fromkeys(summary.waived, count))
        if would and self._first("would refuse", about):
            if not sealed:
                LOG.info(
                    "nfv-mla would refuse %s on %d of the %d hosts that it "
                    "is let on (permissive): %s",
                    about,
                    hosts,
                    len(admitted),
                    _listed(would),
                )
            self._record(
                EventKind.WOULD_REFUSE,
                about,
                {"candidates": len(admitted), "counts": dict(would)},
            )
        if waived and self._first("waived", about):
            self._record(
                EventKind.WAIVER_USED,
                about,
                {
                    "candidates": len(admitted),
                    "counts": _coded(waived) if sealed else dict(waived),
                },
            )

    def broken_glass(
        self, about: About, waivers: Iterable[BreakGlass], admitted: int
    ) -> None:
        """Report that a server is let in where waivers alone let it in.

        :param admitted: on how many hosts it is let at all
        """
        if not self._first("break-glass", about):
            return
        if about.whose.domain is None:
            LOG.warning(
                "nfv-mla lets %s on %d hosts, not all of them without a "
                "break-glass waiver",
                about,
                admitted,
            )
        used: list[JSON] = [_used(waiver, about.whose) for waiver in waivers]
        self._record(
            EventKind.BREAK_GLASS_USED,
            about,
            {"candidates": admitted, "waivers": used},
        )

    def placed(self) -> None:
        """Remember that a server of the present request was admitted."""
        request = _request()
        if request:
            self._placed.put(request, True)

    def was_placed(self) -> bool:
        """Whether a server of the present request was admitted before."""
        return bool(self._placed.get(_request()))

    def _first(self, what: str, about: About) -> bool:
        """Whether this is the first report of its kind about a request."""
        request = _request()
        if not request:
            return True
        mine = object()
        kept = self._told.put((what, request, about.plain.server), mine)
        return kept is mine

    def _record(
        self, kind: EventKind, about: About, more: dict[str, JSON]
    ) -> None:
        fields: dict[str, JSON] = {}
        if about.whose.known:
            fields = {
                "server": bounded(about.plain.server, _ID_MAX),
                "project": bounded(about.plain.project_id, _ID_MAX),
                "request": _request(),
            }
        self._audit.record(
            Event(
                kind,
                time.time(),
                self._origin,
                {**fields, **more},
                about.whose.domain,
            )
        )


def _coded(counts: collections.Counter[str]) -> dict[str, JSON]:
    """Return counts by codes: what is sealed holds nothing else."""
    return {name.replace(" ", "/"): count for name, count in counts.items()}


def _used(waiver: BreakGlass, whose: Discretion) -> dict[str, JSON]:
    """Return what is recorded of a waiver; a reason may name a target."""
    used: dict[str, JSON] = {
        "officer": waiver.officer,
        "until": write_instant(waiver.until),
    }
    if whose.known:
        used[waiver.target.value] = waiver.name
    if whose.logged:
        used["reason"] = waiver.reason
    return used


def _request() -> str:
    """Return the id of the present request; empty when there is none."""
    current = oslo_context.get_current()
    return bounded(getattr(current, "request_id", None) or "", _ID_MAX + 4)


def _listed(counts: collections.Counter[str]) -> str:
    return ", ".join(f"{n} {code}" for code, n in counts.most_common())


def _wrong(case: Case) -> str:
    """Return what is malformed, bounded; empty when nothing is."""
    if case.malformed is None:
        return ""
    return ": " + bounded(str(case.malformed), LINE_MAX)
