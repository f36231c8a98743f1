# SPDX-License-Identifier: Apache-2.0
"""Turn the bytes that officers signed into a policy, or say what is wrong.

Pure: bytes in, values out.  First the shape (``schema.yaml``), then what the
places of a document have to agree on; everything wrong is found at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.envelope import PAYLOAD_MAX
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.reading.adjustment import check_vouchers
from nfv_mla_scheduler.policy.reading.adjustment import read_bases
from nfv_mla_scheduler.policy.reading.adjustment import read_footprints
from nfv_mla_scheduler.policy.reading.adjustment import read_profiles
from nfv_mla_scheduler.policy.reading.facts import SITE
from nfv_mla_scheduler.policy.reading.facts import read_facts
from nfv_mla_scheduler.policy.reading.inventory import read_authorities
from nfv_mla_scheduler.policy.reading.inventory import read_collectors
from nfv_mla_scheduler.policy.reading.inventory import read_hosts
from nfv_mla_scheduler.policy.reading.inventory import read_regions
from nfv_mla_scheduler.policy.reading.inventory import read_trust_domains
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.policy.reading.parts import Report
from nfv_mla_scheduler.policy.reading.pools import read_pools
from nfv_mla_scheduler.policy.reading.rules import read_aliases
from nfv_mla_scheduler.policy.reading.rules import read_guard
from nfv_mla_scheduler.policy.reading.rules import read_modes
from nfv_mla_scheduler.policy.reading.rules import read_playbooks
from nfv_mla_scheduler.policy.reading.rules import read_projects
from nfv_mla_scheduler.policy.reading.rules import read_waivers
from nfv_mla_scheduler.policy.reading.schema import check_shape
from nfv_mla_scheduler.policy.reading.schema import schema
from nfv_mla_scheduler.policy.reading.vocabulary import Names
from nfv_mla_scheduler.policy.reading.vocabulary import check_known
from nfv_mla_scheduler.policy.requirement import meet
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.strict_yaml import YamlDocument
from nfv_mla_scheduler.standard.strict_yaml import read_yaml
from nfv_mla_scheduler.standard.values import Catalogue

LIFE_MAX_S = 400 * DAY_S


def read_policy(payload: bytes, catalogue: Catalogue) -> Policy:
    """Return the policy in ``payload``.

    :raises PolicyRefused: with INVALID and every problem; nothing else,
        whatever the bytes are
    """
    policy, problems, _ = examine_policy(payload, catalogue)
    if policy is None:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise PolicyRefused(
            PolicyCode.INVALID,
            f"the policy is not sound: {problems[0]}{more}",
            problems,
        )
    return policy


def examine_policy(
    payload: bytes, catalogue: Catalogue
) -> tuple[Policy | None, tuple[Problem, ...], YamlDocument | None]:
    """Return the policy, or None with every problem; and the document."""
    try:
        document = read_yaml(payload, max_bytes=PAYLOAD_MAX)
    except DocumentError as exc:
        return None, exc.problems, None
    report = Report(document)
    check_shape(document.value, report)
    digest = hashlib.sha256(payload).hexdigest()
    policy = _assemble(Part(report, (), document.value), digest, catalogue)
    _check_floors(Part(report, (), document.value), policy, catalogue)
    problems = report.problems
    return (None if problems else policy), problems, document


def _assemble(part: Part, digest: str, catalogue: Catalogue) -> Policy:
    """Return what the document says; a draft where problems are found."""
    names = _names(part, catalogue)
    issued, expires = _life(part)
    operator = part.at("operator")
    if operator.text():
        check_known(
            operator, operator.text(), names.trust_domains, "trust domain"
        )
    profiles = read_profiles(part.at("profiles"), catalogue, names)
    authorities = read_authorities(part.at("authorities"), catalogue, names)
    check_vouchers(profiles, part.at("profiles"), authorities)
    return Policy(
        version=part.at("version").number(1),
        digest=digest,
        issued_at=issued,
        expires_at=expires,
        operator=operator.text(),
        trust_domains=read_trust_domains(part.at("trust_domains")),
        authorities=authorities,
        collectors=read_collectors(part.at("collectors"), names),
        hosts=read_hosts(part.at("hosts"), catalogue, names, expires),
        regions=read_regions(part.at("regions")),
        pools=read_pools(part.at("pools"), catalogue, names),
        profiles=profiles,
        aliases=read_aliases(part.at("pools"), part.at("profiles"), names),
        waivers=read_waivers(part.at("waivers"), profiles, issued),
        projects=read_projects(part.at("projects"), catalogue, names),
        permissive=read_modes(part.at("modes"), names, issued),
        site=read_facts(part.at("site"), catalogue, names, SITE, expires),
        playbooks=read_playbooks(part.at("playbooks"), catalogue),
        guard=read_guard(part.at("guard"), _guard_defaults()),
        footprints=read_footprints(part.at("profiles"), names),
        bases=read_bases(part.at("profiles"), catalogue),
    )


def _names(part: Part, catalogue: Catalogue) -> Names:
    """Return what the document defines, its faulty entries included."""

    def keys(*path: str) -> dict[str, None]:
        at = part
        for key in path:
            at = at.at(key)
        return {name: None for name, _ in at.entries()}

    return Names(
        trust_domains=keys("trust_domains"),
        authorities=keys("authorities"),
        hosts=keys("hosts"),
        pools=keys("pools"),
        profiles={**dict.fromkeys(catalogue.profiles), **keys("profiles")},
        regions={axis: keys("regions", axis.value) for axis in Axis},
    )


def _life(part: Part) -> tuple[Instant, Instant]:
    issued, expires = part.at("issued"), part.at("expires")
    start = issued.instant(0.0)
    end = expires.instant(start)
    if issued.text() and expires.text():
        if end <= start:
            expires.wrong("is not after 'issued'", expires.text())
        elif end > start + LIFE_MAX_S:
            expires.wrong(
                "is more than 400 days after 'issued'", expires.text()
            )
    return start, end


def _guard_defaults() -> Mapping[str, int]:
    members = schema()["$defs"]["guard"]["properties"]
    return {name: member["default"] for name, member in members.items()}


def _check_floors(part: Part, policy: Policy, catalogue: Catalogue) -> None:
    """Report floors that no server of their project could ever satisfy."""
    # Pools that are too faulty to be read have been reported where they are.
    faulty = {name for name, _ in part.at("pools").entries()}
    faulty.difference_update(policy.pools)
    for name, project in policy.projects.items():
        if project.floor is None:
            continue
        floor = part.at("projects").at(name).at("floor")
        requirement = meet((project.floor,), Application(), name)
        try:
            bind(requirement, policy, catalogue)
        except Malformed as exc:
            for problem in exc.problems:
                if problem.value not in faulty:
                    key = problem.path.rpartition(PREFIX)[2]
                    floor.at(key).wrong(problem.message, problem.value)
