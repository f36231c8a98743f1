# SPDX-License-Identifier: Apache-2.0
"""The collector's loop inside a scheduler worker, for ``results = embedded``.

Nothing is signed, since nothing travels.  All authorities of the policy may be
heard, and it has to name no collector.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

from oslo_config import cfg

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.collector import settings as own
from nfv_mla_scheduler.collector.loop import Loop
from nfv_mla_scheduler.collector.options import AUTHORITY_PREFIX
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.published import tell_unbound
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue

COLLECTOR = "embedded"
# Until all have answered, nothing is said to be known; but no longer.
FIRST_ANSWERS_S = 3.0


class EmbeddedResults:
    """Results that this process collects itself; read by one thread.

    :param loop: sets ``dirty`` when its board has changed
    """

    def __init__(
        self,
        loop: Loop,
        dirty: threading.Event,
        max_skew_s: float,
        teller: Teller,
    ) -> None:
        self._loop = loop
        self._dirty = dirty
        self._max_skew_s = max_skew_s
        self._teller = teller
        self._settle_by = math.inf
        self._document: ResultsDocument | None = None
        self._newest: Instant = NEVER
        self._doubted = False
        self._bodies = 0

    def read(
        self, policy: Policy | None, now: Instant
    ) -> ResultsDocument | None:
        """Return what the authorities said last; None: nothing yet.

        Waits for nobody.  What has not changed is the same object.
        """
        self._loop.rule(policy, now)
        if policy is None:
            self._document = None
            return None
        if self._document is None and not self._is_settled():
            return None
        latest = now + self._max_skew_s
        if (
            self._document is None
            or self._dirty.is_set()
            or self._newest > latest
            or self._doubted
        ):
            self._dirty.clear()
            self._document = self._new(now, latest)
        return self._document

    def report_unbound(self, unbound: tuple[tuple[str, str], ...]) -> None:
        """Say which attesters count for nothing, a few of them."""
        tell_unbound(self._teller, unbound)

    def close(self) -> None:
        """Ask nobody any more."""
        self._loop.stop()

    def _is_settled(self) -> bool:
        """Whether all have answered, or failed, or had their time."""
        if self._settle_by == math.inf:
            self._settle_by = time.monotonic() + FIRST_ANSWERS_S
        return (
            self._loop.wait_settled(0.0) or time.monotonic() >= self._settle_by
        )

    def _new(self, now: Instant, latest: Instant) -> ResultsDocument:
        _, said = self._loop.held
        self._newest = max(map(_newest, said.values()), default=NEVER)
        self._doubted = self._newest > latest
        results = {name: _seen(one, latest) for name, one in said.items()}
        before = self._document
        if before is None or not _same(before.results, results):
            self._bodies += 1
        return ResultsDocument(
            COLLECTOR,
            now,
            f"{COLLECTOR}-{self._bodies}",
            MappingProxyType(results),
            MappingProxyType({n: one.freshness for n, one in said.items()}),
            (),
        )


def _newest(said: Said) -> Instant:
    """Return the latest time in what an authority said."""
    booted = (r.boot_attested_at for r in said.results.values())
    seen = (fresh.at for fresh in said.freshness.values())
    return max(max(booted, default=NEVER), max(seen, default=NEVER))


def _seen(said: Said, latest: Instant) -> Mapping[str, Result]:
    """Return an authority's results, those from the future as faulty.

    There are some only when our clock was fast and has been set back.
    """
    early = {
        attester: dataclasses.replace(result, faulty=True)
        for attester, result in said.results.items()
        if max(said.freshness[attester].at, result.boot_attested_at) > latest
    }
    if not early:
        return said.results
    return MappingProxyType({**said.results, **early})


def _same(
    before: Mapping[str, Mapping[str, Result]],
    results: Mapping[str, Mapping[str, Result]],
) -> bool:
    return before.keys() == results.keys() and all(
        before[name] is one for name, one in results.items()
    )


def start(
    conf: cfg.ConfigOpts,
    max_skew_s: float,
    catalogue: Catalogue,
    teller: Teller,
) -> EmbeddedResults:
    """Return results that are being collected from now on.

    :param conf: a process's own; the options are registered on it here
    :raises SettingsError: in one line; also for a driver whose credential
        can do more than read
    """
    own.register(conf)
    authorities = own.authorities(conf, catalogue)
    for authority in authorities:
        _check_reads_only(authority)
    dirty = threading.Event()

    def tell(news: News) -> None:
        teller.say(news.subject, news.good, news.code, news.text, news.facts)

    loop = Loop(authorities, None, max_skew_s, tell, dirty.set, spread_s=0.0)
    loop.start()
    return EmbeddedResults(loop, dirty, max_skew_s, teller)


def option_groups(conf: cfg.ConfigOpts) -> list[tuple[str, list[cfg.Opt]]]:
    """Return the options of authorities, by their groups, once it runs."""
    return own.option_groups(conf)


def _check_reads_only(authority: Authority) -> None:
    if not authority.READS_ONLY:
        raise SettingsError(
            f"[{AUTHORITY_PREFIX}{authority.name}] driver: its "
            "credential can do more than read, which a scheduler must not "
            "hold; run nfv-mla-collector, and set [nfv_mla] results to file "
            "or https"
        )
