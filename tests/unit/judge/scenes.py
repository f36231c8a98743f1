# SPDX-License-Identifier: Apache-2.0
"""Short words for the tables of tests: a good world, and one thing in it."""

from __future__ import annotations

import dataclasses
from typing import Any

from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Pool
from tests.unit import drafts
from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft
from tests.unit.judge import court

BOOT, RUN_TIME, DECLARED = Grade.BOOT, Grade.RUN_TIME, Grade.DECLARED


def asking(hosts: int = 1, **keys: str) -> Draft:
    """Return a good world whose flavor asks; ``__`` stands for a dot."""
    draft = drafts.good(hosts)
    for key, value in keys.items():
        name = key.replace("__", ".").replace("_", "-")
        name = name.replace("max-age", "max_age")
        name = name.replace("host-class", "host_class")
        draft.extra_specs[f"nfv_mla:{name}"] = value
    return draft


def says(
    draft: Draft,
    capability: str,
    authority: str = "kl",
    host: str = "h1",
    **how: Any,
) -> None:
    """Change what an authority claims; ``values`` may be a plain string."""
    told = draft.told[authority, host]
    old = told.claims.get(capability, drafts.good_claim(capability))
    told.claims[capability] = dataclasses.replace(old, **_valued(how))


def _valued(how: dict[str, Any]) -> dict[str, Any]:
    given = how.get("values")
    if isinstance(given, str):
        how["values"] = {"": frozenset(given.split())} if given else {}
    elif given is not None:
        how["values"] = {k: frozenset(v.split()) for k, v in given.items()}
    return how


def silent(draft: Draft, capability: str, host: str = "h1") -> None:
    """Let no authority claim a capability of a host any more."""
    for (_, name), told in draft.told.items():
        if name == host:
            told.claims.pop(capability, None)


def declares(
    draft: Draft,
    capability: str,
    host: str = "h1",
    until: float = NOW + 100,
    **how: Any,
) -> None:
    """Let the policy declare a good fact about a host."""
    claim: Claim = dataclasses.replace(
        drafts.good_claim(capability),
        grade=DECLARED,
        status=Status.AFFIRMING,
        **_valued(how),
    )
    old = draft.bindings[host]
    draft.bindings[host] = dataclasses.replace(
        old, declared=(*old.declared, DeclaredFact(claim, "ref", until))
    )


def pool(
    draft: Draft,
    name: str = "pool-1",
    host_class: HostClass = HostClass.SECURE_EXECUTION,
    members: str = "h1",
    **how: Any,
) -> None:
    """Add a pool that is open to everybody."""
    fields = {
        "prove": (),
        "exclusive_to": None,
        "management_domains": frozenset({"acme"}),
        "moves_to": frozenset(),
        **how,
    }
    draft.pools[name] = Pool(
        name, host_class, frozenset(members.split()), **fields
    )


def own(
    draft: Draft, base: str = "infrastructure-as-a-service", **how: Any
) -> None:
    """Let the flavor ask for a profile of the policy's own."""
    draft.profiles["own"] = dataclasses.replace(
        CATALOGUE.profiles[base], name="own", **how
    )
    draft.extra_specs["nfv_mla:profile"] = "own"


def bare(draft: Draft, **how: Any) -> None:
    """The same, with no requirement of Table 9 but those given."""
    own(draft, **{"requirements": (), "strength": {}, **how})


def of(*names: str) -> frozenset[str]:
    return frozenset(names)


def why(draft: Draft, host: str = "h1", now: float | None = None) -> set[str]:
    """Return the codes by which a host is refused; none: it is admitted."""
    return court.codes(court.decide(draft, host, now))
