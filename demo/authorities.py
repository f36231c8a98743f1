# SPDX-License-Identifier: Apache-2.0
"""The attestation authorities and their collector, as a scene directs them.

Whatever is published, this waits until the scheduler has read it, and for no
longer.
"""

from __future__ import annotations

import dataclasses
import time

from demo import world
from demo.asked import NotAsExpected
from demo.centre import DataCentre
from demo.interrupts import INTERRUPTS
from demo.reasons import Reasons
from demo.screen import Screen
from nfv_mla_scheduler.model import Status
from tests.cloud.site import Attested


class Authorities:
    """What is said of hosts, by whom, and whether it is published."""

    def __init__(
        self, centre: DataCentre, reasons: Reasons, screen: Screen
    ) -> None:
        self._centre = centre
        self._reasons = reasons
        self._screen = screen

    def say(
        self, host: str, authority: str, capability: str, status: Status
    ) -> None:
        """Let an authority change its mind about one capability of a host."""
        said = self._centre.site.attested[authority][host]
        claim = dataclasses.replace(said.claims[capability], status=status)
        claims = {**said.claims, capability: claim}
        self._centre.site.attested[authority][host] = Attested(claims)
        self._screen.event(
            f"{authority} says of {host}: {capability} {status.value}"
        )
        self._publish()

    def all_is_well(self) -> None:
        """Let both authorities speak well of every host, and be heard."""
        world.attest(self._centre.site)
        self._publish()

    def falls_silent(self) -> None:
        """Let the collector publish no more, until its results are old."""
        self._centre.collector.fall_silent()
        self.grow_stale("the collector has fallen silent")

    def speaks_again(self) -> None:
        """Let the collector go on."""
        self._screen.event("the collector publishes again")
        self._publish()

    def forge(self, signer: str) -> None:
        """Let a stranger publish what is not so."""
        site = self._centre.site
        self._screen.event(
            f"{signer} replaces the results file: all is well, and par-1 is "
            "in Berlin"
        )
        self._centre.collector.fall_silent()
        since, truth = self._reasons.count(), site.attested
        world.attest(site)
        berlin = dataclasses.replace(
            world.host("par-1"), jurisdiction="DE-BE", city="berlin"
        )
        site.attested[world.THEIRS]["par-1"] = Attested(
            berlin.foreign_claims()
        )
        site.publish(signer=signer)
        site.attested = truth
        event = self._reasons.event(since, kind="results-refused")
        if event is None:
            raise NotAsExpected(
                "our scheduler to refuse these results", "not a word of it"
            )
        fields = event["fields"]
        self._screen.why([f"{event['kind']}: {fields['text']}"])

    def grow_stale(self, since_when: str) -> None:
        """Wait until the last good results are too old."""
        stale_at = self._centre.published_at + world.MAX_AGE_S
        self._screen.event(f"{since_when}; {world.MAX_AGE_S} s go by")
        while time.time() <= stale_at:
            INTERRUPTS.sleep(0.05)

    def _publish(self) -> None:
        self._centre.collector.speak()
        if not self._reasons.results_taken_in():
            raise NotAsExpected(
                "our scheduler to read new results", "it still has old ones"
            )
