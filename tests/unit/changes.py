# SPDX-License-Identifier: Apache-2.0
"""Changes to a draft: what a server may ask for, and what may go wrong.

Each is a function of a draft and a source of chance; a world is a good draft
and a few of them, so that a failing world shrinks to the changes that matter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.policy.values import Waiver
from nfv_mla_scheduler.standard.terms import parse_term
from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import GOOD
from tests.unit.drafts import HOST_CAPABILITIES
from tests.unit.drafts import NOW
from tests.unit.drafts import PROJECT
from tests.unit.drafts import SERVER
from tests.unit.drafts import Draft
from tests.unit.drafts import good_claim

Change = Callable[[Draft, Random], None]
CHANGES: dict[str, Change] = {}
# What profiles ask about is worth changing more often than the rest.
WEIGHTY = (
    "attestation",
    "attestation",
    "tpm",
    "location",
    "location",
    "memory-inspection",
    "execution-enclave",
    "secure-logging",
    "concealed-resource-usage",
)
TERMS = (
    "tpm=hardware",
    "tpm=hardware|virtual@run-time",
    "hsm",
    "attestation by kl",
    "attestation@run-time by ver",
    "location[jurisdiction]=DE",
    "location[jurisdiction]?!=FR",
    "secure-clean-up[ram]=overwrite",
    "secure-storage=+encrypted+local",
    "concealed-resource-usage[cpu]",
    "memory-inspection?!=open|granted",
    "secured-boot@boot",
    "hardware-inventory",
    "execution-enclave=sev@declared",
)


def change(function: Change) -> Change:
    CHANGES[function.__name__] = function
    return function


def until(rnd: Random) -> float:
    """Return an end that is past, right now, soon or far."""
    return NOW + rnd.choice((-1000, -1, 0, 1, 30, 500, 50_000, 50_000))


def some_claim(draft: Draft, rnd: Random):
    """Return what an authority tells, and of which capability."""
    told = draft.told[rnd.choice(sorted(draft.told))]
    names = sorted(told.claims)
    heavy = [name for name in WEIGHTY if name in told.claims]
    if rnd.random() < 0.5 and heavy:
        names = heavy
    return told, rnd.choice(names) if names else None


def values_for(rnd: Random, name: str) -> dict[str, frozenset[str]]:
    """Return any values that a claim of this capability may have."""
    capability = CATALOGUE.capabilities[name]
    if name == "location":
        return {
            axis: frozenset(rnd.sample(regions, rnd.choice((1, 1, 1, 2))))
            for axis, regions in _REGIONS.items()
            if rnd.random() < 0.9
        }
    known = capability.values

    def some() -> frozenset[str]:
        return frozenset(rnd.sample(known, rnd.randint(0, len(known))))

    if capability.keys:
        return {key: some() for key in capability.keys if rnd.random() < 0.8}
    return {"": some()} if known else {}


_REGIONS = {
    "jurisdiction": ["EU", "DE", "DE-BE", "DE-BY", "FR", "CH", "XX"],
    "geographic": ["europe", "berlin", "berlin-east", "paris"],
    "logical": ["core", "rack-1", "rack-2"],
}


# What authorities say


@change
def status(draft, rnd):
    told, name = some_claim(draft, rnd)
    if name:
        told.claims[name] = dataclasses.replace(
            told.claims[name], status=rnd.choice(list(Status))
        )


@change
def grade(draft, rnd):
    told, name = some_claim(draft, rnd)
    if name:
        told.claims[name] = dataclasses.replace(
            told.claims[name], grade=rnd.choice(list(Grade))
        )


@change
def values(draft, rnd):
    told, name = some_claim(draft, rnd)
    if name:
        told.claims[name] = dataclasses.replace(
            told.claims[name], values=values_for(rnd, name)
        )


@change
def key_missing(draft, rnd):
    told, name = some_claim(draft, rnd)
    keyed = [n for n, c in told.claims.items() if len(c.values) > 1]
    if keyed:
        name = rnd.choice(sorted(keyed))
        kept = dict(told.claims[name].values)
        del kept[rnd.choice(sorted(kept))]
        told.claims[name] = dataclasses.replace(told.claims[name], values=kept)


@change
def claim_missing(draft, rnd):
    told, name = some_claim(draft, rnd)
    told.claims.pop(name, None)


@change
def claim_added(draft, rnd):
    told, _ = some_claim(draft, rnd)
    name = rnd.choice(HOST_CAPABILITIES)
    told.claims[name] = Claim(
        name,
        rnd.choice(list(Status)),
        rnd.choice(list(Grade)),
        values_for(rnd, name),
    )


@change
def result_missing(draft, rnd):
    draft.told.pop(rnd.choice(sorted(draft.told)))
    if not draft.told:
        draft.told.update(_one_told(draft))


def _one_told(draft):
    from tests.unit.drafts import good

    key = ("kl", "h1")
    return {key: good(1).told[key]}


@change
def times(draft, rnd):
    told = draft.told[rnd.choice(sorted(draft.told))]
    told.at = rnd.choice(
        (NOW - 200, NOW - 80, NOW - 60, NOW - 59, NOW, NOW + 5)
    )


@change
def boots(draft, rnd):
    told = draft.told[rnd.choice(sorted(draft.told))]
    told.boot = rnd.choice((None, "b", "c"))
    told.boot_seen = rnd.choice((None, "b", "b", "c"))
    told.attested_at = NOW - rnd.choice((0, 50, 4999, 5000, 6000, 2_592_000))


@change
def boot_changed(draft, rnd):
    told = draft.told[rnd.choice(sorted(draft.told))]
    told.boot_seen = "other"


# What the policy says


@change
def authority(draft, rnd):
    name = rnd.choice(sorted(draft.authorities))
    old = draft.authorities[name]
    kept = [c for c in sorted(old.vouches) if rnd.random() < 0.9]
    draft.authorities[name] = dataclasses.replace(
        old,
        trust_domain=rnd.choice(("acme", "police")),
        vouches=frozenset(kept if rnd.random() < 0.5 else old.vouches),
        cadence_s=rnd.choice((10, 20, 30)),
        max_age_s=rnd.choice((20, 60, 3600)),
    )


@change
def authority_gone(draft, rnd):
    draft.authorities.pop(rnd.choice(sorted(draft.authorities)))
    if not draft.authorities:
        draft.authorities["solo"] = dataclasses.replace(
            _one_authority(), name="solo"
        )
    for name, old in draft.bindings.items():
        known = {
            a: t for a, t in old.attesters.items() if a in draft.authorities
        }
        draft.bindings[name] = dataclasses.replace(old, attesters=known)


def _one_authority():
    from tests.unit.drafts import good

    return good(1).authorities["kl"]


@change
def third_authority(draft, rnd):
    draft.authorities["third"] = dataclasses.replace(
        _one_authority(),
        name="third",
        trust_domain=rnd.choice(("acme", "police")),
    )
    names = sorted(draft.bindings)
    for name in rnd.sample(names, rnd.randint(1, len(names))):
        old = draft.bindings[name]
        draft.bindings[name] = dataclasses.replace(
            old, attesters={**old.attesters, "third": f"t-{name}"}
        )
        draft.told["third", name] = dataclasses.replace(
            next(iter(draft.told.values())), claims={}
        )
        for capability in rnd.sample(HOST_CAPABILITIES, 8):
            draft.told["third", name].claims[capability] = good_claim(
                capability
            )


@change
def binding(draft, rnd):
    name = rnd.choice(sorted(draft.bindings))
    old = draft.bindings[name]
    kept = {a: t for a, t in old.attesters.items() if rnd.random() < 0.7}
    draft.bindings[name] = dataclasses.replace(old, attesters=kept)


@change
def pinned(draft, rnd):
    name = rnd.choice(sorted(draft.bindings))
    draft.bindings[name] = dataclasses.replace(
        draft.bindings[name], pinned_keys=("sha256:" + 64 * "1",)
    )


@change
def misbound(draft, rnd):
    names = sorted(draft.bindings)
    draft.misbound[rnd.choice(names)] = rnd.choice(
        ("00000000-0000-4000-9000-000000000001", "unknown")
    )


@change
def declared(draft, rnd):
    name = rnd.choice(sorted(draft.bindings))
    old = draft.bindings[name]
    capability = rnd.choice(
        (*HOST_CAPABILITIES, *WEIGHTY, "location", "personnel-controls")
    )
    fact = good_claim(capability)
    if rnd.random() < 0.4:
        fact = dataclasses.replace(fact, values=values_for(rnd, capability))
    fact = dataclasses.replace(fact, grade=Grade.DECLARED)
    draft.bindings[name] = dataclasses.replace(
        old, declared=(*old.declared, DeclaredFact(fact, "r", until(rnd)))
    )


@change
def only_declared(draft, rnd):
    """What one authority claimed, the policy declares instead."""
    name = rnd.choice(sorted(draft.bindings))
    capability = rnd.choice(("location", "personnel-controls", "tpm", "hsm"))
    for (_, host), told in draft.told.items():
        if host == name:
            told.claims.pop(capability, None)
    old = draft.bindings[name]
    fact = dataclasses.replace(good_claim(capability), grade=Grade.DECLARED)
    draft.bindings[name] = dataclasses.replace(
        old, declared=(*old.declared, DeclaredFact(fact, "r", until(rnd)))
    )


@change
def site(draft, rnd):
    fact = draft.site[0]
    draft.site = [
        dataclasses.replace(
            fact,
            claim=dataclasses.replace(
                fact.claim,
                values={"": frozenset(rnd.sample(("sla", "lossless"), 1))},
            ),
            until=until(rnd),
        )
        for _ in range(rnd.randint(0, 2))
    ] or [dataclasses.replace(fact, until=until(rnd))]


@change
def pool(draft, rnd):
    host_class = rnd.choice(list(HostClass))
    name = f"pool-{rnd.randint(1, 3)}"
    hosts = sorted(draft.bindings)
    members = rnd.sample(hosts, rnd.randint(1, len(hosts)))
    terms = rnd.sample(TERMS, rnd.choice((0, 0, 0, 1, 2)))
    draft.pools[name] = Pool(
        name,
        host_class,
        frozenset(members),
        tuple(map(parse_term, terms)),
        rnd.choice(
            (None, None, None, frozenset({"acme-keys"}), frozenset({"police"}))
        ),
        frozenset(rnd.choice((["acme"], ["acme"], [], ["police"]))),
        frozenset(rnd.sample(hosts, rnd.randint(0, len(hosts)))),
        rnd.choice((None, name[-1:] + "-handle")),
    )
    if draft.pools[name].handle:
        draft.aliases[draft.pools[name].handle] = name


@change
def good_pool(draft, rnd):
    """A pool that lets everybody in, with all hosts."""
    host_class = rnd.choice(list(HostClass))
    name = f"pool-{rnd.randint(1, 3)}"
    draft.pools[name] = Pool(
        name,
        host_class,
        frozenset(draft.bindings),
        (),
        None,
        frozenset({"acme"}),
        frozenset(draft.bindings),
    )


@change
def moving(draft, rnd):
    draft.source = rnd.choice((*sorted(draft.bindings), "h8"))


@change
def profile(draft, rnd):
    name = rnd.choice((*CATALOGUE.profiles, "own", "own"))
    base = draft.profiles.get(name)
    if base is None:
        base = CATALOGUE.profiles[rnd.choice(list(CATALOGUE.profiles))]
        base = dataclasses.replace(base, name="own", handle="k7")
        draft.aliases["k7"] = "own"
    for _ in range(rnd.randint(1, 3)):
        base = dataclasses.replace(base, **_adjustment(base, rnd))
    draft.profiles[name] = base


def _adjustment(base, rnd):
    valued = [n for n in HOST_CAPABILITIES if n in GOOD]
    what = rnd.randrange(10)
    if what == 0:
        names = rnd.sample(sorted(CATALOGUE.requirements), 3)
        return {
            "strength": {
                **base.strength,
                **{n: rnd.choice(list(Strength)) for n in names},
            },
            "requirements": tuple(
                n
                for n in CATALOGUE.requirements
                if n in base.requirements or n in names
            ),
        }
    if what == 1:
        return {"max_age_s": rnd.choice((None, 5, 10, 11, 60))}
    if what == 2:
        return {"boot_claim_max_age_s": rnd.choice((None, 999, 1000, 1001))}
    if what in (3, 4):
        name = rnd.choice((*valued, "location", "tpm", "fabric-routing"))
        known = CATALOGUE.capabilities[name].values or ("DE", "FR", "DE-BE")
        some = frozenset(rnd.sample(known, rnd.randint(1, len(known))))
        key = "values" if what == 3 else "refuse_values"
        return {key: {**getattr(base, key), name: some}}
    if what == 5:
        groups = tuple(
            tuple(map(parse_term, rnd.sample(TERMS, rnd.randint(1, 2))))
            for _ in range(rnd.randint(1, 2))
        )
        return {"add": (*base.add, (f"added-{len(base.add)}", "6", groups))}
    if what == 6:
        axes = rnd.sample(list(Axis), rnd.randint(0, 2))
        return {
            "location_axes": tuple(axes),
            "location_explicit": rnd.choice((None, None, *Axis)),
        }
    if what == 7:
        some = rnd.sample(("location", "attestation", "tpm", "hsm"), 2)
        return {"accept_declared": frozenset({*some, "location"})}
    if what == 8:
        return {"vouchers_min": rnd.choice((1, 2, 2, 3))}
    return {"external_voucher": True}


@change
def waiver(draft, rnd):
    name = rnd.choice((*draft.profiles, "own", "lawful-interception"))
    base = draft.profiles.get(name)
    if base is None:
        return
    names = [
        *base.requirements,
        *base.refuse_values,
        *(added for added, _, _ in base.add),
        "vouchers",
        "external-voucher",
    ]
    for requirement in rnd.sample(names, min(len(names), 4)):
        draft.waivers.append(
            Waiver(name, requirement, "why", "ref", until(rnd))
        )


@change
def permissive(draft, rnd):
    kind = rnd.choice(("pools", "profiles", "projects"))
    names = {
        "pools": sorted(draft.pools) or ["pool-1"],
        "profiles": sorted(draft.profiles),
        "projects": [PROJECT],
    }[kind]
    for name in rnd.sample(names, rnd.randint(1, len(names))):
        draft.modes[kind][name] = until(rnd)


@change
def glass(draft, rnd):
    target = rnd.choice(list(BreakGlassTarget))
    name = {
        BreakGlassTarget.SERVER: SERVER,
        BreakGlassTarget.HOST: rnd.choice(sorted(draft.bindings)),
        BreakGlassTarget.PROJECT: PROJECT,
    }[target]
    draft.break_glass.append(
        BreakGlass(
            target,
            rnd.choice((name, name, "other")),
            "why",
            "alice",
            NOW + rnd.choice((-100, -100, 0, 1)),
            until(rnd),
        )
    )


@change
def regions(draft, rnd):
    axis = rnd.choice(sorted(draft.places))
    inside = draft.places[axis]
    names = sorted(inside)
    if rnd.random() < 0.5:
        draft.groups[axis] = frozenset(rnd.sample(names, rnd.randint(0, 2)))
    else:
        name = rnd.choice(names)
        inside[name] = None


@change
def expiry(draft, rnd):
    draft.expires_at = NOW + rnd.choice((-5, 0, 1, 40))


@change
def trust_domain(draft, rnd):
    draft.trust_domain = rnd.choice((None, "acme", "police", "acme-keys"))


# What else bears on it


@change
def own_state(draft, rnd):
    name = rnd.choice(sorted(draft.own_state) or ["receipts-served"])
    draft.own_state[name] = rnd.choice((None, False, True))
    if rnd.random() < 0.2:
        draft.own_state.pop(name)


@change
def no_policy(draft, rnd):
    draft.without_policy = rnd.random() < 0.3


@change
def room(draft, rnd):
    names = sorted(draft.room or ())
    draft.room = rnd.choice(
        (None, frozenset(rnd.sample(names, rnd.randint(0, len(names)))))
    )


@change
def bearings(draft, rnd):
    draft.management_domain = rnd.choice(("acme", "police"))
    draft.boot_max_age_s = rnd.choice((5, 10, 990, 1000, 86400))


@change
def application(draft, rnd):
    both = [(draft.extra_specs, k) for k in draft.extra_specs] + [
        (draft.image, k) for k in draft.image
    ]
    both = [(where, k) for where, k in both if not k.startswith("nfv_mla:")]
    if both:
        where, name = rnd.choice(both)
        if rnd.random() < 0.6:
            del where[name]
        else:
            where[name] = rnd.choice(("false", "yes", "intel-tdx", ""))
    name = rnd.choice(
        (
            "hw_ephemeral_encryption",
            "hw_mem_encryption",
            "hw_mem_encryption_model",
        )
    )
    if rnd.random() < 0.4:
        draft.image[name] = rnd.choice(
            (True, "false", "amd-sev", "amd-sev-snp")
        )
    if rnd.random() < 0.3:
        draft.extra_specs["hw_rng:allowed"] = rnd.choice(("True", "no"))
