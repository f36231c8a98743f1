# SPDX-License-Identifier: Apache-2.0
"""How soon the monitor acts when an authority says that a host is bad.

Everybody is a program of its own, as on a site: laboratories with signed
EARs, the collector, the monitor, the cloud.  Times are by the clock on the
wall, and end when the cloud has been asked for the last of it.
"""

from __future__ import annotations

import json
import pathlib
import tempfile
import time
from collections.abc import Callable

from bench.meter import Samples
from bench.monitor import town
from bench.monitor.programs import Program
from bench.monitor.town import Town
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.https import Client
from tests.simulated.apart import CloudApart

KNOCKS = 3
TURNS = 4
#: The collector asks again for a knock not before that.
REST_S = 2.2

_LOCK = "POST compute/servers/{id}/action lock"
_FENCE = "PUT compute/os-services/{id}"
_LOOK_S = 0.005
_JSON = "application/json"


def measure_alarm(
    names: frozenset[str], tell: Callable[[str], None]
) -> Samples:
    """Return samples of ``locked`` and ``fenced``, as far as wanted."""
    samples: Samples = {}
    with (
        tempfile.TemporaryDirectory(prefix="nfv-mla-bench-") as path,
        town.new_cloud() as cloud,
    ):
        directory = pathlib.Path(path)
        here = Town(directory)
        here.start()
        try:
            collector = Program(
                "nfv_mla_scheduler.cmd.collector_service",
                here.collector(),
                directory / "collector.log",
            )
            with collector:
                collector.wait(here.results_file.exists)
                if "locked" in names:
                    tell("knocking at the monitor's webhook")
                    origin = here.over_https(collector.port())
                    with _Watched(here, cloud, "knocked", origin) as monitor:
                        samples["locked"] = monitor.knocks()
                if "fenced" in names:
                    tell("turning hosts bad between two questions")
                    origin = {"results_file": here.results_file}
                    with _Watched(here, cloud, "asked", origin) as monitor:
                        samples["fenced"] = [max(monitor.turns())]
        finally:
            here.stop()
    return samples


class _Watched:
    """A monitor that runs, and what the cloud is asked by it."""

    def __init__(
        self,
        here: Town,
        cloud: CloudApart,
        name: str,
        origin: dict[str, object],
    ) -> None:
        self._here = here
        self._cloud = cloud
        options = here.monitor(name, cloud.credentials(), **origin)
        self._program = Program(
            "nfv_mla_scheduler.cmd.monitor_service",
            options,
            options.with_suffix(".log"),
        )

    def __enter__(self) -> _Watched:
        try:
            self._client = self._here.asks(self._program.port())
            self._program.wait(lambda: _ready(self._client))
        except BaseException:
            self._program.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._program.__exit__()

    def knocks(self) -> list[float]:
        """Return how long all servers of a host take to be locked.

        As Keylime knocks; from then on everything is real: the collector is
        told to ask, asks, signs and publishes, the monitor reads that, looks,
        judges, fences and locks.
        """
        found = []
        for host in town.hosts_of(town.RARELY)[:KNOCKS]:
            self._here.turn_bad(town.RARELY, host)
            before = self._cloud.calls[_LOCK]
            message = json.dumps({"type": "revocation", "agent_id": host})
            body = json.dumps({"msg": message, "signature": ""}).encode()
            began = time.monotonic()
            self._client.post(
                "/v1/webhook/keylime",
                body,
                _JSON,
                accept=(_JSON,),
                also=frozenset((202,)),
            )
            self._until(_LOCK, before + town.SERVERS)
            found.append(time.monotonic() - began)
            time.sleep(REST_S)
        return found

    def turns(self) -> list[float]:
        """Return how long hosts take to be fenced, at several moments.

        From the moment at which the laboratory would answer so.
        """
        found = []
        cadence_s = town.CADENCE_S[town.OFTEN]
        for turn, host in enumerate(town.hosts_of(town.OFTEN)[:TURNS]):
            time.sleep(cadence_s * turn / TURNS)
            before = self._cloud.calls[_FENCE]
            self._here.turn_bad(town.OFTEN, host)
            began = time.monotonic()
            self._until(_FENCE, before + 1)
            found.append(time.monotonic() - began)
        return found

    def _until(self, call: str, times: int) -> None:
        self._program.wait(lambda: self._cloud.calls[call] >= times, _LOOK_S)


def _ready(client: Client) -> bool:
    try:
        answer = client.get("/ready", accept=(), also=frozenset((503,)))
    except ContactFailed:
        return False
    return answer.status == 200
