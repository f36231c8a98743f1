# SPDX-License-Identifier: Apache-2.0
"""A scheduler's worker on the estate: real files, real feed, real filter.

Touches a directory of its own, Nova's options and, for as long as it is open,
the clock that our filter and weighers read.  Its background thread is stopped:
what it would do is done here, when it is its turn.
"""

from __future__ import annotations

import contextlib
import pathlib
import types
from collections.abc import Iterator
from typing import Any
from unittest import mock

from nova.scheduler import host_manager
from nova.scheduler import weights

from bench.asks import Specs
from bench.estate import Host
from bench.scheduler import novas
from bench.site import Site
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.scheduler import filters
from nfv_mla_scheduler.scheduler import weighers
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.engine import Engine
from nfv_mla_scheduler.standard import catalogue


class Scheduler:
    """One worker, and Nova's host states for it.

    :ivar now: what the clock shows that filter and weighers read
    """

    def __init__(
        self, directory: pathlib.Path, hosts: tuple[Host, ...], now: float
    ) -> None:
        self.now = now
        self.hosts = hosts
        self.site = Site(directory, hosts, now)
        self.site.put_policy()
        self.site.put_results()
        novas.prepare(self.site.options())
        self.states: list[host_manager.HostState] = novas.host_states(hosts)
        self.filter = filters.NfvMlaFilter()
        self._engine: Engine | None = None
        # so that nothing is imported or read where only a load is measured
        catalogue.load()

    def load(self) -> None:
        """Let a new worker load policy and results for the first time."""
        engine = worker.shared(novas.CONF).engine()
        engine.refresher.stop()
        if engine.feed.snapshot.document is None:
            raise RuntimeError("the worker has not loaded policy and results")
        self._engine = engine

    def unload(self) -> None:
        """Stop the worker, and forget all that it has."""
        self._engine = None
        worker.stop_all()
        self.site.forget_state()

    @property
    def snapshot(self) -> Snapshot:
        """What the worker knows now."""
        assert self._engine is not None
        return self._engine.feed.snapshot

    def refresh(self) -> None:
        """Do what the background thread does when its time has come."""
        assert self._engine is not None
        self._engine.feed.refresh(self.now)

    def publish(self) -> None:
        """Publish results as the site has them, and let time pass to then."""
        self.site.put_results()
        self.now = self.site.now

    def ask(self, specs: Specs) -> list[host_manager.HostState]:
        """Return the hosts that our filter lets through."""
        return list(self.filter_all(self.filter, novas.request_spec(specs)))

    def filter_all(self, filter_: Any, spec: Any) -> list[Any]:
        """Return the hosts that a filter lets through."""
        return list(filter_.filter_all(self.states, spec))

    def weighed(self, specs: Specs) -> list[weights.WeighedHost]:
        """Return the hosts that are let through, as weighers get them."""
        return novas.weighed(self.ask(specs))

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Let filter and weighers read our clock, and stop all at the end."""
        clock = types.SimpleNamespace(time=lambda: self.now)
        with contextlib.ExitStack() as stack:
            for module in (filters, weighers):
                stack.enter_context(mock.patch.object(module, "time", clock))
            stack.callback(novas.leave, self.site.options())
            stack.callback(self.unload)
            yield
