# SPDX-License-Identifier: Apache-2.0
"""The figures of a worker of nova-scheduler.  Pure.

Apart from ``bench.scheduler``, which imports nova.
"""

from __future__ import annotations

from bench.units import Figure
from bench.units import Unit

BASELINE = "aggregates"

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
)
