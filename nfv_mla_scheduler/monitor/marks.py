# SPDX-License-Identifier: Apache-2.0
"""Marks: what we did, written into Nova where we did it.

Pure.  A mark says what we did and never what is true: whether it still has to
be so is judged anew each time.  Its MAC is over the mark and the UUID of what
bears it, by a key that the monitors share, since a member may lock with any
text and a compute may write both fields.
"""

from __future__ import annotations

import dataclasses
import enum

from nfv_mla_scheduler.model import Instant

PREFIX = "nfv-mla/"
LENGTH_MAX = 255


class Code(enum.Enum):
    """What a mark says was done or asked last; see ``steps.Step``.

    The owner of a server can read it: it tells neither host nor reason.
    """

    FENCE = "fence"
    DIRTY = "dirty"
    LOCK = "lock"
    LIVE_MIGRATE = "live-migrate"
    COLD_MIGRATE = "cold-migrate"
    STOP = "stop"
    POWER_OFF = "power-off"
    EVACUATE = "evacuate"
    REBUILD_ELSEWHERE = "rebuild-elsewhere"


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """What we did to a server or a compute service.

    :ivar id: random, by which people and ledger speak of it
    :ivar at: when the last step was asked
    :ivar since: when the first was; at most ``at``
    :ivar was: the vm_state that it had before; of a service ``enabled``
    """

    code: Code
    id: str
    at: Instant
    since: Instant
    was: str


class Forged(Exception):
    """A text that begins as marks do, and is none of ours for its bearer."""


def write(mark: Mark, bearer: str, key: bytes) -> str:
    """Return ``mark`` as text for what has the UUID ``bearer``."""
    raise NotImplementedError


def read(text: str, bearer: str, keys: tuple[bytes, ...]) -> Mark | None:
    """Return the mark in ``text``; None: it is no mark of anybody.

    :param keys: any of which may have made it
    :raises Forged: when it claims to be ours, and no key made it for
        ``bearer``
    """
    raise NotImplementedError
