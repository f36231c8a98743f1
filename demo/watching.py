# SPDX-License-Identifier: Apache-2.0
"""What the monitor does in a scene, as Nova's API shows it.

Nova alone says whether a scene goes as expected; the monitor's log and status
only say why.
"""

from __future__ import annotations

import dataclasses
import time
import typing as ty
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from demo.asked import NotAsExpected
from demo.interrupts import INTERRUPTS
from nfv_mla_scheduler.monitor.marking import marks
from tests.cloud.client import ApiError

if ty.TYPE_CHECKING:
    from demo.stage import Stage

Json = dict[str, ty.Any]

PATIENCE_S = 30.0
_POLL_S = 0.05
_HOUR_S = 3600
_HELD = "| Held "


class Watching:
    """A monitor, and what there is to see of it in one scene."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._centre = stage.centre
        self._monitor = stage.centre.monitor
        self._since = 0
        self._told: set[str] = set()

    def begins(self) -> None:
        """Start the monitor; it takes some seconds until it watches."""
        self._since = len(self._monitor.lines())
        self._monitor.start()

    def watches(self) -> None:
        """Wait until the monitor has seen this cloud once."""

        def has_looked() -> bool:
            status = self._monitor.status()
            return bool(
                status.get("cycle")
                and status["picture"]
                and status["picture"]["full_at"]
                and status["results"]
            )

        self._until(has_looked, "the monitor to look at the cloud")
        self._stage.happens("the monitor watches")

    def server(
        self,
        what: str,
        name: str,
        status: str,
        *hosts: str,
        locked: bool = True,
    ) -> str:
        """Expect a server to come to be so, by Nova's API; return its host.

        :param what: the monitor does; empty: nothing happens to it
        :param hosts: on one of which it has to be
        :param locked: whether it has to be locked, or not to be
        """
        server = self._stage.id_of(name)

        def so(shown: Json) -> bool:
            return (
                shown["status"] == status
                and shown["OS-EXT-SRV-ATTR:host"] in hosts
                and shown["locked"] is locked
                and shown["OS-EXT-STS:task_state"] is None
            )

        wanted = f"{status} on {' or '.join(hosts)}"
        wanted += ", locked" if locked else ", not locked"
        shown = self._expect(
            what or f"admin: show {name}",
            lambda: self._centre.admin.server(server),
            so,
            server_words,
            wanted,
        )
        return str(shown["OS-EXT-SRV-ATTR:host"])

    def task(self, what: str, name: str, task: str) -> None:
        """Expect a server to come to have a task."""
        server = self._stage.id_of(name)
        self._expect(
            what,
            lambda: self._centre.admin.server(server),
            lambda shown: shown["OS-EXT-STS:task_state"] == task,
            server_words,
            f"its task to be {task}",
        )

    def service(self, what: str, host: str, status: str) -> None:
        """Expect a host's compute service to be enabled, or disabled."""
        self._expect(
            what,
            lambda: self._centre.admin.service_of(host),
            lambda shown: shown["status"] == status,
            _service_words,
            f"nova-compute {status}",
        )

    def services(self, what: str, disabled: Iterable[str]) -> None:
        """Expect exactly these hosts to be fenced."""
        hosts = sorted(disabled)

        def fenced() -> list[str]:
            path = "/os-services?binary=nova-compute"
            found = self._centre.admin.request("GET", path)["services"]
            return sorted(
                s["host"] for s in found if s["status"] == "disabled"
            )

        def words(found: list[str]) -> str:
            return f"disabled: {', '.join(found) or 'no host'}"

        self._expect(what, fenced, lambda f: f == hosts, words, words(hosts))

    def owner_may_not(self, what: str, name: str, status: int) -> None:
        """Let a server's owner ask for something, and expect a refusal.

        :param status: of HTTP
        """
        server = self._stage.server(name)
        client = self._centre.client(server.user)
        try:
            client.request(
                "POST", f"/servers/{server.id}/action", {what: None}
            )
            found = "HTTP 202"
        except ApiError as error:
            message = error.message.replace(server.id, name)
            found = f"HTTP {error.status}: {message}"
        word = what.removeprefix("os-")
        self._stage.check(
            f"{server.user.name}: {word} {name}",
            found.startswith(f"HTTP {status}"),
            found,
            f"HTTP {status}",
        )

    def owner_reads_reason(self, name: str) -> None:
        """Show what a server's owner is told about the lock."""
        server = self._stage.server(name)
        shown = self._centre.client(server.user).server(server.id)
        reason = shown["locked_reason"] or ""
        code, _, rest = reason.partition(" since=")
        secret = [c.name for c in self._centre.computes]
        secret += self._centre.authorities
        named = [word for word in secret if word in reason]
        self._stage.check(
            f"{server.user.name}: show {name}, locked_reason",
            bool(rest) and not named,
            f"{code} since=... (names "
            f"{', '.join(named) or 'no host, and no authority'})",
            "a mark that names no host, and no authority",
        )

    def host_is_switched_off(self, host: str) -> None:
        """Wait until the monitor wants a host off, and switch it off."""
        power = self._centre.power
        self._until(
            lambda: host in power.wanted(), f"{host} to be switched off"
        )
        self._centre.cloud.stop_compute(host)
        power.is_off(host)
        self._stage.happens(
            f"the operator's command power-off {host} is run: {host} is off"
        )

    def an_hour_goes_by(self, *names: str) -> None:
        """Have it that the monitor did all this an hour ago.

        What it did has to be a minute old before it takes it back.  When that
        was, is in its marks and in Nova's record: both are dated back, the
        marks by its key.
        """
        self._stage.happens(
            "an hour goes by (its marks and Nova's record are dated back)"
        )
        admin = self._centre.admin
        for name in names:
            server = self._stage.id_of(name)
            reason = admin.server(server)["locked_reason"] or ""
            mark = marks.read(reason, server, (self._monitor.key,))
            if mark is None:
                raise NotAsExpected(f"a mark on {name}", reason or "none")
            older = dataclasses.replace(
                mark, at=mark.at - _HOUR_S, since=mark.since - _HOUR_S
            )
            text = marks.write(older, server, self._monitor.key)
            self._centre.cloud.date_back(server, _HOUR_S, text)

    def says(self, *words: str) -> None:
        """Show the first line of the monitor with these words."""
        found: list[str] = []

        def said() -> bool:
            found[:] = [
                line
                for line in self._monitor.said(since=self._since)
                if all(word in self._named(line) for word in words)
            ]
            return bool(found)

        self._until(said, f"the monitor to say {' '.join(words)}")
        self._stage.screen.why([self._named(found[0])])

    def status(self, fenced: int) -> None:
        """Show what ``nfv-mla monitor status`` prints, without some tables.

        :param fenced: so many hosts it has to know of as fenced
        """
        self._until(
            lambda: self._counted("fenced") == fenced,
            f"its status to count {fenced} fenced hosts",
        )
        _, printed = self._monitor.command("status", self._stage.screen.room)
        head, *tables = printed.strip().split("\n\n")
        lines = head.splitlines()
        for table in tables:
            rows = table.splitlines()
            if rows[1].startswith(_HELD):
                lines += ["...", *rows]
        lines = [self._named(line, as_wide=True) for line in lines]
        self._stage.screen.output("nfv-mla monitor status", lines)

    def command(self, words: str) -> None:
        """Let a person say something by ``nfv-mla monitor``."""
        status, printed = self._monitor.command(words, self._stage.screen.room)
        lines = printed.strip().splitlines()
        self._stage.screen.output(f"nfv-mla monitor {words}", lines)
        if status:
            raise NotAsExpected("exit status 0", f"{status}: {printed}")

    def held(self, why: str) -> None:
        """Wait until the monitor's status says that something is held."""
        self._until(
            lambda: why in self._monitor.status().get("held", {}),
            f"the monitor to hold something for {why}",
        )

    def ends(self) -> None:
        """Stop the monitor, and take back what it did to hosts."""
        monitor, power = self._monitor, self._centre.power
        if not monitor.runs:
            return
        monitor.stop()
        cloud, admin = self._centre.cloud, self._centre.admin
        cloud.obey()
        for host in power.hosts_off():
            cloud.start_compute(host)
        power.forget()
        services = admin.request("GET", "/os-services?binary=nova-compute")
        for service in services["services"]:
            if service["forced_down"] or service["status"] != "enabled":
                admin.update_service(
                    service["host"], forced_down=False, status="enabled"
                )
        monitor.forget()

    def _expect(
        self,
        what: str,
        look: Callable[[], ty.Any],
        so: Callable[[ty.Any], bool],
        words: Callable[[ty.Any], str],
        wanted: str,
    ) -> ty.Any:
        """Wait until what is seen is so, and show it."""
        seen: list[ty.Any] = []

        def is_so() -> bool:
            seen[:] = [look()]
            return so(seen[0])

        good = self._waits(is_so)
        self._stage.check(what, good, words(seen[0]), wanted)
        return seen[0]

    def _until(self, condition: Callable[[], bool], wanted: str) -> None:
        if not self._waits(condition):
            ended = self._monitor.ended()
            said = f"the monitor has ended: {ended}" if ended else "it did not"
            raise NotAsExpected(wanted, said)

    def _waits(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline or self._monitor.ended():
                return False
            INTERRUPTS.sleep(_POLL_S)
        return True

    def _counted(self, state: str) -> int:
        return int(self._monitor.status().get("hosts", {}).get(state, 0))

    def _named(self, text: str, *, as_wide: bool = False) -> str:
        """Return a text with names in place of the servers' UUIDs."""
        for server in self._stage.servers():
            width = len(server.id) if as_wide else 0
            text = text.replace(server.id, server.name.ljust(width))
        return text


def server_words(shown: Mapping[str, ty.Any]) -> str:
    """Return how a server is, for people."""
    words = str(shown["status"])
    host, task = shown["OS-EXT-SRV-ATTR:host"], shown["OS-EXT-STS:task_state"]
    words += f" on {host}" if host else ""
    words += ", locked" if shown["locked"] else ""
    return words + (f", task {task}" if task else "")


def _service_words(shown: Json) -> str:
    """Return how a compute service is, for people."""
    reason = shown["disabled_reason"] or ""
    marked = reason.startswith(marks.PREFIX)
    said = f" ({' '.join(reason.split()[:2])} ...)" if marked else ""
    return f"nova-compute {shown['status']}{said}"
