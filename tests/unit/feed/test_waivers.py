# SPDX-License-Identifier: Apache-2.0
"""Break-glass waivers count from when they appear until they end."""

from __future__ import annotations

import unittest
from unittest import mock

from nfv_mla_scheduler.feed import waivers
from tests import policies
from tests.unit.feed.files import NOW
from tests.unit.feed.files import Files
from tests.unit.feed.files import version
from tests.unit.feed.files import waiver

HOUR = 3600.0


class WaiversTest(unittest.TestCase):
    def setUp(self) -> None:
        self.files = Files.of(self)
        self.files.put_policy(version(7))
        self.files.results_file.write_bytes(b"")
        self.files.refresh()

    def _names(self) -> list[str]:
        return [w.name for w in self.files.feed.snapshot.break_glass]

    def test_a_waiver_appears_and_is_told_once(self) -> None:
        self.files.put_waiver(waiver())
        (news,) = self.files.refresh()
        self.assertTrue(news.good)
        self.assertEqual("break-glass one.json", news.subject)
        self.assertIn("for a server, by officer ", news.text)
        # its trust domain may keep its entries to itself
        self.assertNotIn("aaaaaaaa", news.text)
        self.assertEqual(1, len(self._names()))
        before = self.files.feed.snapshot
        self.assertEqual([], self.files.refresh())
        self.assertIs(before, self.files.feed.snapshot)

    def test_it_ends_when_it_says(self) -> None:
        self.files.put_waiver(waiver(hours=4))
        self.files.refresh()
        self.assertEqual([], self.files.refresh(4 * HOUR - 10))
        self.assertEqual(1, len(self._names()))
        (news,) = self.files.refresh(10)
        self.assertEqual((False, "policy-expired"), (news.good, news.code))
        self.assertEqual([], self._names())
        self.assertEqual([], self.files.refresh())

    def test_it_ends_when_its_file_goes(self) -> None:
        self.files.put_waiver(waiver())
        self.files.refresh()
        (self.files.waivers / "one.json").unlink()
        self.assertEqual(["removed"], self.files.codes())
        self.assertEqual([], self._names())
        self.assertEqual([], self.files.refresh())

    def test_it_begins_when_its_time_comes(self) -> None:
        self.files.put_waiver(waiver(since=NOW + HOUR))
        self.assertEqual(["policy-not-yet"], self.files.codes())
        self.assertEqual([], self.files.codes())
        self.assertEqual(["loaded"], self.files.codes(HOUR))
        self.assertEqual(1, len(self._names()))

    def test_a_refused_one_is_told_once_and_takes_no_other_along(
        self,
    ) -> None:
        bad = {
            "garbage.json": b"\xff\x00",
            "stranger.json": waiver(officers=["mallory"]),
            "empty.json": b"",
            "huge.json": b" " * 2**17,
            "a-policy.json": version(7),
        }
        for name, data in bad.items():
            self.files.put_waiver(data, name)
        self.files.put_waiver(waiver())
        news = self.files.refresh()
        self.assertEqual(
            {f"break-glass {name}" for name in bad},
            {n.subject for n in news if not n.good},
        )
        self.assertEqual(1, len(self._names()))
        self.assertEqual([], self.files.refresh())

    def test_a_bad_one_that_is_replaced_counts(self) -> None:
        self.files.put_waiver(b"{}")
        self.files.refresh()
        self.files.put_waiver(waiver())
        self.assertEqual(["loaded"], self.files.codes())

    def test_what_is_still_being_written_is_left_alone(self) -> None:
        self.files.put_waiver(b"half a wai", ".one.json.new")
        self.assertEqual([], self.files.refresh())

    def test_a_crowd_is_told_of(self) -> None:
        for number in range(waivers.WAIVERS_MAX + 1):
            (self.files.waivers / f"{number:03}").write_bytes(b"")
        codes = self.files.codes()
        self.assertEqual(1, codes.count("policy-too-large"))
        self.assertEqual(waivers.WAIVERS_MAX + 1, len(codes))
        self.assertEqual([], self.files.refresh())
        for path in self.files.waivers.iterdir():
            path.unlink()
        self.assertIn("loaded", self.files.codes())

    def test_a_directory_that_cannot_be_read_ends_all(self) -> None:
        self.files.put_waiver(waiver())
        self.files.refresh()
        away = self.files.waivers.rename(self.files.directory / "away")
        self.assertEqual(["policy-unreadable", "removed"], self.files.codes())
        self.assertEqual([], self._names())
        self.assertEqual([], self.files.refresh())
        away.rename(self.files.waivers)
        self.assertEqual(["loaded", "loaded"], self.files.codes())
        self.assertEqual(1, len(self._names()))

    def test_what_did_not_change_is_not_verified_again(self) -> None:
        self.files.put_waiver(waiver())
        self.files.put_waiver(waiver(officers=["mallory"]), "bad.json")
        self.files.refresh()
        with mock.patch.object(
            waivers, "read_break_glass", side_effect=AssertionError
        ):
            for _ in range(3):
                self.files.refresh()
        self.assertEqual(1, len(self._names()))

    def test_only_a_root_of_ours_counts(self) -> None:
        with mock.patch.object(
            policies,
            "root",
            lambda: policies.Root.of(
                [policies.public_pem("alice").encode()], 1
            ),
        ):
            foreign = waiver()
        self.files.put_waiver(foreign)
        self.assertEqual(["policy-bad-root"], self.files.codes())
