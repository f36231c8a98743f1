# SPDX-License-Identifier: Apache-2.0
"""Hold the last good results, wherever documents come from.

Good results outlive bad ones, and a change of policy, under which they are
judged anew, since other keys may count then.
"""

from __future__ import annotations

from typing import Protocol

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.facts import of_held
from nfv_mla_scheduler.feed.facts import of_results
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import TooLarge
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue

TOLD_MAX = 8
# After so long without any document that is said; and a collector issues one
# at least each minute.
NOTHING_S = 10.0
STALE_S = 300.0
STALE = "results-stale"


class Origin(Protocol):
    """Where documents come from.

    :ivar what: it is, for the log
    """

    what: str

    def changed(self) -> bytes | None:
        """Return the newest document if it is another one than last time.

        Waits for nobody.

        :raises Unread: when there is none, or none that can be got; then
            whatever comes next counts as changed
        """

    def forget(self) -> None:
        """Return the document next time, whether it changed or not."""

    def judged(self, data: bytes, good: bool) -> None:
        """Take note whether what :meth:`changed` returned was verified.

        Until then, and if not, nothing may be made out of ``data``.
        """

    def close(self) -> None:
        """Let go of whatever is needed to get documents."""


class PublishedResults:
    """Holds the newest good results that count under a policy.

    :param max_bytes: of the largest document that is taken
    """

    def __init__(
        self,
        origin: Origin,
        max_bytes: int,
        max_skew_s: float,
        catalogue: Catalogue,
        teller: Teller,
    ) -> None:
        self._origin = origin
        self._loader = Loader(max_bytes)
        self._max_skew_s = max_skew_s
        self._catalogue = catalogue
        self._teller = teller
        self._good: bytes | None = None
        self._document: ResultsDocument | None = None
        self._judged_by: Policy | None = None
        self._looking_since: Instant | None = None

    def read(
        self, policy: Policy | None, now: Instant
    ) -> ResultsDocument | None:
        """Return the newest good results; None: none count."""
        self._drop_ahead(now + self._max_skew_s)
        if policy is not self._judged_by:
            self._judge_anew(policy, now)
        if policy is None:
            return None
        try:
            data = self._origin.changed()
        except Unread as exc:
            missing = isinstance(exc, Missing)
            code = ResultsCode.MISSING if missing else ResultsCode.UNREADABLE
            if isinstance(exc, TooLarge):
                code = ResultsCode.TOO_LARGE
            text = f"{self._origin.what}: {exc.reason}"
            facts = of_held(self._document)
            self._teller.bad("results", code.value, text, exc.same, facts)
            self._tell_age(now)
            return self._document
        if data is not None:
            self._load(data, policy, now)
        self._tell_age(now)
        return self._document

    def close(self) -> None:
        """Ask for no more documents."""
        self._origin.close()

    def _tell_age(self, now: Instant) -> None:
        """Say that no document comes, or none but old ones."""
        if self._document is None:
            since = now if self._looking_since is None else self._looking_since
            # a clock that was set back must not make us wait for its return
            self._looking_since = min(since, now)
            late = now - self._looking_since >= NOTHING_S
            if late and not self._teller.is_bad("results"):
                code = ResultsCode.MISSING.value
                text = f"{self._origin.what}: has given no document yet"
                self._teller.bad("results", code, text)
            return
        age_s = now - self._document.issued_at
        if age_s <= STALE_S:
            self._teller.gone("results age", "those held are recent again")
            return
        text = (
            f"those held were issued {age_s:.0f} s ago, and a collector "
            "issues others at least each minute: see whether it runs, and "
            "whether what it publishes gets here"
        )
        self._teller.bad("results age", STALE, text, STALE)

    def _drop_ahead(self, latest: Instant) -> None:
        """Drop what is held from the future: clocks were ahead, and are not.

        Everything newer that is right would be older than it.
        """
        self._loader.forget_after(latest)
        if self._document is None or self._document.issued_at <= latest:
            return
        self._good = self._document = None
        self._origin.forget()
        code = ResultsCode.AHEAD.value
        text = "those held were issued ahead of now, and are dropped"
        self._teller.bad("results", code, text, code)

    def _judge_anew(self, policy: Policy | None, now: Instant) -> None:
        """Look at what is held, and at the newest, by another policy."""
        self._judged_by, self._document = policy, None
        self._origin.forget()
        if policy is None or self._good is None:
            return
        try:
            self._document = self._verified(self._good, policy, now)
        except ResultsRefused as exc:
            self._good = None
            said, facts = str(exc), of_held(None)
            self._teller.bad("results", exc.code, said, exc.code, facts)

    def _verified(
        self, data: bytes, policy: Policy, now: Instant
    ) -> ResultsDocument:
        return self._loader.read(
            data,
            policy.collectors,
            policy.authorities,
            self._catalogue,
            policy.regions,
            now=now,
            max_skew_s=self._max_skew_s,
            held=self._document,
        )

    def _load(self, data: bytes, policy: Policy, now: Instant) -> None:
        try:
            document = self._verified(data, policy, now)
        except ResultsRefused as exc:
            self._origin.judged(data, False)
            # by its code, as whoever sends it decides over the words
            said, facts = str(exc), of_held(self._document)
            self._teller.bad("results", exc.code, said, exc.code, facts)
            if exc.reason is ResultsCode.AHEAD:
                self._origin.forget()  # its time will come
            return
        self._origin.judged(data, True)
        if self._teller.mended("results") or self._document is None:
            text = f"from collector {document.collector}"
            silent = _silent(policy, document)
            if silent:
                text += f"; {silent} of {len(policy.hosts)} hosts have none"
            facts = of_results(document)
            self._teller.say("results", True, "loaded", text, facts)
        self._good, self._document = data, document
        self._report(document.problems)

    def report_unbound(self, unbound: tuple[tuple[str, str], ...]) -> None:
        """Say which attesters count for nothing, a few of them."""
        tell_unbound(self._teller, unbound)

    def _report(self, problems: tuple[Problem, ...]) -> None:
        """Say which single results are left out, a few of them."""
        subject = "results left out"
        if not problems:
            self._teller.gone(subject, "no result is left out any more")
            return
        few = problems[:TOLD_MAX]
        text = f"{len(problems)}: " + "; ".join(map(str, few))
        same = (len(problems), *(problem.path for problem in few))
        self._teller.bad(subject, "results-left-out", text, same)


def _silent(policy: Policy, document: ResultsDocument) -> int:
    """Return of how many hosts of the policy there is no result."""
    return sum(
        not any(
            attester in document.results.get(authority, ())
            for authority, attester in binding.attesters.items()
        )
        for binding in policy.hosts.values()
    )


def tell_unbound(teller: Teller, unbound: tuple[tuple[str, str], ...]) -> None:
    """Say which attesters are bound to no host, a few of them."""
    subject = "results unbound"
    if not unbound:
        teller.gone(subject, "every attester is bound to a host")
        return
    few = [
        f"{bounded(authority, 40)}/{bounded(attester, 40)}"
        for authority, attester in unbound[:TOLD_MAX]
    ]
    code = ResultsCode.UNKNOWN_ATTESTER.value
    text = f"{len(unbound)} bound to no host: " + ", ".join(few)
    teller.bad(subject, code, text, unbound)
