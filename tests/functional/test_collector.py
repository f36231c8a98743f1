# SPDX-License-Identifier: Apache-2.0
"""A real collector asks real authorities over HTTPS."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import resource
import signal
import time

from nfv_mla_scheduler.cmd import main as command
from nfv_mla_scheduler.model import Status
from tests.functional.collectors import CollectorTestCase
from tests.functional.collectors import Https
from tests.functional.collectors import Process
from tests.unit.collector.site import AUTHORITIES
from tests.unit.collector.site import HOSTS


class CollectorTest(CollectorTestCase):
    def test_what_two_authorities_say_is_published_and_kept_fresh(self):
        process = self.start()
        first = self.wait(self.both, process)
        self.assertEqual("collector-a", first.collector)
        self.assertEqual((), first.problems)
        for name in AUTHORITIES:
            self.assertEqual(set(HOSTS), set(first.results[name]))
        later = self.wait(
            lambda: (
                (d := self.both())
                and d.freshness["fra"]["h1"].at
                > first.freshness["fra"]["h1"].at
                and d
            ),
            process,
        )
        self.assertIs(first.results["fra"], later.results["fra"])
        self.assertIn("is for development", process.said)
        began = time.monotonic()
        self.assertEqual(0, process.end())
        self.assertLess(time.monotonic() - began, 8.0)
        self.assertNotIn("Traceback", process.said)

    def test_what_an_authority_takes_back_is_published(self):
        process = self.start()
        self.wait(self.both, process)

        def fail(found):
            claims = found["attesters"]["h1"]["claims"]
            claims["measured-boot"]["status"] = "contraindicated"

        self.labs["fra"].edit(fail)

        def status(name):
            found = self.both().results[name]["h1"]
            return found.claims["measured-boot"].status

        self.wait(lambda: status("fra") is Status.CONTRAINDICATED, process)
        self.assertIs(Status.AFFIRMING, status("bka"))

    def test_one_that_is_silent_leaves_the_others_fresh(self):
        process = self.start()
        self.wait(self.both, process)
        self.labs["bka"].edit(lambda found: found.update(silent=True))
        self.wait(
            lambda: "authority bka: " in process.said.split("answers")[-1]
        )
        stuck = self.both().freshness["bka"]["h1"].at
        before = self.both().freshness["fra"]["h1"].at
        for _ in range(3):
            before = self.wait(
                lambda at=before: (
                    (now := self.both().freshness["fra"]["h1"].at) > at and now
                ),
                process,
            )
        self.assertLess(self.both().freshness["bka"]["h1"].at, stuck + 6)
        self.labs["bka"].edit(lambda found: found.pop("silent"))
        self.wait(
            lambda: self.both().freshness["bka"]["h1"].at > before, process
        )

    def test_one_that_is_down_and_comes_again(self):
        process = self.start()
        self.wait(self.both, process)
        self.labs["fra"].end()
        self.wait(lambda: "contact-unreachable" in process.said, process)
        self.assertEqual(set(HOSTS), set(self.both().results["fra"]))
        gone = time.time()
        self.labs["fra"].start()
        self.wait(
            lambda: self.both().freshness["fra"]["h1"].at > gone, process
        )
        self.wait(lambda: "after it was failing" in process.said, process)
        lines = [x for x in process.lines if "contact-unreachable" in x]
        self.assertEqual(1, len(lines), process.said)

    def test_a_policy_is_replaced_while_it_runs(self):
        process = self.start()
        self.wait(self.both, process)
        self.labs["fra"].edit(
            lambda found: found["attesters"].update(
                h4=copy.deepcopy(found["attesters"]["h1"])
            )
        )
        self.site.put_policy({"collector-a": ["fra"]}, hosts=(*HOSTS, "h4"))

        def followed():
            document = self.document()
            return (
                document is not None
                and set(document.results) == {"fra"}
                and set(document.results["fra"]) == {*HOSTS, "h4"}
            )

        self.wait(followed, process)
        self.assertIn("results-not-theirs", process.said)

    def test_what_is_wrong_at_the_start_is_one_line(self):
        self.site.policy_file.unlink()
        process = self.start("collector-a", "publish_interval_s = never")
        self.assertEqual(1, process.wait())
        (line,) = process.lines
        self.assertIn("[nfv_mla_collector] publish_interval_s", line)

    def test_it_checks_without_a_trace(self):
        path = self.options()
        process = Process(
            "nfv_mla_scheduler.cmd.collector_service",
            *("--config-file", str(path), "--check"),
        )
        self.assertEqual(0, process.wait(), process.said)
        self.assertFalse(self.site.results_file.exists())

    def test_interrupting_ends_it_as_well(self):
        process = self.start()
        self.wait(self.both, process)
        self.assertEqual(0, process.end(signal.SIGINT))


class HttpsTest(CollectorTestCase):
    def setUp(self):
        super().setUp()
        self.https = Https()
        self.addCleanup(self.https.close)

    def served(self, *lines):
        """Start a collector that serves; return it and its port."""
        process = self.start("collector-a", *self.https.lines, *lines)
        port = self.wait(lambda: self.https.port(process), process)
        self.wait(self.both, process)
        return process, port

    def told(self, *words):
        """Run ``nfv-mla collector``; return status, output and error."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = command.main(["collector", *words])
        return status, out.getvalue(), err.getvalue()

    def test_results_and_status_are_served(self):
        process, port = self.served()
        client = self.https.asks(port)
        self.addCleanup(client.close)
        answer = client.get("v1/results", accept=())
        document = self.site.read(answer.body)
        self.assertEqual(set(AUTHORITIES), set(document.results))
        status, out, err = self.told("status", *self.https.words(port))
        self.assertEqual((0, ""), (status, err), out)
        self.assertIn("3/3", out)
        status, out, _ = self.told(
            "status", "--format", "json", *self.https.words(port)
        )
        self.assertEqual(0, status)
        self.assertEqual("collector-a", json.loads(out)["collector"])
        self.labs["fra"].end()
        self.wait(lambda: "contact-unreachable" in process.said, process)
        status, out, _ = self.told("status", *self.https.words(port))
        self.assertEqual(1, status)
        self.assertIn("failing", out)

    def test_a_refresh_does_not_wait_for_the_cadence(self):
        self.site.put_policy(cadence_s=600)
        process, port = self.served()

        def boot(found):
            found["attesters"]["h2"]["boot"] = {"bootcount": 7}

        self.labs["fra"].edit(boot)
        before = self.both().results["fra"]["h2"].boot
        time.sleep(1.5)
        self.assertEqual(before, self.both().results["fra"]["h2"].boot)
        status, out, err = self.told(
            "refresh", "fra", "h2", *self.https.words(port)
        )
        self.assertEqual((0, ""), (status, err))
        self.assertIn("h2", out)
        self.wait(
            lambda: self.both().results["fra"]["h2"].boot != before, process
        )
        status, _, err = self.told(
            "refresh", "nobody", "h2", *self.https.words(port)
        )
        self.assertEqual(1, status)
        self.assertIn("nobody", err)

    def test_who_has_no_certificate_is_turned_away(self):
        _, port = self.served()
        status, _, err = self.told(
            "status",
            *(
                "--url",
                f"https://127.0.0.1:{port}",
                "--ca",
                str(self.https.ca),
            ),
        )
        self.assertEqual(1, status)
        self.assertIn("127.0.0.1", err)

    def test_a_disk_that_is_full_stops_no_client(self):
        process, port = self.served()
        client = self.https.asks(port)
        self.addCleanup(client.close)
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (512, hard))
        self.wait(lambda: "publish-unwritten" in process.said, process)
        old = self.site.results_file.read_bytes()
        self.site.read(old)

        def boot(found):
            found["attesters"]["h1"]["boot"] = {"bootcount": 9}

        before = self.both().results["fra"]["h1"].boot
        self.labs["fra"].edit(boot)

        def served():
            answer = client.get("v1/results", accept=())
            return self.site.read(answer.body).results["fra"]["h1"].boot

        self.wait(lambda: served() != before, process)
        self.assertEqual(old, self.site.results_file.read_bytes())
        lines = [x for x in process.lines if "publish-unwritten" in x]
        self.assertEqual(1, len(lines), process.said)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))
        self.wait(
            lambda: self.both().results["fra"]["h1"].boot != before, process
        )
        self.wait(lambda: "are published again" in process.said, process)
        names = {p.name for p in self.site.results_file.parent.iterdir()}
        self.assertEqual({"results", ".results.lock"}, names)
