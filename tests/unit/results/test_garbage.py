# SPDX-License-Identifier: Apache-2.0
"""Reading many results does not send the collector through the process."""

from __future__ import annotations

import dataclasses
import gc
import unittest
from typing import Any

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.garbage import uncollected
from nfv_mla_scheduler.results.writer import write
from tests.unit.results import documents as d

MANY = 20_000


def many() -> bytes:
    """Return a document with many results."""
    draft = d.draft()
    (one, *_) = draft.results["ear"].values()
    names = [f"n{number}" for number in range(MANY)]
    (fresh, *_) = draft.freshness["ear"].values()
    draft = dataclasses.replace(
        draft,
        results={
            "ear": {n: dataclasses.replace(one, attester=n) for n in names}
        },
        freshness={"ear": dict.fromkeys(names, fresh)},
    )
    return write(draft, d.SIGNER)


class GarbageTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(gc.enable)
        gc.enable()

    def test_it_is_collected_again_whatever_happens(self) -> None:
        with uncollected():
            self.assertFalse(gc.isenabled())
        self.assertTrue(gc.isenabled())
        with self.assertRaises(KeyError), uncollected():
            raise KeyError
        self.assertTrue(gc.isenabled())

    def test_where_it_never_is_that_stays_so(self) -> None:
        gc.disable()
        with uncollected():
            self.assertFalse(gc.isenabled())
        self.assertFalse(gc.isenabled())

    def test_one_within_another_does_not_start_it_too_early(self) -> None:
        with uncollected():
            with uncollected():
                pass
            self.assertFalse(gc.isenabled())
        self.assertTrue(gc.isenabled())

    def test_no_old_garbage_is_looked_for_while_a_body_is_read(self) -> None:
        data = many()
        seen: list[int] = []

        def note(phase: str, info: dict[str, Any]) -> None:
            if phase == "start":
                seen.append(info["generation"])

        gc.collect()
        gc.callbacks.append(note)
        self.addCleanup(gc.callbacks.remove, note)
        found = d.read(data, Loader())
        self.assertEqual(MANY, len(found.results["ear"]))
        self.assertLess(sum(generation > 0 for generation in seen), 2)
        self.assertTrue(gc.isenabled())

    def test_a_body_at_fault_leaves_it_as_it_was(self) -> None:
        with self.assertRaises(ResultsRefused):
            d.read(d.by_hand(b"[1]", {}))
        self.assertTrue(gc.isenabled())
