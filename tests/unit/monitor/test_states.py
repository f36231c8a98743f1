# SPDX-License-Identifier: Apache-2.0
"""The table of what Nova would do, row by row.

``tests/functional/test_monitor_states.py`` asks Nova itself.
"""

from __future__ import annotations

import dataclasses
import unittest

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.monitor import picture
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.states import Obstacle
from nfv_mla_scheduler.monitor.states import Possible
from nfv_mla_scheduler.monitor.states import Verdict
from nfv_mla_scheduler.monitor.states import possible
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

PLAIN = picture.Ask({}, {}, {}, {})
SERVER = Server(
    "uuid",
    "project",
    "edge-1",
    "edge-1",
    VmState.ACTIVE,
    "",
    Power.RUNNING,
    False,
    "",
    0.0,
    "image",
    PLAIN,
)
# What hosts report in these states.
POWER = {
    VmState.PAUSED: Power.PAUSED,
    VmState.SUSPENDED: Power.SUSPENDED,
    VmState.STOPPED: Power.SHUTDOWN,
    VmState.SOFT_DELETED: Power.SHUTDOWN,
    VmState.SHELVED: Power.SHUTDOWN,
    VmState.SHELVED_OFFLOADED: Power.SHUTDOWN,
    VmState.DELETED: Power.NONE,
    VmState.BUILDING: Power.NONE,
}
STEPS = (Step.LIVE_MIGRATE, Step.COLD_MIGRATE, Step.STOP, Step.EVACUATE)
# live-migrate, cold-migrate, stop, evacuate; a capital is a verdict, the rest
# what has to be asked first
ROWS = {
    VmState.ACTIVE: "DO DO DO DO",
    VmState.BUILDING: "WAIT WAIT WAIT WAIT",
    VmState.PAUSED: "DO unpause unpause os-resetState",
    VmState.SUSPENDED: "REFUSED resume DONE os-resetState",
    VmState.STOPPED: "REFUSED DO DONE DO",
    VmState.RESCUED: "unrescue unrescue unrescue os-resetState",
    VmState.RESIZED: "confirmResize " * 4,
    VmState.SOFT_DELETED: "REFUSED REFUSED DONE REFUSED",
    VmState.DELETED: "WAIT WAIT WAIT WAIT",
    VmState.ERROR: "REFUSED os-stop DO DO",
    VmState.SHELVED: "REFUSED REFUSED DONE REFUSED",
    VmState.SHELVED_OFFLOADED: "WAIT WAIT WAIT WAIT",
    VmState.UNKNOWN: "WAIT WAIT WAIT WAIT",
}
# The same where the host says that the guest runs.
STOP_IF_IT_RUNS = {
    VmState.SUSPENDED: "resume",
    VmState.STOPPED: "os-resetState",
    VmState.SOFT_DELETED: "REFUSED",
    VmState.SHELVED: "REFUSED",
}


def in_state(vm_state: VmState, **changes: object) -> Server:
    power = POWER.get(vm_state, Power.RUNNING)
    server = dataclasses.replace(SERVER, vm_state=vm_state, power=power)
    return dataclasses.replace(server, **changes)  # type: ignore[arg-type]


def said(found: Possible) -> str:
    if found.verdict is Verdict.PRELUDE:
        return found.asks[0].value
    return found.verdict.name


class RowsTest(unittest.TestCase):
    def test_there_is_a_row_for_each_state(self) -> None:
        self.assertEqual(set(VmState), set(ROWS))

    def test_row_by_row(self) -> None:
        for vm_state, row in ROWS.items():
            for step, expected in zip(STEPS, row.split(), strict=True):
                with self.subTest(vm_state, step=step):
                    found = possible(step, in_state(vm_state))
                    self.assertEqual(expected, said(found))

    def test_whoever_runs_is_not_stopped_by_its_state_alone(self) -> None:
        for vm_state, expected in STOP_IF_IT_RUNS.items():
            server = in_state(vm_state, power=Power.RUNNING)
            self.assertEqual(expected, said(possible(Step.STOP, server)))

    def test_what_failed_and_runs_no_more_has_stopped(self) -> None:
        server = in_state(VmState.ERROR, power=Power.NONE)
        self.assertIs(Verdict.DONE, possible(Step.STOP, server).verdict)

    def test_each_step_has_its_request(self) -> None:
        for step, ask in (
            (Step.FENCE, Ask.DISABLE),
            (Step.LOCK, Ask.LOCK),
            (Step.LIVE_MIGRATE, Ask.LIVE_MIGRATE),
            (Step.COLD_MIGRATE, Ask.MIGRATE),
            (Step.STOP, Ask.STOP),
            (Step.POWER_OFF, Ask.POWER_OFF),
            (Step.EVACUATE, Ask.EVACUATE),
            (Step.REBUILD_ELSEWHERE, Ask.EVACUATE),
        ):
            self.assertEqual(
                Possible(Verdict.DO, (ask,)), possible(step, SERVER)
            )
        self.assertEqual(Possible(Verdict.DO), possible(Step.ALERT, SERVER))

    def test_rebuilding_elsewhere_begins_with_an_evacuation(self) -> None:
        for vm_state in VmState:
            server = in_state(vm_state)
            self.assertEqual(
                possible(Step.EVACUATE, server),
                possible(Step.REBUILD_ELSEWHERE, server),
            )

    def test_a_lock_is_possible_in_any_state(self) -> None:
        for vm_state in VmState:
            server = in_state(vm_state, task="migrating")
            self.assertIs(Verdict.DO, possible(Step.LOCK, server).verdict)

    def test_what_is_gone_is_on_no_host(self) -> None:
        for vm_state in (VmState.DELETED, VmState.SHELVED_OFFLOADED):
            self.assertTrue(in_state(vm_state).runs)
            server = in_state(vm_state, host="")
            self.assertFalse(server.runs)
            for step in (*STEPS, Step.LOCK, Step.POWER_OFF):
                self.assertIs(Verdict.DONE, possible(step, server).verdict)

    def test_without_a_host_there_is_nothing_to_do(self) -> None:
        for step in (*STEPS, Step.POWER_OFF):
            server = in_state(VmState.ERROR, host="")
            self.assertIs(Verdict.DONE, possible(step, server).verdict)
            server = in_state(VmState.BUILDING, host="")
            self.assertIs(Verdict.WAIT, possible(step, server).verdict)


class TaskTest(unittest.TestCase):
    def test_stops_and_moves_wait_for_it(self) -> None:
        for vm_state in VmState:
            for step in (Step.LIVE_MIGRATE, Step.COLD_MIGRATE, Step.STOP):
                found = possible(step, in_state(vm_state, task="powering-on"))
                with self.subTest(vm_state, step=step):
                    self.assertEqual(
                        (Verdict.WAIT, ()), (found.verdict, found.asks)
                    )

    def test_evacuate_and_power_off_do_not(self) -> None:
        for vm_state, expected in (
            (VmState.ACTIVE, "DO"),
            (VmState.PAUSED, "os-resetState"),
            (VmState.RESIZED, "WAIT"),
        ):
            server = in_state(vm_state, task="powering-off")
            self.assertEqual(expected, said(possible(Step.EVACUATE, server)))
            self.assertEqual("DO", said(possible(Step.POWER_OFF, server)))


VTPM = {"hw:tpm_version": "2.0"}
HOSTS_VTPM = {**VTPM, "hw:tpm_secret_security": "host"}
USERS_VTPM = {**VTPM, "hw:tpm_secret_security": "user"}
DEVICES = {"accel:device_profile": "fpga"}
ENCRYPTED = {"hw:mem_encryption": "True"}
PCI = {"pci_passthrough:alias": "gpu:1"}
NOTHING = Obstacle.NOTHING
# extra specs, image properties -> obstacle to live-migrate, cold-migrate,
# stop, evacuate
OBSTACLES: tuple[
    tuple[dict[str, str], dict[str, str], tuple[Obstacle, ...]], ...
] = (
    ({}, {}, (NOTHING,) * 4),
    (ENCRYPTED, {}, (Obstacle.ENCRYPTED_MEMORY, *[NOTHING] * 3)),
    ({}, {"hw_mem_encryption": "true"},
     (Obstacle.ENCRYPTED_MEMORY, *[NOTHING] * 3)),
    ({"hw:mem_encryption": "false"}, {}, (NOTHING,) * 4),
    (VTPM, {}, (Obstacle.VTPM, NOTHING, NOTHING, Obstacle.VTPM)),
    (USERS_VTPM, {}, (Obstacle.VTPM, NOTHING, NOTHING, Obstacle.VTPM)),
    (HOSTS_VTPM, {}, (NOTHING, NOTHING, NOTHING, Obstacle.VTPM)),
    ({}, {"hw_tpm_version": "2.0"},
     (Obstacle.VTPM, NOTHING, NOTHING, Obstacle.VTPM)),
    (DEVICES, {}, (Obstacle.DEVICES, Obstacle.DEVICES, NOTHING, NOTHING)),
    # whether each alias is live_migratable is not shown: it may fail
    (PCI, {}, (NOTHING,) * 4),
)  # fmt: skip


class ObstaclesTest(unittest.TestCase):
    def test_of_flavor_and_image(self) -> None:
        for specs, image, expected in OBSTACLES:
            ask = picture.Ask(specs, image, {}, {})
            server = in_state(VmState.ACTIVE, ask=ask)
            for step, obstacle in zip(STEPS, expected, strict=True):
                with self.subTest(specs, image=image, step=step):
                    found = possible(step, server)
                    self.assertIs(obstacle, found.obstacle)
                    refused = found.verdict is Verdict.REFUSED
                    self.assertIs(obstacle is not NOTHING, refused)

    def test_what_has_no_image_is_not_rebuilt(self) -> None:
        ask = picture.Ask({}, {}, {}, {}, from_volume=True)
        server = in_state(VmState.ACTIVE, ask=ask)
        self.assertIs(
            Obstacle.NO_IMAGE,
            possible(Step.REBUILD_ELSEWHERE, server).obstacle,
        )
        self.assertIs(Verdict.DO, possible(Step.EVACUATE, server).verdict)


SERVERS = st.builds(
    dataclasses.replace,
    st.just(SERVER),
    vm_state=st.sampled_from(VmState),
    power=st.sampled_from(Power),
    host=st.sampled_from(("", "edge-1")),
    task=st.sampled_from(("", "migrating", "powering-off")),
)


class AnyServerTest(unittest.TestCase):
    @hypothesis.given(st.sampled_from(Step), SERVERS)
    def test_asks_fit_the_verdict(self, step: Step, server: Server) -> None:
        found = possible(step, server)
        asked = found.verdict in (Verdict.DO, Verdict.PRELUDE)
        self.assertIs(asked and step is not Step.ALERT, bool(found.asks))

    @hypothesis.given(SERVERS)
    def test_only_what_does_not_run_is_stopped(self, server: Server) -> None:
        if possible(Step.STOP, server).verdict is Verdict.DONE:
            self.assertFalse(server.runs)
