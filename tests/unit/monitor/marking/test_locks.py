# SPDX-License-Identifier: Apache-2.0
"""Marks are found where they are, and a lock is somebody's."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.locks import ENDS_MAX
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.locks import acted
from nfv_mla_scheduler.monitor.marking.locks import ended_too_often
from nfv_mla_scheduler.monitor.marking.locks import overwritten
from nfv_mla_scheduler.monitor.marking.locks import read_marks
from nfv_mla_scheduler.monitor.marking.locks import whose
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.steps import Step

KEY = b"k" * 32
MARK = Mark(Code.LOCK, "0a1b2c3d", 1.8e9, 1.8e9, "active")
FENCE = Mark(Code.FENCE, "0a1b2c3e", 1.8e9, 1.8e9, "enabled")
ASK = Ask({}, {}, {}, {})
ONE, TWO = "uuid-one", "uuid-two"
OURS, OWNERS, ADMINS = "project-ours", "project-owner", "project-admin"


def server(uuid: str, reason: str = "", locked: bool = True) -> Server:
    return Server(
        uuid,
        OWNERS,
        "edge-1",
        "edge-1",
        VmState.ACTIVE,
        "",
        Power.RUNNING,
        locked,
        reason,
        1.8e9,
        "image",
        ASK,
    )


def node(reason: str, enabled: bool = False, host: str = "edge-1") -> Node:
    return Node(host, "", host, f"s-{host}", enabled, reason, True, False)


def picture(*servers: Server, **nodes: Node) -> Picture:
    return Picture(
        1.8e9,
        {s.uuid: s for s in servers},
        {name.replace("_", "/"): n for name, n in nodes.items()},
        {},
        {},
    )


def ours(uuid: str) -> str:
    return marks.write(MARK, uuid, KEY)


class ReadMarksTest(unittest.TestCase):
    def test_of_servers_by_their_uuid(self) -> None:
        found = read_marks(
            picture(server(ONE, ours(ONE)), server(TWO, "maintenance")),
            (KEY,),
        )
        self.assertEqual(Marks({ONE: MARK}, {}), found)

    def test_of_hosts_by_the_uuid_of_their_service(self) -> None:
        text = marks.write(FENCE, "s-edge-1", KEY)
        found = read_marks(
            picture(a=node(text), b=node("AUTO: broken", host="edge-2")),
            (KEY,),
        )
        self.assertEqual(Marks({}, {"a": FENCE}), found)

    def test_only_on_what_is_locked_or_disabled(self) -> None:
        text = marks.write(FENCE, "s-edge-1", KEY)
        found = read_marks(
            picture(
                server(ONE, ours(ONE), locked=False),
                a=node(text, enabled=True),
            ),
            (KEY,),
        )
        self.assertEqual(Marks({}, {}), found)

    def test_moved_to_another_it_is_forged(self) -> None:
        text = marks.write(FENCE, "s-edge-1", KEY)
        other = node(text, host="edge-2")
        found = read_marks(
            picture(server(TWO, ours(ONE)), a=other, a_b=other), (KEY,)
        )
        detail = "no key of ours made it for this bearer"
        self.assertEqual(
            (
                Tampered("server", TWO, detail),
                Tampered("host", "edge-2", detail),
            ),
            found.forged,
        )
        self.assertEqual(({}, {}), (found.servers, found.nodes))

    def test_what_is_forged_is_not_repeated(self) -> None:
        found = read_marks(
            picture(server(ONE, marks.PREFIX + "secret\n" * 9)), (KEY,)
        )
        (one,) = found.forged
        self.assertNotIn("secret", one.detail)

    def test_each_text_is_parsed_once_however_many_there_are(self) -> None:
        many = [server(f"u{n}", "", locked=False) for n in range(10_000)]
        many += [server(f"m{n}", ours(f"m{n}")) for n in range(200)]
        many += [server(f"o{n}", "maintenance") for n in range(200)]
        everything = picture(*many)
        self.assertEqual(200, len(read_marks(everything, (KEY,)).servers))
        before = marks._read.cache_info()
        self.assertEqual(200, len(read_marks(everything, (KEY,)).servers))
        after = marks._read.cache_info()
        self.assertEqual(0, after.misses - before.misses)
        self.assertEqual(200, after.hits - before.hits)


def deed(
    action: str, project: str, user: str = "someone", after_s: float = 0
) -> Deed:
    return Deed(action, "req-1", user, project, 1.8e9 + after_s, "")


BY_OWNER = deed("lock", OWNERS)
BY_ADMIN = deed("lock", ADMINS)
BY_US = deed("lock", OURS, "us")
LATER = dataclasses.replace(BY_US, at=MARK.at + 31)
# reason of the lock, what was done, whose it is
WHOSE = (
    ("ours", (BY_US,), Lock.OURS),
    # who locked it cannot be told
    ("ours", None, Lock.UNPROVEN),
    # a host wrote it back
    ("ours", (), Lock.FORGED),
    ("ours", (BY_US, deed("unlock", OURS, "us")), Lock.FORGED),
    ("ours", (BY_US, BY_ADMIN), Lock.FORGED),
    ("ours", (deed("lock", ADMINS, "their-monitor"),), Lock.FORGED),
    ("ours", (BY_US, deed("unlock", ADMINS), LATER), Lock.FORGED),
    ("ours", (LATER,), Lock.FORGED),
    # put back by us as it was
    ("ours", (BY_US, deed("stop", OURS, "us"), LATER), Lock.OURS),
    # our own project is the server's
    ("ours", (deed("lock", OWNERS, "us"),), Lock.OURS),
    # an owner who kept the text of an earlier one
    ("ours", (BY_US, deed("unlock", OURS, "us"), BY_OWNER), Lock.FORGED),
    ("forged", (BY_OWNER,), Lock.FORGED),
    ("forged", (BY_ADMIN,), Lock.FORGED),
    ("forged", None, Lock.FORGED),
    ("mine", (BY_OWNER,), Lock.OWNER),
    ("", (BY_OWNER, deed("stop", ADMINS)), Lock.OWNER),
    ("mine", (BY_ADMIN,), Lock.ADMINISTRATOR),
    ("mine", (BY_OWNER, BY_ADMIN), Lock.ADMINISTRATOR),
    ("mine", (BY_ADMIN, deed("unlock", ADMINS), BY_OWNER), Lock.OWNER),
    # overwritten: nobody locks by hand with our credentials
    ("mine", (BY_US,), Lock.FORGED),
    ("", (BY_ADMIN, BY_US, deed("stop", ADMINS)), Lock.FORGED),
    # not known: kept
    ("mine", None, Lock.ADMINISTRATOR),
    ("mine", (), Lock.ADMINISTRATOR),
    ("mine", (deed("stop", OWNERS),), Lock.ADMINISTRATOR),
    ("mine", (BY_OWNER, deed("unlock", OWNERS)), Lock.ADMINISTRATOR),
)


class WhoseTest(unittest.TestCase):
    def test_row_by_row(self) -> None:
        reasons = {"ours": ours(ONE), "forged": ours(TWO)}
        for name, deeds, expected in WHOSE:
            with self.subTest(name, deeds=deeds):
                one = server(ONE, reasons.get(name, name))
                found = read_marks(picture(one), (KEY,))
                self.assertIs(expected, whose(one, found, deeds, "us"))

    def test_what_is_not_locked_is_nobodys(self) -> None:
        one = server(ONE, ours(ONE), locked=False)
        found = read_marks(picture(one), (KEY,))
        self.assertIs(Lock.NONE, whose(one, found, (BY_OWNER,), "us"))


class OverwrittenTest(unittest.TestCase):
    def test_what_was_written_over_our_mark_is_reported(self) -> None:
        for reason in ("maintenance", "", ours(ONE)):
            one = server(ONE, reason)
            found = read_marks(picture(one), (KEY,))
            lock = Lock.FORGED
            told = overwritten(ONE, lock, found, sealed=True)
            assert told is not None
            self.assertEqual(("server", ONE), (told.what, told.name))
            self.assertTrue(told.sealed)

    def test_what_is_reported_already_is_not(self) -> None:
        found = read_marks(picture(server(ONE, ours(TWO))), (KEY,))
        self.assertIsNone(overwritten(ONE, Lock.FORGED, found, False))
        for lock in set(Lock) - {Lock.FORGED}:
            self.assertIsNone(overwritten(ONE, lock, Marks({}, {}), False))


def by_us(action: str, after_s: float) -> Deed:
    return deed(action, OURS, "us", after_s)


def at(after_s: float) -> float:
    return 1.8e9 + after_s


LOCKED_0 = by_us("lock", 0)
# what was done -> first acted, last step, since when, when last moved
RUNS: tuple[
    tuple[
        tuple[Deed, ...],
        tuple[int | None, Step | None, int | None, int | None],
    ],
    ...,
] = (
    ((), (None, None, None, None)),
    ((LOCKED_0,), (0, None, None, None)),
    ((LOCKED_0, by_us("stop", 10)), (0, Step.STOP, 10, None)),
    # an undone lock, and a stop that is swallowed again and again
    (
        (
            *(LOCKED_0, by_us("stop", 10), by_us("lock", 20)),
            *(by_us("stop", 20), by_us("lock", 30), by_us("stop", 30)),
        ),
        (0, Step.STOP, 10, None),
    ),
    (
        (LOCKED_0, by_us("live-migration", 5), by_us("migrate", 9)),
        (0, Step.COLD_MIGRATE, 9, 9),
    ),
    # asked again much later: anew
    (
        (by_us("live-migration", 0), by_us("live-migration", 600)),
        (0, Step.LIVE_MIGRATE, 600, 600),
    ),
    # let go
    (
        (LOCKED_0, by_us("stop", 1), by_us("start", 2), by_us("unlock", 3)),
        (None, None, None, None),
    ),
    ((LOCKED_0, by_us("unlock", 3), by_us("lock", 9)), (9, None, None, None)),
    # an administrator did, and a member of its project did not
    (
        (by_us("stop", 0), deed("start", ADMINS, after_s=5)),
        (None, None, None, None),
    ),
    (
        (by_us("stop", 0), deed("start", OWNERS, after_s=5)),
        (0, Step.STOP, 0, None),
    ),
    ((by_us("lock", 0), deed("unlock", "", "")), (0, None, None, None)),
    # of others, and for another finding
    ((deed("lock", ADMINS), deed("stop", OWNERS)), (None, None, None, None)),
    ((by_us("stop", -900), by_us("lock", 0)), (0, None, None, None)),
)


class ActedTest(unittest.TestCase):
    def test_row_by_row(self) -> None:
        for deeds, expected in RUNS:
            with self.subTest(deeds=deeds):
                run = acted(server(ONE), deeds, "us", at(0), at(-30))
                self.assertTrue(run.known)
                first, step, begun, moved = (
                    at(e) if isinstance(e, int) else e for e in expected
                )
                self.assertEqual(
                    (first, step, begun, moved),
                    (run.first, run.step, run.begun, run.moved),
                )

    def test_others_are_believed_some_times(self) -> None:
        for action in ("unlock", "start"):
            deeds: list[Deed] = []
            for number in range(6):
                deeds.append(by_us("lock", 10 * number))
                deeds.append(deed(action, ADMINS, after_s=10 * number + 5))
                run = acted(server(ONE), tuple(deeds), "us", at(0), at(-30))
                with self.subTest(action, number=number):
                    self.assertEqual(number + 1, run.ended)
                    believed = number < ENDS_MAX
                    first = None if believed else at(10 * ENDS_MAX)
                    self.assertEqual(first, run.first)
                    told = ended_too_often(ONE, run, sealed=True)
                    self.assertIs(believed, told is None)
                    self.assertTrue(told is None or told.sealed)

    def test_long_ago_they_may_have_done_so_as_often_as_they_liked(
        self,
    ) -> None:
        deeds = [
            each
            for number in range(9)
            for each in (
                by_us("lock", -9e6 + 10 * number),
                deed("unlock", ADMINS, after_s=-9e6 + 10 * number + 5),
            )
        ]
        run = acted(server(ONE), tuple(deeds), "us", at(0))
        self.assertEqual((None, 0), (run.first, run.ended))

    def test_what_is_dated_before_it_ends_nothing(self) -> None:
        deeds = (by_us("lock", 0), deed("unlock", ADMINS, after_s=-31))
        run = acted(server(ONE), deeds, "us", at(0))
        self.assertEqual((at(0), 0), (run.first, run.ended))

    def test_what_cannot_be_read_says_nothing(self) -> None:
        self.assertEqual(
            Acted(seen=at(0)), acted(server(ONE), None, "us", at(0))
        )
