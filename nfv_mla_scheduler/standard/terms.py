# SPDX-License-Identifier: Apache-2.0
"""The written form of a term, in the catalogue, the policy and messages.

Pure.  The grammar, every part but the name optional, in this order::

    [who:]name[[key]][?][=a|b][=+a+b][!=a|b][@grade][ by authority]

``who`` is ``app``, ``site`` or ``self``; none means the host.  ``=a|b`` asks
for at least one of these values, ``=+a+b`` for all of them, ``!=a|b`` for none
of them.  ``?`` lets silence count.  ``@`` gives the weakest grade that counts:
``declared``, ``boot`` or ``run-time``.  The key ``*`` stands for each key of a
requirement that is repeated per key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from nfv_mla_scheduler.errors import CatalogueError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.model import REGION_PATTERN
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.standard.values import EVERY_KEY
from nfv_mla_scheduler.standard.values import Capability

TERM_MAX = 1024

_ANY = rf"{REGION_PATTERN}(?:\|{REGION_PATTERN})*"
_TERM = re.compile(
    rf"(?:(?P<who>app|site|self):)?"
    rf"(?P<name>{NAME_PATTERN})"
    rf"(?:\[(?P<key>\*|{NAME_PATTERN})\])?"
    rf"(?P<silence>\?)?"
    rf"(?:=(?P<any>{_ANY}))?"
    rf"(?:=(?P<all>(?:\+{REGION_PATTERN})+))?"
    rf"(?:!=(?P<none>{_ANY}))?"
    rf"(?:@(?P<grade>declared|boot|run-time))?"
    rf"(?: by (?P<authority>{NAME_PATTERN}))?",
    re.ASCII,
)


class TermError(CatalogueError):
    """A term cannot be read.

    :ivar reason: what would be right, for a :class:`errors.Problem`
    :ivar value: the offending text, bounded
    """

    code = "term"

    def __init__(self, reason: str, value: str) -> None:
        self.reason = reason
        self.value = bounded(value)
        super().__init__(f"{reason} ({self.value!r})")


def parse_term(text: str) -> Term:
    """Return the term that ``text`` spells.

    Whether the name, key and values exist is for the catalogue to say.

    :raises TermError: when it does not follow the grammar
    """
    found = _TERM.fullmatch(text) if len(text) <= TERM_MAX else None
    if found is None:
        raise TermError(
            "not a term: [app:|site:|self:]name[[key]][=a|b or =+a+b][@grade]",
            text,
        )
    part = found.groupdict()
    return Term(
        subject=Subject(part["who"]) if part["who"] else Subject.HOST,
        name=part["name"],
        key=part["key"],
        any_of=_values(part["any"], "|"),
        all_of=_values(part["all"], "+"),
        none_of=_values(part["none"], "|"),
        grade=Grade(part["grade"]) if part["grade"] else None,
        authority=part["authority"],
        silence_counts=part["silence"] is not None,
    )


def format_term(term: Term) -> str:
    """Return the text that :func:`parse_term` reads back as ``term``."""
    who = "" if term.subject is Subject.HOST else f"{term.subject.value}:"
    parts = [f"{who}{term.name}"]
    if term.key is not None:
        parts.append(f"[{term.key}]")
    if term.silence_counts:
        parts.append("?")
    if term.any_of:
        parts.append("=" + "|".join(sorted(term.any_of)))
    if term.all_of:
        parts.append("=" + "".join(f"+{v}" for v in sorted(term.all_of)))
    if term.none_of:
        parts.append("!=" + "|".join(sorted(term.none_of)))
    if term.grade is not None:
        parts.append(f"@{term.grade.value}")
    if term.authority is not None:
        parts.append(f" by {term.authority}")
    return "".join(parts)


def format_group(group: tuple[Term, ...]) -> str:
    """Return a group, every term of which has to hold, on one line."""
    return " and ".join(format_term(term) for term in group)


class Vocabulary(Protocol):
    """The words that a term may use; a ``Catalogue`` is one."""

    @property
    def capabilities(self) -> Mapping[str, Capability]: ...

    @property
    def self_terms(self) -> Mapping[str, str]: ...

    @property
    def application_terms(self) -> Mapping[str, str]: ...

    @property
    def application_keys(self) -> Mapping[str, tuple[str, ...]]: ...


def fault_of(term: Term, words: Vocabulary) -> str:
    """Return what is wrong with ``term``, or an empty string.

    Unknown names, keys and values, values where none are defined, and a grade
    that the capability cannot reach (Table 10).  The values of a location are
    the policy's, hence not looked at.
    """
    if term.subject is Subject.SELF:
        return _fault_of_word(term, words.self_terms, ())
    if term.subject is Subject.APPLICATION:
        keys = words.application_keys.get(term.name, ())
        return _fault_of_word(term, words.application_terms, keys)
    capability = words.capabilities.get(term.name)
    if capability is None:
        return f"{term.name} is not a capability"
    return _fault_of_claim(term, capability)


def _fault_of_word(
    term: Term, known: Mapping[str, str], keys: tuple[str, ...]
) -> str:
    if term.name not in known:
        return f"{term.name} is not one of {', '.join(sorted(known))}"
    if term.any_of or term.all_of or term.none_of or term.grade:
        return f"{term.name} takes neither values nor a grade"
    return _fault_of_key(term, keys)


def _fault_of_claim(term: Term, capability: Capability) -> str:
    if term.subject is Subject.SITE and "site" not in capability.subjects:
        return f"{term.name} is not about the site"
    if term.subject is Subject.HOST and not (
        {"host", "other"} & set(capability.subjects)
    ):
        return f"{term.name} is not about a host"
    asked = term.any_of | term.all_of | term.none_of
    unknown = sorted(asked - set(capability.values))
    if unknown and not capability.open_values:
        known = ", ".join(capability.values) or "none"
        return f"{term.name} has no value {unknown[0]}, only {known}"
    if term.grade is Grade.RUN_TIME and capability.boot_only:
        return f"{term.name} cannot be attested at run time"
    return _fault_of_key(term, capability.keys)


def _fault_of_key(term: Term, keys: tuple[str, ...]) -> str:
    if term.key is None or term.key in keys:
        return ""
    if term.key == EVERY_KEY and keys:
        return ""
    known = ", ".join(keys) or "none"
    return f"{term.name} has no key {term.key}, only {known}"


def _values(text: str | None, mark: str) -> frozenset[str]:
    return frozenset(filter(None, (text or "").split(mark)))
