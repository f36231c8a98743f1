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

from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.watched import TooLarge
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.keeper import NewsKind
from nfv_mla_scheduler.policy.keeper import PolicyKeeper
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue

POLICY_BYTES_MAX = 16 * 2**20
WAIVER_BYTES_MAX = 64 * 2**10
WAIVERS_MAX = 64
PROBLEMS_TOLD = 8
_DAY_S = 86400
_ALARM_DAYS = (30, 7, 1)


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


@dataclasses.dataclass(frozen=True, slots=True)
class News:
    """One change of state, to be logged and recorded once.

    :ivar subject: ``policy``, ``results`` or ``break-glass``
    :ivar good: whether it is what an operator hopes for
    :ivar code: of the closed vocabularies of errors.py; or ``loaded``
    """

    subject: str
    good: bool
    code: str
    text: str


OwnState = Callable[[], Mapping[str, bool | None]]


class Feed:
    """Holds the newest snapshot.  One thread may refresh, any may read."""

    def __init__(
        self,
        sources: Sources,
        catalogue: Catalogue,
        own_state: OwnState,
        tell: Callable[[News], None],
    ) -> None:
        self.snapshot = view.empty(catalogue)
        self._sources = sources
        self._catalogue = catalogue
        self._own_state = own_state
        self._tell = tell
        self._told: dict[str, tuple[str, str]] = {}
        self._keeper: PolicyKeeper | None = None
        if sources.root is not None:
            self._keeper = PolicyKeeper(
                sources.root, catalogue, sources.state_dir
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

    def refresh(self, now: Instant) -> None:
        """Read what changed, and swap the snapshot if anything did."""
        policy = self._policy(now)
        document = self._results(policy, now)
        self.snapshot = view.merge(
            self.snapshot,
            policy,
            document,
            self._own_state(),
            self._break_glass(now),
        )

    def _policy(self, now: Instant) -> Policy | None:
        keeper = self._keeper
        if keeper is None:
            return None
        if self._policy_file is not None:
            self._offer(keeper, self._policy_file, now)
        for news in keeper.news():
            good = news.kind in (
                NewsKind.TAKEN,
                NewsKind.RESTORED,
                NewsKind.KEPT_AGAIN,
            )
            reason = news.reason.value if news.reason else news.kind.value
            self._tell(News("policy", good, reason, news.text))
        policy = keeper.policy
        if policy is not None:
            self._watch_expiry(policy, now)
        return policy

    def _offer(
        self, keeper: PolicyKeeper, file: WatchedFile, now: Instant
    ) -> None:
        try:
            data = file.changed()
        except Unread as exc:
            self._once("policy", "policy-unreadable", f"the file {exc.reason}")
            return
        self._recovered("policy")
        if data is not None:
            self._policy_bytes = data
        if self._policy_bytes is not None:
            try:
                keeper.offer(self._policy_bytes, now)
            except PolicyRefused:
                return  # told by the keeper's news, once

    def _watch_expiry(self, policy: Policy, now: Instant) -> None:
        """Alarm 30, 7 and 1 days before the policy expires, and when."""
        left = (policy.expires_at - now) / _DAY_S
        stage = sum(left <= days for days in _ALARM_DAYS) + (left <= 0)
        if stage > self._alarmed:
            text = (
                f"version {policy.version} has expired: servers that ask for "
                "attested hosts are refused"
                if left <= 0
                else f"version {policy.version} expires in {left:.1f} days"
            )
            self._tell(News("policy", False, "policy-expiry", text))
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
            large = isinstance(exc, TooLarge)
            code = "results-too-large" if large else "results-unreadable"
            self._once("results", code, f"the file {exc.reason}")
            return self._document
        if data is not None:
            self._load(data, policy, now)
        return self._document

    def _load(self, data: bytes, policy: Policy, now: Instant) -> None:
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
            self._once("results", exc.code, str(exc))
            return
        first = self._document is None
        self._document = document
        if not self._recovered("results") and first:
            text = f"from collector {document.collector}"
            self._tell(News("results", True, "loaded", text))
        self._report(document.problems)

    def _report(self, problems: tuple[Problem, ...]) -> None:
        """Say which single results are left out, a few of them."""
        if not problems:
            self._told.pop("results left out", None)
            return
        shown = "; ".join(str(p) for p in problems[:PROBLEMS_TOLD])
        text = f"{len(problems)} results are left out: {shown}"
        self._once("results left out", "results-left-out", text)

    def _break_glass(self, now: Instant) -> tuple[BreakGlass, ...]:
        directory, root = self._sources.break_glass_dir, self._sources.root
        if directory is None or root is None:
            return ()
        try:
            paths = sorted(p for p in directory.iterdir() if p.is_file())
        except OSError as exc:
            text = f"the directory {exc.strerror or 'cannot be read'}"
            self._once("break-glass", "break-glass-unreadable", text)
            return ()
        found = []
        for path in paths[:WAIVERS_MAX]:
            waiver = self._waiver(path, root, now)
            if waiver is not None:
                found.append(waiver)
        return tuple(found)

    def _waiver(
        self, path: pathlib.Path, root: Root, now: Instant
    ) -> BreakGlass | None:
        subject = f"break-glass {bounded(path.name, 40)}"
        try:
            with path.open("rb") as file:
                data = file.read(WAIVER_BYTES_MAX)
            waiver = read_break_glass(data, root, now)
        except OSError as exc:
            self._once(subject, "break-glass-unreadable", str(exc.strerror))
            return None
        except PolicyRefused as exc:
            self._once(subject, exc.code, str(exc))
            return None
        self._once(
            subject,
            "loaded",
            f"{waiver.target.value} {waiver.name}, officer {waiver.officer}",
            good=True,
        )
        return waiver

    def _once(
        self, subject: str, code: str, text: str, good: bool = False
    ) -> None:
        """Tell what has changed since this subject was last told of."""
        if self._told.get(subject) != (code, text):
            self._told[subject] = (code, text)
            self._tell(News(subject, good, code, bounded(text, 480)))

    def _recovered(self, subject: str) -> bool:
        """Say that a subject is well again, if it was not."""
        if self._told.pop(subject, None) is None:
            return False
        self._tell(News(subject, True, "loaded", "readable again"))
        return True


def _watched(path: pathlib.Path | None, limit: int) -> WatchedFile | None:
    return WatchedFile(path, limit) if path is not None else None
