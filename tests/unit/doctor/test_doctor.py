# SPDX-License-Identifier: Apache-2.0
"""The whole: what is well, what breaks, what is printed, and its page."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import itertools
import json
import logging
import os
import pathlib
import re
import sys
import textwrap
import unittest
from typing import Any

from nfv_mla_scheduler.cmd import main as command
from nfv_mla_scheduler.collector.restore import Place
from nfv_mla_scheduler.doctor import examination
from nfv_mla_scheduler.doctor import report
from nfv_mla_scheduler.doctor import rules
from nfv_mla_scheduler.doctor.examination import examine
from nfv_mla_scheduler.doctor.examination import exit_status
from nfv_mla_scheduler.doctor.findings import Finding
from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.registry import CHECKS
from nfv_mla_scheduler.doctor.registry import HEADINGS
from nfv_mla_scheduler.doctor.registry import NAMES
from nfv_mla_scheduler.doctor.registry import Check
from nfv_mla_scheduler.doctor.site import Inputs
from nfv_mla_scheduler.doctor.site import Site as Examined
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.policy.instants import write_instant
from tests.unit.doctor.sites import DAY
from tests.unit.doctor.sites import HOSTS
from tests.unit.doctor.sites import RULES
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase

ROOT = pathlib.Path(__file__).parents[3]
PAGE = ROOT / "doc" / "source" / "admin" / "doctor.rst"
# Nova is loaded in a process of its own for it, which takes seconds; the
# functional tests make it.
SLOW = "nova.modules"
QUICK = frozenset(NAMES) - {SLOW}
SAMPLE = frozenset({"options", "nova", "policy", "results", "hosts", "ways"})
NOT_IN_SAMPLE = {SLOW, "nova.validators", "options.readable"}
NOVEMBER_2026 = 1_795_680_000.0
# What a machine that runs tests is not to be judged by.
OF_THE_MACHINE = ("keys.guarded", "state.persistent", "state.space")


# Not text; and text that goes deeper than any reader.
JUNK = (b"\x00\xff", b"{" * 50_000)


def run(*words: object) -> tuple[int, str, str]:
    """Run the command; return status, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = command.main(["doctor", *map(str, words)])
    return status, out.getvalue(), err.getvalue()


class ExaminationTest(SiteCase):
    def test_a_site_that_is_well_is_found_to_be(self) -> None:
        site = CollectorSite(self)
        place = Place(site.results_file)
        self.addCleanup(place.release)
        found = examine(site.inputs(), QUICK)
        states = {f.check: f.verdict.state for f in found}
        self.assertEqual(
            {"clock.collector", "collector.embedded"},
            {name for name, state in states.items() if state is not State.OK},
            "\n".join(report.as_text(found)),
        )
        self.assertEqual(0, exit_status(found))

    def test_nothing_is_written(self) -> None:
        site = CollectorSite(self)
        before = _tree(site.root)
        examine(site.inputs(), QUICK)
        self.assertEqual(before, _tree(site.root))

    def test_nova_is_not_imported(self) -> None:
        modules = {name for name in sys.modules if name.startswith("nova")}
        site = Site(self)
        examine(site.inputs(), QUICK)
        now = {name for name in sys.modules if name.startswith("nova")}
        self.assertEqual(modules, now)

    def test_a_site_of_which_nothing_is_there_breaks_no_check(self) -> None:
        empty = pathlib.Path(os.devnull)
        inputs = Inputs(
            1e9,
            scheduler=(empty,),
            conductor=(empty,),
            api=(empty,),
            collector=(empty,),
            nova_hosts=empty,
            status_file=empty,
            mountinfo=empty,
            locks=empty,
        )
        found = examine(inputs, QUICK)
        self.assertEqual(len(QUICK), len(found))
        for finding in found:
            self.assertNotIn("a fault of this check", finding.verdict.found)

    def test_whatever_a_file_holds_breaks_no_check(self) -> None:
        site = CollectorSite(self)
        files = [p for p in sorted(site.root.rglob("*")) if p.is_file()]
        self.assertGreater(len(files), 15)
        for path, junk in zip(files, itertools.cycle(JUNK), strict=False):
            before = path.read_bytes()
            path.write_bytes(junk)
            found = examine(site.inputs(), QUICK)
            path.write_bytes(before)
            for finding in found:
                with self.subTest(path=path, check=finding.check):
                    said = finding.verdict.found
                    self.assertNotIn("a fault of this check", said)

    def test_a_check_that_fails_is_a_finding_and_the_others_go_on(
        self,
    ) -> None:
        def raises(site: Examined) -> Verdict:
            raise ZeroDivisionError("x" * 999 + "\n")

        site = Examined(Inputs(1.0))
        found = examination.look(Check("x.y", raises), site)
        self.assert_failed(found, "could not look: a fault of this check")
        self.assertLessEqual(len(found.found), LINE_MAX)
        self.assertNotIn("\n", found.found)

    def test_libraries_are_heard_again_afterwards(self) -> None:
        site = Site(self)
        with self.assertLogs("oslo_policy", "WARNING"):
            examine(site.inputs(), {"ways.create"})
            logging.getLogger("oslo_policy").warning("heard")


class ExitTest(unittest.TestCase):
    def test_the_gravest_finding_decides(self) -> None:
        for states, expected in (
            ("", 0),
            ("OK SKIPPED", 0),
            ("OK WARNING", 3),
            ("WARNING FAILED OK", 1),
        ):
            findings = [
                Finding("x", Verdict(State(state), ""))
                for state in states.split()
            ]
            self.assertEqual(expected, exit_status(findings), states)


class RegistryTest(unittest.TestCase):
    def test_names_are_unique_and_have_a_heading(self) -> None:
        self.assertEqual(len(NAMES), len(set(NAMES)))
        for check in CHECKS:
            self.assertRegex(check.name, r"^[a-z]+\.[a-z]+(-[a-z]+)*$")
            self.assertIn(check.heading, HEADINGS)
        self.assertEqual(list(HEADINGS), list(dict.fromkeys(_headings())))

    def test_each_says_what_it_means_in_a_sentence(self) -> None:
        for check in CHECKS:
            self.assertRegex(check.meaning, r"^[A-Z\[n].*[^.]\.$", check.name)
        meanings = [check.meaning for check in CHECKS]
        self.assertEqual(len(meanings), len(set(meanings)))


class CommandTest(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)
        self.words = [
            "--config-file",
            self.site.nova_conf,
            "--nova-hosts",
            self.site.nova_hosts,
        ]

    def test_all_is_well(self) -> None:
        skip = (SLOW, *OF_THE_MACHINE)
        status, out, err = run(*self.words, "--skip", *skip)
        self.assertEqual((0, ""), (status, err), out)
        self.assertIn("0 WARNING, 0 FAILED", out)
        for line in out.splitlines():
            if str(self.site.root) not in line:
                self.assertLess(len(line), 80)

    def test_only_warnings(self) -> None:
        self.site.write_rules({})
        status, out, _ = run(*self.words, "--only", "ways")
        self.assertEqual(3, status)
        self.assertIn("3 checks: 0 SKIPPED, 0 OK, 3 WARNING, 0 FAILED", out)

    def test_a_failure(self) -> None:
        self.site.policy_file.unlink()
        status, out, err = run(*self.words, "--only", "policy.signed")
        self.assertEqual((1, ""), (status, err))
        self.assertIn("  FAILED   policy.signed: ", out)
        self.assertIn("           > ", out)

    def test_only_and_skip_take_names_and_headings(self) -> None:
        for words, expected in (
            (("--only", "keys.officers"), ["keys.officers"]),
            (
                ("--only", "ways", "--skip", "ways.create"),
                ["ways.live-migration", "ways.evacuation"],
            ),
            (
                ("--only", "ways.create", "--only", "hosts.pools"),
                ["hosts.pools", "ways.create"],
            ),
        ):
            _, out, _ = run(*self.words, *words, "--format", "json")
            found = [check["check"] for check in json.loads(out)["checks"]]
            self.assertEqual(expected, found)

    def test_json_says_the_same(self) -> None:
        self.site.write_rules({})
        words = (*self.words, "--only", "ways.create", "keys.threshold")
        status, out, _ = run(*words, "--format", "json")
        found = json.loads(out)
        self.assertEqual(3, status)
        self.assertEqual(3, found["exit_status"])
        self.assertEqual("nfv-mla-doctor/1", found["format"])
        self.assertEqual(
            {"SKIPPED": 0, "OK": 1, "WARNING": 1, "FAILED": 0},
            found["counts"],
        )
        by_name = {check["check"]: check for check in found["checks"]}
        self.assertEqual("WARNING", by_name["ways.create"]["state"])
        self.assertTrue(by_name["ways.create"]["advice"])
        self.assertEqual("", by_name["keys.threshold"]["advice"])

    def test_what_is_skipped_for_one_reason_is_said_once(self) -> None:
        _, out, _ = run(*self.words, "--only", "collector")
        flat = " ".join(out.split())
        self.assertIn("collector.options, collector.policy, coll", flat)
        said = "no configuration of the collector is given"
        self.assertEqual(1, flat.count(said))

    def test_the_list_names_them_all(self) -> None:
        status, out, _ = run("--list")
        self.assertEqual(0, status)
        for check in CHECKS:
            self.assertRegex(out, rf"(?m)^  {re.escape(check.name)}: ")

    def test_wrong_usage(self) -> None:
        for words in (
            ("--only",),
            ("--only", "nothing"),
            ("--skip", "policy.nothing"),
            ("--format", "yaml"),
            ("--config-file",),
            ("whatever",),
        ):
            with self.subTest(words=words):
                status, out, err = run(*words)
                self.assertEqual((2, ""), (status, out))
                self.assertEqual(1, err.count("\n"))

    def test_a_file_that_is_not_there_is_named(self) -> None:
        for option in ("--config-file", "--api-config-file"):
            status, out, err = run(*self.words, option, "/nowhere/nova.conf")
            self.assertEqual((1, ""), (status, out))
            self.assertIn("/nowhere/nova.conf: no such file", err)

    def test_a_wrong_name_leads_to_the_right_ones(self) -> None:
        _, _, err = run("--only", "polici")
        self.assertIn("options, nova, policy", err)

    def test_without_any_configuration_there_is_nothing_to_look_at(
        self,
    ) -> None:
        # as on a machine that has none where services look for theirs
        home = os.environ.get("HOME")
        os.environ["HOME"] = str(self.site.root)
        self.addCleanup(os.environ.__setitem__, "HOME", home or "")
        status, out, err = run()
        if not out:
            self.assertEqual(1, status)
            self.assertIn("--config-file", err)

    def test_a_relative_path_is_one_too(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.site.etc)
        words = ("--config-file", "nova.conf", "--only", "ways", "policy")
        status, out, _ = run(*words)
        self.assertEqual(0, status, out)


class CollectorAloneTest(SiteCase):
    def test_a_collector_s_machine_has_no_nova(self) -> None:
        site = CollectorSite(self)
        place = Place(site.results_file)
        self.addCleanup(place.release)
        status, out, _ = run(
            "--collector-config-file",
            site.collector_conf,
            "--skip",
            SLOW,
            *OF_THE_MACHINE,
        )
        self.assertEqual(0, status, out)
        self.assertIn("collector.key: the policy has the key", out)
        self.assertIn("results.fresh: fresh: lab 2 of 2", out)
        self.assertIn("no configuration of the scheduler is given", out)


class PageTest(unittest.TestCase):
    page: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.page = PAGE.read_text(encoding="utf-8")

    def test_its_table_is_the_registry(self) -> None:
        rows = re.findall(
            r"^   \* - ``([a-z.-]+)``\n     - ((?:.+\n)(?:       .+\n)*)",
            self.page.partition("\nThe checks\n")[2],
            re.MULTILINE,
        )
        found = {name: " ".join(text.split()) for name, text in rows}
        expected = {c.name: _as_rst(c.meaning) for c in CHECKS}
        self.assertEqual(expected, found)
        self.assertEqual(list(expected), [name for name, _ in rows])

    def test_every_check_in_it_exists(self) -> None:
        for name in re.findall(r"``([a-z]+\.[a-z-]+)``", self.page):
            if name.partition(".")[0] in HEADINGS and name != "policy.yaml":
                self.assertIn(name, NAMES)

    def test_its_sample_is_what_is_printed(self) -> None:
        expected = "\n".join(sample(self))
        (found,) = re.findall(
            r"\.\. code-block:: text\n\n((?:   .*\n|\n)+)", self.page
        )
        self.assertEqual(expected, textwrap.dedent(found).strip())


def sample(test: unittest.TestCase) -> list[str]:
    """Return what is printed of a site on which some things are not well.

    Always the same: keys are made from their names, and the time stands.
    """
    site = Site(test, NOVEMBER_2026)
    site.sign(version=8, expires=write_instant(site.now + 24 * DAY))
    site.publish(hosts=HOSTS[:1], age_s=12.0)
    site.write_rules({**RULES, "os_compute_api:os-evacuate": rules.ADMIN})
    site.sections["nfv_mla"]["oficer_threshold"] = 2
    site.write_conf()
    names = [
        check.name
        for check in CHECKS
        if check.heading in SAMPLE and check.name not in NOT_IN_SAMPLE
    ]
    places = {
        site.nova_conf: "/etc/nova/nova.conf",
        site.results_file: "/var/lib/nfv-mla/results",
    }
    findings = []
    for finding in examine(site.inputs(), names):
        said = finding.verdict.found
        for path, shown in places.items():
            said = said.replace(str(path), shown)
        verdict = dataclasses.replace(finding.verdict, found=said)
        findings.append(Finding(finding.check, verdict))
    return list(report.as_text(findings))


def _as_rst(text: str) -> str:
    """Return a meaning as the page has it, options marked."""
    return re.sub(r"(\[\w+\])", r"``\1``", text)


def _headings() -> list[str]:
    return [check.heading for check in CHECKS]


def _tree(root: pathlib.Path) -> dict[str, Any]:
    """Return what is below ``root``: content, modes and times."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (
            hashlib.sha256(data).hexdigest(),
            status.st_mode,
            status.st_uid,
            status.st_ino,
            status.st_mtime_ns,
        )
    return found
