# SPDX-License-Identifier: Apache-2.0
"""What people have the monitor told: releases, pauses, a surrender.

Records it, and then writes it where the monitor reads it at its next cycle.
What cannot be recorded where there is a ledger is not done; but a brake is
pulled whatever else fails.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler import startup
from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.cmd import monitor_status
from nfv_mla_scheduler.cmd.monitor_conf import read_conf
from nfv_mla_scheduler.cmd.monitor_record import Unrecorded
from nfv_mla_scheduler.cmd.monitor_record import record
from nfv_mla_scheduler.cmd.monitor_record import recorded
from nfv_mla_scheduler.cmd.monitor_record import who
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.holding import edits
from nfv_mla_scheduler.monitor.holding import holds
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.monitor.place import runs
from nfv_mla_scheduler.policy.instants import write_instant

FAILED = 1
MISUSED = 2


def run_release_authority(args: argparse.Namespace) -> int:
    """Believe an authority that is a suspect."""
    conf = read_conf(cfg.ConfigOpts(), args.config_file)
    path, now = _holds_file(conf), time.time()
    suspects = store.read(path).suspects
    if args.name not in suspects:
        known = ", ".join(sorted(map(bounded, suspects))) or "none"
        raise holds.HoldsFault(
            f"authority {bounded(args.name)} is not held (held: {known})"
        )
    until = now + args.for_s
    fields: dict[str, JSON] = {
        "released": "authority",
        "authority": args.name,
        "until": until,
    }
    with recorded(conf, fields, args.reason):
        edits.release_authority(
            path, args.name, until, args.reason, who(), now
        )
    print(
        f"authority {args.name} is released until {write_instant(until)}; "
        "the next cycle acts upon what it says"
    )
    return 0


def run_release_policy(args: argparse.Namespace) -> int:
    """Act upon what is found by a new policy's rules."""
    conf = read_conf(cfg.ConfigOpts(), args.config_file)
    path, now = _holds_file(conf), time.time()
    found = store.read(path)
    if found.fault:
        raise holds.HoldsFault(found.fault)
    if not found.braked:
        raise holds.HoldsFault("no policy is held")
    for digest in found.braked:
        fields: dict[str, JSON] = {"released": "policy", "digest": digest}
        with recorded(conf, fields, args.reason):
            edits.release_policy(path, digest, now)
        print(f"policy {bounded(digest, 16)} is released")
    return 0


def run_release_server(args: argparse.Namespace) -> int:
    """Act upon what is found about one server."""
    conf = read_conf(cfg.ConfigOpts(), args.config_file)
    now = time.time()
    until = now + args.for_s
    holds_file = _holds_file(conf)
    held = monitor_status.held(conf, now)
    named = held is not None and args.name in held
    if held is not None and not named:
        # Released all the same: some servers are named to nobody.
        print(
            f"nfv-mla monitor: server {args.name}: nothing is held about it, "
            "by the status",
            file=sys.stderr,
        )
    fields: dict[str, JSON] = {"released": "server", "until": until}
    # One that the status does not name may be of a sealed trust domain, whose
    # servers our chain must not name.  The monitor knows, and records which
    # one it is where it belongs.
    if named:
        fields["server"] = args.name
    with recorded(conf, fields, args.reason if named else ""):
        edits.release_server(
            holds_file, args.name, until, args.reason, who(), now
        )
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
        was = store.read(path).paused
        with recorded(conf, {"pause": "ended"}, args.reason):
            edits.resume(path)
        held = was is not None and was.holds(now, holds.PAUSE_MAX_S)
        print("the pause is over" if held else "there was no pause")
        return 0
    until = now + args.for_s
    # first: a brake that waits for a ledger is none
    edits.pause(path, until, args.reason, who(), now)
    fields: dict[str, JSON] = {"pause": "begun", "until": until}
    try:
        record(conf, fields, args.reason, EventKind.GUARD_HELD)
    except Unrecorded as exc:
        print(f"nfv-mla monitor: {exc}; paused all the same", file=sys.stderr)
    print(
        f"no new step is begun until {write_instant(until)}; "
        "nfv-mla monitor pause --end goes on before"
    )
    return 0


def run_surrender(args: argparse.Namespace) -> int:
    """Take back all that the monitor left in Nova and Placement."""
    # these need what only a monitor needs
    from nfv_mla_scheduler.monitor import parts
    from nfv_mla_scheduler.monitor import works
    from nfv_mla_scheduler.monitor.acting.surrender import surrender
    from nfv_mla_scheduler.monitor.place import Place

    conf = cfg.ConfigOpts()
    parts.register(conf)
    found = parts.read(read_conf(conf, args.config_file))
    place = Place(found.common.state_dir)
    try:
        cloud = works.connect(found, conf)
        record(conf, {"surrender": "begun"}, args.reason)
        done = surrender(cloud, found.keys, args.start)
        ended: dict[str, JSON] = {
            "surrender": "ended",
            "whole": done.whole,
            "traits": done.traits,
            "unlocked": done.unlocked,
            "enabled": done.enabled,
            "started": done.started,
        }
        try:
            record(conf, ended, args.reason)
        except Unrecorded as exc:
            print(f"nfv-mla monitor: {exc}: how it ended", file=sys.stderr)
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
    """Return where the monitor reads what people say.

    Where no monitor runs, whoever says it is told so: that a monitor is
    paused must not be believed of one that reads another directory.

    :raises SettingsError: when ``state_dir`` is not set
    """
    startup.check_state_dir(conf, "monitor")
    state_dir = common.settings(conf).state_dir
    if not runs(state_dir):
        print(
            f"nfv-mla monitor: no monitor runs with {state_dir}: what is "
            "said here counts for none that runs elsewhere",
            file=sys.stderr,
        )
    return store.place(state_dir)
