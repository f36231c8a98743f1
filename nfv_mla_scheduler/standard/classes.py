# SPDX-License-Identifier: Apache-2.0
"""Read what a host of each class is and does.

Pure.  Clause 7.2 and Table 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Level
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.standard.capabilities import Differences
from nfv_mla_scheduler.standard.groups import GroupReader
from nfv_mla_scheduler.standard.reading import Place
from nfv_mla_scheduler.standard.values import ClassRules
from nfv_mla_scheduler.standard.values import Dedication
from nfv_mla_scheduler.standard.values import Group
from nfv_mla_scheduler.standard.values import Management
from nfv_mla_scheduler.standard.values import Moves

_TELEMETRY = ("withheld", "filtered", "shared")


def read_differences(place: Place) -> Differences:
    """Return where a type of pool differs from the column that it shares."""
    found = {
        HostClass(key): MappingProxyType(
            {
                clause: level.word(Level)
                for clause, level in entry.maybe("differs").entries()
            }
        )
        for key, entry in place.entries()
        if key in {member.value for member in HostClass}
    }
    missing = [member.value for member in HostClass if member not in found]
    if missing:
        raise place.fault(f"{missing[0]} is missing")
    return found


def read_classes(
    place: Place, measures: Place, groups: GroupReader
) -> Mapping[HostClass, ClassRules]:
    """Return every host class, each with all that it has to prove."""
    place.only(*(member.value for member in HostClass))
    differs = read_differences(place)
    return MappingProxyType(
        {
            host_class: _rules(
                host_class,
                place.at(host_class.value),
                measures,
                groups,
                differs[host_class],
            )
            for host_class in HostClass
        }
    )


def _rules(
    host_class: HostClass,
    place: Place,
    measures: Place,
    groups: GroupReader,
    differs: Mapping[str, Level],
) -> ClassRules:
    place.only(
        "clause",
        "title",
        "terms",
        "differs",
        "management",
        "telemetry",
        "dedicated_to",
        "moves",
        "live_migrate",
        "rank",
    )
    clauses = {c.clause for c in groups.words.capabilities.values()}
    for clause, at in place.maybe("differs").entries():
        if clause not in clauses:
            raise at.fault(f"{clause} is not a row of Table 11")
    return ClassRules(
        host_class=host_class,
        clause=place.at("clause").text(),
        title=place.at("title").text(),
        terms=_terms(host_class, place.at("terms"), measures, groups),
        management=place.at("management").word(Management),
        telemetry=place.at("telemetry").text_of(_TELEMETRY),
        dedicated_to=place.at("dedicated_to").word(Dedication),
        moves=place.at("moves").word(Moves),
        live_migrate=place.at("live_migrate").flag(),
        rank=place.at("rank").number(),
        differs=differs,
    )


def _terms(
    host_class: HostClass, place: Place, measures: Place, groups: GroupReader
) -> Group:
    """Return the core measures of the class, then what its clause adds.

    A term of the clause takes the place of the plain one of the same name: it
    says the same more precisely.
    """
    said = {term.name: term for term in groups.group(place)}
    found: list[Term] = []
    for capability in groups.words.capabilities.values():
        if capability.name in said:
            found.append(said[capability.name])
        elif capability.levels.get(host_class) is Level.CORE:
            found.append(_plain(measures.at(capability.name), groups))
    return tuple(found)


def _plain(measure: Place, groups: GroupReader) -> Term:
    """Return the term for a core measure: about us, or about the host."""
    own = measure.maybe("self_term")
    if not own.given():
        return groups.checked(
            Term(Subject.HOST, str(measure.path[-1])), measure
        )
    return groups.checked(Term(Subject.SELF, own.text()), own)
