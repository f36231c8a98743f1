# SPDX-License-Identifier: Apache-2.0
"""Traits in Placement: what they should say, and who else wrote any.

Pure.  Traits make placement fast and are never evidence.  Every compute's
credentials can write them, so that each look sets them right again; those
without our prefix are nobody's business here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.policy.traits import LENGTH_MAX
from nfv_mla_scheduler.policy.traits import PREFIX

EDITS_MAX = 200
# What means nothing is taken away at this pace, beside what is wanted.
FOREIGN_MAX = 20
# So many are told one by one, and so many providers of each are named.
TOLD_MAX = 50
NAMED_MAX = 3


def edits(
    verdict: Verdict, picture: Picture, limit: int = EDITS_MAX
) -> tuple[TraitEdit, ...]:
    """Return what has to change, in a fixed order; the rest comes later.

    First what attracts servers to where they may not be, then what is
    missing, then some of what means nothing to any flavor: whoever writes
    that by the thousand takes no place of what is wanted.
    """
    wanted = itertools.chain(
        _surplus(verdict, picture), _missing(verdict, picture)
    )
    return (
        *itertools.islice(wanted, limit),
        *itertools.islice(_foreign(verdict, picture), FOREIGN_MAX),
    )


def tampered(verdict: Verdict, picture: Picture) -> tuple[Tampered, ...]:
    """Return the traits with our prefix that we cannot have meant.

    One for a trait, on however many providers it is: that no pool of the
    policy has, or that is on providers which the policy does not bind.  All
    that are too many to be told one by one are told as one.
    """
    found = []
    unbound = _unbound(verdict, picture)
    for trait, present in _ours(picture):
        wanted = verdict.traits.get(trait)
        if wanted is None and present:
            detail = f"no pool of the policy has it; it is on {len(present)}"
            found.append(_tampered(trait, detail))
        strange = sorted(present & unbound - (wanted or frozenset()))
        if wanted is not None and strange:
            detail = f"the policy does not bind {len(strange)} that have it"
            found.append(_tampered(trait, f"{detail}: {_few(strange)}"))
    more = len(found) - TOLD_MAX
    if more > 0:
        rest = _tampered("more of them", f"{more} traits like these")
        found = [*found[:TOLD_MAX], rest]
    return tuple(found)


def _few(providers: list[str]) -> str:
    named = ", ".join(bounded(each) for each in providers[:NAMED_MAX])
    return named + (", ..." if len(providers) > NAMED_MAX else "")


def _tampered(name: str, detail: str) -> Tampered:
    return Tampered("trait", bounded(name, LENGTH_MAX), detail)


def _ours(picture: Picture) -> Iterator[tuple[str, frozenset[str]]]:
    for trait in sorted(picture.traits):
        if trait.startswith(PREFIX):
            yield trait, picture.traits[trait]


def _surplus(verdict: Verdict, picture: Picture) -> Iterator[TraitEdit]:
    for trait, present in _ours(picture):
        wanted = verdict.traits.get(trait)
        if wanted is None:
            continue
        for provider in sorted(present - wanted):
            if (trait, provider) not in verdict.kept:
                yield TraitEdit(provider, trait, add=False)


def _missing(verdict: Verdict, picture: Picture) -> Iterator[TraitEdit]:
    for trait in sorted(verdict.traits):
        present = picture.traits.get(trait, frozenset())
        for provider in sorted(verdict.traits[trait] - present):
            if (trait, provider) not in verdict.kept:
                yield TraitEdit(provider, trait, add=True)


def _foreign(verdict: Verdict, picture: Picture) -> Iterator[TraitEdit]:
    for trait, present in _ours(picture):
        if trait not in verdict.traits:
            for provider in sorted(present):
                yield TraitEdit(provider, trait, add=False)


def _unbound(verdict: Verdict, picture: Picture) -> frozenset[str]:
    """Return providers with a trait of ours that are surely not bound.

    One that Nova does not know either may be that of a host which the policy
    binds and Nova has lost, as long as there is such a host.
    """
    nodes, names = picture.nodes, frozenset(verdict.strangers)
    strange = {
        node.uuid
        for key, node in nodes.items()
        if key in names or node.host in names
    }
    if not verdict.absent and not picture.partial:
        known = {node.uuid for node in nodes.values()}
        for _trait, present in _ours(picture):
            strange |= present - known
    return frozenset(strange)
