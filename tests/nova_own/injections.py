# SPDX-License-Identifier: Apache-2.0
"""What a test of Nova's is to run with, as callables for ``bootstrap``.

Each takes the oslo.config object, may be called any number of times, and
changes what is configured.
"""

from __future__ import annotations

import functools
import pathlib
import tempfile
import time
import typing as ty

_NOVAS = "nova.scheduler.filters.all_filters"
_DIRECTORY = tempfile.gettempdir()


def nfv_mla_filter_first(conf: ty.Any) -> None:
    """Enable our filter before all others, as an operator would."""
    _enable_first(
        conf, "nfv_mla_scheduler.scheduler.filters.all_filters", "NfvMlaFilter"
    )


def nfv_mla_filter_with_policy(conf: ty.Any) -> None:
    """Enable our filter, with a signed policy that has exclusive pools.

    The policy is the demo's, of hosts that Nova's tests do not have.
    """
    from nfv_mla_scheduler import conf as options

    nfv_mla_filter_first(conf)
    options.register(conf)
    for name, value in _signed_policy().items():
        conf.set_override(name, value, options.GROUP.name)
    _demand_exclusive_pools()


@functools.cache
def _signed_policy() -> dict[str, object]:
    """Return the options that lead to a policy, signed in this process."""
    from demo import world
    from tests.cloud.site import Site

    # Below that of this process, which outlives each test's own.
    directory = tempfile.mkdtemp(prefix="nova-own-", dir=_DIRECTORY)
    site = Site(pathlib.Path(directory) / "site")
    site.put_policy(world.policy(time.time()))
    world.attest(site)
    site.publish()
    return site.options(management_domain="acme")


@functools.cache
def _demand_exclusive_pools() -> None:
    """Let whatever asks our filter fail unless such a policy is in force."""
    from nfv_mla_scheduler.scheduler import worker
    from nfv_mla_scheduler.scheduler.filters import CONF
    from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter

    original = NfvMlaFilter.filter_all

    @functools.wraps(original)
    def filter_all(self: ty.Any, *args: ty.Any) -> ty.Any:
        policy = worker.shared(CONF).engine().feed.snapshot.policy
        if policy is None or not any(
            pool.exclusive_to for pool in policy.pools.values()
        ):
            raise AssertionError("no policy with an exclusive pool is loaded")
        return original(self, *args)

    NfvMlaFilter.filter_all = filter_all


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
