# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla collector``: see how a collector stands, or ask it to look now."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import prettytable

from nfv_mla_scheduler.cmd.status_said import check_answer
from nfv_mla_scheduler.cmd.status_said import read_status
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.policy.instants import write_instant

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DEADLINE_S = 10.0
BYTES_MAX = 2**20
# A collector renews its status file every 10 seconds.
STATUS_AGE_MAX_S = 60.0
NOT_WELL = 1
MISUSED = 2

_JSON = "application/json"
_HEADINGS = ("Authority", "State", "Since", "Fresh", "Clock", "Last error")


def register(subparsers: Subparsers) -> None:
    """Add ``collector`` and its sub-commands to the command line."""
    collector = subparsers.add_parser(
        "collector",
        help="see how the collector stands, or ask it to look now",
        description="The process that asks attestation authorities.",
    )
    commands = collector.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    status = commands.add_parser(
        "status",
        help="print how each authority stands",
        description="Print how each authority stands.  Exit status: 0 all "
        "are fresh and published, 1 otherwise, 2 wrong usage.",
    )
    source = status.add_mutually_exclusive_group(required=True)
    _url_argument(source)
    source.add_argument(
        "--status-file",
        type=pathlib.Path,
        metavar="FILE",
        help="what [nfv_mla_collector] status_file names",
    )
    _tls_arguments(status)
    status.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="default: %(default)s",
    )
    status.set_defaults(run=run_status)
    refresh = commands.add_parser(
        "refresh",
        help="have an authority asked soon",
        description="Have an authority asked soon about some attesters, "
        "rather than when its cadence has passed.",
    )
    refresh.add_argument("authority", metavar="AUTHORITY")
    refresh.add_argument(
        "attesters",
        nargs="*",
        metavar="ATTESTER",
        help="id of a host at this authority (default: all hosts)",
    )
    _url_argument(refresh, required=True)
    _tls_arguments(refresh, required=True)
    refresh.set_defaults(run=run_refresh)


def _url_argument(
    command: argparse._ActionsContainer, required: bool = False
) -> None:
    command.add_argument(
        "--url",
        required=required,
        help="of the collector, such as https://collector.example:8443",
    )


def _tls_arguments(
    command: argparse.ArgumentParser, required: bool = False
) -> None:
    for option, text in (
        ("--ca", "PEM, who may vouch for the collector's server"),
        ("--cert", "PEM, the certificate to come with"),
        ("--key", "PEM, its private key"),
    ):
        command.add_argument(
            option,
            type=pathlib.Path,
            required=required and option == "--ca",
            metavar="FILE",
            help=text,
        )


def run_status(args: argparse.Namespace) -> int:
    """Print how a collector stands."""
    if args.status_file is not None:
        found = read_file(args.status_file, time.time())
    elif args.ca is None:
        said = "--url needs --ca: who may vouch for the server"
        print(f"nfv-mla collector status: {said}", file=sys.stderr)
        return MISUSED
    else:
        found = _answer(args, "/v1/status")
    if args.format == "json":
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(report(found)))
    return 0 if is_well(found) else NOT_WELL


def run_refresh(args: argparse.Namespace) -> int:
    """Have an authority asked soon."""
    body = {"authority": args.authority, "attesters": args.attesters}
    _answer(args, "/v1/refresh", json.dumps(body).encode())
    whom = ", ".join(args.attesters) or "all hosts"
    print(f"{bounded(args.authority)} is asked soon about {bounded(whom)}")
    return 0


def read_file(path: pathlib.Path, now: float) -> dict[str, Any]:
    """Return what a status file says.

    :raises ResultsRefused: when it is no status, or so old that nobody
        renews it
    """
    with open(path, "rb") as file:
        found = _read(file.read(BYTES_MAX + 1), str(path))
    age_s = now - found["now"]
    if age_s > STATUS_AGE_MAX_S:
        raise ResultsRefused(
            ResultsCode.UNREADABLE,
            f"{path}: was written {age_s:.0f} s ago: no collector runs there",
        )
    return found


def report(found: Mapping[str, Any]) -> list[str]:
    """Return a status for people, line by line."""
    policy, document = found["policy"], found["document"]
    lines = [f"Collector  {found['collector']}"]
    lines.append(
        "Policy     none"
        if policy is None
        else f"Policy     version {policy['version']}, expires "
        f"{write_instant(policy['expires_at'])}"
    )
    lines.append(
        "Document   none"
        if document is None
        else f"Document   {document['results']} results, issued "
        f"{write_instant(document['issued_at'])}"
    )
    if found["publish_error"]:
        since = found["publish_failing_since"]
        when = f" since {write_instant(since)}" if since is not None else ""
        lines.append(f"Not published{when}: {found['publish_error']}")
    table = prettytable.PrettyTable(list(_HEADINGS), align="l")
    for name, authority in found["authorities"].items():
        table.add_row(list(_row(name, authority)))
    return [*lines, "", str(table.get_string())]


def is_well(found: Mapping[str, Any]) -> bool:
    """Whether all authorities are fresh, and their results published."""
    states = [one["state"] for one in found["authorities"].values()]
    return (
        found["policy"] is not None
        and found["document"] is not None
        and found["publish_failing_since"] is None
        and set(states) == {"fresh"}
    )


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    skew_s = found["skew_s"]
    clock = "" if skew_s is None else f"{skew_s:+.1f} s"
    error = ""
    if found["reason"]:
        code = f" ({found['code']})" if found["code"] else ""
        error = f"{bounded(found['reason'], 120)}{code}"
    elif found["problems"]:
        error = f"{found['problems']} results not taken: see the log"
    return (
        name,
        found["state"],
        write_instant(found["since"]),
        f"{found['fresh']}/{found['attesters']}",
        clock,
        error,
    )


def _answer(
    args: argparse.Namespace, path: str, body: bytes | None = None
) -> dict[str, Any]:
    """Ask a collector, and return what it answers.

    :raises ContactFailed: also when it says why not
    """
    client = Client(
        args.url.rstrip("/") + "/",
        Tls(args.ca, args.cert, args.key),
        deadline_s=DEADLINE_S,
        max_bytes=BYTES_MAX,
    )
    taken = frozenset((202, *range(400, 600)))
    try:
        if body is None:
            answer = client.get(path, accept=(_JSON,), also=taken)
        else:
            answer = client.post(
                path, body, _JSON, accept=(_JSON,), also=taken
            )
    finally:
        client.close()
    check_answer(answer, client.peer)
    if body is not None:
        return {}
    return _read(answer.body, client.peer)


def _read(data: bytes, where: str) -> dict[str, Any]:
    return read_status(
        data, where, "collector", lambda found: (report(found), is_well(found))
    )
