# SPDX-License-Identifier: Apache-2.0
"""The authorities that a configuration names: their drivers, and a question.

A question is about one attester, and changes nothing at the authority.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector import settings
from nfv_mla_scheduler.collector.loop import tasks
from nfv_mla_scheduler.collector.options import AUTHORITY_PREFIX
from nfv_mla_scheduler.collector.options import DRIVER
from nfv_mla_scheduler.collector.options import GROUP
from nfv_mla_scheduler.doctor import files
from nfv_mla_scheduler.doctor.side import Side
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.catalogue import load

TOGETHER_MAX = 16

Drivers = Mapping[str, Authority | SettingsError]
"""Authority -> its driver, or why there is none."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """How one authority answered a question about one attester.

    :ivar failure: why it did not; empty: it did
    :ivar skew_s: how far its clock is ahead of ours; None: it did not say
    """

    failure: str
    skew_s: float | None = None


def drivers(side: Side) -> Drivers:
    """Return the driver of each authority that a service would ask.

    :raises SettingsError: when it cannot be told which are named
    """
    conf = files.load(side.paths, side.project)
    settings.register(conf)
    return {n: _driver(side, n) for n in settings.authority_names(conf)}


def _driver(side: Side, name: str) -> Authority | SettingsError:
    conf = files.load(side.paths, side.project)
    settings.register(conf)
    conf.set_override("authorities", [name], group=GROUP.name)
    try:
        (found,) = settings.authorities(conf, load())
    except SettingsError as exc:
        return exc
    return found


def driver_options(side: Side, name: str) -> Mapping[str, Any]:
    """Return the options of an authority's driver, as they are set.

    :raises SettingsError: when there is no such driver
    """
    conf = files.load(side.paths, side.project)
    group = f"{AUTHORITY_PREFIX}{name}"
    conf.register_opt(DRIVER, group=group)
    found = loader.driver(conf[group].driver)
    conf.register_opts(list(found.OPTIONS), group=group)
    return {option.dest: conf[group][option.dest] for option in found.OPTIONS}


def ask(
    found: Iterable[Authority],
    policy: Policy,
    max_skew_s: float,
    now: Instant,
) -> dict[str, Answered]:
    """Ask each authority about the first attester that is bound to it.

    All at the same time, so that one that hangs keeps nobody waiting longer.
    """
    wanted = tasks(policy, None, max_skew_s)
    asked = {}
    for authority in found:
        task = wanted.get(authority.name)
        if task is None or not task.inquiry.attesters:
            continue
        first = task.inquiry.attesters[:1]
        inquiry = dataclasses.replace(
            task.inquiry,
            attesters=first,
            pinned={
                name: keys
                for name, keys in task.inquiry.pinned.items()
                if name in first
            },
            targeted=True,
        )
        asked[authority.name] = (authority, inquiry)
    with concurrent.futures.ThreadPoolExecutor(TOGETHER_MAX) as pool:
        futures = {
            name: pool.submit(_ask, authority, inquiry, now)
            for name, (authority, inquiry) in asked.items()
        }
    return {name: future.result() for name, future in futures.items()}


def _ask(authority: Authority, inquiry: Inquiry, now: Instant) -> Answered:
    try:
        collected = authority.collect(inquiry, now)
    except AuthorityError as exc:
        return Answered(str(exc))
    finally:
        authority.close()
    if not collected.results and collected.problems:
        return Answered(str(collected.problems[0]), collected.skew_s)
    return Answered("", collected.skew_s)
