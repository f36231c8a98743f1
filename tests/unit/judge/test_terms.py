# SPDX-License-Identifier: Apache-2.0
"""When a term about the host holds: rules 1 to 8, one test each."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.model import Status
from tests.unit.drafts import NOW
from tests.unit.judge.scenes import BOOT
from tests.unit.judge.scenes import DECLARED
from tests.unit.judge.scenes import RUN_TIME
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import bare
from tests.unit.judge.scenes import declares
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent
from tests.unit.judge.scenes import why

LONG = 10**9


class TestContradiction(unittest.TestCase):
    """Rules 1 to 3."""

    def test_a_contraindicated_claim_contradicts_whatever_its_keys(self):
        draft = asking(capability__concealed_resource_usage="cpu")
        says(
            draft,
            "concealed-resource-usage",
            status=Status.CONTRAINDICATED,
            values={"ram": "constant"},
        )
        declares(draft, "concealed-resource-usage")
        self.assertEqual({"contraindicated"}, why(draft))

    def test_a_warning_contradicts_only_what_it_speaks_of(self):
        for key, found in (("cpu", {"warning"}), ("ram", set())):
            with self.subTest(key):
                draft = asking(capability__concealed_resource_usage="cpu")
                says(
                    draft,
                    "concealed-resource-usage",
                    status=Status.WARNING,
                    values={key: "constant"},
                )
                declares(draft, "concealed-resource-usage")
                self.assertEqual(found, why(draft))

    def test_one_authority_cannot_outvote_another(self):
        draft = asking(capability__tpm="hardware")
        says(draft, "tpm", "ver", values="virtual")
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_a_claim_that_tells_no_value_does_not_fit_a_value(self):
        draft = asking(capability__tpm="hardware")
        says(draft, "tpm", "ver", values="")
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_all_values_have_to_be_there_where_all_are_asked_for(self):
        draft = asking()
        bare(draft, requirements=("5.2.6",))
        self.assertEqual(set(), why(draft))
        says(draft, "communications-security", values="integrity")
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_the_age_of_a_contradiction_does_not_matter(self):
        draft = asking(capability__tpm="hardware")
        says(draft, "tpm", "ver", values="virtual", grade=RUN_TIME)
        draft.told["ver", "h1"].at = NOW - LONG
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_the_boot_of_a_contradiction_does_not_matter(self):
        draft = asking(capability__secured_boot="required")
        says(draft, "secured-boot", status=Status.WARNING, grade=BOOT)
        declares(draft, "secured-boot")
        draft.told["kl", "h1"].boot_seen = "another"
        self.assertEqual({"warning"}, why(draft))

    def test_an_expired_fact_still_contradicts(self):
        draft = asking(capability__tpm="hardware")
        declares(draft, "tpm", until=NOW - 1, values="virtual")
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_a_claim_of_status_none_says_nothing(self):
        draft = asking(capability__tpm="hardware")
        says(draft, "tpm", "ver", status=Status.NONE, values="virtual")
        self.assertEqual(set(), why(draft))
        says(draft, "tpm", "kl", status=Status.NONE)
        self.assertEqual({"no-claim"}, why(draft))

    def test_who_has_no_say_does_not_contradict(self):
        draft = asking(capability__hsm="required")
        says(draft, "hsm", "ver", status=Status.CONTRAINDICATED)
        self.assertEqual(set(), why(draft))

    def test_values_are_kept_away_without_anybody_speaking(self):
        draft = asking()
        bare(draft, refuse_values={"memory-inspection": of("granted")})
        silent(draft, "memory-inspection")
        self.assertEqual(set(), why(draft))
        says(draft, "memory-inspection", values="granted")
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_values_of_the_site_can_be_kept_away(self):
        draft = asking()
        bare(draft, refuse_values={"fabric-routing": of("lossless")})
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_to_keep_a_region_away_keeps_away_all_that_lies_in_it(self):
        for region in ("DE", "DE-BE", "EU"):
            with self.subTest(region):
                draft = asking()
                bare(draft, refuse_values={"location": of(region)})
                self.assertEqual({"value-mismatch"}, why(draft))


class TestPlaces(unittest.TestCase):
    def test_a_host_lies_in_a_region_that_contains_its_own(self):
        for asked, found in (
            ("DE-BE", set()),
            ("DE", set()),
            ("EU", set()),
            ("FR, DE", set()),
            ("DE-BY", {"value-mismatch"}),
            ("FR", {"value-mismatch"}),
        ):
            with self.subTest(asked):
                draft = asking(location__jurisdiction=asked)
                self.assertEqual(found, why(draft))

    def test_a_wide_region_does_not_lie_in_a_narrow_one(self):
        draft = asking(location__jurisdiction="DE-BE")
        says(draft, "location", "ver", values={"jurisdiction": "DE"})
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_an_excluded_region_is_touched_from_within_and_without(self):
        for there, found in (
            ("DE-BE", {"value-mismatch"}),
            ("DE", {"value-mismatch"}),
            ("EU", {"value-mismatch"}),
            ("FR", set()),
        ):
            with self.subTest(there):
                draft = asking(location__jurisdiction="!DE")
                for authority in ("kl", "ver"):
                    says(
                        draft,
                        "location",
                        authority,
                        values={"jurisdiction": there},
                    )
                self.assertEqual(found, why(draft))

    def test_a_host_of_which_no_place_is_known_is_not_elsewhere(self):
        draft = asking(location__jurisdiction="!FR")
        silent(draft, "location")
        self.assertEqual({"no-claim"}, why(draft))


class TestSupport(unittest.TestCase):
    """Rules 4 and 5."""

    def test_an_authority_that_is_named_has_to_say_it(self):
        draft = asking(authority="ver")
        del draft.told["ver", "h1"].claims["attestation"]
        self.assertEqual({"authority-silent"}, why(draft))

    def test_an_authority_says_only_what_the_policy_lets_it(self):
        draft = asking(capability__hsm="required")
        draft.authorities["kl"] = dataclasses.replace(
            draft.authorities["kl"], vouches=of("tpm")
        )
        self.assertEqual({"no-claim"}, why(draft))

    def test_doubt_taints_all_that_an_authority_says_of_the_host(self):
        draft = asking(hosts=2, capability__hsm="required")
        says(draft, "secured-boot", status=Status.CONTRAINDICATED)
        self.assertEqual({"doubted"}, why(draft))
        self.assertEqual(set(), why(draft, "h2"))

    def test_doubt_about_what_is_not_its_to_say_taints_nothing(self):
        draft = asking(capability__tpm="required")
        silent(draft, "tpm")
        says(draft, "tpm", "ver")
        says(draft, "hsm", "ver", status=Status.CONTRAINDICATED)
        self.assertEqual(set(), why(draft))

    def test_the_least_grade_of_the_catalogue_counts(self):
        draft = asking(capability__tpm="required")
        for authority in ("kl", "ver"):
            says(draft, "tpm", authority, grade=DECLARED)
        self.assertEqual({"grade-too-weak"}, why(draft))

    def test_a_static_capability_keeps_from_boot_to_run_time(self):
        draft = asking(capability__hardware_inventory="required")
        says(draft, "hardware-inventory", grade=BOOT)
        self.assertEqual(set(), why(draft))

    def test_a_dynamic_capability_does_not(self):
        draft = asking(max_age="60")
        for authority in ("kl", "ver"):
            says(draft, "attestation", authority, grade=BOOT)
        self.assertEqual({"grade-too-weak"}, why(draft))

    def test_a_profile_may_accept_what_is_declared(self):
        for accepted, found in ((of("tpm"), set()), (of(), {"no-claim"})):
            draft = asking()
            bare(draft, requirements=("5.1.1",), accept_declared=accepted)
            for authority in ("kl", "ver"):
                del draft.told[authority, "h1"].claims["tpm"]
            declares(draft, "tpm")
            with self.subTest(accepted):
                self.assertEqual(bool(found), bool(why(draft)))

    def test_a_declared_place_counts_if_all_profiles_accept_it(self):
        for accepted, found in (
            (of("location"), set()),
            (of(), {"grade-too-weak"}),
        ):
            draft = asking(location__jurisdiction="DE")
            bare(draft, accept_declared=accepted)
            silent(draft, "location")
            declares(draft, "location")
            with self.subTest(accepted):
                self.assertEqual(found, why(draft))
        del draft.extra_specs["nfv_mla:profile"]
        self.assertEqual({"grade-too-weak"}, why(draft))

    def test_site_terms_are_judged_by_what_is_declared_of_the_site(self):
        draft = asking()
        bare(draft, requirements=("5.3.1",))
        self.assertEqual(set(), why(draft))
        draft.site.clear()
        self.assertEqual({"no-claim"}, why(draft))


class TestLife(unittest.TestCase):
    """Rules 6 to 8: alive just before the moment, dead at it."""

    def _lives_until(self, draft, moment, code="stale"):
        self.assertEqual(set(), why(draft, now=moment - 0.001))
        self.assertEqual({code}, why(draft, now=moment))

    def test_a_run_time_claim_lives_as_long_as_its_authority_allows(self):
        self._lives_until(asking(capability__hsm="required"), NOW + 50)

    def test_or_as_long_as_the_profile_allows(self):
        draft = asking()
        bare(draft, requirements=("5.2.9",), max_age_s=30)
        self._lives_until(draft, NOW + 20)

    def test_or_as_long_as_the_source_allows(self):
        draft = asking(capability__hsm="required", max_age="40")
        self._lives_until(draft, NOW + 30)

    def test_a_maximum_age_bears_on_its_own_source_only(self):
        draft = asking(max_age="40")
        draft.floor["capability.hsm"] = "required"
        draft.told["ver", "h1"].at = NOW + 10
        draft.told["kl", "h1"].at = NOW - 45
        self.assertEqual(set(), why(draft))

    def test_a_declared_fact_lives_until_its_date(self):
        draft = asking(capability__hsm="required")
        silent(draft, "hsm")
        declares(draft, "hsm", until=NOW + 7)
        self._lives_until(draft, NOW + 7)

    def test_a_boot_lives_as_long_as_it_was_seen(self):
        draft = asking(capability__secured_boot="required")
        self._lives_until(draft, NOW - 10 + draft.boot_max_age_s)

    def test_a_boot_time_claim_lives_as_long_as_the_profile_allows(self):
        draft = asking()
        bare(draft, requirements=("5.1.4",), boot_claim_max_age_s=1003)
        draft.told["kl", "h1"].claims["attestation"] = dataclasses.replace(
            draft.told["kl", "h1"].claims["attestation"], grade=BOOT
        )
        draft.told["ver", "h1"].claims.pop("attestation")
        self._lives_until(draft, NOW + 3)

    def test_who_cannot_tell_boots_apart_is_believed_since_the_claim(self):
        draft = asking(capability__secured_boot="required")
        told = draft.told["kl", "h1"]
        told.boot = told.boot_seen = None
        self._lives_until(draft, NOW - 1000 + draft.boot_max_age_s)

    def test_no_claim_outlives_the_word_of_its_authority(self):
        for capability in ("hsm", "secured_boot"):
            with self.subTest(capability):
                draft = asking(**{f"capability__{capability}": "required"})
                for told in draft.told.values():
                    told.until = NOW + 4
                self._lives_until(draft, NOW + 4)

    def test_another_boot_ends_what_was_attested_at_boot(self):
        for seen in ("another", None):
            with self.subTest(seen):
                draft = asking(capability__secured_boot="required")
                draft.told["kl", "h1"].boot_seen = seen
                self.assertEqual({"boot-ended"}, why(draft))

    def test_the_longest_living_claim_counts(self):
        self._lives_until(asking(max_age="3600"), NOW + 70)
