# SPDX-License-Identifier: Apache-2.0
"""The pages about the monitor say what it says, all of it and no more."""

from __future__ import annotations

import ast
import collections
import dataclasses
import enum
import json
import pathlib
import re
import shlex
import unittest
from collections.abc import Iterable
from collections.abc import Iterator

import prometheus_client
import yaml
from oslo_config import cfg
from oslo_log import log

from nfv_mla_scheduler.cmd import monitor_service
from nfv_mla_scheduler.cmd import monitor_text
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.feed.news import LOADED
from nfv_mla_scheduler.feed.news import REMOVED
from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor import web
from nfv_mla_scheduler.monitor.cycle_report import Part
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.reporting import metrics
from nfv_mla_scheduler.monitor.reporting.host_states import HostState
from nfv_mla_scheduler.monitor.reporting.lines import Code
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.status import status
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.monitor.web import Readiness
from nfv_mla_scheduler.policy.document import examine_policy
from nfv_mla_scheduler.policy.keeper import NewsKind
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.starter import starter_policy
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.test_docs import NOVEMBER_2026
from tests.unit.test_docs import PEM
from tests.unit.test_docs import SOURCE
from tests.unit.test_docs import blocks
from tests.unit.test_docs import pages

PACKAGE = SOURCE.parents[1] / "nfv_mla_scheduler"
API = SOURCE / "reference" / "monitor-api.rst"
RUNBOOK = SOURCE / "admin" / "runbook.rst"
PLAYBOOKS = SOURCE / "officer" / "playbooks.rst"


def text_of(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the rows of the list-table whose first heading that is."""
    table = re.search(
        rf"   :widths: [ \d]+\n\n   \* - {re.escape(heading)}\n"
        r"(.*?)\n(?=\S)",
        text,
        re.S,
    )
    assert table is not None, heading
    found = []
    for row in re.split(r"\n   \* - ", "\n" + table[1])[1:]:
        cells = re.split(r"\n     -(?: |$|(?=\n))", row)
        found.append([" ".join(cell.split()) for cell in cells])
    return found


def column(text: str, heading: str) -> list[str]:
    """Return the first cells of a list-table, without their quotes."""
    return [row[0].strip("`") for row in rows(text, heading)]


def values(*kinds: type[enum.Enum]) -> set[str]:
    return {member.value for kind in kinds for member in kind}


class RunbookTest(unittest.TestCase):
    def sections(self) -> dict[str, str]:
        """Return code -> its section; one may be of several codes."""
        split = re.split(
            r"^([a-z-]+(?:, [a-z-]+)*)\n-+\n",
            text_of(RUNBOOK),
            flags=re.MULTILINE,
        )
        found: dict[str, str] = {}
        for codes, body in zip(split[1::2], split[2::2], strict=True):
            for code in codes.split(", "):
                self.assertNotIn(code, found)
                found[code] = body
        return found

    def test_every_word_of_the_monitor_has_a_section_and_no_other_has(
        self,
    ) -> None:
        self.assertEqual(
            sorted(values(Kind, Why, CloudCode, Code)),
            sorted(self.sections()),
        )

    def test_every_section_says_something(self) -> None:
        for code, body in self.sections().items():
            with self.subTest(code=code):
                self.assertGreater(len(body.split()), 8)

    def test_every_alarm_says_what_to_do_and_when_it_ends(self) -> None:
        sections = self.sections()
        for code in ("not-halted", "suspect-authority", "suspect-policy",
                     "failed", "withheld", "outage", "tampered"):  # fmt: skip
            with self.subTest(code=code):
                for word in ("Look", "Do", "Ends"):
                    self.assertIn(f"\n{word}\n   ", sections[code])

    def test_every_kind_is_in_the_first_table_about_the_monitor(self) -> None:
        text = text_of(SOURCE / "admin" / "monitor.rst")
        self.assertEqual([k.value for k in Kind], column(text, "Finding"))


class NewsTest(unittest.TestCase):
    """Codes at the end of lines about policy, results and files."""

    SAYS = ("News", "say", "bad", "good")

    def written(self, tree: ast.Module) -> Iterator[str]:
        """Yield the codes that a module says, by its source."""
        named = collections.defaultdict(list)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        named[target.id].append(node.value)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called not in self.SAYS:
                continue
            # the subject is the first
            for argument in node.args[1:3]:
                given = [argument]
                if isinstance(argument, ast.Name):
                    given = named[argument.id]
                for each in given:
                    found = getattr(each, "value", None)
                    if isinstance(found, str):
                        yield found

    def codes(self) -> set[str]:
        found = values(NewsKind, PolicyCode, ResultsCode) | {LOADED, REMOVED}
        for part in ("feed", "monitor"):
            for path in sorted((PACKAGE / part).rglob("*.py")):
                found.update(self.written(ast.parse(text_of(path))))
        path = PACKAGE / "collector" / "service.py"
        found.update(self.written(ast.parse(text_of(path))))
        return {c for c in found if re.fullmatch(r"[a-z]+(-[a-z]+)*", c)}

    def test_each_is_in_a_page(self) -> None:
        told = set()
        for _, text in pages():
            told.update(re.findall(r"``([a-z]+(?:-[a-z]+)*)``", text))
        codes = self.codes()
        self.assertLessEqual(
            {"policy-expires", "results-left-out", "results-stale",
             "status-written", "cycle-well", "results-restored"},
            codes,
        )  # fmt: skip
        self.assertEqual([], sorted(codes - told))


class ApiTest(unittest.TestCase):
    def test_every_path_is_there_with_its_method(self) -> None:
        told = {
            path.strip("`"): (method,)
            for path, method, _, _ in rows(text_of(API), "Path")
        }
        self.assertEqual(web.ROUTES, told)

    def test_words_of_the_status_are_those_that_there_are(self) -> None:
        text = text_of(API)
        for heading, kind in (
            ("Host", HostState),
            ("State of an answer", State),
            ("Outcome", Result),
            ("Part of a cycle", Part),
            ("``/ready``", Readiness),
        ):
            with self.subTest(table=heading):
                self.assertEqual(
                    [member.value for member in kind], column(text, heading)
                )

    def example(self) -> dict[str, object]:
        found = [json.loads(b) for b in blocks(text_of(API), "json")]
        return next(each for each in found if "findings_list" in each)

    def test_the_example_of_a_status_has_its_keys_in_their_order(self) -> None:
        empty = status(1.0, Process(0.0, "none"), None, Tally())
        self.assertEqual(list(empty), list(self.example()))

    def test_every_key_of_the_status_is_explained(self) -> None:
        part = text_of(API).partition("\nStatus\n")[2]
        part = part.partition("\nMetrics\n")[0]
        told = set()
        for line in re.findall(r"^``.*``$", part, re.MULTILINE):
            told.update(re.findall(r"``(\w+)``", line))
        self.assertEqual(set(self.example()), told)

    def test_the_example_of_a_status_can_be_shown(self) -> None:
        lines = "\n".join(monitor_text.report(self.example(), 200))
        self.assertIn("Acts on      all", lines)
        self.assertIn("| live-migrate |", lines)

    def test_metrics_are_those_that_there_are(self) -> None:
        empty = status(1.0, Process(0.0, "none"), None, Tally())
        seen: list[list[str]] = []
        for family in families(empty):
            name = family.name
            if family.type == "counter":
                name += "_total"
            labels = sorted({k for s in family.samples for k in s.labels})
            seen.append([
                f"``{name}``",
                ", ".join(f"``{label}``" for label in labels),
                family.documentation,
            ])  # fmt: skip
        self.assertEqual(seen, rows(text_of(API), "Name"))

    def test_metrics_that_alarms_are_made_of_exist(self) -> None:
        told = {row[0].strip("`") for row in rows(text_of(API), "Name")}
        for page, text in pages():
            for name in re.findall(r"nfv_mla_monitor_\w+", text):
                with self.subTest(page=page, name=name):
                    self.assertIn(name, told)

    def test_codes_of_marks_are_those_that_there_are(self) -> None:
        text = text_of(API)
        part = text.partition("\n``CODE``\n")[2].partition("(``dirty``")[0]
        self.assertEqual(
            [code.value for code in marks.Code],
            re.findall(r"``([a-z-]+)``", part),
        )


def families(
    said: dict[str, object],
) -> Iterator[prometheus_client.core.Metric]:
    """Yield all families of metrics, each with at least one sample."""
    full = {**said, "suspects": ["x"], "steps": {"lock": {"done": 1}}}
    yield from metrics._Families(full).collect()


class PlaybooksTest(unittest.TestCase):
    def policy(self) -> str:
        """Return a policy with all that the page's examples say."""
        text = starter_policy("acme", "collector", PEM, NOVEMBER_2026)
        kept, skip = [], False
        for line in text.splitlines(keepends=True):
            if re.match(r"\w+:", line):
                skip = line.startswith("authorities:")
            if not skip:
                kept.append(line)
        text = "".join(kept)
        seen = []
        for block in blocks(text_of(PLAYBOOKS), "yaml"):
            key = block.partition(":")[0]
            self.assertNotIn(f"\n{key}:", text)
            text += block
            seen.append(key)
        self.assertEqual(["playbooks", "authorities", "guard"], seen)
        return text

    def test_its_examples_are_sound(self) -> None:
        problems, _ = lint_policy(
            self.policy().encode(), load(), NOVEMBER_2026
        )
        self.assertEqual((), problems)

    def test_what_it_says_is_refused_is_refused(self) -> None:
        for playbook, said in (
            ("exposure: [fence, lock, live-migrate]", "neither stop nor"),
            ("confidentiality: [lock, live-migrate, stop]", "carries over"),
            ("withheld: [lock, stop, evacuate]", "exist twice"),
            ("exposure: [fence, stop]", "could undo it"),
            ("outage: [lock, stop]", "evicts nothing"),
        ):
            with self.subTest(playbook=playbook):
                text = re.sub(
                    r"\nplaybooks:\n(  .*\n)+",
                    f"\nplaybooks:\n  {playbook}\n",
                    self.policy(),
                )
                self.assertIn(playbook, text)
                problems, _ = lint_policy(text.encode(), load(), NOVEMBER_2026)
                self.assertTrue(
                    any(said in problem.message for problem in problems),
                    problems,
                )

    def test_default_playbooks_are_those_of_the_catalogue(self) -> None:
        told = {
            row[0].strip("`"): tuple(row[3].split(", "))
            for row in rows(text_of(PLAYBOOKS), "Kind")
        }
        axes = load().axes_of_failure
        self.assertEqual(
            {name: axis.steps for name, axis in axes.items()}, told
        )

    def test_what_may_travel_is_that_of_the_catalogue(self) -> None:
        words = {"nothing": "none", "the disk": "disk", "all": "all"}
        for kind, _, travels, _ in rows(text_of(PLAYBOOKS), "Kind"):
            if travels:
                axis = load().axes_of_failure[kind.strip("`")]
                self.assertEqual(words[travels], axis.carry.value, kind)

    def test_every_step_is_explained(self) -> None:
        self.assertEqual(
            [step.value for step in Step],
            column(text_of(PLAYBOOKS), "Step"),
        )

    def test_the_guards_defaults_are_those_that_hold(self) -> None:
        text = starter_policy("acme", "collector", PEM, NOVEMBER_2026)
        self.assertNotIn("\nguard:", text)
        policy, _, _ = examine_policy(text.encode(), load())
        assert policy is not None
        block = next(
            b for b in blocks(text_of(PLAYBOOKS), "yaml") if "guard" in b
        )
        self.assertEqual(
            dataclasses.asdict(policy.guard), yaml.safe_load(block)["guard"]
        )

    def test_halting_times_are_those_of_the_profiles(self) -> None:
        told = {
            name: (int(within), first)
            for name, within, first in re.findall(
                r"^``([\w.-]+)`` +(\d+) s +(\w+)$",
                text_of(PLAYBOOKS),
                re.MULTILINE,
            )
        }
        self.assertEqual(
            {
                name: (p.conduct["halt_within_s"], p.conduct["first"])
                for name, p in load().profiles.items()
            },
            told,
        )

    def test_profiles_that_halt_with_nowhere_to_go_are_named(self) -> None:
        names = re.findall(
            r"^``([\w.-]+)`` +\d+ s", text_of(PLAYBOOKS), re.MULTILINE
        )
        first = names.index("sensitive-application-function")
        self.assertEqual(
            set(names[first:]),
            {
                name
                for name, p in load().profiles.items()
                if p.conduct.get("nowhere") == "stop"
            },
        )


class ServiceTest(unittest.TestCase):
    def lines(self) -> Iterable[tuple[str, list[str]]]:
        for page, text in pages():
            for line in re.findall(r"^ +\$ (nfv-mla-monitor.*)$", text, re.M):
                yield page, shlex.split(line)[1:]

    def test_every_command_line_of_the_service_parses(self) -> None:
        seen = 0
        for page, words in self.lines():
            named = words.index("--config-file") if (
                "--config-file" in words
            ) else len(words)  # fmt: skip
            with self.subTest(page=page, words=words):
                conf = cfg.ConfigOpts()
                log.register_options(conf)
                conf.register_cli_opts(
                    [
                        monitor_service._CHECK,
                        monitor_service._ONCE,
                        monitor_service._DRY_RUN,
                    ]
                )
                parts.register(conf)
                conf(words[:named], default_config_files=[])
                seen += 1
        self.assertGreater(seen, 2)
