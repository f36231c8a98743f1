# SPDX-License-Identifier: Apache-2.0
"""What a test of Nova's is to run with, as callables for ``bootstrap``.

Each takes the oslo.config object, may be called any number of times, and
changes what is configured; Nova is not imported here.
"""

from __future__ import annotations

import typing as ty

_NOVAS = "nova.scheduler.filters.all_filters"


def nfv_mla_filter_first(conf: ty.Any) -> None:
    """Enable our filter before all others, as an operator would."""
    _enable_first(
        conf, "nfv_mla_scheduler.scheduler.filters.all_filters", "NfvMlaFilter"
    )


def _enable_first(conf: ty.Any, available: str, name: str) -> None:
    group = conf.filter_scheduler
    if available not in group.available_filters:
        conf.set_override(
            "available_filters",
            [*(group.available_filters or [_NOVAS]), available],
            "filter_scheduler",
        )
    others = [other for other in group.enabled_filters if other != name]
    if group.enabled_filters != [name, *others]:
        conf.set_override(
            "enabled_filters", [name, *others], "filter_scheduler"
        )
