# SPDX-License-Identifier: Apache-2.0
"""What others say: the collector of itself, and the authorities when asked.

Each is asked once, and only where a check needs it; nothing is changed there.
"""

from __future__ import annotations

import pathlib
import time
from collections.abc import Mapping

from nfv_mla_scheduler.collector import embedded
from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.doctor import asking
from nfv_mla_scheduler.doctor import files
from nfv_mla_scheduler.doctor import served
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.once import once
from nfv_mla_scheduler.doctor.services import Services
from nfv_mla_scheduler.doctor.side import Unreadable
from nfv_mla_scheduler.doctor.side import read
from nfv_mla_scheduler.doctor.status import BYTES_MAX
from nfv_mla_scheduler.doctor.status import CollectorStatus
from nfv_mla_scheduler.doctor.status import NoStatus
from nfv_mla_scheduler.doctor.status import read_status
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.catalogue import load

# A status that is older says how things were, not how they are.
STATUS_MAX_AGE_S = 300.0
COLLECT_S = 30.0
LOOK_S = 0.05


class Contacts:
    """Everybody who can be asked.

    :param status_file: what the collector says of itself; None: as the
        configuration has it
    """

    def __init__(
        self, services: Services, status_file: pathlib.Path | None
    ) -> None:
        self._services = services
        self._status_file = status_file

    @once
    def served(self) -> Answer:
        """The collector's answer that holds the document."""
        return served.document(self._services.scheduler.settings)

    @once
    def status(self) -> CollectorStatus:
        """What the collector says of itself.

        :raises NfvMlaError: when it cannot be got, or is none
        """
        where, data = self._status()
        try:
            return read_status(data)
        except NoStatus as exc:
            raise NoStatus(f"{where}: {exc}") from None

    def _status(self) -> tuple[str, bytes]:
        services, path = self._services, self._status_file
        if path is None and services.collector.paths:
            path = services.collector_settings.status_file
        if path is not None:
            return str(path), read(path, BYTES_MAX)
        if services.results_from is ResultsFrom.HTTPS:
            return "status", served.status(services.scheduler.settings)
        raise Skipped(
            "the collector's status is not known; give --status-file"
        )

    @once
    def live_status(self) -> CollectorStatus | None:
        """The same, of a collector that is alive; None: it says nothing."""
        try:
            status = self.status
        except (NfvMlaError, Skipped):
            return None
        age_s = self._services.now - status.now
        return status if age_s < STATUS_MAX_AGE_S else None

    @once
    def drivers(self) -> asking.Drivers:
        """The drivers of the authorities that are asked from here."""
        side = self._services.asker
        try:
            return asking.drivers(side)
        except SettingsError as exc:
            raise Unreadable(str(exc)) from None

    @once
    def answers(self) -> Mapping[str, asking.Answered]:
        """What the authorities answer when they are asked from here."""
        side = self._services.asker
        usable = [
            driver
            for driver in self.drivers.values()
            if not isinstance(driver, SettingsError)
        ]
        return asking.ask(
            usable, side.policy, side.settings.max_skew_s, self._services.now
        )

    def collect(self, policy: Policy) -> ResultsDocument:
        """Collect once, as a worker of the scheduler would.

        :raises Unreadable: when that cannot be, or nobody answers in time
        """
        side = self._services.scheduler
        conf = files.load(side.paths, side.project)
        teller = Teller(lambda _: None)
        try:
            source = embedded.start(
                conf, side.settings.max_skew_s, load(), teller
            )
        except SettingsError as exc:
            raise Unreadable(str(exc)) from None
        try:
            end = time.monotonic() + COLLECT_S
            while time.monotonic() < end:
                document = source.read(policy, time.time())
                if document is not None:
                    return document
                time.sleep(LOOK_S)
        finally:
            source.close()
        raise Unreadable("no authority has answered")
