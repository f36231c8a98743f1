# SPDX-License-Identifier: Apache-2.0
"""What every driver is: one hole to fill, with failure owned here.

A driver is made from plain values and never sees a configuration object.  Its
options are declared as oslo.config options, so that the process that uses it
can register them in the authority's own group and document them.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from oslo_config import cfg

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.standard.values import Catalogue

RESULTS_MAX = 100_000


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
    :cvar NOTICE: said at every start; empty: nothing
    """

    OPTIONS: ClassVar[tuple[cfg.Opt, ...]] = ()
    READS_ONLY: ClassVar[bool] = False
    NOTICE: ClassVar[str] = ""

    def __init__(self, setting: Setting) -> None:
        """Make a driver; opens no connection.

        :raises SettingsError: naming the option at fault
        """
        self.name = setting.name

    def collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        """Return every result that this authority holds.

        :raises AuthorityError: and nothing else, whatever a driver does
        """
        try:
            collected = self._collect(inquiry, now)
            self._check(collected)
        except AuthorityError:
            raise
        except ContactFailed as exc:
            raise AuthorityError(self.name, str(exc), exc.code) from exc
        except Exception as exc:
            said = bounded(f"the driver failed: {type(exc).__name__}: {exc}")
            raise AuthorityError(self.name, said) from exc
        return collected

    def close(self) -> None:  # noqa: B027
        """Let go of connections; the next use opens new ones."""

    @abc.abstractmethod
    def _collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        """Return every result that this authority holds.

        May raise anything.  Of an answer that gives no result it says why in
        ``problems``, and goes on with the others.
        """

    def _check(self, collected: Collected) -> None:
        """Refuse what no driver may answer."""
        results, freshness = collected.results, collected.freshness
        if len(results) > RESULTS_MAX:
            raise AuthorityError(
                self.name, f"has more than {RESULTS_MAX} results"
            )
        if results.keys() != freshness.keys():
            raise AuthorityError(
                self.name, "the driver gave results without times"
            )
        for attester, result in results.items():
            if not strict_json.is_name(attester):
                raise AuthorityError(
                    self.name, f"names an attester {bounded(attester)!r}"
                )
            if (result.authority, result.attester) != (self.name, attester):
                raise AuthorityError(
                    self.name, "the driver mixed up whose results are whose"
                )
