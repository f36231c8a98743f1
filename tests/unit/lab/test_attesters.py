# SPDX-License-Identifier: Apache-2.0
"""What ``attesters.yaml`` may say, and what is said of what it may not."""

from __future__ import annotations

import unittest
from typing import Any

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.knobs import KNOBS
from nfv_mla_scheduler.lab.starter import starter_attesters
from nfv_mla_scheduler.lab.values import Fault
from nfv_mla_scheduler.lab.values import Knobs
from nfv_mla_scheduler.lab.values import Roster
from nfv_mla_scheduler.lab.values import Wrong
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.lab import labs

HEAD = """\
claim_sets:
  good:
    tpm: {status: affirming, grade: boot, values: [hardware]}
attesters:
  ber-1:
    claims: good
"""

# what is appended to HEAD, path, line, part of the message
FAULTS = (
    ("colour: red", "colour", 7, "is not known here; known: ahead_s"),
    ("    colour: red", "attesters.ber-1.colour", 7, "is not known here"),
    ("  ber-2: {}", "attesters.ber-2.claims", 7, "must be an object"),
    ("  ber-2:", "attesters.ber-2", 7, "must be a mapping"),
    ("  ber-2: {claims: bad}", "attesters.ber-2.claims", 7, "claim_sets"),
    (
        "  ber-2:\n    claims:\n      tpm: {status: fine, grade: boot}",
        "attesters.ber-2.claims.tpm.status",
        9,
        "must be one of none, affirming",
    ),
    (
        "  ber-2:\n    claims:\n      no-such: {status: none, grade: boot}",
        "attesters.ber-2.claims",
        8,
        "is not a capability of the catalogue ('no-such')",
    ),
    (
        "  ber-2:\n    claims:\n      tpm:\n        status: affirming\n"
        "        grade: boot\n        values: [great]",
        "attesters.ber-2.claims.tpm.values",
        12,
        "is not a value that is known here ('great')",
    ),
    ('  "":\n    claims: good', "attesters.", 7, "1 to 255 printable"),
    ("  ber-1:\n    claims: good", "attesters.ber-1", 7, "already stands"),
    ("    status: affirmative", "attesters.ber-1.status", 7, "must be one"),
    ("    boot: 17", "attesters.ber-1.boot", 7, "must be a mapping"),
    (
        "    boot: {bootcount: -1}",
        "attesters.ber-1.boot.bootcount",
        7,
        "whole number from 0",
    ),
    (
        "    boot: {bootseed: 17}",
        "attesters.ber-1.boot.bootseed",
        7,
        "base64url without padding; quote digits",
    ),
    (
        "    boot: {bootseed: a+b/c=}",
        "attesters.ber-1.boot.bootseed",
        7,
        "base64url",
    ),
    (
        "    location: {latitude: 52.5}",
        "attesters.ber-1.location",
        7,
        "needs latitude and longitude",
    ),
    (
        "    location: {latitude: 90.5, longitude: 1}",
        "attesters.ber-1.location.latitude",
        7,
        "must be a number from -90 to 90 ('90.5')",
    ),
    (
        "    location: {place: Berlin}",
        "attesters.ber-1.location.place",
        7,
        "is not known here",
    ),
    ("profile: tag:other", "profile", 7, "must be one of tag:github.com"),
    ("profile: [x]", "profile", 7, "must be one of tag:github.com"),
    ("issuer: 17", "issuer", 7, "printable characters; quote digits"),
    ("lifetime_s: 0", "lifetime_s", 7, "must be a whole number from 1 to"),
    ("lifetime_s: 1.5", "lifetime_s", 7, "must be a whole number from 1 to"),
    ("slow_s: -1", "slow_s", 7, "must be a number from 0 to 3600"),
    ("slow_s: fast", "slow_s", 7, "must be a number from 0 to 3600"),
    ("slow_s: true", "slow_s", 7, "must be a number"),
    ("slow_s: 1e3", "slow_s", 7, "must be a number"),
    ("ahead_s: 99999999999", "ahead_s", 7, "must be a number from -3.1536e"),
    ("silent: yes", "silent", 7, "must be true or false ('yes')"),
    ("expired: 1", "expired", 7, "must be true or false"),
    ("    replayed: often", "attesters.ber-1.replayed", 7, "true or false"),
    ("wrong: everything", "wrong", 7, "must be one of key, unknown-kid"),
    ("    wrong: []", "attesters.ber-1.wrong", 7, "must be one of key"),
    ("answers: late", "answers", 7, "must be one of redirect, wrong-type"),
    ("answers: {status: 200}", "answers.status", 7, "from 400 to 599"),
    ("answers: {code: 500}", "answers.code", 7, "is not known here"),
    ("answers: {}", "answers.status", 7, "from 400 to 599"),
    ("wrong: &x key", "wrong", 7, "anchors are not allowed"),
    ("wrong: [", "document", 8, "not YAML"),
)

# YAML of knobs, what becomes of them
SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("slow_s: 3", {"slow_s": 3.0}),
    ("slow_s: 0.25", {"slow_s": 0.25}),
    ("ahead_s: -600.5", {"ahead_s": -600.5}),
    ("silent: true", {"silent": True}),
    ("expired: true", {"expired": True}),
    ("replayed: true", {"replayed": True}),
    ("answers: {status: 503}", {"status": 503}),
    *((f"wrong: {w.value}", {"wrong": w}) for w in Wrong),
    *((f"answers: {f.value}", {"fault": f}) for f in Fault),
)


def read(text: str) -> Roster:
    return read_attesters(text.encode(), load())


class FaultsTest(unittest.TestCase):
    def test_each_is_told_with_its_path_and_line(self) -> None:
        for more, path, line, message in FAULTS:
            with self.subTest(more=more):
                with self.assertRaises(DocumentError) as caught:
                    read(f"{HEAD}{more}\n")
                problem = caught.exception.problems[0]
                self.assertEqual((path, line), (problem.path, problem.line))
                said = str(caught.exception)
                self.assertIn(message, said)
                self.assertLessEqual(len(said), LINE_MAX)
                self.assertNotIn("\n", said)

    def test_what_is_missing_is_told(self) -> None:
        for text in ("", "profile: x", "attesters:", "- 1", "attesters: []"):
            with self.subTest(text=text), self.assertRaises(DocumentError):
                read(text)


class KnobsTest(unittest.TestCase):
    def test_every_setting_is_read(self) -> None:
        for text, fields in SETTINGS:
            with self.subTest(text=text):
                roster = read(f"{HEAD}    {text}\n")
                self.assertEqual(Knobs(), roster.knobs)
                attester = roster.attesters["ber-1"]
                self.assertEqual(Knobs(**fields), attester.knobs)

    def test_every_knob_is_among_the_settings(self) -> None:
        self.assertEqual(
            set(KNOBS), {text.split(":")[0] for text, _ in SETTINGS}
        )

    def test_what_stands_at_the_margin_is_for_all(self) -> None:
        for text, fields in SETTINGS:
            with self.subTest(text=text):
                roster = read(f"{HEAD}{text}\n")
                self.assertEqual(Knobs(**fields), roster.knobs)
                self.assertEqual(roster.knobs, roster.attesters["ber-1"].knobs)

    def test_an_attester_s_own_come_first(self) -> None:
        text = (
            f"slow_s: 3\nexpired: true\nwrong: key\nanswers: endless\n{HEAD}"
            "    slow_s: 0\n    wrong: null\n    answers: null\n"
        )
        roster = read(text)
        self.assertEqual(
            Knobs(
                slow_s=3.0, expired=True, wrong=Wrong.KEY, fault=Fault.ENDLESS
            ),
            roster.knobs,
        )
        self.assertEqual(Knobs(expired=True), roster.attesters["ber-1"].knobs)

    def test_a_status_and_a_fault_do_not_add_up(self) -> None:
        text = f"answers: {{status: 500}}\n{HEAD}    answers: truncated\n"
        knobs = read(text).attesters["ber-1"].knobs
        self.assertEqual((Fault.TRUNCATED, 0), (knobs.fault, knobs.status))


class AttestersTest(unittest.TestCase):
    def test_the_starter_is_right_and_names_every_word(self) -> None:
        text = starter_attesters(
            "lab", ["ber-1", "17", 'a "b" \\c', "true", "né"]
        )
        roster = read(text)
        self.assertEqual("lab", roster.issuer)
        self.assertEqual(
            ["ber-1", "17", 'a "b" \\c', "true", "né"], list(roster.attesters)
        )
        for attester in roster.attesters.values():
            self.assertIs(Status.AFFIRMING, attester.status)
            self.assertEqual(Knobs(), attester.knobs)
            self.assertEqual({"bootcount": 1}, attester.boot)
        for word in (*KNOBS, *(w.value for w in (*Wrong, *Fault, *Status))):
            self.assertRegex(text, rf"# .*\b{word}\b")
        self.assertLess(max(map(len, text.splitlines())), 80)

    def test_the_starter_has_an_example_when_nobody_is_named(self) -> None:
        self.assertEqual(
            ["host-1"], list(read(starter_attesters("lab", [])).attesters)
        )

    def test_what_the_starter_leaves_out_by_a_comment_is_right(self) -> None:
        text = starter_attesters("lab", ["ber-1"])
        text = text.replace("      # location", "      location")
        text = text.replace("      #   {status", "        {status")
        claims = read(text).attesters["ber-1"].claims
        self.assertEqual(
            {"jurisdiction": ["DE"]}, claims["location"]["values"]
        )

    def test_claims_travel_in_a_fixed_form(self) -> None:
        text = (
            "attesters:\n  a:\n    claims:\n"
            "      tpm: {grade: boot, status: none, "
            "values: [virtual, shared]}\n"
            "      location:\n        status: affirming\n        grade: boot\n"
            "        values: {jurisdiction: [DE, Anything]}\n"
        )
        self.assertEqual(
            {
                "location": {
                    "status": "affirming",
                    "grade": "boot",
                    "values": {"jurisdiction": ["Anything", "DE"]},
                },
                "tpm": {
                    "status": "none",
                    "grade": "boot",
                    "values": ["shared", "virtual"],
                },
            },
            read(text).attesters["a"].claims,
        )

    def test_the_status_is_the_worst_unless_the_file_says_another(
        self,
    ) -> None:
        text = (
            "attesters:\n  a:\n    claims:\n"
            "      tpm: {status: affirming, grade: boot}\n"
            "      hsm: {status: warning, grade: declared}\n"
        )
        self.assertIs(Status.WARNING, read(text).attesters["a"].status)
        for status in Status:
            found = read(f"{text}    status: {status.value}\n")
            self.assertIs(status, found.attesters["a"].status)

    def test_numbers_of_a_location_are_numbers(self) -> None:
        location = {"latitude": -33, "longitude": "151.2093"}
        data = labs.yaml({"a": {"claims": {}, "location": location}})
        found = read_attesters(data, load()).attesters["a"].location
        self.assertEqual({"latitude": -33.0, "longitude": 151.2093}, found)


if __name__ == "__main__":
    unittest.main()
