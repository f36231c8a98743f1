# SPDX-License-Identifier: Apache-2.0
"""The bench runs, is right on few hosts, and says so in its exit status."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import tempfile
import unittest
from typing import Any
from unittest import mock

from bench import __main__ as bench
from bench import estate
from bench import figures
from bench.ledger import appending
from bench.ledger import entries
from bench.ledger import ground
from bench.ledger import sealing
from bench.ledger import verifying
from bench.monitor import cost
from bench.monitor import ground as monitored
from bench.scheduler import novas
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.judge.decisions import Decisions

FEW = ("--hosts", str(estate.LEAST), "--rounds", "2")
SOME = ("warm", "steady", "assurance", "tokens-new", "memory")
MEASURED = {*SOME, "aggregates", "cpu-weigher", "signatures"}


def run(*argv: str) -> tuple[int, str, str]:
    """Return exit status, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = bench.main(argv)
        except SystemExit as exc:
            status = int(str(exc.code))
    return status, out.getvalue(), err.getvalue()


class RunTest(unittest.TestCase):
    form: Any
    out: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "bench.json"
            wanted = ("--only", *SOME, "--json", str(file))
            status, cls.out, err = run(*FEW, "--check", "1000", *wanted)
            assert status == 0, err
            cls.form = json.loads(file.read_text(encoding="utf-8"))

    def test_it_agrees_with_brute_force(self) -> None:
        compared = self.form["fixture"]["decisions compared"]
        # the main requirement and nothing on all hosts, and more on some
        self.assertGreater(compared, 2 * estate.LEAST + 100)
        self.assertEqual(180, self.form["fixture"]["hosts admitted"])

    def test_the_fixture_is_said_in_words_and_in_numbers(self) -> None:
        fixture = self.form["fixture"]
        self.assertTrue(self.out.startswith("360 of Nova's HostStates"))
        for name, number in (
            ("hosts", 360),
            ("rounds", 2),
            ("pools", 20),
            ("exclusive pools", 2),
            ("authorities", 2),
            ("hosts in a pool that is exclusive to others", 36),
        ):
            self.assertEqual(number, fixture[name])
        self.assertGreater(fixture["shapes of hosts"], 20)

    def test_the_machine_form_is_as_documented(self) -> None:
        form = self.form
        self.assertEqual("nfv-mla-bench/1", form["format"])
        self.assertEqual(1000, form["check"])
        self.assertEqual(MEASURED, set(form["figures"]))
        self.assertLessEqual(
            {"python", "machine", "cores", "nova", "cryptography", "PyJWT"},
            set(form["versions"]),
        )
        self.assertTrue(all(s >= 0 for s in form["took_s"].values()))
        for name, figure in form["figures"].items():
            self.assertEqual(
                {
                    *("text", "unit", "samples", "median", "beside"),
                    *("ratio", "expected", "verdict"),
                },
                set(figure),
            )
            self.assertEqual(
                1 if name == "memory" else 2, len(figure["samples"])
            )
            self.assertTrue(all(sample > 0 for sample in figure["samples"]))
            self.assertEqual(figures.BY_NAME[name].text, figure["text"])

    def test_ratios_are_to_what_is_beside(self) -> None:
        found = self.form["figures"]
        for figure in found.values():
            if figure["beside"] is None:
                self.assertIsNone(figure["ratio"])
                continue
            beside = found[figure["beside"]]
            self.assertAlmostEqual(
                figure["median"] / beside["median"], figure["ratio"]
            )

    def test_people_get_a_line_for_each_figure(self) -> None:
        lines = self.out.splitlines()
        headings = next(n for n in lines if n.startswith("figure "))
        for heading in ("median", "spread", "ratio", "expected", "verdict"):
            self.assertIn(heading, headings)
        for name in MEASURED:
            told = [line for line in lines if line.startswith(f"{name} ")]
            self.assertEqual(2, len(told), "in the table and in the legend")

    def test_novas_options_are_left_as_they_were(self) -> None:
        self.assertEqual(60, novas.CONF.service_down_time)
        self.assertEqual("", novas.CONF.nfv_mla.policy_file)


class MonitorTest(unittest.TestCase):
    """The monitor's part, on few hosts; real processes, real HTTP."""

    def test_cycles_are_measured_and_nothing_is_asked_for_each_host(
        self,
    ) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "bench.json"
            wanted = ("--only", *sorted(figures.MONITOR_COST))
            status, out, err = run(
                *FEW, "--check", "1000", *wanted, "--json", str(file)
            )
            self.assertEqual(0, status, err)
            form = json.loads(file.read_text(encoding="utf-8"))
        self.assertEqual(figures.MONITOR_COST, set(form["figures"]))
        self.assertNotIn("HostStates", out)
        self.assertNotIn("brute force", out)
        fixture = form["fixture"]
        self.assertEqual(3600, fixture["servers"])
        self.assertEqual(72, fixture["servers that comply"])
        self.assertEqual(18, fixture["hosts that were fenced before"])
        found = form["figures"]
        self.assertEqual(cost.CYCLES, len(found["cycle"]["samples"]))
        for name in ("calls", "calls-acting"):
            self.assertEqual("meets", found[name]["verdict"], found[name])
        listed = "calls of GET compute/servers/detail in the last quiet cycle"
        self.assertLessEqual(fixture[listed], 5)

    def test_a_monitor_that_errs_fails_whatever_it_costs(self) -> None:
        with mock.patch.object(
            cost, "measure_cost", side_effect=cost.Odd("it did not look")
        ):
            status, _, err = run(*FEW, "--only", "calls")
        self.assertEqual(1, status)
        self.assertIn("bench: monitor: it did not look", err)

    def test_the_ground_is_as_it_is_described(self) -> None:
        count = estate.LEAST
        hosts = monitored.grounds(count)
        asking = monitored.asking(count)
        self.assertEqual(count * 10 * 2 // 100, len(asking))
        for number in asking:
            host = hosts[number % count]
            self.assertIs(estate.Standing.GOOD, host.standing)
        bad = [
            host
            for host in hosts
            if host.standing is estate.Standing.CONTRAINDICATED
        ]
        self.assertEqual(count // 20, len(bad))


class LedgerTest(unittest.TestCase):
    """The ledger's part, with few entries; a real ledger, a real disk."""

    def setUp(self) -> None:
        for where, name, few in (
            (entries, "COUNT", 300),
            (appending, "SYNCED", 3),
            (appending, "ALONE", 20),
            (sealing, "BLOCKS", 5),
        ):
            patch = mock.patch.object(where, name, few)
            patch.start()
            self.addCleanup(patch.stop)

    def test_every_figure_is_measured_and_what_it_is_measured_on_is_said(
        self,
    ) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "bench.json"
            status, out, err = run(
                *(*FEW, "--check", "1000", "--part", "ledger"),
                *("--json", str(file)),
            )
            self.assertEqual(0, status, err)
            form = json.loads(file.read_text(encoding="utf-8"))
        self.assertEqual(figures.PARTS["ledger"], set(form["figures"]))
        self.assertTrue(out.startswith("Ledger: 300 entries"))
        self.assertNotIn("HostStates", out)
        # what it says of itself, and at least one checkpoint
        self.assertGreaterEqual(form["fixture"]["entries of the ledger"], 303)
        self.assertGreater(form["fixture"]["bytes of an entry"], 200)
        for figure in form["figures"].values():
            self.assertEqual(2, len(figure["samples"]))
            self.assertTrue(all(sample > 0 for sample in figure["samples"]))
        size = form["figures"]["seal-day-size"]
        self.assertEqual(1, len(set(size["samples"])), "blocks of one size")
        # a block every five seconds
        self.assertAlmostEqual(100, size["median"], delta=5)

    def test_a_ledger_that_loses_entries_fails_whatever_it_costs(self) -> None:
        with mock.patch.object(ground, "Ledger", lambda *_: NullAudit()):
            status, _, err = run(*FEW, "--only", "append")
        self.assertEqual(1, status)
        self.assertIn(
            "bench: ledger: of 300 events 0 were written",
            err.splitlines()[-1],
        )

    def test_a_ledger_that_is_not_whole_is_not_verified(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            here = ground.Ground(pathlib.Path(directory), 20)
            verifying.Verifying(here).sample()
            (path,) = here.directory.rglob("*.jsonl")
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(lines[:5] + lines[6:]))
            with self.assertRaises(ground.Odd):
                verifying.Verifying(here).sample()

    def test_no_two_events_are_alike(self) -> None:
        found = [
            (e.kind, e.at, json.dumps(e.fields))
            for e in entries.events(3000, 0.0)
        ]
        self.assertEqual(3000, len(set(found)))


class StatusTest(unittest.TestCase):
    def test_a_figure_beyond_the_factor_fails(self) -> None:
        status, out, err = run(
            *FEW, "--only", "tokens-new", "--check", "0.001"
        )
        self.assertEqual(1, status)
        self.assertIn("FAILS", out)
        last = err.splitlines()[-1]
        self.assertEqual(
            "bench: above 0.001 times what is expected: tokens-new", last
        )

    def test_a_wrong_answer_fails_whatever_it_costs(self) -> None:
        right = Decisions.admitted

        def wrong(*args: Any) -> list[Any]:
            return right(*args)[1:]

        with mock.patch.object(Decisions, "admitted", wrong):
            status, _, err = run(*FEW, "--only", "warm", "--check", "1000")
        self.assertEqual(1, status)
        self.assertIn("is wrongly refused for", err.splitlines()[-1])

    def test_wrong_usage_is_told_before_anything_is_measured(self) -> None:
        for argv in (
            ("--only", "everything"),
            ("--part", "everything"),
            ("--check", "0"),
            ("--check", "nan"),
            ("--check", "often"),
            ("--hosts", "10"),
            ("--rounds", "0"),
            ("--json", "/nonexistent/bench.json"),
            ("surplus",),
        ):
            with self.subTest(argv=argv):
                status, out, err = run(*argv)
                self.assertEqual((2, ""), (status, out))
                self.assertIn("bench: error: ", err)

    def test_the_figures_are_listed(self) -> None:
        status, out, _ = run("--list")
        self.assertEqual(0, status)
        self.assertEqual(
            list(figures.BY_NAME),
            [line.split()[0] for line in out.splitlines()],
        )
