# SPDX-License-Identifier: Apache-2.0
"""What somebody does to a ledger who would rather that something had not been.

Pure: the lines of a file in, and out.  They are as they are in the file, each
with its newline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.port import EventKind

_PLACE = re.compile(rb'\{"seq":[0-9]+,"prev":"[0-9a-f]*"')


def changed(
    lines: Sequence[bytes], index: int, said: bytes, says: bytes
) -> list[bytes]:
    """Return lines of which one says something else.

    :raises ValueError: it does not say what it should
    """
    if said not in lines[index]:
        raise ValueError("nothing would be changed")
    other = lines[index].replace(said, says)
    return [*lines[:index], other, *lines[index + 1 :]]


def removed(lines: Sequence[bytes], index: int) -> list[bytes]:
    """Return lines of which one is missing."""
    return [*lines[:index], *lines[index + 1 :]]


def chained_anew(lines: Sequence[bytes], index: int) -> list[bytes]:
    """Return lines numbered and hashed anew from one of them on.

    Whoever can write the file can do so; what was signed stays as it was.
    """
    found = [*lines[:index]]
    for line in lines[index:]:
        if found:
            last = found[-1].rstrip(b"\n")
            before = entry.head(last)
            seq, prev = before.seq if before else 0, entry.digest(last)
        else:
            seq, prev = 0, entry.NOTHING
        place = f'{{"seq":{seq + 1},"prev":"{prev}"'
        found.append(_PLACE.sub(place.encode(), line, count=1))
    return found


def cut_off(lines: Sequence[bytes], index: int) -> list[bytes]:
    """Return lines up to the last checkpoint that is before one of them."""
    for place in range(index - 1, -1, -1):
        head = entry.head(lines[place].rstrip(b"\n"))
        if head and head.kind == EventKind.CHECKPOINT.value:
            return [*lines[: place + 1]]
    return []
