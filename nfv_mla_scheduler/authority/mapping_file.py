# SPDX-License-Identifier: Apache-2.0
"""A driver's mapping table, read from YAML with all that is wrong in it.

Pure: bytes in, values out.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from typing import TypeVar

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.policy.reading.parts import Report
from nfv_mla_scheduler.standard.strict_yaml import read_yaml

BYTES_MAX = 2**20

Found = TypeVar("Found")


def read_table(data: bytes, read: Callable[[Part], Found]) -> Found:
    """Return what ``read`` makes of the whole of a table.

    :raises DocumentError: with everything that is wrong, by path and line
    """
    document = read_yaml(data, max_bytes=BYTES_MAX)
    report = Report(document)
    found = read(Part(report, (), document.value))
    if report.problems:
        raise DocumentError(report.problems)
    return found


def is_mapping(part: Part, keys: Collection[str]) -> bool:
    """Whether a part is a mapping; keys that are not known are reported."""
    if not isinstance(part.value, dict):
        part.wrong("must be a mapping with " + ", ".join(keys), part.value)
        return False
    for key, entry in part.entries():
        if key not in keys:
            entry.wrong("is not known here; known: " + ", ".join(keys))
    return True
