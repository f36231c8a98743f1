# SPDX-License-Identifier: Apache-2.0
"""The lines of a file that may be anything, and have no end.

Touches the file that it is given, read only.
"""

from __future__ import annotations

import gzip
import pathlib
from collections.abc import Iterator
from typing import IO

from nfv_mla_scheduler.audit import entry

# A line that goes on so long may have no end: what is behind is not looked at.
_ENDLESS_BYTES = 4 * entry.LINE_MAX
# To so many times its size a file may unpack, or to so much: entries hold
# hashes, and no segment may be larger than that.
_RATIO_MAX = 200
_UNPACKED_LEAST = 64 * 2**20
_UNPACKED_MAX = 4200 * 2**20


def split(
    file: IO[bytes] | gzip.GzipFile, size: int | None
) -> Iterator[tuple[bytes, bool]]:
    """Return lines, each without its newline, and whether it had one.

    One that goes on and on is the last, as if it had one.
    """
    done = 0
    while raw := file.readline(entry.LINE_MAX + 1):
        done += len(raw)
        whole, endless = raw.endswith(b"\n"), False
        if whole:
            raw = raw[:-1]
        elif len(raw) > entry.LINE_MAX:
            rest, whole = _rest(file)
            done += rest
            endless = not whole and rest >= _ENDLESS_BYTES
        if size is not None and done > size:
            return  # it was not there, or torn, when the file was listed
        if endless:
            yield raw, True
            return
        yield raw, whole


def _rest(file: IO[bytes] | gzip.GzipFile) -> tuple[int, bool]:
    """Pass over the rest of a line that is longer than any entry.

    :returns: how long it is, and whether there is a newline
    """
    done = 0
    while done < _ENDLESS_BYTES:
        raw = file.readline(entry.LINE_MAX)
        done += len(raw)
        if raw.endswith(b"\n"):
            return done, True
        if not raw:
            break
    return done, False


def unpacked_most(path: pathlib.Path) -> int:
    """Return how many bytes may come of a compressed file."""
    least = max(_UNPACKED_LEAST, _RATIO_MAX * path.stat().st_size)
    return min(least, _UNPACKED_MAX)
