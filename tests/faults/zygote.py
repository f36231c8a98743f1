# SPDX-License-Identifier: Apache-2.0
"""A process that has imported all that a monitor needs, and forks monitors.

To start Python with openstacksdk takes seconds, a fork some hundredths of
one.  Each line on standard input is one monitor to start; the monitor does
what it is told over the socket that the line names.  It is the one that
``nfv-mla-monitor`` runs, but for its clocks, which are as far ahead as it is
told, and for who says when a cycle is due.

Imports no Nova.  There is one thread here, so that a fork leaves nothing out.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
import typing as ty

from oslo_config import cfg

from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor import service
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.place import Place
from nfv_mla_scheduler.standard import catalogue

Json = dict[str, ty.Any]

_wall, _monotonic = time.time, time.monotonic


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """What a monitor is started with.

    :ivar socket: at which it is told what to do
    :ivar conf: its configuration file
    :ivar log: where its log goes
    """

    socket: str
    conf: str
    log: str


def main() -> None:
    """Fork a monitor for each line, until there are no more."""
    _import_all()
    # Nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while line := sys.stdin.readline():
        threads = len(os.listdir("/proc/self/task"))
        if threads != 1:
            raise RuntimeError(f"{threads} threads before a fork")
        if os.fork() == 0:
            _be_a_monitor(Start(**json.loads(line)))


def _import_all() -> None:
    """Import what a monitor would import at its first request."""
    import keystoneauth1.loading

    catalogue.load()
    keystoneauth1.loading.get_plugin_loader("password")
    conf = _options(None)
    conf.set_override("auth_type", "password", group="monitor")
    keystoneauth1.loading.load_session_from_conf_options(
        conf, "monitor", auth=None
    )
    gc.collect()
    gc.freeze()


def _options(path: str | None) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    parts.register(conf)
    files = [] if path is None else [path]
    conf([], project="nfv-mla", default_config_files=files)
    return conf


def _be_a_monitor(start: Start) -> ty.NoReturn:
    """Be a monitor until the other side hangs up; never returns."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        _serve(start)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve(start: Start) -> None:
    handler = logging.FileHandler(start.log)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(start.socket)
        lines = peer.makefile("rw", encoding="utf-8")
        lines.write(f"{os.getpid()}\n")
        lines.flush()
        for line in lines:
            told = json.loads(line)
            try:
                answer = _cycle(start, told["ahead_s"])
            except Exception:
                answer = {"fault": traceback.format_exc()}
            lines.write(json.dumps(answer) + "\n")
            lines.flush()


_made: list[service.Service] = []


def _cycle(start: Start, ahead_s: float) -> Json:
    """Run one cycle, in a monitor that is made for the first one."""
    time.time = lambda: _wall() + ahead_s
    time.monotonic = lambda: _monotonic() + ahead_s
    if not _made:
        conf = _options(start.conf)
        found = parts.read(conf)
        Place(found.common.state_dir)
        _made.append(service.Service(found, conf))
    report = _made[0].once()
    return _told(report) | {"threads": threading.active_count()}


def _told(report: CycleReport) -> Json:
    """Return what tests want to know of a cycle."""
    plan, ruling = report.plan, report.ruling
    told: Json = {
        "failures": [[f.part.value, f.code, f.text] for f in report.failures],
        "outcomes": [
            [o.subject, o.step.value if o.step else "", o.code.value, o.text]
            for o in report.outcomes
        ],
        "missing": list(report.picture.missing) if report.picture else [],
    }
    if ruling is not None:
        told["found"] = {
            uuid: found.kind.value
            for uuid, found in ruling.verdict.servers.items()
        }
        told["tampered"] = [str(each) for each in ruling.verdict.tampered]
        told["graces"] = [
            uuid
            for uuid, found in ruling.verdict.servers.items()
            if found.kind is Kind.WITHHELD and not found.evicts
        ]
    if plan is not None:
        told["does"] = [
            *(f"fence {f.host} {f.disable}" for f in plan.fences),
            *(f"{s.step.value} {s.server} {s.asks}" for s in plan.steps),
            *(f"release {r.server} {r.asks}" for r in plan.releases),
            *(f"trait {t.trait} {t.add}" for t in plan.traits),
        ]
        told["held"] = [[h.subject, h.why.value] for h in plan.held]
        told["waits"] = [
            f.server for f in plan.in_flight if f.state.value == "asked"
        ]
        told["not_halted"] = [f.server for f in plan.not_halted]
        told["suspects"] = [s.name for s in plan.suspects]
    return told


if __name__ == "__main__":
    main()
