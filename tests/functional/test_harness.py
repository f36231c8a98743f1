# SPDX-License-Identifier: Apache-2.0
"""The cloud that our functional tests run in does what Nova does.

With Nova's own filters only: what fails here is the harness or Nova, and
never ours.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import typing as ty

import requests
import testtools
from nova.scheduler import filters
from oslo_config import cfg

from tests.cloud import client
from tests.cloud import cloud
from tests.cloud import description as desc
from tests.cloud import logs
from tests.cloud import testcase

COMPUTES = (
    desc.Compute("edge-1"),
    desc.Compute("edge-2", uuid="5b4f9c1e-7a40-4b0e-9d0b-2f6a3f1f6c02"),
    desc.Compute(
        "edge-3", encrypted_guests={desc.AMD_SEV_SNP: 2, desc.AMD_SEV: 1}
    ),
)


class HostsTest(testcase.CloudTestCase):
    """Hosts are what their descriptions say."""

    description = desc.Description(computes=COMPUTES)

    def test_uuids_are_those_that_a_policy_can_bind_beforehand(self) -> None:
        wanted = {compute.name: compute.uuid for compute in COMPUTES}
        self.assertEqual(
            "5b4f9c1e-7a40-4b0e-9d0b-2f6a3f1f6c02", wanted["edge-2"]
        )
        self.assertEqual(
            wanted,
            {
                node["hypervisor_hostname"]: node["id"]
                for node in self.admin.hypervisors()
            },
        )
        roots = self.admin.request(
            "GET",
            "/resource_providers",
            service="placement",
            microversion="1.14",
        )["resource_providers"]
        self.assertEqual(
            wanted,
            {
                provider["name"]: provider["uuid"]
                for provider in roots
                if provider["parent_provider_uuid"] is None
            },
        )

    def test_encrypted_memory_is_placed_where_there_is_some(self) -> None:
        flavor = self.admin.create_flavor(
            "confidential",
            {
                "hw:mem_encryption": "true",
                "hw:mem_encryption_model": desc.AMD_SEV_SNP,
            },
        )
        for _ in range(2):
            server = self.tenant.create_server(
                "vm", flavor, image=desc.CONFIDENTIAL_IMAGE
            )
            self.assertEqual("edge-3", self.admin.host_of(server))
        # Nova's API refuses by itself, before any scheduler is asked.
        error = self.assertRaises(
            client.ApiError, self.admin.live_migrate, server
        )
        self.assertEqual(400, error.status)
        self.assertIn("mem encryption", error.message)
        # Its contexts are used up now.
        third = self.tenant.create_server(
            "vm", flavor, image=desc.CONFIDENTIAL_IMAGE
        )
        self.assertEqual("ERROR", self.tenant.status_of(third))

    def test_other_models_of_memory_encryption_are_apart(self) -> None:
        flavor = self.admin.create_flavor("sev", {"hw:mem_encryption": "1"})
        server = self.tenant.create_server(
            "vm", flavor, image=desc.CONFIDENTIAL_IMAGE
        )
        self.assertEqual("edge-3", self.admin.host_of(server))
        flavor = self.admin.create_flavor(
            "tdx",
            {
                "hw:mem_encryption": "1",
                "hw:mem_encryption_model": desc.INTEL_TDX,
            },
        )
        server = self.tenant.create_server(
            "vm", flavor, image=desc.CONFIDENTIAL_IMAGE
        )
        self.assertEqual("ERROR", self.tenant.status_of(server))

    def test_images_keep_the_properties_that_we_judge(self) -> None:
        flavor = self.admin.create_flavor("small")
        for image in (desc.SIGNED_IMAGE, desc.HARDENED_IMAGE):
            server = self.tenant.create_server("vm", flavor, image=image)
            shown = self.tenant.server(server)
            self.assertEqual("ACTIVE", shown["status"])
            for name, value in image.properties.items():
                self.assertEqual(
                    value,
                    str(shown["image"]["properties"][name]).lower()
                    if value in ("true", "false")
                    else shown["image"]["properties"][name],
                )


class PeopleTest(testcase.CloudTestCase):
    """Each user is in a project of their own and has their own rights."""

    description = desc.Description(computes=COMPUTES[:1])

    def setUp(self) -> None:
        super().setUp()
        self.small = self.admin.create_flavor("small")

    def test_another_project_does_not_see_a_server(self) -> None:
        server = self.tenant.create_server("vm", self.small)
        error = self.assertRaises(
            client.ApiError, self.other_tenant.server, server
        )
        self.assertEqual(404, error.status)
        self.assertEqual([], self.other_tenant.servers())
        self.assertEqual([], self.admin.servers())
        (shown,) = self.admin.servers(all_projects=True)
        self.assertEqual(desc.TENANT.project_id, shown["tenant_id"])
        self.assertEqual(desc.TENANT.id, shown["user_id"])

    def test_only_an_administrator_is_told_the_host(self) -> None:
        server = self.tenant.create_server("vm", self.small)
        self.assertIsNone(self.tenant.host_of(server))
        self.assertEqual("edge-1", self.admin.host_of(server))
        error = self.assertRaises(
            client.ApiError, self.tenant.live_migrate, server
        )
        self.assertEqual(403, error.status)

    def test_an_administrators_lock_binds_the_owner(self) -> None:
        server = self.tenant.create_server("vm", self.small)
        self.admin.act(server, "lock", {"locked_reason": "held"})
        error = self.assertRaises(client.ApiError, self.tenant.stop, server)
        self.assertEqual(409, error.status)

    def test_tenant_and_administrator_read_the_same_fault(self) -> None:
        huge = self.admin.create_flavor("huge", vcpus=17)
        server = self.tenant.create_server("vm", huge)
        mine = self.tenant.fault_of(server) or {}
        theirs = self.admin.fault_of(server) or {}
        self.assertEqual("No valid host was found. ", mine["message"])
        self.assertEqual(mine["message"], theirs["message"])
        self.assertNotIn("details", mine)
        self.assertIn("details", theirs)

    def test_a_header_gives_nobody_a_role(self) -> None:
        answer = requests.get(
            self.cloud.endpoints["compute"] + "/os-services",
            timeout=10,
            headers={
                "X-Auth-Token": self.tenant.token,
                "X-Roles": "admin",
                "X-User-Id": desc.ADMIN.id,
            },
        )
        self.assertEqual(403, answer.status_code)

    def test_no_api_answers_without_a_token(self) -> None:
        for path in (
            "/compute/v2.1/servers",
            "/identity/v3/auth/catalog",
            "/placement/resource_providers",
        ):
            answer = requests.get(self.cloud.url + path, timeout=10)
            self.assertEqual(401, answer.status_code, path)

    def test_placement_is_for_administrators(self) -> None:
        error = self.assertRaises(
            client.ApiError,
            self.tenant.request,
            "GET",
            "/resource_providers",
            service="placement",
        )
        self.assertEqual(403, error.status)

    def test_policy_rules_can_be_closed(self) -> None:
        rule = "os_compute_api:servers:create:forced_host"
        self.addCleanup(self.cloud.set_policy, {rule: "rule:context_is_admin"})
        self.cloud.set_policy({rule: "!"})
        error = self.assertRaises(
            client.ApiError,
            self.admin.create_server,
            "vm",
            self.small,
            zone="nova:edge-1",
        )
        self.assertEqual(403, error.status)


class CommandLineTest(testcase.CloudTestCase):
    """The ordinary ``openstack`` client works against the served APIs."""

    description = desc.Description(computes=COMPUTES[:2])

    def _openstack(self, user: desc.User, *arguments: str) -> str:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("OS_")
        }
        environment.update(self.cloud.environment(user), NO_PROXY="*")
        done = subprocess.run(
            [sys.executable, "-m", "openstackclient.shell", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def test_creates_and_lists_servers(self) -> None:
        self.admin.create_flavor("small")
        self._openstack(
            desc.TENANT,
            "server",
            "create",
            "--flavor",
            "small",
            "--image",
            "plain",
            "--no-network",
            "by-hand",
        )
        (server,) = self.tenant.servers()
        self.tenant.settled(server["id"])
        listed = self._openstack(
            desc.TENANT,
            "server",
            "list",
            "-f",
            "value",
            "-c",
            "Name",
            "-c",
            "Status",
            "-c",
            "Image",
            "-c",
            "Flavor",
        )
        self.assertEqual("by-hand ACTIVE plain small", listed.strip())

    def test_lists_hypervisors(self) -> None:
        listed = self._openstack(
            desc.ADMIN,
            "hypervisor",
            "list",
            "-f",
            "value",
            "-c",
            "Hypervisor Hostname",
            "-c",
            "State",
        )
        self.assertEqual(
            ["edge-1 up", "edge-2 up"], sorted(listed.splitlines())
        )


class OnlySecondHost(filters.BaseHostFilter):  # type: ignore[misc]
    """A filter as a plugin may bring one."""

    def filter_all(self, hosts: list[ty.Any], spec: object) -> list[ty.Any]:
        logging.getLogger(f"{logs.OURS}.scheduler").info(
            "judged %d hosts", len(hosts)
        )
        return [host for host in hosts if host.host == "edge-2"]


class CloudTest(testtools.TestCase):
    """Clouds of one's own: configuration, logs, coming and going."""

    def test_options_of_a_plugin_are_set_once_registered(self) -> None:
        group = "of_a_plugin"
        option = cfg.IntOpt("answer", default=0)
        self.addCleanup(cfg.CONF.unregister_opt, option, group=group)
        self.useFixture(
            cloud.Cloud(
                desc.Description(
                    computes=(),
                    register_options=lambda conf: conf.register_opt(
                        option, group=group
                    ),
                    overrides={
                        group: {"answer": 42},
                        "scheduler": {"max_attempts": 5},
                    },
                    max_placement_results=7,
                )
            )
        )
        self.assertEqual(42, cfg.CONF[group].answer)
        self.assertEqual(5, cfg.CONF.scheduler.max_attempts)
        self.assertEqual(7, cfg.CONF.scheduler.max_placement_results)

    def test_filters_and_weighers_are_those_described(self) -> None:
        here = self.useFixture(
            cloud.Cloud(
                desc.Description(
                    computes=COMPUTES[:2],
                    available_filters=(
                        "nova.scheduler.filters.all_filters",
                        f"{__name__}.OnlySecondHost",
                    ),
                    enabled_filters=("OnlySecondHost", "ComputeFilter"),
                    weight_classes=("nova.scheduler.weights.ram.RAMWeigher",),
                )
            )
        )
        admin = here.client()
        flavor = admin.create_flavor("small")
        for _ in range(2):
            server = admin.create_server("vm", flavor)
            self.assertEqual("edge-2", admin.host_of(server))
        self.assertEqual(
            ["judged 2 hosts"] * 2, here.our_log.lines(logging.INFO)
        )

    def test_nothing_is_left_when_it_stops(self) -> None:
        before = set(threading.enumerate())
        levels = logging.getLogger().level, logging.getLogger(logs.OURS).level
        for _ in range(2):
            here = cloud.Cloud(desc.Description(computes=COMPUTES[:1])).start()
            url = here.url
            admin = here.client()
            admin.create_server("vm", admin.create_flavor("small"))
            here.stop()
            self.assertEqual(set(), set(threading.enumerate()) - before)
            self.assertRaises(
                requests.ConnectionError, requests.get, url, timeout=5
            )
        self.assertEqual(
            levels,
            (logging.getLogger().level, logging.getLogger(logs.OURS).level),
        )
