# SPDX-License-Identifier: Apache-2.0
"""The catalogue as people and tools see it."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import subprocess
import sys
import unittest
from typing import Any
from unittest import mock

from nfv_mla_scheduler.cmd import main as command
from nfv_mla_scheduler.errors import CatalogueError
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.sections import MAKERS
from nfv_mla_scheduler.standard.sections import sections
from nfv_mla_scheduler.standard.show import as_page
from nfv_mla_scheduler.standard.show import as_text

ROOT = pathlib.Path(__file__).parents[3]
PAGE = ROOT / "doc" / "source" / "reference" / "standard.rst"
USE_CASES = [
    "multi-tenant-hosting",
    "infrastructure-as-a-service",
    "sensitive-application-function",
    "network-monitoring-control",
    "lawful-interception",
    "retained-data",
    "pii-protection",
]


def run(*argv: str) -> tuple[int, str, str]:
    """Return the exit status, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = command.main(argv)
    return status, out.getvalue(), err.getvalue()


def shown(*argv: str) -> Any:
    status, out, _ = run("standard", "show", "--format", "json", *argv)
    assert status == 0
    return json.loads(out)


class PageTest(unittest.TestCase):
    def test_is_what_the_generator_prints(self) -> None:
        self.assertEqual(
            PAGE.read_text(encoding="utf-8"),
            as_page(sections(load())),
            "run: python -m nfv_mla_scheduler.standard.show"
            " > doc/source/reference/standard.rst",
        )


class TextTest(unittest.TestCase):
    def test_fits_a_terminal_of_100_columns(self) -> None:
        for line in as_text(sections(load())).splitlines():
            self.assertLessEqual(len(line), 100, line)
            self.assertEqual(line.rstrip(), line)

    def test_breaks_no_term(self) -> None:
        words = set(as_text(sections(load())).split())
        for term in (
            "communications-security=+confidentiality+integrity",
            "listed-set-with-officer-consent",
            "execution-enclave=sev-snp|sgx|tdx@boot",
        ):
            self.assertIn(term, words)

    def test_prints_every_section(self) -> None:
        status, out, err = run("standard", "show")
        self.assertEqual((0, ""), (status, err))
        for section in sections(load()):
            self.assertIn(section.heading, out)

    def test_prints_the_one_that_is_asked_for(self) -> None:
        for name, make in MAKERS.items():
            status, out, _ = run("standard", "show", "--table", name)
            self.assertEqual(0, status)
            self.assertEqual(as_text([make(load())]), out)


class JsonTest(unittest.TestCase):
    def test_has_everything(self) -> None:
        self.assertLessEqual(
            {
                "table9",
                "table10",
                "table11",
                "table12",
                "pooled_restricted_types",
                "requirements",
                "profiles",
                "anomalies",
            },
            set(shown()),
        )

    def test_table_9_names_the_use_cases_in_order(self) -> None:
        table = shown("--table", "9")["table9"]
        self.assertEqual(20, len(table))
        self.assertEqual(USE_CASES, table["5.1.1"])
        self.assertEqual(USE_CASES[2:], table["5.1.2"])
        self.assertEqual(
            ["sensitive-application-function", "lawful-interception"],
            table["5.2.5"],
        )

    def test_table_11_has_the_three_columns_of_the_standard(self) -> None:
        table = shown("--table", "11")["table11"]
        self.assertEqual(21, len(table))
        self.assertEqual(
            {
                "single-restricted": "none",
                "pooled-restricted": "may",
                "secure-execution": "may",
            },
            table["6.1"],
        )
        self.assertEqual("core", table["6.10"]["single-restricted"])
        self.assertEqual("may", table["6.14"]["pooled-restricted"])
        words = {word for row in table.values() for word in row.values()}
        self.assertEqual({"core", "may", "none"}, words)

    def test_the_types_of_pool_are_apart(self) -> None:
        types = shown()["pooled_restricted_types"]
        self.assertEqual(
            {
                "pooled-restricted": ("7.2.2.1", {"6.14": "none"}),
                "pooled-restricted-concealed": (
                    "7.2.2.2",
                    {"6.14": "core"},
                ),
            },
            {k: (v["clause"], v["table11"]) for k, v in types.items()},
        )

    def test_table_10_has_four_cells(self) -> None:
        table = shown()["table10"]
        self.assertEqual(["static", "dynamic"], list(table))
        self.assertEqual(["boot-time", "run-time"], list(table["static"]))
        self.assertIn("attestation", table["dynamic"]["run-time"])

    def test_requirements_say_what_meets_them(self) -> None:
        found = shown()["requirements"]
        self.assertEqual(
            [["attestation@boot", "tpm@boot"]], found["5.1.1"]["any"]
        )

    def test_profiles_say_how_they_take_each_requirement(self) -> None:
        found = shown()["profiles"]
        self.assertEqual(9, len(found))
        pii = found["pii-protection"]["requirements"]
        self.assertEqual("conditional", pii["5.2.7"])
        self.assertEqual("required", pii["5.2.8"])

    def test_one_table_is_only_that(self) -> None:
        for name in MAKERS:
            self.assertLessEqual(set(shown("--table", name)), set(shown()))
        self.assertEqual(["profiles"], list(shown("--table", "profiles")))


class UsageTest(unittest.TestCase):
    def test_wrong_usage_is_one_line_and_status_2(self) -> None:
        for argv in (
            (),
            ("standard",),
            ("nonsense",),
            ("standard", "show", "--table", "13"),
            ("standard", "show", "--format", "xml"),
            ("standard", "show", "more\nlines"),
        ):
            with self.subTest(argv):
                status, out, err = run(*argv)
                self.assertEqual((2, ""), (status, out))
                self.assertEqual(1, err.count("\n"), err)
                self.assertTrue(err.startswith("nfv-mla"), err)
                self.assertIn("--help", err)

    def test_help_is_no_error(self) -> None:
        for argv in (
            ("--help",),
            ("standard", "--help"),
            ("standard", "show", "--help"),
        ):
            status, out, err = run(*argv)
            self.assertEqual((0, ""), (status, err))
            self.assertIn("usage: nfv-mla", out)

    def test_says_its_version(self) -> None:
        status, out, _ = run("--version")
        self.assertEqual(0, status)
        self.assertTrue(out.startswith("nfv-mla "))

    def test_a_failure_is_one_line_and_status_1(self) -> None:
        for error, text in (
            (CatalogueError("it broke"), "it broke"),
            (FileNotFoundError(2, "No such file", "/x"), "/x: No such"),
            (KeyboardInterrupt(), "interrupted"),
        ):
            with mock.patch(
                "nfv_mla_scheduler.cmd.standard.as_text", side_effect=error
            ):
                status, out, err = run("standard", "show")
            self.assertEqual((1, ""), (status, out))
            self.assertEqual(1, err.count("\n"))
            self.assertIn(text, err)

    def test_a_command_that_lacks_a_package_says_so(self) -> None:
        with mock.patch(
            "importlib.import_module", side_effect=ImportError("no x")
        ):
            status, out, err = run("policy", "lint")
        self.assertEqual((1, ""), (status, out))
        self.assertEqual("nfv-mla: policy cannot be used here: no x\n", err)

    def test_it_takes_no_other_command_along(self) -> None:
        with mock.patch.dict(
            sys.modules, {"nfv_mla_scheduler.cmd.policy": None}
        ):
            self.assertEqual(0, run("--help")[0])
            self.assertEqual(0, run("standard", "show")[0])

    def test_a_reader_that_leaves_gets_no_traceback(self) -> None:
        with subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; sys.stdin.read(1);"
                "from nfv_mla_scheduler.cmd.main import main;"
                "sys.exit(main(['standard', 'show']))",
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout and process.stdin and process.stderr
            process.stdout.close()
            process.stdin.write(b"x")
            process.stdin.close()
            self.assertEqual(b"", process.stderr.read())
            self.assertEqual(1, process.wait(timeout=60))
