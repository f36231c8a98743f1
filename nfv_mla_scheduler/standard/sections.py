# SPDX-License-Identifier: Apache-2.0
"""The catalogue as sections that people read: one table each.

Pure.  What prints them, as text or as a page, is ``show.py``; the words all
come from the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.standard import tables
from nfv_mla_scheduler.standard.describe import describe_profile
from nfv_mla_scheduler.standard.describe import describe_requirement
from nfv_mla_scheduler.standard.tables import Column
from nfv_mla_scheduler.standard.tables import Section
from nfv_mla_scheduler.standard.terms import format_term
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue


def sections(catalogue: Catalogue) -> tuple[Section, ...]:
    """Return every section, in the order in which a reader needs them."""
    return tuple(make(catalogue) for make in MAKERS.values())


def _requirements(catalogue: Catalogue) -> Section:
    return Section(
        name="requirements",
        heading="What meets a requirement",
        intro="The mapping is ours, since the standard leaves it to the "
        "implementation. One of the ways suffices, and all of its terms have "
        "to hold. No prefix: the host; app: the server's flavor or image; "
        "site: the fabric; self: this scheduler.",
        columns=(
            Column("Requirement", 22),
            Column("Met by", 52, code=True),
            Column("Rests on", 20),
        ),
        rows=tuple(
            (
                f"{r.name} {r.title}",
                "\n".join(describe_requirement(r)),
                r.why,
            )
            for r in catalogue.requirements.values()
        ),
        ruled=True,
    )


def _classes(catalogue: Catalogue) -> Section:
    return Section(
        name="classes",
        heading="What a host of a class has to prove",
        intro="The core measures of Table 11, and what the clause adds.",
        columns=(
            Column("Host class", 27, code=True),
            Column("Has to prove", 33, code=True),
            Column("Rules", 34),
        ),
        rows=tuple(
            (
                rules.host_class.value,
                "\n".join(format_term(term) for term in rules.terms),
                "\n".join(
                    (
                        f"clause {rules.clause}",
                        f"placed by: {rules.management.value}",
                        f"dedicated to: {rules.dedicated_to.value}",
                        f"moves: {rules.moves.value}",
                        f"telemetry: {rules.telemetry}",
                    )
                ),
            )
            for rules in catalogue.classes.values()
        ),
        ruled=True,
    )


def _capabilities(catalogue: Catalogue) -> Section:
    return Section(
        name="capabilities",
        heading="Capabilities",
        intro="The words of claims, ours. Least grade: the weakest at which "
        "a claim counts; declared is weaker than boot, boot than run-time.",
        columns=(
            Column("Clause", 8),
            Column("Capability", 24, code=True),
            Column("Subjects", 10),
            Column("Least\ngrade", 8),
            Column("Keys and values", 36),
        ),
        rows=tuple(
            (
                c.clause,
                c.name,
                ", ".join(c.subjects),
                c.min_grade.value,
                _keys_and_values(c),
            )
            for c in catalogue.capabilities.values()
        ),
        ruled=True,
    )


def _keys_and_values(capability: Capability) -> str:
    lines = []
    if capability.keys:
        lines.append("per " + ", ".join(capability.keys))
    if capability.values:
        lines.append(", ".join(capability.values))
    if capability.open_values:
        lines.append("regions of the policy")
    return "\n".join(lines)


def _terms(catalogue: Catalogue) -> Section:
    rows = [
        (f"{who}:{name}", text)
        for who, terms in (
            ("app", catalogue.application_terms),
            ("self", catalogue.self_terms),
        )
        for name, text in terms.items()
    ]
    return Section(
        name="terms",
        heading="Terms about servers and about ourselves",
        intro="",
        columns=(Column("Term", 26, code=True), Column("Holds when", 64)),
        rows=tuple(rows),
    )


def _profiles(catalogue: Catalogue) -> Section:
    return Section(
        name="profiles",
        heading="Profiles",
        intro="Tables 1 to 8 where they change what Table 9 asks; times are "
        "ours. A requirement not listed is required where Table 9 marks it. "
        "conditional: no need by itself, only when asked for. preferred: "
        "makes a host the better choice.",
        columns=(
            Column("Profile", 31, code=True),
            Column("Beyond Table 9", 64),
        ),
        rows=tuple(
            (
                p.name,
                "\n".join(describe_profile(p)),
            )
            for p in catalogue.profiles.values()
        ),
        ruled=True,
    )


def _failures(catalogue: Catalogue) -> Section:
    return Section(
        name="failures",
        heading="What failed, and how it is answered",
        intro="Ours, from 5.1.3, 5.1.5 and 5.3.2: what failed decides what "
        "may be carried over to another host. A policy may have playbooks of "
        "its own for each kind of failure.",
        columns=(
            Column("Kind", 16, code=True),
            Column("What fails", 40),
            Column("Carried\nover", 8),
            Column("Steps", 26),
        ),
        rows=tuple(
            (
                axis.name,
                axis.when or ", ".join(axis.capabilities),
                axis.carry.value,
                ", ".join(axis.steps)
                + (f"\nafter {axis.after_s} s" if axis.after_s else ""),
            )
            for axis in catalogue.axes_of_failure.values()
        ),
        ruled=True,
    )


def _anomalies(catalogue: Catalogue) -> Section:
    return Section(
        name="anomalies",
        heading="Slips and tensions in the text",
        intro="",
        columns=(
            Column("Where", 18),
            Column("What it says", 44),
            Column("What we take", 24),
        ),
        rows=tuple((a.where, a.what, a.take) for a in catalogue.anomalies),
        ruled=True,
    )


MAKERS: Mapping[str, Callable[[Catalogue], Section]] = {
    "9": tables.section9,
    "10": tables.section10,
    "11": tables.section11,
    "types": tables.section_types,
    "12": tables.section12,
    "requirements": _requirements,
    "classes": _classes,
    "capabilities": _capabilities,
    "terms": _terms,
    "profiles": _profiles,
    "failures": _failures,
    "anomalies": _anomalies,
}
