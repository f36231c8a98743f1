# SPDX-License-Identifier: Apache-2.0
"""Nova or Placement fails at one kind of request, or at all of them."""

from __future__ import annotations

import dataclasses
import typing as ty

from tests.faults import faulty
from tests.faults import stories
from tests.faults.faulty import MODE
from tests.faults.faulty import Mode
from tests.faults.play import BAD
from tests.faults.play import GOOD
from tests.faults.play import StoryTestCase
from tests.faults.proxy import Fault
from tests.faults.proxy import How
from tests.faults.proxy import Request
from tests.faults.stories import Story

TIMES = 2
#: Of so many kinds one is tried quickly.
QUICK_EACH = 4
FAILURES = (How.CONFLICT, How.BUSY, How.ERROR, How.HANG, How.HALF)
SERVER = "/servers/"
#: In these Nova does what is asked, and only the answer is lost.
DONE = (How.DONE_HANG, How.HALF)
LOOK = "GET /compute/v2.1/servers/detail"

#: One of them is affected, the other is not.
TWO: dict[str, ty.Any] = {"servers": ("vm-1", "vm-2"), "per_minute": 100}
LIVE = dataclasses.replace(stories.LIVE, **TWO)
COLD = dataclasses.replace(stories.STOP_AND_COLD, **TWO)


class FailuresTestCase(StoryTestCase):
    """Tests in which a kind of request fails some times, and then no more."""

    timeout_s = 3.0

    def assert_comes_back(
        self,
        story: Story,
        kinds: set[str] | None = None,
        way: How | None = None,
    ) -> None:
        """Assert that a story ends as if no request had failed.

        :param kinds: that fail; None: each that the story has
        :param way: in which they fail; None: in all, or in some if quick
        """
        self.use_policy({story.axis.value: list(story.steps)}, _guard(story))
        expected = self.play(story)
        self.assert_told(story, expected)
        tried = 0
        for kind, how in _chosen(self.proxy.requests, kinds):
            if way not in (None, how):
                continue
            with self.subTest(kind, how=how.value):
                tried += 1
                fault = Fault(how, self._matches(kind), TIMES)
                state = self.play(story, fault)
                self.assertEqual([], expected.differs(state), self.log())
                # What is done all the same is not asked for again.
                self.assertIn(fault.met, range(1, TIMES + 1))
                if SERVER in kind and not kind.startswith("GET"):
                    self._assert_other_first(kind, how)
        self.assertGreater(tried, 0)

    def _matches(self, kind: str) -> ty.Callable[[Request], bool]:
        def matches(request: Request) -> bool:
            if request.kind != kind:
                return False
            # Of those about a server, only those about one of them.
            path = request.path.partition(SERVER)[2]
            return not path or path.startswith(
                (self.servers["vm-1"], "detail")
            )

        return matches

    def _assert_other_first(self, kind: str, how: How) -> None:
        """Assert that what befell one server did not keep the other."""
        first = {
            name: min(
                (
                    r.at
                    for r in self.proxy.requests
                    if r.kind == kind and uuid in r.path and r.status
                ),
                default=None,
            )
            for name, uuid in self.servers.items()
        }
        affected, other = first["vm-1"], first["vm-2"]
        self.assertIsNotNone(other)
        if affected is None:
            return
        if how in DONE:
            # Nova did it at the first time: both belong to one cycle.
            looks = [r.at for r in self.proxy.requests if r.kind == LOOK]
            same = [at for at in looks if affected < at < other]
            self.assertEqual([], same, self.proxy.requests)
        else:
            self.assertLess(other, affected, self.proxy.requests)


class FailingTest(FailuresTestCase):
    @faulty.quick
    def test_at_some_requests(self) -> None:
        self.assert_comes_back(COLD)

    def test_at_a_live_migration(self) -> None:
        kind = "POST /compute/v2.1/servers/ID/action os-migrateLive"
        self.assert_comes_back(LIVE, {kind})


@faulty.slow
class ConflictTest(FailuresTestCase):
    def test_at_any_request(self) -> None:
        self.assert_comes_back(COLD, way=How.CONFLICT)


@faulty.slow
class BusyTest(FailuresTestCase):
    def test_at_any_request(self) -> None:
        self.assert_comes_back(COLD, way=How.BUSY)


@faulty.slow
class ErrorTest(FailuresTestCase):
    def test_at_any_request(self) -> None:
        self.assert_comes_back(COLD, way=How.ERROR)


@faulty.slow
class HangTest(FailuresTestCase):
    def test_at_any_request(self) -> None:
        self.assert_comes_back(COLD, way=How.HANG)


@faulty.slow
class HalfTest(FailuresTestCase):
    def test_at_any_request(self) -> None:
        self.assert_comes_back(COLD, way=How.HALF)


@faulty.slow
class DoneTest(FailuresTestCase):
    """Nova did what it was asked, and its answer is lost."""

    def test_at_any_request(self) -> None:
        self.assert_comes_back(COLD, way=How.DONE_HANG)


class OutOfReachTest(StoryTestCase):
    """All of an API fails, for some minutes."""

    def test_nova(self) -> None:
        for how in (How.ERROR, How.HALF):
            with self.subTest(how.value):
                self._assert_waits_for("/compute", how)

    def _assert_waits_for(self, path: str, how: How) -> None:
        story = LIVE
        self.use_policy({story.axis.value: list(story.steps)}, _guard(story))
        self.set_up(story)
        self.assertEqual([], self._cycle().failures)
        self.fail_host(story)
        self.proxy.fault = Fault(how, lambda r: r.path.startswith(path))
        for _ in range(4):
            done = self._cycle()
            self.assertTrue(done.missing or done.failures)
            self.wait(faulty.INTERVAL_S)
        state = self.state()
        for server in state.servers.values():
            self.assertEqual((BAD, "active", "", False), server)
        self.proxy.fault = None
        self._assert_recovers(story)

    def test_placement(self) -> None:
        """Whom Nova alone can fence, lock and halt is not waited for."""
        story = dataclasses.replace(stories.STOP, **TWO)
        self.use_policy({story.axis.value: list(story.steps)}, _guard(story))
        self.set_up(story)
        self._cycle()
        self.fail_host(story)
        self.proxy.fault = Fault(
            How.ERROR, lambda r: r.path.startswith("/placement")
        )
        for _ in range(4):
            self._cycle()
            self.wait(faulty.INTERVAL_S)
        state = self.state()
        self.assertEqual("disabled", state.services[BAD][0])
        for server in state.servers.values():
            self.assertEqual((BAD, "stopped", "", True), server, self.log())
        self.proxy.fault = None
        self._assert_recovers(story)

    def _cycle(self) -> ty.Any:
        done = self.cycle()
        assert done is not None, self.log()
        return done

    def _assert_recovers(self, story: Story) -> None:
        self.rest()
        self.recover_host()
        self.rest()
        state = self.state()
        for server in state.servers.values():
            host = GOOD if story.moved else BAD
            self.assertEqual((host, "active", "", False), server)
        for service in state.services.values():
            self.assertEqual(("enabled", "", False), service)


def _guard(story: Story) -> dict[str, int]:
    return {
        **StoryTestCase.guard,
        "evictions_per_minute": story.per_minute,
    }


def _chosen(
    requests: list[Request], kinds: set[str] | None
) -> ty.Iterator[tuple[str, How]]:
    """Yield what is to fail, and how: all, or each in one of the ways."""
    asked = {
        r.kind: r.writes for r in requests if not kinds or r.kind in kinds
    }
    for number, (kind, writes) in enumerate(sorted(asked.items())):
        ways = (*FAILURES, How.DONE_HANG) if writes else FAILURES
        if MODE is not Mode.QUICK:
            for how in ways:
                yield kind, how
        elif number % QUICK_EACH == 0 or len(asked) == 1:
            yield kind, ways[number // QUICK_EACH % len(ways)]
