# SPDX-License-Identifier: Apache-2.0
"""The services that there are here, and which of them is looked at."""

from __future__ import annotations

from nfv_mla_scheduler.collector import settings as options
from nfv_mla_scheduler.collector.settings import Settings as CollectorSettings
from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.doctor.access import Account
from nfv_mla_scheduler.doctor.access import account
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.once import once
from nfv_mla_scheduler.doctor.side import Paths
from nfv_mla_scheduler.doctor.side import Side
from nfv_mla_scheduler.doctor.signed import SignedPolicies
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import Instant

NOVA = "nova"
COLLECTOR = "nfv-mla"


class Services:
    """The scheduler and the collector, of which one may be elsewhere.

    :param scheduler: its configuration; none: it is elsewhere
    :param collector: likewise
    """

    def __init__(
        self, scheduler: Paths, collector: Paths, now: Instant
    ) -> None:
        self.now = now
        policies = SignedPolicies()
        self.scheduler = Side("scheduler", scheduler, NOVA, now, policies)
        self.collector = Side("collector", collector, COLLECTOR, now, policies)
        # whose policy and results are looked at
        self.main = self.scheduler if scheduler else self.collector

    @property
    def sides(self) -> tuple[Side, ...]:
        """The services that are here."""
        both = (self.scheduler, self.collector)
        return tuple(side for side in both if side.paths)

    @once
    def collector_settings(self) -> CollectorSettings:
        """The collector's own options."""
        conf = self.collector.conf
        options.register(conf)
        try:
            return options.settings(conf)
        except SettingsError:
            raise Skipped(
                "[nfv_mla_collector] cannot be used; see collector.options"
            ) from None

    @property
    def results_from(self) -> ResultsFrom:
        """Where the results come from that are looked at."""
        if self.main is self.collector:
            return ResultsFrom.FILE  # the one that it writes itself
        return self.main.settings.results

    @property
    def asker(self) -> Side:
        """Who asks the authorities.

        :raises Skipped: when nobody here does
        """
        if self.collector.paths:
            return self.collector
        if self.results_from is ResultsFrom.EMBEDDED:
            return self.scheduler
        raise Skipped("no configuration of the collector is given")

    def runner_of(self, side: Side) -> Account:
        """Return who runs a service: whoever its state belongs to."""
        path = side.settings.state_dir
        try:
            return account(path.stat().st_uid)
        except FileNotFoundError:
            raise Skipped(
                f"who runs the {side.what} is not known: there is no {path}"
            ) from None
