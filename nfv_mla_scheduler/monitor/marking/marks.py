# SPDX-License-Identifier: Apache-2.0
"""Marks: what we did, written into Nova where we did it.

Pure.  A mark says what we did and never what is true: whether it still has to
be so is judged anew each time.  Its MAC is over the mark and the UUID of what
bears it, by a key that the monitors share, since a member may lock with any
text and a compute may write both fields.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
import hashlib
import hmac
import math
import re

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import read_instant
from nfv_mla_scheduler.policy.instants import write_instant

PREFIX = "nfv-mla/"
FORMAT = 1
LENGTH_MAX = 255
KEY_MIN = 32
KEY_MAX = 4096

_TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_MARK = re.compile(
    rf"nfv-mla/1 (?P<code>[a-z-]{{1,32}}) (?P<id>[0-9a-f]{{8}}) "
    rf"(?P<at>{_TIME}) since=(?P<since>{_TIME}) "
    r"was=(?P<was>[a-z_-]{1,32})(?P<rebuild>\+rebuild)? "
    r"(?P<mac>[A-Za-z0-9_-]{43})",
    re.ASCII,
)
_FORMAT = re.compile(r"nfv-mla/([0-9]{1,4}) ", re.ASCII)
_REMEMBERED = 32768


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
    :ivar rebuild: whether a step before the last one was to rebuild it, see
        :attr:`to_rebuild`
    """

    code: Code
    id: str
    at: Instant
    since: Instant
    was: str
    rebuild: bool = False

    @property
    def to_rebuild(self) -> bool:
        """Whether it may not be started with the disk that it had.

        That outlives the step: another finding may come before it is done.
        """
        return self.rebuild or self.code is Code.REBUILD_ELSEWHERE


class Forged(Exception):
    """A text that begins as marks do, and is none of ours for its bearer."""


def read_key(data: bytes) -> bytes:
    """Return the key in a file's bytes; one line end after it is none of it.

    :raises KeyFileError: when it is too short to keep anybody from guessing
    """
    key = data.removesuffix(b"\n").removesuffix(b"\r")
    if not KEY_MIN <= len(key) <= KEY_MAX:
        raise KeyFileError(
            f"a key of marks has from {KEY_MIN} to {KEY_MAX} bytes, and this "
            f"one has {min(len(key), KEY_MAX + 1)}"
        )
    return key


def write(mark: Mark, bearer: str, key: bytes) -> str:
    """Return ``mark`` as text for what has the UUID ``bearer``.

    Times lose their fraction of a second.
    """
    text = (
        f"{PREFIX}{FORMAT} {mark.code.value} {mark.id} {_time(mark.at)} "
        f"since={_time(mark.since)} was={mark.was}"
        f"{'+rebuild' if mark.rebuild else ''}"
    )
    whole = f"{text} {_mac(text, bearer, key)}"
    if _MARK.fullmatch(whole) is None:
        raise ValueError("a mark's id is 8 hex digits, its state one word")
    return whole


def read(text: str, bearer: str, keys: tuple[bytes, ...]) -> Mark | None:
    """Return the mark in ``text``; None: it is no mark of anybody.

    :param keys: any of which may have made it
    :raises Forged: when it claims to be ours, and no key made it for
        ``bearer``
    """
    if not text.startswith(PREFIX):
        return None
    if len(text) > LENGTH_MAX:
        raise Forged("longer than any mark")
    found = _read(text, bearer, keys)
    if isinstance(found, str):
        raise Forged(found)
    return found


@functools.lru_cache(maxsize=_REMEMBERED)
def _read(text: str, bearer: str, keys: tuple[bytes, ...]) -> Mark | str:
    """Return the mark, or what is wrong with it."""
    part = _MARK.fullmatch(text)
    if part is None:
        later = _FORMAT.match(text)
        if later is not None and int(later[1]) > FORMAT:
            return f"of format {int(later[1])}, later than our {FORMAT}"
        return "not in the form of a mark"
    signed, given = text[: part.start("mac") - 1], part["mac"]
    # All are compared: how long it takes does not tell which one fits.
    fitting = sum(
        hmac.compare_digest(_mac(signed, bearer, key), given) for key in keys
    )
    if not fitting:
        return "no key of ours made it for this bearer"
    at, since = read_instant(part["at"]), read_instant(part["since"])
    if part["code"] not in _CODES or at is None or since is None:
        return "ours, and yet not in the form of a mark"
    return Mark(
        _CODES[part["code"]],
        part["id"],
        at,
        min(since, at),
        part["was"],
        part["rebuild"] is not None,
    )


_CODES = {code.value: code for code in Code}


def _time(at: Instant) -> str:
    return write_instant(math.floor(at))


def _mac(text: str, bearer: str, key: bytes) -> str:
    data = f"nfv-mla mark\0{bearer}\0{text}".encode()
    digest = hmac.digest(key, data, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
