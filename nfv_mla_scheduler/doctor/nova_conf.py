# SPDX-License-Identifier: Apache-2.0
"""The few of Nova's own options that matter here, read without Nova.

Names and defaults are those of nova.conf.scheduler (Nova 34).
"""

from __future__ import annotations

import dataclasses

from oslo_config import cfg

from nfv_mla_scheduler.doctor.files import ConfigUnreadable
from nfv_mla_scheduler.errors import bounded

FILTER_SCHEDULER = (
    cfg.MultiStrOpt(
        "available_filters", default=["nova.scheduler.filters.all_filters"]
    ),
    cfg.ListOpt(
        "enabled_filters",
        default=[
            "ComputeFilter",
            "ComputeCapabilitiesFilter",
            "ImagePropertiesFilter",
            "ServerGroupAntiAffinityFilter",
            "ServerGroupAffinityFilter",
        ],
    ),
    cfg.ListOpt(
        "weight_classes", default=["nova.scheduler.weights.all_weighers"]
    ),
)
SCHEDULER = (cfg.IntOpt("max_placement_results", default=1000, min=1),)


@dataclasses.dataclass(frozen=True, slots=True)
class NovaOptions:
    """What nova.conf says of filters and weighers."""

    available_filters: tuple[str, ...]
    enabled_filters: tuple[str, ...]
    weight_classes: tuple[str, ...]
    max_placement_results: int


def nova_options(conf: cfg.ConfigOpts) -> NovaOptions:
    """Return what ``conf`` says.

    :raises ConfigUnreadable: naming the option that Nova could not read
    """
    conf.register_opts(FILTER_SCHEDULER, group="filter_scheduler")
    conf.register_opts(SCHEDULER, group="scheduler")
    try:
        return NovaOptions(
            tuple(conf.filter_scheduler.available_filters),
            tuple(conf.filter_scheduler.enabled_filters),
            tuple(conf.filter_scheduler.weight_classes),
            conf.scheduler.max_placement_results,
        )
    except (cfg.Error, ValueError) as exc:
        raise ConfigUnreadable(bounded(exc, 200)) from None
