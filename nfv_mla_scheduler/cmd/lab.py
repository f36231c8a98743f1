# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla-lab``: an attestation authority for development.

Exit status: 0 done or stopped, 1 failed, 2 wrong usage.  An error is one line
on standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import pathlib
import re
import signal
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence

from nfv_mla_scheduler.cmd.main import Parser
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.lab import directory as files
from nfv_mla_scheduler.lab.certificates import LIFE_DAYS
from nfv_mla_scheduler.lab.server import LOOPBACK
from nfv_mla_scheduler.lab.server import PROGRAM
from nfv_mla_scheduler.lab.server import LabServer
from nfv_mla_scheduler.lab.server import say
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.strict_json import is_name

FAILED = 1
SIGNALS = (signal.SIGTERM, signal.SIGINT)

_NAME_MAX = 64
_PORT_MAX = 65_535
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; nothing is raised."""
    try:
        args = _parser().parse_args(argv)
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except SystemExit as exc:  # argparse has said why, or printed the help
        return exc.code if isinstance(exc.code, int) else FAILED
    except NfvMlaError as exc:
        say(str(exc))
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename else ""
        why = exc.strerror or "cannot be read or written"
        say(bounded(where + why, LINE_MAX))
    except KeyboardInterrupt:
        say("interrupted")
    return FAILED


def run_init(args: argparse.Namespace) -> int:
    """Make the directory of a lab."""
    made = files.make(
        args.directory,
        list(dict.fromkeys(args.attester)),
        args.name,
        args.host or files.HOSTS,
        args.port,
        now=time.time(),
    )
    again = f" --port {args.port}" if args.port != files.PORT else ""
    print(
        f"""\
Made in {made.path}:

  ca.pem                   authority of both certificates; its key is not kept
  server.pem  server.key   for {", ".join(args.host or files.HOSTS)}
  client.pem  client.key   for the collector, or whoever asks
  signing.key keys.json    what signs tokens, and its public key as a JWK set
  attesters.yaml           what is said of hosts: edit it, also while it runs
  collector.conf           the lines below

The certificates are valid for {LIFE_DAYS} days.  No key is encrypted: this is
for development only, and attests nothing.

For the collector's configuration:

{made.collector.read_text(encoding="utf-8")}
Now run it:

  {PROGRAM} run {args.directory}{again}"""
    )
    return 0


def run_run(args: argparse.Namespace) -> int:
    """Serve until a signal says to stop."""
    address = ipaddress.ip_address(args.listen)
    if not address.is_loopback:
        if not args.allow_remote:
            args.refuse(
                f"{address} is not a loopback address; if others are to reach "
                "a lab, say --allow-remote"
            )
        say(
            f"warning: listens on {address}, where others may reach it; "
            "nothing of value may depend on what it says"
        )
    with _signals_wait(), _ready_file(args.ready_file) as tell:
        try:
            lab = LabServer(args.directory, args.port, str(address)).start()
        except OSError as exc:
            where = files.url(str(address), args.port)
            say(bounded(f"{where}: {exc.strerror}; see --port", LINE_MAX))
            return FAILED
        try:
            tell(f"listening on {lab.url}")
            signal.sigwait(SIGNALS)
        finally:
            lab.stop()
    return 0


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Keep signals waiting, for this thread and those that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        while signal.sigtimedwait(SIGNALS, 0):
            pass  # more of them say no more
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Tell:
    """Says that the lab is ready, on standard output and in a file."""

    def __init__(self, path: pathlib.Path | None) -> None:
        self._path = path

    def __call__(self, line: str) -> None:
        print(line, flush=True)
        if self._path is not None:
            publish(self._path, f"{line}\n".encode())


@contextlib.contextmanager
def _ready_file(path: pathlib.Path | None) -> Iterator[_Tell]:
    """Let a file exist only while the lab is ready."""
    try:
        if path is not None:
            path.unlink(missing_ok=True)
        yield _Tell(path)
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=PROGRAM,
        description="An attestation authority for development: it serves "
        "really signed EARs over HTTPS about the hosts in a file, which may "
        "be edited while it runs.  It attests nothing.",
        epilog="Exit status: 0 done or stopped, 1 failed, 2 wrong usage.",
    )
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    init = commands.add_parser(
        "init",
        help="make a directory with certificates, keys and attesters",
        description="Make a new directory with everything that a lab needs, "
        "and print what the collector needs.  Certificates are valid for "
        f"{LIFE_DAYS} days.  Nothing is replaced.",
    )
    _init_arguments(init)
    run = commands.add_parser(
        "run",
        help="serve what the directory says until SIGTERM or SIGINT",
        description="Serve over HTTPS with mutual TLS: GET /results, "
        "/results?attester=ID, /results/ID and /keys.  Says the address in "
        "one line on standard output.",
    )
    _run_arguments(run)
    return parser


def _init_arguments(init: argparse.ArgumentParser) -> None:
    init.add_argument("directory", type=pathlib.Path, metavar="DIR")
    init.add_argument(
        "--attester",
        type=_attester,
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="hosts that attesters.yaml begins with, by their ids at this "
        "authority (default: one example)",
    )
    init.add_argument(
        "--name",
        type=_name,
        default=files.NAME,
        help="the authority, as the policy has it (default: %(default)s)",
    )
    init.add_argument(
        "--host",
        type=_host,
        action="extend",
        nargs="+",
        default=[],
        metavar="ADDRESS",
        help="addresses and names under which it is reached, for the "
        f"server's certificate (default: {' '.join(files.HOSTS)})",
    )
    init.add_argument(
        "--port",
        type=_port,
        default=files.PORT,
        metavar="N",
        help="port in the printed configuration (default: %(default)s)",
    )
    init.set_defaults(run=run_init)


def _run_arguments(run: argparse.ArgumentParser) -> None:
    run.add_argument("directory", type=pathlib.Path, metavar="DIR")
    run.add_argument(
        "--port",
        type=_port,
        default=files.PORT,
        metavar="N",
        help="port; 0: any that is free (default: %(default)s)",
    )
    run.add_argument(
        "--listen",
        type=_address,
        default=LOOPBACK,
        metavar="ADDR",
        help="IP address (default: %(default)s)",
    )
    run.add_argument(
        "--allow-remote",
        action="store_true",
        help="allow an address that is not loopback",
    )
    run.add_argument(
        "--ready-file",
        type=pathlib.Path,
        metavar="F",
        help="holds the line with the address as long as the lab serves",
    )
    run.set_defaults(run=run_run, refuse=run.error)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _PORT_MAX:
        raise argparse.ArgumentTypeError(f"must be from 0 to {_PORT_MAX}")
    return int(text)


def _name(text: str) -> str:
    if len(text) > _NAME_MAX or not re.fullmatch(NAME_PATTERN, text):
        raise argparse.ArgumentTypeError(
            "must be lower-case letters and digits, parts joined by single "
            f"hyphens, {_NAME_MAX} at most"
        )
    return text


def _attester(text: str) -> str:
    if not is_name(text):
        raise argparse.ArgumentTypeError(
            "must be 1 to 255 printable characters"
        )
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        return _address(text)
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{bounded(text)!r} is not an IP address"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
