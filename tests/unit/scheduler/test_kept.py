# SPDX-License-Identifier: Apache-2.0
"""A process without judge or policy goes on by what was kept of it."""

from __future__ import annotations

import logging
import os
import shutil
import time
from unittest import mock

from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.policy import state
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.scheduler import fallback
from nfv_mla_scheduler.scheduler import kept
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from tests import policies
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import names
from tests.unit.scheduler.site import spec
from tests.unit.scheduler.site import states

OURS = "nfv_mla_scheduler"
ALL = (*site.HOSTS, site.LENIENT)
OPEN = [host for host in ALL if host != site.OWNED]
LOST = "cannot tell what the policy was"
DAY = 86400


class KeptTestCase(site.SiteTestCase):
    """A policy was in force; then a key file of an officer went away."""

    def setUp(self) -> None:
        super().setUp()
        self.ready()
        self.filter = NfvMlaFilter()
        self.state = self.site.directory / "state"
        self.brief = self.state / kept.BRIEF
        self.admitted()
        self.wait_for(self.brief.exists)
        self.unavailable()

    def unavailable(self) -> None:
        worker.stop_all()
        key = self.site.directory / "alice.pub"
        key.unlink(missing_ok=True)

    def available(self) -> None:
        worker.stop_all()
        self.site.put_keys()

    def admitted(self, project: str = site.PLAIN) -> list[str]:
        hosts = states(*ALL)
        return names(self.filter.filter_all(hosts, spec(project=project)))

    def lost(self) -> str:
        """Return the one line that says that everybody is refused."""
        with self.assertLogs(OURS, logging.WARNING) as logs:
            for _ in range(3):
                self.assertEqual([], self.admitted())
                self.assertEqual([], self.admitted(site.OWNER))
        lines = [r.getMessage() for r in logs.records]
        (line,) = [text for text in lines if LOST in text]
        return line


class KnownTest(KeptTestCase):
    def test_who_asks_for_nothing_is_kept_off_what_belongs_to_others(
        self,
    ) -> None:
        self.assertEqual(OPEN, self.admitted())

    def test_the_owner_of_a_pool_may_use_it(self) -> None:
        self.assertEqual(list(ALL), self.admitted(site.OWNER))

    def test_who_asks_is_refused_by_a_floor_as_well(self) -> None:
        self.assertEqual([], self.admitted(site.FLOORED))
        self.assertEqual([], self.filter.filter_all(states(), spec(TPM)))

    def test_where_all_is_closed_the_log_says_unavailable(self) -> None:
        with self.assertLogs(OURS, logging.INFO) as logs:
            hosts = states(site.OWNED)
            self.assertEqual([], self.filter.filter_all(hosts, spec()))
        self.assertRegex(logs.output[-1], "refused server .*: unavailable")

    def test_a_scheduler_of_another_domain_fills_no_managed_pool(
        self,
    ) -> None:
        for domain in ("police", "Not A Name", ""):
            self.set(management_domain=domain)
            left = self.admitted(site.OWNER)
            self.assertNotIn(site.OWNED, left)
            self.assertIn(site.ENCLAVE, left)
            # permissive mode is the pool's, for this rule too
            self.assertIn(site.LENIENT, left)

    def test_permissive_mode_ends(self) -> None:
        later = time.time() + 101 * DAY
        with mock.patch.object(time, "time", return_value=later):
            self.assertNotIn(site.LENIENT, self.admitted())
            self.assertIn(site.LENIENT, self.admitted(site.OWNER))

    def test_the_option_for_no_policy_has_no_effect(self) -> None:
        self.set(without_policy="refuse_all")
        self.assertEqual(OPEN, self.admitted())

    def test_it_is_read_again_when_it_was_replaced_and_not_before(
        self,
    ) -> None:
        self.admitted()
        with mock.patch.object(
            fallback, "read_brief", wraps=fallback.read_brief
        ) as read:
            self.admitted()
            self.assertEqual(0, read.call_count)
            text = self.brief.read_text().replace('["owners"]', '["acme"]')
            other = self.brief.with_suffix(".new")
            other.write_text(text)
            other.rename(self.brief)
            self.assertNotIn(site.OWNED, self.admitted(site.OWNER))
            self.assertEqual(1, read.call_count)

    def test_other_options_may_be_what_is_wrong(self) -> None:
        self.available()
        self.set(officer_threshold=17)
        with self.assertLogs(OURS, logging.ERROR) as logs:
            self.assertEqual(OPEN, self.admitted())
        self.assertIn("officer_threshold", logs.output[0])
        # and judges as before when that is right again
        self.set(officer_threshold=2)
        worker.stop_all()
        self.assertEqual(OPEN, self.admitted())
        self.assertTrue(self.filter.filter_all(states(), spec(TPM)))


class LostTest(KeptTestCase):
    def test_damaged(self) -> None:
        self.brief.write_text("{")
        self.assertIn("is damaged", self.lost())

    def test_too_large(self) -> None:
        with mock.patch.object(kept, "BYTES_MAX", 100):
            self.assertIn("is damaged", self.lost())

    def test_something_else_in_its_place(self) -> None:
        self.brief.unlink()
        os.mkfifo(self.brief)
        self.assertIn("is damaged", self.lost())
        self.brief.unlink()
        self.brief.symlink_to(self.brief)
        self.lost()

    def test_not_readable(self) -> None:
        denied = PermissionError(13, "Permission denied")
        with mock.patch.object(kept.os, "open", side_effect=denied):
            self.assertIn("Permission denied", self.lost())

    def test_gone_though_there_was_a_policy(self) -> None:
        self.brief.unlink()
        self.assertIn("is missing", self.lost())

    def test_a_state_dir_that_is_none(self) -> None:
        shutil.rmtree(self.state)
        self.state.write_text("")
        self.lost()

    def test_a_state_dir_that_cannot_be_used(self) -> None:
        for wrong in ("", "state", "/with\0nothing"):
            self.set(state_dir=wrong)
            worker.stop_all()
            self.lost()

    def test_options_that_cannot_be_read(self) -> None:
        lines = {
            "state_dir": "$nobody_knows_this",
            "without_policy": "refuse_asking",
        }
        path = self.site.configure(lines)
        site.CONF.clear_override("state_dir", group="nfv_mla")
        site.CONF([], project="nova", default_config_files=[path])
        self.assertIn("state_dir: cannot be used", self.lost())

    def test_it_is_said_again_when_it_happens_again(self) -> None:
        good = self.brief.read_bytes()
        self.brief.write_text("{")
        self.lost()
        self.brief.write_bytes(good)
        self.assertEqual(OPEN, self.admitted())
        self.brief.write_text("{")
        self.lost()

    def test_a_fault_of_its_own_refuses_everybody(self) -> None:
        with (
            mock.patch.object(
                fallback, "open_hosts", side_effect=RuntimeError("x")
            ),
            self.assertLogs(OURS, logging.ERROR) as logs,
        ):
            self.assertEqual([], self.admitted())
        self.assertIn("nobody's", logs.output[-1])


class NoPolicyTest(KeptTestCase):
    """It can judge again, but has no policy any more."""

    def setUp(self) -> None:
        super().setUp()
        self.available()

    def lose(self) -> None:
        self.site.policy_file.unlink()
        (self.state / state.ENVELOPE).unlink()

    def check_by_brief(self) -> None:
        with self.assertLogs(OURS, logging.WARNING) as logs:
            self.assertEqual(OPEN, self.admitted())
        engine = worker.shared(site.CONF).engine()
        self.assertIsNone(engine.feed.snapshot.policy)
        found = [text for text in logs.output if "though there was" in text]
        self.assertEqual(1, len(found))
        self.assertEqual(list(ALL), self.admitted(site.OWNER))
        self.assertEqual([], self.admitted(site.FLOORED))
        self.assertEqual([], self.filter.filter_all(states(), spec(TPM)))
        # the option is for who never had a policy
        self.set(without_policy="refuse_all")
        worker.stop_all()
        self.assertEqual(OPEN, self.admitted())

    def test_the_last_good_one_is_gone_and_so_is_the_file(self) -> None:
        self.lose()
        self.check_by_brief()

    def test_the_last_good_one_is_gone_and_the_file_is_refused(self) -> None:
        self.lose()
        self.site.policy_file.write_text("{")
        self.check_by_brief()

    def test_the_officers_are_others(self) -> None:
        key = self.site.directory / "mallory.pub"
        key.write_text(policies.public_pem("mallory"))
        self.set(officer_keys=[str(key)], officer_threshold=1)
        self.check_by_brief()

    def test_there_are_no_officers(self) -> None:
        self.set(officer_keys=[], policy_file=None)
        self.set(results_file=None, break_glass_dir=None)
        self.check_by_brief()

    def test_nothing_has_been_read_yet(self) -> None:
        (self.state / state.ENVELOPE).unlink()
        self.set(first_load_timeout_s=0.0)
        with mock.patch.object(Feed, "refresh"):
            self.check_by_brief()

    def test_the_judge_fails_as_well(self) -> None:
        self.lose()
        broken = mock.patch.object(Judge, "case", side_effect=RuntimeError)
        with broken, self.assertLogs(OURS, logging.ERROR):
            self.assertEqual(OPEN, self.admitted())
            self.assertEqual([], self.admitted(site.FLOORED))

    def test_what_was_kept_is_lost_too(self) -> None:
        self.lose()
        self.brief.write_text("{")
        self.assertIn("is damaged", self.lost())
        self.brief.unlink()
        self.assertIn("is missing", self.lost())
        (self.state / state.HIGHEST).rename(self.state / state.ENVELOPE)
        self.assertEqual([], self.admitted())

    def test_a_refusal_is_one_line_and_one_event(self) -> None:
        self.lose()
        self.admitted()
        request = spec(project=site.FLOORED)
        with self.assertLogs(OURS, logging.INFO) as logs:
            for _ in range(2):
                self.assertEqual([], self.filter.filter_all(states(), request))
        (line,) = logs.output
        self.assertIn("on all 7 hosts: 7 no-policy", line)
        event = self.site.requests()[-1]
        self.assertEqual("request-refused", event["kind"])
        self.assertEqual({"no-policy": 7}, event["fields"]["counts"])

    def test_a_waiver_still_lets_in(self) -> None:
        self.lose()
        self.site.put_waiver(BreakGlassTarget.PROJECT, site.FLOORED)
        self.assertEqual(list(ALL), self.admitted(site.FLOORED))

    def test_a_policy_ends_it(self) -> None:
        self.lose()
        self.assertEqual([], self.filter.filter_all(states(), spec(TPM)))
        self.site.put_policy(version=2)
        self.wait_for(
            lambda: self.filter.filter_all(states(site.GOOD_1), spec(TPM))
        )


class NeverTest(site.SiteTestCase):
    def test_before_anything_was_read_who_asks_is_refused(self) -> None:
        self.set(first_load_timeout_s=0.0)
        with mock.patch.object(Feed, "refresh"):
            ours = NfvMlaFilter()
            self.assertEqual(7, len(ours.filter_all(states(), spec())))
            self.assertEqual([], ours.filter_all(states(), spec(TPM)))

    def test_without_any_policy_ever_the_option_decides(self) -> None:
        self.set(officer_keys=["/nonexistent/alice.pub"], officer_threshold=1)
        ours = NfvMlaFilter()
        state_dir = self.site.directory / "state"
        for exists in (False, True):
            if exists:
                state_dir.mkdir()
            self.assertEqual(7, len(ours.filter_all(states(), spec())))
            self.set(without_policy="refuse_all")
            self.assertEqual([], ours.filter_all(states(), spec()))
            self.set(without_policy="refuse_asking")

    def test_the_files_are_those_that_are_written(self) -> None:
        self.assertEqual(state.BRIEF, kept.BRIEF)
        self.assertEqual(state.HIGHEST, kept.HIGHEST)
        self.assertEqual(state.ENVELOPE, kept.ENVELOPE)
        self.assertLessEqual(state._BRIEF_MAX, kept.BYTES_MAX)
