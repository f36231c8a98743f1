# SPDX-License-Identifier: Apache-2.0
"""See what nova-scheduler does here: its calls of our filter, its reads.

Wraps our filter and our feed for as long as a class of tests runs, and reads
the ledger.
"""

from __future__ import annotations

import dataclasses
import pathlib
import threading
import typing as ty

import fixtures
import nova.conf

from nfv_mla_scheduler.feed import feed
from nfv_mla_scheduler.scheduler import filters
from nfv_mla_scheduler.scheduler import worker
from tests.ledgers import Ledger

_TIMEOUT_S = 30

Json = dict[str, ty.Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call of the filter: what Nova offered, and what came back."""

    server: str
    offered: frozenset[str]
    admitted: frozenset[str]


class FilterCalls(fixtures.Fixture):
    """Records every call of our filter, oldest first."""

    def _setUp(self) -> None:  # noqa: N802
        self.made: list[Call] = []
        original = filters.NfvMlaFilter.filter_all

        def filter_all(self_: ty.Any, objects: ty.Any, spec: ty.Any) -> ty.Any:
            candidates = list(objects)
            admitted: list[ty.Any] = []
            try:
                admitted = original(self_, candidates, spec)
                return admitted
            finally:
                call = Call(
                    spec.instance_uuid,
                    frozenset(c.host for c in candidates),
                    frozenset(c.host for c in admitted),
                )
                self.made.append(call)

        self.useFixture(
            fixtures.MockPatchObject(
                filters.NfvMlaFilter, "filter_all", filter_all
            )
        )


class FeedRounds(fixtures.Fixture):
    """Tells when nova-scheduler has looked at its files once more."""

    def _setUp(self) -> None:  # noqa: N802
        self._count = 0
        self._over = threading.Condition()
        original = feed.Feed.refresh

        def refresh(self_: ty.Any, now: float) -> None:
            try:
                original(self_, now)
            finally:
                with self._over:
                    self._count += 1
                    self._over.notify_all()

        self.useFixture(
            fixtures.MockPatchObject(feed.Feed, "refresh", refresh)
        )

    def wait(self) -> None:
        """Wait until files that were written before have been read."""
        worker.shared(nova.conf.CONF).engine()
        with self._over:
            # The round that is under way may have looked already.
            wanted = self._count + 2
            if not self._over.wait_for(
                lambda: self._count >= wanted, _TIMEOUT_S
            ):
                raise AssertionError("nova-scheduler does not look at files")


class Records:
    """What nova-scheduler recorded, read anew each time."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._ledger = Ledger(directory, "nova-scheduler")

    def events(self, kind: str, **fields: object) -> list[Json]:
        """Return the fields of the events of this kind with these fields."""
        return self._of(self._ledger.events(), kind, **fields)

    def entries(self, kind: str) -> list[Json]:
        """Return the fields of what the ledger says of itself."""
        return self._of(self._ledger.entries(), kind)

    def _of(
        self, found: list[Json], kind: str, **fields: object
    ) -> list[Json]:
        return [
            event["fields"]
            for event in found
            if event["kind"] == kind
            and fields.items() <= event["fields"].items()
        ]
