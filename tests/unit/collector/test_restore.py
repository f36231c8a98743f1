# SPDX-License-Identifier: Apache-2.0
"""What a collector takes up of its own, and that it is nobody else's."""

from __future__ import annotations

import hashlib
import json
import math
import os
import pathlib
import stat
import tempfile
import unittest

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.collector.notes import Note
from nfv_mla_scheduler.collector.notes import NoteFault
from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.restore import Place
from nfv_mla_scheduler.collector.restore import public_pem
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.root import key_id
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.unit.collector.answers import NAME
from tests.unit.collector.answers import NOW
from tests.unit.collector.answers import collected
from tests.unit.collector.answers import result
from tests.unit.collector.answers import tpm

ME = "collector-a"
MAX_BYTES = 2**20


def document(*results, name=ME, signer=ME, at=NOW, issued_at=NOW):
    answer = collected(*(results or (result("h1"),)), at=at)
    draft = ResultsDraft(
        name,
        issued_at,
        {NAME: answer.results},
        {NAME: answer.freshness},
    )
    return write(draft, policies.signer(signer))


def note_of(data, issued_at=NOW, policy="", rules=None):
    digest = hashlib.sha256(data).hexdigest()
    return Note(digest, issued_at, policy, rules or {})


class PlaceTestCase(unittest.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.path = self.directory / "results"
        self.state = self.directory / "state"
        self.places = []
        self.addCleanup(lambda: [place.release() for place in self.places])

    def place(self):
        place = Place(self.path)
        self.places.append(place)
        return place

    def leave(self):
        """End the collector that is there."""
        self.places.pop().release()

    def restore(self, name=ME, signer=ME, max_bytes=MAX_BYTES, noted=True):
        """Take up what is there; what is there was published last."""
        place = self.places[-1] if self.places else self.place()
        key = policies.signer(signer).public_key
        notes = Notes(self.state)
        if noted and self.path.is_file():
            notes.after(note_of(self.path.read_bytes()))
        return place.restore(name, key, load(), max_bytes, notes)


class LockTest(PlaceTestCase):
    def test_a_second_collector_is_refused_in_one_line(self):
        self.place()
        with self.assertRaises(SettingsError) as caught:
            Place(self.path)
        said = str(caught.exception)
        self.assertIn("[nfv_mla_collector] results_file", said)
        self.assertIn(f"process {os.getpid()}", said)
        self.assertIn(str(self.path), said)
        self.assertLessEqual(len(said), LINE_MAX)

    def test_who_left_makes_room(self):
        self.place()
        self.leave()
        self.place()

    def test_a_collector_of_another_file_is_no_rival(self):
        self.place()
        other = Place(self.directory / "others")
        self.addCleanup(other.release)

    def test_a_directory_that_is_not_there_or_not_ours(self):
        for path in (
            self.directory / "none" / "results",
            pathlib.Path("/proc/x"),
        ):
            with self.subTest(path):
                with self.assertRaises(SettingsError) as caught:
                    Place(path)
                self.assertIn("results_file", str(caught.exception))

    def test_a_lock_that_is_a_link_is_not_followed(self):
        target = self.directory / "target"
        (self.directory / ".results.lock").symlink_to(target)
        with self.assertRaises(SettingsError):
            Place(self.path)
        self.assertFalse(target.exists())

    def test_what_was_being_written_when_it_was_killed_is_removed(self):
        left = self.directory / ".results.x7_a1.new"
        others = [
            self.directory / ".results2.x7_a1.new",
            self.directory / ".results.b.x7_a1.new",
        ]
        for path in (left, *others):
            path.write_bytes(b"half")
        self.path.write_bytes(document())
        self.place()
        self.assertFalse(left.exists())
        for path in others:
            self.assertTrue(path.exists(), "another collector's")
        self.assertTrue(self.path.exists())

    def test_a_lock_that_makes_no_sense_keeps_nobody_away(self):
        lock = self.directory / ".results.lock"
        for note in (b"", b"{", b"[]", b"\xff" * 99, b"[" * 4096):
            with self.subTest(note):
                lock.write_bytes(note)
                self.place()
                self.leave()


class RestoreTest(PlaceTestCase):
    def test_ones_own_last_document_is_taken_up(self):
        self.path.write_bytes(document(result("h1"), result("h2")))
        found = self.restore()
        self.assertEqual("", found.why)
        self.assertEqual(NOW, found.issued_at)
        self.assertEqual(self.path.read_bytes(), found.data)
        said = found.said[NAME]
        self.assertEqual({"h1", "h2"}, set(said.results))
        self.assertEqual(NOW, said.freshness["h1"].at)
        self.assertEqual(tpm(), said.results["h1"].claims)

    def test_what_is_taken_up_is_written_as_it_was(self):
        self.path.write_bytes(document(result("h1"), result("h2", boot=None)))
        found = self.restore()
        draft = ResultsDraft(
            ME,
            found.issued_at,
            {n: s.results for n, s in found.said.items()},
            {n: s.freshness for n, s in found.said.items()},
        )
        again = write(draft, policies.signer(ME))
        self.assertEqual(found.data, again)

    def test_a_region_that_no_policy_is_at_hand_for_is_not_lost(self):
        claims = dict(tpm())
        claims["location"] = claims["tpm"].__class__(
            "location",
            Status.AFFIRMING,
            claims["tpm"].grade,
            {"jurisdiction": frozenset({"DE"})},
        )
        self.path.write_bytes(document(result("h1", claims)))
        found = self.restore()
        self.assertEqual("", found.why)
        self.assertIn("location", found.said[NAME].results["h1"].claims)

    def test_times_of_a_fast_clock_are_not_lost(self):
        fast = NOW + 86400
        self.path.write_bytes(document(at=fast, issued_at=NOW))
        found = self.restore()
        self.assertEqual("", found.why)
        self.assertEqual(fast, found.said[NAME].freshness["h1"].at)
        self.assertFalse(found.said[NAME].results["h1"].faulty)

    def test_nothing_is_there_at_first(self):
        found = self.restore()
        self.assertEqual(({}, None), (found.said, found.issued_at))
        self.assertEqual("", found.why)

    def test_what_is_not_taken_up_says_why(self):
        good = document()
        cases = {
            "another's, with another key": (
                document(name="other", signer="other"),
                "results-wrong-key",
            ),
            "another's, with our key": (
                document(name="other"),
                "results-not-theirs",
            ),
            "ours, with another key": (
                document(signer="other"),
                "results-wrong-key",
            ),
            "cut": (good[:-20], "results-truncated"),
            "empty": (b"", "results-bad-envelope"),
            "no document": (b"hello\nworld\n", "results-bad-envelope"),
            "another body": (
                good.replace(b'"h1"', b'"h2"'),
                "results-invalid",
            ),
        }
        for name, (data, code) in cases.items():
            with self.subTest(name):
                self.path.write_bytes(data)
                found = self.restore()
                self.assertEqual({}, found.said)
                self.assertIsNone(found.issued_at)
                self.assertEqual(b"", found.data)
                self.assertIn(code, found.why)
                self.assertIn(str(self.path), found.why)

    def test_no_collector_takes_up_anothers(self):
        self.path.write_bytes(document())
        self.assertEqual({}, self.restore("collector-b", ME).said)
        self.assertEqual({}, self.restore(ME, "collector-b").said)

    def test_what_is_too_large_or_no_file_is_not_looked_at(self):
        self.path.write_bytes(document())
        self.assertIn("larger", self.restore(max_bytes=16).why)
        self.path.unlink()
        os.mkfifo(self.path)
        self.assertIn("regular", self.restore().why)

    def test_what_cannot_be_read_in_it_is_left_out_and_said(self):
        """As after going back to a version that knows fewer values."""
        claims = dict(tpm("from-the-future"))
        self.path.write_bytes(document(result("h1", claims), result("h2")))
        found = self.restore()
        self.assertEqual({"h2"}, set(found.said[NAME].results))
        self.assertIn("1 results are not taken up", found.why)

    def test_an_authority_that_answered_nothing_is_there_still(self):
        draft = ResultsDraft(ME, NOW, {NAME: {}}, {NAME: {}})
        self.path.write_bytes(write(draft, policies.signer(ME)))
        found = self.restore()
        self.assertIsInstance(found.said[NAME], Said)
        self.assertEqual({}, found.said[NAME].results)

    def test_ends_that_were_none_are_none(self):
        self.path.write_bytes(document())
        found = self.restore()
        self.assertEqual(math.inf, found.said[NAME].freshness["h1"].until)


class LastTest(PlaceTestCase):
    """The very document that was published last, and no other."""

    def setUp(self):
        super().setUp()
        self.notes = Notes(self.state)
        self.old = document(at=NOW - 100, issued_at=NOW - 100)
        self.new = document(at=NOW - 10, issued_at=NOW - 10)

    def assert_not_taken_up(self, says):
        found = self.restore(noted=False)
        self.assertEqual(
            ({}, None, b""), (found.said, found.issued_at, found.data)
        )
        self.assertIn(says, found.why)

    def test_an_older_one_of_its_own_is_not_taken_up(self):
        self.notes.after(note_of(self.old))
        self.notes.before(note_of(self.new))
        self.notes.after(note_of(self.new))
        self.path.write_bytes(self.old)
        self.assert_not_taken_up("not the document that was published last")
        self.assert_not_taken_up("2027-01-15T07:58:20Z")

    def test_what_is_beside_the_file_does_not_count(self):
        self.notes.after(note_of(self.new))
        self.path.write_bytes(self.old)
        digest = note_of(self.old).sha256
        lock = {"pid": 1, "policy": "p", "documents": [{"sha256": digest}]}
        (self.directory / ".results.lock").write_text(json.dumps(lock))
        self.assert_not_taken_up("not the document")

    def test_without_a_note_nothing_is_taken_up(self):
        self.path.write_bytes(self.new)
        self.assert_not_taken_up("no note of what was published last")

    def test_a_note_that_is_damaged_is_none(self):
        self.path.write_bytes(self.new)
        self.state.mkdir()
        good = {"sha256": note_of(self.new).sha256, "issued_at": NOW}
        for data in (
            b"",
            b"{",
            b"[]",
            b"[" * 50000,
            b"x" * 2**17,
            b'{"documents": 7}',
            b'{"documents": [{}]}',
            json.dumps({"documents": [{**good, "rules": {"a": 1}}]}).encode(),
            json.dumps({"documents": [{**good, "policy": 7}]}).encode(),
            json.dumps({"documents": [{**good, "issued_at": "x"}]}).encode(),
            json.dumps({"documents": [{**good, "more": 1}]}).encode(),
        ):
            with self.subTest(data[:60]):
                (self.state / "collector-published.json").write_bytes(data)
                self.assert_not_taken_up("collector-published.json")
                self.assertIsNone(Notes(self.state).issued_at)

    def test_killed_between_note_and_document_either_is_taken_up(self):
        self.notes.after(note_of(self.old))
        self.notes.before(note_of(self.new))
        for data in (self.old, self.new):
            self.path.write_bytes(data)
            found = self.restore(noted=False)
            self.assertEqual("", found.why)
            self.assertEqual(data, found.data)

    def test_once_it_is_there_the_one_before_is_nobody_any_more(self):
        self.notes.after(note_of(self.old))
        self.path.write_bytes(self.old)
        notes = Notes(self.state)
        notes.find(self.old)
        notes.before(note_of(self.new))
        self.assertEqual(2, len(notes.read()))
        notes.after(note_of(self.new))
        self.assert_not_taken_up("not the document")

    def test_policy_and_rules_are_known_after_a_restart(self):
        self.path.write_bytes(self.new)
        self.notes.after(note_of(self.new, NOW - 10, "digest", {NAME: "r"}))
        found = self.restore(noted=False)
        self.assertEqual("digest", found.policy)
        self.assertEqual("r", found.said[NAME].rules)
        self.assertEqual(NOW - 10, Notes(self.state).issued_at)

    def test_only_its_owner_reads_the_note(self):
        self.notes.after(note_of(self.new))
        mode = (self.state / "collector-published.json").stat().st_mode
        self.assertEqual(0o600, stat.S_IMODE(mode))

    def test_a_note_that_cannot_be_written_says_where(self):
        self.state.write_text("no directory")
        with self.assertRaises(NoteFault) as caught:
            self.notes.before(note_of(self.new))
        self.assertIn("collector-published.json", caught.exception.reason)

    def test_what_a_restart_would_have_laundered(self):
        """A contradiction that an old document would have taken back."""
        good = document(result("h1"), at=NOW - 100, issued_at=NOW - 100)
        bad = tpm(status=Status.CONTRAINDICATED)
        last = document(result("h1", bad), at=NOW - 10, issued_at=NOW - 10)
        self.notes.after(note_of(last))
        self.path.write_bytes(good)
        self.assert_not_taken_up("not the document")
        self.path.write_bytes(last)
        found = self.restore(noted=False)
        self.assertEqual(bad, found.said[NAME].results["h1"].claims)


class KeyTest(unittest.TestCase):
    def test_a_public_key_of_every_kind_is_as_a_policy_has_it(self):
        keys = (
            policies.private_key(ME),
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
        )
        for private in keys:
            public = private.public_key()
            key = SSlibKey.from_crypto(public, keyid=key_id(public))
            signer = CryptoSigner(private, key)
            found = signature.public_key(public_pem(signer.public_key))
            self.assertEqual(key.keyid, found.keyid)
