# SPDX-License-Identifier: Apache-2.0
"""The feed keeps the last good results, and verifies by today's policy.

Wherever they come from: what holds of a file holds of a collector.
"""

from __future__ import annotations

import json
import threading
import unittest
from typing import ClassVar

from nfv_mla_scheduler.errors import ResultsCode
from tests import policies
from tests.unit.feed import files
from tests.unit.feed.files import NOW
from tests.unit.feed.files import Files
from tests.unit.feed.files import UrlFiles
from tests.unit.feed.files import results
from tests.unit.feed.files import version


def _unsigned(data: bytes) -> bytes:
    line, _, rest = data.partition(b"\n")
    members = json.loads(line)
    members["signatures"] = []
    return json.dumps(members).encode() + b"\n" + rest


def _deep() -> bytes:
    from tests.unit.results.documents import by_hand

    body = b'{"claim_sets": [' + b"[" * 200 + b"]" * 200 + b"]}"
    return by_hand(
        body,
        {files.AUTHORITY: {"at": [NOW]}},
        {"collector": "collector-a", "issued_at": NOW},
        policies.signer("collector-a"),
    )


# what comes after good results -> why it is refused
REFUSED = {
    "garbage": (b"\x00\xff" * 99 + b"\n\n", ResultsCode.BAD_ENVELOPE),
    "a policy": (version(7), ResultsCode.BAD_ENVELOPE),
    "one line": (results().split(b"\n")[0], ResultsCode.TRUNCATED),
    "truncated": (results()[:-40], ResultsCode.TRUNCATED),
    "altered": (
        results().replace(b'"hardware"', b'"virtuals"'),
        ResultsCode.INVALID,
    ),
    "too deep": (_deep(), ResultsCode.TOO_DEEP),
    "unsigned": (_unsigned(results()), ResultsCode.UNSIGNED),
    "by a stranger": (results(signer="mallory"), ResultsCode.WRONG_KEY),
    "by an unknown collector": (
        results(collector="collector-b", signer="collector-b"),
        ResultsCode.WRONG_KEY,
    ),
    "rolled back": (results("virtual", NOW - 60), ResultsCode.ROLLED_BACK),
    "ahead": (results(issued_at=NOW + 3600), ResultsCode.AHEAD),
    "too large": (b" " * (2**20 + 1), ResultsCode.TOO_LARGE),
}
# Missing and unreadable files have tests of their own; the others are about
# single results, which do not count while the document is taken.
ELSEWHERE = {
    ResultsCode.MISSING,
    ResultsCode.UNREADABLE,
    ResultsCode.UNKNOWN_AUTHORITY,
    ResultsCode.UNKNOWN_ATTESTER,
    ResultsCode.NOT_THEIRS,
    ResultsCode.BAD_CLAIM,
}


class ResultsContract:
    """What holds wherever results come from; for a test case to inherit.

    :cvar kind: of the files that a test works on
    """

    kind: ClassVar[type[Files]]

    def setUp(self) -> None:
        self.files = self._files()

    def _files(self) -> Files:
        here = self.kind.of(self)
        here.put_policy(version(7))
        here.put_results(results())
        here.refresh()
        return here

    def test_results_are_in_the_snapshot(self) -> None:
        self.assertEqual("hardware", self.files.tpm_value())

    def test_newer_results_are_taken_without_a_word(self) -> None:
        self.files.put_results(results("virtual", NOW + 10))
        self.assertEqual([], self.files.refresh())
        self.assertEqual("virtual", self.files.tpm_value())

    def test_bad_results_are_told_once_and_change_nothing(self) -> None:
        for name, (data, code) in REFUSED.items():
            with self.subTest(name):
                here = self._files()
                before = here.feed.snapshot
                here.put_results(data)
                (news,) = here.refresh()
                self.assertEqual(
                    ("results", False, code.value),
                    (news.subject, news.good, news.code),
                )
                for _ in range(3):
                    self.assertEqual([], here.refresh())
                self.assertIs(before, here.feed.snapshot)
                here.put_results(results("virtual", NOW + 10))
                (news,) = here.refresh()
                self.assertEqual((True, "loaded"), (news.good, news.code))
                self.assertEqual("virtual", here.tpm_value())

    def test_every_reason_is_tested(self) -> None:
        tested = {code for _, code in REFUSED.values()}
        self.assertEqual(set(ResultsCode), tested | ELSEWHERE)
        self.assertEqual(set(), tested & ELSEWHERE)

    def test_one_fault_after_another_is_told_each_time(self) -> None:
        by_code = {code: data for data, code in REFUSED.values()}
        for code, data in by_code.items():
            self.files.put_results(data)
            self.assertEqual([code.value], self.files.codes())

    def test_ever_new_documents_that_roll_back_are_told_of_once(self) -> None:
        told = []
        for age in range(60, 66):
            self.files.put_results(results(at=NOW - age))
            told += self.files.codes()
        self.assertEqual(["results-rolled-back"], told)

    def test_words_that_somebody_else_chooses_are_no_news(self) -> None:
        told = []
        for number in range(30):
            kind = json.dumps(
                {
                    "payloadType": f"text/{number}",
                    "payload": "",
                    "signatures": [],
                }
            )
            self.files.put_results(kind.encode() + b"\n{}\n")
            told += self.files.codes()
        self.assertEqual(["results-bad-envelope"], told)

    def test_old_documents_are_told_of_once_and_so_is_a_recent_one(
        self,
    ) -> None:
        self.assertEqual([], self.files.codes(290))
        (news,) = self.files.refresh(20)
        self.assertEqual(
            ("results age", False, "results-stale"),
            (news.subject, news.good, news.code),
        )
        self.assertIn("see whether it runs", news.text)
        for _ in range(3):
            self.assertEqual([], self.files.codes(100))
        self.assertEqual("hardware", self.files.tpm_value())
        self.files.put_results(results(at=self.files.now))
        (news,) = self.files.refresh()
        self.assertEqual(("results age", True), (news.subject, news.good))

    def test_results_from_ahead_are_taken_when_their_time_has_come(
        self,
    ) -> None:
        self.files.put_results(results("virtual", NOW + 100))
        self.assertEqual(["results-ahead"], self.files.codes())
        self.assertEqual([], self.files.codes(50))
        self.assertEqual(["loaded"], self.files.codes(50))
        self.assertEqual("virtual", self.files.tpm_value())

    def test_one_collector_does_not_silence_another(self) -> None:
        one = "    authorities: [keylime-fra, veraison-bka]\n"
        pem = "\n      ".join(policies.public_pem("collector-b").splitlines())
        two = f"{one}  collector-b:\n    public_key: |\n      {pem}\n{one}"
        self.files.put_policy(version(8, (one, two)))
        self.files.refresh()

        def by_b(at: float, authority: str) -> bytes:
            return results(
                "virtual",
                at,
                collector="collector-b",
                signer="collector-b",
                authority=authority,
            )

        before = self.files.feed.snapshot
        self.files.put_results(by_b(NOW + 5, "veraison-bka"))
        (news,) = self.files.refresh()
        self.assertEqual("results-not-theirs", news.code)
        for word in ("collector-a", "collector-b", files.AUTHORITY):
            self.assertIn(word, news.text)
        self.files.put_results(by_b(NOW + 6, "veraison-bka"))
        self.assertEqual([], self.files.refresh())
        self.assertIs(before, self.files.feed.snapshot)
        # nor does an old document of one undo what another has said
        self.files.put_results(by_b(NOW - 1, files.AUTHORITY))
        self.assertEqual(["results-rolled-back"], self.files.codes())
        self.assertIs(before, self.files.feed.snapshot)
        # what was refused is not remembered either
        self.files.put_results(by_b(NOW + 4, files.AUTHORITY))
        self.assertEqual(["loaded"], self.files.codes())
        self.assertEqual("virtual", self.files.tpm_value())
        # a collector may fall silent about an authority of its own
        self.files.put_results(by_b(NOW + 7, "veraison-bka"))
        self.files.refresh()
        self.assertIsNone(self.files.tpm_value())

    def test_results_of_a_fast_clock_go_when_it_is_set_right(self) -> None:
        self.files.now += 7200
        self.files.put_results(results("virtual", NOW + 7200))
        self.assertEqual([], self.files.codes())
        self.assertEqual("virtual", self.files.tpm_value())
        self.files.now -= 7200
        (news,) = self.files.refresh()
        self.assertEqual(
            ("results", False, "results-ahead"),
            (news.subject, news.good, news.code),
        )
        self.assertIsNone(self.files.feed.snapshot.document)
        self.assertEqual([], self.files.codes())
        self.files.put_results(results(at=self.files.now))
        self.assertEqual(["loaded"], self.files.codes())
        self.assertEqual("hardware", self.files.tpm_value())

    def test_a_clock_that_is_set_right_under_a_new_policy(self) -> None:
        self.files.now += 7200
        self.files.put_results(results("virtual", NOW + 7200))
        self.files.refresh()
        self.files.now -= 7200
        self.files.put_policy(version(8))
        self.files.put_results(results(at=self.files.now))
        self.assertIn("loaded", self.files.codes())
        self.assertEqual("hardware", self.files.tpm_value())

    def test_within_the_skew_results_of_a_fast_clock_stay(self) -> None:
        self.files.put_results(results("virtual", NOW + 20))
        self.files.refresh()
        self.files.now -= 5
        self.assertEqual([], self.files.codes())
        self.assertEqual("virtual", self.files.tpm_value())

    def test_single_results_that_are_left_out_are_named_once(self) -> None:
        self.files.put_results(results(authority="stranger"))
        (news,) = self.files.refresh()
        self.assertEqual("results-left-out", news.code)
        self.assertIn("stranger", news.text)
        for age in range(3):
            self.files.put_results(results(at=NOW + age, authority="stranger"))
            self.assertEqual([], self.files.refresh())
        self.files.put_results(results(at=NOW + 20))
        self.assertEqual(["removed"], self.files.codes())

    def test_attesters_that_are_bound_to_no_host_are_named_once(self) -> None:
        strangers = [f"stranger-{n:02}" for n in range(20)]
        self.files.put_results(results(at=NOW + 1, more=strangers))
        (news,) = self.files.refresh()
        self.assertEqual(
            ("results unbound", False, "results-unknown-attester"),
            (news.subject, news.good, news.code),
        )
        self.assertTrue(news.text.startswith("20 bound to no host: "))
        self.assertIn(f"{files.AUTHORITY}/stranger-07", news.text)
        self.assertNotIn("stranger-08", news.text)
        # the same ones are no news, and others are
        self.files.put_results(results(at=NOW + 2, more=strangers))
        self.assertEqual([], self.files.refresh())
        self.files.put_results(results(at=NOW + 3, more=strangers[1:]))
        self.assertEqual(["results-unknown-attester"], self.files.codes())
        self.files.put_results(results(at=NOW + 4))
        self.assertEqual(["removed"], self.files.codes())

    def test_names_of_unbound_attesters_are_bounded(self) -> None:
        self.files.put_results(results(at=NOW + 1, more=["s" * 255]))
        (news,) = self.files.refresh()
        self.assertTrue(news.text.isprintable())
        self.assertLess(len(news.text), 120)

    def test_hosts_without_a_result_are_counted(self) -> None:
        here = self.kind.of(self)
        here.put_policy(version(7))
        here.put_results(results())
        (news,) = [n for n in here.refresh() if n.subject == "results"]
        policy = here.feed.snapshot.policy
        assert policy is not None
        count = len(policy.hosts)
        self.assertIn(f"; {count - 1} of {count} hosts have none", news.text)

    def test_a_new_policy_verifies_the_same_file_by_its_own_keys(
        self,
    ) -> None:
        pem = policies.public_pem
        others = [
            (old, new)
            for old, new in zip(
                pem("collector-a").splitlines(),
                pem("collector-b").splitlines(),
                strict=True,
            )
            if old != new
        ]
        self.files.put_policy(version(8, *others))
        self.assertEqual(
            ["policy-taken", "results-wrong-key"], self.files.codes()
        )
        self.assertIsNone(self.files.tpm_value())
        self.files.put_policy(version(9))
        self.assertEqual(["policy-taken", "loaded"], self.files.codes())
        self.assertEqual("hardware", self.files.tpm_value())

    def test_good_results_outlive_bad_ones_and_a_new_policy(self) -> None:
        self.files.put_results(b"broken")
        self.assertEqual(["results-truncated"], self.files.codes())
        self.files.put_policy(version(8))
        self.assertEqual(["policy-taken"], self.files.codes())
        self.assertEqual("hardware", self.files.tpm_value())

    def test_a_new_policy_may_take_an_authority_away(self) -> None:
        self.files.put_policy(
            version(
                8,
                (
                    "authorities: [keylime-fra, veraison-bka]",
                    "authorities: [veraison-bka]",
                ),
            )
        )
        self.assertIn("results-left-out", self.files.codes())
        self.assertIsNone(self.files.tpm_value())

    def test_without_a_policy_there_are_no_results(self) -> None:
        here = self.kind.of(self)
        here.put_results(results())
        self.assertEqual(["policy-missing"], here.codes())
        self.assertIsNone(here.feed.snapshot.document)


class ResultsFileTest(ResultsContract, unittest.TestCase):
    kind = Files

    def test_a_deleted_file_is_told_once_and_so_is_its_return(self) -> None:
        self.files.results_file.unlink()
        self.assertEqual(["results-missing"], self.files.codes())
        self.assertEqual([], self.files.codes())
        self.assertEqual("hardware", self.files.tpm_value())
        self.files.put_results(results())
        self.assertEqual(["loaded"], self.files.codes())

    def test_something_else_in_its_place_is_told_once(self) -> None:
        self.files.results_file.unlink()
        self.files.results_file.mkdir()
        self.assertEqual(["results-unreadable"], self.files.codes())
        self.assertEqual([], self.files.codes())


class ResultsUrlTest(ResultsContract, unittest.TestCase):
    """The same from a collector, without a socket between."""

    kind = UrlFiles

    def test_a_collector_that_is_gone_is_told_once_and_so_is_its_return(
        self,
    ) -> None:
        here = self.files
        assert isinstance(here, UrlFiles)
        before = here.feed.snapshot
        here.getting.broken = True
        (news,) = here.refresh()
        self.assertEqual(
            ("results", False, "results-unreadable"),
            (news.subject, news.good, news.code),
        )
        self.assertIn("the collector: cannot be reached", news.text)
        for _ in range(3):
            self.assertEqual([], here.refresh())
        self.assertIs(before, here.feed.snapshot)
        here.getting.broken = False
        self.assertEqual(["loaded"], here.codes())
        self.assertEqual([], here.codes())
        self.assertEqual("hardware", here.tpm_value())

    def test_that_nothing_comes_at_all_is_told_once(self) -> None:
        here = UrlFiles.of(self)
        here.put_policy(version(7))
        here.watched.look = lambda: None  # type: ignore[method-assign]
        # as if it were a server that never answers
        here.watched._thread = threading.Thread()
        self.assertEqual(["policy-taken"], here.codes())
        self.assertEqual([], here.codes(8))
        self.assertFalse(here.feed.settled)
        (news,) = here.refresh(3)
        self.assertEqual("results-missing", news.code)
        self.assertIn("has given no document yet", news.text)
        self.assertTrue(here.feed.settled)
        self.assertEqual([], here.codes(100))

    def test_a_collector_without_a_document_is_told_once(self) -> None:
        here = UrlFiles.of(self)
        here.put_policy(version(7))
        self.assertEqual(["policy-taken", "results-missing"], here.codes())
        self.assertEqual([], here.codes())
        here.put_results(results())
        self.assertEqual(["loaded"], here.codes())

    def test_documents_come_whole_once_and_then_in_changes(self) -> None:
        here = self.files
        assert isinstance(here, UrlFiles)
        more = [f"other-{number:03}" for number in range(100)]
        here.put_results(results(at=NOW + 1, more=more))
        here.refresh()
        here.getting.statuses.clear()
        for age in (2, 3, 4):
            data = results("virtual", NOW + 1, issued_at=NOW + age, more=more)
            here.put_results(data)
            self.assertEqual([], here.refresh())
        self.assertEqual("virtual", here.tpm_value())
        self.assertEqual({226}, {*here.getting.statuses} - {304})
