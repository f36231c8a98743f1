# SPDX-License-Identifier: Apache-2.0
"""Play scenes one after the other, and count those that go as expected."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

from demo import world
from demo.asked import NotAsExpected
from demo.centre import DataCentre
from demo.scenes import Scene
from demo.screen import Screen
from demo.stage import Stage
from tests.cloud.client import ApiError
from tests.cloud.client import TimedOut

_HEADINGS = (
    *("host", "jurisdiction", "pool", "host class", "has", "memory"),
    "attested",
)


_READ_ON = (
    "Read on: demo/policy.yaml is what alice and bob have signed; "
    "doc/source/reference/decisions.rst says how each decision is made, and "
    "doc/source/admin/ledger.rst how the ledger is audited. Try it yourself: "
    "python -m demo --serve. What Nova alone would have done: "
    "python -m demo --without-filter."
)
_WITH_FILTER = (
    "That was Nova without our filter. See what it does with it: "
    "python -m demo."
)


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A scene that went otherwise, and how."""

    scene: Scene
    expected: str
    answered: str


def play(
    scenes: Sequence[Scene], centre: DataCentre, screen: Screen
) -> list[Failure]:
    """Play ``scenes`` and return those that did not go as expected."""
    stage = Stage(centre, screen)
    failures = []
    for number, scene in enumerate(scenes, start=1):
        screen.heading(f"{number}. {scene.name}: {scene.title}", scene.clause)
        screen.text(scene.shows, indent=2)
        failure = _play(scene, stage)
        if failure is not None:
            screen.failure(failure.expected, failure.answered)
            failures.append(failure)
    return failures


def _play(scene: Scene, stage: Stage) -> Failure | None:
    failure = _attempt(scene, lambda: _perform(scene, stage))
    not_cleared = _attempt(scene, stage.clear)
    return failure or not_cleared


def _perform(scene: Scene, stage: Stage) -> None:
    scene.play(stage)
    stage.all_judged()


def _attempt(scene: Scene, act: Callable[[], None]) -> Failure | None:
    try:
        act()
    except NotAsExpected as exc:
        return Failure(scene, exc.expected, exc.answered)
    except ApiError as exc:
        answered = f"HTTP {exc.status}: {exc.message}"
        return Failure(scene, "Nova to take the request", answered)
    except TimedOut as exc:
        return Failure(scene, "Nova to come to an end", str(exc))
    return None


def introduce(screen: Screen, *, filtered: bool) -> None:
    """Say what there is: hosts, rules, how to read the scenes."""
    screen.heading("nfv-mla-scheduler: attested placement for Nova", "demo")
    screen.text(
        "Nova (API, conductor, scheduler, nine computes) and Placement run in "
        "this process; only the guests are simulated. A policy that two "
        "officers have signed, alice and bob, says who may go where. What "
        f"the hosts are, two authorities, {world.OURS} and {world.THEIRS}, "
        "say in signed tokens; the collector, "
        "a process of its own, asks them over HTTPS each second and signs "
        "what it found good. The monitor is another such process: it looks "
        "each second which servers are where they should not be, and moves "
        "or halts them. Clauses are those of ETSI GR NFV-SEC 009. Below, "
        "what was asked stands on the left, what Nova's API answered on the "
        "right, and why below, by the scheduler's audit events and "
        "explanations, or by what the monitor says.",
        indent=2,
    )
    screen.line()
    memory = f"{world.PLAIN.memory_mb // 1024} GB"
    nobodys = (world.PLAIN.name, "-", "-", "-", "-", memory, "by nobody")
    screen.table(_HEADINGS, [*map(_row, world.HOSTS), nobodys])
    screen.line()
    flavors = ((name, f.words) for name, f in world.FLAVORS.items())
    screen.table(("flavor", "asks for"), flavors)
    if not filtered:
        screen.heading("WITHOUT our filter: what Nova alone would do")
        screen.text(
            "Nova alone has no monitor and no ledger either: their scenes "
            "are left out.",
            indent=2,
        )


def conclude(
    screen: Screen,
    scenes: Sequence[Scene],
    failures: Sequence[Failure],
    *,
    filtered: bool,
) -> None:
    """Say how many scenes went as expected, and which did not."""
    good = len(scenes) - len(failures)
    word = "scene" if len(scenes) == 1 else "scenes"
    screen.heading(f"{good} of {len(scenes)} {word} went as expected")
    for failure in failures:
        screen.line(f"  {failure.scene.name}: {failure.scene.title}")
        screen.failure(failure.expected, failure.answered)
    screen.text(_READ_ON if filtered else _WITH_FILTER, indent=2)


def _row(host: world.Host) -> tuple[str, ...]:
    has = ["SEV-SNP"] if host.enclaves else []
    has += ["HSM"] if host.hsm else []
    return (
        host.name,
        host.jurisdiction,
        host.pool or "-",
        world.CLASSES.get(host.pool, "-"),
        ", ".join(has) or "-",
        f"{host.memory_gb} GB",
        "by both",
    )
