# SPDX-License-Identifier: Apache-2.0
"""Checks of what the policy lets hold until a date: what ends, and when."""

from __future__ import annotations

from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import DAY_S

SOON_DAYS = 30


def waivers(site: Site) -> Verdict:
    """No waiver of the policy ends within 30 days."""
    policy = site.policy
    dates = [
        (f"{waiver.profile} {waiver.requirement}", waiver.until)
        for waiver in policy.waivers
    ]
    return worst(
        _ending(
            dates,
            site.now,
            "waiver",
            "servers of the profile are refused then; meet the requirement, "
            "or sign the waiver anew",
        ),
        f"{count(len(dates), 'waiver')}, none of which ends within "
        f"{SOON_DAYS} days"
        if dates
        else "the policy waives nothing",
    )


def declared(site: Site) -> Verdict:
    """No fact that the policy declares ends within 30 days."""
    policy = site.policy
    dates = [
        (f"site {fact.claim.capability}", fact.until) for fact in policy.site
    ]
    dates += [
        (f"{host} {fact.claim.capability}", fact.until)
        for host, binding in sorted(policy.hosts.items())
        for fact in binding.declared
    ]
    return worst(
        _ending(
            dates,
            site.now,
            "declared fact",
            "hosts lack the capability then; look again whether it holds, "
            "and sign it anew",
        ),
        f"{count(len(dates), 'declared fact')}, none of which ends within "
        f"{SOON_DAYS} days"
        if dates
        else "the policy declares nothing",
    )


def modes(site: Site) -> Verdict:
    """No permissive mode ends within 30 days."""
    permissive = site.policy.permissive
    dates = [
        (f"{kind} {name}", until)
        for kind, found in (
            ("pool", permissive.pools),
            ("profile", permissive.profiles),
            ("project", permissive.projects),
        )
        for name, until in sorted(found.items())
        if until > site.now
    ]
    return worst(
        _ending(
            dates,
            site.now,
            "permissive mode",
            "it enforces then; see the events would-refuse for what it would "
            "refuse",
        ),
        f"{count(len(dates), 'permissive mode')}, none of which ends within "
        f"{SOON_DAYS} days"
        if dates
        else "everything is enforced",
    )


def _ending(
    dates: list[tuple[str, Instant]], now: Instant, what: str, advice: str
) -> list[Verdict]:
    """Say which of ``dates`` have passed, or pass within 30 days."""
    found = []
    over = [name for name, until in dates if until <= now]
    soon = [
        f"{name} ({(until - now) / DAY_S:.0f} d)"
        for name, until in sorted(dates, key=lambda date: date[1])
        if now < until <= now + SOON_DAYS * DAY_S
    ]
    if over:
        found.append(
            warning(f"{count(len(over), what)} ended: {some(over)}", advice)
        )
    if soon:
        found.append(
            warning(
                f"{count(len(soon), what)} ending soon: {some(soon)}", advice
            )
        )
    return found
