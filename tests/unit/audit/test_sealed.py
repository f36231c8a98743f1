# SPDX-License-Identifier: Apache-2.0
"""Blocks on a grid: what waits, what is lost, and what keeps its rate."""

from __future__ import annotations

import itertools
import json
import math
import os
import pathlib
import random
import string
import tempfile
import threading
import unittest
from unittest import mock

from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit.chain import open_chain
from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.sealed import LEAD
from nfv_mla_scheduler.audit.sealed import Grid
from nfv_mla_scheduler.audit.sealed import SealedStores
from nfv_mla_scheduler.audit.sealed_domain import CLOSING
from nfv_mla_scheduler.audit.signing import Signing
from nfv_mla_scheduler.audit.writer import Writer
from tests.unit.audit import seal_keys

NOW = 1_700_000_000.0
START = 5000.0
INTERVAL = 5.0
ORIGIN = "ctl-1.monitor.0"
ANNA, BERT = seal_keys.X25519, seal_keys.P256
KEYS = [pair.opening for pair in seal_keys.PAIRS.values()]
KEY = ed25519.Ed25519PrivateKey.generate()
SIGNER = CryptoSigner(KEY, SSlibKey.from_crypto(KEY.public_key()))
REFUSED = seal_keys.public_pem(
    # a point of low order: cryptography reads it, and nothing can be sealed
    seal_keys.x25519.X25519PublicKey.from_public_bytes(b"\0" * 32)
)


def event(number=0, domain="anna", kind=EventKind.FINDING, **fields):
    return Event(kind, NOW, "monitor", {"count": number, **fields}, domain)


def large(number, domain="anna"):
    """Return an event of which two do not fit into one block."""
    some = random.Random(number)
    letters = string.ascii_letters + string.digits
    hosts = ["".join(some.choices(letters, k=125)) for _ in range(22)]
    return event(number, domain, hosts=hosts)


class Fails:
    """A chain that goes wrong while ``broken`` is not empty."""

    def __init__(self, chain, broken, before_flush):
        self.chain = chain
        self.broken = broken
        self.before_flush = before_flush

    def __getattr__(self, name):
        return getattr(self.chain, name)

    def flush(self, sync):
        assert sync
        self.before_flush()
        if self.broken:
            raise OSError(28, "no room")
        self.chain.flush(sync)


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name)
        self.monotonic = START
        self.broken = set()
        self.unopenable = set()
        self.before_flush = lambda: None
        self.stores = self.new()

    def new(self, queue_size=1000):
        return SealedStores(
            INTERVAL, queue_size, self.open, "monitor 7", lambda: self.now
        )

    def afresh(self, name):
        """Begin again with another ledger, at the same time."""
        self.path /= name
        self.path.mkdir()
        self.monotonic = START
        self.broken.clear()
        self.stores = self.new()

    def open(self, domain):
        if domain in self.unopenable:
            raise OSError(13, "no")
        chain, _ = open_chain(self.path / domain, f"{ORIGIN}/{domain}", 2**20)
        broken = self.broken
        return Fails(chain, _Only(broken, domain), lambda: self.before_flush())

    @property
    def now(self):
        return NOW + self.monotonic - START

    def run_for(self, seconds):
        """Let time go by; the writer does what is due, and only that."""
        until = self.monotonic + seconds
        while (due := self.stores.due_at()) <= until:
            self.monotonic = max(self.monotonic, due)
            self.tick()
        self.monotonic = until

    def tick(self):
        self.stores.tick(self.monotonic, self.now)

    def begin(self, **domains):
        """Begin the grid, so that a whole interval is one block."""
        self.stores.seal_for({"anna": ANNA.pem, **domains})
        self.run_for(0)

    def lines(self, domain="anna"):
        return [
            line
            for path in sorted((self.path / domain).glob("*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]

    def blocks(self, domain="anna", keys=KEYS):
        return [
            sealing.open_block(json.loads(line)["fields"]["jwe"], keys)
            for line in self.lines(domain)
        ]

    def numbers(self, domain="anna"):
        """Return of each block which events are in it."""
        return [
            [each["fields"].get("count") for each in block]
            for block in self.blocks(domain)
        ]


WRITE = os.write


def half(seen):
    """Return a write for a disk that is full in the midst of it."""

    def write(fd, data):
        seen.append(bytes(data))
        WRITE(fd, data[: len(data) // 2])
        raise OSError(28, "no room")

    return write


class _Only:
    def __init__(self, broken, domain):
        self.broken = broken
        self.domain = domain

    def __bool__(self):
        return self.domain in self.broken


class RateTest(Case):
    def test_there_is_one_block_at_each_point(self):
        self.begin()
        self.assertEqual([], self.lines())
        self.run_for(INTERVAL * 10)
        self.assertEqual([[]] * 10, self.blocks())

    def test_and_none_before_or_between(self):
        self.begin()
        for _ in range(100):
            self.stores.add(event())
            self.monotonic += INTERVAL / 100
            self.tick()
            passed = self.monotonic - START
            self.assertEqual(
                math.floor(passed / INTERVAL + 1e-9), len(self.lines())
            )

    def test_their_times_are_those_of_the_grid(self):
        self.begin()
        self.run_for(INTERVAL * 2)
        for _ in range(50):
            self.stores.add(large(1))
        self.run_for(INTERVAL * 2)
        ats = [json.loads(line)["at"] for line in self.lines()]
        self.assertEqual(
            [entry.utc(NOW + INTERVAL * n) for n in range(1, 5)], ats
        )

    def test_their_lines_are_of_one_length(self):
        self.begin()
        self.run_for(INTERVAL * 3)
        for number in range(60):
            self.stores.add(event(number))
        self.run_for(INTERVAL * 3)
        self.assertEqual(1, len({len(line) for line in self.lines()}))

    def test_what_comes_while_it_is_sealed_is_for_the_next(self):
        self.begin()
        self.stores.add(event(1))
        self.run_for(INTERVAL * (1 - LEAD))
        self.assertEqual(START + INTERVAL, self.stores.due_at())
        self.stores.add(event(2))
        self.tick()
        self.run_for(INTERVAL)
        self.run_for(INTERVAL)
        self.assertEqual([[1], [2]], self.numbers())

    def test_after_a_delay_there_is_one_block_and_the_grid_is_the_same(self):
        self.begin()
        for number in range(20):
            self.stores.add(large(number))
        self.monotonic += INTERVAL * 7.3
        self.tick()
        self.assertEqual(1, len(self.lines()))
        self.tick()
        self.assertEqual(1, len(self.lines()))
        self.assertEqual(START + INTERVAL * (8 - LEAD), self.stores.due_at())
        self.run_for(INTERVAL * 0.7)
        self.assertEqual(2, len(self.lines()))

    def test_nothing_is_due_where_nothing_is_sealed(self):
        self.assertEqual(math.inf, self.stores.due_at())
        self.stores.add(event())
        self.assertEqual(math.inf, self.stores.due_at())
        self.stores.seal_for({"anna": None})
        self.assertEqual(math.inf, self.stores.due_at())
        self.tick()
        self.assertEqual([], list(self.path.iterdir()))
        self.assertEqual({}, self.stores.heads())

    def test_a_domain_that_joins_shares_the_grid(self):
        self.begin()
        self.run_for(INTERVAL * 1.5)
        self.stores.seal_for({"anna": ANNA.pem, "bert": BERT.pem})
        self.run_for(INTERVAL * 0.4)
        self.assertEqual([], self.lines("bert"))
        self.run_for(INTERVAL * 0.1)
        one, two = self.lines()[-1], self.lines("bert")[-1]
        self.assertEqual(json.loads(one)["at"], json.loads(two)["at"])

    def test_one_that_is_alone_again_does_not_leave_the_grid(self):
        self.begin()
        self.stores.seal_for({})
        self.run_for(INTERVAL * (CLOSING + 5))
        self.assertEqual(math.inf, self.stores.due_at())
        self.monotonic += INTERVAL * 0.3
        self.stores.seal_for({"anna": ANNA.pem})
        self.run_for(INTERVAL * 0.6)
        self.assertEqual(CLOSING, len(self.lines()))
        self.run_for(INTERVAL * 0.1)
        self.assertEqual(CLOSING + 1, len(self.lines()))

    def test_no_point_comes_twice(self):
        """Also where they are no sums that a computer can write down."""
        for interval_s in (0.1, 0.3, 1 / 3, 7.7):
            grid = Grid(interval_s)
            now = 5000.1
            for count in range(5000):
                grid.seals(now)
                self.assertTrue(grid.seals(grid.due_at))
                self.assertFalse(grid.writes(now))
                now = grid.due_at
                self.assertTrue(grid.writes(now))
                expected = 5000.1 + (count + 1) * interval_s
                self.assertAlmostEqual(expected, now, 6)

    def test_what_comes_first_does_not_change_the_order(self):
        self.stores.add(event(1, "zoe"))
        self.stores.seal_for(
            dict.fromkeys(("zoe", "bert", "anna", "carl"), ANNA.pem)
        )
        self.stores.add(event(1, "carl"))
        self.run_for(INTERVAL)
        self.assertEqual(
            ["anna", "bert", "carl", "zoe"], list(self.stores.heads())
        )
        times = [
            (self.path / name).stat().st_mtime_ns
            for name in self.stores.heads()
        ]
        self.assertEqual(sorted(times), times)


class BacklogTest(Case):
    def test_events_wait_for_the_key(self):
        for number in range(3):
            self.assertTrue(self.stores.add(event(number)))
        self.run_for(INTERVAL * 3)
        self.begin()
        self.run_for(INTERVAL)
        self.assertEqual([[0, 1, 2]], self.numbers())

    def test_no_more_than_there_is_room_for(self):
        self.stores = self.new(queue_size=16)
        taken = [self.stores.add(event(number)) for number in range(20)]
        self.assertEqual([True] * 15 + [False] * 5, taken)
        intent = event(99, kind=EventKind.STEP_INTENDED)
        self.assertTrue(self.stores.add(intent))
        self.assertFalse(self.stores.add(intent))
        self.assertTrue(self.stores.add(event(1, "bert")))

    def test_what_is_dropped_is_told_in_a_block_and_once(self):
        self.stores = self.new(queue_size=16)
        for number in range(20):
            self.monotonic += 1
            self.stores.add(event(number))
        self.begin()
        self.run_for(INTERVAL)
        (note, *others) = self.blocks()[0]
        self.assertEqual("events-dropped", note["kind"])
        self.assertEqual(
            {"dropped": 5, "since": entry.utc(NOW + 16)}, note["fields"]
        )
        self.assertEqual(15, len(others))
        self.run_for(INTERVAL)
        self.assertEqual([], self.blocks()[1])

    def test_a_burst_is_spread_over_blocks_in_order(self):
        self.begin()
        for number in range(10):
            self.assertTrue(self.stores.add(large(number)))
        self.run_for(INTERVAL * 12)
        self.assertEqual([[n] for n in range(10)] + [[], []], self.numbers())

    def test_a_note_of_drops_never_keeps_an_entry_out(self):
        self.stores = self.new(queue_size=4)
        self.begin()
        numbers = itertools.count()
        for _ in range(8):
            while self.stores.add(large(next(numbers))):
                pass
            self.run_for(INTERVAL)
        dropped = [block[0]["fields"]["dropped"] for block in self.blocks()]
        self.assertEqual([1] * 8, dropped)
        self.assertEqual([2] * 8, [len(block) for block in self.blocks()])

    def test_a_note_of_drops_has_room_in_a_block_that_is_full(self):
        self.stores = self.new(queue_size=1000)
        some = random.Random(1)
        while self.stores.add(event(some.getrandbits(60))):
            pass
        self.begin()
        self.run_for(INTERVAL * 60)
        blocks = self.blocks()
        self.assertGreater(len(blocks[0]), 100)
        self.assertEqual({"dropped", "since"}, blocks[0][0]["fields"].keys())
        self.assertEqual(938 + 1, sum(len(block) for block in blocks))

    def test_events_of_several_threads_come_out_once(self):
        self.begin()

        def add(first):
            for number in range(first, first + 200):
                self.stores.add(event(number))

        threads = [
            threading.Thread(target=add, args=(n,)) for n in range(0, 800, 200)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.run_for(INTERVAL)
        for thread in threads:
            thread.join()
        self.run_for(INTERVAL * 50)
        found = [number for block in self.numbers() for number in block]
        self.assertEqual(list(range(800)), sorted(found))
        for first in range(0, 800, 200):
            mine = [n for n in found if first <= n < first + 200]
            self.assertEqual(sorted(mine), mine)

    def test_an_event_of_no_domain_is_not_ours(self):
        self.assertFalse(self.stores.add(event(domain=None)))


class TicketTest(Case):
    def test_it_is_set_once_the_block_is_synced(self):
        self.begin()
        ticket = threading.Event()
        self.stores.add(event(1), ticket)
        self.run_for(INTERVAL * 0.99)
        self.assertFalse(ticket.is_set())
        self.run_for(INTERVAL * 0.01)
        self.assertTrue(ticket.is_set())

    def test_each_with_its_own_block(self):
        self.begin()
        tickets = [threading.Event() for _ in range(4)]
        for number, ticket in enumerate(tickets):
            self.stores.add(large(number), ticket)
        for count in range(5):
            self.assertEqual(count, sum(t.is_set() for t in tickets))
            self.run_for(INTERVAL)

    def test_it_is_not_set_while_the_block_cannot_be_written(self):
        self.begin()
        self.broken.add("anna")
        ticket = threading.Event()
        self.stores.add(event(1), ticket)
        for _ in range(3):
            with self.assertRaises(OSError):
                self.run_for(INTERVAL)
            self.assertFalse(ticket.is_set())
        self.broken.clear()
        self.run_for(INTERVAL)
        self.assertTrue(ticket.is_set())

    def test_nobody_is_woken_before_all_domains_are_written(self):
        self.begin(bert=BERT.pem)
        ticket = threading.Event()
        self.stores.add(event(1), ticket)
        set_when = []
        self.before_flush = lambda: set_when.append(ticket.is_set())
        self.run_for(INTERVAL)
        self.assertEqual([False, False], set_when)
        self.assertTrue(ticket.is_set())

    def test_it_is_set_though_another_domain_cannot_be_written(self):
        self.begin(bert=BERT.pem)
        ticket = threading.Event()
        self.stores.add(event(1), ticket)
        self.broken.add("bert")
        with self.assertRaises(OSError):
            self.run_for(INTERVAL)
        self.assertTrue(ticket.is_set())

    def test_one_that_is_dropped_gets_none(self):
        self.stores = self.new(queue_size=1)
        self.begin()
        one, two = threading.Event(), threading.Event()
        self.assertTrue(self.stores.add(event(1), one))
        self.assertFalse(self.stores.add(event(2), two))
        self.run_for(INTERVAL * 3)
        self.stores.close(self.now)
        self.assertTrue(one.is_set())
        self.assertFalse(two.is_set())


class FaultTest(Case):
    def fail_for(self, intervals):
        for _ in range(intervals):
            with self.assertRaises(OSError):
                self.run_for(INTERVAL)

    def test_after_a_write_that_failed_blocks_are_as_many_as_ever(self):
        """Those of the points that were missed are not made up for."""
        found = []
        for busy in (False, True):
            self.afresh(str(busy))
            self.begin()
            self.run_for(INTERVAL)
            self.broken.add("anna")
            for number in range(9 if busy else 0):
                self.stores.add(large(number))
            self.fail_for(4)
            self.assertFalse(self.stores.healthy)
            self.broken.clear()
            self.run_for(INTERVAL * 9)
            self.assertTrue(self.stores.healthy)
            found.append([json.loads(line)["at"] for line in self.lines()])
        self.assertEqual(10, len(found[0]))
        self.assertEqual(found[0], found[1])
        self.assertEqual([[], *([n] for n in range(9))], self.numbers())

    def test_a_block_that_was_not_written_is_not_sealed_anew(self):
        """Whoever saw half of it would see that there is another."""
        self.begin()
        self.stores.add(event(1))
        seen = []
        with mock.patch("os.write", half(seen)):
            self.fail_for(1)
        self.stores.add(event(2))
        self.run_for(INTERVAL * 2)
        self.assertEqual(seen[0], self.lines()[0] + b"\n")
        self.assertEqual([[1], [2]], self.numbers())

    def test_the_other_domains_go_on(self):
        for bad in ("anna", "bert"):
            with self.subTest(bad):
                self.afresh(f"bad-{bad}")
                self.begin(bert=BERT.pem)
                self.broken.add(bad)
                self.fail_for(3)
                self.broken.clear()
                self.run_for(INTERVAL)
                good = "anna" if bad == "bert" else "bert"
                self.assertEqual(4, len(self.lines(good)))
                self.assertEqual(1, len(self.lines(bad)))

    def test_heads_are_of_what_is_synced(self):
        self.begin()
        self.run_for(INTERVAL * 2)
        line = self.lines()[-1]
        self.assertEqual(
            {"anna": {"seq": 2, "hash": entry.digest(line)}},
            self.stores.heads(),
        )
        self.broken.add("anna")
        self.fail_for(1)
        self.assertEqual({}, self.stores.heads())
        self.broken.clear()
        self.run_for(INTERVAL)
        self.assertEqual(3, self.stores.heads()["anna"]["seq"])

    def test_a_chain_that_cannot_be_opened_is_tried_again(self):
        self.begin()
        self.unopenable.add("anna")
        self.stores.add(event(1))
        self.fail_for(3)
        self.assertFalse(self.stores.healthy)
        self.assertEqual({}, self.stores.heads())
        self.unopenable.clear()
        self.run_for(INTERVAL)
        self.assertEqual([[1]], self.numbers())
        self.assertTrue(self.stores.healthy)


class HeadsTest(Case):
    def test_those_of_many_domains_are_all_told(self):
        """Together they are longer than an entry may be."""
        names = [f"{'long-' * 12}{number:03}" for number in range(110)]
        limits = Limits(seal_interval_s=INTERVAL)
        writer = Writer(
            self.path,
            "ctl-1.monitor",
            Signing(lambda: SIGNER),
            limits,
            lambda: self.now,
            lambda: self.monotonic,
        )
        writer.sealed.seal_for(dict.fromkeys(names, ANNA.pem))
        for _ in range(3):
            writer.write(())
            writer.tend()
            self.monotonic += INTERVAL
        writer.finish()
        lines = self.lines(f"{ORIGIN}")
        heads = {}
        for line in lines:
            self.assertLessEqual(len(line), entry.LINE_MAX)
            found = json.loads(line)
            if found["kind"] == "sealed-heads":
                heads |= found["fields"]["heads"]
        self.assertEqual(set(names), heads.keys())


class KeyTest(Case):
    def test_a_new_key_is_used_from_then_on(self):
        self.begin()
        self.stores.add(event(1))
        self.run_for(INTERVAL)
        self.stores.add(event(2))
        self.stores.seal_for({"anna": BERT.pem})
        self.run_for(INTERVAL)
        self.assertEqual([[1], [2]], self.numbers())
        last = json.loads(self.lines()[-1])["fields"]["jwe"]
        with self.assertRaises(sealing.BlockUnreadable):
            sealing.open_block(last, [ANNA.opening])
        sealing.open_block(last, [BERT.opening])

    def test_the_same_key_again_changes_nothing(self):
        self.begin()
        for _ in range(5):
            self.run_for(INTERVAL * 0.5)
            self.stores.seal_for({"anna": ANNA.pem})
        self.run_for(INTERVAL * 0.5)
        self.assertEqual(3, len(self.lines()))

    def test_nor_does_it_while_a_block_is_due(self):
        self.begin()
        self.monotonic += INTERVAL * 1.1
        self.stores.seal_for({"anna": ANNA.pem})
        self.tick()
        self.assertEqual(1, len(self.lines()))

    def test_without_a_key_there_are_closing_blocks_and_then_none(self):
        for backlog in (0, 3, 20):
            for gone in ({}, {"anna": None}):
                with self.subTest(backlog=backlog, gone=gone):
                    self.afresh("x")
                    self.begin()
                    self.run_for(INTERVAL)
                    for number in range(backlog):
                        self.stores.add(large(number))
                    for _ in range(20):
                        self.stores.seal_for(gone)
                        self.run_for(INTERVAL)
                    self.assertEqual(1 + CLOSING, len(self.lines()))
                    self.assertEqual(math.inf, self.stores.due_at())
                    self.assertEqual(
                        1 + CLOSING, self.stores.heads()["anna"]["seq"]
                    )
                    self.assertTrue(self.stores.healthy)

    def test_what_the_last_block_has_no_room_for_is_told_in_it(self):
        self.begin()
        for number in range(20):
            self.stores.add(large(number))
        self.stores.seal_for({})
        self.run_for(INTERVAL * 20)
        (note, last) = self.blocks()[-1]
        self.assertEqual({"dropped": 12, "since": note["at"]}, note["fields"])
        self.assertEqual(7, last["fields"]["count"])
        self.begin()
        self.run_for(INTERVAL)
        self.assertEqual([], self.blocks()[-1])

    def test_a_domain_that_comes_back_goes_on(self):
        self.begin()
        self.run_for(INTERVAL)
        self.stores.seal_for({})
        self.run_for(INTERVAL * 20)
        self.stores.add(event(1))
        self.stores.seal_for({"anna": BERT.pem})
        self.run_for(INTERVAL * 2)
        self.assertEqual([[]] * (1 + CLOSING) + [[1], []], self.numbers())
        seqs = [json.loads(line)["seq"] for line in self.lines()]
        self.assertEqual(list(range(1, 4 + CLOSING)), seqs)

    def test_also_before_its_end(self):
        self.begin()
        self.stores.seal_for({})
        self.run_for(INTERVAL * 3)
        self.stores.seal_for({"anna": ANNA.pem})
        self.run_for(INTERVAL * 17)
        self.assertEqual(20, len(self.lines()))

    def test_a_key_that_cannot_be_used_harms_nobody_else(self):
        self.stores = self.new(queue_size=16)
        for _ in range(2):
            self.begin(bert=REFUSED)
            self.assertFalse(self.stores.healthy)
        for number in range(20):
            self.stores.add(event(number, "bert"))
        self.run_for(INTERVAL * 3)
        self.assertEqual(3, len(self.lines()))
        self.assertEqual([], self.lines("bert"))
        self.stores.seal_for({"anna": ANNA.pem, "bert": BERT.pem})
        self.assertTrue(self.stores.healthy)
        self.run_for(INTERVAL)
        (note, *kept) = self.blocks("bert")[0]
        self.assertEqual(5, note["fields"]["dropped"])
        self.assertEqual(15, len(kept))

    def test_nothing_is_sealed_for_the_key_before_it(self):
        self.begin()
        self.run_for(INTERVAL)
        self.stores.seal_for({"anna": REFUSED})
        self.stores.add(event(1))
        self.run_for(INTERVAL * 5)
        self.assertEqual(1, len(self.lines()))
        self.assertFalse(self.stores.healthy)
        self.stores.seal_for({})
        self.assertTrue(self.stores.healthy)

    def test_whether_a_backlog_is_full_is_nobody_elses_business(self):
        self.stores = self.new(queue_size=4)
        self.begin()
        for number in range(9):
            self.stores.add(event(number))
        self.assertTrue(self.stores.healthy)


class LedgerTest(Case):
    """With the thread, the clocks and the files that there are in earnest."""

    def test_a_commit_waits_for_the_block_and_no_longer(self):
        ledger = Ledger(
            self.path,
            "ctl-1.monitor",
            lambda: SIGNER,
            Limits(seal_interval_s=0.05),
        )
        self.addCleanup(ledger.close)
        self.assertFalse(ledger.commit(event(1), 0))
        self.assertEqual([], list(self.path.iterdir()))
        ledger.seal_for({"anna": ANNA.pem, "operator": None})
        self.assertTrue(ledger.commit(event(2), 60))
        sealed = f"{ORIGIN}/sealed/anna"
        found = [n for block in self.numbers(sealed) for n in block]
        self.assertEqual([1, 2], found)
        self.assertTrue(ledger.healthy)
        ledger.seal_for({"anna": REFUSED})
        self.assertFalse(ledger.commit(event(3), 0.2))
        ledger.close()
        (common,) = (self.path / ORIGIN).glob("*.jsonl")
        self.assertNotIn('"count"', common.read_text())


class CloseTest(Case):
    def test_there_are_as_many_closing_blocks_whatever_waits(self):
        for backlog in (0, 1, 5, 30):
            with self.subTest(backlog):
                self.afresh("x")
                self.begin()
                self.run_for(INTERVAL * 1.5)
                for number in range(backlog):
                    self.stores.add(large(number))
                self.stores.close(self.now)
                self.assertEqual(1 + CLOSING, len(self.lines()))
                heads = self.stores.heads()
                self.assertEqual(1 + CLOSING, heads["anna"]["seq"])
                ats = {json.loads(line)["at"] for line in self.lines()[1:]}
                self.assertEqual({entry.utc(self.now)}, ats)

    def test_they_are_sealed_before_the_moment_at_which_they_are_written(self):
        self.begin(bert=BERT.pem)
        self.run_for(INTERVAL)
        seen = []

        def settle():
            written = len(self.lines()), len(self.lines("bert"))
            seen.append((sealed.call_count, *written))

        with mock.patch.object(
            sealing, "seal", side_effect=sealing.seal
        ) as sealed:
            self.stores.close(self.now, settle)
        self.assertEqual([(2 * CLOSING, 1, 1)], seen)
        self.assertEqual(2 * CLOSING, sealed.call_count)
        for domain in ("anna", "bert"):
            self.assertEqual(1 + CLOSING, len(self.lines(domain)))

    def test_nothing_is_waited_for_where_nothing_is_sealed(self):
        self.stores.seal_for({"anna": None})
        self.stores.close(self.now, lambda: self.fail("it waits"))

    def test_what_they_hold_and_what_they_do_not(self):
        self.begin()
        tickets = [threading.Event() for _ in range(11)]
        for number, ticket in enumerate(tickets):
            self.stores.add(large(number), ticket)
        self.stores.close(self.now)
        found = [number for block in self.numbers() for number in block]
        self.assertEqual([*range(7), None, 7], found)
        self.assertEqual(3, self.blocks()[-1][0]["fields"]["dropped"])
        self.assertEqual(8, sum(ticket.is_set() for ticket in tickets))

    def test_a_block_that_is_ready_is_one_of_them(self):
        self.begin()
        self.stores.add(event(1))
        self.run_for(INTERVAL * (1 - LEAD / 2))
        self.stores.add(event(2))
        self.stores.close(self.now)
        self.assertEqual([[1], [2]] + [[]] * 6, self.numbers())

    def test_a_domain_that_is_closing_has_those_that_it_lacks(self):
        self.begin()
        self.stores.seal_for({})
        self.run_for(INTERVAL * 3)
        self.stores.close(self.now)
        self.assertEqual(CLOSING, len(self.lines()))

    def test_one_without_a_key_has_none(self):
        self.stores.seal_for({"anna": None, "bert": REFUSED})
        self.stores.add(event(1))
        self.stores.add(event(1, "bert"))
        self.stores.close(self.now)
        self.assertEqual([], list(self.path.iterdir()))

    def test_nothing_is_taken_any_more(self):
        self.begin()
        self.stores.close(self.now)
        self.assertFalse(self.stores.add(event(1)))

    def test_all_are_closed_whichever_fails(self):
        self.begin(bert=BERT.pem)
        self.run_for(INTERVAL)
        self.broken.add("anna")
        with self.assertRaises(OSError):
            self.stores.close(self.now)
        self.assertEqual(1, len(self.lines()))
        self.assertEqual(1 + CLOSING, len(self.lines("bert")))

    def test_the_next_process_goes_on(self):
        self.begin()
        self.run_for(INTERVAL)
        self.stores.close(self.now)
        self.stores = self.new()
        self.stores.add(event(1))
        self.begin()
        self.run_for(INTERVAL)
        lines = self.lines()
        self.assertEqual(2 + CLOSING, len(lines))
        for one, two in itertools.pairwise(lines):
            self.assertEqual(entry.digest(one), json.loads(two)["prev"])
        self.assertEqual([1], self.numbers()[-1])


if __name__ == "__main__":
    unittest.main()
