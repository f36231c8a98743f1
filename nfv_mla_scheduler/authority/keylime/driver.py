# SPDX-License-Identifier: Apache-2.0
"""Keylime: attestation of TPMs, asked over its REST API.

This puts options, exchanges and the rule of trust together; what is believed
is said in ``trust.py``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from oslo_config import cfg

from nfv_mla_scheduler.authority import contact
from nfv_mla_scheduler.authority.fetched import few
from nfv_mla_scheduler.authority.fetched import hang_up
from nfv_mla_scheduler.authority.followed import Followed
from nfv_mla_scheduler.authority.keylime import mapping as mappings
from nfv_mla_scheduler.authority.keylime import options
from nfv_mla_scheduler.authority.keylime.reading import Reading
from nfv_mla_scheduler.authority.keylime.reading import Sheet
from nfv_mla_scheduler.authority.keylime.reading import check_pin
from nfv_mla_scheduler.authority.keylime.registrar import Registrar
from nfv_mla_scheduler.authority.keylime.seen import Seen
from nfv_mla_scheduler.authority.keylime.seen import seen
from nfv_mla_scheduler.authority.keylime.trust import Evaluated
from nfv_mla_scheduler.authority.keylime.trust import Rule
from nfv_mla_scheduler.authority.keylime.trust import Word
from nfv_mla_scheduler.authority.keylime.verifiers import Verifiers
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.authority.values import Trust
from nfv_mla_scheduler.model import Instant

LOG = logging.getLogger(__name__)

_RESETTABLE = (
    "its mapping rests on PCRs that software on the host can set back, which "
    "is for tests alone"
)


class KeylimeAuthority(Authority):
    """Keylime's verifiers and their registrar, as one authority."""

    OPTIONS: ClassVar[tuple[cfg.Opt, ...]] = options.OPTIONS
    # Whoever has a client certificate is an administrator of Keylime.
    READS_ONLY: ClassVar[bool] = False
    CHECKS_PINS: ClassVar[bool] = True

    def __init__(self, setting: Setting) -> None:
        """Make a driver; opens no connection.

        :raises SettingsError: naming the option at fault
        """
        super().__init__(setting)
        given = setting.options
        verifiers = options.verifiers(given)
        registrar = options.registrar(given)
        self._clients = (*verifiers.values(), registrar)
        self._verifiers = Verifiers(verifiers)
        self._registrar = Registrar(registrar, given["registrar_recheck_s"])
        self._timeout_s: float = given["timeout_s"]
        self._evaluated = Evaluated(given["measured_boot_evaluated"])
        self._trust = Trust(frozenset(verifiers))
        self._mapping = _mapping(setting)
        self._reading: Reading | None = None
        self._read_with: tuple[object, object] = (None, None)
        self._stopped = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._told = bool(self._mapping().resettable)
        if self._told:
            self.NOTICE = _RESETTABLE  # type: ignore[misc]

    def rules(self) -> str:
        """Return by which rules results are taken."""
        said = f"1 {self._mapping().digest()} {self._evaluated.value}"
        return hashlib.sha256(said.encode()).hexdigest()

    def trust(self) -> Trust:
        """Return whose word its results are: that of these verifiers."""
        return self._trust

    def close(self) -> None:
        """Let go of connections; the next use opens new ones."""
        self._stopped.set()
        hang_up(self._clients, self._idle)

    def _collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        self._stopped.clear()
        self._idle.clear()
        try:
            return self._ask(inquiry, now)
        finally:
            self._idle.set()

    def _ask(self, inquiry: Inquiry, now: Instant) -> Collected:
        rules, reading = self.rules(), self._reading_now(inquiry)
        began, asked_at = time.monotonic(), self._registrar.clock()
        agents = self._verifiers.fetch(
            reading.boot_policies,
            self._stopped.is_set,
            lambda: self._timeout_s,
        )
        # What succeeded while we asked is not of the future.
        latest = now + time.monotonic() - began + inquiry.max_skew_s
        sheet = Sheet(complete=agents.complete)
        words = reading.words(
            agents.records,
            agents.uncounted,
            inquiry.attesters,
            sheet,
            now,
            latest,
        )
        answered_at = self._registrar.clock()
        passing = {
            agent: seen(agents.records[agent][0], asked_at, answered_at)
            for agent, word in words.items()
            if word.passes
        }
        self._check_pins(reading, inquiry, passing, words, sheet)
        reading.keep(sheet)
        collected = sheet.collected()
        return dataclasses.replace(
            collected,
            problems=few((*agents.problems, *collected.problems)),
            skew_s=agents.skew_s,
            rules=rules,
            trust=self._trust,
        )

    def _check_pins(
        self,
        reading: Reading,
        inquiry: Inquiry,
        passing: Mapping[str, Seen],
        words: dict[str, Word],
        sheet: Sheet,
    ) -> None:
        """Put into the sheet what is believed, where no other key attests.

        What speaks against an agent does so whatever its key.
        """
        pinned = {agent for agent in passing if inquiry.pinned.get(agent)}
        looks = self._registrar.looks(
            passing,
            pinned,
            inquiry.attesters if inquiry.targeted else (),
            self._stopped.is_set,
            _until(self._timeout_s),
        )
        for agent, word in words.items():
            if agent not in pinned:
                reading.put(agent, word, "", sheet)
                continue
            key, reason, fault = check_pin(
                inquiry.pinned[agent],
                looks.get(agent),
                lambda: self._registrar.why,
            )
            if reason is None:
                reading.put(agent, word, key, sheet)
            else:
                sheet.refuse(agent, (reason,), fault)

    def _reading_now(self, inquiry: Inquiry) -> Reading:
        """Return what reads by the mapping and the regions of now.

        It remembers results, so that it is another one only when these are
        others.
        """
        mapping, regions = self._mapping(), inquiry.regions
        known_mapping, known_regions = self._read_with
        if (
            self._reading is None
            or mapping is not known_mapping
            or regions != known_regions
        ):
            if mapping.resettable and not self._told:
                self._told = True
                LOG.warning(
                    "nfv-mla: authority %s: %s", self.name, _RESETTABLE
                )
            rule = Rule(mapping, self._evaluated, regions)
            self._reading = Reading(self.name, rule)
            self._read_with = (mapping, regions)
        return self._reading


def _until(timeout_s: float) -> Callable[[], float]:
    """Return what says how much is left of a time that begins now."""
    end = time.monotonic() + timeout_s
    return lambda: end - time.monotonic()


def _mapping(setting: Setting) -> Callable[[], mappings.Mapping]:
    """Return what says which mapping counts now."""

    def read(data: bytes) -> mappings.Mapping:
        return mappings.read_mapping(data, setting.catalogue)

    path = contact.path(setting.options, "mapping_file")
    if path is None:
        known: Any = read(mappings.DEFAULT)
        return lambda: known
    group = f"nfv_mla_authority_{setting.name}"
    return Followed("mapping_file", path, read, group).now
