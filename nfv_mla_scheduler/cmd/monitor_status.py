# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla monitor status``: how the monitor stands, for people and scripts.

Exit status: 0 all is well, 1 something is not, or cannot be told.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Iterable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import prettytable
from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.cmd.monitor_conf import read_conf
from nfv_mla_scheduler.cmd.status_said import check_answer
from nfv_mla_scheduler.cmd.status_said import read_status
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DEADLINE_S = 10.0
BYTES_MAX = 4 * 2**20
# A monitor renews its status file every 10 seconds.
STATUS_AGE_MAX_S = 60.0
STATUS_FILE = "monitor-status.json"
NOT_WELL = 1
MISUSED = 2
ROWS_MAX = 50

_JSON = "application/json"
_FINDINGS = ("Finding", "Subject", "Host", "Why")
_IN_FLIGHT = ("Server", "Host", "Step", "State", "For", "Halt within")
_HELD = ("Held", "Step", "Host", "Why", "Detail")
_FENCED = ("Fenced host", "For", "Mark")


def register(commands: Subparsers) -> None:
    """Add ``status`` to the commands of ``monitor``."""
    status = commands.add_parser(
        "status",
        help="print how everything stands",
        description="Print hosts, findings, what is being done and what is "
        "held.  Exit status: 0 all is well, 1 otherwise, 2 wrong usage.",
    )
    source = status.add_mutually_exclusive_group()
    source.add_argument(
        "--status-file",
        type=pathlib.Path,
        metavar="FILE",
        help="what [monitor] status_file names",
    )
    source.add_argument(
        "--config-file",
        action="append",
        metavar="FILE",
        help="of the monitor (default: where the monitor looks for it)",
    )
    source.add_argument(
        "--url", help="of the monitor, such as https://monitor.example:8444"
    )
    for option, text in (
        ("--ca", "PEM, who may vouch for the monitor's server"),
        ("--cert", "PEM, the certificate to come with"),
        ("--key", "PEM, its private key"),
    ):
        status.add_argument(
            option, type=pathlib.Path, metavar="FILE", help=text
        )
    status.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="default: %(default)s",
    )
    status.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print how a monitor stands."""
    if args.url is not None:
        if args.ca is None:
            said = "--url needs --ca: who may vouch for the server"
            print(f"nfv-mla monitor status: {said}", file=sys.stderr)
            return MISUSED
        found = _ask(args)
    else:
        path = args.status_file or _named(args.config_file)
        found = read_file(path, time.time())
    if args.format == "json":
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(report(found)))
    return 0 if is_well(found) else NOT_WELL


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
            f"{path}: was written {age_s:.0f} s ago: no monitor runs there",
        )
    return found


def is_well(found: Mapping[str, Any]) -> bool:
    """Whether nothing is found, and nothing fails."""
    policy, cycle, picture = found["policy"], found["cycle"], found["picture"]
    return (
        policy is not None
        and policy["expires_at"] > found["now"]
        and found["results"] is not None
        and cycle is not None
        and cycle["failures"] == 0
        and picture is not None
        and not picture["missing"]
        and not found["findings"]
        and not found["suspects"]
        and found["not_halted"] == 0
        and found["traits"]["failed"] == 0
    )


def report(found: Mapping[str, Any]) -> list[str]:
    """Return a status for people, line by line."""
    now = found["now"]
    lines = []
    if found["not_halted"]:
        lines.append(
            f"NOT HALTED   {found['not_halted']} servers should be halted or "
            "gone by now, and are not"
        )
    lines += [
        f"Acts on      {found['act']}",
        f"Policy       {_policy(found['policy'], now)}",
        f"Results      {_results(found['results'], now)}",
        f"Cloud        {_picture(found['picture'], now)}",
        f"Last cycle   {_cycle(found['cycle'], now)}",
        f"Hosts        {_counts(found['hosts'])}",
        f"Findings     {_counts(found['findings'])}",
        f"In flight    {found['in_flight']}, begun in the last minute "
        f"{found['evictions_last_minute']}",
        f"Held         {_counts(found['held'])}",
    ]
    if found.get("dirty"):
        nodes = {each["node"] for each in found["dirty"]}
        lines.append(f"Not clean    {len(nodes)} hosts, closed to others")
    if found["paused_until"] is not None:
        lines.append(
            f"Paused       until {write_instant(found['paused_until'])}: "
            f"{bounded(found.get('pause_reason', ''), 120)}"
        )
    if found["suspects"]:
        names = ", ".join(bounded(name) for name in found["suspects"])
        lines.append(f"Suspects     {names}: see nfv-mla monitor release")
    if found.get("braked"):
        lines.append("Suspects     the policy: see nfv-mla monitor release")
    for failure in found.get("failures_list", ()):
        lines.append(
            f"Failed       {bounded(failure['part'])}: "
            f"{bounded(failure['text'], 160)} ({bounded(failure['code'])})"
        )
    for headings, rows in _tables(found, now):
        if rows:
            lines += ["", *_table(headings, rows)]
    return lines


def _tables(
    found: Mapping[str, Any], now: float
) -> Iterable[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    yield (
        _FINDINGS,
        [
            (
                f["kind"] + (" (permissive)" if f["permissive"] else ""),
                f["subject"],
                f["host"],
                bounded(f["why"], 100),
            )
            for f in found.get("findings_list", ())
        ],
    )
    yield (
        _IN_FLIGHT,
        [
            (
                f["server"],
                f["host"],
                f["step"],
                f["state"],
                _age(now - f["since"]),
                _age(f["halt_by"] - now) if f["halt_by"] > now else "is over",
            )
            for f in found.get("in_flight_list", ())
        ],
    )
    yield (
        _HELD,
        [
            (h["subject"], h["step"], h["host"], h["why"], h["detail"])
            for h in found.get("held_list", ())
        ],
    )
    yield (
        _FENCED,
        [
            (f["host"], _age(now - f["since"]), f["mark"])
            for f in found.get("fenced_list", ())
        ],
    )


def _table(
    headings: tuple[str, ...], rows: list[tuple[str, ...]]
) -> list[str]:
    table = prettytable.PrettyTable(list(headings), align="l")
    for row in rows[:ROWS_MAX]:
        table.add_row([bounded(cell, 120) for cell in row])
    lines = str(table.get_string()).splitlines()
    if len(rows) > ROWS_MAX:
        lines.append(f"and {len(rows) - ROWS_MAX} more")
    return lines


def _policy(policy: Mapping[str, Any] | None, now: float) -> str:
    if policy is None:
        return "none"
    left_s = policy["expires_at"] - now
    when = (
        f"{left_s / DAY_S:.0f} days left"
        if left_s > 2 * DAY_S
        else f"expires in {_age(left_s)}"
        if left_s > 0
        else "HAS EXPIRED: nothing is evicted"
    )
    return (
        f"version {policy['version']}, {when} "
        f"({write_instant(policy['expires_at'])})"
    )


def _results(results: Mapping[str, Any] | None, now: float) -> str:
    if results is None:
        return "none"
    return f"issued {_age(now - results['issued_at'])} ago"


def _picture(picture: Mapping[str, Any] | None, now: float) -> str:
    if picture is None or picture["at"] is None:
        return "was never seen whole"
    said = f"seen {_age(now - picture['at'])} ago"
    if picture["full_at"] is not None:
        said += f", all of it {_age(now - picture['full_at'])} ago"
    if picture["missing"]:
        names = ", ".join(bounded(name) for name in picture["missing"][:4])
        said += f"; does not answer: {names}"
    return said


def _cycle(cycle: Mapping[str, Any] | None, now: float) -> str:
    if cycle is None:
        return "none yet"
    failures = cycle["failures"]
    return (
        f"{_age(now - cycle['at'])} ago, took {cycle['seconds']:.1f} s, "
        f"{failures} failure{'' if failures == 1 else 's'}"
    )


def _counts(counts: Mapping[str, int]) -> str:
    said = ", ".join(f"{int(n)} {bounded(k)}" for k, n in counts.items())
    return said or "none"


def _age(seconds: float) -> str:
    """Return a time that has passed, to two figures or so."""
    seconds = max(seconds, 0.0)
    for unit, size_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds:.0f} s"


def _named(paths: list[str] | None) -> pathlib.Path:
    """Return the status file that a configuration names."""
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.StrOpt("status_file", default="")], "monitor")
    read_conf(conf, paths)
    named: str = conf["monitor"].status_file
    if named and not named.startswith("/"):
        raise SettingsError("[monitor] status_file: must be an absolute path")
    default = common.settings(conf).state_dir / STATUS_FILE
    return pathlib.Path(named) if named else default


def _ask(args: argparse.Namespace) -> dict[str, Any]:
    """Ask a monitor.

    :raises ContactFailed: also when it says why not
    """
    client = Client(
        args.url.rstrip("/") + "/",
        Tls(args.ca, args.cert, args.key),
        deadline_s=DEADLINE_S,
        max_bytes=BYTES_MAX,
    )
    try:
        answer = client.get(
            "/v1/status", accept=(_JSON,), also=frozenset(range(400, 600))
        )
    finally:
        client.close()
    check_answer(answer, client.peer)
    return _read(answer.body, client.peer)


def _read(data: bytes, where: str) -> dict[str, Any]:
    return read_status(
        data, where, "monitor", lambda found: (report(found), is_well(found))
    )
