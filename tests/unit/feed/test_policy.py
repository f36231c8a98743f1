# SPDX-License-Identifier: Apache-2.0
"""The feed takes the newest good policy, and keeps it whatever comes next."""

from __future__ import annotations

import fcntl
import os
import shutil
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.policy import state
from tests import policies
from tests.unit.feed import files
from tests.unit.feed.files import Files
from tests.unit.feed.files import version

DAY = 86400.0
EXPIRES_AT = 1_803_081_600.0  # 2027-02-20T00:00:00Z


def _same_key_twice() -> bytes:
    alice = policies.signer("alice")
    return policies.signed(policies.policy_yaml(), [alice, alice])


def _under_signed() -> bytes:
    return policies.signed(policies.policy_yaml(), [policies.signer("alice")])


def _dates(number: int, issued: str, expires: str) -> bytes:
    return version(
        number,
        ("issued: 2026-11-20T09:00:00Z", f"issued: {issued}"),
        ("expires: 2027-02-20T00:00:00Z", f"expires: {expires}"),
    )


# what comes after version 7 -> why it is refused
REFUSED = {
    "under-signed": (_under_signed(), PolicyCode.UNDER_SIGNED),
    "signed by a stranger": (
        policies.signed(
            policies.policy_yaml(),
            [policies.signer("mallory"), policies.signer("alice")],
        ),
        PolicyCode.UNDER_SIGNED,
    ),
    "the same key twice": (_same_key_twice(), PolicyCode.BAD_ENVELOPE),
    "rolled back": (version(6), PolicyCode.ROLLED_BACK),
    "another of the same version": (
        version(7, ("cadence_s: 10", "cadence_s: 11")),
        PolicyCode.SAME_VERSION,
    ),
    "expired": (
        _dates(8, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        PolicyCode.EXPIRED,
    ),
    "from the future": (
        _dates(8, "2026-12-01T00:00:00Z", "2027-02-20T00:00:00Z"),
        PolicyCode.NOT_YET,
    ),
    "invalid": (version(8, ("vouches:", "voches:")), PolicyCode.INVALID),
    "not signed": (policies.policy_yaml().encode(), PolicyCode.UNREADABLE),
    "empty": (b"", PolicyCode.UNREADABLE),
    "of another type": (
        policies.signed(policies.policy_yaml(), None, "text/plain"),
        PolicyCode.BAD_ENVELOPE,
    ),
    "too large": (b" " * (17 * 2**20), PolicyCode.TOO_LARGE),
}


class PolicyTest(unittest.TestCase):
    def setUp(self) -> None:
        self.files = Files.of(self)

    def _version(self) -> int | None:
        policy = self.files.feed.snapshot.policy
        return policy.version if policy else None

    def test_the_first_policy_is_taken_and_told_once(self) -> None:
        self.assertEqual(["policy-missing"], self.files.codes())
        self.assertIsNone(self._version())
        self.files.put_policy(version(7))
        self.files.put_results(files.results())
        self.assertEqual(["policy-taken", "loaded"], self.files.codes())
        self.assertEqual(7, self._version())
        self.assertEqual([], self.files.codes())

    def test_nothing_new_makes_no_new_snapshot(self) -> None:
        self.files.put_policy(version(7))
        self.files.put_results(files.results())
        self.files.refresh()
        before = self.files.feed.snapshot
        for _ in range(3):
            self.assertEqual([], self.files.refresh())
        self.assertIs(before, self.files.feed.snapshot)

    def test_a_newer_policy_is_taken(self) -> None:
        self.files.put_policy(version(7))
        self.files.refresh()
        epoch = self.files.feed.snapshot.epoch
        self.files.put_policy(version(8))
        self.assertIn("policy-taken", self.files.codes())
        self.assertEqual(8, self._version())
        self.assertGreater(self.files.feed.snapshot.epoch, epoch)

    def test_a_bad_policy_is_told_once_and_changes_nothing(self) -> None:
        for name, (data, code) in REFUSED.items():
            with self.subTest(name):
                here = Files.of(self)
                here.put_policy(version(7))
                here.put_results(files.results())
                here.refresh()
                before = here.feed.snapshot
                here.put_policy(data)
                (news,) = here.refresh()
                self.assertEqual("policy", news.subject)
                self.assertFalse(news.good)
                self.assertEqual(code.value, news.code)
                self.assertNotIn("Error", news.text)
                for _ in range(3):
                    self.assertEqual([], here.refresh())
                self.assertIs(before, here.feed.snapshot)
                # and the good one back in its place is told once, too
                here.put_policy(version(7))
                (news,) = here.refresh()
                self.assertTrue(news.good)
                self.assertIn("version 7", news.text)
                self.assertEqual([], here.refresh())

    def test_every_reason_is_tested(self) -> None:
        tested = {code for _, code in REFUSED.values()}
        # of the officers' keys, which are read when the process starts; and
        # of a file that is not there
        self.assertEqual(
            {PolicyCode.BAD_ROOT, PolicyCode.MISSING},
            set(PolicyCode) - tested,
        )

    def test_a_policy_whose_time_has_not_come_is_taken_when_it_comes(
        self,
    ) -> None:
        data, _ = REFUSED["from the future"]
        self.files.put_policy(data)
        self.assertIn("policy-not-yet", self.files.codes())
        self.assertNotIn("policy-not-yet", self.files.codes(DAY))
        self.assertEqual(
            ["policy-taken"],
            [
                n.code
                for n in self.files.refresh(12 * DAY)
                if n.subject == "policy"
            ],
        )
        self.assertEqual(8, self._version())

    def test_a_policy_file_that_goes_is_told_once_and_so_is_its_return(
        self,
    ) -> None:
        self.files.put_policy(version(7))
        self.files.put_results(files.results())
        self.files.refresh()
        self.files.policy_file.unlink()
        self.assertEqual(["policy-missing"], self.files.codes())
        self.assertEqual([], self.files.codes())
        self.assertEqual(7, self._version())
        self.files.put_policy(version(7))
        self.assertEqual(["loaded"], self.files.codes())

    def test_a_file_that_is_none_does_not_stop_us(self) -> None:
        os.mkfifo(self.files.policy_file)
        (news, *_) = self.files.refresh()
        self.assertEqual("policy-unreadable", news.code)
        self.assertIn("not a regular file", news.text)
        self.files.policy_file.unlink()
        self.files.policy_file.mkdir()
        self.assertEqual([], self.files.refresh())


class RestartTest(unittest.TestCase):
    def setUp(self) -> None:
        self.files = Files.of(self)
        self.files.put_policy(version(7))
        self.files.refresh()

    def test_the_last_good_policy_holds_before_anything_is_read(self) -> None:
        self.files.put_policy(b"garbage")
        snapshot = self.files.new_feed().snapshot
        assert snapshot.policy is not None
        self.assertEqual(7, snapshot.policy.version)
        codes = self.files.codes()
        self.assertIn("policy-restored", codes)
        self.assertIn("policy-unreadable", codes)
        assert self.files.feed.snapshot.policy is not None
        self.assertEqual(7, self.files.feed.snapshot.policy.version)

    def test_what_is_older_than_before_the_restart_is_refused(self) -> None:
        self.files.put_policy(version(6))
        self.files.new_feed()
        self.assertIn("policy-rolled-back", self.files.codes())

    def test_a_state_that_cannot_be_kept_is_told_once(self) -> None:
        shutil.rmtree(self.files.state)
        self.files.state.write_text("in the way")
        self.files.put_policy(version(8))
        news = self.files.refresh()
        self.assertIn(
            ("state", "policy-not-kept"), [(n.subject, n.code) for n in news]
        )
        self.assertIn("policy-taken", [n.code for n in news])
        self.assertEqual([], self.files.refresh())
        self.files.state.unlink()
        (again,) = self.files.refresh()
        self.assertTrue(again.good)
        self.assertEqual("policy-kept-again", again.code)

    def test_a_lock_that_somebody_holds_is_told_once(self) -> None:
        self.files.put_results(files.results())
        self.files.refresh()
        self.files.put_policy(version(8))
        with (
            open(self.files.state / state.LOCK, "w") as other,
            mock.patch.object(state, "LOCK_WAIT_S", 0.02),
        ):
            fcntl.flock(other, fcntl.LOCK_EX)
            codes = self.files.codes()
            self.assertEqual(1, codes.count("policy-not-kept"))
            self.assertIn("policy-taken", codes)
            self.assertEqual([], self.files.codes())
        self.assertEqual(["policy-kept-again"], self.files.codes())
        again = self.files.new_feed().snapshot.policy
        assert again is not None
        self.assertEqual(8, again.version)


class ExpiryTest(unittest.TestCase):
    def setUp(self) -> None:
        self.files = Files.of(self)
        self.files.put_policy(version(7))
        self.files.put_results(files.results())
        self.files.refresh()

    def _case(self, project: str, specs: dict[str, str]) -> Case:
        judge = Judge(Bearings("acme"))
        request = Request(project, specs, {}, {})
        return judge.case(request, self.files.feed.snapshot)

    def _alarms(self, days_left: float) -> list[str]:
        self.files.now = EXPIRES_AT - days_left * DAY
        return [n.text for n in self.files.refresh(0) if n.subject == "expiry"]

    def test_alarms_30_7_and_1_days_before_each_once(self) -> None:
        told = [
            (days, text)
            for days in (60, 30.1, 30, 29, 8, 6.9, 6, 1.5, 0.9, 0.1)
            for text in self._alarms(days)
        ]
        self.assertEqual([30, 6.9, 0.9], [days for days, _ in told])
        self.assertIn("expires in 30.0 days", told[0][1])

    def test_whoever_starts_late_alarms_once(self) -> None:
        self.files.new_feed()
        self.assertEqual(1, len(self._alarms(3)))
        self.assertEqual([], self._alarms(2.9))

    def test_a_new_policy_ends_the_alarms(self) -> None:
        self.assertEqual(1, len(self._alarms(5)))
        self.files.put_policy(
            _dates(8, "2026-12-15T00:00:00Z", "2027-05-20T00:00:00Z")
        )
        self.assertEqual([], self._alarms(5))
        self.assertEqual([], self._alarms(0.5))

    def test_an_expired_policy_refuses_who_asks_and_keeps_pools_closed(
        self,
    ) -> None:
        class Host:
            def __init__(self, host: str, uuid: str) -> None:
                self.host, self.uuid = host, uuid

        # a pool that stays exclusive, and a host that is nobody's
        hosts = [
            Host("ber-2", "22222222-2222-4222-8222-222222222222"),
            Host("par-1", "33333333-3333-4333-8333-333333333333"),
            Host("other", "99999999-9999-4999-8999-999999999999"),
        ]
        self.files.now = EXPIRES_AT
        news = self.files.refresh(1)
        self.assertIn(
            ("expiry", "policy-expired"), [(n.subject, n.code) for n in news]
        )
        self.assertEqual([], self.files.refresh())
        now = self.files.now
        asks = self._case("p", {"nfv_mla:capability.tpm": "required"})
        self.assertEqual([], asks.admitted(hosts, now))
        plain = self._case("p", {})
        self.assertEqual(
            ["par-1", "other"], [h.host for h in plain.admitted(hosts, now)]
        )


class GarbageTest(unittest.TestCase):
    def test_arbitrary_bytes_never_stop_the_refresh(self) -> None:
        here = Files.of(self)
        here.put_policy(version(7))
        here.put_results(files.results())
        here.put_waiver(files.waiver())
        here.refresh()
        good = {
            here.policy_file: version(7),
            here.results_file: files.results(),
            here.waivers / "one.json": files.waiver(),
        }

        @settings(max_examples=60, deadline=None)
        @given(st.data())
        def refresh(data: st.DataObject) -> None:
            for path, whole in good.items():
                cut = data.draw(st.integers(0, len(whole)))
                junk = data.draw(st.binary(max_size=40))
                path.write_bytes(whole[:cut] + junk + whole[cut + 9 :])
            for news in here.refresh(0):
                self.assertLessEqual(len(news.text), 480)
                self.assertTrue(news.text.isprintable())

        refresh()
        assert here.feed.snapshot.policy is not None
        self.assertEqual(7, here.feed.snapshot.policy.version)
