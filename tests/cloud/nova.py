# SPDX-License-Identifier: Apache-2.0
"""Nova and Placement in this process, from Nova's published fixtures.

Opens no socket and writes only below temporary directories.  While it runs,
Nova's fixtures have this process' oslo.config, logging and databases.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import logging
import pathlib
import typing as ty

import fixtures
from nova import context
from nova import objects
from nova import test
from nova.db.main import api as db
from nova.db.main import models
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional import fixtures as placement_fixtures
from placement import deploy

from tests.cloud import databases
from tests.cloud import description as desc
from tests.cloud import driver
from tests.cloud import identity
from tests.cloud import logs
from tests.cloud import rpc
from tests.cloud import wsgi

#: Capacities are what a Compute says, and nobody runs out of quota.
_DEFAULTS: ty.Mapping[str, ty.Mapping[str, object]] = {
    "DEFAULT": {
        "initial_cpu_allocation_ratio": 1.0,
        "initial_ram_allocation_ratio": 1.0,
        "initial_disk_allocation_ratio": 1.0,
        "reserved_host_memory_mb": 0,
    },
    "quota": {
        "instances": -1,
        "cores": -1,
        "ram": -1,
        "server_groups": -1,
        "server_group_members": -1,
    },
}
#: What Nova's test case would take from the environment of the tests around
#: it: an alarm for each test, and their output.
_ENVIRONMENT = {
    "OS_TEST_TIMEOUT": "0",
    "OS_STDOUT_CAPTURE": "0",
    "OS_STDERR_CAPTURE": "0",
}


def api_paste_config() -> str:
    """Return the path of the api-paste.ini that nova's wheel installed."""
    for file in importlib.metadata.distribution("nova").files or []:
        if file.name == "api-paste.ini":
            return str(pathlib.Path(str(file.locate())).resolve())
    raise FileNotFoundError("the nova distribution has no api-paste.ini")


class Services(test.TestCase):  # type: ignore[misc]
    """The services of one cloud.

    A test case in name only, since Nova's fixtures ask for one: ``setUp``
    starts the services, ``stop`` ends them.
    """

    def __init__(
        self,
        description: desc.Description,
        users: identity.Identity,
        log_level: int = logging.WARNING,
    ) -> None:
        super().__init__("runTest")
        self._description = description
        self._users = users
        self._log_level = log_level
        #: Pairs of a host, and a method of its service that it swallows.
        self.swallowed: set[tuple[str, str]] = set()

    def runTest(self) -> None:  # noqa: N802
        raise AssertionError("this is not a test")

    def setUp(self) -> None:
        # Before the first database.
        self.useFixture(databases.Economy())
        with self._environment():
            super().setUp()
        self._configure()
        self._use_fixtures()
        for image in self._description.images:
            self.glance.create(None, _glance_image(image))
        self.start_service("conductor")
        self.start_service("scheduler")
        for compute in self._description.computes:
            self._start_compute(compute.name)
        # Idle threads look for the end of their pool this often; Nova's
        # fixtures say 10 ms, which keeps a tenth of a core busy.  Last here,
        # so that it is undone first, and stopping takes no longer for it.
        self.useFixture(
            fixtures.MonkeyPatch(
                "futurist._thread.ThreadWorker.MAX_IDLE_FOR", 0.2
            )
        )

    def stop(self) -> None:
        """Undo all that ``setUp`` did, even where it failed half-way.

        :raises: the first error of all those met on the way
        """
        errors = []
        while self._cleanups:
            function, args, kwargs = self._cleanups.pop()
            try:
                function(*args, **kwargs)
            except Exception as exc:
                errors.append(exc)
        if errors:
            raise errors[0]

    def compute_api(self) -> wsgi.Application:
        """Return nova-api, which asks our users' tokens of a request."""
        return ty.cast(wsgi.Application, self.api.app())

    def placement_api(self) -> wsgi.Application:
        """Return Placement, without authentication of its own."""
        return ty.cast(
            wsgi.Application, deploy.loadapp(self.placement.conf_fixture.conf)
        )

    def set_policy(self, rules: ty.Mapping[str, str]) -> None:
        self.policy.set_rules(dict(rules), overwrite=False)

    def is_running(self, host: str) -> bool:
        """Whether the compute service of this host runs."""
        return host in self.computes

    def stop_compute(self, host: str) -> None:
        self.computes.pop(host).stop()

    def start_compute(self, host: str) -> None:
        record = self._start_compute(host).service_ref
        # It would report that it is up after one interval only.
        record.report_count += 1
        record.save()

    @staticmethod
    def date_back(server: str, by_s: float, reason: str) -> None:
        """Have it that all was done to a server so much earlier.

        :param reason: of its lock from now on
        """
        admin = context.get_admin_context()
        mapping = objects.InstanceMapping.get_by_instance_uuid(admin, server)
        with context.target_cell(admin, mapping.cell_mapping) as cell:
            with db.get_context_manager(cell).writer.using(cell):
                found = cell.session.query(models.InstanceAction)
                for action in found.filter_by(instance_uuid=server):
                    action.start_time -= datetime.timedelta(seconds=by_s)
            instance = objects.Instance.get_by_uuid(
                cell, server, expected_attrs=["system_metadata"]
            )
            instance.system_metadata["locked_reason"] = reason
            # Whoever looks only for what has changed has to see it.
            instance.launched_at -= datetime.timedelta(seconds=by_s)
            instance.save()

    def update_resources(self) -> None:
        """Let every compute report to Placement, as it does periodically."""
        self._run_periodics()

    @staticmethod
    def _environment() -> ty.Any:
        return fixtures.CompoundFixture(
            [
                fixtures.EnvironmentVariable(name, value)
                for name, value in _ENVIRONMENT.items()
            ]
        )

    def _configure(self) -> None:
        wanted = self._description
        self.flags(api_paste_config=api_paste_config(), group="wsgi")
        self.flags(
            available_filters=list(wanted.available_filters),
            group="filter_scheduler",
        )
        if wanted.enabled_filters is not None:
            self.flags(
                enabled_filters=list(wanted.enabled_filters),
                group="filter_scheduler",
            )
        if wanted.weight_classes is not None:
            self.flags(
                weight_classes=list(wanted.weight_classes),
                group="filter_scheduler",
            )
        if wanted.max_placement_results is not None:
            self.flags(
                max_placement_results=wanted.max_placement_results,
                group="scheduler",
            )
        if wanted.register_options is not None:
            wanted.register_options(test.CONF)
        for overrides in (_DEFAULTS, wanted.overrides):
            for group, options in overrides.items():
                self.flags(
                    group=None if group == "DEFAULT" else group, **options
                )

    def _use_fixtures(self) -> None:
        wanted = self._description
        self.quiet = self.useFixture(logs.QuietLogs(self._log_level))
        self.useFixture(rpc.PromptDelivery())
        self.useFixture(rpc.CastsComplete(self._listens, self._swallows))
        self.useFixture(nova_fixtures.SpawnIsSynchronousFixture())
        self.policy = self.useFixture(nova_fixtures.RealPolicyFixture())
        self.set_policy(wanted.policy_rules)
        self.neutron = self.useFixture(nova_fixtures.NeutronFixture(self))
        self.cinder = self.useFixture(nova_fixtures.CinderFixture(self))
        self.glance = self.useFixture(nova_fixtures.GlanceFixture(self))
        self.placement = self.useFixture(placement_fixtures.PlacementFixture())
        self.useFixture(nova_fixtures.AllServicesCurrent())
        self.notifier = self.useFixture(
            nova_fixtures.NotificationFixture(self)
        )
        self.drivers = self.useFixture(
            driver.DriversFixture(wanted.computes, test.CONF)
        )
        # Of the middlewares, only keystonemiddleware has to be another.
        self.useFixture(
            fixtures.MockPatch(
                "keystonemiddleware.auth_token.filter_factory",
                return_value=lambda app: identity.TokenAuth(app, self._users),
            )
        )
        self.api = self.useFixture(
            nova_fixtures.OSAPIFixture(stub_keystone=False)
        )

    def _listens(self, server: str) -> bool:
        hosts = {compute.name for compute in self._description.computes}
        return server not in hosts or self.is_running(server)

    def _swallows(self, server: str, method: str) -> bool:
        return (server, method) in self.swallowed


def _glance_image(image: desc.Image) -> dict[str, ty.Any]:
    """Return an image as Nova's client of Glance would."""
    return {
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": "public",
        "is_public": True,
        "protected": False,
        "container_format": "bare",
        "disk_format": "qcow2",
        "size": 25165824,
        "min_ram": 0,
        "min_disk": 0,
        "tags": [],
        "deleted": False,
        "deleted_at": None,
        "properties": dict(image.properties),
    }
