# SPDX-License-Identifier: Apache-2.0
"""Have a picture judged, with the marks and copies that are in it.

Touches Nova through the port, for what was done to servers that may not be
copied.  ``judging.py`` judges; ``marking/locks.py`` and ``copies.py`` read.
"""

from __future__ import annotations

import dataclasses
import logging

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Copied
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.judging import traits
from nfv_mla_scheduler.monitor.judging.copies import Copies
from nfv_mla_scheduler.monitor.judging.judging import Judging
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.locks import read_marks
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.ruling import Room
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.sealed import sealed_projects
from nfv_mla_scheduler.results.view import Snapshot

LOG = logging.getLogger(__name__)

COPIES_KEPT_S = 3600.0


class Court:
    """Judges pictures, one after the other; a ``cycle.Court``.

    :param keys: of marks
    :param since: copies that were made before are not reported
    """

    def __init__(
        self,
        cloud: Reader,
        judging: Judging,
        keys: tuple[bytes, ...],
        since: Instant,
    ) -> None:
        self._cloud = cloud
        self._judging = judging
        self._keys = keys
        self._copies = Copies(since)
        self._copied: tuple[Copied, ...] = ()

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
        self._look_for_copies(picture, projects, now)
        tampered = self._forged(marks, picture, projects)
        if snapshot.policy is not None:
            tampered += traits.tampered(verdict, picture)
        verdict = dataclasses.replace(
            verdict, copied=self._copied, tampered=tampered
        )
        hosts = {
            picture.nodes[name].host: mark
            for name, mark in marks.nodes.items()
        }
        return Ruling(verdict, hosts, marks.servers, marks)

    def _forged(
        self, marks: Marks, picture: Picture, projects: frozenset[str]
    ) -> tuple[Tampered, ...]:
        """Return forged marks, and of which of them nobody is told.

        Without keys nobody can tell a forged mark from any other.
        """
        if not self._keys:
            return ()
        return tuple(
            dataclasses.replace(found, sealed=True)
            if found.what == "server"
            and found.name in picture.servers
            and picture.servers[found.name].project_id in projects
            else found
            for found in marks.forged
        )

    def _look_for_copies(
        self, picture: Picture, projects: frozenset[str], now: Instant
    ) -> None:
        """Read what was done to some of those that have changed."""
        limited = self._judging.limited
        for uuid in self._copies.due(picture.servers, limited):
            server = picture.servers[uuid]
            try:
                deeds = self._cloud.deeds(uuid)
            except CloudFailed as exc:
                # the next cycle asks for it again
                LOG.debug("nfv-mla monitor: no deeds of %s: %s", uuid, exc)
                continue
            sealed = server.project_id in projects
            self._copied += self._copies.read(
                server, limited[uuid], deeds, sealed
            )
        self._copied = tuple(
            each for each in self._copied if each.at > now - COPIES_KEPT_S
        )
