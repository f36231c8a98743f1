# SPDX-License-Identifier: Apache-2.0
"""What cycles cost at 10,000 hosts: CPU, calls, memory.

A first monitor fences whatever is bad; a second one, which knows nothing, is
measured from its first cycle on.  Then every cycle finds one server in a
thousand changed, and new results about one host in a hundred.  In the last
ones a host turns bad in each, so that there is something to do.
"""

from __future__ import annotations

import collections
import functools
import pathlib
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from bench.estate import Standing
from bench.meter import Samples
from bench.monitor import ground
from bench.monitor.apart import Subject
from bench.monitor.ground import SERVERS_PER_HOST
from bench.monitor.ground import Ground
from bench.site import GENERATION_S
from tests.simulated.apart import CloudApart

#: What changes from cycle to cycle: one server in so many.
CHANGED = 1000
#: Nova is asked for what has changed for so long; see ``overlap_s``.
OVERLAP_S = 300
CYCLE_S = 10
CYCLES = 9
ACTING = 3
#: Listings of everything, to be compared with.
LISTINGS = 2
#: Results of one cycle after the other have to come from the past.
LAG_S = GENERATION_S * (CYCLES + ACTING)
CALLS_A_CHANGE = 3
#: The more of them there are of one kind, the likelier they are for each host.
ALIKE = 20


class Odd(Exception):
    """The monitor did not do what it was to do, whatever it cost."""


def measure_cost(
    count: int, facts: dict[str, int], tell: Callable[[str], None]
) -> Samples:
    """Return the samples of ``figures.MONITOR_COST``.

    :param count: of hosts
    :param facts: gets what there is to say about what was measured
    :raises Odd: when servers are not found to comply, or hosts not fenced
    """
    tell("making a cloud, a signed policy and signed results")
    with (
        tempfile.TemporaryDirectory(prefix="nfv-mla-bench-") as path,
        CloudApart(
            hosts=count,
            servers=count * SERVERS_PER_HOST,
            extra_specs=functools.partial(ground.extra_specs, count),
            project=functools.partial(ground.project, count),
        ) as cloud,
    ):
        here = Ground(pathlib.Path(path), count, time.time() - LAG_S)
        here.put_policy()
        here.put_results()
        return _Course(here, cloud, facts, tell).run()


class _Course:
    """What is done with one cloud, step by step."""

    def __init__(
        self,
        here: Ground,
        cloud: CloudApart,
        facts: dict[str, int],
        tell: Callable[[str], None],
    ) -> None:
        self._here = here
        self._cloud = cloud
        self._facts = facts
        self._tell = tell
        self._batch = 0
        self._samples: Samples = collections.defaultdict(list)

    def run(self) -> Samples:
        self._prepare()
        credentials = self._cloud.credentials()
        options = self._here.configure("measured", credentials)
        with Subject(options) as monitor:
            self._first(monitor)
            self._quiet(monitor)
            self._acting(monitor)
            self._tell("listing everything, to compare with")
            for _ in range(LISTINGS):
                self._samples["listing"].append(monitor.listing_s())
        return dict(self._samples)

    def _prepare(self) -> None:
        """Have bad hosts fenced, and traits as they should be."""
        self._tell("fencing what is bad")
        options = self._here.configure(
            "first", self._cloud.credentials(), act="fence", traits="false"
        )
        with Subject(options) as monitor:
            told = monitor.cycle()
            self._facts["hosts that were fenced before"] = told["changes"]
            for trait, providers in monitor.wanted_traits().items():
                self._cloud.do("give_trait", trait, providers)
        # however long that took
        self._here.appraise_all(time.time() - LAG_S - self._here.now)
        self._here.put_results()
        now = int(time.time())
        for ago_s in range(OVERLAP_S, 0, -CYCLE_S):
            self._change(updated=float(now - ago_s))

    def _first(self, monitor: Subject) -> None:
        self._tell("the first cycle of a monitor that knows nothing")
        told = monitor.cycle()
        self._check(told)
        self._samples["first-cycle"].append(told["cpu_s"])
        self._samples["first-reading"].append(told["reading_s"])
        self._facts["servers"] = told["servers"]
        self._facts["servers that comply"] = told["found"][
            "servers that comply"
        ]

    def _quiet(self, monitor: Subject) -> None:
        self._tell("cycles in which nothing is to be done")
        for _ in range(CYCLES):
            told, calls = self._cycle(monitor)
            self._check(told)
            if told["changes"]:
                raise Odd(f"there was something to do: {told['done']}")
            self._samples["cycle"].append(told["cpu_s"])
            self._samples["calls"].append(sum(calls.values()))
            self._check_calls(calls)
        for name, number in calls.items():
            self._facts[f"calls of {name} in the last quiet cycle"] = number

    def _acting(self, monitor: Subject) -> None:
        """Have a host with servers that ask turn bad in each cycle."""
        self._tell("cycles in which a host turns bad")
        askers = collections.Counter(
            number % self._here.count
            for number in ground.asking(self._here.count)
        )
        hosts = {
            host.number: host
            for host in self._here.hosts
            if host.standing is Standing.GOOD
        }
        for number, _ in askers.most_common(ACTING):
            self._here.turn_bad(hosts[number])
            told, calls = self._cycle(monitor)
            if told["done"].get("fence done") != 1:
                raise Odd(f"a bad host was not fenced: {told['done']}")
            spare = sum(calls.values()) - CALLS_A_CHANGE * told["changes"]
            self._samples["calls-acting"].append(float(spare))
            self._samples["monitor-memory"].append(told["rss"])

    def _cycle(
        self, monitor: Subject
    ) -> tuple[dict[str, Any], Mapping[str, int]]:
        self._here.go_on()
        self._here.put_results()
        self._change()
        self._cloud.do("forget_calls")
        told = monitor.cycle()
        if told["failures"] or told["missing"]:
            raise Odd(f"it failed: {told['failures']} {told['missing']}")
        return told, self._cloud.calls

    def _change(self, **fields: Any) -> None:
        """Change one server in a thousand, others each time."""
        everything = self._here.count * SERVERS_PER_HOST
        numbers = range(self._batch, everything, CHANGED)
        self._batch += 1
        self._cloud.do("change_some", numbers, **fields)

    def _check(self, told: Mapping[str, Any]) -> None:
        wanted = len(ground.asking(self._here.count))
        if told["found"]["servers that comply"] != wanted:
            raise Odd(f"of {wanted} servers not all comply: {told['found']}")

    def _check_calls(self, calls: Mapping[str, int]) -> None:
        most = _most(calls.items())
        if most[1] > ALIKE:
            raise Odd(f"{most[1]} calls of {most[0]}: for each host?")


def _most(calls: Iterable[tuple[str, int]]) -> tuple[str, int]:
    return max(calls, key=lambda each: each[1])
