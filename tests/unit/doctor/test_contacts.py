# SPDX-License-Identifier: Apache-2.0
"""Whoever is asked over the network: a collector, and authorities.

The servers are real ones on the loopback interface.
"""

from __future__ import annotations

import email.utils
import json
import time
from typing import Any

from nfv_mla_scheduler.doctor.examination import examine
from nfv_mla_scheduler.lab import directory as lab_files
from nfv_mla_scheduler.lab import edits
from nfv_mla_scheduler.lab.server import LabServer
from tests.authorities.certificates import make_ca
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import Server
from tests.authorities.servers import page
from tests.unit.doctor import sites
from tests.unit.doctor.sites import AUTHORITY
from tests.unit.doctor.sites import HOSTS
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import SiteCase

RESULTS = "application/vnd.nfv-mla.results"
GROUP = f"nfv_mla_authority_{AUTHORITY}"


class ServedTest(SiteCase):
    """Results come over HTTPS, and the collector is on another machine."""

    def setUp(self) -> None:
        self.site = CollectorSite(self)
        self.skew_s = 0.0
        self.status = 200
        self.server = Server.of(
            self, self._answer, self.site.server, self.site.ca_file
        )
        ours = self.site.sections["nfv_mla"]
        del ours["results_file"]
        ours.update(
            results="https",
            results_url=f"{self.server.url}/v1/results",
            results_ca_file=self.site.ca_file,
            results_cert_file=self.site.client.cert_file,
            results_key_file=self.site.client.key_file,
        )
        self.site.write_conf()

    def _answer(self, asked: Asked) -> Script:
        date = email.utils.formatdate(time.time() + self.skew_s, usegmt=True)
        if asked.path == "/v1/status":
            said = json.dumps(sites.status(self.site.now)).encode()
            return [page(said, Date=date)]
        data = self.site.results_file.read_bytes()
        if self.status != 200:
            data = b"there is no results document yet\n"
        return [page(data, RESULTS, self.status, Date=date)]

    def _look(self, name: str, **changes: Any):
        return self.site.look(name, collector=(), **changes)

    def test_the_document_is_fetched_and_counts(self) -> None:
        self.assert_ok(self._look("results.source"), self.server.url)
        self.assert_ok(self._look("results.verified"), "2 results")
        self.assert_ok(self._look("hosts.proven"), "keys 2 of 2")
        self.assertEqual(
            {"GET"}, {asked.method for asked in self.server.asked}
        )

    def test_it_is_fetched_once_for_all_checks(self) -> None:
        names = {"results.source", "results.verified", "results.fresh"}
        examine(self.site.inputs(collector=()), names)
        self.assertEqual(1, len(self.server.asked))

    def test_the_collector_s_clock_is_compared(self) -> None:
        self.assert_ok(self._look("clock.collector"), "of ours")
        self.skew_s = 25.0
        found = self._look("clock.collector")
        self.assert_warning(found, "the collector is 2", "NTP")
        self.skew_s = 100.0
        self.assert_failed(self._look("clock.collector"), "refused")

    def test_the_collector_says_how_it_stands(self) -> None:
        self.assert_ok(self._look("collector.status"), "collector-a")
        self.assert_ok(self._look("collector.authorities"), "fresh: lab")
        self.assert_ok(self._look("clock.authorities"), "lab")

    def test_there_is_no_document_yet(self) -> None:
        self.status = 503
        found = self._look("results.source")
        self.assert_failed(found, "no results document yet")

    def test_nobody_is_there(self) -> None:
        self.server.stop()
        for name in ("results.source", "clock.collector", "collector.status"):
            found = self._look(name)
            self.assert_failed(found, "could not look", "127.0.0.1")
        self.assert_skipped(self._look("results.fresh"), "results.source")

    def test_the_server_is_of_another_ca(self) -> None:
        make_ca().write(self.site.etc)
        found = self._look("results.source")
        self.assert_failed(found, "not of a CA in ca_file")

    def test_a_certificate_that_is_missing_is_named(self) -> None:
        self.site.client.cert_file.unlink()
        found = self._look("results.source")
        self.assert_failed(found, str(self.site.client.cert_file))


class AskedTest(SiteCase):
    """No collector says how authorities stand: they are asked from here."""

    def setUp(self) -> None:
        self.site = CollectorSite(self)
        self.site.status_file.unlink()
        files = lab_files.make(
            self.site.root / "lab", ["anybody"], now=time.time()
        )
        self.lab = LabServer(files.path, say=lambda line: None)
        self.lab.start()
        self.addCleanup(self.lab.stop)
        self.files = files
        edits.put_attester(files.path, "anybody", None)
        for host in HOSTS:
            self._claim(f"a-{host}")
        self.options = {
            "driver": "lab",
            "url": f"{self.lab.url}/results",
            "ca_file": files.ca,
            "cert_file": files.client,
            "key_file": lab_files.key_of(files.client),
            "keys_file": files.jwk_set,
            "timeout_s": 5,
        }
        self.site.collector[GROUP] = self.options
        self.site.write_collector_conf()

    def _claim(self, attester: str, **more: Any) -> None:
        claims = {
            name: {"status": "affirming", "grade": "run-time"}
            for name in sites.ATTESTED
        }
        entry = {"claims": claims, **more}
        edits.put_attester(self.files.path, attester, entry)

    def test_they_answer(self) -> None:
        self.assert_ok(self.site.look("collector.authorities"), "answered us")
        self.assert_ok(self.site.look("clock.authorities"), "ours: lab")

    def test_one_does_not_answer(self) -> None:
        self.lab.stop()
        found = self.site.look("collector.authorities")
        self.assert_failed(found, "lab:", "127.0.0.1")
        self.assert_skipped(self.site.look("clock.authorities"))

    def test_one_answers_with_what_nobody_may_take(self) -> None:
        edits.set_knobs(self.files.path, f"a-{HOSTS[0]}", wrong="key")
        found = self.site.look("collector.authorities")
        self.assert_failed(found, "token-wrong-signature")

    def test_one_is_bound_to_no_host(self) -> None:
        for host in HOSTS:
            del self.site.document["hosts"][host]["attesters"]
        self.site.sign(version=8)
        found = self.site.look("collector.authorities")
        self.assert_skipped(found, "no host is bound")

    def _embed(self) -> None:
        ours = self.site.sections["nfv_mla"]
        del ours["results_file"]
        ours["results"] = "embedded"
        self.site.sections["nfv_mla_collector"] = {"authorities": AUTHORITY}
        self.site.sections[GROUP] = self.options
        self.site.write_conf()

    def test_a_scheduler_that_collects_itself_is_looked_at_as_well(
        self,
    ) -> None:
        self._embed()
        for name, words in (
            ("results.verified", "collected: 2 results"),
            ("results.fresh", "lab 2 of 2"),
            ("clock.authorities", "lab"),
            ("collector.authorities", "answered us: lab"),
        ):
            found = self.site.look(name, collector=())
            self.assert_ok(found, words)

    def test_a_scheduler_that_collects_nothing_is_said_to(self) -> None:
        self._embed()
        self.lab.stop()
        found = self.site.look("results.fresh", collector=())
        self.assert_failed(found, "lab 0 of 2")
