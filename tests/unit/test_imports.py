# SPDX-License-Identifier: Apache-2.0
"""Imports point one way, and Nova loads little of us when it starts.

By the source alone, nothing is imported; what is imported inside a function
counts as much, and what is imported for type checkers only does not.
"""

from __future__ import annotations

import ast
import dataclasses
import pathlib
import sys
import tempfile
import unittest
from collections.abc import Iterable
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "nfv_mla_scheduler"

BASE = {"model", "errors"}
CORE = ("standard", "policy", "results", "judge", "feed")
LEAVES = ("scheduler", "monitor", "api", "osc")
# What each part may import of the others.
ALLOWED: dict[str, set[str]] = {
    "": set(),
    "model": set(),
    "errors": set(),
    "conf": {*BASE, "policy.keys"},
    # Checkpoints are signed as policies are.
    "audit": {*BASE, "standard", "policy"},
    # Which ledger a service writes, and what of its news.
    "recording": {*BASE, "conf", "audit", "policy", "feed"},
    "standard": set(BASE),
    "policy": {*BASE, "standard"},
    "results": {*BASE, "standard", "policy"},
    "judge": {*BASE, "standard", "policy", "results"},
    "https": set(BASE),
    "feed": {*BASE, "standard", "policy", "results", "judge", "https"},
    "authority": {*BASE, "standard", "policy", "results", "https"},
    "lab": {*BASE, "standard", "policy", "results"},
    # An HTTPS server with a handful of routes, for whoever has some.
    # It reads the options of listening itself.
    "serving": {*BASE, "conf", "https"},
    # What a service looks at before it starts.
    "startup": {*BASE, "conf", "standard", "policy", "feed"},
    "collector": {
        *(*BASE, "conf", "audit", *CORE),
        *("authority", "https", "serving", "startup", "recording"),
    },
    # Where feeds come from, for whoever judges; a small site has no collector.
    "sources": {*BASE, "conf", *CORE, "https", "collector.embedded"},
    **{
        leaf: {
            *(*BASE, "conf", "audit", *CORE),
            *("https", "serving", "sources", "startup", "recording"),
        }
        for leaf in LEAVES
    },
    "doctor": {
        *(*BASE, "conf", "audit", *CORE),
        *("authority", "collector", "https", "recording"),
    },
    "cmd": {
        *BASE,
        *("conf", "audit", *CORE, *LEAVES),
        *("https", "authority", "collector", "lab", "doctor"),
        *("serving", "sources", "startup", "recording"),
    },
}
# What is in the monitor, in layers: each imports from those above it only.
MONITOR = (
    ("picture", "findings", "refreshing", "place", "unread"),
    ("port", "steps", "sealed"),
    ("plans",),
    (
        "outcomes",
        "cloud",
        "observing",
        "marking",
        "holding",
        "states",
        "power",
    ),
    ("ruling", "power"),
    ("judging", "acting"),
    ("planning", "cleaning"),
    ("options", "interfaces", "cycle_report"),
    ("settings", "tries", "reporting"),
    ("cycle", "knocks", "journal"),
    ("parts", "web"),
    ("works",),
    ("checking",),
    ("service",),
)
ONLY_HERE = {"nova": {"scheduler"}}
NO_OSLO = {"model", "errors", "standard", "policy", "results", "judge", "feed"}

# Nova loads these when it starts, and with them what they import themselves.
AT_START = (
    "scheduler.filters",
    "scheduler.weighers",
    "scheduler.extra_specs",
    "scheduler.worker",
    "scheduler.adapters",
)
AT_START_OURS = (*BASE, "conf", "policy.keys", "scheduler")


@dataclasses.dataclass(frozen=True, slots=True)
class Import:
    """Module ``importer`` imports ``imported``, both by their full names.

    :ivar at_once: when the importer itself is imported
    """

    importer: str
    imported: str
    line: int
    at_once: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def modules(root: pathlib.Path) -> dict[str, pathlib.Path]:
    """Return the modules of the package below ``root``."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join(parts)] = path
    return found


def imports(name: str, path: pathlib.Path, known: set[str]) -> list[Import]:
    """Return what one module imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return list(_visit(tree, name, known, at_once=True))


def _visit(
    node: ast.AST, name: str, known: set[str], at_once: bool
) -> Iterator[Import]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for imported in _names(node, known):
            yield Import(name, imported, node.lineno, at_once)
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and _for_types(node.test):
        children = node.orelse
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        at_once = False
    for child in children:
        yield from _visit(child, name, known, at_once)


def _for_types(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else None
    name = test.id if isinstance(test, ast.Name) else name
    return name == "TYPE_CHECKING"


def _names(
    node: ast.Import | ast.ImportFrom, known: set[str]
) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert not node.level, "imports of ours are absolute"
    for alias in node.names:
        whole = f"{node.module}.{alias.name}"
        yield whole if whole in known else str(node.module)


def part(name: str, depth: int = 1) -> str:
    """Return the part of the package that a module of ours belongs to."""
    return [*name.split("."), "", ""][depth]


def graph(root: pathlib.Path) -> list[Import]:
    found = modules(root)
    known = set(found)
    return [
        one
        for name, path in found.items()
        for one in imports(name, path, known)
    ]


def is_ours(name: str) -> bool:
    return name.split(".")[0] == PACKAGE


def wrong_way(found: list[Import]) -> list[str]:
    """Return the imports that no rule allows."""
    bad = []
    for one in found:
        here = part(one.importer)
        top = one.imported.split(".")[0]
        if is_ours(one.imported):
            there = part(one.imported)
            inside = one.imported.removeprefix(f"{PACKAGE}.")
            fine = here == there or bool(
                {there, inside} & ALLOWED.get(here, set())
            )
            # the package itself holds nothing to import
            fine = fine or one.imported == PACKAGE
        elif top in ONLY_HERE:
            fine = here in ONLY_HERE[top]
        else:
            fine = not (top.startswith("oslo") and here in NO_OSLO)
        if not fine:
            bad.append(str(one))
    return bad


def up_the_layers(found: list[Import]) -> list[str]:
    """Return the imports within the monitor from a layer that is not above."""
    layer = {name: n for n, names in enumerate(MONITOR) for name in names}
    prefix = f"{PACKAGE}.monitor."
    bad = []
    for one in found:
        if one.importer.startswith(prefix) and one.imported.startswith(prefix):
            here, there = part(one.importer, 2), part(one.imported, 2)
            if here != there and layer[there] >= layer[here]:
                bad.append(str(one))
    return bad


def cycles(found: list[Import]) -> list[str]:
    """Return the modules of ours that import themselves in the end."""
    edges: dict[str, set[str]] = {}
    for one in found:
        if is_ours(one.imported):
            edges.setdefault(one.importer, set()).add(one.imported)
    bad = []
    for start in edges:
        seen: set[str] = set()
        todo = list(edges[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(edges.get(name, ()))
        if start in seen:
            bad.append(start)
    return bad


def at_start(found: list[Import]) -> list[Import]:
    """Return all that is imported at once when Nova loads us."""
    by_module: dict[str, list[Import]] = {}
    for one in found:
        if one.at_once:
            by_module.setdefault(one.importer, []).append(one)
    todo = [f"{PACKAGE}.{name}" for name in AT_START]
    seen: set[str] = set()
    reached: list[Import] = []
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        # a module's packages are imported before it
        todo.append(name.rpartition(".")[0] or name)
        for one in by_module.get(name, []):
            reached.append(one)
            if is_ours(one.imported):
                todo.append(one.imported)
    return reached


def too_much_at_start(found: list[Import]) -> list[str]:
    bad = []
    for one in at_start(found):
        top = one.imported.split(".")[0]
        if is_ours(one.imported):
            inside = one.imported.removeprefix(f"{PACKAGE}.")
            fine = any(
                inside == name or inside.startswith(f"{name}.")
                for name in AT_START_OURS
            )
        else:
            fine = (
                top in sys.stdlib_module_names
                or top == "nova"
                or top.startswith("oslo")
            )
        if not fine:
            bad.append(str(one))
    return bad


class ImportsTest(unittest.TestCase):
    found: list[Import]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.found = graph(ROOT)

    def test_they_point_one_way(self) -> None:
        self.assertEqual([], wrong_way(self.found))

    def test_those_within_the_monitor_point_down(self) -> None:
        self.assertEqual([], up_the_layers(self.found))
        named = {name for names in MONITOR for name in names}
        known = {
            part(name, 2) for name in modules(ROOT) if part(name) == "monitor"
        }
        self.assertEqual(known - {""}, named)

    def test_there_are_no_cycles(self) -> None:
        self.assertEqual([], cycles(self.found))

    def test_nova_loads_little_when_it_starts(self) -> None:
        self.assertEqual([], too_much_at_start(self.found))
        reached = {one.imported for one in at_start(self.found)}
        self.assertIn("nova.conf", reached)
        self.assertIn(f"{PACKAGE}.policy.keys", reached)

    def test_every_part_has_its_rules(self) -> None:
        parts = {part(name) for name in modules(ROOT)}
        self.assertEqual(set(), parts - ALLOWED.keys())

    def test_no_module_is_out_of_sight(self) -> None:
        self.assertGreater(len(modules(ROOT)), 60)
        lazy = [one for one in self.found if not one.at_once]
        self.assertIn(
            f"{PACKAGE}.scheduler.engine", {one.imported for one in lazy}
        )

    def test_nobody_imports_by_name_at_run_time(self) -> None:
        for name, path in modules(ROOT).items():
            if part(name) == "cmd":
                continue  # its sub-commands, of cmd as well
            text = path.read_text(encoding="utf-8")
            self.assertNotIn("import_module(", text, name)
            self.assertNotIn("__import__(", text, name)


# a module, a line in it, what has to be found
PLANTED = (
    ("model", "from {} import errors", "errors"),
    ("errors", "from {}.model import Term", "model"),
    ("policy.document", "import oslo_config", "oslo_config"),
    ("standard.terms", "def f():\n    from {}.policy import keys", "keys"),
    ("results.view", "import {}.judge.case", "judge.case"),
    ("judge.case", "from nova import exception", "nova"),
    ("judge.case", "from {}.feed.feed import Feed", "feed.feed"),
    ("feed.feed", "import oslo_log.log as l", "oslo_log"),
    ("feed.feed", "from {}.scheduler import worker", "scheduler.worker"),
    ("conf", "from {}.policy.values import Ask", "policy.values"),
    ("conf", "from {}.policy import keys", None),
    ("audit.port", "from {}.conf import GROUP", "conf"),
    ("monitor.cycle", "from {}.scheduler.room import query", "room"),
    ("api.app", "try:\n    import {}.monitor.cycle\nfinally: pass", "cycle"),
    ("scheduler.engine", "from {}.cmd import main", "cmd.main"),
    ("cmd.main", "from nova import conf", "nova"),
    ("scheduler.engine", "from nova import conf", None),
    (
        "judge.case",
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from {}.feed.feed import Feed",
        None,
    ),
    (
        "judge.case",
        "import typing as t\n"
        "if t.TYPE_CHECKING:\n    pass\nelse:\n    import {}.feed.feed",
        "feed.feed",
    ),
)
PLANTED_AT_START = (
    ("scheduler.worker", "import yaml", "yaml"),
    ("scheduler.worker", "def f():\n    import yaml", None),
    ("scheduler.adapters", "class C:\n    import jsonschema", "jsonschema"),
    ("scheduler.filters", "from {}.scheduler import engine", "judge.case"),
    ("policy", "import yaml", "yaml"),
    ("policy.keys", "from {}.policy import values", "policy.values"),
    ("errors", "import cryptography.x509", "cryptography"),
    ("conf", "from oslo_config import cfg\nimport nova, json", None),
)


class PlantedTest(unittest.TestCase):
    """A test of the tests above: what is planted is found."""

    def _graph(self, module: str, line: str) -> list[Import]:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        root = pathlib.Path(directory.name)
        for name in {
            "scheduler.filters",
            "scheduler.worker",
            "scheduler.room",
            "policy.keys",
            "policy.values",
            "judge.case",
            "feed.feed",
            "monitor.cycle",
            "cmd.main",
            "errors",
            "conf",
            module,
        }:
            path = root.joinpath(PACKAGE, *name.split("."))
            path.mkdir(parents=True, exist_ok=True)
            for parent in (path, *path.parents):
                if parent == root:
                    break
                (parent / "__init__.py").touch()
        keys = root / PACKAGE / "conf" / "__init__.py"
        keys.write_text(f"from {PACKAGE}.policy import keys\n")
        worker = root / PACKAGE / "scheduler" / "worker" / "__init__.py"
        worker.write_text(f"from {PACKAGE} import conf, errors\n")
        engine = root / PACKAGE / "scheduler" / "engine"
        engine.mkdir(exist_ok=True)
        text = f"import {PACKAGE}.judge.case\n"
        (engine / "__init__.py").write_text(text)
        target = root.joinpath(PACKAGE, *module.split(".")) / "__init__.py"
        text = target.read_text() + line.format(PACKAGE) + "\n"
        target.write_text(text)
        return graph(root)

    def test_a_wrong_way(self) -> None:
        for module, line, expected in PLANTED:
            with self.subTest(module=module, line=line):
                bad = wrong_way(self._graph(module, line))
                self._check(expected, bad)

    def test_too_much_at_start(self) -> None:
        for module, line, expected in PLANTED_AT_START:
            with self.subTest(module=module, line=line):
                bad = too_much_at_start(self._graph(module, line))
                self._check(expected, bad)

    def _check(self, expected: str | None, bad: list[str]) -> None:
        if expected is None:
            self.assertEqual([], bad)
        else:
            (found,) = bad
            self.assertIn(expected, found)

    def test_a_layer_that_is_not_above(self) -> None:
        line = "def f():\n    from {}.monitor.cycle import Cycle"
        for module, expected in (
            ("monitor.planning.plan", "cycle"),
            ("monitor.settings", "cycle"),
            ("monitor.service", None),
        ):
            with self.subTest(module):
                self._check(expected, up_the_layers(self._graph(module, line)))

    def test_a_cycle(self) -> None:
        found = self._graph("policy.keys", "def f():\n    import {}.conf as c")
        bad = cycles(found)
        self.assertIn(f"{PACKAGE}.policy.keys", bad)
        self.assertIn(f"{PACKAGE}.conf", bad)
        self.assertNotIn(f"{PACKAGE}.feed.feed", bad)
