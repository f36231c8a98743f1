# SPDX-License-Identifier: Apache-2.0
"""What the documentation says of the ledger is so."""

from __future__ import annotations

import json
import pathlib
import re
import tempfile
import textwrap
import unittest
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.audit.reading.anomalies import NoteKind
from nfv_mla_scheduler.audit.reading.checkpoints import FIRST_MAX
from nfv_mla_scheduler.audit.reading.checkpoints import TAIL_MAX
from nfv_mla_scheduler.policy.root import key_id
from tests.unit.audit.scribbled import NOON
from tests.unit.audit.scribbled import REFUSED
from tests.unit.audit.scribbled import Chain
from tests.unit.audit.scribbled import Ledger

SOURCE = pathlib.Path(__file__).parents[3] / "doc" / "source"
FORMAT = (SOURCE / "reference" / "ledger.rst").read_text(encoding="utf-8")
LIMITS = (SOURCE / "admin" / "limits.rst").read_text(encoding="utf-8")
GUIDE = (SOURCE / "admin" / "ledger.rst").read_text(encoding="utf-8")


class VerifierTest(unittest.TestCase):
    """The verifier on the page of the format."""

    def setUp(self) -> None:
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.directory = pathlib.Path(held.name) / "ledger"
        self.chain = Ledger(self.directory).origin("ctl-1.nova-scheduler.0")
        private = ed25519.Ed25519PrivateKey.generate()
        self.key = private.public_key()
        known = SSlibKey.from_crypto(self.key, keyid=key_id(self.key))
        self.signer = CryptoSigner(private, known)
        found = re.search(
            r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)",
            FORMAT,
            re.MULTILINE,
        )
        assert found is not None
        names: dict[str, Any] = {}
        exec(textwrap.dedent(found[1]), names)
        self.verify: Callable[..., tuple[int, int]] = names["verify"]

    def sign(self, chain: Chain, **wrong: Any) -> None:
        told = {"origin": chain.origin, "seq": chain.seq, "hash_": chain.hash}
        signed = checkpoint.sign(
            **{**told, **wrong}, at=NOON, signer=self.signer
        )
        chain.add(EventKind.CHECKPOINT, NOON, {"signed": signed})

    def test_it_takes_what_is_right(self) -> None:
        verify, chain = self.verify, self.chain
        self.assertEqual((0, 0), verify(chain.directory, self.key))
        for _ in range(3):
            chain.add(EventKind.REQUEST_REFUSED, NOON, REFUSED)
        self.assertEqual((0, 3), verify(chain.directory, self.key))
        self.sign(chain)
        chain.rotate()
        chain.add(EventKind.HEARTBEAT, NOON, {})
        self.sign(chain)
        chain.add(EventKind.HEARTBEAT, NOON, {})
        self.assertEqual((5, 2), verify(chain.directory, self.key))

    def test_it_takes_nothing_else(self) -> None:
        chain = self.chain
        for _ in range(3):
            chain.add(EventKind.REQUEST_REFUSED, NOON, REFUSED)
        self.sign(chain)
        good = chain.path.read_bytes()
        lines = good.splitlines(keepends=True)
        for bad in (
            good.replace(b'"candidates":4', b'"candidates":5', 1),
            b"".join(lines[1:]),
            b"".join([lines[0], lines[2], lines[3]]),
            b"".join([lines[1], lines[0], *lines[2:]]),
            b"".join([*lines, lines[3]]),
        ):
            with self.subTest(bad):
                chain.path.write_bytes(bad)
                with self.assertRaises(AssertionError):
                    self.verify(chain.directory, self.key)
        chain.path.write_bytes(good)
        self.assertEqual((3, 1), self.verify(chain.directory, self.key))
        other = ed25519.Ed25519PrivateKey.generate().public_key()
        with self.assertRaises(Exception):  # noqa: B017  cryptography's own
            self.verify(chain.directory, other)
        self.sign(chain, seq=2)
        with self.assertRaises(AssertionError):
            self.verify(chain.directory, self.key)


class FormatTest(unittest.TestCase):
    def test_the_expression_is_that_of_the_code(self) -> None:
        pattern = entry._HEAD.pattern.decode()
        self.assertIn(f"   {pattern}\n", FORMAT)

    def test_names_and_sizes_are_those_of_the_code(self) -> None:
        for named in (
            f"``{checkpoint.PAYLOAD_TYPE}``",
            f'"format": "{checkpoint.FORMAT}"',
            f'"typ": "{sealing._HEADER["typ"]}"',
            f"What is encrypted has {sealing.BLOCK_BYTES} bytes",
            f"of {entry.LINE_MAX} bytes",
        ):
            with self.subTest(named):
                self.assertIn(named, FORMAT)

    def test_every_example_is_json(self) -> None:
        found = re.findall(
            r"^\.\. code-block:: json\n\n((?:   .*\n)+)", FORMAT, re.MULTILINE
        )
        self.assertGreater(len(found), 4)
        for example in found:
            json.loads(example)

    def test_every_kind_is_in_one_row(self) -> None:
        begin = FORMAT.index(".. _ledger-kinds:")
        end = FORMAT.index("What ``show`` prints")
        rows = re.findall(r"^   \* - (``.+``)$", FORMAT[begin:end], re.M)
        named = [name for row in rows for name in re.findall("``(.+?)``", row)]
        self.assertEqual(
            sorted(kind.value for kind in EventKind), sorted(named)
        )


class GuideTest(unittest.TestCase):
    def test_bounds_are_those_of_the_code(self) -> None:
        self.assertIn(f"({TAIL_MAX}; {FIRST_MAX} at the beginning", GUIDE)
        self.assertIn(f"up to {TAIL_MAX} entries behind it", LIMITS)
        self.assertIn(f"or {FIRST_MAX} where no checkpoint is", LIMITS)

    def test_every_verdict_has_its_row(self) -> None:
        rows = re.findall(r"^   \* - (``.+``)$", GUIDE, re.MULTILINE)
        named = {name for row in rows for name in re.findall("``(.+?)``", row)}
        for kind in (*AnomalyKind, *NoteKind):
            with self.subTest(kind):
                self.assertIn(kind.value, named)
