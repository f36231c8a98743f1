# SPDX-License-Identifier: Apache-2.0
"""What can be done with a server, and when Nova says 409 or 400.

States as in the decorators of ``nova.compute.api`` (34).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.simulated.answers import Answer
from tests.simulated.answers import Request
from tests.simulated.answers import nova_error
from tests.simulated.records import Move
from tests.simulated.records import Server
from tests.simulated.world import World

_ACCEPTED = Answer(202)


@dataclasses.dataclass(frozen=True, slots=True)
class Simple:
    """An action that ends in another state on the same host.

    :ivar states: in which it is allowed
    """

    name: str
    states: tuple[str, ...]
    task: str
    ends: str
    power: int


SIMPLE = {
    "os-stop": Simple(
        "stop", ("active", "error"), "powering-off", "stopped", 4
    ),
    "os-start": Simple("start", ("stopped",), "powering-on", "active", 1),
    "pause": Simple("pause", ("active",), "pausing", "paused", 3),
    "unpause": Simple("unpause", ("paused",), "unpausing", "active", 1),
    "suspend": Simple("suspend", ("active",), "suspending", "suspended", 4),
    "resume": Simple("resume", ("suspended",), "resuming", "active", 1),
    "unrescue": Simple("unrescue", ("rescued",), "unrescuing", "active", 1),
    "restore": Simple("restore", ("soft-delete",), "restoring", "active", 1),
    "rebuild": Simple(
        "rebuild", ("active", "stopped", "error"), "rebuilding", "active", 1
    ),
}


class Actions:
    """``POST /servers/{id}/action``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._others: dict[str, Callable[[Server, Request, Any], Answer]] = {
            "lock": self._lock,
            "unlock": self._unlock,
            "os-migrateLive": self._live_migrate,
            "migrate": self._migrate,
            "confirmResize": self._confirm,
            "revertResize": self._revert,
            "evacuate": self._evacuate,
            "os-resetState": self._reset,
        }

    def act(self, server: Server, request: Request) -> Answer:
        """Do what a request asks for, or say why not."""
        if not isinstance(request.body, dict) or len(request.body) != 1:
            return nova_error(400, "There is no such action")
        [(name, argument)] = request.body.items()
        if (
            server.locked
            and not request.admin
            and name
            not in (
                "lock",
                "unlock",
                "evacuate",
            )
        ):
            return nova_error(409, f"Instance {server.uuid} is locked")
        if name in SIMPLE:
            return self._simple(server, request, name)
        if name not in self._others:
            return nova_error(400, f"There is no such action: {name}")
        return self._others[name](server, request, argument)

    def abort(self, server: Server, number: int) -> Answer:
        """``DELETE /servers/{id}/migrations/{number}``."""
        for move in self._world.moves:
            if move.number == number and move.server == server.uuid:
                if move.status not in ("queued", "preparing", "running"):
                    return nova_error(
                        400,
                        f"Migration {number} state of instance {server.uuid}"
                        f" is {move.status}. Cannot abort while the migration"
                        " is in this state.",
                    )
                self._world.moved(move, "cancelled")
                self._world.change(server, task_state=None)
                return _ACCEPTED
        return nova_error(404, f"Migration {number} not found")

    def _refusal(
        self, server: Server, name: str, states: tuple[str, ...]
    ) -> Answer | None:
        what = f"Cannot '{name}' instance {server.uuid} while it is in "
        if server.vm_state not in states:
            return nova_error(409, f"{what}vm_state {server.vm_state}")
        if server.task_state is not None:
            return nova_error(409, f"{what}task_state {server.task_state}")
        return None

    def _simple(self, server: Server, request: Request, action: str) -> Answer:
        rule = SIMPLE[action]
        refusal = self._refusal(server, rule.name, rule.states)
        if refusal is not None:
            return refusal
        self._did(server, request, rule.name)
        self._world.change(server, task_state=rule.task)
        if not self._swallowed(server, action):
            ends = rule.ends
            if action == "rebuild" and server.vm_state == "stopped":
                ends = "stopped"
            self._world.later(lambda: self._end(server, rule, ends))
        return _ACCEPTED

    def _end(self, server: Server, rule: Simple, ends: str) -> None:
        if server.task_state == rule.task:
            power = 4 if ends == "stopped" else rule.power
            self._world.change(
                server, task_state=None, vm_state=ends, power_state=power
            )

    def _lock(self, server: Server, request: Request, argument: Any) -> Answer:
        reason = (argument or {}).get("locked_reason")
        if reason is not None and len(reason) > 255:
            return nova_error(400, "Invalid input for field locked_reason")
        self._did(server, request, "lock")
        self._world.change(
            server,
            locked=True,
            locked_reason=reason,
            locked_by="admin" if request.admin else "owner",
        )
        return _ACCEPTED

    def _unlock(self, server: Server, request: Request, _: Any) -> Answer:
        if server.locked_by == "admin" and not request.admin:
            return nova_error(403, "Policy doesn't allow it to be performed.")
        self._did(server, request, "unlock")
        self._world.change(
            server, locked=False, locked_reason=None, locked_by=""
        )
        return _ACCEPTED

    def _live_migrate(
        self, server: Server, request: Request, argument: Any
    ) -> Answer:
        refusal = self._refusal(server, "os-migrateLive", ("active", "paused"))
        if refusal is not None:
            return refusal
        self._did(server, request, "live-migration")
        move = self._begin(server, request, "live-migration", argument)
        if move is None:
            return _ACCEPTED
        self._world.change(server, task_state="migrating")
        if not self._swallowed(server, "os-migrateLive"):
            self._world.later(lambda: self._arrive(server, move, "completed"))
        return _ACCEPTED

    def _migrate(
        self, server: Server, request: Request, argument: Any
    ) -> Answer:
        refusal = self._refusal(server, "migrate", ("active", "stopped"))
        if refusal is not None:
            return refusal
        source = self._world.hosts.get(server.host)
        if source is None or not source.alive:
            return nova_error(409, "Service is unavailable at this time.")
        self._did(server, request, "migrate")
        move = self._begin(server, request, "migration", argument)
        if move is None:
            return _ACCEPTED
        self._world.change(
            server, task_state="resize_prep", before=server.vm_state
        )
        if not self._swallowed(server, "migrate"):
            self._world.later(lambda: self._arrive(server, move, "finished"))
        return _ACCEPTED

    def _begin(
        self, server: Server, request: Request, kind: str, argument: Any
    ) -> Move | None:
        wanted = (argument or {}).get("host")
        dest = self._world.destination(server, wanted)
        if dest is None:
            self._world.move(server, kind, None, "error", request.user)
            return None
        return self._world.move(
            server, kind, dest.name, "preparing", request.user
        )

    def _arrive(self, server: Server, move: Move, status: str) -> None:
        if move.status not in ("preparing", "accepted"):
            return
        self._world.moved(move, status)
        fields: dict[str, Any] = {"task_state": None, "host": move.dest}
        if status == "finished":
            fields["vm_state"] = "resized"
        if status == "done":
            fields.update(vm_state="stopped", power_state=4)
        self._world.change(server, **fields)

    def _resized(self, server: Server) -> Move:
        return next(
            move
            for move in reversed(self._world.moves)
            if move.server == server.uuid and move.status == "finished"
        )

    def _confirm(self, server: Server, request: Request, _: Any) -> Answer:
        refusal = self._refusal(server, "confirmResize", ("resized",))
        if refusal is not None:
            return refusal
        self._did(server, request, "confirmResize")
        self._world.moved(self._resized(server), "confirmed")
        self._world.change(server, vm_state=server.before)
        return Answer(204)

    def _revert(self, server: Server, request: Request, _: Any) -> Answer:
        refusal = self._refusal(server, "revertResize", ("resized",))
        if refusal is not None:
            return refusal
        self._did(server, request, "revertResize")
        move = self._resized(server)
        self._world.moved(move, "reverted")
        self._world.change(server, vm_state=server.before, host=move.source)
        return _ACCEPTED

    def _evacuate(
        self, server: Server, request: Request, argument: Any
    ) -> Answer:
        if server.vm_state not in ("active", "stopped", "error"):
            return nova_error(
                409,
                f"Cannot 'evacuate' instance {server.uuid} while it is in "
                f"vm_state {server.vm_state}",
            )
        source = self._world.hosts.get(server.host)
        if source is not None and source.alive:
            return nova_error(
                400, f"Compute service of {server.host} is still in use."
            )
        self._did(server, request, "evacuate")
        move = self._begin(server, request, "evacuation", argument)
        if move is None:
            self._world.change(server, vm_state="error", task_state=None)
            return Answer(200, b"{}")
        self._world.moved(move, "accepted")
        self._world.change(server, task_state="rebuilding")
        self._world.later(lambda: self._arrive(server, move, "done"))
        return Answer(200, b"{}")

    def _reset(self, server: Server, _: Request, argument: Any) -> Answer:
        state = (argument or {}).get("state")
        if state not in ("active", "error"):
            return nova_error(400, "Invalid input for field state")
        self._world.change(server, vm_state=state, task_state=None)
        return _ACCEPTED

    def _did(self, server: Server, request: Request, action: str) -> None:
        self._world.did(server, action, request.user, request.id)

    def _swallowed(self, server: Server, action: str) -> bool:
        host = self._world.hosts.get(server.host)
        return host is not None and (
            not host.up or action in host.swallows or "*" in host.swallows
        )
