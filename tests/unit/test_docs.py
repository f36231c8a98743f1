# SPDX-License-Identifier: Apache-2.0
"""What the documentation names exists, and what it shows can be typed."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import pathlib
import re
import shlex
import tempfile
import unittest
from collections.abc import Iterator
from typing import Any

import yaml
from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.cmd import main as command
from nfv_mla_scheduler.collector import settings
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor import settings as monitor
from nfv_mla_scheduler.policy import page_keys
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.starter import starter_policy
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.standard.catalogue import load

ROOT = pathlib.Path(__file__).parents[2]
SOURCE = ROOT / "doc" / "source"
PACKAGE = ROOT / "nfv_mla_scheduler"
NOTES = ROOT / "releasenotes" / "notes"
PAGES = (
    ROOT / "README.rst",
    ROOT / "CONTRIBUTING.rst",
    *sorted(SOURCE.rglob("*.rst")),
    *sorted(NOTES.glob("*.yaml")),
)
# Options of Nova's that we name, and that another library registers.
ELSEWHERE = {"oslo_policy", "DEFAULT"}
# How lines of the log begin.
LOG = re.compile(r"nfv-mla (?:refused|would|lets|cannot|[\w -]+:)")
PEM = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAzeiUT9a0ZhJzbVlVjo+/MY7hx6Pk763d+AuK0rzcw+k=\n"
    "-----END PUBLIC KEY-----\n"
)
NOVEMBER_2026 = 1795132800.0
POOLS = """\
pools:
  key-stores:
    host_class: pooled-restricted
    members: []
    exclusive_to: [acme-keys]
    management_domains: [acme]
"""


def pages() -> Iterator[tuple[str, str]]:
    for path in PAGES:
        name = str(path.relative_to(ROOT))
        yield name, path.read_text(encoding="utf-8")


def blocks(text: str, language: str) -> Iterator[str]:
    """Yield the code blocks of a language, without their indentation."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.strip() != f".. code-block:: {language}":
            continue
        block = []
        margin = len(line) - len(line.lstrip())
        for inner in lines[number + 1 :]:
            if inner.strip() and len(inner) - len(inner.lstrip()) <= margin:
                break
            block.append(inner)
        filled = [inner for inner in block if inner.strip()]
        indent = min(len(inner) - len(inner.lstrip()) for inner in filled)
        yield "\n".join(inner[indent:] for inner in block).strip("\n") + "\n"


def literals(text: str) -> Iterator[str]:
    """Yield inline literals, line ends in them as blanks."""
    for found in re.findall(r"``([^`]+?)``", text):
        yield " ".join(found.split())


def commands(text: str) -> Iterator[str]:
    """Yield the ``nfv-mla`` command lines that a page tells to type."""
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        typed = re.match(r" +(?:\$ )?(nfv-mla .*)", line)
        if typed and not LOG.match(typed[1]):
            yield typed[1]


def accepted(words: list[str]) -> str:
    """Return what the command line has against these words."""
    err = io.StringIO()
    try:
        with (
            contextlib.redirect_stderr(err),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            command._parser(words).parse_args(words)
    except SystemExit as exc:
        return "" if exc.code == 0 else err.getvalue()
    return ""


class CommandsTest(unittest.TestCase):
    def test_the_readme_names_commands_that_can_be_run(self) -> None:
        text = (ROOT / "README.rst").read_text(encoding="utf-8")
        for script in ("tools/demo.sh", "tools/test.sh"):
            self.assertIn(f"``{script}``\n", text)
            self.assertTrue(os.access(ROOT / script, os.X_OK), script)

    def test_every_command_line_parses(self) -> None:
        seen = 0
        for page, text in pages():
            for line in commands(text):
                with self.subTest(page=page, line=line):
                    words = shlex.split(line)[1:]
                    self.assertEqual("", accepted(words))
                    seen += 1
        self.assertGreater(seen, 15)

    def test_every_command_in_a_sentence_exists(self) -> None:
        seen = 0
        for page, text in pages():
            for literal in literals(text):
                if not re.match(r"nfv-mla [a-z]", literal) or LOG.match(
                    literal
                ):
                    continue
                words = []
                for word in literal.split()[1:]:
                    if not re.fullmatch("[a-z-]+", word) or word[0] == "-":
                        break
                    words.append(word)
                with self.subTest(page=page, literal=literal):
                    self.assertEqual("", accepted([*words[:2], "--help"]))
                    seen += 1
        self.assertGreater(seen, 5)

    def test_every_script_that_is_named_can_be_run(self) -> None:
        for page, text in pages():
            for script in re.findall(r"(?<![\w/])tools/[\w-]+\.sh", text):
                with self.subTest(page=page, script=script):
                    self.assertTrue(os.access(ROOT / script, os.X_OK))


class OptionsTest(unittest.TestCase):
    conf: Any
    collector: dict[str, set[str]]

    @classmethod
    def setUpClass(cls) -> None:
        from nova.conf import CONF

        cls.conf = CONF
        options.register(CONF)
        # of the groups of all authorities together, whatever their drivers
        cls.collector = {}
        for group, listed in (*settings.list_opts(), *monitor.list_opts()):
            known = cls.collector.setdefault(_each(group.name), set())
            known.update(option.dest for option in listed)

    def known(self, group: str, option: str) -> bool:
        if _each(group) in self.collector:
            return option in self.collector[_each(group)]
        return group in ELSEWHERE or option in self.conf[group]

    def test_every_option_with_its_group_exists(self) -> None:
        seen = 0
        for page, text in pages():
            for literal in literals(text):
                found = re.match(r"\[(\w+)\] (\w+)", literal)
                if found:
                    with self.subTest(page=page, literal=literal):
                        self.assertTrue(self.known(*found.groups()))
                        seen += 1
        self.assertGreater(seen, 5)

    def test_every_line_of_nova_conf_is_understood(self) -> None:
        seen = 0
        for page, text in pages():
            for block in blocks(text, "ini"):
                group = ""
                for line in filter(None, block.splitlines()):
                    if line.startswith("["):
                        group = line.strip("[]")
                        continue
                    with self.subTest(page=page, line=line):
                        name = line.split("=")[0].strip()
                        self.assertTrue(self.known(group, name))
                        seen += 1
        self.assertGreater(seen, 10)

    def test_the_readmes_nova_conf_loads_filter_and_weighers(self) -> None:
        from nova.conf import scheduler as novas
        from nova.scheduler import filters
        from nova.scheduler import weights

        for page in ("README.rst", "doc/source/admin/installation.rst"):
            text = (ROOT / page).read_text(encoding="utf-8")
            conf = cfg.ConfigOpts()
            novas.register_opts(conf)
            options.register(conf)
            with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
                file.write("\n".join(blocks(text, "ini")))
                file.flush()
                conf([], default_config_files=[file.name])
            group = conf.filter_scheduler
            found = filters.HostFilterHandler().get_matching_classes(
                group.available_filters
            )
            names = {cls.__name__ for cls in found}
            self.assertEqual("NfvMlaFilter", group.enabled_filters[0])
            self.assertLessEqual(set(group.enabled_filters), names)
            weighers = weights.HostWeightHandler().get_matching_classes(
                group.weight_classes
            )
            self.assertLessEqual(
                {"NfvMlaAssuranceWeigher", "NfvMlaScarcityWeigher"},
                {cls.__name__ for cls in weighers},
            )
            settings = options.settings(conf)
            self.assertEqual(2, len(settings.officer_keys), page)

    def test_every_rule_of_novas_policy_exists(self) -> None:
        from nova import policies

        known = {rule.name for rule in policies.list_rules()}
        for page, text in pages():
            for rule in re.findall(r"os_compute_api:[\w:-]+", text):
                with self.subTest(page=page, rule=rule):
                    self.assertIn(rule, known)


class NamesTest(unittest.TestCase):
    def test_every_file_that_is_named_exists(self) -> None:
        suffixes = "py|sh|yaml|rst|ini|toml|sample"
        path = re.compile(rf"\.?[\w./-]+/[\w.-]+\.(?:{suffixes})")
        seen = 0
        for page, text in pages():
            for literal in literals(text):
                if not path.fullmatch(literal) or literal.startswith("/"):
                    continue
                with self.subTest(page=page, file=literal):
                    self.assertTrue(
                        (ROOT / literal).exists()
                        or (PACKAGE / literal).exists()
                    )
                    seen += 1
        self.assertGreater(seen, 30)

    def test_every_module_that_is_named_exists(self) -> None:
        for page, text in pages():
            for name in re.findall(r"nfv_mla_scheduler(?:\.\w+)+", text):
                with self.subTest(page=page, name=name):
                    self.assertTrue(_exists(name))

    def test_every_key_is_one_and_every_value_is_right(self) -> None:
        stems = [PREFIX + key.stem for key in KEYS]
        seen = 0
        for page, text in pages():
            for name, _, value in re.findall(
                r"(?<!\w)(nfv_mla:[a-z][\w.-]*[\w])(=([^\s`\\]+))?", text
            ):
                with self.subTest(page=page, name=name, value=value):
                    self.assertTrue(
                        any(stem.startswith(name) for stem in stems)
                        or any(name.startswith(stem) for stem in stems)
                    )
                    if value:
                        values = {name: value.rstrip(",")}
                        read_ask(Source.FLAVOR, values, load())
                        seen += 1
        self.assertGreater(seen, 10)


class PagesTest(unittest.TestCase):
    def test_the_page_of_keys_is_the_generated_one(self) -> None:
        self.assertEqual(
            (SOURCE / "reference/keys.rst").read_text(encoding="utf-8"),
            page_keys.page(),
            "run: python -m nfv_mla_scheduler.policy.page_keys"
            " > doc/source/reference/keys.rst",
        )

    def test_the_generator_prints_the_page(self) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            page_keys.main()
        self.assertEqual(page_keys.page(), out.getvalue())

    def test_every_key_has_its_heading(self) -> None:
        lines = page_keys.page().splitlines()
        for key in KEYS:
            heading = f"``{PREFIX}{key.name}``"
            self.assertEqual(1, lines.count(heading))

    def test_every_example_of_a_key_is_right(self) -> None:
        for key in KEYS:
            name = PREFIX + key.name.replace("{capability}", "hsm")
            with self.subTest(key=name):
                read_ask(Source.FLAVOR, {name: key.example}, load())

    def test_every_refusal_has_a_heading_and_nothing_else_has(self) -> None:
        page = SOURCE / "reference/refusals.rst"
        text = page.read_text(encoding="utf-8")
        headings = re.findall(r"^([a-z-]+)\n-+$", text, re.MULTILINE)
        self.assertEqual(
            sorted(code.value for code in RefusalCode), sorted(headings)
        )

    def test_every_refusal_names_clauses(self) -> None:
        page = SOURCE / "reference/refusals.rst"
        text = page.read_text(encoding="utf-8")
        entries = re.split(r"^[a-z-]+\n-+$", text, flags=re.MULTILINE)
        for entry in entries[1:]:
            self.assertRegex(entry, r"Clauses?\s+\d(\.\d+)*")

    def test_decisions_are_numbered_without_gaps(self) -> None:
        found = sorted((SOURCE / "adr").glob("[0-9]*.rst"))
        for number, path in enumerate(found, start=1):
            text = path.read_text(encoding="utf-8")
            self.assertTrue(path.name.startswith(f"{number:04d}-"), path)
            self.assertEqual(f"{number}.", text.splitlines()[1].split()[0])
            for heading in ("Context", "Decision", "Consequences"):
                self.assertIn(f"\n{heading}\n===", text)

    def test_release_notes_have_known_sections(self) -> None:
        config = yaml.safe_load(
            (NOTES.parent / "config.yaml").read_text(encoding="utf-8")
        )
        known = {name for name, _ in config["sections"]} | {"prelude"}
        notes = list(NOTES.glob("*.yaml"))
        self.assertTrue(notes)
        for note in notes:
            with self.subTest(note=note.name):
                self.assertRegex(note.stem, r"^[a-z-]+-[0-9a-f]{16}$")
                found = yaml.safe_load(note.read_text(encoding="utf-8"))
                self.assertLessEqual(set(found), known)

    def test_the_policies_of_the_installation_guide_are_right(self) -> None:
        page = SOURCE / "admin/installation.rst"
        text = starter_policy("acme", "collector", PEM, NOVEMBER_2026)
        text = text.replace("acme: {}", "acme: {}\n  acme-keys: {}")
        text = text.replace("pools: {}\n", POOLS)
        seen = []
        for block in blocks(page.read_text(encoding="utf-8"), "yaml"):
            key = block.partition(":")[0]
            if key in ("modes", "waivers", "projects"):
                text += block
                seen.append(key)
        self.assertEqual(["modes", "waivers", "projects"], seen)
        problems, _ = lint_policy(text.encode(), load(), NOVEMBER_2026)
        self.assertEqual((), problems)


def _each(group: str) -> str:
    """Return one name for the groups of all authorities."""
    prefix = settings.AUTHORITY_PREFIX
    return prefix if group.startswith(prefix) else group


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    module, _, last = name.rpartition(".")
    try:
        if importlib.util.find_spec(name) is not None:
            return True
    except ModuleNotFoundError:
        pass
    if module == "nfv_mla_scheduler" or not module:
        return False
    try:
        return hasattr(importlib.import_module(module), last)
    except ModuleNotFoundError:
        return False
