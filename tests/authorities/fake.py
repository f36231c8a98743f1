# SPDX-License-Identifier: Apache-2.0
"""An authority in memory, which is a driver like any other.

    fake = FakeAuthority.named("keylime-a")
    fake.hold("attester-1", at=now)
    fake.script(AuthorityError("keylime-a", "is down"), 2.5, fake.all())

A script says what the next collections do, one step each: an answer, an
error, a time in seconds to wait before the step after it, or a function of
the inquiry.  When it is at its end, what is held is answered.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.authority.values import Trust
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.standard.catalogue import load

Step = Collected | BaseException | float | Callable[[Inquiry], Collected]

CAPABILITIES = ("attestation", "measured-boot", "os-access-control")


def claims_of(
    capabilities: Iterable[str] = CAPABILITIES,
    status: Status = Status.AFFIRMING,
    grade: Grade = Grade.RUN_TIME,
) -> Claims:
    """Return claims of capabilities that have no values."""
    return {name: Claim(name, status, grade, {}) for name in capabilities}


class FakeAuthority(Authority):
    """Answers what it holds, or what its script says.

    :ivar inquiries: what it was asked, in order
    :ivar closed: how often it was closed
    :ivar skew_s: how far ahead its clock is said to be
    """

    READS_ONLY = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.inquiries: list[Inquiry] = []
        self.closed = 0
        self.skew_s: float | None = None
        self.trusts: Trust | None = None
        self.held_to = ""
        self._results: dict[str, Result] = {}
        self._freshness: dict[str, Freshness] = {}
        self._spoiled: set[str] = set()
        self._steps: collections.deque[Step] = collections.deque()
        self._waiting = threading.Event()

    @classmethod
    def named(cls, name: str) -> FakeAuthority:
        """Return one of that name, holding nothing."""
        return cls(Setting(name, {}, load()))

    def hold(
        self,
        attester: str,
        at: Instant,
        claims: Claims | None = None,
        boot: str | None = "1",
        until: Instant = FOREVER,
    ) -> None:
        """Hold this about an attester from now on.

        The result is the same object for as long as only times change.
        """
        claims = claims_of() if claims is None else claims
        held = self._results.get(attester)
        if held is None or (held.claims, held.boot) != (claims, boot):
            self._results[attester] = Result(
                self.name, attester, claims, boot, at // 600 * 600
            )
        self._freshness[attester] = Freshness(at, boot, until)
        self._spoiled.discard(attester)

    def forget(self, attester: str) -> None:
        """Hold nothing about an attester."""
        self._results.pop(attester, None)
        self._freshness.pop(attester, None)
        self._spoiled.discard(attester)

    def spoil(self, attester: str) -> None:
        """Give an answer about an attester that cannot be taken."""
        self.forget(attester)
        self._spoiled.add(attester)

    def script(self, *steps: Step) -> None:
        """Do this in the next collections."""
        self._steps.extend(steps)

    def all(self, wanted: Iterable[str] | None = None) -> Collected:
        """Return what is held, about these attesters or about all."""
        meant = None if wanted is None else frozenset(wanted)

        def only(held: Mapping[str, object]) -> dict[str, object]:
            return {
                a: o for a, o in held.items() if meant is None or a in meant
            }

        problems = tuple(
            Problem(attester, "token-malformed: spoiled by the test")
            for attester in sorted(self._spoiled)
        )
        return Collected(
            only(self._results),  # type: ignore[arg-type]
            only(self._freshness),  # type: ignore[arg-type]
            not problems,
            problems,
            self.skew_s,
            self.held_to,
            trust=self.trusts,
        )

    def rules(self) -> str:
        return self.held_to

    def trust(self) -> Trust | None:
        return self.trusts

    def close(self) -> None:
        self.closed += 1
        self._waiting.set()

    def _collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        self._waiting.clear()
        self.inquiries.append(inquiry)
        while self._steps:
            step = self._steps.popleft()
            if isinstance(step, int | float):
                if self._waiting.wait(step):
                    if self._steps:
                        self._steps.popleft()
                    raise ContactFailed(
                        ContactCode.INTERRUPTED, "we were told to stop asking"
                    )
            elif isinstance(step, BaseException):
                raise step
            elif isinstance(step, Collected):
                return step
            else:
                return step(inquiry)
        return self.all(inquiry.attesters if inquiry.targeted else None)
