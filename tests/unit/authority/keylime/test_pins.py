# SPDX-License-Identifier: Apache-2.0
"""The keys that the policy pins are held against those of the registrar."""

from __future__ import annotations

import time

from nfv_mla_scheduler.authority.keylime import registrar
from nfv_mla_scheduler.collector.board import Board
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import KeylimeCode
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Status
from tests.authorities import keylime_data as data
from tests.authorities.stage import NAME
from tests.unit.authority.keylime.driving import ALL
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.pinning import PINNED
from tests.unit.authority.keylime.pinning import RECHECK_S
from tests.unit.authority.keylime.pinning import RegistrarCase
from tests.unit.authority.keylime.reading import SKEW_S


class ComparedTest(RegistrarCase):
    def test_the_key_that_was_found_is_in_the_result(self) -> None:
        found = self.ask()
        self.assertEqual((), found.problems)
        self.assertEqual(PINNED, found.results[B].key)
        self.assertEqual("", found.results[A].key)
        self.assertEqual(ALL, set(found.results[B].claims))

    def test_any_of_the_digests_of_any_of_its_keys_will_do(self) -> None:
        entry = self.stage.entries[B]
        keys = registrar.keys_of(entry)
        self.assertEqual(4, len(keys))
        for key in keys:
            self.pinned = {B: ("sha256:" + "0" * 64, key)}
            self.assertEqual(key, self.ask().results[B].key)

    def test_another_tpm_gives_nothing(self) -> None:
        self.stage.entries[B]["ek_tpm"] = data.in_base64(
            data.marshalled(data.rsa_key())
        )
        found = self.ask()
        self.refused(found, B, KeylimeCode.OTHER_KEY)
        self.assertTrue(found.complete)
        self.assertIn(A, found.results)

    def test_nor_does_one_that_the_registrar_does_not_know(self) -> None:
        # one that is not active is answered in the same way
        del self.stage.entries[B]
        found = self.ask()
        self.refused(found, B, KeylimeCode.NOT_REGISTERED)
        self.assertTrue(found.complete)

    def test_nor_does_an_entry_that_cannot_be_read(self) -> None:
        for entry in ({}, {"ek_tpm": 7}, data.entry(aik_tpm=None)):
            self.stage.entries[B] = entry
            self.driver = self.stage.driver(registrar=self.other.url)
            found = self.ask()
            self.refused(found, B, KeylimeCode.MALFORMED)
            self.assertFalse(found.complete)

    def test_where_nothing_is_pinned_nothing_is_asked(self) -> None:
        self.silence()
        found = self.collect()
        self.assertEqual({A, B}, set(found.results))
        self.assertTrue(found.complete)
        self.assertEqual([], self.other.asked)

    def test_a_failure_speaks_whatever_the_key(self) -> None:
        self.silence()
        self.stage.agents[B] = data.agent(data.FAILED)
        found = self.ask()
        claim = found.results[B].claims["attestation"]
        self.assertIs(Status.CONTRAINDICATED, claim.status)
        self.assertEqual("", found.results[B].key)
        self.assertEqual([], self.other.asked)

    def test_whatever_its_name_an_agent_is_asked_for(self) -> None:
        for name in ("..", ".", "a/b?c=d", "ß +", "%2e"):
            with self.subTest(name):
                self.stage.say(name)
                self.stage.entries[name] = self.stage.entries[B]
                self.pinned = {name: (PINNED,)}
                found = self.ask(name)
                self.assertEqual(PINNED, found.results[name].key)

    def test_the_key_is_on_the_board_until_the_tpm_is_another(self) -> None:
        board = Board(SKEW_S, frozenset({NAME}))
        asked = self.inquiry(pinned=self.pinned)
        board.rule({NAME: Task(asked, 30, 60)}, time.time(), pins_hold=False)
        board.take(NAME, asked, self.ask(), time.time())
        self.assertEqual(PINNED, board.said[NAME].results[B].key)
        self.assertEqual(FOREVER, board.said[NAME].freshness[B].until)
        self.now += RECHECK_S
        del self.stage.entries[B]
        board.take(NAME, asked, self.ask(), time.time())
        self.assertLessEqual(board.said[NAME].freshness[B].until, time.time())
