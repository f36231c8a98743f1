# SPDX-License-Identifier: Apache-2.0
"""What cannot be recorded first is not asked for."""

from __future__ import annotations

import threading
import time
import unittest
from collections.abc import Callable

from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.monitor.acting import scribe
from nfv_mla_scheduler.monitor.acting.actor import Actor
from nfv_mla_scheduler.monitor.acting.attempt import LONG_S
from nfv_mla_scheduler.monitor.acting.evading import TIMES
from nfv_mla_scheduler.monitor.acting.scribe import Intents
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Release
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from tests.unit.monitor.cloud_fake import NOW
from tests.unit.monitor.cloud_fake import FakeCloud
from tests.unit.monitor.cloud_fake import ident

KEYS = (b"k" * 32,)
A, B = ident(1), ident(2)
TIMEOUT_S = 30.0


class Kept(NullAudit):
    """A ledger in memory, whose disk and blocks are ours.

    :ivar writes: whether anything can be written
    :ivar block: set when the next block of a sealed domain is written
    :ivar then: called while a commit waits
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.timeouts: list[tuple[str | None, float]] = []
        self.writes = True
        self.block: threading.Event | None = None
        self.then: Callable[[], None] = lambda: None
        self.waiting = threading.Semaphore(0)
        self._lock = threading.Lock()

    @property
    def ledger(self) -> bool | None:
        return True

    @property
    def healthy(self) -> bool:
        return self.writes

    def record(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)

    def commit(self, event: Event, timeout_s: float) -> bool:
        with self._lock:
            self.timeouts.append((event.domain, timeout_s))
            if self.writes:
                self.events.append(event)
        self.then()
        if event.domain is not None and self.block is not None:
            self.waiting.release()
            assert self.block.wait(TIMEOUT_S)
        return self.writes

    def of(self, domain: str | None) -> list[tuple[object, ...]]:
        """Return what is recorded of steps, as far as matters here."""
        return [
            (e.kind, e.fields.get("ask"), e.fields.get("outcome"))
            for e in self.events
            if e.domain == domain
        ]


def stop(uuid: str) -> Planned:
    return Planned(
        uuid, "h1", Step.STOP, (Ask.STOP,), "stop", NOW + 60, "failed"
    )


class IntentsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.kept = Kept()
        self.now = 100.0
        self.intents = Intents(self.kept, 5.0, lambda: self.now)

    def commit(self, domain: str | None = None) -> bool | None:
        kind = EventKind.STEP_INTENDED
        return self.intents.commit(Event(kind, NOW, "test", {}, domain))

    def test_a_sealed_domain_waits_for_its_block(self) -> None:
        self.assertTrue(self.commit())
        self.assertTrue(self.commit("li"))
        (_, usual), (_, sealed) = self.kept.timeouts
        self.assertLess(usual, 5.0)
        self.assertGreater(sealed, 10.0)

    def test_many_do_not_wait_one_after_the_other(self) -> None:
        self.kept.writes = False
        self.assertIs(False, self.commit())
        for _ in range(100):
            self.assertIsNone(self.commit())
        self.assertEqual(1, len(self.kept.timeouts))
        self.now += scribe.PAUSE_S
        self.assertIs(False, self.commit())
        self.assertEqual((None, scribe.HURRIED_S), self.kept.timeouts[-1])

    def test_it_goes_on_once_it_can(self) -> None:
        self.kept.writes = False
        self.commit()
        self.kept.writes = True
        self.now += scribe.PAUSE_S
        self.assertTrue(self.commit())
        self.assertTrue(self.commit())
        # a disk that is slow and works is waited for
        self.assertEqual((None, scribe.COMMIT_S), self.kept.timeouts[1])

    def test_one_store_that_fails_keeps_no_other_back(self) -> None:
        self.kept.writes = False
        self.commit("li")
        self.kept.writes = True
        self.assertIsNone(self.commit("li"))
        self.assertTrue(self.commit())
        self.assertTrue(self.commit("keys"))


class ActorTest(unittest.TestCase):
    def setUp(self) -> None:
        self.cloud = FakeCloud(hosts=3)
        self.kept = Kept()
        self.monotonic = 0.0
        self.became: dict[str, Outcome] = {}
        self.actor = Actor(
            self.cloud,
            KEYS,
            self.kept,
            workers=4,
            origin="test",
            pause=lambda _: None,
            monotonic=lambda: self.monotonic,
            patience_s=10.0,
        )
        self.addCleanup(self.actor.close)

    def do(
        self, *steps: Planned, sealed: tuple[str, ...] = (), **plan: object
    ) -> tuple[Outcome, ...]:
        done = self.actor.carry_out(
            Plan(steps=steps, **plan),  # type: ignore[arg-type]
            self.cloud.picture(),
            self.cloud.now,
            dict.fromkeys(sealed, "li"),
        )
        self.became |= {o.subject: o for o in done}
        return done

    def ended(self, *uuids: str) -> dict[str, Outcome]:
        """Return what became of sealed servers, once that is known."""
        end = time.monotonic() + TIMEOUT_S
        while not self.became.keys() >= set(uuids):
            self.assertLess(time.monotonic(), end, str(self.became))
            time.sleep(0.005)
            self.do()
        return {uuid: self.became[uuid] for uuid in uuids}


class UnrecordedTest(ActorTest):
    def test_nothing_is_asked_for_that_is_not_recorded_before(self) -> None:
        self.cloud.add_server(1)
        locked = self.cloud.add_server(2)
        self.do(stop(locked.uuid))
        asked = len(self.cloud.written)
        service = self.cloud.node("h1").service
        self.kept.writes = False
        outcomes = self.do(
            stop(A),
            fences=(Fence("h1", service, True, "failed"),),
            releases=(Release(B, "h1", (Ask.START, Ask.UNLOCK)),),
            traits=(TraitEdit("u-h1", "CUSTOM_NFV_MLA_X", True),),
        )
        self.assertEqual({Result.UNRECORDED}, {each.code for each in outcomes})
        self.assertEqual(4, len(outcomes))
        self.assertEqual(asked, len(self.cloud.written))
        for outcome in outcomes:
            self.assertIn("ledger", outcome.text)

    def test_it_goes_on_as_planned_once_it_can_be(self) -> None:
        self.cloud.add_server(1)
        self.kept.writes = False
        self.do(stop(A))
        self.kept.writes = True
        self.monotonic += scribe.PAUSE_S
        (outcome,) = self.do(stop(A))
        self.assertIs(Result.DONE, outcome.code)
        before, after = EventKind.STEP_INTENDED, EventKind.STEP_DONE
        self.assertEqual(
            [
                # what might have been written all the same was not done
                (after, "lock", "unrecorded"),
                (before, "lock", None),
                (after, "lock", "done"),
                (before, "os-stop", None),
                (after, "os-stop", "done"),
            ],
            self.kept.of(None),
        )

    def test_it_is_nobodys_failure(self) -> None:
        for number in range(1, 9):
            self.cloud.add_server(number)
        every = [stop(ident(n)) for n in range(1, 9)]
        self.kept.writes = False
        for _ in range(TIMES + 1):
            outcomes = self.do(*every)
            self.monotonic += scribe.PAUSE_S
            # none of them is backed off from
            self.assertEqual(
                {Result.UNRECORDED}, {each.code for each in outcomes}
            )
        self.kept.writes = True
        self.assertEqual(
            {Result.DONE}, {each.code for each in self.do(*every)}
        )

    def test_a_host_is_not_switched_off_either(self) -> None:
        self.cloud.add_server(1)
        actor = Actor(
            self.cloud, KEYS, self.kept, power=Power(("/bin/false",), ())
        )
        self.addCleanup(actor.close)
        self.kept.writes = False
        off = Planned(
            A, "h1", Step.POWER_OFF, (Ask.POWER_OFF,), "", NOW + 60, "failed"
        )
        (outcome,) = actor.carry_out(
            Plan(steps=(off,)), self.cloud.picture(), NOW
        )
        self.assertIs(Result.UNRECORDED, outcome.code)

    def test_without_a_ledger_nothing_waits(self) -> None:
        self.cloud.add_server(1)
        actor = Actor(self.cloud, KEYS, NullAudit())
        self.addCleanup(actor.close)
        (outcome,) = actor.carry_out(
            Plan(steps=(stop(A),)), self.cloud.picture(), NOW, {A: "li"}
        )
        self.assertIs(Result.DONE, outcome.code)


class SealedTest(ActorTest):
    def test_those_that_wait_share_a_block_and_hold_up_nobody(self) -> None:
        sealed = [ident(n) for n in range(1, 31)]
        for number in range(1, 32):
            self.cloud.add_server(number)
        other = ident(31)
        first, second = threading.Event(), threading.Event()
        self.kept.block = first
        (outcome,) = self.do(
            *map(stop, (*sealed, other)), sealed=tuple(sealed)
        )
        self.assertEqual((other, Result.DONE), (outcome.subject, outcome.code))
        self.assertFalse(outcome.sealed)
        for _ in sealed:
            self.assertTrue(self.kept.waiting.acquire(timeout=TIMEOUT_S))
        # all of them wait for the first block, and none was asked for
        self.assertEqual({other}, {w[1] for w in self.cloud.written})
        self.kept.block = second
        first.set()
        for _ in sealed:
            self.assertTrue(self.kept.waiting.acquire(timeout=TIMEOUT_S))
        locks = [w[1] for w in self.cloud.written if w[0] == "lock"]
        self.assertEqual({*sealed, other}, set(locks))
        second.set()
        found = self.ended(*sealed)
        self.assertEqual(set(sealed), found.keys())
        for outcome in found.values():
            self.assertIs(Result.DONE, outcome.code)
            self.assertTrue(outcome.sealed)

    def test_one_that_waits_is_not_begun_again(self) -> None:
        self.cloud.add_server(1)
        self.kept.block = threading.Event()
        for _ in range(3):
            self.assertEqual((), self.do(stop(A), sealed=(A,)))
        self.kept.block.set()
        self.ended(A)
        locks = [w for w in self.cloud.written if w[0] == "lock"]
        self.assertEqual(1, len(locks))

    def test_who_pulls_a_brake_meanwhile_is_heeded(self) -> None:
        self.cloud.add_server(1)
        self.kept.block = threading.Event()
        self.do(stop(A), sealed=(A,))
        self.assertTrue(self.kept.waiting.acquire(timeout=TIMEOUT_S))
        self.do(held=(Held(A, "h1", Step.STOP, Why.PAUSED),))
        self.monotonic += LONG_S + 1
        self.kept.block.set()
        self.assertIs(Result.PRECONDITION, self.ended(A)[A].code)
        self.assertEqual([], self.cloud.written)
        self.assertEqual(
            (EventKind.STEP_DONE, "lock", "precondition"),
            self.kept.of("li")[-1],
        )

    def test_nothing_of_it_is_recorded_elsewhere(self) -> None:
        self.cloud.add_server(1)
        self.do(stop(A), sealed=(A,))
        self.ended(A)
        self.assertEqual([], self.kept.of(None))
        before, after = EventKind.STEP_INTENDED, EventKind.STEP_DONE
        self.assertEqual(
            [
                (before, "lock", None),
                (after, "lock", "done"),
                (before, "os-stop", None),
                (after, "os-stop", "done"),
            ],
            self.kept.of("li"),
        )

    def test_that_it_asked_for_its_host_is_recorded_as_well(self) -> None:
        self.cloud.add_server(1)
        self.actor = Actor(
            self.cloud,
            KEYS,
            self.kept,
            power=Power(("/bin/false", "{host}"), ()),
        )
        self.addCleanup(self.actor.close)
        off = Planned(
            A, "h1", Step.POWER_OFF, (Ask.POWER_OFF,), "", NOW + 60, "failed"
        )
        self.do(off, sealed=(A,))
        self.assertIs(Result.UNAVAILABLE, self.ended(A)[A].code)
        before, after = EventKind.STEP_INTENDED, EventKind.STEP_DONE
        both = [
            (before, "power-off", None),
            (after, "power-off", "unavailable"),
        ]
        self.assertEqual(both, self.kept.of("li"))
        # of the host alone: who needed it is not said
        self.assertEqual(both, self.kept.of(None))
        for event in self.kept.events:
            self.assertEqual(
                event.domain == "li", A in str(event.fields), event
            )


class LongWaitTest(ActorTest):
    """Recording takes so long that a server may be another by then."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud.add_server(1)

    def during(self, change: Callable[[], None]) -> None:
        def then() -> None:
            self.kept.then = lambda: None
            self.monotonic += LONG_S + 1
            change()

        self.kept.then = then

    def test_what_has_not_changed_is_asked_for(self) -> None:
        self.during(lambda: None)
        (outcome,) = self.do(stop(A))
        self.assertIs(Result.DONE, outcome.code)

    def test_what_has_changed_is_not(self) -> None:
        moved = {"host": "h2", "node": "h2"}
        for changed in (
            moved,
            {"locked": True, "locked_reason": "by an administrator"},
        ):
            with self.subTest(changed):
                self.during(
                    lambda changed=changed: self.cloud.change(  # type: ignore[misc]
                        A, **changed
                    )
                )
                (outcome,) = self.do(stop(A))
                self.assertIs(Result.PRECONDITION, outcome.code)
                self.assertEqual([], self.cloud.written)
                self.cloud.change(
                    A, host="h1", node="h1", locked=False, locked_reason=""
                )
                self.assertEqual(
                    (EventKind.STEP_DONE, "lock", "precondition"),
                    self.kept.of(None)[-1],
                )

    def test_a_lock_is_right_in_any_state(self) -> None:
        self.during(lambda: self.cloud.change(A, vm_state=VmState.PAUSED))
        self.do(stop(A))
        self.assertEqual(["lock"], [w[0] for w in self.cloud.written][:1])

    def test_who_changes_each_time_does_not_escape_by_that(self) -> None:
        for n in range(TIMES):
            self.during(
                lambda n=n: self.cloud.change(  # type: ignore[misc]
                    A, locked=True, locked_reason=f"mine {n}"
                )
            )
            (outcome,) = self.do(stop(A))
            self.assertIs(Result.PRECONDITION, outcome.code)
            self.cloud.change(A, locked=False, locked_reason="")
        self.during(
            lambda: self.cloud.change(
                A, locked=True, locked_reason="mine again"
            )
        )
        (outcome,) = self.do(stop(A))
        self.assertIs(Result.DONE, outcome.code)


if __name__ == "__main__":
    unittest.main()
