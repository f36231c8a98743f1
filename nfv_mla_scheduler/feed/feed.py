# SPDX-License-Identifier: Apache-2.0
"""Turn policy, waivers and results files into snapshots, as they change.

:meth:`Feed.refresh` does the work and needs no thread; :class:`Refresher`
calls it in the background.  Whatever is wrong with a file, the snapshot
before stays, and the news of it is told once for each change.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.brief import brief
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.waivers import Waivers
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import TooLarge
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.keeper import NewsKind
from nfv_mla_scheduler.policy.keeper import PolicyKeeper
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.state import State
from nfv_mla_scheduler.policy.state import StateFault
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue

POLICY_BYTES_MAX = 16 * 2**20
TOLD_MAX = 8
_DAY_S = 86400
_ALARM_DAYS = (30, 7, 1)
_STATE_NEWS = (
    NewsKind.NOT_KEPT,
    NewsKind.KEPT_AGAIN,
    NewsKind.STATE_DAMAGED,
)
# These depend on the time, or say one, and so seem new again and again.
_DATED = (ResultsCode.AHEAD, ResultsCode.ROLLED_BACK)


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """Where everything is, and how it is read; see the options.

    :ivar root: whose signatures count; None: no officer is configured
    """

    root: Root | None
    state_dir: pathlib.Path
    policy_file: pathlib.Path | None
    break_glass_dir: pathlib.Path | None
    results_file: pathlib.Path | None
    results_max_bytes: int
    max_skew_s: float


OwnState = Callable[[], Mapping[str, bool | None]]


class Feed:
    """Holds the newest snapshot.  One thread may refresh, any may read.

    From the first moment on it holds the policy of before the restart, so
    that its exclusive pools are closed before anything else is read.
    """

    def __init__(
        self,
        sources: Sources,
        catalogue: Catalogue,
        own_state: OwnState,
        tell: Callable[[News], None],
    ) -> None:
        self._sources = sources
        self._catalogue = catalogue
        self._own_state = own_state
        self._teller = Teller(tell)
        self._keeper: PolicyKeeper | None = None
        self._state = State(sources.state_dir)
        self._unkept = False
        self._brief: bytes | None = None
        self._brief_of: Policy | None = None
        self._waivers: Waivers | None = None
        root = sources.root
        if root is not None:
            self._keeper = PolicyKeeper(root, catalogue, sources.state_dir)
            if sources.break_glass_dir is not None:
                self._waivers = Waivers(
                    sources.break_glass_dir, root, self._teller
                )
        self._policy_file = _watched(sources.policy_file, POLICY_BYTES_MAX)
        self._policy_bytes: bytes | None = None
        self._results_file = _watched(
            sources.results_file, sources.results_max_bytes
        )
        self._loader = Loader(sources.results_max_bytes)
        self._document: ResultsDocument | None = None
        self._judged_by: Policy | None = None
        self._alarmed = 0
        restored = self._keeper.policy if self._keeper else None
        self.snapshot = view.merge(
            view.empty(catalogue), restored, None, own_state()
        )

    def refresh(self, now: Instant) -> None:
        """Read what changed, and swap the snapshot if anything did."""
        policy = self._policy(now)
        document = self._results(policy, now)
        waivers: tuple[BreakGlass, ...] = ()
        if self._waivers is not None:
            waivers = self._waivers.read(now)
        self.snapshot = view.merge(
            self.snapshot, policy, document, self._own_state(), waivers
        )
        if document is not None:
            self._report_unbound(self.snapshot.unbound)

    def _policy(self, now: Instant) -> Policy | None:
        keeper = self._keeper
        if keeper is None:
            return None
        mended = False
        if self._policy_file is not None:
            mended = self._offer(keeper, self._policy_file, now)
        policy = keeper.policy
        if not self._pass_on(keeper) and mended and policy is not None:
            text = f"version {policy.version} is in force"
            self._teller.say("policy", True, "loaded", text)
        if policy is not None:
            self._watch_expiry(policy, now)
            self._keep_brief(policy)
        return policy

    def _offer(
        self, keeper: PolicyKeeper, file: WatchedFile, now: Instant
    ) -> bool:
        """Offer the file; return whether it is well again after it was not.

        What was read before is offered again, as its time may have come.
        """
        try:
            data = file.changed()
        except Unread as exc:
            missing = isinstance(exc, Missing)
            code = PolicyCode.MISSING if missing else PolicyCode.UNREADABLE
            if isinstance(exc, TooLarge):
                code = PolicyCode.TOO_LARGE
            self._teller.bad("policy", code.value, f"the file: {exc.reason}")
            return False
        if data is not None:
            self._policy_bytes = data
        assert self._policy_bytes is not None
        try:
            keeper.offer(self._policy_bytes, now)
        except PolicyRefused as exc:
            self._teller.bad("policy", exc.code, str(exc))
            return False
        return self._teller.mended("policy")

    def _pass_on(self, keeper: PolicyKeeper) -> bool:
        """Tell the keeper's news; return whether a policy was taken."""
        taken = False
        for news in keeper.news():
            if news.kind is NewsKind.REFUSED:
                continue  # told where the file was offered
            subject = "state" if news.kind in _STATE_NEWS else "policy"
            taken = taken or subject == "policy"
            good = subject == "policy" or news.kind is NewsKind.KEPT_AGAIN
            if news.kind in (NewsKind.NOT_KEPT, NewsKind.KEPT_AGAIN):
                self._unkept = not good
            self._teller.say(subject, good, news.kind.value, news.text)
        return taken

    def _keep_brief(self, policy: Policy) -> None:
        """Keep what counts of a policy while nobody can judge.

        Tried again until it succeeds.  If the policy itself cannot be kept
        either, that has been told.
        """
        if policy is not self._brief_of:
            self._brief_of = policy
            self._brief = brief(policy, self._catalogue)
        if self._brief is None:
            return
        try:
            self._state.keep_brief(policy.version, self._brief)
        except StateFault as exc:
            if not self._unkept:
                code = NewsKind.NOT_KEPT.value
                self._teller.bad("state", code, exc.reason)
            return
        self._brief = None
        if self._teller.mended("state"):
            code = NewsKind.KEPT_AGAIN.value
            self._teller.say("state", True, code, "the state is written again")

    def _watch_expiry(self, policy: Policy, now: Instant) -> None:
        """Alarm 30, 7 and 1 days before the policy expires, and when."""
        left = (policy.expires_at - now) / _DAY_S
        stage = sum(left <= days for days in _ALARM_DAYS) + (left <= 0)
        if stage > self._alarmed:
            code = "policy-expires"
            text = f"version {policy.version} expires in {left:.1f} days"
            if left <= 0:
                code = PolicyCode.EXPIRED.value
                text = (
                    f"version {policy.version} has expired: servers that ask "
                    "for attested hosts are refused"
                )
            self._teller.say("expiry", False, code, text)
        self._alarmed = stage

    def _results(
        self, policy: Policy | None, now: Instant
    ) -> ResultsDocument | None:
        if policy is not self._judged_by:
            # other keys, authorities and regions may count now
            self._judged_by, self._document = policy, None
            if self._results_file is not None:
                self._results_file.forget()
        if self._results_file is None or policy is None:
            return None
        try:
            data = self._results_file.changed()
        except Unread as exc:
            missing = isinstance(exc, Missing)
            code = ResultsCode.MISSING if missing else ResultsCode.UNREADABLE
            if isinstance(exc, TooLarge):
                code = ResultsCode.TOO_LARGE
            self._teller.bad("results", code.value, f"the file: {exc.reason}")
            return self._document
        if data is not None:
            self._load(self._results_file, data, policy, now)
        return self._document

    def _load(
        self, file: WatchedFile, data: bytes, policy: Policy, now: Instant
    ) -> None:
        try:
            document = self._loader.read(
                data,
                policy.collectors,
                policy.authorities,
                self._catalogue,
                policy.regions,
                now=now,
                max_skew_s=self._sources.max_skew_s,
            )
        except ResultsRefused as exc:
            same = exc.code if exc.reason in _DATED else None
            self._teller.bad("results", exc.code, str(exc), same)
            if exc.reason is ResultsCode.AHEAD:
                file.forget()  # its time will come
            return
        if self._teller.mended("results") or self._document is None:
            text = f"from collector {document.collector}"
            silent = _silent(policy, document)
            if silent:
                text += f"; {silent} of {len(policy.hosts)} hosts have none"
            self._teller.say("results", True, "loaded", text)
        self._document = document
        self._report(document.problems)

    def _report_unbound(self, unbound: tuple[tuple[str, str], ...]) -> None:
        """Say which attesters count for nothing, a few of them."""
        subject = "results unbound"
        if not unbound:
            self._teller.gone(subject, "every attester is bound to a host")
            return
        few = [
            f"{bounded(authority, 40)}/{bounded(attester, 40)}"
            for authority, attester in unbound[:TOLD_MAX]
        ]
        code = ResultsCode.UNKNOWN_ATTESTER.value
        text = f"{len(unbound)} bound to no host: " + ", ".join(few)
        self._teller.bad(subject, code, text, unbound)

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


def _watched(path: pathlib.Path | None, limit: int) -> WatchedFile | None:
    return WatchedFile(path, limit) if path is not None else None
