# SPDX-License-Identifier: Apache-2.0
"""Find what is wrong with a policy, and what is right but looks odd.

Pure.  A problem keeps a policy from being accepted; a warning is for its
officers to read before they sign.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.aspects import profile_aspects
from nfv_mla_scheduler.policy.diff import compare
from nfv_mla_scheduler.policy.document import examine_policy
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.strict_yaml import Path
from nfv_mla_scheduler.standard.strict_yaml import YamlDocument
from nfv_mla_scheduler.standard.strict_yaml import format_path
from nfv_mla_scheduler.standard.values import Catalogue

NEAR_DAYS = 30
_Odd = tuple[Path, str, str]


def lint_policy(
    payload: bytes, catalogue: Catalogue, now: Instant
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return the problems of a policy, and the warnings about it.

    :returns: warnings only where there are no problems
    """
    policy, problems, document = examine_policy(payload, catalogue)
    if policy is None or document is None:
        return problems, ()
    lint = _Lint(policy, catalogue, document, now)
    odd = [
        Problem(format_path(path), message, value, document.line(path))
        for path, message, value in lint.everything()
    ]
    return (), tuple(sorted(odd, key=lambda p: (p.line, p.path)))


@dataclasses.dataclass(frozen=True, slots=True)
class _Lint:
    """The warnings about one policy."""

    policy: Policy
    catalogue: Catalogue
    document: YamlDocument
    now: Instant

    def everything(self) -> Iterator[_Odd]:
        yield from self._life()
        yield from self._regions()
        yield from self._authorities()
        yield from self._hosts()
        yield from self._facts(("site",), self.policy.site)
        yield from self._profiles()
        yield from self._ages()
        yield from self._exceptions()
        yield from self._projects()
        yield from self._playbooks()

    def _life(self) -> Iterator[_Odd]:
        left = self.policy.expires_at - self.now
        if left <= 0:
            yield ("expires",), "has passed: nobody would accept it", ""
        elif left < NEAR_DAYS * DAY_S:
            days = int(left // DAY_S)
            yield ("expires",), f"is only {days} days ahead", ""

    def _regions(self) -> Iterator[_Odd]:
        axis = Axis.JURISDICTION
        regions = self.policy.regions[axis]
        parents = {parent for parent in regions.inside.values() if parent}
        for region in sorted(parents):
            entry = self._raw("regions", axis.value, region)
            if regions.inside[region] is None and "group" not in entry:
                yield (
                    ("regions", axis.value, region),
                    "holds other regions; say 'group: true' if being in it "
                    "together is not to share a jurisdiction, like in a "
                    "union of states, or 'group: false' if it is",
                    "",
                )

    def _authorities(self) -> Iterator[_Odd]:
        wanted = self._wanted()
        for name, authority in self.policy.authorities.items():
            path = ("authorities", name)
            if authority.vouches.isdisjoint(wanted):
                yield (
                    (*path, "vouches"),
                    "holds nothing that anybody asks for",
                    "",
                )
            if self.policy.hosts and not any(
                name in host.attesters for host in self.policy.hosts.values()
            ):
                yield path, "knows no host: none has an attester there", ""

    def _wanted(self) -> set[str]:
        """Return all capabilities that a profile, class or pool asks for."""
        groups: list[tuple[Term, ...]] = [
            rules.terms for rules in self.catalogue.classes.values()
        ]
        groups += [pool.prove for pool in self.policy.pools.values()]
        for requirement in self.catalogue.requirements.values():
            groups += requirement.groups + requirement.further_groups
        wanted: set[str] = set()
        for profile in self.policy.profiles.values():
            wanted.update(profile.refuse_values)
            for _, _, added in profile.add:
                groups += added
        wanted.update(term.name for group in groups for term in group)
        return wanted

    def _hosts(self) -> Iterator[_Odd]:
        homes = {
            h for pool in self.policy.pools.values() for h in pool.members
        }
        for host, binding in self.policy.hosts.items():
            path = ("hosts", host)
            if host not in homes:
                yield path, "is in no pool", ""
            if not binding.attesters:
                yield path, "has no attester, so no results will come", ""
            yield from self._facts((*path, "declared"), binding.declared)

    def _facts(
        self, path: Path, facts: tuple[DeclaredFact, ...]
    ) -> Iterator[_Odd]:
        for index, fact in enumerate(facts):
            at = (*path, index)
            if fact.until < self.policy.expires_at:
                until = write_instant(fact.until)
                yield (*at, "until"), "ends before the policy does", until
            name = fact.claim.capability
            if self.catalogue.capabilities[name].min_grade is Grade.DECLARED:
                continue
            if not any(
                name in profile.accept_declared
                for profile in self.policy.profiles.values()
            ):
                yield (
                    (*at, "capability"),
                    "counts for nothing: it has to be attested, and no "
                    "profile has it in accept_declared",
                    name,
                )

    def _profiles(self) -> Iterator[_Odd]:
        """Yield where a profile asks for less than the standard's does."""
        for name in self._raw("profiles"):
            profile = self.policy.profiles[name]
            standard = self.policy.bases.get(name, name)
            base = dataclasses.replace(
                self.catalogue.profiles[standard], name=name
            )
            for change in compare(
                profile_aspects(base), profile_aspects(profile)
            ):
                if change.weaker:
                    said = repr(change.old) if change.old else "nothing"
                    yield (
                        change.path,
                        f"is weaker than the standard's {standard}, which "
                        f"says {said}",
                        change.new or "gone",
                    )

    def _ages(self) -> Iterator[_Odd]:
        for name in sorted(self._profiles_in_use()):
            limit = self.policy.profiles[name].max_age_s
            for authority in self.policy.authorities.values():
                if limit is None or limit >= 2 * authority.cadence_s:
                    continue
                if "attestation" not in authority.vouches:
                    continue
                yield (
                    ("profiles", name, "max_age_s"),
                    f"is below twice the cadence of {authority.name}, whose "
                    "results will often be too old",
                    str(limit),
                )

    def _profiles_in_use(self) -> set[str]:
        used = set(self._raw("profiles"))
        for project in self.policy.projects.values():
            if project.floor is not None:
                for name in project.floor.profiles:
                    used.add(self.policy.aliases.get(name, name))
        return used

    def _exceptions(self) -> Iterator[_Odd]:
        for index, waiver in enumerate(self.policy.waivers):
            if waiver.until <= self.now:
                yield ("waivers", index, "until"), "has passed", ""
        permissive = self.policy.permissive
        for section in ("pools", "profiles", "projects"):
            for name, until in getattr(permissive, section).items():
                if until <= self.now:
                    path = ("modes", section, name, "permissive_until")
                    yield path, "has passed: this is enforcing", ""

    def _projects(self) -> Iterator[_Odd]:
        for project_id, project in self.policy.projects.items():
            path = ("projects", project_id)
            if project.trust_domain is None:
                yield (
                    path,
                    "has no trust domain, so no exclusive pool admits it",
                    "",
                )

    def _playbooks(self) -> Iterator[_Odd]:
        if "power-off" in self.policy.playbooks.get("place", ()):
            yield (
                ("playbooks", "place"),
                "has power-off, which is left out for servers that are only "
                "misplaced: their host is well, and others run there",
                "",
            )

    def _raw(self, *path: str) -> dict[str, object]:
        """Return a mapping of the document as it is written."""
        value = self.document.value
        for key in path:
            value = value.get(key, {})
        assert isinstance(value, dict)
        return value
