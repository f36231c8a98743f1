# SPDX-License-Identifier: Apache-2.0
"""Where a scene plays: requests to Nova, and what is expected of each.

Every request has to be followed by an expectation, which is compared with
what Nova's API answers.  The first that is not met ends the scene.
"""

from __future__ import annotations

import dataclasses
import typing as ty
from collections.abc import Callable
from collections.abc import Mapping

from demo import answers
from demo import world
from demo.answers import Answer
from demo.asked import Asked
from demo.asked import NotAsExpected
from demo.auditing import Auditing
from demo.authorities import Authorities
from demo.centre import DataCentre
from demo.interrupts import INTERRUPTS
from demo.offices import Offices
from demo.reasons import Reasons
from demo.screen import Screen
from demo.watching import Watching
from nfv_mla_scheduler.model import RefusalCode
from tests.cloud import description as desc
from tests.cloud.client import ApiError


@dataclasses.dataclass(slots=True)
class Server:
    """A server of the scene, by the name that the scene gives it."""

    name: str
    id: str
    user: desc.User
    flavor: str


class Stage:
    """Asks Nova, and shows what it answers."""

    def __init__(self, centre: DataCentre, screen: Screen) -> None:
        self.centre = centre
        self.screen = screen
        self.reasons = Reasons(centre)
        self.authorities = Authorities(centre, self.reasons, screen)
        self.offices = Offices(centre, self.reasons, screen)
        self.monitor = Watching(self)
        self.auditor = Auditing(self)
        self._servers: dict[str, Server] = {}
        self._pending: Asked | None = None
        self._said: set[tuple[str, ...]] = set()

    def create(
        self,
        user: desc.User,
        name: str,
        flavor: str,
        *,
        host: str | None = None,
        hints: Mapping[str, str] | None = None,
        forced: str = "",
    ) -> Asked:
        """Create a server.

        :param host: where it has to be; only an administrator may say so, and
            does it in the user's project
        :param forced: the same, past the scheduler
        """
        as_admin = user is not world.ADMIN and bool(host or forced)
        who = world.ADMIN if as_admin else user
        asked = f"{who.name}: create {name} ({flavor})"
        asked += f" for {user.name}" if as_admin else ""
        asked += f" on {host}" if host else ""
        asked += f", zone nova:{forced}" if forced else ""
        asked += "".join(f", hint {k}={v}" for k, v in (hints or {}).items())
        client, since = self.centre.client(user), self.reasons.count()
        asks = self.centre.admin_of(user) if as_admin else client
        server = asks.create_server(
            name,
            self.centre.flavor(flavor),
            image=self.centre.image(flavor),
            host=host,
            zone=f"nova:{forced}" if forced else None,
            hints=hints,
        )
        self._servers[name] = Server(name, server, user, flavor)
        answer = answers.of_creation(self.centre.admin, client, server)
        return self._asked(asked, name, flavor, answer, since, host or "")

    def live_migrate(self, name: str, host: str | None = None) -> Asked:
        """Let the administrator live-migrate a server."""
        admin = self.centre.admin
        return self._move(
            "live-migrate", name, host, lambda s: admin.live_migrate(s, host)
        )

    def migrate(self, name: str, host: str | None = None) -> Asked:
        """Let the administrator migrate a server cold."""
        admin = self.centre.admin
        return self._move(
            "migrate", name, host, lambda s: admin.migrate(s, host)
        )

    def resize(self, name: str, flavor: str) -> Asked:
        """Let its owner give a server another flavor."""
        client = self.centre.client(self._servers[name].user)
        new = self.centre.flavor(flavor)
        return self._move(
            "resize", name, flavor, lambda s: client.resize(s, new)
        )

    def confirm(self, name: str) -> None:
        """Let the owner take up the server where it was moved to."""
        server = self._servers[name]
        self.centre.admin.confirm_resize(server.id)

    def still(self, name: str, host: str | None = None) -> Asked:
        """Look where a server is, and do nothing to it."""
        server = self._servers[name]
        answer = answers.of_creation(
            self.centre.admin, self.centre.client(server.user), server.id
        )
        return self._asked(f"admin: show {name}", name, server.flavor, answer)

    def host_of(self, name: str) -> str:
        """Return where a server is, by Nova's word."""
        host = self.centre.admin.host_of(self._servers[name].id)
        if host is None:
            raise NotAsExpected(f"{name} is somewhere", "it is nowhere")
        return host

    def id_of(self, name: str) -> str:
        return self._servers[name].id

    def server(self, name: str) -> Server:
        """Return a server of the scene, by its name."""
        return self._servers[name]

    def servers(self) -> list[Server]:
        """Return all servers of the scene."""
        return list(self._servers.values())

    def forget(self, *names: str) -> None:
        """Delete servers, those of the scene if none is named."""
        for name in names or tuple(self._servers):
            self.centre.admin.delete(self._servers.pop(name).id)

    def names_no_host(self, name: str) -> None:
        """Expect that nothing a server's owner can read names any host."""
        server = self._servers[name]
        read = answers.all_that_owner_reads(
            self.centre.client(server.user), server.id
        )
        named = [c.name for c in self.centre.computes if c.name in read]
        self.check(
            f"{server.user.name}: show server, its fault and its events",
            not named,
            f"names {', '.join(named)}" if named else "names no host",
            "no host to be named",
        )

    def would_refuse(self, name: str, because: RefusalCode) -> None:
        """Demand an event that a server is let in which others are not."""
        event = self.reasons.event(
            kind="would-refuse", server=self._servers[name].id
        )
        counts = event["fields"]["counts"] if event else {}
        if because.value not in counts:
            raise NotAsExpected(
                f"an audit event would-refuse, {because.value}",
                ", ".join(counts) or "none",
            )
        said = self.reasons.logged("would refuse", self._servers[name].id)
        words = said[0].partition("on ")[2]
        self.why(f"would-refuse: on {words}")

    def room_is_known(self, *, full: tuple[str, ...] = ()) -> None:
        """Wait until the scheduler knows which enclave hosts are full."""
        if not self.reasons.room_is_known(full=full):
            raise NotAsExpected(
                f"our scheduler to know that {' and '.join(full)} are full",
                "it does not",
            )

    def happens(self, text: str) -> None:
        """Say what goes on beside requests to Nova."""
        self.screen.event(text)

    def why(self, *reasons: str) -> None:
        """Say why, unless this scene has said so before."""
        self.screen.why(["as above"] if reasons in self._said else reasons)
        self._said.add(reasons)

    def check(self, asked: str, good: bool, found: str, wanted: str) -> None:
        """Show and demand something that can be seen beside Nova's API."""
        self.screen.step(good, asked, found)
        if not good:
            raise NotAsExpected(wanted, found)

    def all_judged(self) -> None:
        """Make sure that no request of the scene went unjudged."""
        if self._pending is not None and not self._pending.judged:
            raise AssertionError(f"nothing expected of {self._pending.asked}")

    def clear(self) -> None:
        """Leave everything as it was before the scene."""
        self._pending = None
        self._said.clear()
        self.monitor.ends()
        self.offices.mend_glass()
        self.forget()
        self.authorities.all_is_well()
        self.room_is_known()

    def _move(
        self,
        what: str,
        name: str,
        target: str | None,
        act: Callable[[str], ty.Any],
    ) -> Asked:
        """Move a server, to a host or to another flavor."""
        server = self._servers[name]
        flavor, host = server.flavor, target or ""
        who = world.ADMIN
        if what == "resize":
            who, flavor, host = server.user, target or "", ""
        asked = f"{who.name}: {what} {name}" + (
            f" to {target}" if target else ""
        )
        source, since = self.host_of(name), self.reasons.count()
        try:
            act(server.id)
        except ApiError as error:
            answer = answers.refused_by_api(error, name, server.id)
        else:
            answer = answers.of_move(self.centre.admin, server.id, source)
        return self._asked(asked, name, flavor, answer, since, host)

    def _asked(
        self,
        asked: str,
        name: str,
        flavor: str,
        answer: Answer,
        since: int = 0,
        target: str = "",
    ) -> Asked:
        self.all_judged()
        INTERRUPTS.check()
        self._pending = Asked(
            self,
            asked,
            name,
            self._servers[name].id,
            flavor,
            target,
            answer,
            since,
        )
        return self._pending
