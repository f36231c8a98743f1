# SPDX-License-Identifier: Apache-2.0
"""A cloud of some hosts, and a monitor that keeps account of departures.

Policies, results and judge are the real ones; servers and moves are what Nova
would show.
"""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import unittest
from typing import Any

from nfv_mla_scheduler.monitor.cleaning import file as cleanup_file
from nfv_mla_scheduler.monitor.cleaning.departures import Departures
from nfv_mla_scheduler.monitor.cleaning.departures import Dirty
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft
from tests.unit.judge import scenes
from tests.unit.monitor import scene

PROFILE = "multi-tenant-hosting"
#: When the monitor looks again, and the server has left by then.
LEFT = NOW + 10
SERVER = scene.uuid(1)


class House:
    """A cloud of three hosts, and a monitor that keeps account of it."""

    def __init__(self, path: pathlib.Path, hosts: int = 3) -> None:
        self.path = path
        draft = scenes.asking(hosts, profile=PROFILE)
        self.scene = scene.Scene(draft)
        self.moves: dict[str, Migration] = {}
        self.restart()

    @property
    def draft(self) -> Draft:
        return self.scene.draft

    def restart(self, writes: bool = True) -> None:
        """Let a new process take over."""
        self.scene.restart()
        self.departures = Departures(
            self.path,
            self.scene.bearings,
            lambda: self.scene.judging.sensitive,
            writes,
        )

    def said(self, now: float) -> tuple[Dirty, ...]:
        """Return what a look says to others."""
        self.scene.look(now)
        of: dict[str, tuple[Migration, ...]] = {}
        for move in self.moves.values():
            of[move.server] = (*of.get(move.server, ()), move)
        picture = dataclasses.replace(self.scene.picture(), migrations=of)
        found = self.departures.look(picture, self.scene.snapshot, now)
        assert found is not None
        return found

    def dirty(self, now: float) -> set[str]:
        """Return the names of hosts that a look finds dirty."""
        names = {drafts.uuid(f"h{n}"): f"h{n}" for n in range(1, 10)}
        return {names[each.node] for each in self.said(now)}

    def change(self, number: int = 1, **how: Any) -> None:
        """Let a server be otherwise from now on."""
        server = self.scene.servers[scene.uuid(number)]
        if "host" in how:
            how.setdefault("node", how["host"])
        self.scene.add(dataclasses.replace(server, **how))

    def delete(self, number: int = 1) -> None:
        servers = dict(self.scene.servers)
        del servers[scene.uuid(number)]
        self.scene.servers = servers

    def move(
        self, source: str, dest: str, number: int = 7, **how: Any
    ) -> None:
        """Let a move of the server be in Nova, or be otherwise."""
        fields: dict[str, Any] = {
            "kind": "live-migration",
            "status": "completed",
            "course": Course.ARRIVED,
            "updated": NOW + 4,
            **how,
        }
        uuid = scene.uuid(number)
        self.moves[uuid] = Migration(
            uuid=uuid,
            number=number,
            server=SERVER,
            source=source,
            dest=dest,
            user_id="",
            project_id="",
            created=NOW,
            **fields,
        )

    def leave(self) -> None:
        """Let the server be gone from h1 at the second look."""
        assert self.dirty(NOW) == set()
        self.delete()
        assert self.dirty(LEFT) == {"h1"}


class HouseTestCase(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.house = self.new()

    def new(self) -> House:
        self.number = getattr(self, "number", 0) + 1
        return House(cleanup_file.place(self.directory / f"{self.number}"))
