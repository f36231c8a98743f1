# SPDX-License-Identifier: Apache-2.0
"""Copies of a server's state, and whose deeds are worth reading."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.monitor.judging.copies import Copies
from nfv_mla_scheduler.monitor.judging.copies import CopyLimits
from nfv_mla_scheduler.monitor.judging.copies import copied
from nfv_mla_scheduler.monitor.judging.copies import copy_limits
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Source
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import PROJECT
from tests.unit.monitor.scene import ask
from tests.unit.monitor.scene import server
from tests.unit.monitor.scene import uuid

DENY = CopyLimits(CopyRule.DENY)
SAME = CopyLimits(CopyRule.SAME_PROJECT)
EVERYTHING = frozenset({"snapshot", "backup", "crash-dump", "rescue"})
COPIES = ("createImage", "createBackup", "rescue", "trigger_crash_dump")


def deed(
    action: str = "createImage",
    project: str = PROJECT,
    at: float = NOW,
    request: str = "req-1",
) -> Deed:
    return Deed(action, request, "user", project, at, "")


class TestLimits(unittest.TestCase):
    def test_the_strictest_of_all_who_ask(self):
        asks = [
            Ask(Source.FLAVOR, copy=CopyRule.ALLOW),
            Ask(Source.FLOOR, copy=CopyRule.DENY),
            Ask(Source.HINT),
        ]
        self.assertEqual(DENY, copy_limits(asks, ()))
        self.assertFalse(copy_limits(asks[:1], ()).limits)
        self.assertFalse(copy_limits((), ()).limits)

    def test_a_profile_refuses_copies(self):
        profile = drafts.CATALOGUE.profiles["lawful-interception"]
        limits = copy_limits((), (profile,))
        self.assertEqual(CopyLimits(None, EVERYTHING), limits)
        self.assertTrue(limits.limits)


class TestCopied(unittest.TestCase):
    def _found(self, limits: CopyLimits, *deeds: Deed, **how: object) -> list:
        since = how.pop("since", NOW)
        return [
            each.action for each in copied(server(**how), limits, deeds, since)
        ]

    def test_each_kind_of_copy(self):
        deeds = [deed(action) for action in (*COPIES, "shelve")]
        for limits in (DENY, CopyLimits(None, EVERYTHING)):
            found = self._found(limits, *deeds)
            self.assertEqual([*COPIES, "shelve"], found)

    def test_other_deeds_are_no_copies(self):
        others = ("lock", "stop", "live-migration", "unshelve", "rebuild")
        self.assertEqual([], self._found(DENY, *map(deed, others)))

    def test_to_shelve_a_server_on_a_volume_copies_nothing(self):
        asked = ask(from_volume=True)
        self.assertEqual([], self._found(DENY, deed("shelve"), asked=asked))

    def test_a_profile_may_refuse_some_kinds_only(self):
        limits = CopyLimits(None, frozenset({"backup"}))
        deeds = [deed(action) for action in COPIES]
        self.assertEqual(["createBackup"], self._found(limits, *deeds))

    def test_its_own_project_may_and_others_may_not(self):
        self.assertEqual([], self._found(SAME, deed()))
        for project in ("p2", ""):
            found = self._found(SAME, deed(project=project))
            self.assertEqual(["createImage"], found)

    def test_where_a_profile_refuses_the_same_project_may_not_either(self):
        limits = CopyLimits(CopyRule.SAME_PROJECT, EVERYTHING)
        self.assertEqual(["createImage"], self._found(limits, deed()))

    def test_who_allows_everything_finds_nothing(self):
        limits = CopyLimits(CopyRule.ALLOW)
        self.assertEqual([], self._found(limits, deed(project="p2")))

    def test_only_deeds_since_a_moment(self):
        deeds = [deed(at=NOW - 1), deed("rescue", at=NOW)]
        self.assertEqual(["rescue"], self._found(DENY, *deeds))

    def test_what_nova_says_is_bounded(self):
        (found,) = copied(
            server(),
            DENY,
            [deed(project="p" * 999, request="r\n" * 999)],
            NOW,
            sealed=True,
        )
        self.assertLessEqual(len(found.by_project), 64)
        self.assertNotIn("\n", found.request_id)
        self.assertTrue(found.sealed)


class TestDue(unittest.TestCase):
    def setUp(self):
        self.copies = Copies(NOW)
        self.servers = {uuid(n): server(n) for n in range(1, 8)}
        self.limited = [uuid(n) for n in range(1, 6)]

    def _read(self, most: int = 2) -> tuple[str, ...]:
        due = self.copies.due(self.servers, self.limited, most)
        for each in due:
            self.copies.read(self.servers[each], DENY, ())
        return due

    def test_all_are_read_once_and_few_at_a_time(self):
        read = [self._read() for _ in range(4)]
        self.assertEqual([2, 2, 1, 0], [len(some) for some in read])
        self.assertEqual(self.limited, sorted(sum(read, ())))

    def test_only_what_has_changed_is_read_again(self):
        while self._read():
            pass
        for number in (2, 7):
            self.servers[uuid(number)] = server(number, updated=NOW + 5)
        # the same, as a new full listing brings it
        self.servers[uuid(3)] = server(3)
        self.assertEqual((uuid(2),), self._read())
        self.assertEqual((), self._read())

    def test_nobody_is_forgotten_while_others_change_all_the_time(self):
        read = set()
        for turn in range(5):
            for number in range(1, 6):
                self.servers[uuid(number)] = server(number, updated=NOW + turn)
            read.update(self._read(most=1))
        self.assertEqual(set(self.limited), read)

    def test_a_read_that_failed_is_due_again(self):
        due = self.copies.due(self.servers, self.limited, 2)
        self.assertEqual(due, self.copies.due(self.servers, self.limited, 2))

    def test_a_server_that_is_gone_is_not_due(self):
        del self.servers[uuid(1)]
        self.assertNotIn(
            uuid(1), self.copies.due(self.servers, self.limited, 9)
        )

    def test_a_copy_is_told_once(self):
        self.copies.due(self.servers, self.limited)
        one = self.servers[uuid(1)]
        self.assertEqual(1, len(self.copies.read(one, DENY, [deed()])))
        self.assertEqual((), self.copies.read(one, DENY, [deed()]))
        again = [deed(), deed(request="req-2")]
        self.assertEqual(1, len(self.copies.read(one, DENY, again)))

    def test_clocks_may_differ_by_minutes(self):
        one = self.servers[uuid(1)]
        old = [deed(at=NOW - 299), deed(at=NOW - 301, request="req-0")]
        found = self.copies.read(one, DENY, old)
        self.assertEqual(["req-1"], [each.request_id for each in found])
