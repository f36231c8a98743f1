# SPDX-License-Identifier: Apache-2.0
"""Record what people have the monitor told, where there is a ledger.

Writes a chain of its own: no other process has to run.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import time
from collections.abc import Iterator
from collections.abc import Mapping

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.recording import new_audit

SERVICE = "nfv-mla"
COMMIT_S = 5.0


class Unrecorded(NfvMlaError):
    """What a person said cannot be recorded, so that it does not count."""

    code = "ledger"


@contextlib.contextmanager
def recorded(
    conf: cfg.ConfigOpts, fields: Mapping[str, JSON], reason: str
) -> Iterator[None]:
    """Record what a person said before it takes effect, or that it did not.

    :raises Unrecorded: when it cannot be, where there is a ledger
    """
    record(conf, fields, reason)
    try:
        yield
    except Exception:
        with contextlib.suppress(Unrecorded):
            record(conf, {**fields, "outcome": "failed"}, reason)
        raise


def record(
    conf: cfg.ConfigOpts,
    fields: Mapping[str, JSON],
    reason: str,
    kind: EventKind = EventKind.GUARD_RELEASED,
) -> None:
    """Record what a person said, and have it survive a power cut.

    :raises Unrecorded: when it cannot be, where there is a ledger
    """
    settings = common.settings(conf)
    told = {**fields, "by": who()}
    if reason:
        told["reason"] = bounded(reason, store.REASON_MAX)
    origin = f"{socket.gethostname()}/{SERVICE}/{os.getpid()}"
    audit = new_audit(settings, SERVICE)
    try:
        event = Event(kind, time.time(), origin, told)
        written = audit.commit(event, COMMIT_S)
    finally:
        audit.close()
    if not written:
        raise Unrecorded(
            f"the ledger in {settings.audit_dir} cannot be written"
        )


def who() -> str:
    """Return who says so, as far as can be told."""
    name = os.environ.get("SUDO_USER", "")
    if not name:
        with contextlib.suppress(KeyError, OSError):
            name = getpass.getuser()
    return bounded(name or str(os.getuid()))
