# SPDX-License-Identifier: Apache-2.0
"""What Nova 34 lists, as a template for what it never would."""

from __future__ import annotations

import typing as ty
import uuid

Json = dict[str, ty.Any]

UUID = "11111111-2222-3333-4444-555555555555"
IMAGE = "66666666-2222-3333-4444-555555555555"
PROJECT = "7ad4a8ed7cbf515795e7705cb756ed5d"


def server(**changed: ty.Any) -> Json:
    """Return a server as ``servers/detail`` has it; ``_`` stands for ``:``."""
    found: Json = {
        "id": UUID,
        "name": "vm",
        "status": "ACTIVE",
        "tenant_id": PROJECT,
        "user_id": "eeee1e3be69c520399bc6b206f27ccf9",
        "created": "2026-11-23T11:07:08Z",
        "updated": "2026-11-23T11:07:08Z",
        "flavor": {
            "vcpus": 2,
            "ram": 512,
            "disk": 10,
            "ephemeral": 0,
            "swap": 0,
            "original_name": "small",
            "extra_specs": {"nfv_mla:profile": "x", "hw:boot_menu": "true"},
        },
        "image": {
            "id": IMAGE,
            "links": [],
            "properties": {"hw_rng_model": "virtio", "os_distro": "y"},
        },
        "OS-EXT-SRV-ATTR:host": "edge-1",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "edge-1.example.org",
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:power_state": 1,
        "locked": False,
        "locked_reason": None,
        "scheduler_hints": {},
    }
    found.update(changed)
    return found


def servers(count: int) -> list[Json]:
    """Return so many servers that ask for the same."""
    return [server(id=str(uuid.UUID(int=n))) for n in range(count)]


def migration(**changed: ty.Any) -> Json:
    """Return a migration as ``os-migrations`` has it."""
    found: Json = {
        "id": 3,
        "uuid": IMAGE,
        "instance_uuid": UUID,
        "source_compute": "edge-1",
        "source_node": "edge-1",
        "dest_compute": "edge-2",
        "dest_node": "edge-2",
        "dest_host": None,
        "migration_type": "live-migration",
        "status": "completed",
        "created_at": "2026-11-23T11:07:08.000000",
        "updated_at": "2026-11-23T11:07:09.000000",
        "user_id": "u",
        "project_id": "p",
    }
    found.update(changed)
    return found


def deed(**changed: ty.Any) -> Json:
    """Return an entry of ``os-instance-actions``."""
    found: Json = {
        "action": "lock",
        "instance_uuid": UUID,
        "request_id": "req-1",
        "user_id": "u",
        "project_id": "p",
        "start_time": "2026-11-23T11:07:08.000000",
        "updated_at": None,
        "message": None,
    }
    found.update(changed)
    return found
