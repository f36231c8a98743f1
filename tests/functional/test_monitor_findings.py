# SPDX-License-Identifier: Apache-2.0
"""What a monitor finds in a real Nova, and what it leaves alone.

One test for each kind of finding, for what is nobody's fault, for what other
people did, and for the limits within which it acts.
"""

from __future__ import annotations

import time
import typing as ty

from nova.tests import fixtures as nova_fixtures

from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.holding import edits
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.marks import Code as MarkCode
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.reporting.lines import Code
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.traits import trait_of
from tests.cloud import client
from tests.cloud import description as desc
from tests.cloud.site import claim
from tests.functional import monitored
from tests.functional import world

#: To which a server can go from the first one.
OTHERS = (world.GOOD_2, world.ENCLAVE_1)
MAX_AGE_S = 3600.0
GRACE_S = 60.0
POOL_TRAIT = trait_of("enclaves-a")
FORGED = "nfv-mla/1 lock 0123abcd 2026-01-01T00:00:00Z " + (
    "since=2026-01-01T00:00:00Z was=active " + "A" * 43
)


class FindingsTestCase(monitored.MonitoredTestCase):
    hosts: ty.ClassVar[tuple[str, ...]] = (
        world.GOOD_1,
        world.GOOD_2,
        world.WEB,
        world.ENCLAVE_1,
    )

    def silence(self, *hosts: str, for_s: float = 1.0) -> None:
        """Let the authority have said its last word of hosts long ago."""
        at = self.now - MAX_AGE_S - for_s
        for host in hosts:
            self.site.attested[world.AUTHORITY][host].at = at
        self.publish()

    def boot_trusted(self, host: str = world.GOOD_1) -> str:
        """Return a server that complies, and that the monitor has seen."""
        server = self.boot(self.trusted, host)
        self.cycle()
        self.assertEqual({}, self.found())
        return server

    def turn_bad(self, *hosts: str) -> None:
        self.contraindicate(*hosts, axis=Axis.INTEGRITY)

    def found(self) -> dict[str, Kind]:
        """Return what the last cycle found, by server."""
        assert self.last.ruling is not None, self.last.failures
        servers = self.last.ruling.verdict.servers
        return {uuid: finding.kind for uuid, finding in servers.items()}

    def assert_left_alone(self, *servers: str) -> None:
        """Assert that nothing was done to servers, and to no host."""
        for server in servers:
            shown = self.admin.server(server)
            self.assertEqual("ACTIVE", shown["status"])
            self.assertFalse(shown["locked"])
        for host in self.hosts:
            self.assertEqual("enabled", self.admin.service_of(host)["status"])


class FoundTest(FindingsTestCase):
    """What there is to be found."""

    def test_failed(self) -> None:
        server = self.boot_trusted()
        self.turn_bad(world.GOOD_1)
        self.assert_found(server, Kind.FAILED, Axis.INTEGRITY)
        self.assertIs(MarkCode.FENCE, self._fence(world.GOOD_1).code)
        self.assert_halted(server, world.GOOD_1)
        self.assertIsNone(self.fence_of(world.GOOD_2))

    def _fence(self, host: str) -> Mark:
        fence = self.fence_of(host)
        assert fence is not None
        return fence

    def test_host_that_still_fails_stays_fenced_when_it_is_empty(
        self,
    ) -> None:
        server = self.boot(self.flavor(Axis.EXPOSURE), world.GOOD_1)
        self.cycle()
        self.contraindicate(world.GOOD_1, axis=Axis.EXPOSURE)
        self.cycle()
        self.assertIsNotNone(self.fence_of(world.GOOD_1))
        self.assert_evicted(server, world.GOOD_1)
        for _ in range(3):
            self.wait(monitored.LONG_S)
            self.publish()
            self.cycle()
            self.assertIsNotNone(self.fence_of(world.GOOD_1))
        self.recover()
        self.settled()
        self.assertIsNone(self.fence_of(world.GOOD_1))

    def test_withheld_counts_only_after_its_grace(self) -> None:
        server = self.boot_trusted()
        self.silence(world.GOOD_1)
        for _ in range(6):
            self.assert_found(server, Kind.WITHHELD)
            self.assert_left_alone(server)
            self.wait(monitored.INTERVAL_S)
        self.publish()
        self.assert_found(server, Kind.WITHHELD, Axis.CONFIDENTIALITY)
        self.assertIsNotNone(self.fence_of(world.GOOD_1))
        where = self.assert_evicted(server, world.GOOD_1)
        self.assertIn(where, OTHERS)

    def test_restart_only_delays_what_is_withheld(self) -> None:
        server = self.boot_trusted()
        self.silence(world.GOOD_1)
        self.cycle()
        self.wait(GRACE_S - 1)
        self.publish()
        self.restart()
        for _ in range(2):
            self.assert_found(server, Kind.WITHHELD)
            self.assert_left_alone(server)
            self.wait(GRACE_S / 2 - 1)
        self.wait(monitored.INTERVAL_S)
        self.publish()
        self.cycle()
        self.assertIsNotNone(self.fence_of(world.GOOD_1))

    def test_outage_evicts_nobody_and_is_said_once(self) -> None:
        servers = [self.boot_trusted(h) for h in (world.GOOD_1, world.GOOD_2)]
        self.silence(*world.BOUND, for_s=GRACE_S)
        for _ in range(8):
            self.cycle()
            self.assertEqual(dict.fromkeys(servers, Kind.OUTAGE), self.found())
            self.assert_left_alone(*servers)
            self.wait(monitored.INTERVAL_S)
        (said,) = self.said(Code.OUTAGE)
        self.assertIn(f"{world.AUTHORITY}: 0 hosts and 2 servers", said)
        self.recover()
        self.cycle()
        self.assertEqual({}, self.found())
        self.assertEqual(1, len(self.said(Code.OUTAGE_OVER)))

    def test_changed_policy(self) -> None:
        server = self.boot_trusted()
        document = self.next_policy()
        del document["hosts"][world.GOOD_1]
        self.put_policy(document)
        self.assert_found(server, Kind.CHANGED, Axis.PLACE)
        self.assertTrue(self.finding(server).by_rules)
        self.assertIn(self.assert_evicted(server, world.GOOD_1), OTHERS)

    def test_changed_capability_that_is_static(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self.cycle()
        said = self.site.attested[world.AUTHORITY][world.GOOD_1]
        said.claims["tpm"] = claim("tpm", ["virtual"])
        self.publish()
        self.assert_found(server, Kind.CHANGED, Axis.INTEGRITY)
        self.assertIsNotNone(self.fence_of(world.GOOD_1))
        self.assert_halted(server, world.GOOD_1)

    def test_misplaced_is_not_its_hosts_fault(self) -> None:
        other = self.boot(self.plain, world.WEB)
        server = self.admin.create_server(
            "vm", self.trusted, zone=f"nova:{world.WEB}"
        )
        self.assert_found(server, Kind.MISPLACED, Axis.PLACE)
        self.assert_evicted(server, world.WEB)
        self.assert_rests(other, world.WEB)
        self.assert_left_alone(other)

    def test_copied_is_said_once(self) -> None:
        asked = {**monitored.ASKED[Axis.INTEGRITY], "nfv_mla:copy": "deny"}
        flavor = self.admin.create_flavor("no-copies", asked)
        server = self.boot(flavor, world.GOOD_1)
        self.cycle()
        self._wait_for_another_second(server)
        self.tenant.act(server, "createImage", {"name": "a copy"})
        for _ in range(3):
            self.cycle()
            self.wait(monitored.INTERVAL_S)
        assert self.last.ruling is not None
        (copied,) = self.last.ruling.verdict.copied
        self.assertEqual(
            ("createImage", server, desc.TENANT.project_id),
            (copied.action, copied.server, copied.by_project),
        )
        self.assertEqual(1, len(self.said(Code.COPIED)))
        self.assert_left_alone(server)

    def _wait_for_another_second(self, server: str) -> None:
        """Let what is done next show in the whole seconds of ``updated``."""
        updated = self.admin.server(server)["updated"]
        self.admin.wait_until(
            lambda: world.utc(time.time()) > updated, "the clock stands still"
        )

    def test_copy_that_nothing_forbids_is_no_finding(self) -> None:
        server = self.boot_trusted()
        self.tenant.act(server, "createImage", {"name": "a copy"})
        self.cycle()
        assert self.last.ruling is not None
        self.assertEqual((), self.last.ruling.verdict.copied)

    def test_malformed_requirements_are_a_finding(self) -> None:
        flavor = self.admin.create_flavor(
            "odd", {"nfv_mla:capability.tpm": "granite"}, microversion="2.85"
        )
        good = self.boot_trusted(world.GOOD_2)
        server = self.admin.create_server(
            "vm", flavor, zone=f"nova:{world.GOOD_1}"
        )
        self.assert_rests(server, world.GOOD_1)
        self.assert_found(server, Kind.MISPLACED)
        self.settled()
        held = self.held(server)
        assert held is not None
        self.assertIs(Why.NOWHERE_TO_GO, held.why)
        self.assert_rests(server, world.GOOD_1)
        self.assertNotIn(good, self.found())

    def test_strangers_and_the_absent_are_named_once(self) -> None:
        for _ in range(3):
            self.cycle()
        (stranger,) = self.said(Code.STRANGER)
        self.assertIn(world.WEB, stranger)
        absent = self.said(Code.ABSENT)
        self.assertEqual(len(world.BOUND) - 3, len(absent), str(absent))

    # What begins as ours does, and is not ours.

    def tampered(self) -> list[tuple[str, str]]:
        """Return what the last cycle found, and the names of it."""
        assert self.last.ruling is not None, self.last.failures
        return [(t.what, t.name) for t in self.last.ruling.verdict.tampered]

    def test_mark_in_a_members_lock(self) -> None:
        server = self.boot_trusted()
        self.tenant.act(server, "lock", {"locked_reason": FORGED})
        for _ in range(2):
            self.cycle()
            self.assertEqual([("server", server)], self.tampered())
        self.assertEqual(1, len(self.said(Code.TAMPERED)))
        self.turn_bad(world.GOOD_1)
        self.assert_halted(server, world.GOOD_1)
        self.assertEqual([], self.tampered())
        self.assert_locked_against(self.tenant, server)

    def test_mark_that_was_once_ours_does_not_count_for_its_owner(
        self,
    ) -> None:
        server = self.boot_trusted()
        self.turn_bad(world.GOOD_1)
        self.assert_halted(server, world.GOOD_1)
        ours = self.tenant.server(server)["locked_reason"]
        self.recover()
        self.wait(monitored.LONG_S)
        self.cycles(lambda _: self.mark_of(server) is None)
        self.tenant.act(server, "lock", {"locked_reason": ours})
        self.turn_bad(world.GOOD_1)
        self.assert_halted(server, world.GOOD_1)
        self.assert_locked_against(self.tenant, server)
        error = self.assertRaises(
            client.ApiError,
            self.tenant.act,
            server,
            "unlock",
            wait=False,
        )
        self.assertEqual(403, error.status)

    def test_mark_of_another_server(self) -> None:
        one, other = self.boot_trusted(), self.boot_trusted()
        mark = Mark(MarkCode.STOP, "0123abcd", self.now, self.now, "active")
        text = marks.write(mark, other, monitored.KEY)
        self.tenant.act(one, "lock", {"locked_reason": text})
        self.cycle()
        self.assertEqual([("server", one)], self.tampered())
        self.wait(monitored.LONG_S)
        self.settled()
        self.assertTrue(self.admin.server(one)["locked"], "it is its owner's")

    def test_reason_of_a_disabled_host(self) -> None:
        server = self.boot_trusted()
        self.admin.update_service(
            world.GOOD_1, status="disabled", disabled_reason=FORGED
        )
        for _ in range(2):
            self.cycle()
            self.assertEqual([("host", world.GOOD_1)], self.tampered())
        service = self.admin.service_of(world.GOOD_1)
        self.assertEqual(FORGED, service["disabled_reason"])
        self.turn_bad(world.GOOD_1)
        self.cycles(lambda _: self.mark_of(server) is not None, "locked")
        service = self.admin.service_of(world.GOOD_1)
        self.assertIsNotNone(
            marks.read(
                service["disabled_reason"], service["id"], (monitored.KEY,)
            )
        )

    def test_traits_are_set_right_again(self) -> None:
        self.settled()
        self.assertIn(POOL_TRAIT, self._traits(world.ENCLAVE_1))
        foreign = trait_of("nobodys")
        self.admin.request(
            "PUT",
            f"/traits/{foreign}",
            service="placement",
            microversion="1.39",
        )
        self._set_traits(world.WEB, {foreign, POOL_TRAIT})
        self._set_traits(world.ENCLAVE_1, set())
        self.restart()
        self.cycle()
        self.assertEqual(
            sorted([("trait", POOL_TRAIT), ("trait", foreign)]),
            sorted(self.tampered()),
        )
        self.cycle()
        self.assertEqual([], self.tampered())
        self.assertEqual(set(), self._traits(world.WEB))
        self.assertEqual({POOL_TRAIT}, self._traits(world.ENCLAVE_1))

    def test_traits_go_with_what_they_say(self) -> None:
        self.turn_bad(world.ENCLAVE_1)
        self.cycle()
        self.assertEqual(set(), self._traits(world.ENCLAVE_1))
        self.recover()
        self.cycle()
        self.assertEqual({POOL_TRAIT}, self._traits(world.ENCLAVE_1))
        self.silence(*world.BOUND)
        self.cycle()
        self.assertEqual({POOL_TRAIT}, self._traits(world.ENCLAVE_1), "outage")

    def _traits(self, host: str) -> set[str]:
        """Return the traits of ours that a host's provider has."""
        shown = self._ask("GET", host, None)
        return {t for t in shown["traits"] if t.startswith("CUSTOM_NFV_MLA")}

    def _set_traits(self, host: str, ours: set[str]) -> None:
        shown = self._ask("GET", host, None)
        others = set(shown["traits"]) - self._traits(host)
        shown["traits"] = sorted(others | ours)
        self._ask("PUT", host, shown)

    def _ask(self, method: str, host: str, body: ty.Any) -> ty.Any:
        return self.admin.request(
            method,
            f"/resource_providers/{_uuid(host)}/traits",
            body,
            service="placement",
            microversion="1.39",
        )


class LimitsTest(FindingsTestCase):
    """What other people did, and what keeps it from acting."""

    hosts = (
        *(world.GOOD_1, world.GOOD_2, world.DULL),
        *(world.LONE_1, world.WEB),
    )

    def test_clock_that_jumps_evicts_nobody(self) -> None:
        servers = [self.boot_trusted(h) for h in (world.GOOD_1, world.GOOD_2)]
        for jump_s in (2 * MAX_AGE_S, -2 * MAX_AGE_S, -MAX_AGE_S, MAX_AGE_S):
            self.ahead_s += jump_s
            for _ in range(8):
                self.cycle()
                self.assert_left_alone(*servers)
                self.wait(monitored.INTERVAL_S)
        self.assertEqual([], self.said(Code.STEP_DONE))

    def test_what_fails_while_the_clock_jumps_waits_a_minute(self) -> None:
        server = self.boot_trusted()
        self.ahead_s += 30.0
        self.turn_bad(world.GOOD_1)
        self.cycle()
        self.cycle()
        held = self.held(server)
        assert held is not None, self.all_that_is_known()
        self.assertIs(Why.CLOCK_JUMPED, held.why)
        self.assert_rests(server, world.GOOD_1)
        self.assertIsNotNone(self.fence_of(world.GOOD_1))
        self.assert_halted(server, world.GOOD_1)

    def test_administrators_lock_is_kept(self) -> None:
        server = self.boot_trusted()
        self.admin.act(server, "lock", {"locked_reason": "maintenance"})
        self.turn_bad(world.GOOD_1)
        self.cycles(
            lambda _: self.admin.status_of(server) == "SHUTOFF", "halted"
        )
        self.recover()
        self.wait(monitored.LONG_S)
        self.settled()
        shown = self.admin.server(server)
        self.assertEqual(
            (True, "maintenance"), (shown["locked"], shown["locked_reason"])
        )

    def test_owners_lock_is_replaced(self) -> None:
        server = self.boot_trusted()
        self.tenant.act(server, "lock", {"locked_reason": "mine"})
        self.turn_bad(world.GOOD_1)
        self.assert_halted(server, world.GOOD_1)
        self.assert_locked_against(self.tenant, server)

    def test_administrators_disable_is_kept(self) -> None:
        server = self.boot_trusted()
        self.admin.update_service(
            world.GOOD_1, status="disabled", disabled_reason="new memory"
        )
        self.turn_bad(world.GOOD_1)
        self.assert_halted(server, world.GOOD_1)
        self.recover()
        self.wait(monitored.LONG_S)
        self.publish()
        self.cycles(lambda _: self.mark_of(server) is None, "released")
        self.settled()
        service = self.admin.service_of(world.GOOD_1)
        self.assertEqual(
            ("disabled", "new memory"),
            (service["status"], service["disabled_reason"]),
        )

    def test_fence_is_put_up_again(self) -> None:
        self.boot_trusted()
        self.turn_bad(world.GOOD_1)
        self.settled()
        for _ in range(2):
            self.admin.update_service(world.GOOD_1, status="enabled")
            self.cycle()
            self.assertIsNotNone(self.fence_of(world.GOOD_1))

    def test_release_after_recovery(self) -> None:
        running, stopped = self.boot_trusted(), self.boot_trusted()
        self.tenant.stop(stopped)
        self.turn_bad(world.GOOD_1)
        self.assert_halted(running, world.GOOD_1)
        self.assertIsNotNone(self.mark_of(stopped))
        self.recover()
        self.cycle()
        held = self.held(running)
        assert held is not None
        self.assertIs(Why.NOT_YET, held.why)
        self.wait(monitored.LONG_S)
        self.publish()
        self.cycles(lambda _: self.fence_of(world.GOOD_1) is None, "released")
        self.assert_rests(running, world.GOOD_1)
        self.assert_rests(stopped, world.GOOD_1, "SHUTOFF")
        self.assert_left_alone(running)
        self.assertIsNone(self.mark_of(stopped))
        self.tenant.start(stopped)
        self.settled()
        self.assert_left_alone(running, stopped)

    def test_partial_listing_releases_nobody(self) -> None:
        server = self.boot_trusted()
        self.turn_bad(world.GOOD_1)
        self.assert_halted(server, world.GOOD_1)
        self.wait(monitored.LONG_S)
        self.recover()
        with nova_fixtures.DownCellFixture():
            for _ in range(3):
                self.cycle()
                assert self.last.picture is not None
                self.assertTrue(self.last.picture.partial)
                self.assertEqual((), self.plan().releases)
                self.assertEqual((), self.plan().fences)
                self.wait(monitored.INTERVAL_S)
        self.assert_rests(server, world.GOOD_1, "SHUTOFF")
        self.publish()
        self.cycles(lambda _: self.fence_of(world.GOOD_1) is None, "released")
        self.assert_left_alone(server)

    def test_permissive_project_is_only_planned_for(self) -> None:
        document = self.next_policy()
        until = world.utc(self.now + 86400)
        document["modes"] = {
            "projects": {desc.TENANT.project_id: {"permissive_until": until}}
        }
        self.put_policy(document)
        self.cycle()
        server = self.boot_trusted()
        self.turn_bad(world.GOOD_1)
        for _ in range(3):
            self.cycle()
            self.assertTrue(self.finding(server).permissive)
            held = self.held(server)
            assert held is not None
            self.assertIs(Why.PERMISSIVE, held.why)
            self.assert_left_alone(server)

    def test_arming_says_what_is_done(self) -> None:
        server = self.boot_trusted()
        self.restart("none")
        self.turn_bad(world.GOOD_1)
        self.settled_by(Why.ACT_NONE, server)
        self.assert_left_alone(server)
        self.restart("fence")
        self.settled_by(Why.ACT_FENCE, server)
        self.assertIsNotNone(self.fence_of(world.GOOD_1))
        shown = self.admin.server(server)
        self.assertEqual(("ACTIVE", False), (shown["status"], shown["locked"]))
        self.restart("all")
        self.assert_halted(server, world.GOOD_1)

    def settled_by(self, why: Why, server: str) -> None:
        """Assert that a server is left, and why, for some cycles."""
        for _ in range(3):
            self.cycle()
            held = self.held(server)
            assert held is not None, self.all_that_is_known()
            self.assertIs(why, held.why)

    def test_pause_stops_what_is_new(self) -> None:
        server = self.boot_trusted()
        edits.pause(
            self.holds_file, self.now + 600, "change", "somebody", self.now
        )
        self.turn_bad(world.GOOD_1)
        self.settled_by(Why.PAUSED, server)
        self.assert_left_alone(server)
        self.wait(601.0)
        self.assert_halted(server, world.GOOD_1)

    # Too much at once.

    def test_authority_that_fails_for_many_hosts_is_the_suspect(self) -> None:
        failing = (world.GOOD_1, world.GOOD_2, world.LONE_1)
        servers = [self.boot_trusted(h) for h in (world.GOOD_1, world.GOOD_2)]
        servers.append(self.boot(self.trusted, world.LONE_1, self.keys))
        self.cycle()
        self.turn_bad(*failing)
        for number in range(4):
            if number == 2:
                self.restart()
            self.cycle()
            self.assertEqual(
                [world.AUTHORITY], [s.name for s in self.plan().suspects]
            )
            for server, host in zip(servers, failing, strict=True):
                self.assertIsNotNone(self.fence_of(host), host)
                held = self.held(server)
                assert held is not None, self.all_that_is_known()
                self.assertIs(Why.SUSPECT_AUTHORITY, held.why)
                self.assert_rests(server, host)
                self.assertFalse(self.admin.server(server)["locked"])
            self.wait(monitored.INTERVAL_S)
        edits.release_authority(
            self.holds_file,
            world.AUTHORITY,
            self.now + 3600,
            "it is right",
            "somebody",
            self.now,
        )
        for server, host in zip(servers, failing, strict=True):
            self.assert_halted(server, host)

    def test_two_of_many_hosts_are_no_suspicion(self) -> None:
        hosts = (world.GOOD_1, world.GOOD_2)
        servers = [self.boot_trusted(host) for host in hosts]
        self.turn_bad(*hosts)
        for server, host in zip(servers, hosts, strict=True):
            self.assert_halted(server, host)

    def test_budget_of_a_host_outlives_restarts(self) -> None:
        self._limit(per_host=1)
        servers = [self.boot_trusted() for _ in range(3)]
        self.cloud.swallow(world.GOOD_1, "stop_instance")
        self.turn_bad(world.GOOD_1)
        for _ in range(6):
            self.restart()
            self.cycle()
            self.wait(monitored.INTERVAL_S)
        begun = [
            server
            for server in servers
            if self.admin.server(server)["OS-EXT-STS:task_state"]
        ]
        self.assertEqual(1, len(begun), self.all_that_is_known())
        for server in set(servers) - set(begun):
            mark, held = self.mark_of(server), self.held(server)
            assert mark is not None and held is not None
            self.assertIs(MarkCode.LOCK, mark.code)
            self.assertIs(Why.PER_HOST, held.why)

    def test_budget_of_a_minute_outlives_restarts(self) -> None:
        self._limit(evictions_per_minute=2)
        servers = [self.boot_trusted() for _ in range(4)]
        self.turn_bad(world.GOOD_1)
        halted: list[int] = []
        for _ in range(14):
            self.restart()
            self.cycle()
            halted.append(
                sum(self.admin.status_of(s) == "SHUTOFF" for s in servers)
            )
            self.wait(monitored.INTERVAL_S)
        self.assertEqual(4, halted[-1], str(halted))
        for before, after in zip(halted, halted[5:], strict=False):
            self.assertLessEqual(after - before, 2, str(halted))

    def _limit(self, **budgets: int) -> None:
        document = self.next_policy()
        document["guard"] |= budgets
        self.put_policy(document)
        self.cycle()

    def test_policy_under_which_much_is_misplaced_is_braked(self) -> None:
        flavor = self.flavor(Axis.EXPOSURE)
        servers = [self.boot(flavor, world.GOOD_1) for _ in range(3)]
        self.cycle()
        document = self.next_policy()
        del document["hosts"][world.GOOD_1]
        self.put_policy(document)
        for number in range(4):
            if number == 2:
                self.restart()
            self.cycle()
            braked = self.plan().braked
            assert braked is not None, self.all_that_is_known()
            self.assertEqual((3, 3), (braked.failing, braked.of))
            for server in servers:
                held = self.held(server)
                assert held is not None, self.all_that_is_known()
                self.assertIs(Why.SUSPECT_POLICY, held.why)
            self.wait(monitored.INTERVAL_S)
        self.assert_left_alone(*servers)
        digest = self.policy_digest()
        edits.release_policy(self.holds_file, digest, self.now)
        for server in servers:
            self.assertEqual(
                world.GOOD_2, self.assert_evicted(server, world.GOOD_1)
            )

    def policy_digest(self) -> str:
        policy = self.last.snapshot.policy
        assert policy is not None
        return policy.digest

    def test_intents_are_recorded_before_what_is_done(self) -> None:
        server = self.boot_trusted()
        self.turn_bad(world.GOOD_1)
        self.assert_halted(server, world.GOOD_1)
        kinds = [
            event.kind
            for event in self.events.all
            if event.fields.get("server") == server
            and event.fields.get("step") == Step.STOP.value
        ]
        self.assertEqual(
            [
                EventKind.PLANNED,
                EventKind.STEP_INTENDED,
                EventKind.STEP_DONE,
            ],
            kinds[:3],
        )


def _uuid(host: str) -> str:
    return world.compute(host).uuid
