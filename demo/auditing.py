# SPDX-License-Identifier: Apache-2.0
"""An auditor of the demo's ledger, who has its files and the public key alone.

What the auditor does is a command of ``nfv-mla``, in a process of its own.
Whoever tampers does so in a copy.
"""

from __future__ import annotations

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import typing as ty
from collections.abc import Callable
from collections.abc import Sequence

import nfv_mla_scheduler
from demo import world
from demo.asked import NotAsExpected
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from tests.ledgers import Ledger

if ty.TYPE_CHECKING:
    from demo.stage import Stage

#: Returns other lines for those of a file, and for one of them.
Tampering = Callable[[Sequence[bytes], int], list[bytes]]

_MODULE = "nfv_mla_scheduler.cmd.main"
_SERVICE = "nova-scheduler"
_KEPT = "kept.checkpoints"
_ENDS_S = 60.0
# Of the table about chains; the others would make it too wide.
_COLUMNS = ("Origin", "Entries", "Checkpoints", "Verdict")
_TAIL = "unsigned tail"


class Auditing:
    """Reads and verifies a ledger, and what others have made of it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._site = stage.centre.site
        self._copies = 0

    def is_signed(self, name: str) -> None:
        """Wait until a checkpoint covers what is said of a server."""
        server = self._stage.id_of(name)
        ledger = Ledger(self._site.audit_dir, _SERVICE)

        def signed() -> bool:
            entries = iter(ledger.entries())
            return any(
                entry["fields"].get("server") == server for entry in entries
            ) and any(
                entry["kind"] == EventKind.CHECKPOINT.value
                for entry in entries
            )

        if not self._stage.centre.until(signed):
            raise NotAsExpected(
                f"a checkpoint after what is said of {name}", "there is none"
            )

    def shows(self, count: int, *kinds: EventKind) -> None:
        """Show the newest entries of some kinds, so many of them."""
        words = "".join(f" --kind {kind.value}" for kind in kinds)
        command = f"audit show {self._own}{words} --limit {count}"
        status, printed = self._run(command)
        # what it says about itself goes elsewhere
        told = [x for x in printed if not x.startswith("nfv-mla audit show:")]
        self._output(command, told)
        if status or len(told) != count:
            raise NotAsExpected(
                f"{count} entries", f"exit status {status}: {printed}"
            )

    def keeps_checkpoints(self) -> None:
        """Keep the newest checkpoint of each chain."""
        command = f"audit checkpoint {self._own} {self._key}"
        status, printed = self._run(command)
        if status:
            raise NotAsExpected("checkpoints", "; ".join(printed))
        text = "".join(f"{line}\n" for line in printed)
        (self._site.directory / _KEPT).write_text(text, encoding="ascii")
        self._output(f"{command} > {_KEPT}", ())

    def verifies(self) -> None:
        """Verify the ledger as it is, which has to be whole."""
        self._verify(self._own, "auditor: verify the ledger", None)

    def copy_of(self, name: str, tampering: Tampering) -> str:
        """Tamper with a copy, where a server is first spoken of.

        :returns: what it is called
        """
        self._copies += 1
        copy = self._site.directory / f"copy-{self._copies}"
        shutil.copytree(self._site.audit_dir, copy)
        server = self._stage.id_of(name).encode()
        for path in sorted(copy.glob(f"*.{_SERVICE}.*/*.jsonl")):
            lines = path.read_bytes().splitlines(keepends=True)
            for index, line in enumerate(lines):
                if server in line:
                    path.write_bytes(b"".join(tampering(lines, index)))
                    return copy.name
        raise NotAsExpected(f"an entry about {name}", "there is none")

    def finds(
        self, found: AnomalyKind | None, copy: str, *, kept: bool = False
    ) -> None:
        """Verify a copy.

        :param found: has to be found in it; None: nothing is
        :param kept: compare it with the checkpoints that were kept
        """
        asked = f"auditor: verify {copy}"
        asked += ", by what is kept" if kept else ""
        words = f" --checkpoint {_KEPT}" if kept else ""
        self._verify(copy, asked, found, words)

    @property
    def _own(self) -> str:
        return self._site.audit_dir.name

    @property
    def _key(self) -> str:
        return f"--key {self._site.audit_key.with_suffix('.pub').name}"

    def _verify(
        self,
        where: str,
        asked: str,
        wanted: AnomalyKind | None,
        words: str = "",
    ) -> None:
        command = f"audit verify {where} {self._key}{words}"
        status, printed = self._run(command)
        self._output(command, in_short(printed))
        found = [
            kind.value
            for kind in AnomalyKind
            if any(f": {kind.value} " in line for line in printed)
        ]
        good = found == ([wanted.value] if wanted else [])
        self._stage.check(
            asked,
            good and status == bool(wanted),
            f"{', '.join(found) or 'whole'} (exit status {status})",
            f"{wanted.value} (exit status 1)" if wanted else "it to be whole",
        )

    def _run(self, command: str) -> tuple[int, list[str]]:
        """Run a command beside the ledger; return status and output."""
        packages = pathlib.Path(nfv_mla_scheduler.__file__).parents[1]
        ended = subprocess.run(
            [sys.executable, "-m", _MODULE, *shlex.split(command)],
            cwd=self._site.directory,
            env={**os.environ, "PYTHONPATH": str(packages)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_ENDS_S,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout.splitlines()

    def _output(self, command: str, lines: Sequence[str]) -> None:
        """Show a command and its output, with names in place of ids."""
        names = {one.id: one.name for one in self._stage.servers()}
        names |= {user.project_id: user.project for user in world.USERS}
        text = "\n".join(lines)
        for id_, name in names.items():
            text = text.replace(id_, name)
        self._stage.screen.output(f"nfv-mla {command}", text.splitlines())


def in_short(printed: Sequence[str]) -> list[str]:
    """Return what ``audit verify`` prints, without what is beside the point.

    Of a ledger that is whole that are some columns, and notes but those about
    the unsigned tail; of another one everything but what was found.
    """
    table = [line for line in printed if line.startswith(("|", "+"))]
    rest = [
        line
        for line in printed
        if line not in table
        and (_TAIL in line or not line.startswith("note: "))
    ]
    if rest and rest[-1].startswith("TAMPERED"):
        return ["...", *(x for x in rest if not x.startswith("note: "))]
    return [*_narrow(table), *rest]


def _narrow(table: Sequence[str]) -> list[str]:
    """Return a table with fewer columns."""
    rows = [line.strip("|+").replace("+", "|").split("|") for line in table]
    kept = [
        place
        for row in rows[1:2]
        for place, cell in enumerate(row)
        if cell.strip() in _COLUMNS
    ]
    return [
        line[0] + line[0].join(row[place] for place in kept) + line[0]
        for line, row in zip(table, rows, strict=True)
    ]
