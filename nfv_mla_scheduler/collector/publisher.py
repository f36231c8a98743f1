# SPDX-License-Identifier: Apache-2.0
"""Sign what the board holds, and put it where readers look.

Touches the results file and whatever takes documents for HTTPS.  A document
that cannot be written is served all the same, and written once that works.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from collections.abc import Callable
from collections.abc import Mapping

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.collector.damper import Damper
from nfv_mla_scheduler.collector.fitting import fit
from nfv_mla_scheduler.collector.notes import Note
from nfv_mla_scheduler.collector.notes import NoteFault
from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.status import Published
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.envelope import PAYLOAD_MAX
from nfv_mla_scheduler.results.document import MAX_BYTES
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write

# Times travel in milliseconds.
TICK_S = 0.001
# A clock that is back by less than this is none that anybody set.
CLOCK_NEWS_S = 1.0
# What readers take of the first line: a payload in base64.
ENVELOPE_MAX = PAYLOAD_MAX * 4 // 3

PUBLISHED = "published"
UNSIGNED = "publish-unsigned"
UNWRITTEN = "publish-unwritten"
TOO_LARGE = "publish-too-large"
WITHHELD = "publish-withheld"
LEFT_OUT = "publish-left-out"
WHOLE = "publish-whole"
UNNOTED = "publish-unnoted"
NOTED = "publish-noted"
CLOCK_BACK = "clock-back"
CLOCK_RIGHT = "clock-right"


class Publisher:
    """Publishes the documents of one collector; for one thread.

    :param put: takes each document, for those who read over HTTPS
    :param last: when the newest document of before the restart was issued
    :param max_bytes: of the largest document that readers take
    :param notes: where each document is noted, to be taken up after a restart
    :ivar published: how publishing stands; replaced as a whole, so that any
        thread may read it
    """

    def __init__(
        self,
        name: str,
        signer: Signer,
        path: pathlib.Path,
        put: Callable[[bytes], None],
        max_skew_s: float,
        tell: Callable[[News], None],
        last: Instant | None = None,
        max_bytes: int = MAX_BYTES,
        notes: Notes | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._name = name
        self._signer = signer
        self._path = path
        self._put = put
        self._max_skew_s = max_skew_s
        self._tell = tell
        self._last = last
        self._notes = notes
        self._unwritten: tuple[bytes, Note] | None = None
        self._on_file = Damper()
        self._on_clock = Damper()
        self._on_note = Damper()
        self._on_size = Damper()
        self._was_unnoted = self._was_left_out = False
        self._clock_was_back = False
        self.published = Published()

    def publish(
        self, said: Mapping[str, Said], now: Instant, policy: str = ""
    ) -> bool:
        """Issue a document of ``said``; False if that cannot be done at all.

        :param policy: digest of the policy by which all of it was checked

        Whether it is in its file as well is said by :attr:`unwritten`.
        Nothing is raised, and what goes wrong is told once.
        """
        issued_at = self._next(now)

        def seal(some: Mapping[str, Said]) -> bytes:
            draft = ResultsDraft(
                self._name,
                issued_at,
                {name: one.results for name, one in some.items()},
                {name: one.freshness for name, one in some.items()},
            )
            return write(draft, self._signer)

        try:
            fitted = fit(said, seal, self._share)
        except (NfvMlaError, ValueError, TypeError) as exc:
            self._failed(UNSIGNED, f"cannot be signed: {exc}", now)
            return False
        if fitted is None:
            why = "they are more than readers take, of whatever authority"
            self._failed(TOO_LARGE, why, now)
            return False
        self._left_out(fitted.left_out, now)
        note = Note(
            hashlib.sha256(fitted.data).hexdigest(),
            issued_at,
            policy,
            {name: one.rules for name, one in fitted.said.items()},
        )
        self._last, self._unwritten = issued_at, (fitted.data, note)
        # The file first: what a reader has seen is there after a restart.
        self.write(now)
        count = sum(len(one.results) for one in fitted.said.values())
        self.show(fitted.data, issued_at, count)
        return True

    def _share(self, data: bytes) -> float:
        """Return how much a document is of what readers take."""
        envelope = data.index(b"\n")
        return max(len(data) / self._max_bytes, envelope / ENVELOPE_MAX)

    @property
    def unwritten(self) -> bool:
        """Whether the newest document is not in its file yet."""
        return self._unwritten is not None

    def write(self, now: Instant) -> None:
        """Write the newest document, if that is still to be done."""
        if self._unwritten is None:
            return
        data, note = self._unwritten
        if self._notes is not None:
            self._note(self._notes.before, note)
        try:
            publish(self._path, data)
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            why = f"{self._path} cannot be written: {reason}"
            self._failed(UNWRITTEN, why, now)
            return
        self._unwritten = None
        self._mended(now)
        if self._notes is not None:
            self._noted(self._note(self._notes.after, note), now)

    def _note(self, how: Callable[[Note], None], note: Note) -> str:
        """Note a document; return why that cannot be done."""
        try:
            how(note)
        except NoteFault as exc:
            return exc.reason
        return ""

    def show(self, data: bytes, issued_at: Instant, results: int) -> None:
        """Hand on a document of ours, perhaps one of before the restart."""
        digest = hashlib.sha256(data).hexdigest()
        self.published = dataclasses.replace(
            self.published,
            issued_at=issued_at,
            sha256=digest,
            results=results,
        )
        self._put(data)

    def withhold(self, why: str, now: Instant) -> None:
        """Note that nothing may be published, and why."""
        self._failed(WITHHELD, why, now)

    def passed(self, now: Instant) -> None:
        """Note that time has passed."""
        for damper in (
            self._on_file,
            self._on_clock,
            self._on_note,
            self._on_size,
        ):
            for news in damper.passed(now):
                self._tell(news)

    def _next(self, now: Instant) -> Instant:
        """Return when the next document is issued: after the last one.

        If the clock was set back by no more than clocks may differ, readers
        go on to take what rises; beyond that they drop what they hold, as
        from the future, and take what is issued now.
        """
        now, last = round(now, 3), self._last
        if last is None or now > last:
            if last is not None:
                self._clock(False, "is right again", now)
            return now
        back_s = last - now
        if back_s > self._max_skew_s:
            said = (
                f"was set back, {back_s:.0f} s behind the last document; that "
                "is more than max_skew_s, hence readers drop it, and "
                "documents are issued from now on anew"
            )
            self._clock(True, said, now)
            return now
        if back_s >= CLOCK_NEWS_S:
            said = (
                f"was set back, {back_s:.0f} s behind the last document; "
                "until that time documents are issued a moment one after the "
                "other"
            )
            self._clock(True, said, now)
        return round(last + TICK_S, 3)

    def _clock(self, back: bool, text: str, now: Instant) -> None:
        if not back and not self._clock_was_back:
            return
        self._clock_was_back = True
        code = CLOCK_BACK if back else CLOCK_RIGHT
        news = News("clock", not back, code, f"our clock {text}")
        self._say(self._on_clock, back, news, now)

    def _noted(self, why: str, now: Instant) -> None:
        """Tell that a document is not noted, or that one is again."""
        if not why and not self._was_unnoted:
            return
        self._was_unnoted = True
        text = f"will not be taken up after a restart: {why}"
        code = UNNOTED if why else NOTED
        if not why:
            text = "will be taken up after a restart again"
        news = News("results note", not why, code, bounded(text, LINE_MAX))
        self._say(self._on_note, code, news, now)

    def _left_out(self, names: tuple[str, ...], now: Instant) -> None:
        """Tell of which authorities not all is published, once."""
        if not names and not self._was_left_out:
            return
        self._was_left_out = True
        text = "all of them are published again"
        if names:
            few = ", ".join(names)
            text = (
                "are more than readers take; of the largest only what speaks "
                f"against hosts is published, if anything: {few}"
            )
        code = LEFT_OUT if names else WHOLE
        news = News("results size", not names, code, bounded(text, LINE_MAX))
        self._say(self._on_size, names, news, now)

    def _failed(self, code: str, text: str, now: Instant) -> None:
        text = bounded(text, LINE_MAX)
        since = self.published.failing_since
        self.published = dataclasses.replace(
            self.published,
            error=text,
            failing_since=now if since is None else since,
        )
        self._say(
            self._on_file,
            (code, text),
            News("results", False, code, text),
            now,
        )

    def _mended(self, now: Instant) -> None:
        if self.published.failing_since is None:
            return
        self.published = dataclasses.replace(
            self.published, error="", failing_since=None
        )
        news = News("results", True, PUBLISHED, "are published again")
        self._say(self._on_file, PUBLISHED, news, now)

    def _say(
        self, damper: Damper, key: object, news: News, now: Instant
    ) -> None:
        for one in damper.say(key, news, now):
            self._tell(one)
