# SPDX-License-Identifier: Apache-2.0
"""An authority that fails for many at once is the suspect; a policy, too."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Mapping

from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.planning import brakes
from nfv_mla_scheduler.monitor.steps import Share
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
    ) -> Mapping[str, Share]:
        return brakes.suspects(
            verdict,
            clouds.policy(hosts, other=other),
            marks or {},
            NOW,
            held or {},
        )

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
        servers = [clouds.server(n, f"h{n}") for n in (1, 2, 3)]
        found = clouds.verdict(map(clouds.finding, servers))
        self.assertEqual(set(), self.names(found))
        one = dataclasses.replace(found, hosts=failing(1).hosts)
        self.assertEqual(set(), self.names(one))

    def test_hosts_that_were_fenced_long_ago_are_not_new(self) -> None:
        many = failing(1, 2, 3)
        for ago_s, expected in ((599, {"keylime"}), (600, set())):
            with self.subTest(ago_s):
                found = self.names(many, fenced(ago_s, 1))
                self.assertEqual(expected, found)

    def test_fences_do_not_end_what_held_them(self) -> None:
        # fenced while it was a suspect, an hour ago
        marks = fenced(3600, 1, 2, 3)
        many = failing(1, 2, 3)
        self.assertEqual(set(), self.names(many, marks))
        held = {"keylime": NOW - 3600}
        self.assertEqual({"keylime"}, self.names(many, marks, held))

    def test_who_was_fenced_before_does_not_count_later_either(self) -> None:
        marks = fenced(9000, 1, 2, 3)
        held = {"keylime": NOW - 3600}
        self.assertEqual(set(), self.names(failing(1, 2, 3), marks, held))

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
        **changed: object,
    ) -> Share | None:
        servers = [clouds.server(n) for n in range(found)]
        verdict = clouds.verdict(
            [clouds.ruled(s, **changed) for s in servers],
            asking=frozenset(clouds.uuid(n) for n in range(asking)),
        )
        return brakes.policy_brake(verdict, clouds.policy(), settled, held)

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

    def test_only_rules_count(self) -> None:
        self.assertIsNone(self.brake(9, 10, by_rules=False))
        self.assertIsNone(self.brake(9, 10, kind=Kind.FAILED))
        self.assertIsNotNone(self.brake(9, 10, kind=Kind.CHANGED))

    def test_what_is_permissive_shows_what_is_to_come(self) -> None:
        self.assertIsNotNone(self.brake(9, 10, permissive=True))
