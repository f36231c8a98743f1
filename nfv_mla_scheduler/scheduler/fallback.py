# SPDX-License-Identifier: Apache-2.0
"""Whom a fault of ours must not hurt: servers that ask for nothing.

Used when the judge fails on a request, cannot be loaded at all, or has no
policy any more; hence the standard library only.  It looks at nothing but the
policy in brief (``feed/brief.py``), which a fault elsewhere leaves as it is.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.scheduler.adapters import Plain

FORMAT = "nfv-mla-brief/1"


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """To whom the hosts of a pool are open (7.2); see ``judge/closures.py``.

    :ivar exclusive_to: trust domains; None: open to all
    :ivar managed_by: management domains of schedulers; None: open to all
    """

    exclusive_to: frozenset[str] | None
    managed_by: frozenset[str] | None
    permissive_until: Instant

    def shut(
        self, trust_domain: str | None, management_domain: str, now: Instant
    ) -> bool:
        """Whether the pool is closed now, not only in permissive mode."""
        if self.permissive_until > now:
            return False
        if self.exclusive_to is not None and (
            trust_domain not in self.exclusive_to
        ):
            return True
        managed_by = self.managed_by
        return managed_by is not None and management_domain not in managed_by


@dataclasses.dataclass(frozen=True, slots=True)
class Discretion:
    """Who may be told about a server (5.0.3).

    :ivar known: whether that is known at all
    :ivar domain: the trust domain that alone may; None: all may
    """

    known: bool = True
    domain: str | None = None

    @property
    def logged(self) -> bool:
        """Whether log lines may name it."""
        return self.known and self.domain is None


@dataclasses.dataclass(frozen=True, slots=True)
class Brief:
    """A policy in brief.

    :ivar pools: those that are closed to anybody
    :ivar hosts: Nova's host name -> pools
    :ivar trust_domains: project -> trust domain
    :ivar floors: projects whose servers ask, whatever their flavor
    :ivar sealed: trust domains whose servers nobody is told about; None: it
        does not say, as those of earlier releases
    """

    version: int
    pools: Mapping[str, Terms]
    hosts: Mapping[str, frozenset[str]]
    trust_domains: Mapping[str, str]
    floors: frozenset[str]
    sealed: frozenset[str] | None = None

    def discretion(self, project_id: str) -> Discretion:
        """Return who may be told about a project's servers."""
        domain = self.trust_domains.get(project_id)
        if domain is None:
            return Discretion()
        if self.sealed is None:
            return Discretion(known=False)
        return Discretion(domain=domain if domain in self.sealed else None)


class BadBrief(Exception):
    """It is damaged, or of a format that is not known here."""


def read_brief(data: bytes) -> Brief:
    """Return what ``data`` says.

    :raises BadBrief: and nothing else
    """
    try:
        return _brief(json.loads(data))
    except (
        *(ValueError, TypeError, KeyError),
        *(OverflowError, RecursionError),
    ):
        raise BadBrief from None


def open_hosts(
    candidates: list[Any],
    plain: Plain,
    brief: Brief | None,
    management_domain: str,
    refuse_all_without_policy: bool,
    now: Instant,
) -> list[Any]:
    """Return the hosts on which nobody else has a claim.

    None at all for a server that asks, itself or by its project's floor.

    :param brief: of the last good policy; None: there never was one
    """
    if plain.asks:
        return []
    if brief is None:
        return [] if refuse_all_without_policy else candidates
    if plain.project_id in brief.floors:
        return []
    trust_domain = brief.trust_domains.get(plain.project_id)
    shut = {
        name
        for name, terms in brief.pools.items()
        if terms.shut(trust_domain, management_domain, now)
    }
    return [
        c for c in candidates if shut.isdisjoint(brief.hosts.get(c.host, ()))
    ]


def _brief(found: Any) -> Brief:
    if _dict(found)["format"] != FORMAT:
        raise ValueError
    pools = {n: _terms(_dict(t)) for n, t in _dict(found["pools"]).items()}
    hosts = {h: _words(p) for h, p in _dict(found["hosts"]).items()}
    domains = _dict(found["trust_domains"])
    _words(list(domains.values()))
    if not pools.keys() >= frozenset().union(*hosts.values()):
        raise ValueError
    version = found["version"]
    if type(version) is not int:
        raise TypeError
    sealed = _words(found["sealed"]) if "sealed" in found else None
    floors = _words(found["floors"])
    return Brief(version, pools, hosts, domains, floors, sealed)


def _terms(found: dict[str, Any]) -> Terms:
    until = found["permissive_until"]
    if until is None:
        until = NEVER
    elif type(until) not in (int, float) or not math.isfinite(until):
        raise ValueError
    exclusive, managed = found["exclusive_to"], found["managed_by"]
    return Terms(
        None if exclusive is None else _words(exclusive),
        None if managed is None else _words(managed),
        until,
    )


def _dict(found: Any) -> dict[str, Any]:
    if type(found) is not dict:
        raise TypeError
    return found


def _words(found: Any) -> frozenset[str]:
    if type(found) is not list or any(type(w) is not str for w in found):
        raise TypeError
    return frozenset(found)
