# SPDX-License-Identifier: Apache-2.0
"""What authorities answer, for the tests of what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.values import Changes
from nfv_mla_scheduler.collector.values import Outcome
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result

NOW = 1_800_000_000.0
SKEW_S = 30.0
NAME = "keylime-fra"


def tpm(value: str = "hardware", status: Status = Status.AFFIRMING) -> Claims:
    """Return new claims of one capability."""
    values = {"": frozenset({value})}
    return {"tpm": Claim("tpm", status, Grade.BOOT, values)}


def inquiry(
    *attesters: str,
    targeted: bool = False,
    pinned: Mapping[str, tuple[str, ...]] | None = None,
) -> Inquiry:
    """Return a question about these attesters."""
    return Inquiry(
        tuple(sorted(attesters)), {}, SKEW_S, pinned or {}, targeted
    )


def task(
    *attesters: str,
    cadence_s: float = 30.0,
    max_age_s: float = 60.0,
    pinned: Mapping[str, tuple[str, ...]] | None = None,
) -> Task:
    """Return what a policy wants that binds these attesters."""
    asked = inquiry(*attesters, pinned=pinned)
    return Task(asked, cadence_s, max_age_s)


def result(
    attester: str,
    claims: Claims | None = None,
    boot: str | None = "1",
    boot_at: Instant = NOW - 600,
    authority: str = NAME,
    faulty: bool = False,
) -> Result:
    """Return a new result about an attester."""
    claims = tpm() if claims is None else claims
    return Result(authority, attester, claims, boot, boot_at, faulty)


def collected(
    *results: Result,
    at: Instant | Mapping[str, Instant] = NOW,
    until: Instant = FOREVER,
    complete: bool = True,
    problems: Iterable[Problem] = (),
    skew_s: float | None = None,
) -> Collected:
    """Return an answer that holds these results."""
    times = at if isinstance(at, Mapping) else {}
    return Collected(
        {one.attester: one for one in results},
        {
            one.attester: Freshness(
                times.get(one.attester, NOW) if times else at,
                one.boot,
                until,
            )
            for one in results
        },
        complete,
        tuple(problems),
        skew_s,
    )


def well(
    answer: Collected | None = None,
    targeted: bool = False,
    took_s: float = 0.1,
) -> Outcome:
    """Return the outcome of a question that was answered."""
    asked = inquiry("h1", targeted=targeted)
    answer = collected(result("h1")) if answer is None else answer
    return Outcome(NAME, asked, answer, "", "", took_s)


def failed(
    code: str = "contact-timed-out",
    reason: str = "it does not answer",
    targeted: bool = False,
) -> Outcome:
    """Return the outcome of a question that was not answered."""
    asked = inquiry("h1", targeted=targeted)
    return Outcome(NAME, asked, None, code, reason, 5.0)


def taken(count: int = 1, problems: Iterable[Problem] = ()) -> Changes:
    """Return what a board says that took so many results."""
    return Changes(count, count, count, 0, tuple(problems))


def problem(path: str, code: str = "token-expired") -> Problem:
    """Return a problem as drivers write it."""
    return Problem(path, f"{code}: for a test")
