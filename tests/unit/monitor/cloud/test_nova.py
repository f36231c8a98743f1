# SPDX-License-Identifier: Apache-2.0
"""Which requests Nova gets, to the letter."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.cloud.nova import Nova
from nfv_mla_scheduler.monitor.picture import Course
from tests.unit.monitor.cloud import listed
from tests.unit.monitor.cloud.api import Api

SINCE = 1795432020.75
SERVERS = "/servers/detail?all_tenants=1&sort_key=uuid&sort_dir=asc"


def move(number: int, created: str, updated: str | None) -> listed.Json:
    """Return a migration of one day, at these times of the day."""
    return listed.migration(
        id=number,
        uuid=f"00000000-0000-0000-0000-{number:012d}",
        created_at=f"2026-11-23T{created}.000000",
        updated_at=updated and f"2026-11-23T{updated}.000000",
    )


class RequestsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.api = Api()
        self.addCleanup(self.api.close)
        self.nova = Nova(self.api.channel())

    def _asked(self) -> list[str]:
        return [f"{a.method} {a.target}" for a in self.api.asked]

    def test_a_full_listing(self) -> None:
        self.api.answers = [
            (200, {"servers": [listed.server()]}),
            (200, {"servers": []}),
            (200, {"services": []}),
        ]
        first, last = self.nova.servers(None)
        self.assertEqual(listed.UUID, first.next)
        self.assertEqual(((), ""), (last.servers, last.next))
        full = f"GET {SERVERS}&soft_deleted=1&limit=1000"
        self.assertEqual(
            [
                full,
                f"{full}&marker={listed.UUID}",
                "GET /os-services?binary=nova-compute",
            ],
            self._asked(),
        )

    def test_what_changed_begins_with_the_whole_second(self) -> None:
        self.api.answers = [(200, {"servers": []})]
        (page,) = self.nova.servers(SINCE)
        self.assertEqual("", page.next)
        self.assertEqual(
            [
                f"GET {SERVERS}&changes-since=2026-11-23T11%3A07%3A00Z"
                "&limit=1000"
            ],
            self._asked(),
        )

    def test_a_page_is_asked_for_when_the_one_before_is_done(self) -> None:
        self.api.answers = [(200, {"servers": [listed.server()]})]
        next(self.nova.servers(None))
        self.assertEqual(1, len(self.api.asked))

    def test_moves_that_changed_and_moves_that_never_did(self) -> None:
        newest = [
            move(5, "11:09:00", None),
            move(4, "11:08:00", "11:08:30"),
            move(3, "11:05:00", None),
            move(2, "11:04:00", "11:04:30"),
        ]
        changed = [newest[1], move(1, "09:00:00", "11:09:00")]
        self.api.answers = [
            (200, {"migrations": newest}),
            (200, {"migrations": changed}),
            (200, {"migrations": []}),
        ]
        moves = self.nova.migrations(SINCE)
        self.assertEqual([1, 4, 5], [found.number for found in moves])
        since = "changes-since=2026-11-23T11%3A07%3A00Z&limit=1000"
        marker = "marker=00000000-0000-0000-0000-000000000001"
        self.assertEqual(
            [
                "GET /os-migrations?limit=1000",
                f"GET /os-migrations?{since}",
                f"GET /os-migrations?{since}&{marker}",
            ],
            self._asked(),
        )

    def test_moves_in_spite_of_one_that_cannot_be_read(self) -> None:
        bad = {**move(2, "11:04:00", None), "status": None}
        newest, oldest = move(3, "11:05:00", None), move(1, "11:03:00", None)
        for count, *answers in (
            (2, [newest, bad], [oldest], []),
            # also where there is no other
            (0, [bad], []),
        ):
            self.api.answers = [
                (200, {"migrations": page}) for page in answers
            ]
            self.assertEqual(count, len(self.nova.migrations(NEVER)))
            (said,) = self.nova.unread
            self.assertEqual(
                "1 migrations cannot be read: status is no short text: None",
                said,
            )
        self.api.answers = [(200, {"migrations": []})]
        self.nova.migrations(NEVER)
        self.assertEqual((), self.nova.unread)

    def test_all_moves_that_there_ever_were(self) -> None:
        self.api.answers = [
            (200, {"migrations": [move(2, "11:04:00", None)]}),
            (200, {"migrations": [move(1, "11:03:00", None)]}),
            (200, {"migrations": []}),
        ]
        moves = self.nova.migrations(NEVER)
        self.assertEqual([1, 2], [found.number for found in moves])
        self.assertEqual({Course.ARRIVED}, {found.course for found in moves})

    def test_what_is_sent_with_each_action(self) -> None:
        for action, argument, body in (
            (
                "os-migrateLive",
                None,
                {"host": None, "block_migration": "auto"},
            ),
            ("migrate", None, None),
            ("confirmResize", None, None),
            ("revertResize", None, None),
            ("os-stop", None, None),
            ("os-start", None, None),
            ("pause", None, None),
            ("unpause", None, None),
            ("resume", None, None),
            ("unrescue", None, None),
            ("restore", None, None),
            ("os-resetState", None, {"state": "error"}),
            ("os-resetState", {"state": "active"}, {"state": "active"}),
            ("evacuate", None, {}),
            ("rebuild", {"imageRef": "x"}, {"imageRef": "x"}),
        ):
            self.api.asked.clear()
            self.api.answers = [(202, b"")]
            self.nova.act(listed.UUID, action, argument)
            (asked,) = self.api.asked
            self.assertEqual(
                ("POST", f"/servers/{listed.UUID}/action", {action: body}),
                (asked.method, asked.target, asked.body),
            )

    def test_names_cannot_leave_their_place_in_a_path(self) -> None:
        self.api.answers = [(200, {}), (202, b"")]
        self.nova.enable("../x?")
        self.nova.abort("a/b", 3)
        self.assertEqual(
            [
                "PUT /os-services/..%2Fx%3F",
                "DELETE /servers/a%2Fb/migrations/3",
            ],
            self._asked(),
        )
