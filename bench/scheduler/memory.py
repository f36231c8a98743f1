# SPDX-License-Identifier: Apache-2.0
"""What a worker holds in memory, and what that costs the garbage collector.

Counts all that Python allocates, in whichever thread, while a worker starts,
loads policy and results, and judges one requirement for all hosts, as far as
it is still held then.
"""

from __future__ import annotations

import gc
import tracemalloc

from bench import asks
from bench.meter import Samples
from bench.meter import cpu_seconds
from bench.scheduler.process import Scheduler

_COLLECTIONS = 5


def measure_memory(here: Scheduler) -> Samples:
    """Return bytes: all that is held, and of it what one requirement is."""
    gc.collect()
    tracemalloc.start()
    try:
        here.load()
        loaded = _held()
        here.ask(asks.MAIN)
        judged = _held()
    finally:
        tracemalloc.stop()
    here.unload()
    return {"memory": [judged], "memory-requirement": [judged - loaded]}


def measure_load(here: Scheduler) -> Samples:
    """Return what it costs to load, and then to collect garbage."""
    before = _collections()
    load = cpu_seconds(here.load)
    here.ask(asks.MAIN)
    after = _collections()
    more = [x - y for x, y in zip(after, before, strict=True)]
    return {"load": [load], "collection": more}


def _held() -> float:
    gc.collect()
    return float(tracemalloc.get_traced_memory()[0])


def _collections() -> list[float]:
    gc.collect()
    return sorted(cpu_seconds(gc.collect) for _ in range(_COLLECTIONS))
