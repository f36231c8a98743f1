# SPDX-License-Identifier: Apache-2.0
"""Checkpoints kept elsewhere: in a file, an envelope on each line.

Touches files.  Files of several days or ledgers may be put one behind the
other.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from nfv_mla_scheduler.audit.checkpoint import Checkpoint
from nfv_mla_scheduler.audit.reading.signing import Signature
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

FILE_MAX = 16 * 2**20


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
    """Return the checkpoints in a file.

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
        _checkpoint(members, trust, f"{path}: line {number}")
        for number, members in _envelopes(data, path)
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


def _checkpoint(members: object, trust: Trust, where: str) -> Checkpoint:
    judged = trust.judge(members)
    if judged is None:
        raise KeptRefused(f"{where}: is no checkpoint")
    found, signature = judged
    if signature is Signature.BAD:
        raise KeptRefused(f"{where}: the signature does not hold")
    if signature is Signature.UNKNOWN:
        raise KeptRefused(
            f"{where}: is signed by no key given for {bounded(found.origin)}"
        )
    return found
