# SPDX-License-Identifier: Apache-2.0
"""The loop: what the policy wants is asked, and what is said is held.

A thread for each authority asks; whoever holds the loop gives it the policy
and reads the board.  Used by the collector's process and by a scheduler that
collects by itself.
"""

from __future__ import annotations

import dataclasses
import random
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from types import MappingProxyType

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.board import Board
from nfv_mla_scheduler.collector.poller import Poller
from nfv_mla_scheduler.collector.rivals import Rivals
from nfv_mla_scheduler.collector.rivals import refused
from nfv_mla_scheduler.collector.standing import Standing
from nfv_mla_scheduler.collector.timetable import Timetable
from nfv_mla_scheduler.collector.values import Changes
from nfv_mla_scheduler.collector.values import Outcome
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy

SPREAD_S = 1.0
STOP_S = 3.0
NOTICE = "authority-notice"

Clock = Callable[[], Instant]
Tell = Callable[[News], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Why:
    """Why an authority is not asked."""

    code: str
    reason: str


NO_POLICY = Why(PolicyCode.MISSING.value, "there is no policy yet")
UNKNOWN = Why(
    ResultsCode.UNKNOWN_AUTHORITY.value, "the policy names no such authority"
)


class Loop:
    """Asks authorities as the policy says, and holds what they say.

    :param collector: by its name in the policy, which says for whom it may
        speak; None: for all authorities of the policy
    :param changed: called, in any thread, when the board has changed
    :param spread_s: the first questions are spread over this time
    """

    def __init__(
        self,
        authorities: Sequence[Authority],
        collector: str | None,
        max_skew_s: float,
        tell: Tell,
        changed: Callable[[], None],
        *,
        clock: Clock = time.time,
        spread_s: float = SPREAD_S,
    ) -> None:
        self._collector = collector
        self._max_skew_s = max_skew_s
        self._tell = tell
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._board = Board(
            max_skew_s,
            frozenset(a.name for a in authorities if a.CHECKS_PINS),
        )
        self._rivals = Rivals(authorities)
        self._policy: Policy | None = None
        self._tasks: Mapping[str, Task] = {}
        self._settled = threading.Condition(self._lock)
        now = clock()
        names = [authority.name for authority in authorities]
        self._standings = {n: Standing(n, max_skew_s, now) for n in names}
        self._pollers = {
            authority.name: Poller(
                authority,
                Timetable(random.random, spread_s),
                self._hear,
            )
            for authority in authorities
        }
        self._notices = {a.name: a.NOTICE for a in authorities if a.NOTICE}

    def start(self) -> None:
        """Start the threads; they ask nothing before there is a policy."""
        for name, notice in sorted(self._notices.items()):
            self._tell(News(f"authority {name}", False, NOTICE, notice))
        for poller in self._pollers.values():
            poller.start()

    def stop(self, timeout_s: float = STOP_S) -> None:
        """End the threads; of one that hangs no more than that is waited."""
        for poller in self._pollers.values():
            poller.stop()
        end = time.monotonic() + timeout_s
        for poller in self._pollers.values():
            poller.join(end - time.monotonic())

    def restore(self, said: Mapping[str, Said]) -> None:
        """Hold what one's own document of before the restart said."""
        with self._lock:
            self._board.restore(said)

    @property
    def held(self) -> tuple[Policy | None, Mapping[str, Said]]:
        """The policy that is followed; authority -> what it said last."""
        with self._lock:
            return self._policy, self._board.said

    @property
    def standings(self) -> Mapping[str, Standing]:
        """Authority -> how it stands; to be read, not to be kept."""
        return MappingProxyType(self._standings)

    def rule(
        self, policy: Policy | None, now: Instant, *, pins_hold: bool = False
    ) -> None:
        """Do from now on what ``policy`` says, and note that time passes.

        :param pins_hold: whether what was restored was checked by the keys
            that this policy pins
        """
        with self._lock:
            news: list[News] = []
            changes = Changes()
            if policy is not self._policy:
                self._policy = policy
                assigned, changes = self._assign(policy, now, pins_hold)
                news += assigned
            for standing in self._standings.values():
                news += standing.passed(now)
        self._pass_on(news, changes)

    def refresh(self, authority: str, attesters: Iterable[str]) -> bool:
        """Ask an authority soon; see :meth:`Poller.refresh`."""
        poller = self._pollers.get(authority)
        return poller is not None and poller.refresh(attesters)

    def wait_settled(self, timeout_s: float) -> bool:
        """Wait until every authority that is asked has answered, or failed.

        An answer about some of its hosts alone does not count.

        :returns: False if that takes longer
        """
        with self._settled:
            return self._settled.wait_for(self._is_settled, timeout_s)

    def _is_settled(self) -> bool:
        return all(self._standings[name].has_ended for name in self._tasks)

    def _assign(
        self, policy: Policy | None, now: Instant, pins_hold: bool
    ) -> tuple[list[News], Changes]:
        news: list[News] = []
        found = tasks(policy, self._collector, self._max_skew_s)
        self._tasks = {n: t for n, t in found.items() if n in self._pollers}
        for name, poller in self._pollers.items():
            task = self._tasks.get(name)
            poller.assign(task)
            why = self._why_not(name, policy)
            news += self._standings[name].assign(
                task, now, why.code, why.reason
            )
        for name in sorted(found.keys() - self._tasks.keys()):
            text = "the policy wants it asked, and no option says how"
            code = ResultsCode.MISSING.value
            facts = {"authority": name, "state": "unknown"}
            news.append(News(f"authority {name}", False, code, text, facts))
        # without any policy nothing can be said of what is held
        if policy is None:
            return news, Changes()
        changes = self._board.rule(self._tasks, now, pins_hold=pins_hold)
        self._settled.notify_all()
        return news, changes

    def _why_not(self, name: str, policy: Policy | None) -> Why:
        if policy is None:
            return NO_POLICY
        if name not in policy.authorities:
            return UNKNOWN
        return Why(
            ResultsCode.NOT_THEIRS.value,
            "the policy does not let collector "
            f"{self._collector} speak for it",
        )

    def _hear(self, outcome: Outcome) -> None:
        now = self._clock()
        name = outcome.authority
        with self._lock:
            changes = Changes()
            rival = self._rivals.rival(name, outcome.collected)
            if rival:
                outcome = refused(outcome, rival)
                changes = self._board.end(name, now)
            elif outcome.collected is None:
                changes = self._board.renew(name, outcome.rules, now)
            if outcome.collected is not None:
                changes = self._board.take(
                    name, outcome.inquiry, outcome.collected, now
                )
            news = self._standings[name].ended(outcome, changes, now)
            self._settled.notify_all()
        self._pass_on(news, changes)
        if changes.anew:
            self._pollers[name].refresh(())

    def _pass_on(self, news: Iterable[News], changes: Changes) -> None:
        # outside of the lock: a log that blocks must not hold up the others
        for one in news:
            self._tell(one)
        if changes.any:
            self._changed()


def tasks(
    policy: Policy | None, collector: str | None, max_skew_s: float
) -> dict[str, Task]:
    """Return what a policy wants of each authority that may be heard.

    :param collector: None: all authorities of the policy may be heard
    """
    if policy is None:
        return {}
    heard = frozenset(policy.authorities)
    if collector is not None:
        mine = policy.collectors.get(collector)
        heard &= mine.authorities if mine else frozenset()
    attesters: dict[str, list[str]] = {name: [] for name in heard}
    pinned: dict[str, dict[str, tuple[str, ...]]] = {n: {} for n in heard}
    for binding in policy.hosts.values():
        for name, attester in binding.attesters.items():
            if name in heard:
                attesters[name].append(attester)
                if binding.pinned_keys:
                    pinned[name][attester] = binding.pinned_keys
    return {
        name: Task(
            Inquiry(
                tuple(sorted(attesters[name])),
                policy.regions,
                max_skew_s,
                pinned[name],
            ),
            float(policy.authorities[name].cadence_s),
            float(policy.authorities[name].max_age_s),
        )
        for name in sorted(heard)
    }
