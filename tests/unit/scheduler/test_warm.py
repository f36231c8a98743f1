# SPDX-License-Identifier: Apache-2.0
"""A warm request does no I/O, and waits for nobody who does."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

from nova.scheduler import weights

from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from nfv_mla_scheduler.scheduler.weighers import NfvMlaAssuranceWeigher
from nfv_mla_scheduler.scheduler.weighers import NfvMlaScarcityWeigher
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import names
from tests.unit.scheduler.site import spec
from tests.unit.scheduler.site import states

FOLLOW = {**TPM, "nfv_mla:follow": "easy"}


class _Watch:
    """Notes what one thread does of which Python tells its audit hooks."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.seen: list[str] = []

    def hook(self, event: str, _: object) -> None:
        if self.thread is None or threading.get_ident() != self.thread:
            return
        if event.startswith(
            ("open", "os.", "socket.", "subprocess.", "import", "sqlite3.")
        ):
            self.seen.append(event)

    def call(self, name: str, original: Any) -> Any:
        """Wrap a function of which the audit hooks are not told."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.hook(f"os.{name}", args)
            return original(*args, **kwargs)

        return wrapped

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        silent = ("stat", "lstat", "fstat", "open", "read", "write")
        with contextlib.ExitStack() as stack:
            for name in silent:
                wrapped = self.call(name, getattr(os, name))
                stack.enter_context(mock.patch.object(os, name, wrapped))
            self.seen.clear()
            self.thread = threading.get_ident()
            try:
                yield
            finally:
                self.thread = None


# A hook stays for as long as the process: one is enough.
WATCH = _Watch()
sys.addaudithook(WATCH.hook)


class WarmTest(site.SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site.put_policy(
            **site.waived_profile("easy", time.time(), footprint={"VCPU": 1})
        )
        self.site.put_results()
        self.filter = NfvMlaFilter()
        self.weighers = (NfvMlaAssuranceWeigher(), NfvMlaScarcityWeigher())
        everywhere = frozenset(map(site.node_uuid, site.HOSTS))
        patch = mock.patch(
            "nfv_mla_scheduler.scheduler.room.ask_placement",
            return_value=everywhere,
        )
        patch.start()
        self.addCleanup(patch.stop)

    def _request(self, specs: dict[str, str]) -> list[str]:
        request = spec(specs)
        admitted = self.filter.filter_all(states(), request)
        weighed = [weights.WeighedHost(state, 0.0) for state in admitted]
        for weigher in self.weighers:
            weigher.weigh_objects(weighed, request)
            for state in admitted:
                weigher.weight_multiplier(state)
        return names(admitted)

    def test_the_watch_sees_what_it_is_to_see(self) -> None:
        with WATCH.watching():
            path = self.site.policy_file
            path.read_bytes()
            path.stat()
            path.exists()
            os.listdir(self.site.directory)
        self.assertTrue({"open", "os.stat", "os.listdir"} <= set(WATCH.seen))

    def test_no_file_no_socket_no_process_no_import(self) -> None:
        asks = ({}, TPM, FOLLOW, {"nfv_mla:profile": "easy"})
        cold = [self._request(specs) for specs in asks]
        self.assertEqual(6, len(cold[0]))
        self.assertEqual([4, 4, 5], [len(found) for found in cold[1:]])
        with WATCH.watching():
            warm = [self._request(specs) for specs in asks]
        self.assertEqual([], WATCH.seen)
        self.assertEqual(cold, warm)

    def test_not_even_after_new_results(self) -> None:
        cold = self._request(TPM)
        engine = worker.shared(site.CONF).engine()
        generation = engine.feed.snapshot.generation
        self.site.put_results()
        self.wait_for(lambda: engine.feed.snapshot.generation > generation)
        with WATCH.watching():
            warm = self._request(TPM)
        self.assertEqual([], WATCH.seen)
        self.assertEqual(cold, warm)

    def test_nobody_waits_for_a_disk_that_does_not_answer(self) -> None:
        cold = self._request(TPM)
        stuck, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def hang(_: WatchedFile) -> bytes | None:
            stuck.set()
            go_on.wait(10)
            return None

        with mock.patch.object(WatchedFile, "changed", hang):
            self.assertTrue(stuck.wait(5))
            began = time.monotonic()
            self.assertEqual(cold, self._request(TPM))
            self.assertLess(time.monotonic() - began, 2)
            go_on.set()

    def test_nobody_waits_for_a_placement_that_does_not_answer(self) -> None:
        self.set(follow_room_max_age_s=3.0)
        cold = self._request(FOLLOW)
        engine = worker.shared(site.CONF).engine()
        stuck, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def hang(_: object) -> frozenset[str]:
            stuck.set()
            go_on.wait(10)
            return frozenset()

        with mock.patch.object(engine.room, "_ask", hang):
            self.assertTrue(stuck.wait(5))
            generation = engine.feed.snapshot.generation
            began = time.monotonic()
            self.assertEqual(cold, self._request(FOLLOW))
            self.assertLess(time.monotonic() - began, 2)
            # nor does the policy wait for it
            self.site.put_results()
            self.wait_for(lambda: engine.feed.snapshot.generation > generation)
            go_on.set()
        self.assertEqual(4, len(cold))
