# SPDX-License-Identifier: Apache-2.0
"""Pools and their members, strangers and absent hosts."""

from __future__ import annotations

import dataclasses
import unittest

from hypothesis import given

from nfv_mla_scheduler.judge.considered import Bench
from nfv_mla_scheduler.judge.considered import Considered
from nfv_mla_scheduler.judge.considered import Kind as Looked
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.judging.evidence import Sorting
from nfv_mla_scheduler.monitor.judging.host_findings import add
from nfv_mla_scheduler.monitor.judging.hosts import Pools
from nfv_mla_scheduler.monitor.judging.silence import Watch
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.policy.traits import trait_of
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.judge import court
from tests.unit.judge.scenes import declares
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent
from tests.unit.monitor.scene import Scene
from tests.unit.monitor.scene import node

BAD = Status.CONTRAINDICATED
TRAIT = "CUSTOM_NFV_MLA_POOL_POOL_1"
H1, H2 = drafts.uuid("h1"), drafts.uuid("h2")


def term(name: str, value: str) -> Term:
    """Return a term about a host."""
    return Term(Subject.HOST, name, any_of=frozenset({value}))


def pooled(members: str = "h1 h2", **how: object) -> Scene:
    """Return a cloud without servers, with one pool."""
    draft = drafts.good(3)
    pool(draft, members=members, **how)
    cloud = Scene(draft)
    cloud.servers = {}
    return cloud


class TestMembers(unittest.TestCase):
    def test_those_that_prove_their_class_have_the_trait(self):
        found = pooled().look()
        self.assertEqual({TRAIT: {H1, H2}}, found.traits)
        self.assertEqual((frozenset(), {}), (found.kept, found.hosts))

    def test_a_pool_with_a_handle_goes_by_it(self):
        found = pooled(handle="p7").look()
        self.assertEqual({"CUSTOM_NFV_MLA_POOL_P7"}, found.traits.keys())

    def test_a_member_that_fails_is_none_and_is_fenced(self):
        cloud = pooled()
        cloud.look()
        says(cloud.draft, "software-integrity", status=BAD)
        found = cloud.look(NOW + 1)
        self.assertEqual({TRAIT: {H2}}, found.traits)
        self.assertEqual(frozenset(), found.kept)
        self.assertEqual({"h1"}, found.hosts.keys())
        finding = found.hosts["h1"]
        self.assertEqual(Kind.FAILED, finding.kind)
        self.assertEqual(Axis.INTEGRITY, finding.axis)
        self.assertEqual({"kl"}, finding.authorities)
        self.assertTrue(finding.fences)
        self.assertFalse(finding.permissive)

    def test_one_that_has_failed_fails_until_its_authority_mends(self):
        cloud = pooled()
        says(cloud.draft, "software-integrity", status=BAD)
        # whoever falls silent meanwhile, and however long it takes
        for now in (NOW + 1, NOW + 2, NOW + 40, NOW + 200):
            finding = cloud.look(now).hosts["h1"]
            self.assertEqual(Kind.FAILED, finding.kind)
            self.assertTrue(finding.fences)
        cloud.heard(NOW + 201, "h1")
        says(cloud.draft, "software-integrity", status=Status.AFFIRMING)
        found = cloud.look(NOW + 201)
        self.assertEqual({}, found.hosts)
        self.assertIn(H1, found.traits[TRAIT])

    def test_what_is_said_of_it_besides_counts_at_once(self):
        cloud = pooled(prove=(term("hsm", "physical"),))
        says(cloud.draft, "hsm", status=BAD)
        first = cloud.look(NOW + 1).hosts["h1"]
        self.assertEqual(Axis.CONFIDENTIALITY, first.axis)
        says(cloud.draft, "software-integrity", status=BAD)
        then = cloud.look(NOW + 2).hosts["h1"]
        self.assertEqual(Axis.INTEGRITY, then.axis)

    def test_so_it_is_for_a_process_that_never_saw_it_good(self):
        cloud = pooled()
        silent(cloud.draft, "software-integrity")
        self.assertTrue(cloud.look().hosts["h1"].fences)

    def test_a_static_capability_that_changes(self):
        cloud = pooled(prove=(term("tpm", "hardware"),))
        cloud.look()
        says(cloud.draft, "tpm", values="virtual")
        self.assertEqual(Kind.CHANGED, cloud.look(NOW + 1).hosts["h1"].kind)

    def test_new_rules_make_no_host_bad(self):
        cloud = pooled()
        for host in ("h1", "h2"):
            silent(cloud.draft, "hsm", host)
        self.assertEqual({TRAIT: {H1, H2}}, cloud.look().traits)
        wanted = term("hsm", "physical")
        pool(cloud.draft, members="h1 h2", prove=(wanted,))
        cloud.new_policy()
        found = cloud.look(NOW + 1)
        self.assertEqual({TRAIT: frozenset()}, found.traits)
        self.assertEqual({}, found.hosts)

    def test_a_rule_of_the_policy_alone_fences_nothing(self):
        wanted = term("logical-authentication", "time-based")
        cloud = pooled(prove=(wanted,))
        for host in ("h1", "h2"):
            silent(cloud.draft, "logical-authentication", host)
            declares(cloud.draft, "logical-authentication", host)
        cloud.new_policy()
        found = cloud.look()
        self.assertEqual({TRAIT: frozenset()}, found.traits)
        self.assertEqual({}, found.hosts)

    def test_an_outage_leaves_traits_as_they_are(self):
        cloud = pooled()
        cloud.look()
        for now in (NOW + 100, NOW + 105, NOW + 140):
            found = cloud.look(now)
            self.assertEqual({TRAIT: frozenset()}, found.traits)
            self.assertEqual({(TRAIT, H1), (TRAIT, H2)}, found.kept)
            self.assertEqual({"h1", "h2"}, found.unproven)
            self.assertEqual({}, found.hosts)

    def test_it_ends_as_soon_as_there_is_word_again(self):
        cloud = pooled()
        cloud.look(NOW + 100)
        cloud.heard(NOW + 101, "h1")
        found = cloud.look(NOW + 101)
        self.assertEqual({TRAIT: {H1}}, found.traits)
        says(cloud.draft, "software-integrity", host="h2", status=BAD)
        self.assertEqual({"h2"}, cloud.look(NOW + 102).hosts.keys())

    def test_a_silent_member_is_kept_for_its_grace_and_then_fenced(self):
        cloud = pooled()
        for seconds in range(50, 110, 10):
            cloud.heard(NOW + seconds, "h2", "h3")
            found = cloud.look(NOW + seconds)
            self.assertEqual({(TRAIT, H1)}, found.kept, seconds)
            self.assertEqual({}, found.hosts)
        cloud.heard(NOW + 115, "h2", "h3")
        found = cloud.look(NOW + 115)
        self.assertEqual(frozenset(), found.kept)
        self.assertEqual(Kind.WITHHELD, found.hosts["h1"].kind)
        self.assertTrue(found.hosts["h1"].fences)

    def test_an_expired_policy_changes_no_trait(self):
        cloud = pooled()
        cloud.draft.expires_at = NOW
        cloud.new_policy()
        found = cloud.look()
        self.assertEqual({(TRAIT, H1), (TRAIT, H2)}, found.kept)
        self.assertEqual({}, found.hosts)

    def test_a_permissive_pool_keeps_its_members(self):
        cloud = pooled()
        cloud.draft.modes["pools"]["pool-1"] = NOW + 10
        cloud.new_policy()
        says(cloud.draft, "software-integrity", status=BAD)
        found = cloud.look()
        self.assertEqual({TRAIT: {H1, H2}}, found.traits)
        self.assertTrue(found.hosts["h1"].permissive)
        self.assertFalse(cloud.look(NOW + 10).hosts["h1"].permissive)

    def test_without_a_policy_nothing_is_said(self):
        cloud = pooled()
        cloud.draft.without_policy = True
        found = cloud.look()
        self.assertEqual(({}, {}), (found.traits, found.hosts))
        self.assertEqual(((), ()), (found.strangers, found.absent))

    @examples(60)
    @given(recipes())
    def test_who_is_a_member_is_what_the_bench_says(self, recipe):
        draft = recipe.draft()
        draft.without_policy = False
        draft.break_glass.clear()
        if not draft.pools:
            pool(draft, host_class=HostClass.SECURE_EXECUTION)
        snapshot = court.snapshot_of(drafts.build(draft))
        bearings = Bearings("acme", draft.boot_max_age_s)
        nodes = {host: node(host) for host in draft.bindings}
        watch = Watch()
        sorting = Sorting(snapshot, draft.boot_max_age_s, watch, draft.now)
        picture = Picture(draft.now, {}, nodes, {}, {})
        found = Pools(bearings).look(picture, snapshot, sorting, draft.now)
        bench = Bench(snapshot, bearings)
        for each in draft.pools.values():
            sitting = bench.sit(Considered(Looked.POOL, each.name))
            expected = {
                drafts.uuid(host)
                for host in each.members & draft.bindings.keys()
                if draft.bindings[host].node_uuid == drafts.uuid(host)
                and sitting.decision(
                    drafts.uuid(host), host, draft.now
                ).admitted
            }
            trait = trait_of(each.handle or each.name)
            self.assertEqual(expected, found.traits[trait])


class TestNames(unittest.TestCase):
    def test_strangers_and_absent_are_told_by_name(self):
        cloud = pooled()
        cloud.nodes = {
            "h1": node("h1"),
            "h2": node("h2", uuid="another"),
            "h8": node("h8"),
        }
        found = cloud.look()
        self.assertEqual(("h2", "h8"), found.strangers)
        self.assertEqual(("h3",), found.absent)
        self.assertEqual({TRAIT: {H1}}, found.traits)

    def test_while_part_is_out_of_sight_nobody_is_absent(self):
        cloud = pooled()
        del cloud.nodes["h1"]
        cloud.missing = ("cell2",)
        found = cloud.look()
        self.assertEqual((), found.absent)
        self.assertEqual({(TRAIT, H1)}, found.kept)

    def test_a_host_without_its_node_is_no_stranger(self):
        cloud = pooled()
        cloud.nodes["h1"] = node("h1", uuid="")
        found = cloud.look()
        self.assertEqual((), found.strangers)
        self.assertEqual({(TRAIT, H1)}, found.kept)

    def test_a_host_with_another_name_and_node_is_a_stranger(self):
        # nothing tells which one it was, nor fences it
        cloud = pooled()
        cloud.look()
        says(cloud.draft, "software-integrity", status=BAD)
        cloud.nodes["h9"] = node("h9", uuid="another")
        found = cloud.look(NOW + 1)
        self.assertEqual(("h9",), found.strangers)
        self.assertEqual(["h1"], list(found.hosts))

    def test_a_host_that_nova_does_not_know_is_no_finding(self):
        cloud = pooled()
        says(cloud.draft, "software-integrity", status=BAD)
        del cloud.nodes["h1"]
        found = cloud.look()
        self.assertEqual(({}, ("h1",)), (found.hosts, found.absent))
        self.assertEqual({TRAIT: {H2}}, found.traits)


class TestMistaken(unittest.TestCase):
    """A listed host that goes by another name, or another by its name."""

    def _look(self, nodes: dict[str, Node], bad: bool) -> Verdict:
        cloud = pooled()
        cloud.look()
        if bad:
            says(cloud.draft, "software-integrity", status=BAD)
        others = {host: node(host) for host in ("h2", "h3")}
        cloud.nodes = {**others, **nodes}
        return cloud.look(NOW + 1)

    def test_it_is_fenced_by_the_name_that_it_goes_by(self):
        table = (
            ("h1", {"h1": node("h1", uuid=drafts.uuid("h9"))}),
            ("h1", {"h1": node("h1", uuid=H2)}),
            ("h9", {"h9": node("h9", uuid=H1)}),
        )
        for name, nodes in table:
            for bad in (True, False):
                with self.subTest(str(nodes), bad=bad):
                    found = self._look(nodes, bad)
                    host = found.hosts[name]
                    kind = Kind.FAILED if bad else Kind.CHANGED
                    self.assertIs(kind, host.kind)
                    self.assertIs(Axis.INTEGRITY, host.axis)
                    self.assertTrue(host.fences)
                    names = {"kl"} if bad else frozenset()
                    self.assertEqual(names, host.authorities)
                    self.assertEqual({TRAIT: {H2}}, found.traits)
                    self.assertEqual(frozenset(), found.kept)

    def test_another_node_of_its_service_hides_nothing(self):
        nodes = {
            "h1": node("h1", uuid=drafts.uuid("h9"), name="a"),
            "h1/h1": node("h1"),
        }
        found = self._look(nodes, bad=True)
        self.assertTrue(found.hosts["h1"].fences)
        self.assertEqual({TRAIT: {H2}}, found.traits)
        found = self._look(nodes, bad=False)
        self.assertEqual({}, found.hosts)
        self.assertEqual({TRAIT: {H1, H2}}, found.traits)

    def test_a_permissive_pool_only_says_so(self):
        cloud = pooled()
        cloud.draft.modes["pools"]["pool-1"] = NOW + 10
        cloud.new_policy()
        cloud.nodes["h1"] = node("h1", uuid=drafts.uuid("h9"))
        self.assertTrue(cloud.look().hosts["h1"].permissive)
        self.assertFalse(cloud.look(NOW + 10).hosts["h1"].permissive)


class TestSeveral(unittest.TestCase):
    def _finding(self, kind: Kind, **how: object) -> HostFinding:
        refusals = (Refusal(RefusalCode.STALE, kind.value),)
        fields = {"fences": True, **how}
        axis = fields.pop("axis", Axis.PLACE)
        return HostFinding(kind, "h1", H1, axis, refusals, **fields)

    def _both(self, one: HostFinding, other: HostFinding) -> HostFinding:
        told = []
        for pair in ((one, other), (other, one)):
            hosts: dict[str, HostFinding] = {}
            for each in pair:
                add(hosts, each)
            told.append(hosts["h1"])
        self.assertEqual(told[0].kind, told[1].kind)
        self.assertEqual(told[0].authorities, told[1].authorities)
        return told[0]

    def test_the_most_urgent_counts(self):
        failed = self._finding(Kind.FAILED)
        withheld = self._finding(Kind.WITHHELD)
        self.assertEqual(failed, self._both(failed, withheld))

    def test_what_is_enforced_counts_before_what_is_only_said(self):
        failed = self._finding(Kind.FAILED, permissive=True)
        withheld = self._finding(Kind.WITHHELD)
        self.assertEqual(withheld, self._both(failed, withheld))

    def test_two_of_a_kind_are_one_with_the_worst_axis(self):
        one = self._finding(Kind.FAILED, authorities=frozenset({"kl"}))
        other = dataclasses.replace(
            one, axis=Axis.INTEGRITY, authorities=frozenset({"ver"})
        )
        both = self._both(one, other)
        self.assertEqual(Axis.INTEGRITY, both.axis)
        self.assertEqual({"kl", "ver"}, both.authorities)
