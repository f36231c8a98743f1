# SPDX-License-Identifier: Apache-2.0
"""What every driver is: one hole to fill, with failure owned here.

A driver is made from plain values and never sees a configuration object.  Its
options are declared as oslo.config options, so that the process that uses it
can register them in the authority's own group and document them.
"""

from __future__ import annotations

import abc
import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any
from typing import ClassVar
from typing import TypeVar

from oslo_config import cfg

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.authority.values import Trust
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.standard.values import Catalogue

RESULTS_MAX = 100_000
FAULT_MAX = 160

_One = TypeVar("_One")


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What a driver is made from.

    :ivar name: of the authority, as the policy has it
    :ivar options: the driver's ``OPTIONS``, name -> value, checked by type
    """

    name: str
    options: Mapping[str, Any]
    catalogue: Catalogue


class Authority(abc.ABC):
    """One attestation authority; used by one thread at a time.

    :cvar OPTIONS: of the group ``[nfv_mla_authority_NAME]``
    :cvar READS_ONLY: whether its credential can do no more than read, so that
        a scheduler may hold it (``[nfv_mla] results = embedded``)
    :cvar CHECKS_PINS: whether it compares the keys that the policy pins for a
        host with those that attested it
    :cvar NOTICE: said at every start; empty: nothing
    """

    OPTIONS: ClassVar[tuple[cfg.Opt, ...]] = ()
    READS_ONLY: ClassVar[bool] = False
    CHECKS_PINS: ClassVar[bool] = False
    NOTICE: ClassVar[str] = ""

    def __init__(self, setting: Setting) -> None:
        """Make a driver; opens no connection.

        :raises SettingsError: naming the option at fault
        """
        self.name = setting.name

    def collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        """Return every result that this authority holds.

        :param now: when it is asked
        :raises AuthorityError: and nothing else, whatever a driver does
        """
        began = time.monotonic()
        try:
            collected = self._collect(inquiry, now)
            # What was issued while we asked is not of the future.
            latest = now + time.monotonic() - began + inquiry.max_skew_s
            return self._checked(collected, latest)
        except AuthorityError:
            raise
        except ContactFailed as exc:
            raise AuthorityError(self.name, str(exc), exc.code) from exc
        except Exception as exc:
            said = f"the driver has a fault: {bounded(exc, FAULT_MAX)}"
            raise AuthorityError(self.name, said) from exc

    def trust(self) -> Trust | None:
        """Return by which keys its results are known, as far as that is known.

        Two authorities that one result could pass for are no two.
        """
        return None

    def rules(self) -> str:
        """Return the rules of now (:class:`Collected`); empty: none.

        Asked for after a collection that failed: what was taken by others
        must not go on to count for as long as nobody answers.
        """
        return ""

    def close(self) -> None:  # noqa: B027
        """Let go of connections; the next use opens new ones.

        Any thread may call it: it ends a collection that is under way.
        """

    @abc.abstractmethod
    def _collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        """Return every result that this authority holds.

        May raise anything.  Of an answer that gives no result it says why in
        ``problems``, and goes on with the others.
        """

    def _checked(self, collected: Collected, latest: Instant) -> Collected:
        """Refuse what no driver may answer, and leave out what is ahead."""
        results, freshness = collected.results, collected.freshness
        if len(results) > RESULTS_MAX:
            raise AuthorityError(
                self.name, f"has more than {RESULTS_MAX} results"
            )
        if results.keys() != freshness.keys():
            raise AuthorityError(
                self.name, "the driver gave results without times"
            )
        if not _is_skew(collected.skew_s):
            raise AuthorityError(
                self.name, "the driver gave no time for the clock's skew"
            )
        ahead = set()
        for attester, result in results.items():
            if not strict_json.is_name(attester):
                raise AuthorityError(
                    self.name, f"names an attester {bounded(attester)!r}"
                )
            if (result.authority, result.attester) != (self.name, attester):
                raise AuthorityError(
                    self.name, "the driver mixed up whose results are whose"
                )
            if not _has_times(result, freshness[attester]):
                raise AuthorityError(
                    self.name,
                    f"the driver gave a time that is none for "
                    f"{bounded(attester)!r}",
                )
            at = max(freshness[attester].at, result.boot_attested_at)
            if at > latest:
                ahead.add(attester)
        return _without(collected, ahead) if ahead else collected


def _has_times(result: Result, fresh: Freshness) -> bool:
    return (
        strict_json.is_number(fresh.at)
        and strict_json.is_number(result.boot_attested_at)
        and (fresh.until == FOREVER or strict_json.is_number(fresh.until))
    )


def _is_skew(skew_s: float | None) -> bool:
    return skew_s is None or (
        type(skew_s) in (int, float) and math.isfinite(skew_s)
    )


def _without(collected: Collected, ahead: set[str]) -> Collected:
    """Return an answer without the results that are of the future.

    A driver should say so itself; a clock that is fast must not keep a
    result fresh longer, whoever forgot to look.
    """
    problems = tuple(
        Problem(
            bounded(attester),
            f"{ResultsCode.AHEAD.value}: its time is ahead of ours",
        )
        for attester in sorted(ahead)
    )
    return dataclasses.replace(
        collected,
        results=_left(collected.results, ahead),
        freshness=_left(collected.freshness, ahead),
        problems=(*collected.problems, *problems),
        complete=False,
    )


def _left(all_: Mapping[str, _One], ahead: set[str]) -> dict[str, _One]:
    return {name: one for name, one in all_.items() if name not in ahead}
