# SPDX-License-Identifier: Apache-2.0
"""Whatever a server does, an exchange ends in time, and says what it was."""

from __future__ import annotations

import time

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from tests.authorities.ill_behaved import ILL_BEHAVED
from tests.authorities.ill_behaved import answer
from tests.unit.https.stage import DEADLINE_S
from tests.unit.https.stage import HttpsTest
from tests.unit.https.stage import fine


def _deadline_s(code: ContactCode) -> float:
    """Return how long a client waits: no longer than it has to."""
    return DEADLINE_S if code is ContactCode.TIMED_OUT else 5.0


class IllBehavedTest(HttpsTest):
    def test_each_has_a_name_and_ends_in_time(self) -> None:
        server = self.serve()
        for name, (_, code) in ILL_BEHAVED.items():
            with self.subTest(name):
                client = self.client_of(server, deadline_s=_deadline_s(code))
                server.answer = answer(name)
                started = time.monotonic()
                message = self.assert_fails(
                    code, lambda client=client: self.get(client, "?id=secret")
                )
                took_s = time.monotonic() - started
                self.assertLess(took_s, _deadline_s(code) + 1)
                if code is ContactCode.TIMED_OUT:
                    self.assertGreater(took_s, DEADLINE_S * 0.9)
                self.assertIn(f"127.0.0.1:{server.port}", message)
                self.assertNotIn("secret", message)

    def test_the_client_works_again_afterwards(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        for name, (_, code) in ILL_BEHAVED.items():
            with self.subTest(name):
                server.answer = answer(name)
                with self.assertRaises(ContactFailed):
                    self.get(client, deadline_s=_deadline_s(code))
                server.answer = fine
                self.assertEqual(b"{}", self.get(client).body)

    def test_one_that_sends_for_ever_is_not_read_for_ever(self) -> None:
        # The deadline is far away: what ends these is how much they send.
        server = self.serve()
        for name, (_, code) in ILL_BEHAVED.items():
            if code is not ContactCode.TOO_LARGE:
                continue
            with self.subTest(name):
                client = self.client_of(server, deadline_s=30)
                server.answer = answer(name)
                started = time.monotonic()
                self.assert_fails(code, lambda client=client: self.get(client))
                self.assertLess(time.monotonic() - started, 5)


class NoServerTest(HttpsTest):
    def test_a_port_at_which_nobody_is(self) -> None:
        server = self.serve()
        server.stop()
        client = self.client_of(server)
        message = self.assert_fails(
            ContactCode.UNREACHABLE, lambda: self.get(client)
        )
        self.assertIn("refused", message)

    def test_a_name_that_nobody_has(self) -> None:
        client = self.client_of("https://nobody.invalid/")
        message = self.assert_fails(
            ContactCode.UNREACHABLE, lambda: self.get(client)
        )
        self.assertIn(
            "nobody.invalid:443: its name cannot be looked up: ", message
        )
