# SPDX-License-Identifier: Apache-2.0
"""The attestation authorities and their collector, as a scene directs them.

Whatever is said, this waits until the scheduler has read it by way of the
collector, and for no longer.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from collections.abc import Sequence

from demo import world
from demo.asked import NotAsExpected
from demo.centre import DataCentre
from demo.interrupts import INTERRUPTS
from demo.laboratory import Laboratory
from demo.reasons import Reasons
from demo.screen import Screen
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import TokenCode
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
        self._lab(authority).says(host, capability, status)
        self._screen.event(
            f"{authority} says of {host}: {capability} {status.value}"
        )
        self._read_so(authority, host, capability, status)

    def say_of_all(
        self,
        hosts: Sequence[str],
        authority: str,
        capability: str,
        status: Status,
    ) -> None:
        """Let an authority change its mind about hosts at one moment."""
        self._lab(authority).says_of_all(hosts, capability, status)
        who = "every host" if len(hosts) == len(world.HOSTS) else None
        self._screen.event(
            f"{authority} says of {who or ', '.join(hosts)}: {capability} "
            f"{status.value}"
        )
        for host in hosts:
            self._read_so(authority, host, capability, status)

    def finds(self, host: str, capability: str, **values: str) -> None:
        """Let the police's authority find other values at a host.

        :param values: by key; one without a key is called ``value``
        """
        lists = {key: [value] for key, value in values.items()}
        self._lab(world.THEIRS).measures(host, capability, **lists)
        self._screen.event(
            f"{world.THEIRS} finds at {host}: {capability} "
            f"{', '.join(values.values())}"
        )

    def says_nothing_of(self, host: str, authority: str) -> None:
        """Let an authority have no result about a host any more."""
        self._lab(authority).misbehaves(host, silent=True)
        self._screen.event(f"{authority} does not attest {host} any more")
        if not self._reasons.not_heard_of(authority, host):
            raise self._not_read(f"that {authority} has nothing on {host}")

    def issue(
        self, authority: str, tokens: dict[str, tuple[str, object, TokenCode]]
    ) -> None:
        """Let an authority's tokens about some hosts be no good.

        :param tokens: host -> knob, its value, and the code with which the
            collector has to refuse such a token
        """
        since = len(self._centre.collector.lines())
        for host, (knob, value, _) in tokens.items():
            self._lab(authority).misbehaves(host, **{knob: value})
            word = knob if value is True else f"{knob} {value}"
            self._screen.event(f"tokens of {authority} about {host}: {word}")
        self._collector_says([c.value for _, _, c in tokens.values()], since)

    def replay(self, authority: str, host: str) -> None:
        """Let the tokens about a host be the same from now on."""
        self._lab(authority).misbehaves(host, replayed=True)
        self._screen.event(f"tokens of {authority} about {host}: replayed")

    def goes_down(self, authority: str) -> None:
        """Let an authority answer nobody, until its results are old."""
        since = len(self._centre.collector.lines())
        self._lab(authority).stop()
        self._screen.event(f"{authority} is down")
        self._collector_says([ContactCode.UNREACHABLE.value], since)
        self.grow_stale("it stays so", (authority,))

    def all_is_well(self) -> None:
        """Let both authorities speak well of every host, and be heard."""
        for lab in self._centre.laboratories.values():
            lab.all_is_well()
            lab.start()
        since = time.time()
        self._centre.collector.start()
        if not self._reasons.all_is_read(since):
            raise self._not_read("that all hosts are well")

    def falls_silent(self) -> None:
        """Let the collector publish no more, until its results are old."""
        self._centre.collector.stop()
        self.grow_stale("the collector has fallen silent")

    def speaks_again(self) -> None:
        """Let the collector go on."""
        self._screen.event("the collector publishes again; all is well")
        self.all_is_well()

    def forge(self, signer: str) -> None:
        """Let a stranger publish what is not so."""
        site = self._centre.site
        self._screen.event(
            f"{signer} replaces the results file: all is well, and par-1 is "
            "in Berlin"
        )
        self._centre.collector.stop()
        since = self._reasons.count()
        world.attest(site)
        berlin = dataclasses.replace(
            world.host("par-1"), jurisdiction="DE-BE", city="berlin"
        )
        site.attested[world.THEIRS]["par-1"] = Attested(
            berlin.foreign_claims()
        )
        site.publish(signer=signer)
        event = self._reasons.event(since, kind="results-refused")
        if event is None:
            raise NotAsExpected(
                "our scheduler to refuse these results", "not a word of it"
            )
        fields = event["fields"]
        self._screen.why([f"{event['kind']}: {fields['text']}"])

    def grow_stale(
        self,
        since_when: str,
        authorities: Iterable[str] = (world.OURS, world.THEIRS),
        hosts: Iterable[str] = world.GERMAN_ENCLAVES,
    ) -> None:
        """Wait until the results about some hosts are too old."""
        self._screen.event(f"{since_when}; {world.MAX_AGE_S} s go by")
        heard = [(a, h) for a in authorities for h in hosts]
        while time.time() <= self._reasons.latest(heard) + world.MAX_AGE_S:
            INTERRUPTS.sleep(0.05)

    def _lab(self, authority: str) -> Laboratory:
        return self._centre.laboratories[authority]

    def _read_so(
        self, authority: str, host: str, capability: str, status: Status
    ) -> None:
        if not self._reasons.is_read(authority, host, capability, status):
            raise self._not_read(f"what {authority} says of {host}")

    def _not_read(self, what: str) -> NotAsExpected:
        ended = self._centre.collector.ended()
        return NotAsExpected(
            f"our scheduler to read {what}",
            f"the collector has ended: {ended}" if ended else "it did not",
        )

    def _collector_says(self, codes: list[str], since: int) -> None:
        """Show what the collector says, and demand each code said once."""
        collector = self._centre.collector
        self._centre.until(
            lambda: all(collector.said(code, since=since) for code in codes)
        )
        lines: dict[str, None] = {}
        for code in codes:
            said = collector.said(code, since=since)
            if len(said) != 1:
                raise NotAsExpected(
                    f"one line of the collector with {code}",
                    f"there are {len(said)}",
                )
            lines[said[0].partition("nfv-mla ")[2]] = None
        self._screen.why([f"collector: {line}" for line in lines])
