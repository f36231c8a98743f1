# SPDX-License-Identifier: Apache-2.0
"""An application instead of a collector, and a status to serve."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nfv_mla_scheduler.collector.app import App
from nfv_mla_scheduler.https import Answer
from tests.unit.serving.asking import ask


class Getting:
    """What ``https.Client`` is for a feed, on an application.

    :ivar asked: the headers of each request
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.asked: list[Mapping[str, str]] = []
        self.closed = 0

    def get(
        self,
        path_or_query: str = "",
        *,
        accept: Sequence[str],
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        also: Container[int] = (),
    ) -> Answer:
        self.asked.append(dict(headers or {}))
        found = ask(self.app, headers=headers)
        assert found.status == 200 or found.status in also
        if found.status < 300:
            assert found.headers["content-type"] in accept
        return Answer(found.status, found.headers, found.body, None)

    def close(self) -> None:
        self.closed += 1


NOW = 1_700_000_000.0


def authority(**changed: Any) -> dict[str, Any]:
    """Return one authority's part of a status."""
    return {
        "state": "fresh",
        "since": NOW - 3600,
        "last_success_at": NOW - 5,
        "code": "",
        "reason": "",
        "cadence_s": 30,
        "max_age_s": 90,
        "attesters": 12,
        "results": 11,
        "fresh": 10,
        "problems": 2,
        "notes": 1,
        "skew_s": -0.25,
        "last_poll_s": 0.75,
        "polls": 120,
        "failures": 3,
        **changed,
    }


def status(**changed: Any) -> dict[str, Any]:
    """Return a collector's status, all well unless it is changed."""
    return {
        "collector": "core-collector",
        "now": NOW,
        "started_at": NOW - 7200,
        "policy": {"version": 7, "expires_at": NOW + 86400},
        "document": {"issued_at": NOW - 2, "sha256": "ab", "results": 21},
        "publish_error": "",
        "publish_failing_since": None,
        "authorities": {
            "ear": authority(),
            "keylime": authority(state="failing", last_success_at=None),
        },
        **changed,
    }
