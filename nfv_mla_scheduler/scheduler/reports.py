# SPDX-License-Identifier: Apache-2.0
"""Say why requests are refused: one INFO line and one event for each.

Touches the log and the audit port.  Nothing here reaches a tenant, and
nothing speaks of servers of a trust domain whose entries are sealed (5.0.3,
Table 5).
"""

from __future__ import annotations

import collections
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

LOG = logging.getLogger(__name__)

_TOLD = 4096
# Servers, projects and requests have UUIDs; whoever writes something else
# there does not fill our log with it.
_ID_MAX = 40


class Reports:
    """Reports each request once, however often Nova filters for it."""

    def __init__(self, audit: AuditPort, origin: str) -> None:
        self._audit = audit
        self._origin = origin
        self._told: Recent[tuple[str, str, str], object] = Recent(_TOLD)
        self._placed: Recent[str, bool] = Recent(_TOLD)

    def refused(
        self, plain: Plain, case: Case, candidates: Sequence[Any], now: float
    ) -> None:
        """Report a request for which no candidate remains."""
        if case.sealed or not self._first("refused", plain):
            return
        counts = case.tally(candidates, now)
        LOG.info(
            "nfv-mla refused server %s of project %s on all %d hosts: %s%s",
            bounded(plain.server, _ID_MAX),
            bounded(plain.project_id, _ID_MAX),
            len(candidates),
            _listed(counts),
            _wrong(case),
        )
        self._record(
            EventKind.REQUEST_REFUSED,
            plain,
            {"candidates": len(candidates), "counts": dict(counts)},
        )

    def softened(
        self, plain: Plain, case: Case, admitted: Sequence[Any], now: float
    ) -> None:
        """Report what permissive mode and waivers set aside."""
        summaries = case.softened(admitted, now)
        if not summaries or case.sealed:
            return
        would: collections.Counter[str] = collections.Counter()
        waived: collections.Counter[str] = collections.Counter()
        hosts = 0
        for summary, count in summaries.items():
            hosts += count if summary.would_refuse else 0
            would.update(dict.fromkeys(summary.would_refuse, count))
            waived.update(dict.fromkeys(summary.waived, count))
        if would and self._first("would refuse", plain):
            LOG.info(
                "nfv-mla would refuse server %s of project %s on %d of the "
                "%d hosts that it is let on (permissive): %s",
                bounded(plain.server, _ID_MAX),
                bounded(plain.project_id, _ID_MAX),
                hosts,
                len(admitted),
                _listed(would),
            )
            self._record(
                EventKind.WOULD_REFUSE,
                plain,
                {"candidates": len(admitted), "counts": dict(would)},
            )
        if waived and self._first("waived", plain):
            self._record(
                EventKind.WAIVER_USED,
                plain,
                {"candidates": len(admitted), "counts": dict(waived)},
            )

    def broken_glass(
        self,
        plain: Plain,
        case: Case,
        waivers: Iterable[BreakGlass],
        admitted: int,
    ) -> None:
        """Report that a server is let in where waivers alone let it in.

        :param admitted: on how many hosts it is let at all
        """
        if case.sealed or not self._first("break-glass", plain):
            return
        LOG.warning(
            "nfv-mla lets server %s of project %s on %d hosts, not all of "
            "them without a break-glass waiver",
            bounded(plain.server, _ID_MAX),
            bounded(plain.project_id, _ID_MAX),
            admitted,
        )
        used: list[JSON] = [
            {
                waiver.target.value: waiver.name,
                "officer": waiver.officer,
                "reason": waiver.reason,
                "until": write_instant(waiver.until),
            }
            for waiver in waivers
        ]
        self._record(
            EventKind.BREAK_GLASS_USED,
            plain,
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

    def _first(self, what: str, plain: Plain) -> bool:
        """Whether this is the first report of its kind about a request."""
        request = _request()
        if not request:
            return True
        mine = object()
        kept = self._told.put((what, request, plain.server), mine)
        return kept is mine

    def _record(
        self, kind: EventKind, plain: Plain, more: dict[str, JSON]
    ) -> None:
        fields: dict[str, JSON] = {
            "server": bounded(plain.server, _ID_MAX),
            "project": bounded(plain.project_id, _ID_MAX),
            "request": _request(),
            **more,
        }
        self._audit.record(Event(kind, time.time(), self._origin, fields))


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
