# SPDX-License-Identifier: Apache-2.0
"""The signed policy, each check well and not well."""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.policy.breakglass import break_glass_envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from tests import policies
from tests.unit.doctor.sites import DAY
from tests.unit.doctor.sites import HOSTS
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase

SERVER = "6136c0c2-6e0b-43d4-9270-520df04b8f63"
PROJECT = "6f70656e737461636b20342065766572"


class PolicyCase(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def in_days(self, days: float) -> str:
        return write_instant(self.site.now + days * DAY)

    def configure(self, **options: Any) -> None:
        self.site.sections["nfv_mla"].update(options)
        self.site.write_conf()


class SignedTest(PolicyCase):
    def test_two_officers_have_signed(self) -> None:
        found = self.site.look("policy.signed")
        self.assert_ok(found, "version 7, signed by 2 of 2 officers")

    def test_too_few_have(self) -> None:
        self.site.sign("alice")
        found = self.site.look("policy.signed")
        self.assert_failed(found, "signed by 1", "nfv-mla policy sign")

    def test_a_stranger_does_not_count(self) -> None:
        self.site.sign("alice", "mallory")
        self.assert_failed(self.site.look("policy.signed"), "signed by 1")

    def test_it_is_not_sound(self) -> None:
        self.site.sign(hosts={"ber-1": {}}, version=0)
        found = self.site.look("policy.signed")
        self.assert_failed(found, "not sound", "nfv-mla policy lint")
        self.assertGreater(len(found.items), 1)

    def test_it_is_no_envelope(self) -> None:
        self.site.policy_file.write_text("version: 1\n")
        self.assert_failed(self.site.look("policy.signed"), "not JSON")

    def test_it_is_missing(self) -> None:
        self.site.policy_file.unlink()
        found = self.site.look("policy.signed")
        self.assert_failed(found, str(self.site.policy_file))

    def test_it_is_not_configured(self) -> None:
        del self.site.sections["nfv_mla"]["policy_file"]
        self.site.write_conf()
        self.assert_failed(self.site.look("policy.signed"), "policy_file")

    def test_the_others_go_by_what_was_kept(self) -> None:
        self.site.policy_file.unlink()
        self.assert_ok(self.site.look("policy.in-force"), "version 7")
        self.assert_ok(self.site.look("results.verified"))
        self.assert_skipped(self.site.look("policy.lint"), "policy.signed")

    def test_without_any_policy_the_others_are_not_looked_at(self) -> None:
        self.site.policy_file.unlink()
        for path in self.site.state.iterdir():
            path.unlink()
        for name in ("policy.in-force", "results.verified", "hosts.pools"):
            self.assert_skipped(self.site.look(name), "policy.signed")


class VersionTest(PolicyCase):
    def test_it_was_taken(self) -> None:
        self.assert_ok(self.site.look("policy.version"), "7 was taken")

    def test_none_was_taken_so_far(self) -> None:
        for path in self.site.state.iterdir():
            path.unlink()
        self.assert_ok(self.site.look("policy.version"), "none so far")

    def test_it_is_older_than_one_that_was_taken(self) -> None:
        self.site.sign(version=6)
        self.assert_failed(self.site.look("policy.version"), "only rises")

    def test_it_is_another_one_of_the_same_version(self) -> None:
        self.site.sign(operator="acme-keys")
        self.assert_failed(self.site.look("policy.version"), "another policy")

    def test_it_has_not_been_taken_yet(self) -> None:
        self.site.sign(version=8)
        found = self.site.look("policy.version")
        self.assert_warning(found, "version 8", "has taken 7")

    def test_damaged_state_is_said(self) -> None:
        (self.site.state / "policy-highest.json").write_text("{")
        found = self.site.look("policy.version")
        self.assert_failed(found, "could not look", "damaged")


class InForceTest(PolicyCase):
    def test_the_days_that_are_left_are_told(self) -> None:
        for days, state in (
            (90, State.OK),
            (31, State.OK),
            (29, State.WARNING),
            (6, State.WARNING),
            (0.5, State.FAILED),
            (-0.01, State.FAILED),
        ):
            self.site.sign(version=8, expires=self.in_days(days))
            with self.subTest(days=days):
                found = self.site.look("policy.in-force")
                self.assert_found(found, state)

    def test_an_expired_one_is_said_to_be(self) -> None:
        self.site.sign(version=8, expires=self.in_days(-0.01))
        found = self.site.look("policy.in-force")
        self.assert_failed(found, "expired at", "are refused")

    def test_the_last_week_is_said_to_be(self) -> None:
        self.site.sign(version=8, expires=self.in_days(5))
        found = self.site.look("policy.in-force")
        self.assert_warning(found, "5.0 days", "less than 7")

    def test_one_of_the_future_is_not_what_is_gone_by(self) -> None:
        self.site.sign(version=8, issued=self.in_days(1))
        self.assert_ok(self.site.look("policy.in-force"), "version 7")


class DatesTest(PolicyCase):
    def _waiver(self, days: float) -> dict[str, str]:
        return {
            "profile": "lawful-interception",
            "requirement": "5.2.10",
            "reason": "not yet",
            "reference": "CHG-1",
            "until": self.in_days(days),
        }

    def test_waivers(self) -> None:
        self.assert_ok(self.site.look("policy.waivers"), "waives nothing")
        self.site.sign(version=8, waivers=[self._waiver(80)])
        self.assert_ok(self.site.look("policy.waivers"), "1 waiver,")
        self.site.sign(version=9, waivers=[self._waiver(20)])
        found = self.site.look("policy.waivers")
        self.assert_warning(found, "lawful-interception 5.2.10 (20 d)")
        self.site.sign(version=10, waivers=[self._waiver(-0.01)])
        found = self.site.look("policy.waivers")
        self.assert_warning(found, "1 waiver ended")

    def test_permissive_modes(self) -> None:
        self.assert_ok(self.site.look("policy.modes"), "is enforced")
        for days, state in ((60, State.OK), (3, State.WARNING)):
            until = {"permissive_until": self.in_days(days)}
            modes = {"pools": {"keys": until}, "projects": {PROJECT: until}}
            self.site.sign(version=8, modes=modes)
            with self.subTest(days=days):
                found = self.site.look("policy.modes")
                self.assert_found(found, state, "2 permissive modes")

    def test_a_mode_that_has_ended_is_none(self) -> None:
        until = {"permissive_until": self.in_days(-0.01)}
        self.site.sign(version=8, modes={"pools": {"keys": until}})
        self.assert_ok(self.site.look("policy.modes"), "is enforced")

    def test_declared_facts(self) -> None:
        self.assert_ok(self.site.look("policy.declared"), "8 declared facts")
        hosts = self.site.document["hosts"]
        fact = hosts["ber-1"]["declared"][0]
        hosts["ber-1"]["declared"] = [{**fact, "until": self.in_days(9)}]
        self.site.sign(version=8)
        found = self.site.look("policy.declared")
        self.assert_warning(found, "ber-1 physical-controls (9 d)")

    def test_a_policy_that_declares_nothing(self) -> None:
        for host in HOSTS:
            del self.site.document["hosts"][host]["declared"]
        self.site.sign(version=8)
        self.assert_ok(self.site.look("policy.declared"), "declares nothing")


class BreakGlassTest(PolicyCase):
    def _break(self, hours: int = 4, ago_s: float = 60.0, by="alice") -> None:
        envelope = break_glass_envelope(
            policies.root(),
            BreakGlassTarget.SERVER,
            SERVER,
            "three in the morning",
            self.site.now - ago_s,
            hours,
        )
        signed = sign(envelope, [policies.signer(by)])
        path = self.site.glass / f"{by}-{hours}.json"
        path.write_bytes(write_envelope(signed))

    def test_none_is_in_force(self) -> None:
        self.assert_ok(self.site.look("policy.break-glass"))

    def test_one_in_force_is_said_and_not_for_which_server(self) -> None:
        self._break()
        found = self.site.look("policy.break-glass")
        self.assert_warning(found, "1 break-glass waiver in force", "a server")
        self.assertNotIn(SERVER, repr(found))

    def test_one_that_is_refused_is_said(self) -> None:
        for by, ago_s, words in (
            ("mallory", 0.0, "signed by 0"),
            ("bob", 7 * 3600.0, "ended at"),
        ):
            self._break(by=by, ago_s=ago_s)
            with self.subTest(by=by):
                found = self.site.look("policy.break-glass")
                self.assert_warning(found, "refused", words)
            (self.site.glass / f"{by}-4.json").unlink()

    def test_hidden_files_are_not_read(self) -> None:
        (self.site.glass / ".new").write_text("{")
        self.assert_ok(self.site.look("policy.break-glass"))

    def test_the_directory_is_missing_or_not_configured(self) -> None:
        self.site.glass.rmdir()
        found = self.site.look("policy.break-glass")
        self.assert_failed(found, str(self.site.glass))
        del self.site.sections["nfv_mla"]["break_glass_dir"]
        self.site.write_conf()
        self.assert_skipped(self.site.look("policy.break-glass"))


class LintTest(PolicyCase):
    def test_nothing_looks_odd(self) -> None:
        self.assert_ok(self.site.look("policy.lint"))

    def test_what_looks_odd_is_said(self) -> None:
        self.site.document["pools"] = {}
        self.site.sign(version=8)
        found = self.site.look("policy.lint")
        self.assert_warning(found, "is in no pool", "nfv-mla policy lint")
        self.assertGreaterEqual(len(found.items), 2)

    def test_how_long_it_lives_is_said_elsewhere(self) -> None:
        self.site.sign(version=8, expires=self.in_days(9))
        self.assert_ok(self.site.look("policy.lint"))
