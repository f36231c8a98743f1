# SPDX-License-Identifier: Apache-2.0
"""One worker for each process, made after the fork, and made again."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any
from unittest import mock

from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from nfv_mla_scheduler.scheduler.weighers import NfvMlaAssuranceWeigher
from nfv_mla_scheduler.scheduler.weighers import NfvMlaScarcityWeigher
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import Said
from tests.unit.scheduler.site import names
from tests.unit.scheduler.site import spec
from tests.unit.scheduler.site import states
from tests.unit.scheduler.site import tpm

OURS = "nfv_mla_scheduler"
WORSE = {**site.ALL_GOOD, site.GOOD_1: Said(tpm("virtual"))}


def in_child(work: Callable[[Any], Any]) -> tuple[int, int]:
    """Fork; the child does ``work`` with a file to write JSON lines to.

    :returns: process id, and the descriptor to read from
    """
    readable, writable = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writable)
        return pid, readable
    code = 1
    try:
        os.close(readable)
        with os.fdopen(writable, "w", buffering=1) as answers:
            work(answers)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ours() -> list[str]:
    """Return the names of our threads in this process."""
    return [
        t.name for t in threading.enumerate() if t.name.startswith("nfv-mla")
    ]


class ForkTest(site.SiteTestCase):
    """As nova-scheduler does it: build filters, fork, serve requests."""

    def setUp(self) -> None:
        super().setUp()
        self.ready()
        worker.stop_all()

    def _serve(self, filter_: NfvMlaFilter, answers: Any) -> None:
        """Filter until the decision about good-1 changes."""

        def admitted() -> list[str]:
            hosts = states(site.GOOD_1, site.GOOD_2)
            return names(filter_.filter_all(hosts, spec(TPM)))

        began_with = ours()
        first = admitted()
        answers.write(json.dumps([began_with, first, ours()]) + "\n")
        end = time.monotonic() + 10
        while admitted() == first and time.monotonic() < end:
            time.sleep(0.005)
        answers.write(json.dumps([time.time(), admitted()]) + "\n")

    def _check_children(self, filter_: NfvMlaFilter, count: int) -> None:
        pipes = [
            in_child(lambda answers: self._serve(filter_, answers))
            for _ in range(count)
        ]
        children = [(pid, os.fdopen(fd)) for pid, fd in pipes]
        for _, answers in children:
            began_with, first, then = json.loads(answers.readline())
            self.assertEqual([], began_with)
            self.assertEqual([site.GOOD_1, site.GOOD_2], first)
            self.assertEqual(1, then.count("nfv-mla policy and results"), then)
        published = time.time()
        self.site.put_results(WORSE)
        for pid, answers in children:
            changed, last = json.loads(answers.readline())
            self.assertEqual([site.GOOD_2], last)
            # ten intervals: the machine may be busy with something else
            self.assertLess(changed - published, 1.0)
            answers.close()
            self.assertEqual(0, os.waitpid(pid, 0)[1])

    def test_children_of_a_parent_that_only_built_the_filter(self) -> None:
        before = set(threading.enumerate())
        filter_ = NfvMlaFilter()
        NfvMlaAssuranceWeigher()
        NfvMlaScarcityWeigher()
        self.assertEqual(before, set(threading.enumerate()))
        self.assertEqual({}, worker._shared)
        self._check_children(filter_, 4)
        # of other tests in this process a thread may still be ending
        self.assertEqual(set(), set(threading.enumerate()) - before)

    def test_children_of_a_parent_that_has_used_it(self) -> None:
        filter_ = NfvMlaFilter()
        self.assertTrue(filter_.filter_all(states(), spec(TPM)))
        self.assertIn("nfv-mla policy and results", ours())
        self._check_children(filter_, 3)
        # the parent goes on as well
        self.wait_for(
            lambda: (
                site.GOOD_1
                not in names(filter_.filter_all(states(), spec(TPM)))
            )
        )

    def test_a_fork_while_the_engine_is_being_made(self) -> None:
        """The lock that a thread of the parent holds is not the child's."""
        filter_ = NfvMlaFilter()
        shared = worker.shared(site.CONF)
        with shared._lock:
            pid, fd = in_child(
                lambda answers: answers.write(
                    json.dumps(
                        names(
                            filter_.filter_all(states(site.GOOD_1), spec(TPM))
                        )
                    )
                    + "\n"
                )
            )
            with os.fdopen(fd) as answers:
                self.assertEqual([site.GOOD_1], json.loads(answers.readline()))
            self.assertEqual(0, os.waitpid(pid, 0)[1])


class ThreadsTest(site.SiteTestCase):
    """Nova serves up to 64 requests at once with one filter object."""

    def setUp(self) -> None:
        super().setUp()
        self.ready()
        self.filter = NfvMlaFilter()

    def _together(self, work: Callable[[], None], count: int = 64) -> None:
        errors: list[BaseException] = []
        start = threading.Barrier(count)

        def run() -> None:
            try:
                start.wait()
                self.request()
                work()
            except BaseException as exc:
                errors.append(exc)

        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], errors)

    def test_the_first_requests_make_one_engine(self) -> None:
        engines = []
        self._together(
            lambda: engines.append(worker.shared(site.CONF).engine())
        )
        self.assertEqual(64, len(engines))
        self.assertEqual(1, len(set(map(id, engines))))
        self.assertEqual(1, ours().count("nfv-mla policy and results"))

    def test_every_answer_is_that_of_one_generation(self) -> None:
        self.filter.filter_all(states(), spec())
        engine = worker.shared(site.CONF).engine()
        engine.refresher.stop()
        now = time.time()
        worlds = [
            {**site.ALL_GOOD, site.GOOD_2: Said(tpm("virtual"))},
            {**site.ALL_GOOD, site.GOOD_1: Said(tpm("virtual"))},
            {**site.ALL_GOOD, site.ENCLAVE: Said(tpm("virtual"))},
        ]
        snapshots, answers = [], []
        for number, world in enumerate([site.ALL_GOOD, *worlds], start=1):
            self.site.put_results(world, now + number)
            engine.feed.refresh(now + number)
            snapshots.append(engine.feed.snapshot)
            answers.append(names(self.filter.filter_all(states(), spec(TPM))))
        self.assertEqual(4, len({tuple(answer) for answer in answers}))
        allowed = {tuple(answer) for answer in answers}
        plain = names(self.filter.filter_all(states(), spec()))
        until = time.monotonic() + 1.0
        seen = set()
        over = threading.Event()

        def swap() -> None:
            number = 0
            while not over.wait(0.002):
                number += 1
                engine.feed.snapshot = snapshots[number % len(snapshots)]

        def ask() -> None:
            hosts = states()
            while time.monotonic() < until:
                found = tuple(names(self.filter.filter_all(hosts, spec(TPM))))
                self.assertIn(found, allowed)
                seen.add(found)
                self.assertEqual(
                    plain, names(self.filter.filter_all(hosts, spec()))
                )

        swapper = threading.Thread(target=swap)
        swapper.start()
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            self._together(ask)
        finally:
            sys.setswitchinterval(interval)
            over.set()
            swapper.join()
        self.assertEqual(allowed, seen)

    def test_a_request_is_reported_once_by_however_many_threads(
        self,
    ) -> None:
        request = spec({"nfv_mla:profile": "multi-tenant-hosting"})
        context = self.request()

        def ask() -> None:
            context.update_store()
            self.filter.filter_all(states(), request)

        self._together(ask, 16)
        self.assertEqual(1, len(self.site.requests()))


class UnavailableTest(site.SiteTestCase):
    """What cannot be made now is tried again later."""

    def setUp(self) -> None:
        super().setUp()
        self.ready()

    def _engine(self, here: worker.Worker) -> bool:
        try:
            here.engine()
        except worker.Unavailable:
            return False
        return True

    def test_a_failure_is_logged_once_and_mended_after_a_time(self) -> None:
        here = worker.Worker(site.CONF, retry_s=0.05)
        self.addCleanup(here.stop)
        key = self.site.directory / "alice.pub"
        pem = key.read_text()
        key.unlink()
        with self.assertLogs(OURS, logging.INFO) as logs:
            for _ in range(3):
                self.assertFalse(self._engine(here))
                time.sleep(0.06)
            key.write_text(pem)
            self.assertTrue(self._engine(here))
        self.assertEqual(1, sum("cannot judge" in m for m in logs.output))
        self.assertEqual(1, sum("can judge again" in m for m in logs.output))

    def test_it_is_not_tried_at_each_request(self) -> None:
        here = worker.Worker(site.CONF)
        with (
            self.assertLogs(OURS, logging.ERROR),
            mock.patch.object(
                worker, "_engine", side_effect=ImportError("gone")
            ) as tried,
        ):
            for _ in range(5):
                self.assertFalse(self._engine(here))
        self.assertEqual(1, tried.call_count)

    def test_the_filter_goes_on_without_it(self) -> None:
        self.set(officer_keys=["/nonexistent/alice.pub"], officer_threshold=1)
        ours = NfvMlaFilter()
        with self.assertLogs(OURS, logging.INFO) as logs:
            self.assertEqual(7, len(ours.filter_all(states(), spec())))
            self.assertEqual([], ours.filter_all(states(), spec(TPM)))
            hint = spec(hints={"nfv_mla:pool": ["x"]})
            self.assertEqual([], ours.filter_all(states(), hint))
        self.assertIn("unavailable", logs.output[-1])
        self.set(without_policy="refuse_all")
        self.assertEqual([], ours.filter_all(states(), spec()))

    def test_an_unreadable_choice_refuses_everybody(self) -> None:
        with mock.patch.object(
            worker.options, "settings", side_effect=ValueError
        ):
            path = self.site.configure({"without_policy": "refuse"})
            site.CONF.clear_override("without_policy", group="nfv_mla")
            site.CONF([], project="nova", default_config_files=[path])
            with self.assertLogs(OURS, logging.ERROR):
                left = NfvMlaFilter().filter_all(states(), spec())
        self.assertEqual([], left)

    def test_a_thread_that_cannot_start_is_a_failure_like_others(
        self,
    ) -> None:
        here = worker.Worker(site.CONF, retry_s=0.0)
        self.addCleanup(here.stop)
        with (
            self.assertLogs(OURS, logging.ERROR),
            mock.patch.object(
                threading.Thread, "start", side_effect=RuntimeError("can't")
            ),
        ):
            self.assertFalse(self._engine(here))
        self.assertTrue(self._engine(here))

    def test_a_slow_first_load_is_not_waited_for_for_ever(self) -> None:
        self.set(first_load_timeout_s=0.01)
        loaded = threading.Event()
        refresh = Feed.refresh

        def slowly(feed: Feed, now: float) -> None:
            loaded.wait(5)
            refresh(feed, now)

        with mock.patch.object(Feed, "refresh", slowly):
            with self.assertLogs(OURS, logging.WARNING) as logs:
                engine = worker.shared(site.CONF).engine()
            self.assertIn("not loaded policy", logs.output[0])
            self.assertIsNone(engine.feed.snapshot.policy)
            loaded.set()
            self.wait_for(lambda: engine.feed.snapshot.policy)

    def test_the_policy_of_before_a_restart_holds_at_once(self) -> None:
        ours = NfvMlaFilter()
        self.assertEqual([], ours.filter_all(states(site.OWNED), spec()))
        worker.stop_all()
        self.set(first_load_timeout_s=0.0)
        with (
            mock.patch.object(Feed, "refresh"),
            self.assertLogs(OURS, logging.INFO),
        ):
            self.assertEqual([], ours.filter_all(states(site.OWNED), spec()))
            self.assertEqual([], ours.filter_all(states(), spec(TPM)))
