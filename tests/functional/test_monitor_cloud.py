# SPDX-License-Identifier: Apache-2.0
"""The monitor's way to Nova and Placement, with both of them real.

Over HTTP, by keystoneauth and with a password.  What the real ones cannot be
brought to answer is in tests/unit/monitor/cloud.
"""

from __future__ import annotations

import pathlib
import tempfile
import time
import typing as ty

from oslo_config import cfg

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor import port
from nfv_mla_scheduler.monitor.cloud import nova
from nfv_mla_scheduler.monitor.cloud import placement
from nfv_mla_scheduler.monitor.cloud import session
from nfv_mla_scheduler.monitor.cloud.both import NovaAndPlacement
from nfv_mla_scheduler.monitor.cloud.channel import Channel
from nfv_mla_scheduler.monitor.cloud.channel import Json
from nfv_mla_scheduler.monitor.cloud.channel import Speaks
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from tests.cloud import client
from tests.cloud import cloud as clouds
from tests.cloud import description as desc
from tests.cloud import testcase

HOSTS = ("edge-1", "edge-2", "edge-3")
COMPUTES = tuple(desc.Compute(name) for name in HOSTS)
TRAIT = "CUSTOM_NFV_MLA_POOL_GOLD"
OPTIONS = {
    "auth_type": "OS_AUTH_TYPE",
    "auth_url": "OS_AUTH_URL",
    "username": "OS_USERNAME",
    "password": "OS_PASSWORD",
    "project_name": "OS_PROJECT_NAME",
    "user_domain_id": "OS_USER_DOMAIN_ID",
    "project_domain_id": "OS_PROJECT_DOMAIN_ID",
    "region_name": "OS_REGION_NAME",
}


def configured(
    here: clouds.Cloud, user: desc.User = desc.ADMIN, **changed: str
) -> cfg.ConfigOpts:
    """Return the configuration of a monitor of this cloud, from a file."""
    environment = here.environment(user)
    values = {name: environment[key] for name, key in OPTIONS.items()}
    values.update(changed)
    lines = [f"{name} = {value}" for name, value in values.items() if value]
    conf = cfg.ConfigOpts()
    session.register(conf)
    session.register(conf)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "monitor.conf")
        path.write_text("\n".join(["[monitor]", *lines]))
        conf([], project="nfv-mla", default_config_files=[str(path)])
    return conf


class CloudTestCase(testcase.CloudTestCase):
    """Tests with a monitor's connection that lists two things on a page."""

    description = desc.Description(computes=COMPUTES)
    own: ty.ClassVar[NovaAndPlacement]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.own = session.connect(configured(cls.cloud), 60.0, limit=2)

    def setUp(self) -> None:
        super().setUp()
        self.small = self.admin.create_flavor("small")

    def boot(self, host: str = "edge-1") -> str:
        return self.admin.create_server("vm", self.small, host=host)

    def seen(self, uuid: str) -> Server:
        found = self.own.server(uuid)
        assert found is not None
        return found

    def fails(
        self, code: CloudCode, call: ty.Callable[..., object], *args: object
    ) -> CloudFailed:
        error = self.assertRaises(CloudFailed, call, *args)
        self.assertEqual(code, error.reason, str(error))
        return error


class ListingTest(CloudTestCase):
    """Servers, listed page by page and one by one."""

    def _listed(self, since: float | None) -> list[port.Page]:
        pages = list(self.own.servers(since))
        self.assertEqual("", pages[-1].next)
        for page in pages:
            self.assertEqual((), page.missing)
            self.assertLessEqual(len(page.servers), 2)
        return pages

    def test_it_is_all_that_the_port_promises(self) -> None:
        promised: port.Cloud = self.own
        self.assertEqual(desc.ADMIN.id, promised.user_id)

    def test_servers_of_all_projects_page_by_page(self) -> None:
        made = {
            user.create_server("vm", self.small): project
            for user, project in (
                (self.tenant, desc.TENANT.project_id),
                (self.other_tenant, desc.OTHER_TENANT.project_id),
                (self.admin, desc.ADMIN.project_id),
                (self.tenant, desc.TENANT.project_id),
            )
        }
        pages = self._listed(None)
        self.assertEqual([2, 2, 0], [len(page.servers) for page in pages])
        listed = [server for page in pages for server in page.servers]
        self.assertEqual(
            made, {server.uuid: server.project_id for server in listed}
        )
        self.assertEqual(
            sorted(made), [server.uuid for server in listed], "by UUID"
        )
        self.assertEqual(
            [page.servers[-1].uuid for page in pages[:-1]],
            [page.next for page in pages[:-1]],
        )
        for server in listed:
            self.assertEqual(server, self.own.server(server.uuid))

    def test_an_empty_cloud_is_one_empty_page(self) -> None:
        self.assertEqual([port.Page((), (), (), "")], self._listed(None))

    def test_a_server_that_moves_meanwhile_is_not_lost(self) -> None:
        made = {self.boot() for _ in range(4)}
        listed = []
        for page in self.own.servers(None):
            for server in page.servers:
                listed.append(server.uuid)
                # the listing changes behind us
                self.admin.live_migrate(server.uuid)
        self.assertEqual(sorted(made), listed)

    def test_what_changed_since_with_what_was_deleted(self) -> None:
        quiet, stopped, gone = (self.boot() for _ in range(3))
        since = self._a_second_later()
        self.admin.stop(stopped)
        self.admin.delete(gone)
        pages = self._listed(since)
        changed = [server for page in pages for server in page.servers]
        self.assertEqual([stopped], [server.uuid for server in changed])
        self.assertIs(VmState.STOPPED, changed[0].vm_state)
        self.assertGreaterEqual(changed[0].updated, since)
        self.assertEqual([gone], [u for page in pages for u in page.deleted])
        self.assertLess(self.seen(quiet).updated, since)
        self.assertIsNone(self.own.server(gone))
        everything = [s.uuid for p in self._listed(None) for s in p.servers]
        self.assertEqual(sorted([quiet, stopped]), everything)

    def _a_second_later(self) -> float:
        time.sleep(1.1)  # Nova's times are of whole seconds
        return float(int(time.time()))

    def test_a_softly_deleted_one_is_still_on_its_host(self) -> None:
        option = "reclaim_instance_interval"
        cfg.CONF.set_override(option, 3600)
        self.addCleanup(cfg.CONF.clear_override, option)
        server = self.boot()
        self.admin.request("DELETE", f"/servers/{server}")
        self.addCleanup(
            self.admin.request,
            "POST",
            f"/servers/{server}/action",
            {"forceDelete": None},
        )
        (found,) = self._listed(None)[0].servers
        self.assertIs(VmState.SOFT_DELETED, found.vm_state)
        self.assertEqual("edge-1", found.host)
        self.own.act(server, "restore")
        self.admin.settled(server)
        self.assertIs(VmState.ACTIVE, self.seen(server).vm_state)

    def test_what_a_server_asks_for(self) -> None:
        specs = {
            "nfv_mla:profile": "lawful-interception",
            "hw:boot_menu": "true",
        }
        flavor = self.admin.create_flavor(
            "big", specs, vcpus=2, memory_mb=1024, disk_gb=3
        )
        image = desc.SIGNED_IMAGE
        uuid = self.tenant.create_server(
            "vm", flavor, image=image, hints={"nfv_mla:country": ["DE", "FR"]}
        )
        found = self.seen(uuid)
        self.assertEqual(specs, found.ask.extra_specs)
        self.assertEqual(image.properties, found.ask.image)
        self.assertEqual({"nfv_mla:country": ["DE", "FR"]}, found.ask.hints)
        self.assertEqual(
            {"VCPU": 2, "MEMORY_MB": 1024, "DISK_GB": 3}, found.ask.amounts
        )
        self.assertEqual(image.id, found.image_id)
        self.assertFalse(found.ask.from_volume)

    def test_those_that_ask_for_the_same_share_it(self) -> None:
        for _ in range(3):
            self.boot()
        asks = {
            id(server.ask)
            for page in self._listed(None)
            for server in page.servers
        }
        self.assertEqual(1, len(asks))

    def test_one_that_fits_nowhere_is_on_no_host(self) -> None:
        huge = self.admin.create_flavor("huge", vcpus=17)
        found = self.seen(self.tenant.create_server("vm", huge))
        self.assertIs(VmState.ERROR, found.vm_state)
        self.assertEqual(("", ""), (found.host, found.node))
        self.assertFalse(found.runs)


class HostsTest(CloudTestCase):
    """Compute hosts, fences, traits and room."""

    def _nodes(self) -> dict[str, Node]:
        return dict(self.own.nodes())

    def test_hosts_with_their_compute_nodes(self) -> None:
        nodes = self._nodes()
        self.assertEqual(
            {compute.name: compute.uuid for compute in COMPUTES},
            {host: node.uuid for host, node in nodes.items()},
        )
        for host, node in nodes.items():
            self.assertEqual((host, host), (node.host, node.name))
            self.assertEqual((True, True), (node.enabled, node.up))
            self.assertEqual(self.admin.service_of(host)["id"], node.service)

    def test_a_fence_and_its_end(self) -> None:
        known = self._nodes()
        service = known["edge-2"].service
        reason = "nfv-mla/1 fence " + "x" * 239
        self.own.disable(service, reason)
        self.own.disable(service, reason)
        now = dict(self.own.services(known))
        self.assertEqual(
            (False, reason), (now["edge-2"].enabled, now["edge-2"].reason)
        )
        self.assertIs(known["edge-1"], now["edge-1"])
        self.assertEqual(now, self._nodes())
        self.own.enable(service)
        self.assertEqual(known, self.own.services(now))
        self.fails(CloudCode.REFUSED, self.own.disable, service, "x" * 256)
        self.fails(CloudCode.GONE, self.own.enable, COMPUTES[0].uuid)

    def test_services_alone_know_no_compute_nodes(self) -> None:
        nodes = self.own.services({})
        self.assertEqual(set(HOSTS), set(nodes))
        self.assertEqual({""}, {node.uuid for node in nodes.values()})

    def test_traits_come_and_go_beside_those_of_others(self) -> None:
        uuid = COMPUTES[0].uuid
        before = self._traits(uuid)
        self.assertEqual(frozenset(), self.own.trait_names("CUSTOM_NFV_MLA_"))
        self.own.create_trait(TRAIT)
        self.own.create_trait(TRAIT)
        self.assertEqual(
            frozenset(), self.own.trait_names("CUSTOM_NFV_MLA_"), "nobody has"
        )
        self.own.edit_traits(uuid, {TRAIT})
        self.own.edit_traits(uuid, {TRAIT})
        self.assertEqual(before | {TRAIT}, self._traits(uuid))
        self.assertEqual({TRAIT}, self.own.trait_names("CUSTOM_NFV_MLA_"))
        self.assertEqual({uuid}, self.own.providers(TRAIT))
        self.own.edit_traits(uuid, remove={TRAIT})
        self.own.edit_traits(uuid, remove={TRAIT})
        self.assertEqual(before, self._traits(uuid))
        self.assertEqual(frozenset(), self.own.providers(TRAIT))

    def test_the_last_trait_of_a_provider_can_go(self) -> None:
        uuid = desc.identifier("provider", "bare")
        self._placement(
            "POST", "/resource_providers", {"name": "bare", "uuid": uuid}
        )
        path = f"/resource_providers/{uuid}"
        self.addCleanup(self._placement, "DELETE", path)
        self.own.create_trait(TRAIT)
        self.own.edit_traits(uuid, {TRAIT})
        self.assertEqual({TRAIT}, self._traits(uuid))
        self.own.edit_traits(uuid, remove={TRAIT})
        self.assertEqual(set(), self._traits(uuid))
        other = COMPUTES[0].uuid[:-4] + "0000"
        self.fails(CloudCode.GONE, self.own.edit_traits, other, {TRAIT})

    def test_a_generation_that_changes_meanwhile(self) -> None:
        uuid = COMPUTES[1].uuid
        self.own.create_trait(TRAIT)
        before = self._traits(uuid)
        for times in (1, placement.CONFLICTS_MAX):
            edge = placement.Placement(self._disturbed(uuid, times))
            edge.edit_traits(uuid, {TRAIT})
            self.assertEqual(before | {TRAIT}, self._traits(uuid))
            edge = placement.Placement(self._disturbed(uuid, times))
            edge.edit_traits(uuid, remove={TRAIT})
            self.assertEqual(before, self._traits(uuid))
        disturbed = self._disturbed(uuid, placement.CONFLICTS_MAX + 1)
        edge = placement.Placement(disturbed)
        self.fails(CloudCode.CONFLICT, edge.edit_traits, uuid, {TRAIT})
        self.assertEqual(before, self._traits(uuid))

    def _disturbed(self, uuid: str, times: int) -> Channel:
        """Return a channel behind which somebody else changes a provider."""
        reach = session.Reach(configured(self.cloud), 60.0)
        path = f"/resource_providers/{uuid}/aggregates"
        placed = self._placement
        left = [times]

        class Disturbed(Channel):
            def get(self, *args: ty.Any, **kwargs: ty.Any) -> Json:
                answer = super().get(*args, **kwargs)
                if left[0]:
                    left[0] -= 1
                    has = placed("GET", path)
                    generation = has["resource_provider_generation"]
                    placed(
                        "PUT",
                        path,
                        {
                            "aggregates": [],
                            "resource_provider_generation": generation,
                        },
                    )
                return answer

        return Disturbed(
            placement.SPEAKS,
            lambda: reach._adapter("placement"),
            reach.drop,
            60.0,
        )

    def _traits(self, uuid: str) -> set[str]:
        path = f"/resource_providers/{uuid}/traits"
        return set(self._placement("GET", path)["traits"])

    def _placement(
        self, method: str, path: str, body: client.Json | None = None
    ) -> ty.Any:
        return self.admin.request(
            method, path, body, service="placement", microversion="1.22"
        )

    def test_room_is_where_enough_is_left(self) -> None:
        every = {compute.uuid for compute in COMPUTES}
        big = self.admin.create_flavor("big", vcpus=10)
        self.admin.create_server("vm", big, host="edge-3")
        one, two, three = (compute.uuid for compute in COMPUTES)
        self.assertEqual(every, self.own.room({}))
        self.assertEqual(every, self.own.room({"VCPU": 6, "DISK_GB": 1}))
        self.assertEqual({one, two}, self.own.room({"VCPU": 7}))
        self.assertEqual(set(), self.own.room({"VCPU": 17}))
        self.own.disable(self._nodes()["edge-1"].service, "for a test")
        self.assertEqual({two}, self.own.room({"VCPU": 7}))
        self.assertIn(three, self.own.room({"VCPU": 1}))
        self.fails(CloudCode.REFUSED, self.own.room, {"CUSTOM_NONE": 1})


class DeedsTest(CloudTestCase):
    """What is done to a server, and what is told of it."""

    def _act(self, uuid: str, action: str, argument: object = None) -> Server:
        self.own.act(uuid, action, argument)
        self.admin.settled(uuid)
        return self.seen(uuid)

    def test_a_lock_with_its_reason_in_place_of_another(self) -> None:
        server = self.tenant.create_server("vm", self.small)
        self.tenant.act(server, "lock", {"locked_reason": "mine"})
        self.assertEqual("mine", self.seen(server).locked_reason)
        reason = "nfv-mla/1 lock " + "x" * 240
        self.own.lock(server, reason)
        found = self.seen(server)
        self.assertEqual((True, reason), (found.locked, found.locked_reason))
        error = self.assertRaises(client.ApiError, self.tenant.stop, server)
        self.assertEqual(409, error.status)
        self.own.unlock(server)
        self.own.unlock(server)
        found = self.seen(server)
        self.assertEqual((False, ""), (found.locked, found.locked_reason))
        deeds = self.own.deeds(server)
        self.assertEqual(
            ["create", "lock", "lock", "unlock", "unlock"],
            [deed.action for deed in deeds],
        )
        self.assertEqual(
            [desc.TENANT.id] * 2 + [desc.ADMIN.id] * 3,
            [deed.user_id for deed in deeds],
        )
        self.assertEqual(
            [desc.TENANT.project_id] * 2 + [desc.ADMIN.project_id] * 3,
            [deed.project_id for deed in deeds],
        )
        self.assertTrue(all(deed.request_id for deed in deeds))
        self.assertEqual(
            sorted(deed.at for deed in deeds), [deed.at for deed in deeds]
        )

    def test_stop_and_start(self) -> None:
        server = self.boot()
        found = self._act(server, "os-stop")
        self.assertEqual(
            (VmState.STOPPED, Power.SHUTDOWN), (found.vm_state, found.power)
        )
        self.assertFalse(found.runs)
        error = self.fails(CloudCode.CONFLICT, self.own.act, server, "os-stop")
        self.assertNotIn(server, str(error))
        self.assertFalse(error.unsure)
        found = self._act(server, "os-start")
        self.assertIs(VmState.ACTIVE, found.vm_state)
        self.assertTrue(found.runs)

    def test_other_actions_and_the_states_that_they_lead_to(self) -> None:
        server = self.boot()
        for action, argument, state in (
            ("pause", None, VmState.PAUSED),
            ("unpause", None, VmState.ACTIVE),
            ("suspend", None, VmState.SUSPENDED),
            ("resume", None, VmState.ACTIVE),
            ("rescue", None, VmState.RESCUED),
            ("unrescue", None, VmState.ACTIVE),
            ("os-resetState", None, VmState.ERROR),
            ("os-resetState", {"state": "active"}, VmState.ACTIVE),
            ("rebuild", {"imageRef": desc.SIGNED_IMAGE.id}, VmState.ACTIVE),
        ):
            found = self._act(server, action, argument)
            self.assertIs(state, found.vm_state, action)
        self.assertEqual(desc.SIGNED_IMAGE.id, found.image_id)
        self.fails(CloudCode.REFUSED, self.own.act, server, "no-such")

    def test_a_live_migration(self) -> None:
        server = self.boot()
        begun = time.time() - 5
        found = self._act(server, "os-migrateLive")
        self.assertIn(found.host, ("edge-2", "edge-3"))
        self.assertEqual(found.host, found.node)
        (move,) = self._moves(begun, server)
        self.assertEqual(
            ("live-migration", "edge-1", found.host, Course.ARRIVED),
            (move.kind, move.source, move.dest, move.course),
        )
        self.assertEqual(
            (desc.ADMIN.id, desc.ADMIN.project_id),
            (move.user_id, move.project_id),
        )
        self.assertLessEqual(begun, move.created)
        self.assertLessEqual(move.created, move.updated)
        error = self.fails(
            CloudCode.CONFLICT, self.own.abort, server, move.number
        )
        self.assertIn("abort live migration", str(error))
        self.assertEqual([], self._moves(time.time() + 60, server))

    def test_a_cold_migration_confirmed_and_reverted(self) -> None:
        for action, host, course in (
            ("confirmResize", None, Course.ARRIVED),
            ("revertResize", "edge-1", Course.FAILED),
        ):
            server = self.boot()
            found = self._act(server, "migrate")
            self.assertIs(VmState.RESIZED, found.vm_state)
            self.assertNotEqual("edge-1", found.host)
            (move,) = self._moves(NEVER, server)
            self.assertEqual(
                ("migration", "finished", Course.ARRIVED),
                (move.kind, move.status, move.course),
            )
            there = found.host
            found = self._act(server, action)
            self.assertIs(VmState.ACTIVE, found.vm_state)
            self.assertEqual(host or there, found.host)
            (move,) = self._moves(NEVER, server)
            self.assertIs(course, move.course)

    def test_a_migration_that_its_host_swallows_is_seen(self) -> None:
        server = self.boot()
        for host in ("edge-2", "edge-3"):
            self.cloud.stop_compute(host)
            # up, by Nova's word, for another minute
        since = time.time() - 5
        self.own.act(server, "migrate")
        (move,) = self._moves(since, server)
        self.assertIs(Course.UNDER_WAY, move.course)
        self.assertEqual(move.created, move.updated, "it was never updated")
        self.assertEqual("resize_prep", self.seen(server).task)
        self.fails(CloudCode.CONFLICT, self.own.act, server, "migrate")

    def test_an_evacuation(self) -> None:
        server = self.boot()
        service = self.own.nodes()["edge-1"].service
        self.fails(CloudCode.REFUSED, self.own.act, server, "evacuate")
        self.cloud.stop_compute("edge-1")
        self.own.force_down(service, True)
        node = self.own.services(self.own.nodes())["edge-1"]
        self.assertEqual((True, False), (node.forced_down, node.up))
        found = self._act(server, "evacuate")
        self.assertIn(found.host, ("edge-2", "edge-3"))
        self.assertIs(VmState.STOPPED, found.vm_state)
        (move,) = self._moves(NEVER, server)
        self.assertEqual(
            ("evacuation", "done", Course.ARRIVED, "edge-1", found.host),
            (move.kind, move.status, move.course, move.source, move.dest),
        )
        # Until the host has come back and has dealt with what left it.
        self.fails(CloudCode.REFUSED, self.own.force_down, service, False)
        self.cloud.start_compute("edge-1")
        self.own.force_down(service, False)
        node = self.own.services(self.own.nodes())["edge-1"]
        self.assertFalse(node.forced_down)

    def test_moves_are_listed_page_by_page_oldest_first(self) -> None:
        servers = [self.boot() for _ in range(5)]
        for server in servers:
            self._act(server, "os-migrateLive")
        moves = self._moves(NEVER, *servers)
        self.assertEqual(servers, [move.server for move in moves])
        self.assertEqual(
            moves, self._moves(min(move.updated for move in moves), *servers)
        )

    def _moves(self, since: float, *servers: str) -> list[ty.Any]:
        return [m for m in self.own.migrations(since) if m.server in servers]

    def test_nothing_can_be_done_to_a_server_that_is_gone(self) -> None:
        gone = desc.identifier("server", "gone")
        self.assertIsNone(self.own.server(gone))
        for call in (
            lambda: self.own.lock(gone, "x"),
            lambda: self.own.unlock(gone),
            lambda: self.own.act(gone, "os-stop"),
            lambda: self.own.deeds(gone),
            lambda: self.own.abort(gone, 1),
        ):
            error = self.fails(CloudCode.GONE, call)
            self.assertFalse(error.unsure)


class ConnectingTest(CloudTestCase):
    """Credentials, endpoints and versions."""

    def _connect(
        self, user: desc.User = desc.ADMIN, **changed: str
    ) -> NovaAndPlacement:
        conf = configured(self.cloud, user, **changed)
        return session.connect(conf, 10.0)

    def test_a_wrong_password(self) -> None:
        own = self._connect(password="guessed")
        for call in (
            lambda: own.user_id,
            own.nodes,
            lambda: own.lock(COMPUTES[0].uuid, "x"),
            lambda: own.create_trait(TRAIT),
        ):
            error = self.fails(CloudCode.UNAUTHORISED, call)
            self.assertFalse(error.unsure)
            self.assertNotIn("guessed", str(error))

    def test_a_user_who_may_not(self) -> None:
        own = self._connect(desc.TENANT)
        self.fails(CloudCode.REFUSED, lambda: list(own.servers(None)))
        self.fails(CloudCode.REFUSED, own.nodes)
        self.fails(CloudCode.REFUSED, own.providers, TRAIT)

    def test_endpoints_instead_of_those_of_the_catalogue(self) -> None:
        elsewhere = self._connect(region_name="Nowhere")
        self.fails(CloudCode.UNAVAILABLE, elsewhere.nodes)
        own = self._connect(
            region_name="Nowhere",
            compute_endpoint_override=self.cloud.endpoints["compute"],
            placement_endpoint_override=self.cloud.endpoints["placement"],
        )
        self.assertEqual(set(HOSTS), set(own.nodes()))
        self.assertEqual(len(HOSTS), len(own.room({})))

    def test_interfaces_in_their_order(self) -> None:
        own = self._connect(valid_interfaces="internal,public")
        self.assertEqual(set(HOSTS), set(own.nodes()))
        own = self._connect(valid_interfaces="secret")
        self.fails(CloudCode.UNAVAILABLE, own.nodes)

    def test_nobody_at_the_endpoint(self) -> None:
        own = self._connect(compute_endpoint_override="http://127.0.0.1:9/")
        server = desc.identifier("server", "any")
        self.fails(CloudCode.UNAVAILABLE, own.server, server)
        error = self.fails(CloudCode.UNAVAILABLE, own.unlock, server)
        self.assertFalse(error.unsure, "it was never sent")
        own = self._connect(auth_url="http://127.0.0.1:9/v3")
        error = self.fails(CloudCode.UNAVAILABLE, own.unlock, server)
        self.assertFalse(error.unsure, "it was never sent")

    def test_versions_that_both_sides_speak(self) -> None:
        reach = session.Reach(configured(self.cloud), 10.0)
        self.assertEqual("2.104", reach.channel(nova.SPEAKS).version())
        self.assertEqual("1.22", reach.channel(placement.SPEAKS).version())
        older = Speaks("compute", "Nova", (2, 90), (2, 95))
        self.assertEqual("2.95", reach.channel(older).version())

    def test_an_api_that_is_too_old_is_named_with_its_version(self) -> None:
        reach = session.Reach(configured(self.cloud), 10.0)
        for speaks, text in (
            (
                Speaks("compute", "Nova", (2, 200), (2, 200)),
                "Nova is too old: its API has microversion 2.104, and 2.200 "
                "is needed",
            ),
            (
                Speaks("placement", "Placement", (2, 0), (2, 0)),
                "Placement is too old: its API has microversion 1.39, and "
                "2.0 is needed",
            ),
        ):
            channel = reach.channel(speaks)
            for _ in range(2):
                error = self.fails(CloudCode.TOO_OLD, channel.version)
                self.assertEqual(text, str(error))

    def test_credentials_that_are_not_complete(self) -> None:
        for changed, text in (
            ({"auth_type": ""}, "[monitor] auth_type: must be set"),
            ({"auth_type": "no-such"}, "[monitor] credentials: "),
            ({"auth_url": ""}, "[monitor] credentials: "),
        ):
            error = self.assertRaises(
                SettingsError, lambda c=changed: self._connect(**c)
            )
            self.assertIn(text, str(error))
