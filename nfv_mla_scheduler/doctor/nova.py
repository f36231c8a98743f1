# SPDX-License-Identifier: Apache-2.0
"""Checks of Nova's own options: does it load the filter, and ask it first."""

from __future__ import annotations

from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.nova_conf import NovaOptions
from nfv_mla_scheduler.doctor.site import Site

FILTER = "NfvMlaFilter"
OURS = "nfv_mla_scheduler.scheduler.filters"
NOVAS = "nova.scheduler.filters.all_filters"
WEIGHERS = ("NfvMlaAssuranceWeigher", "NfvMlaScarcityWeigher")
OUR_WEIGHERS = "nfv_mla_scheduler.scheduler.weighers"
NOVAS_WEIGHERS = "nova.scheduler.weights"
ALL_WEIGHERS = "all_weighers"


def filters(site: Site) -> Verdict:
    """The scheduler loads the filter, and asks it first."""
    nova = site.nova
    return worst(
        [*_enabled(nova), *_available(nova)],
        f"{FILTER} is enabled, the first of "
        f"{count(len(nova.enabled_filters), 'filter')}",
    )


def _enabled(nova: NovaOptions) -> list[Verdict]:
    times = nova.enabled_filters.count(FILTER)
    if not times:
        return [
            failed(
                f"{FILTER} is not enabled: nothing is enforced",
                f"put {FILTER} first into [filter_scheduler] enabled_filters",
            )
        ]
    found = []
    if times > 1:
        found.append(
            warning(
                f"{FILTER} is enabled {times} times: it judges as often",
                "name it once in enabled_filters",
            )
        )
    if nova.enabled_filters[0] != FILTER:
        place = nova.enabled_filters.index(FILTER) + 1
        found.append(
            warning(
                f"{FILTER} is enabled as number {place} of "
                f"{len(nova.enabled_filters)}",
                "put it first into enabled_filters: it spares the others "
                "their work",
            )
        )
    return found


def _available(nova: NovaOptions) -> list[Verdict]:
    """Say which enabled filters nova-scheduler would not find."""
    available = nova.available_filters
    found = []
    if FILTER in nova.enabled_filters and not {
        f"{OURS}.all_filters",
        f"{OURS}.{FILTER}",
    } & set(available):
        found.append(
            failed(
                f"{FILTER} is not available: nova-scheduler does not start",
                f"add available_filters = {OURS}.all_filters",
            )
        )
    others = [
        name
        for name in available
        if name.endswith(f".{FILTER}") and not name.startswith(OURS)
    ]
    if others:
        found.append(
            failed(
                f"{some(others)} has the name of our filter and may be "
                "loaded in its place",
                "take it out of available_filters",
            )
        )
    last = {name.rpartition(".")[2] for name in available}
    # what a function returns only Nova can know
    functions = any(name[:1].islower() for name in last - {"all_filters"})
    if NOVAS in available or functions:
        return found
    missing = [
        name
        for name in nova.enabled_filters
        if name != FILTER and name not in last
    ]
    if missing:
        found.append(
            failed(
                f"{some(missing)}: not available, since available_filters "
                "replaces Nova's default; nova-scheduler does not start",
                f"add available_filters = {NOVAS}",
                missing,
            )
        )
    return found


def weighers(site: Site) -> Verdict:
    """The weighers are loaded, Nova's and ours, or ours meant to be off."""
    classes, settings = site.nova.weight_classes, site.scheduler.settings
    multipliers = {
        "assurance_weight_multiplier": settings.assurance_weight_multiplier,
        "scarcity_weight_multiplier": settings.scarcity_weight_multiplier,
    }
    found = []
    if not any(name.startswith(f"{NOVAS_WEIGHERS}.") for name in classes):
        found.append(
            warning(
                "none of Nova's own weighers is loaded: weight_classes "
                "replaces the default",
                f"add {NOVAS_WEIGHERS}.{ALL_WEIGHERS} to weight_classes",
            )
        )
    ours = [
        name
        for name in WEIGHERS
        if {f"{OUR_WEIGHERS}.{name}", f"{OUR_WEIGHERS}.{ALL_WEIGHERS}"}
        & set(classes)
    ]
    off = not any(multipliers.values())
    if not ours and not off:
        found.append(
            warning(
                "none of our weighers is loaded: better attested hosts are "
                "not preferred, scarce ones not spared",
                f"add {OUR_WEIGHERS}.{ALL_WEIGHERS} to weight_classes, or set "
                "both multipliers to 0 if that is meant",
            )
        )
    negative = [name for name, value in multipliers.items() if value < 0]
    if ours and negative:
        found.append(
            warning(
                f"{some(negative)}: is negative, which prefers the hosts that "
                "it should spare",
                "set it to 0 or more, unless that is meant",
            )
        )
    loaded = " and ".join(ours) if ours and not off else "ours are turned off"
    return worst(found, f"Nova's weighers are loaded, and {loaded}")


def conductor(site: Site) -> Verdict:
    """nova-conductor has the same filters in its configuration."""
    if site.inputs.conductor == site.inputs.scheduler:
        return ok("nova-conductor reads the same files")
    ours, theirs = site.nova, site.conductor
    pairs = {
        "enabled_filters": (ours.enabled_filters, theirs.enabled_filters),
        "available_filters": (
            tuple(sorted(ours.available_filters)),
            tuple(sorted(theirs.available_filters)),
        ),
    }
    differ = [name for name, (mine, its) in pairs.items() if mine != its]
    if not differ:
        return ok("nova-conductor has the scheduler's filters")
    return warning(
        f"nova-conductor has another {' and '.join(differ)} than the "
        "scheduler",
        "keep [filter_scheduler] equal: nova-conductor looks there for the "
        "affinity filters",
    )


def window(site: Site) -> Verdict:
    """Placement may offer every host, so that none is out of sight."""
    limit = site.nova.max_placement_results
    try:
        number, known = len(site.nova_hosts), "Nova has"
    except Skipped:
        number, known = len(site.policy.hosts), "the policy binds"
    hosts = count(number, "host")
    if number > limit:
        return warning(
            f"{known} {hosts}, and Placement offers {limit}: hosts that "
            "comply may never be among them",
            "require a trait of the pool in the flavors, or raise "
            "[scheduler] max_placement_results",
        )
    return ok(f"Placement may offer {limit} hosts, and {known} {number}")
