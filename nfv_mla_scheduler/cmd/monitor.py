# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla monitor``: see how the monitor stands, and have a say.

What people say is written where the monitor reads it at its next cycle;
``monitor_status.py`` prints.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import pathlib
import re
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.audit.jsonl import JsonLinesAudit
from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.cmd import monitor_status
from nfv_mla_scheduler.cmd.monitor_conf import read_conf
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.holding import holds
from nfv_mla_scheduler.policy.instants import write_instant

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

FAILED = 1
MISUSED = 2
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def register(subparsers: Subparsers) -> None:
    """Add ``monitor`` and its sub-commands to the command line."""
    monitor = subparsers.add_parser(
        "monitor",
        help="see how the monitor stands, and have a say",
        description="The process that notices what stops complying.",
    )
    commands = monitor.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    monitor_status.register(commands)
    _register_release(commands)
    _register_pause(commands)
    _register_surrender(commands)


def _register_release(commands: Subparsers) -> None:
    release = commands.add_parser(
        "release",
        help="let go on what the guard holds",
        description="Let go on what the guard holds until a person has "
        "looked: a suspect authority, the findings of a new policy, or one "
        "server.",
    )
    whom = release.add_subparsers(
        title="what is held", dest="whom", metavar="WHAT", required=True
    )
    authority = whom.add_parser(
        "authority", help="believe an authority that is a suspect"
    )
    authority.add_argument("name", metavar="NAME", help="as the policy has it")
    policy = whom.add_parser(
        "policy", help="act upon what is found by a new policy's rules"
    )
    server = whom.add_parser(
        "server", help="act upon what is found about one server"
    )
    server.add_argument("name", metavar="UUID", type=_server)
    for command in (authority, server):
        command.add_argument(
            "--for",
            dest="for_s",
            type=_duration_s,
            default=86400,
            metavar="TIME",
            help="how long that holds: a number with s, m, h or d, 7d at "
            "most (default: 1d)",
        )
    for command, run in (
        (authority, run_release_authority),
        (policy, run_release_policy),
        (server, run_release_server),
    ):
        _reason_argument(command, required=True)
        _conf_argument(command)
        command.set_defaults(run=run)


def _register_pause(commands: Subparsers) -> None:
    pause = commands.add_parser(
        "pause",
        help="have no new step begun for some time",
        description="Have no new step begun for some time; it ends by itself. "
        "What has begun is gone on with by Nova.",
    )
    which = pause.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--for",
        dest="for_s",
        type=_duration_s,
        metavar="TIME",
        help="a number with s, m, h or d, such as 2h; 24h at most",
    )
    which.add_argument(
        "--end", action="store_true", help="go on before it has passed"
    )
    _reason_argument(pause, required=False)
    _conf_argument(pause)
    pause.set_defaults(run=run_pause)


def _register_surrender(commands: Subparsers) -> None:
    surrender = commands.add_parser(
        "surrender",
        help="take back all that the monitor left in Nova and Placement",
        description="Remove our traits, locks and fences. Stop the monitor "
        "first. It may be run again.",
    )
    surrender.add_argument(
        "--start",
        action="store_true",
        help="also start the servers that the monitor has halted",
    )
    _reason_argument(surrender, required=True)
    _conf_argument(surrender)
    surrender.set_defaults(run=run_surrender)


def _reason_argument(command: argparse.ArgumentParser, required: bool) -> None:
    command.add_argument(
        "--reason",
        required=required,
        default="",
        type=_reason if required else str,
        metavar="TEXT",
        help="for those who ask later",
    )


def _conf_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config-file",
        action="append",
        metavar="FILE",
        help="of the monitor (default: where the monitor looks for it)",
    )


def run_release_authority(args: argparse.Namespace) -> int:
    """Believe an authority that is a suspect."""
    conf = read_conf(cfg.ConfigOpts(), args.config_file)
    path, now = _holds_file(conf), time.time()
    suspects = holds.read(path).suspects
    if args.name not in suspects:
        known = ", ".join(sorted(map(bounded, suspects))) or "none"
        raise holds.HoldsFault(
            f"authority {bounded(args.name)} is not held (held: {known})"
        )
    until = now + args.for_s
    holds.release_authority(path, args.name, until, args.reason, _who(), now)
    _record(conf, {"released": "authority", "name": args.name}, args.reason)
    print(
        f"authority {args.name} is released until {write_instant(until)}; "
        "the next cycle acts upon what it says"
    )
    return 0


def run_release_policy(args: argparse.Namespace) -> int:
    """Act upon what is found by a new policy's rules."""
    conf = read_conf(cfg.ConfigOpts(), args.config_file)
    path, now = _holds_file(conf), time.time()
    found = holds.read(path)
    if found.fault:
        raise holds.HoldsFault(found.fault)
    if not found.braked:
        raise holds.HoldsFault("no policy is held")
    for digest in found.braked:
        holds.release_policy(path, digest, now)
        fields: dict[str, JSON] = {"released": "policy", "digest": digest}
        _record(conf, fields, args.reason)
        print(f"policy {bounded(digest, 16)} is released")
    return 0


def run_release_server(args: argparse.Namespace) -> int:
    """Act upon what is found about one server."""
    conf = read_conf(cfg.ConfigOpts(), args.config_file)
    now = time.time()
    until = now + args.for_s
    holds.release_server(
        _holds_file(conf), args.name, until, args.reason, _who(), now
    )
    _record(conf, {"released": "server", "server": args.name}, args.reason)
    print(
        f"server {args.name} is released until {write_instant(until)}: "
        "neither a suspect nor a new policy holds what is found about it"
    )
    return 0


def run_pause(args: argparse.Namespace) -> int:
    """Have no new step begun for some time, or go on."""
    if not args.end and not args.reason.strip():
        print("nfv-mla monitor pause: --for needs --reason", file=sys.stderr)
        return MISUSED
    conf = read_conf(cfg.ConfigOpts(), args.config_file)
    path, now = _holds_file(conf), time.time()
    if args.end:
        was = holds.read(path).paused
        holds.resume(path)
        _record(conf, {"pause": "ended"}, args.reason)
        held = was is not None and was.holds(now, holds.PAUSE_MAX_S)
        print("the pause is over" if held else "there was no pause")
        return 0
    until = now + args.for_s
    holds.pause(path, until, args.reason, _who(), now)
    fields: dict[str, JSON] = {"pause": "begun", "until": until}
    _record(conf, fields, args.reason, EventKind.GUARD_HELD)
    print(
        f"no new step is begun until {write_instant(until)}; "
        "nfv-mla monitor pause --end goes on before"
    )
    return 0


def run_surrender(args: argparse.Namespace) -> int:
    """Take back all that the monitor left in Nova and Placement."""
    # these need what only a monitor needs
    from nfv_mla_scheduler.monitor import parts
    from nfv_mla_scheduler.monitor.acting.surrender import surrender
    from nfv_mla_scheduler.monitor.place import Place

    conf = cfg.ConfigOpts()
    parts.register(conf)
    found = parts.read(read_conf(conf, args.config_file))
    place = Place(found.common.state_dir)
    try:
        cloud = parts.connect(found, conf)
        _record(conf, {"surrender": "begun"}, args.reason)
        done = surrender(cloud, found.keys, args.start)
    finally:
        place.release()
    print(
        f"taken back: {done.traits} traits, {done.unlocked} locks, "
        f"{done.enabled} fences; started: {done.started} servers"
    )
    for line in done.left:
        print(f"left: {line}")
    return 0 if done.whole else FAILED


def _holds_file(conf: cfg.ConfigOpts) -> pathlib.Path:
    return holds.place(common.settings(conf).state_dir)


def _record(
    conf: cfg.ConfigOpts,
    fields: Mapping[str, JSON],
    reason: str,
    kind: EventKind = EventKind.GUARD_RELEASED,
) -> None:
    """Record what a person said, where the monitor records."""
    settings = common.settings(conf)
    if settings.audit_file is None:
        return
    audit = JsonLinesAudit(settings.audit_file, settings.audit_queue_size)
    told = {
        **fields,
        "reason": bounded(reason, holds.REASON_MAX),
        "by": _who(),
    }
    audit.record(Event(kind, time.time(), "nfv-mla monitor", told))
    audit.close()


def _who() -> str:
    """Return who says so, as far as can be told."""
    name = os.environ.get("SUDO_USER", "")
    if not name:
        with contextlib.suppress(KeyError, OSError):
            name = getpass.getuser()
    return bounded(name or str(os.getuid()))


def _duration_s(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text, re.ASCII)
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(
            f"{bounded(text)!r} is no time: a number with s, m, h or d"
        )
    return float(int(found[1]) * _UNITS[found[2]])


def _server(text: str) -> str:
    if not _UUID.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError(
            f"{bounded(text)!r} is no UUID of a server"
        )
    return text.lower()


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must say something")
    return text
