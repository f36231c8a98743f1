# SPDX-License-Identifier: Apache-2.0
"""The demo's tampering does to a ledger what its scene says, and no more."""

from __future__ import annotations

import json
import unittest
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from demo import tampering
from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry

_ORIGIN = "ctl-1.nova-scheduler.0"
_AT = 1_800_000_000.0
_MARKED, _COUNT = 4, 8
_SIGNED = (2, 6)


def _chain() -> list[bytes]:
    """Return a chain of which two entries are checkpoints."""
    signer = CryptoSigner(ed25519.Ed25519PrivateKey.generate())
    lines: list[bytes] = []
    prev = entry.NOTHING
    for number in range(_COUNT):
        kind, fields = "request-refused", dict[str, Any](server=f"s-{number}")
        if number in _SIGNED:
            signed = checkpoint.sign(_ORIGIN, number, prev, _AT, signer)
            kind, fields = "checkpoint", {"signed": signed}
        line = entry.encode(
            number + 1, prev, _AT, _ORIGIN, "worker", kind, fields
        )
        prev = entry.digest(line[:-1])
        lines.append(line)
    return lines


def _broken(lines: list[bytes]) -> list[int]:
    """Return which lines do not follow upon the one before."""
    seq, prev, found = 0, entry.NOTHING, []
    for index, line in enumerate(lines):
        head = entry.head(line[:-1])
        assert head is not None
        if (head.seq, head.prev) != (seq + 1, prev):
            found.append(index)
        seq, prev = head.seq, entry.digest(line[:-1])
    return found


class TamperingTest(unittest.TestCase):
    def setUp(self) -> None:
        self.lines = _chain()
        self.assertEqual([], _broken(self.lines))

    def test_a_changed_entry_says_something_else_and_the_next_shows_it(
        self,
    ) -> None:
        found = tampering.changed(self.lines, _MARKED, b"s-4", b"s-0")
        self.assertEqual("s-0", json.loads(found[_MARKED])["fields"]["server"])
        self.assertEqual([_MARKED + 1], _broken(found))
        found[_MARKED] = self.lines[_MARKED]
        self.assertEqual(self.lines, found)
        with self.assertRaises(ValueError):
            tampering.changed(self.lines, _MARKED, b"s-5", b"s-0")

    def test_a_removed_entry_leaves_all_others_as_they_were(self) -> None:
        found = tampering.removed(self.lines, _MARKED)
        self.assertEqual([_MARKED], _broken(found))
        self.assertEqual(
            self.lines, [*found[:_MARKED], self.lines[4], *found[_MARKED:]]
        )

    def test_what_is_chained_anew_holds_but_for_what_was_signed(self) -> None:
        removed = tampering.removed(self.lines, _MARKED)
        found = tampering.chained_anew(removed, _MARKED)
        self.assertEqual([], _broken(found))
        self.assertEqual(self.lines[:_MARKED], found[:_MARKED])
        for was, now in zip(self.lines[_MARKED + 1 :], found[4:], strict=True):
            self.assertEqual(
                json.loads(was)["fields"], json.loads(now)["fields"]
            )

    def test_a_chain_can_be_made_anew_from_its_beginning(self) -> None:
        found = tampering.chained_anew(self.lines[1:], 0)
        self.assertEqual([], _broken(found))
        self.assertEqual(_COUNT - 1, len(found))

    def test_what_is_cut_off_ends_with_a_checkpoint(self) -> None:
        self.assertEqual(
            self.lines[:3], tampering.cut_off(self.lines, _MARKED)
        )
        self.assertEqual(self.lines[:7], tampering.cut_off(self.lines, 7))
        self.assertEqual([], tampering.cut_off(self.lines, 2))
