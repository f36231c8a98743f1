# SPDX-License-Identifier: Apache-2.0
"""A virt driver whose hosts are as a Compute describes them.

Nova's fake driver chooses sizes per class and node UUIDs by itself, and has
no encrypted memory.  No hypervisor, no files, no network.
"""

from __future__ import annotations

import typing as ty

import fixtures
import os_resource_classes
import os_traits
from nova.virt import fake

from tests.cloud import description

_ENCRYPTION_TRAITS = {
    description.AMD_SEV: os_traits.HW_CPU_X86_AMD_SEV,
    description.AMD_SEV_ES: os_traits.HW_CPU_X86_AMD_SEV_ES,
    description.AMD_SEV_SNP: os_traits.HW_CPU_X86_AMD_SEV_SNP,
    description.INTEL_TDX: os_traits.HW_CPU_X86_INTEL_TDX,
}


class Driver(fake.FakeDriver):  # type: ignore[misc]
    """Nova's fake driver, of one described host."""

    capabilities: ty.ClassVar[dict[str, bool]] = dict(
        fake.FakeDriver.capabilities,
        supports_ephemeral_encryption=True,
        supports_ephemeral_encryption_luks=True,
    )

    def __init__(
        self,
        virtapi: ty.Any,
        compute: description.Compute,
    ) -> None:
        self.compute = compute
        self.vcpus = compute.vcpus
        self.memory_mb = compute.memory_mb
        self.local_gb = compute.disk_gb
        super().__init__(virtapi)

    def init_host(self, host: str) -> None:
        super().init_host(host)
        self._set_nodes([self.compute.name])

    def get_available_resource(self, nodename: str) -> dict[str, ty.Any]:
        resources: dict[str, ty.Any] = super().get_available_resource(nodename)
        resources["uuid"] = self.compute.uuid
        return resources

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {self.compute.uuid: self.compute.name}

    def update_provider_tree(
        self,
        provider_tree: ty.Any,
        nodename: str,
        allocations: ty.Any = None,
    ) -> None:
        super().update_provider_tree(provider_tree, nodename, allocations)
        if self.compute.traits:
            provider_tree.add_traits(nodename, *self.compute.traits)
        for model, guests in self.compute.encrypted_guests.items():
            self._provide_encryption(provider_tree, nodename, model, guests)

    @staticmethod
    def _provide_encryption(
        provider_tree: ty.Any,
        nodename: str,
        model: str,
        guests: int,
    ) -> None:
        # As the libvirt driver does: a child provider for each model.
        name = f"{nodename}_{model.replace('-', '_')}"
        if not provider_tree.exists(name):
            provider_tree.new_child(name, nodename)
        provider_tree.update_inventory(
            name,
            {
                os_resource_classes.MEM_ENCRYPTION_CONTEXT: {
                    "total": guests,
                    "reserved": 0,
                    "allocation_ratio": 1.0,
                    "min_unit": 1,
                    "max_unit": 1,
                    "step_size": 1,
                }
            },
        )
        provider_tree.add_traits(
            name, os_traits.OWNER_NOVA, _ENCRYPTION_TRAITS[model]
        )

    def post_live_migration(
        self,
        context: ty.Any,
        instance: ty.Any,
        block_device_info: ty.Any,
        migrate_data: ty.Any = None,
    ) -> None:
        # The fake driver forgets that the guest has left the source.
        self.destroy(
            context,
            instance,
            network_info=None,
            block_device_info=block_device_info,
        )


class DriversFixture(fixtures.Fixture):
    """Give each compute service that starts the driver of its host.

    A host keeps its driver, hence its guests, when its service restarts.
    """

    def __init__(
        self,
        computes: ty.Iterable[description.Compute],
        conf: ty.Any,
    ) -> None:
        super().__init__()
        self._computes = {compute.name: compute for compute in computes}
        self._conf = conf
        self.by_host: dict[str, Driver] = {}

    def _setUp(self) -> None:  # noqa: N802
        # The driver is loaded by name, from below nova.virt, while the
        # host's name is what CONF says at that moment.
        self.useFixture(
            fixtures.MonkeyPatch(
                "nova.virt.driver.load_compute_driver", self._load
            )
        )

    def _load(self, virtapi: ty.Any, compute_driver: ty.Any = None) -> Driver:
        host = self._conf.host
        if host not in self.by_host:
            self.by_host[host] = Driver(virtapi, self._computes[host])
        driver = self.by_host[host]
        driver.virtapi = virtapi
        return driver
