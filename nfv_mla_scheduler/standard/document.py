# SPDX-License-Identifier: Apache-2.0
"""The catalogue as a JSON document for other tools.

Pure.  Keys keep the order of the standard.
"""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.standard.describe import plain
from nfv_mla_scheduler.standard.tables import POOLED_TYPES
from nfv_mla_scheduler.standard.tables import TABLE11_CLASSES
from nfv_mla_scheduler.standard.tables import measures
from nfv_mla_scheduler.standard.tables import table10
from nfv_mla_scheduler.standard.terms import format_term
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import ClassRules
from nfv_mla_scheduler.standard.values import FailureAxis
from nfv_mla_scheduler.standard.values import Group
from nfv_mla_scheduler.standard.values import Profile
from nfv_mla_scheduler.standard.values import StandardRequirement


def document(catalogue: Catalogue) -> dict[str, Any]:
    """Return everything that the catalogue says as plain values."""
    return {
        "table9": {
            name: [
                use_case
                for use_case in catalogue.use_cases
                if name in catalogue.profiles[use_case].requirements
            ]
            for name in catalogue.requirements
        },
        "table10": plain(table10(catalogue)),
        "table11": {
            measure.clause: {
                host_class.value: measure.levels[host_class].value
                for host_class in TABLE11_CLASSES
            }
            for measure in measures(catalogue)
        },
        "pooled_restricted_types": {
            host_class.value: {
                "clause": catalogue.classes[host_class].clause,
                "title": catalogue.classes[host_class].title,
                "table11": {
                    clause: level.value
                    for clause, level in catalogue.classes[
                        host_class
                    ].differs.items()
                },
            }
            for host_class in POOLED_TYPES
        },
        "table12": [
            {
                "node_class": row.node_class,
                "technology": row.technology,
                "elements": list(row.elements),
                "profile": row.profile,
            }
            for row in catalogue.table12
        ],
        "requirements": {
            name: _requirement(requirement)
            for name, requirement in catalogue.requirements.items()
        },
        "classes": {
            host_class.value: _class(rules)
            for host_class, rules in catalogue.classes.items()
        },
        "capabilities": {
            name: _capability(capability)
            for name, capability in catalogue.capabilities.items()
        },
        "application_terms": dict(catalogue.application_terms),
        "self_terms": dict(catalogue.self_terms),
        "profiles": {
            name: _profile(profile)
            for name, profile in catalogue.profiles.items()
        },
        "axes_of_failure": {
            name: _failure(axis)
            for name, axis in catalogue.axes_of_failure.items()
        },
        "anomalies": [
            {"where": a.where, "what": a.what, "take": a.take}
            for a in catalogue.anomalies
        ],
    }


def _groups(groups: tuple[Group, ...]) -> list[list[str]]:
    return [[format_term(term) for term in group] for group in groups]


def _requirement(requirement: StandardRequirement) -> dict[str, Any]:
    return {
        "title": requirement.title,
        "any": _groups(requirement.groups),
        "per_key": list(requirement.per_key),
        "further_if": list(requirement.further_if),
        "further_any": _groups(requirement.further_groups),
        "why": requirement.why,
    }


def _class(rules: ClassRules) -> dict[str, Any]:
    return {
        "clause": rules.clause,
        "title": rules.title,
        "terms": [format_term(term) for term in rules.terms],
        "management": rules.management.value,
        "telemetry": rules.telemetry,
        "dedicated_to": rules.dedicated_to.value,
        "moves": rules.moves.value,
        "live_migrate": rules.live_migrate,
        "rank": rules.rank,
    }


def _capability(capability: Capability) -> dict[str, Any]:
    return {
        "clause": capability.clause,
        "title": capability.title,
        "subjects": list(capability.subjects),
        "static": capability.static,
        "boot_only": capability.boot_only,
        "least": capability.min_grade.value,
        "keys": list(capability.keys),
        "values": list(capability.values),
    }


def _failure(axis: FailureAxis) -> dict[str, Any]:
    return {
        "capabilities": list(axis.capabilities),
        "when": axis.when or None,
        "after_s": axis.after_s,
        "carry": axis.carry.value,
        "steps": list(axis.steps),
    }


def _profile(profile: Profile) -> dict[str, Any]:
    explicit = profile.location_explicit
    return {
        "clause": profile.clause,
        "title": profile.title,
        "requirements": {
            name: profile.strength_of(name).value
            for name in (*profile.requirements, *profile.strength)
        },
        "max_age_s": profile.max_age_s,
        "boot_claim_max_age_s": profile.boot_claim_max_age_s,
        "values": plain(profile.values),
        "refuse_values": plain(profile.refuse_values),
        "add": {
            name: {"clause": clause, "any": _groups(groups)}
            for name, clause, groups in profile.add
        },
        "location_axes": [axis.value for axis in profile.location_axes],
        "location_explicit": None if explicit is None else explicit.value,
        "accept_declared": plain(profile.accept_declared),
        "vouchers_min": profile.vouchers_min,
        "external_voucher": profile.external_voucher,
        "prefer": list(profile.prefer),
        "conditional_measures": list(profile.conditional_measures),
        "unneeded_measures": list(profile.unneeded_measures),
        "conduct": plain(profile.conduct),
    }
