# SPDX-License-Identifier: Apache-2.0
"""A registrar is asked when that is due; its silence lets nothing count."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.authority.keylime.seen import Seen
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import KeylimeCode
from tests.authorities import keylime_data as data
from tests.authorities.servers import End
from tests.authorities.servers import page
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import C
from tests.unit.authority.keylime.pinning import PINNED
from tests.unit.authority.keylime.pinning import RECHECK_S
from tests.unit.authority.keylime.pinning import RegistrarCase


class SilentTest(RegistrarCase):
    def check_silent(self) -> None:
        found = self.ask()
        self.refused(found, B, KeylimeCode.REGISTRAR_SILENT)
        self.assertFalse(found.complete)
        self.assertIn(A, found.results)

    def test_one_that_does_not_answer_lets_no_pinned_key_count(self) -> None:
        answers: dict[str, Callable[..., Any]] = {
            "hangs up": lambda _asked: [End.PROPER],
            "500": lambda _asked: [page(status=500)],
            "403": lambda _asked: [page(status=403)],
            "half": lambda _asked: [page(b'{"results": {')],
            "other version": lambda _asked: [page(b'{"results": {}}')],
        }
        for name, answer in answers.items():
            with self.subTest(name):
                self.other.answer = answer
                self.check_silent()
        self.talk()
        self.assertIn(B, self.ask().results)

    def test_one_that_is_down(self) -> None:
        self.other.stop()
        self.check_silent()

    def test_one_that_is_slow_keeps_the_others_waiting_no_longer(self) -> None:
        self.driver = self.stage.driver(
            registrar=self.other.url, timeout_s=0.3
        )
        self.pinned = dict.fromkeys((A, B), (PINNED,))
        self.other.answer = lambda _asked: [5.0]
        started = time.monotonic()
        found = self.ask()
        self.assertLess(time.monotonic() - started, 3)
        self.assertEqual({}, dict(found.results))
        self.assertFalse(found.complete)

    def test_one_agent_that_cannot_be_asked_for_costs_no_other(self) -> None:
        self.pinned = dict.fromkeys((A, B), (PINNED,))

        def answer(asked: Any) -> Any:
            if asked.path.endswith(A):
                return [page(status=500)]
            return self.stage.answer(asked)

        self.other.answer = answer
        for _ in range(2):
            found = self.ask()
            self.refused(found, A, KeylimeCode.REGISTRAR_SILENT)
            self.assertEqual(PINNED, found.results[B].key)


class AgainTest(RegistrarCase):
    def setUp(self) -> None:
        super().setUp()
        # so far that nobody who is new could have come there
        self.count(10_000)

    def count(self, succeeded: int) -> None:
        self.stage.agents[B]["attestation_count"] = succeeded

    def test_it_is_not_asked_again_while_nothing_changes(self) -> None:
        for _ in range(3):
            self.stage.say(B)
            self.count(10_000)
            self.now += RECHECK_S / 4
            self.assertIn(B, self.ask().results)
        self.assertEqual(1, self.looks())

    def test_it_is_asked_again_of_one_that_counts_from_the_start(
        self,
    ) -> None:
        self.ask()
        self.count(9_999)
        self.stage.entries[B]["ek_tpm"] = data.in_base64(
            data.marshalled(data.rsa_key())
        )
        self.refused(self.ask(), B, KeylimeCode.OTHER_KEY)

    def test_it_is_asked_again_of_one_that_may_have_started_since(
        self,
    ) -> None:
        self.count(3)
        self.ask()
        del self.stage.entries[B]
        self.count(4)
        self.now += 10
        self.refused(self.ask(), B, KeylimeCode.NOT_REGISTERED)

    def test_it_is_asked_again_of_one_that_did_not_pass_in_between(
        self,
    ) -> None:
        record = self.stage.agents[B]
        for between in (
            None,
            data.agent(data.FAILED),
            {**record, "attestation_status": "PENDING"},
            {**record, "attestation_status": "TIMEOUT"},
            {**record, "attestation_count": None},
            {**record, "attestation_count": "?"},
            {**record, "has_mb_refstate": 0, "tpm_policy": "{}"},
        ):
            with self.subTest(between):
                self.stage.agents[B] = record
                self.assertEqual(PINNED, self.ask().results[B].key)
                entry = self.stage.entries.pop(B)
                if between is None:
                    del self.stage.agents[B]
                else:
                    self.stage.agents[B] = between
                self.ask()
                self.stage.agents[B] = record
                self.refused(self.ask(), B, KeylimeCode.NOT_REGISTERED)
                self.stage.entries[B] = entry
                self.ask(B, targeted=True)

    def test_it_is_asked_again_after_the_verifier_was_silent(self) -> None:
        self.count(10_000)
        self.ask()
        answer = self.stage.server.answer
        self.stage.server.answer = lambda _asked: [page(status=500)]
        with self.assertRaises(AuthorityError):
            self.ask()
        self.stage.server.answer = answer
        # as long as it takes to come so far anew
        self.now += 2 * 10_000 / 2
        self.assertEqual(1, self.looks())
        self.ask()
        self.assertEqual(2, self.looks())

    def test_it_is_asked_again_when_the_time_is_over(self) -> None:
        self.ask()
        self.now += RECHECK_S
        del self.stage.entries[B]
        self.refused(self.ask(), B, KeylimeCode.NOT_REGISTERED)
        self.assertEqual(2, self.looks())

    def test_it_is_asked_again_when_the_record_changes(self) -> None:
        self.ask()
        self.stage.agents[B]["port"] = 7
        self.stage.entries[B]["ek_tpm"] = data.in_base64(
            data.marshalled(data.rsa_key())
        )
        self.refused(self.ask(), B, KeylimeCode.OTHER_KEY)

    def test_it_is_asked_again_when_somebody_wants_to_know_soon(self) -> None:
        self.ask()
        del self.stage.entries[B]
        found = self.ask(B, targeted=True)
        self.refused(found, B, KeylimeCode.NOT_REGISTERED)

    def test_what_it_said_outlasts_a_short_silence(self) -> None:
        self.ask()
        self.silence()
        for _ in range(2):
            self.now += RECHECK_S - 1
            self.ask()
        self.now += 1
        self.assertEqual(PINNED, self.ask().results[B].key)
        self.now += 1
        self.refused(self.ask(), B, KeylimeCode.REGISTRAR_SILENT)

    def test_but_not_a_change_of_the_record(self) -> None:
        self.ask()
        self.silence()
        self.stage.agents[B]["meta_data"] = '{"x": 1}'
        self.refused(self.ask(), B, KeylimeCode.REGISTRAR_SILENT)

    def test_other_pins_are_held_against_what_is_known(self) -> None:
        self.ask()
        self.pinned = {B: ("sha256:" + "0" * 64,)}
        self.refused(self.ask(), B, KeylimeCode.OTHER_KEY)
        self.assertEqual(1, self.looks())

    def test_each_one_has_its_turn(self) -> None:
        # however little time there is, nobody is asked for twice before
        for agent in (A, C):
            self.stage.entries[agent] = self.stage.entries[B]
        wanted = dict.fromkeys((A, B, C), Seen("the same", 10_000, 1, 0, 0))
        for count in (1, 2, 3):
            self.now += 1
            # for the version, for one agent, and for nobody else
            left = iter((5.0, 5.0, 5.0) if count == 1 else (5.0, 5.0))
            known = self.driver._registrar.looks(
                wanted,
                wanted.keys(),
                (),
                lambda: False,
                lambda left=left: next(left, 0.0),
            )
            self.assertEqual(count, len(known))
        self.assertEqual(3, self.looks())
