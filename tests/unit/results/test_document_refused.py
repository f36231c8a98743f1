# SPDX-License-Identifier: Apache-2.0
"""Documents that are refused as a whole, and in which words."""

from __future__ import annotations

import base64
import contextlib
import json
import unittest

import hypothesis
from hypothesis import strategies

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.results.writer import write
from tests.unit.results import documents as d

GOOD = d.document()
LINE, BODY = GOOD.rstrip(b"\n").split(b"\n")
ENVELOPE = json.loads(LINE)
EASY = hypothesis.settings(deadline=None)
DEEP = b"[" * 100_000


def enveloped(**changed) -> bytes:
    return d.dumped({**ENVELOPE, **changed}) + b"\n" + BODY + b"\n"


def payload(raw: bytes) -> bytes:
    """Sign ``raw`` as if it were a head."""
    line = d.signature.seal(raw, d.SIGNER)
    return line + b"\n" + BODY + b"\n"


def rows(*of_ear) -> bytes:
    """A signed document of these entries; one empty claim set."""
    body = {"claim_sets": [{}], "authorities": {"ear": list(of_ear)}}
    return d.by_hand(body)


def columns(**of_ear) -> bytes:
    """A signed document of two attesters with these columns."""
    return d.by_hand(d.one_set({}), {"ear": of_ear})


def head(**fields) -> bytes:
    return d.by_hand(d.one_set({}), head=fields)


STRANGER, _ = d.signer_and_collector()
OTHER_SIGNER, OTHER = d.signer_and_collector("other")
SIGNATURE = ENVELOPE["signatures"][0]
ALTERED = base64.b64encode(
    base64.b64decode(ENVELOPE["payload"]).replace(b"1700000000", b"1700000009")
).decode()

_C = ResultsCode
WHOLE = {
    "nothing": (b"", _C.TRUNCATED),
    "one line": (LINE, _C.TRUNCATED),
    "no body": (LINE + b"\n", _C.TRUNCATED),
    "half a body": (GOOD[: -len(BODY) // 2], _C.TRUNCATED),
    "a third line": (GOOD + b"{}\n", _C.INVALID),
    "another body": (LINE + b"\n" + BODY.replace(b"h1", b"h3"), _C.INVALID),
    "no JSON": (b"hello\nworld\n", _C.BAD_ENVELOPE),
    "no UTF-8": (b"\xff\xfe{}\n{}\n", _C.BAD_ENVELOPE),
    "no envelope": (b"[]\n{}\n", _C.BAD_ENVELOPE),
    "a deep envelope": (DEEP + b"\n{}\n", _C.BAD_ENVELOPE),
    "another payload type": (
        enveloped(payloadType="application/vnd.in-toto+json"),
        _C.BAD_ENVELOPE,
    ),
    "a payload type of many": (enveloped(payloadType=[[]]), _C.BAD_ENVELOPE),
    "a payload that is a number": (enveloped(payload=1), _C.BAD_ENVELOPE),
    "a payload not base64": (enveloped(payload="{}"), _C.BAD_ENVELOPE),
    "a payload not ASCII": (enveloped(payload="\u00e9"), _C.BAD_ENVELOPE),
    "an altered payload": (enveloped(payload=ALTERED), _C.WRONG_KEY),
    "signatures missing": (enveloped(signatures=None), _C.BAD_ENVELOPE),
    "no signature": (enveloped(signatures=[]), _C.UNSIGNED),
    "signatures of text": (enveloped(signatures="ab"), _C.BAD_ENVELOPE),
    "signatures of null": (enveloped(signatures=[None]), _C.BAD_ENVELOPE),
    "a keyid that is a number": (
        enveloped(signatures=[{**SIGNATURE, "keyid": 1}]),
        _C.BAD_ENVELOPE,
    ),
    "a signature not base64": (
        enveloped(signatures=[{**SIGNATURE, "sig": "?"}]),
        _C.BAD_ENVELOPE,
    ),
    "an empty signature": (
        enveloped(signatures=[{**SIGNATURE, "sig": ""}]),
        _C.WRONG_KEY,
    ),
    "a wrong signature": (
        enveloped(signatures=[{**SIGNATURE, "sig": "AAAA"}]),
        _C.WRONG_KEY,
    ),
    "too many signatures": (
        enveloped(
            signatures=[{**SIGNATURE, "keyid": str(i)} for i in range(5)]
        ),
        _C.BAD_ENVELOPE,
    ),
    "a stranger's key": (write(d.draft(), STRANGER), _C.WRONG_KEY),
    "a head not JSON": (payload(b"hello"), _C.INVALID),
    "a head of a list": (payload(b"[]"), _C.INVALID),
    "a deep head": (payload(DEEP), _C.TOO_DEEP),
    "a key twice": (payload(b'{"format": 1, "format": 2}'), _C.INVALID),
    "another format": (head(format="nfv-mla-results/2"), _C.INVALID),
    "no format": (head(format=...), _C.INVALID),
    "no collector": (head(collector=...), _C.INVALID),
    "a collector of null": (head(collector=None), _C.INVALID),
    "another collector": (head(collector="else"), _C.WRONG_KEY),
    "a field more": (head(comment="x"), _C.INVALID),
    "no issued_at": (head(issued_at=...), _C.INVALID),
    "issued_at true": (head(issued_at=True), _C.INVALID),
    "issued_at text": (head(issued_at="1700000000"), _C.INVALID),
    "issued_at negative": (head(issued_at=-1), _C.INVALID),
    "issued_at huge": (head(issued_at=2**53 + 1), _C.INVALID),
    "issued_at NaN": (head(issued_at=float("nan")), _C.INVALID),
    "issued_at infinite": (head(issued_at=float("inf")), _C.INVALID),
    "issued ahead": (head(issued_at=d.NOW + 31), _C.AHEAD),
    "no body described": (head(body={}), _C.INVALID),
    "a length of text": (
        head(body={"sha256": "x", "length": "3"}),
        _C.INVALID,
    ),
    "a length too short": (
        head(body={"sha256": "x", "length": 3}),
        _C.INVALID,
    ),
    "a length too long": (
        head(body={"sha256": "x", "length": 2**40}),
        _C.TRUNCATED,
    ),
    "a digest of null": (
        head(body={"sha256": None, "length": 3}),
        _C.INVALID,
    ),
    "columns for nobody": (head(authorities={}), _C.INVALID),
    "columns of a list": (head(authorities=[]), _C.INVALID),
    "columns for others": (
        head(authorities={"keylime": {"at": [1, 2]}}),
        _C.INVALID,
    ),
    "no times": (columns(), _C.INVALID),
    "too few times": (columns(at=[1]), _C.INVALID),
    "too many times": (columns(at=[1, 2, 3]), _C.INVALID),
    "too few boots": (columns(at=[1, 2], boot=["a"]), _C.INVALID),
    "boots of numbers": (columns(at=[1, 2], boot=["a", 1]), _C.INVALID),
    "an empty boot": (columns(at=[1, 2], boot=["a", ""]), _C.INVALID),
    "a long boot": (columns(at=[1, 2], boot=["a", "b" * 256]), _C.INVALID),
    "a lone surrogate": (columns(at=[1, 2], boot=["\ud800", "a"]), _C.INVALID),
    "another column": (columns(at=[1, 2], x=[1, 2]), _C.INVALID),
    "a time true": (columns(at=[1, True]), _C.INVALID),
    "a time null": (columns(at=[1, None]), _C.INVALID),
    "a time NaN": (columns(at=[1, float("nan")]), _C.INVALID),
    "a time negative": (columns(at=[1, -0.5]), _C.INVALID),
    "a time huge": (columns(at=[1, 2**53 + 1]), _C.INVALID),
    "a body of a list": (d.by_hand(b"[]", {}), _C.INVALID),
    "a body not JSON": (d.by_hand(b"{", {}), _C.INVALID),
    "a body not UTF-8": (d.by_hand(b'{"\xff": 1}', {}), _C.INVALID),
    "a deep body": (d.by_hand(DEEP, {}), _C.TOO_DEEP),
    "a deep body of objects": (d.by_hand(b'{"":' * 100_000, {}), _C.TOO_DEEP),
    "a body with a time 1e999": (
        d.by_hand(
            b'{"claim_sets":[{}],"authorities":{"ear":[["h",0,null,1e999]]}}',
            {"ear": {"at": [1]}},
        ),
        _C.INVALID,
    ),
    "a number of many digits": (d.by_hand(b"1" * 5000, {}), _C.INVALID),
    "an entry of three": (rows(["h1", 0, None]), _C.INVALID),
    "an entry of six": (rows(["h1", 0, None, 1, "k", "k"]), _C.INVALID),
    "a key of numbers": (rows(["h1", 0, None, 1, 1]), _C.INVALID),
    "a key null": (rows(["h1", 0, None, 1, None]), _C.INVALID),
    "an empty key": (rows(["h1", 0, None, 1, ""]), _C.INVALID),
    "a key of two lines": (rows(["h1", 0, None, 1, "a\nb"]), _C.INVALID),
    "an entry that is an object": (rows({}), _C.INVALID),
    "an attester of null": (rows([None, 0, None, 1]), _C.INVALID),
    "an empty attester": (rows(["", 0, None, 1]), _C.INVALID),
    "a long attester": (rows(["h" * 256, 0, None, 1]), _C.INVALID),
    "a multi-line attester": (rows(["h\n1", 0, None, 1]), _C.INVALID),
    "no such claim set": (rows(["h1", 1, None, 1]), _C.INVALID),
    "a negative claim set": (rows(["h1", -1, None, 1]), _C.INVALID),
    "a claim set true": (rows(["h1", False, None, 1]), _C.INVALID),
    "a boot of numbers": (rows(["h1", 0, 7, 1]), _C.INVALID),
    "a boot time null": (rows(["h1", 0, None, None]), _C.INVALID),
    "a boot time true": (rows(["h1", 0, None, True]), _C.INVALID),
}


class TestRefused(unittest.TestCase):
    def _refusal(self, data, loader=None, **kwargs):
        with self.assertRaises(ResultsRefused) as caught:
            d.read(data, loader, **kwargs)
        return caught.exception

    def test_what_the_table_is_made_from_is_good(self):
        self.assertEqual((), d.read(GOOD).problems)
        self.assertEqual((), d.read(GOOD.rstrip(b"\n")).problems)
        self.assertEqual((), d.read(enveloped(more={"x": 1})).problems)
        self.assertEqual((), d.read(columns(at=[1, 2.5])).problems)
        self.assertEqual((), d.read(rows(["h1", 0, "b", 1.5])).problems)

    def test_each_is_refused_with_its_code_in_one_line(self):
        for name, (data, code) in WHOLE.items():
            with self.subTest(name):
                refusal = self._refusal(data)
                self.assertIs(code, refusal.reason, refusal)
                self.assertEqual(code.value, refusal.code)
                message = str(refusal)
                self.assertTrue(message.isprintable(), message)
                self.assertLessEqual(len(message), LINE_MAX)

    def test_a_collector_may_not_sign_for_another(self):
        collectors = {**d.COLLECTORS, "other": OTHER}
        data = write(d.draft(collector="collector"), OTHER_SIGNER)
        refusal = self._refusal(data, collectors=collectors)
        self.assertIs(ResultsCode.WRONG_KEY, refusal.reason)

    def test_the_key_id_of_the_envelope_is_not_believed(self):
        forged = json.loads(write(d.draft(), STRANGER).split(b"\n")[0])
        forged["signatures"][0]["keyid"] = SIGNATURE["keyid"]
        data = d.dumped(forged) + b"\n" + BODY + b"\n"
        self.assertIs(ResultsCode.WRONG_KEY, self._refusal(data).reason)

    def test_a_signature_counts_whatever_its_key_id(self):
        for changed in ({"keyid": "else"}, {"keyid": ""}):
            signatures = [{**SIGNATURE, **changed}]
            data = enveloped(signatures=signatures)
            self.assertEqual((), d.read(data).problems)

    def test_a_second_signature_does_no_harm(self):
        stranger = json.loads(write(d.draft(), STRANGER).split(b"\n")[0])
        both = [*stranger["signatures"], SIGNATURE]
        self.assertEqual((), d.read(enveloped(signatures=both)).problems)

    def test_a_policy_without_collectors_or_with_a_broken_key(self):
        refusal = self._refusal(GOOD, collectors={})
        self.assertIs(ResultsCode.WRONG_KEY, refusal.reason)
        broken = d.Collector("collector", "PEM?", frozenset({"ear"}))
        refusal = self._refusal(GOOD, collectors={"collector": broken})
        self.assertIs(ResultsCode.WRONG_KEY, refusal.reason)

    def test_one_that_is_too_large_is_refused_unread(self):
        loader = Loader(max_bytes=len(GOOD) - 1)
        refusal = self._refusal(GOOD, loader)
        self.assertIs(ResultsCode.TOO_LARGE, refusal.reason)
        d.read(GOOD, Loader(max_bytes=len(GOOD)))


class TestArbitraryBytes(unittest.TestCase):
    """Nothing but ``ResultsRefused`` comes out, whatever goes in."""

    def _read(self, data):
        with contextlib.suppress(ResultsRefused):
            self.assertIsInstance(d.read(data), ResultsDocument)

    @EASY
    @hypothesis.given(strategies.binary())
    def test_bytes(self, data):
        self._read(data)

    @EASY
    @hypothesis.given(strategies.binary(), strategies.binary())
    def test_signed_bytes(self, head, body):
        self._read(d.signature.seal(head, d.SIGNER) + b"\n" + body)
        self._read(d.by_hand(body, {}))

    @EASY
    @hypothesis.given(
        strategies.integers(0, len(GOOD) - 1), strategies.binary(max_size=8)
    )
    def test_a_good_document_of_which_a_few_bytes_changed(self, at, patch):
        self._read(GOOD[:at] + patch + GOOD[at + len(patch) :])
        self._read(GOOD[:at] + patch + GOOD[at:])
        self._read(GOOD[:at])

    @EASY
    @hypothesis.given(
        strategies.integers(0, len(BODY) - 1), strategies.binary(max_size=8)
    )
    def test_a_signed_body_of_which_a_few_bytes_changed(self, at, patch):
        body = BODY[:at] + patch + BODY[at + len(patch) :]
        columns = {a: {"at": [1, 2]} for a in ("ear", "keylime")}
        self._read(d.by_hand(body, columns))

    @EASY
    @hypothesis.given(strategies.data())
    def test_a_signed_document_of_any_json(self, data):
        json_values = strategies.recursive(
            strategies.none()
            | strategies.booleans()
            | strategies.floats()
            | strategies.integers()
            | strategies.text(),
            lambda inner: (
                strategies.lists(inner)
                | strategies.dictionaries(strategies.text(), inner)
            ),
            max_leaves=8,
        )
        body = d.one_set({"tpm": {"status": "none", "grade": "boot"}})
        sites = [
            (body, "claim_sets"),
            (body["claim_sets"], 0),
            (body["claim_sets"][0], "tpm"),
            (body["claim_sets"][0]["tpm"], "values"),
            (body, "authorities"),
            (body["authorities"], "ear"),
            (body["authorities"]["ear"], 0),
            (
                body["authorities"]["ear"][0],
                data.draw(strategies.sampled_from(range(4))),
            ),
        ]
        columns = {"ear": {"at": [1, 2], "boot": ["a", None]}}
        sites += [
            (columns, "ear"),
            (columns["ear"], "at"),
            (columns["ear"], "boot"),
        ]
        container, key = data.draw(strategies.sampled_from(sites))
        container[key] = data.draw(json_values)
        self._read(d.by_hand(body, columns))
