# SPDX-License-Identifier: Apache-2.0
"""The base class of tests that place servers by a signed policy.

A cloud with our filter, its officers and its collector.
"""

from __future__ import annotations

import functools
import pathlib
import tempfile
import time
import typing as ty

import nova.conf

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.scheduler import worker
from tests.cloud import client
from tests.cloud import description as desc
from tests.cloud.site import Site
from tests.functional import answers
from tests.functional import witness
from tests.functional import world

CONF = nova.conf.CONF

Json = client.Json
NOT_ENOUGH = answers.NOT_ENOUGH

_SCHEDULER = "nfv_mla_scheduler.scheduler"
#: Lets anybody name a host when a server is created, so that tests have
#: servers of a tenant where they want them.
_ANYBODY_NAMES_A_HOST = {"compute:servers:create:requested_destination": "@"}


class PlacementTestCase(answers.AnswersTestCase):
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
    rounds: ty.ClassVar[witness.FeedRounds]
    keys: ty.ClassVar[client.Client]
    floored: ty.ClassVar[client.Client]
    version: ty.ClassVar[int] = 0

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.site = Site(pathlib.Path(directory.name) / "site")
        cls.audit = witness.Records(cls.site.audit_dir)
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
        cls.attest()
        cls.site.publish()

    @classmethod
    def attest(cls) -> None:
        """Let the authorities say what is usual."""
        world.attest(cls.site)

    @classmethod
    def next_policy(cls, **how: ty.Any) -> Json:
        """Return a policy of the next version, still to be signed."""
        cls.version += 1
        how.setdefault("version", cls.version)
        return world.policy(cls.site, time.time(), **how)

    def setUp(self) -> None:
        super().setUp()
        self._changed = False
        self.addCleanup(self._forget)

    @functools.cached_property
    def plain(self) -> str:
        """The flavor of servers that ask for nothing."""
        return self.admin.create_flavor("plain")

    @functools.cached_property
    def tpm(self) -> str:
        """The flavor of servers that ask for a hardware TPM."""
        return self.admin.create_flavor("tpm", world.TPM)

    def _forget(self) -> None:
        """Let the authorities speak again as they did at first."""
        if self._changed:
            self.attest()
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
