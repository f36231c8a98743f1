# SPDX-License-Identifier: Apache-2.0
"""Checkpoints kept elsewhere: in a file, an envelope on each line.

Beside what is signed, an envelope there has ``entry``: the hash of the
checkpoint's own entry, so that a chain can be seen to go on right behind it.

Touches files.  Files of several days or ledgers may be put one behind the
other.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from nfv_mla_scheduler.audit.checkpoint import Checkpoint
from nfv_mla_scheduler.audit.reading.signing import Signature
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

FILE_MAX = 16 * 2**20

_HASH = re.compile("[0-9a-f]{64}")


class KeptRefused(NfvMlaError):
    """A file of checkpoints holds something else, or nothing signed."""

    code = "kept-checkpoints-refused"


def written(envelopes: Iterable[Any]) -> bytes:
    """Return what a file of these checkpoints holds."""
    return b"".join(
        json.dumps(one, separators=(",", ":")).encode("ascii") + b"\n"
        for one in envelopes
    )


def read(path: pathlib.Path, trust: Trust) -> list[Checkpoint]:
    """Return the checkpoints in a file, and what their own entries are.

    With no key at all they are taken as they are.

    :raises KeptRefused: when anything in it is none, or not signed by a key
        that counts for its origin
    :raises OSError: when the file cannot be read
    """
    with path.open("rb") as file:
        data = file.read(FILE_MAX + 1)
    if len(data) > FILE_MAX:
        raise KeptRefused(f"{path}: is larger than {FILE_MAX} bytes")
    found = [
        one
        for number, members in _envelopes(data, path)
        for one in _checkpoints(members, trust, f"{path}: line {number}")
    ]
    if not found:
        raise KeptRefused(f"{path}: holds no checkpoint")
    return found


def _envelopes(
    data: bytes, path: pathlib.Path
) -> Iterator[tuple[int, object]]:
    try:  # one, as other tools write it
        whole = json.loads(data)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        yield 1, whole
        return
    for number, line in enumerate(data.splitlines(), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                raise KeptRefused(
                    f"{path}: line {number}: is no checkpoint"
                ) from None


def _checkpoints(
    members: object, trust: Trust, where: str
) -> Iterator[Checkpoint]:
    own = None
    if isinstance(members, dict) and "entry" in members:
        members = dict(members)
        own = members.pop("entry")
    judged = trust.judge(members)
    if judged is None or not (own is None or _is_hash(own)):
        raise KeptRefused(f"{where}: is no checkpoint")
    found, signature = judged
    if signature is Signature.BAD:
        raise KeptRefused(f"{where}: the signature does not hold")
    if signature is Signature.UNKNOWN:
        raise KeptRefused(
            f"{where}: is signed by no key given for {bounded(found.origin)}"
        )
    yield found
    if own is not None:
        yield dataclasses.replace(found, seq=found.seq + 1, hash=str(own))


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and bool(_HASH.fullmatch(value))
