# SPDX-License-Identifier: Apache-2.0
"""Tell each change of something once, and flapping not at all.

Pure.  An authority that comes and goes for days must not fill a log; but that
it does so must be said, and so must how it ended.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.model import Instant

# So many changes are told one after the other, and then one in ten minutes.
BURST = 6
REFILL_S = 600.0
# Whoever has changed too often must keep still so long to be told of again.
STEADY_S = 600.0

FLAPPING = "flapping"


class Damper:
    """Passes on the changes of one subject, unless they are too many.

    Never more lines than changes, and no more than one in ``REFILL_S`` in the
    long run.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._tokens = float(BURST)
        self._at: Instant | None = None
        self._flapping = False
        self._steady_since: Instant = 0.0
        self._unsaid: News | None = None

    def say(self, key: object, news: News, now: Instant) -> tuple[News, ...]:
        """Return the news if ``key`` is another one than last time."""
        if key == self._key:
            return self.passed(now)
        self._key = key
        self._refill(now)
        if self._flapping:
            self._unsaid, self._steady_since = news, now
            return ()
        if self._tokens >= 1:
            self._tokens -= 1
            return (news,)
        self._flapping, self._steady_since = True, now
        text = (
            f"changes again and again, this time to: {news.text}; what "
            "changes from now on is said when it has kept still for "
            f"{STEADY_S / 60:.0f} minutes"
        )
        return (News(news.subject, False, FLAPPING, text, news.facts),)

    def passed(self, now: Instant) -> tuple[News, ...]:
        """Return what was kept back, once it has long been so."""
        if not self._flapping:
            return ()
        # a clock that was set back must not make us wait for its return
        self._steady_since = min(self._steady_since, now)
        if now - self._steady_since < STEADY_S:
            return ()
        self._refill(now)
        self._flapping = False
        unsaid, self._unsaid = self._unsaid, None
        if unsaid is None:
            return ()
        self._tokens = max(self._tokens - 1, 0.0)
        text = f"{unsaid.text} (for {STEADY_S / 60:.0f} minutes now)"
        return (dataclasses.replace(unsaid, text=text),)

    def _refill(self, now: Instant) -> None:
        if self._at is not None and now > self._at:
            gained = (now - self._at) / REFILL_S
            self._tokens = min(self._tokens + gained, float(BURST))
        self._at = now
