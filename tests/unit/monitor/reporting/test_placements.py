# SPDX-License-Identifier: Apache-2.0
"""Where servers with requirements are, from look to look."""

from __future__ import annotations

import json
import unittest
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.reporting import placements
from nfv_mla_scheduler.monitor.reporting.placements import Place
from nfv_mla_scheduler.monitor.reporting.placements import Seen
from nfv_mla_scheduler.monitor.reporting.placements import compare
from nfv_mla_scheduler.monitor.reporting.placements import standing_fields
from nfv_mla_scheduler.monitor.reporting.placements import together
from tests.unit.monitor.clouds import picture
from tests.unit.monitor.clouds import server
from tests.unit.monitor.clouds import uuid

ONE, TWO = uuid(1), uuid(2)
AT_H1 = {ONE: Place("h1", "p1")}


def look(
    known: Mapping[str, Place],
    before: Iterable[Server] | None,
    now: Iterable[Server],
    asking: Iterable[str] | None = None,
    sealed: Mapping[str, str] | None = None,
) -> list[tuple[str, str, str]]:
    """Return kind, host, and what else there is to say, of each change."""
    servers = list(now)
    found = compare(
        known,
        None if before is None else {s.uuid: s for s in before},
        picture(servers),
        {s.uuid for s in servers} if asking is None else set(asking),
        sealed or {},
    )
    return [
        (
            s.kind.value,
            s.place.host,
            s.before or s.code or s.place.domain or "",
        )
        for s in found
    ]


class CompareTest(unittest.TestCase):
    def test_each_change(self) -> None:
        here = server(1)
        there = server(1, "h2")
        for name, known, before, now, asking, expected in (
            ("first look", {}, None, [here], None, [("standing", "h1", "")]),
            ("new", {}, [], [here], None, [("placed", "h1", "")]),
            ("as before", AT_H1, [here], [here], None, []),
            ("moved", AT_H1, [here], [there], None, [("moved", "h2", "h1")]),
            ("deleted", AT_H1, [here], [], None, [("gone", "h1", "gone")]),
            (
                "offloaded",
                AT_H1,
                [here],
                [server(1, "")],
                None,
                [("gone", "h1", "on-no-host")],
            ),
            (
                "asks for nothing any more",
                AT_H1,
                [here],
                [here],
                [],
                [("gone", "h1", "asks-nothing")],
            ),
            ("asks for nothing", {}, [here], [here], [], []),
            (
                "asks for something from now on",
                {},
                [here],
                [here],
                [ONE],
                [("standing", "h1", "")],
            ),
            (
                "asks for something, elsewhere",
                {},
                [here],
                [there],
                [ONE],
                [("placed", "h2", "")],
            ),
            ("on no host yet", {}, [], [server(1, "")], None, []),
            (
                "on its host at last",
                {},
                [server(1, "")],
                [here],
                None,
                [("placed", "h1", "")],
            ),
        ):
            with self.subTest(name):
                self.assertEqual(expected, look(known, before, now, asking))

    def test_what_is_sealed_from_now_on_begins_there_and_ends_nowhere(
        self,
    ) -> None:
        here = [server(1)]
        self.assertEqual(
            [("standing", "h1", "li")],
            look(AT_H1, here, here, sealed={ONE: "li"}),
        )

    def test_a_sealed_server_that_is_gone_is_gone_for_its_domain(self) -> None:
        known = {ONE: Place("h1", "p1", "li")}
        (seen,) = compare(known, {}, picture(), frozenset(), {})
        self.assertEqual("li", seen.place.domain)

    def test_after_all_changes_there_is_none(self) -> None:
        now = [server(1, "h2"), server(3)]
        known = {ONE: Place("h1", "p1"), TWO: Place("h1", "p1")}
        shown = picture(now)
        asking = {s.uuid for s in now}
        seen = compare(known, {}, shown, asking, {})
        self.assertEqual(3, len(seen))
        after = placements.apply(known, seen)
        self.assertEqual([], compare(after, {}, shown, asking, {}))
        self.assertEqual({ONE, uuid(3)}, after.keys())


class FieldsTest(unittest.TestCase):
    def test_what_is_said_of_each(self) -> None:
        place = Place("h2", "p1")
        for seen, expected in (
            (
                Seen(EventKind.MOVED, ONE, place, "h1"),
                {"server": ONE, "project": "p1", "from": "h1", "to": "h2"},
            ),
            (
                Seen(EventKind.PLACED, ONE, place),
                {"server": ONE, "project": "p1", "host": "h2"},
            ),
            (
                Seen(EventKind.GONE, ONE, place, code="gone"),
                {"server": ONE, "project": "p1", "host": "h2", "code": "gone"},
            ),
        ):
            self.assertEqual(expected, seen.fields)

    def test_an_entry_holds_so_many_and_no_more(self) -> None:
        for hosts, host in ((1, "h"), (7, "h"), (250, "a" * 60)):
            standing = [
                Seen(
                    EventKind.STANDING,
                    uuid(n),
                    Place(f"{host}{n % hosts}", "p1"),
                )
                for n in range(250)
            ]
            entries = [
                standing_fields(some) for some in together(standing, 100, 5000)
            ]
            told = {}
            for entry in entries:
                self.assertLess(len(json.dumps(entry)), 5200)
                for each in entry["hosts"]:  # type: ignore[union-attr]
                    self.assertLessEqual(len(each["servers"]), 100)
                    for one in each["servers"]:
                        self.assertNotIn(one, told)
                        told[one] = each["host"]
            self.assertEqual({s.server: s.place.host for s in standing}, told)
            self.assertGreaterEqual(len(entries), 3)

    def test_of_nothing_there_is_no_entry(self) -> None:
        self.assertEqual([], list(together([], 100, 5000)))


if __name__ == "__main__":
    unittest.main()
