# SPDX-License-Identifier: Apache-2.0
"""The break-glass waiver: one officer, one thing, a day at most."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.policy.breakglass import BREAK_GLASS_TYPE
from nfv_mla_scheduler.policy.breakglass import break_glass_envelope
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from tests import policies

NOW = policies.NOW
SERVER = "5f0b1c2d-0000-4000-8000-000000000001"
ROOT = policies.root()
TEXT = f"""\
format: nfv-mla-break-glass/1
root: {ROOT.digest}
host: ber-1
reason: the authority's database is gone
since: 2026-11-20T10:00:00Z
until: 2026-11-20T22:00:00Z
"""

# old text, new text, the refusal
REFUSED = (
    ("glass/1", "glass/2", PolicyCode.INVALID),
    ("host: ber-1", "host: ber 1", PolicyCode.INVALID),
    ("host: ber-1", "server: ber-1", PolicyCode.INVALID),
    ("host: ber-1", f"server: {SERVER}\nhost: ber-1", PolicyCode.INVALID),
    ("host: ber-1", "project: acme", PolicyCode.INVALID),
    ("host: ber-1", "cell: ber-1", PolicyCode.INVALID),
    ("host: ber-1\n", "", PolicyCode.INVALID),
    ("host: ber-1", "host: [ber-1]", PolicyCode.INVALID),
    ("reason: the", 'reason: "a\\nb"\nx: the', PolicyCode.INVALID),
    ("reason: the authority's database is gone\n", "", PolicyCode.INVALID),
    ("reason: the", "reasons: the", PolicyCode.INVALID),
    ("since: 2026-11-20T10", "since: 2026-11-19T10", PolicyCode.INVALID),
    ("until: 2026-11-20T22", "until: 2026-11-20T09", PolicyCode.INVALID),
    ("until: 2026-11-20T22", "until: 2026-11-20T25", PolicyCode.INVALID),
    ("until: 2026-11-20T22:00:00Z", "until: 22", PolicyCode.INVALID),
    ("until: 2026-11-20T22", "until: &a 2026-11-20T22", PolicyCode.INVALID),
    (TEXT, "[]", PolicyCode.INVALID),
    (TEXT, "", PolicyCode.INVALID),
    (ROOT.digest, "0" * 64, PolicyCode.BAD_ROOT),
    (ROOT.digest, policies.root(1).digest, PolicyCode.BAD_ROOT),
)


def sealed(
    text: str, name: str = "alice", kind: str = BREAK_GLASS_TYPE
) -> bytes:
    return policies.signed(text, [policies.signer(name)], kind)


class BreakGlassTest(unittest.TestCase):
    def refused(self, data: bytes, code: PolicyCode, now: float = NOW) -> None:
        with self.assertRaises(PolicyRefused) as caught:
            read_break_glass(data, ROOT, now)
        self.assertIs(caught.exception.reason, code, caught.exception)

    def test_one_officer_is_enough(self) -> None:
        waiver = read_break_glass(sealed(TEXT), ROOT, NOW)
        self.assertIs(waiver.target, BreakGlassTarget.HOST)
        self.assertEqual(waiver.name, "ber-1")
        self.assertEqual(waiver.until - waiver.since, 12 * 3600)
        alice = policies.signer("alice").public_key.keyid
        self.assertEqual(waiver.officer, alice)

    def test_somebody_else_is_not(self) -> None:
        self.refused(sealed(TEXT, "mallory"), PolicyCode.UNDER_SIGNED)

    def test_a_signature_under_a_policy_opens_nothing(self) -> None:
        self.refused(sealed(TEXT, kind=POLICY_TYPE), PolicyCode.BAD_ENVELOPE)
        policy = policies.signed(policies.policy_yaml())
        self.refused(policy, PolicyCode.BAD_ENVELOPE)

    def test_every_refusal(self) -> None:
        for old, new, code in REFUSED:
            with self.subTest(new=new):
                self.assertIn(old, TEXT)
                self.refused(sealed(TEXT.replace(old, new)), code)

    def test_its_time(self) -> None:
        since, until = policies.ISSUED + 3600, policies.ISSUED + 13 * 3600
        read_break_glass(sealed(TEXT), ROOT, since - 300)
        read_break_glass(sealed(TEXT), ROOT, until - 1)
        self.refused(sealed(TEXT), PolicyCode.NOT_YET, since - 301)
        self.refused(sealed(TEXT), PolicyCode.EXPIRED, until)

    def test_what_is_made_can_be_read(self) -> None:
        reason = 'it\'s: "on fire" #1'
        for target, name in (
            (BreakGlassTarget.SERVER, SERVER),
            (BreakGlassTarget.HOST, "ber-1"),
            (BreakGlassTarget.PROJECT, "6f70656e737461636b20342065766572"),
        ):
            envelope = break_glass_envelope(
                ROOT, target, name, reason, NOW, 24
            )
            data = sealed(envelope.payload.decode())
            waiver = read_break_glass(data, ROOT, NOW)
            self.assertEqual((waiver.target, waiver.name), (target, name))
            self.assertEqual(waiver.reason, reason)

    def test_what_would_be_refused_is_not_made(self) -> None:
        host = BreakGlassTarget.HOST
        for name, reason, hours in (
            ("ber 1", "x", 1),
            ("ber-1", "", 1),
            ("ber-1", "a\nb", 1),
            ("ber-1", "\ud800", 0),
            ("ber-1", "x", 25),
            ("ber-1", "x", 0),
        ):
            with self.assertRaises(PolicyRefused):
                break_glass_envelope(ROOT, host, name, reason, NOW, hours)
