# SPDX-License-Identifier: Apache-2.0
"""The JSON of Nova 34 at microversion 2.100, as the real one shows it."""

from __future__ import annotations

import json
from typing import Any

from tests.simulated.records import Deed
from tests.simulated.records import Host
from tests.simulated.records import Move
from tests.simulated.records import Server
from tests.simulated.records import identifier
from tests.simulated.records import micro
from tests.simulated.records import second

USER = "0" * 31 + "b"
IMAGE = identifier("image", "plain")
_STATUS = {
    "active": "ACTIVE",
    "building": "BUILD",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "stopped": "SHUTOFF",
    "rescued": "RESCUE",
    "resized": "VERIFY_RESIZE",
    "soft-delete": "SOFT_DELETED",
    "deleted": "DELETED",
    "error": "ERROR",
    "shelved": "SHELVED",
    "shelved_offloaded": "SHELVED_OFFLOADED",
}


def encoded(server: Server, base: str) -> bytes:
    """Return a server as JSON, made only when it has changed."""
    if not server.encoded:
        server.encoded = json.dumps(full(server, base)).encode()
    return server.encoded


def full(server: Server, base: str) -> dict[str, Any]:
    """Return a server as ``GET /servers/detail`` shows it."""
    at, name = server.uuid, f"server-{server.uuid[:8]}"
    return {
        "accessIPv4": "",
        "accessIPv6": "",
        "addresses": {},
        "created": second(server.created),
        "flavor": {
            "vcpus": server.vcpus,
            "ram": server.memory_mb,
            "disk": server.disk_gb,
            "ephemeral": 0,
            "swap": 0,
            "original_name": "plain",
            "extra_specs": dict(server.extra_specs),
        },
        "hostId": identifier("host", server.host).replace("-", "") * 2,
        "id": at,
        "image": _image(server, base),
        "links": [
            {"rel": "self", "href": f"{base}/servers/{at}"},
            {"rel": "bookmark", "href": f"{base}/servers/{at}"},
        ],
        "metadata": {},
        "name": name,
        "status": _STATUS[server.vm_state],
        "tenant_id": server.project_id,
        "user_id": USER,
        "updated": second(server.updated),
        "OS-DCF:diskConfig": "MANUAL",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": "nova",
        "config_drive": "",
        "key_name": None,
        "OS-SRV-USG:launched_at": micro(server.created),
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-SRV-ATTR:host": server.host or None,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{at[:8]}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host or None,
        "OS-EXT-SRV-ATTR:hostname": name,
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:reservation_id": "r-qf6746wm",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/sda",
        "OS-EXT-SRV-ATTR:user_data": None,
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:power_state": server.power_state,
        "os-extended-volumes:volumes_attached": [],
        "locked": server.locked,
        "description": None,
        "tags": [],
        "trusted_image_certificates": None,
        "locked_reason": server.locked_reason,
        "pinned_availability_zone": None,
        "scheduler_hints": dict(server.hints),
        "host_status": "" if server.deleted else "UP",
    }


def _image(server: Server, base: str) -> object:
    if server.image is None:
        return ""
    return {
        "id": IMAGE,
        "links": [{"rel": "bookmark", "href": f"{base}/images/{IMAGE}"}],
        "properties": dict(server.image),
    }


def minimal(server: Server, base: str) -> dict[str, Any]:
    """Return what is left of a server whose cell does not answer."""
    return {
        "id": server.uuid,
        "status": "UNKNOWN",
        "tenant_id": server.project_id,
        "created": second(server.created),
        "links": [
            {"rel": "self", "href": f"{base}/servers/{server.uuid}"},
        ],
    }


def service(host: Host, down: bool) -> dict[str, Any]:
    """Return a compute service; of a cell that is down little more."""
    if down:
        return {
            "binary": "nova-compute",
            "host": host.name,
            "status": "UNKNOWN",
        }
    return {
        "binary": "nova-compute",
        "host": host.name,
        "id": host.service,
        "zone": "nova",
        "status": "enabled" if host.enabled else "disabled",
        "state": "up" if host.alive else "down",
        "updated_at": None,
        "disabled_reason": host.reason,
        "forced_down": host.forced_down,
    }


def hypervisor(host: Host, with_servers: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": host.uuid,
        "hypervisor_hostname": host.name,
        "state": "up" if host.alive else "down",
        "status": "enabled" if host.enabled else "disabled",
        "hypervisor_type": "fake",
        "hypervisor_version": 1000,
        "host_ip": "192.0.2.2",
        "service": {
            "id": host.service,
            "host": host.name,
            "disabled_reason": host.reason,
        },
        "uptime": None,
    }
    if with_servers:
        found["servers"] = [
            {"name": f"instance-{uuid[:8]}", "uuid": uuid}
            for uuid in sorted(host.servers)
        ]
    return found


def migration(move: Move) -> dict[str, Any]:
    return {
        "id": move.number,
        "uuid": move.uuid,
        "source_compute": move.source,
        "dest_compute": move.dest,
        "source_node": move.source,
        "dest_node": move.dest,
        "dest_host": None,
        "old_instance_type_id": 7,
        "new_instance_type_id": 7,
        "instance_uuid": move.server,
        "status": move.status,
        "migration_type": move.kind,
        "user_id": move.user_id,
        "project_id": move.project_id,
        "created_at": micro(move.created),
        "updated_at": None if move.updated is None else micro(move.updated),
    }


def deed(one: Deed, server: str) -> dict[str, Any]:
    return {
        "action": one.action,
        "instance_uuid": server,
        "request_id": one.request_id,
        "user_id": one.user_id,
        "project_id": one.project_id,
        "start_time": micro(one.at),
        "message": one.message,
        "updated_at": micro(one.at),
    }
