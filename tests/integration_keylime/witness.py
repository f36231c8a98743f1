# SPDX-License-Identifier: Apache-2.0
"""The driver, the collector's board and the judge, asked about nodes of a box.

What counts is what the judge admits: a driver that says nothing would be no
better than one that lies, if what was said before went on to count.
"""

from __future__ import annotations

import pathlib
import tempfile
import time
import unittest
from typing import Any

from keylime_box.box import Box
from keylime_box.golden import ZERO
from keylime_box.golden import measured
from keylime_box.node import Node
from nfv_mla_scheduler.authority.keylime.driver import KeylimeAuthority
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.board import Board
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.model import Status
from tests.authorities.stage import driver_of
from tests.integration_keylime.boxed import TAG
from tests.unit import drafts
from tests.unit.drafts import Told
from tests.unit.judge import court

NAME = "kl"
SKEW_S = 5.0
CADENCE_S = 1
# As the authority of the drafts has it.
MAX_AGE_S = 60.0
BOOT = "measured-boot"
FILES = "os-access-control"
PINNED = "attestation"
RESETTABLE = "secure-logging"
MAPPING = f"""\
measured_boot: [{{capability: {BOOT}, grade: run-time}}]
runtime_policy: [{{capability: {FILES}, grade: run-time}}]
pcrs:
  - pcr: 15
    digest: {measured(TAG).hex()}
    claims: [{{capability: {PINNED}, grade: run-time}}]
  - pcr: 23
    digest: "{ZERO.hex()}"
    claims: [{{capability: {RESETTABLE}, grade: run-time}}]
resettable_pcrs: true
"""


class Witness:
    """Asks about nodes again and again, as a collector does.

    :ivar code: why the last question was not answered; empty: it was
    :ivar found: what the last answer was
    """

    def __init__(
        self, test: unittest.TestCase, box: Box, *nodes: Node, **options: Any
    ) -> None:
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)
        mapping = pathlib.Path(directory.name) / "mapping.yaml"
        mapping.write_text(options.pop("mapping", MAPPING))
        given = {**box.options(), "mapping_file": str(mapping), **options}
        self.driver: Any = driver_of(KeylimeAuthority, NAME, **given)
        test.addCleanup(self.driver.close)
        self._board = Board(SKEW_S, frozenset({NAME}))
        self._agents = tuple(sorted(node.agent_id for node in nodes))
        self.code = ""
        self.found = Collected({}, {}, True)
        self.pin()

    def pin(self, *nodes: Node) -> None:
        """Let the policy pin the keys that these nodes have now."""
        self._inquiry = Inquiry(
            self._agents,
            {},
            SKEW_S,
            {node.agent_id: (f"sha256:{node.ek_sha256}",) for node in nodes},
        )
        task = Task(self._inquiry, CADENCE_S, MAX_AGE_S)
        self._board.rule({NAME: task}, time.time(), pins_hold=False)

    def ask(self) -> dict[str, set[str]]:
        """Ask once; return of each attester the codes that were said."""
        self.code = ""
        try:
            self.found = self.driver.collect(self._inquiry, time.time())
        except AuthorityError as exc:
            self.code = exc.code
            self._board.renew(NAME, self.driver.rules(), time.time())
            return {}
        self._board.take(NAME, self._inquiry, self.found, time.time())
        codes: dict[str, set[str]] = {}
        for said in (*self.found.notes, *self.found.problems):
            code = said.message.partition(":")[0]
            codes.setdefault(said.path, set()).add(code)
        return codes

    def refuses(self, node: Node, *codes: str) -> None:
        """Ask, and check that a node is refused, for these reasons.

        :raises AssertionError:
        """
        said = self.ask().get(node.agent_id, set())
        admitted = self.admits(node)
        assert not admitted, f"it is admitted for {admitted}"
        assert not self.code, self.code
        assert set(codes) <= said, f"what was said of it: {said}"

    def fails(self, *codes: str) -> None:
        """Ask, and check that there is no answer, for such a reason.

        :raises AssertionError:
        """
        self.ask()
        assert self.code in codes, f"what it was: {self.code!r}"

    def at(self, node: Node) -> float:
        """Return when what is held of a node was attested."""
        return self._board.said[NAME].freshness[node.agent_id].at

    def admits(self, node: Node, later_s: float = 0.0) -> set[str]:
        """Return for which capabilities the judge admits a node."""
        return {
            name
            for name in (BOOT, FILES, PINNED, RESETTABLE)
            if self._admits(node, name, later_s)
        }

    def against(self, node: Node) -> set[str]:
        """Return what the board holds against a node, for the monitor."""
        held = self._board.said[NAME].results.get(node.agent_id)
        return {
            claim.capability
            for claim in (held.claims.values() if held else ())
            if claim.status is Status.CONTRAINDICATED
        }

    def key(self, node: Node) -> str:
        """Return the pinned key that attested a node, as far as is held."""
        return self._board.said[NAME].results[node.agent_id].key

    def _admits(self, node: Node, capability: str, later_s: float) -> bool:
        now = time.time() + later_s
        draft = drafts.good(1)
        draft.extra_specs = {f"nfv_mla:capability.{capability}": "required"}
        draft.image = {}
        draft.now, draft.expires_at = now, now + 1000
        draft.told = self._told(node)
        return court.decide(draft, "h1", now).admitted

    def _told(self, node: Node) -> dict[tuple[str, str], Told]:
        said = self._board.said.get(NAME)
        held = said.results.get(node.agent_id) if said else None
        if said is None or held is None:
            return {}
        fresh = said.freshness[node.agent_id]
        told = Told(
            dict(held.claims),
            held.boot,
            held.boot_attested_at,
            fresh.at,
            fresh.boot,
            fresh.until,
            held.key,
        )
        return {(NAME, "h1"): told}
