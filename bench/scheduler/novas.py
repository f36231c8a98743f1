# SPDX-License-Identifier: Apache-2.0
"""The estate as Nova's scheduler has it: host states and request specs.

Sets Nova's options.  The objects are Nova's own, filled by Nova's own code;
only what hosts are is made up.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import nova.conf
from nova import objects
from nova.scheduler import host_manager
from nova.scheduler import weights

from bench.estate import Host
from bench.rules import OPERATOR
from nfv_mla_scheduler import conf as options

_INSTANCES = 20
_ZONES = 4
_DAY_S = 86_400

CONF = nova.conf.CONF

#: Of an image whose signature Nova verifies.
IMAGE = {
    "img_signature": "c2lnbmVk",
    "img_signature_hash_method": "SHA-256",
    "img_signature_key_type": "RSA-PSS",
    "img_signature_certificate_uuid": str(uuid.UUID(int=1)),
}


def prepare(ours: Mapping[str, Any]) -> None:
    """Make Nova ready in this process.

    :param ours: options of ``[nfv_mla]``
    """
    objects.register_all()
    CONF([], project="nova", default_config_files=[])
    # nobody reports while this runs, and all services stay up
    CONF.set_override("service_down_time", _DAY_S)
    options.register(CONF)
    for name, value in ours.items():
        CONF.set_override(name, value, group="nfv_mla")


def leave(ours: Mapping[str, Any]) -> None:
    """Set back the options that :func:`prepare` has set."""
    CONF.clear_override("service_down_time")
    for name in ours:
        CONF.clear_override(name, group="nfv_mla")


def host_states(hosts: Iterable[Host]) -> list[host_manager.HostState]:
    """Return Nova's view of hosts, filled as the host manager fills it."""
    aggregates = _Aggregates()
    now = datetime.datetime.now(datetime.UTC)
    states = []
    for host in hosts:
        state = host_manager.HostState(host.name, host.name, "cell1")
        state.update(
            _compute_node(host, now),
            _service(host, now),
            aggregates.of(host),
            {str(uuid.UUID(int=n + 1)): None for n in range(_INSTANCES)},
        )
        states.append(state)
    return states


def request_spec(
    extra_specs: Mapping[str, str], project: str = OPERATOR
) -> objects.RequestSpec:
    """Return a request for one server, as the conductor sends it."""
    flavor = objects.Flavor(
        id=1,
        name="payload",
        flavorid="payload",
        memory_mb=4096,
        vcpus=2,
        root_gb=20,
        ephemeral_gb=0,
        swap=0,
        extra_specs=dict(extra_specs),
    )
    image = objects.ImageMeta.from_dict(
        {"id": str(uuid.UUID(int=2)), "properties": dict(IMAGE)}
    )
    return objects.RequestSpec(
        flavor=flavor,
        image=image,
        project_id=project,
        user_id="somebody",
        instance_uuid=str(uuid.uuid4()),
        num_instances=1,
        scheduler_hints={},
        ignore_hosts=None,
        is_bfv=False,
        pci_requests=objects.InstancePCIRequests(requests=[]),
        numa_topology=None,
    )


def weighed(
    states: Iterable[host_manager.HostState],
) -> list[weights.WeighedHost]:
    """Return hosts as weighers get them."""
    return [weights.WeighedHost(state, 0.0) for state in states]


class _Aggregates:
    """A zone, a site and a kind of hardware for each host: three of them."""

    def __init__(self) -> None:
        self._made: dict[str, objects.Aggregate] = {}

    def of(self, host: Host) -> list[objects.Aggregate]:
        zone = f"az{host.number % _ZONES}"
        return [
            self._one(f"zone {zone}", availability_zone=zone),
            self._one(
                f"site {host.pool}",
                site=host.pool,
                tier="1",
                cpu_allocation_ratio="4.0",
            ),
            self._one(
                f"hardware {host.number % 3}",
                region="eu" if host.number % 2 else "us",
                generation=str(host.number % 3 + 1),
            ),
        ]

    def _one(self, name: str, **metadata: str) -> objects.Aggregate:
        if name not in self._made:
            number = len(self._made) + 1
            self._made[name] = objects.Aggregate(
                id=number,
                uuid=str(uuid.UUID(int=number)),
                name=name,
                hosts=[],
                metadata=metadata,
            )
        return self._made[name]


def _compute_node(host: Host, now: datetime.datetime) -> objects.ComputeNode:
    features = [f"feature{number}" for number in range(100)]
    return objects.ComputeNode(
        id=host.number,
        uuid=host.uuid,
        host=host.name,
        hypervisor_hostname=host.name,
        memory_mb=262_144,
        memory_mb_used=65_536,
        free_ram_mb=196_608,
        local_gb=2000,
        local_gb_used=200,
        free_disk_gb=1800,
        disk_available_least=1700,
        vcpus=64,
        vcpus_used=host.number % 48,
        hypervisor_type="QEMU",
        hypervisor_version=8_002_000,
        host_ip="192.0.2.1",
        cpu_info=json.dumps(
            {"arch": "x86_64", "vendor": "Intel", "features": features}
        ),
        supported_hv_specs=[
            objects.HVSpec(arch="x86_64", hv_type="kvm", vm_mode="hvm")
        ],
        stats={"num_instances": "20", "io_workload": "0"},
        metrics="[]",
        numa_topology=None,
        pci_device_pools=objects.PciDevicePoolList(objects=[]),
        cpu_allocation_ratio=4.0,
        ram_allocation_ratio=1.0,
        disk_allocation_ratio=1.0,
        created_at=now,
        updated_at=now,
    )


def _service(host: Host, now: datetime.datetime) -> dict[str, Any]:
    return {
        "id": host.number,
        "host": host.name,
        "binary": "nova-compute",
        "topic": "compute",
        "disabled": False,
        "disabled_reason": None,
        "report_count": 1,
        "last_seen_up": now,
        "forced_down": False,
        "version": 73,
        "created_at": now,
        "updated_at": now,
        "availability_zone": "nova",
    }
