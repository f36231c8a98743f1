# SPDX-License-Identifier: Apache-2.0
"""The entries of all chains together, by their times."""

from __future__ import annotations

import pathlib
import tempfile
import unittest
from typing import Any

from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.files import LedgerUnreadable
from nfv_mla_scheduler.audit.reading.timeline import Left
from nfv_mla_scheduler.audit.reading.timeline import Opener
from nfv_mla_scheduler.audit.reading.timeline import Reader
from nfv_mla_scheduler.audit.reading.timeline import timeline
from nfv_mla_scheduler.audit.sealing import open_block
from nfv_mla_scheduler.audit.sealing import read_opening_key
from nfv_mla_scheduler.audit.shown import Shown
from nfv_mla_scheduler.audit.shown import Wanted
from tests.unit.audit.scribbled import NOON
from tests.unit.audit.scribbled import SERVER
from tests.unit.audit.scribbled import Domain
from tests.unit.audit.scribbled import Ledger

PLACED = EventKind.PLACED
ONE, TWO = "ctl-1.nova-scheduler.0", "ctl-2.nova-scheduler.0"


class TimelineTestCase(unittest.TestCase):
    def setUp(self) -> None:
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.directory = pathlib.Path(held.name) / "ledger"
        self.ledger = Ledger(self.directory)
        self.left = Left()

    def read(
        self, opener: Opener | None = None, **wanted: Any
    ) -> list[tuple[str, Any]]:
        """Return each entry's origin, and the number in its fields."""
        return [
            (found.origin, found.fields.get("count"))
            for found in self.shown(opener, **wanted)
        ]

    def shown(
        self, opener: Opener | None = None, **wanted: Any
    ) -> list[Shown]:
        reader = Reader(Wanted(**wanted), opener, self.left)
        return list(timeline(self.directory, reader))


class OrderTest(TimelineTestCase):
    def test_origins_are_merged_by_time(self) -> None:
        one, two = self.ledger.origin(ONE), self.ledger.origin(TWO)
        for number in range(6):
            chain = two if number % 3 else one
            chain.add(PLACED, NOON + number, {"count": number})
            if number == 3:
                two.rotate()
        found = self.read()
        self.assertEqual(list(range(6)), [number for _, number in found])
        self.assertEqual([ONE, TWO, TWO, ONE, TWO, TWO], [o for o, _ in found])

    def test_a_chain_keeps_its_order_when_its_clock_goes_back(self) -> None:
        one, two = self.ledger.origin(ONE), self.ledger.origin(TWO)
        for number, at in enumerate((10, 3, float("nan"), 11)):
            one.add(PLACED, NOON + at, {"count": number})
        two.add(PLACED, NOON + 10.5, {"count": 9})
        numbers = [number for _, number in self.read()]
        self.assertEqual([0, 1, 2, 9, 3], numbers)

    def test_what_is_no_entry_is_counted_and_passed_over(self) -> None:
        one = self.ledger.origin(ONE)
        one.add(PLACED, NOON, {"count": 1})
        one.write(b"garbage\n" + b"x" * 40000 + b"\n{}\n")
        one.add(PLACED, NOON, {"count": 2})
        one.write(b'{"seq":3,"prev":"')
        self.assertEqual([(ONE, 1), (ONE, 2)], self.read())
        self.assertEqual(4, self.left.lines)

    def test_a_file_that_cannot_be_read_does_not_hide_the_others(self) -> None:
        one, two = self.ledger.origin(ONE), self.ledger.origin(TWO)
        one.add(PLACED, NOON, {"count": 1})
        two.add(PLACED, NOON, {"count": 2})
        bad = one.path.with_name("x.jsonl.gz")
        bad.write_bytes(b"\x1f\x8b no gzip")
        self.assertEqual([(ONE, 1), (TWO, 2)], self.read())
        (fault,) = self.left.faults
        self.assertIn("x.jsonl.gz", fault)

    def test_where_there_is_no_ledger(self) -> None:
        one = self.ledger.origin(ONE)
        self.directory = one.directory
        with self.assertRaisesRegex(LedgerUnreadable, "of one origin"):
            self.shown()
        self.directory = self.directory / "nowhere"
        with self.assertRaises(LedgerUnreadable):
            self.shown()

    def test_what_is_not_wanted(self) -> None:
        one, two = self.ledger.origin(ONE), self.ledger.origin(TWO)
        one.add(EventKind.HEARTBEAT, NOON, {"count": 1})
        one.add(PLACED, NOON, {"count": 2, "server": SERVER})
        two.add(EventKind.MOVED, NOON + 5, {"count": 3})
        for wanted, expected in (
            ({}, [2, 3]),
            ({"steady": True}, [1, 2, 3]),
            ({"origins": frozenset((TWO,))}, [3]),
            ({"kinds": frozenset(("heartbeat",))}, [1]),
            ({"names": (SERVER,)}, [2]),
            ({"since": NOON + 1}, [3]),
        ):
            with self.subTest(wanted):
                found = [number for _, number in self.read(**wanted)]
                self.assertEqual(expected, found)


class SealedTest(TimelineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.acme, self.other = Domain(), Domain()
        common = self.ledger.origin(ONE)
        common.add(PLACED, NOON + 2, {"count": 1})
        common.add(PLACED, NOON + 8, {"count": 2})
        chain = self.ledger.sealed(ONE, "acme")
        block = self.acme.block(
            (PLACED, NOON + 1, {"count": 10, "server": SERVER}),
            (PLACED, NOON + 3, {"count": 11}),
        )
        chain.add(EventKind.SEALED, NOON + 5, block)
        chain.add(EventKind.SEALED, NOON + 10, self.acme.block())

    def opener(self, *domains: Domain) -> Opener:
        keys = [read_opening_key(d.pem(), "key") for d in domains]

        def opened(jwe: str) -> Any:
            try:
                return open_block(jwe, keys)
            except Exception:
                return None

        return opened

    def test_nothing_of_it_is_read_without_a_key(self) -> None:
        self.assertEqual([(ONE, 1), (ONE, 2)], self.read())
        self.assertEqual(0, self.left.blocks)

    def test_with_the_key_its_entries_are_among_the_others(self) -> None:
        found = self.shown(self.opener(self.other, self.acme))
        told = [(each.domain, each.fields["count"]) for each in found]
        expected = [("acme", 10), (None, 1), ("acme", 11), (None, 2)]
        self.assertEqual(expected, told)
        self.assertEqual(0, self.left.blocks)

    def test_blocks_that_the_key_does_not_open_are_counted(self) -> None:
        found = self.read(self.opener(self.other))
        self.assertEqual([(ONE, 1), (ONE, 2)], found)
        self.assertEqual(2, self.left.blocks)

    def test_blocks_themselves_are_shown_when_asked_for(self) -> None:
        found = self.shown(self.opener(self.acme), steady=True)
        kinds = [each.kind for each in found]
        self.assertEqual(2, kinds.count("sealed"))
        self.assertEqual(4, kinds.count("placed"))

    def test_what_is_wanted_counts_inside_too(self) -> None:
        opener = self.opener(self.acme)
        for wanted, expected in (
            ({"names": (SERVER,)}, [10]),
            ({"since": NOON + 3}, [11, 2]),
            ({"since": NOON + 6}, [2]),
            ({"until": NOON + 2}, [10]),
            ({"kinds": frozenset(("moved",))}, []),
            ({"origins": frozenset((TWO,))}, []),
        ):
            with self.subTest(wanted):
                found = [n for _, n in self.read(opener, **wanted)]
                self.assertEqual(expected, found)
