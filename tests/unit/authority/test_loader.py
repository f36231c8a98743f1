# SPDX-License-Identifier: Apache-2.0
"""A driver is found by its name, whoever installed it."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.authority.ear import EarAuthority
from nfv_mla_scheduler.authority.keylime.driver import KeylimeAuthority
from nfv_mla_scheduler.authority.lab import LabAuthority
from nfv_mla_scheduler.errors import SettingsError

# What another package may install under the name of its file.
DRIVERS = {
    "fine": """
        from nfv_mla_scheduler.authority.template import Authority
        class Fine(Authority):
            def _collect(self, inquiry, now):
                raise NotImplementedError
    """,
    "unfinished": """
        from nfv_mla_scheduler.authority.template import Authority
        class Unfinished(Authority):
            pass
    """,
    "stranger": "class Stranger: pass",
    "function": "def Function(): pass",
    "broken": "import a_module_that_nobody_has",
    "shouting": "raise RuntimeError('a' * 999 + chr(10))",
}
POINTS = {
    **{name: f"{name}_driver:{name.capitalize()}" for name in DRIVERS},
    "absent": "fine_driver:Absent",
    "ear": "fine_driver:Fine",
}
PROGRAM = """
import sys
from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.errors import SettingsError
print(*loader.installed())
for name in sys.argv[1:]:
    try:
        print(name, loader.driver(name).__name__)
    except SettingsError as exc:
        print(name, exc)
"""


class InstalledTest(unittest.TestCase):
    def test_the_drivers_of_this_package(self) -> None:
        self.assertIs(EarAuthority, loader.driver("ear"))
        self.assertIs(LabAuthority, loader.driver("lab"))
        self.assertIs(KeylimeAuthority, loader.driver("keylime"))
        self.assertLessEqual(
            {"ear", "keylime", "lab"}, set(loader.installed())
        )

    def test_a_name_that_no_driver_has(self) -> None:
        for name in ("", "keylyme", "ear:EarAuthority", "a\nb", "x" * 999):
            with (
                self.subTest(name[:20]),
                self.assertRaisesRegex(
                    SettingsError, "there is no authority driver .*: .*ear, "
                ),
            ):
                loader.driver(name)


class OtherPackageTest(unittest.TestCase):
    """In a process of its own: what is installed is found out only once."""

    said: dict[str, str]
    installed: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        site = pathlib.Path(place.name)
        for name, source in DRIVERS.items():
            module = site / f"{name}_driver.py"
            module.write_text(textwrap.dedent(source))
        info = site / "others-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: others\nVersion: 1.0\n"
        )
        lines = [f"{name} = {target}" for name, target in POINTS.items()]
        (info / "entry_points.txt").write_text(
            "\n".join([f"[{loader.NAMESPACE}]", *lines, ""])
        )
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *POINTS],
            env={
                "PYTHONPATH": f"{site}:{':'.join(filter(None, sys.path))}",
                "XDG_CACHE_HOME": str(site / "cache"),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        first, *others = done.stdout.splitlines() or [done.stderr]
        cls.installed = first.split()
        cls.said = dict(line.split(" ", 1) for line in others)

    def test_all_are_named_even_those_that_cannot_be_loaded(self) -> None:
        self.assertEqual(
            sorted({*POINTS, "keylime", "lab"}), sorted(set(self.installed))
        )

    def test_a_good_one_is_loaded(self) -> None:
        self.assertEqual("Fine", self.said["fine"])

    def test_all_others_are_refused_in_one_line(self) -> None:
        for name, why in {
            "unfinished": "is not finished: it lacks _collect",
            "stranger": "is no authority driver: not a subclass of",
            "function": "is no authority driver: not a subclass of",
            "broken": "cannot be loaded: No module named",
            "shouting": "cannot be loaded: aaa",
            "absent": "cannot be loaded: ",
            # one name for two drivers
            "ear": "cannot be loaded: ",
        }.items():
            with self.subTest(name):
                self.assertIn(why, self.said[name])
                self.assertIn(repr(name), self.said[name])
