# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla``: the command line of people who run or judge the scheduler.

Exit status: 0 done, 1 refused or failed, 2 wrong usage.  An error is one line
on standard error.

Each module of ``COMMANDS`` has ``register(subparsers)``, which adds a
sub-command of the module's name, or several, and sets ``run``: a function from
the parsed arguments to the exit status, which may raise errors of this
package.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

PROGRAM = "nfv-mla"
COMMANDS = (
    "nfv_mla_scheduler.cmd.standard",
    "nfv_mla_scheduler.cmd.policy",
    "nfv_mla_scheduler.cmd.results",
    "nfv_mla_scheduler.cmd.explain",
    "nfv_mla_scheduler.cmd.flavor",
    "nfv_mla_scheduler.cmd.collector",
    "nfv_mla_scheduler.cmd.monitor",
    "nfv_mla_scheduler.cmd.audit",
    "nfv_mla_scheduler.cmd.doctor",
)
FAILED = 1


class CommandUnusable(NfvMlaError):
    """A command cannot be loaded, since something that it needs is not."""

    code = "command-unusable"

    def __init__(self, command: str, cause: ImportError) -> None:
        super().__init__(f"{command} cannot be used here: {cause}")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read on."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        text = bounded(message, LINE_MAX)
        self.exit(2, f"{self.prog}: {text} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; nothing is raised."""
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except NfvMlaError as exc:
        return _failed(str(exc))
    except BrokenPipeError:
        # the reader has seen enough; keep the interpreter from telling it so
        _discard_output()
        return FAILED
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename else ""
        return _failed(f"{where}{exc.strerror or 'cannot be read or written'}")
    except KeyboardInterrupt:
        return _failed("interrupted")


def _run(argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        args = _parser(words).parse_args(words)
    except SystemExit as exc:  # argparse has said why, or printed the help
        return exc.code if isinstance(exc.code, int) else 0
    status: int = args.run(args)
    return status


def _parser(words: list[str]) -> argparse.ArgumentParser:
    """Return the parser; only the command that is asked for is imported."""
    named = [name for name in COMMANDS if [_command(name)] == words[:1]]
    parser = Parser(
        prog=PROGRAM,
        description="Attested workload placement for OpenStack Nova, after "
        "ETSI GR NFV-SEC 009.",
        epilog="Exit status: 0 done, 1 refused or failed, 2 wrong usage.",
    )
    parser.add_argument(
        "--version", action="version", version=f"{PROGRAM} {_version()}"
    )
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    for name in named or COMMANDS:
        try:
            module = importlib.import_module(name)
        except ImportError as exc:
            # a command that lacks a package must not take the others along
            if named:
                raise CommandUnusable(_command(name), exc) from None
            continue
        module.register(commands)
    return parser


def _command(module: str) -> str:
    return module.rpartition(".")[2]


def _version() -> str:
    try:
        return importlib.metadata.version("nfv-mla-scheduler")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _failed(message: str) -> int:
    print(f"{PROGRAM}: {bounded(message, LINE_MAX)}", file=sys.stderr)
    return FAILED


def _discard_output() -> None:
    """Point standard output nowhere, since flushing it would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
