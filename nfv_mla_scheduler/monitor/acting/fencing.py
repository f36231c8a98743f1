# SPDX-License-Identifier: Apache-2.0
"""Fence a host, or let it go: what is asked of Nova about its service.

Speaks through the port only.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.acting.asking import mark_of
from nfv_mla_scheduler.monitor.acting.asking import next_mark
from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Unmet
from nfv_mla_scheduler.monitor.acting.crew import Once
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.steps import Ask

# What a mark says that a service was before; no other is ever fenced by us.
WAS = "enabled"


class Fencer:
    """Fences hosts as they were in one picture.

    Services are read once, before the first of them is changed: whoever has
    disabled one since the picture was taken wants it disabled.
    """

    def __init__(
        self,
        cloud: Cloud,
        keys: tuple[bytes, ...],
        picture: Picture,
        now: Instant,
        new_id: Callable[[], str],
        busy: Callable[[str], bool],
    ) -> None:
        """Begin with a picture.

        :param busy: whether a request about a service has not ended yet
        """
        self._cloud = cloud
        self._keys = keys
        self._picture = picture
        self._now = now
        self._new_id = new_id
        self._busy = busy
        self._written: dict[str, Mark] = {}
        self._once = Once()
        self._fresh: Mapping[str, Node] = {}

    def carry_out(
        self, fence: Fence, attempt: Attempt, insist: bool = False
    ) -> None:
        """Disable a service with our mark, or enable one of ours.

        :param insist: disable it although it is not as it was seen, time
            after time
        :raises Unmet: when it is not as it was seen, or is disabled for
            another reason
        """
        seen = _of(self._picture.nodes, fence.service)
        node = self._now_is(fence.service, attempt)
        if node is None and fence.disable:
            again = self._new(fence.host)
            if again:
                self._disable_new(again, attempt, insist)
                return
        changed = _stands(seen) != _stands(node)
        if changed and not (fence.disable and insist):
            raise Unmet("it was enabled or disabled meanwhile")
        attempt.forced = changed
        old = self._mark(node, fence.service)
        if fence.disable:
            if not changed and node and old is None and _others(node):
                raise Unmet("it is disabled for another reason")
            code = old.code if old else Code.FENCE
            self._disable(fence.service, code, old, attempt)
            return
        if node is None or old is None:
            raise Unmet("it is not disabled by us")
        self._enable(fence, node, old, attempt)

    def _disable_new(
        self, services: list[Node], attempt: Attempt, insist: bool
    ) -> None:
        """Disable what a host has registered in place of its service.

        Whoever runs a host can do so whenever we look; what is about to be
        done is meant for the host.
        """
        kept = False
        for node in services:
            old = self._mark(node, node.service)
            if old is None and _others(node) and not insist:
                kept = True
                continue
            attempt.forced = True
            code = old.code if old else Code.FENCE
            self._disable(node.service, code, old, attempt)
        if kept:
            raise Unmet("it is disabled for another reason")

    def _new(self, host: str) -> list[Node]:
        """Return a host's services that the picture has not, each once."""
        known = {node.service for node in self._picture.nodes.values()}
        found = {
            node.service: node
            for node in self._fresh.values()
            if node.host == host and node.service and node.service not in known
        }
        return list(found.values())

    def _enable(
        self, fence: Fence, node: Node, old: Mark, attempt: Attempt
    ) -> None:
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

        The mark comes with it, in one request: what is off would keep Nova
        waiting if it was only disabled.  Where an administrator's reason
        stands it is kept, and whoever enables that host has to say that it is
        up.

        :raises Unmet: when Nova shows no such service, or the last request
            about it has not ended yet
        """
        seen = self._picture.nodes.get(host)
        if seen is None:
            raise Unmet("Nova shows no service of that host")
        service = seen.service
        if self._busy(service):
            raise Unmet("the last request about its service has not ended")
        node = self._now_is(service, attempt)
        if node is None:
            # registered anew, by the host or for it
            node = next(iter(self._new(host)), seen)
            service = node.service
        old = self._mark(node, service)
        if not down:
            attempt.make(
                Ask.LIFT_DOWN, lambda: self._cloud.force_down(service, False)
            )
            return
        text = ""
        if old is not None or not _others(node):
            text = self._text(service, Code.EVACUATE, old, attempt)
        attempt.make(
            Ask.FORCE_DOWN,
            lambda: self._cloud.force_down(service, True, text),
        )

    def _now_is(self, service: str, attempt: Attempt) -> Node | None:
        """Return a service as it is now; None: Nova does not show it."""

        def read() -> None:
            self._fresh = self._cloud.services(self._picture.nodes)

        try:
            self._once.do("services", read)
        except CloudFailed as exc:
            attempt.patience.note(exc, attempt.place)
            raise
        return _of(self._fresh, service)

    def _mark(self, node: Node | None, service: str) -> Mark | None:
        if service in self._written:
            return self._written[service]
        if node is None or node.enabled or node.service != service:
            return None
        return mark_of(node.reason, service, self._keys)

    def _disable(
        self, service: str, code: Code, old: Mark | None, attempt: Attempt
    ) -> None:
        text = self._text(service, code, old, attempt)
        attempt.make(Ask.DISABLE, lambda: self._cloud.disable(service, text))

    def _text(
        self, service: str, code: Code, old: Mark | None, attempt: Attempt
    ) -> str:
        """Return the mark that a service is about to have."""
        mark = next_mark(code, old, WAS, self._now, self._new_id())
        attempt.mark = mark.id
        self._written[service] = mark
        return marks.write(mark, service, self._keys[0])


def _of(nodes: Mapping[str, Node], service: str) -> Node | None:
    """Return the first node of a service."""
    return next((n for n in nodes.values() if n.service == service), None)


def _stands(node: Node | None) -> tuple[bool, str] | None:
    """Return whether a service is enabled, and why not."""
    return None if node is None else (node.enabled, node.reason)


def _others(node: Node) -> bool:
    """Whether somebody else has disabled it; a forged mark is nobody's."""
    return not node.enabled and not node.reason.startswith(marks.PREFIX)
