# SPDX-License-Identifier: Apache-2.0
"""Take back all that a monitor left in Nova and Placement.

Touches both through the port.  What is not ours by its mark stays as it is,
and so does whether servers run, unless they are to be started.  It may be
broken off and done again: what is done is not done twice.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Iterator

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.marking.marks import PREFIX
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Forged
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.marks import read
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.policy.traits import PREFIX as TRAIT_PREFIX

LINES_MAX = 50
_HALTS = (Code.STOP, Code.COLD_MIGRATE)


@dataclasses.dataclass(slots=True)
class Surrendered:
    """What was taken back, and what is left.

    :ivar left: what is still there, and why; bounded lines
    """

    unlocked: int = 0
    started: int = 0
    enabled: int = 0
    traits: int = 0
    left: list[str] = dataclasses.field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing of ours is left, as far as can be seen."""
        return not self.left

    def keep(self, what: str, why: object) -> None:
        """Note what is left."""
        if len(self.left) < LINES_MAX:
            self.left.append(f"{bounded(what, 80)}: {bounded(why, 140)}")
        elif len(self.left) == LINES_MAX:
            self.left.append("and more")


def surrender(
    cloud: Cloud, keys: tuple[bytes, ...], start: bool = False
) -> Surrendered:
    """Take everything back, as far as it can be reached.

    Traits first, so that nothing more is placed by them; then locks, then
    fences: a host takes servers again when it is the last that is left.

    :param keys: by which marks are known to be ours
    :param start: whether to start what we have halted
    """
    done = Surrendered()
    for take_back in (_traits, _servers, _hosts):
        try:
            take_back(cloud, keys, start, done)
        except CloudFailed as exc:
            done.keep(take_back.__name__.removeprefix("_"), exc)
    return done


def _traits(
    cloud: Cloud, keys: tuple[bytes, ...], start: bool, done: Surrendered
) -> None:
    for trait in sorted(cloud.trait_names(TRAIT_PREFIX)):
        for provider in sorted(cloud.providers(trait)):
            name = f"trait {trait} of provider {provider}"
            if _try(
                done,
                name,
                functools.partial(
                    cloud.edit_traits, provider, remove=frozenset((trait,))
                ),
            ):
                done.traits += 1


def _servers(
    cloud: Cloud, keys: tuple[bytes, ...], start: bool, done: Surrendered
) -> None:
    for server in _all_servers(cloud, done):
        name = f"server {server.uuid}"
        if not (server.locked and server.locked_reason.startswith(PREFIX)):
            continue
        mark = _mark(server.locked_reason, server.uuid, keys, name, done)
        if mark is None:
            continue
        if start and _was_halted(server, mark):
            # before the lock goes: the mark is what says that it ran
            if not _try(
                done,
                name,
                functools.partial(cloud.act, server.uuid, "os-start"),
            ):
                continue
            done.started += 1
        if _try(done, name, functools.partial(cloud.unlock, server.uuid)):
            done.unlocked += 1


def _hosts(
    cloud: Cloud, keys: tuple[bytes, ...], start: bool, done: Surrendered
) -> None:
    told = set()
    nodes = cloud.nodes()
    for text in cloud.unread:
        done.keep("hosts", text)
    for node in nodes.values():
        name = f"host {node.host}"
        if not node.service:
            done.keep(name, "its cell does not answer")
        elif node.service not in told and _fenced(node):
            told.add(node.service)
            mark = _mark(node.reason, node.service, keys, name, done)
            if mark is not None and _enabled(cloud, node, mark, done):
                done.enabled += 1


def _enabled(cloud: Cloud, node: Node, mark: Mark, done: Surrendered) -> bool:
    """Enable a host; whether it is.

    That we said it is down is taken back first: the mark is what says so.
    """
    name = f"host {node.host}"
    ours = node.forced_down and mark.code is Code.EVACUATE
    lift = functools.partial(cloud.force_down, node.service, False)
    if ours and not _try(done, name, lift):
        return False
    enable = functools.partial(cloud.enable, node.service)
    if not _try(done, name, enable):
        return False
    if node.forced_down and not ours:
        done.keep(name, "is enabled, and still forced down")
    return True


def _fenced(node: Node) -> bool:
    return not node.enabled and node.reason.startswith(PREFIX)


def _was_halted(server: Server, mark: Mark) -> bool:
    """Whether we stopped it, and it is stopped still."""
    return (
        mark.was == VmState.ACTIVE.value
        and mark.code in _HALTS
        and not mark.to_rebuild
        and server.vm_state is VmState.STOPPED
        and not server.task
    )


def _all_servers(cloud: Cloud, done: Surrendered) -> Iterator[Server]:
    for page in cloud.servers(None):
        for cell in page.missing:
            done.keep("servers", f"cell {bounded(cell)} does not answer")
        for uuid, fault in page.unread.items():
            done.keep(f"server {uuid}", f"cannot be read: {fault}")
        yield from page.servers


def _mark(
    text: str,
    bearer: str,
    keys: tuple[bytes, ...],
    name: str,
    done: Surrendered,
) -> Mark | None:
    """Return our mark; None: it is none of ours, and stays."""
    try:
        return read(text, bearer, keys)
    except Forged as exc:
        done.keep(name, f"is not by our mark, and stays: {exc}")
        return None


def _try(done: Surrendered, name: str, do: Callable[[], None]) -> bool:
    try:
        do()
    except CloudFailed as exc:
        done.keep(name, exc)
        return False
    return True
