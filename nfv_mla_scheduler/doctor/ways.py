# SPDX-License-Identifier: Apache-2.0
"""Checks of the ways onto a host that an administrator can force.

None of them asks the scheduler's filters.  Nova's own policy can close them;
see the page on ways onto a host.
"""

from __future__ import annotations

from nfv_mla_scheduler.doctor import rules
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.loading import nova_major
from nfv_mla_scheduler.doctor.rules import Access
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import bounded

SPLIT_IN = 32


def live_migration(site: Site) -> Verdict:
    """Nobody can live-migrate to a host past the filter."""
    name = live_migration_rule(nova_major())
    return _closed(
        site,
        name,
        "live migration to a named host, which at 2.29 or before, or with "
        "force=true (2.30 to 2.67), asks no scheduler at all",
    )


def live_migration_rule(major: int | None) -> str:
    """Return the rule that governs it; None: Nova's version is not known."""
    before = major is not None and major < SPLIT_IN
    return rules.LIVE_MIGRATION_BEFORE_32 if before else rules.LIVE_MIGRATION


def create(site: Site) -> Verdict:
    """Nobody can create a server on a host past the filter."""
    return _closed(
        site,
        rules.FORCED_CREATE,
        "creating a server at az:host or az::node, which asks no filter",
    )


def evacuation(site: Site) -> Verdict:
    """Evacuation, which can be forced, is left to few or to nobody."""
    access, text = site.rules[rules.EVACUATION]
    if access is Access.RESERVED:
        return ok(f"{rules.EVACUATION} is left to {bounded(text)!r}")
    return _closed(
        site,
        rules.EVACUATION,
        "evacuation, which at 2.28 or before, or with force=true (2.29 to "
        "2.67), goes to a named host past the scheduler",
        "give it to a role of its own (role:remediation), or set it to '!'",
    )


def _closed(site: Site, name: str, opens: str, advice: str = "") -> Verdict:
    access, text = site.rules[name]
    if access is Access.NOBODY:
        return ok(f"{name} is closed")
    return warning(
        f"open to {bounded(text)!r}: {opens}",
        advice or f"set {name} to '!' in nova-api's policy.yaml",
    )
