# SPDX-License-Identifier: Apache-2.0
"""Record each change of state once, where it may be read.

Touches the audit port.  What is about servers of a sealed trust domain goes
into its own store, whatever it is, and nothing of it anywhere else.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.reporting import placements
from nfv_mla_scheduler.monitor.reporting.apart import of_domains
from nfv_mla_scheduler.monitor.reporting.changes import Change
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Standings
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.changes import changes
from nfv_mla_scheduler.monitor.reporting.lines import TOPICS
from nfv_mla_scheduler.monitor.reporting.placements import Place
from nfv_mla_scheduler.monitor.reporting.placements import Seen
from nfv_mla_scheduler.monitor.reporting.share import Share
from nfv_mla_scheduler.monitor.sealed import sealed_domains

# So many events of one topic in a cycle, and of one kind about places.  Those
# of all of them together, and a cloud's servers with requirements at a
# hundred an event, fit the queue that there is by default (``[nfv_mla]
# audit_queue_size``).
EVENTS_MAX = 500
# Servers in one event that says where they stand, and its size as JSON.
STANDING_MAX = 100
STANDING_BYTES = 12_000
# The same of a sealed domain, where an entry has to fit into a block with
# others; it is worth so many of them.
SEALED_BYTES = 2_000
SEALED_WORTH = 8

Known = dict[Topic, Mapping[str, Said]]


class Entries:
    """Remembers what was recorded, and records what is new."""

    def __init__(self, audit: AuditPort, origin: str) -> None:
        self._audit = audit
        self._origin = origin
        self._known: dict[str | None, Known] = {None: {}}
        self._shares: dict[str, Share] = {}
        self._places: dict[str, Place] = {}
        self._servers: Mapping[str, Server] | None = None
        self._due: frozenset[str] = frozenset()

    def note(self, report: CycleReport, standings: Standings) -> None:
        """Record what has changed since the last time.

        :param standings: of all that is not sealed; topics that are not in it
            are as they were
        """
        now, sealed = report.at, report.sealed
        domains = sealed_domains(report.snapshot.policy)
        for gone in self._known.keys() - {None} - domains:
            del self._known[gone]
        self._shares = {
            name: self._shares.get(name, Share(now)) for name in domains
        }
        for share in self._shares.values():
            share.at(now)
        self._note_places(report)
        if sealed:
            _hide(self._known[None], sealed)
        self._note_common(now, standings)
        for name, its in of_domains(report, domains).items():
            self._note_sealed(name, now, its)

    def _note_common(self, now: Instant, standings: Standings) -> None:
        known = self._known[None]
        counts: collections.Counter[Topic] = collections.Counter()
        for change in changes(known, standings):
            counts[change.topic] += 1
            if counts[change.topic] <= EVENTS_MAX:
                self._record(change, now, None)
        for topic, count in counts.items():
            if count > EVENTS_MAX:
                self._record(_more(topic, count - EVENTS_MAX), now, None)
        known.update(standings)

    def _note_sealed(
        self, domain: str, now: Instant, standings: Standings
    ) -> None:
        """Record what a domain's store has room for; the rest comes later.

        Its blocks are written at a fixed rate: what is to be done waits for
        them as well.
        """
        known = self._known.setdefault(domain, {})
        share = self._shares[domain]
        then: dict[Topic, dict[str, Said]] = {
            topic: dict(said) for topic, said in standings.items()
        }
        for change in changes(known, standings):
            if _kind(change) is None or share.spend():
                self._record(change, now, domain)
                continue
            was = known.get(change.topic, {}).get(change.name)
            if was is None:
                del then[change.topic][change.name]
            else:
                then[change.topic][change.name] = was
        known.update(then)

    def _note_places(self, report: CycleReport) -> None:
        picture, ruling = report.picture, report.ruling
        if picture is None or ruling is None:
            return
        found = placements.compare(
            self._places,
            self._servers,
            picture,
            ruling.verdict.asking,
            report.sealed,
            self._due,
        )
        if self._servers is not None or not picture.partial:
            self._servers = picture.servers
        by_domain: dict[str | None, list[Seen]] = {}
        for seen in found:
            by_domain.setdefault(seen.place.domain, []).append(seen)
        noted: list[Seen] = []
        for domain, its in by_domain.items():
            if domain is None:
                noted += self._places_common(its, report.at)
            else:
                noted += self._places_sealed(domain, its, report.at)
        if noted:
            self._places = placements.apply(self._places, noted)
        self._due = frozenset(
            seen.server for seen in found if seen.kind is EventKind.PLACED
        ).difference(self._places)

    def _places_common(self, found: list[Seen], now: Instant) -> list[Seen]:
        standing = [s for s in found if s.kind is EventKind.STANDING]
        for some in placements.together(
            standing, STANDING_MAX, STANDING_BYTES
        ):
            fields = placements.standing_fields(some)
            self._put(EventKind.STANDING, now, fields, None)
        counts: collections.Counter[EventKind] = collections.Counter()
        for seen in found:
            counts[seen.kind] += 1
            if (
                seen.kind is not EventKind.STANDING
                and counts[seen.kind] <= EVENTS_MAX
            ):
                self._put(seen.kind, now, seen.fields, None)
        del counts[EventKind.STANDING]
        for kind, count in counts.items():
            if count > EVENTS_MAX:
                more: dict[str, JSON] = {"count": count - EVENTS_MAX}
                self._put(kind, now, more, None)
        return found

    def _places_sealed(
        self, domain: str, found: list[Seen], now: Instant
    ) -> list[Seen]:
        """Return what was recorded: the rest is compared again next time."""
        share = self._shares.get(domain)
        if share is None:
            # The policy seals it no more: there is no store of it either.
            return found
        noted: list[Seen] = []
        for seen in found:
            if seen.kind is not EventKind.STANDING and share.spend():
                self._put(seen.kind, now, seen.fields, domain)
                noted.append(seen)
        standing = [s for s in found if s.kind is EventKind.STANDING]
        for some in placements.together(standing, STANDING_MAX, SEALED_BYTES):
            if share.spend(SEALED_WORTH):
                fields = placements.standing_fields(some)
                self._put(EventKind.STANDING, now, fields, domain)
                noted += some
        return noted

    def _record(
        self, change: Change, now: Instant, domain: str | None
    ) -> None:
        kind = _kind(change)
        if kind is None:
            return
        fields: dict[str, JSON] = {
            "topic": change.topic.value,
            "name": change.name,
            "text": bounded(change.said.text, LINE_MAX),
            **change.said.fields,
        }
        self._put(kind, now, fields, domain)

    def _put(
        self,
        kind: EventKind,
        now: Instant,
        fields: Mapping[str, JSON],
        domain: str | None,
    ) -> None:
        self._audit.record(Event(kind, now, self._origin, fields, domain))


def _kind(change: Change) -> EventKind | None:
    """Return how a change is recorded; None: not at all."""
    way = TOPICS[change.topic]
    if not change.said.recorded:
        return None
    return way.kind_over if change.over else way.kind


def _more(topic: Topic, count: int) -> Change:
    """Return that so many more of a topic have changed in one cycle."""
    said = Said(f"and {count} more", fields={"count": count})
    return Change(topic, "more", False, said)


def _hide(known: Known, sealed: Mapping[str, str]) -> None:
    """Forget what is known of servers that are sealed from now on.

    That it is so no more would be about them.
    """
    for topic, said in known.items():
        names = [
            name
            for name in said
            if any(word in sealed for word in name.split())
        ]
        if names:
            known[topic] = {n: said[n] for n in said if n not in names}
