# SPDX-License-Identifier: Apache-2.0
"""What the tests of pinned keys share: a registrar of its own."""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.authority.values import Collected
from tests.authorities import keylime_data as data
from tests.authorities.servers import End
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import DriverCase

RECHECK_S = 300.0
EK = data.rsa_key()
PINNED = data.spki_digest(EK)


class RegistrarCase(DriverCase):
    """Of two agents the key of the second is pinned."""

    pinned: dict[str, tuple[str, ...]]

    def setUp(self) -> None:
        super().setUp()
        self.pinned = {B: (PINNED,)}
        ek = data.in_base64(data.marshalled(EK))
        self.stage.entries[B] = data.entry(ek_tpm=ek)
        self.other = self.stage.another_server()
        self.driver = self.stage.driver(registrar=self.other.url)
        self.now = 1000.0
        self.driver._registrar.clock = lambda: self.now

    def ask(self, *agents: str, **more: Any) -> Collected:
        return self.collect(*agents, pinned=self.pinned, **more)

    def looks(self) -> int:
        """Return how often the registrar was asked for agents."""
        return sum(a.path.startswith("/v2.6/agents") for a in self.other.asked)

    def silence(self) -> None:
        self.other.answer = lambda _asked: [End.PROPER]

    def talk(self) -> None:
        self.other.answer = self.stage.answer
