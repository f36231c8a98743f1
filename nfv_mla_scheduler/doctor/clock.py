# SPDX-License-Identifier: Apache-2.0
"""Checks of clocks: times are compared across machines, and have to agree."""

from __future__ import annotations

from collections.abc import Mapping

from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.site import Site

# HTTP tells the time in whole seconds.
EXACT_TO_S = 1.0
_ADVICE = "synchronise the clocks (NTP or PTP)"


def authorities(site: Site) -> Verdict:
    """The clocks of the authorities agree with the collector's, or ours."""
    status = site.contacts.live_status
    if status is not None:
        against = f"that of collector {status.collector}"
        skews = {name: one.skew_s for name, one in status.authorities.items()}
    else:
        against = "ours"
        skews = {
            name: one.skew_s for name, one in site.contacts.answers.items()
        }
    told = {name: skew for name, skew in skews.items() if skew is not None}
    if not told:
        raise Skipped("no authority told its time")
    limit = site.main.settings.max_skew_s
    return worst(
        [
            verdict
            for name, skew in sorted(told.items())
            if (verdict := judge(name, skew, limit, against)) is not None
        ],
        f"within {_largest(told):.0f} s of {against}: "
        f"{', '.join(sorted(told))}",
    )


def collector(site: Site) -> Verdict:
    """The collector's clock agrees with ours."""
    settings = site.scheduler.settings
    if settings.results is not ResultsFrom.HTTPS:
        raise Skipped("results do not come over HTTPS")
    skew = site.contacts.served.skew_s
    if skew is None:
        raise Skipped("the collector did not tell its time")
    return judge("the collector", skew, settings.max_skew_s, "ours") or ok(
        f"the collector's clock is within {abs(skew):.0f} s of ours"
    )


def document(site: Site) -> Verdict:
    """No time in the results lies ahead of our clock."""
    results = site.results
    times = {"the document": results.issued_at}
    for name, fresh in results.freshness.items():
        times[f"the newest result of {name}"] = max(
            (each.at for each in fresh.values()), default=0.0
        )
    ahead = {what: at - site.now for what, at in times.items()}
    limit = site.main.settings.max_skew_s
    return worst(
        [
            verdict
            for what, skew in ahead.items()
            if skew > 0
            and (verdict := judge(what, skew, limit, "our clock")) is not None
        ],
        "no time in the results lies ahead of our clock",
    )


def judge(
    what: str, skew_s: float, limit_s: float, against: str
) -> Verdict | None:
    """Judge how far a clock is ahead; None: it agrees.

    :param limit_s: beyond which what is ahead is refused
    """
    side = "ahead of" if skew_s > 0 else "behind"
    said = f"{what} is {abs(skew_s):.0f} s {side} {against}"
    if skew_s > limit_s + EXACT_TO_S:
        return failed(f"{said}: more than max_skew_s, and refused", _ADVICE)
    if abs(skew_s) > max(limit_s / 2, EXACT_TO_S):
        return warning(f"{said}; max_skew_s is {limit_s:g}", _ADVICE)
    return None


def _largest(skews: Mapping[str, float]) -> float:
    return max(abs(skew) for skew in skews.values())
