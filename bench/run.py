# SPDX-License-Identifier: Apache-2.0
"""Set up what the wanted figures need, measure them, and check the answers.

Touches a temporary directory.  Imports nova only if a figure needs it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench import asks
from bench import keylime
from bench.estate import Host
from bench.estate import estate
from bench.figures import MONITOR_ALARM
from bench.figures import MONITOR_COST
from bench.figures import PARTS
from bench.meter import Contender
from bench.meter import Samples
from bench.meter import measure
from bench.units import Figure

if TYPE_CHECKING:
    from bench.scheduler.process import Scheduler

_MEMORY = frozenset({"memory", "memory-requirement"})
_LOAD = frozenset({"load", "collection"})
#: Of the hundred requirements every so many hosts are checked, of all kinds.
SAMPLED = 199


class Wrong(Exception):
    """An answer is wrong, or what is to be measured is not installed."""


@dataclasses.dataclass(slots=True)
class Run:
    """What came of a run.

    :ivar samples: by figure, in seconds or bytes
    :ivar took_s: step -> how long it took, in seconds by the clock on the wall
    :ivar facts: what there is to say about what was measured
    :ivar agreed: on how many decisions filter and brute-force judge agreed
    """

    samples: Samples
    took_s: dict[str, float]
    facts: dict[str, int]
    agreed: int = 0

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note how long something takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - began
            self.took_s[name] = self.took_s.get(name, 0.0) + took


def run(
    figures: tuple[Figure, ...],
    count: int,
    rounds: int,
    tell: Callable[[str], None],
) -> Run:
    """Return the samples of ``figures``, measured on so many hosts.

    :raises Wrong: when the filter does not decide as the brute-force judge
    """
    done = Run({}, {}, {})
    names = frozenset(figure.name for figure in figures)
    hosts = estate(count)
    if names & PARTS["tokens"]:
        # in turns of their own: they are compared with nothing else
        with done.step("tokens"):
            tell("signing tokens")
            turns = _of_tokens(hosts, names, done)
            done.samples |= measure(turns, rounds, tell)
            del turns
    if names & PARTS["ledger"]:
        with done.step("ledger"):
            _measure_ledger(names, rounds, done, tell)
    if names & PARTS["keylime"]:
        if why := keylime.lacks_keylime():
            raise Wrong(f"keylime: {why}")
        with done.step("keylime"):
            found = keylime.measure_keylime(rounds, done.facts, tell)
            done.samples |= {n: found[n] for n in names & PARTS["keylime"]}
    if names & PARTS["monitor"]:
        _measure_monitor(count, names, done, tell)
    if names & PARTS["scheduler"]:
        with tempfile.TemporaryDirectory(prefix="nfv-mla-bench-") as path:
            here = _scheduler(pathlib.Path(path), hosts, done, tell)
            with here.opened():
                _measure_scheduler(here, names, rounds, done, tell)
    return done


def _measure_ledger(
    names: frozenset[str],
    rounds: int,
    done: Run,
    tell: Callable[[str], None],
) -> None:
    """Measure what is wanted, before anything large is in this process."""
    from bench.ledger.ground import Odd
    from bench.ledger.turns import measure_ledger

    with tempfile.TemporaryDirectory(prefix="nfv-mla-bench-") as path:
        try:
            found = measure_ledger(
                pathlib.Path(path), names, rounds, done.facts, tell
            )
        except Odd as exc:
            raise Wrong(f"ledger: {exc}") from exc
    done.samples |= {n: found[n] for n in names & PARTS["ledger"]}


def _measure_monitor(
    count: int,
    names: frozenset[str],
    done: Run,
    tell: Callable[[str], None],
) -> None:
    """Measure what is wanted, in processes of their own.

    Before anything large is in this one, which is not to matter.
    """
    from bench.monitor import alarm
    from bench.monitor import cost

    if names & MONITOR_COST:
        with done.step("monitor"):
            try:
                found = cost.measure_cost(count, done.facts, tell)
            except cost.Odd as exc:
                raise Wrong(f"monitor: {exc}") from exc
            done.samples |= {n: found[n] for n in names & MONITOR_COST}
    if names & MONITOR_ALARM:
        with done.step("alarm"):
            done.samples |= alarm.measure_alarm(names, tell)


def _measure_scheduler(
    here: Scheduler,
    names: frozenset[str],
    rounds: int,
    done: Run,
    tell: Callable[[str], None],
) -> None:
    turns = _of_scheduler(here, names, done, tell)
    with done.step("rounds"):
        done.samples |= measure(turns, rounds, tell)
    if "steady" in names:
        with done.step("check answers"):
            tell("comparing a sample with the brute-force judge")
            _check(here, asks.many(), here.hosts[::SAMPLED], done)


def _scheduler(
    directory: pathlib.Path,
    hosts: tuple[Host, ...],
    done: Run,
    tell: Callable[[str], None],
) -> Scheduler:
    with done.step("set up"):
        tell("making host states, a signed policy and signed results")
        from bench.scheduler.process import Scheduler

        return Scheduler(directory, hosts, float(int(time.time())))


def _of_scheduler(
    here: Scheduler,
    names: frozenset[str],
    done: Run,
    tell: Callable[[str], None],
) -> list[Contender]:
    """Measure memory, load what is left to measure, and check the answers."""
    from bench.scheduler import contenders
    from bench.scheduler import memory

    if names & _MEMORY:
        with done.step("memory"):
            tell("measuring memory")
            done.samples |= memory.measure_memory(here)
    with done.step("load"):
        tell("loading policy and results")
        if names & _LOAD:
            done.samples |= memory.measure_load(here)
        else:
            here.load()
    done.facts["shapes of hosts"] = len(here.snapshot.shapes)
    with done.step("check answers"):
        tell("comparing with the brute-force judge, host by host")
        _check(here, (asks.MAIN, asks.NOTHING), here.hosts, done)
        done.facts["hosts admitted"] = len(here.ask(asks.MAIN))
        # the last of those that would come, so that the others stay unseen
        rare = [[*asks.never_seen(waived)][-1] for waived in (False, True)]
        _check(here, rare, here.hosts[:: SAMPLED // 9], done)
    with done.step("rounds"):
        tell("making what takes turns")
        return contenders.contenders(here, names)


def _of_tokens(
    hosts: tuple[Host, ...], names: frozenset[str], done: Run
) -> list[Contender]:
    from bench import tokens

    answers = tokens.Answers(hosts, float(int(time.time())))
    done.facts["bytes in a token"] = len(answers.pair[0][0])
    return tokens.contenders(answers, names)


def _check(
    here: Scheduler,
    many: tuple[Mapping[str, str], ...] | list[Mapping[str, str]],
    hosts: tuple[Host, ...],
    done: Run,
) -> None:
    from bench.scheduler import truth

    for specs in many:
        admitted = {state.host for state in here.ask(specs)}
        done.agreed += truth.compare(
            specs, here.snapshot, hosts, admitted, here.now
        )
