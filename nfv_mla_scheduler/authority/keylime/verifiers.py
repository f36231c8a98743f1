# SPDX-License-Identifier: Apache-2.0
"""Ask each verifier for all its agents, once a collection.

Talks over the clients that it is given.
"""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority.fetched import problem
from nfv_mla_scheduler.authority.keylime import boot_policies
from nfv_mla_scheduler.authority.keylime.api import ABSENT
from nfv_mla_scheduler.authority.keylime.api import Api
from nfv_mla_scheduler.authority.template import RESULTS_MAX
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.https import Client

_BULK = "agents/?bulk=true"


@dataclasses.dataclass(frozen=True, slots=True)
class Agents:
    """What the verifiers that answered have.

    :ivar records: agent -> what each of them says of it, unread
    :ivar uncounted: agent -> why the measured-boot policy that may be bound
        to it counts for nothing
    :ivar complete: whether all of them answered
    :ivar problems: of each one that did not: why
    :ivar skew_s: how far a clock of theirs is ahead of ours, at worst;
        ``None``: they did not say
    """

    records: Mapping[str, tuple[Any, ...]]
    uncounted: Mapping[str, str]
    complete: bool
    problems: tuple[Problem, ...]
    skew_s: float | None


class Verifiers:
    """All verifiers of one authority; for one thread at a time.

    :param clients: by the URL, whose query is sent along
    """

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self._asked = [
            (Api(client), urllib.parse.urlsplit(url).query)
            for url, client in clients.items()
        ]

    def fetch(
        self,
        counting: frozenset[str],
        stopped: Callable[[], bool],
        deadline_s: Callable[[], float],
    ) -> Agents:
        """Return what they have.

        :param counting: names of the measured-boot policies that count;
            none: all do
        :param stopped: whether somebody told us to stop asking
        :param deadline_s: how long one exchange may take
        :raises ContactFailed: when none of them answers, or we are to stop
        """
        records: dict[str, tuple[Any, ...]] = {}
        uncounted: dict[str, str] = {}
        failed: list[tuple[Api, ContactFailed]] = []
        skew_s: float | None = None
        for api, query in self._asked:
            if stopped():
                raise api.failed(
                    ContactCode.INTERRUPTED, "we were told to stop asking"
                )
            try:
                agents, this_s = _agents(api, query, deadline_s)
                uncounted |= boot_policies.uncounted(
                    api, agents.keys(), counting, deadline_s
                )
            except ContactFailed as exc:
                failed.append((api, exc))
                continue
            skew_s = _worse(skew_s, this_s)
            for name, record in agents.items():
                records[name] = (*records.get(name, ()), record)
        if len(failed) == len(self._asked):
            raise failed[0][1]
        if len(records) > RESULTS_MAX:
            raise self._asked[0][0].failed(
                ContactCode.TOO_LARGE,
                f"there are more than {RESULTS_MAX} agents",
            )
        problems = tuple(
            problem(api.peer, exc.reason.value, str(exc))
            for api, exc in failed
        )
        return Agents(records, uncounted, not failed, problems, skew_s)


def _agents(
    api: Api, query: str, deadline_s: Callable[[], float]
) -> tuple[Mapping[str, Any], float | None]:
    path = f"{_BULK}&{query}" if query else _BULK
    agents, answer = api.get(path, deadline_s)
    if agents is None:
        raise api.failed(
            ContactCode.BAD_STATUS,
            f"has no list of agents ({ABSENT}); see whether it is a verifier",
        )
    return agents, answer.skew_s


def _worse(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=abs)
