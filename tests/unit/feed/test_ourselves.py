# SPDX-License-Identifier: Apache-2.0
"""A monitor is alive by what its status file says, and by nothing else."""

from __future__ import annotations

import json
import pathlib
import tempfile
import unittest

from nfv_mla_scheduler.feed.ourselves import STATUS_AGE_MAX_S
from nfv_mla_scheduler.feed.ourselves import MonitorStatus
from nfv_mla_scheduler.feed.ourselves import own_state
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
