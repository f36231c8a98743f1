# SPDX-License-Identifier: Apache-2.0
"""What this process can know of policy and results, as nova-scheduler would.

Reads what nova-scheduler reads, by the same configuration, and writes
nothing: neither here nor in ``state_dir``.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Sequence

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler import sources
from nfv_mla_scheduler.cmd.explain_found import Candidate
from nfv_mla_scheduler.conf import WithoutPolicy
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.feed.feed import ResultsSource
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.ourselves import MonitorStatus
from nfv_mla_scheduler.feed.ourselves import own_state
from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.follow import room_on_all
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.scheduler.engine import case_by_kept
from nfv_mla_scheduler.scheduler.kept import Kept
from nfv_mla_scheduler.standard import catalogue

_STATE_ADVICE = (
    "; it cannot be told whether a newer policy was accepted before: use the "
    "account of nova-scheduler"
)


class Known:
    """Policy and results of one moment; to be closed.

    :ivar now: the moment
    :raises NfvMlaError: when options or the officers' keys are at fault
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        # What goes wrong is told as news; logs have no place on a terminal.
        logging.getLogger("nfv_mla_scheduler").addHandler(
            logging.NullHandler()
        )
        self.settings = options.settings(conf)
        self._conf = conf
        self._heard: list[News] = []
        self._results: ResultsSource | None = None
        feed = self._open()
        try:
            timeout_s = self.settings.first_load_timeout_s
            self.now = sources.load(feed, timeout_s)
        except BaseException:
            feed.close()
            raise
        if self.settings.policy_file is None:
            self._miss("policy", PolicyCode.MISSING, "policy_file is not set")
        if self._results is None:
            text = "results_file is not set"
            self._miss("results", ResultsCode.MISSING, text)
        elif not feed.settled:
            text = f"none came within {timeout_s:g} s"
            self._miss("results", ResultsCode.MISSING, text)
        self._feed = feed
        self.snapshot = feed.snapshot

    def close(self) -> None:
        """End what goes on in the background."""
        self._feed.close()

    @property
    def bearings(self) -> Bearings:
        """What the judge has to know of the scheduler."""
        return Bearings(
            self.settings.management_domain, self.settings.boot_max_age_s
        )

    @property
    def news(self) -> tuple[News, ...]:
        """What there is to say of what was read."""
        return tuple(_advised(news) for news in self._heard)

    def case(
        self,
        request: Request,
        candidates: Sequence[Candidate],
        full: frozenset[str],
    ) -> Case:
        """Return the case that nova-scheduler would judge by.

        :param full: hosts that have no room for what has to follow; all
            others are taken to have some
        """
        judge = Judge(
            self.bearings,
            self.settings.without_policy is WithoutPolicy.REFUSE_ALL,
        )
        room = room_on_all(self.snapshot, full)
        dirty = self._monitor.dirty(self.now)
        case = judge.case(request, self.snapshot, room, dirty)
        if self.snapshot.policy is None and case.malformed is None:
            return self._case_by_kept(request, candidates) or case
        return case

    def under(self, policy: Policy) -> tuple[ResultsDocument | None, str]:
        """Return the results that would count under another policy.

        :returns: or why none would
        """
        document = None
        if self._results is not None:
            document = self._results.read(policy, self.now)
        if document is not None:
            return document, ""
        wrong = [
            n for n in self._heard if n.subject == "results" and not n.good
        ]
        return (
            None,
            f"{wrong[-1].text} ({wrong[-1].code})" if wrong else "none",
        )

    def _miss(
        self, subject: str, code: PolicyCode | ResultsCode, text: str
    ) -> None:
        self._heard.append(News(subject, False, code.value, text))

    def _open(self) -> Feed:
        known = catalogue.load()
        teller = Teller(self._heard.append)
        places = sources.sources(self.settings)
        self._monitor = MonitorStatus(
            self.settings.monitor_status_file, self.settings.max_skew_s
        )
        self._results = sources.results_source(
            self.settings, self._conf, known, teller
        )
        try:
            return Feed(
                dataclasses.replace(places, read_only=True),
                self._results,
                known,
                lambda: own_state(None, self._monitor.alive(time.time())),
                teller,
            )
        except BaseException:
            if self._results is not None:
                self._results.close()
            raise

    def _case_by_kept(
        self, request: Request, candidates: Sequence[Candidate]
    ) -> Case | None:
        """Return the case when the policy is lost, if there ever was one."""
        plain = Plain(
            request.project_id,
            request.extra_specs,
            None,
            request.hints,
            request.source,
            request.server,
        )
        return case_by_kept(
            Kept(self._conf), plain, list(candidates), self.snapshot, self.now
        )


def _advised(news: News) -> News:
    if news.good or news.subject != "state":
        return news
    return dataclasses.replace(news, text=news.text + _STATE_ADVICE)
