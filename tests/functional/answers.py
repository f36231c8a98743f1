# SPDX-License-Identifier: Apache-2.0
"""What tests assert of placement is what people see.

Nova's answers to administrator and tenant, our log, the ledger; and how
often Nova asked our filter.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import typing as ty

from tests.cloud import client
from tests.cloud import testcase
from tests.functional import witness
from tests.functional import world

Json = client.Json
Operation = ty.Callable[[], object]

NOT_ENOUGH = "No valid host was found. There are not enough hosts available."
_REFUSED = re.compile(
    r"nfv-mla refused server (?P<server>\S+) of project \S+ on all "
    r"(?P<hosts>\d+) hosts: (?P<counts>\d+ [a-z-]+(?:, \d+ [a-z-]+)*)"
)


class AnswersTestCase(testcase.CloudTestCase):
    """Tests that read answers.

    :cvar hosts: names of the hosts that run
    """

    hosts: ty.ClassVar[tuple[str, ...]] = ()
    calls: ty.ClassVar[witness.FilterCalls]
    audit: ty.ClassVar[witness.Records]

    def setUp(self) -> None:
        super().setUp()
        self._seen: dict[str, int] = {}
        # Of what has happened already, and only has to be written down.
        self._soon = self.cloud.client(timeout_s=10)

    def assert_rests(
        self, server: str, host: str | None, status: str = "ACTIVE"
    ) -> None:
        """Assert where a server is, as an administrator is told."""
        shown = self.admin.server(server)
        self.assertEqual(
            (status, host),
            (shown["status"], shown["OS-EXT-SRV-ATTR:host"]),
            self.log_of(server),
        )

    @contextlib.contextmanager
    def filter_calls(self, count: int) -> ty.Iterator[list[witness.Call]]:
        """Assert how often the filter is called within the context."""
        before = len(self.calls.made)
        made: list[witness.Call] = []
        yield made
        made.extend(self.calls.made[before:])
        self.assertEqual(count, len(made), made)

    def assert_refused(
        self,
        server: str,
        operation: Operation,
        counts: ty.Mapping[str, int],
        hosts: int,
    ) -> None:
        """Assert that the filter, called once, refuses all hosts.

        :param counts: how many hosts fall to which refusal
        :param hosts: how many were candidates
        """
        with self.filter_calls(1) as calls:
            operation()
        self.assertEqual(hosts, len(calls[0].offered))
        self.assertEqual(frozenset(), calls[0].admitted)
        self.assert_reported(server, counts, hosts)

    def assert_reported(
        self, server: str, counts: ty.Mapping[str, int], hosts: int
    ) -> None:
        """Assert that log and ledger tell of one more refusal."""
        self._seen[server] = self._seen.get(server, 0) + 1
        self._soon.wait_until(
            lambda: len(self._events(server)) >= self._seen[server],
            f"the ledger tells nothing of server {server}",
        )
        events = self._events(server)
        self.assertEqual(self._seen[server], len(events))
        self.assertEqual(hosts, events[-1]["candidates"])
        self.assertEqual(counts, events[-1]["counts"])
        lines = self.log_of(server)
        self.assertEqual(self._seen[server], len(lines), lines)
        said = _REFUSED.match(lines[-1])
        assert said is not None, lines[-1]
        self.assertEqual(str(hosts), said["hosts"])
        self.assertEqual(
            {f"{count} {code}" for code, count in counts.items()},
            set(said["counts"].split(", ")),
        )

    def assert_not_reported(self, server: str) -> None:
        """Assert that we refused this server nothing more."""
        seen = self._seen.get(server, 0)
        self.assertEqual(seen, len(self.log_of(server)))
        self.assertEqual(seen, len(self._events(server)))

    def log_of(self, server: str) -> list[str]:
        """Return what our log says about a server, from INFO on."""
        return [line for line in self.news(logging.INFO) if server in line]

    def news(self, level: int = logging.DEBUG) -> list[str]:
        """Return what our loggers said since the test started."""
        return ty.cast(list[str], self.cloud.our_log.lines(level))

    def told(self, code: str, level: int = logging.INFO) -> int:
        """Return how often our log told a change with this code."""
        return sum(line.endswith(f"({code})") for line in self.news(level))

    def _events(self, server: str) -> list[Json]:
        return self.audit.events("request-refused", server=server)

    def assert_fault(self, server: str, message: str = NOT_ENOUGH) -> None:
        """Assert what owner and administrator read of an ERROR."""
        for reader in (self.owner_of(server), self.admin):
            shown = reader.server(server)
            self.assertEqual("ERROR", shown["status"])
            self.assertEqual(500, shown["fault"]["code"])
            self.assertEqual(message, shown["fault"]["message"])
        self.assertIn("details", shown["fault"])
        self.assert_owner_reads_no_host(server)

    def owner_of(self, server: str) -> client.Client:
        """Return the client of a server's owner."""
        project = self.admin.server(server)["tenant_id"]
        for user in world.USERS:
            if user.project_id == project:
                return self.cloud.client(user)
        raise LookupError(project)

    def assert_owner_reads_no_host(self, server: str) -> None:
        """Assert that nothing of what an owner may read names a host."""
        owner = self.owner_of(server)
        path = f"/servers/{server}/os-instance-actions"
        actions = owner.request("GET", path)["instanceActions"]
        read = [owner.server(server)] + [
            owner.request("GET", f"{path}/{action['request_id']}")
            for action in actions
        ]
        self.assert_names_no_host(json.dumps(read))

    def assert_names_no_host(self, text: str) -> None:
        for host in self.hosts:
            self.assertNotIn(host, text)

    def assert_api_refuses(self, status: int, operation: Operation) -> str:
        """Return what the API says when it refuses with this status."""
        error = self.assertRaises(client.ApiError, operation)
        self.assertEqual(status, error.status, error.message)
        return ty.cast(str, error.message)
