# SPDX-License-Identifier: Apache-2.0
"""What the page of the collector's API says is so."""

from __future__ import annotations

import json
import pathlib
import re
import unittest

from nfv_mla_scheduler.collector import app
from nfv_mla_scheduler.collector import conditions
from nfv_mla_scheduler.collector import server
from nfv_mla_scheduler.collector import shelf
from nfv_mla_scheduler.results import alignment
from nfv_mla_scheduler.results import delta
from nfv_mla_scheduler.serving import exchange
from nfv_mla_scheduler.serving import handshakes
from nfv_mla_scheduler.serving import listener
from tests.unit.collector.asking import authority
from tests.unit.collector.asking import status
from tests.unit.test_docs import blocks

PAGE = (
    pathlib.Path(__file__).parents[3]
    / "doc/source/reference/collector-api.rst"
)


class PageTest(unittest.TestCase):
    def setUp(self) -> None:
        self.text = PAGE.read_text(encoding="utf-8")

    def _after(self, word: str, language: str) -> str:
        """Return the first code block after a word."""
        return next(blocks(self.text[self.text.index(word) :], language))

    def test_the_example_of_a_change_is_right(self) -> None:
        old = self._after("  From\n", "text").encode()
        new = self._after("\nto\n", "text").encode()
        made = self._after("\nleads\n", "json").encode()
        self.assertEqual(new, delta.apply(old, made, max_bytes=2**20))
        found = json.loads(made)
        # and it is what our own server would have sent
        unfolded = zip(delta._unfold(old), delta._unfold(new), strict=True)
        for name, (before, after) in zip(
            ("envelope", "payload", "body"), unfolded, strict=True
        ):
            edits = delta._edits(alignment.changes(before, after))
            self.assertEqual(found[name], [list(edit) for edit in edits])
            if name == "payload":
                self.assertIn(f"``{before}`` and ``{after}``", self.text)

    def test_every_path_is_there_and_no_other(self) -> None:
        found = re.findall(r"^``(/v1/\w+)`` +(\w+)", self.text, re.MULTILINE)
        self.assertEqual(
            {path: methods[0] for path, methods in app.ROUTES.items()},
            dict(found),
        )

    def test_the_example_of_a_status_has_what_a_status_has(self) -> None:
        found = json.loads(self._after("\nStatus\n======", "json"))
        self.assertEqual(set(status()), set(found))
        (one,) = found["authorities"].values()
        self.assertEqual(set(authority()), set(one))
        for key in ("policy", "document"):
            self.assertEqual(set(status()[key]), set(found[key]))

    def test_the_example_of_a_refresh_is_taken(self) -> None:
        body = self._after("\nRefresh\n=======", "json").encode()
        self.assertEqual(("keylime", ("ber-1", "ber-2")), app._meant(body))

    def test_the_limits_are_those_of_the_code(self) -> None:
        limits = self.text[self.text.index("\nLimits\n======") :]
        # compared as the words of one line
        said = " ".join(limits.split())
        for words in (
            f"at a time {app.WAITING_MAX} ",
            f"at a time {app.SENDING_MAX}; the next gets 503",
            f"at a time {server.SPARE_THREADS}; the next waits",
            f"Handshakes under way {handshakes.PENDING_MAX};",
            f"A handshake {handshakes.HANDSHAKE_S:.0f} seconds",
            f"with its body {listener.ASK_S:.0f} seconds",
            f"An answer {listener.ANSWER_S:.0f} seconds",
            f"without a request {listener.IDLE_S} seconds; "
            f"{listener.KEPT_MAX} are kept",
            f"Headers of a request {listener.HEADER_MAX_BYTES // 1024} KiB",
            f"Body of a request {exchange.BODY_MAX // 1024} KiB",
            f"``If-None-Match`` {conditions.TAGS_MAX};",
            f"Refreshes {app.REFRESHES_MAX} at once, then "
            f"{app.REFRESHES_PER_S:.0f} a second",
            f"changes out from {shelf.OLDER_MAX}, of "
            f"{shelf.OLDER_BYTES_MAX // 2**20} MiB",
        ):
            self.assertIn(words, said)
        whole = " ".join(self.text.split())
        self.assertIn(f"seconds, at most {app.WAIT_MAX_S},", whole)
        self.assertIn(f"at most {app.REFRESH_ATTESTERS_MAX};", whole)
        self.assertEqual(0.5, delta.WORTH)
        self.assertIn("half as large as the document", whole)
