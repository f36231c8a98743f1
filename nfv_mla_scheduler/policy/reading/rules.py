# SPDX-License-Identifier: Apache-2.0
"""Read a policy's exceptions and limits: waivers, projects, modes, guard.

Pure.  The policy's own ``issued`` is the clock: whether a policy is sound
does not change while it lies about.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.reading.adjustment import waivable
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.policy.reading.vocabulary import Names
from nfv_mla_scheduler.policy.reading.vocabulary import check_known
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Guard
from nfv_mla_scheduler.policy.values import Permissive
from nfv_mla_scheduler.policy.values import Project
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.policy.values import Waiver
from nfv_mla_scheduler.standard.failure import STEPS
from nfv_mla_scheduler.standard.failure import faults_of
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Profile

YEAR_S = 366 * DAY_S


def read_waivers(
    part: Part, profiles: Mapping[str, Profile], issued: Instant
) -> tuple[Waiver, ...]:
    """Return the waivers: for what a profile asks, in force, for a year."""
    waivers = []
    for item in part.items():
        profile, requirement = item.at("profile"), item.at("requirement")
        if profile.text():
            known = check_known(profile, profile.text(), profiles, "profile")
            if known and requirement.text():
                names = waivable(profiles[profile.text()])
                check_known(
                    requirement,
                    requirement.text(),
                    names,
                    f"requirement of {profile.text()}",
                )
        waivers.append(
            Waiver(
                profile=profile.text(),
                requirement=requirement.text(),
                reason=item.at("reason").text(),
                reference=item.at("reference").text(),
                until=_end(item.at("until"), issued),
            )
        )
    return tuple(waivers)


def _end(part: Part, issued: Instant) -> Instant:
    """Return the end of an exception: after ``issued``, within a year."""
    until = part.instant(issued)
    if part.text() and until < issued:
        part.wrong("has ended before the policy is issued", part.text())
    if until > issued + YEAR_S:
        part.wrong("is more than a year after 'issued'", part.text())
    return until


def read_projects(
    part: Part, catalogue: Catalogue, names: Names
) -> dict[str, Project]:
    """Return the projects with their floors."""
    projects = {}
    for project_id, entry in part.entries():
        domain = entry.at("trust_domain")
        if domain.text():
            check_known(
                domain, domain.text(), names.trust_domains, "trust domain"
            )
        projects[project_id] = Project(
            project_id=project_id,
            floor=_floor(entry.at("floor"), catalogue),
            trust_domain=domain.text() or None,
        )
    return projects


def _floor(part: Part, catalogue: Catalogue) -> Ask | None:
    """Return a floor; what nobody could ask for is reported."""
    if not isinstance(part.value, dict):
        return None
    try:
        return read_ask(Source.FLOOR, part.value, catalogue, prefix="")
    except Malformed as exc:
        for problem in exc.problems:
            key = part.at(problem.path)
            key.wrong(problem.message, key.value)
        return None


def read_modes(part: Part, names: Names, issued: Instant) -> Permissive:
    """Return what is permissive, and until when."""
    return Permissive(
        pools=_ends(part.at("pools"), names.pools, "pool", issued),
        profiles=_ends(part.at("profiles"), names.profiles, "profile", issued),
        projects=_ends(part.at("projects"), None, "project", issued),
    )


def _ends(
    part: Part, known: Collection[str] | None, kind: str, issued: Instant
) -> dict[str, Instant]:
    ends = {}
    for name, entry in part.entries():
        if known is not None:
            check_known(entry, name, known, kind)
        ends[name] = _end(entry.at("permissive_until"), issued)
    return ends


def read_playbooks(
    part: Part, catalogue: Catalogue
) -> dict[str, tuple[str, ...]]:
    """Return the playbooks, by the kind of failure that they answer.

    One that would leave a server running, carry over what failed, or make two
    of a server is wrong as a whole: nobody finds that out when it is needed.
    """
    playbooks = {}
    kinds = catalogue.axes_of_failure
    for name, entry in part.entries():
        steps = tuple(step for step, _ in entry.words())
        playbooks[name] = steps
        known = check_known(entry, name, kinds, "kind of failure")
        if known and steps and set(steps) <= set(STEPS):
            for fault in faults_of(steps, kinds[name]):
                entry.wrong(fault)
    return playbooks


def read_guard(part: Part, defaults: Mapping[str, int]) -> Guard:
    """Return the limits of the monitor, those left out at their default."""

    def limit(name: str) -> int:
        return part.at(name).number(defaults[name])

    return Guard(
        evictions_per_minute=limit("evictions_per_minute"),
        evictions_at_once=limit("evictions_at_once"),
        per_host=limit("per_host"),
        per_project=limit("per_project"),
        suspect_share_percent=limit("suspect_share_percent"),
    )


def read_aliases(pools: Part, profiles: Part, names: Names) -> dict[str, str]:
    """Return handle -> name; a handle is nothing else's name or handle."""
    taken = {
        *names.pools,
        *names.profiles,
        *names.authorities,
        *names.trust_domains,
        *names.hosts,
    }
    aliases: dict[str, str] = {}
    for section in (pools, profiles):
        for name, entry in section.entries():
            handle = entry.at("handle")
            if not handle.text():
                continue
            if handle.text() in taken:
                handle.wrong("is a name already", handle.text())
            elif handle.text() in aliases:
                handle.wrong(
                    f"is the handle of {aliases[handle.text()]} already",
                    handle.text(),
                )
            else:
                aliases[handle.text()] = name
    return aliases
