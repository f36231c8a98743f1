# SPDX-License-Identifier: Apache-2.0
"""What breaks below us refuses who asks, and stops no process of Nova's."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
from typing import Any

from tests.unit.scheduler import broken
from tests.unit.scheduler import site

NEEDED = ("yaml", "cryptography", "jsonschema", "securesystemslib")
# Nothing is broken in the first process, which keeps the policy for others.
FIRST = ("",)
NOT_NEEDED = (*FIRST, "prettytable")
OSLO = {"oslo_config", "oslo_context", "oslo_log"}


class SafetyTest(unittest.TestCase):
    seen: dict[str, dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        with tempfile.TemporaryDirectory() as directory:
            here = site.Site(pathlib.Path(directory))
            here.put_policy()
            here.put_results()
            done = subprocess.run(
                [
                    sys.executable,
                    broken.__file__,
                    here.configure(),
                    site.GOOD_1,
                    site.node_uuid(site.GOOD_1),
                    site.OWNED,
                    *FIRST,
                    *NEEDED,
                    *NOT_NEEDED[1:],
                ],
                capture_output=True,
                text=True,
                timeout=120,
            )
        assert done.returncode == 0, done.stderr
        cls.seen = json.loads(done.stdout.splitlines()[-1])
        cls.log = done.stderr

    def test_all_came_to_their_end(self) -> None:
        for library, seen in self.seen.items():
            self.assertIsNotNone(seen, f"{library}: {self.log[-2000:]}")

    def test_nova_loads_us_with_the_standard_library_and_oslo(self) -> None:
        allowed = {*sys.stdlib_module_names, *OSLO, "nova", broken.OURS}
        for library, seen in self.seen.items():
            self.assertEqual(set(), set(seen["at start"]) - allowed, library)
            self.assertIn("oslo_config", seen["at start"])

    def test_nova_scheduler_and_nova_api_start(self) -> None:
        for library, seen in self.seen.items():
            with self.subTest(library):
                self.assertEqual(["NfvMlaFilter"], seen["filters"])
                self.assertTrue(seen["example"])
                self.assertFalse(seen["wrong"])

    def test_who_asks_is_refused_and_nobody_else(self) -> None:
        for library in NEEDED:
            with self.subTest(library):
                seen = self.seen[library]
                self.assertEqual(0, seen["asks"])
                # not the host of an exclusive pool
                self.assertEqual(1, seen["plain"])
                self.assertEqual(2, seen["plain, never a policy"])
                self.assertEqual(0, seen["plain, strict"])

    def test_what_we_do_not_need_may_be_broken(self) -> None:
        for library in NOT_NEEDED:
            with self.subTest(library):
                seen = self.seen[library]
                self.assertEqual(1, seen["asks"])
                self.assertEqual(1, seen["plain"])

    def test_it_recovers_when_the_library_is_back(self) -> None:
        for library, seen in self.seen.items():
            self.assertEqual(1, seen["mended"], library)
