# SPDX-License-Identifier: Apache-2.0
"""What everything is measured on, in plain words and in numbers.  Pure."""

from __future__ import annotations

from collections.abc import Collection

from bench import asks
from bench import estate
from bench import keylime
from bench import rules
from bench import site
from bench.figures import PARTS
from bench.ledger import appending
from bench.ledger import entries
from bench.ledger import sealing
from bench.monitor import alarm
from bench.monitor import cost
from bench.monitor import ground
from bench.monitor import town
from bench.run import SAMPLED
from bench.run import Run
from nfv_mla_scheduler.audit.limits import Limits

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


def words(count: int, rounds: int, names: Collection[str]) -> tuple[str, ...]:
    """Return the fixture as paragraphs.

    :param names: of the figures that are measured
    """
    found: tuple[str, ...] = ()
    apart = PARTS["monitor"] | PARTS["keylime"] | PARTS["ledger"]
    if not apart.issuperset(names):
        found += _of_scheduler(count, rounds)
    if not PARTS["monitor"].isdisjoint(names):
        found += _of_monitor(count)
    if not PARTS["keylime"].isdisjoint(names):
        found += (
            f"Keylime: a real verifier and registrar, with {keylime.AGENTS} "
            "agents in their databases: copies of one that passes, with all "
            "policies bound, each with a key of its own, which is pinned. "
            "The driver in this process, over mutual TLS.",
        )
    if not PARTS["ledger"].isdisjoint(names):
        found += (_of_ledger(),)
    return found


def _of_ledger() -> str:
    limits = Limits()
    return (
        f"Ledger: {entries.COUNT} entries, refusals, requests of the monitor, "
        "what came of them and heartbeats, recorded one right after the "
        "other by a process that then ends, on the disk of the temporary "
        "directory. CPU time of the process, all its threads. Bare is the "
        "same without a ledger: the same bytes made by json, hashed by "
        f"hashlib, and an Ed25519 signature for every "
        f"{limits.checkpoint_entries}. Commit: the median of "
        f"{appending.SYNCED} entries, each synced, by the clock on the wall. "
        f"Seal: {sealing.BLOCKS} blocks with {sealing.ENTRIES} entries each; "
        f"a day has one every {limits.seal_interval_s:g} s."
    )


def _of_monitor(count: int) -> tuple[str, ...]:
    servers = count * ground.SERVERS_PER_HOST
    asking = servers * ground.ASKING_PERCENT // 100
    return (
        f"Monitor: a simulated Nova and Placement of {count} such hosts and "
        f"{servers} servers over HTTP, of which {asking} ask for something "
        "and stand where they may; one host in twenty is bad and fenced. "
        "CPU, calls and memory of one process, which keeps an audit ledger. "
        "In each cycle one server in "
        f"{cost.CHANGED} has changed, and new results are read; Nova is asked "
        f"for {cost.OVERLAP_S} s of changes. Of {cost.CYCLES + cost.ACTING} "
        f"cycles after the first one {cost.ACTING} find a host that has "
        "turned bad, and fence it.",
        f"Alarm: {town.HOSTS} hosts with {town.SERVERS} servers each, an API "
        f"of {town.LATENCY_S * 1000:g} ms a call, two laboratories, the "
        "collector and the monitor, each a process, over TLS. Locked: median "
        f"of {alarm.KNOCKS} knocks as Keylime sends them. Fenced: the longest "
        f"of {alarm.TURNS}, at different moments between two questions to the "
        "authority.",
    )


def _of_scheduler(count: int, rounds: int) -> tuple[str, ...]:
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
        "authorities about them. A worker's feed has read both from files. "
        "It keeps an audit ledger.",
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
