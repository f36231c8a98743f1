# SPDX-License-Identifier: Apache-2.0
"""Tables 9 to 12 of the standard, as sections that people read.

Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Level
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue

TABLE11_CLASSES = (
    HostClass.SINGLE_RESTRICTED,
    HostClass.POOLED_RESTRICTED,
    HostClass.SECURE_EXECUTION,
)
POOLED_TYPES = (
    HostClass.POOLED_RESTRICTED,
    HostClass.POOLED_RESTRICTED_CONCEALED,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and how wide its text may be.

    :ivar heading: a line break shows where a narrow column may break it
    :ivar code: the cells hold names and terms, not prose
    """

    heading: str
    width: int
    code: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """A table with its heading.

    :ivar name: what ``--table`` calls it
    :ivar legend: lines that explain the columns
    :ivar rows: cells; each line of a cell is an item of its own
    :ivar ruled: rows are long, and stand apart
    """

    name: str
    heading: str
    intro: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    ruled: bool = False
    legend: tuple[str, ...] = ()


def table10(catalogue: Catalogue) -> Mapping[str, Mapping[str, list[str]]]:
    """Return static or dynamic -> boot-time or run-time -> capabilities."""
    found: dict[str, dict[str, list[str]]] = {
        kind: {"boot-time": [], "run-time": []}
        for kind in ("static", "dynamic")
    }
    for capability in catalogue.capabilities.values():
        if capability.static is not None:
            kind = "static" if capability.static else "dynamic"
            when = "boot-time" if capability.boot_only else "run-time"
            found[kind][when].append(capability.name)
    return found


def measures(catalogue: Catalogue) -> Iterator[Capability]:
    """Yield the measures of clause 6, in its order."""
    return (c for c in catalogue.capabilities.values() if c.levels)


def section9(catalogue: Catalogue) -> Section:
    """Return Table 9, marks as the standard has them."""
    profiles = [catalogue.profiles[name] for name in catalogue.use_cases]
    return Section(
        name="9",
        heading="Table 9: requirements of the use cases",
        intro="X: required (5.0.5). The columns are the use cases:",
        legend=tuple(f"{p.clause} {p.name}" for p in profiles),
        columns=(
            Column("Clause", 8),
            Column("Requirement", 55),
            *(Column(p.clause, 3) for p in profiles),
        ),
        rows=tuple(
            (
                r.name,
                r.title,
                *("X" if r.name in p.requirements else "" for p in profiles),
            )
            for r in catalogue.requirements.values()
        ),
    )


def section10(catalogue: Catalogue) -> Section:
    """Return Table 10 with the capabilities that fall in each cell."""
    cells = table10(catalogue)
    return Section(
        name="10",
        heading="Table 10: when a capability can be attested",
        intro="The table is the standard's (5.1.1), the rating is ours. "
        "Capabilities that no machine attests are not in it.",
        columns=(
            Column("", 20),
            Column("Boot-time only attestable", 25, code=True),
            Column("Run-time attestable", 30, code=True),
        ),
        rows=tuple(
            (
                f"{kind.capitalize()} capabilities",
                "\n".join(cells[kind]["boot-time"]),
                "\n".join(cells[kind]["run-time"]),
            )
            for kind in cells
        ),
        ruled=True,
    )


def section11(catalogue: Catalogue) -> Section:
    """Return Table 11 in its three columns."""
    words = {Level.CORE: "core", Level.MAY: "may", Level.NONE: ""}
    return Section(
        name="11",
        heading="Table 11: measures of the approaches",
        intro="core: core to the approach; may: may be needed (7.2.0).",
        columns=(
            Column("Clause", 6),
            Column("Measure", 48),
            *(
                Column(h.value.replace("-", "-\n", 1), 10)
                for h in TABLE11_CLASSES
            ),
        ),
        rows=tuple(
            (
                m.clause,
                m.title,
                *(words[m.levels[h]] for h in TABLE11_CLASSES),
            )
            for m in measures(catalogue)
        ),
    )


def section_types(catalogue: Catalogue) -> Section:
    """Return in what the two types of pool differ."""
    rows = []
    for host_class in POOLED_TYPES:
        rules = catalogue.classes[host_class]
        for clause, level in rules.differs.items():
            rows.append(
                (
                    host_class.value,
                    f"{rules.clause} {rules.title}",
                    f"{clause}: {level.value}",
                )
            )
    return Section(
        name="types",
        heading="The two types of pooled-restricted",
        intro="They share a column of Table 11 and differ in one row.",
        columns=(
            Column("Host class", 28, code=True),
            Column("Clause", 40),
            Column("In Table 11", 12),
        ),
        rows=tuple(rows),
    )


def section12(catalogue: Catalogue) -> Section:
    """Return Table 12 and the profile for each of its rows."""
    return Section(
        name="12",
        heading="Table 12: candidates for secure-execution hosts",
        intro="Node classes and elements are the standard's (8.0), the "
        "profile is our suggestion; several may apply to an element.",
        columns=(
            Column("Node class", 18),
            Column("Technology", 10),
            Column("Elements", 30),
            Column("Profile", 31, code=True),
        ),
        rows=tuple(
            (
                row.node_class,
                row.technology,
                ", ".join(row.elements),
                row.profile,
            )
            for row in catalogue.table12
        ),
        ruled=True,
    )
