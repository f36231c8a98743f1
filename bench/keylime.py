# SPDX-License-Identifier: Apache-2.0
"""What the driver for Keylime costs, against a real verifier and registrar.

Needs the box (``keylime_box``); imports it only when it is wanted.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import pathlib
import sqlite3
import time
import tracemalloc
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from bench.meter import Samples

if TYPE_CHECKING:
    from keylime_box.box import Box

AGENTS = 1000
#: How many drivers begin anew.
FIRSTS = 2
NAME = "keylime"

_TAG_PCR = 15
_TAG = b"bench"
_SKEW_S = 30.0
# Of an agent that has been attested for days.
_COUNT = 100_000
_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat behind the name: group, CPU of user and system.
_GROUP, _USER, _SYSTEM = 2, 11, 12
_FILLED = "filled"


def lacks_keylime() -> str:
    """Return what is missing here, and what to do; empty: nothing."""
    from keylime_box import installation
    from keylime_box.errors import NotInstalled

    try:
        installation.check()
    except NotInstalled as exc:
        return str(exc)
    return ""


def measure_keylime(
    rounds: int, facts: dict[str, int], tell: Callable[[str], None]
) -> Samples:
    """Return samples of all figures of the part.

    :param rounds: how many times each of some drivers is asked again
    """
    from keylime_box.box import Box
    from keylime_box.settings import Settings

    tell("starting Keylime in a box")
    with Box(chosen=Settings(measured_boot_evaluate="always")) as box:
        keys = _fill(box)
        facts["agents of Keylime"] = len(keys)
        samples: Samples = {}
        for number in range(1, FIRSTS + 1):
            tell(f"asking for {AGENTS} agents, {number} of {FIRSTS}")
            with contextlib.closing(_Asked(box, keys)) as asked:
                _of_first(asked, samples)
                for _ in range(rounds):
                    _of_warm(box, asked, samples)
        tell("measuring the driver's memory")
        with contextlib.closing(_Asked(box, keys)) as asked:
            samples["keylime-memory"] = [float(_peak(asked))]
    return samples


def _fill(box: Box) -> Mapping[str, tuple[str, ...]]:
    """Write agents into the databases; return their keys, as pinned."""
    from keylime_box import golden
    from keylime_box.policy import HEALTHY_FILES
    from keylime_box.policy import Policy
    from keylime_box.settings import VERIFIER_DATABASE
    from keylime_box.tenant import passes

    node = box.node("first", {_TAG_PCR: _TAG})
    events = golden.boot(tags={_TAG_PCR: _TAG})
    box.enrol(
        node,
        Policy(
            pcrs={_TAG_PCR: [golden.measured(_TAG)]},
            files=HEALTHY_FILES,
            measured_boot=golden.reference(events),
        ),
    )
    box.wait(node, passes)
    keys = box.fill(AGENTS, like=node)
    box.remove(node)
    database = sqlite3.connect(box.state / VERIFIER_DATABASE, timeout=60)
    with contextlib.closing(database), database:
        database.execute(
            "UPDATE verifiermain SET attestation_count = ?"
            " WHERE verifier_id = ?",
            (_COUNT, _FILLED),
        )
    return {
        agent: (f"sha256:{hashlib.sha256(key).hexdigest()}",)
        for agent, key in keys.items()
    }


class _Asked:
    """A driver that is asked about all agents, and counts its calls."""

    def __init__(self, box: Box, keys: Mapping[str, tuple[str, ...]]) -> None:
        from nfv_mla_scheduler.authority.keylime.driver import KeylimeAuthority
        from nfv_mla_scheduler.authority.template import Setting
        from nfv_mla_scheduler.authority.values import Inquiry
        from nfv_mla_scheduler.standard.catalogue import load

        options = {
            option.dest: option.default for option in KeylimeAuthority.OPTIONS
        }
        self._driver = KeylimeAuthority(
            Setting(NAME, {**options, **box.options()}, load())
        )
        self._inquiry = Inquiry(tuple(sorted(keys)), {}, _SKEW_S, keys)
        self.calls = 0
        for client in self._driver._clients:
            client.get = self._counted(client.get)  # type: ignore[method-assign]

    def _counted(self, get: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self.calls += 1
            return get(*args, **options)

        return counted

    def collect(self) -> None:
        found = self._driver.collect(self._inquiry, time.time())
        if len(found.results) != AGENTS or found.problems:
            raise RuntimeError(f"agents are refused: {found.problems[:3]}")
        keyless = [r for r in found.results.values() if not r.key]
        if keyless:
            raise RuntimeError(f"no key was compared: {keyless[:3]}")

    def close(self) -> None:
        self._driver.close()


def _of_first(asked: _Asked, samples: Samples) -> None:
    gc.collect()
    began = time.monotonic()
    asked.collect()
    _add(samples, "keylime-first", time.monotonic() - began)
    _add(samples, "keylime-calls-first", asked.calls)


def _of_warm(box: Box, asked: _Asked, samples: Samples) -> None:
    gc.collect()
    asked.calls = 0
    theirs, ours = _group_cpu_s(box), time.process_time()
    began = time.monotonic()
    asked.collect()
    _add(samples, "keylime", time.monotonic() - began)
    _add(samples, "keylime-cpu", time.process_time() - ours)
    _add(samples, "keylime-verifier-cpu", _group_cpu_s(box) - theirs)
    _add(samples, "keylime-calls", asked.calls)


def _peak(asked: _Asked) -> int:
    """Return what an answer needs at most, and the driver holds, in bytes."""
    tracemalloc.start()
    try:
        asked.collect()
        gc.collect()
        tracemalloc.reset_peak()
        asked.collect()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _add(samples: Samples, name: str, sample: float) -> None:
    samples.setdefault(name, []).append(sample)


def _group_cpu_s(box: Box) -> float:
    """Return the CPU that the verifier's processes have used."""
    group, ticks = str(box.verifier.process.pid), 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(") ")[2].split()
            if fields[_GROUP] == group:
                ticks += int(fields[_USER]) + int(fields[_SYSTEM])
    return ticks / _TICKS
