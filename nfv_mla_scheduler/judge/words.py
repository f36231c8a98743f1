# SPDX-License-Identifier: Apache-2.0
"""Refusals in plain words, and what would have to change for them to go.

Pure.  Titles are the catalogue's, all other texts those of ``phrases.py``.
Nothing here names a host; what policy and claims name is bounded.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge import phrases
from nfv_mla_scheduler.judge.phrases import PHRASES
from nfv_mla_scheduler.judge.phrases import Phrase
from nfv_mla_scheduler.judge.phrases import Role
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.keys import find
from nfv_mla_scheduler.standard.values import Catalogue

_PART_MAX = 120
_FLOOR = "floor of the project: "
# These are nobody's need, whatever their ``requirement`` says.
_BY_ITSELF = frozenset(
    {
        RefusalCode.MALFORMED,
        RefusalCode.POOL_EXCLUSIVE,
        RefusalCode.MANAGEMENT_DOMAIN,
        RefusalCode.MOVE_NOT_ALLOWED,
        RefusalCode.NOT_CLEAN,
    }
)
# What stands for the parts of a text that is about no refusal in particular.
_GENERAL = {
    "subject": "the capability",
    "wanted": "",
    "by": "an authority",
    "detail": "",
    "silent": "An authority says nothing of",
    "waive": "waive the requirement for the profile",
    "or_waive": ", or waive the requirement for the profile",
}
_GENERAL_SUBJECTS = {
    RefusalCode.NOT_IN_POOL: "pool or host class",
    RefusalCode.APPLICATION_LACKS: "",
    RefusalCode.NOT_JUDGED: "",
    RefusalCode.SELF_UNMET: "",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Remedy:
    """What one of those who could would have to do."""

    role: Role
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """A refusal as people read it.

    :ivar says: what is the matter: one sentence
    :ivar basis: the clause, and what asks for it: profile and requirement,
        or the key of flavor, hint or floor
    :ivar remedies: what would have to change, the likeliest first
    """

    says: str
    basis: str
    remedies: tuple[Remedy, ...]


def words(refusal: Refusal, catalogue: Catalogue) -> Words:
    """Return ``refusal`` in words."""
    phrase = _phrase(refusal)
    parts = _parts(refusal, catalogue)
    said = phrase.says.format(**parts)
    return Words(
        bounded(_upper(said), LINE_MAX),
        bounded(_basis(refusal, catalogue), LINE_MAX),
        tuple(
            Remedy(role, bounded(text.format(**parts), LINE_MAX))
            for role, text in phrase.remedies.items()
        ),
    )


def together(
    refusals: Iterable[Refusal], catalogue: Catalogue
) -> tuple[tuple[RefusalCode, Words], ...]:
    """Return refusals in words, those of which the same is said as one.

    :returns: code and words, in the order of the first of each
    """
    alike: dict[tuple[RefusalCode, str], list[Refusal]] = {}
    for refusal in refusals:
        says = words(refusal, catalogue).says
        alike.setdefault((refusal.code, says), []).append(refusal)
    found = []
    for (code, _), some in alike.items():
        first = words(some[0], catalogue)
        basis = _joint_basis(some, catalogue)
        found.append((code, dataclasses.replace(first, basis=basis)))
    return tuple(found)


def general(code: RefusalCode) -> Words:
    """Return what a code says about no host in particular."""
    phrase = PHRASES[code]
    parts = _GENERAL | {
        "subject": _GENERAL_SUBJECTS.get(code, _GENERAL["subject"]),
        "key": "the key",
    }
    says = phrase.says.replace(" {key}", "").format(**parts)
    return Words(
        _upper(re.sub(r"[: ]+(?=\.$)", "", says)),
        _clauses(phrase.clause),
        tuple(
            Remedy(role, text.format(**parts))
            for role, text in phrase.remedies.items()
        ),
    )


def titled(name: str, catalogue: Catalogue) -> str:
    """Return a capability, requirement or term with its title.

    :param name: as refusals have it, perhaps with a key: ``location[logical]``
    """
    stem = name.partition("[")[0]
    title = ""
    if stem in catalogue.capabilities:
        title = catalogue.capabilities[stem].title
    elif stem in catalogue.requirements:
        title = catalogue.requirements[stem].title
    elif stem in catalogue.application_terms:
        title = catalogue.application_terms[stem]
    elif stem in catalogue.self_terms:
        title = catalogue.self_terms[stem]
    title = title.replace(" (", ", ").replace(")", "")
    if title.lower().replace(" ", "-") in ("", stem):
        return name
    return f"{name} ({title})"


def _phrase(refusal: Refusal) -> Phrase:
    code = refusal.code
    if code is RefusalCode.MALFORMED and refusal.capability.startswith(_FLOOR):
        return phrases.OF_FLOOR
    if code is RefusalCode.NO_CLAIM and not refusal.requirement:
        return phrases.NO_WAY
    if refusal.capability == "policy-in-force":
        return PHRASES[RefusalCode.POLICY_EXPIRED]
    return PHRASES[code]


def _parts(refusal: Refusal, catalogue: Catalogue) -> dict[str, str]:
    name = bounded(refusal.capability, _PART_MAX)
    detail = bounded(refusal.detail, _PART_MAX)
    authority = bounded(refusal.authority)
    by = f"authority {authority}" if authority else "the policy"
    silent = phrases.SILENT.get(refusal.capability, "{by} says nothing of")
    waive, or_waive = "ask for less", ""
    if refusal.profile and refusal.requirement:
        what = bounded(refusal.requirement)
        waive = f"waive {what} for profile {bounded(refusal.profile)}"
        or_waive = f", or {waive}"
    return {
        "key": name.removeprefix(_FLOOR),
        "subject": bounded(_subject(refusal, name, catalogue), _PART_MAX),
        "detail": detail,
        "wanted": f"; wanted: {_listed(detail)}" if detail else "",
        "by": by,
        "silent": silent.format(by=by),
        "waive": waive,
        "or_waive": or_waive,
    }


def _subject(refusal: Refusal, name: str, catalogue: Catalogue) -> str:
    if refusal.code is RefusalCode.NOT_IN_POOL:
        return "host class" if name == "host_class" else "pool"
    return titled(name, catalogue)


def _upper(said: str) -> str:
    return said[:1].upper() + said[1:]


def _listed(detail: str) -> str:
    return detail.replace("; ", ", ")


def _basis(refusal: Refusal, catalogue: Catalogue) -> str:
    requirement = refusal.requirement
    found = _clauses(refusal.clause)
    sake = _sake(refusal)
    if not sake:
        return found
    if requirement in catalogue.requirements:
        found += f", {catalogue.requirements[requirement].title}"
    elif refusal.profile and requirement != "follow":
        found += f", {requirement}"
    return f"{found}, for {sake}"


def _joint_basis(refusals: list[Refusal], catalogue: Catalogue) -> str:
    """Return on what several refusals rest: their clauses, for whose sake."""
    if len(refusals) == 1:
        return words(refusals[0], catalogue).basis
    by_sake: dict[str, dict[str, None]] = {}
    for refusal in refusals:
        by_sake.setdefault(_sake(refusal), {})[refusal.clause] = None
    parts = []
    for sake, clauses in by_sake.items():
        found = _clauses(", ".join(clauses))
        parts.append(f"{found}, for {sake}" if sake else found)
    return bounded("; ".join(parts), LINE_MAX)


def _sake(refusal: Refusal) -> str:
    """Return for whose sake it is needed: a profile, or who asks by a key."""
    if not refusal.requirement or refusal.code in _BY_ITSELF:
        return ""
    if refusal.code is RefusalCode.NOTHING_FOLLOWS or not refusal.profile:
        return _asked(refusal)
    return f"profile {refusal.profile}"


def _clauses(clause: str) -> str:
    return f"clauses {clause}" if "," in clause else f"clause {clause}"


def _asked(refusal: Refusal) -> str:
    """Return the key of flavor, hint or floor that asks."""
    requirement = refusal.requirement
    if requirement == "location":
        axis = refusal.capability.partition("[")[2].rstrip("]")
        return f"{PREFIX}location.{axis}"
    known = find(requirement) is not None
    return f"{PREFIX}{requirement if known else f'capability.{requirement}'}"
