# SPDX-License-Identifier: Apache-2.0
"""What Nova does with servers and hosts, in memory; see ``cloud_fake.py``."""

from __future__ import annotations

import collections
import dataclasses
import uuid as uuids
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed

NOW: Instant = 1_795_168_800.0
ADMIN, ADMIN_PROJECT = "u-admin", "p-admin"
MONITOR, MONITOR_PROJECT = "u-monitor", "p-service"
PROJECT = "p-tenant"
_S = VmState
# action -> states in which Nova does it; task has to be none but for two
_FROM: Mapping[str, tuple[VmState, ...]] = {
    "os-stop": (_S.ACTIVE, _S.ERROR),
    "os-start": (_S.STOPPED,),
    "pause": (_S.ACTIVE,),
    "unpause": (_S.PAUSED,),
    "suspend": (_S.ACTIVE,),
    "resume": (_S.SUSPENDED,),
    "unrescue": (_S.RESCUED,),
    "restore": (_S.SOFT_DELETED,),
    "migrate": (_S.ACTIVE, _S.STOPPED),
    "confirmResize": (_S.RESIZED,),
    "revertResize": (_S.RESIZED,),
    "os-migrateLive": (_S.ACTIVE, _S.PAUSED),
    "rebuild": (_S.ACTIVE, _S.STOPPED, _S.ERROR),
    "evacuate": (_S.ACTIVE, _S.STOPPED, _S.ERROR),
    "os-resetState": tuple(_S),
}
_ANY_TASK = ("evacuate", "os-resetState")
# action -> task while it lasts, state and power afterwards
_PLAIN: Mapping[str, tuple[str, VmState, Power]] = {
    "os-stop": ("powering-off", _S.STOPPED, Power.SHUTDOWN),
    "os-start": ("powering-on", _S.ACTIVE, Power.RUNNING),
    "pause": ("pausing", _S.PAUSED, Power.PAUSED),
    "unpause": ("unpausing", _S.ACTIVE, Power.RUNNING),
    "suspend": ("suspending", _S.SUSPENDED, Power.SHUTDOWN),
    "resume": ("resuming", _S.ACTIVE, Power.RUNNING),
    "unrescue": ("unrescuing", _S.ACTIVE, Power.RUNNING),
    "restore": ("restoring", _S.ACTIVE, Power.RUNNING),
}
_DEEDS = {
    "os-stop": "stop",
    "os-start": "start",
    "os-migrateLive": "live-migration",
}


def ident(number: int) -> str:
    """Return the same UUID for the same number, always."""
    return str(uuids.UUID(int=number, version=4))


class FakeNova:
    """Hosts ``h1``, ``h2``, ... and servers, without an API.

    :ivar now: what its clocks show; tests move it
    :ivar lag: how many looks at a server an action takes to show
    :ivar swallows: hosts that take ``stop`` and ``start``, and do neither
    :ivar full: hosts without room
    :ivar missing: cells that do not answer
    :ivar allocated: server -> providers, where that is not its host's
    :ivar below: provider -> those below it
    """

    def __init__(self, hosts: int = 2, now: Instant = NOW) -> None:
        self.now = now
        self.lag = 0
        self.swallows: set[str] = set()
        self.full: set[str] = set()
        self.missing: tuple[str, ...] = ()
        self.gone: dict[str, Instant] = {}
        self.traits: set[str] = set()
        self.carried: dict[str, set[str]] = {}
        self.locked_by: dict[str, str] = {}
        self.history: dict[str, list[Deed]] = collections.defaultdict(list)
        self.allocated: dict[str, frozenset[str]] = {}
        self.below: dict[str, frozenset[str]] = {}
        self.moves: dict[int, Migration] = {}
        self._servers: dict[str, Server] = {}
        self._nodes: dict[str, Node] = {}
        self._later: dict[str, list[Any]] = {}
        self._was: dict[str, VmState] = {}
        for number in range(1, hosts + 1):
            self.add_host(f"h{number}")

    # -- what tests set up ------------------------------------------------

    def add_host(self, host: str, **changes: Any) -> Node:
        """Add a host with one compute node."""
        number = len(self._nodes) + 1
        node = Node(
            host,
            ident(0x1000 + number),
            f"{host}.example.org",
            ident(0x2000 + number),
            enabled=True,
            reason="",
            up=True,
            forced_down=False,
        )
        self._nodes[host] = dataclasses.replace(node, **changes)
        return self._nodes[host]

    def add_server(
        self, number: int, host: str = "h1", **changes: Any
    ) -> Server:
        """Add a server that runs."""
        server = Server(
            ident(number),
            PROJECT,
            host,
            f"{host}.example.org",
            VmState.ACTIVE,
            "",
            Power.RUNNING,
            locked=False,
            locked_reason="",
            updated=self.now,
            image_id=ident(0x3000),
            ask=Ask({}, {}, {}, {"VCPU": 1}),
        )
        self._servers[server.uuid] = dataclasses.replace(server, **changes)
        return self._servers[server.uuid]

    def change(self, uuid: str, **changes: Any) -> Server:
        """Change a server behind everybody's back."""
        server = dataclasses.replace(
            self._servers[uuid], **{"updated": self.now, **changes}
        )
        self._servers[uuid] = server
        return server

    def change_host(self, host: str, **changes: Any) -> Node:
        """Change a host or its service behind everybody's back."""
        self._nodes[host] = dataclasses.replace(self._nodes[host], **changes)
        return self._nodes[host]

    def delete(self, uuid: str) -> None:
        """Delete a server."""
        del self._servers[uuid]
        self.gone[uuid] = self.now

    def peek(self, uuid: str) -> Server:
        """Return a server; nobody is asked for it."""
        return self._servers[uuid]

    def node(self, host: str) -> Node:
        """Return a host; nobody is asked for it."""
        return self._nodes[host]

    def picture(self) -> Picture:
        """Return all of it as the observer would; nobody is asked for it."""
        moves: dict[str, list[Migration]] = {}
        for move in self.moves.values():
            moves.setdefault(move.server, []).append(move)
        traits: dict[str, frozenset[str]] = {}
        for trait in {t for found in self.carried.values() for t in found}:
            traits[trait] = self._with(trait)
        return Picture(
            self.now,
            dict(self._servers),
            dict(self._nodes),
            {uuid: tuple(found) for uuid, found in moves.items()},
            traits,
            self.missing,
            self.now,
        )

    def settle(self) -> None:
        """Let everything that is under way end."""
        for uuid in list(self._later):
            self._end(uuid)

    def _allocated_to(self, uuid: str) -> frozenset[str]:
        if uuid in self.allocated:
            return self.allocated[uuid]
        server = self._servers.get(uuid)
        node = self._nodes.get(server.host) if server else None
        return frozenset({node.uuid} if node else ())

    # -- what others do ---------------------------------------------------

    def as_owner(self, uuid: str, action: str, argument: str = "") -> None:
        """Have a member of the server's project do something."""
        by_admin = self.locked_by.get(uuid, "") == "admin"
        server = self._servers[uuid]
        if server.locked and (by_admin or action not in ("lock", "unlock")):
            raise CloudFailed(CloudCode.CONFLICT, "it is locked")
        self._as(uuid, action, argument, "owner", "u-owner", server.project_id)

    def as_admin(self, uuid: str, action: str, argument: str = "") -> None:
        """Have an administrator do something."""
        self._as(uuid, action, argument, "admin", ADMIN, ADMIN_PROJECT)

    def _as(self, uuid: str, action: str, argument: str, *who: str) -> None:
        if action == "lock":
            self._lock_it(uuid, argument, who[0], who[1:])
        elif action == "unlock":
            self._unlock_it(uuid, who[1:])
        else:
            self._do(uuid, action, None, who[1:])

    # -- what Nova does ---------------------------------------------------

    def _found(self, uuid: str) -> Server:
        if uuid not in self._servers:
            raise CloudFailed(CloudCode.GONE, "no such server")
        return self._servers[uuid]

    def _of(self, service: str) -> Node:
        for node in self._nodes.values():
            if node.service == service:
                return node
        raise CloudFailed(CloudCode.GONE, "no such service")

    def _provider(self, provider: str) -> None:
        uuids = {node.uuid for node in self._nodes.values()}
        if provider not in uuids | set(self.carried):
            raise CloudFailed(CloudCode.GONE, "no such provider")

    def _with(self, trait: str) -> frozenset[str]:
        return frozenset(p for p, has in self.carried.items() if trait in has)

    def _noted(
        self, uuid: str, action: str, who: tuple[str, ...], message: str = ""
    ) -> None:
        number = sum(map(len, self.history.values())) + 1
        self.history[uuid].append(
            Deed(action, f"req-{number}", who[0], who[1], self.now, message)
        )

    def _lock_it(
        self, uuid: str, reason: str, role: str, who: tuple[str, ...]
    ) -> None:
        if self._found(uuid).locked and role == "owner":
            return  # it does nothing, and records nothing
        self.locked_by[uuid] = role
        self._noted(uuid, "lock", who)
        self.change(uuid, locked=True, locked_reason=reason[:255])

    def _unlock_it(self, uuid: str, who: tuple[str, ...]) -> None:
        self._found(uuid)
        self.locked_by.pop(uuid, None)
        self._noted(uuid, "unlock", who)
        self.change(uuid, locked=False, locked_reason="")

    def _do(
        self, uuid: str, action: str, argument: object, who: tuple[str, ...]
    ) -> None:
        server = self._found(uuid)
        if action not in _FROM:
            raise CloudFailed(CloudCode.REFUSED, "no such action")
        if server.vm_state not in _FROM[action] or (
            server.task and action not in _ANY_TASK
        ):
            raise CloudFailed(
                CloudCode.CONFLICT,
                f"cannot {action} in {server.vm_state.value} {server.task}",
            )
        if not server.host and action in ("os-stop", "os-start"):
            raise CloudFailed(CloudCode.CONFLICT, "it is on no host")
        if action in _PLAIN:
            self._noted(uuid, _DEEDS.get(action, action), who)
            self._plain(server, action)
        else:
            self._special(server, action, argument, who)

    def _plain(self, server: Server, action: str) -> None:
        task, state, power = _PLAIN[action]
        uuid = server.uuid
        self.change(uuid, task=task)
        if server.host in self.swallows and action in ("os-stop", "os-start"):
            return
        self._begin(
            uuid,
            lambda: self.change(uuid, task="", vm_state=state, power=power),
        )

    def _special(
        self, server: Server, action: str, argument: Any, who: tuple[str, ...]
    ) -> None:
        uuid = server.uuid
        deed = _DEEDS.get(action, action)
        if action == "os-resetState":
            if argument not in ({"state": "active"}, {"state": "error"}):
                raise CloudFailed(CloudCode.REFUSED, "no such state")
            self._later.pop(uuid, None)
            self.change(uuid, task="", vm_state=VmState(argument["state"]))
            return
        if action == "rebuild":
            if (
                argument != {"imageRef": server.image_id}
                or not server.image_id
            ):
                raise CloudFailed(CloudCode.REFUSED, "no such image")
            self._noted(uuid, deed, who)
            self.change(uuid, task="rebuilding")
            after = server.vm_state
            after = VmState.ACTIVE if after is VmState.ERROR else after
            power = (
                Power.SHUTDOWN if after is VmState.STOPPED else Power.RUNNING
            )
            self._begin(
                uuid,
                lambda: self.change(
                    uuid, task="", vm_state=after, power=power
                ),
            )
        elif action in ("confirmResize", "revertResize"):
            move = [m for m in self.moves.values() if m.server == uuid][-1]
            if move.status != "finished":
                raise CloudFailed(CloudCode.REFUSED, "it is not resized")
            self._noted(uuid, deed, who)
            self._end_resize(server, move, action == "confirmResize")
        else:
            self._move(server, action, argument, who)

    def _end_resize(
        self, server: Server, move: Migration, confirm: bool
    ) -> None:
        uuid = server.uuid
        source = self._nodes[move.source]
        doing = "confirming" if confirm else "reverting"
        self._ends(move.number, doing, Course.UNDER_WAY)
        if not source.up:
            # cast to a host that does not read it: it stays like this
            return
        after = self._was.get(uuid, VmState.ACTIVE)
        changes: dict[str, Any] = {"task": "", "vm_state": after}
        if not confirm:
            changes.update(host=source.host, node=source.name)
        status = "confirmed" if confirm else "reverted"

        def end() -> None:
            self._ends(move.number, status, Course.ARRIVED)
            self.change(uuid, **changes)

        self._begin(uuid, end)

    def _move(
        self, server: Server, action: str, argument: Any, who: tuple[str, ...]
    ) -> None:
        uuid = server.uuid
        source = self._nodes[server.host]
        kind = {"os-migrateLive": "live-migration", "migrate": "migration"}
        if action == "os-migrateLive":
            wanted = {"host": None, "block_migration": "auto"}
            if argument != wanted:
                raise CloudFailed(CloudCode.REFUSED, "not asked as it should")
            if server.ask.extra_specs.get("hw:mem_encryption") == "true":
                raise CloudFailed(CloudCode.CONFLICT, "memory is encrypted")
        if action != "evacuate" and not source.up:
            raise CloudFailed(CloudCode.CONFLICT, "its service is down")
        if action == "evacuate" and source.up and not source.forced_down:
            raise CloudFailed(CloudCode.REFUSED, "its service is in use")
        self._noted(uuid, _DEEDS.get(action, action), who)
        number = len(self.moves) + 1
        dest = self._somewhere(server.host)
        move = Migration(
            ident(0x4000 + number),
            number,
            uuid,
            server.host,
            dest.host if dest else "",
            kind.get(action, "evacuation"),
            "running" if action == "os-migrateLive" else "migrating",
            Course.UNDER_WAY,
            who[0],
            server.project_id,
            self.now,
            self.now,
        )
        self.moves[number] = move
        if dest is None:
            self._ends(number, "error", Course.FAILED)
            if action == "evacuate":
                self.change(uuid, task="", vm_state=VmState.ERROR)
            return
        self._travel(server, action, move, dest)

    def _travel(
        self, server: Server, action: str, move: Migration, dest: Node
    ) -> None:
        uuid = server.uuid
        arrived: dict[str, Any] = {
            "task": "",
            "host": dest.host,
            "node": dest.name,
        }
        if action == "os-migrateLive":
            task, status = "migrating", "completed"
        elif action == "migrate":
            task, status = "resize_migrating", "finished"
            arrived["vm_state"] = VmState.RESIZED
            self._was[uuid] = server.vm_state
        else:
            # from 2.95 it ends stopped
            task, status = "rebuilding", "done"
            arrived.update(vm_state=VmState.STOPPED, power=Power.SHUTDOWN)
        self.change(uuid, task=task)

        def end() -> None:
            self._ends(move.number, status, Course.ARRIVED)
            self.change(uuid, **arrived)

        self._begin(uuid, end)

    def _somewhere(self, source: str) -> Node | None:
        """Return where the scheduler would put what leaves a host."""
        for host, node in sorted(self._nodes.items()):
            free = node.enabled and node.up and host not in self.full
            if free and host != source:
                return node
        return None

    def _ends(self, number: int, status: str, course: Course) -> None:
        self.moves[number] = dataclasses.replace(
            self.moves[number], status=status, course=course, updated=self.now
        )

    def _begin(self, uuid: str, end: Callable[[], object]) -> None:
        """Have something end now, or after some looks."""
        if self.lag:
            self._later[uuid] = [self.lag, end]
        else:
            end()

    def _end(self, uuid: str) -> None:
        later = self._later.pop(uuid, None)
        if later is not None and uuid in self._servers:
            later[1]()
