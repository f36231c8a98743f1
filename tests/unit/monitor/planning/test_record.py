# SPDX-License-Identifier: Apache-2.0
"""What is kept of Nova's record, and whose locks it tells."""

from __future__ import annotations

import dataclasses
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.marking import locks
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.planning import owners
from nfv_mla_scheduler.monitor.planning.owners import Owners
from nfv_mla_scheduler.monitor.planning.record import Record
from nfv_mla_scheduler.monitor.planning.record import record_of
from nfv_mla_scheduler.monitor.port import DEEDS_MAX
from nfv_mla_scheduler.monitor.port import Deed
from tests.unit.monitor.cloud_fake import NOW
from tests.unit.monitor.cloud_fake import FakeCloud

KEYS = (b"k" * 32,)


def deed(action: str, at: float, number: int = 0, message: str = "") -> Deed:
    return Deed(action, f"req-{at}-{number}", "u", "p", at, message)


def noise(number: int, at: float) -> tuple[Deed, ...]:
    """Return what a lock keeps nobody from."""
    return (deed("createImage", at),) * number


class RecordTest(unittest.TestCase):
    def test_only_what_matters_is_kept(self) -> None:
        lock = deed("lock", 1)
        found = record_of((deed("create", 0), lock, *noise(9, 2)))
        self.assertEqual(Record((lock,)), found)

    def test_what_is_missing_is_known_to_be(self) -> None:
        lock = deed("lock", 1)
        for number, begins in ((DEEDS_MAX - 2, NEVER), (DEEDS_MAX - 1, 1.0)):
            found = record_of((lock, *noise(number, 2)))
            self.assertEqual(Record((lock,), begins), found)

    def test_what_was_known_is_kept(self) -> None:
        before = record_of((deed("lock", 1), deed("stop", 2)))
        found = record_of((deed("stop", 2), deed("start", 9)), 1.5, before)
        actions = [each.action for each in found.deeds]
        self.assertEqual(["lock", "stop", "start"], actions)
        self.assertEqual(NEVER, found.begins)
        # as many as are shown, and all since then
        many = record_of(noise(DEEDS_MAX, 9), 10.0, before)
        self.assertEqual(before, many)

    def test_what_cannot_be_joined_is_not_kept(self) -> None:
        before = record_of((deed("lock", 1), deed("stop", 2)))
        found = record_of(noise(DEEDS_MAX, 9), 1.5, before)
        self.assertEqual(Record((), 9), found)
        after = record_of((deed("start", 12),), 8.0, found)
        self.assertEqual(Record((deed("start", 12),), 9), after)

    def test_one_that_has_failed_meanwhile(self) -> None:
        before = record_of((deed("rebuild", 1), deed("stop", 2)))
        failed = deed("rebuild", 1, message="Error")
        found = record_of((failed, deed("stop", 2)), 0.0, before)
        self.assertEqual((failed, deed("stop", 2)), found.deeds)

    @given(
        st.lists(
            st.sampled_from(["lock", "unlock", "stop", "createImage"]),
            max_size=40,
        ),
        st.lists(st.integers(0, 40), max_size=5),
    )
    def test_bit_by_bit_is_as_all_at_once(
        self, actions: list[str], reads: list[int]
    ) -> None:
        deeds = tuple(deed(a, float(n)) for n, a in enumerate(actions))
        record, upto = None, NEVER
        for number in (*sorted(reads), len(deeds)):
            there = deeds[:number]
            page = tuple(d for d in there if d.at >= upto - 3)
            record = record_of(page, upto - 3, record)
            upto = there[-1].at if there else NEVER
        self.assertEqual(record_of(deeds), record)


class Paged(FakeCloud):
    """Shows no more than it is asked for, as if one deed were a page."""

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        found: list[Deed] = []
        for one in reversed(super().deeds(uuid)):
            found.append(one)
            if one.at < back_to:
                break
        return tuple(reversed(found))


class LocksTest(unittest.TestCase):
    """Whose a lock is, of which so much was done that it is out of sight."""

    def setUp(self) -> None:
        self.cloud = Paged()
        self.server = self.cloud.add_server(1).uuid
        self.pool = ThreadPoolExecutor(2)
        self.addCleanup(self.pool.shutdown)
        self.restart()

    def restart(self) -> None:
        self.owners = Owners(self.cloud, self.pool)

    def lock(self) -> Lock:
        """Return whose lock the server has, by one look."""
        picture = self.cloud.picture()
        found = locks.read_marks(picture, KEYS)
        now = self.cloud.now
        self.owners.look(picture, found, [self.server], [], now, now)
        return self.owners.locks(picture, found, [self.server])[self.server]

    def lock_it(self) -> None:
        at = self.cloud.now
        mark = Mark(Code.LOCK, "0123abcd", at, at, "active")
        text = marks.write(mark, self.server, KEYS[0])
        self.cloud.lock(self.server, text)

    def copy(self, number: int) -> None:
        """Have its owner make so many copies, which no lock hinders."""
        self.cloud.now += 100
        self.cloud.history[self.server] += noise(number, self.cloud.now)
        self.cloud.change(self.server)

    def test_ours(self) -> None:
        self.lock_it()
        self.copy(1500)
        self.assertIs(Lock.OURS, self.lock())
        for _ in range(4):
            self.copy(1500)
            self.assertIs(Lock.OURS, self.lock())
        # who has not seen it cannot tell, and takes nothing for a forgery
        self.restart()
        self.assertIs(Lock.UNPROVEN, self.lock())

    def test_so_much_between_two_looks_that_it_is_out_of_sight(self) -> None:
        self.lock_it()
        self.assertIs(Lock.OURS, self.lock())
        self.copy(DEEDS_MAX + 1)
        self.assertIs(Lock.UNPROVEN, self.lock())

    def test_what_is_answered_late_is_taken_later_and_asked_once(self) -> None:
        self.lock_it()
        may, asked = threading.Event(), []
        self.addCleanup(may.set)
        read = self.cloud.deeds

        def slow(uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
            asked.append(uuid)
            may.wait(60)
            return read(uuid, back_to)

        self.cloud.deeds = slow  # type: ignore[method-assign]
        with mock.patch.object(owners, "DEEDS_WAIT_S", 0.01):
            for _ in range(5):
                self.assertIs(Lock.UNPROVEN, self.lock())
        self.assertEqual(1, len(asked))
        may.set()
        wait([each.future for each in self.owners._asked.values()])
        self.assertIs(Lock.OURS, self.lock())
        self.assertEqual(1, len(asked))

    def test_what_was_asked_before_we_acted_is_read_again(self) -> None:
        self.lock_it()
        may = threading.Event()
        self.addCleanup(may.set)
        read = self.cloud.deeds

        def slow(uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
            may.wait(60)
            return read(uuid, back_to)

        self.cloud.deeds = slow  # type: ignore[method-assign]
        with mock.patch.object(owners, "DEEDS_WAIT_S", 0.01):
            self.lock()
        self.owners.forget([self.server])
        may.set()
        wait([each.future for each in self.owners._asked.values()])
        calls = len(self.cloud.log)
        self.assertIs(Lock.OURS, self.lock())
        self.assertIn("deeds", [entry[0] for entry in self.cloud.log[calls:]])

    def test_where_no_thread_can_be_started_nothing_is_known(self) -> None:
        self.lock_it()
        none = RuntimeError("can't start new thread")
        with mock.patch.object(self.pool, "submit", side_effect=none):
            self.assertIs(Lock.UNPROVEN, self.lock())
        self.assertIs(Lock.OURS, self.lock())

    def test_its_owners(self) -> None:
        self.cloud.as_owner(self.server, "lock", "mine")
        self.copy(1500)
        self.assertIs(Lock.OWNER, self.lock())

    def test_a_host_that_writes_deeds_of_tomorrow_hides_nothing(self) -> None:
        self.lock_it()
        later = deed("stop", NOW + 86_400)
        self.cloud.history[self.server].append(later)
        self.assertIs(Lock.OURS, self.lock())
        self.cloud.now += 100
        self.cloud.as_admin(self.server, "unlock")
        self.cloud.as_owner(self.server, "lock", "mine")
        self.copy(10)
        self.assertIs(Lock.OWNER, self.lock())

    def test_a_deed_that_fails_later(self) -> None:
        self.lock_it()
        self.cloud.as_admin(self.server, "os-stop")
        self.lock()
        last = self.cloud.history[self.server][-1]
        failed = dataclasses.replace(last, message="Error")
        self.cloud.history[self.server][-1] = failed
        server = self.cloud.change(self.server, updated=NOW + 1)
        self.lock()
        record = self.owners.known(server)
        assert record is not None
        self.assertEqual(failed, record.deeds[-1])
