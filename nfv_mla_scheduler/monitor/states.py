# SPDX-License-Identifier: Apache-2.0
"""What Nova would do with a server as it is: one table, step by state.

Pure.  Read from nova 34's ``compute/api.py`` (``check_instance_state`` and the
other decorators of each function) and asked of it in a functional test, row by
row.  An administrator's requests pass ``check_instance_lock``.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.monitor import picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step


class Verdict(enum.Enum):
    """What Nova would say to a step."""

    DO = "do"
    # it is so already, or it is on no host
    DONE = "done"
    # only after something else, which has to have shown its effect first
    PRELUDE = "prelude"
    # not now; what is in the way passes by itself, or ought to
    WAIT = "wait"
    REFUSED = "refused"


class Obstacle(enum.Enum):
    """What is in the way of a step."""

    NOTHING = "nothing"
    STATE = "vm-state"
    TASK = "task-state"
    BUILDING = "building"
    UNSEEN = "unseen"
    NO_HOST = "no-host"
    ENCRYPTED_MEMORY = "encrypted-memory"
    VTPM = "vtpm"
    DEVICES = "device-profile"
    NO_IMAGE = "no-image"


@dataclasses.dataclass(frozen=True, slots=True)
class Possible:
    """What may be done of a step.

    :ivar asks: the requests of the step, or of its prelude; none otherwise
    """

    verdict: Verdict
    asks: tuple[Ask, ...] = ()
    obstacle: Obstacle = Obstacle.NOTHING


_DO = Possible(Verdict.DO)
_DONE = Possible(Verdict.DONE, (), Obstacle.NO_HOST)
_NO = Possible(Verdict.REFUSED, (), Obstacle.STATE)
_BUILDS = Possible(Verdict.WAIT, (), Obstacle.BUILDING)
_UNSEEN = Possible(Verdict.WAIT, (), Obstacle.UNSEEN)


def _first(ask: Ask) -> Possible:
    return Possible(Verdict.PRELUDE, (ask,), Obstacle.STATE)


_UNPAUSE = _first(Ask.UNPAUSE)
_RESUME = _first(Ask.RESUME)
_UNRESCUE = _first(Ask.UNRESCUE)
# Or revert, where the host to which that leads complies: see progress.
_CONFIRM = _first(Ask.CONFIRM)
_STOP = _first(Ask.STOP)
# To ``error``, from which stop and evacuate are taken.
_RESET = _first(Ask.RESET_STATE)

# live_migrate: ACTIVE, PAUSED.  resize (which is migrate): ACTIVE, STOPPED.
# stop: ACTIVE, ERROR.  evacuate: ACTIVE, STOPPED, ERROR.  All of them only for
# what was launched once.  pause, suspend, ... are left by unpause (PAUSED),
# resume (SUSPENDED), unrescue (RESCUED), confirm_resize (RESIZED).
# The column of stop is for a guest that runs: STOPPED, SUSPENDED, SHELVED or
# SOFT_DELETED and running all the same is what a host says that lies, or that
# somebody started by hand.  SOFT_DELETED is reset by nobody: the owner's
# server would come back.
_TABLE: Mapping[VmState, tuple[Possible, Possible, Possible, Possible]] = {
    # ................ live-migrate, cold-migrate, stop, evacuate
    VmState.ACTIVE: (_DO, _DO, _DO, _DO),
    VmState.BUILDING: (_BUILDS, _BUILDS, _BUILDS, _BUILDS),
    VmState.PAUSED: (_DO, _UNPAUSE, _UNPAUSE, _RESET),
    VmState.SUSPENDED: (_NO, _RESUME, _RESUME, _RESET),
    VmState.STOPPED: (_NO, _DO, _RESET, _DO),
    VmState.RESCUED: (_UNRESCUE, _UNRESCUE, _UNRESCUE, _RESET),
    VmState.RESIZED: (_CONFIRM, _CONFIRM, _CONFIRM, _CONFIRM),
    VmState.SOFT_DELETED: (_NO, _NO, _NO, _NO),
    # On a host and yet gone: in between, or what a host says that lies.
    VmState.DELETED: (_UNSEEN, _UNSEEN, _UNSEEN, _UNSEEN),
    VmState.ERROR: (_NO, _STOP, _DO, _DO),
    VmState.SHELVED: (_NO, _NO, _NO, _NO),
    VmState.SHELVED_OFFLOADED: (_UNSEEN, _UNSEEN, _UNSEEN, _UNSEEN),
    VmState.UNKNOWN: (_UNSEEN, _UNSEEN, _UNSEEN, _UNSEEN),
}
_COLUMNS = {
    Step.LIVE_MIGRATE: 0,
    Step.COLD_MIGRATE: 1,
    Step.STOP: 2,
    Step.EVACUATE: 3,
    Step.REBUILD_ELSEWHERE: 3,
}
_ASKS = {
    Step.FENCE: (Ask.DISABLE,),
    Step.LOCK: (Ask.LOCK,),
    Step.LIVE_MIGRATE: (Ask.LIVE_MIGRATE,),
    Step.COLD_MIGRATE: (Ask.MIGRATE,),
    Step.STOP: (Ask.STOP,),
    Step.POWER_OFF: (Ask.POWER_OFF,),
    Step.EVACUATE: (Ask.EVACUATE,),
    # The rebuild itself once it is elsewhere.
    Step.REBUILD_ELSEWHERE: (Ask.EVACUATE,),
    Step.ALERT: (),
}
# evacuate has task_state=None in check_instance_state, which lets all through;
# admin_actions._reset_state checks nothing.
_WHATEVER_THE_TASK = frozenset({Ask.EVACUATE, Ask.RESET_STATE})
_ELSEWHERE = (Step.EVACUATE, Step.REBUILD_ELSEWHERE)
_GONE = (VmState.DELETED, VmState.SHELVED_OFFLOADED)


def possible(step: Step, server: Server) -> Possible:
    """Return what may be done of ``step`` with ``server`` as it is now.

    Where it may go, and whether its host's service is up, is not asked here.
    """
    asks = _ASKS[step]
    if step in (Step.FENCE, Step.ALERT):
        return Possible(Verdict.DO, asks)
    if server.vm_state in _GONE and not server.host:
        return _DONE
    if step is Step.LOCK:
        # compute.api.API.lock looks at no state.
        return Possible(Verdict.DO, asks)
    if not server.host:
        return _BUILDS if server.vm_state is VmState.BUILDING else _DONE
    if step is Step.POWER_OFF:
        return Possible(Verdict.DO, asks)
    obstacle = obstacle_to(step, server.ask)
    if obstacle is not Obstacle.NOTHING:
        return Possible(Verdict.REFUSED, (), obstacle)
    return _by_state(step, server)


def _by_state(step: Step, server: Server) -> Possible:
    found = _TABLE[server.vm_state][_COLUMNS[step]]
    asks = _ASKS[step] if found.verdict is Verdict.DO else found.asks
    through = step in _ELSEWHERE and _WHATEVER_THE_TASK.issuperset(asks)
    if server.task and not through:
        return Possible(Verdict.WAIT, (), Obstacle.TASK)
    if step is Step.STOP and not server.runs:
        return Possible(Verdict.DONE)
    return dataclasses.replace(found, asks=asks)


def obstacle_to(step: Step, ask: picture.Ask) -> Obstacle:
    """Return what of flavor and image keeps Nova from a step for good.

    Devices of ``pci_passthrough:alias`` do not: live migration is refused by
    the conductor (``_check_can_migrate_pci``) unless each alias is
    ``live_migratable``, which the API does not show; it fails as any move may.
    """
    vtpm = "hw:tpm_version" in ask.extra_specs or "hw_tpm_version" in ask.image
    devices = "accel:device_profile" in ask.extra_specs
    if step is Step.LIVE_MIGRATE:
        # reject_mem_enc_instances, reject_legacy_vtpm_live_migration,
        # block_accelerators
        if _is_true(ask.extra_specs.get("hw:mem_encryption")) or _is_true(
            ask.image.get("hw_mem_encryption")
        ):
            return Obstacle.ENCRYPTED_MEMORY
        kept_by = ask.extra_specs.get("hw:tpm_secret_security")
        if vtpm and kept_by != "host":
            return Obstacle.VTPM
    if step in (Step.LIVE_MIGRATE, Step.COLD_MIGRATE) and devices:
        return Obstacle.DEVICES
    if step in _ELSEWHERE and vtpm:
        # reject_vtpm_instances
        return Obstacle.VTPM
    if step is Step.REBUILD_ELSEWHERE and ask.from_volume:
        # It would be evacuated with the volume that may not travel.
        return Obstacle.NO_IMAGE
    return Obstacle.NOTHING


def _is_true(value: str | None) -> bool:
    # As oslo_utils.strutils.bool_from_string has it.
    return (value or "").strip().lower() in _TRUE


_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
