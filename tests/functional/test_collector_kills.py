# SPDX-License-Identifier: Apache-2.0
"""Collectors that are killed at any moment, and collectors beside others."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.restore import Place
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.functional.collectors import ROOT
from tests.functional.collectors import CollectorTestCase
from tests.unit.collector.site import AUTHORITIES
from tests.unit.collector.site import HOSTS

KILLS = 25
# It goes on until one was killed in the midst of writing.
KILLS_MAX = 200
# Publishes as fast as it can, what is large enough to be killed within.
PUBLISHES = """
import pathlib, sys, time
from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.publisher import Publisher
from nfv_mla_scheduler.collector.restore import Place
from nfv_mla_scheduler.collector.values import Said
from tests import policies
from tests.unit.collector.answers import NAME, collected, result
path = pathlib.Path(sys.argv[1])
place = Place(path)
notes = Notes(path.parent / "state")
if path.exists():
    notes.find(path.read_bytes())
publisher = Publisher("collector-a", policies.signer("collector-a"), path,
                      lambda data: None, 30.0, print, notes=notes)
claims = result("h").claims
results = [
    result(f"host-{i:06d}", claims, boot_at=1.0) for i in range(4000)
]
print("ready", flush=True)
while True:
    answer = collected(*results, at=time.time())
    said = {NAME: Said(answer.results, answer.freshness)}
    publisher.publish(said, time.time())
"""


class PublisherKilledTest(unittest.TestCase):
    def test_whenever_it_is_killed_its_document_can_be_read(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = pathlib.Path(directory.name) / "results"
        chance = random.Random(9)
        policy = policies.policy()
        key = policies.signer("collector-a").public_key
        loader = Loader()
        last, left_over, documents = 0.0, 0, set()
        for number in range(KILLS_MAX):
            if number >= KILLS and left_over:
                break
            child = subprocess.Popen(
                [sys.executable, "-c", PUBLISHES, str(path)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
            )
            self.addCleanup(child.stdout.close)
            self.assertEqual(b"ready\n", child.stdout.readline())
            time.sleep(0.05 + chance.random() * 0.2)
            child.send_signal(signal.SIGKILL)
            child.wait()
            if not path.exists():
                continue
            data = path.read_bytes()
            document = loader.read(
                data,
                policy.collectors,
                policy.authorities,
                load(),
                policy.regions,
                now=time.time(),
                max_skew_s=30.0,
            )
            self.assertEqual((), document.problems)
            self.assertGreaterEqual(document.issued_at, last)
            last = document.issued_at
            self.assertEqual(4000, len(document.results["keylime-fra"]))
            documents.add(last)
            left_over += len(list(path.parent.glob("*.new")))
            left_over += len(list(path.parent.glob(".*.new")))
            place = Place(path)
            notes = Notes(path.parent / "state")
            found = place.restore("collector-a", key, load(), 2**26, notes)
            place.release()
            self.assertEqual("", found.why)
            self.assertEqual(last, found.issued_at)
            names = sorted(p.name for p in path.parent.iterdir())
            self.assertEqual([".results.lock", "results", "state"], names)
        self.assertGreater(len(documents), KILLS // 2)
        self.assertGreater(left_over, 0, "none was killed while it wrote")


class KilledTest(CollectorTestCase):
    def test_a_collector_that_is_killed_again_and_again(self):
        chance = random.Random(4)
        last = 0.0
        process = self.start()
        first = self.wait(self.both, process)
        for name in AUTHORITIES:
            self.assertEqual(set(HOSTS), set(first.results[name]))
        for _ in range(6):
            time.sleep(chance.random() * 1.5)
            process.end(signal.SIGKILL)
            document = self.document()
            self.assertIsNotNone(document, "it can be read")
            self.assertEqual("collector-a", document.collector)
            self.assertEqual((), document.problems)
            self.assertGreaterEqual(document.issued_at, last)
            last = document.issued_at
            # nothing is lost that was held before
            for name in AUTHORITIES:
                self.assertEqual(set(HOSTS), set(document.results[name]))
            process = self.start()
        self.wait(lambda: self.both().issued_at > last, process)
        self.assertIn("are taken up", process.said)
        self.assertEqual(0, process.end())

    def test_after_a_kill_what_is_down_is_still_known(self):
        process = self.start()
        self.wait(self.both, process)
        process.end(signal.SIGKILL)
        self.labs["bka"].end()
        before = self.both()
        process = self.start()
        self.wait(lambda: "contact-unreachable" in process.said, process)
        self.wait(
            lambda: (
                self.both().freshness["fra"]["h1"].at
                > before.freshness["fra"]["h1"].at
            ),
            process,
        )
        self.assertEqual(
            dict(before.freshness["bka"]), dict(self.both().freshness["bka"])
        )


class SeveralTest(CollectorTestCase):
    def test_a_second_collector_on_one_file_does_not_start(self):
        process = self.start()
        self.wait(self.both, process)
        self.site.put_policy(
            {"collector-a": AUTHORITIES, "collector-b": AUTHORITIES}
        )
        second = self.start("collector-b")
        self.assertEqual(1, second.wait())
        (line,) = second.lines
        self.assertIn("another collector", line)
        self.assertIn(f"process {process.pid}", line)
        again = self.start("collector-a")
        self.assertEqual(1, again.wait())
        self.assertTrue(process.runs)
        self.assertEqual("collector-a", self.both().collector)
        process.end(signal.SIGKILL)
        third = self.start("collector-a")
        self.wait(lambda: "are taken up" in third.said, third)

    def test_two_collectors_never_mix_what_is_theirs(self):
        self.site.put_policy({"collector-a": ["fra"], "collector-b": ["bka"]})
        paths = {
            "collector-a": self.site.results_file,
            "collector-b": self.site.results_file.with_name("others"),
        }
        theirs = {"collector-a": "fra", "collector-b": "bka"}
        processes = {
            name: self.start(
                name,
                f"status_file = {self.site.directory / name}.status",
                results_file=path,
            )
            for name, path in paths.items()
        }
        loaders = {name: Loader() for name in paths}
        seen = dict.fromkeys(paths, 0)
        end = time.monotonic() + 6
        while time.monotonic() < end or not all(seen.values()):
            self.assertLess(time.monotonic(), end + 20)
            for name, path in paths.items():
                if not path.exists():
                    continue
                document = self.site.read(path.read_bytes(), loaders[name])
                self.assertEqual(name, document.collector)
                self.assertEqual({theirs[name]}, set(document.results))
                self.assertEqual((), document.problems)
                seen[name] += 1
            time.sleep(0.02)
        for process in processes.values():
            self.assertIn("results-not-theirs", process.said)

    def test_what_another_left_there_is_not_taken_up(self):
        self.site.put_policy(
            {"collector-a": AUTHORITIES, "collector-b": AUTHORITIES}
        )
        process = self.start()
        self.wait(self.both, process)
        process.end()
        for lab in self.labs.values():
            lab.end()
        second = self.start("collector-b")
        self.wait(lambda: "results-wrong-key" in second.said, second)
        self.wait(
            lambda: second.said.count("contact-unreachable") == 2, second
        )
        time.sleep(1.0)
        second.end()
        self.assertEqual("collector-a", self.both().collector)
