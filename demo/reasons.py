# SPDX-License-Identifier: Apache-2.0
"""Why a request was refused: what the scheduler wrote down about it.

Reads the ledger and the log.  For single hosts it asks the scheduler's
own judge to explain, as ``explain`` would.  Nothing here says whether a scene
went as expected: that is Nova's to say.
"""

from __future__ import annotations

import time
import typing as ty
from collections.abc import Callable
from collections.abc import Collection

from nova import objects

from demo import world
from demo.centre import DataCentre
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.scheduler.adapters import Plain
from tests.ledgers import Ledger

Event = dict[str, ty.Any]


class Reasons:
    """What the scheduler of one data centre has written down."""

    def __init__(self, centre: DataCentre) -> None:
        self._centre = centre
        self._ledger = Ledger(centre.site.audit_dir, "nova-scheduler")

    def count(self) -> int:
        """Return how many audit events there are, to look on from there."""
        return len(self._ledger.events())

    def events(
        self, since: int = 0, *, kind: str | tuple[str, ...], server: str = ""
    ) -> list[Event]:
        """Return the audit events of a kind.

        :param since: leave out that many, the oldest
        :param kind: or of one of several kinds
        :param server: only those about this one
        """
        kinds = (kind,) if isinstance(kind, str) else kind
        return [
            event
            for event in self._ledger.events()[since:]
            if event["kind"] in kinds
            and server in ("", event["fields"].get("server"))
        ]

    def event(
        self, since: int = 0, *, kind: str | tuple[str, ...], server: str = ""
    ) -> Event | None:
        """Return the first such event, as soon as it is there."""
        if not self._centre.filtered:
            return None

        def found() -> list[Event]:
            return self.events(since, kind=kind, server=server)

        self._centre.until(lambda: bool(found()))
        return next(iter(found()), None)

    def logged(self, *words: str) -> list[str]:
        """Return the lines of our log in which all of these words are."""
        return [
            line
            for line in self._centre.cloud.our_log.lines()
            if all(word in line for word in words)
        ]

    def is_read(
        self, authority: str, host: str, capability: str, status: Status
    ) -> bool:
        """Wait until the scheduler has read what is said of a capability."""

        def so(document: ResultsDocument) -> bool:
            result = document.results.get(authority, {}).get(host)
            claim = result and result.claims.get(capability)
            return bool(claim and claim.status is status)

        return self._reads(so)

    def not_heard_of(self, authority: str, host: str) -> bool:
        """Wait until the scheduler has no result that holds about a host."""

        def so(document: ResultsDocument) -> bool:
            fresh = document.freshness.get(authority, {}).get(host)
            return fresh is None or fresh.until <= time.time()

        return self._reads(so)

    def all_is_read(self, since: float) -> bool:
        """Wait until the scheduler has read that all hosts are well.

        :param since: tokens have to be from this very second on
        """

        def so(document: ResultsDocument) -> bool:
            return all(
                (result := document.results.get(name, {}).get(host.name))
                and result.claims == lab.claims(host.name)
                and document.freshness[name][host.name].at >= int(since)
                for name, lab in self._centre.laboratories.items()
                for host in world.HOSTS
            )

        return self._reads(so)

    def latest(self, heard: Collection[tuple[str, str]]) -> float:
        """Return the latest time of the results about some hosts.

        :param heard: authority and host of each
        """
        if not self._centre.filtered:
            return 0.0
        document = self._centre.engine().feed.snapshot.document
        times = document.freshness if document else {}
        return max(
            (
                times[authority][host].at
                for authority, host in heard
                if host in times.get(authority, {})
            ),
            default=0.0,
        )

    def _reads(self, so: Callable[[ResultsDocument], bool]) -> bool:
        if not self._centre.filtered:
            return True

        def is_so() -> bool:
            document = self._centre.engine().feed.snapshot.document
            return document is not None and so(document)

        return self._centre.until(is_so)

    def room_is_known(self, *, full: Collection[str]) -> bool:
        """Wait until the scheduler knows which enclave hosts are full."""
        if not self._centre.filtered:
            return True
        wanted = {h.compute.uuid for h in world.HOSTS if h.enclaves}
        wanted -= {world.host(name).compute.uuid for name in full}

        def is_known() -> bool:
            found = self._centre.engine().room(world.FOOTPRINT) or frozenset()
            enclaves = {h.compute.uuid for h in world.HOSTS if h.enclaves}
            return bool(found & enclaves == wanted)

        return self._centre.until(is_known)

    def explain(
        self,
        server: ty.Mapping[str, ty.Any],
        flavor: str,
        source: str | None,
    ) -> dict[str, tuple[Refusal, ...]]:
        """Return every refusal of one server, for each host, as of now.

        :param server: as Nova's API shows it to an administrator
        :param flavor: the name of the one that it has, or is to have
        :param source: the host that it moves from; None: it is new
        """
        image = {"properties": server["image"]["properties"]}
        plain = Plain(
            project_id=server["tenant_id"],
            extra_specs=self._centre.flavors[flavor].wants,
            image=objects.ImageMeta.from_dict(image).properties,
            hints=server.get("scheduler_hints") or {},
            source=source,
            server=server["id"],
        )
        case, now = self._centre.engine().case(plain), time.time()
        return {
            compute.name: case.decision(
                compute.uuid, compute.name, now
            ).refusals
            for compute in self._centre.computes
        }
