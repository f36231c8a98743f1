# SPDX-License-Identifier: Apache-2.0
"""Put a results document where its readers look, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile

MODE = 0o640


def publish(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file at ``path`` in one step; survives a power cut.

    :raises OSError: and then the file that was there is there still
    """
    target = pathlib.Path(path)
    fd, name = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".new", dir=target.parent
    )
    try:
        with os.fdopen(fd, "wb") as temporary:
            os.fchmod(fd, MODE)
            temporary.write(data)
            temporary.flush()
            os.fsync(fd)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
