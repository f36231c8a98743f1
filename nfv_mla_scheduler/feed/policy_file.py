# SPDX-License-Identifier: Apache-2.0
"""Read the policy file as it changes, and hold the policy in force.

Touches that file and the state directory.
"""

from __future__ import annotations

import pathlib

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.feed.brief import brief
from nfv_mla_scheduler.feed.facts import of_offer
from nfv_mla_scheduler.feed.facts import of_policy
from nfv_mla_scheduler.feed.news import NO_FACTS
from nfv_mla_scheduler.feed.news import Facts
from nfv_mla_scheduler.feed.news import Teller
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
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.values import Catalogue

POLICY_BYTES_MAX = 16 * 2**20
_DAY_S = 86400
_ALARM_DAYS = (30, 7, 1)
_STATE_NEWS = (
    NewsKind.NOT_KEPT,
    NewsKind.KEPT_AGAIN,
    NewsKind.STATE_DAMAGED,
)


class PolicyFile:
    """Holds the last good policy, whatever becomes of the file.

    :param path: None: only what was kept before is held
    :param read_only: leave the state directory as it is
    """

    def __init__(
        self,
        path: pathlib.Path | None,
        state_dir: pathlib.Path,
        root: Root,
        catalogue: Catalogue,
        teller: Teller,
        read_only: bool = False,
    ) -> None:
        self._file = WatchedFile(path, POLICY_BYTES_MAX) if path else None
        self._keeper = PolicyKeeper(root, catalogue, state_dir, read_only)
        self._state = State(state_dir, read_only)
        self._root = root
        self._catalogue = catalogue
        self._teller = teller
        self._bytes = b""
        self._refused: tuple[bytes, Facts] = b"", NO_FACTS
        self._unkept = False
        self._brief: bytes | None = None
        self._brief_of: Policy | None = None
        self._alarmed = 0

    @property
    def policy(self) -> Policy | None:
        """The last good policy, expired or not."""
        return self._keeper.policy

    def read(self, now: Instant) -> Policy | None:
        """Offer the file to the keeper; return the last good policy."""
        mended = self._file is not None and self._offer(self._file, now)
        policy = self._keeper.policy
        if not self._pass_on() and mended and policy is not None:
            text = f"version {policy.version} is in force"
            facts = of_policy(policy)
            self._teller.say("policy", True, "loaded", text, facts)
        if policy is not None:
            self._watch_expiry(policy, now)
            self._keep_brief(policy)
        return policy

    def _offer(self, file: WatchedFile, now: Instant) -> bool:
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
            self._bytes = data
        try:
            self._keeper.offer(self._bytes, now)
        except PolicyRefused as exc:
            facts = self._facts_of_offer()
            self._teller.bad("policy", exc.code, str(exc), facts=facts)
            return False
        return self._teller.mended("policy")

    def _facts_of_offer(self) -> Facts:
        """Return what records say of a file that is refused."""
        data = self._bytes
        if self._refused[0] is not data:
            facts = of_offer(data, self._root, self._keeper.read_last(data))
            self._refused = data, facts
        return self._refused[1]

    def _pass_on(self) -> bool:
        """Tell the keeper's news; return whether a policy was taken."""
        taken = False
        for news in self._keeper.news():
            if news.kind is NewsKind.REFUSED:
                continue  # told where the file was offered
            subject = "state" if news.kind in _STATE_NEWS else "policy"
            taken = taken or subject == "policy"
            good = subject == "policy" or news.kind is NewsKind.KEPT_AGAIN
            if news.kind in (NewsKind.NOT_KEPT, NewsKind.KEPT_AGAIN):
                self._unkept = not good
            facts = NO_FACTS
            if subject == "policy" and self._keeper.policy is not None:
                facts = of_policy(self._keeper.policy)
            self._teller.say(subject, good, news.kind.value, news.text, facts)
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
            self._teller.say("expiry", False, code, text, of_policy(policy))
        self._alarmed = stage
