# SPDX-License-Identifier: Apache-2.0
"""A data centre that answers as it is told to, for tests of the demo."""

from __future__ import annotations

import pathlib
import typing as ty

from demo import world
from tests.cloud import description as desc
from tests.cloud.client import ApiError

NO_HOST = "No valid host was found. There are not enough hosts available."


class FakeNova:
    """An API on which one server is, wherever the test puts it.

    :ivar host: where a new or moved server lands; None: nowhere
    :ivar http: a status with which moves are refused; 0: they are not
    """

    def __init__(self, host: str | None, http: int = 0) -> None:
        self.host = host
        self.http = http
        self.message = NO_HOST
        self._at: str | None = None
        self._failed = False
        self.deleted: list[str] = []

    def create_server(self, name: str, flavor: str, **_: object) -> str:
        self._at = self.host
        return f"id-of-{name}"

    def server(self, server: str) -> dict[str, ty.Any]:
        return {
            "id": server,
            "status": "ACTIVE" if self._at else "ERROR",
            "OS-EXT-SRV-ATTR:host": self._at,
        }

    def host_of(self, _: str) -> str | None:
        return self._at

    def fault_of(self, _: str) -> dict[str, ty.Any] | None:
        return None if self._at else {"message": self.message}

    def live_migrate(self, _: str, host: str | None) -> None:
        if self.http:
            raise ApiError(self.http, "no")
        self._failed = self.host is None
        self._at = self.host or self._at

    def request(self, _: str, path: str) -> dict[str, ty.Any]:
        action = {"request_id": "req", "message": None, "events": []}
        if self._failed:
            action["message"] = "Error"
            action["events"] = [{"details": self.message}]
        if path.endswith("/os-instance-actions"):
            return {"instanceActions": [action]}
        return {"instanceAction": action}

    def delete(self, server: str) -> None:
        self.deleted.append(server)


class FakeCentre:
    """What a stage needs of a data centre."""

    computes = world.COMPUTES
    authorities = (world.OURS, world.THEIRS)

    def __init__(self, nova: FakeNova, filtered: bool = True) -> None:
        self.admin = nova
        self.filtered = filtered
        self.site = FakeSite()
        self.monitor = FakeMonitor()

    def client(self, _: object) -> FakeNova:
        return self.admin

    def flavor(self, name: str) -> str:
        return name

    def image(self, _: str) -> desc.Image:
        return desc.PLAIN_IMAGE


class FakeMonitor:
    """A monitor that has said what the test says.

    :ivar why: what it said when it ended by itself
    """

    runs = True

    def __init__(self) -> None:
        self.log: list[str] = []
        self.why = ""
        self.printed = (0, "")

    def start(self) -> None:
        pass

    def lines(self) -> list[str]:
        return self.log

    def said(self, *words: str, since: int = 0) -> list[str]:
        return [x for x in self.log[since:] if all(w in x for w in words)]

    def ended(self) -> str:
        return self.why

    def command(self, *_: object) -> tuple[int, str]:
        return self.printed


class FakeSite:
    audit_dir = pathlib.Path("/nowhere")


class FakeReasons:
    """Has written down what the test says, or nothing."""

    def __init__(self, *codes: str) -> None:
        self.codes = codes

    def count(self) -> int:
        return 0

    def event(self, _: int, **__: object) -> dict[str, ty.Any] | None:
        if not self.codes:
            return None
        counts = dict.fromkeys(self.codes, 1)
        return {"fields": {"counts": counts, "candidates": 1}}

    def explain(self, *_: object) -> dict[str, ty.Any]:
        return {}
