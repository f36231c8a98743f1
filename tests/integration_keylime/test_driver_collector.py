# SPDX-License-Identifier: Apache-2.0
"""A real collector asks real Keylime, and signs what it makes of that."""

from __future__ import annotations

import time
from collections.abc import Callable

from keylime_box.node import Node
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from tests.functional.collectors import Process
from tests.integration_keylime.boxed import PINNED as TAGGED
from tests.integration_keylime.boxed import TAG
from tests.integration_keylime.boxed import BoxedTest
from tests.integration_keylime.witness import MAPPING
from tests.integration_keylime.witness import PINNED
from tests.unit.collector.site import Site

NAME = "kl"
_WAIT_S = 60.0
_LOOK_S = 0.01


class TestCollector(BoxedTest):
    def begin(self) -> Node:
        """Start a collector; return a node that is in its document."""
        # the id at Keylime is the host's name, as the site's policy has it
        node = self.box.node("h1", {15: TAG})
        self.addCleanup(self.box.remove, node)
        self.box.enrol(node, TAGGED)
        self.site, self.loader = Site.of(self, "keylime"), Loader()
        self.site.put_policy(authorities=[NAME], hosts=["h1"])
        mapping = self.site.directory / "mapping.yaml"
        mapping.write_text(MAPPING)
        given = {**self.box.options(), "mapping_file": str(mapping)}
        given["verifiers"] = ",".join(given["verifiers"])
        lines = [f"{name} = {value}" for name, value in given.items()]
        path = self.site.options(asked=[NAME], more={NAME: lines})
        self.collector = Process(
            "nfv_mla_scheduler.cmd.collector_service",
            *("--config-file", str(path)),
        )
        self.addCleanup(self.collector.end)
        self.until(lambda: self.claims(Status.AFFIRMING))
        return node

    def said(self) -> tuple[Result, Freshness] | None:
        """Return what the signed document has about the node."""
        try:
            document = self.site.read(loader=self.loader)
            return (
                document.results[NAME]["h1"],
                document.freshness[NAME]["h1"],
            )
        except (FileNotFoundError, KeyError):
            return None

    def claims(self, status: Status) -> bool:
        """Whether it says that what rests on the PCR is so."""
        found = self.said()
        claim = found[0].claims.get(PINNED) if found else None
        return claim is not None and claim.status is status

    def ended(self) -> Instant:
        """Return when it counts no more."""
        found = self.said()
        return found[1].until if found else 0.0

    def until(self, met: Callable[[], bool]) -> None:
        """Wait until the document is so."""
        last = time.monotonic() + _WAIT_S
        while not met():
            self.assertLess(time.monotonic(), last, self.collector.said)
            time.sleep(_LOOK_S)

    def test_what_fails_is_contraindicated_in_its_document(self) -> None:
        node = self.begin()
        node.extend(15, b"tampered with")
        self.until(lambda: self.claims(Status.CONTRAINDICATED))

    def test_what_is_withdrawn_ends_in_its_document(self) -> None:
        node = self.begin()
        self.assertGreater(self.ended(), time.time())
        self.box.withdraw(node)
        self.until(lambda: self.ended() <= time.time())
