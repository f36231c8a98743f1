# SPDX-License-Identifier: Apache-2.0
"""Check what a policy says about capabilities against the catalogue.  Pure.

A word that the catalogue or the policy does not know is always an error: a
declared fact or a term with a slip in it would never hold, or never fail.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.standard.terms import TermError
from nfv_mla_scheduler.standard.terms import parse_term
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Group

_LISTED_MAX = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Names:
    """What a document defines, well or badly: what may be referred to."""

    trust_domains: Collection[str]
    authorities: Collection[str]
    hosts: Collection[str]
    pools: Collection[str]
    profiles: Collection[str]
    regions: Mapping[Axis, Collection[str]]


def check_known(
    part: Part, name: str, known: Collection[str], kind: str
) -> bool:
    """Report a name that nothing defines; return whether it is known."""
    if name in known:
        return True
    part.wrong(f"there is no such {kind}{_hint(name, known)}", name)
    return False


def known_words(
    part: Part, known: Collection[str], kind: str
) -> frozenset[str]:
    """Return the items of a list of names, each of them known."""
    return frozenset(
        word
        for word, item in part.words()
        if check_known(item, word, known, kind)
    )


def listed_values(
    part: Part, capability: Capability, names: Names, key: str | None
) -> frozenset[str]:
    """Return a list of a capability's values, each of them known."""
    found = frozenset(word for word, _ in part.words())
    for word, item in part.words():
        _check_value(item, capability, names, key, word)
    if capability.name == "location" and key is not None and not found:
        part.wrong("has to name at least one region")
    return found


def _check_value(
    part: Part,
    capability: Capability,
    names: Names,
    key: str | None,
    value: str,
) -> None:
    """Report a value that a capability, or a map of regions, does not have."""
    if capability.name == "location":
        axes = [axis for axis in Axis if key in (None, axis.value)]
        known = {name for axis in axes for name in names.regions[axis]}
        what = f"region on the {key} axis" if key else "region"
        check_known(part, value, known, what)
    elif value not in capability.values:
        there = ", ".join(capability.values) or "none"
        part.wrong(
            f"is no value of {capability.name}; there are: {there}", value
        )


def check_values(
    part: Part, catalogue: Catalogue, names: Names
) -> dict[str, frozenset[str]]:
    """Return a profile's ``values`` or ``refuse_values``, checked."""
    found = {}
    for name, listed in part.entries():
        if not check_known(listed, name, catalogue.capabilities, "capability"):
            continue
        capability = catalogue.capabilities[name]
        found[name] = listed_values(listed, capability, names, None)
        if not capability.values and name != "location":
            listed.wrong(f"{name} has no values to choose from")
        elif not found[name]:
            listed.wrong("is empty: no host could meet or fail it")
    return found


def read_term(part: Part, catalogue: Catalogue, names: Names) -> Term | None:
    """Return a term about a host, as a pool's ``prove`` has them."""
    text = part.text()
    if not text:
        return None
    try:
        term = parse_term(text)
    except TermError as exc:
        part.wrong(exc.reason, exc.value)
        return None
    if term.subject is not Subject.HOST:
        part.wrong("has to be about the host, without app:, site: or self:")
        return None
    return term if _term_holds(part, term, catalogue, names) else None


def read_groups(
    part: Part, catalogue: Catalogue, names: Names
) -> tuple[Group, ...]:
    """Return the alternatives of a need that a profile adds.

    ``hsm|execution-enclave`` and ``hsm or execution-enclave`` mean the same;
    ``and`` joins terms that have to hold together.
    """
    groups: list[Group] = []
    for alternative in _alternatives(part.text()):
        group = []
        for text in alternative.split(" and "):
            try:
                term = parse_term(text.strip())
            except TermError as exc:
                part.wrong(exc.reason, exc.value)
                return ()
            if not _term_holds(part, term, catalogue, names):
                return ()
            group.append(term)
        groups.append(tuple(group))
    return tuple(groups)


def _alternatives(text: str) -> list[str]:
    """Split at "or"; at "|" where that cannot join the values of a term."""
    if " or " in text or " and " in text or "=" in text:
        return text.split(" or ")
    return text.split("|")


def _term_holds(
    part: Part, term: Term, catalogue: Catalogue, names: Names
) -> bool:
    """Report what a term names and nobody knows; return whether all is."""
    if term.subject is Subject.APPLICATION:
        known: Iterable[str] = catalogue.application_terms
    elif term.subject is Subject.SELF:
        known = catalogue.self_terms
    else:
        known = catalogue.capabilities
    if not check_known(part, term.name, tuple(known), "capability or term"):
        return False
    if term.authority is not None:
        check_known(part, term.authority, names.authorities, "authority")
    if term.subject in (Subject.APPLICATION, Subject.SELF):
        return True
    capability = catalogue.capabilities[term.name]
    if term.key is not None and term.key not in capability.keys:
        keys = ", ".join(capability.keys) or "none"
        part.wrong(
            f"has a key that {term.name} lacks; there are: {keys}", term.key
        )
        return False
    for value in sorted(term.any_of | term.all_of | term.none_of):
        _check_value(part, capability, names, term.key, value)
    return True


def _hint(name: str, known: Collection[str]) -> str:
    if not known:
        return "; none is defined"
    if len(known) <= _LISTED_MAX:
        return f"; there are: {', '.join(sorted(known))}"
    close = difflib.get_close_matches(name[:64], known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""
