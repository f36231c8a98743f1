# SPDX-License-Identifier: Apache-2.0
"""Say why: the decision that a ruling comes to, with every reason.

Pure.  Says the same as ``ruling.until``; a test holds them together.
"""

from __future__ import annotations

from nfv_mla_scheduler.judge.resolve import ResolvedNeed
from nfv_mla_scheduler.judge.ruling import Ruling
from nfv_mla_scheduler.judge.ruling import expiries
from nfv_mla_scheduler.judge.ruling import expiry
from nfv_mla_scheduler.judge.ruling import until
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.judge.support import refusal_of
from nfv_mla_scheduler.judge.unmet import Missing
from nfv_mla_scheduler.judge.unmet import Unmet
from nfv_mla_scheduler.judge.unmet import alone
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.view import Snapshot

POLICY_EXPIRED = Refusal(RefusalCode.POLICY_EXPIRED, "policy", "5.3.2")


def decide(
    ruling: Ruling,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
    now: Instant,
) -> Decision:
    """Return the decision with every reason: what until() says, explained."""
    explainer = _Explainer(record, snapshot, boot_max_age_s, now)
    for closure in ruling.closures:
        explainer.add((closure.refusal,), NEVER, closure.permissive_until)
    for need in ruling.needs:
        explainer.add(
            explainer.unmet(need), need.waived_until, need.permissive_until
        )
    if now >= ruling.bound:
        explainer.add((POLICY_EXPIRED,), NEVER, NEVER)
    lapse = FOREVER
    if not explainer.refusals:
        lives = expiries(ruling, record, snapshot, boot_max_age_s)
        lapse = until(ruling, lives)
    return Decision(
        record.binding.host,
        tuple(explainer.refusals),
        lapse,
        tuple(explainer.waived),
        tuple(explainer.would_refuse),
    )


def unmet(
    ruling: Ruling,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
    now: Instant,
) -> tuple[Unmet, ...]:
    """Return what a host does not meet, with every way in which it could.

    Says the same as decide(), which tells the closest way only.  What is
    waived is not in it.
    """
    explainer = _Explainer(record, snapshot, boot_max_age_s, now)
    found = [
        alone(closure.refusal, closure.permissive_until > now)
        for closure in ruling.closures
    ]
    for need in ruling.needs:
        ways = () if need.waived_until > now else explainer.ways(need)
        if ways:
            found.append(Unmet(ways, need.permissive_until > now))
    if now >= ruling.bound:
        found.append(alone(POLICY_EXPIRED))
    return tuple(found)


class _Explainer:
    """Sorts refusals into those that count and those that are excused."""

    def __init__(
        self,
        record: HostRecord,
        snapshot: Snapshot,
        boot_max_age_s: float,
        now: Instant,
    ) -> None:
        self._record = record
        self._snapshot = snapshot
        self._boot_max_age_s = boot_max_age_s
        self._now = now
        self.refusals: list[Refusal] = []
        self.waived: list[Refusal] = []
        self.would_refuse: list[Refusal] = []

    def add(
        self,
        refusals: tuple[Refusal, ...],
        waived_until: Instant,
        permissive_until: Instant,
    ) -> None:
        if waived_until > self._now:
            kept = self.waived
        elif permissive_until > self._now:
            kept = self.would_refuse
        else:
            kept = self.refusals
        kept.extend(r for r in refusals if r not in kept)

    def unmet(self, need: ResolvedNeed) -> tuple[Refusal, ...]:
        """Return why a need is not met: by the group that comes closest."""
        closest = min(self.ways(need), key=len, default=())
        return tuple(missing.refusal for missing in closest)

    def ways(self, need: ResolvedNeed) -> tuple[tuple[Missing, ...], ...]:
        """Return what is missing of each group; nothing for a need met."""
        if need.refusal is not None:
            return ((Missing(need.refusal),),)
        ways = []
        for group in need.groups:
            missing = tuple(
                Missing(refusal, support)
                for support in group
                if (refusal := self._missing(support, need)) is not None
            )
            if not missing:
                return ()
            ways.append(missing)
        return tuple(ways)

    def _missing(self, support: Support, need: ResolvedNeed) -> Refusal | None:
        if support.fault is not None:
            return refusal_of(support.term, need.need, *support.fault)
        if any(self._lives(atom) for atom in support.atoms):
            return None
        return self._lapsed(support, need)

    def _lives(self, atom: Atom) -> bool:
        lapses = expiry(
            atom, self._record, self._snapshot, self._boot_max_age_s
        )
        return lapses > self._now

    def _lapsed(self, support: Support, need: ResolvedNeed) -> Refusal:
        """All that would carry a term is too old, or of an ended boot."""
        atom = support.atoms[0]
        code, authority = RefusalCode.STALE, ""
        if atom.voice != ANY_DATE:
            result = self._record.results[atom.voice]
            authority = result.authority
            if self._boot_ended(atom, result):
                code = RefusalCode.BOOT_ENDED
        return refusal_of(support.term, need.need, code, authority)

    def _boot_ended(self, atom: Atom, result: Result) -> bool:
        fresh = self._snapshot.freshness_of(result)
        return (
            atom.boot
            and result.boot is not None
            and fresh is not None
            and fresh.boot != result.boot
        )
