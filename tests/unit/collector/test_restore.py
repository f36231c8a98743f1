# SPDX-License-Identifier: Apache-2.0
"""What a collector takes up of its own, and that it is nobody else's."""

from __future__ import annotations

import json
import math
import os
import pathlib
import tempfile
import unittest

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

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


class PlaceTestCase(unittest.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.path = self.directory / "results"
        self.places = []
        self.addCleanup(lambda: [place.release() for place in self.places])

    def place(self):
        place = Place(self.path)
        self.places.append(place)
        return place

    def leave(self):
        """End the collector that is there."""
        self.places.pop().release()

    def restore(self, name=ME, signer=ME, max_bytes=MAX_BYTES):
        place = self.places[-1] if self.places else self.place()
        key = policies.signer(signer).public_key
        return place.restore(name, key, load(), max_bytes)


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

    def test_the_policy_by_which_all_was_checked_is_known_after_a_restart(
        self,
    ):
        self.assertEqual("", self.place().policy)
        self.places[0].note_policy("aa")
        self.places[0].note_policy("bb")
        self.leave()
        self.assertEqual("bb", self.place().policy)

    def test_a_note_that_makes_no_sense_is_no_policy(self):
        lock = self.directory / ".results.lock"
        notes = (b"", b"{", b"[]", b'{"policy": 7}', b"\xff" * 99, b"[" * 4096)
        for note in notes:
            with self.subTest(note):
                lock.write_bytes(note)
                self.assertEqual("", self.place().policy)
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

    def test_the_note_is_one_line_of_json(self):
        with tempfile.TemporaryDirectory() as directory:
            place = Place(pathlib.Path(directory) / "r")
            place.note_policy("ff" * 32)
            place.note_policy("aa")
            note = (pathlib.Path(directory) / ".r.lock").read_text()
            place.release()
        self.assertEqual(
            {"pid": os.getpid(), "policy": "aa"}, json.loads(note)
        )
