# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla-collector``: the process that asks authorities, and publishes.

Exit status: 0 stopped by a signal, or all is well with ``--check``; 1 it
cannot start; 2 wrong usage.  An error at the start is one line on standard
error; everything later goes to the log.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log as logging

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.cmd import process
from nfv_mla_scheduler.collector import parts
from nfv_mla_scheduler.collector import service
from nfv_mla_scheduler.collector import settings as own
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.recording import PUBLISHES
from nfv_mla_scheduler.recording import event
from nfv_mla_scheduler.recording import new_audit

PROGRAM = "nfv-mla-collector"
PROJECT = "nfv-mla"

LOG = logging.getLogger(__name__)

_CHECK = cfg.BoolOpt(
    "check",
    default=False,
    help="Only say whether options, keys and policy can be used. Asks nobody, "
    "and publishes nothing.",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a collector, and return its exit status; nothing is raised."""
    words = sys.argv[1:] if argv is None else list(argv)
    return process.guarded(PROGRAM, lambda: _run(words))


def _run(words: Sequence[str]) -> int:
    conf = cfg.ConfigOpts()
    _read_options(conf, words)
    found = parts.read(conf)
    if conf.check:
        return _all_is_well(found)
    logging.setup(conf, PROJECT)
    audit = new_audit(found.common, PROGRAM)
    origin = f"{socket.gethostname()}/{PROGRAM}/{os.getpid()}"
    try:
        collector = service.Service(
            found, lambda news: tell(news, audit, origin)
        )
        audit.record(_started(conf, origin))
        return _serve(collector)
    finally:
        audit.close()


def tell(news: News, audit: AuditPort, origin: str) -> None:
    """Log one change of state, and record it."""
    say = LOG.info if news.good else LOG.warning
    say("nfv-mla %s: %s (%s)", news.subject, news.text, news.code)
    recorded = event(news, time.time(), origin, PUBLISHES)
    if recorded is not None:
        audit.record(recorded)


def _started(conf: cfg.ConfigOpts, origin: str) -> Event:
    """Return what is recorded of a collector's start."""
    groups = [(group.name, members) for group, members in common.list_opts()]
    groups += own.option_groups(conf)
    fields = {
        "version": identity.version(),
        "configuration_digest": identity.digest(conf, groups),
    }
    return Event(EventKind.COLLECTOR_STARTED, time.time(), origin, fields)


def _read_options(conf: cfg.ConfigOpts, words: Sequence[str]) -> None:
    logging.register_options(conf)
    conf.register_cli_opt(_CHECK)
    common.register(conf)
    own.register(conf)
    conf(
        words,
        project=PROJECT,
        prog=PROGRAM,
        version=process.version(),
        description="Asks attestation authorities, and publishes what they "
        "say in a signed results document.",
    )


def _serve(collector: service.Service) -> int:
    """Run until a signal asks to stop."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    collector.start()
    LOG.info("nfv-mla collector: runs")
    stopping.wait()
    LOG.info("nfv-mla collector: stops")
    collector.stop()
    return 0


def _all_is_well(found: parts.Parts) -> int:
    for odd in parts.check(found):
        print(f"{PROGRAM}: {bounded(odd, LINE_MAX)}", file=sys.stderr)
    names = ", ".join(authority.name for authority in found.authorities)
    print(
        f"{PROGRAM}: options, keys and policy can be used; collector "
        f"{found.settings.name} asks {bounded(names, LINE_MAX)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
