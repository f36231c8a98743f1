# SPDX-License-Identifier: Apache-2.0
"""What the pages show is what the commands print.

Where a console block ends in a command of ours, and a block of text or JSON
follows, that is what it prints in the directory of ``estate.py``.
"""

from __future__ import annotations

import pathlib
import re

from tests.unit.explain.estate import EstateTest

SOURCE = pathlib.Path(__file__).parents[3] / "doc/source"
PAGES = ("admin/explain.rst", "officer/impact.rst")
SHOWN = re.compile(
    r"^   \$ nfv-mla (?P<line>[^\n\\|]+)\n\n"
    r"\.\. code-block:: (?:text|json)\n\n"
    r"(?P<shown>(?:   [^\n]*\n|\n)+)",
    re.MULTILINE,
)


class PagesTest(EstateTest):
    maxDiff = None

    def test_what_is_shown_is_printed(self) -> None:
        seen = 0
        for page in PAGES:
            text = (SOURCE / page).read_text(encoding="utf-8")
            for found in SHOWN.finditer(text):
                line = found["line"]
                with self.subTest(page=page, line=line):
                    printed = self.typed(line, None)
                    shown = re.sub("^   ", "", found["shown"], flags=re.M)
                    self.assertEqual(printed.rstrip(), shown.rstrip())
                    seen += 1
        self.assertEqual(4, seen)
