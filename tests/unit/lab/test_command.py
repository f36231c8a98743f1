# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla-lab``: what people type, rightly or wrongly."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import shlex
import signal
import tempfile
import unittest
from unittest import mock

from nfv_mla_scheduler.cmd import lab as command
from nfv_mla_scheduler.lab import server
from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.server import NOTICE
from nfv_mla_scheduler.standard.catalogue import load

# command line, part of what is said
WRONG_USAGE = (
    ("", "the following arguments are required: COMMAND"),
    ("frobnicate", "invalid choice: 'frobnicate'"),
    ("init", "the following arguments are required: DIR"),
    ("init lab --name Lab_1", "must be lower-case letters and digits"),
    (f"init lab --name {'x' * 65}", "64 at most"),
    ("init lab --attester", "expected at least one argument"),
    ('init lab --attester ""', "must be 1 to 255 printable characters"),
    ("init lab --host not/a/host", "'not/a/host' is not an IP address"),
    ("init lab --port 65536", "must be from 0 to 65535"),
    ("run", "the following arguments are required: DIR"),
    ("run lab --port -1", "must be from 0 to 65535"),
    ("run lab --port http", "must be from 0 to 65535"),
    ("run lab --listen localhost", "'localhost' is not an IP address"),
    ("run lab --listen 0.0.0.0", "is not a loopback address; if others"),
    ("run lab --listen 192.0.2.7", "say --allow-remote"),
    ("run lab --listen ::", "is not a loopback address"),
    ("run lab --colour red", "unrecognized arguments: --colour red"),
)


class CommandTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(temporary.name)
        # or the help would be as wide as the terminal of whoever tests
        patch = mock.patch.dict(os.environ, {"COLUMNS": "80"})
        patch.start()
        self.addCleanup(patch.stop)

    def run_(self, line: str) -> tuple[int, str, str]:
        """Run a command; return its status, output and errors."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command.main(shlex.split(line))
        self.assertNotIn("Traceback", err.getvalue())
        return status, out.getvalue(), err.getvalue()

    def test_wrong_usage_is_told_in_one_line(self) -> None:
        for line, message in WRONG_USAGE:
            with self.subTest(line=line):
                status, out, err = self.run_(line)
                self.assertEqual((2, ""), (status, out))
                self.assertIn(message, err)
                self.assertEqual(1, err.count("\n"))
                self.assertRegex(err, r"^nfv-mla-lab")
                self.assertIn("--help)", err)
        self.assertEqual([], os.listdir("."))

    def test_help_names_every_option(self) -> None:
        for line, words in (
            ("--help", ("init", "run", "attests nothing", "Exit status")),
            (
                "init --help",
                ("--attester", "--name", "--host", "--port", "365 days"),
            ),
            (
                "run --help",
                ("--port", "--listen", "--allow-remote", "--ready-file"),
            ),
        ):
            status, out, err = self.run_(line)
            self.assertEqual((0, ""), (status, err))
            for word in words:
                self.assertIn(word, " ".join(out.split()))

    def test_init_makes_a_directory_and_prints_what_the_collector_needs(
        self,
    ) -> None:
        status, out, err = self.run_(
            "init lab --attester ber-1 ber-2 --attester ham-1 ber-1 "
            "--name lab-a --host 192.0.2.7 lab.example.org --port 4433"
        )
        self.assertEqual((0, ""), (status, err))
        lines = pathlib.Path("lab/collector.conf").read_text()
        self.assertIn(lines, out)
        self.assertIn("[nfv_mla_authority_lab-a]\n", lines)
        self.assertIn("\nurl = https://192.0.2.7:4433/results\n", lines)
        self.assertIn("valid for 365 days", out)
        self.assertIn("nfv-mla-lab run lab --port 4433\n", out)
        data = pathlib.Path("lab/attesters.yaml").read_bytes()
        self.assertEqual(
            ["ber-1", "ber-2", "ham-1"],
            list(read_attesters(data, load()).attesters),
        )
        for name in os.listdir("lab"):
            self.assertIn(name, out)
        self.assertLess(
            max(len(x) for x in out.splitlines() if "/" not in x), 80
        )

    def test_the_longest_name_will_do(self) -> None:
        status, out, _ = self.run_(f"init lab --name {'x' * 64}")
        self.assertEqual(0, status)
        self.assertIn(f"[nfv_mla_authority_{'x' * 64}]", out)

    def test_init_replaces_nothing(self) -> None:
        self.run_("init lab")
        before = pathlib.Path("lab/signing.key").read_bytes()
        status, out, err = self.run_("init lab")
        self.assertEqual((1, ""), (status, out))
        self.assertRegex(
            err, r"^nfv-mla-lab: .*/lab: is not empty, and nothing .*\n$"
        )
        self.assertEqual(before, pathlib.Path("lab/signing.key").read_bytes())

    def test_run_says_what_is_missing(self) -> None:
        status, out, err = self.run_("run nowhere")
        self.assertEqual((1, ""), (status, out))
        self.assertEqual(
            [
                f"nfv-mla-lab: {NOTICE}",
                f"nfv-mla-lab: {pathlib.Path.cwd()}/nowhere/signing.key: "
                "No such file or directory",
            ],
            err.splitlines(),
        )

    def test_run_says_what_is_wrong_in_the_file(self) -> None:
        self.run_("init lab")
        with open("lab/attesters.yaml", "a") as file:
            file.write("colour: red\n")
        status, _, err = self.run_("run lab --port 0")
        self.assertEqual(1, status)
        self.assertRegex(
            err, r"line \d+: .*/lab/attesters.yaml: colour: is not"
        )

    def test_run_says_where_it_cannot_listen(self) -> None:
        self.run_("init lab")
        with server.LabServer("lab", say=lambda _: None) as running:
            port = running.url.rpartition(":")[2]
            status, _, err = self.run_(f"run lab --port {port}")
        self.assertEqual(1, status)
        self.assertIn(
            f"https://127.0.0.1:{port}: Address already in use; see --port",
            err,
        )

    def test_run_warns_where_others_may_reach_it(self) -> None:
        self.run_("init lab")
        # 192.0.2.0/24 is of documentation: nobody can listen there
        status, _, err = self.run_("run lab --listen 192.0.2.7 --allow-remote")
        self.assertEqual(1, status)
        self.assertIn("warning: listens on 192.0.2.7, where others", err)
        self.assertIn("https://192.0.2.7:8790: Cannot assign requested", err)

    def test_a_run_that_failed_leaves_signals_as_they_were(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self.run_("run nowhere")
        self.assertEqual(before, signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    def test_a_ready_file_that_cannot_be_written_ends_the_run(self) -> None:
        self.run_("init lab")
        status, _, err = self.run_("run lab --port 0 --ready-file gone/ready")
        self.assertEqual(1, status)
        self.assertRegex(err, r"gone/.*No such file or directory\n$")


if __name__ == "__main__":
    unittest.main()
