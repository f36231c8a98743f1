# SPDX-License-Identifier: Apache-2.0
"""What people said, and what is held until they say something.

Touches one small file, and a lock beside it.  The running monitor and the
commands of people both change it: each change reads, changes and writes under
the lock.  A file that cannot be read holds everything but fences: whoever can
damage it must not thereby set anything going.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.holding import file as holds_file
from nfv_mla_scheduler.monitor.steps import HoldsEdit
from nfv_mla_scheduler.results import strict_json

FILE = pathlib.PurePath("monitor", "holds.json")
VERSION = 1
BYTES_MAX = 2**18
ENTRIES_MAX = 256
SETTLED_MAX = 16
REASON_MAX = 200
PAUSE_MAX_S = 24 * 3600.0
RELEASE_MAX_S = 7 * 24 * 3600.0

T = TypeVar("T")


class HoldsFault(NfvMlaError):
    """What people said cannot be read, changed or written."""

    code = "holds"


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """What a person said: until when it holds, why, who, and when."""

    until: Instant
    reason: str
    by: str
    at: Instant

    def holds(self, now: Instant, longest_s: float) -> bool:
        """Whether it is in force.

        A clock that is put back makes nothing last for longer than
        ``longest_s`` from then on.
        """
        return now < self.until <= now + longest_s


@dataclasses.dataclass(frozen=True, slots=True)
class Holds:
    """What people said, and what waits for them.

    :ivar suspects: authority -> since when it is held
    :ivar braked: digest of a policy -> since when it is held
    :ivar authorities: authority -> the word that released it
    :ivar servers: server's UUID -> the word that released it: neither a
        suspect nor a brake holds what is found about it
    :ivar settled: digest -> since when; the newest ones
    :ivar fault: one line: why the file cannot be read; empty: it can
    """

    paused: Word | None = None
    suspects: Mapping[str, Instant] = dataclasses.field(default_factory=dict)
    braked: Mapping[str, Instant] = dataclasses.field(default_factory=dict)
    authorities: Mapping[str, Word] = dataclasses.field(default_factory=dict)
    servers: Mapping[str, Word] = dataclasses.field(default_factory=dict)
    settled: Mapping[str, Instant] = dataclasses.field(default_factory=dict)
    fault: str = ""

    def pauses(self, now: Instant) -> bool:
        """Whether a person has paused us, as far as we can know."""
        said = self.paused is not None and self.paused.holds(now, PAUSE_MAX_S)
        return said or bool(self.fault)

    def trusts(self, authority: str, now: Instant) -> bool:
        """Whether a person has released an authority for the time being."""
        word = self.authorities.get(authority)
        return word is not None and word.holds(now, RELEASE_MAX_S)

    def frees(self, server: str, now: Instant) -> bool:
        """Whether a person has released a server for the time being."""
        word = self.servers.get(server)
        return word is not None and word.holds(now, RELEASE_MAX_S)


def place(state_dir: str | os.PathLike[str]) -> pathlib.Path:
    """Return where the file is."""
    return pathlib.Path(state_dir) / FILE


def read(path: pathlib.Path) -> Holds:
    """Return what the file says; nothing at the first start.

    What cannot be read has a ``fault``, and is nothing that can be written.
    """
    try:
        data = WatchedFile(path, BYTES_MAX).changed() or b""
        return _parse(data)
    except Missing:
        return Holds()
    except Unread as exc:
        said = exc.reason
    except ResultsRefused as exc:
        said = str(exc)
    return Holds(fault=bounded(f"{path}: {said}", 200))


def write(path: pathlib.Path, holds: Holds) -> None:
    """Put ``holds`` in the place of the file, in one step.

    :raises HoldsFault: when that cannot be done
    """
    if holds.fault:
        raise HoldsFault(holds.fault)
    members = {"version": VERSION, **dataclasses.asdict(holds)}
    del members["fault"]
    data = json.dumps(members, indent=1, sort_keys=True).encode() + b"\n"
    try:
        # What cannot be read again would hold everything from then on.
        _parse(data)
        if len(data) > BYTES_MAX:
            raise HoldsFault(f"{path}: there is no room for more")
        holds_file.replace(path, data)
    except ResultsRefused as exc:
        raise HoldsFault(str(exc)) from None
    except OSError as exc:
        raise _fault(path, exc) from None


def change(path: pathlib.Path, alter: Callable[[Holds], Holds]) -> Holds:
    """Read, change and write under the lock; return what is there then.

    :raises HoldsFault: when it cannot be read, or not be written
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with holds_file.locked(path):
            before = read(path)
            if before.fault:
                raise HoldsFault(before.fault)
            after = alter(before)
            if after != before:
                write(path, after)
            return after
    except holds_file.Locked:
        raise HoldsFault(f"{path}: is locked by another process") from None
    except OSError as exc:
        raise _fault(path, exc) from None


def pause(
    path: pathlib.Path, until: Instant, reason: str, by: str, now: Instant
) -> Holds:
    """Pause the monitor: for a day at most, then it goes on by itself.

    :raises HoldsFault: also when ``until`` is too late, or past
    """
    word = _word(until, reason, by, now, PAUSE_MAX_S)
    return change(path, lambda h: dataclasses.replace(h, paused=word))


def resume(path: pathlib.Path) -> Holds:
    """Let a paused monitor go on.

    :raises HoldsFault: when that cannot be written
    """
    return change(path, lambda h: dataclasses.replace(h, paused=None))


def release_authority(
    path: pathlib.Path,
    authority: str,
    until: Instant,
    reason: str,
    by: str,
    now: Instant,
) -> Holds:
    """Believe a suspect authority, however many hosts fail by its word.

    :raises HoldsFault: also when ``until`` is too late, or past
    """
    word = _word(until, reason, by, now, RELEASE_MAX_S)

    def alter(h: Holds) -> Holds:
        return dataclasses.replace(
            h,
            suspects=_without(h.suspects, authority),
            authorities={**_in_force(h.authorities, now), authority: word},
        )

    return change(path, alter)


def release_policy(path: pathlib.Path, digest: str, now: Instant) -> Holds:
    """Let what is found by a policy's rules be acted upon, from now on.

    A digest is of one version for good: this needs no end.  Who said so and
    why belongs into the ledger.

    :raises HoldsFault: when that cannot be written
    """
    return change(path, lambda h: _settle(h, digest, now))


def release_server(
    path: pathlib.Path,
    server: str,
    until: Instant,
    reason: str,
    by: str,
    now: Instant,
) -> Holds:
    """Let what is found about a server be acted upon, whatever is suspect.

    :raises HoldsFault: also when ``until`` is too late, or past
    """
    word = _word(until, reason, by, now, RELEASE_MAX_S)

    def alter(h: Holds) -> Holds:
        servers = {**_in_force(h.servers, now), server: word}
        return dataclasses.replace(h, servers=servers)

    return change(path, alter)


def edit(path: pathlib.Path, it: HoldsEdit, now: Instant) -> Holds:
    """Write what a cycle found out, before it does anything.

    What a person released meanwhile stays released.

    :raises HoldsFault: when that cannot be written
    """

    def alter(h: Holds) -> Holds:
        suspects = {k: v for k, v in h.suspects.items() if k not in it.cleared}
        for name in it.suspects:
            if not h.trusts(name, now):
                suspects.setdefault(name, now)
        h = dataclasses.replace(h, suspects=suspects)
        if it.braked and it.braked not in h.settled:
            braked = {it.braked: h.braked.get(it.braked, now)}
            h = dataclasses.replace(h, braked=braked)
        # another process may have found more than we did
        if it.settled and it.settled not in h.braked:
            h = _settle(h, it.settled, now)
        return h

    return read(path) if it.empty else change(path, alter)


def _settle(h: Holds, digest: str, now: Instant) -> Holds:
    others = _without(h.settled, digest)
    newest = sorted(others, key=lambda d: (others[d], d))[1 - SETTLED_MAX :]
    return dataclasses.replace(
        h,
        braked=_without(h.braked, digest),
        settled={**{d: others[d] for d in newest}, digest: now},
    )


def _without(
    entries: Mapping[str, Instant], name: str
) -> Mapping[str, Instant]:
    return {key: at for key, at in entries.items() if key != name}


def _in_force(words: Mapping[str, Word], now: Instant) -> Mapping[str, Word]:
    return {k: w for k, w in words.items() if w.holds(now, RELEASE_MAX_S)}


def _word(
    until: Instant, reason: str, by: str, now: Instant, longest_s: float
) -> Word:
    if not now < until <= now + longest_s:
        hours = int(longest_s // 3600)
        raise HoldsFault(f"must end within {hours} hours from now")
    if not reason.strip():
        raise HoldsFault("needs a reason")
    return Word(until, bounded(reason, REASON_MAX), bounded(by), now)


def _parse(data: bytes) -> Holds:
    """:raises ResultsRefused: when it is not what we write."""
    raw = strict_json.parse(data, "holds")
    names = ("paused", "suspects", "braked", "authorities", "servers")
    it = strict_json.fields(raw, "holds", ("version", *names, "settled"))
    if it["version"] != VERSION:
        raise strict_json.invalid("version", "is not known", it["version"])
    return Holds(
        None if it["paused"] is None else _read_word(it["paused"], "paused"),
        _read_entries(it["suspects"], "suspects", _read_at),
        _read_entries(it["braked"], "braked", _read_at),
        _read_entries(it["authorities"], "authorities", _read_word),
        _read_entries(it["servers"], "servers", _read_word),
        _read_entries(it["settled"], "settled", _read_at),
    )


def _read_entries(
    raw: Any, path: str, each: Callable[[Any, str], T]
) -> Mapping[str, T]:
    found = strict_json.mapping(raw, path)
    if len(found) > ENTRIES_MAX:
        raise strict_json.invalid(path, f"has more than {ENTRIES_MAX} entries")
    for name in found:
        if not strict_json.is_name(name):
            raise strict_json.invalid(path, "has an unfit name", name)
    return {name: each(value, path) for name, value in found.items()}


def _read_at(raw: Any, path: str) -> Instant:
    if not strict_json.is_number(raw):
        raise strict_json.invalid(path, "must be seconds since 1970", raw)
    return float(raw)


def _read_word(raw: Any, path: str) -> Word:
    it = strict_json.fields(raw, path, ("until", "reason", "by", "at"))
    for name in ("reason", "by"):
        if type(it[name]) is not str or len(it[name]) > REASON_MAX:
            raise strict_json.invalid(path, f"has an unfit {name}")
    return Word(
        _read_at(it["until"], path), it["reason"], it["by"],
        _read_at(it["at"], path),
    )  # fmt: skip


def _fault(path: pathlib.Path, exc: OSError) -> HoldsFault:
    return HoldsFault(f"{path}: {exc.strerror or 'I/O error'}")
