# SPDX-License-Identifier: Apache-2.0
"""Play the parts of the story, and say what there is to see."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from demo import world as people
from demo.asked import NotAsExpected
from demo.keylime import world
from demo.keylime.centre import BoxedCentre
from demo.keylime.story import SILENT
from demo.keylime.story import TAMPERED
from demo.keylime.story import Story
from demo.screen import Screen
from keylime_box.errors import BoxError
from tests.cloud.client import ApiError
from tests.cloud.client import TimedOut

_HOSTS = ("host", "jurisdiction", "attested", "id at Keylime", "TPM's key")


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One part of the story."""

    title: str
    clause: str
    shows: str
    play: Callable[[Story], object]


PARTS = (
    Part(
        "What asks for attestation lands on attested hosts",
        "5.1.1, 5.3.2",
        f"{people.PLAIN.name} has the most room, and nobody attests it. What "
        "Keylime vouches for is what its policies are about: measured boot, "
        "the files that run, and the tag in a PCR that says where a host is.",
        Story.placed,
    ),
    Part(
        f"{TAMPERED} is tampered with, and its servers leave",
        "5.1.3, 5.1.5, 5.3.2",
        "When the integrity of a host has failed nothing of a server is "
        "carried over: it is locked and stopped, even one that only has to be "
        "in Germany. One that asks for nothing stays.",
        Story.tampered,
    ),
    Part(
        f"{TAMPERED} is set right, and released",
        "5.1.3",
        "A failure stands until a person has looked: Keylime asks a host that "
        "has failed no more before it is told to.",
        Story.mended,
    ),
    Part(
        f"{SILENT} falls silent, and takes no more",
        "5.1.2",
        "By Keylime's word a host that answers no more passes for a while; "
        f"here a success counts for {world.MAX_AGE_S} s. Silence is no "
        "failure: what runs there is left alone for the first minute.",
        Story.silent,
    ),
)


def introduce(screen: Screen) -> None:
    """Say what there is."""
    screen.heading("nfv-mla-scheduler: a TPM is tampered with", "Keylime")
    screen.text(
        "Nova (API, conductor, scheduler, five computes) and Placement run in "
        "this process; only the guests are simulated. Four of the hosts have "
        "a TPM 2.0 in software each, and are attested by a real Keylime: "
        "registrar and verifier, which has each TPM quote its PCRs twice a "
        "second. The collector, a process of its own, asks the verifier each "
        "second, over mutual TLS, and signs what it found. The monitor is "
        "another, and acts upon new results at once. Clauses are those of "
        "ETSI GR NFV-SEC 009.",
        indent=2,
    )


def play(centre: BoxedCentre, screen: Screen, began: float) -> bool:
    """Play all parts; return whether all went as it should.

    :param began: when the demo did, by the monotonic clock
    """
    screen.event(f"all runs, after {time.monotonic() - began:.0f} s")
    screen.line()
    screen.table(_HOSTS, _rows(centre))
    screen.line()
    flavors = ((name, f.words) for name, f in world.FLAVORS.items())
    screen.table(("flavor", "asks for"), flavors)
    story = Story(centre, screen)
    for number, part in enumerate(PARTS, start=1):
        screen.heading(f"{number}. {part.title}", part.clause)
        screen.text(part.shows, indent=2)
        try:
            part.play(story)
        except NotAsExpected as exc:
            screen.failure(exc.expected, exc.answered)
            return False
        except (ApiError, TimedOut, BoxError) as exc:
            screen.failure("everybody to take the request", str(exc))
            return False
    took_s = time.monotonic() - began
    screen.heading(f"all went as it should, in {took_s:.0f} s")
    return True


def _rows(centre: BoxedCentre) -> list[tuple[str, ...]]:
    rows = [
        (
            host.name,
            host.jurisdiction,
            "by Keylime",
            host.compute.uuid,
            f"{centre.keylime.nodes[host.name].ek_sha256[:12]}...",
        )
        for host in world.HOSTS
    ]
    return [*rows, (people.PLAIN.name, "-", "by nobody", "-", "-")]
