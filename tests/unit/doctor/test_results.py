# SPDX-License-Identifier: Apache-2.0
"""Results and clocks, each check well and not well."""

from __future__ import annotations

from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from tests import policies
from tests.unit.doctor.sites import COLLECTOR
from tests.unit.doctor.sites import HOSTS
from tests.unit.doctor.sites import MAX_AGE_S
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase
from tests.unit.doctor.sites import claims

DEPENDENT = ("age", "fresh", "problems", "faulty", "unbound", "missing")


class ResultsCase(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)


class SourceTest(ResultsCase):
    def test_the_file_is_there(self) -> None:
        found = self.site.look("results.source")
        self.assert_ok(found, str(self.site.results_file))

    def test_the_file_is_missing(self) -> None:
        self.site.results_file.unlink()
        found = self.site.look("results.source")
        self.assert_failed(found, str(self.site.results_file))
        for name in DEPENDENT:
            found = self.site.look(f"results.{name}")
            self.assert_skipped(found, "results.source")

    def test_it_is_larger_than_what_is_read(self) -> None:
        self.site.sections["nfv_mla"]["results_max_bytes"] = 65536
        self.site.write_conf()
        self.site.results_file.write_bytes(b"x" * 70000)
        self.assert_failed(self.site.look("results.source"), "larger")

    def test_it_is_not_configured(self) -> None:
        del self.site.sections["nfv_mla"]["results_file"]
        self.site.write_conf()
        self.assert_skipped(self.site.look("results.source"), "results_file")


class VerifiedTest(ResultsCase):
    def test_it_counts(self) -> None:
        found = self.site.look("results.verified")
        self.assert_ok(found, COLLECTOR, "2 results of 1 authority")

    def test_somebody_else_signed_it(self) -> None:
        self.site.publish(signer="mallory")
        found = self.site.look("results.verified")
        self.assert_failed(found, "no collector", "public key")
        self.assert_skipped(self.site.look("results.fresh"))

    def test_it_was_changed(self) -> None:
        data = self.site.results_file.read_bytes()
        self.site.results_file.write_bytes(data.replace(b"tpm", b"hsm"))
        self.assert_failed(self.site.look("results.verified"), "refused")

    def test_it_is_of_the_future(self) -> None:
        self.site.publish(issued_s=-90.0)
        found = self.site.look("results.verified")
        self.assert_failed(found, "ahead of now", "clocks")


class AgeTest(ResultsCase):
    def test_how_old_the_document_is(self) -> None:
        self.site.document["authorities"]["slow"] = {
            "trust_domain": "acme",
            "vouches": ["tpm"],
            "cadence_s": 3600,
            "max_age_s": 4 * MAX_AGE_S,
        }
        collector = self.site.document["collectors"][COLLECTOR]
        collector["authorities"].append("slow")
        self.site.sign(version=8)
        for age_s, state in (
            (5.0, State.OK),
            (MAX_AGE_S + 5.0, State.FAILED),
        ):
            self.site.publish(age_s=age_s)
            with self.subTest(age_s=age_s):
                self.assert_found(self.site.look("results.age"), state)


class FreshTest(ResultsCase):
    def test_all_are(self) -> None:
        self.assert_ok(self.site.look("results.fresh"), "lab 2 of 2")

    def test_some_are(self) -> None:
        self.site.publish(hosts=HOSTS[:1])
        found = self.site.look("results.fresh")
        self.assert_warning(found, "lab 1 of 2 fresh")
        self.assertEqual((f"lab/a-{HOSTS[1]}",), found.items)

    def test_none_is(self) -> None:
        self.site.publish(age_s=MAX_AGE_S + 1, issued_s=1.0)
        found = self.site.look("results.fresh")
        self.assert_failed(found, "lab 0 of 2 fresh")

    def test_no_host_has_an_attester(self) -> None:
        for host in HOSTS:
            del self.site.document["hosts"][host]["attesters"]
        self.site.sign(version=8)
        self.assert_warning(self.site.look("results.fresh"), "no host")


class LeftOutTest(ResultsCase):
    def test_nothing_is(self) -> None:
        self.assert_ok(self.site.look("results.problems"))
        self.assert_ok(self.site.look("results.faulty"))

    def test_a_claim_that_cannot_be_taken_makes_a_result_faulty(self) -> None:
        values = {"": frozenset({"hardwood"})}
        bad = Claim("tpm", Status.AFFIRMING, Grade.RUN_TIME, values)
        self.site.publish(said={**claims(), "tpm": bad})
        found = self.site.look("results.problems")
        self.assert_warning(found, "left out", "tpm")
        found = self.site.look("results.faulty")
        self.assert_warning(found, "2 faulty results", f"lab/a-{HOSTS[0]}")

    def test_an_attester_that_no_host_is_bound_to(self) -> None:
        self.assert_ok(self.site.look("results.unbound"))
        self.site.publish(hosts=(*HOSTS, "stranger"))
        found = self.site.look("results.unbound")
        self.assert_warning(found, "1 attester", "lab/a-stranger")

    def test_hosts_without_results(self) -> None:
        self.assert_ok(self.site.look("results.missing"), "all 2 hosts")
        self.site.publish(hosts=HOSTS[1:])
        found = self.site.look("results.missing")
        self.assert_warning(found, "1 of 2 hosts", HOSTS[0])
        self.site.publish(hosts=())
        self.assert_failed(self.site.look("results.missing"), "2 of 2 hosts")


class DocumentClockTest(ResultsCase):
    def test_how_far_ahead_its_times_are(self) -> None:
        for ahead_s, state in (
            (-5.0, State.OK),
            (10.0, State.OK),
            (20.0, State.WARNING),
        ):
            self.site.publish(age_s=-ahead_s)
            with self.subTest(ahead_s=ahead_s):
                found = self.site.look("clock.document")
                self.assert_found(found, state)
                if state is State.WARNING:
                    self.assertIn("20 s ahead of our clock", found.found)
                    self.assertIn("NTP", found.advice)

    def test_a_single_result_may_be_ahead(self) -> None:
        self.site.publish(age_s=-20.0, issued_s=1.0)
        found = self.site.look("clock.document")
        self.assert_warning(found, "newest result of lab")


class AuthoritiesClockTest(SiteCase):
    def setUp(self) -> None:
        self.site = CollectorSite(self)

    def test_how_far_apart_they_are(self) -> None:
        for skew_s, state, words in (
            (0.4, State.OK, "within 0 s"),
            (-14.0, State.OK, "within 14 s"),
            (16.0, State.WARNING, "16 s ahead of that of collector"),
            (-16.0, State.WARNING, "16 s behind"),
            (40.0, State.FAILED, "and refused"),
            (-400.0, State.WARNING, "400 s behind"),
        ):
            self.site.say(skew_s=skew_s)
            with self.subTest(skew_s=skew_s):
                found = self.site.look("clock.authorities")
                self.assert_found(found, state, words)

    def test_who_tells_no_time_is_not_judged(self) -> None:
        self.site.say(skew_s=None)
        found = self.site.look("clock.authorities")
        self.assert_skipped(found, "told its time")

    def test_the_limit_is_that_of_the_options(self) -> None:
        self.site.sections["nfv_mla"]["max_skew_s"] = 4
        self.site.write_conf()
        self.site.say(skew_s=3.0)
        self.assert_warning(self.site.look("clock.authorities"))


class OtherPartsTest(ResultsCase):
    def test_where_results_come_from_a_file_no_server_is_asked(self) -> None:
        self.assert_skipped(self.site.look("clock.collector"), "HTTPS")
        self.assert_skipped(self.site.look("clock.authorities"))

    def test_the_officers_sign_no_results(self) -> None:
        self.site.publish(signer=policies.NAMES[0])
        self.assert_failed(self.site.look("results.verified"))
