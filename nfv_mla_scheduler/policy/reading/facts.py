# SPDX-License-Identifier: Apache-2.0
"""Read what the policy itself vouches for: declared facts.  Pure.

They are of the weakest grade, and stand for what no TPM can attest.
"""

from __future__ import annotations

from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.policy.reading.vocabulary import Names
from nfv_mla_scheduler.policy.reading.vocabulary import check_known
from nfv_mla_scheduler.policy.reading.vocabulary import listed_values
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue

HOST = frozenset({"host", "other"})
SITE = frozenset({"site"})


def read_facts(
    part: Part,
    catalogue: Catalogue,
    names: Names,
    subjects: frozenset[str],
    end: Instant,
) -> tuple[DeclaredFact, ...]:
    """Return the declared facts of a host or of the site.

    :param subjects: of whom a capability has to speak to be declared here
    :param end: stands in for an end that cannot be read
    """
    facts = []
    for item in part.items():
        capability = _capability(item.at("capability"), catalogue, subjects)
        if capability is None:
            continue
        claim = Claim(
            capability.name,
            Status.AFFIRMING,
            Grade.DECLARED,
            _claim_values(item, capability, names),
        )
        reference = item.at("reference").text()
        until = item.at("until").instant(end)
        facts.append(DeclaredFact(claim, reference, until))
    return tuple(facts)


def _capability(
    part: Part, catalogue: Catalogue, subjects: frozenset[str]
) -> Capability | None:
    name = part.text()
    if not name:
        return None
    if not check_known(part, name, catalogue.capabilities, "capability"):
        return None
    capability = catalogue.capabilities[name]
    if subjects.isdisjoint(capability.subjects):
        whom = "the site" if subjects == SITE else "a host"
        part.wrong(f"is no capability of {whom}, as clause 6 has it", name)
        return None
    return capability


def _claim_values(
    fact: Part, capability: Capability, names: Names
) -> dict[str, frozenset[str]]:
    values = fact.at("values")
    if not capability.keys:
        if isinstance(values.value, dict):
            values.wrong(f"has to be a list: {capability.name} has no keys")
        found = listed_values(values, capability, names, None)
        return {"": found} if found else {}
    keys = ", ".join(capability.keys)
    if not values.value or isinstance(values.value, list):
        values.wrong(
            f"has to be a mapping from keys of {capability.name} to lists; "
            f"its keys are: {keys}"
        )
    claimed = {}
    for key, listed in values.entries():
        if key not in capability.keys:
            listed.wrong(f"is no key of {capability.name}; there are: {keys}")
        claimed[key] = listed_values(listed, capability, names, key)
    return claimed
