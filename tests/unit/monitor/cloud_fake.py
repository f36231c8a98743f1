# SPDX-License-Identifier: Apache-2.0
"""Nova and Placement in memory: the whole port, as level-true as they are.

What a request does to a server, and in which state it is refused, is what
nova.compute.api does (34.0.0).  Actions take their effect at once, unless the
host swallows them or ``lag`` says after how many looks at that server.
Failures and kills are injected by request.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import DEEDS_MAX
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Page
from tests.unit.monitor.cloud_nova import ADMIN as ADMIN
from tests.unit.monitor.cloud_nova import ADMIN_PROJECT as ADMIN_PROJECT
from tests.unit.monitor.cloud_nova import MONITOR as MONITOR
from tests.unit.monitor.cloud_nova import MONITOR_PROJECT as MONITOR_PROJECT
from tests.unit.monitor.cloud_nova import NOW as NOW
from tests.unit.monitor.cloud_nova import PROJECT as PROJECT
from tests.unit.monitor.cloud_nova import FakeNova
from tests.unit.monitor.cloud_nova import ident as ident

_T = TypeVar("_T")
WRITES = frozenset(
    {
        *("disable", "enable", "force_down", "lock", "unlock", "act"),
        *("abort", "create_trait", "edit_traits"),
    }
)


class Killed(BaseException):
    """The process ends here; no handler of errors may notice."""


@dataclasses.dataclass
class _Failure:
    method: str
    action: str
    error: CloudFailed
    times: int
    after: bool


class FakeCloud(FakeNova):
    """A cloud of hosts ``h1``, ``h2``, ...; a ``port.Cloud``.

    :ivar latency_s: how long each request takes
    :ivar page_size: servers on one page of a listing
    :ivar log: the requests that were made, in order: method and arguments
    """

    def __init__(self, hosts: int = 2, now: Instant = NOW) -> None:
        super().__init__(hosts, now)
        self.latency_s = 0.0
        self.page_size = 1000
        self.log: list[tuple[Any, ...]] = []
        self._failures: list[_Failure] = []
        self._kill_at = 0
        self._kill_after = False
        self._dead = False
        self._lock = threading.RLock()

    # -- what tests set up ------------------------------------------------

    def fail(
        self,
        method: str,
        reason: CloudCode,
        *,
        times: int = 1,
        action: str = "",
        unsure: bool = False,
        after: bool = False,
    ) -> None:
        """Have the next requests by a method fail.

        :param action: only those of ``act`` for it
        :param after: once they were done, so that only the answer is lost
        """
        error = CloudFailed(reason, f"injected: {reason.value}", unsure)
        self._failures.append(_Failure(method, action, error, times, after))

    def kill_at(self, number: int, *, after: bool = False) -> None:
        """Have the process end at its n-th request from now on.

        :param number: counted from 1; 0: not at all
        :param after: once Nova has done it
        """
        self._kill_at = len(self.log) + number if number else 0
        self._kill_after = after
        self._dead = False

    def revive(self) -> None:
        """Have a new process begin."""
        self._kill_at = 0
        self._dead = False

    @property
    def written(self) -> list[tuple[Any, ...]]:
        """The requests that were to change something, in order."""
        return [entry for entry in self.log if entry[0] in WRITES]

    # -- Reader -----------------------------------------------------------

    @property
    def user_id(self) -> str:
        return MONITOR

    def servers(self, since: Instant | None) -> Iterator[Page]:
        found = [
            server
            for server in self._servers.values()
            if since is None or server.updated >= int(since)
        ]
        deleted = [
            uuid
            for uuid, at in self.gone.items()
            if since is not None and at >= int(since)
        ]
        size = self.page_size
        starts = range(0, max(len(found), 1), size)
        for start in starts:
            page = tuple(found[start : start + size])
            last = start == starts[-1]
            self._asked("servers", since)
            yield Page(
                page,
                tuple(deleted) if last else (),
                self.missing,
                "" if last else page[-1].uuid,
            )

    def server(self, uuid: str) -> Server | None:
        def read() -> Server | None:
            later = self._later.get(uuid)
            if later is not None:
                later[0] -= 1
                if later[0] < 0:
                    self._end(uuid)
            return self._servers.get(uuid)

        return self._request("server", (uuid,), read)

    def nodes(self) -> Mapping[str, Node]:
        return self._request("nodes", (), lambda: dict(self._nodes))

    @property
    def unread(self) -> tuple[str, ...]:
        return ()

    def services(self, known: Mapping[str, Node]) -> Mapping[str, Node]:
        def read() -> Mapping[str, Node]:
            found = {}
            for host, node in self._nodes.items():
                old = known.get(host)
                found[host] = dataclasses.replace(
                    node,
                    uuid=old.uuid if old else "",
                    name=old.name if old else "",
                )
            return found

        return self._request("services", (), read)

    def migrations(self, since: Instant) -> tuple[Migration, ...]:
        return self._request(
            "migrations",
            (since,),
            lambda: tuple(
                sorted(
                    (m for m in self.moves.values() if m.updated >= since),
                    key=lambda m: m.created,
                )
            ),
        )

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        return self._request(
            "deeds", (uuid,), lambda: tuple(self.history[uuid][-DEEDS_MAX:])
        )

    def trait_names(self, prefix: str) -> frozenset[str]:
        def read() -> frozenset[str]:
            every = (t for found in self.carried.values() for t in found)
            return frozenset(t for t in every if t.startswith(prefix))

        return self._request("trait_names", (prefix,), read)

    def providers(self, trait: str) -> frozenset[str]:
        return self._request("providers", (trait,), lambda: self._with(trait))

    def room(self, amounts: Mapping[str, int]) -> frozenset[str]:
        return self._request(
            "room",
            (tuple(sorted(amounts.items())),),
            lambda: frozenset(
                node.uuid
                for node in self._nodes.values()
                if node.enabled and node.host not in self.full
            ),
        )

    def allocation(self, server: str) -> frozenset[str]:
        return self._request(
            "allocation", (server,), lambda: self._allocated_to(server)
        )

    def tree(self, provider: str) -> frozenset[str]:
        return self._request(
            "tree",
            (provider,),
            lambda: frozenset({provider, *self.below.get(provider, ())}),
        )

    # -- Writer -----------------------------------------------------------

    def disable(self, service: str, reason: str) -> None:
        def write() -> None:
            node = self._of(service)
            self.change_host(node.host, enabled=False, reason=reason[:255])

        self._request("disable", (service, reason), write)

    def enable(self, service: str) -> None:
        def write() -> None:
            self.change_host(self._of(service).host, enabled=True, reason="")

        self._request("enable", (service,), write)

    def force_down(self, service: str, down: bool, reason: str = "") -> None:
        def write() -> None:
            node = self._of(service)
            self.change_host(node.host, forced_down=down, up=not down)
            if reason:
                self.change_host(node.host, enabled=False, reason=reason[:255])

        self._request("force_down", (service, down), write)

    def lock(self, server: str, reason: str) -> None:
        us = (MONITOR, MONITOR_PROJECT)
        self._request(
            "lock",
            (server, reason),
            lambda: self._lock_it(server, reason, "admin", us),
        )

    def unlock(self, server: str) -> None:
        us = (MONITOR, MONITOR_PROJECT)
        self._request("unlock", (server,), lambda: self._unlock_it(server, us))

    def act(self, server: str, action: str, argument: object = None) -> None:
        us = (MONITOR, MONITOR_PROJECT)
        self._request(
            "act",
            (server, action, argument),
            lambda: self._do(server, action, argument, us),
        )

    def abort(self, server: str, migration: int) -> None:
        def write() -> None:
            found = self._found(server)
            move = self.moves.get(migration)
            if move is None or move.server != server:
                raise CloudFailed(CloudCode.GONE, "no such migration")
            if found.task != "migrating" or move.status != "running":
                raise CloudFailed(CloudCode.CONFLICT, "it is not under way")
            self._later.pop(server, None)
            self._ends(migration, "cancelled", Course.FAILED)
            self.change(server, task="")

        self._request("abort", (server, migration), write)

    def create_trait(self, trait: str) -> None:
        self._request("create_trait", (trait,), lambda: self.traits.add(trait))

    def edit_traits(
        self,
        provider: str,
        add: Set[str] = frozenset(),
        remove: Set[str] = frozenset(),
    ) -> None:
        def write() -> None:
            self._provider(provider)
            if not add <= self.traits:
                raise CloudFailed(CloudCode.REFUSED, "no such trait")
            has = self.carried.setdefault(provider, set())
            has |= add
            has -= remove

        self._request("edit_traits", (provider, add, remove), write)

    # -- how requests come and go -----------------------------------------

    def _request(
        self, method: str, arguments: tuple[Any, ...], do: Callable[[], _T]
    ) -> _T:
        number, failure = self._begun(method, arguments)
        if failure is not None and not failure.after:
            raise failure.error
        with self._lock:
            answer = do()
            if self._kill_at == number and self._kill_after:
                self._dead = True
                raise Killed
        if failure is not None:
            raise failure.error
        return answer

    def _asked(self, method: str, *arguments: Any) -> None:
        self._request(method, arguments, lambda: None)

    def _begun(
        self, method: str, arguments: tuple[Any, ...]
    ) -> tuple[int, _Failure | None]:
        if self.latency_s:
            time.sleep(self.latency_s)
        with self._lock:
            if self._dead:
                raise Killed
            self.log.append((method, *arguments))
            number = len(self.log)
            if self._kill_at == number and not self._kill_after:
                self._dead = True
                raise Killed
            for failure in self._failures:
                action = arguments[1] if method == "act" else ""
                if (
                    failure.method == method
                    and failure.action in ("", action)
                    and failure.times > 0
                ):
                    failure.times -= 1
                    return number, failure
            return number, None


def _is_a_cloud(fake: FakeCloud) -> Cloud:
    """Hold the type checker to it: the fake has the whole interface."""
    return fake
