# SPDX-License-Identifier: Apache-2.0
"""Why a request was refused: what the scheduler wrote down about it.

Reads the audit file and the log.  For single hosts it asks the scheduler's
own judge to explain, as ``explain`` would.  Nothing here says whether a scene
went as expected: that is Nova's to say.
"""

from __future__ import annotations

import json
import time
import typing as ty
from collections.abc import Collection

from nova import objects

from demo import world
from demo.centre import DataCentre
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.scheduler.adapters import Plain

Event = dict[str, ty.Any]


class Reasons:
    """What the scheduler of one data centre has written down."""

    def __init__(self, centre: DataCentre) -> None:
        self._centre = centre
        self._audit = centre.site.audit_file

    def count(self) -> int:
        """Return how many audit events there are, to look on from there."""
        return len(self._lines())

    def events(
        self, since: int = 0, *, kind: str | tuple[str, ...], server: str = ""
    ) -> list[Event]:
        """Return the audit events of a kind.

        :param since: leave out that many, the oldest
        :param kind: or of one of several kinds
        :param server: only those about this one
        """
        kinds = (kind,) if isinstance(kind, str) else kind
        events: list[Event] = [json.loads(x) for x in self._lines()[since:]]
        return [
            event
            for event in events
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

    def results_taken_in(self) -> bool:
        """Wait until the scheduler has read the newest results."""
        if not self._centre.filtered:
            return True
        published_at = self._centre.published_at

        def is_read() -> bool:
            document = self._centre.engine().feed.snapshot.document
            return document is not None and document.issued_at >= published_at

        return self._centre.until(is_read)

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
            extra_specs=world.FLAVORS[flavor].wants,
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
            for compute in world.COMPUTES
        }

    def _lines(self) -> list[str]:
        """Return the events that are written, whole lines only."""
        try:
            text = self._audit.read_text(encoding="ascii")
        except FileNotFoundError:
            return []
        return text[: text.rfind("\n") + 1].splitlines()
