# SPDX-License-Identifier: Apache-2.0
"""What is recorded of a cycle: each change once, where it may be read."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit import sealable
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.conf.audit import OPTIONS
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Copied
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.holding.holds import Word
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.plans import InFlight
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Release
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.monitor.reporting import share
from nfv_mla_scheduler.monitor.reporting.entries import EVENTS_MAX
from nfv_mla_scheduler.monitor.reporting.entries import Entries
from nfv_mla_scheduler.monitor.reporting.heartbeat import INTERVAL_S
from nfv_mla_scheduler.monitor.reporting.heartbeat import Heartbeat
from nfv_mla_scheduler.monitor.reporting.lines import TOPICS
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.telling import standings
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.sealed import sealed_servers
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Project
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.monitor.clouds import NOW
from tests.unit.monitor.clouds import finding
from tests.unit.monitor.clouds import host_finding
from tests.unit.monitor.clouds import picture
from tests.unit.monitor.clouds import policy
from tests.unit.monitor.clouds import server
from tests.unit.monitor.clouds import uuid
from tests.unit.monitor.clouds import verdict

CATALOGUE = load()
NOTHING_SAID = Holds()
#: The project whose domain keeps its entries to itself, and another one.
TAPPED, PLAIN = "tapped", "p1"
LI = "li"
SEALING = policy(
    trust_domains={LI: "a key", "acme": None},
    projects={
        TAPPED: Project(TAPPED, None, LI),
        PLAIN: Project(PLAIN, None, "acme"),
    },
)


class Kept(NullAudit):
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


def snapshot(known: Policy = SEALING) -> view.Snapshot:
    return dataclasses.replace(view.empty(CATALOGUE), policy=known)


def report(
    servers: Iterable[Server] = (),
    found: Mapping[str, Any] | None = None,
    plan: Plan | None = None,
    at: float = NOW,
    known: Policy = SEALING,
    asking: Iterable[str] | None = None,
    holds: Holds = NOTHING_SAID,
    partial: bool = False,
) -> CycleReport:
    """Return what a cycle knows; all servers ask for something."""
    shown = picture(servers, missing=("cell 2",) if partial else ())
    every = frozenset(shown.servers if asking is None else asking)
    judged = dataclasses.replace(verdict(asking=every), **found or {})
    return CycleReport(
        at,
        True,
        snapshot(known),
        holds,
        shown,
        at,
        Ruling(judged, {}, {}),
        plan,
        sealed=sealed_servers(snapshot(known), shown),
    )


class EntriesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.kept = Kept()
        self.entries = Entries(self.kept, "here")

    def note(self, *given: Any, **how: Any) -> list[Event]:
        """Return what is recorded of one more cycle."""
        self.kept.events.clear()
        done = report(*given, **how)
        self.entries.note(done, standings(done))
        return list(self.kept.events)

    def kinds(self, *given: Any, **how: Any) -> list[tuple[str, str | None]]:
        found = self.note(*given, **how)
        return [(event.kind.value, event.domain) for event in found]

    # What is found and planned.

    def test_a_finding_is_recorded_once_and_when_it_is_over(self) -> None:
        one = server(1)
        found = {"servers": {one.uuid: finding(one)}}
        _, event = self.note([one], found)
        self.assertIs(EventKind.FINDING, event.kind)
        self.assertEqual(one.uuid, event.fields["server"])
        self.assertEqual(["contraindicated"], event.fields["refusals"])
        self.assertEqual([], self.kinds([one], found))
        self.assertEqual([("finding-over", None)], self.kinds([one]))

    def test_what_is_not_known_is_as_it_was(self) -> None:
        one = server(1)
        self.note([one], {"servers": {one.uuid: finding(one)}})
        self.kept.events.clear()
        blind = dataclasses.replace(report([one]), ruling=None)
        self.entries.note(blind, standings(blind))
        self.assertEqual([], self.kept.events)

    def test_a_plan_is_recorded_as_it_changes(self) -> None:
        one, two, three = server(1), server(2), server(3)
        self.note([one, two, three])
        stop = Planned(
            one.uuid, "h1", Step.STOP, (Ask.STOP,), "stop", NOW, "failed"
        )
        plan = Plan(
            steps=(stop,),
            fences=(Fence("h1", "s-h1", True, "failed"),),
            releases=(Release(two.uuid, "h1", (Ask.START, Ask.UNLOCK)),),
            held=(Held(three.uuid, "h1", Step.STOP, Why.PER_HOST),),
        )
        every = [one, two, three]
        planned = [
            event.fields
            for event in self.note(every, plan=plan)
            if event.kind is EventKind.PLANNED
        ]
        told = [
            {k: v for k, v in f.items() if k not in ("topic", "name", "text")}
            for f in planned
        ]
        self.assertEqual(
            [
                {
                    "server": one.uuid,
                    "host": "h1",
                    "step": "stop",
                    "finding": "failed",
                    "until": NOW,
                },
                {
                    "server": two.uuid,
                    "host": "h1",
                    "ask": ["os-start", "unlock"],
                },
                {
                    "server": three.uuid,
                    "host": "h1",
                    "step": "stop",
                    "why": "per-host",
                },
                {
                    "host": "h1",
                    "step": "fence",
                    "ask": "disable",
                    "finding": "failed",
                },
            ],
            told,
        )
        # neither again, nor since it is held for another reason
        other = Held(three.uuid, "h1", Step.STOP, Why.PER_MINUTE)
        again = dataclasses.replace(plan, held=(other,))
        self.assertNotIn(("planned", None), self.kinds(every, plan=again))
        # but when it is not held any more
        free = dataclasses.replace(
            plan,
            held=(),
            steps=(stop, dataclasses.replace(stop, server=three.uuid)),
        )
        self.assertEqual(
            [three.uuid],
            [
                event.fields["server"]
                for event in self.note(every, plan=free)
                if event.kind is EventKind.PLANNED
            ],
        )

    def test_brakes_guards_and_pauses_are_recorded(self) -> None:
        one = server(1)
        word = Word(NOW + 60, "work", "ops", NOW)
        plan = Plan(
            held=(Held(one.uuid, "h1", Step.STOP, Why.PER_HOST),),
            suspects=(Share("keylime", 9, 10),),
            braked=Share("d1", 3, 5),
        )
        found = self.note([one], plan=plan, holds=Holds(paused=word))
        held = [e.fields for e in found if e.kind is EventKind.GUARD_HELD]
        self.assertEqual(
            ["suspect", "suspect", "held", "paused"],
            [fields["topic"] for fields in held],
        )
        self.assertEqual("per-host", held[2]["why"])
        over = self.note([one], plan=Plan())
        self.assertEqual(
            4, sum(e.kind is EventKind.GUARD_RELEASED for e in over)
        )

    def test_the_loudest_alarm_is_recorded(self) -> None:
        one = server(1)
        self.note([one])
        late = InFlight(
            one.uuid, "h1", Step.STOP, State.NOT_HALTED, NOW - 9, NOW - 1
        )
        (event,) = self.note([one], plan=Plan(not_halted=(late,)))
        self.assertEqual("not-halted", event.fields["topic"])
        self.assertEqual(one.uuid, event.fields["server"])
        self.assertEqual(
            [("finding-over", None)], self.kinds([one], plan=Plan())
        )

    def test_who_was_released_is_recorded(self) -> None:
        one, two = server(1), server(2, project_id=TAPPED)
        word = Word(NOW + 60, "work", "ops", NOW)
        holds = Holds(servers={one.uuid: word, two.uuid: word, uuid(9): word})
        found = [
            (e.domain, e.fields["server"])
            for e in self.note([one, two], holds=holds)
            if e.kind is EventKind.GUARD_RELEASED
        ]
        # of one that is not in sight nobody knows where it may be told
        self.assertEqual([(None, one.uuid), (LI, two.uuid)], found)

    def test_many_do_not_fill_the_queue(self) -> None:
        most = next(o for o in OPTIONS if o.dest == "audit_queue_size").default
        many = [server(n) for n in range(EVENTS_MAX + 200)]
        found = {
            "servers": {s.uuid: finding(s) for s in many},
            "hosts": {f"h{n}": host_finding(f"h{n}") for n in range(700)},
            "tampered": tuple(
                Tampered("trait", f"CUSTOM_{n}", "junk") for n in range(700)
            ),
            "copied": tuple(
                Copied(s.uuid, "p1", "createImage", NOW, f"r{n}", "p2")
                for n, s in enumerate(many)
            ),
        }
        plan = Plan(
            steps=tuple(
                Planned(s.uuid, "h1", Step.STOP, (), "stop", NOW, "failed")
                for s in many
            ),
            replaced=frozenset(s.uuid for s in many),
        )
        self.note()
        events = self.note(many, found, plan)
        counts: dict[object, int] = {}
        for event in events:
            key = event.kind, event.fields.get("topic")
            counts[key] = counts.get(key, 0) + 1
        self.assertEqual({EVENTS_MAX + 1}, set(counts.values()))
        more = [e for e in events if e.fields.get("count") == 200]
        self.assertEqual(len(counts), len(more))
        # all topics at once, what is found and that it is over, and places
        kinds = [w for w in TOPICS.values() if w.kind is not None]
        worst = len(kinds) * (EVENTS_MAX + 1) + 3 * (EVENTS_MAX + 1) + 1000
        self.assertLess(worst, most - most // 16)

    # Places.

    def test_places_as_they_are_observed(self) -> None:
        servers = [server(n, f"h{n % 3}") for n in range(250)]
        first = self.note(servers)
        self.assertEqual(
            [EventKind.STANDING] * 3, [event.kind for event in first]
        )
        self.assertEqual([], self.note(servers))
        moved = [server(0, "h2"), *servers[2:], server(999)]
        self.assertEqual(
            [("moved", None), ("gone", None), ("placed", None)],
            self.kinds(moved),
        )

    def test_before_all_was_seen_nothing_is_new(self) -> None:
        one, two, three = server(1), server(2), server(3)
        first = self.kinds([one], partial=True)
        second = self.kinds([one, two])
        self.assertEqual([("standing", None)] * 2, first[:1] + second[:1])
        self.assertEqual([("placed", None)], self.kinds([one, two, three]))

    def test_others_are_nobodys_business(self) -> None:
        servers = [server(n) for n in range(9)]
        self.assertEqual([], self.kinds(servers, asking=()))

    # Sealed trust domains.

    def sealed_story(self) -> list[Event]:
        """Return all that is recorded of an eviction in a sealed domain."""
        one = server(1, project_id=TAPPED)
        told = self.note([server(2)])
        told += self.note([one, server(2)])
        found = {
            "servers": {one.uuid: finding(one, sealed=True)},
            "tampered": (Tampered("server", one.uuid, "forged", sealed=True),),
            "copied": (
                Copied(one.uuid, TAPPED, "rescue", NOW, "r-1", "p2", True),
            ),
        }
        stop = Planned(
            one.uuid, "h1", Step.STOP, (Ask.STOP,), "stop", NOW, "failed"
        )
        held = Held(one.uuid, "h1", Step.STOP, Why.PER_HOST)
        late = InFlight(
            one.uuid, "h1", Step.STOP, State.NOT_HALTED, NOW - 9, NOW - 1
        )
        both = [one, server(2)]
        told += self.note(both, found, Plan(held=(held,)), NOW + 10)
        told += self.note(both, found, Plan(steps=(stop,)), NOW + 20)
        told += self.note(both, found, Plan(not_halted=(late,)), NOW + 30)
        away = server(1, "h2", project_id=TAPPED)
        told += self.note([away, server(2)], {}, Plan(), NOW + 40)
        told += self.note([server(2)], {}, Plan(), NOW + 50)
        return told

    def test_a_sealed_domain_has_the_whole_story(self) -> None:
        told = [
            (e.kind.value, e.fields.get("topic"))
            for e in self.sealed_story()
            if e.domain == LI
        ]
        self.assertEqual(
            [
                ("placed", None),
                ("mark-tampered", "tampered"),
                ("copied", "copied"),
                ("finding", "finding"),
                ("guard-held", "held"),
                ("planned", "planned"),
                ("guard-released", "held"),
                ("planned", "planned"),
                ("finding", "not-halted"),
                ("moved", None),
                ("finding-over", "not-halted"),
                ("finding-over", "finding"),
                ("gone", None),
            ],
            told,
        )

    def test_and_nobody_else_has_any_of_it(self) -> None:
        for event in self.sealed_story():
            if event.domain is None:
                self.assertNotIn(uuid(1), str(event.fields))
                self.assertNotIn(TAPPED, str(event.fields))
                self.assertIs(EventKind.STANDING, event.kind)

    def test_it_is_told_in_codes(self) -> None:
        for event in self.sealed_story():
            if event.domain is not None:
                line = sealable.encode(event)
                self.assertNotIn(b"omitted", line)
                if event.fields.get("topic") != "held":
                    self.assertIn(uuid(1).encode(), line)

    def test_what_a_store_has_no_room_for_comes_later(self) -> None:
        many = [server(n, project_id=TAPPED) for n in range(300)]
        found = {"servers": {s.uuid: finding(s, sealed=True) for s in many}}
        self.note()
        told: list[str] = []
        placed: list[str] = []
        for cycle in range(40):
            events = self.note(many, found, at=NOW + 10 * cycle)
            self.assertLessEqual(len(events), share.SHARE_MAX)
            told += [
                str(e.fields["server"])
                for e in events
                if e.kind is EventKind.FINDING
            ]
            placed += [
                str(e.fields["server"])
                for e in events
                if e.kind is EventKind.PLACED
            ]
        every = sorted(s.uuid for s in many)
        self.assertEqual(every, sorted(told))
        self.assertEqual(every, sorted(placed))

    def test_many_that_stand_there_are_few_entries(self) -> None:
        many = [server(n, project_id=TAPPED) for n in range(120)]
        events = self.note(many)
        self.assertEqual(
            {(EventKind.STANDING, LI)}, {(e.kind, e.domain) for e in events}
        )
        self.assertLessEqual(len(events), 4)
        for event in events:
            self.assertNotIn(b"omitted", sealable.encode(event))

    def test_of_who_is_sealed_from_now_on_nothing_ends_in_the_open(
        self,
    ) -> None:
        one = server(1, project_id=TAPPED)
        found = {
            "servers": {one.uuid: finding(one)},
            "tampered": (Tampered("server", one.uuid, "forged"),),
        }
        late = InFlight(
            one.uuid, "h1", Step.STOP, State.NOT_HALTED, NOW - 9, NOW - 1
        )
        plan = Plan(not_halted=(late,))
        opened = policy(projects=SEALING.projects)
        self.assertIn(
            ("finding", None), self.kinds([one], found, plan, known=opened)
        )
        found = {
            "servers": {one.uuid: finding(one, sealed=True)},
            "tampered": (Tampered("server", one.uuid, "forged", True),),
        }
        events = self.note([one], found, plan, NOW + 10)
        self.assertEqual({LI}, {event.domain for event in events})
        self.assertIn(EventKind.STANDING, [event.kind for event in events])
        # and the other way round
        events = self.note([one], found, plan, NOW + 20, known=opened)
        self.assertEqual({None}, {event.domain for event in events})

    def test_hosts_are_everybodys(self) -> None:
        found = {"hosts": {"h1": host_finding("h1", Kind.FAILED)}}
        fence = Fence("h1", "s-h1", True, "failed")
        one = server(1, project_id=TAPPED)
        events = self.note([one], found, Plan(fences=(fence,)))
        self.assertEqual(
            {("finding", None), ("planned", None), ("standing", LI)},
            {(event.kind.value, event.domain) for event in events},
        )


class HeartbeatTest(unittest.TestCase):
    def setUp(self) -> None:
        self.kept = Kept()
        self.heartbeat = Heartbeat(self.kept, "here")

    def test_at_once_and_after_each_interval(self) -> None:
        process = Process(NOW, "all")
        for passed, expected in (
            (0.0, 1),
            (INTERVAL_S - 1, 1),
            (INTERVAL_S, 2),
            # a clock that goes back keeps it from nothing
            (-1000.0, 3),
        ):
            self.heartbeat.beat(NOW + passed, process, None)
            self.assertEqual(expected, len(self.kept.events))
        self.assertIsNone(self.kept.events[0].fields["cycle_age_s"])

    def test_it_says_what_it_goes_by_and_since_when(self) -> None:
        process = Process(NOW, "fence", ended_at=NOW - 7, seconds=0.25)
        self.heartbeat.beat(NOW, process, report(at=NOW - 8))
        (event,) = self.kept.events
        self.assertIs(EventKind.HEARTBEAT, event.kind)
        self.assertEqual(
            {
                "act": "fence",
                "cycle_s": 0.25,
                "cycle_age_s": 7.0,
                "policy_version": 1,
                "policy_digest": "d1",
                "results_age_s": None,
                "picture_age_s": 8.0,
                "paused": False,
            },
            event.fields,
        )
        self.assertNotEqual(NEVER, event.at)


if __name__ == "__main__":
    unittest.main()
