# SPDX-License-Identifier: Apache-2.0
"""Play a story, with and without a monitor that is killed in it."""

from __future__ import annotations

import collections
import dataclasses
import typing as ty

from nfv_mla_scheduler.monitor.findings import Kind
from tests.faults import database
from tests.faults import proxy as proxies
from tests.faults import traits
from tests.faults.faulty import MODE
from tests.faults.faulty import FaultsTestCase
from tests.faults.faulty import Mode
from tests.faults.faulty import State
from tests.faults.proxy import Fault
from tests.faults.proxy import How
from tests.faults.stories import Story
from tests.functional import world

BAD, GOOD = world.GOOD_1, world.GOOD_2
#: In which a live migration to a named host passes the scheduler by.
_FORCES = "2.29"
#: The operator's commands.  A host that is off has a file of its name.
_OFF = """\
[ -e "$1/kill-before" ] && rm "$1/kill-before" && kill -9 $(cat "$1/pid") && \
exit 0
: > "$1/$2.off"
[ -e "$1/kill-after" ] && rm "$1/kill-after" && kill -9 $(cat "$1/pid")
exit 0
"""
_STATUS = '[ -e "$1/$2.off" ] && echo off || echo on\n'


def _by_host(
    pairs: ty.Iterable[tuple[str, str]],
) -> ty.Mapping[str, list[str]]:
    found: dict[str, list[str]] = collections.defaultdict(list)
    for host, trait in pairs:
        found[host].append(trait)
    return found


def _forces_down(request: proxies.Request) -> bool:
    return isinstance(request.body, dict) and "forced_down" in request.body


@dataclasses.dataclass(frozen=True, slots=True)
class Played:
    """How everything is when nothing more is to be done.

    :ivar meanwhile: while the host is bad
    :ivar end: when it has recovered
    """

    meanwhile: State
    end: State

    def differs(self, other: Played) -> list[str]:
        """Return what is otherwise in another story, line by line."""
        meanwhile = self.meanwhile.differs(other.meanwhile)
        return [
            *(f"meanwhile: {line}" for line in meanwhile),
            *self.end.differs(other.end),
        ]


class StoryTestCase(FaultsTestCase):
    """Tests that play stories.

    :ivar bad: the host that turns bad
    :ivar is_off: whether it is switched off
    :ivar noticed: whether Nova would notice that
    """

    bad = BAD
    is_off = False
    noticed = True

    def play(
        self,
        story: Story,
        fault: Fault | None = None,
        power_kill: str = "",
    ) -> Played:
        """Play a story to its end, and return how everything is then.

        :param power_kill: whether the operator's command kills the monitor:
            ``kill-before`` or ``kill-after`` it has switched off the host
        """
        self.set_up(story, fault)
        if power_kill:
            (self.directory / power_kill).touch()
        self.fail_host(story)
        self.rest()
        meanwhile = self.state()
        self.recover_host()
        self.rest()
        return Played(meanwhile, self.state())

    def set_up(self, story: Story, fault: Fault | None = None) -> None:
        """Let everything be as it is before the host turns bad."""
        self.bad = story.bad
        self.is_off, self.noticed = False, story.noticed
        self.begin(traits=bool(story.traits))
        if story.power:
            self.options_now.update(self._power_commands())
            self._conf()
        owner = self.cloud.client(story.owner)
        for name in story.servers:
            self.put_server(name, story.axis, story.begins, owner)
        for name, action in story.before:
            owner.act(self.servers[name], action)
        # Its policy has settled: much that is found under a new one is held.
        self.proxy.again()
        self.assertIsNotNone(self.cycle(), self.log())
        self.end_monitor()
        self.proxy.again(fault)

    def fail_host(self, story: Story) -> None:
        """Let the host turn bad, in the way of the story."""
        if story.kind is Kind.MISPLACED:
            for server in self.servers.values():
                self.admin.live_migrate(
                    server, story.bad, microversion=_FORCES
                )
        elif story.kind is Kind.WITHHELD:
            self.silence(story.bad)
        else:
            self.contraindicate(story.bad, axis=story.axis)
        for host, forged in _by_host(story.forged).items():
            traits.give(self.admin, host, forged)

    def recover_host(self) -> None:
        """Let the host be well again."""
        off = self.directory / f"{self.bad}.off"
        if self.is_off:
            off.unlink()
            if not self.noticed:
                self.cloud.stop_compute(self.bad)
            self.cloud.start_compute(self.bad)
            self.is_off = False
        # Evidence is newer than the fence by whole seconds only.
        self.wait(2.0)
        self.recover()

    def between(self) -> None:
        off = self.directory / f"{self.bad}.off"
        if off.exists() and not self.is_off:
            self.is_off = True
            if self.noticed:
                self.cloud.stop_compute(self.bad)
                database.fall_silent(self.bad)

    def _power_commands(self) -> dict[str, object]:
        options: dict[str, object] = {}
        for name, script in (("off", _OFF), ("status", _STATUS)):
            path = self.directory / f"power-{name}.sh"
            path.write_text(script)
            words = ("/bin/sh", path, self.directory, "{host}")
            options[f"power_{name}_command"] = ",".join(map(str, words))
        return options

    def assert_told(self, story: Story, played: Played) -> None:
        """Assert that a story that nothing disturbs ends as it should."""
        state = played.end
        host = story.good if story.moved else story.bad
        moves = int(story.moved) + int(story.begins != story.bad)
        resting = "stopped" if story.before else "active"
        for name in story.servers:
            self.assertEqual(
                (host, resting, "", False), state.servers[name], self.log()
            )
            self.assertEqual([host], state.guests[name])
            self.assertEqual(moves, len(state.moves[name]))
        for service in state.services.values():
            self.assertEqual(("enabled", "", False), service)
        self._assert_told_of_host(story, played)
        forced = [r for r in self.proxy.requests if _forces_down(r)]
        self.assertEqual(
            [] if story.noticed else [True, False],
            [r.body["forced_down"] for r in forced],
        )
        asked = {r.action for r in self.proxy.requests if r.action}
        self.assertEqual(set(story.asked), asked)
        self.assertEqual(len(story.servers), len(self.begun()))

    def _assert_told_of_host(self, story: Story, played: Played) -> None:
        status, _, _ = played.meanwhile.services[story.bad]
        self.assertEqual("disabled" if story.fences else "enabled", status)
        ends = _by_host(story.traits)
        for host in self.hosts:
            self.assertEqual(ends[host], played.end.traits[host], host)
            bad = host == story.bad and story.fences
            meanwhile = played.meanwhile.traits[host]
            self.assertEqual([] if bad else ends[host], meanwhile, host)

    def killed(
        self, story: Story, expected: Played, fault: Fault
    ) -> ty.Iterator[str]:
        """Play a story with a kill, and yield what is wrong after it."""
        try:
            state = self.play(story, fault)
        except AssertionError as error:
            yield str(error)
            return
        yield from expected.differs(state)
        yield from self.what_is_wrong(story)
        if fault.met != 1 or self.died != 1:
            yield f"{fault.met} kills, {self.died} deaths"

    def what_is_wrong(self, story: Story) -> ty.Iterator[str]:
        most = self.most_in_a_minute()
        if most > story.per_minute:
            yield f"{most} evictions began within a minute: {self.begun()}"


def chosen(
    requests: list[proxies.Request], mode: Mode = MODE
) -> ty.Iterator[tuple[proxies.Request, How]]:
    """Yield at which requests to kill, and how.

    All that write, both ways.  What a monitor that dies at a request that
    only reads leaves behind is the same wherever that is between two that
    write; of those hence one of each kind, and each last one when it was
    answered: what a monitor writes for itself it writes then.  Quickly: those
    after which Nova is not as it was.
    """
    writes = {r.number for r in requests if r.writes}
    kinds: set[str] = set()
    for request in requests:
        if mode is not Mode.QUICK and (mode is Mode.EVERY or request.writes):
            yield request, How.KILL_BEFORE
            yield request, How.KILL_AFTER
        elif request.writes:
            yield request, How.KILL_AFTER
        elif mode is Mode.ALL:
            if request.kind not in kinds:
                yield request, How.KILL_BEFORE
            if request.number + 1 in writes:
                yield request, How.KILL_AFTER
        kinds.add(request.kind)
