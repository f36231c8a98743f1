# SPDX-License-Identifier: Apache-2.0
"""What everything is measured on, in plain words and in numbers.  Pure."""

from __future__ import annotations

from bench import asks
from bench import estate
from bench import rules
from bench import site
from bench.run import SAMPLED
from bench.run import Run

Facts = dict[str, int | float]


def facts(count: int, rounds: int, done: Run) -> Facts:
    """Return the fixture in numbers."""
    standings = estate.counts(estate.estate(count))
    return {
        "hosts": count,
        "rounds": rounds,
        "pools": estate.POOLS,
        "exclusive pools": estate.EXCLUSIVE_POOLS,
        "authorities": len(rules.AUTHORITIES),
        **{f"hosts {s.value}": n for s, n in standings.items()},
        **done.facts,
        "decisions compared": done.agreed,
    }


def words(count: int, rounds: int) -> tuple[str, ...]:
    """Return the fixture as paragraphs."""
    standings = estate.counts(estate.estate(count))
    refused = ", ".join(
        f"{standing.value} ({number})"
        for standing, number in standings.items()
        if standing is not estate.Standing.GOOD
    )
    return (
        f"{count} of Nova's HostStates with 3 aggregates each, in "
        f"{estate.POOLS} pools, {estate.EXCLUSIVE_POOLS} of them exclusive "
        "to others. A signed policy binds the hosts, with three declared "
        "facts each; a signed results document has the word of two "
        "authorities about them. A worker's feed has read both from files.",
        f"Half of the hosts, {standings[estate.Standing.GOOD]}, are admitted "
        "for the main requirement: a profile after multi-tenant-hosting, a "
        f"hardware TPM, and a jurisdiction. Refused are hosts {refused}.",
        f"Steady: {asks.REQUIREMENTS} requirements in turn; after every "
        f"{asks.PER_GENERATION} requests time goes on by "
        f"{site.GENERATION_S:g} s, and the 1 % of the hosts whose results are "
        "oldest are appraised anew, one in "
        f"{site.REBOOTS} of them after a reboot. Results count for "
        f"{rules.LEAST_AGE_S} to {rules.MAX_AGE_S} s.",
        "Cold: a maximum age that nobody asked for before. Waived: three "
        "requirements of the profile are, by the signed policy.",
        "Weighers: on the hosts that are left, weigh_objects() and then "
        "weight_multiplier() for each host, as Nova's handler calls them.",
        "Tokens: one EAR about each host, ES256, with a trust vector and the "
        "claims that the first authority makes in the results document.",
        "CPU time of one process, all in turns, medians of "
        f"{rounds} rounds; all garbage is collected before each round.",
        "Compared with the brute-force judge, untimed: the main requirement "
        "and a request that asks for nothing on every host, a cold "
        f"and a waived one on one host in {SAMPLED // 9}, and the "
        f"{asks.REQUIREMENTS} of 'steady' on one in {SAMPLED}, when the "
        "rounds are over.",
    )
