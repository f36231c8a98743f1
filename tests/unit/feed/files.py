# SPDX-License-Identifier: Apache-2.0
"""The files that a feed reads, in a temporary directory, and a feed on them.

Time stands still at ``policies.NOW`` until a test moves it.
"""

from __future__ import annotations

import pathlib
import tempfile
import time
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Self

from nfv_mla_scheduler.collector.app import App
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.feed.feed import Heed
from nfv_mla_scheduler.feed.feed import Sources
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.published import Origin
from nfv_mla_scheduler.feed.published import PublishedResults
from nfv_mla_scheduler.feed.results_client import ResultsClient
from nfv_mla_scheduler.feed.results_file import ResultsFile
from nfv_mla_scheduler.feed.results_url import WatchedUrl
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.breakglass import break_glass_envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.unit.collector.asking import Getting
from tests.unit.collector.asking import status

NOW = policies.NOW
AUTHORITY = "keylime-fra"
BER_1 = "d432fbb3-d2f1-4a97-9ef7-75bd81c00001"
BER_1_UUID = "11111111-1111-4111-8111-111111111111"
SERVER = "aaaaaaaa-0000-4000-8000-000000000001"


def tpm(value: str) -> dict[str, Claim]:
    """Return the claims of an authority that has seen such a TPM."""
    values = {"": frozenset({value})}
    return {"tpm": Claim("tpm", Status.AFFIRMING, Grade.BOOT, values)}


def version(number: int, *replacements: tuple[str, str]) -> bytes:
    """Return the signed example policy in another version."""
    text = policies.policy_yaml(
        ("version: 7", f"version: {number}"), *replacements
    )
    return policies.signed(text)


def results(
    value: str = "hardware",
    at: float = NOW,
    *,
    issued_at: float | None = None,
    collector: str = "collector-a",
    signer: str = "collector-a",
    authority: str = AUTHORITY,
    more: Sequence[str] = (),
) -> bytes:
    """Return a signed results document about the host ber-1.

    :param more: attesters of which the same is said
    """
    attesters = (BER_1, *more)
    draft = ResultsDraft(
        collector,
        at if issued_at is None else issued_at,
        {
            authority: {
                a: Result(authority, a, tpm(value), "boot-1", at)
                for a in attesters
            }
        },
        {authority: {a: Freshness(at, "boot-1") for a in attesters}},
    )
    return write(draft, policies.signer(signer))


def waiver(
    since: float = NOW,
    hours: int = 4,
    officers: Sequence[str] = ("alice",),
    server: str = SERVER,
) -> bytes:
    """Return a break-glass waiver for one server."""
    envelope = break_glass_envelope(
        policies.root(),
        BreakGlassTarget.SERVER,
        server,
        "the key store is down",
        since,
        hours,
    )
    return write_envelope(
        sign(envelope, [policies.signer(o) for o in officers])
    )


class Files:
    """A directory of files, and a feed that reads them.

    :ivar news: what the feed has told since it was last asked for
    """

    def __init__(self, directory: str) -> None:
        self.directory = pathlib.Path(directory)
        self.policy_file = self.directory / "policy.json"
        self.results_file = self.directory / "results.json"
        self.waivers = self.directory / "break-glass"
        self.waivers.mkdir()
        self.state = self.directory / "state"
        self.now = NOW
        self._news: list[News] = []
        self.feed = self.new_feed()

    @classmethod
    def of(cls, test: object) -> Self:
        """Return files that go when a test case ends."""
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)  # type: ignore[attr-defined]
        files = cls(directory.name)
        test.addCleanup(lambda: files.feed.close())  # type: ignore[attr-defined]
        return files

    def new_feed(
        self,
        results_max_bytes: int = 2**20,
        heed: Heed = lambda _: None,
    ) -> Feed:
        """Return a feed as after a restart."""
        teller = Teller(self._news.append)
        catalogue = load()
        self.feed = Feed(
            Sources(
                policies.root(), self.state, self.policy_file, self.waivers
            ),
            PublishedResults(
                self.origin(results_max_bytes),
                results_max_bytes,
                30.0,
                catalogue,
                teller,
            ),
            catalogue,
            dict,
            teller,
            heed,
        )
        return self.feed

    def origin(self, max_bytes: int) -> Origin:
        """Return where the feed's results come from."""
        return ResultsFile(self.results_file, max_bytes)

    def put_policy(self, data: bytes) -> None:
        publish(self.policy_file, data)

    def put_results(self, data: bytes) -> None:
        publish(self.results_file, data)

    def put_waiver(self, data: bytes, name: str = "one.json") -> None:
        publish(self.waivers / name, data)

    def refresh(self, after_s: float = 1.0) -> list[News]:
        """Let time pass, refresh, and return what was told."""
        self.now += after_s
        self._news.clear()
        self.feed.refresh(self.now)
        return list(self._news)

    def codes(self, after_s: float = 1.0) -> list[str]:
        """Let time pass, refresh, and return the codes of what was told."""
        return [news.code for news in self.refresh(after_s)]

    def tpm_value(self) -> str | None:
        """Return what the snapshot's results say of ber-1's TPM."""
        record = self.feed.snapshot.records.get(BER_1_UUID)
        if record is None or not record.results:
            return None
        (value,) = record.results[0].claims["tpm"].values[""]
        return value


class Lines(Getting):
    """A way to a collector that a test may cut.

    :ivar statuses: of the answers that came
    """

    def __init__(self, app: App, max_bytes: int) -> None:
        super().__init__(app)
        self._max_bytes = max_bytes
        self.broken = False
        self.statuses: list[int] = []

    def get(
        self,
        path_or_query: str = "",
        *,
        accept: Sequence[str],
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        also: Container[int] = (),
    ) -> Answer:
        if self.broken:
            raise ContactFailed(ContactCode.UNREACHABLE, "cannot be reached")
        answer = super().get(
            path_or_query,
            accept=accept,
            headers=headers,
            deadline_s=deadline_s,
            also=also,
        )
        if len(answer.body) > self._max_bytes:
            raise ContactFailed(ContactCode.TOO_LARGE, "too large")
        self.statuses.append(answer.status)
        return answer


class UrlFiles(Files):
    """The same with a collector that serves the results.

    Nobody sleeps: its thread asks again and again.
    """

    def __init__(self, directory: str) -> None:
        self.shelf = Shelf()
        super().__init__(directory)

    def origin(self, max_bytes: int) -> Origin:
        app = App(self.shelf, status, lambda authority, attesters: True)
        self.getting = Lines(app, max_bytes)
        client = ResultsClient(lambda: self.getting, max_bytes, wait_s=0)
        self.watched = Sleepless(client)
        return self.watched

    def put_results(self, data: bytes) -> None:
        self.shelf.put(data)

    def refresh(self, after_s: float = 1.0) -> list[News]:
        """Wait until the thread has seen what there is, and refresh."""
        self.watched.look()
        return super().refresh(after_s)


class Sleepless(WatchedUrl):
    """Asks without a pause, and lets a test wait until it has asked."""

    rounds = 0

    def _round(self) -> float:
        super()._round()
        self.rounds += 1
        return 0.001

    def _heard(self) -> float:
        """Wait for no verdict: it is a test that looks, when it likes."""
        return 0.0

    def look(self) -> None:
        """Wait until all that there was before has been seen."""
        with self._lock:
            self._begin()
        enough = self.rounds + 2
        end = time.monotonic() + 5
        while self.rounds < enough:
            assert time.monotonic() < end
            time.sleep(0.001)
