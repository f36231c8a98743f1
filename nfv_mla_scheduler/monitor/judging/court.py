# SPDX-License-Identifier: Apache-2.0
"""Have a picture judged, with the marks and copies that are in it.

Touches Nova and Placement through the port, for what was done to servers that
may not be copied, and for where servers are by their allocations; it waits
for neither of them for long.
``judging.py`` judges; ``marking/locks.py`` and ``copies.py`` read.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Copied
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.judging import traits
from nfv_mla_scheduler.monitor.judging.allocations import A_LOOK
from nfv_mla_scheduler.monitor.judging.allocations import Allocations
from nfv_mla_scheduler.monitor.judging.beside import WAIT_S
from nfv_mla_scheduler.monitor.judging.beside import Beside
from nfv_mla_scheduler.monitor.judging.copies import READS_MAX
from nfv_mla_scheduler.monitor.judging.copies import Copies
from nfv_mla_scheduler.monitor.judging.judging import Judging
from nfv_mla_scheduler.monitor.marking.locks import read_marks
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.ruling import Room
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.sealed import sealed_projects
from nfv_mla_scheduler.results.view import Snapshot

LOG = logging.getLogger(__name__)

# A server as it was before, and what was done to it; None: nobody can say.
_Read = tuple[Server, tuple[Deed, ...] | None]
COPIES_KEPT_S = 3600.0
_OF_SERVERS = ("server", "allocation")
# Of the reads of a look, those that are left for copies.
_COPIES_A_LOOK = READS_MAX - A_LOOK


class Court:
    """Judges pictures, one after the other; an ``interfaces.Court``.

    :param keys: of marks
    :param since: copies that were made before are not reported
    :param wait_s: how long a look waits for what it reads
    """

    def __init__(
        self,
        cloud: Reader,
        judging: Judging,
        keys: tuple[bytes, ...],
        since: Instant,
        wait_s: float = WAIT_S,
    ) -> None:
        self._cloud = cloud
        self._judging = judging
        self._keys = keys
        self._copies = Copies(since)
        self._reading: Beside[list[_Read]] = Beside()
        self._copied: tuple[Copied, ...] = ()
        self._allocations = Allocations(cloud)
        self._comparing: Beside[Mapping[str, str]] = Beside()
        self._astray: Mapping[str, str] = {}
        self._wait_s = wait_s

    def rule(
        self,
        picture: Picture,
        snapshot: Snapshot,
        now: Instant,
        monotonic: float,
        room: Room,
    ) -> Ruling:
        """Return what is found in a picture, and the marks in it."""
        marks = read_marks(picture, self._keys)
        verdict = self._judging.verdict(
            picture, snapshot, now, monotonic, room
        )
        projects = sealed_projects(snapshot.policy)
        until = time.monotonic() + self._wait_s
        self._look_for_copies(picture, projects, now, until)
        # Without keys nobody can tell a forged mark from any other.
        tampered = marks.forged if self._keys else ()
        if snapshot.policy is not None:
            tampered += traits.tampered(verdict, picture)
            asking = verdict.asking
            self._look_for_allocations(picture, asking, monotonic, until)
            tampered += tuple(
                Tampered("allocation", uuid, self._astray[uuid])
                for uuid in sorted(self._astray.keys() & asking)
                if uuid in picture.servers
            )
            tampered = _sealed(tampered, picture, projects)
        verdict = dataclasses.replace(
            verdict, copied=self._copied, tampered=tampered
        )
        hosts = {
            picture.nodes[name].host: mark
            for name, mark in marks.nodes.items()
        }
        return Ruling(verdict, hosts, marks.servers, marks)

    def _look_for_copies(
        self,
        picture: Picture,
        projects: Collection[str],
        now: Instant,
        until: float,
    ) -> None:
        """Read what was done to some of those that have changed."""
        limited, servers = self._judging.limited, picture.servers
        self._take_copies(projects, NEVER)
        due = self._copies.due(servers, limited, _COPIES_A_LOOK)
        if due and not self._reading.busy:
            wanted = [servers[uuid] for uuid in due]
            back_to = self._copies.back_to
            self._reading.begin(
                lambda: _deeds_of(self._cloud, wanted, back_to)
            )
            self._take_copies(projects, until)
        self._copied = tuple(
            each for each in self._copied if each.at > now - COPIES_KEPT_S
        )

    def _take_copies(self, projects: Collection[str], until: float) -> None:
        limited = self._judging.limited
        for server, deeds in self._reading.take(until) or ():
            if deeds is None:
                self._copies.failed(server)
            elif server.uuid in limited:
                sealed = server.project_id in projects
                self._copied += self._copies.read(
                    server, limited[server.uuid], deeds, sealed
                )

    def _look_for_allocations(
        self,
        picture: Picture,
        asking: frozenset[str],
        monotonic: float,
        until: float,
    ) -> None:
        """Compare some servers' hosts with where Placement has them."""
        comparing = self._comparing
        if comparing.busy:
            return
        found = comparing.take(NEVER)
        self._astray = self._astray if found is None else found
        comparing.begin(
            lambda: self._allocations.look(picture, asking, monotonic)
        )
        found = comparing.take(until)
        self._astray = self._astray if found is None else found


def _deeds_of(
    cloud: Reader, servers: Iterable[Server], back_to: Instant
) -> list[_Read]:
    """Return what was done to servers, as far as it can be read.

    The first request that gets no answer ends it.
    """
    read: list[_Read] = []
    for server in servers:
        try:
            read.append((server, cloud.deeds(server.uuid, back_to)))
        except CloudFailed as exc:
            # the next cycle asks for it again
            LOG.debug("nfv-mla monitor: no deeds of %s: %s", server.uuid, exc)
            read.append((server, None))
            if exc.reason is CloudCode.UNAVAILABLE:
                break
    return read


def _sealed(
    tampered: tuple[Tampered, ...], picture: Picture, projects: Collection[str]
) -> tuple[Tampered, ...]:
    """Return the same, marked where nobody is told about a server."""
    return tuple(
        dataclasses.replace(found, sealed=True)
        if found.what in _OF_SERVERS
        and found.name in picture.servers
        and picture.servers[found.name].project_id in projects
        else found
        for found in tampered
    )
