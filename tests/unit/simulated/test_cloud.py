# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud answers as the real one does, and fails as told."""

from __future__ import annotations

import unittest
from typing import Any

import requests

from tests.simulated.apart import CloudApart
from tests.simulated.cloud import SimulatedCloud
from tests.simulated.faults import Break
from tests.simulated.records import identifier

TRAIT = "CUSTOM_NFV_MLA_POOL_X"


class Case(unittest.TestCase):
    """Three hosts in two cells, six servers, a clock that tests move."""

    settle_s = 0.0

    def setUp(self) -> None:
        self.now = 1_800_000_000.0
        self.sim = SimulatedCloud(
            3, 6, cells=2, clock=lambda: self.now, settle_s=self.settle_s
        ).start()
        self.addCleanup(self.sim.stop)
        self.http = requests.Session()
        self.http.trust_env = False
        self.addCleanup(self.http.close)
        self.uuid = self.sim.server(0).uuid
        self.token = self.sim.keystone.issue("monitor")

    def ask(
        self, method: str, path: str, body: Any = None, api: str = "compute"
    ) -> requests.Response:
        version = "2.100" if api == "compute" else "1.39"
        return self.http.request(
            method,
            self.sim.endpoints[api] + path,
            json=body,
            headers={
                "X-Auth-Token": self.token,
                "OpenStack-API-Version": f"{api} {version}",
            },
            timeout=5,
        )

    def act(self, action: str, argument: Any = None) -> int:
        path = f"/servers/{self.uuid}/action"
        return self.ask("POST", path, {action: argument}).status_code

    def shown(self) -> dict[str, Any]:
        answer = self.ask("GET", f"/servers/{self.uuid}").json()
        found: dict[str, Any] = answer["server"]
        return found

    def listed(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.ask("GET", f"/servers/detail?all_tenants=1{query}")
        found: list[dict[str, Any]] = answer.json()["servers"]
        return found

    def state(self) -> tuple[str, str | None]:
        found = self.shown()
        return (
            found["OS-EXT-STS:vm_state"],
            found["OS-EXT-STS:task_state"],
        )


class ListingTest(Case):
    def test_pages_by_marker_in_either_order(self) -> None:
        for order, key in (("", "created"), ("&sort_key=uuid", "id")):
            whole = [s["id"] for s in self.listed(order)]
            paged: list[str] = []
            while page := self.listed(
                f"{order}&limit=2" + (f"&marker={paged[-1]}" if paged else "")
            ):
                paged += [s["id"] for s in page]
            self.assertEqual((6, whole), (len(whole), paged))
            if key == "id":
                self.assertEqual(sorted(whole), whole)

    def test_a_marker_that_nobody_knows_is_refused(self) -> None:
        path = "/servers/detail?all_tenants=1&marker=x"
        self.assertEqual(400, self.ask("GET", path).status_code)

    def test_changes_show_the_deleted_and_a_full_listing_does_not(
        self,
    ) -> None:
        self.now += 100
        self.sim.delete(self.uuid)
        self.assertEqual(5, len(self.listed()))
        [gone] = self.listed("&changes-since=2027-01-15T08:01:40Z")
        self.assertEqual((self.uuid, "DELETED"), (gone["id"], gone["status"]))
        self.assertEqual(
            [], self.listed("&changes-since=2027-01-15T08:01:41Z")
        )
        path = f"/servers/{self.uuid}"
        self.assertEqual(404, self.ask("GET", path).status_code)

    def test_a_cell_that_is_down_shows_little_and_to_filters_nothing(
        self,
    ) -> None:
        self.sim.cell_down("cell-1")
        shown = self.listed()
        self.assertEqual(6, len(shown))
        down = [s for s in shown if s["status"] == "UNKNOWN"]
        self.assertEqual(4, len(down))
        self.assertNotIn("OS-EXT-SRV-ATTR:host", down[0])
        self.assertEqual(2, len(self.listed("&limit=10")))
        services = self.ask("GET", "/os-services?binary=nova-compute").json()
        hidden = [s for s in services["services"] if "id" not in s]
        self.assertEqual(
            {("host-00000", "UNKNOWN"), ("host-00002", "UNKNOWN")},
            {(s["host"], s["status"]) for s in hidden},
        )
        nodes = self.ask("GET", "/os-hypervisors/detail").json()
        self.assertEqual(1, len(nodes["hypervisors"]))
        self.assertEqual(500, self.act("os-stop"))

    def test_an_older_nova_refuses_a_newer_microversion(self) -> None:
        self.sim.nova.newest = "2.95"
        self.assertEqual(406, self.ask("GET", "/os-services").status_code)
        root = self.http.get(self.sim.endpoints["compute"], timeout=5)
        self.assertEqual("2.95", root.json()["version"]["version"])

    def test_without_a_token_nothing_is_shown(self) -> None:
        self.sim.keystone.forget()
        self.assertEqual(401, self.ask("GET", "/os-services").status_code)


class ActionsTest(Case):
    def test_stop_and_start(self) -> None:
        self.assertEqual(202, self.act("os-stop"))
        self.assertEqual(("stopped", None), self.state())
        self.assertEqual(409, self.act("os-stop"))
        self.assertEqual(202, self.act("os-start"))
        self.assertEqual(("active", None), self.state())

    def test_lock_and_unlock_and_whose_deeds_they_were(self) -> None:
        self.assertEqual(202, self.act("lock", {"locked_reason": "why"}))
        found = self.shown()
        self.assertEqual(
            (True, "why"), (found["locked"], found["locked_reason"])
        )
        self.token, mine = self.sim.keystone.issue("tenant"), self.token
        self.assertEqual(409, self.act("os-stop"))
        self.assertEqual(403, self.act("unlock"))
        self.token = mine
        self.assertEqual(202, self.act("unlock"))
        path = f"/servers/{self.uuid}/os-instance-actions"
        deeds = self.ask("GET", path).json()["instanceActions"]
        self.assertEqual(["unlock", "lock"], [d["action"] for d in deeds])
        self.assertEqual({"a" * 32}, {d["user_id"] for d in deeds})

    def test_another_project_sees_nothing(self) -> None:
        self.token = self.sim.keystone.issue("other-tenant")
        self.assertEqual(404, self.act("os-stop"))
        self.assertEqual(403, self.ask("GET", "/os-services").status_code)

    def test_live_migration_goes_elsewhere(self) -> None:
        before = self.shown()["OS-EXT-SRV-ATTR:host"]
        self.assertEqual(202, self.act("os-migrateLive", {"host": None}))
        after = self.shown()["OS-EXT-SRV-ATTR:host"]
        self.assertNotEqual(before, after)
        [move] = self.ask("GET", "/os-migrations").json()["migrations"]
        self.assertEqual(
            (before, after, "completed"),
            (move["source_compute"], move["dest_compute"], move["status"]),
        )

    def test_with_nowhere_to_go_it_stays_and_the_move_failed(self) -> None:
        for host in list(self.sim.world.hosts.values())[1:]:
            host.enabled = False
        self.assertEqual(202, self.act("os-migrateLive", {"host": None}))
        self.assertEqual("host-00000", self.shown()["OS-EXT-SRV-ATTR:host"])
        [move] = self.ask("GET", "/os-migrations").json()["migrations"]
        self.assertEqual("error", move["status"])

    def test_a_cold_migration_waits_to_be_confirmed(self) -> None:
        self.act("os-stop")
        self.assertEqual(202, self.act("migrate"))
        self.assertEqual(("resized", None), self.state())
        self.assertEqual(204, self.act("confirmResize"))
        self.assertEqual(("stopped", None), self.state())
        self.assertEqual(409, self.act("confirmResize"))

    def test_evacuation_needs_a_host_that_is_down_and_ends_stopped(
        self,
    ) -> None:
        self.assertEqual(400, self.act("evacuate", {}))
        self.force_down("host-00000")
        self.assertEqual(200, self.act("evacuate", {}))
        self.assertEqual(("stopped", None), self.state())
        self.assertNotEqual("host-00000", self.shown()["OS-EXT-SRV-ATTR:host"])

    def force_down(self, host: str) -> None:
        path = f"/os-services/{self.sim.world.hosts[host].service}"
        answer = self.ask("PUT", path, {"forced_down": True})
        self.assertEqual("down", answer.json()["service"]["state"])

    def test_a_host_that_swallows_a_stop_blocks_the_server(self) -> None:
        self.sim.world.hosts["host-00000"].swallows.add("os-stop")
        self.assertEqual(202, self.act("os-stop"))
        self.assertEqual(("active", "powering-off"), self.state())
        self.assertEqual(409, self.act("os-migrateLive", {"host": None}))
        self.assertEqual(202, self.act("os-resetState", {"state": "error"}))
        self.assertEqual(("error", None), self.state())

    def test_disabling_a_service_shows_as_a_trait(self) -> None:
        host = self.sim.world.hosts["host-00000"]
        path = f"/os-services/{host.service}"
        body = {"status": "disabled", "disabled_reason": "why"}
        self.ask("PUT", path, body)
        self.assertIn("COMPUTE_STATUS_DISABLED", host.traits)
        answer = self.ask("PUT", path, {"status": "enabled"}).json()
        self.assertIsNone(answer["service"]["disabled_reason"])
        self.assertNotIn("COMPUTE_STATUS_DISABLED", host.traits)


class SlowHostsTest(Case):
    settle_s = 5.0

    def test_what_takes_time_shows_its_task_until_then(self) -> None:
        self.act("os-migrateLive", {"host": None})
        self.assertEqual(("active", "migrating"), self.state())
        self.assertEqual(409, self.act("os-stop"))
        self.now += 5
        self.assertEqual(("active", None), self.state())

    def test_a_live_migration_can_be_aborted(self) -> None:
        self.act("os-migrateLive", {"host": None})
        self.sim.world.moves[0].status = "running"
        path = f"/servers/{self.uuid}/migrations/1"
        self.assertEqual(202, self.ask("DELETE", path).status_code)
        self.now += 5
        self.assertEqual("host-00000", self.shown()["OS-EXT-SRV-ATTR:host"])


class PlacementTest(Case):
    def placement(
        self, method: str, path: str, body: Any = None
    ) -> requests.Response:
        return self.ask(method, path, body, "placement")

    def test_traits_are_written_by_generation(self) -> None:
        path = f"/resource_providers/{identifier('node', 'host-00000')}/traits"
        statuses = [
            self.placement("PUT", f"/traits/{TRAIT}").status_code
            for _ in range(2)
        ]
        self.assertEqual([201, 204], statuses)
        had = self.placement("GET", path).json()
        body = {**had, "traits": [TRAIT]}
        self.assertEqual(200, self.placement("PUT", path, body).status_code)
        self.assertEqual(409, self.placement("PUT", path, body).status_code)
        query = f"?name=startswith:{TRAIT[:12]}&associated=true"
        names = self.placement("GET", f"/traits{query}").json()["traits"]
        self.assertEqual([TRAIT], names)
        found = self.placement("GET", f"/resource_providers?required={TRAIT}")
        self.assertEqual(1, len(found.json()["resource_providers"]))

    def test_a_trait_that_is_none_is_refused(self) -> None:
        found = self.placement("GET", "/resource_providers?required=CUSTOM_Y")
        self.assertEqual(400, found.status_code)

    def test_room_is_what_servers_leave(self) -> None:
        self.sim.boot("host-00000", vcpus=62)
        path = "/resource_providers?resources=VCPU:1"
        found = self.placement("GET", path).json()["resource_providers"]
        self.assertEqual(
            ["host-00001", "host-00002"], [one["name"] for one in found]
        )


class FaultsTest(Case):
    def test_calls_are_counted_by_what_they_are(self) -> None:
        self.act("os-stop")
        self.shown()
        self.assertEqual(
            {
                "POST compute/servers/{id}/action os-stop": 1,
                "GET compute/servers/{id}": 1,
            },
            dict(self.sim.calls),
        )

    def test_a_status_with_headers_some_times_after_some(self) -> None:
        self.sim.fail(
            "POST",
            "action",
            status=429,
            after=1,
            times=2,
            headers={"Retry-After": "7"},
        )
        found = [self.act("lock", {}) for _ in range(4)]
        self.assertEqual([202, 429, 429, 202], found)

    def test_what_failed_is_not_done_unless_so_told(self) -> None:
        self.sim.fail("POST", "os-stop", status=500)
        self.assertEqual(500, self.act("os-stop"))
        self.assertEqual(("active", None), self.state())
        self.sim.fail("POST", "os-stop", status=500, done=True)
        self.assertEqual(500, self.act("os-stop"))
        self.assertEqual(("stopped", None), self.state())

    def test_half_a_page_and_none(self) -> None:
        for how in Break:
            self.sim.fail("GET", "servers/detail", how=how)
            with (
                self.subTest(how),
                self.assertRaises(requests.exceptions.RequestException),
            ):
                self.listed()
        self.assertEqual(6, len(self.listed()))

    def test_an_answer_that_never_comes(self) -> None:
        self.sim.fail("GET", "os-services", delay_s=30.0)
        with self.assertRaises(requests.exceptions.Timeout):
            self.http.get(
                self.sim.endpoints["compute"] + "/os-services", timeout=0.05
            )

    def test_all_fail_until_it_is_healed(self) -> None:
        self.sim.fail(".*", "compute", status=503, times=None)
        self.assertEqual([503, 503], [self.act("lock"), self.act("lock")])
        self.sim.heal()
        self.assertEqual(202, self.act("lock"))


class ApartTest(unittest.TestCase):
    def test_it_is_the_same_in_a_process_of_its_own(self) -> None:
        with CloudApart(2, 4) as cloud:
            root = requests.get(cloud.endpoints["compute"], timeout=5)
            self.assertEqual("2.104", root.json()["version"]["version"])
            self.assertEqual({"GET compute": 1}, dict(cloud.calls))
            cloud.do("change_some", [0], host="host-00001")
            self.assertEqual("host-00001", cloud.do("server", 0).host)
            with self.assertRaises(RuntimeError):
                cloud.do("server", 9)


if __name__ == "__main__":
    unittest.main()
