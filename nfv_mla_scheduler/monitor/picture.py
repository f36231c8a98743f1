# SPDX-License-Identifier: Apache-2.0
"""What Nova and Placement say of a cloud: the monitor's picture of it.

Values only.  Every word here was written by somebody whom we do not trust
alone: a compute may lie about its servers, an owner about a lock.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant


class VmState(enum.Enum):
    """A server's ``OS-EXT-STS:vm_state`` (nova.compute.vm_states)."""

    ACTIVE = "active"
    BUILDING = "building"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    RESCUED = "rescued"
    RESIZED = "resized"
    SOFT_DELETED = "soft-delete"
    DELETED = "deleted"
    ERROR = "error"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"
    UNKNOWN = "unknown"


class Power(enum.Enum):
    """A server's ``OS-EXT-STS:power_state``, as its host reports it."""

    NONE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """What a server asks for, in the API's own words; shared by many servers.

    :ivar extra_specs: of its flavor, as they were when it was built or resized
    :ivar image: image properties by the names that the API shows (2.98)
    :ivar hints: scheduler hints (2.100), each a list of strings
    :ivar amounts: resource class -> amount, for finding room elsewhere
    :ivar from_volume: whether it has no image of its own
    """

    extra_specs: Mapping[str, str]
    image: Mapping[str, str]
    hints: Mapping[str, object]
    amounts: Mapping[str, int]
    from_volume: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """One server, as Nova's API shows it to an administrator.

    :ivar host: Nova's name of the host that it is on; empty: on none
    :ivar node: hypervisor host name there
    :ivar task: ``OS-EXT-STS:task_state``; empty: none
    :ivar locked_reason: whoever may lock writes it; bounded by Nova
    :ivar updated: by the writers' clocks, in whole seconds
    :ivar image_id: empty: it boots from a volume
    """

    uuid: str
    project_id: str
    host: str
    node: str
    vm_state: VmState
    task: str
    power: Power
    locked: bool
    locked_reason: str
    updated: Instant
    image_id: str
    ask: Ask

    @property
    def runs(self) -> bool:
        """Whether, by what its host reports, its guest may be running.

        A host may report any state: what it says is deleted or offloaded may
        run for as long as it is on a host.
        """
        if not self.host:
            return False
        return self.power not in _DOWN or self.vm_state not in _HALTED


_HALTED = (
    VmState.STOPPED,
    VmState.SHELVED,
    VmState.SOFT_DELETED,
    VmState.ERROR,
    VmState.SUSPENDED,
)
_DOWN = (Power.NONE, Power.SHUTDOWN, Power.CRASHED, Power.SUSPENDED)


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A compute host with its service, as Nova knows both.

    :ivar host: Nova's name of it
    :ivar uuid: of its compute node, its Placement provider's; empty: Nova
        knows a service and no compute node of it
    :ivar name: hypervisor host name
    :ivar service: UUID of its nova-compute service
    :ivar reason: ``disabled_reason``; empty: none
    :ivar up: whether the service reports, by Nova's word
    """

    host: str
    uuid: str
    name: str
    service: str
    enabled: bool
    reason: str
    up: bool
    forced_down: bool


class Course(enum.Enum):
    """How a migration stands, by its status in Nova."""

    UNDER_WAY = "under way"
    ARRIVED = "arrived"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """One move of a server, under way or over (``os-migrations``).

    :ivar kind: ``live-migration``, ``migration``, ``resize``, ``evacuation``
    :ivar number: by which a live migration can be aborted
    :ivar user_id: who asked for it (2.80); empty: not said
    """

    uuid: str
    number: int
    server: str
    source: str
    dest: str
    kind: str
    status: str
    course: Course
    user_id: str
    project_id: str
    created: Instant
    updated: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """A cloud at one moment.

    :ivar at: when it was last looked at
    :ivar servers: UUID -> server; those that are deleted are not in it
    :ivar nodes: Nova's host name -> compute host.  Where one service has
        several compute nodes (bare metal), by ``host`` of the first; the
        others under ``host/name``
    :ivar migrations: server's UUID -> its moves of the last hour or so, and
        all that are under way, oldest first
    :ivar traits: trait with our prefix -> UUIDs of the providers that have it
    :ivar missing: cells or parts that did not answer, in a few words each; as
        long as there are any, nothing is released and no host called empty
    :ivar full_at: when everything was last listed, not only what changed
    :ivar unread: which records cannot be read, in a few words each.  A host
        can write such records: they hold up nobody else, and what was known
        of their subject stays
    :ivar unread_servers: UUIDs of the servers among them
    """

    at: Instant
    servers: Mapping[str, Server]
    nodes: Mapping[str, Node]
    migrations: Mapping[str, tuple[Migration, ...]]
    traits: Mapping[str, frozenset[str]]
    missing: tuple[str, ...] = ()
    full_at: Instant = NEVER
    unread: tuple[str, ...] = ()
    unread_servers: frozenset[str] = frozenset()

    @property
    def partial(self) -> bool:
        """Whether something of the cloud is out of sight."""
        return bool(self.missing)
