# SPDX-License-Identifier: Apache-2.0
"""The doctor as people run it: processes, a real lab, a real collector.

The only thing that is not looked at here is what belongs to the machine that
runs the tests.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import unittest
from typing import Any

from nfv_mla_scheduler.doctor.access import LAYERED
from nfv_mla_scheduler.doctor.access import VOLATILE
from nfv_mla_scheduler.doctor.access import file_system
from nfv_mla_scheduler.doctor.site import MOUNTINFO
from nfv_mla_scheduler.lab import directory as lab_files
from nfv_mla_scheduler.lab import edits
from nfv_mla_scheduler.lab.server import LabServer
from tests.unit.doctor.sites import ATTESTED
from tests.unit.doctor.sites import AUTHORITY
from tests.unit.doctor.sites import HOSTS
from tests.unit.doctor.sites import NOBODY
from tests.unit.doctor.sites import CollectorSite

DEADLINE_S = 60.0
GROUP = f"nfv_mla_authority_{AUTHORITY}"
ROOT = pathlib.Path(__file__).parents[2]


class DoctorTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = CollectorSite(self)
        site = self.site
        site.results_file.unlink()
        site.status_file.unlink()
        if os.getuid() == 0:
            # so that who runs the scheduler can read what is published
            os.chown(site.run, NOBODY, NOBODY)
            site.run.chmod(0o2755)
        files = lab_files.make(site.root / "lab", ["x"], now=time.time())
        self.lab = LabServer(files.path, say=lambda line: None)
        self.lab.start()
        self.addCleanup(self.lab.stop)
        edits.put_attester(files.path, "x", None)
        for host in HOSTS:
            claims = {
                name: {"status": "affirming", "grade": "run-time"}
                for name in ATTESTED
            }
            edits.put_attester(files.path, f"a-{host}", {"claims": claims})
        key = lab_files.key_of(files.client)
        if os.getuid() == 0:
            os.chown(key, NOBODY, NOBODY)
        files.path.chmod(0o755)
        site.collector[GROUP] = {
            "driver": "ear",
            "url": f"{self.lab.url}/results",
            "ca_file": files.ca,
            "cert_file": files.client,
            "key_file": key,
            "keys_file": files.jwk_set,
        }
        site.write_collector_conf()
        self.files = files

    def collect(self) -> subprocess.Popen[bytes]:
        """Start a collector, and wait until it has published."""
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "nfv_mla_scheduler.cmd.collector_service",
                "--config-file",
                str(self.site.collector_conf),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(self.end, process)
        end = time.monotonic() + DEADLINE_S
        while not (self.site.results_file.exists() and self._is_fresh()):
            self.assertIsNone(process.poll(), "the collector ended")
            self.assertLess(time.monotonic(), end, "nothing is published")
            time.sleep(0.05)
        return process

    def _is_fresh(self) -> bool:
        try:
            said = json.loads(self.site.status_file.read_text())
        except (OSError, ValueError):
            return False
        return said["authorities"][AUTHORITY]["state"] == "fresh"

    def end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait(DEADLINE_S)

    def look(self, *words: object) -> tuple[int, dict[str, Any]]:
        """Run the doctor; return its status, and what it says by check."""
        command = [
            sys.executable,
            "-m",
            "nfv_mla_scheduler.cmd.main",
            "doctor",
            "--config-file",
            self.site.nova_conf,
            "--collector-config-file",
            self.site.collector_conf,
            "--nova-hosts",
            self.site.nova_hosts,
            "--format",
            "json",
            *words,
        ]
        ended = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
        self.assertEqual(b"", ended.stderr)
        said = json.loads(ended.stdout)
        checks = {check["check"]: check for check in said["checks"]}
        return ended.returncode, checks

    def _of_the_machine(self) -> list[str]:
        """Return the checks that this machine may well fail."""
        found = ["state.space"]
        if os.getuid() != 0:
            found.append("keys.guarded")
        kind = file_system(MOUNTINFO.read_text(), self.site.root)
        if kind in VOLATILE | LAYERED:
            found.append("state.persistent")
        return found

    def test_a_site_on_which_all_is_well(self) -> None:
        self.collect()
        status, checks = self.look("--skip", *self._of_the_machine())
        odd = [c for c in checks.values() if c["state"] != "OK"]
        self.assertEqual(
            {"clock.collector", "collector.embedded"},
            {check["check"] for check in odd},
            odd,
        )
        self.assertEqual(0, status)
        for name, words in (
            ("nova.modules", "loads filter, weighers and validators"),
            ("results.fresh", "lab 2 of 2"),
            ("hosts.proven", "keys 2 of 2"),
            ("collector.running", "publishes to"),
            ("clock.authorities", "of that of collector"),
        ):
            self.assertIn(words, checks[name]["found"])

    def test_a_collector_that_was_stopped(self) -> None:
        self.end(self.collect())
        status, checks = self.look("--only", "collector.running")
        self.assertEqual(3, status)
        self.assertIn("no collector", checks["collector.running"]["found"])

    def test_an_authority_that_is_gone(self) -> None:
        self.lab.stop()
        status, checks = self.look("--only", "collector.authorities")
        self.assertEqual(1, status)
        found = checks["collector.authorities"]["found"]
        self.assertIn("lab: 127.0.0.1", found)

    def test_a_package_that_nova_cannot_load(self) -> None:
        # as after an upgrade that brought half of it
        broken = self.site.root / "broken"
        broken.mkdir()
        (broken / "nova.py").write_text("raise ImportError('half')\n")
        before = os.environ.get("PYTHONPATH", "")
        os.environ["PYTHONPATH"] = f"{broken}{os.pathsep}{before}"
        self.addCleanup(os.environ.__setitem__, "PYTHONPATH", before)
        status, checks = self.look("--only", "nova.modules")
        self.assertEqual(1, status)
        self.assertIn("half", checks["nova.modules"]["found"])
