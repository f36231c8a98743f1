# SPDX-License-Identifier: Apache-2.0
"""What a cycle's report comes to in words, and the log that takes them.

Touches the log.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.found import of_picture
from nfv_mla_scheduler.monitor.reporting.found import of_verdict
from nfv_mla_scheduler.monitor.reporting.intended import of_releases
from nfv_mla_scheduler.monitor.reporting.lines import Line
from nfv_mla_scheduler.monitor.reporting.lines import Loudness
from nfv_mla_scheduler.monitor.reporting.planned import of_plan
from nfv_mla_scheduler.policy.instants import write_instant

LOG = logging.getLogger(__name__)

_LEVELS = {
    Loudness.INFO: logging.INFO,
    Loudness.WARNING: logging.WARNING,
    Loudness.ALARM: logging.CRITICAL,
}


def tell(line: Line) -> None:
    """Log one line of a monitor."""
    level = _LEVELS[line.loudness]
    LOG.log(level, "nfv-mla monitor: %s (%s)", line.text, line.code.value)


def tell_news(news: News) -> None:
    """Log one change of policy, results or files."""
    level = logging.INFO if news.good else logging.WARNING
    LOG.log(level, "nfv-mla %s: %s (%s)", news.subject, news.text, news.code)


def standings(
    report: CycleReport, dry_run: bool = False
) -> dict[Topic, dict[str, Said]]:
    """Return how things stand by a report; what it does not know is left out.

    :param dry_run: to say what would be done as well
    """
    return of_known(report) | of_course(report, dry_run)


def of_course(
    report: CycleReport, dry_run: bool
) -> dict[Topic, dict[str, Said]]:
    """Return what a cycle's course adds to what was known before it acted."""
    found: dict[Topic, dict[str, Said]] = {
        Topic.PART: {
            f.part.value: Said(f"{f.text} ({f.code})", f.code)
            for f in report.failures
        }
    }
    if dry_run and report.plan is not None:
        found[Topic.WOULD] = would(report.plan, report.sealed)
    return found


def of_known(report: CycleReport) -> dict[Topic, dict[str, Said]]:
    """Return how things stand by all that is known before a cycle acts.

    What becomes of it afterwards, outcomes and failures, is not in it.
    """
    found: dict[Topic, dict[str, Said]] = {Topic.PAUSED: _paused(report)}
    if report.picture is not None:
        found |= of_picture(report.picture)
    if report.ruling is not None:
        found |= of_verdict(report.ruling.verdict)
        found[Topic.FENCED] = {
            bounded(host): Said(
                f"is fenced since {write_instant(mark.since)}", mark.id
            )
            for host, mark in report.ruling.host_marks.items()
        }
        if report.picture is not None and report.picture.partial:
            # who is out of sight is no stranger, and not absent
            del found[Topic.STRANGER], found[Topic.ABSENT]
    if report.picture is not None:
        told = [
            uuid
            for uuid in report.holds.servers
            if uuid in report.picture.servers and uuid not in report.sealed
        ]
        found[Topic.RELEASED] = of_releases(report.holds, report.at, told)
    if report.plan is not None:
        found |= of_plan(report.plan, report.sealed)
    return found


def would(plan: Plan, sealed: Collection[str]) -> dict[str, Said]:
    """Return what a plan would do, by server, host or provider."""
    found = {}
    for fence in plan.fences:
        what = "fence" if fence.disable else "take the fence away"
        found[f"host {bounded(fence.host)}"] = Said(what, what)
    for step in plan.steps:
        if step.server not in sealed:
            what = f"{step.step.value}, on {bounded(step.host)}"
            found[f"server {step.server}"] = Said(what, what)
    for release in plan.releases:
        if release.server not in sealed:
            asks = ", ".join(ask.value for ask in release.asks)
            found[f"server {release.server}"] = Said(f"release ({asks})", asks)
    for edit in plan.traits:
        what = f"{'add' if edit.add else 'remove'} {bounded(edit.trait, 80)}"
        found[f"provider {bounded(edit.provider)} {what}"] = Said(what, what)
    return found


def _paused(report: CycleReport) -> dict[str, Said]:
    paused = report.holds.paused
    if report.holds.fault:
        said = "what people said cannot be read: only fences are put up"
        return {"by itself": Said(said)}
    if not report.holds.pauses(report.at) or paused is None:
        return {}
    return {
        "by a person": Said(
            f"until {write_instant(paused.until)}: {bounded(paused.reason)}",
            f"{paused.until} {paused.reason}",
        )
    }
