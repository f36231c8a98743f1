# SPDX-License-Identifier: Apache-2.0
"""Every driver of this package, and the fake, keep the contract."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.errors import SettingsError
from tests.authorities.contract import Contract
from tests.authorities.contract import HttpsContract
from tests.authorities.keylime_stage import KeylimeStage
from tests.authorities.keylime_stage import OldKeylimeStage
from tests.authorities.lab_stage import LabEachStage
from tests.authorities.lab_stage import LabStage
from tests.authorities.stage import EarEachStage
from tests.authorities.stage import EarStage
from tests.authorities.stage import FakeStage
from tests.authorities.stage import HttpsStage
from tests.authorities.stage import Stage


class FakeTest(Contract, unittest.TestCase):
    def make_stage(self) -> Stage:
        return FakeStage(self)


class EarTest(HttpsContract, unittest.TestCase):
    def make_stage(self) -> HttpsStage:
        return EarStage(self)


class EarEachTest(HttpsContract, unittest.TestCase):
    def make_stage(self) -> HttpsStage:
        return EarEachStage(self)


class LabTest(HttpsContract, unittest.TestCase):
    def make_stage(self) -> HttpsStage:
        return LabStage(self)


class LabEachTest(HttpsContract, unittest.TestCase):
    def make_stage(self) -> HttpsStage:
        return LabEachStage(self)


class KeylimeTest(HttpsContract, unittest.TestCase):
    stage: KeylimeStage

    def make_stage(self) -> HttpsStage:
        return KeylimeStage(self)

    def test_it_says_who_it_is(self) -> None:
        for none in ("cert_file", "key_file"):
            with self.assertRaisesRegex(SettingsError, f"{none}: must be set"):
                self.stage.driver(**{none: ""})
        self.assertEqual([], self.stage.server.asked)


class OldKeylimeTest(KeylimeTest):
    def make_stage(self) -> HttpsStage:
        return OldKeylimeStage(self)
