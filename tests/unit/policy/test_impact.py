# SPDX-License-Identifier: Apache-2.0
"""What changes from one policy to another is what the judge decides."""

from __future__ import annotations

import dataclasses
import unittest
from random import Random

from hypothesis import given

from nfv_mla_scheduler.judge.considered import Kind
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.follow import room_on_all
from nfv_mla_scheduler.judge.impact import Alarm
from nfv_mla_scheduler.judge.impact import Direction
from nfv_mla_scheduler.judge.impact import Impact
from nfv_mla_scheduler.judge.impact import impact
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.application import IDEAL_IMAGE
from nfv_mla_scheduler.policy.keys import RESOURCES
from nfv_mla_scheduler.results import view
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import PROJECT
from tests.unit.drafts import Draft
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.generators import seeds
from tests.unit.judge import scenes
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.test_properties import _mixed

CODE = RefusalCode
LOST, GAINED = Direction.LOST, Direction.GAINED
#: All that a flavor can do for the application, save to ask for anything.
IDEAL_FLAVOR = {
    "hw:mem_encryption": "true",
    "hw:mem_encryption_model": "amd-sev-snp",
    "pci_passthrough:alias": "nic:1",
    "nfv_mla:conceals": ",".join(RESOURCES),
}
#: What does not bear on who could take a server, whosever host it is.
CLOSED = {CODE.POOL_EXCLUSIVE, CODE.MANAGEMENT_DOMAIN}


def snapshot_of(draft: Draft) -> view.Snapshot:
    """Return what is known in a draft, which has a policy."""
    draft.without_policy = False
    world = drafts.build(draft)
    return view.merge(
        view.empty(world.catalogue),
        world.policy,
        world.document,
        world.own_state,
    )


def compared(
    old: Draft,
    new: Draft,
    now: float = NOW,
    flavors: dict[str, dict[str, str]] | None = None,
) -> Impact:
    bearings = Bearings(old.management_domain, old.boot_max_age_s)
    return impact(
        snapshot_of(old), snapshot_of(new), bearings, flavors or {}, now
    )


def changes(found: Impact, kind: Kind, name: str) -> list[tuple]:
    """Return what happens to one requirement: direction, hosts, codes."""
    (effect,) = (
        e for e in found.effects if (e.what.kind, e.what.name) == (kind, name)
    )
    return [
        (c.direction, c.hosts, {r.code for r in c.refusals})
        for c in effect.changes
    ]


class JudgeTest(unittest.TestCase):
    """For each requirement, one by one, the judge that the filter calls."""

    @examples(25)
    @given(recipes(), recipes())
    def test_what_is_lost_and_gained_is_what_the_judge_decides(
        self, before, after
    ) -> None:
        old, new = before.draft(), after.draft()
        flavors = {"asks": {**old.extra_specs, "nfv_mla:copy": "deny"}}
        bearings = Bearings("acme", 5000.0)
        snapshots = (snapshot_of(old), snapshot_of(new))
        found = impact(*snapshots, bearings, flavors, old.now)
        self.assertGreater(len(found.effects), 8)
        hosts = sorted({*old.bindings, *new.bindings})
        for effect in found.effects:
            decided = [
                self._judged(effect.what, snapshot, bearings, hosts, old.now)
                for snapshot in snapshots
            ]
            if None in decided:
                continue
            one, other = decided
            lost, gained = {}, {}
            for host in hosts:
                if not one[host] and other[host]:
                    lost[host] = other[host]
                elif one[host] and not other[host]:
                    gained[host] = one[host]
            told = {LOST: {}, GAINED: {}}
            for change in effect.changes:
                for host in change.hosts:
                    told[change.direction][host] = change.refusals
            self.assertEqual(lost, told[LOST], effect.what)
            self.assertEqual(gained, told[GAINED], effect.what)
            self.assertEqual(
                (
                    sum(not refusals for refusals in one.values()),
                    sum(not refusals for refusals in other.values()),
                ),
                (effect.before, effect.after),
            )

    def _judged(self, what, snapshot, bearings, hosts, now):
        """Return why each host refuses; None: not to be asked like this."""
        project, extra_specs = "", dict(IDEAL_FLAVOR)
        if what.kind is Kind.FLOOR:
            project = what.name
        elif what.kind is Kind.FLAVOR:
            extra_specs = dict(what.extra_specs)
        else:
            extra_specs[f"nfv_mla:{what.kind.value}"] = what.name
            profile = snapshot.policy.profiles.get(what.name)
            if profile is not None and profile.location_explicit:
                return None  # whoever names it has to name a place as well
        request = Request(project, extra_specs, dict(IDEAL_IMAGE), {})
        case = Judge(bearings).case(request, snapshot, room_on_all(snapshot))
        judged = {}
        for host in hosts:
            decision = case.decision(drafts.uuid(host), host, now)
            judged[host] = tuple(
                refusal
                for refusal in decision.refusals
                if what.kind is Kind.FLOOR or refusal.code not in CLOSED
            )
        return judged

    @examples(25)
    @given(recipes(), recipes())
    def test_hosts_close_to_who_asks_for_nothing_as_judged(
        self, before, after
    ) -> None:
        old, new = before.draft(), after.draft()
        for draft in (old, new):
            draft.floor = {}
        snapshots = (snapshot_of(old), snapshot_of(new))
        bearings = Bearings("acme", 5000.0)
        found = impact(*snapshots, bearings, {}, old.now)
        domain = old.trust_domain
        if domain != new.trust_domain:
            return
        told = {
            (change.direction, host)
            for closing in found.closings
            if closing.trust_domain == domain
            for change in closing.changes
            for host in change.hosts
        }
        expected = set()
        for host in sorted({*old.bindings, *new.bindings}):
            one, other = (
                Judge(bearings)
                .case(Request(PROJECT, {}, {}, {}), snapshot)
                .decision(drafts.uuid(host), host, old.now)
                .admitted
                for snapshot in snapshots
            )
            if one != other:
                expected.add((LOST if one else GAINED, host))
        self.assertEqual(expected, told)

    @examples(8)
    @given(recipes(), recipes(), seeds)
    def test_the_order_of_things_does_not_matter(
        self, before, after, seed
    ) -> None:
        rnd = Random(seed)
        straight = compared(before.draft(), after.draft())
        mixed = compared(
            _mixed(before.draft(), rnd), _mixed(after.draft(), rnd)
        )
        self.assertEqual(_codes(straight), _codes(mixed))

    @examples(8)
    @given(recipes())
    def test_the_same_policy_changes_nothing(self, recipe) -> None:
        found = compared(recipe.draft(), recipe.draft())
        self.assertFalse(found.refuses)
        self.assertEqual((), found.closings)
        for effect in found.effects:
            self.assertEqual((), effect.changes)
            self.assertEqual(effect.before, effect.after)
        for one in found.pools:
            self.assertEqual((), one.changes)


def _codes(found: Impact) -> object:
    """Return what does not depend on which of several reasons comes first."""
    return (
        found.refuses,
        [
            (e.what, e.before, e.after, e.alarm, _hosts(e.changes))
            for e in found.effects
        ],
        [(c.trust_domain, _hosts(c.changes)) for c in found.closings],
        [(p.name, p.listed, p.proven, _hosts(p.changes)) for p in found.pools],
    )


def _hosts(found) -> set:
    return {(change.direction, h) for change in found for h in change.hosts}


class ProfilesTest(unittest.TestCase):
    def _own(self, hosts: int = 4, **how) -> Draft:
        draft = drafts.good(hosts)
        scenes.bare(draft, **{"max_age_s": 60, **how})
        return draft

    def test_a_requirement_that_hosts_lack_takes_them_away(self) -> None:
        old, new = self._own(), self._own(requirements=("5.2.9",))
        for draft in (old, new):
            for host in ("h1", "h3"):
                scenes.silent(draft, "host-routing", host)
                scenes.silent(draft, "direct-memory-access", host)
        found = compared(old, new)
        self.assertEqual(
            [(LOST, ("h1", "h3"), {CODE.NO_CLAIM})],
            changes(found, Kind.PROFILE, "own"),
        )
        self.assertTrue(found.refuses)
        back = compared(new, old)
        self.assertEqual(
            [(GAINED, ("h1", "h3"), {CODE.NO_CLAIM})],
            changes(back, Kind.PROFILE, "own"),
        )
        self.assertFalse(back.refuses)

    def test_half_and_none_left_are_alarming(self) -> None:
        for silent, alarm in (
            ((), None),
            (("h1",), None),
            (("h1", "h2"), Alarm.HALF_LEFT),
            (("h1", "h2", "h3"), Alarm.HALF_LEFT),
            (("h1", "h2", "h3", "h4"), Alarm.NONE_LEFT),
        ):
            old, new = self._own(), self._own(requirements=("5.2.11",))
            for draft in (old, new):
                for host in silent:
                    scenes.silent(draft, "entropy-source", host)
            found = compared(old, new)
            (effect,) = (e for e in found.effects if e.what.name == "own")
            self.assertEqual(4, effect.before)
            self.assertEqual(4 - len(silent), effect.after)
            self.assertEqual(alarm, effect.alarm, silent)

    def test_a_profile_that_is_gone_leaves_nothing(self) -> None:
        old, new = self._own(), drafts.good(4)
        found = compared(old, new)
        self.assertEqual(
            [(LOST, ("h1", "h2", "h3", "h4"), {CODE.MALFORMED})],
            changes(found, Kind.PROFILE, "own"),
        )

    def test_a_waiver_that_is_gone_counts(self) -> None:
        old, new = drafts.good(2), drafts.good(2)
        for draft in (old, new):
            draft.own_state["receipts-served"] = None
        name = "infrastructure-as-a-service"
        old.waivers.append(
            drafts.Waiver(name, "5.2.10", "none yet", "CHG-1", NOW + 500)
        )
        found = compared(old, new)
        self.assertEqual(
            [(LOST, ("h1", "h2"), {CODE.NOT_JUDGED})],
            changes(found, Kind.PROFILE, name),
        )
        at_its_end = compared(old, new, NOW + 500)
        self.assertEqual([], changes(at_its_end, Kind.PROFILE, name))

    def test_what_is_merely_preferred_takes_nothing_away(self) -> None:
        old = self._own()
        new = self._own(
            requirements=("5.2.11",), strength={"5.2.11": Strength.PREFERRED}
        )
        for draft in (old, new):
            scenes.silent(draft, "entropy-source")
        self.assertFalse(compared(old, new).refuses)

    def test_an_application_is_taken_to_do_its_part(self) -> None:
        old, new = self._own(), self._own(requirements=("5.1.3", "5.2.1"))
        for draft in (old, new):
            scenes.silent(draft, "physical-controls", "h1")
        self.assertFalse(compared(old, new).refuses)

    def test_but_what_nothing_can_tell_of_it_is_not_taken_as_met(self) -> None:
        old, new = self._own(), self._own(requirements=("5.2.11",))
        for draft in (old, new):
            scenes.silent(draft, "entropy-source", "h1")
        self.assertEqual(
            [(LOST, ("h1",), {CODE.NO_CLAIM})],
            changes(compared(old, new), Kind.PROFILE, "own"),
        )


class PoolsTest(unittest.TestCase):
    def _pools(self, members: str, **how) -> Draft:
        draft = drafts.good(3)
        pool(draft, "keys", HostClass.POOLED_RESTRICTED, members, **how)
        return draft

    def test_members_that_prove_their_class_are_counted(self) -> None:
        old, new = self._pools("h1 h2"), self._pools("h1 h2 h3")
        for draft in (old, new):
            scenes.silent(draft, "tpm", "h2")
        (found,) = compared(old, new).pools
        self.assertEqual(((2, 3), (1, 2)), (found.listed, found.proven))
        (change,) = found.changes
        self.assertEqual((GAINED, ("h3",)), (change.direction, change.hosts))

    def test_a_member_that_leaves_is_told_with_its_old_pool(self) -> None:
        old, new = self._pools("h1 h2"), self._pools("h1")
        del new.bindings["h2"], new.told["kl", "h2"], new.told["ver", "h2"]
        found = compared(old, new)
        self.assertEqual(
            [(LOST, ("h2",), {CODE.HOST_UNBOUND})],
            changes(found, Kind.POOL, "keys"),
        )
        (effect,) = (e for e in found.effects if e.what.name == "keys")
        self.assertEqual(("keys",), effect.changes[0].pools)

    def test_permissive_mode_lets_in_whom_it_does_not_prove(self) -> None:
        old, new = self._pools("h1 h2"), self._pools("h1 h2")
        scenes.silent(old, "tpm", "h1")
        scenes.silent(new, "tpm", "h1")
        new.modes["pools"]["keys"] = NOW + 100
        found = compared(old, new)
        self.assertEqual(
            [(GAINED, ("h1",), {CODE.NO_CLAIM})],
            changes(found, Kind.POOL, "keys"),
        )
        self.assertEqual((1, 1), found.pools[0].proven)

    def test_a_pool_that_becomes_exclusive_closes_to_others(self) -> None:
        old = self._pools("h1 h2")
        new = self._pools("h1 h2", exclusive_to=of("acme-keys"))
        found = compared(old, new)
        self.assertTrue(found.refuses)
        self.assertEqual(
            {"acme", "police", None},
            {closing.trust_domain for closing in found.closings},
        )
        for closing in found.closings:
            (change,) = closing.changes
            self.assertEqual(
                (LOST, ("keys",), ("h1", "h2")),
                (change.direction, change.pools, change.hosts),
            )
        self.assertEqual([], changes(found, Kind.POOL, "keys"))

    def test_a_host_does_not_leave_its_pool_under_another_name(self) -> None:
        old = self._pools("h1", exclusive_to=of("police"))
        new = self._pools("h1", exclusive_to=of("police"))
        renamed = dataclasses.replace(new.bindings.pop("h1"), host="h7")
        new.bindings["h7"] = renamed
        for authority in ("kl", "ver"):
            new.told[authority, "h7"] = new.told.pop((authority, "h1"))
        new.pools["keys"] = dataclasses.replace(
            new.pools["keys"], members=of("h7")
        )
        self.assertEqual((), compared(old, new).closings)


class FloorsAndFlavorsTest(unittest.TestCase):
    def test_a_floor_counts_for_its_project_with_its_pools(self) -> None:
        old, new = drafts.good(3), drafts.good(3)
        new.floor = {"capability.hsm": "physical"}
        pool(new, "theirs", members="h3", exclusive_to=of("police"))
        says(old, "hsm", values="virtual", host="h1")
        says(new, "hsm", values="virtual", host="h1")
        found = compared(old, new)
        self.assertEqual(
            [
                (LOST, ("h1",), {CODE.VALUE_MISMATCH}),
                (LOST, ("h3",), {CODE.POOL_EXCLUSIVE}),
            ],
            changes(found, Kind.FLOOR, PROJECT),
        )

    def test_a_floor_limits_what_an_application_conceals(self) -> None:
        for conceals, left in (("", 2), ("cpu", 0)):
            old, new = drafts.good(2), drafts.good(2)
            for draft in (old, new):
                scenes.bare(draft, requirements=("5.2.5",))
                del draft.extra_specs["nfv_mla:profile"]
                for host in ("h1", "h2"):
                    scenes.silent(draft, "concealed-resource-usage", host)
                    scenes.silent(draft, "telemetry-control", host)
            new.floor = {"profile": "own"}
            if conceals:
                new.floor["conceals"] = conceals
            found = compared(old, new)
            (effect,) = (e for e in found.effects if e.what.kind is Kind.FLOOR)
            self.assertEqual(left, effect.after, conceals)

    def test_a_flavor_is_taken_as_it_is_and_its_image_as_good(self) -> None:
        bare = {"nfv_mla:profile": "own"}
        flavors = {
            "bare": bare,
            "enclave": {
                **bare,
                "hw:mem_encryption": "true",
                "hw:mem_encryption_model": "amd-sev-snp",
            },
            "plain": {"hw:cpu_policy": "dedicated"},
        }
        old, new = drafts.good(2), drafts.good(2)
        scenes.bare(old)
        scenes.bare(new, requirements=("5.1.3", "5.2.1"))
        for draft in (old, new):
            scenes.silent(draft, "physical-controls", "h1")
        found = compared(old, new, flavors=flavors)
        names = [e.what.name for e in found.effects]
        self.assertNotIn("plain", names)
        self.assertEqual([], changes(found, Kind.FLAVOR, "enclave"))
        (lost,) = changes(found, Kind.FLAVOR, "bare")
        self.assertEqual((LOST, ("h1",)), lost[:2])

    def test_a_flavor_that_cannot_be_read_any_more_is_malformed(self) -> None:
        old, new = drafts.good(2), drafts.good(2)
        pool(old, "keys", members="h1 h2")
        flavors = {"f": {"nfv_mla:pool": "keys"}, "g": {"nfv_mla:x": "y"}}
        found = compared(old, new, flavors=flavors)
        self.assertEqual(
            [(LOST, ("h1", "h2"), {CODE.MALFORMED})],
            changes(found, Kind.FLAVOR, "f"),
        )
        self.assertEqual([], changes(found, Kind.FLAVOR, "g"))

    def test_what_has_to_follow_has_room_on_every_host(self) -> None:
        flavors = {"f": {"nfv_mla:follow": "own@host"}}
        old, new = drafts.good(2), drafts.good(2)
        scenes.bare(old)
        scenes.bare(new, requirements=("5.2.9",))
        for draft in (old, new):
            draft.room = frozenset()
            scenes.silent(draft, "host-routing", "h1")
            scenes.silent(draft, "direct-memory-access", "h1")
        self.assertEqual(
            [(LOST, ("h1",), {CODE.NOTHING_FOLLOWS})],
            changes(compared(old, new, flavors=flavors), Kind.FLAVOR, "f"),
        )
