# SPDX-License-Identifier: Apache-2.0
"""What is measured, what is expected of it, and whether it is met.

Pure.  Expectations are ratios to what Nova's own code, or a bare signature,
costs in the same run, so that they hold on any machine; times and sizes alone
where nothing is there to compare with.
"""

from __future__ import annotations

import dataclasses
import enum
import statistics
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

BASELINE = "aggregates"
FACTOR = 1.5


class Unit(enum.Enum):
    """In what a figure is told; a sample is in seconds, bytes or calls."""

    US_PER_HOST = "us/host"
    US_PER_RESULT = "us/result"
    MS = "ms"
    S = "s"
    MIB = "MiB"
    CALLS = "calls"

    @property
    def scale(self) -> float:
        """By what a sample is multiplied."""
        return _SCALES[self]


_SCALES = {
    Unit.US_PER_HOST: 1e6,
    Unit.US_PER_RESULT: 1e6,
    Unit.MS: 1e3,
    Unit.S: 1.0,
    Unit.MIB: 2.0**-20,
    Unit.CALLS: 1.0,
}


class Verdict(enum.Enum):
    """How a figure stands to its expectation."""

    MEETS = "meets"
    ABOVE = "above"
    FAILS = "FAILS"
    NONE = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One thing that is measured.

    :ivar beside: the figure that it is a ratio to; None: it stands alone
    :ivar expected: the ratio, or the figure itself; None: nothing is expected
    """

    name: str
    text: str
    unit: Unit
    beside: str | None = None
    expected: float | None = None


_US = Unit.US_PER_HOST
FIGURES = (
    Figure(
        BASELINE,
        "Nova's AggregateInstanceExtraSpecsFilter, two keys that match",
        _US,
    ),
    Figure("compute", "Nova's ComputeFilter", _US, BASELINE),
    Figure(
        "capabilities",
        "Nova's ComputeCapabilitiesFilter, one key that matches",
        _US,
        BASELINE,
    ),
    Figure("warm", "a requirement asked for again", _US, BASELINE, 0.10),
    Figure("nothing", "a request that asks for nothing", _US, BASELINE, 0.10),
    Figure(
        "steady",
        "100 requirements in turn, while 1 % of the hosts are renewed after "
        "every 10 requests",
        _US,
        BASELINE,
        0.25,
    ),
    Figure("cold", "a requirement never seen before", _US, BASELINE, 1.0),
    Figure(
        "cold-waived",
        "the same of a profile of which part is waived",
        _US,
        BASELINE,
    ),
    Figure("cpu-weigher", "Nova's CPUWeigher, its multipliers included", _US),
    Figure("assurance", "our assurance weigher", _US, "cpu-weigher", 0.5),
    Figure("scarcity", "our scarcity weigher", _US, "cpu-weigher", 0.5),
    Figure(
        "refresh",
        "a worker takes a document in which only times have changed",
        Unit.MS,
        None,
        50.0,
    ),
    Figure(
        "refresh-renewed",
        "the same in the course of 'steady', where hosts have rebooted",
        Unit.MS,
    ),
    Figure(
        "memory",
        "policy, results and what is judged for one requirement",
        Unit.MIB,
        None,
        80.0,
    ),
    Figure("memory-requirement", "of this, the one requirement", Unit.MIB),
    Figure(
        "load",
        "a worker loads policy and results for the first time",
        Unit.S,
    ),
    Figure(
        "collection",
        "what they add to a full garbage collection",
        Unit.MS,
    ),
    Figure(
        "signatures",
        "verify the bare signatures of tokens",
        Unit.US_PER_RESULT,
    ),
    Figure(
        "tokens-new",
        "read the same tokens as attestation results",
        Unit.US_PER_RESULT,
        "signatures",
        1.3,
    ),
    Figure(
        "tokens-unchanged",
        "read an answer in which every token is as it was",
        Unit.US_PER_RESULT,
        "signatures",
        0.05,
    ),
    Figure(
        "listing",
        "the monitor lists all servers, hosts, moves and traits, no more",
        Unit.S,
    ),
    Figure(
        "cycle",
        "a cycle of the monitor in which nothing is to be done",
        Unit.S,
        "listing",
        0.1,
    ),
    Figure(
        "first-cycle",
        "the first cycle of a monitor, which lists and judges everything",
        Unit.S,
        None,
        5.0,
    ),
    Figure(
        "first-reading",
        "what it reads before that: policy and results",
        Unit.S,
    ),
    Figure(
        "calls",
        "HTTP calls of a cycle in which nothing is to be done",
        Unit.CALLS,
        None,
        20.0,
    ),
    Figure(
        "calls-acting",
        "those of one that acts, less 3 for each step, release and trait",
        Unit.CALLS,
        None,
        20.0,
    ),
    Figure(
        "monitor-memory",
        "the monitor's whole process, after all these cycles",
        Unit.MIB,
        None,
        500.0,
    ),
    Figure(
        "locked",
        "from a knock at the webhook until a host's 50 servers are locked",
        Unit.S,
        None,
        2.0,
    ),
    Figure(
        "fenced",
        "from an authority's change of mind until the host is fenced, at "
        "worst, where it is asked every 2 s",
        Unit.S,
        None,
        3.0,
    ),
    Figure(
        "keylime-first",
        "the driver's first answer about 1,000 agents of real Keylime, whose "
        "keys are pinned, by the clock on the wall",
        Unit.S,
    ),
    Figure(
        "keylime",
        "its answer when nothing has changed but the times",
        Unit.MS,
    ),
    Figure("keylime-cpu", "of this, its own CPU time", Unit.MS, None, 100.0),
    Figure("keylime-verifier-cpu", "and the verifier's CPU time", Unit.MS),
    Figure(
        "keylime-calls-first", "HTTP calls of the first answer", Unit.CALLS
    ),
    Figure(
        "keylime-calls",
        "HTTP calls of one when nothing has changed but the times",
        Unit.CALLS,
        None,
        1.0,
    ),
    Figure(
        "keylime-memory",
        "what the driver needs at most during an answer",
        Unit.MIB,
        None,
        50.0,
    ),
)
BY_NAME: Mapping[str, Figure] = {figure.name: figure for figure in FIGURES}

_TOKENS = ("signatures", "tokens-new", "tokens-unchanged")
_COST = (
    "listing",
    "cycle",
    "first-cycle",
    "first-reading",
    "calls",
    "calls-acting",
    "monitor-memory",
)
_ALARM = ("locked", "fenced")
_KEYLIME = tuple(name for name in BY_NAME if name.startswith("keylime"))
_APART = frozenset((*_TOKENS, *_COST, *_ALARM, *_KEYLIME))
#: Figures that are measured on the same fixture, and on no other.
PARTS: Mapping[str, frozenset[str]] = {
    "tokens": frozenset(_TOKENS),
    "scheduler": frozenset(BY_NAME.keys() - _APART),
    "monitor": frozenset((*_COST, *_ALARM)),
    "keylime": frozenset(_KEYLIME),
}
MONITOR_COST, MONITOR_ALARM = frozenset(_COST), frozenset(_ALARM)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """A figure, measured.

    :ivar samples: in the figure's unit
    :ivar value: what is compared with the expectation: the ratio of medians,
        or the median itself
    """

    figure: Figure
    samples: tuple[float, ...]
    ratio: float | None
    verdict: Verdict

    @property
    def median(self) -> float:
        """The middle one of the samples."""
        return statistics.median(self.samples)

    @property
    def value(self) -> float:
        """What is compared with the expectation."""
        return self.median if self.ratio is None else self.ratio


def wanted(
    only: Sequence[str],
    parts: Sequence[str] = (),
    missing: frozenset[str] = frozenset(),
) -> tuple[Figure, ...]:
    """Return the figures to be measured, and what they are compared with.

    :param only: names; none at all: every figure
    :param parts: names of parts, all of which is wanted beside ``only``
    :param missing: names of parts that cannot be measured here, and are left
        out unless somebody names them
    """
    named = {*only}.union(*(PARTS[part] for part in parts))
    out = frozenset[str]().union(*(PARTS[part] for part in missing))
    names = named or set(BY_NAME) - out
    names |= {BY_NAME[name].beside or name for name in names}
    return tuple(figure for figure in FIGURES if figure.name in names)


def judge(
    figures: Iterable[Figure],
    samples: Mapping[str, Sequence[float]],
    factor: float,
) -> tuple[Outcome, ...]:
    """Return what came of figures.

    :param samples: by figure, in seconds or bytes
    :param factor: by how much an expectation may be exceeded
    """
    outcomes = []
    for figure in figures:
        scaled = tuple(x * figure.unit.scale for x in samples[figure.name])
        ratio = None
        if figure.beside is not None:
            # of samples as they are: both are of the same unit
            other = statistics.median(samples[figure.beside])
            ratio = statistics.median(samples[figure.name]) / other
        outcome = Outcome(figure, scaled, ratio, Verdict.NONE)
        verdict = _verdict(outcome, factor)
        outcomes.append(dataclasses.replace(outcome, verdict=verdict))
    return tuple(outcomes)


def _verdict(outcome: Outcome, factor: float) -> Verdict:
    expected = outcome.figure.expected
    if expected is None:
        return Verdict.NONE
    if outcome.value > expected * factor:
        return Verdict.FAILS
    return Verdict.MEETS if outcome.value <= expected else Verdict.ABOVE
