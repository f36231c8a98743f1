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

from bench import worker_figures as scheduler
from bench.ledger import figures as ledger
from bench.monitor import figures as monitor
from bench.units import Figure
from bench.units import Unit

FACTOR = 1.5


class Verdict(enum.Enum):
    """How a figure stands to its expectation."""

    MEETS = "meets"
    ABOVE = "above"
    FAILS = "FAILS"
    NONE = ""


TOKENS = (
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
)
KEYLIME = (
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
FIGURES = (
    *scheduler.FIGURES,
    *TOKENS,
    *monitor.COST,
    *monitor.ALARM,
    *KEYLIME,
    *ledger.FIGURES,
)
BY_NAME: Mapping[str, Figure] = {figure.name: figure for figure in FIGURES}


def _names(figures: Iterable[Figure]) -> frozenset[str]:
    return frozenset(figure.name for figure in figures)


MONITOR_COST, MONITOR_ALARM = _names(monitor.COST), _names(monitor.ALARM)
#: Figures that are measured on the same fixture, and on no other.
PARTS: Mapping[str, frozenset[str]] = {
    "tokens": _names(TOKENS),
    "scheduler": _names(scheduler.FIGURES),
    "monitor": MONITOR_COST | MONITOR_ALARM,
    "keylime": _names(KEYLIME),
    "ledger": _names(ledger.FIGURES),
}


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
