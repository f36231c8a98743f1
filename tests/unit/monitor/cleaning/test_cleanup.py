# SPDX-License-Identifier: Apache-2.0
"""A host that a sensitive server left is dirty until it is shown clean."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.policy.values import Waiver
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft
from tests.unit.judge import scenes
from tests.unit.monitor import scene
from tests.unit.monitor.house import LEFT
from tests.unit.monitor.house import PROFILE
from tests.unit.monitor.house import SERVER
from tests.unit.monitor.house import House
from tests.unit.monitor.house import HouseTestCase

Change = Callable[[Draft], object]

UNDER_WAY: Mapping[str, Any] = {
    "status": "running",
    "course": Course.UNDER_WAY,
}
RESIZED: Mapping[str, Any] = {
    "host": "h2",
    "vm_state": VmState.RESIZED,
}
COLD: Mapping[str, Any] = {"kind": "migration", "status": "finished"}


def _deleted_moving(house: House) -> None:
    house.move("h1", "h2", **UNDER_WAY)
    assert house.dirty(NOW + 5) == set()
    house.delete()


def _moved(house: House) -> None:
    house.change(host="h2")
    house.move("h1", "h2")


def _waiting(house: House) -> None:
    house.change(**RESIZED)
    house.move("h1", "h2", **COLD)


def _confirmed(house: House) -> None:
    _waiting(house)
    assert house.dirty(NOW + 5) == set()
    house.change(vm_state=VmState.ACTIVE)
    house.move("h1", "h2", **{**COLD, "status": "confirmed"})


def _reverted(house: House) -> None:
    _waiting(house)
    assert house.dirty(NOW + 5) == set()
    house.change(host="h1", vm_state=VmState.ACTIVE)
    house.move("h1", "h2", status="reverted", course=Course.FAILED)


def _failed(house: House) -> None:
    house.move("h1", "h2", **UNDER_WAY)
    assert house.dirty(NOW + 5) == set()
    house.move("h1", "h2", status="failed", course=Course.FAILED)


def _twice(house: House) -> None:
    house.change(host="h3")
    house.move("h1", "h2", 7)
    house.move("h2", "h3", 8)


def _evacuated(house: House) -> None:
    """Its disk is wiped when the host comes back, which counts anew."""
    house.change(host="h2")
    house.move("h1", "h2", kind="evacuation", status="done")
    assert house.dirty(NOW + 5) == {"h1"}
    house.scene.heard(NOW + 6)
    assert house.dirty(NOW + 7) == set()
    house.move("h1", "h2", kind="evacuation", updated=NOW + 8)


# how a server that was on h1 goes on, and which hosts are dirty then
WAYS: tuple[tuple[str, Callable[[House], object], set[str]], ...] = (
    ("stays", lambda house: None, set()),
    ("is stopped", lambda h: h.change(vm_state=VmState.STOPPED), set()),
    ("can be restored", lambda h: h.change(vm_state=VmState.SOFT_DELETED),
     set()),
    ("is deleted", lambda h: h.delete(), {"h1"}),
    ("is offloaded", lambda h: h.change(
        host="", vm_state=VmState.SHELVED_OFFLOADED), {"h1"}),
    ("is elsewhere, and nobody says how", lambda h: h.change(host="h2"),
     {"h1"}),
    ("moves", lambda h: h.move("h1", "h2", **UNDER_WAY), set()),
    ("moves, and is deleted meanwhile", _deleted_moving, {"h1", "h2"}),
    ("has moved", _moved, {"h1"}),
    ("has moved twice between two looks", _twice, {"h1", "h2"}),
    ("was to move, and did not", _failed, {"h2"}),
    ("waits for a confirmation", _waiting, set()),
    ("is confirmed", _confirmed, {"h1"}),
    ("is reverted", _reverted, {"h2"}),
    ("is evacuated", _evacuated, {"h1"}),
)  # fmt: skip


class LeavingTest(HouseTestCase):
    def test_each_way(self) -> None:
        for name, happens, dirty in WAYS:
            with self.subTest(name):
                house = self.new()
                self.assertEqual(set(), house.dirty(NOW))
                happens(house)
                self.assertEqual(dirty, house.dirty(LEFT))

    def test_moves_tell_when(self) -> None:
        house = self.house
        house.dirty(NOW)
        house.change(host="h2")
        house.move("h1", "h2")
        # appraised after the move, and before the look that shows it
        house.scene.heard(NOW + 6)
        self.assertEqual(set(), house.dirty(LEFT))

    def test_nobody_knows_of_it_but_by_its_moves(self) -> None:
        """As at the very first look."""
        self.house.change(host="h2")
        self.house.move("h1", "h2")
        self.assertEqual({"h1"}, self.house.dirty(LEFT))

    def test_before_a_resize_it_may_have_been_like_any_other(self) -> None:
        house = self.house
        sensitive = house.scene.servers[SERVER].ask
        house.change(ask=scene.ask())
        self.assertEqual(set(), house.dirty(NOW))
        for state, stands in (
            (VmState.RESIZED, "finished"),
            (VmState.ACTIVE, "confirmed"),
        ):
            house.change(host="h2", ask=sensitive, vm_state=state)
            house.move("h1", "h2", kind="resize", status=stands)
            self.assertEqual(set(), house.dirty(LEFT))
        house.delete()
        self.assertEqual({"h2"}, house.dirty(LEFT + 1))

    def test_it_stays_sensitive_with_another_flavor(self) -> None:
        house = self.house
        house.dirty(NOW)
        house.change(host="h2", ask=scene.ask())
        house.move("h1", "h2", kind="resize", status="confirmed")
        self.assertEqual({"h1"}, house.dirty(NOW + 5))
        house.change(host="h3")
        self.assertEqual({"h1", "h2"}, house.dirty(LEFT))

    def test_others_leave_nothing(self) -> None:
        for asked in (
            scene.ask(),
            scene.ask({"nfv_mla:capability.tpm": "hardware"}),
        ):
            house = self.new()
            house.change(ask=asked)
            house.dirty(NOW)
            house.delete()
            self.assertEqual(set(), house.dirty(LEFT))

    def test_one_leaves_and_another_stays(self) -> None:
        house = self.house
        house.scene.add(scene.server(2, "h1", house.scene.asked()))
        house.leave()

    def test_a_host_that_nova_does_not_tell_is_the_bound_one(self) -> None:
        house = self.house
        nodes = house.scene.nodes
        house.scene.nodes = {**nodes, "h1": scene.node("h1", uuid="")}
        house.dirty(NOW)
        house.scene.nodes = nodes
        house.delete()
        self.assertEqual({"h1"}, house.dirty(LEFT))

    def test_a_gone_host_is_dirty_when_it_comes_back(self) -> None:
        house = self.house
        house.dirty(NOW)
        del house.scene.nodes["h1"]
        house.delete()
        self.assertEqual({"h1"}, house.dirty(LEFT))


def _claims(draft: Draft, **how: Any) -> None:
    scenes.says(draft, "secure-clean-up", **how)


def _later(draft: Draft, authority: str = "", at: float = LEFT + 5) -> None:
    for (name, _), told in draft.told.items():
        if authority in ("", name):
            told.at = at


def _declared(draft: Draft) -> None:
    scenes.silent(draft, "secure-clean-up")
    scenes.declares(draft, "secure-clean-up")


def _contradicted_long_ago(draft: Draft) -> None:
    ver = draft.authorities["ver"]
    draft.authorities["ver"] = dataclasses.replace(
        ver, vouches=ver.vouches | {"secure-clean-up"}
    )
    _claims(draft, authority="ver", status=Status.CONTRAINDICATED)
    _later(draft, "kl")


def _waived(draft: Draft, until: float = NOW + 500) -> None:
    draft.waivers.append(Waiver(PROFILE, "5.2.8", "no", "CHG-1", until))


def _pool(*owners: str) -> Change:
    def change(draft: Draft) -> None:
        draft.pools["own"] = Pool(
            "own",
            HostClass.POOLED_RESTRICTED,
            frozenset({"h1"}),
            (),
            frozenset(owners) if owners else None,
            frozenset({"acme"}),
            frozenset(),
        )

    return change


def _in_two_pools(draft: Draft) -> None:
    other = dataclasses.replace(
        draft.pools["own"], name="all", exclusive_to=None
    )
    draft.pools["all"] = other


def _in_turn(*changes: Change) -> Change:
    def change(draft: Draft) -> None:
        for each in changes:
            each(draft)

    return change


def _mode(kind: str, name: str, until: float = NOW + 500) -> Change:
    return lambda draft: draft.modes[kind].update({name: until})


# what is so after the departure, and whether the host is clean then
SHOWN: tuple[tuple[str, Change, bool], ...] = (
    ("nothing new", lambda draft: None, False),
    ("appraised at that very moment", lambda d: _later(d, at=LEFT), False),
    ("appraised after it", _later, True),
    ("only by who does not vouch for it", lambda d: _later(d, "ver"), False),
    ("only by who does", lambda d: _later(d, "kl"), True),
    ("declared", _declared, False),
    ("declared, and appraised", _in_turn(_declared, _later), True),
    ("declared, and nobody attests the host", _in_turn(
        _declared, _later, lambda d: scenes.silent(d, "attestation")), False),
    ("not for memory", _in_turn(
        _later, lambda d: _claims(d, values={"storage": "overwrite"})), False),
    ("not any more", _in_turn(
        _later, lambda d: _claims(d, status=Status.CONTRAINDICATED)), False),
    ("at boot", _in_turn(_later, lambda d: _claims(d, grade=Grade.BOOT)),
     True),
    ("contradicted, however long ago", _contradicted_long_ago, False),
    ("waived", _waived, True),
    ("waived once", lambda d: _waived(d, NOW + 1), False),
    ("its own", _pool("acme-keys"), True),
    ("its own, and open to all for the time being", _in_turn(
        _pool("acme-keys"), _mode("pools", "own", LEFT + 6)), True),
    ("its own for now, and in a pool that is not", _in_turn(
        _pool("acme-keys"), _mode("pools", "own"), _in_two_pools), False),
    ("its own and another's", _pool("acme-keys", "police"), False),
    ("another's", _pool("police"), False),
    ("everybody's", _pool(), False),
    ("bound no more", lambda d: d.bindings.pop("h1"), False),
    ("under an expired policy", _in_turn(
        _later, lambda d: setattr(d, "expires_at", NOW)), True),
    ("the profile is gone", lambda d: d.profiles.pop(PROFILE), True),
)  # fmt: skip


class ShownTest(HouseTestCase):
    def test_what_makes_a_host_clean(self) -> None:
        for name, change, clean in SHOWN:
            with self.subTest(name):
                house = self.new()
                house.leave()
                change(house.draft)
                if "h1" not in house.draft.bindings:
                    for key in list(house.draft.told):
                        if key[1] == "h1":
                            del house.draft.told[key]
                house.scene.new_policy()
                found = house.dirty(LEFT + 7)
                self.assertEqual(set() if clean else {"h1"}, found)

    def test_what_is_permissive_is_known_and_has_no_effect(self) -> None:
        for kind, name in (
            ("profiles", PROFILE),
            ("projects", drafts.PROJECT),
            ("pools", "all"),
        ):
            with self.subTest(kind):
                house = self.new()
                _pool()(house.draft)
                pool = house.draft.pools.pop("own")
                house.draft.pools["all"] = dataclasses.replace(
                    pool, name="all"
                )
                _mode(kind, name, LEFT + 50)(house.draft)
                house.scene.new_policy()
                house.dirty(NOW)
                house.delete()
                self.assertEqual(set(), house.dirty(LEFT))
                self.assertEqual({"h1"}, house.dirty(LEFT + 50))

    def test_clean_is_clean_whatever_comes_later(self) -> None:
        for restarts in (False, True):
            house = self.new()
            house.dirty(NOW)
            house.change(host="h2")
            house.move("h1", "h2")
            self.assertEqual({"h1"}, house.dirty(LEFT))
            house.scene.heard(LEFT + 5)
            self.assertEqual(set(), house.dirty(LEFT + 6))
            _claims(house.draft, status=Status.CONTRAINDICATED)
            if restarts:
                house.restart()
            self.assertEqual(set(), house.dirty(LEFT + 7))

    def test_the_last_departure_counts(self) -> None:
        house = self.house
        house.scene.add(scene.server(2, "h1", house.scene.asked()))
        house.leave()
        house.delete(2)
        house.dirty(LEFT + 20)
        house.scene.heard(LEFT + 10)
        self.assertEqual({"h1"}, house.dirty(LEFT + 30))
        house.scene.heard(LEFT + 21)
        self.assertEqual(set(), house.dirty(LEFT + 31))
