# SPDX-License-Identifier: Apache-2.0
"""What every driver has to do, whatever its authority does.

A driver passes when a test case of it, made of :class:`Contract` and a stage
(``tests/authorities/stage.py``), passes::

    class MyDriverTest(Contract, unittest.TestCase):
        def make_stage(self) -> Stage:
            return MyStage(self)
"""

from __future__ import annotations

import abc
import email.utils
import re
import threading
import time
import unittest
from typing import Any

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import Status
from tests.authorities.stage import NAME
from tests.authorities.stage import SHORT_S
from tests.authorities.stage import HttpsStage
from tests.authorities.stage import Stage
from tests.authorities.stage import Trouble

ATTESTERS = ("attester-1", "attester-2", "attester-3")
MAX_SKEW_S = 60.0
_CODE = re.compile("[a-z]+(-[a-z]+)+")


def inquiry(*attesters: str, targeted: bool = False) -> Inquiry:
    """Return a question about these attesters, or about all."""
    meant = tuple(sorted(attesters or ATTESTERS))
    return Inquiry(meant, {}, MAX_SKEW_S, targeted=targeted)


class Contract(abc.ABC):
    """The tests; to be mixed into a ``unittest.TestCase``."""

    stage: Stage
    authority: Authority

    @abc.abstractmethod
    def make_stage(self) -> Stage:
        """Return a stage of one's own for each test."""

    def setUp(self: Any) -> None:
        super().setUp()
        self.stage = self.make_stage()
        for attester in ATTESTERS:
            self.stage.say(attester)
        self.authority = self.stage.driver()
        self.addCleanup(self.authority.close)

    def collect(self: Any, *attesters: str, **more: bool) -> Collected:
        """Ask, and check what holds of every answer."""
        asked = inquiry(*attesters, **more)
        found = self.authority.collect(asked, time.time())
        self.assertEqual(found.results.keys(), found.freshness.keys())
        for attester, result in found.results.items():
            self.assertEqual(NAME, result.authority)
            self.assertEqual(attester, result.attester)
            for name, claim in result.claims.items():
                self.assertEqual(name, claim.capability)
        for problem in found.problems:
            self.assertTrue(problem.path)
            self.assertLessEqual(len(str(problem)), LINE_MAX)
        return found

    def assert_fails(self: Any, *codes: str) -> AuthorityError:
        """Ask in vain: one error of ours, with one of these codes."""
        with self.assertRaises(AuthorityError) as caught:
            self.collect()
        error = caught.exception
        self.assertEqual(NAME, error.authority)
        self.assertRegex(error.code, _CODE)
        self.assertIn(error.code, codes)
        message = str(error)
        self.assertTrue(message)
        self.assertTrue(message.isprintable())
        self.assertLessEqual(len(message), LINE_MAX)
        return error

    # What it says of itself.

    def test_it_is_named_as_in_the_policy(self: Any) -> None:
        self.assertEqual(NAME, self.authority.name)

    def test_its_options_explain_themselves(self: Any) -> None:
        names = [option.name for option in self.authority.OPTIONS]
        self.assertEqual(sorted(set(names)), sorted(names))
        self.assertNotIn("driver", names)
        for option in self.authority.OPTIONS:
            self.assertGreater(len(option.help.strip()), 20, option.name)
        self.assertIsInstance(self.authority.READS_ONLY, bool)
        self.assertTrue(self.authority.NOTICE.isprintable())

    # What it answers.

    def test_results_are_of_all_that_it_holds(self: Any) -> None:
        before = time.time()
        found = self.collect()
        self.assertEqual(set(ATTESTERS), set(found.results))
        self.assertTrue(found.complete)
        self.assertEqual((), found.problems)
        for attester in ATTESTERS:
            claim = found.results[attester].claims["measured-boot"]
            self.assertIs(Status.AFFIRMING, claim.status)
            fresh = found.freshness[attester]
            # a second, since times in tokens are whole ones
            self.assertLessEqual(before - 5, fresh.at)
            self.assertLessEqual(fresh.at, time.time())
            self.assertLess(time.time(), fresh.until)
            self.assertEqual(found.results[attester].boot, fresh.boot)

    def test_a_boot_is_told_from_another(self: Any) -> None:
        self.stage.say(ATTESTERS[0], boot=7)
        found = self.collect()
        boots = [found.freshness[attester].boot for attester in ATTESTERS]
        if not self.stage.TELLS_BOOTS:
            self.assertEqual([None] * len(boots), boots)
            return
        self.assertNotEqual(boots[0], boots[1])
        self.assertEqual(boots[1], boots[2])

    def test_whom_it_has_nothing_about_is_not_in_the_answer(
        self: Any,
    ) -> None:
        self.stage.forget(ATTESTERS[1])
        found = self.collect()
        self.assertEqual({ATTESTERS[0], ATTESTERS[2]}, set(found.results))
        self.assertTrue(found.complete)
        self.assertEqual((), found.problems)

    def test_what_is_withdrawn_is_gone(self: Any) -> None:
        self.collect()
        self.stage.forget(ATTESTERS[0])
        self.assertNotIn(ATTESTERS[0], self.collect().results)

    def test_what_changes_is_new(self: Any) -> None:
        before = self.collect()
        self.stage.say(ATTESTERS[0], ("attestation",))
        after = self.collect()
        self.assertEqual(
            {"attestation"}, set(after.results[ATTESTERS[0]].claims)
        )
        self.assertIn("measured-boot", before.results[ATTESTERS[0]].claims)
        self.assertIn("measured-boot", after.results[ATTESTERS[1]].claims)

    def test_what_does_not_change_stays_the_same_object(self: Any) -> None:
        before = self.collect()
        for again in range(2):
            if again:
                # said anew, and still the same
                for attester in ATTESTERS:
                    self.stage.say(attester)
            after = self.collect()
            for attester in ATTESTERS:
                old, new = before.results[attester], after.results[attester]
                if old.boot_attested_at == new.boot_attested_at:
                    self.assertIs(old, new)
                self.assertIs(old.claims, new.claims)

    def test_one_that_cannot_be_taken_costs_no_other(self: Any) -> None:
        self.stage.spoil(ATTESTERS[1])
        found = self.collect()
        self.assertEqual({ATTESTERS[0], ATTESTERS[2]}, set(found.results))
        # a fault must never look like an absence
        self.assertFalse(found.complete)
        self.assertEqual(1, len(found.problems))
        self.assertRegex(str(found.problems[0]), ": [a-z]+(-[a-z]+)+: ")

    def test_one_that_was_fine_before_is_not_taken_from_memory(
        self: Any,
    ) -> None:
        self.collect()
        self.stage.spoil(ATTESTERS[1])
        self.assertNotIn(ATTESTERS[1], self.collect().results)
        self.stage.say(ATTESTERS[1])
        self.assertIn(ATTESTERS[1], self.collect().results)

    def test_one_of_the_future_is_not_taken(self: Any) -> None:
        self.stage.say(ATTESTERS[2], ahead_s=MAX_SKEW_S + 60)
        found = self.collect()
        self.assertEqual(set(ATTESTERS[:2]), set(found.results))
        self.assertFalse(found.complete)
        self.assertRegex(str(found.problems[0]), "-ahead: ")

    def test_a_little_skew_is_allowed(self: Any) -> None:
        self.stage.say(ATTESTERS[2], ahead_s=MAX_SKEW_S / 2)
        self.assertEqual(set(ATTESTERS), set(self.collect().results))

    # Targeted inquiries.

    def test_some_may_be_asked_for(self: Any) -> None:
        self.collect()
        self.stage.say(ATTESTERS[1], ("attestation",))
        found = self.collect(ATTESTERS[1], targeted=True)
        self.assertEqual(
            {"attestation"}, set(found.results[ATTESTERS[1]].claims)
        )
        self.assertTrue(found.complete)
        self.assertEqual(set(ATTESTERS), set(self.collect().results))

    def test_some_that_it_has_nothing_about(self: Any) -> None:
        self.stage.forget(ATTESTERS[1])
        found = self.collect(ATTESTERS[0], ATTESTERS[1], targeted=True)
        self.assertIn(ATTESTERS[0], found.results)
        self.assertNotIn(ATTESTERS[1], found.results)
        self.assertTrue(found.complete)

    def test_whatever_its_name_an_attester_can_be_asked_for(
        self: Any,
    ) -> None:
        for name in ("..", ".", "a/b?c=d&e#f", "%2e", "ß +\u00a9", "x" * 255):
            self.stage.say(name)
            with self.subTest(name):
                found = self.collect(name, targeted=True)
                self.assertIn(name, found.results)
                self.assertTrue(found.complete)
            self.stage.forget(name)

    # Closing.

    def test_it_can_be_closed_at_any_time_and_used_again(self: Any) -> None:
        self.authority.close()
        for _ in range(2):
            self.assertEqual(set(ATTESTERS), set(self.collect().results))
            self.authority.close()
            self.authority.close()

    def test_closing_ends_a_collection(self: Any) -> None:
        self.stage.start(Trouble.SILENT)
        timer = threading.Timer(0.2, self.authority.close)
        timer.start()
        self.addCleanup(timer.join)
        started = time.monotonic()
        self.assert_fails(ContactCode.INTERRUPTED.value)
        self.assertLess(time.monotonic() - started, 3)
        self.stage.recover()
        self.assertEqual(set(ATTESTERS), set(self.collect().results))

    def test_closing_at_any_moment_does_no_harm(self: Any) -> None:
        stop = threading.Event()

        def nag() -> None:
            while not stop.wait(0.002):
                self.authority.close()

        nagger = threading.Thread(target=nag)
        nagger.start()
        try:
            for _ in range(10):
                try:
                    self.collect()
                except AuthorityError as exc:
                    self.assertEqual(
                        ContactCode.INTERRUPTED.value, exc.code, exc
                    )
        finally:
            stop.set()
            nagger.join()
        self.assertEqual(set(ATTESTERS), set(self.collect().results))

    def test_it_leaves_no_thread_behind(self: Any) -> None:
        before = set(threading.enumerate())
        self.collect()
        self.authority.close()
        left = {
            thread
            for thread in set(threading.enumerate()) - before
            if not thread.name.startswith(self.stage.THREADS)
        }
        self.assertEqual(set(), left)

    # Troubles.

    def test_every_trouble_is_an_error_of_ours_in_time(self: Any) -> None:
        before = self.authority
        for trouble in Trouble:
            with self.subTest(trouble):
                self.stage.start(trouble)
                if trouble.code == ContactCode.TIMED_OUT.value:
                    self.authority = self.stage.driver(timeout_s=SHORT_S)
                started = time.monotonic()
                self.assert_fails(trouble.code)
                took_s = time.monotonic() - started
                self.assertLess(took_s, self.stage.gives_up_s)
                self.authority = before
                self.stage.recover()
                self.assertEqual(set(ATTESTERS), set(self.collect().results))

    def test_it_fails_from_the_first_question_on(self: Any) -> None:
        for trouble in (Trouble.DOWN, Trouble.OTHER_CA, Trouble.ERROR):
            with self.subTest(trouble):
                self.stage.start(trouble)
                self.authority = self.stage.driver()
                self.assert_fails(trouble.code)
                self.stage.recover()

    def test_what_was_known_before_a_trouble_is_not_said_during_it(
        self: Any,
    ) -> None:
        self.collect()
        for trouble in (Trouble.DOWN, Trouble.ERROR):
            self.stage.start(trouble)
            for _ in range(3):
                self.assert_fails(trouble.code)
            self.stage.recover()

    def test_an_authority_that_flaps(self: Any) -> None:
        for number in range(3):
            self.stage.say(ATTESTERS[0], boot=number)
            self.assertEqual(set(ATTESTERS), set(self.collect().results))
            self.stage.start(Trouble.DOWN)
            self.assert_fails(Trouble.DOWN.code)
            self.stage.recover()


class HttpsContract(Contract):
    """What drivers have to do besides whose authority speaks HTTPS."""

    stage: HttpsStage

    def test_it_says_who_it_is(self: Any) -> None:
        self.authority = self.stage.driver(cert_file="", key_file="")
        error = self.assert_fails(ContactCode.TLS.value)
        self.assertIn("set cert_file and key_file", str(error))
        self.assertEqual([], self.stage.server.asked)

    def test_the_name_of_the_server_may_be_another(self: Any) -> None:
        self.authority = self.stage.driver(server_name="other.example")
        error = self.assert_fails(ContactCode.TLS.value)
        self.assertIn("for another name", str(error))
        self.authority = self.stage.driver(server_name="127.0.0.1")
        self.assertEqual(set(ATTESTERS), set(self.collect().results))

    def test_an_error_names_the_server(self: Any) -> None:
        self.stage.start(Trouble.ERROR)
        error = self.assert_fails(Trouble.ERROR.code)
        self.assertIn(f"127.0.0.1:{self.stage.server.port}", str(error))

    def test_connections_are_kept(self: Any) -> None:
        for _ in range(3):
            self.collect()
        self.assertLessEqual(self.stage.server.connections, 2)

    def test_it_says_how_far_the_clock_of_the_server_is_off(
        self: Any,
    ) -> None:
        self.assertIsNone(self.collect().skew_s)
        for ahead_s in (-90.0, 3600.0):
            date = email.utils.formatdate(time.time() + ahead_s, usegmt=True)
            self.stage.headers = {"Date": date}
            self.assertAlmostEqual(ahead_s, self.collect().skew_s, delta=3)

    def test_an_option_that_cannot_be_used_is_named(self: Any) -> None:
        missing = str(self.stage.directory / "missing")
        for options, named in (
            *self.stage.unfit_options(missing),
            ({"ca_file": ""}, "ca_file: must be set"),
            ({"ca_file": "ca.pem"}, "ca_file: must be an absolute path"),
            ({"ca_file": missing}, f"ca_file: {missing}"),
            ({"server_name": "a b"}, "server_name: "),
        ):
            with self.subTest(options):
                with self.assertRaises(SettingsError) as caught:
                    self.stage.driver(**options)
                self.assertTrue(
                    str(caught.exception).startswith(named),
                    str(caught.exception),
                )


# so that nobody collects the tests of this module by themselves
assert not issubclass(Contract, unittest.TestCase)
