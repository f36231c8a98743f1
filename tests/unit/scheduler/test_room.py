# SPDX-License-Identifier: Apache-2.0
"""What Placement said of room holds for a while, and failure is no room."""

from __future__ import annotations

import logging
import threading
import time
import types
import unittest
from unittest import mock

from nfv_mla_scheduler.scheduler import room
from nfv_mla_scheduler.scheduler.room import Footprint
from nfv_mla_scheduler.scheduler.room import PlacementRoom

OURS = "nfv_mla_scheduler.scheduler.room"


class Placement:
    """Answers, or fails; remembers what it was asked."""

    def __init__(self, found: frozenset[str] = frozenset({"a"})) -> None:
        self.found: frozenset[str] | Exception = found
        self.asked: list[tuple[Footprint, str]] = []

    def __call__(self, footprint: Footprint) -> frozenset[str]:
        self.asked.append((footprint, threading.current_thread().name))
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class RoomTest(unittest.TestCase):
    def _room(self, placement: Placement, max_age_s: float) -> PlacementRoom:
        found = PlacementRoom(max_age_s, placement)
        self.addCleanup(found.stop)
        return found

    def test_starts_nothing_before_it_is_asked(self) -> None:
        placement = Placement()
        before = threading.active_count()
        here = self._room(placement, 30)
        here.refresh()
        here.stop()
        self.assertEqual(before, threading.active_count())
        self.assertEqual([], placement.asked)

    def test_is_asked_once_about_a_footprint_however_it_is_ordered(
        self,
    ) -> None:
        placement = Placement()
        here = self._room(placement, 30)
        for amounts in (
            {"VCPU": 2, "MEMORY_MB": 4},
            {"MEMORY_MB": 4, "VCPU": 2},
        ):
            self.assertEqual({"a"}, here(amounts))
        self.assertEqual(
            [(("MEMORY_MB", 4), ("VCPU", 2))], [f for f, _ in placement.asked]
        )

    def test_many_threads_ask_once(self) -> None:
        placement = Placement()
        here = self._room(placement, 30)
        threads = [
            threading.Thread(target=here, args=({"VCPU": 1},))
            for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(1, len(placement.asked))

    def test_is_refreshed_in_the_background(self) -> None:
        placement = Placement()
        here = self._room(placement, 0.2)
        here({"VCPU": 1})
        placement.found = frozenset({"b"})
        end = time.monotonic() + 5
        while here({"VCPU": 1}) != {"b"}:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        self.assertIn("nfv-mla room", {name for _, name in placement.asked})

    def test_failure_is_not_known_and_asked_again_in_the_background(
        self,
    ) -> None:
        placement = Placement()
        placement.found = ConnectionError("refused\n" * 900)
        here = self._room(placement, 30)
        with self.assertLogs(OURS, logging.INFO) as logs:
            for _ in range(5):
                self.assertIsNone(here({"VCPU": 1}))
            asked = len(placement.asked)
            self.assertLessEqual(asked, 2)
            here.refresh()
            placement.found = frozenset({"a"})
            here.refresh()
        self.assertEqual({"a"}, here({"VCPU": 1}))
        self.assertEqual(2, len(logs.output))
        self.assertNotIn("\n", logs.output[0])
        self.assertLess(len(logs.output[0]), 400)

    def test_an_answer_that_cannot_be_had_anew_grows_old(self) -> None:
        placement = Placement()
        here = self._room(placement, 0.2)
        self.assertEqual({"a"}, here({"VCPU": 1}))
        placement.found = ConnectionError()
        self.assertEqual({"a"}, here({"VCPU": 1}))
        time.sleep(0.3)
        self.assertIsNone(here({"VCPU": 1}))

    def test_what_nobody_needs_any_more_is_forgotten(self) -> None:
        placement = Placement()
        here = self._room(placement, 30)
        here({"VCPU": 1})
        with mock.patch.object(
            time, "monotonic", return_value=time.monotonic() + 3601
        ):
            here.refresh()
        self.assertEqual({}, here._answers)


class AskTest(unittest.TestCase):
    """The request, as Nova's client of Placement sends it."""

    def _ask(self, status: int, body: object) -> frozenset[str]:
        response = types.SimpleNamespace(status_code=status, json=lambda: body)
        client = mock.Mock(get=mock.Mock(return_value=response))
        with mock.patch(
            "nova.scheduler.client.report.report_client_singleton",
            return_value=client,
        ):
            found = room.ask_placement((("MEMORY_MB", 4), ("VCPU", 2)))
        client.get.assert_called_once_with(
            "/resource_providers?resources=MEMORY_MB:4,VCPU:2"
            "&required=!COMPUTE_STATUS_DISABLED",
            version="1.22",
        )
        return found

    def test_names_the_providers(self) -> None:
        providers = [{"uuid": "a", "name": "x"}, {"uuid": "b"}]
        self.assertEqual(
            {"a", "b"}, self._ask(200, {"resource_providers": providers})
        )

    def test_whatever_else_it_says_is_a_failure(self) -> None:
        for status, body in (
            (503, {}),
            (400, {"errors": []}),
            (200, {}),
            (200, []),
            (200, {"resource_providers": [{}]}),
        ):
            with self.assertRaises(Exception):  # noqa: B017
                self._ask(status, body)
