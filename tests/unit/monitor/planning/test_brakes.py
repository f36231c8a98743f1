# SPDX-License-Identifier: Apache-2.0
"""An authority that fails for many at once is the suspect; a policy, too."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.planning import brakes
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.planning.shares import NEW_S
from nfv_mla_scheduler.monitor.planning.shares import Counting
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.policy.values import Policy
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW

OTHER = frozenset({"other"})


def failing(
    *hosts: int, kind: Kind = Kind.FAILED, other: bool = False
) -> Verdict:
    names = OTHER if other else frozenset({"keylime"})
    return clouds.verdict(
        hosts=[
            clouds.host_finding(f"h{n}", kind, authorities=names)
            for n in hosts
        ]
    )


def fenced(ago_s: float, *hosts: int) -> dict[str, Mark]:
    return {f"h{n}": clouds.mark(Code.FENCE, ago_s) for n in hosts}


class SuspectsTest(unittest.TestCase):
    def suspects(
        self,
        verdict: Verdict,
        marks: Mapping[str, Mark] | None = None,
        held: Mapping[str, float] | None = None,
        hosts: int = 10,
        other: int = 0,
        policy: Policy | None = None,
        **known: Any,
    ) -> Mapping[str, Share]:
        policy = policy or clouds.policy(hosts, other=other)
        counting = Counting(verdict, policy, NOW, marks or {}, **known)
        return brakes.suspects(counting, held or {})

    def names(self, *args: object, **kw: object) -> set[str]:
        return set(self.suspects(*args, **kw))  # type: ignore[arg-type]

    def test_more_than_the_share(self) -> None:
        # a fifth of ten is not more than a fifth
        self.assertEqual(set(), self.names(failing(1, 2)))
        self.assertEqual(
            {"keylime": Share("keylime", 3, 10)},
            self.suspects(failing(1, 2, 3)),
        )

    def test_one_host_alone_is_never_enough(self) -> None:
        self.assertEqual(set(), self.names(failing(1), hosts=2))
        self.assertEqual({"keylime"}, self.names(failing(1, 2), hosts=2))

    def test_silence_counts_as_failure_does(self) -> None:
        many = failing(1, 2, 3, kind=Kind.WITHHELD)
        self.assertEqual({"keylime"}, self.names(many))

    def test_an_outage_makes_nobody_a_suspect(self) -> None:
        many = failing(1, 2, 3, kind=Kind.OUTAGE)
        self.assertEqual(set(), self.names(many))

    def test_one_authoritys_share_is_of_its_own_hosts(self) -> None:
        few = failing(19, 20, other=True)
        self.assertEqual({"other"}, self.names(few, hosts=20, other=5))

    def test_a_share_of_all_hosts_makes_all_that_say_so_suspect(self) -> None:
        both = clouds.verdict(
            hosts=[
                *failing(1, 2).hosts.values(),
                *failing(11, 12, 13, other=True).hosts.values(),
            ]
        )
        found = self.names(both, hosts=20, other=10)
        self.assertEqual({"keylime", "other"}, found)

    def test_a_host_that_nobody_bound_is_nobodys_share(self) -> None:
        self.assertEqual(set(), self.names(failing(1, 2, 99)))

    def test_what_is_permissive_does_not_count(self) -> None:
        said = clouds.verdict(
            hosts=[
                dataclasses.replace(f, permissive=True)
                for f in failing(1, 2, 3).hosts.values()
            ]
        )
        self.assertEqual(set(), self.names(said))

    def test_servers_that_were_forced_there_make_nobody_a_suspect(
        self,
    ) -> None:
        # they ask for what their hosts never had: no host has failed
        found = self.servers(Kind.FAILED)
        self.assertEqual(set(), self.names(found))
        one = dataclasses.replace(found, hosts=failing(1).hosts)
        self.assertEqual(set(), self.names(one))

    def servers(self, kind: Kind, **changed: Any) -> Verdict:
        return clouds.verdict(
            clouds.finding(clouds.server(n, f"h{n}"), kind, **changed)
            for n in (1, 2, 3)
        )

    def test_servers_that_were_there_before_make_a_suspect(self) -> None:
        """After a restart nobody knows that they were admitted there."""
        there = frozenset(map(clouds.uuid, (1, 2, 3)))
        for kind in (Kind.FAILED, Kind.CHANGED, Kind.WITHHELD, Kind.MISPLACED):
            found = self.suspects(self.servers(kind), residents=there)
            self.assertEqual({"keylime": Share("keylime", 3, 10)}, found)
        for changed in ({"permissive": True}, {"evicts": False}):
            soft = self.servers(Kind.FAILED, **changed)
            self.assertEqual(set(), self.names(soft, residents=there))
        few = frozenset(map(clouds.uuid, (1, 2)))
        failed = self.servers(Kind.FAILED)
        self.assertEqual(set(), self.names(failed, residents=few))

    def test_servers_whose_hosts_changed_make_one_at_once(self) -> None:
        # nobody can force a server to where it was admitted
        changed = self.servers(Kind.CHANGED)
        self.assertEqual({"keylime"}, self.names(changed))
        here = [clouds.server(n, "h1") for n in (1, 2, 3)]
        one = clouds.verdict(clouds.finding(s, Kind.CHANGED) for s in here)
        self.assertEqual(set(), self.names(one))

    def test_a_suspect_is_not_cleared_while_there_are_such_servers(
        self,
    ) -> None:
        held = {"keylime": NOW - 60}
        failed = self.servers(Kind.FAILED)
        self.assertEqual({"keylime"}, self.names(failed, held=held))
        ruled = clouds.verdict(
            clouds.ruled(clouds.server(n, f"h{n}")) for n in (1, 2, 3)
        )
        self.assertEqual(set(), self.names(ruled, held=held))

    def test_servers_that_were_found_long_ago_are_not_new(self) -> None:
        there = frozenset(map(clouds.uuid, (1, 2, 3)))
        failed = self.servers(Kind.FAILED)
        for ago_s, expected in ((NEW_S - 1, {"keylime"}), (NEW_S, set())):
            marks = {clouds.uuid(1): clouds.mark(Code.LOCK, ago_s)}
            found = self.names(failed, residents=there, marked=marks)
            self.assertEqual(expected, found)

    def test_hosts_that_were_fenced_long_ago_are_not_new(self) -> None:
        many = failing(1, 2, 3)
        for ago_s, expected in ((NEW_S - 1, {"keylime"}), (NEW_S, set())):
            with self.subTest(ago_s):
                found = self.names(many, fenced(ago_s, 1))
                self.assertEqual(expected, found)

    def test_two_hosts_every_ten_minutes_are_too_many_in_the_end(self) -> None:
        for bad in range(2, 11, 2):
            marks = {
                f"h{n}": clouds.mark(Code.FENCE, 600 * ((bad - n) // 2))
                for n in range(1, bad + 1)
            }
            found = self.names(failing(*range(1, bad + 1)), marks)
            self.assertEqual({"keylime"} if bad > 2 else set(), found)

    def test_fences_do_not_end_what_held_them(self) -> None:
        # fenced while it was a suspect, two days ago
        marks = fenced(2 * NEW_S, 1, 2, 3)
        many = failing(1, 2, 3)
        self.assertEqual(set(), self.names(many, marks))
        held = {"keylime": NOW - 2 * NEW_S}
        self.assertEqual({"keylime"}, self.names(many, marks, held))

    def test_who_was_fenced_before_does_not_count_later_either(self) -> None:
        marks = fenced(2 * NEW_S, 1, 2, 3)
        held = {"keylime": NOW - 3600}
        self.assertEqual(set(), self.names(failing(1, 2, 3), marks, held))

    def test_only_results_clear_hosts_that_were_fenced(self) -> None:
        """Not that nothing is found about them: that may be a restart."""
        held, marks = {"keylime": NOW - 60}, fenced(50, 1, 2, 3)
        nothing = clouds.verdict()
        hosts = ("h1", "h2", "h3")
        for told, expected in (
            ({}, {"keylime"}),
            (dict.fromkeys(hosts, NOW - 50), {"keylime"}),
            (dict.fromkeys(hosts[:1], NOW - 40), set()),
            (dict.fromkeys(hosts, NOW - 40), set()),
        ):
            found = self.names(nothing, marks, held, evidence=told)
            self.assertEqual(expected, found, told)
        self.assertEqual(set(), self.names(nothing, marks))

    def two(self, evicts: bool) -> Policy:
        """Return a policy in which two authorities speak of each host."""
        policy = clouds.policy()
        other = dataclasses.replace(
            policy.authorities["other"], may_evict=evicts
        )
        return dataclasses.replace(
            policy,
            hosts={
                name: dataclasses.replace(
                    it, attesters={"keylime": name, "other": name}
                )
                for name, it in policy.hosts.items()
            },
            authorities={**policy.authorities, "other": other},
        )

    def test_who_may_not_evict_makes_a_suspect_of_nobody_else(self) -> None:
        hosts = failing(1).hosts | failing(2, 3, other=True).hosts
        found = clouds.verdict(hosts=hosts.values())
        self.assertEqual(set(), self.names(found, policy=self.two(False)))
        both = {"keylime", "other"}
        self.assertEqual(both, self.names(found, policy=self.two(True)))
        # by its own share it is one all the same
        many = failing(1, 2, 3, other=True)
        self.assertEqual({"other"}, self.names(many, policy=self.two(False)))
        found = brakes.that_evict(both, self.two(False))
        self.assertEqual({"keylime"}, found)

    def test_hosts_that_are_not_those_that_are_bound(self) -> None:
        for number, expected in ((2, set()), (3, {BINDINGS})):
            for name in ("h{}", "renamed-{}"):
                it = clouds.verdict(
                    hosts=[
                        dataclasses.replace(
                            clouds.host_finding(f"h{n}", Kind.CHANGED),
                            host=name.format(n),
                            authorities=frozenset(),
                        )
                        for n in range(1, number + 1)
                    ]
                )
                self.assertEqual(expected, self.names(it))
        mistaken = clouds.ruled(clouds.server(1), kind=Kind.CHANGED)
        mistaken = dataclasses.replace(mistaken, by_identity=True)
        self.assertTrue(brakes.suspected(mistaken, {BINDINGS}))
        self.assertTrue(brakes.in_doubt(mistaken, {BINDINGS}, False))
        self.assertFalse(brakes.suspected(mistaken, {"keylime"}))

    def test_silence_clears_no_suspect(self) -> None:
        held = {"keylime": NOW - 3600}
        silent = failing(1, 2, 3, kind=Kind.OUTAGE)
        self.assertEqual({"keylime"}, self.names(silent, held=held))
        self.assertEqual(set(), self.names(failing(1, 2), held=held))
        blank = clouds.verdict(unproven=frozenset({"h1", "h2", "h3", "x"}))
        self.assertEqual({"keylime"}, self.names(blank, held=held))
        self.assertEqual(set(), self.names(blank))

    def test_a_finding_is_held_if_all_its_authorities_are_suspect(
        self,
    ) -> None:
        one = clouds.finding(clouds.server(1))
        two = dataclasses.replace(one, authorities=one.authorities | OTHER)
        none = clouds.ruled(clouds.server(1))
        for finding, expected in ((one, True), (two, False), (none, False)):
            self.assertEqual(expected, brakes.suspected(finding, {"keylime"}))


class InDoubtTest(unittest.TestCase):
    def test_who_may_be_wrong(self) -> None:
        one = clouds.finding(clouds.server(1))
        two = dataclasses.replace(one, authorities=one.authorities | OTHER)
        rules = clouds.ruled(clouds.server(1))
        for name, finding, names, much, expected in (
            ("nobody", one, set(), False, False),
            ("its authority", one, {"keylime"}, False, True),
            ("another", one, {"other"}, False, False),
            ("one of two", two, {"other"}, False, True),
            ("a policy, not an authority", one, set(), True, False),
            ("a policy", rules, set(), True, True),
            ("no policy", rules, {"keylime"}, False, False),
        ):
            with self.subTest(name):
                found = brakes.in_doubt(finding, names, much)
                self.assertEqual(expected, found)


class PolicyBrakeTest(unittest.TestCase):
    def brake(
        self,
        found: int,
        asking: int,
        settled: frozenset[str] = frozenset(),
        held: frozenset[str] = frozenset(),
        before: frozenset[str] = frozenset(),
        **changed: object,
    ) -> Share | None:
        servers = [clouds.server(n) for n in range(found)]
        verdict = clouds.verdict(
            [clouds.ruled(s, **changed) for s in servers],
            asking=frozenset(clouds.uuid(n) for n in range(asking)),
        )
        return brakes.policy_brake(
            verdict, clouds.policy(), settled, held, before
        )

    def test_more_than_the_share(self) -> None:
        self.assertIsNone(self.brake(2, 10))
        self.assertEqual(Share("d1", 3, 10), self.brake(3, 10))

    def test_one_server_alone_is_never_enough(self) -> None:
        self.assertIsNone(self.brake(1, 1))
        self.assertIsNotNone(self.brake(2, 2))

    def test_a_settled_policy_is_not_held(self) -> None:
        self.assertIsNone(self.brake(9, 10, frozenset({"d1"})))
        self.assertIsNotNone(self.brake(9, 10, frozenset({"d0"})))

    def test_held_once_it_stays_so_until_it_is_released(self) -> None:
        held = frozenset({"d1"})
        self.assertEqual(Share("d1", 0, 10), self.brake(0, 10, held=held))
        self.assertIsNone(self.brake(9, 10, held, held))

    def test_it_says_which_servers_it_counts(self) -> None:
        share = self.brake(3, 10)
        assert share is not None
        self.assertEqual({clouds.uuid(n) for n in range(3)}, share.found)
        self.assertEqual({clouds.uuid(n) for n in range(10)}, share.asking)

    def test_everything_counts_that_evicts(self) -> None:
        self.assertIsNotNone(self.brake(9, 10))
        self.assertIsNotNone(self.brake(9, 10, by_rules=False))
        self.assertIsNotNone(self.brake(9, 10, kind=Kind.FAILED))
        self.assertIsNotNone(self.brake(9, 10, kind=Kind.CHANGED))
        self.assertIsNone(self.brake(9, 10, evicts=False))

    def test_who_was_found_before_does_not_count(self) -> None:
        for known, found in ((6, 3), (7, None)):
            before = frozenset(map(clouds.uuid, range(known)))
            share = self.brake(9, 10, before=before)
            self.assertEqual(found, share and share.failing)
            if share is not None:
                self.assertFalse(share.found & before)

    def test_what_is_permissive_shows_what_is_to_come(self) -> None:
        self.assertIsNotNone(self.brake(9, 10, permissive=True))
