# SPDX-License-Identifier: Apache-2.0
"""What exists once in each scheduler process, made at its first request.

nova-scheduler builds filters and weighers before it forks, so nothing here
happens earlier: no thread, no file, no import beyond the standard library,
oslo and what of ours needs no other library.  If the rest cannot be loaded,
the worker is *unavailable*: servers that ask are refused, the process lives,
and it is tried again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.conf import WithoutPolicy
from nfv_mla_scheduler.errors import bounded

if TYPE_CHECKING:
    from nfv_mla_scheduler.scheduler.engine import Engine

LOG = logging.getLogger(__name__)

RETRY_S = 10.0


class Unavailable(Exception):
    """This process cannot judge; ``refuse_all`` says whom to refuse."""

    def __init__(self, reason: str, refuse_all: bool) -> None:
        super().__init__(reason)
        self.refuse_all = refuse_all


class Worker:
    """Makes the engine of this process when it is first asked for it."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._failed_at = -RETRY_S
        self._failure = ""

    def engine(self) -> Engine:
        """Return this process's engine.

        :raises Unavailable: when it cannot be made
        """
        if self._pid != os.getpid():
            # forked: threads and locks of the parent do not live here
            self._reset()
        if self._engine is not None:
            return self._engine
        with self._lock:
            if self._engine is None:
                self._engine = self._make()
            return self._engine

    def _make(self) -> Engine:
        refuse_all = self._refuses_all()
        if time.monotonic() - self._failed_at < RETRY_S:
            raise Unavailable(self._failure, refuse_all)
        try:
            settings = options.settings(self._conf)
            return _engine(settings)
        except Exception as exc:
            said = bounded(f"{type(exc).__name__}: {exc}", 200)
            if said != self._failure:
                LOG.exception(
                    "nfv-mla cannot judge; servers that ask for attested "
                    "hosts are refused"
                )
            self._failed_at, self._failure = time.monotonic(), said
            raise Unavailable(said, refuse_all) from None

    def _refuses_all(self) -> bool:
        try:
            chosen = self._conf[options.GROUP.name].without_policy
        except (cfg.Error, ValueError):
            return True
        return bool(chosen == WithoutPolicy.REFUSE_ALL.value)

    def stop(self) -> None:
        """End the engine's threads; the next use makes a new one."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()


def _engine(settings: Settings) -> Engine:
    from nfv_mla_scheduler.scheduler.engine import Engine

    return Engine.start(settings)


_workers: dict[int, Worker] = {}


def shared(conf: cfg.ConfigOpts) -> Worker:
    """Return the worker that filter and weighers of a process share."""
    options.register(conf)
    worker = _workers.get(id(conf))
    if worker is None or worker._conf is not conf:
        worker = _workers.setdefault(id(conf), Worker(conf))
    return worker


def stop_all() -> None:
    """End every worker of this process, for tests and for the demo."""
    while _workers:
        _, worker = _workers.popitem()
        worker.stop()
