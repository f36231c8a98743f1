# SPDX-License-Identifier: Apache-2.0
"""A monitor in a process of its own, one cycle at a time.

Run as ``python -m bench.monitor.subject FILE``: does what a line of standard
input says, and answers with a line of JSON.  A cycle is what
``Service.once`` does, as ``nfv-mla-monitor --once`` would: refresh policy and
results, look, judge, plan, act, report, write the status.  Nobody imports it:
what a monitor imports is not to be in the process that measures.
"""

from __future__ import annotations

import collections
import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from bench.meter import cpu_seconds
from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor import works
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.observing.observer import Observer
from nfv_mla_scheduler.monitor.service import Service


def told(report: CycleReport) -> dict[str, Any]:
    """Return what one cycle found and did, in numbers."""
    found: collections.Counter[str] = collections.Counter()
    if report.ruling is not None:
        verdict = report.ruling.verdict
        for finding in verdict.servers.values():
            found[f"servers {finding.kind.value}"] += 1
        for host in verdict.hosts.values():
            found[f"hosts {host.kind.value}"] += 1
        found["servers that comply"] = len(verdict.complies)
        found["tampered"] = len(verdict.tampered)
    done: collections.Counter[str] = collections.Counter(
        f"{o.step.value if o.step else 'other'} {o.code.value}"
        for o in report.outcomes
    )
    picture = report.picture
    return {
        "failures": [f"{f.part.value}: {f.text}" for f in report.failures],
        "missing": list(picture.missing) if picture else ["everything"],
        "servers": len(picture.servers) if picture else 0,
        "found": dict(found),
        "done": dict(done),
        "changes": len(report.outcomes),
    }


def _memory(name: str) -> int:
    """Return a size that the kernel tells of this process, in bytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


class _Timed:
    """Notes what was spent before a cycle: on policy and results."""

    def __init__(self) -> None:
        self.began = 0.0
        self.before_s = 0.0

    def build(self, *args: Any, **more: Any) -> works.Works:
        """Put the parts of a cycle together as they are."""
        built = works.build(*args, **more)
        run = built.cycle.run

        def noted(*args: Any, **kwargs: Any) -> CycleReport:
            self.before_s = time.process_time() - self.began
            return run(*args, **kwargs)

        built.cycle.run = noted  # type: ignore[method-assign]
        return built


class _Bench:
    """Does what it is asked to."""

    def __init__(self, options: str, dry_run: bool) -> None:
        self._conf = cfg.ConfigOpts()
        parts.register(self._conf)
        self._conf([], project="nfv-mla", default_config_files=[options])
        self._parts = parts.read(self._conf)
        self._timed = _Timed()
        self._service = Service(
            self._parts, self._conf, dry_run, self._timed.build
        )
        self._report: CycleReport | None = None

    def cycle(self) -> dict[str, Any]:
        began = time.monotonic()
        cpu_s = cpu_seconds(self._once)
        assert self._report is not None
        return {
            "cpu_s": cpu_s - self._timed.before_s,
            "reading_s": self._timed.before_s,
            "wall_s": time.monotonic() - began,
            "rss": _memory("VmRSS"),
            "peak": _memory("VmHWM"),
            **told(self._report),
        }

    def listing(self) -> dict[str, Any]:
        # with a connection and a memory of its own, as at a start
        observer = Observer(works.connect(self._parts, self._conf))
        now, monotonic = time.time(), time.monotonic()
        return {"cpu_s": cpu_seconds(lambda: observer.look(now, monotonic))}

    def traits(self) -> dict[str, Any]:
        ruling = self._report.ruling if self._report else None
        assert ruling is not None
        return {t: sorted(p) for t, p in ruling.verdict.traits.items()}

    def profile(self) -> dict[str, Any]:
        import cProfile
        import io
        import pstats

        profiler = cProfile.Profile()
        profiler.runcall(self._once)
        text = io.StringIO()
        stats = pstats.Stats(profiler, stream=text)
        stats.sort_stats("tottime").print_stats(45)
        stats.sort_stats("cumulative").print_stats(60)
        return {"text": text.getvalue()}

    def _once(self) -> None:
        self._timed.began = time.process_time()
        self._report = self._service.once()


def main(argv: list[str]) -> int:
    """Answer until there is no more to answer."""
    bench = _Bench(argv[0], "--dry-run" in argv[1:])
    does: dict[str, Callable[[], dict[str, Any]]] = {
        "cycle": bench.cycle,
        "listing": bench.listing,
        "traits": bench.traits,
        "profile": bench.profile,
    }
    for line in sys.stdin:
        print(json.dumps(does[line.strip()]()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
