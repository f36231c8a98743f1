# SPDX-License-Identifier: Apache-2.0
"""Too much at once: an authority, or a policy, that is the likelier culprit.

Pure.  Hosts fail one by one.  Where a share of them fails within a day it is
their authority that is believed to be wrong, and where much is found under a
policy that is new, the policy; nothing is emptied for either before a person
has looked.  ``shares.py`` counts who fails by whose word.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.planning.shares import Counting
from nfv_mla_scheduler.monitor.planning.shares import failing
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.policy.values import Policy

LEAST = 2

_RULES = (Kind.CHANGED, Kind.MISPLACED)


def suspects(
    counting: Counting, held: Mapping[str, Instant]
) -> Mapping[str, Share]:
    """Return the authorities that are suspect, by name.

    One that may not evict makes a suspect of nobody but itself: it could
    otherwise keep a host that another rightly says is bad.

    :param held: authority -> since when it has been suspect.  What was new at
        that moment stays new, or else the fences alone would in the end
        release those whom they are to protect
    """
    policy = counting.policy
    percent = policy.guard.suspect_share_percent
    hosts = {
        name: failing(name, counting, held.get(name))
        for name in (*policy.authorities, BINDINGS)
    }
    evicting = that_evict(policy.authorities.keys(), policy)
    everybody = frozenset[str]().union(*(hosts[name] for name in evicting))
    cloud = exceeds(len(everybody), len(policy.hosts), percent)
    found = {}
    for name, its in hosts.items():
        if not its:
            continue
        bound = _bound(name, policy)
        much = exceeds(len(its), bound, percent)
        if much or (cloud and name in evicting):
            found[name] = Share(name, len(its), bound)
    return found


def _bound(name: str, policy: Policy) -> int:
    """Return how many hosts an authority speaks for."""
    if name == BINDINGS:
        return len(policy.hosts)
    return sum(name in b.attesters for b in policy.hosts.values())


def that_evict(names: Set[str], policy: Policy) -> frozenset[str]:
    """Return those of some suspects for whom anybody is evicted."""
    return frozenset(
        name
        for name in names
        if name == BINDINGS
        or (name in policy.authorities and policy.authorities[name].may_evict)
    )


def exceeds(failing: int, of: int, percent: int) -> bool:
    """Whether so many at once are too many."""
    return failing >= LEAST and failing * 100 > percent * of


def accused(finding: Finding) -> frozenset[str]:
    """Return whom a finding rests on: authorities, or the bindings."""
    if finding.by_identity:
        return finding.authorities | {BINDINGS}
    return finding.authorities


def suspected(finding: Finding, names: Set[str]) -> bool:
    """Whether a finding rests on suspects alone."""
    those = accused(finding)
    return bool(those) and those <= names


def by_policy(finding: Finding) -> bool:
    """Whether a finding is what a mistake in the policy would bring about."""
    return finding.by_rules and finding.kind in _RULES


def policy_share(
    verdict: Verdict, policy: Policy, before: Set[str] = frozenset()
) -> Share:
    """Return what is newly found that evicts, of all servers that ask.

    A mistake in a policy shows as whatever it asks for in vain: as rules that
    are not kept, and as the word of authorities that do not attest it.

    What is permissive counts as well: it shows what will happen on the day on
    which that ends, and nobody signs anything on that day.

    :param before: UUIDs of servers that were found before that policy
    """
    found = frozenset(
        uuid
        for uuid, finding in verdict.servers.items()
        if finding.evicts and uuid not in before
    )
    asking = verdict.asking | verdict.servers.keys()
    return Share(policy.digest, len(found), len(asking), found, asking)


def policy_brake(
    verdict: Verdict,
    policy: Policy,
    settled: Set[str],
    held: Set[str],
    before: Set[str] = frozenset(),
) -> Share | None:
    """Return the share for which the findings of a policy are held.

    :param settled: digests under which little was found, or that a person
        has released
    :param held: digests for which it was exceeded once: that stays so until
        a person releases them
    :param before: see :func:`policy_share`
    """
    if policy.digest in settled:
        return None
    share = policy_share(verdict, policy, before)
    percent = policy.guard.suspect_share_percent
    if policy.digest in held or exceeds(share.failing, share.of, percent):
        return share
    return None


def much_by_rules(verdict: Verdict, policy: Policy) -> bool:
    """Whether more is found by rules alone than one would expect."""
    found = sum(by_policy(f) for f in verdict.servers.values())
    asking = verdict.asking | verdict.servers.keys()
    percent = policy.guard.suspect_share_percent
    return exceeds(found, len(asking), percent)


def in_doubt(finding: Finding, names: Set[str], much: bool) -> bool:
    """Whether a finding may be somebody's mistake, in part at least.

    It is acted upon all the same if nothing else holds it, at the guard's
    pace, whatever its profile says.

    :param names: authorities that are suspect, and may evict
    :param much: whether too much is found by rules alone, be it that a person
        has released it or that the policy had settled before
    """
    return bool(accused(finding) & names) or (much and by_policy(finding))
