# SPDX-License-Identifier: Apache-2.0
"""Say why requests are refused: one INFO line and one event for each.

Touches the log and the audit port.  Nothing here reaches a tenant.
"""

from __future__ import annotations

import collections
import logging
import time
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
from nfv_mla_scheduler.scheduler.adapters import Plain

LOG = logging.getLogger(__name__)

_TOLD = 4096


class Reports:
    """Reports each request once, however often Nova filters for it."""

    def __init__(self, audit: AuditPort, origin: str) -> None:
        self._audit = audit
        self._origin = origin
        self._told: Recent[tuple[str, str, str], bool] = Recent(_TOLD)

    def refused(
        self, plain: Plain, case: Case, candidates: Sequence[Any], now: float
    ) -> None:
        """Report a request for which no candidate remains.

        Servers of a trust domain whose entries are sealed appear in no log
        (5.0.3, Table 5).
        """
        if case.sealed or not self._first("refused", plain):
            return
        counts = case.tally(candidates, now)
        LOG.info(
            "nfv-mla refused server %s of project %s on all %d hosts: %s%s",
            plain.server,
            plain.project_id,
            len(candidates),
            _listed(counts),
            _wrong(case),
        )
        self._record(EventKind.REQUEST_REFUSED, plain, candidates, counts)

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
                plain.server,
                plain.project_id,
                hosts,
                len(admitted),
                _listed(would),
            )
            self._record(EventKind.WOULD_REFUSE, plain, admitted, would)
        if waived and self._first("waived", plain):
            self._record(EventKind.WAIVER_USED, plain, admitted, waived)

    def _first(self, what: str, plain: Plain) -> bool:
        """Whether this is the first report of its kind about a request."""
        current = oslo_context.get_current()
        request = getattr(current, "request_id", "") if current else ""
        key = (what, str(request), plain.server)
        if self._told.get(key):
            return False
        self._told.put(key, True)
        return True

    def _record(
        self,
        kind: EventKind,
        plain: Plain,
        candidates: Sequence[Any],
        counts: collections.Counter[str],
    ) -> None:
        fields: dict[str, JSON] = {
            "server": plain.server,
            "project": plain.project_id,
            "candidates": len(candidates),
            "counts": dict(counts),
        }
        self._audit.record(Event(kind, time.time(), self._origin, fields))


def _listed(counts: collections.Counter[str]) -> str:
    return ", ".join(f"{n} {code}" for code, n in counts.most_common())


def _wrong(case: Case) -> str:
    """Return what is malformed, bounded; empty when nothing is."""
    if case.malformed is None:
        return ""
    return ": " + bounded(str(case.malformed), LINE_MAX)
