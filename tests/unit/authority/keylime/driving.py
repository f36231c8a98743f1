# SPDX-License-Identifier: Apache-2.0
"""What the tests of the driver share: its stage, and how to ask."""

from __future__ import annotations

import time
import unittest
from typing import Any

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import KeylimeCode
from tests.authorities.keylime_stage import KeylimeStage
from tests.unit.authority.keylime.reading import REGIONS
from tests.unit.authority.keylime.reading import SKEW_S

A, B, C = "agent-a", "agent-b", "agent-c"
ALL = {"measured-boot", "os-access-control", "attestation"}


class DriverCase(unittest.TestCase):
    def setUp(self) -> None:
        self.stage = KeylimeStage(self)
        for agent in (A, B):
            self.stage.say(agent)
        self.driver: Any = self.stage.driver()

    def inquiry(self, *agents: str, **more: Any) -> Inquiry:
        return Inquiry(agents or (A, B), REGIONS, SKEW_S, **more)

    def collect(self, *agents: str, **more: Any) -> Collected:
        found: Collected = self.driver.collect(
            self.inquiry(*agents, **more), time.time()
        )
        for said in (*found.problems, *found.notes):
            self.assertLessEqual(len(str(said)), LINE_MAX)
        return found

    def problems(self, found: Collected) -> list[str]:
        """Return who is refused, and by which code."""
        return [
            f"{p.path} {p.message.partition(':')[0]}" for p in found.problems
        ]

    def refused(self, found: Collected, agent: str, code: KeylimeCode) -> None:
        self.assertNotIn(agent, found.results)
        self.assertEqual([f"{agent} {code.value}"], self.problems(found))

    def notes(self, found: Collected) -> list[str]:
        return [f"{p.path} {p.message.partition(':')[0]}" for p in found.notes]

    def paths(self) -> list[str]:
        return [asked.target for asked in self.stage.server.asked]
