# SPDX-License-Identifier: Apache-2.0
"""What a policy may say otherwise of hosts, authorities and regions."""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.policy.values import DeclaredFact
from tests.unit.changing import WEIGHTY
from tests.unit.changing import change
from tests.unit.changing import until
from tests.unit.changing import values_for
from tests.unit.drafts import HOST_CAPABILITIES
from tests.unit.drafts import NOW
from tests.unit.drafts import PROJECT
from tests.unit.drafts import SERVER
from tests.unit.drafts import good
from tests.unit.drafts import good_claim


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
