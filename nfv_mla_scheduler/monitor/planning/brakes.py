# SPDX-License-Identifier: Apache-2.0
"""Too much at once: an authority, or a policy, that is the likelier culprit.

Pure.  Hosts fail one by one.  Where a share of them fails at the same time it
is their authority that is believed to be wrong, and where much is found under
a policy that is new, the policy; nothing is emptied for either before a person
has looked.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.steps import Share
from nfv_mla_scheduler.policy.values import Policy

# A host that has been fenced for longer than this did not fail just now.
NEW_S = 600.0
LEAST = 2

_RULES = (Kind.CHANGED, Kind.MISPLACED)


def suspects(
    verdict: Verdict,
    policy: Policy,
    marks: Mapping[str, Mark],
    now: Instant,
    held: Mapping[str, Instant],
) -> Mapping[str, Share]:
    """Return the authorities that are suspect, by name.

    :param marks: Nova's host name -> the mark of our fence
    :param held: authority -> since when it has been suspect.  What was new at
        that moment stays new, or else the fences alone would in the end
        release those whom they are to protect
    """
    failing = {
        name: _failing(name, verdict, policy, marks, now, held.get(name))
        for name in policy.authorities
    }
    percent = policy.guard.suspect_share_percent
    everybody = frozenset[str]().union(*failing.values())
    cloud = exceeds(len(everybody), len(policy.hosts), percent)
    found = {}
    for name, hosts in failing.items():
        bound = sum(name in b.attesters for b in policy.hosts.values())
        if hosts and (cloud or exceeds(len(hosts), bound, percent)):
            found[name] = Share(name, len(hosts), bound)
    return found


def exceeds(failing: int, of: int, percent: int) -> bool:
    """Whether so many at once are too many."""
    return failing >= LEAST and failing * 100 > percent * of


def _failing(
    name: str,
    verdict: Verdict,
    policy: Policy,
    marks: Mapping[str, Mark],
    now: Instant,
    since: Instant | None,
) -> frozenset[str]:
    """Return the bound hosts that newly fail by the word of an authority."""
    found = {
        host
        for host, it in verdict.hosts.items()
        if _speaks(name, it, since is not None)
    }
    # Those alone: a server that was forced to where it may not be, and asks
    # for what its host never had, says nothing about an authority.
    if since is not None:
        found.update(_unproven(name, verdict, policy))
    bound = {h for h in found if h in policy.hosts}
    begun = now if since is None else min(since, now)
    return frozenset(h for h in bound if _new(marks.get(h), begun))


def _unproven(name: str, verdict: Verdict, policy: Policy) -> frozenset[str]:
    """Return an authority's hosts of which nothing can be said now."""
    return frozenset(
        host
        for host in verdict.unproven
        if host in policy.hosts and name in policy.hosts[host].attesters
    )


def _speaks(name: str, it: HostFinding, held: bool) -> bool:
    """Whether a finding counts for an authority's share.

    Silence clears nobody who has been a suspect before.  What is permissive
    will fail newly on the day on which that ends.
    """
    if it.permissive:
        return False
    if it.kind is Kind.OUTAGE:
        return held and (not it.authorities or name in it.authorities)
    return name in it.authorities


def _new(mark: Mark | None, begun: Instant) -> bool:
    return mark is None or mark.since > begun - NEW_S


def suspected(finding: Finding, names: Set[str]) -> bool:
    """Whether a finding rests on suspect authorities alone."""
    return bool(finding.authorities) and finding.authorities <= names


def by_policy(finding: Finding) -> bool:
    """Whether a finding is what a mistake in the policy would bring about."""
    return finding.by_rules and finding.kind in _RULES


def policy_share(verdict: Verdict, policy: Policy) -> Share:
    """Return what is found by rules alone, of all servers that ask.

    What is permissive counts as well: it shows what will happen on the day on
    which that ends, and nobody signs anything on that day.
    """
    found = frozenset(u for u, f in verdict.servers.items() if by_policy(f))
    asking = verdict.asking | verdict.servers.keys()
    return Share(policy.digest, len(found), len(asking), found, asking)


def policy_brake(
    verdict: Verdict, policy: Policy, settled: Set[str], held: Set[str]
) -> Share | None:
    """Return the share for which the findings of a policy are held.

    :param settled: digests under which little was found, or that a person
        has released
    :param held: digests for which it was exceeded once: that stays so until
        a person releases them
    """
    if policy.digest in settled:
        return None
    if policy.digest in held or much_by_rules(verdict, policy):
        return policy_share(verdict, policy)
    return None


def much_by_rules(verdict: Verdict, policy: Policy) -> bool:
    """Whether more is found by rules alone than one would expect."""
    share = policy_share(verdict, policy)
    percent = policy.guard.suspect_share_percent
    return exceeds(share.failing, share.of, percent)


def in_doubt(finding: Finding, names: Set[str], much: bool) -> bool:
    """Whether a finding may be somebody's mistake, in part at least.

    It is acted upon all the same if nothing else holds it, at the guard's
    pace, whatever its profile says.

    :param names: authorities that are suspect
    :param much: whether too much is found by rules alone, be it that a person
        has released it or that the policy had settled before
    """
    return bool(finding.authorities & names) or (much and by_policy(finding))
