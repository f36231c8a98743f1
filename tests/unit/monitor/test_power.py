# SPDX-License-Identifier: Apache-2.0
"""The operator's power commands, with real processes."""

from __future__ import annotations

import os
import pathlib
import tempfile
import time
import unittest

from nfv_mla_scheduler.monitor import power
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.power import Power

UUID = "11111111-1111-4111-8111-111111111111"
SH = ("/bin/sh", "-c")


class PowerTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.place = pathlib.Path(temporary.name)

    def off(self, *words: str, timeout_s: float = 10.0) -> Outcome:
        return Power(words, (), timeout_s).power_off("h1", UUID)

    def sh(self, script: str, timeout_s: float = 10.0) -> Outcome:
        return self.off(*SH, script, timeout_s=timeout_s)

    def is_off(self, script: str, timeout_s: float = 10.0) -> bool | None:
        return Power((), (*SH, script), timeout_s).is_off("h1", UUID)


class CommandTest(PowerTest):
    def test_words_stay_words_and_no_shell_reads_them(self) -> None:
        script = 'for word; do echo "<$word>"; done > ' + str(
            self.place / "words"
        )
        outcome = self.off(
            *SH, script, "sh", "-H", "{host}", "{uuid}", "a b; $(id)", "*"
        )
        self.assertEqual(Result.DONE, outcome.code)
        self.assertEqual(
            ["<-H>", "<h1>", f"<{UUID}>", "<a b; $(id)>", "<*>"],
            (self.place / "words").read_text().splitlines(),
        )

    def test_a_name_may_be_part_of_a_word(self) -> None:
        script = f"echo $0 > {self.place}/words"
        self.off(*SH, script, "{host}-bmc.example.org")
        self.assertEqual(
            "h1-bmc.example.org\n", (self.place / "words").read_text()
        )

    def test_its_environment_is_small(self) -> None:
        os.environ["NFV_MLA_TEST_SECRET"] = "secret"
        self.addCleanup(os.environ.pop, "NFV_MLA_TEST_SECRET")
        script = f"env > {self.place}/env; pwd > {self.place}/pwd"
        self.sh(script)
        text = (self.place / "env").read_text()
        names = {line.partition("=")[0] for line in text.splitlines()}
        self.assertLessEqual(
            names - {"PWD", "OLDPWD", "SHLVL", "_"}, set(power.ENVIRONMENT)
        )
        self.assertEqual("/\n", (self.place / "pwd").read_text())

    def test_what_a_name_must_not_be(self) -> None:
        one = Power((*SH, f"touch {self.place}/ran", "{host}"), ())
        for host in (
            *("", "-h", "--help", ".h", "h.", "h 1", "h\n", "h;id", "h/1"),
            *("../h", "$h", "h" * 256, "hö", "h{uuid}", "@h", "h'"),
        ):
            with self.subTest(host):
                outcome = one.power_off(host)
                self.assertEqual(Result.REFUSED, outcome.code)
        two = Power((*SH, f"touch {self.place}/ran", "{uuid}"), ())
        for uuid in ("", "x", UUID + "\n", UUID.replace("-", "")):
            self.assertEqual(Result.REFUSED, two.power_off("h1", uuid).code)
        self.assertFalse((self.place / "ran").exists())
        for host in ("h1", "ber-1.example.org", "a", "A_1"):
            self.assertEqual(Result.DONE, one.power_off(host).code)

    def test_what_is_not_named_need_not_be_there(self) -> None:
        one = Power((*SH, "true", "{host}"), ())
        self.assertEqual(Result.DONE, one.power_off("h1", "").code)

    def test_a_failure_says_why_on_one_bounded_line(self) -> None:
        outcome = self.sh("printf 'no\\nroute\\033[1m%0500d' 7 >&2; exit 3")
        self.assertEqual(Result.UNAVAILABLE, outcome.code)
        self.assertTrue(outcome.text.startswith("exit status 3: no?route?"))
        self.assertLessEqual(len(outcome.text), 160)
        self.assertTrue(outcome.text.isprintable())

    def test_what_cannot_be_started_says_why(self) -> None:
        for words in (("/nonexistent/off",), (str(self.place),)):
            outcome = self.off(*words)
            self.assertEqual(Result.UNAVAILABLE, outcome.code)
            self.assertTrue(outcome.text)
        self.assertEqual(Result.UNAVAILABLE, self.off("/bin/a\0b").code)

    def test_without_a_command_it_is_refused(self) -> None:
        self.assertEqual(Result.REFUSED, self.off().code)
        self.assertIsNone(Power((), ()).is_off("h1"))


class EndTest(PowerTest):
    def gone(self, path: pathlib.Path) -> bool:
        """Whether the process that wrote its id there has ended."""
        pid = int(path.read_text())
        for _ in range(200):
            try:
                state = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return True
            if state.rpartition(")")[2].split()[0] == "Z":
                return True
            time.sleep(0.02)
        return False

    def test_it_is_ended_with_all_that_it_started(self) -> None:
        pids = self.place / "pid"
        script = f"sleep 60 & echo $! > {pids}; trap '' TERM; wait"
        began = time.monotonic()
        outcome = self.sh(script, timeout_s=0.3)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(Result.UNSURE, outcome.code)
        self.assertTrue(self.gone(pids))

    def test_what_it_leaves_behind_is_ended(self) -> None:
        pids = self.place / "pid"
        outcome = self.sh(f"sleep 60 & echo $! > {pids}")
        self.assertEqual(Result.DONE, outcome.code)
        self.assertTrue(self.gone(pids))

    def test_it_reads_nothing_of_ours(self) -> None:
        self.assertEqual(Result.DONE, self.sh("! read line").code)

    def test_output_without_end_is_not_kept(self) -> None:
        began = time.monotonic()
        outcome = self.sh("exec yes no", timeout_s=0.3)
        self.assertEqual(Result.UNSURE, outcome.code)
        self.assertIsNone(self.is_off("exec yes off", timeout_s=0.3))
        self.assertLess(time.monotonic() - began, 10)


class IsOffTest(PowerTest):
    ROWS = (
        ("echo off", True),
        ("echo OFF", True),
        ("printf off", True),
        ("echo; echo ' off '", True),
        ("echo Chassis Power is off", True),
        ("echo Chassis Power is on", False),
        ("echo on", False),
        ("true", False),
        ("echo offline", False),
        ("echo not off", False),
        ("echo off; echo on", False),
        ("echo off >&2", False),
        ("echo off; exit 1", None),
        ("exit 1", None),
        ("kill -9 $$", None),
        ("head -c 5000 /dev/zero", None),
        ("exec /nonexistent", None),
    )

    def test_off_is_only_what_is_said_to_be_off(self) -> None:
        for script, expected in self.ROWS:
            with self.subTest(script):
                self.assertIs(expected, self.is_off(script))

    def test_what_takes_too_long_is_not_known(self) -> None:
        self.assertIsNone(self.is_off("echo off; sleep 60", timeout_s=0.3))

    def test_a_power_off_confirms_nothing(self) -> None:
        one = Power((*SH, "true"), (*SH, "echo on"))
        self.assertEqual(Result.DONE, one.power_off("h1").code)
        self.assertIs(False, one.is_off("h1"))


if __name__ == "__main__":
    unittest.main()
