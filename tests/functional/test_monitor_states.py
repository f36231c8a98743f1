# SPDX-License-Identifier: Apache-2.0
"""Nova does with a server in each state what our table says."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova import context as nova_context
from nova import objects
from nova.conf import CONF

from nfv_mla_scheduler.monitor import picture
from nfv_mla_scheduler.monitor import states
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.states import Obstacle
from nfv_mla_scheduler.monitor.states import Verdict
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from tests.cloud import description as desc
from tests.cloud import testcase
from tests.cloud.client import ApiError

HOSTS = ("edge-1", "edge-2", "edge-3")
# What a step, or something that has to come before it, is in the API.
REQUESTS: dict[Ask, tuple[str, ty.Any]] = {
    Ask.LOCK: ("lock", {"locked_reason": "said"}),
    Ask.LIVE_MIGRATE: (
        "os-migrateLive",
        {"host": None, "block_migration": "auto"},
    ),
    Ask.MIGRATE: ("migrate", None),
    Ask.CONFIRM: ("confirmResize", None),
    Ask.STOP: ("os-stop", None),
    Ask.UNPAUSE: ("unpause", None),
    Ask.RESUME: ("resume", None),
    Ask.UNRESCUE: ("unrescue", None),
    Ask.RESET_STATE: ("os-resetState", {"state": "error"}),
    Ask.EVACUATE: ("evacuate", {}),
}
# What brings an active server into a state.
WAYS: dict[VmState, tuple[tuple[str, ty.Any], ...]] = {
    VmState.ACTIVE: (),
    VmState.PAUSED: (("pause", None),),
    VmState.SUSPENDED: (("suspend", None),),
    VmState.STOPPED: (("os-stop", None),),
    VmState.RESCUED: (("rescue", None),),
    VmState.RESIZED: (("migrate", None),),
    VmState.SOFT_DELETED: (("delete", None),),
    VmState.ERROR: (("os-resetState", {"state": "error"}),),
    VmState.SHELVED: (("shelve", None),),
    VmState.SHELVED_OFFLOADED: (("shelve", None), ("shelveOffload", None)),
}
# The fake driver reports RUNNING in most of them.
POWER = {
    VmState.PAUSED: Power.PAUSED,
    VmState.SUSPENDED: Power.SHUTDOWN,
    VmState.STOPPED: Power.SHUTDOWN,
    VmState.SOFT_DELETED: Power.SHUTDOWN,
    VmState.SHELVED: Power.SHUTDOWN,
    VmState.SHELVED_OFFLOADED: Power.SHUTDOWN,
}
FORCED: dict[str, ty.Any] = {"zone": "nova:edge-1", "microversion": "2.73"}
ASKING = (Step.LIVE_MIGRATE, Step.COLD_MIGRATE, Step.STOP)


class StatesTestCase(testcase.CloudTestCase):
    description = desc.Description(
        computes=tuple(
            desc.Compute(name, encrypted_guests={desc.AMD_SEV_SNP: 4})
            for name in HOSTS
        ),
        overrides={
            "DEFAULT": {
                "shelved_offload_time": -1,
                # Nobody reports while tests run.
                "service_down_time": 3600,
                "shelved_poll_interval": -1,
            }
        },
        enabled_filters=("ComputeFilter",),
    )

    def setUp(self) -> None:
        super().setUp()
        self.plain = self.admin.create_flavor("plain")

    def seen(self, uuid: str) -> Server:
        """Return a server as the monitor sees it."""
        shown = self.admin.server(uuid)
        vm_state = VmState(shown["OS-EXT-STS:vm_state"])
        power = Power(shown["OS-EXT-STS:power_state"])
        host = shown["OS-EXT-SRV-ATTR:host"] or ""
        specs = shown["flavor"]["extra_specs"]
        properties = (shown["image"] or {}).get("properties", {})
        return Server(
            uuid,
            shown["tenant_id"],
            host,
            host,
            vm_state,
            shown["OS-EXT-STS:task_state"] or "",
            POWER.get(vm_state, power),
            shown["locked"],
            "",
            0.0,
            "image",
            picture.Ask(specs, properties, {}, {}),
        )

    def boot_into(
        self, vm_state: VmState, flavor: str = "", **kwargs: ty.Any
    ) -> str:
        """Return a server of the tenant's in this state."""
        # Who may force a host is an administrator.
        client = self.admin if "zone" in kwargs else self.tenant
        uuid = client.create_server("vm", flavor or self.plain, **kwargs)
        self.assertIsNone(self.admin.fault_of(uuid))
        for action, argument in WAYS[vm_state]:
            if action == "delete":
                self._delete_softly(uuid)
            else:
                self.admin.act(uuid, action, argument)
        self.assertIs(
            vm_state,
            self.seen(uuid).vm_state,
            str(self.admin.fault_of(uuid)),
        )
        return uuid

    def _delete_softly(self, uuid: str) -> None:
        # Only now, or what clears the cloud would delete softly as well.
        CONF.set_override("reclaim_instance_interval", 3600)
        try:
            self.admin.request("DELETE", f"/servers/{uuid}")
            self.admin.settled(uuid)
        finally:
            CONF.clear_override("reclaim_instance_interval")
        # Listed by nobody who does not ask for it.
        self.addCleanup(self.admin.delete, uuid)

    def status_of(self, uuid: str, ask: Ask) -> int:
        """Do as ``answer_to``, and wait until the server rests."""
        status = self.answer_to(uuid, ask)
        self.admin.settled(uuid)
        return status

    def answer_to(self, uuid: str, ask: Ask) -> int:
        """Return what Nova answers to a request, 202 for any success."""
        action, argument = REQUESTS[ask]
        try:
            self.admin.act(uuid, action, argument, wait=False)
        except ApiError as error:
            return error.status
        return 202

    def ask_by_table(self, uuid: str, step: Step) -> list[Ask]:
        """Do what the table says until the step is taken or it says no."""
        asked: list[Ask] = []
        for _ in range(4):
            found = states.possible(step, self.seen(uuid))
            for ask in found.asks:
                self.assertEqual(
                    202, self.status_of(uuid, ask), str((ask, found))
                )
            asked += found.asks
            if found.verdict is not Verdict.PRELUDE:
                return asked
        raise AssertionError(asked)


class StepsByStateTest(StatesTestCase):
    def test_moves_and_stops(self) -> None:
        taken: dict[tuple[VmState, Step], list[Ask]] = {}
        for vm_state in WAYS:
            used = False
            uuid = self.boot_into(vm_state)
            for step in ASKING:
                with self.subTest(vm_state, step=step):
                    server = self.seen(uuid)
                    found = states.possible(step, server)
                    (ask,) = states._ASKS[step]
                    if found.verdict is not Verdict.DO:
                        # What is done already is refused as well.
                        self.assertEqual(409, self.status_of(uuid, ask))
                    if found.asks:
                        if used:
                            uuid = self.boot_into(vm_state)
                        taken[vm_state, step] = self.ask_by_table(uuid, step)
                        used = True
                    elif found.verdict is Verdict.DONE:
                        self.assertFalse(server.runs)
                    if used and step is not Step.STOP:
                        uuid, used = self.boot_into(vm_state), False
        self.assertEqual(TAKEN, taken)

    def test_anything_can_be_locked(self) -> None:
        for vm_state in (VmState.SOFT_DELETED, VmState.SHELVED_OFFLOADED):
            uuid = self.boot_into(vm_state)
            self.assertEqual(202, self.status_of(uuid, Ask.LOCK))
            self.assertTrue(self.seen(uuid).locked)
            for action in ("restore", "unshelve", "forceDelete"):
                with self.assertRaises(ApiError) as caught:
                    self.tenant.act(uuid, action)
                self.assertIn(
                    ty.cast(ApiError, caught.exception).status, (403, 409)
                )

    def test_a_guest_that_runs_while_stopped_is_reset_and_stopped(
        self,
    ) -> None:
        uuid = self.boot_into(VmState.STOPPED)
        lies = dataclasses.replace(self.seen(uuid), power=Power.RUNNING)
        found = states.possible(Step.STOP, lies)
        self.assertEqual((Ask.RESET_STATE,), found.asks)
        self.assertEqual(202, self.status_of(uuid, Ask.RESET_STATE))
        self.assertEqual(202, self.status_of(uuid, Ask.STOP))
        self.assertIs(VmState.STOPPED, self.seen(uuid).vm_state)

    def test_what_is_being_built_is_waited_for(self) -> None:
        self.cloud.stop_compute("edge-1")
        uuid = self.admin.create_server("vm", self.plain, wait=False, **FORCED)
        server = self.seen(uuid)
        self.assertIs(VmState.BUILDING, server.vm_state)
        for step in (*ASKING, Step.EVACUATE):
            (ask,) = states._ASKS[step]
            self.assertIs(Verdict.WAIT, states.possible(step, server).verdict)
            if step is not Step.EVACUATE:  # it has no host yet to be down
                self.assertEqual(409, self.answer_to(uuid, ask), str(step))


# What is asked for each step in each state; what is not here Nova refuses.
TAKEN = {
    (VmState.ACTIVE, Step.LIVE_MIGRATE): [Ask.LIVE_MIGRATE],
    (VmState.ACTIVE, Step.COLD_MIGRATE): [Ask.MIGRATE],
    (VmState.ACTIVE, Step.STOP): [Ask.STOP],
    (VmState.PAUSED, Step.LIVE_MIGRATE): [Ask.LIVE_MIGRATE],
    (VmState.PAUSED, Step.COLD_MIGRATE): [Ask.UNPAUSE, Ask.MIGRATE],
    (VmState.PAUSED, Step.STOP): [Ask.UNPAUSE, Ask.STOP],
    (VmState.SUSPENDED, Step.COLD_MIGRATE): [Ask.RESUME, Ask.MIGRATE],
    (VmState.STOPPED, Step.COLD_MIGRATE): [Ask.MIGRATE],
    (VmState.RESCUED, Step.LIVE_MIGRATE): [Ask.UNRESCUE, Ask.LIVE_MIGRATE],
    (VmState.RESCUED, Step.COLD_MIGRATE): [Ask.UNRESCUE, Ask.MIGRATE],
    (VmState.RESCUED, Step.STOP): [Ask.UNRESCUE, Ask.STOP],
    (VmState.RESIZED, Step.LIVE_MIGRATE): [Ask.CONFIRM, Ask.LIVE_MIGRATE],
    (VmState.RESIZED, Step.COLD_MIGRATE): [Ask.CONFIRM, Ask.MIGRATE],
    (VmState.RESIZED, Step.STOP): [Ask.CONFIRM, Ask.STOP],
    (VmState.ERROR, Step.COLD_MIGRATE): [Ask.STOP, Ask.MIGRATE],
    (VmState.ERROR, Step.STOP): [Ask.STOP],
}


class EvacuateTest(StatesTestCase):
    def test_by_state(self) -> None:
        expected = {
            VmState.ACTIVE: [Ask.EVACUATE],
            VmState.STOPPED: [Ask.EVACUATE],
            VmState.ERROR: [Ask.EVACUATE],
            VmState.PAUSED: [Ask.RESET_STATE, Ask.EVACUATE],
            VmState.SUSPENDED: [Ask.RESET_STATE, Ask.EVACUATE],
            VmState.RESCUED: [Ask.RESET_STATE, Ask.EVACUATE],
            VmState.RESIZED: [Ask.CONFIRM, Ask.EVACUATE],
            VmState.SHELVED: [],
        }
        servers = {}
        for vm_state in expected:
            if vm_state is VmState.RESIZED:
                uuid = self.tenant.create_server("vm", self.plain)
                if self.admin.host_of(uuid) == "edge-1":
                    self.admin.live_migrate(uuid)
                self.admin.migrate(uuid, "edge-1")
            else:
                uuid = self.boot_into(vm_state, **FORCED)
            self.assertEqual("edge-1", self.admin.host_of(uuid))
            servers[vm_state] = uuid
        self.cloud.stop_compute("edge-1")
        self.admin.update_service("edge-1", forced_down=True)
        for vm_state, uuid in servers.items():
            with self.subTest(vm_state):
                found = states.possible(Step.EVACUATE, self.seen(uuid))
                if found.verdict is not Verdict.DO:
                    status = self.status_of(uuid, Ask.EVACUATE)
                    self.assertEqual(409, status)
                asked = self.ask_by_table(uuid, Step.EVACUATE)
                self.assertEqual(expected[vm_state], asked)
                moved = self.admin.host_of(uuid) != "edge-1"
                self.assertIs(bool(asked), moved)

    def test_a_host_that_swallows_a_stop(self) -> None:
        uuid = self.boot_into(VmState.ACTIVE, **FORCED)
        self.cloud.stop_compute("edge-1")
        self.assertEqual(202, self.answer_to(uuid, Ask.STOP))
        server = self.seen(uuid)
        self.assertEqual("powering-off", server.task)
        for step in ASKING:
            found = states.possible(step, server)
            self.assertEqual(
                (Verdict.WAIT, Obstacle.TASK), (found.verdict, found.obstacle)
            )
            (ask,) = states._ASKS[step]
            self.assertEqual(409, self.answer_to(uuid, ask), str(step))
        self.assertEqual(202, self.answer_to(uuid, Ask.LOCK))
        self.admin.update_service("edge-1", forced_down=True)
        self.assertEqual(
            (Ask.EVACUATE,), states.possible(Step.EVACUATE, server).asks
        )
        self.assertEqual(202, self.status_of(uuid, Ask.EVACUATE))
        self.assertNotEqual("edge-1", self.admin.host_of(uuid))


# extra specs, step -> status of Nova's answer
OBSTACLES = (
    ({"hw:tpm_version": "2.0"}, Step.LIVE_MIGRATE, 400),
    (
        {"hw:tpm_version": "2.0", "hw:tpm_secret_security": "deployment"},
        Step.LIVE_MIGRATE,
        400,
    ),
    (
        {"hw:tpm_version": "2.0", "hw:tpm_secret_security": "host"},
        Step.LIVE_MIGRATE,
        202,
    ),
    ({"hw:tpm_version": "2.0"}, Step.EVACUATE, 400),
    ({"accel:device_profile": "fpga"}, Step.LIVE_MIGRATE, 400),
    ({"accel:device_profile": "fpga"}, Step.COLD_MIGRATE, 400),
)


class ObstaclesTest(StatesTestCase):
    def test_of_flavors(self) -> None:
        for specs, step, status in OBSTACLES:
            with self.subTest(specs, step=step):
                uuid = self.boot_into(VmState.ACTIVE)
                _rewrite_flavor(uuid, specs)
                server = self.seen(uuid)
                self.assertEqual(specs, server.ask.extra_specs)
                verdict = states.possible(step, server).verdict
                self.assertIs(status == 202, verdict is Verdict.DO)
                (ask,) = states._ASKS[step]
                self.assertEqual(
                    status, self.answer_to(uuid, ask), str((specs, step))
                )
                self.admin.settled(uuid)
                # Nobody here could take such a device away again.
                _rewrite_flavor(uuid, {})

    def test_encrypted_memory(self) -> None:
        flavor = self.admin.create_flavor(
            "encrypted",
            {
                "hw:mem_encryption": "true",
                "hw:mem_encryption_model": desc.AMD_SEV_SNP,
            },
        )
        uuid = self.boot_into(
            VmState.ACTIVE, flavor, image=desc.CONFIDENTIAL_IMAGE
        )
        found = states.possible(Step.LIVE_MIGRATE, self.seen(uuid))
        self.assertIs(Obstacle.ENCRYPTED_MEMORY, found.obstacle)
        self.assertEqual(400, self.answer_to(uuid, Ask.LIVE_MIGRATE))
        self.assertEqual(
            [Ask.MIGRATE], self.ask_by_table(uuid, Step.COLD_MIGRATE)
        )


def _rewrite_flavor(uuid: str, specs: dict[str, str]) -> None:
    """Give a server extra specs for which no host here would have room."""
    everywhere = nova_context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(everywhere, uuid)
    with nova_context.target_cell(everywhere, mapping.cell_mapping) as there:
        instance = objects.Instance.get_by_uuid(
            there, uuid, expected_attrs=["flavor"]
        )
        instance.flavor.extra_specs = specs
        instance.save()


class LocksTest(StatesTestCase):
    """Who locked a server is in its record, and nowhere else."""

    def test_the_record_says_who_locked(self) -> None:
        uuid = self.boot_into(VmState.ACTIVE)
        self.tenant.act(uuid, "lock", {"locked_reason": "mine"})
        # An owner's lock on top of a lock does nothing.
        self.tenant.act(uuid, "lock", {"locked_reason": "again"})
        self.assertEqual([desc.TENANT], self._lockers(uuid))
        self.assertEqual("mine", self.admin.server(uuid)["locked_reason"])
        self.admin.act(uuid, "lock", {"locked_reason": "ours"})
        self.assertEqual([desc.TENANT, desc.ADMIN], self._lockers(uuid))
        self.assertEqual("ours", self.admin.server(uuid)["locked_reason"])
        with self.assertRaises(ApiError) as caught:
            self.tenant.act(uuid, "unlock")
        self.assertEqual(403, ty.cast(ApiError, caught.exception).status)
        self.admin.act(uuid, "unlock")
        self.assertEqual("unlock", self._deeds(uuid)[-1]["action"])

    def _deeds(self, uuid: str) -> list[dict[str, ty.Any]]:
        answer = self.admin.request(
            "GET", f"/servers/{uuid}/os-instance-actions"
        )
        return list(reversed(answer["instanceActions"]))

    def _lockers(self, uuid: str) -> list[desc.User]:
        return [
            next(
                user
                for user in desc.USERS
                if (user.id, user.project_id)
                == (deed["user_id"], deed["project_id"])
            )
            for deed in self._deeds(uuid)
            if deed["action"] == "lock"
        ]
