# SPDX-License-Identifier: Apache-2.0
"""A monitor is killed at each of its requests, and the next one ends well."""

from __future__ import annotations

import itertools
import typing as ty

from tests.faults import stories
from tests.faults.faulty import slow
from tests.faults.play import StoryTestCase
from tests.faults.play import chosen
from tests.faults.proxy import Fault
from tests.faults.proxy import Matches
from tests.faults.proxy import Request
from tests.faults.stories import Story
from tests.functional import world


class KillsTestCase(StoryTestCase):
    """Tests that play one story again and again, with one kill in each."""

    def assert_ends_as_if_never_killed(self, story: Story) -> None:
        """Assert that no kill makes a difference in the end."""
        self.use_policy(
            {story.playbook: list(story.steps)},
            {**self.guard, "evictions_per_minute": story.per_minute},
        )
        expected = self.play(story)
        requests = self.proxy.requests
        self.assert_told(story, expected)
        self.assertEqual([], list(self.what_is_wrong(story)))
        wrong = []
        tried = 0
        for request, how in chosen(requests):
            tried += 1
            fault = Fault(how, _same(request, requests), 1)
            for line in self.killed(story, expected, fault):
                where = f"{request.number} of {len(requests)}, {request.kind}"
                wrong.append(f"{how.value}: {where}: {line}")
        self.assertGreater(tried, len(story.asked))
        self.assertEqual([], wrong, "\n".join(wrong))

    def assert_ends_as_if_not_killed_by_power(self, story: Story) -> None:
        """Assert the same of a kill beside the operator's command."""
        self.use_policy({story.playbook: list(story.steps)}, self.guard)
        expected = self.play(story)
        self.assert_told(story, expected)
        for kill in ("kill-before", "kill-after"):
            state = self.play(story, power_kill=kill)
            self.assertEqual(1, self.died, kill)
            self.assertEqual([], expected.differs(state), kill)
            self.assertEqual([], list(self.what_is_wrong(story)))


class MovesTest(KillsTestCase):
    def test_while_it_live_migrates(self) -> None:
        self.assert_ends_as_if_never_killed(stories.LIVE)

    @slow
    def test_while_it_migrates_and_confirms(self) -> None:
        self.assert_ends_as_if_never_killed(stories.COLD)

    @slow
    def test_while_it_has_only_a_little_to_spend(self) -> None:
        self.assert_ends_as_if_never_killed(stories.BUDGET)


class HaltsTest(KillsTestCase):
    def test_while_it_stops_and_migrates(self) -> None:
        self.assert_ends_as_if_never_killed(stories.STOP_AND_COLD)

    @slow
    def test_while_it_stops(self) -> None:
        self.assert_ends_as_if_never_killed(stories.STOP)

    @slow
    def test_while_it_unpauses_and_stops(self) -> None:
        self.assert_ends_as_if_never_killed(stories.UNPAUSE_AND_STOP)


class EvacuateTest(KillsTestCase):
    def test_while_it_evacuates(self) -> None:
        self.assert_ends_as_if_never_killed(stories.EVACUATE)

    def test_by_the_command_that_switches_a_host_off(self) -> None:
        self.assert_ends_as_if_not_killed_by_power(stories.EVACUATE)


@slow
class RebuildTest(KillsTestCase):
    def test_while_it_rebuilds_elsewhere(self) -> None:
        self.assert_ends_as_if_never_killed(stories.REBUILD)


@slow
class WithheldTest(KillsTestCase):
    """A host's results go stale, while its authority speaks of others."""

    def test_while_it_stops_and_migrates(self) -> None:
        self.assert_ends_as_if_never_killed(stories.WITHHELD)

    def test_while_it_stops(self) -> None:
        self.assert_ends_as_if_never_killed(stories.WITHHELD_STOP)


class MisplacedTest(KillsTestCase):
    """A server is forced to a host where it may never be."""

    hosts = (world.WEB, world.GOOD_2)

    def test_while_it_live_migrates(self) -> None:
        self.assert_ends_as_if_never_killed(stories.MISPLACED)


@slow
class TraitsTest(KillsTestCase):
    """Hosts of a pool have its trait, as long as they are its members."""

    hosts = (world.KEY_1, world.KEY_2, world.WEB)

    @classmethod
    def next_policy(cls, **how: ty.Any) -> dict[str, ty.Any]:
        document = super().next_policy(**how)
        # Or else they would not be members: the class asks for it.
        for host in document["hosts"].values():
            controls = {"capability": "physical-controls", "values": ["rack"]}
            host["declared"].append({**host["declared"][0], **controls})
        return document

    def test_while_it_live_migrates(self) -> None:
        self.assert_ends_as_if_never_killed(stories.TRAITS)


def _same(wanted: Request, among: list[Request]) -> Matches:
    """Return what finds the same request when a story is played again."""
    before = among[: wanted.number]
    nth = sum(request.kind == wanted.kind for request in before)
    seen = itertools.count(1)
    return lambda request: request.kind == wanted.kind and next(seen) == nth
