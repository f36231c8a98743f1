# SPDX-License-Identifier: Apache-2.0
"""Have a collector ask about a host at once, when somebody knocked for it.

Speaks to the collector that results come from, in a thread of its own.  What
comes of it is seen in the results, and nowhere else.
"""

from __future__ import annotations

import json
import logging
import threading
import urllib.parse
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls

LOG = logging.getLogger(__name__)

DEADLINE_S = 10.0
BYTES_MAX = 2**16
# So often at most, however often somebody knocks.
INTERVAL_S = 1.0
# So many in one request: what a collector takes.
ASKED_MAX = 256

_JSON = "application/json"
Bound = Mapping[str, Mapping[str, object]]


# Has an authority asked soon; raises what is of this package, and no more.
Asks = Callable[[str, tuple[str, ...]], None]


class Refreshing:
    """Passes knocks on, those for one authority in one request.

    :param ask: tells the collector
    :param bound: returns authority -> attesters that are bound to a host;
        whatever else is named in a knock is passed over
    """

    def __init__(self, ask: Asks, bound: Callable[[], Bound]) -> None:
        self._ask = ask
        self._bound = bound
        self._wanted: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._failing = ""
        self._thread = threading.Thread(
            target=self._run, name="nfv-mla refreshing", daemon=True
        )

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def stop(self) -> None:
        """Have the thread end; does not wait for it."""
        self._stop.set()
        self._wake.set()

    def want(self, attesters: tuple[str, ...]) -> None:
        """Have these asked about soon; returns at once.

        Those that are bound to no host are not kept: whoever names others by
        the thousand takes the place of none.
        """
        bound = self._bound().values()
        known = {a for a in attesters if any(a in each for each in bound)}
        if not known:
            return
        with self._lock:
            self._wanted |= known
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stop.is_set():
                return
            self.pass_on()
            self._stop.wait(INTERVAL_S)

    def pass_on(self) -> None:
        """Tell the collector of all that is wanted; raises nothing."""
        with self._lock:
            wanted, self._wanted = self._wanted, set()
        for authority, attesters in self._bound().items():
            named = sorted(wanted & attesters.keys())
            for start in range(0, len(named), ASKED_MAX):
                self._tell(authority, tuple(named[start:][:ASKED_MAX]))

    def _tell(self, authority: str, attesters: tuple[str, ...]) -> None:
        try:
            self._ask(authority, attesters)
        except NfvMlaError as exc:
            self._failed(f"{exc} ({exc.code})")
        else:
            self._failing = ""

    def _failed(self, said: str) -> None:
        if said != self._failing:
            self._failing = said
            LOG.warning(
                "nfv-mla monitor: the collector cannot be told to ask: %s",
                said,
            )


def asks(settings: Settings) -> Asks | None:
    """Return who can be told; None: results come from no collector."""
    if settings.results is not ResultsFrom.HTTPS:
        return None
    url, ca_file = settings.results_url, settings.results_ca_file
    assert url is not None and ca_file is not None
    parts = urllib.parse.urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}/"
    tls = Tls(ca_file, settings.results_cert_file, settings.results_key_file)

    def ask(authority: str, attesters: tuple[str, ...]) -> None:
        body = {"authority": authority, "attesters": list(attesters)}
        client = Client(base, tls, deadline_s=DEADLINE_S, max_bytes=BYTES_MAX)
        try:
            client.post(
                "/v1/refresh",
                json.dumps(body).encode(),
                _JSON,
                accept=(_JSON,),
                also=frozenset((202,)),
            )
        finally:
            client.close()

    return ask
