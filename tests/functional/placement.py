# SPDX-License-Identifier: Apache-2.0
"""The base class of tests that place servers by a signed policy.

A cloud with our filter, its officers and its collector.  What tests assert
is what people see: Nova's answers, our log, the audit file.
"""

from __future__ import annotations

import contextlib
import json
import logging
import pathlib
import re
import tempfile
import time
import typing as ty

import nova.conf

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.scheduler import worker
from tests.cloud import client
from tests.cloud import description as desc
from tests.cloud import testcase
from tests.cloud.site import Site
from tests.functional import witness
from tests.functional import world

CONF = nova.conf.CONF

Json = client.Json
Operation = ty.Callable[[], object]

_SCHEDULER = "nfv_mla_scheduler.scheduler"
NOT_ENOUGH = (
    "No valid host was found. There are not enough hosts available."
)
_REFUSED = re.compile(
    r"nfv-mla refused server (?P<server>\S+) of project \S+ on all "
    r"(?P<hosts>\d+) hosts: (?P<counts>\d+ [a-z-]+(?:, \d+ [a-z-]+)*)"
)
#: Lets anybody name a host when a server is created, so that tests have
#: servers of a tenant where they want them.
_ANYBODY_NAMES_A_HOST = {"compute:servers:create:requested_destination": "@"}


class PlacementTestCase(testcase.CloudTestCase):
    """Tests in a cloud whose hosts are judged.

    :cvar hosts: names of the hosts that run
    :cvar options: of ``[nfv_mla]``, beside those of the site
    """

    hosts: ty.ClassVar[tuple[str, ...]] = (
        world.GOOD_1,
        world.GOOD_2,
        world.DULL,
        world.WEB,
    )
    more_filters: ty.ClassVar[tuple[str, ...]] = ()
    weighers: ty.ClassVar[tuple[str, ...] | None] = None
    options: ty.ClassVar[dict[str, object]] = {}

    site: ty.ClassVar[Site]
    calls: ty.ClassVar[witness.FilterCalls]
    rounds: ty.ClassVar[witness.FeedRounds]
    audit: ty.ClassVar[witness.AuditFile]
    keys: ty.ClassVar[client.Client]
    floored: ty.ClassVar[client.Client]
    version: ty.ClassVar[int] = 0

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.site = Site(pathlib.Path(directory.name) / "site")
        cls.audit = witness.AuditFile(cls.site.audit_file)
        cls.version = 0
        cls.prepare_site()
        cls.description = cls.describe()
        cls.calls = witness.FilterCalls()
        cls.rounds = witness.FeedRounds()
        for fixture in (cls.calls, cls.rounds):
            fixture.setUp()
            cls.addClassCleanup(fixture.cleanUp)
        super().setUpClass()
        cls.addClassCleanup(worker.stop_all)
        cls.keys = cls.cloud.client(world.KEYS)
        cls.floored = cls.cloud.client(world.FLOORED)

    @classmethod
    def describe(cls) -> desc.Description:
        """Return the cloud that this class runs in."""
        return desc.Description(
            computes=tuple(world.compute(name) for name in cls.hosts),
            users=world.USERS,
            available_filters=(
                "nova.scheduler.filters.all_filters",
                f"{_SCHEDULER}.filters.all_filters",
            ),
            enabled_filters=(
                "NfvMlaFilter",
                "ComputeFilter",
                *cls.more_filters,
            ),
            weight_classes=cls.weighers,
            register_options=options.register,
            overrides={
                # As in production; tests of Nova's make an error of it.
                "api": {"response_validation": "warn"},
                "nfv_mla": cls.site.options(
                    management_domain="acme", **cls.options
                ),
            },
            policy_rules=_ANYBODY_NAMES_A_HOST,
        )

    @classmethod
    def prepare_site(cls) -> None:
        """Put in place what nova-scheduler is to find when it starts."""
        cls.site.put_policy(world.as_yaml(cls.next_policy()))
        world.attest(cls.site)
        cls.site.publish()

    @classmethod
    def next_policy(cls, **how: ty.Any) -> Json:
        """Return a policy of the next version, still to be signed."""
        cls.version += 1
        how.setdefault("version", cls.version)
        return world.policy(cls.site, time.time(), **how)

    def setUp(self) -> None:
        super().setUp()
        self._seen: dict[str, int] = {}
        self._changed = False
        self.addCleanup(self._forget)
        self.plain = self.admin.create_flavor("plain")
        self.tpm = self.admin.create_flavor("tpm", world.TPM)

    def _forget(self) -> None:
        """Let the authorities speak again as they did at first."""
        if self._changed:
            world.attest(self.site)
            self.publish()

    # What happens on the controller.

    def put_policy(self, document: Json) -> None:
        """Sign a policy, and wait until nova-scheduler has read it."""
        self.site.put_policy(world.as_yaml(document))
        self.rounds.wait()

    def put(self, path: pathlib.Path, data: bytes) -> None:
        """Replace a file, and wait until nova-scheduler has read it."""
        self._changed = True
        publish(path, data)
        self.rounds.wait()

    def publish(self, **how: ty.Any) -> None:
        """Publish results, and wait until nova-scheduler has read them."""
        self._changed = True
        self.site.publish(**how)
        self.rounds.wait()

    def contraindicate(self, *hosts: str) -> None:
        """Let the authority say that hosts are not what they should be."""
        for host in hosts:
            world.contraindicate(self.site, host)
        self.publish()

    def take_down(self, host: str) -> None:
        """Let a host fail, so that servers can be evacuated from it."""
        self.cloud.stop_compute(host)
        self.admin.update_service(host, forced_down=True)

    def set_option(self, name: str, value: object) -> None:
        """Set an option of Nova's ``[DEFAULT]`` until the test ends."""
        CONF.set_override(name, value)
        self.addCleanup(CONF.clear_override, name)

    def boot(
        self,
        flavor: str,
        host: str,
        user: client.Client | None = None,
        **more: ty.Any,
    ) -> str:
        """Return a new server that runs on this host."""
        owner = user or self.tenant
        server = owner.create_server("vm", flavor, host=host, **more)
        self.assert_rests(server, host)
        return server

    # What people see.

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
        """Assert that log and audit file tell of one more refusal."""
        self._seen[server] = self._seen.get(server, 0) + 1
        self.admin.wait_until(
            lambda: len(self._events(server)) >= self._seen[server],
            f"the audit file tells nothing of server {server}",
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
