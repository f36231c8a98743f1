# SPDX-License-Identifier: Apache-2.0
"""Hosts that a sensitive server has left, and that nobody calls clean yet.

Pure.  A monitor finds them (5.2.8) and a scheduler keeps others off them.
Between the two it is not said whose server it was, only by what somebody can
tell whether it was theirs: a digest of the owner with a salt of its own, so
that two hosts that were left by one owner do not look alike.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.values import Policy

SALT_HEX = 16
TAG = re.compile(rf"[0-9a-f]{{{SALT_HEX + 32}}}")
NOT_CLEAN = Refusal(RefusalCode.NOT_CLEAN, "secure-clean-up", "5.2.8")

_OWNERS_MAX = 1024


def owner_of(project_id: str, policy: Policy | None) -> str:
    """Return to whom a project's servers belong: a trust domain, or itself."""
    project = policy.projects.get(project_id) if policy is not None else None
    if project is None or project.trust_domain is None:
        return f"project {project_id}"
    return f"domain {project.trust_domain}"


def tag_of(owner: str, salt: str) -> str:
    """Return by what an owner is known, and by nobody else.

    :param salt: as many hexadecimal digits as ``SALT_HEX``
    """
    text = f"dirty\0{salt}\0{owner}"
    return salt + hashlib.sha256(text.encode()).hexdigest()[:32]


class DirtyHosts:
    """Dirty hosts, and for whom they are open all the same; thread-safe.

    :param tags: UUID of a compute node -> by what the owner of each server
        that left it is known; what fits no owner is open to nobody
    """

    def __init__(self, tags: Mapping[str, Iterable[str]]) -> None:
        self._tags = {node: tuple(found) for node, found in tags.items()}
        self._closed: dict[str, frozenset[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._tags)

    def closed_to(self, owner: str) -> frozenset[str]:
        """Return the nodes that are closed to an owner's servers."""
        known = self._closed.get(owner)
        if known is None:
            if len(self._closed) >= _OWNERS_MAX:
                self._closed.clear()
            known = self._closed[owner] = frozenset(
                node
                for node, tags in self._tags.items()
                if any(tag != tag_of(owner, tag[:SALT_HEX]) for tag in tags)
            )
        return known


NONE = DirtyHosts({})
