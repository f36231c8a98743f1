# SPDX-License-Identifier: Apache-2.0
"""The driver keeps the contract with what real servers of Keylime answer.

Attesters are rows in the verifier's database.  A proxy stands in front, as
Keylime itself would not send half a body, or redirect.
"""

from __future__ import annotations

import time
import unittest
from collections.abc import Iterable
from typing import Any
from typing import ClassVar

from keylime_box import golden
from keylime_box.box import Box
from keylime_box.policy import HEALTHY_FILES
from keylime_box.policy import Policy
from keylime_box.settings import PUSH
from keylime_box.settings import Settings
from keylime_box.tenant import passes
from nfv_mla_scheduler.errors import SettingsError
from tests.authorities.contract import HttpsContract
from tests.authorities.keylime_stage import KeylimeStage
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import page
from tests.authorities.stage import HttpsStage
from tests.authorities.tokens import CAPABILITIES
from tests.integration_keylime.boxed import PINNED as TAGGED
from tests.integration_keylime.boxed import TAG
from tests.integration_keylime.front import Upstream
from tests.integration_keylime.rows import Rows

ALL = Policy(
    pcrs=TAGGED.pcrs,
    files=HEALTHY_FILES,
    measured_boot=golden.reference(golden.boot(tags={15: TAG})),
)
# What each capability rests on: see the stage.
BOOT, FILES, PINNED = "measured-boot", "os-access-control", "attestation"


class RealStage(KeylimeStage):
    """A box behind a server that misbehaves when it is told to.

    :param whole: the row of an agent with all policies
    :param bare: the row of one with a PCR alone
    """

    def __init__(
        self,
        test: unittest.TestCase,
        box: Box,
        whole: dict[str, Any],
        bare: dict[str, Any],
    ) -> None:
        self._upstream = Upstream(box, box.verifier_url)
        self._rows = Rows(box)
        self._whole, self._bare = whole, bare
        self._said: set[str] = set()
        super().__init__(test)
        test.addCleanup(self._clear)
        text = self.mapping_file.read_text()
        tag = golden.measured(TAG).hex()
        old = text.partition("digest: ")[2].partition("\n")[0]
        self.mapping_file.write_text(text.replace(old, tag))

    def answer(self, asked: Asked) -> Script:
        status, body = self._upstream.ask(asked.target)
        return [page(body, self.content_type, status, **self.headers)]

    def say(
        self,
        attester: str,
        capabilities: Iterable[str] = CAPABILITIES,
        boot: int = 1,
        ahead_s: float = 0.0,
    ) -> None:
        known, at = frozenset(capabilities), int(time.time() + ahead_s)
        policy = self._whole["tpm_policy"]
        if PINNED not in known:
            policy = policy.replace(golden.measured(TAG).hex(), "0" * 64)
        row = self._whole | {
            "tpm_policy": policy,
            "last_received_quote": at,
            "last_successful_attestation": at,
        }
        for name, field in ((BOOT, "mb_policy_id"), (FILES, "ima_policy_id")):
            if name not in known:
                row[field] = self._bare[field]
        self._rows.put(row, attester)
        self._said.add(attester)

    def forget(self, attester: str) -> None:
        self._rows.remove(attester)

    def spoil(self, attester: str) -> None:
        self.say(attester)
        self._rows.change(attester, tpm_policy='{"mask": 7}')

    def _clear(self) -> None:
        for attester in self._said:
            self._rows.remove(attester)


class RealContract(HttpsContract):
    """The contract with a box of the class."""

    chosen: ClassVar[Settings]
    box: ClassVar[Box]
    rows: ClassVar[list[dict[str, Any]]]
    stage: RealStage

    @classmethod
    def setUpClass(cls: Any) -> None:
        super().setUpClass()
        cls.box = cls.enterClassContext(Box(chosen=cls.chosen))
        nodes = cls.box.nodes(["whole", "bare"], {15: TAG})
        for node, policy in zip(nodes, (ALL, TAGGED), strict=True):
            cls.box.enrol(node, policy)
            cls.box.wait(node, passes)
            # what it was for is done, and others are of its like
            node.end()
        cls.rows = [Rows(cls.box).get(node.agent_id) for node in nodes]
        for node in nodes:
            Rows(cls.box).remove(node.agent_id)

    def make_stage(self: Any) -> HttpsStage:
        return RealStage(self, self.box, *self.rows)

    def test_it_says_who_it_is(self: Any) -> None:
        for none in ("cert_file", "key_file"):
            with self.assertRaisesRegex(SettingsError, f"{none}: must be set"):
                self.stage.driver(**{none: ""})


class RealTest(RealContract, unittest.TestCase):
    chosen = Settings()


class RealPushTest(RealContract, unittest.TestCase):
    chosen = PUSH
