# SPDX-License-Identifier: Apache-2.0
"""A results document that is refused as a whole, while Nova runs.

Each one praises a host that is not good, and says nothing of the good ones:
no claim comes from it, nothing that was held is lost, and the log says so
once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import typing as ty

from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.scheduler import worker
from tests.cloud.site import COLLECTOR
from tests.functional import placement
from tests.functional import world

_HOUR_S = 3600
_MAX_BYTES = 64 * 2**10


class ResultsFileTest(placement.PlacementTestCase):
    """The last good document stays."""

    options: ty.ClassVar = {"results_max_bytes": _MAX_BYTES}

    def setUp(self) -> None:
        super().setUp()
        # each test has its own share of what may be told
        worker.stop_all()
        self.publish()
        self.good = self.site.results_file.read_bytes()

    def _praise(self) -> None:
        world.praise(self.site, world.DULL)
        for host in (world.GOOD_1, world.GOOD_2):
            del self.site.attested[world.AUTHORITY][host]

    def _praising(self, signer: str = COLLECTOR) -> bytes:
        """Return a document that would do harm."""
        self._praise()
        self.site.publish(signer)
        return self.site.results_file.read_bytes()

    def _assert_all_is_as_before(self, code: str) -> None:
        self.rounds.wait()
        self.assertEqual(1, self.told(code, logging.WARNING), self.news())
        refused = self.tenant.create_server("vm", self.tpm, host=world.DULL)
        self.assert_reported(refused, {"no-claim": 1}, hosts=1)
        self.boot(self.tpm, world.GOOD_1)
        self.boot(self.plain, world.WEB)
        self.rounds.wait()
        self.assertEqual(1, self.told(code, logging.WARNING), self.news())
        events = self.audit.events("results-refused", code=code)
        self.assertEqual(code, events[-1]["code"])

    def _assert_recovers(self) -> None:
        told = self.told("loaded")
        world.attest(self.site)
        world.praise(self.site, world.DULL)
        self.publish()
        self.assertEqual(told + 1, self.told("loaded"), self.news())
        self.boot(self.tpm, world.DULL)

    def _assert_refused(self, code: str, data: bytes) -> None:
        self.put(self.site.results_file, self.good)
        self.cloud.our_log.forget()
        self.put(self.site.results_file, data)
        self._assert_all_is_as_before(code)
        self._assert_recovers()

    def test_document_without_a_signature_is_refused(self) -> None:
        line, _, body = self._praising().partition(b"\n")
        envelope = {**json.loads(line), "signatures": []}
        unsigned = json.dumps(envelope).encode() + b"\n" + body
        self._assert_refused("results-unsigned", unsigned)

    def test_document_of_somebody_else_is_refused(self) -> None:
        self._assert_refused("results-wrong-key", self._praising("mallory"))

    def test_document_that_is_cut_off_is_refused(self) -> None:
        self._assert_refused("results-truncated", self._praising()[:-100])

    def test_document_without_a_body_is_refused(self) -> None:
        line, _, _ = self._praising().partition(b"\n")
        self._assert_refused("results-truncated", line)

    def test_empty_document_is_refused(self) -> None:
        self._assert_refused("results-truncated", b"")

    def test_document_with_another_body_is_refused(self) -> None:
        data = self._praising()
        self.assertIn(b"hardware", data)
        self._assert_refused(
            "results-invalid", data.replace(b"hardware", b"hardwarE")
        )

    def test_document_that_is_too_large_is_refused(self) -> None:
        for number in range(2000):
            world.praise(self.site, f"{'another-host':>030}-{number}")
        data = self._praising()
        self.assertGreater(len(data), _MAX_BYTES)
        self._assert_refused("results-too-large", data)

    def test_document_that_nests_too_deeply_is_refused(self) -> None:
        self._praise()
        body = b"[" * 20_000 + b"]" * 20_000
        head = {
            "format": "nfv-mla-results/1",
            "collector": COLLECTOR,
            "issued_at": time.time(),
            "body": {
                "sha256": hashlib.sha256(body).hexdigest(),
                "length": len(body),
            },
            "authorities": {},
        }
        line = signature.seal(
            json.dumps(head).encode(), self.site.signers[COLLECTOR]
        )
        self._assert_refused("results-too-deep", line + b"\n" + body)

    def test_envelope_that_nests_too_deeply_is_refused(self) -> None:
        deep = b'{"payload":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n"
        self._assert_refused("results-bad-envelope", deep)

    def test_document_that_is_no_json_is_refused(self) -> None:
        self._assert_refused("results-bad-envelope", b"\xff\x00\n\n")

    def test_document_from_the_future_is_refused(self) -> None:
        self._praise()
        self.site.publish(issued_at=time.time() + _HOUR_S)
        data = self.site.results_file.read_bytes()
        self._assert_refused("results-ahead", data)

    def test_document_older_than_the_one_held_is_refused(self) -> None:
        self._praise()
        self.site.publish(issued_at=time.time() - _HOUR_S)
        data = self.site.results_file.read_bytes()
        self._assert_refused("results-rolled-back", data)

    def test_file_that_vanishes_takes_nothing_with_it(self) -> None:
        self.cloud.our_log.forget()
        self._changed = True
        self.site.results_file.unlink()
        self.rounds.wait()
        self._assert_all_is_as_before("results-missing")
        self._assert_recovers()

    def test_directory_in_its_place_takes_nothing_with_it(self) -> None:
        self.cloud.our_log.forget()
        self._changed = True
        self.site.results_file.unlink()
        self.site.results_file.mkdir()
        self.rounds.wait()
        try:
            self._assert_all_is_as_before("results-unreadable")
        finally:
            self.site.results_file.rmdir()
        self._assert_recovers()
