# SPDX-License-Identifier: Apache-2.0
"""What is found of servers where they are, look after look."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Conduct
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.found import of_verdict
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent
from tests.unit.monitor.scene import Scene
from tests.unit.monitor.scene import ask
from tests.unit.monitor.scene import node
from tests.unit.monitor.scene import server
from tests.unit.monitor.scene import uuid

BAD = Status.CONTRAINDICATED
ONE = uuid(1)
POLICE = of("police")


def scene(hosts: int = 2, **keys: str) -> Scene:
    """Return a cloud with one server that asks, on h1."""
    return Scene(asking(hosts, **(keys or {"capability__tpm": "required"})))


def only_kl(draft: Draft) -> None:
    draft.authorities["ver"] = dataclasses.replace(
        draft.authorities["ver"], vouches=frozenset()
    )


def on_kl(hosts: int = 2, **keys: str) -> Scene:
    """The same, where nobody but kl vouches for anything."""
    draft = asking(hosts, **(keys or {"capability__tpm": "required"}))
    only_kl(draft)
    return Scene(draft)


class TestWhereItIs(unittest.TestCase):
    def test_a_server_that_is_where_it_may_be_is_no_finding(self):
        found = scene().look()
        self.assertEqual({}, found.servers)
        self.assertEqual({ONE}, found.complies)
        self.assertEqual({ONE}, found.asking)

    def test_a_server_that_asks_for_nothing_is_nobodys_business(self):
        cloud = scene()
        cloud.add(server(1, "h1"))
        cloud.add(server(2, "h9"))
        found = cloud.look()
        self.assertEqual({}, found.servers)
        self.assertEqual(frozenset(), found.asking | found.complies)

    def test_a_server_on_no_host_is_not_judged(self):
        cloud = scene()
        says(cloud.draft, "tpm", status=BAD)
        cloud.add(server(1, "", cloud.asked()))
        found = cloud.look()
        self.assertEqual({}, found.servers)
        self.assertEqual({ONE}, found.asking)
        self.assertEqual(frozenset(), found.complies)

    def test_it_is_judged_anew_where_it_moves(self):
        cloud = scene()
        says(cloud.draft, "tpm", status=BAD)
        self.assertEqual({ONE}, cloud.look().servers.keys())
        cloud.add(server(1, "h2", cloud.asked()))
        self.assertEqual({}, cloud.look(NOW + 1).servers)

    def test_a_server_that_is_gone_is_forgotten(self):
        cloud = scene()
        says(cloud.draft, "tpm", status=BAD)
        cloud.look()
        cloud.servers = {}
        found = cloud.look(NOW + 1)
        self.assertEqual({}, found.servers)
        self.assertEqual(frozenset(), found.asking)

    def test_what_cannot_be_read_is_misplaced(self):
        cloud = scene()
        for number, wrong in enumerate(
            (
                {"nfv_mla:no-such": "1"},
                {"nfv_mla:max_age": "soon"},
                {"NFV_MLA:pool": "p"},
                {"nfv_mla:pool": "unknown-to-the-policy"},
            ),
            start=2,
        ):
            cloud.add(server(number, "h1", ask(wrong)))
        cloud.add(server(9, "h1", ask(hints={"nfv_mla:pool": {"a": 1}})))
        found = cloud.look()
        self.assertEqual({uuid(n) for n in (2, 3, 4, 5, 9)}, {*found.servers})
        for finding in found.servers.values():
            self.assertEqual(Kind.MISPLACED, finding.kind)
            self.assertTrue(finding.by_rules)
            codes = {refusal.code for refusal in finding.refusals}
            self.assertEqual({RefusalCode.MALFORMED}, codes)
        self.assertEqual({ONE}, found.complies)

    def test_what_one_server_raises_concerns_it_alone(self):
        cloud = scene()

        class Odd(dict[str, str]):
            def items(self):
                raise RuntimeError("odd")

        odd = Odd({"nfv_mla:capability.tpm": "required"})
        cloud.add(server(2, "h1", ask(odd)))
        found = cloud.look()
        self.assertEqual({uuid(2)}, found.servers.keys())
        self.assertEqual(Kind.OUTAGE, found.servers[uuid(2)].kind)
        self.assertEqual({ONE}, found.complies)

    def test_a_host_whose_node_nova_does_not_name(self):
        cloud = scene()
        cloud.nodes["h1"] = node("h1", uuid="")
        found = cloud.look().servers[ONE]
        self.assertEqual((Kind.OUTAGE, False), (found.kind, found.evicts))
        says(cloud.draft, "tpm", status=BAD)
        found = cloud.look(NOW + 1).servers[ONE]
        self.assertTrue(found.evicts)

    def test_a_host_by_a_bound_name_that_is_another(self):
        cloud = scene()
        cloud.nodes["h1"] = node("h1", uuid=drafts.uuid("h2"))
        found = cloud.look().servers[ONE]
        self.assertEqual(Kind.CHANGED, found.kind)
        self.assertEqual(Axis.INTEGRITY, found.axis)

    def test_servers_of_a_sealed_domain_are_marked(self):
        cloud = scene()
        says(cloud.draft, "tpm", status=BAD)
        self.assertFalse(cloud.look().servers[ONE].sealed)
        cloud.policy = dataclasses.replace(
            cloud.policy, trust_domains={"acme-keys": "a key"}
        )
        self.assertTrue(cloud.look().servers[ONE].sealed)


class TestKinds(unittest.TestCase):
    def _one(self, cloud: Scene, now: float = NOW) -> Finding:
        found = cloud.look(now)
        self.assertEqual({ONE}, found.servers.keys())
        return found.servers[ONE]

    def test_a_word_of_an_authority_that_may_evict(self):
        cloud = scene(capability__memory_inspection="required")
        says(cloud.draft, "memory-inspection", status=BAD)
        found = self._one(cloud)
        self.assertEqual(Kind.FAILED, found.kind)
        self.assertEqual(Axis.CONFIDENTIALITY, found.axis)
        self.assertEqual({"kl"}, found.authorities)
        self.assertTrue(found.evicts and found.halts)

    def test_a_word_of_one_that_may_not(self):
        cloud = scene()
        says(cloud.draft, "tpm", "ver", status=BAD)
        found = self._one(cloud)
        self.assertEqual(Kind.FAILED, found.kind)
        self.assertFalse(found.evicts or found.halts)

    def test_what_may_not_evict_gives_no_name_to_what_does(self):
        cloud = scene()
        says(cloud.draft, "tpm", "ver", status=BAD)
        pool(cloud.draft, exclusive_to=POLICE)
        cloud.new_policy()
        found = self._one(cloud)
        self.assertEqual(Kind.MISPLACED, found.kind)
        self.assertTrue(found.evicts)
        self.assertEqual(frozenset(), found.authorities)
        self.assertEqual(Axis.INTEGRITY, found.axis)
        self.assertEqual(2, len(found.refusals))

    def test_the_worst_axis_counts(self):
        for bad, axis in (
            ("measured-boot", Axis.INTEGRITY),
            ("memory-inspection", Axis.CONFIDENTIALITY),
            ("telemetry-control", Axis.EXPOSURE),
            ("host-routing", Axis.PLACE),
        ):
            cloud = on_kl(location__jurisdiction="DE")
            says(cloud.draft, bad, status=BAD)
            with self.subTest(bad):
                self.assertEqual(axis, self._one(cloud).axis)

    def test_forced_onto_a_host_of_somebody_else(self):
        cloud = scene()
        pool(cloud.draft, exclusive_to=POLICE)
        cloud.new_policy()
        cloud.add(server(1, "h1", project="p2"))
        found = self._one(cloud)
        self.assertEqual(Kind.MISPLACED, found.kind)
        self.assertTrue(found.by_rules and found.evicts)
        self.assertFalse(found.halts)

    def test_who_is_to_place_there_is_no_finding(self):
        cloud = scene()
        pool(
            cloud.draft,
            host_class=HostClass.SINGLE_RESTRICTED,
            management_domains=POLICE,
        )
        cloud.new_policy()
        cloud.add(server(2, "h1"))
        found = cloud.look()
        self.assertEqual({}, found.servers)
        self.assertEqual({ONE}, found.complies)
        self.assertEqual({ONE}, found.asking)

    def test_our_own_trouble_evicts_nothing(self):
        for change in ({"expires_at": NOW}, {"without_policy": True}):
            cloud = scene()
            for name, value in change.items():
                setattr(cloud.draft, name, value)
            cloud.new_policy()
            with self.subTest(change):
                found = self._one(cloud)
                self.assertEqual(Kind.OUTAGE, found.kind)
                self.assertFalse(found.evicts)

    def test_permissive_is_only_said_aloud(self):
        cloud = scene()
        says(cloud.draft, "tpm", status=BAD)
        cloud.draft.modes["projects"][drafts.PROJECT] = NOW + 10
        cloud.new_policy()
        found = cloud.look()
        self.assertTrue(found.servers[ONE].permissive)
        self.assertEqual({ONE}, found.complies)
        self.assertFalse(self._one(cloud, NOW + 10).permissive)

    def test_so_it_is_for_those_who_ask_for_nothing(self):
        cloud = scene()
        pool(cloud.draft, exclusive_to=POLICE)
        cloud.draft.modes["pools"]["pool-1"] = NOW + 10
        cloud.new_policy()
        cloud.add(server(1, "h1", project="p2"))
        self.assertTrue(self._one(cloud).permissive)
        self.assertFalse(self._one(cloud, NOW + 10).permissive)

    def test_broken_glass_covers_one_server(self):
        cloud = scene()
        says(cloud.draft, "tpm", status=BAD)
        cloud.add(server(2, "h1", cloud.servers[ONE].ask))
        cloud.draft.break_glass.append(
            BreakGlass(
                BreakGlassTarget.SERVER, ONE, "r", "o", NOW - 1, NOW + 9
            )
        )
        found = cloud.look()
        self.assertEqual({uuid(2)}, found.servers.keys())
        self.assertEqual({ONE}, found.complies)

    def test_conduct_is_the_strictest_of_all_profiles(self):
        self.assertEqual(Conduct(), self._conduct("", "tpm"))
        for names, expected in (
            ("multi-tenant-hosting", Conduct(False, 600.0, False)),
            ("pii-protection", Conduct(False, 120.0, True)),
            (
                "pii-protection,sensitive-application-function.cryptographic",
                Conduct(True, 5.0, True),
            ),
        ):
            with self.subTest(names):
                self.assertEqual(expected, self._conduct(names))

    def _conduct(self, profiles: str, capability: str = "") -> Conduct:
        keys = {"profile": profiles} if profiles else {}
        cloud = scene(capability__tpm="required", **keys)
        says(cloud.draft, "tpm", status=BAD)
        return self._one(cloud).conduct


class TestChanged(unittest.TestCase):
    def test_a_static_capability_that_changes_is_a_malfunction(self):
        cloud = scene(capability__tpm="hardware")
        cloud.look()
        says(cloud.draft, "tpm", values="virtual")
        found = cloud.look(NOW + 1)
        self.assertEqual(Kind.CHANGED, found.servers[ONE].kind)
        self.assertFalse(found.servers[ONE].by_rules)
        self.assertTrue(found.hosts["h1"].fences)

    def test_a_restart_forgets_that_and_the_server_has_failed(self):
        cloud = scene(capability__tpm="hardware")
        cloud.look()
        says(cloud.draft, "tpm", values="virtual")
        cloud.restart()
        found = cloud.look(NOW + 1)
        self.assertEqual(Kind.FAILED, found.servers[ONE].kind)
        self.assertTrue(found.servers[ONE].evicts)
        self.assertTrue(found.hosts["h1"].fences)

    def test_a_host_is_not_bad_for_what_it_never_was(self):
        """Somebody may have forced the server there."""
        elsewhere = scene(location__jurisdiction="CH")
        without = scene(capability__tpm="required")
        silent(without.draft, "tpm")
        for cloud in (elsewhere, without):
            found = cloud.look()
            self.assertEqual(Kind.FAILED, found.servers[ONE].kind)
            self.assertTrue(found.servers[ONE].evicts)
            self.assertEqual({}, found.hosts)

    def test_it_is_for_what_it_is_no_longer(self):
        cloud = scene(capability__memory_inspection="required")
        cloud.look()
        silent(cloud.draft, "memory-inspection")
        found = cloud.look(NOW + 1)
        self.assertEqual(Kind.FAILED, found.servers[ONE].kind)
        self.assertTrue(found.hosts["h1"].fences)

    def test_rules_of_a_new_policy(self):
        cloud = scene()
        cloud.look()
        pool(cloud.draft, exclusive_to=POLICE)
        cloud.new_policy()
        for now in (NOW + 1, NOW + 2):
            found = cloud.look(now)
            self.assertEqual(Kind.CHANGED, found.servers[ONE].kind)
            self.assertTrue(found.servers[ONE].by_rules)
            self.assertEqual({}, found.hosts)

    def test_rules_of_a_new_policy_for_those_who_ask_for_nothing(self):
        cloud = scene()
        cloud.add(server(1, "h1", project="p2"))
        cloud.look()
        pool(cloud.draft, exclusive_to=POLICE)
        cloud.new_policy()
        cloud.add(server(2, "h1", project="p2"))
        found = cloud.look(NOW + 1).servers
        self.assertEqual(Kind.CHANGED, found[ONE].kind)
        self.assertEqual(Kind.MISPLACED, found[uuid(2)].kind)

    def test_what_claims_say_by_their_status_fails_under_any_policy(self):
        cloud = scene(capability__memory_inspection="required")
        cloud.look()
        says(cloud.draft, "memory-inspection", status=BAD)
        cloud.new_policy()
        found = cloud.look(NOW + 1)
        self.assertEqual(Kind.FAILED, found.servers[ONE].kind)
        self.assertTrue(found.hosts["h1"].fences)

    def test_a_server_that_has_moved_was_not_admitted_there(self):
        cloud = scene()
        cloud.look()
        silent(cloud.draft, "tpm", "h2")
        cloud.add(server(1, "h2", cloud.asked()))
        found = cloud.look(NOW + 1)
        self.assertEqual(Kind.FAILED, found.servers[ONE].kind)
        self.assertEqual({}, found.hosts)

    def test_another_compute_node_by_the_same_name(self):
        cloud = scene()
        cloud.look()
        cloud.nodes["h1"] = node("h1", uuid="another")
        found = cloud.look(NOW + 1)
        self.assertEqual(Kind.CHANGED, found.servers[ONE].kind)
        self.assertEqual(("h1",), found.strangers)

    def test_a_server_that_was_resized_is_judged_by_its_new_flavor(self):
        cloud = scene()
        pool(cloud.draft, exclusive_to=of("acme-keys"))
        cloud.new_policy()
        self.assertEqual({}, cloud.look().servers)
        cloud.add(server(1, "h1", ask({"nfv_mla:pool": "no-such"})))
        found = cloud.look(NOW + 1).servers[ONE]
        self.assertEqual(Kind.MISPLACED, found.kind)


class TestIdentity(unittest.TestCase):
    """h1 goes by a name or a compute node that is not bound to it."""

    def _swap(self, cloud: Scene, new: str) -> None:
        cloud.nodes["h1"] = node("h1", uuid=drafts.uuid(new))

    def _rename(self, cloud: Scene, new: str) -> None:
        cloud.nodes = {**cloud.nodes, new: node(new, uuid=drafts.uuid("h1"))}
        del cloud.nodes["h1"]
        cloud.add(server(1, new, cloud.asked()))

    def test_it_does_not_get_rid_of_what_it_is(self):
        ways = (
            ("a new node", "h1", lambda c: self._swap(c, "h9")),
            ("the node of another", "h1", lambda c: self._swap(c, "h2")),
            ("a new name", "h9", lambda c: self._rename(c, "h9")),
            ("the name of another", "h2", lambda c: self._rename(c, "h2")),
        )
        for fails in (True, False):
            for what, host, change in ways:
                with self.subTest(what, fails=fails):
                    cloud = scene(3)
                    cloud.look()
                    if fails:
                        says(cloud.draft, "tpm", status=BAD)
                    change(cloud)
                    cloud.heard(NOW + 5)
                    found = cloud.look(NOW + 10)
                    of_it = found.servers[ONE]
                    self.assertIn(of_it.kind, (Kind.FAILED, Kind.CHANGED))
                    self.assertIs(Axis.INTEGRITY, of_it.axis)
                    self.assertTrue(of_it.evicts and of_it.halts)
                    self.assertEqual(not fails, of_it.by_rules)
                    names = {"kl"} if fails else frozenset()
                    self.assertEqual(names, of_it.authorities)
                    self.assertTrue(found.hosts[host].fences)
                    self.assertIs(Axis.INTEGRITY, found.hosts[host].axis)

    def test_the_node_of_one_that_fails(self):
        cloud = scene()
        says(cloud.draft, "tpm", host="h2", status=BAD)
        self._swap(cloud, "h2")
        found = cloud.look().servers[ONE]
        self.assertEqual(
            (Kind.FAILED, {"kl"}), (found.kind, found.authorities)
        )

    def test_a_host_that_nothing_is_known_of_is_only_a_wrong_place(self):
        cloud = scene()
        cloud.nodes["h9"] = node("h9")
        cloud.add(server(1, "h9", cloud.asked()))
        found = cloud.look()
        self.assertEqual(Kind.MISPLACED, found.servers[ONE].kind)
        self.assertEqual(Axis.PLACE, found.servers[ONE].axis)
        self.assertEqual({}, found.hosts)

    def test_of_the_bound_host_only_words_count(self):
        cloud = scene()
        self._rename(cloud, "h9")
        # nobody has spoken of it for long
        found = cloud.look(NOW + 1000).servers[ONE]
        codes = [refusal.code for refusal in found.refusals]
        self.assertEqual([RefusalCode.HOST_UNBOUND], codes)
        self.assertTrue(found.by_rules)

    def test_what_is_permissive_stays_so(self):
        cloud = scene()
        cloud.draft.modes["projects"][drafts.PROJECT] = NOW + 100
        cloud.new_policy()
        self._swap(cloud, "h9")
        found = cloud.look()
        self.assertTrue(found.servers[ONE].permissive)
        self.assertTrue(found.hosts["h1"].permissive)


class TestSealedHost(unittest.TestCase):
    def test_what_a_sealed_server_asks_of_its_host_is_not_told(self):
        cloud = scene()
        cloud.look()
        seal = {"trust_domains": {"acme-keys": "a key"}, "digest": "d9"}
        cloud.policy = dataclasses.replace(cloud.policy, **seal)
        says(cloud.draft, "tpm", status=BAD)
        found = cloud.look(NOW + 1)
        self.assertTrue(found.servers[ONE].sealed)
        host = found.hosts["h1"]
        self.assertTrue(host.fences)
        self.assertEqual((), host.refusals)
        # the guard needs to know whom to suspect
        self.assertEqual({"kl"}, host.authorities)
        told = of_verdict(found)
        self.assertEqual({}, told[Topic.FINDING])
        said = told[Topic.HOST]["h1"]
        self.assertEqual("changed, integrity", said.text)
        self.assertEqual([], said.fields["refusals"])
        self.assertNotIn("tpm", repr((told, said)))
        self.assertNotIn("kl", repr((told, said)))

    def test_what_an_open_server_finds_there_is_told(self):
        cloud = scene()
        cloud.add(server(2, "h1", cloud.asked(), project="p2"))
        seal = {"trust_domains": {"acme-keys": "a key"}, "digest": "d9"}
        cloud.policy = dataclasses.replace(cloud.policy, **seal)
        says(cloud.draft, "tpm", status=BAD)
        host = cloud.look(NOW + 1).hosts["h1"]
        codes = {refusal.code for refusal in host.refusals}
        self.assertIn(RefusalCode.CONTRAINDICATED, codes)


class TestWithheld(unittest.TestCase):
    """h1 silences its agent; kl goes on to speak of h2 every ten seconds."""

    def setUp(self):
        # kl last spoke of h1 at NOW - 10: that lapses at NOW + 50
        self.cloud = on_kl()

    def _look(self, at: float, monotonic: float | None = None) -> Finding:
        self.cloud.heard(at - 1, "h2")
        return self.cloud.look(at, monotonic).servers.get(ONE)

    def test_after_a_grace_it_counts_as_failed(self):
        self.assertIsNone(self._look(NOW + 49))
        for seconds in range(50, 112, 5):
            found = self._look(NOW + seconds)
            self.assertEqual(Kind.WITHHELD, found.kind)
            self.assertFalse(found.evicts, seconds)
        found = self._look(NOW + 115)
        self.assertEqual(Kind.WITHHELD, found.kind)
        self.assertEqual(Axis.CONFIDENTIALITY, found.axis)
        self.assertEqual({"kl"}, found.authorities)
        self.assertTrue(found.evicts)
        self.assertTrue(self.cloud.look(NOW + 116).hosts["h1"].fences)

    def test_in_its_grace_the_host_is_neither_good_nor_bad(self):
        self._look(NOW + 60)
        found = self.cloud.look(NOW + 61)
        self.assertEqual({}, found.hosts)
        self.assertEqual({"h1"}, found.unproven)

    def test_a_restart_only_delays(self):
        for seconds in range(50, 111, 10):
            self._look(NOW + seconds)
        self.cloud.restart()
        for seconds in range(115, 175, 10):
            self.assertFalse(self._look(NOW + seconds).evicts)
        self.assertTrue(self._look(NOW + 176).evicts)

    def test_the_wall_clock_jumps_forward(self):
        self._look(NOW, 0.0)
        # all has lapsed by our clock, and kl speaks of nobody from there
        found = self.cloud.look(NOW + 9000, 5.0).servers[ONE]
        self.assertEqual(Kind.OUTAGE, found.kind)
        found = self.cloud.look(NOW + 9100, 105.0).servers[ONE]
        self.assertFalse(found.evicts)

    def test_it_jumps_so_far_that_only_some_have_lapsed(self):
        self.cloud.heard(NOW, "h2")
        for monotonic in range(0, 200, 5):
            found = self.cloud.look(NOW + 55, float(monotonic)).servers[ONE]
            self.assertEqual(Kind.WITHHELD, found.kind)
            self.assertFalse(found.evicts)

    def test_the_monotonic_clock_has_to_agree(self):
        for seconds in range(50, 500, 10):
            monotonic = 1.0 + seconds / 10
            found = self._look(NOW + seconds, monotonic)
            self.assertFalse(found.evicts)

    def test_the_wall_clock_jumps_backward(self):
        for seconds in range(50, 111, 10):
            self._look(NOW + seconds)
        # what had lapsed is fresh again: it is forgotten
        self.assertIsNone(self._look(NOW + 40, NOW + 120))
        for seconds in range(50, 110, 10):
            found = self._look(NOW + seconds, NOW + 80 + seconds)
            self.assertFalse(found.evicts)

    def test_one_word_about_it_ends_it(self):
        for seconds in range(50, 111, 10):
            self._look(NOW + seconds)
        self.cloud.heard(NOW + 112, "h1")
        self.assertIsNone(self._look(NOW + 113))
        for seconds in range(173, 232, 10):
            self.assertFalse(self._look(NOW + seconds).evicts, seconds)

    def test_an_authority_that_dies_slowly_evicts_nobody(self):
        """Its hosts lapse one after the other, over a long cadence."""
        kl = self.cloud.draft.authorities["kl"]
        self.cloud.draft.authorities["kl"] = dataclasses.replace(
            kl, cadence_s=600, max_age_s=1200
        )
        self.cloud.new_policy()
        self.cloud.heard(NOW - 600, "h1")
        self.cloud.heard(NOW, "h2")
        kinds = set()
        for seconds in range(600, 1300, 10):
            found = self.cloud.look(NOW + seconds).servers[ONE]
            self.assertFalse(found.evicts)
            kinds.add(found.kind)
        self.assertEqual({Kind.WITHHELD, Kind.OUTAGE}, kinds)

    def test_silence_of_an_authority_that_may_not_evict_evicts_nobody(self):
        kl = self.cloud.draft.authorities["kl"]
        self.cloud.draft.authorities["kl"] = dataclasses.replace(
            kl, may_evict=False
        )
        self.cloud.new_policy()
        for seconds in range(50, 300, 10):
            found = self._look(NOW + seconds)
            self.assertEqual(Kind.WITHHELD, found.kind)
            self.assertFalse(found.evicts)

    def test_an_outage_evicts_nothing(self):
        for seconds in range(60, 400, 20):
            found = self.cloud.look(NOW + seconds)
            self.assertEqual(Kind.OUTAGE, found.servers[ONE].kind)
            self.assertFalse(found.servers[ONE].evicts)
            self.assertEqual({}, found.hosts)

    def test_a_contradiction_counts_in_an_outage(self):
        says(self.cloud.draft, "tpm", status=BAD)
        for seconds in (0, 60, 4000):
            found = self.cloud.look(NOW + seconds).servers[ONE]
            self.assertTrue(found.evicts)

    def test_another_boot_counts_as_silence(self):
        cloud = on_kl(capability__hardware_inventory="required")
        says(cloud.draft, "hardware-inventory", grade=drafts.Grade.BOOT)
        self.assertEqual({}, cloud.look().servers)
        cloud.draft.told["kl", "h1"].boot_seen = "another"
        for seconds in range(0, 60, 5):
            cloud.heard(NOW + seconds)
            found = cloud.look(NOW + seconds).servers[ONE]
            self.assertEqual(Kind.WITHHELD, found.kind)
            self.assertFalse(found.evicts)
        cloud.heard(NOW + 61)
        self.assertTrue(cloud.look(NOW + 61).servers[ONE].evicts)


class TestNeverHeardOf(unittest.TestCase):
    def test_a_cold_start_is_an_outage(self):
        cloud = scene()
        cloud.without_results = True
        for seconds in range(0, 400, 20):
            found = cloud.look(NOW + seconds)
            self.assertEqual(Kind.OUTAGE, found.servers[ONE].kind)
            self.assertFalse(found.servers[ONE].evicts)
            self.assertEqual({}, found.hosts)

    def test_whoever_is_forced_onto_such_a_host_is_misplaced(self):
        cloud = on_kl()
        del cloud.draft.told["kl", "h1"]
        for seconds in range(0, 60, 10):
            cloud.heard(NOW + seconds)
            found = cloud.look(NOW + seconds).servers[ONE]
            self.assertEqual(Kind.WITHHELD, found.kind)
            self.assertFalse(found.evicts)
        cloud.heard(NOW + 60)
        found = cloud.look(NOW + 60)
        self.assertEqual(Kind.MISPLACED, found.servers[ONE].kind)
        self.assertTrue(found.servers[ONE].evicts)
        self.assertEqual({}, found.hosts)

    def test_an_authority_may_take_two_rounds_to_speak_of_everybody(self):
        cloud = on_kl()
        kl = cloud.draft.authorities["kl"]
        cloud.draft.authorities["kl"] = dataclasses.replace(
            kl, cadence_s=300, max_age_s=900
        )
        cloud.new_policy()
        del cloud.draft.told["kl", "h1"]
        for seconds in range(0, 600, 20):
            cloud.heard(NOW + seconds)
            self.assertFalse(cloud.look(NOW + seconds).servers[ONE].evicts)
        cloud.heard(NOW + 600)
        self.assertTrue(cloud.look(NOW + 600).servers[ONE].evicts)


class TestKept(unittest.TestCase):
    """What is kept from look to look never shows."""

    def test_a_long_life_finds_what_a_new_one_does(self):
        cloud = scene(3)
        cloud.add(server(2, "h2", cloud.asked()))
        cloud.add(server(3, "h3", project="p2"))
        changes = (
            lambda: says(cloud.draft, "tpm", host="h2", status=BAD),
            lambda: cloud.add(server(2, "h3", cloud.asked())),
            lambda: cloud.add(server(4, "h2", cloud.asked())),
            lambda: pool(cloud.draft, members="h3", exclusive_to=POLICE),
            cloud.new_policy,
            lambda: cloud.add(server(3, "h2", project="p2")),
            lambda: cloud.nodes.update(h3=node("h3", uuid="another")),
            lambda: cloud.nodes.update(h3=node("h3")),
            lambda: silent(cloud.draft, "tpm", "h3"),
            lambda: cloud.servers.pop(uuid(4)),
        )
        for number, change in enumerate(changes):
            change()
            old = cloud.look(NOW + number)
            new = Scene(cloud.draft)
            new.servers, new.nodes = cloud.servers, cloud.nodes
            new.policy = cloud.policy
            fresh = new.look(NOW + number)
            with self.subTest(number):
                self.assertEqual(fresh.servers.keys(), old.servers.keys())
                self.assertEqual(fresh.asking, old.asking)
                self.assertEqual(fresh.complies, old.complies)
                self.assertEqual(fresh.traits, old.traits)
                self.assertEqual(fresh.strangers, old.strangers)

    def test_copy_limits_of_servers_that_ask_for_nothing_else(self):
        cloud = scene()
        cloud.add(server(2, "h1", ask({"nfv_mla:copy": "deny"})))
        cloud.add(server(3, "h1", ask({"nfv_mla:copy": "allow"})))
        found = cloud.look()
        self.assertEqual({uuid(2)}, cloud.judging.limited.keys())
        self.assertEqual({ONE}, found.asking)
