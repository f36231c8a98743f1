# SPDX-License-Identifier: Apache-2.0
"""Change ``attesters.yaml`` by program, as a person would in an editor.

For tests and demonstrations.  The file is replaced in one step, is checked
first, and keeps the comment that it begins with, but no others.  Two programs
must not change one file at the same time.
"""

from __future__ import annotations

import enum
import itertools
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import yaml

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.lab import directory as files
from nfv_mla_scheduler.lab.attesters import BYTES_MAX
from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.knobs import KNOBS
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.strict_yaml import read_yaml

Document = dict[str, Any]


def edit(
    directory: str | pathlib.Path, change: Callable[[Document], object]
) -> None:
    """Let ``change`` change what the file holds, and write it back.

    :raises DocumentError: when what is there cannot be read, or could not be
        after the change, and then nothing is written
    :raises OSError: when the file cannot be read or written
    """
    path = files.directory(pathlib.Path(directory)).attesters
    data = path.read_bytes()
    read_attesters(data, load())
    document = read_yaml(data, max_bytes=BYTES_MAX).value
    change(document)
    text = yaml.safe_dump(
        _plain(document),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=78,
    )
    written = (_head(data) + text).encode()
    read_attesters(written, load())
    publish(path, written)


def set_knobs(
    directory: str | pathlib.Path,
    attester: str | None = None,
    /,
    **knobs: Any,
) -> None:
    """Set knobs of one attester, or those for all.

    :param knobs: as in the file; ``None`` takes one away
    :raises DocumentError: when a knob or the attester is not known
    """

    def change(document: Document) -> None:
        entry = document if attester is None else _entry(document, attester)
        for name, value in knobs.items():
            if name not in KNOBS:
                raise _unknown("a knob", name)
            entry[name] = value
            if value is None:
                del entry[name]

    edit(directory, change)


def reset_knobs(directory: str | pathlib.Path) -> None:
    """Take all knobs away, so that the lab behaves."""

    def change(document: Document) -> None:
        for entry in (document, *document["attesters"].values()):
            for name in KNOBS:
                entry.pop(name, None)

    edit(directory, change)


def set_claim(
    directory: str | pathlib.Path,
    attester: str,
    capability: str,
    **fields: Any,
) -> None:
    """Change what is claimed of one capability of one attester.

    :param fields: ``status``, ``grade`` or ``values``; the others stay.
        Without any, the claim is taken away.
    :raises DocumentError: when something in it is not known
    """

    def change(document: Document) -> None:
        entry = _entry(document, attester)
        claims = entry["claims"]
        if isinstance(claims, str):
            claims = document["claim_sets"][claims]
        claims = dict(claims)
        if fields:
            claims[capability] = {**claims.get(capability, {}), **fields}
        elif capability in claims:
            del claims[capability]
        else:
            raise _unknown(f"claimed of {bounded(attester)}", capability)
        entry["claims"] = claims

    edit(directory, change)


def put_attester(
    directory: str | pathlib.Path,
    attester: str,
    entry: Mapping[str, Any] | None,
) -> None:
    """Add an attester, put another one in its place, or take it away.

    :param entry: as in the file; ``None``: there is no such attester any more
    :raises DocumentError: when something in it is not known
    """

    def change(document: Document) -> None:
        if entry is None:
            document["attesters"].pop(attester, None)
        else:
            document["attesters"][attester] = dict(entry)

    edit(directory, change)


def _entry(document: Document, attester: str) -> Document:
    entry = document["attesters"].get(attester)
    if not isinstance(entry, dict):
        raise _unknown("an attester of this lab", bounded(attester))
    return entry


def _unknown(what: str, name: str) -> DocumentError:
    return DocumentError((Problem("attesters.yaml", f"is not {what}", name),))


def _plain(value: Any) -> Any:
    """Return words in place of enums, and nothing in it twice.

    What stands there twice would be written with anchors, which the strict
    reader does not take.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _head(data: bytes) -> str:
    """Return the comment that a file begins with."""
    lines = data.decode().splitlines(keepends=True)
    return "".join(
        itertools.takewhile(lambda line: line.startswith("#"), lines)
    )
