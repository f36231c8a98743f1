# SPDX-License-Identifier: Apache-2.0
"""Who may read and write a file, and on what file system it lies.

Looks at files by ``stat`` and at the database of accounts; opens none.  By
mode bits alone: access control lists are not looked at.
"""

from __future__ import annotations

import dataclasses
import grp
import os
import pathlib
import pwd
import re
import stat
from collections.abc import Iterator
from typing import Protocol

READ = 4
WRITE = 2
SEARCH = 1
ROOT_UID = 0

# What is written there is gone after a restart of the machine.
VOLATILE = frozenset({"tmpfs", "ramfs"})
# And there after a container was made anew.
LAYERED = frozenset({"overlay", "aufs"})


class Mode(Protocol):
    """The part of ``os.stat_result`` that matters here."""

    @property
    def st_mode(self) -> int: ...
    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """Who runs a service."""

    uid: int
    name: str
    groups: frozenset[int]


def account(uid: int) -> Account:
    """Return the account of that number, known to the system or not."""
    try:
        found = pwd.getpwuid(uid)
        groups = os.getgrouplist(found.pw_name, found.pw_gid)
    except (KeyError, OSError):
        return Account(uid, str(uid), frozenset())
    return Account(uid, found.pw_name, frozenset(groups))


def group_name(gid: int) -> str:
    """Return the name of a group, or its number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def may(who: Account, status: Mode, want: int) -> bool:
    """Whether the mode bits let ``who`` do what it wants.

    :param want: READ, WRITE and SEARCH, added up
    """
    if who.uid == ROOT_UID:
        return True
    if status.st_uid == who.uid:
        bits = status.st_mode >> 6
    elif status.st_gid in who.groups:
        bits = status.st_mode >> 3
    else:
        bits = status.st_mode
    return bits & want == want


def obstacle(
    who: Account, path: pathlib.Path, want: int
) -> pathlib.Path | None:
    """Return what keeps ``who`` from a file: itself, or one on the way to it.

    :raises OSError: when there is no such file
    """
    real = path.resolve(strict=True)
    for parent in reversed(real.parents):
        if not may(who, parent.stat(), SEARCH):
            return parent
    return None if may(who, real.stat(), want) else real


def writers(
    path: pathlib.Path, trusted: frozenset[int]
) -> Iterator[tuple[pathlib.Path, str]]:
    """Yield who else could change a file, or put another one in its place.

    :param trusted: the accounts that may
    :returns: a path, itself or above it, and who may write to it
    :raises OSError: when there is no such file
    """
    real = path.resolve(strict=True)
    trusted |= {ROOT_UID}
    for each in (real, *real.parents):
        status = each.stat()
        # in such a directory nobody moves what belongs to somebody else
        sticky = each != real and status.st_mode & stat.S_ISVTX
        if status.st_uid not in trusted:
            yield each, account(status.st_uid).name
        elif status.st_mode & stat.S_IWOTH and not sticky:
            yield each, "everybody"
        elif status.st_mode & stat.S_IWGRP and status.st_gid and not sticky:
            yield each, f"group {group_name(status.st_gid)}"


def readers(status: Mode) -> str:
    """Return who besides its owner may read a file; empty: nobody."""
    if status.st_mode & stat.S_IROTH:
        return "everybody"
    if status.st_mode & stat.S_IRGRP and status.st_gid:
        return f"group {group_name(status.st_gid)}"
    return ""


def file_system(mountinfo: str, path: pathlib.Path) -> str:
    """Return the type of the file system that ``path`` lies on.

    :param mountinfo: ``/proc/self/mountinfo``, see proc(5)
    :param path: without symbolic links
    :returns: empty when it cannot be told
    """
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        words = fields.split()
        if len(words) < 5 or not rest:
            continue
        point = pathlib.Path(_unescaped(words[4]))
        depth = len(point.parts)
        if path.is_relative_to(point) and depth >= best:
            best, kind = depth, rest.split()[0]
    return kind


def _unescaped(text: str) -> str:
    """Return a field in which blanks stand as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
