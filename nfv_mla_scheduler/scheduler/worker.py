# SPDX-License-Identifier: Apache-2.0
"""What exists once in each scheduler process, made at its first request.

nova-scheduler builds filters and weighers before it forks, so nothing here
happens earlier: no thread, no file, no import beyond the standard library,
oslo and what of ours needs no other library.  If the rest cannot be loaded,
the worker is *unavailable*: servers that ask are refused, what was kept of the
policy (``kept.py``) goes on to hold for the others, the process lives, and it
is tried again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.conf import WithoutPolicy
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.scheduler.kept import Kept

if TYPE_CHECKING:
    from nfv_mla_scheduler.scheduler.engine import Engine

LOG = logging.getLogger(__name__)

RETRY_S = 10.0


class Unavailable(Exception):
    """This process cannot judge."""


class Worker:
    """Makes the engine of this process when it is first asked for it.

    :param retry_s: how long to wait after the engine could not be made
    """

    def __init__(
        self, conf: cfg.ConfigOpts, retry_s: float | None = None
    ) -> None:
        options.register(conf)
        self.conf = conf
        self._retry_s = RETRY_S if retry_s is None else retry_s
        self._begin()
        _WORKERS.add(self)

    def _begin(self) -> None:
        """Start from nothing, here or in a child after a fork."""
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._failed_at: float | None = None
        self._failure = ""
        self._kept = Kept(self.conf)

    def after_fork(self) -> None:
        """Forget the parent's engine: its threads do not live here."""
        self._begin()

    def engine(self) -> Engine:
        """Return this process's engine.

        :raises Unavailable: when it cannot be made
        """
        engine = self._engine
        if engine is not None:
            return engine
        with self._lock:
            if self._engine is None:
                self._engine = self._make()
            return self._engine

    def _make(self) -> Engine:
        failed_at = self._failed_at
        if (
            failed_at is not None
            and time.monotonic() - failed_at < self._retry_s
        ):
            raise Unavailable(self._failure)
        try:
            settings = options.settings(self.conf)
            engine = _engine(settings, self._kept, self.conf)
        except Exception as exc:
            said = bounded(f"{type(exc).__name__}: {exc}", 200)
            if said != self._failure:
                LOG.exception(
                    "nfv-mla cannot judge; servers that ask for attested "
                    "hosts are refused"
                )
            self._failed_at, self._failure = time.monotonic(), said
            raise Unavailable(said) from None
        if failed_at is not None:
            LOG.info("nfv-mla can judge again")
        self._failed_at, self._failure = None, ""
        return engine

    def open_hosts(
        self, plain: Plain, candidates: list[Any], now: Instant
    ) -> list[Any]:
        """Return the hosts that remain although there is no engine."""
        return self._kept.open_hosts(
            candidates, plain, self._refuses_all(), now
        )

    def names(self, plain: Plain) -> bool:
        """Whether log lines may name a server although there is no engine."""
        return self._kept.discretion(plain).logged

    def _refuses_all(self) -> bool:
        """Whether to refuse everybody; so when the option is not readable."""
        try:
            chosen = self.conf[options.GROUP.name].without_policy
        except (cfg.Error, ValueError):
            return True
        return bool(chosen == WithoutPolicy.REFUSE_ALL.value)

    def stop(self) -> None:
        """End the engine's threads; the next use makes a new one."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()


def _engine(settings: Settings, kept: Kept, conf: cfg.ConfigOpts) -> Engine:
    from nfv_mla_scheduler.scheduler.engine import Engine

    return Engine.start(settings, kept, conf)


_shared: dict[int, Worker] = {}


def shared(conf: cfg.ConfigOpts) -> Worker:
    """Return the worker that filter and weighers of a process share."""
    worker = _shared.get(id(conf))
    if worker is None:
        worker = _shared.setdefault(id(conf), Worker(conf))
    return worker


def stop_all() -> None:
    """End every shared worker of this process, for tests and for the demo."""
    while _shared:
        _, worker = _shared.popitem()
        worker.stop()


_WORKERS: weakref.WeakSet[Worker] = weakref.WeakSet()


def _after_fork() -> None:
    # Here and not at the first request: the child has one thread only, and
    # no other can hold or replace what is replaced now.
    for worker in list(_WORKERS):
        worker.after_fork()


os.register_at_fork(after_in_child=_after_fork)
