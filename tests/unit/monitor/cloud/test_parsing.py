# SPDX-License-Identifier: Apache-2.0
"""Whatever Nova lists, it is read or named, and nothing breaks."""

from __future__ import annotations

import dataclasses
import datetime
import json
import sys
import typing as ty
import unittest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.monitor.cloud import asks
from nfv_mla_scheduler.monitor.cloud.asks import Asks
from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.parsing import CellDown
from nfv_mla_scheduler.monitor.cloud.parsing import Listed
from nfv_mla_scheduler.monitor.cloud.parsing import Repeated
from nfv_mla_scheduler.monitor.cloud.parsing import read_server
from nfv_mla_scheduler.monitor.cloud.parsing import read_servers
from nfv_mla_scheduler.monitor.cloud.parsing_deeds import read_deed
from nfv_mla_scheduler.monitor.cloud.parsing_deeds import read_deeds
from nfv_mla_scheduler.monitor.cloud.parsing_deeds import read_migration
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import Hypervisor
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import Service
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import nodes_of
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import read_hypervisor
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import read_service
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import with_services
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.unread import Faults
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.monitor.cloud import listed

AT = datetime.datetime(2026, 11, 23, 11, 7, 8, tzinfo=datetime.UTC).timestamp()
HOST = "OS-EXT-SRV-ATTR:host"
VM_STATE = "OS-EXT-STS:vm_state"
TASK = "OS-EXT-STS:task_state"
POWER = "OS-EXT-STS:power_state"
LONG = "x" * 256

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def read(**changed: ty.Any) -> Server:
    found = read_server(listed.server(**changed), Asks())
    assert isinstance(found, Server)
    return found


class ServerTest(unittest.TestCase):
    def test_every_field(self) -> None:
        self.assertEqual(
            Server(
                uuid=listed.UUID,
                project_id=listed.PROJECT,
                host="edge-1",
                node="edge-1.example.org",
                vm_state=VmState.ACTIVE,
                task="",
                power=Power.RUNNING,
                locked=False,
                locked_reason="",
                updated=AT,
                image_id=listed.IMAGE,
                ask=Ask(
                    {"nfv_mla:profile": "x", "hw:boot_menu": "true"},
                    {"hw_rng_model": "virtio", "os_distro": "y"},
                    {},
                    {"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 10},
                ),
            ),
            read(),
        )

    def test_states_that_nobody_knows(self) -> None:
        for word in ("newly-invented", None, ""):
            self.assertIs(VmState.UNKNOWN, read(**{VM_STATE: word}).vm_state)
        for state in VmState:
            found = read(**{VM_STATE: state.value})
            self.assertIs(state, found.vm_state)
        for value, power in (
            (None, Power.NONE),
            (0, Power.NONE),
            (4, Power.SHUTDOWN),
            (99, Power.RUNNING),
        ):
            self.assertIs(power, read(**{POWER: value}).power)

    def test_what_is_null_is_empty(self) -> None:
        found = read(
            **{
                HOST: None,
                "OS-EXT-SRV-ATTR:hypervisor_hostname": None,
                "scheduler_hints": None,
            }
        )
        self.assertEqual(("", ""), (found.host, found.node))
        self.assertEqual({}, found.ask.hints)

    def test_from_a_volume(self) -> None:
        found = read(image="")
        self.assertEqual("", found.image_id)
        self.assertTrue(found.ask.from_volume)
        self.assertEqual({}, found.ask.image)
        self.assertNotIn("DISK_GB", found.ask.amounts)

    def test_our_hints_stay_as_their_owner_wrote_them(self) -> None:
        hints = {"nfv_mla:country": ["DE"], "NFV-MLA:pool": "x", "group": "y"}
        kept = {k: v for k, v in hints.items() if k != "group"}
        self.assertEqual(kept, read(scheduler_hints=hints).ask.hints)

    def test_of_hints_that_are_refused_little_is_kept(self) -> None:
        long = "y" * 70_000
        found = read(
            scheduler_hints={
                "nfv_mla:pool": long,
                "nfv_mla:country": ["DE"] * 20_000,
                "nfv_mla:app": {"a": [long]},
                f"nfv_mla:{long}": "x",
                **{f"nfv_mla:x{n}": long for n in range(500)},
            }
        ).ask.hints
        self.assertLess(len(repr(found)), 64_000)
        # And what is kept is refused as the whole would be.
        for name, kept in found.items():
            with self.assertRaises(Malformed, msg=name):
                read_ask(Source.HINT, {name: kept}, load())

    def test_one_that_is_deleted_is_its_uuid(self) -> None:
        for raw in (
            listed.server(status="DELETED", **{HOST: None}),
            {"id": listed.UUID, "status": "DELETED"},
        ):
            self.assertEqual(listed.UUID, read_server(raw, Asks()))

    def test_one_that_is_deleted_on_its_host_is_said_to_be(self) -> None:
        # Nova makes the status of what the host says
        raw = listed.server(status="DELETED", **{VM_STATE: "deleted"})
        found = read_server(raw, Asks())
        assert isinstance(found, Server)
        self.assertIs(VmState.DELETED, found.vm_state)
        # and where it lists what is deleted in truth, nobody can tell
        self.assertEqual(listed.UUID, read_server(raw, Asks(), True))

    def test_one_whose_cell_is_down(self) -> None:
        raw = {
            "id": listed.UUID,
            "status": "UNKNOWN",
            "tenant_id": listed.PROJECT,
            "created": "2026-11-23T11:07:08Z",
            "links": [],
        }
        with self.assertRaises(CellDown):
            read_server(raw, Asks())
        # a state that Nova itself does not know is another matter
        found = read(status="UNKNOWN", **{VM_STATE: "odd"})
        self.assertIs(VmState.UNKNOWN, found.vm_state)

    def test_faults_are_named(self) -> None:
        flavor = listed.server()["flavor"]
        for changed, named in (
            ({"id": "no-uuid"}, "id is no UUID: 'no-uuid'"),
            ({"id": listed.UUID.upper()[:-1] + "\n"}, "id is no UUID"),
            ({"id": None}, "id is no UUID: None"),
            ({"tenant_id": ""}, "tenant_id"),
            ({"tenant_id": LONG}, "tenant_id"),
            ({HOST: 3}, HOST),
            ({HOST: LONG}, HOST),
            ({TASK: ["x"]}, TASK),
            ({VM_STATE: {}}, VM_STATE),
            ({POWER: "1"}, POWER),
            ({POWER: True}, POWER),
            ({"locked": None}, "locked"),
            ({"locked": "false"}, "locked"),
            ({"locked_reason": LONG}, "locked_reason"),
            ({"updated": None}, "updated"),
            ({"updated": "yesterday"}, "updated"),
            ({"updated": 3}, "updated"),
            ({"image": "x"}, "image"),
            ({"image": {"id": listed.IMAGE}}, "image.properties"),
            ({"image": {"id": 3, "properties": {}}}, "id"),
            ({"flavor": {}}, "flavor.extra_specs"),
            ({"flavor": None}, "flavor"),
            ({"flavor": {**flavor, "vcpus": -1}}, "vcpus"),
            ({"flavor": {**flavor, "swap": ""}}, "swap"),
            ({"flavor": {**flavor, "ram": [1]}}, "ram"),
            (
                {"flavor": {**flavor, "extra_specs": {"a": 1}}},
                "flavor.extra_specs.a",
            ),
            (
                {"flavor": {**flavor, "extra_specs": {"a": [1]}}},
                "flavor.extra_specs.a",
            ),
            ({"scheduler_hints": []}, "scheduler_hints"),
        ):
            with self.subTest(changed=changed):
                with self.assertRaises(Unreadable) as caught:
                    read_server(listed.server(**changed), Asks())
                self.assertIn(named, caught.exception.fault)
                self.assertLessEqual(len(caught.exception.fault), 120)

    def test_one_whose_host_we_may_not_see(self) -> None:
        raw = listed.server()
        del raw[HOST]
        with self.assertRaises(Unreadable) as caught:
            read_server(raw, Asks())
        self.assertIn("not shown", caught.exception.fault)

    @settings(max_examples=150, deadline=None)
    @given(
        st.sampled_from(sorted(listed.server())),
        json_values,
    )
    def test_any_value_anywhere(self, name: str, value: object) -> None:
        listing = [*listed.servers(1), listed.server(**{name: value})]
        found = read_servers(listing, Asks())
        down = 1 if found.missing else 0
        self.assertEqual(
            2,
            len(found.servers) + len(found.deleted) + down + len(found.unread),
        )
        self.assertLess(sum(map(len, found.unread.values())), 200)

    @settings(max_examples=50, deadline=None)
    @given(json_values)
    def test_anything_in_place_of_a_server(self, value: object) -> None:
        found = read_servers([value], Asks())
        self.assertEqual(((), ()), (found.servers, found.deleted))
        self.assertEqual([""], list(found.unread))


class RepeatedTest(unittest.TestCase):
    """Listings of changes, most of which were in the one before."""

    def setUp(self) -> None:
        self.asks = Asks()
        self.repeated = Repeated()

    def read(self, *rows: object) -> Listed:
        self.repeated.turn()
        # Each listing is parsed anew: no row is the same object again.
        again = json.loads(json.dumps(rows))
        return read_servers(again, self.asks, self.repeated)

    def test_what_is_as_it_was_is_the_same_server(self) -> None:
        rows = listed.servers(3)
        before = self.read(*rows).servers
        rows[1] = {**rows[1], TASK: "migrating"}
        after = self.read(*rows).servers
        self.assertIs(before[0], after[0])
        self.assertIs(before[2], after[2])
        self.assertEqual("migrating", after[1].task)

    def test_one_that_is_not_listed_is_forgotten(self) -> None:
        row = listed.server()
        (before,) = self.read(row).servers
        self.read()
        (after,) = self.read(row).servers
        self.assertEqual(before, after)
        self.assertIsNot(before, after)

    @settings(max_examples=150, deadline=None)
    @given(
        st.sampled_from(sorted(listed.server())),
        json_values,
        st.booleans(),
    )
    def test_whatever_has_changed_is_read(
        self, name: str, value: object, left_out: bool
    ) -> None:
        row = listed.server(**{name: value})
        if left_out:
            del row[name]
        self.read(listed.server())
        found = self.read(row)
        anew = read_servers([row], Asks(), Repeated())
        self.assertEqual(anew.servers, found.servers)
        self.assertEqual(anew.deleted, found.deleted)
        self.assertEqual(bool(anew.missing), bool(found.missing))
        self.assertEqual(anew.unread.keys(), found.unread.keys())


class PageTest(unittest.TestCase):
    def test_cells_that_are_down_and_records_that_cannot_be_read(self) -> None:
        down = {"id": listed.UUID, "status": "UNKNOWN"}
        odd = [listed.server(locked=1, id=listed.IMAGE), {}, None]
        found = read_servers([down, *odd, *listed.servers(2), down], Asks())
        self.assertEqual(2, len(found.servers))
        self.assertEqual((), found.deleted)
        self.assertEqual(
            "cells do not answer: 2 servers of a page", found.missing
        )
        self.assertEqual({listed.IMAGE, ""}, set(found.unread))
        self.assertEqual("locked is no boolean: 1", found.unread[listed.IMAGE])

    def test_what_cannot_be_read_is_said_in_few_lines(self) -> None:
        faults = Faults("servers", ["a", "b", "b", "c", "d"])
        faults.add("e")
        self.assertEqual(
            (
                "2 servers cannot be read: b",
                "1 servers cannot be read: a",
                "1 servers cannot be read: c",
                "2 more servers cannot be read",
            ),
            faults.said(),
        )


class AsksTest(unittest.TestCase):
    def test_equal_ones_are_one_object(self) -> None:
        kept = Asks()
        servers = read_servers(listed.servers(50), kept).servers
        self.assertEqual(1, len({id(server.ask) for server in servers}))
        for name in ("project_id", "host", "node", "image_id"):
            texts = {id(getattr(server, name)) for server in servers}
            self.assertEqual(1, len(texts), name)

    def test_the_order_of_keys_is_nothing(self) -> None:
        raw = listed.server()
        other = listed.server()
        for part in (other["flavor"], other["image"]):
            for name in ("extra_specs", "properties"):
                if name in part:
                    part[name] = dict(reversed(part[name].items()))
        kept = Asks()
        (one, two) = read_servers([raw, other], kept).servers
        self.assertIs(one.ask, two.ask)

    def test_whatever_differs_is_another(self) -> None:
        kept = Asks()
        base = listed.server()
        flavor = base["flavor"]
        seen = set()
        for changed in (
            {},
            {"image": ""},
            {"image": {"id": listed.IMAGE, "properties": {}}},
            {"scheduler_hints": {"nfv_mla:a": ["1"]}},
            {"scheduler_hints": {"nfv_mla:a": ["2"]}},
            {"scheduler_hints": {"nfv_mla:a": "1"}},
            {"flavor": {**flavor, "extra_specs": {}}},
            {"flavor": {**flavor, "vcpus": 3}},
            {"flavor": {**flavor, "disk": 11}},
        ):
            (server,) = read_servers([{**base, **changed}], kept).servers
            seen.add(repr(server.ask))
            (again,) = read_servers([{**base, **changed}], kept).servers
            self.assertIs(server.ask, again.ask)
        self.assertEqual(9, len(seen))

    def test_hints_of_one_server_do_not_double_the_rest(self) -> None:
        kept = Asks()
        listing = listed.servers(2)
        listing[1]["scheduler_hints"] = {"nfv_mla:pool": ["x"]}
        (one, two) = read_servers(listing, kept).servers
        self.assertIsNot(one.ask, two.ask)
        self.assertIs(one.ask.extra_specs, two.ask.extra_specs)
        self.assertIs(one.ask.image, two.ask.image)

    def test_hints_of_others_are_not_kept(self) -> None:
        kept = Asks()
        listing = listed.servers(50)
        for number, raw in enumerate(listing):
            raw["scheduler_hints"] = {"x": [f"{number}" + "y" * 70_000]}
        servers = read_servers(listing, kept).servers
        self.assertEqual(1, len({id(server.ask) for server in servers}))
        self.assertEqual({}, servers[0].ask.hints)

    def test_they_outlive_one_full_listing_and_not_two(self) -> None:
        kept = Asks()
        (before,) = read_servers([listed.server()], kept).servers
        kept.turn()
        (after,) = read_servers([listed.server()], kept).servers
        self.assertEqual(before.ask, after.ask)
        self.assertIs(before.ask, after.ask)
        for _ in range(2):
            kept.turn()
        self.assertEqual(0, len(kept))

    def test_a_hundred_thousand_take_little(self) -> None:
        kept = Asks()
        servers = read_servers(listed.servers(1000), kept).servers
        each = sys.getsizeof(servers[0]) + sys.getsizeof(servers[0].uuid)
        self.assertLess(each + sys.getsizeof(servers[0].updated), 300)
        self.assertLess(len(kept), 30)


class AmountsTest(unittest.TestCase):
    def test_as_nova_works_them_out(self) -> None:
        for sizes, specs, volume, amounts in (
            ((1, 512, 1, 0, 0), {}, False, "VCPU 1 MEMORY_MB 512 DISK_GB 1"),
            ((1, 512, 1, 0, 0), {}, True, "VCPU 1 MEMORY_MB 512"),
            ((1, 8, 1, 2, 1025), {}, False, "VCPU 1 MEMORY_MB 8 DISK_GB 5"),
            ((1, 8, 0, 0, 1024), {}, True, "VCPU 1 MEMORY_MB 8 DISK_GB 1"),
            (
                (4, 8, 0, 0, 0),
                {"hw:cpu_policy": "dedicated"},
                False,
                "PCPU 4 MEMORY_MB 8",
            ),
            (
                (4, 8, 9, 0, 0),
                {
                    "resources:VCPU": "0",
                    "resources:MEMORY_MB": "0",
                    "resources:DISK_GB": "0",
                    "resources:CUSTOM_BAREMETAL_GOLD": "1",
                    "resources1:CUSTOM_OTHER": "1",
                    "resources:VGPU": "1",
                    "resources:PCPU": "x",
                },
                False,
                "CUSTOM_BAREMETAL_GOLD 1",
            ),
        ):
            names = ("vcpus", "ram", "disk", "ephemeral", "swap")
            flavor = dict(zip(names, sizes, strict=True))
            found = asks.amounts_of(flavor, specs, volume)
            said = " ".join(f"{name} {found[name]}" for name in found)
            self.assertEqual(amounts, said)


class HostsTest(unittest.TestCase):
    def _service(self, host: str) -> Service:
        return Service(host, listed.UUID, True, "", True, False)

    def test_several_compute_nodes_of_one_service(self) -> None:
        nodes = nodes_of(
            [self._service("ironic"), self._service("bare")],
            [
                Hypervisor("u2", "node-b", "ironic", ""),
                Hypervisor("u1", "node-a", "ironic", ""),
                Hypervisor("u9", "of-no-service", "gone", ""),
            ],
        )
        self.assertEqual(
            {"ironic": "u1", "ironic/node-b": "u2", "bare": ""},
            {key: node.uuid for key, node in nodes.items()},
        )

    def test_services_of_one_name_have_nodes_of_their_own(self) -> None:
        # as those of two cells; the second one has no compute node yet
        second = dataclasses.replace(self._service("h1"), uuid=listed.IMAGE)
        services = [second, self._service("h1")]
        nodes = nodes_of(
            services, [Hypervisor("u1", "node", "h1", listed.UUID)]
        )
        self.assertEqual(
            {
                "h1": ("u1", listed.UUID),
                f"h1/{listed.IMAGE}": ("", second.uuid),
            },
            {key: (node.uuid, node.service) for key, node in nodes.items()},
        )
        self.assertEqual(nodes, with_services(nodes, services))
        off = dataclasses.replace(second, enabled=False)
        now = with_services(nodes, [off, services[1]])
        self.assertIs(nodes["h1"], now["h1"])
        self.assertFalse(now[f"h1/{listed.IMAGE}"].enabled)
        # one of both is removed; the host has another one in its place
        self.assertEqual({"h1"}, set(with_services(nodes, services[1:])))
        third = dataclasses.replace(services[1], uuid=listed.PROJECT)
        now = with_services(nodes, [second, third])
        self.assertEqual(
            ("u1", third.uuid), (now["h1"].uuid, now["h1"].service)
        )
        self.assertEqual(2, len(now))

    @settings(max_examples=60, deadline=None)
    @given(json_values)
    def test_anything_in_place_of_them(self, value: object) -> None:
        for reads in (
            read_service,
            read_hypervisor,
            read_migration,
            read_deed,
        ):
            with self.assertRaises(Unreadable):
                reads(value)


class DeedsTest(unittest.TestCase):
    def test_how_a_migration_stands(self) -> None:
        for course, words in (
            (
                Course.UNDER_WAY,
                "accepted queued preparing running pre-migrating migrating "
                "post-migrating reverting never-heard-of",
            ),
            (
                Course.ARRIVED,
                "completed done finished confirming confirmed",
            ),
            (Course.FAILED, "error failed cancelled reverted"),
        ):
            for word in words.split():
                found = read_migration(listed.migration(status=word))
                self.assertIs(course, found.course, word)

    def test_every_field_of_a_migration(self) -> None:
        found = read_migration(listed.migration())
        self.assertEqual(
            (listed.IMAGE, 3, listed.UUID, "edge-1", "edge-2"),
            (found.uuid, found.number, found.server, found.source, found.dest),
        )
        self.assertEqual((AT, AT + 1), (found.created, found.updated))
        found = read_migration(
            listed.migration(updated_at=None, dest_compute=None, user_id=None)
        )
        self.assertEqual(
            (AT, "", ""), (found.updated, found.dest, found.user_id)
        )

    def test_faults_of_migrations_and_deeds_are_named(self) -> None:
        for name, value in (
            ("id", "3"),
            ("id", -1),
            ("uuid", ""),
            ("instance_uuid", None),
            ("status", None),
            ("migration_type", None),
            ("created_at", None),
            ("updated_at", "x"),
            ("source_compute", 3),
            ("user_id", LONG),
        ):
            with self.assertRaises(Unreadable) as caught:
                read_migration(listed.migration(**{name: value}))
            self.assertIn(name, caught.exception.fault)
        deeds: tuple[tuple[str, object], ...] = (
            ("action", None),
            ("start_time", "x"),
            ("user_id", 3),
            ("message", []),
        )
        for name, odd in deeds:
            with self.assertRaises(Unreadable) as caught:
                read_deed(listed.deed(**{name: odd}))
            self.assertIn(name, caught.exception.fault)

    def test_a_deed_that_cannot_be_read_hides_no_other(self) -> None:
        odd = listed.deed(action=None)
        good = listed.deed()
        self.assertEqual((read_deed(good),), read_deeds([odd, good, odd]))
        self.assertEqual((), read_deeds([]))
        with self.assertRaises(Unreadable):
            read_deeds([odd])

    def test_a_deed_of_a_periodic_task_is_nobodys(self) -> None:
        found = read_deed(
            listed.deed(user_id=None, project_id=None, message="a\nb" * 80)
        )
        self.assertEqual(("", ""), (found.user_id, found.project_id))
        self.assertEqual(120, len(found.message))
        self.assertTrue(found.message.isprintable())
