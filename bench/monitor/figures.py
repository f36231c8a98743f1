# SPDX-License-Identifier: Apache-2.0
"""The figures of the monitor.  Pure."""

from __future__ import annotations

from bench.units import Figure
from bench.units import Unit

COST = (
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
)
ALARM = (
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
)
