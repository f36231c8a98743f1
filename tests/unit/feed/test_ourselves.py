# SPDX-License-Identifier: Apache-2.0
"""A monitor is alive by what its status file says, and by nothing else."""

from __future__ import annotations

import json
import pathlib
import tempfile
import unittest

from nfv_mla_scheduler.feed.ourselves import DIRTY_KEPT_S
from nfv_mla_scheduler.feed.ourselves import STATUS_AGE_MAX_S
from nfv_mla_scheduler.feed.ourselves import MonitorStatus
from nfv_mla_scheduler.feed.ourselves import own_state
from nfv_mla_scheduler.judge.dirty import tag_of
from nfv_mla_scheduler.results.publish import publish

NOW = 1_795_165_200.0
SKEW_S = 5.0
LIVES = {"act": "all", "cycle": {"at": NOW}}

# what the file holds, and whether that shows a monitor that is alive at NOW
FILES: tuple[tuple[str, bytes, bool], ...] = (
    ("a cycle just now", json.dumps(LIVES).encode(), True),
    (
        "one long ago",
        json.dumps({**LIVES, "cycle": {"at": NOW - 61}}).encode(),
        False,
    ),
    (
        "one that is still recent",
        json.dumps({**LIVES, "cycle": {"at": NOW - 59}}).encode(),
        True,
    ),
    (
        "a clock that is ahead",
        json.dumps({**LIVES, "cycle": {"at": NOW + 6}}).encode(),
        False,
    ),
    ("it only looks", json.dumps({**LIVES, "act": "none"}).encode(), False),
    ("it only fences", json.dumps({**LIVES, "act": "fence"}).encode(), False),
    ("no cycle yet", json.dumps({**LIVES, "cycle": None}).encode(), False),
    ("a time in words", b'{"act": "all", "cycle": {"at": "now"}}', False),
    ("a time that is none", b'{"act": "all", "cycle": {"at": true}}', False),
    ("a list", b"[]", False),
    ("no JSON", b"{", False),
    ("nothing", b"", False),
    ("too deep", b"[" * 100 + b"]" * 100, False),
)


class MonitorStatusTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "status.json"

    def test_what_a_file_shows(self) -> None:
        for name, data, lives in FILES:
            with self.subTest(name):
                publish(self.path, data)
                status = MonitorStatus(self.path, SKEW_S)
                self.assertIs(lives, status.alive(NOW))

    def test_it_grows_old_although_nobody_touches_it(self) -> None:
        publish(self.path, json.dumps(LIVES).encode())
        status = MonitorStatus(self.path, SKEW_S)
        self.assertTrue(status.alive(NOW))
        self.assertTrue(status.alive(NOW + STATUS_AGE_MAX_S))
        self.assertFalse(status.alive(NOW + STATUS_AGE_MAX_S + 1))

    def test_one_that_is_gone_shows_no_monitor_and_comes_back(self) -> None:
        publish(self.path, json.dumps(LIVES).encode())
        status = MonitorStatus(self.path, SKEW_S)
        self.assertTrue(status.alive(NOW))
        self.path.unlink()
        self.assertFalse(status.alive(NOW))
        publish(self.path, json.dumps(LIVES).encode())
        self.assertTrue(status.alive(NOW))

    def test_nobody_can_tell_without_a_file(self) -> None:
        self.assertIsNone(MonitorStatus(None, SKEW_S).alive(NOW))
        self.assertIsNone(own_state()["monitor-alive"])


NODE, OTHER = "node-1", "node-2"
OWN = tag_of("domain ours", "0" * 16)
SAYS = {"node": NODE, "since": 0.0, "for": OWN}

# what stands under "dirty", and what is closed to us and to others
SAID: tuple[tuple[str, object, set[str], set[str]], ...] = (
    ("none", [], set(), set()),
    ("one", [SAYS], set(), {NODE}),
    ("two", [SAYS, {**SAYS, "node": OTHER, "for": "0" * 48}], {OTHER},
     {NODE, OTHER}),
    ("one for nobody", [{**SAYS, "for": "x"}], {NODE}, {NODE}),
    ("one for no text", [{**SAYS, "for": 7}], {NODE}, {NODE}),
    ("one that lacks it", [{"node": NODE}], {NODE}, {NODE}),
    ("no node", [{"for": OWN}], set(), set()),
    ("a node that is a number", [{**SAYS, "node": 7}], set(), set()),
    ("no list", {NODE: OWN}, set(), set()),
    ("texts", [NODE], set(), set()),
)  # fmt: skip


class DirtyHostsTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "status.json"
        self.status = MonitorStatus(self.path, SKEW_S)

    def put(self, dirty: object, now: object = NOW, **more: object) -> None:
        """Write a status, and have it read."""
        said = {**LIVES, "now": now, "dirty": dirty, **more}
        publish(self.path, json.dumps(said).encode())
        self.status.alive(NOW)

    def closed(self, owner: str, now: float = NOW) -> frozenset[str]:
        return self.status.dirty(now).closed_to(owner)

    def test_what_a_file_says(self) -> None:
        for name, said, ours, others in SAID:
            with self.subTest(name):
                self.put(said)
                self.assertEqual(ours, self.closed("domain ours"))
                self.assertEqual(others, self.closed("domain others"))

    def test_it_holds_whatever_the_monitor_may_do(self) -> None:
        for act in ("none", "fence", "all"):
            self.put([SAYS], act=act)
            self.assertEqual({NODE}, self.closed("others"))

    def test_it_holds_for_as_long_as_the_monitor_says_so(self) -> None:
        """And for an hour from then on: a full disk opens no host."""
        self.put([SAYS])
        self.assertTrue(self.status.dirty(NOW + DIRTY_KEPT_S))
        self.assertFalse(self.status.dirty(NOW + DIRTY_KEPT_S + 1))
        self.assertTrue(self.status.dirty(NOW - SKEW_S - 1))
        self.assertFalse(self.status.dirty(NOW - DIRTY_KEPT_S - 1))

    def test_it_holds_when_the_scheduler_is_begun_anew(self) -> None:
        self.put([SAYS], now=NOW - 600)
        self.status = MonitorStatus(self.path, SKEW_S)
        self.status.alive(NOW)
        self.assertEqual({NODE}, self.closed("others"))

    def test_a_cycle_that_takes_long_opens_no_host(self) -> None:
        self.put([SAYS], cycle={"at": NOW - 600})
        self.assertEqual({NODE}, self.closed("others"))

    def test_a_monitor_that_just_began_opens_no_host(self) -> None:
        self.put([SAYS], now=NOW - 50)
        self.put(None, cycle=None)
        self.assertEqual({NODE}, self.closed("others", NOW + 50))
        self.put([])
        self.assertFalse(self.status.dirty(NOW))

    def test_a_file_that_says_nothing_closes_no_host(self) -> None:
        self.assertFalse(MonitorStatus(None, SKEW_S).dirty(NOW))
        self.put(None)
        self.assertFalse(self.status.dirty(NOW))
        for now in (None, True, "now"):
            self.put([SAYS], now=now)
            self.assertFalse(self.status.dirty(NOW))

    def test_nor_does_it_open_any_for_an_hour(self) -> None:
        for data in (b"", b"[]", b"{", json.dumps(LIVES).encode(), None):
            with self.subTest(data):
                self.put([SAYS])
                if data is None:
                    self.path.unlink()
                else:
                    publish(self.path, data)
                self.assertFalse(self.status.alive(NOW + 600))
                self.assertEqual({NODE}, self.closed("others", NOW + 600))
                late = NOW + DIRTY_KEPT_S + 1
                self.assertFalse(self.status.dirty(late))
