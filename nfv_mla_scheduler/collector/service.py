# SPDX-License-Identifier: Apache-2.0
"""The collector's process, put together.

Everything that can be wrong with options, keys, files and addresses is found
before anything is asked or published.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.collector.loop import Loop
from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.parts import Parts
from nfv_mla_scheduler.collector.parts import make_server
from nfv_mla_scheduler.collector.parts import why_not
from nfv_mla_scheduler.collector.publisher import Publisher
from nfv_mla_scheduler.collector.publishing import Publishing
from nfv_mla_scheduler.collector.restore import Place
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.collector.status import status
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.policy_file import PolicyFile
from nfv_mla_scheduler.feed.refresher import Refresher
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.publish import publish

# Authorities that have never answered hold up the first document so long.
FIRST_ANSWERS_S = 10.0
STOP_S = 2.0


class Service:
    """A collector that asks, publishes and serves until it is stopped."""

    def __init__(self, parts: Parts, tell: Callable[[News], None]) -> None:
        """Take up what was published before the restart; asks nobody yet.

        :raises SettingsError: when another collector publishes there, or the
            files of TLS cannot be used
        """
        settings, shared = parts.settings, parts.common
        assert shared.policy_file is not None
        self._settings = settings
        self._signer = parts.signer
        self._tell = tell
        self._teller = Teller(tell)
        self._started_at = time.time()
        self._policy: Policy | None = None
        self._settle_by = math.inf
        self._shelf = Shelf()
        self._server = make_server(
            settings.listen, self._shelf, self.status, self._ask_soon
        )
        self._place = Place(settings.results_file)
        self._notes = Notes(shared.state_dir)
        last = self._notes.issued_at
        self._restored = self._place.restore(
            settings.name,
            parts.signer.public_key,
            parts.catalogue,
            shared.results_max_bytes,
            self._notes,
        )
        self._policy_file = PolicyFile(
            shared.policy_file,
            shared.state_dir,
            parts.root,
            parts.catalogue,
            self._teller,
        )
        self._loop = Loop(
            parts.authorities,
            settings.name,
            shared.max_skew_s,
            tell,
            self._changed,
        )
        self._publisher = Publisher(
            settings.name,
            parts.signer,
            settings.results_file,
            self._shelf.put,
            shared.max_skew_s,
            tell,
            self._restored.issued_at or last,
            shared.results_max_bytes,
            self._notes,
        )
        self._publishing = Publishing(
            self._publisher,
            settings.publish_interval_s,
            said=self._said,
            why_not=lambda: why_not(self._policy, settings.name, self._signer),
            ready=self._is_ready,
            report=self._report,
        )
        self._refresher = Refresher(
            self._refresh, shared.refresh_interval_s, "the policy"
        )

    def start(self) -> None:
        """Start all threads.

        :raises SettingsError: when the address cannot be listened on
        """
        self._take_up()
        self._refresh(time.time())
        if self._server is not None:
            self._server.start()
            text = f"answers at port {self._server.port}"
            self._tell(News("https", True, "listening", text))
        self._loop.start()
        self._publishing.start()
        self._refresher.start()

    def stop(self) -> None:
        """Publish what is new, and end; in some seconds at most."""
        ending = threading.Thread(target=self._stop_serving, daemon=True)
        ending.start()
        self._refresher.stop(1.0)
        self._loop.stop(STOP_S)
        if self._publishing.stop(STOP_S):
            self._place.release()
        ending.join(STOP_S)

    def status(self) -> dict[str, Any]:
        """Return how everything stands; from any thread."""
        return status(
            self._settings.name,
            time.time(),
            self._started_at,
            self._policy,
            self._publisher.published,
            self._loop.standings,
            self._loop.held[1],
        )

    def _take_up(self) -> None:
        """Hold and serve what was published before the restart."""
        found = self._restored
        if found.why:
            news = News("results", False, "results-not-restored", found.why)
            self._tell(news)
        if found.issued_at is None:
            return
        self._loop.restore(found.said)
        count = sum(len(said.results) for said in found.said.values())
        self._publisher.show(found.data, found.issued_at, count)
        text = f"{count} of before the restart are taken up"
        self._tell(News("results", True, "results-restored", text))

    def _changed(self) -> None:
        self._publishing.changed()

    def _refresh(self, now: Instant) -> None:
        """Read the policy, and do what it says."""
        policy = self._policy_file.read(now)
        if policy is not None and self._policy is None:
            self._settle_by = time.monotonic() + FIRST_ANSWERS_S
        same = policy is not None and policy.digest == self._restored.policy
        self._loop.rule(policy, now, pins_hold=same)
        self._policy = policy

    def _ask_soon(self, authority: str, attesters: tuple[str, ...]) -> bool:
        return self._loop.refresh(authority, attesters)

    def _said(self) -> tuple[Mapping[str, Said], str]:
        """Return what there is to publish, and under which policy."""
        policy, said = self._loop.held
        return said, policy.digest if policy else ""

    def _is_ready(self) -> bool:
        """Whether a document would hold what there is to be known.

        One that lacks an authority silences it, so that after a start without
        a document of before all are given the time to answer.
        """
        return (
            self._restored.issued_at is not None
            or time.monotonic() > self._settle_by
            or self._loop.wait_settled(0.0)
        )

    def _report(self, now: Instant) -> None:
        path = self._settings.status_file
        if path is None:
            return
        try:
            publish(path, json.dumps(self.status(), indent=1).encode() + b"\n")
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            said = f"{path} cannot be written: {reason}"
            self._teller.bad("status", "status-unwritten", said)
            return
        if self._teller.mended("status"):
            self._teller.say("status", True, "status-written", "is written")

    def _stop_serving(self) -> None:
        if self._server is not None:
            self._server.stop()
