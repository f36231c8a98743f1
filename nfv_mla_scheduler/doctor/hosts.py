# SPDX-License-Identifier: Apache-2.0
"""Checks of hosts: those of Nova, those of the policy, and its pools."""

from __future__ import annotations

from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.nova_hosts import NovaHost
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.requirement import meet
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.standard.catalogue import load


def unknown(site: Site) -> Verdict:
    """Nova knows every host that the policy binds."""
    nova, bound = site.nova_hosts, site.policy.hosts
    names = {name for host in nova for name in host.names}
    uuids = {host.uuid for host in nova}
    found = [
        host
        for host, binding in sorted(bound.items())
        if host not in names and binding.node_uuid not in uuids
    ]
    if not found:
        return ok(f"Nova knows all {count(len(bound), 'host')} of the policy")
    return warning(
        f"{count(len(found), 'host')} of the policy that Nova does not know: "
        f"{some(found)}",
        "see the names (openstack compute service list), or take them out of "
        "the policy",
        found,
    )


def unbound(site: Site) -> Verdict:
    """The policy binds every host that Nova has."""
    nova, bound = site.nova_hosts, site.policy.hosts
    uuids = {binding.node_uuid for binding in bound.values()}
    found = [
        host.names[0]
        for host in nova
        if host.uuid not in uuids and bound.keys().isdisjoint(host.names)
    ]
    if not found:
        return ok(f"the policy binds all {count(len(nova), 'host')} of Nova")
    return warning(
        f"{count(len(found), 'host')} of {len(nova)} that the policy does "
        f"not bind: {some(found)}",
        "bind them in the policy; they take no server that asks until then "
        "(--skip hosts.unbound, if that is meant)",
        sorted(found),
    )


def uuids(site: Site) -> Verdict:
    """Nova's compute nodes have the UUIDs that the policy binds."""
    known = [host for host in site.nova_hosts if host.uuid is not None]
    if not known:
        raise Skipped(
            "the list of Nova's hosts has no UUIDs; make it with openstack "
            "--os-compute-api-version 2.53 hypervisor list -f json"
        )
    found = []
    for host in known:
        binding = _by_name(host, site)
        if binding is not None and binding.node_uuid != host.uuid:
            found.append(
                f"{binding.host} is {host.uuid}, bound is {binding.node_uuid}"
            )
    if not found:
        return ok(
            f"{count(len(known), 'compute node')} with the UUIDs that the "
            "policy binds"
        )
    return failed(
        f"{count(len(found), 'host')} with another UUID: {some(found, 1)}",
        "see whether it is the same machine; if so, correct node_uuid in the "
        "policy",
        found,
    )


def _by_name(host: NovaHost, site: Site) -> Binding | None:
    """Return the binding of a host by its name alone."""
    bound = site.policy.hosts
    found = [bound[name] for name in host.names if name in bound]
    return found[0] if found else None


def pools(site: Site) -> Verdict:
    """Every pool has members."""
    found = [
        name
        for name, pool in sorted(site.policy.pools.items())
        if not pool.members
    ]
    if not site.policy.pools:
        return ok("the policy has no pools")
    if not found:
        return ok(f"{count(len(site.policy.pools), 'pool')} with members")
    return warning(
        f"{count(len(found), 'pool')} without members: {some(found)}",
        "list members in the policy, or remove the pool",
        found,
    )


def proven(site: Site) -> Verdict:
    """In every pool some member proves the class of the pool now."""
    # a pool nobody of which is known to be anything is no news then
    assert site.results
    found, well, fewer, names = [], [], [], []
    for name, pool in sorted(site.policy.pools.items()):
        if not pool.members:
            continue
        proving = _proving(site, name)
        said = f"{name} {proving} of {len(pool.members)}"
        if proving < len(pool.members):
            names.append(name)
        if not proving:
            found.append(said)
        elif proving < len(pool.members):
            fewer.append(said)
        else:
            well.append(said)
    verdicts = []
    see = "see nfv-mla explain --extra-spec nfv_mla:pool=" + "".join(names[:1])
    if found:
        verdicts.append(
            failed(
                f"no member proves its class: {some(found)}",
                f"nothing that asks is placed there; {see}",
                found,
            )
        )
    if fewer:
        verdicts.append(
            warning(
                f"some members do not prove their class: {some(fewer)}",
                see,
                fewer,
            )
        )
    if not found and not fewer and not well:
        return ok("no pool has members")
    return worst(verdicts, f"members that prove their class: {some(well)}")


def _proving(site: Site, pool: str) -> int:
    """Return how many members prove the class of a pool, by the judge."""
    settings, snapshot = site.main.settings, site.snapshot
    ask = Ask(Source.FLAVOR, pools=frozenset({pool}))
    requirement = meet((ask,), Application())
    demand = bind(requirement, site.policy, load())
    bearings = Bearings(settings.management_domain, settings.boot_max_age_s)
    # whose the hosts are does not matter here, only what they prove
    decisions = Decisions(demand, bearings)
    number = 0
    for member in site.policy.pools[pool].members:
        uuid = snapshot.uuids.get(member, "")
        decision = decisions.decision(uuid, member, snapshot, site.now)
        number += decision.admitted and not decision.would_refuse
    return number
