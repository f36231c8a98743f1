# SPDX-License-Identifier: Apache-2.0
"""What has changed about policy, results and waivers; each change once.

Pure but for its memory of what was told, and when.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from types import MappingProxyType
from typing import TypeAlias

from nfv_mla_scheduler.errors import bounded

#: What there is to say of a change besides its text, for records.
Facts: TypeAlias = Mapping[str, "str | int | float | Sequence[str] | None"]
NO_FACTS: Facts = MappingProxyType({})

TEXT_MAX = 480
LOADED = "loaded"
REMOVED = "removed"

# Whoever serves results decides how often they change, and must not fill a
# log: of each of these subjects so many changes are told one after the other,
# and then the newest one in five minutes.
AT_WILL = frozenset(
    ("results", "results age", "results left out", "results unbound")
)
BURST = 16
REFILL_S = 300.0


@dataclasses.dataclass(frozen=True, slots=True)
class News:
    """One change of state, to be logged and recorded once.

    :ivar subject: ``policy``, ``expiry``, ``state``, ``results``, ``results
        age``, ``results left out``, ``results unbound``, ``break-glass`` or
        ``break-glass FILE``
    :ivar good: whether it is what an operator hopes for
    :ivar code: of the closed vocabularies of errors.py and keeper.py;
        ``loaded``, ``removed``, ``policy-expires``, ``results-left-out`` or
        ``results-stale``
    :ivar facts: what records say besides
    """

    subject: str
    good: bool
    code: str
    text: str
    facts: Facts = dataclasses.field(default_factory=dict, compare=False)


class _Share:
    """How much may still be told of one subject, and what was not."""

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._at = now
        self._unsaid: News | None = None
        self._count = 0

    def say(self, news: News, now: float) -> News | None:
        """Return the news if it may be told; otherwise keep the newest."""
        if self._spend(now):
            return self._with_count(news)
        self._unsaid = news
        self._count += 1
        return None

    def kept(self, now: float) -> News | None:
        """Return the newest that was not told, once it may be."""
        news = self._unsaid
        if news is None or not self._spend(now):
            return None
        self._count -= 1
        return self._with_count(news)

    def _spend(self, now: float) -> bool:
        gained = (now - self._at) / REFILL_S
        self._left, self._at = min(self._left + gained, BURST), now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _with_count(self, news: News) -> News:
        count, self._count, self._unsaid = self._count, 0, None
        if not count:
            return news
        text = f"{news.text[:_NEWS_MAX]} (after {count} changes not told)"
        return dataclasses.replace(news, text=text)


_NEWS_MAX = TEXT_MAX - 60


class Teller:
    """Passes news on, unless a subject is as it was last told to be.

    :param clock: monotonic, in seconds
    """

    def __init__(
        self,
        tell: Callable[[News], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._told: dict[str, tuple[bool, str, object]] = {}
        self._shares: dict[str, _Share] = {}

    def say(
        self,
        subject: str,
        good: bool,
        code: str,
        text: str,
        facts: Facts = NO_FACTS,
    ) -> None:
        """Pass on what happens once by its nature."""
        said = bounded(text, TEXT_MAX)
        news: News | None = News(subject, good, code, said, facts)
        if news is not None and subject in AT_WILL:
            now = self._clock()
            share = self._shares.setdefault(subject, _Share(now))
            news = share.say(news, now)
        if news is not None:
            self._tell(news)

    def catch_up(self) -> None:
        """Tell how subjects stand that have changed too often, in time."""
        now = self._clock()
        for share in self._shares.values():
            news = share.kept(now)
            if news is not None:
                self._tell(news)

    def bad(
        self,
        subject: str,
        code: str,
        text: str,
        same: object = None,
        facts: Facts = NO_FACTS,
    ) -> None:
        """Say what is wrong with ``subject``, unless it is so still.

        :param same: what tells two faults of one code apart, when the text
            holds what differs from time to time; by default the text
        """
        state = (False, code, text if same is None else same)
        self._once(subject, state, text, facts)

    def good(self, subject: str, text: str, code: str = LOADED) -> None:
        """Say that ``subject`` is well, unless that was told before."""
        self._once(subject, (True, code, text), text)

    def is_bad(self, subject: str) -> bool:
        """Whether something is wrong with ``subject``, as last told."""
        was = self._told.get(subject)
        return was is not None and not was[0]

    def mended(self, subject: str) -> bool:
        """Forget what was wrong; return whether anything was."""
        was = self._told.get(subject)
        if was is None or was[0]:
            return False
        del self._told[subject]
        return True

    def gone(self, subject: str, text: str) -> None:
        """Say that there is no such subject any more, if it was told of."""
        if self._told.pop(subject, None) is not None:
            self.say(subject, True, REMOVED, text)

    def _once(
        self,
        subject: str,
        state: tuple[bool, str, object],
        text: str,
        facts: Facts = NO_FACTS,
    ) -> None:
        if self._told.get(subject) != state:
            self._told[subject] = state
            good, code, _ = state
            self.say(subject, good, code, text, facts)
