# SPDX-License-Identifier: Apache-2.0
"""What programs write into ``attesters.yaml`` is what they meant."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
import unittest
from typing import Any

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.lab import edits
from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.values import Fault
from nfv_mla_scheduler.lab.values import Knobs
from nfv_mla_scheduler.lab.values import Roster
from nfv_mla_scheduler.lab.values import Wrong
from nfv_mla_scheduler.results.strict_json import is_name
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.strict_yaml import read_yaml
from tests.unit.lab import labs

NAMES = st.text(min_size=1, max_size=255).filter(is_name)


class EditsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = labs.make(self, "ber-1", "ber-2")
        self.path = self.directory / "attesters.yaml"

    def roster(self) -> Roster:
        return read_attesters(self.path.read_bytes(), load())

    def knobs(self, name: str) -> Knobs:
        return self.roster().attesters[name].knobs

    def test_knobs_of_one(self) -> None:
        edits.set_knobs(
            self.directory,
            "ber-1",
            wrong="key",
            slow_s=0.5,
            expired=True,
            answers={"status": 503},
        )
        self.assertEqual(
            Knobs(slow_s=0.5, wrong=Wrong.KEY, expired=True, status=503),
            self.knobs("ber-1"),
        )
        self.assertEqual(Knobs(), self.knobs("ber-2"))
        edits.set_knobs(self.directory, "ber-1", wrong=None, slow_s=None)
        self.assertEqual(Knobs(expired=True, status=503), self.knobs("ber-1"))

    def test_knobs_for_all(self) -> None:
        edits.set_knobs(self.directory, answers=Fault.ENDLESS, ahead_s=-3)
        expected = Knobs(fault=Fault.ENDLESS, ahead_s=-3.0)
        self.assertEqual(expected, self.roster().knobs)
        self.assertEqual(expected, self.knobs("ber-2"))

    def test_all_knobs_are_taken_away_at_once(self) -> None:
        before = self.roster()
        edits.set_knobs(self.directory, "ber-1", wrong="deep", silent=True)
        edits.set_knobs(self.directory, replayed=True)
        edits.reset_knobs(self.directory)
        self.assertEqual(before, self.roster())

    def test_one_claim(self) -> None:
        edits.set_claim(self.directory, "ber-1", "tpm", status="warning")
        attesters = self.roster().attesters
        self.assertEqual(
            {**labs.TPM, "status": "warning"}, attesters["ber-1"].claims["tpm"]
        )
        self.assertEqual(labs.TPM, attesters["ber-2"].claims["tpm"])
        location = {"jurisdiction": ["DE"]}
        edits.set_claim(
            self.directory,
            "ber-1",
            "location",
            status="affirming",
            grade="boot",
            values=location,
        )
        claims = self.roster().attesters["ber-1"].claims
        self.assertEqual(location, claims["location"]["values"])
        edits.set_claim(self.directory, "ber-1", "tpm")
        self.assertNotIn("tpm", self.roster().attesters["ber-1"].claims)

    def test_a_claim_of_a_shared_set_changes_for_one_alone(self) -> None:
        shared = {"claims": "good"}
        self.path.write_bytes(
            labs.yaml(
                {"a": shared, "b": shared}, claim_sets={"good": labs.GOOD}
            )
        )
        edits.set_claim(self.directory, "a", "tpm", status="none")
        attesters = self.roster().attesters
        self.assertEqual("none", attesters["a"].claims["tpm"]["status"])
        self.assertEqual(labs.GOOD, attesters["b"].claims)

    def test_attesters_come_and_go(self) -> None:
        edits.put_attester(self.directory, "new", {"claims": labs.GOOD})
        self.assertEqual(labs.GOOD, self.roster().attesters["new"].claims)
        edits.put_attester(self.directory, "ber-1", None)
        edits.put_attester(self.directory, "ber-1", None)
        self.assertEqual(["ber-2", "new"], list(self.roster().attesters))

    def test_the_comment_at_the_head_stays(self) -> None:
        head = self.path.read_text().split("\n\n")[0]
        edits.set_knobs(self.directory, expired=True)
        edits.set_knobs(self.directory, expired=False)
        self.assertTrue(self.path.read_text().startswith(head + "\nprofile"))

    def test_what_could_not_be_read_is_not_written(self) -> None:
        before = self.path.read_bytes()
        changes: tuple[Any, ...] = (
            lambda: edits.set_knobs(self.directory, wrong="everything"),
            lambda: edits.set_knobs(self.directory, colour="red"),
            lambda: edits.set_knobs(self.directory, "gone", wrong="key"),
            lambda: edits.set_claim(self.directory, "ber-1", "no-such"),
            lambda: edits.set_claim(
                self.directory, "ber-1", "tpm", status="fine"
            ),
            lambda: edits.put_attester(self.directory, "a", {}),
        )
        for number, change in enumerate(changes):
            with self.subTest(number), self.assertRaises(DocumentError):
                change()
            self.assertEqual(before, self.path.read_bytes())
        self.assertEqual(9, len(list(self.directory.iterdir())))

    def test_a_file_that_is_wrong_already_is_not_changed(self) -> None:
        self.path.write_bytes(b"attesters: []\n")
        with self.assertRaises(DocumentError):
            edits.reset_knobs(self.directory)
        self.assertEqual(b"attesters: []\n", self.path.read_bytes())


class AnyNameTest(unittest.TestCase):
    @hypothesis.given(
        names=st.lists(NAMES, unique=True, max_size=4),
        number=st.decimals(-90, 90, places=3).map(float),
    )
    @hypothesis.settings(deadline=None, max_examples=50)
    def test_whatever_is_written_is_read(
        self, names: list[str], number: float
    ) -> None:
        directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        path = directory / "attesters.yaml"
        path.write_bytes(b"attesters: {}\n")
        entry = {
            "claims": labs.GOOD,
            "ahead_s": number,
            "location": {"latitude": number, "longitude": 0},
        }
        edits.edit(
            directory,
            lambda document: document["attesters"].update(
                dict.fromkeys(names, entry)
            ),
        )
        roster = read_attesters(path.read_bytes(), load())
        self.assertEqual(names, list(roster.attesters))
        for attester in roster.attesters.values():
            self.assertEqual(number, attester.knobs.ahead_s)
            self.assertEqual(number, attester.location["latitude"])
            self.assertEqual(labs.GOOD, attester.claims)
        value = read_yaml(path.read_bytes(), max_bytes=2**20).value
        self.assertEqual(set(names), value["attesters"].keys())


if __name__ == "__main__":
    unittest.main()
