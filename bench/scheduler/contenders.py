# SPDX-License-Identifier: Apache-2.0
"""What takes turns: filters, weighers, refreshes.  See ``meter.py``."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nova.scheduler.filters import aggregate_instance_extra_specs
from nova.scheduler.filters import compute_capabilities_filter
from nova.scheduler.filters import compute_filter
from nova.scheduler.weights import cpu

from bench import asks
from bench.asks import Specs
from bench.meter import Contender
from bench.meter import cpu_seconds
from bench.scheduler import novas
from bench.scheduler.process import Scheduler
from nfv_mla_scheduler.scheduler import weighers


class Filtering:
    """One filter is asked the same again and again."""

    def __init__(
        self, name: str, filter_: Any, specs: Specs, here: Scheduler
    ) -> None:
        self._name = name
        self._filter = filter_
        self._spec = novas.request_spec(specs)
        self._here = here

    def prepare(self) -> None:
        self._here.filter_all(self._filter, self._spec)

    def sample(self) -> Mapping[str, float]:
        here = self._here
        cost = cpu_seconds(lambda: here.filter_all(self._filter, self._spec))
        return {self._name: cost / len(here.states)}


class Cold:
    """Our filter is asked what it was never asked before."""

    def __init__(
        self, name: str, never_seen: Iterator[Specs], here: Scheduler
    ) -> None:
        self._name = name
        self._never_seen = never_seen
        self._here = here

    def prepare(self) -> None:
        self._spec = novas.request_spec(next(self._never_seen))

    def sample(self) -> Mapping[str, float]:
        here = self._here
        cost = cpu_seconds(lambda: here.filter_all(here.filter, self._spec))
        return {self._name: cost / len(here.states)}


class Steady:
    """Many requirements in turn, while results go on to change."""

    def __init__(self, here: Scheduler) -> None:
        self._here = here
        self._specs = [novas.request_spec(specs) for specs in asks.many()]
        # twice, so that what was judged first has run out here and there
        self._turn()
        self._turn()

    def prepare(self) -> None:
        """Nothing: the turn before has done it."""

    def sample(self) -> Mapping[str, float]:
        requests, refreshes = self._turn()
        here = self._here
        return {
            "steady": requests / len(self._specs) / len(here.states),
            "refresh-renewed": refreshes
            * asks.PER_GENERATION
            / len(self._specs),
        }

    def _turn(self) -> tuple[float, float]:
        """Return what all requests cost, and what all refreshes do."""
        here = self._here
        requests = refreshes = 0.0
        for number, spec in enumerate(self._specs):
            if number % asks.PER_GENERATION == 0:
                here.site.go_on()
                here.publish()
                refreshes += cpu_seconds(here.refresh)
            ask = functools.partial(here.filter_all, here.filter, spec)
            requests += cpu_seconds(ask)
        return requests, refreshes


class Weighing:
    """A weigher is asked as Nova's handler does: weights, then multipliers.

    The hosts are those that our filter has just let through.
    """

    def __init__(self, name: str, weigher: Any, here: Scheduler) -> None:
        self._name = name
        self._weigher = weigher
        self._spec = novas.request_spec(asks.MAIN)
        self._here = here

    def prepare(self) -> None:
        self._weighed = self._here.weighed(asks.MAIN)

    def sample(self) -> Mapping[str, float]:
        cost = cpu_seconds(self._weigh)
        return {self._name: cost / len(self._weighed)}

    def _weigh(self) -> None:
        self._weigher.weigh_objects(self._weighed, self._spec)
        for weighed in self._weighed:
            self._weigher.weight_multiplier(weighed.obj)


class Refresh:
    """A worker takes a document in which every time has changed."""

    def __init__(self, here: Scheduler) -> None:
        self._here = here

    def prepare(self) -> None:
        self._here.site.appraise_all()
        self._here.publish()

    def sample(self) -> Mapping[str, float]:
        return {"refresh": cpu_seconds(self._here.refresh)}


def contenders(here: Scheduler, names: frozenset[str]) -> list[Contender]:
    """Return what has to take turns for these figures."""
    aggregates = (
        aggregate_instance_extra_specs.AggregateInstanceExtraSpecsFilter
    )
    capabilities = compute_capabilities_filter.ComputeCapabilitiesFilter
    filterings = {
        "aggregates": (aggregates, asks.AGGREGATES),
        "compute": (compute_filter.ComputeFilter, asks.AGGREGATES),
        "capabilities": (capabilities, asks.CAPABILITIES),
        "warm": (lambda: here.filter, asks.MAIN),
        "nothing": (lambda: here.filter, asks.NOTHING),
    }
    weighings = {
        "cpu-weigher": cpu.CPUWeigher,
        "assurance": weighers.NfvMlaAssuranceWeigher,
        "scarcity": weighers.NfvMlaScarcityWeigher,
    }
    found: list[Contender] = [
        Filtering(name, make(), specs, here)
        for name, (make, specs) in filterings.items()
        if name in names
    ]
    found += [
        Cold(name, asks.never_seen(waived=name == "cold-waived"), here)
        for name in ("cold", "cold-waived")
        if name in names
    ]
    found += [
        Weighing(name, weigher(), here)
        for name, weigher in weighings.items()
        if name in names
    ]
    if "refresh" in names:
        found.append(Refresh(here))
    if names.intersection(("steady", "refresh-renewed")):
        found.append(Steady(here))
    return found
