# SPDX-License-Identifier: Apache-2.0
"""Hold the policy in force, and keep it over restarts and bad offers.

Touches the state directory only.  It logs nothing: :meth:`PolicyKeeper.news`
tells the caller what has changed, each change once.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import os
import threading

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.acceptance import check_times
from nfv_mla_scheduler.policy.acceptance import check_version
from nfv_mla_scheduler.policy.acceptance import read_signed
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.state import Highest
from nfv_mla_scheduler.policy.state import State
from nfv_mla_scheduler.policy.state import StateFault
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.values import Catalogue

_NEWS_MAX = 64
_TIMELY = (PolicyCode.EXPIRED, PolicyCode.NOT_YET)


class NewsKind(enum.Enum):
    """What may change about the policy in force."""

    TAKEN = "policy-taken"
    RESTORED = "policy-restored"
    REFUSED = "policy-refused"
    NOT_KEPT = "policy-not-kept"
    KEPT_AGAIN = "policy-kept-again"
    STATE_DAMAGED = "policy-state-damaged"


@dataclasses.dataclass(frozen=True, slots=True)
class News:
    """One change, for the caller's log; bounded, on one line.

    :ivar version: of the policy that is in force now; None: there is none
    """

    kind: NewsKind
    text: str
    version: int | None = None
    reason: PolicyCode | None = None


class PolicyKeeper:
    """The last good policy, which survives every refusal.

    At the start the last good envelope is read again and verified against
    the root of today; a policy that has expired meanwhile is still held,
    since its exclusive pools go on to hold for those who ask for nothing.

    :param state_dir: where envelope and highest version are kept
    :param read_only: go by what is kept there, and leave it as it is
    """

    def __init__(
        self,
        root: Root,
        catalogue: Catalogue,
        state_dir: str | os.PathLike[str],
        read_only: bool = False,
    ) -> None:
        self._root = root
        self._catalogue = catalogue
        self._state = State(state_dir, read_only)
        self._lock = threading.Lock()
        self._policy: Policy | None = None
        self._highest: Highest | None = None
        self._taken = b""
        self._read: tuple[bytes, Policy] | None = None
        self._refused: tuple[bytes, PolicyRefused] | None = None
        self._told: tuple[bytes, PolicyCode] | None = None
        self._unkept: bytes | None = None
        self._failing = False
        self._news: list[News] = []
        self._restore()

    @property
    def policy(self) -> Policy | None:
        """The last good policy, expired or not; None: none is held."""
        return self._policy

    def offer(self, data: bytes, now: Instant) -> Policy:
        """Take an envelope if it is better than what is held.

        Offering the same bytes again costs a digest of them.

        :returns: the policy in these bytes, which is now in force
        :raises PolicyRefused: and nothing else; what is held stays
        """
        digest = hashlib.sha256(data).digest()
        with self._lock:
            try:
                policy = self._judge(data, digest, now)
            except PolicyRefused as exc:
                self._note_refusal(digest, exc)
                raise
            self._told = None
            self._take(policy, data, digest)
            return policy

    def read_last(self, data: bytes) -> Policy | None:
        """Return the policy in bytes that were offered last, if there is one.

        Signed by enough officers, but perhaps not to be in force.
        """
        known = self._read
        if known is None or known[0] != hashlib.sha256(data).digest():
            return None
        return known[1]

    def news(self) -> tuple[News, ...]:
        """Return what has changed since this was last called."""
        with self._lock:
            news, self._news = tuple(self._news), []
        return news

    def _judge(self, data: bytes, digest: bytes, now: Instant) -> Policy:
        if digest == self._taken and self._policy is not None:
            check_times(self._policy, now)
            return self._policy
        if self._refused is not None and self._refused[0] == digest:
            before = self._refused[1]
            raise PolicyRefused(before.reason, str(before), before.problems)
        if self._read is None or self._read[0] != digest:
            policy = read_signed(data, self._root, self._catalogue)
            self._read = (digest, policy)
        policy = self._read[1]
        check_version(policy, self._known_highest())
        check_times(policy, now)
        return policy

    def _known_highest(self) -> Highest | None:
        """Return the highest version that any process here has accepted."""
        try:
            kept = self._state.load_highest()
        except StateFault:
            kept = None
        found = [h for h in (kept, self._highest) if h is not None]
        return max(found, key=lambda h: h[0], default=None)

    def _take(self, policy: Policy, data: bytes, digest: bytes) -> None:
        if digest != self._taken:
            changed = (
                self._policy is None or policy.digest != self._policy.digest
            )
            self._policy, self._taken = policy, digest
            self._highest = (policy.version, policy.digest)
            self._unkept = data
            if changed:
                self._tell(
                    NewsKind.TAKEN,
                    f"version {policy.version}, digest {policy.digest}",
                )
        if self._unkept is not None:
            self._keep(self._unkept)

    def _keep(self, data: bytes) -> None:
        """Write what was taken; try again with each later offer."""
        assert self._highest is not None
        try:
            self._state.keep(data, self._highest)
        except StateFault as exc:
            if not self._failing:
                self._tell(NewsKind.NOT_KEPT, exc.reason)
            self._failing = True
            return
        if self._failing:
            self._tell(NewsKind.KEPT_AGAIN, "the state is written again")
        self._failing, self._unkept = False, None

    def _note_refusal(self, digest: bytes, exc: PolicyRefused) -> None:
        if exc.reason not in _TIMELY:
            self._refused = (digest, exc)
        if self._told != (digest, exc.reason):
            self._told = (digest, exc.reason)
            self._tell(NewsKind.REFUSED, str(exc), exc.reason)

    def _restore(self) -> None:
        """Take up what was kept before the restart, if it is still good."""
        try:
            self._highest = self._state.load_highest()
        except StateFault as exc:
            self._tell(NewsKind.STATE_DAMAGED, exc.reason)
        try:
            data = self._state.load_envelope()
        except StateFault as exc:
            self._tell(NewsKind.STATE_DAMAGED, exc.reason)
            return
        if data is None:
            return
        try:
            policy = read_signed(data, self._root, self._catalogue)
            check_version(policy, self._highest)
        except PolicyRefused as exc:
            text = f"the kept policy is not taken up: {exc}"
            self._tell(NewsKind.STATE_DAMAGED, text, exc.reason)
            return
        self._policy = policy
        self._highest = (policy.version, policy.digest)
        self._taken = hashlib.sha256(data).digest()
        self._tell(
            NewsKind.RESTORED,
            f"version {policy.version}, digest {policy.digest}",
        )

    def _tell(
        self, kind: NewsKind, text: str, reason: PolicyCode | None = None
    ) -> None:
        version = self._policy.version if self._policy else None
        self._news.append(News(kind, bounded(text, 240), version, reason))
        del self._news[:-_NEWS_MAX]
