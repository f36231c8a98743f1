# SPDX-License-Identifier: Apache-2.0
"""Nobody is released who is not where Nova says."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.whereabouts import ASKED_MAX
from nfv_mla_scheduler.monitor.planning.whereabouts import UNTOLD_S
from nfv_mla_scheduler.monitor.planning.whereabouts import Whereabouts
from nfv_mla_scheduler.monitor.port import CloudCode
from tests.unit.monitor import clouds
from tests.unit.monitor.cloud_fake import MONITOR
from tests.unit.monitor.cloud_fake import FakeCloud
from tests.unit.monitor.cloud_fake import ident

A = ident(1)


class WhereaboutsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.cloud = FakeCloud(hosts=4)
        self.cloud.add_server(1)
        self.pool = ThreadPoolExecutor(2)
        self.addCleanup(self.pool.shutdown)
        self.whereabouts = Whereabouts(self.cloud, self.pool)
        self.mark = Mark(
            Code.STOP, "0a1b2c3d", self.cloud.now, self.cloud.now, "active"
        )
        self.monotonic = 0.0

    def there(
        self, *wanted: str, found: Iterable[str] = (), after_s: float = 10.0
    ) -> frozenset[str]:
        """Look once, and return who of these is where Nova says."""
        self.cloud.now += after_s
        self.monotonic += after_s
        picture = self.cloud.picture()
        marked = dict.fromkeys((*wanted, A), self.mark)
        found = set(found)
        self.whereabouts.follow(picture, found, marked, self.monotonic)
        return self.whereabouts.there(picture, wanted)

    def agrees(self) -> bool:
        return A in self.there(A)

    def test_what_placement_says(self) -> None:
        here, other = self.cloud.node("h1"), self.cloud.node("h2")
        below = ident(0x77)
        self.cloud.below[here.uuid] = frozenset({below})
        table: tuple[tuple[str, frozenset[str], bool], ...] = (
            ("here", frozenset({here.uuid}), True),
            ("here and elsewhere", frozenset({here.uuid, other.uuid}), True),
            ("below it", frozenset({below}), True),
            ("elsewhere", frozenset({other.uuid}), False),
            ("nothing", frozenset(), False),
        )
        for name, allocated, expected in table:
            with self.subTest(name):
                self.cloud.allocated[A] = allocated
                self.assertIs(expected, self.agrees())

    def test_who_cannot_be_told_of_is_not_there(self) -> None:
        self.cloud.fail("allocation", CloudCode.UNAVAILABLE)
        self.assertFalse(self.agrees())
        self.assertTrue(self.agrees())
        uuid = self.cloud.node("h1").uuid
        self.cloud.change_host("h1", uuid="")
        self.assertFalse(self.agrees())
        self.cloud.change_host("h1", uuid=uuid)
        self.cloud.change(A, host="", vm_state=VmState.SHELVED_OFFLOADED)
        self.there(A, found=[A])
        self.assertTrue(self.agrees())

    def test_who_is_elsewhere_without_a_record_of_it_has_to_wait(
        self,
    ) -> None:
        """Though Placement, where any host may write, says the same."""
        self.there(found=[A])
        self.cloud.change(A, host="h3")
        self.assertFalse(self.agrees())
        self.assertFalse(A in self.there(A, after_s=UNTOLD_S - 11))
        # elsewhere again: so does the time
        self.cloud.change(A, host="h2")
        self.assertFalse(self.agrees())
        self.assertFalse(A in self.there(A, after_s=UNTOLD_S - 1))
        self.assertTrue(A in self.there(A, after_s=1))
        self.assertTrue(self.agrees())

    def test_records_of_moves(self) -> None:
        table: tuple[tuple[str, dict[str, object], bool], ...] = (
            ("arrived", {}, True),
            ("elsewhere", {"dest": "h4"}, False),
            ("failed", {"course": Course.FAILED, "status": "error"}, False),
            ("under way", {"course": Course.UNDER_WAY}, False),
            ("long before", {"created": self.cloud.now - 31}, False),
            (
                "reverted to where it came from",
                {
                    "course": Course.FAILED,
                    "status": "reverted",
                    "source": "h3",
                    "dest": "h1",
                },
                True,
            ),
            ("somebody else's", {"user_id": "u-admin"}, True),
        )
        for name, changes, expected in table:
            with self.subTest(name):
                self.setUp()
                self.there(found=[A])
                self.cloud.moves[1] = self.move(**changes)
                self.cloud.change(A, host="h3")
                self.assertIs(expected, self.agrees())
                # Nova, and what is kept of it, forgets them
                self.cloud.moves.clear()
                self.assertIs(expected, self.agrees())

    def move(self, **changes: object) -> Migration:
        one = clouds.move(
            self.cloud.peek(A),
            dest="h3",
            user_id=MONITOR,
            course=Course.ARRIVED,
            status="completed",
            created=self.cloud.now,
        )
        return dataclasses.replace(one, **changes)  # type: ignore[arg-type]

    def test_where_it_is_found_again_is_where_it_was(self) -> None:
        self.there(found=[A])
        self.cloud.change(A, host="h3")
        self.there(found=[A])
        self.assertTrue(self.agrees())

    def test_no_more_are_asked_about_than_some_and_all_in_turn(self) -> None:
        many = [ident(n) for n in range(2, 2 + 3 * ASKED_MAX)]
        for number in range(2, 2 + 3 * ASKED_MAX):
            self.cloud.add_server(number)
            self.cloud.allocated[ident(number)] = frozenset()
        self.cloud.log.clear()
        for looks in (1, 2, 3):
            self.there(*many)
            asked = [e[1] for e in self.cloud.log if e[0] == "allocation"]
            self.assertEqual(looks * ASKED_MAX, len(set(asked)))
            self.assertEqual(len(set(asked)), len(asked))
        # liars keep nobody from being asked about
        self.assertTrue(A in self.there(*many, A))
