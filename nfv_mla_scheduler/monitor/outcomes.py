# SPDX-License-Identifier: Apache-2.0
"""What became of one part of a plan: the words of actor and power commands.

Values only.
"""

from __future__ import annotations

import dataclasses
import enum

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

TEXT_MAX = 160


class Result(enum.Enum):
    """How a request, or several in a row, ended."""

    DONE = "done"
    # Nova cannot as things are: look again
    CONFLICT = "conflict"
    GONE = "gone"
    # it will not, however often it is asked
    REFUSED = "refused"
    # no use in asking now; also what was not asked for while we back off
    UNAVAILABLE = "unavailable"
    # it may have been done; Nova shows it, in time
    UNSURE = "unsure"
    # things are not as they were when this was planned: nothing was done
    PRECONDITION = "precondition"
    # it could not be recorded first: nothing was asked for
    UNRECORDED = "unrecorded"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fence, step, release or trait.

    :ivar subject: server's or provider's UUID, or Nova's host name
    :ivar host: Nova's name of the host in question; empty: none is
    :ivar step: whose it was; None: a release, or a trait
    :ivar ask: the last request that was made, or would have been next
    :ivar text: what a person has to know beyond the code, bounded
    :ivar mark: id of the mark that was written; empty: none was
    :ivar forced: whether it was asked for although the subject was not as it
        was seen, as it never is
    :ivar sealed: whether nobody is told about its subject (5.0.3)
    """

    subject: str
    host: str
    step: Step | None
    ask: Ask | None
    code: Result
    text: str = ""
    mark: str = ""
    forced: bool = False
    sealed: bool = False


_RESULTS = {
    CloudCode.CONFLICT: Result.CONFLICT,
    CloudCode.GONE: Result.GONE,
    CloudCode.REFUSED: Result.REFUSED,
    CloudCode.TOO_OLD: Result.REFUSED,
}


def result_of(failure: CloudFailed) -> Result:
    """Return how a request ended that failed so."""
    if failure.unsure:
        return Result.UNSURE
    return _RESULTS.get(failure.reason, Result.UNAVAILABLE)


def text_of(failure: CloudFailed) -> str:
    """Return what there is to say of a failure, bounded."""
    return bounded(failure, TEXT_MAX)
