# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla monitor status``: how the monitor stands, for people and scripts.

Exit status: 0 all is well, 1 something is not, or cannot be told.
``monitor_text.py`` says it for people.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.cmd.monitor_conf import read_conf
from nfv_mla_scheduler.cmd.monitor_text import report
from nfv_mla_scheduler.cmd.status_said import check_answer
from nfv_mla_scheduler.cmd.status_said import read_status
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DEADLINE_S = 10.0
BYTES_MAX = 4 * 2**20
# A monitor renews its status file every 10 seconds.
STATUS_AGE_MAX_S = 60.0
RENEWED_S = 20.0
STATUS_FILE = "monitor-status.json"
NOT_WELL = 1
MISUSED = 2
# Where there is no terminal, lines are as long as they are.
WIDE = 10_000

_JSON = "application/json"


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
        path = args.status_file
        if path is None:
            path = _place(read_conf(cfg.ConfigOpts(), args.config_file))
        found = read_file(path, time.time())
    if args.format == "json":
        print(json.dumps(found, indent=2))
    else:
        width = shutil.get_terminal_size((WIDE, 0)).columns
        print("\n".join(report(found, width)))
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
        and not picture.get("unread")
        and not found["findings"]
        and not found["suspects"]
        and found["not_halted"] == 0
        and found["traits"]["failed"] == 0
    )


def held(conf: cfg.ConfigOpts, now: float) -> frozenset[str] | None:
    """Return what a status names as held; None: it does not tell, or not all.

    :param conf: read from the monitor's files
    """
    try:
        found = read_file(_place(conf), now)
    except (NfvMlaError, OSError):
        return None
    listed = found.get("held_list", ())
    if len(listed) < sum(found["held"].values()):
        return None
    return frozenset(each["subject"] for each in listed)


def _place(conf: cfg.ConfigOpts) -> pathlib.Path:
    """Return the status file that a configuration means."""
    conf.register_opts([cfg.StrOpt("status_file", default="")], "monitor")
    named: str = conf["monitor"].status_file
    if named and not named.startswith("/"):
        raise SettingsError("[monitor] status_file: must be an absolute path")
    own = common.settings(conf).state_dir / STATUS_FILE
    return _newer(pathlib.Path(named), own) if named else own


def _newer(named: pathlib.Path, own: pathlib.Path) -> pathlib.Path:
    """Return the file of whoever runs with a directory of state.

    A dry run leaves the one that is named to a monitor that acts.
    """
    try:
        at = own.stat().st_mtime
        return own if at > named.stat().st_mtime - RENEWED_S else named
    except OSError:
        return named if named.exists() or not own.exists() else own


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
        data,
        where,
        "monitor",
        lambda found: (report(found, WIDE), is_well(found)),
    )
