# SPDX-License-Identifier: Apache-2.0
"""What a policy may rule otherwise: pools, profiles, exceptions."""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.policy.values import Waiver
from nfv_mla_scheduler.standard.terms import parse_term
from tests.unit.changing import change
from tests.unit.changing import until
from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import GOOD
from tests.unit.drafts import HOST_CAPABILITIES
from tests.unit.drafts import PROJECT

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
