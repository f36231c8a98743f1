# SPDX-License-Identifier: Apache-2.0
"""Work out which traits of pools a flavor should require.

Pure.  Nova (34) knows ``trait:X=required`` and ``trait:X=forbidden``, all of
which have to hold: a flavor cannot say "any of these traits", although
Placement could (nova.api.validation.extra_specs.traits,
nova.objects.RequestGroup.to_queryparams).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.requirement import meet
from nfv_mla_scheduler.policy.traits import trait_of
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.standard.values import Catalogue


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Pools any of which would do for one thing that is asked for.

    :ivar asked: the key that asks: ``pool``, ``host_class``, ...
    """

    asked: str
    pools: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Advice:
    """What a flavor should require.

    :ivar required: pool -> its trait: all of them
    :ivar choices: of which no flavor can require one
    :ivar traits: pool -> its trait, for all that are named here
    """

    required: Mapping[str, str]
    choices: tuple[Choice, ...]
    traits: Mapping[str, str]
    warnings: tuple[str, ...]


def advise(
    extra_specs: Mapping[str, str],
    policy: Policy,
    catalogue: Catalogue,
    now: Instant,
) -> Advice:
    """Return which traits a flavor with these extra specs should require.

    :raises Malformed: when no host would be right for it
    """
    ask = read_ask(Source.FLAVOR, extra_specs, catalogue)
    demand = bind(meet((ask,), Application()), policy, catalogue)
    hosts = {
        name
        for name, binding in policy.hosts.items()
        if all(
            need.waived_until > now or _possible(need, binding, policy)
            for need in demand.needs
        )
    }
    warnings = list(_names_told(ask, policy))
    required: dict[str, None] = {}
    choices = []
    # Those that leave no choice first: their pool may do for the others.
    for need, every in sorted(_pool_needs(demand), key=lambda n: len(n[1])):
        able = tuple(n for n in every if policy.pools[n].members & hosts)
        if required.keys() & set(able):
            continue
        if not able:
            warnings.append(_nowhere(need, every))
        elif len(able) == 1:
            required[able[0]] = None
            if len(every) > 1:
                warnings.append(
                    f"of the pools that {_key(need)} allows, only "
                    f"{able[0]} has members that could meet the rest"
                )
        else:
            choices.append(Choice(need.requirement, able))
    choices = [c for c in choices if not required.keys() & set(c.pools)]
    if not demand.needs:
        warnings.append("nothing is asked for that a host has to meet")
    elif (
        not required
        and not choices
        and not any(need.pools is not None for need in demand.needs)
    ):
        _by_the_rest(hosts, policy, required, warnings)
    warnings += _permissive(required, policy, now)
    named = {*required, *(pool for c in choices for pool in c.pools)}
    traits = {name: _trait(policy.pools[name]) for name in sorted(named)}
    return Advice(
        {name: traits[name] for name in required},
        tuple(choices),
        traits,
        tuple(dict.fromkeys(warnings)),
    )


def _pool_needs(demand: Demand) -> Iterator[tuple[Need, tuple[str, ...]]]:
    """Yield what is asked about pools, with those that would do."""
    for need in demand.needs:
        if need.pools is not None:
            yield need, tuple(dict.fromkeys(c.pool for c in need.pools))


def _trait(pool: Pool) -> str:
    return trait_of(pool.handle or pool.name)


def _key(need: Need) -> str:
    return f"nfv_mla:{need.requirement}"


def _nowhere(need: Need, pools: tuple[str, ...]) -> str:
    if not pools:
        return f"the policy has no pool such as {_key(need)} asks for"
    listed = ", ".join(pools)
    return f"no member of {listed} could meet all that is asked for"


def _by_the_rest(
    hosts: Iterable[str],
    policy: Policy,
    required: dict[str, None],
    warnings: list[str],
) -> None:
    """Require a pool that lists every host which could meet the rest."""
    able = frozenset(hosts)
    if not able:
        warnings.append(
            "no host of the policy could meet what is asked for; 'nfv-mla "
            "explain' says why"
        )
        return
    pools = [p for p in policy.pools.values() if able <= p.members]
    if len(pools) == 1:
        (pool,) = pools
        required[pool.name] = None
        warnings.append(
            f"all hosts that could meet it are of pool {pool.name}; with its "
            f"trait they have to prove {pool.host_class.value} besides"
        )
        return
    warnings.append(
        "what is asked for names no pool, and hosts of several pools, or of "
        "none, could meet it; ask for a pool or host class"
    )


def _possible(need: Need, host: Binding, policy: Policy) -> bool:
    """Whether a host could ever meet a need: somebody may say so of it."""
    if need.pools is not None:
        return any(
            host.host in policy.pools[choice.pool].members
            for choice in need.pools
        )
    return any(
        all(_may_hold(term, host, policy) for term in group)
        for group in need.groups
    )


def _may_hold(term: Term, host: Binding, policy: Policy) -> bool:
    if term.subject is not Subject.HOST or term.silence_counts:
        return True
    vouching = {
        name
        for name in host.attesters
        if term.name in policy.authorities[name].vouches
    }
    if term.authority is not None:
        return term.authority in vouching
    declared = {fact.claim.capability for fact in host.declared}
    return bool(vouching) or term.name in declared


def _names_told(ask: Ask, policy: Policy) -> Iterable[str]:
    """Yield where a flavor says a name of which there is a handle."""
    handles = {name: handle for handle, name in policy.aliases.items()}
    for given in sorted(ask.pools | ask.profiles):
        if given in handles:
            yield (
                f"whoever may use the flavor reads the name {given}; its "
                f"handle is {handles[given]}"
            )


def _permissive(
    required: Iterable[str], policy: Policy, now: Instant
) -> Iterable[str]:
    for name in required:
        until = policy.permissive.pools.get(name)
        if until is not None and until > now:
            yield (
                f"pool {name} is permissive until {write_instant(until)}; "
                "with its trait, hosts that do not prove its class are left "
                "out all the same"
            )
