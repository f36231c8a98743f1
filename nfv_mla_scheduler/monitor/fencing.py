# SPDX-License-Identifier: Apache-2.0
"""Fence a host, or let it go: what is asked of Nova about its service.

Speaks through the port only.
"""

from __future__ import annotations

from collections.abc import Callable

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor import marks
from nfv_mla_scheduler.monitor.asking import mark_of
from nfv_mla_scheduler.monitor.asking import next_mark
from nfv_mla_scheduler.monitor.attempt import Attempt
from nfv_mla_scheduler.monitor.attempt import Unmet
from nfv_mla_scheduler.monitor.marks import Code
from nfv_mla_scheduler.monitor.marks import Mark
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Fence

# What a mark says that a service was before; no other is ever fenced by us.
WAS = "enabled"


class Fencer:
    """Fences hosts as they were in one picture."""

    def __init__(
        self,
        cloud: Cloud,
        keys: tuple[bytes, ...],
        picture: Picture,
        now: Instant,
        new_id: Callable[[], str],
    ) -> None:
        self._cloud = cloud
        self._keys = keys
        self._picture = picture
        self._now = now
        self._new_id = new_id
        self._written: dict[str, Mark] = {}

    def carry_out(self, fence: Fence, attempt: Attempt) -> None:
        """Disable a service with our mark, or enable one of ours.

        :raises Unmet: when it is disabled for another reason
        """
        node = self._picture.nodes.get(fence.host)
        old = self._mark(node, fence.service)
        if fence.disable:
            if node is not None and old is None and _others(node):
                raise Unmet("it is disabled for another reason")
            code = old.code if old else Code.FENCE
            self._disable(fence.service, code, old, attempt)
            return
        if node is None or old is None:
            raise Unmet("it is not disabled by us")
        attempt.mark = old.id
        # Lifted before it is enabled: the mark is all that says that we
        # forced it down.  Killed between the two, it is enabled next time;
        # the other way round, it would be down for ever.
        if old.code is Code.EVACUATE and node.forced_down:
            attempt.make(
                Ask.LIFT_DOWN,
                lambda: self._cloud.force_down(fence.service, False),
            )
        attempt.make(Ask.ENABLE, lambda: self._cloud.enable(fence.service))

    def force(self, host: str, down: bool, attempt: Attempt) -> None:
        """Say that a host's service is down, or that it is not.

        The mark comes first, for the same reason.  Where an administrator's
        reason stands it is kept, and whoever enables that host has to say
        that it is up.

        :raises Unmet: when Nova shows no such service
        """
        node = self._picture.nodes.get(host)
        if node is None:
            raise Unmet("Nova shows no service of that host")
        service = node.service
        old = self._mark(node, service)
        if down and (old is not None or not _others(node)):
            self._disable(service, Code.EVACUATE, old, attempt)
        attempt.make(
            Ask.FORCE_DOWN if down else Ask.LIFT_DOWN,
            lambda: self._cloud.force_down(service, down),
        )

    def _mark(self, node: Node | None, service: str) -> Mark | None:
        if service in self._written:
            return self._written[service]
        if node is None or node.enabled or node.service != service:
            return None
        return mark_of(node.reason, service, self._keys)

    def _disable(
        self, service: str, code: Code, old: Mark | None, attempt: Attempt
    ) -> None:
        mark = next_mark(code, old, WAS, self._now, self._new_id())
        text = marks.write(mark, service, self._keys[0])
        attempt.mark = mark.id
        attempt.make(Ask.DISABLE, lambda: self._cloud.disable(service, text))
        self._written[service] = mark


def _others(node: Node) -> bool:
    """Whether somebody else has disabled it; a forged mark is nobody's."""
    return not node.enabled and not node.reason.startswith(marks.PREFIX)
