# SPDX-License-Identifier: Apache-2.0
"""What is planned is done, in an order that survives being killed."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import threading
import time
import unittest
from collections.abc import Mapping
from typing import Any
from unittest import mock

from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.monitor.acting.actor import Actor
from nfv_mla_scheduler.monitor.acting.aside import AT_ONCE
from nfv_mla_scheduler.monitor.acting.aside import Aside
from nfv_mla_scheduler.monitor.acting.attempt import PATIENCE
from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Patience
from nfv_mla_scheduler.monitor.acting.crew import Task
from nfv_mla_scheduler.monitor.acting.evading import TIMES
from nfv_mla_scheduler.monitor.acting.hand import WAITS_MAX
from nfv_mla_scheduler.monitor.acting.scribe import Intents
from nfv_mla_scheduler.monitor.acting.scribe import Scribe
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Power as PowerState
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Release
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from tests.unit.monitor.cloud_fake import ADMIN
from tests.unit.monitor.cloud_fake import NOW
from tests.unit.monitor.cloud_fake import FakeCloud
from tests.unit.monitor.cloud_fake import ident

KEYS = (b"k" * 32,)
TRAIT = "CUSTOM_NFV_MLA_POOL_P7"
A, B = ident(1), ident(2)


class Records(NullAudit):
    """Keeps events, and what had been asked of the cloud by then."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self.events: list[Event] = []
        self.asked: list[int] = []

    def record(self, event: Event) -> None:
        self.events.append(event)
        self.asked.append(len(self._cloud.written))

    def commit(self, event: Event, timeout_s: float) -> bool:
        self.record(event)
        return True


def lock(uuid: str, host: str = "h1") -> Planned:
    return step(uuid, Step.LOCK, Ask.LOCK, host=host)


def step(
    uuid: str, word: Step, *asks: Ask, host: str = "h1", **more: Any
) -> Planned:
    planned = Planned(uuid, host, word, asks, word.value, NOW + 60, "failed")
    return dataclasses.replace(planned, **more)


class ActorTest(unittest.TestCase):
    def setUp(self) -> None:
        self.cloud = FakeCloud(hosts=3)
        self.records = Records(self.cloud)
        self.pauses: list[float] = []
        self.actor = self.new_actor()

    def new_actor(
        self,
        workers: int = 4,
        power: Power | None = None,
        patience_s: float = 10.0,
    ) -> Actor:
        actor = Actor(
            self.cloud,
            KEYS,
            self.records,
            power=power,
            workers=workers,
            origin="test",
            pause=self.pauses.append,
            patience_s=patience_s,
        )
        self.addCleanup(actor.close)
        return actor

    def do(
        self,
        *steps: Planned,
        picture: Picture | None = None,
        sealed: Mapping[str, str] | None = None,
        **plan: Any,
    ) -> tuple[Outcome, ...]:
        return self.actor.carry_out(
            Plan(steps=steps, **plan),
            picture or self.cloud.picture(),
            self.cloud.now,
            sealed,
        )

    def codes(self, *steps: Planned, **more: Any) -> list[Result]:
        return [outcome.code for outcome in self.do(*steps, **more)]

    def mark(self, uuid: str = A) -> Mark:
        text = self.cloud.peek(uuid).locked_reason
        found = marks.read(text, uuid, KEYS)
        assert found is not None, text
        return found

    def fence_mark(self, host: str = "h1") -> Mark | None:
        node = self.cloud.node(host)
        return marks.read(node.reason, node.service, KEYS)

    def fence(self, host: str = "h1", disable: bool = True) -> Fence:
        service = self.cloud.node(host).service
        return Fence(host, service, disable, "failed")


class StepTest(ActorTest):
    def test_a_mark_comes_before_what_it_says(self) -> None:
        self.cloud.add_server(1)
        (outcome,) = self.do(step(A, Step.STOP, Ask.STOP))
        self.assertEqual(Result.DONE, outcome.code)
        self.assertEqual(
            [("lock", A), ("act", A)], [w[:2] for w in self.cloud.written]
        )
        mark = self.mark()
        self.assertEqual(
            (Code.STOP, NOW, NOW, "active"),
            (mark.code, mark.at, mark.since, mark.was),
        )
        self.assertEqual(mark.id, outcome.mark)
        self.assertIs(VmState.STOPPED, self.cloud.peek(A).vm_state)

    def test_a_lock_is_one_request_with_its_mark(self) -> None:
        self.cloud.add_server(1)
        self.assertEqual([Result.DONE], self.codes(lock(A)))
        self.assertEqual(1, len(self.cloud.written))
        self.assertIs(Code.LOCK, self.mark().code)

    def test_whoever_goes_on_keeps_id_since_and_was(self) -> None:
        self.cloud.add_server(1)
        self.do(lock(A))
        first = self.mark()
        self.cloud.change(A, vm_state=VmState.ERROR)
        self.cloud.now += 90
        self.do(step(A, Step.STOP, Ask.STOP))
        self.assertEqual(
            dataclasses.replace(first, code=Code.STOP, at=NOW + 90),
            self.mark(),
        )

    def test_a_forged_mark_is_not_gone_on_with(self) -> None:
        self.cloud.add_server(1)
        self.do(lock(A))
        stolen = self.cloud.peek(A).locked_reason
        self.cloud.add_server(2, locked=True, locked_reason=stolen)
        self.cloud.now += 90
        self.do(lock(B))
        self.assertNotEqual(self.mark(A).id, self.mark(B).id)
        self.assertEqual(NOW + 90, self.mark(B).since)

    def test_a_request_that_is_repeated_keeps_its_mark(self) -> None:
        self.cloud.add_server(1)
        self.do(lock(A))
        mark = self.mark()
        (outcome,) = self.do(step(A, Step.STOP, Ask.STOP, code=""))
        self.assertEqual(mark, self.mark())
        self.assertEqual(mark.id, outcome.mark)
        self.assertEqual(mark.id, self.records.events[-1].fields["mark"])

    def test_what_was_swallowed_is_cleared_and_asked_again(self) -> None:
        self.cloud.swallows.add("h1")
        self.cloud.add_server(1)
        stop = step(A, Step.STOP, Ask.STOP)
        self.assertEqual([Result.DONE], self.codes(stop))
        self.assertEqual([Result.CONFLICT], self.codes(stop))
        self.cloud.swallows.clear()
        again = step(A, Step.STOP, Ask.RESET_STATE, Ask.STOP)
        self.assertEqual([Result.DONE], self.codes(again))
        self.assertIs(VmState.STOPPED, self.cloud.peek(A).vm_state)

    def test_without_a_code_nothing_is_marked(self) -> None:
        self.cloud.add_server(1)
        self.cloud.as_admin(A, "lock", "maintenance")
        self.do(step(A, Step.STOP, Ask.STOP, code=""))
        server = self.cloud.peek(A)
        self.assertEqual("maintenance", server.locked_reason)
        self.assertIs(VmState.STOPPED, server.vm_state)

    def test_every_request_as_nova_wants_it(self) -> None:
        stopped = {"vm_state": VmState.STOPPED, "power": PowerState.SHUTDOWN}
        # word, request, server as it is, server as it is then
        rows: tuple[tuple[Step, Ask, dict[str, Any], dict[str, Any]], ...] = (
            (Step.LIVE_MIGRATE, Ask.LIVE_MIGRATE, {}, {"host": "h2"}),
            (
                Step.COLD_MIGRATE,
                Ask.MIGRATE,
                {},
                {"host": "h2", "vm_state": VmState.RESIZED},
            ),
            (Step.STOP, Ask.PAUSE, {}, {"vm_state": VmState.PAUSED}),
            (Step.REBUILD_ELSEWHERE, Ask.REBUILD, stopped, stopped),
            (
                Step.STOP,
                Ask.RESET_STATE,
                {"task": "powering-off"},
                {"task": "", "vm_state": VmState.ACTIVE},
            ),
            (
                Step.STOP,
                Ask.RESET_STATE,
                {"vm_state": VmState.SUSPENDED, "task": "resuming"},
                {"task": "", "vm_state": VmState.ERROR},
            ),
        )
        for number, (word, ask, before, after) in enumerate(rows, 10):
            with self.subTest(ask=ask.value, number=number):
                uuid = self.cloud.add_server(number, **before).uuid
                self.assertEqual(
                    [Result.DONE], self.codes(step(uuid, word, ask))
                )
                server = self.cloud.peek(uuid)
                for name, value in after.items():
                    self.assertEqual(value, getattr(server, name), name)

    def test_a_live_migration_is_aborted_by_its_number(self) -> None:
        self.cloud.add_server(1)
        self.cloud.lag = 5
        self.do(step(A, Step.LIVE_MIGRATE, Ask.LIVE_MIGRATE))
        (move,) = self.cloud.moves.values()
        abort = step(A, Step.STOP, Ask.ABORT, migration=move.number)
        self.assertEqual([Result.DONE], self.codes(abort))
        self.assertEqual("cancelled", self.cloud.moves[1].status)
        self.assertEqual("h1", self.cloud.peek(A).host)

    def test_what_has_no_image_is_not_rebuilt(self) -> None:
        self.cloud.add_server(1, image_id="")
        planned = step(A, Step.REBUILD_ELSEWHERE, Ask.REBUILD)
        self.assertEqual([Result.PRECONDITION], self.codes(planned))

    def test_what_is_no_request_about_a_server_is_not_made(self) -> None:
        self.cloud.add_server(1)
        planned = step(A, Step.STOP, Ask.DISABLE, code="")
        self.assertEqual([Result.PRECONDITION], self.codes(planned))
        self.assertEqual([], self.cloud.written)


class PreludeTest(ActorTest):
    ROWS = (
        (Ask.UNPAUSE, VmState.PAUSED),
        (Ask.RESUME, VmState.SUSPENDED),
        (Ask.UNRESCUE, VmState.RESCUED),
        (Ask.RESTORE, VmState.SOFT_DELETED),
    )

    def test_what_follows_waits_until_nova_shows_it(self) -> None:
        self.cloud.lag = 2
        for number, (prelude, state) in enumerate(self.ROWS, 10):
            with self.subTest(prelude.value):
                uuid = self.cloud.add_server(number, vm_state=state).uuid
                planned = step(uuid, Step.STOP, prelude, Ask.STOP)
                self.assertEqual([Result.DONE], self.codes(planned))
                self.cloud.settle()
                server = self.cloud.peek(uuid)
                self.assertIs(VmState.STOPPED, server.vm_state)

    def test_it_waits_five_seconds_at_most(self) -> None:
        self.cloud.lag = 100
        self.cloud.add_server(1, vm_state=VmState.PAUSED)
        (outcome,) = self.do(step(A, Step.STOP, Ask.UNPAUSE, Ask.STOP))
        self.assertEqual(Result.UNSURE, outcome.code)
        self.assertEqual(Ask.UNPAUSE, outcome.ask)
        self.assertEqual(5.0, sum(self.pauses))
        self.assertNotIn(("act", A, "os-stop", None), self.cloud.log)

    def test_a_host_that_swallows_holds_up_no_cycle(self) -> None:
        self.cloud.lag = 100
        steps = [
            step(ident(n), Step.STOP, Ask.UNPAUSE, Ask.STOP)
            for n in range(1, 21)
        ]
        waited = []
        for lag in (100, 100, 0, 100):
            for n in range(1, 21):
                self.cloud.add_server(n, vm_state=VmState.PAUSED)
            self.cloud.lag = lag
            self.pauses.clear()
            self.do(*steps)
            waited.append(sum(self.pauses))
        # once in vain; not again, until it shows that it does something
        self.assertEqual([5.0, 0.0, 0.0, 5.0], waited)

    def test_so_many_hosts_are_waited_for_and_no_more(self) -> None:
        self.cloud = FakeCloud(hosts=50)
        self.actor = self.new_actor()
        self.cloud.lag = 100
        steps = []
        for n in range(1, 51):
            self.cloud.add_server(n, f"h{n}", vm_state=VmState.PAUSED)
            asks = (Ask.UNPAUSE, Ask.STOP)
            steps.append(step(ident(n), Step.STOP, *asks, host=f"h{n}"))
        self.do(*steps)
        self.assertEqual(5.0 * WAITS_MAX, sum(self.pauses))

    def test_a_prelude_alone_is_not_waited_for(self) -> None:
        self.cloud.lag = 100
        self.cloud.add_server(1)
        self.cloud.lag = 0
        self.do(step(A, Step.COLD_MIGRATE, Ask.MIGRATE))
        self.cloud.lag = 100
        planned = step(A, Step.COLD_MIGRATE, Ask.CONFIRM, host="h2")
        self.assertEqual([Result.DONE], self.codes(planned))
        self.assertEqual([], self.pauses)


class PreconditionTest(ActorTest):
    def check(self, code: Result, planned: Planned, **changes: Any) -> None:
        """Plan by how it is, change it, and carry the plan out."""
        picture = self.cloud.picture()
        self.cloud.change(planned.server, **changes)
        before = len(self.cloud.written)
        self.assertEqual([code], self.codes(planned, picture=picture))
        if code is not Result.DONE:
            self.assertEqual(before, len(self.cloud.written))

    def test_what_has_changed_is_left(self) -> None:
        migrate = step(A, Step.COLD_MIGRATE, Ask.MIGRATE)
        for changes in (
            {"host": "h2"},
            {"host": ""},
            {"vm_state": VmState.PAUSED},
            {"task": "migrating"},
        ):
            with self.subTest(changes):
                self.cloud.add_server(1)
                self.check(Result.PRECONDITION, migrate, **changes)

    def test_a_stop_is_asked_for_as_the_state_of_now_allows(self) -> None:
        stop = step(A, Step.STOP, Ask.STOP)
        for changes in (
            {"vm_state": VmState.PAUSED},
            {"vm_state": VmState.SUSPENDED},
            {"vm_state": VmState.RESCUED},
            {"vm_state": VmState.ERROR},
            {"vm_state": VmState.STOPPED},
        ):
            with self.subTest(changes):
                self.cloud.add_server(1)
                self.check(Result.DONE, stop, **changes)
                self.assertIs(VmState.STOPPED, self.cloud.peek(A).vm_state)
                self.assertIs(Code.STOP, self.mark().code)

    def test_a_stop_that_cannot_be_asked_for_was_due_all_the_same(
        self,
    ) -> None:
        for changes in (
            {"task": "migrating"},
            {"vm_state": VmState.RESIZED},
            {"vm_state": VmState.SOFT_DELETED},
        ):
            with self.subTest(changes):
                self.cloud.add_server(1)
                picture = self.cloud.picture()
                self.cloud.change(A, **changes)
                stop = step(A, Step.STOP, Ask.STOP)
                found = self.codes(stop, picture=picture)
                self.assertEqual([Result.PRECONDITION], found)
                self.assertIs(Code.STOP, self.mark().code)
        self.assertNotIn("act", {entry[0] for entry in self.cloud.log})

    def test_an_abort_is_asked_for_in_any_state(self) -> None:
        self.cloud.add_server(1)
        self.cloud.lag = 5
        self.do(step(A, Step.LIVE_MIGRATE, Ask.LIVE_MIGRATE))
        abort = step(A, Step.LIVE_MIGRATE, Ask.ABORT, code="", migration=1)
        self.check(Result.DONE, abort, vm_state=VmState.PAUSED)

    def test_a_text_like_our_marks_is_nobodys_lock(self) -> None:
        self.cloud.add_server(1)
        self.do(lock(A))
        once_ours = self.cloud.peek(A).locked_reason
        self.cloud.as_admin(A, "unlock")
        self.cloud.now += 300
        for text in ("nfv-mla/7", once_ours, "nfv-mla/1 lock"):
            with self.subTest(text):
                self.cloud.as_owner(A, "lock", "mine")
                picture = self.cloud.picture()
                self.cloud.as_owner(A, "unlock")
                self.cloud.as_owner(A, "lock", text)
                found = self.codes(lock(A), picture=picture)
                self.assertEqual([Result.DONE], found)
                self.assertEqual("admin", self.cloud.locked_by[A])
                self.cloud.as_admin(A, "unlock")

    def test_our_mark_is_put_back_with_its_time(self) -> None:
        self.cloud.swallows.add("h1")
        self.cloud.add_server(1)
        self.do(step(A, Step.STOP, Ask.STOP))
        self.cloud.change(A, task="")
        picture, ours = self.cloud.picture(), self.cloud.peek(A).locked_reason
        self.cloud.now += 20
        self.cloud.change(A, locked_reason="nfv-mla/1")
        again = step(A, Step.STOP, Ask.STOP, code="")
        self.assertEqual([Result.DONE], self.codes(again, picture=picture))
        self.assertEqual(ours, self.cloud.peek(A).locked_reason)

    def test_who_changes_time_after_time_is_locked_all_the_same(self) -> None:
        self.cloud.add_server(1)
        self.do(lock(A))
        stop = step(A, Step.STOP, Ask.STOP)
        seen = self.cloud.picture()
        since = self.mark().since
        found = []
        for _ in range(TIMES + 1):
            self.cloud.as_admin(A, "unlock")
            found += self.codes(stop, picture=seen)
        expected = [Result.PRECONDITION] * TIMES + [Result.DONE]
        self.assertEqual(expected, found)
        self.assertEqual(
            (Code.STOP, since), (self.mark().code, self.mark().since)
        )

    def test_a_lock_that_nova_knows_nothing_of_is_nobodys(self) -> None:
        self.cloud.add_server(1)
        seen = self.cloud.picture()
        found = []
        for number in range(TIMES + 2):
            made_up = {"locked": True, "locked_reason": f"mine {number}"}
            self.cloud.change(A, **made_up)
            found += self.codes(lock(A), picture=seen)
            self.cloud.history.clear()
        expected = [Result.PRECONDITION] * TIMES + [Result.DONE] * 2
        self.assertEqual(expected, found)

    def test_an_administrators_lock_is_kept_however_often(self) -> None:
        self.cloud.add_server(1)
        seen = self.cloud.picture()
        self.cloud.as_admin(A, "lock", "mine")
        found = [self.codes(lock(A), picture=seen) for _ in range(TIMES + 2)]
        self.assertEqual([[Result.PRECONDITION]] * (TIMES + 2), found)
        self.assertEqual("mine", self.cloud.peek(A).locked_reason)

    def test_what_was_out_of_sight_is_left(self) -> None:
        picture = self.cloud.picture()
        self.cloud.add_server(1)
        self.assertEqual(
            [Result.PRECONDITION], self.codes(lock(A), picture=picture)
        )

    def test_nobody_escapes_a_lock_by_changing_state(self) -> None:
        self.cloud.add_server(1)
        self.check(Result.DONE, lock(A), vm_state=VmState.PAUSED)
        self.assertEqual("paused", self.mark().was)

    def test_an_administrators_new_lock_is_kept(self) -> None:
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        self.cloud.as_admin(A, "lock", "mine")
        self.assertEqual(
            [Result.PRECONDITION], self.codes(lock(A), picture=picture)
        )
        self.assertEqual("mine", self.cloud.peek(A).locked_reason)

    def test_an_owners_new_lock_is_replaced(self) -> None:
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        self.cloud.as_owner(A, "lock", "mine")
        self.assertEqual([Result.DONE], self.codes(lock(A), picture=picture))
        self.assertIs(Code.LOCK, self.mark().code)

    def test_an_owner_who_unlocks_gains_nothing(self) -> None:
        self.cloud.add_server(1)
        self.cloud.as_owner(A, "lock", "mine")
        picture = self.cloud.picture()
        self.cloud.as_owner(A, "unlock")
        self.assertEqual([Result.DONE], self.codes(lock(A), picture=picture))

    def test_another_monitor_that_was_faster_is_not_repeated(self) -> None:
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        planned = step(A, Step.COLD_MIGRATE, Ask.MIGRATE)
        other = self.new_actor()
        other.carry_out(Plan(steps=(lock(A),)), picture, NOW)
        self.assertEqual(
            [Result.PRECONDITION], self.codes(planned, picture=picture)
        )
        self.assertEqual({}, self.cloud.moves)

    def test_our_mark_that_is_gone_is_not_overlooked(self) -> None:
        self.cloud.add_server(1)
        self.do(lock(A))
        stop = step(A, Step.STOP, Ask.STOP)
        self.check(Result.PRECONDITION, stop, locked=False, locked_reason="")

    def test_a_plan_that_has_a_server_twice_does_one(self) -> None:
        self.cloud.add_server(1)
        migrate = step(A, Step.COLD_MIGRATE, Ask.MIGRATE)
        live = step(A, Step.LIVE_MIGRATE, Ask.LIVE_MIGRATE)
        self.assertEqual(
            [Result.DONE, Result.PRECONDITION], self.codes(migrate, live)
        )
        self.assertEqual(1, len(self.cloud.moves))


class FailureTest(ActorTest):
    def test_each_failure_has_its_word(self) -> None:
        for reason, unsure, code in (
            (CloudCode.CONFLICT, False, Result.CONFLICT),
            (CloudCode.GONE, False, Result.GONE),
            (CloudCode.REFUSED, False, Result.REFUSED),
            (CloudCode.TOO_OLD, False, Result.REFUSED),
            (CloudCode.BUSY, False, Result.UNAVAILABLE),
            (CloudCode.UNAVAILABLE, False, Result.UNAVAILABLE),
            (CloudCode.UNAUTHORISED, False, Result.UNAVAILABLE),
            (CloudCode.BAD_ANSWER, False, Result.UNAVAILABLE),
            (CloudCode.UNAVAILABLE, True, Result.UNSURE),
        ):
            for method in ("server", "lock", "act"):
                with self.subTest(reason=reason.value, method=method):
                    self.cloud.add_server(1)
                    self.cloud.fail(method, reason, unsure=unsure)
                    planned = step(A, Step.STOP, Ask.STOP)
                    self.assertEqual([code], self.codes(planned))

    def test_what_is_gone_is_gone(self) -> None:
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        self.cloud.delete(A)
        self.assertEqual([Result.GONE], self.codes(lock(A), picture=picture))

    def test_without_its_mark_a_step_is_not_taken(self) -> None:
        self.cloud.add_server(1)
        self.cloud.fail("lock", CloudCode.UNAVAILABLE, unsure=True)
        self.do(step(A, Step.STOP, Ask.STOP))
        self.assertIs(VmState.ACTIVE, self.cloud.peek(A).vm_state)

    def test_a_halt_that_is_late_is_taken_all_the_same(self) -> None:
        late = step(A, Step.STOP, Ask.LOCK, Ask.STOP, anyway=True)
        reasons = (
            CloudCode.REFUSED,
            CloudCode.UNAVAILABLE,
            CloudCode.BAD_ANSWER,
        )
        for planned in (late, dataclasses.replace(late, asks=(Ask.STOP,))):
            for method in ("server", "lock"):
                for reason in reasons:
                    with self.subTest(method, reason=reason):
                        self.cloud.add_server(1)
                        self.cloud.fail(method, reason)
                        self.assertEqual([Result.DONE], self.codes(planned))
                        state = self.cloud.peek(A).vm_state
                        self.assertIs(VmState.STOPPED, state)
        # but where it is on another host by now, or gone
        for meanwhile, code in (
            (lambda: self.cloud.change(A, host="h2"), Result.PRECONDITION),
            (lambda: self.cloud.delete(A), Result.GONE),
        ):
            self.cloud.add_server(1)
            picture = self.cloud.picture()
            meanwhile()
            self.assertEqual([code], self.codes(late, picture=picture))

    def test_nor_does_it_wait_for_whose_a_lock_is(self) -> None:
        late = step(A, Step.STOP, Ask.LOCK, Ask.STOP, anyway=True)
        for anyway, code in (
            (True, Result.DONE),
            (False, Result.PRECONDITION),
        ):
            self.cloud.add_server(1)
            picture = self.cloud.picture()
            self.cloud.as_admin(A, "lock", "mine")
            planned = dataclasses.replace(late, anyway=anyway)
            self.assertEqual([code], self.codes(planned, picture=picture))
            # an administrator's stays
            self.assertEqual("mine", self.cloud.peek(A).locked_reason)

    def test_a_lock_alone_fails_if_it_does(self) -> None:
        self.cloud.add_server(1)
        self.cloud.fail("lock", CloudCode.REFUSED)
        planned = dataclasses.replace(lock(A), anyway=True)
        self.assertEqual([Result.REFUSED], self.codes(planned))

    def test_one_failure_is_of_no_concern_to_others(self) -> None:
        for number in range(1, 6):
            self.cloud.add_server(number)
        self.cloud.fail("lock", CloudCode.CONFLICT)
        found = self.codes(*(lock(ident(n)) for n in range(1, 6)))
        self.assertEqual(1, found.count(Result.CONFLICT))
        self.assertEqual(4, found.count(Result.DONE))

    def test_a_fault_of_ours_is_of_no_concern_to_others(self) -> None:
        self.cloud.add_server(1)
        self.cloud.add_server(2)
        broken = dataclasses.replace(lock(A), code="no such code")
        with self.assertLogs("nfv_mla_scheduler.monitor", "ERROR") as logs:
            found = self.codes(broken, lock(B))
        self.assertEqual([Result.UNAVAILABLE, Result.DONE], found)
        self.assertEqual(1, len(logs.output))
        self.assertNotIn("ValueError", logs.output[0])

    def test_an_api_that_is_busy_is_left_alone(self) -> None:
        self.actor = self.new_actor(workers=1)
        for number in range(1, 31):
            self.cloud.add_server(number)
        locks = [lock(ident(n)) for n in range(1, 31)]
        self.cloud.fail("lock", CloudCode.BUSY, times=PATIENCE + 1)
        with self.assertLogs("nfv_mla_scheduler.monitor", "INFO") as logs:
            outcomes = self.do(*locks)
            self.assertEqual(PATIENCE, len(self.cloud.written))
            self.assertEqual(
                [Result.UNAVAILABLE] * 30, [o.code for o in outcomes]
            )
            found = self.codes(*locks)
            self.assertEqual(1, found.count(Result.UNAVAILABLE))
            found = self.codes(*locks)
        self.assertEqual([Result.DONE] * 30, found)
        said = [line.partition(":")[0] for line in logs.output]
        self.assertEqual(["WARNING", "INFO"], said)

    def test_classes_are_left_alone_one_by_one(self) -> None:
        for number in range(1, 11):
            self.cloud.add_server(number)
        self.actor = self.new_actor(workers=1)
        self.cloud.fail("lock", CloudCode.UNAVAILABLE, times=PATIENCE)
        edits = (TraitEdit(self.cloud.node("h1").uuid, TRAIT, add=True),)
        steps = [lock(ident(n)) for n in range(1, 10)]
        steps.append(step(ident(10), Step.STOP, Ask.STOP))
        with self.assertLogs("nfv_mla_scheduler.monitor", "WARNING"):
            outcomes = self.do(*steps, traits=edits)
        self.assertEqual(Result.UNAVAILABLE, outcomes[8].code)
        self.assertEqual(Result.DONE, outcomes[9].code)
        self.assertEqual(Result.DONE, outcomes[10].code)

    def fail_on(self, host: str) -> None:
        """Have Nova fail for every lock on a host, for good."""
        lock_it = self.cloud.lock

        def lock(server: str, reason: str) -> None:
            if self.cloud.peek(server).host == host:
                raise CloudFailed(CloudCode.UNAVAILABLE, "500", unsure=True)
            lock_it(server, reason)

        self.cloud.lock = lock  # type: ignore[method-assign]

    def test_a_host_keeps_nobody_from_the_servers_of_others(self) -> None:
        self.actor = self.new_actor(workers=1)
        for number in range(1, 31):
            self.cloud.add_server(number, "h2" if number == 30 else "h1")
        self.fail_on("h1")
        steps = [lock(ident(n)) for n in range(1, 30)]
        with self.assertLogs("nfv_mla_scheduler.monitor", "WARNING"):
            found = self.codes(*steps, lock(ident(30), "h2"))
        self.assertEqual(PATIENCE, found.count(Result.UNSURE))
        self.assertEqual(26, found.count(Result.UNAVAILABLE))
        self.assertIs(Result.DONE, found[-1])

    def test_who_was_not_come_to_is_the_first_next_time(self) -> None:
        self.actor = self.new_actor(workers=1)
        for number in range(1, 10):
            self.cloud.add_server(number)
        self.fail_on("h1")
        tried = []
        with self.assertLogs("nfv_mla_scheduler.monitor", "WARNING"):
            for _ in range(4):
                found = self.codes(*(lock(ident(n)) for n in range(1, 10)))
                tried.append(
                    [n for n, code in enumerate(found) if (
                        code is Result.UNSURE)]
                )  # fmt: skip
        self.assertEqual([[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 1, 2]], tried)

    def test_when_nothing_works_few_hosts_are_tried(self) -> None:
        self.cloud = FakeCloud(hosts=50)
        self.actor = self.new_actor(workers=1)
        for number in range(1, 51):
            self.cloud.add_server(number, f"h{number}")
        self.cloud.fail("lock", CloudCode.UNAVAILABLE, times=99)
        steps = [lock(ident(n), f"h{n}") for n in range(1, 51)]
        with self.assertLogs("nfv_mla_scheduler.monitor", "WARNING"):
            self.codes(*steps)
        self.assertEqual(PATIENCE, len(self.cloud.written))

    def test_fifty_servers_are_locked_at_once(self) -> None:
        for number in range(1, 51):
            self.cloud.add_server(number)
        self.cloud.latency_s = 0.02
        self.actor = self.new_actor(workers=8)
        began = time.monotonic()
        found = self.codes(*(lock(ident(n)) for n in range(1, 51)))
        self.assertLess(time.monotonic() - began, 1.5)
        self.assertEqual([Result.DONE] * 50, found)


class OrderTest(ActorTest):
    def test_hosts_then_locks_then_steps_then_releases(self) -> None:
        self.cloud.add_server(1)
        self.cloud.add_server(2)
        released = self.cloud.add_server(3, host="h2").uuid
        self.do(lock(released, "h2"))
        before = len(self.cloud.written)
        node = self.cloud.node("h2").uuid
        outcomes = self.do(
            step(A, Step.STOP, Ask.STOP),
            lock(B),
            fences=(self.fence(),),
            releases=(Release(released, "h2", (Ask.UNLOCK,)),),
            traits=(TraitEdit(node, TRAIT, add=True),),
        )
        self.assertEqual({Result.DONE}, {o.code for o in outcomes})
        self.assertEqual(
            [
                ("disable", self.cloud.node("h1").service),
                ("lock", B),
                ("lock", A),
                ("act", A),
                ("unlock", released),
                ("create_trait", TRAIT),
                ("edit_traits", node),
            ],
            [entry[:2] for entry in self.cloud.written[before:]],
        )


class ReleaseTest(ActorTest):
    BOTH = (Ask.UNLOCK, Ask.START)

    def setUp(self) -> None:
        super().setUp()
        self.cloud.add_server(1)
        self.do(step(A, Step.STOP, Ask.STOP))
        self.before = len(self.cloud.written)

    def release(
        self, *asks: Ask, picture: Picture | None = None
    ) -> list[Result]:
        release = Release(A, "h1", asks or self.BOTH)
        return self.codes(releases=(release,), picture=picture)

    def asked(self) -> list[str]:
        return [
            entry[2] if entry[0] == "act" else entry[0]
            for entry in self.cloud.written[self.before :]
        ]

    def test_it_is_started_before_it_is_unlocked(self) -> None:
        self.assertEqual([Result.DONE], self.release())
        self.assertEqual(["os-start", "unlock"], self.asked())
        server = self.cloud.peek(A)
        self.assertEqual(
            (VmState.ACTIVE, False, ""),
            (server.vm_state, server.locked, server.locked_reason),
        )

    def test_it_stays_locked_until_it_runs(self) -> None:
        self.cloud.swallows.add("h1")
        self.assertEqual([Result.DONE], self.release())
        self.assertEqual(["os-start"], self.asked())
        self.assertIs(Code.STOP, self.mark().code)
        self.cloud.change(A, task="")
        self.cloud.swallows.clear()
        self.release()
        self.assertFalse(self.cloud.peek(A).locked)

    def test_what_was_not_running_is_not_started(self) -> None:
        self.release(Ask.UNLOCK)
        self.assertEqual(["unlock"], self.asked())

    def test_what_somebody_else_has_stopped_stays_stopped(self) -> None:
        # before the look, or after it
        picture = self.cloud.picture()
        self.cloud.now += 5
        self.cloud.as_admin(A, "os-start")
        self.cloud.as_admin(A, "os-stop")
        self.assertEqual([Result.DONE], self.release(picture=picture))
        self.assertEqual(["unlock"], self.asked())
        self.assertIs(VmState.STOPPED, self.cloud.peek(A).vm_state)

    def test_what_its_owner_stopped_as_it_was_locked_stays_stopped(
        self,
    ) -> None:
        self.cloud.add_server(2)
        self.cloud.as_owner(B, "os-stop")
        self.do(step(B, Step.LIVE_MIGRATE))
        self.cloud.change(B, locked_reason=self._was_active(B))
        self.before = len(self.cloud.written)
        self.codes(releases=(Release(B, "h1", self.BOTH),))
        self.assertEqual(["unlock"], self.asked())

    def _was_active(self, uuid: str) -> str:
        """Return a server's mark as if it had been seen to run."""
        mark = dataclasses.replace(self.mark(uuid), was="active")
        return marks.write(mark, uuid, KEYS[0])

    def test_stops_that_keep_nobody_from_being_started(self) -> None:
        for number, (user, message, ago_s, after) in enumerate(
            (
                ("", "", 0, ""),  # Nova's own, of a guest that was lost
                (ADMIN, "Error", 0, ""),
                (ADMIN, "", 300, ""),
                (ADMIN, "", 0, "start"),
                (ADMIN, "", 0, "reboot"),
                (ADMIN, "", 0, "stop"),
            ),
            10,
        ):
            with self.subTest(user=user, message=message, after=after):
                uuid = self.cloud.add_server(number).uuid
                self.do(step(uuid, Step.STOP, Ask.STOP))
                at = self.cloud.now - ago_s
                mine = self.cloud.history[uuid].pop()
                others = Deed("stop", "req-x", user, "p", at, message)
                self.cloud.history[uuid].append(others)
                if after:
                    self.cloud.history[uuid].append(
                        dataclasses.replace(mine, action=after)
                    )
                self.before = len(self.cloud.written)
                self.codes(releases=(Release(uuid, "h1", self.BOTH),))
                self.assertEqual(["os-start", "unlock"], self.asked())

    def test_who_stopped_it_is_to_be_known_before_it_is_started(self) -> None:
        self.cloud.fail("deeds", CloudCode.UNAVAILABLE)
        self.assertNotEqual([Result.DONE], self.release())
        self.assertEqual([], self.asked())
        self.assertEqual([Result.DONE], self.release())
        self.assertEqual(["os-start", "unlock"], self.asked())

    def test_what_runs_already_is_unlocked_only(self) -> None:
        self.cloud.as_admin(A, "os-start")
        self.assertEqual([Result.DONE], self.release())
        self.assertEqual(["unlock"], self.asked())

    def test_a_lock_that_is_not_ours_is_kept(self) -> None:
        picture = self.cloud.picture()
        self.cloud.as_admin(A, "lock", "maintenance")
        for seen in (picture, None):
            self.assertEqual([Result.PRECONDITION], self.release(picture=seen))
        self.assertEqual([], self.asked())

    def test_a_mark_that_is_newer_is_kept(self) -> None:
        picture = self.cloud.picture()
        self.cloud.now += 5
        self.do(lock(A))
        self.before += 1
        self.assertEqual([Result.PRECONDITION], self.release(picture=picture))
        self.assertEqual([], self.asked())


class FenceTest(ActorTest):
    def release(self, host: str = "h1") -> list[Result]:
        return self.codes(fences=(self.fence(host, disable=False),))

    def test_a_fence_is_a_mark_in_the_reason(self) -> None:
        self.codes(fences=(self.fence(),))
        node, mark = self.cloud.node("h1"), self.fence_mark()
        assert mark is not None
        self.assertFalse(node.enabled)
        self.assertEqual((Code.FENCE, "enabled"), (mark.code, mark.was))

    def test_asserted_again_it_is_the_same_fence(self) -> None:
        self.codes(fences=(self.fence(),))
        first = self.fence_mark()
        assert first is not None
        self.cloud.now += 50
        self.codes(fences=(self.fence(),))
        self.assertEqual(
            dataclasses.replace(first, at=NOW + 50), self.fence_mark()
        )

    def test_another_reason_is_kept(self) -> None:
        for reason in ("maintenance", "", "AUTO: libvirt is down"):
            self.cloud.change_host("h1", enabled=False, reason=reason)
            found = self.codes(fences=(self.fence(),)) + self.release()
            self.assertEqual([Result.PRECONDITION] * 2, found)
        self.assertEqual([], self.cloud.written)

    def test_a_forged_mark_is_replaced_and_never_released(self) -> None:
        forged = "nfv-mla/1 fence 00000000 2026-01-01T00:00:00Z x"
        self.cloud.change_host("h1", enabled=False, reason=forged)
        self.assertEqual([Result.PRECONDITION], self.release())
        self.assertEqual([Result.DONE], self.codes(fences=(self.fence(),)))
        self.assertIsNotNone(self.fence_mark())

    def test_what_an_administrator_disables_meanwhile_is_left(self) -> None:
        picture = self.cloud.picture()
        disabled = {"enabled": False, "reason": "maintenance"}
        self.cloud.change_host("h1", **disabled)
        found = self.codes(fences=(self.fence(),), picture=picture)
        self.assertEqual([Result.PRECONDITION], found)
        self.assertEqual("maintenance", self.cloud.node("h1").reason)
        self.cloud.change_host("h1", enabled=True, reason="")
        self.codes(fences=(self.fence(),))
        picture = self.cloud.picture()
        self.cloud.change_host("h1", **disabled)
        release = self.fence(disable=False)
        found = self.codes(fences=(release,), picture=picture)
        self.assertEqual([Result.PRECONDITION], found)
        self.assertFalse(self.cloud.node("h1").enabled)

    def test_a_service_that_changes_time_after_time_is_fenced(self) -> None:
        picture = self.cloud.picture()
        found = []
        for number in range(TIMES + 1):
            reason = f"AUTO: {number}"
            self.cloud.change_host("h1", enabled=False, reason=reason)
            found += self.codes(fences=(self.fence(),), picture=picture)
        expected = [Result.PRECONDITION] * TIMES + [Result.DONE]
        self.assertEqual(expected, found)
        self.assertIsNotNone(self.fence_mark())

    def test_whoever_registers_its_service_anew_is_fenced(self) -> None:
        for number in range(3):
            picture, fence = self.cloud.picture(), self.fence()
            self.cloud.change_host(
                "h1", service=ident(0x5000 + number), enabled=True, reason=""
            )
            found = self.codes(fences=(fence,), picture=picture)
            self.assertEqual([Result.DONE], found)
            self.assertFalse(self.cloud.node("h1").enabled)
            self.assertIsNotNone(self.fence_mark())

    def test_a_new_service_that_somebody_has_disabled_stays_so(self) -> None:
        found = []
        for number in range(TIMES + 1):
            picture, fence = self.cloud.picture(), self.fence()
            self.cloud.change_host(
                "h1", service=ident(0x5000 + number), enabled=False, reason="x"
            )
            found += self.codes(fences=(fence,), picture=picture)
        # once is chance
        expected = [Result.PRECONDITION] * TIMES + [Result.DONE]
        self.assertEqual(expected, found)
        self.assertIsNotNone(self.fence_mark())

    def test_a_host_without_any_service_is_not_said_to_be_fenced(self) -> None:
        fence = Fence("h1", ident(0x5000), True, "failed")
        self.assertEqual([Result.GONE], self.codes(fences=(fence,)))

    def test_one_registered_anew_is_forced_down_as_well(self) -> None:
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        self.cloud.change_host("h1", service=ident(0x5000))
        planned = step(A, Step.EVACUATE, Ask.FORCE_DOWN, Ask.EVACUATE)
        self.codes(planned, picture=picture)
        self.assertTrue(self.cloud.node("h1").forced_down)

    def test_services_are_read_once_for_all_fences(self) -> None:
        hosts = ("h1", "h2", "h3")
        self.do(fences=tuple(self.fence(host) for host in hosts))
        asked = [entry[0] for entry in self.cloud.log]
        self.assertEqual(1, asked.count("services"))
        self.assertEqual(3, asked.count("disable"))

    def test_services_that_cannot_be_read_are_not_changed(self) -> None:
        self.cloud.fail("services", CloudCode.UNAVAILABLE)
        found = self.codes(fences=(self.fence(),))
        self.assertEqual([Result.UNAVAILABLE], found)
        self.assertEqual([], self.cloud.written)

    def test_what_we_forced_down_is_lifted_before_it_is_enabled(self) -> None:
        self.cloud.add_server(1)
        self.codes(fences=(self.fence(),))
        self.codes(step(A, Step.EVACUATE, Ask.FORCE_DOWN, Ask.EVACUATE))
        self.assertTrue(self.cloud.node("h1").forced_down)
        before = len(self.cloud.written)
        self.assertEqual([Result.DONE], self.release())
        self.assertEqual(
            ["force_down", "enable"],
            [entry[0] for entry in self.cloud.written[before:]],
        )
        node = self.cloud.node("h1")
        self.assertTrue(node.enabled and node.up)

    def test_what_somebody_else_forced_down_stays_down(self) -> None:
        self.codes(fences=(self.fence(),))
        self.cloud.change_host("h1", forced_down=True, up=False)
        self.assertEqual([Result.DONE], self.release())
        self.assertTrue(self.cloud.node("h1").forced_down)

    def test_a_host_is_forced_down_once_for_all_its_servers(self) -> None:
        for number in range(1, 9):
            self.cloud.add_server(number)
        found = self.codes(
            *(
                step(ident(n), Step.EVACUATE, Ask.FORCE_DOWN, Ask.EVACUATE)
                for n in range(1, 9)
            ),
            fences=(self.fence(),),
        )
        self.assertEqual([Result.DONE] * 9, found)
        methods = [entry[0] for entry in self.cloud.written]
        self.assertEqual(1, methods.count("force_down"))
        # That of the fence: Nova waits for a host that is only disabled.
        self.assertEqual(1, methods.count("disable"))
        self.assertEqual(8, len(self.cloud.moves))
        mark = self.fence_mark()
        assert mark is not None
        self.assertIs(Code.EVACUATE, mark.code)
        self.assertEqual({"h2"}, {self.cloud.peek(ident(1)).host})

    def test_a_host_that_is_not_forced_down_is_not_evacuated(self) -> None:
        self.cloud.add_server(1)
        self.cloud.fail("force_down", CloudCode.UNAVAILABLE)
        planned = step(A, Step.EVACUATE, Ask.FORCE_DOWN, Ask.EVACUATE)
        self.assertEqual([Result.UNAVAILABLE], self.codes(planned))
        self.assertEqual({}, self.cloud.moves)

    def test_an_administrators_reason_outlasts_an_evacuation(self) -> None:
        self.cloud.add_server(1)
        self.cloud.change_host("h1", enabled=False, reason="broken fan")
        self.codes(step(A, Step.EVACUATE, Ask.FORCE_DOWN, Ask.EVACUATE))
        self.assertEqual("broken fan", self.cloud.node("h1").reason)
        self.assertEqual("h2", self.cloud.peek(A).host)


class AsideTest(ActorTest):
    """A host that does not answer, when Nova tells it that it is disabled."""

    def setUp(self) -> None:
        super().setUp()
        self.actor = self.new_actor(patience_s=0.02)
        self.answer = threading.Event()
        self.addCleanup(self.answer.set)
        disable = self.cloud.disable

        def slow(service: str, reason: str) -> None:
            disable(service, reason)
            if service == self.cloud.node("h1").service:
                self.answer.wait(10)

        self.cloud.disable = slow  # type: ignore[method-assign]

    def disables(self) -> int:
        service = self.cloud.node("h1").service
        return self.cloud.log.count(
            next(e for e in self.cloud.log if e[:2] == ("disable", service))
        )

    def test_it_holds_up_neither_locks_nor_other_fences(self) -> None:
        self.cloud.add_server(1)
        fences = (self.fence("h1"), self.fence("h2"))
        found = self.codes(lock(A), fences=fences)
        self.assertIs(Result.UNSURE, found[0])
        self.assertIs(Result.DONE, found[2])
        self.assertIsNotNone(self.fence_mark("h1"))
        self.assertFalse(self.answer.is_set())

    def test_it_is_asked_for_once_at_a_time(self) -> None:
        fence = (self.fence("h1"),)
        self.codes(fences=fence)
        # it enables itself, and is to be fenced again
        self.cloud.change_host("h1", enabled=True, reason="")
        self.assertEqual([Result.UNSURE], self.codes(fences=fence))
        self.assertEqual(1, self.disables())
        self.cloud.add_server(1)
        evacuate = step(A, Step.EVACUATE, Ask.FORCE_DOWN, Ask.EVACUATE)
        self.assertEqual([Result.PRECONDITION], self.codes(evacuate))
        self.answer.set()
        for _ in range(500):
            if self.codes(fences=fence) == [Result.DONE]:
                break
            time.sleep(0.01)
        self.assertIsNotNone(self.fence_mark())

    def test_its_end_is_recorded_whenever_it_comes(self) -> None:
        self.codes(fences=(self.fence("h1"),))
        self.assertEqual(1, len(self.records.events))
        self.answer.set()
        for _ in range(500):
            if len(self.records.events) == 2:
                break
            time.sleep(0.01)
        self.assertEqual("done", self.records.events[-1].fields["outcome"])

    def test_where_no_thread_can_be_started_the_others_go_on(self) -> None:
        self.cloud.add_server(1)
        self.actor = self.new_actor(workers=1)
        self.answer.set()
        none = RuntimeError("can't start new thread")
        with mock.patch.object(threading.Thread, "start", side_effect=none):
            for _ in range(AT_ONCE + 1):
                found = self.codes(lock(A), fences=(self.fence("h1"),))
                self.assertEqual([Result.UNAVAILABLE, Result.DONE], found)
        self.assertTrue(self.cloud.peek(A).locked)
        # neither the host nor a place is taken for good
        found = self.codes(lock(A), fences=(self.fence("h1"),))
        self.assertEqual([Result.DONE, Result.DONE], found)

    def test_so_many_at_once_and_no_more(self) -> None:
        hosts = ("h1", "h2", "h3")
        aside = Aside(0.02, at_once=1)
        scribe = Scribe(Intents(self.records), "", lambda: 0.0)
        attempts = [
            Attempt(scribe, Patience(), host, host, Step.FENCE, {})
            for host in hosts
        ]

        def do(attempt: Attempt) -> Outcome:
            self.answer.wait(10)
            return attempt.outcome(Result.DONE)

        tasks = [Task(a.place, a, do) for a in attempts]
        found = [o.code for o in aside.run(tasks, Patience())]
        self.assertEqual(
            [Result.UNSURE, Result.UNAVAILABLE, Result.UNAVAILABLE], found
        )
        self.assertEqual([True, False, False], [*map(aside.busy, hosts)])


class PowerOffTest(ActorTest):
    def power(self, script: str) -> Power:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.said = pathlib.Path(directory.name) / "said"
        command = f"echo $0 >> {self.said}; {script}"
        return Power(["/bin/sh", "-c", command, "{host}"], [], 10.0)

    def test_a_host_is_switched_off_once_a_cycle(self) -> None:
        self.actor = self.new_actor(power=self.power("true"))
        for number in range(1, 9):
            self.cloud.add_server(number)
        planned = [
            step(ident(n), Step.POWER_OFF, Ask.POWER_OFF) for n in range(1, 9)
        ]
        self.assertEqual([Result.DONE] * 8, self.codes(*planned))
        self.assertEqual("h1\n", self.said.read_text())
        self.assertIs(Code.POWER_OFF, self.mark().code)
        self.codes(*planned)
        self.assertEqual("h1\nh1\n", self.said.read_text())

    def test_nothing_about_a_server_keeps_its_host_from_it(self) -> None:
        planned = step(A, Step.POWER_OFF, Ask.POWER_OFF)
        for name, meanwhile in (
            ("task", lambda: self.cloud.change(A, task="x1")),
            ("state", lambda: self.cloud.change(A, vm_state=VmState.PAUSED)),
            ("mark", lambda: self.cloud.change(A, locked_reason="nfv-mla/1")),
            ("text", lambda: self.cloud.change(A, locked_reason="x")),
            ("unlocked", lambda: self.cloud.change(A, locked=False)),
            ("lock", lambda: self.cloud.as_admin(A, "lock", "mine")),
            ("fails", lambda: self.cloud.fail("lock", CloudCode.UNAVAILABLE)),
            ("place", lambda: self.cloud.change(A, host="h2")),
            ("500", lambda: self.cloud.fail("server", CloudCode.UNAVAILABLE)),
            ("odd", lambda: self.cloud.fail("server", CloudCode.BAD_ANSWER)),
        ):
            with self.subTest(name):
                self.actor = self.new_actor(power=self.power("true"))
                self.cloud.add_server(1)
                self.do(lock(A))
                picture = self.cloud.picture()
                meanwhile()
                found = self.codes(planned, picture=picture)
                self.assertEqual([Result.DONE], found)
                self.assertEqual("h1\n", self.said.read_text())
        # but for that it is gone: others ask, or nobody needs it any more
        self.actor = self.new_actor(power=self.power("true"))
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        self.cloud.delete(A)
        self.codes(planned, picture=picture)
        self.assertFalse(self.said.exists() and self.said.read_text())

    def test_one_that_is_elsewhere_is_not_marked_for_it(self) -> None:
        self.actor = self.new_actor(power=self.power("true"))
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        self.cloud.change(A, host="h2")
        planned = step(A, Step.POWER_OFF, Ask.POWER_OFF)
        self.assertEqual([Result.DONE], self.codes(planned, picture=picture))
        self.assertFalse(self.cloud.peek(A).locked)

    def test_an_administrators_lock_outlasts_it(self) -> None:
        self.actor = self.new_actor(power=self.power("true"))
        self.cloud.add_server(1)
        picture = self.cloud.picture()
        self.cloud.as_admin(A, "lock", "mine")
        self.do(step(A, Step.POWER_OFF, Ask.POWER_OFF), picture=picture)
        self.assertEqual("mine", self.cloud.peek(A).locked_reason)

    def test_a_nova_that_fails_all_locks_does_not_keep_from_it(self) -> None:
        self.actor = self.new_actor(1, self.power("true"))
        for number in range(1, 11):
            self.cloud.add_server(number)
        self.cloud.fail("lock", CloudCode.UNAVAILABLE, times=99)
        off = step(ident(10), Step.POWER_OFF, Ask.POWER_OFF)
        with self.assertLogs("nfv_mla_scheduler.monitor", "WARNING"):
            found = self.codes(*(lock(ident(n)) for n in range(1, 10)), off)
        self.assertIs(Result.DONE, found[-1])

    def test_a_slow_command_delays_nobody_and_is_not_run_twice(self) -> None:
        self.power("true")
        directory = self.said.parent
        script = f"while [ ! -e {directory}/go ]; do sleep 0.05; done"
        power = Power(
            ["/bin/sh", "-c", f"echo $0 >> {self.said}; {script}", "{host}"],
            [],
            10.0,
        )
        self.actor = self.new_actor(power=power)
        self.cloud.add_server(1)
        planned = step(A, Step.POWER_OFF, Ask.POWER_OFF)
        self.assertEqual([Result.UNSURE], self.codes(planned))
        self.assertEqual([Result.UNSURE], self.codes(planned))
        self.assertEqual("h1\n", self.said.read_text())
        (directory / "go").touch()
        for _ in range(200):
            if len(self.records.events) >= 6:
                break
            time.sleep(0.02)
        last = self.records.events[-1]
        self.assertEqual(
            ("power-off", "h1", "done"),
            tuple(last.fields[n] for n in ("ask", "host", "outcome")),
        )

    def test_without_a_command_it_is_refused(self) -> None:
        self.cloud.add_server(1)
        planned = step(A, Step.POWER_OFF, Ask.POWER_OFF)
        self.assertEqual([Result.REFUSED], self.codes(planned))


class TraitsTest(ActorTest):
    def test_a_trait_is_made_once_and_others_stay(self) -> None:
        ones = [self.cloud.node(h).uuid for h in ("h1", "h2", "h3")]
        self.cloud.carried[ones[0]] = {"CUSTOM_OTHER"}
        self.do(traits=tuple(TraitEdit(one, TRAIT, add=True) for one in ones))
        self.do(traits=(TraitEdit(ones[1], TRAIT, add=False),))
        self.do(traits=(TraitEdit(ones[1], TRAIT, add=True),))
        methods = [entry[0] for entry in self.cloud.written]
        self.assertEqual(1, methods.count("create_trait"))
        self.assertEqual({"CUSTOM_OTHER", TRAIT}, self.cloud.carried[ones[0]])
        self.assertEqual({TRAIT}, self.cloud.carried[ones[1]])

    def test_all_of_a_provider_is_one_request(self) -> None:
        one, two = (self.cloud.node(h).uuid for h in ("h1", "h2"))
        junk = {f"{TRAIT}_{n}" for n in range(20)}
        self.cloud.carried[one] = {"CUSTOM_OTHER", *junk}
        found = self.do(
            traits=(
                TraitEdit(one, TRAIT, add=True),
                TraitEdit(two, TRAIT, add=True),
                *(TraitEdit(one, name, add=False) for name in junk),
            )
        )
        methods = [entry[0] for entry in self.cloud.written]
        self.assertEqual(2, methods.count("edit_traits"))
        self.assertEqual([one, two], [outcome.subject for outcome in found])
        self.assertEqual({"CUSTOM_OTHER", TRAIT}, self.cloud.carried[one])
        told = str([event.fields for event in self.records.events])
        self.assertIn("and 17 more", told)

    def test_a_trait_that_somebody_deletes_is_made_again(self) -> None:
        edit = TraitEdit(self.cloud.node("h1").uuid, TRAIT, add=True)
        self.do(traits=(edit,))
        self.cloud.traits.clear()
        self.cloud.carried.clear()
        self.assertEqual([Result.REFUSED], self.codes(traits=(edit,)))
        self.assertEqual([Result.DONE], self.codes(traits=(edit,)))

    def test_a_provider_that_is_gone_is_gone(self) -> None:
        edit = TraitEdit(ident(99), TRAIT, add=False)
        self.assertEqual([Result.GONE], self.codes(traits=(edit,)))


class RecordTest(ActorTest):
    def test_every_request_is_recorded_before_and_after(self) -> None:
        self.cloud.add_server(1)
        self.cloud.fail("act", CloudCode.CONFLICT)
        self.do(step(A, Step.STOP, Ask.STOP), fences=(self.fence(),))
        found = [
            (event.kind, *(event.fields.get(n) for n in ("ask", "outcome")))
            for event in self.records.events
        ]
        before, after = EventKind.STEP_INTENDED, EventKind.STEP_DONE
        self.assertEqual(
            [
                (before, "disable", None),
                (after, "disable", "done"),
                (before, "lock", None),
                (after, "lock", "done"),
                (before, "os-stop", None),
                (after, "os-stop", "conflict"),
            ],
            found,
        )
        self.assertEqual([0, 1, 1, 2, 2, 3], self.records.asked)
        fence, stop = self.records.events[0], self.records.events[4]
        self.assertEqual("h1", fence.fields["host"])
        self.assertEqual(
            {"step": "stop", "ask": "os-stop", "mark": self.mark().id}
            | {"server": A, "host": "h1"},
            stop.fields,
        )
        self.assertEqual("test", stop.origin)

    def test_of_a_sealed_server_only_its_domain_may_read(self) -> None:
        self.cloud.add_server(1)
        self.cloud.add_server(2)
        for uuid in (A, B):
            self.cloud.fail("act", CloudCode.CONFLICT)
            self.do(step(uuid, Step.STOP, Ask.STOP), sealed={A: "li"})
        mine = [e for e in self.records.events if e.domain == "li"]
        rest = [e for e in self.records.events if e.domain is None]
        self.assertEqual(8, len(mine) + len(rest))
        self.assertEqual({A}, {e.fields["server"] for e in mine})
        self.assertEqual({B}, {e.fields["server"] for e in rest})
        # what Nova says may hold what nobody is to know
        self.assertIn("injected", str(rest[-1].fields["text"]))
        self.assertNotIn("text", mine[-1].fields)
        self.assertEqual("conflict", mine[-1].fields["outcome"])


if __name__ == "__main__":
    unittest.main()
