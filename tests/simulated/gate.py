# SPDX-License-Identifier: Apache-2.0
"""Where calls to the simulated cloud come in: counted, failed, let on."""

from __future__ import annotations

import collections
import dataclasses
import threading
from collections.abc import Mapping
from typing import Any

from tests.simulated import keystone
from tests.simulated.answers import Answer
from tests.simulated.answers import Request
from tests.simulated.answers import nova_error
from tests.simulated.answers import placement_error
from tests.simulated.faults import Break
from tests.simulated.faults import Fault
from tests.simulated.faults import Faults
from tests.simulated.faults import call_name
from tests.simulated.nova import Nova
from tests.simulated.placement import Placement
from tests.simulated.records import identifier
from tests.simulated.world import World

_APIS = ("identity", "compute", "placement")


class Gate:
    """Answers whatever is asked.

    :ivar calls: how often each call was made; see ``faults.call_name``
    :ivar made: names of all calls, in their order
    :ivar stopping: set when nobody is to wait for an answer any more
    """

    def __init__(self, world: World) -> None:
        self.calls: collections.Counter[str] = collections.Counter()
        self.made: list[str] = []
        self.faults = Faults()
        self.stopping = threading.Event()
        self.nova = Nova(world)
        self.placement = Placement(world)
        self.keystone = keystone.Keystone()
        self._world = world

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Any,
    ) -> tuple[Answer, Break | None]:
        api, _, rest = path.lstrip("/").partition("/")
        if api == "compute":
            rest = rest.removeprefix("v2.1").lstrip("/")
        name = call_name(method, f"{api}/{rest}".rstrip("/"), body)
        with self._world.lock:
            self.calls[name] += 1
            self.made.append(name)
            number = len(self.made)
        fault = self.faults.take(name)
        answer = Answer(fault.status) if fault and fault.status else None
        if fault is None or fault.done:
            real = self._real(
                api,
                Request(
                    method,
                    "/" + rest,
                    query,
                    headers,
                    body,
                    self.keystone.endpoints["compute"],
                    f"req-{identifier('request', number)}",
                ),
            )
            answer = answer or real
        if fault is None:
            return answer or Answer(500), None
        if fault.delay_s:
            self.stopping.wait(fault.delay_s)
        return self._spoilt(api, fault, answer or Answer(500)), fault.how

    def _spoilt(self, api: str, fault: Fault, answer: Answer) -> Answer:
        if fault.status:
            make = placement_error if api == "placement" else nova_error
            answer = make(fault.status, "It fails, as it was told to.")
        body = answer.body if fault.body is None else fault.body
        extra = tuple(fault.headers.items())
        return Answer(answer.status, body, (*answer.headers, *extra))

    def _real(self, api: str, request: Request) -> Answer:
        with self._world.lock:
            self._world.settle()
            if api == "identity":
                return self.keystone.answer(request)
            if api not in _APIS:
                return nova_error(404, "There is nothing here.")
            if api == "compute" and not request.parts:
                return self.nova.versions(request.base)
            if api == "placement" and not request.parts:
                return self.placement.versions()
            owner = self.keystone.owner(
                request.headers.get("x-auth-token", "")
            )
            if owner is None:
                return nova_error(401, "Authentication is required.")
            request = dataclasses.replace(
                request,
                user=keystone.USERS[owner],
                admin=owner == keystone.ADMIN,
            )
            if api == "compute":
                return self.nova.answer(request)
            return self.placement.answer(request)
