# SPDX-License-Identifier: Apache-2.0
"""What authorities may say otherwise, and what else may be otherwise."""

from __future__ import annotations

import dataclasses
from random import Random

from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from tests.unit.changing import WEIGHTY
from tests.unit.changing import change
from tests.unit.changing import values_for
from tests.unit.drafts import HOST_CAPABILITIES
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft
from tests.unit.drafts import good


def some_claim(draft: Draft, rnd: Random):
    """Return what an authority tells, and of which capability."""
    told = draft.told[rnd.choice(sorted(draft.told))]
    names = sorted(told.claims)
    heavy = [name for name in WEIGHTY if name in told.claims]
    if rnd.random() < 0.5 and heavy:
        names = heavy
    return told, rnd.choice(names) if names else None


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
    key = ("kl", "h1")
    return {key: good(1).told[key]}


@change
def times(draft, rnd):
    told = draft.told[rnd.choice(sorted(draft.told))]
    told.at = rnd.choice(
        (NOW - 200, NOW - 80, NOW - 60, NOW - 59, NOW, NOW + 5)
    )
    told.until = rnd.choice((FOREVER, NOW - 1, NOW, NOW + 5))


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


@change
def known_key(draft, rnd):
    told, _ = some_claim(draft, rnd)
    told.key = rnd.choice(("", "sha256:" + 64 * "1", "sha256:" + 64 * "2"))


@change
def own_state(draft, rnd):
    name = rnd.choice(sorted(draft.own_state) or ["receipts-served"])
    draft.own_state[name] = rnd.choice((None, False, False, True))
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
