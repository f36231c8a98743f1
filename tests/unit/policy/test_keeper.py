# SPDX-License-Identifier: Apache-2.0
"""The last good policy survives refusals, restarts and other processes."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import pathlib
import stat
import tempfile
import unittest
from unittest import mock

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.policy import keeper as module
from nfv_mla_scheduler.policy import state
from nfv_mla_scheduler.policy.keeper import NewsKind
from nfv_mla_scheduler.policy.keeper import PolicyKeeper
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies

NOW = policies.NOW
LATER = policies.policy().expires_at + 1


def version(number: int) -> bytes:
    return policies.signed(
        policies.policy_yaml(("version: 7", f"version: {number}"))
    )


def offer_many(directory: str, numbers: list[int]) -> None:
    keeper = PolicyKeeper(policies.root(), load(), directory)
    for number in numbers:
        try:
            keeper.offer(version(number), NOW)
        except PolicyRefused as exc:
            assert exc.reason is PolicyCode.ROLLED_BACK


class KeeperTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name) / "state"

    def keeper(self, threshold: int = 2) -> PolicyKeeper:
        return PolicyKeeper(policies.root(threshold), load(), self.directory)

    def refused(self, keeper: PolicyKeeper, data: bytes) -> PolicyCode:
        with self.assertRaises(PolicyRefused) as caught:
            keeper.offer(data, NOW)
        return caught.exception.reason

    def news(self, keeper: PolicyKeeper) -> list[NewsKind]:
        return [item.kind for item in keeper.news()]

    def held(self, keeper: PolicyKeeper) -> int:
        assert keeper.policy is not None
        return keeper.policy.version

    def test_without_a_policy(self) -> None:
        keeper = self.keeper()
        self.assertIsNone(keeper.policy)
        self.assertEqual(keeper.news(), ())

    def test_a_change_is_told_once(self) -> None:
        keeper = self.keeper()
        first = keeper.offer(version(7), NOW)
        self.assertIs(keeper.offer(version(7), NOW), first)
        (news,) = keeper.news()
        self.assertEqual((news.kind, news.version), (NewsKind.TAKEN, 7))
        self.assertEqual(keeper.news(), ())

    def test_what_did_not_change_is_not_read_again(self) -> None:
        keeper = self.keeper()
        bad = policies.signed(b"no: policy")
        keeper.offer(version(7), NOW)
        self.refused(keeper, bad)
        with mock.patch.object(module, "read_signed") as read:
            keeper.offer(version(7), NOW)
            self.refused(keeper, bad)
        self.assertEqual(read.call_count, 0)

    def test_what_waits_for_its_time_is_not_read_again(self) -> None:
        keeper = self.keeper()
        with mock.patch.object(
            module, "read_signed", wraps=module.read_signed
        ) as read:
            for early in (3600, 1800, 600):
                with self.assertRaises(PolicyRefused):
                    keeper.offer(version(7), policies.ISSUED - early)
            keeper.offer(version(7), NOW)
        self.assertEqual(read.call_count, 1)

    def test_the_last_good_policy_survives_every_refusal(self) -> None:
        keeper = self.keeper()
        keeper.offer(version(7), NOW)
        twin = policies.signed(policies.policy_yaml() + "#\n")
        cases = (
            (b"", PolicyCode.UNREADABLE),
            (version(6), PolicyCode.ROLLED_BACK),
            (twin, PolicyCode.SAME_VERSION),
            (policies.signed("a: b"), PolicyCode.INVALID),
            (policies.signed("a: b", []), PolicyCode.UNDER_SIGNED),
        )
        for data, code in cases:
            self.assertIs(self.refused(keeper, data), code)
            self.assertEqual(self.held(keeper), 7)
        told = [item.reason for item in keeper.news()[1:]]
        self.assertEqual(told, [code for _, code in cases])

    def test_a_refusal_is_told_once_for_the_same_bytes(self) -> None:
        keeper = self.keeper()
        for _ in range(3):
            self.refused(keeper, b"x")
        self.assertEqual(self.news(keeper), [NewsKind.REFUSED])
        self.refused(keeper, b"y")
        self.assertEqual(self.news(keeper), [NewsKind.REFUSED])

    def test_an_expired_policy_is_still_held(self) -> None:
        keeper = self.keeper()
        keeper.offer(version(7), NOW)
        with self.assertRaises(PolicyRefused) as caught:
            keeper.offer(version(7), LATER)
        self.assertIs(caught.exception.reason, PolicyCode.EXPIRED)
        self.assertEqual(self.held(keeper), 7)
        again = self.keeper()
        self.assertEqual(self.held(again), 7)

    def test_a_policy_of_tomorrow_is_taken_tomorrow(self) -> None:
        keeper = self.keeper()
        early = policies.ISSUED - 3600
        with self.assertRaises(PolicyRefused):
            keeper.offer(version(7), early)
        self.assertEqual(keeper.offer(version(7), NOW).version, 7)

    def test_a_restart_takes_up_the_last_good_policy(self) -> None:
        self.keeper().offer(version(7), NOW)
        keeper = self.keeper()
        self.assertEqual(self.held(keeper), 7)
        self.assertEqual(self.news(keeper), [NewsKind.RESTORED])
        keeper.offer(version(7), NOW)
        self.assertEqual(self.news(keeper), [])

    def test_no_rollback_across_a_restart(self) -> None:
        self.keeper().offer(version(8), NOW)
        keeper = self.keeper()
        self.assertIs(self.refused(keeper, version(7)), PolicyCode.ROLLED_BACK)
        (self.directory / state.ENVELOPE).unlink()
        self.assertIs(
            self.refused(self.keeper(), version(7)), PolicyCode.ROLLED_BACK
        )
        (self.directory / state.ENVELOPE).write_bytes(version(7))
        keeper = self.keeper()
        self.assertIsNone(keeper.policy)
        self.assertEqual(self.news(keeper), [NewsKind.STATE_DAMAGED])

    def test_the_envelope_alone_keeps_the_version(self) -> None:
        self.keeper().offer(version(8), NOW)
        (self.directory / state.HIGHEST).unlink()
        self.assertIs(
            self.refused(self.keeper(), version(7)), PolicyCode.ROLLED_BACK
        )

    def test_a_crash_between_the_two_files_loses_nothing(self) -> None:
        self.keeper().offer(version(7), NOW)
        (self.directory / state.ENVELOPE).write_bytes(version(8))
        self.assertEqual(self.held(self.keeper()), 8)

    def test_the_root_of_today_decides_about_the_kept_policy(self) -> None:
        data = policies.signed(
            policies.policy_yaml(), [policies.signer("alice")]
        )
        self.keeper(threshold=1).offer(data, NOW)
        keeper = self.keeper(threshold=2)
        self.assertIsNone(keeper.policy)
        (news,) = keeper.news()
        self.assertIs(news.reason, PolicyCode.UNDER_SIGNED)

    def test_damaged_state_is_told_and_does_not_stop(self) -> None:
        deep = "[" * 2000
        for text in ("", "{", "[]", '{"version": "7"}', deep, "x" * 5000):
            with self.subTest(text=text[:20]):
                self.keeper().offer(version(7), NOW)
                (self.directory / state.HIGHEST).write_text(text)
                (self.directory / state.ENVELOPE).write_text(text)
                keeper = self.keeper()
                self.assertEqual(
                    self.news(keeper), [NewsKind.STATE_DAMAGED] * 2
                )
                self.assertEqual(keeper.offer(version(7), NOW).version, 7)
                self.assertEqual(self.held(self.keeper()), 7)

    def test_state_that_cannot_be_written_is_told_once(self) -> None:
        keeper = self.keeper()
        refusing = OSError(30, "Read-only file system")
        with mock.patch.object(os, "replace", side_effect=refusing):
            for number in (7, 7, 8, 8):
                policy = keeper.offer(version(number), NOW)
                self.assertEqual(policy.version, number)
        self.assertEqual(
            self.news(keeper),
            [NewsKind.TAKEN, NewsKind.NOT_KEPT, NewsKind.TAKEN],
        )
        self.assertEqual(
            [path.name for path in self.directory.iterdir()], [state.LOCK]
        )
        keeper.offer(version(8), NOW)
        self.assertEqual(self.news(keeper), [NewsKind.KEPT_AGAIN])
        self.assertEqual(self.held(self.keeper()), 8)

    def test_a_state_dir_that_is_a_file(self) -> None:
        self.directory.write_text("")
        keeper = self.keeper()
        self.assertEqual(keeper.offer(version(7), NOW).version, 7)
        self.assertIn(NewsKind.NOT_KEPT, self.news(keeper))

    def test_who_holds_the_lock_keeps_nobody_waiting(self) -> None:
        self.directory.mkdir()
        keeper = self.keeper()
        with (
            open(self.directory / state.LOCK, "w") as other,
            mock.patch.object(state, "LOCK_WAIT_S", 0.02),
        ):
            fcntl.flock(other, fcntl.LOCK_EX)
            for _ in range(3):
                self.assertEqual(keeper.offer(version(7), NOW).version, 7)
            taken, unkept = keeper.news()
            self.assertIs(taken.kind, NewsKind.TAKEN)
            self.assertIs(unkept.kind, NewsKind.NOT_KEPT)
            self.assertIn("is locked by another process", unkept.text)
            with self.assertRaises(state.StateFault):
                state.State(self.directory).keep_brief(7, b"{}")
            self.assertIsNone(self.keeper().policy)
        keeper.offer(version(7), NOW)
        self.assertEqual(self.news(keeper), [NewsKind.KEPT_AGAIN])
        self.assertEqual(self.held(self.keeper()), 7)

    def test_named_pipes_keep_nobody_waiting(self) -> None:
        self.directory.mkdir()
        for name in (state.ENVELOPE, state.HIGHEST, state.LOCK):
            os.mkfifo(self.directory / name)
        keeper = self.keeper()
        self.assertEqual(self.news(keeper), [NewsKind.STATE_DAMAGED] * 2)
        keeper.offer(version(7), NOW)
        self.assertEqual(self.held(self.keeper()), 7)

    def test_files_are_for_their_owner_only(self) -> None:
        self.keeper().offer(version(7), NOW)
        self.assertEqual(stat.S_IMODE(self.directory.stat().st_mode), 0o700)
        for path in self.directory.iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_another_process_sets_the_version_for_all(self) -> None:
        mine, other = self.keeper(), self.keeper()
        mine.offer(version(7), NOW)
        other.offer(version(8), NOW)
        self.assertIs(self.refused(mine, version(6)), PolicyCode.ROLLED_BACK)
        self.assertEqual(mine.offer(version(8), NOW).version, 8)

    def test_an_older_policy_does_not_replace_a_newer_one(self) -> None:
        kept = state.State(self.directory)
        kept.keep(version(8), (8, "b"))
        kept.keep(version(7), (7, "a"))
        kept.keep(version(8) + b" ", (8, "c"))
        self.assertEqual(kept.load_highest(), (8, "b"))
        self.assertEqual(kept.load_envelope(), version(8))

    def test_several_processes_write_the_same_directory(self) -> None:
        context = multiprocessing.get_context("fork")
        processes = [
            context.Process(
                target=offer_many,
                args=(str(self.directory), list(range(start, 40, 3))),
            )
            for start in (1, 2, 3)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
            self.assertEqual(process.exitcode, 0)
        highest = json.loads((self.directory / state.HIGHEST).read_bytes())
        self.assertEqual(highest["version"], 39)
        self.assertEqual(self.held(self.keeper()), 39)
        left = sorted(path.name for path in self.directory.iterdir())
        names = sorted([state.ENVELOPE, state.HIGHEST, state.LOCK])
        self.assertEqual(left, names)
