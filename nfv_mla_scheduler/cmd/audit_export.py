# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit export``: the entries of a ledger in another's format.

``audit_cadf.py`` needs pycadf and is imported only when it is used.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator
from typing import IO
from typing import TYPE_CHECKING

from nfv_mla_scheduler.audit.cadf import is_exported
from nfv_mla_scheduler.audit.cadf import record
from nfv_mla_scheduler.audit.reading.timeline import timeline
from nfv_mla_scheduler.cmd.audit_place import misused
from nfv_mla_scheduler.cmd.audit_place import place
from nfv_mla_scheduler.cmd.audit_place import place_arguments
from nfv_mla_scheduler.cmd.audit_reading import reader
from nfv_mla_scheduler.cmd.audit_reading import reading_arguments
from nfv_mla_scheduler.cmd.audit_reading import say_left
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import SettingsError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

FAILED = 1


class ExportUnusable(NfvMlaError):
    """What an export needs is not installed."""

    code = "export-unusable"


def register(commands: Subparsers) -> None:
    """Add ``export`` to the commands of ``audit``."""
    export = commands.add_parser(
        "export",
        help="write entries as events of another format",
        description="Write entries of all origins as events of CADF 1.0 "
        "(DMTF DSP0262), one JSON object in each line.  Nothing is verified. "
        "Sealed blocks are left out, and their entries are unless "
        "--seal-key opens them.  Exit status: 0 done, 1 not everything could "
        "be read, 2 wrong usage.",
    )
    place_arguments(export)
    reading_arguments(export)
    export.add_argument(
        "--format", choices=("cadf",), required=True, help="of the events"
    )
    export.add_argument(
        "--output",
        type=pathlib.Path,
        metavar="FILE",
        help="replaced in one step, for its owner to read (default: standard "
        "output)",
    )
    export.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the entries of a ledger as events of CADF."""
    try:
        from nfv_mla_scheduler.cmd.audit_cadf import event
    except ImportError:
        raise ExportUnusable(
            "pycadf is not installed here: install "
            "nfv-mla-scheduler[cadf], or export in Nova's environment"
        ) from None
    reading = reader(args, steady=True)
    try:
        directory = place(args)
    except SettingsError as exc:
        return misused("export", exc)
    with _output(args.output) as file:
        for each in timeline(directory, reading):
            if is_exported(each):
                members = event(record(each))
                file.write(json.dumps(members, separators=(",", ":")) + "\n")
    return 0 if say_left("export", reading.left) else FAILED


@contextlib.contextmanager
def _output(path: pathlib.Path | None) -> Iterator[IO[str]]:
    """Give what to write to; a file is there whole or not at all."""
    if path is None:
        yield sys.stdout
        return
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}."
    )
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
