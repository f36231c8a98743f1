# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: what is signed, and what is none."""

from __future__ import annotations

import base64
import copy
import json
import unittest

import hypothesis
from hypothesis import strategies
from securesystemslib.signer import CryptoSigner

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit.checkpoint import Checkpoint

SIGNER = CryptoSigner.generate_ed25519()
OTHER = CryptoSigner.generate_ecdsa()
HASH = "cd" * 32
AT = 1_700_000_000.0
KNOWN = Checkpoint("ctl.0", 42, HASH, "2023-11-14T22:13:20.000Z")


def signed():
    return checkpoint.sign("ctl.0", 42, HASH, AT, SIGNER)


def with_payload(**changes):
    members = signed()
    payload = json.loads(base64.b64decode(members["payload"]))
    payload.update(changes)
    data = json.dumps(payload).encode()
    return {**members, "payload": base64.b64encode(data).decode()}


class CheckpointTest(unittest.TestCase):
    def test_who_signed_it(self):
        for keys, expected in (
            ([], set()),
            ([OTHER.public_key], set()),
            ([SIGNER.public_key], {SIGNER.public_key.keyid}),
            (
                [OTHER.public_key, SIGNER.public_key],
                {SIGNER.public_key.keyid},
            ),
        ):
            found = checkpoint.read(signed(), keys)
            self.assertEqual(KNOWN, found.checkpoint)
            self.assertEqual(expected, found.keys)

    def test_it_is_json_of_a_bounded_size(self):
        self.assertLess(len(json.dumps(signed())), 1024)

    def test_any_change_costs_the_signature(self):
        for change in (
            {"origin": "ctl.1"},
            {"seq": 43},
            {"hash": "ef" * 32},
            {"at": "2023-11-14T22:13:21.000Z"},
        ):
            with self.subTest(change):
                found = checkpoint.read(
                    with_payload(**change), [SIGNER.public_key]
                )
                self.assertNotEqual(KNOWN, found.checkpoint)
                self.assertEqual(frozenset(), found.keys)

    def test_what_is_none(self):
        other_type = {**signed(), "payloadType": "application/json"}
        no_json = {**signed(), "payload": base64.b64encode(b"{").decode()}
        for members in (
            None,
            [],
            "text",
            {},
            other_type,
            no_json,
            with_payload(format="other/1"),
            with_payload(seq="42"),
            with_payload(seq=True),
            with_payload(hash=None),
            with_payload(at=5),
        ):
            with self.subTest(members):
                self.assertIsNone(
                    checkpoint.read(members, [SIGNER.public_key])
                )

    @hypothesis.given(
        strategies.sampled_from(["payload", "payloadType", "signatures"]),
        strategies.recursive(
            strategies.none() | strategies.integers() | strategies.text(),
            lambda inner: (
                strategies.lists(inner)
                | strategies.dictionaries(strategies.text(), inner)
            ),
        ),
    )
    def test_whatever_is_in_it_nothing_is_raised(self, name, value):
        members = copy.deepcopy(signed())
        members[name] = value
        found = checkpoint.read(members, [SIGNER.public_key])
        self.assertTrue(found is None or not found.keys)
