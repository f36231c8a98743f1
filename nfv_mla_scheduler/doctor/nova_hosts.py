# SPDX-License-Identifier: Apache-2.0
"""The hosts that Nova has, as somebody listed them.  Pure."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

BYTES_MAX = 64 * 2**20
HOSTS_MAX = 200_000
COMPUTE = "nova-compute"
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NotAList(NfvMlaError):
    """A file is no list of hosts."""

    code = "not-a-list"


@dataclasses.dataclass(frozen=True, slots=True)
class NovaHost:
    """A host as Nova has it.

    :ivar names: the service's host name, or the hypervisor's, or both
    :ivar uuid: of its compute node, the Placement provider's; None: the list
        does not say
    """

    names: tuple[str, ...]
    uuid: str | None


def read_hosts(data: bytes) -> tuple[NovaHost, ...]:
    """Return the hosts that a list holds.

    :param data: what ``openstack hypervisor list -f json`` or ``openstack
        compute service list -f json`` prints, or Nova's own answer, or a JSON
        list of names, or one name on a line
    :raises NotAList: when it is none of these
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise NotAList("is not UTF-8") from None
    if not text.lstrip().startswith(("[", "{")):
        return _checked([_named(line) for line in text.split()])
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAList("is not JSON") from None
    if isinstance(found, dict):
        found = found.get("hypervisors", found.get("services"))
    if not isinstance(found, list):
        raise NotAList("is not a JSON list")
    hosts = [_host(entry) for entry in found]
    return _checked([host for host in hosts if host is not None])


def _checked(hosts: list[NovaHost]) -> tuple[NovaHost, ...]:
    if len(hosts) > HOSTS_MAX:
        raise NotAList(f"holds more than {HOSTS_MAX} hosts")
    if not hosts:
        raise NotAList("holds no host")
    return tuple(hosts)


def _named(name: str) -> NovaHost:
    if not re.fullmatch("[A-Za-z0-9._-]{1,255}", name):
        raise NotAList(f"holds {bounded(name)!r}, which is no host's name")
    return NovaHost((name,), None)


def _host(entry: object) -> NovaHost | None:
    """Return one host; None: a service that is no host."""
    if isinstance(entry, str):
        return _named(entry)
    if not isinstance(entry, dict):
        raise NotAList("holds what is neither a name nor an object")
    lower = {str(key).lower().replace(" ", "_"): entry[key] for key in entry}
    if "hypervisor_hostname" in lower:
        names = [str(lower["hypervisor_hostname"]), *_service(lower)]
        uuid = str(lower.get("id", "")).lower()
        known = _UUID.fullmatch(uuid)
        for name in names:
            _named(name)
        return NovaHost(tuple(dict.fromkeys(names)), uuid if known else None)
    if "host" not in lower:
        raise NotAList("holds an object that names no host")
    if lower.get("binary", COMPUTE) != COMPUTE:
        return None
    return _named(str(lower["host"]))


def _service(entry: Mapping[str, Any]) -> list[str]:
    """Return the service's host name, where the answer has it."""
    service = entry.get("service")
    host = service.get("host") if isinstance(service, dict) else None
    host = host or entry.get("service_host")
    return [str(host)] if host else []
