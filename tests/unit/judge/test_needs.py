# SPDX-License-Identifier: Apache-2.0
"""What each key needs of a host, and each part of a profile."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.standard.terms import parse_term
from tests.unit import drafts
from tests.unit.drafts import CATALOGUE
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import bare
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import own
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent
from tests.unit.judge.scenes import why

PINNED = "sha256:" + 64 * "1"


class TestSources(unittest.TestCase):
    def test_a_good_host_satisfies_every_profile_of_the_standard(self):
        for name in CATALOGUE.profiles:
            with self.subTest(name):
                draft = asking(
                    profile=name,
                    location__jurisdiction="DE",
                    conceals="ram,cpu,storage,network,cache,offload",
                )
                self.assertEqual(set(), why(draft))

    def test_every_source_has_to_be_satisfied(self):
        for fill in ("floor", "hints", "extra_specs"):
            with self.subTest(fill):
                draft = asking(capability__tpm="hardware")
                prefix = "" if fill == "floor" else "nfv_mla:"
                getattr(draft, fill)[f"{prefix}location.jurisdiction"] = "FR"
                self.assertEqual({"value-mismatch"}, why(draft))

    def test_one_source_does_not_soften_another(self):
        draft = asking(location__jurisdiction="FR")
        draft.floor["location.jurisdiction"] = "DE"
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_a_hint_cannot_ask_for_what_only_flavors_may(self):
        for key in ("capability.tpm", "copy", "conceals", "max_age"):
            draft = asking()
            draft.hints[f"nfv_mla:{key}"] = ["required"]
            self.assertEqual({"malformed"}, why(draft), key)

    def test_names_that_the_policy_does_not_know_are_malformed(self):
        for key in ("profile", "pool", "authority", "follow"):
            draft = asking(**{key: "nobody"})
            self.assertEqual({"malformed"}, why(draft), key)
        draft = asking(location__jurisdiction="XX")
        self.assertEqual({"malformed"}, why(draft))


class TestKeys(unittest.TestCase):
    def test_any_of_the_pools_will_do(self):
        draft = asking(hosts=2, pool="pool-1, pool-2")
        pool(draft, members="h2", prove=(parse_term("tpm=virtual"),))
        pool(draft, "pool-2", members="h1")
        self.assertEqual(set(), why(draft))
        self.assertEqual({"value-mismatch"}, why(draft, "h2"))

    def test_a_pool_may_be_named_by_its_handle(self):
        draft = asking(pool="p7")
        pool(draft)
        draft.aliases["p7"] = "pool-1"
        self.assertEqual(set(), why(draft))

    def test_a_capability_is_claimed_with_any_of_the_values(self):
        draft = asking(capability__tpm="virtual, hardware")
        self.assertEqual(set(), why(draft))
        draft = asking(capability__tpm="virtual")
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_every_resource_that_is_named_has_to_be_concealed(self):
        draft = asking(capability__concealed_resource_usage="cpu, ram")
        self.assertEqual(set(), why(draft))
        says(draft, "concealed-resource-usage", values={"ram": "constant"})
        self.assertEqual({"no-claim"}, why(draft))

    def test_the_fabric_is_asked_for_like_a_host(self):
        draft = asking(capability__fabric_routing="sla")
        self.assertEqual({"value-mismatch"}, why(draft))
        draft = asking(capability__fabric_routing="required")
        self.assertEqual(set(), why(draft))

    def test_all_authorities_that_are_named_have_to_attest(self):
        draft = asking(authority="kl, ver")
        self.assertEqual(set(), why(draft))
        says(draft, "attestation", "kl", status=Status.NONE)
        self.assertEqual({"authority-silent"}, why(draft))

    def test_a_maximum_age_is_at_least_twice_the_cadence(self):
        for keys, found in (
            ({"max_age": "20"}, set()),
            ({"max_age": "19"}, {"malformed"}),
            ({"max_age": "40", "authority": "ver"}, set()),
            ({"max_age": "39", "authority": "ver"}, {"malformed"}),
            ({"max_age": "39", "authority": "kl, ver"}, {"malformed"}),
            ({"max_age": "20", "authority": "kl"}, set()),
        ):
            with self.subTest(keys):
                self.assertEqual(found, why(asking(**keys)))

    def test_provision_needs_host_and_image(self):
        for kind, value in (
            ("signed-image", "integrity"),
            ("encrypted-image", "confidentiality"),
        ):
            with self.subTest(kind):
                draft = asking(provision=kind)
                self.assertEqual(set(), why(draft))
                says(
                    draft,
                    "secure-provisioning",
                    values={"migration": value},
                )
                self.assertEqual(set(), why(draft))
                says(draft, "secure-provisioning", values={})
                self.assertEqual({"value-mismatch"}, why(draft))

    def test_to_conceal_and_to_copy_ask_for_nothing(self):
        draft = asking(conceals="cpu", copy="deny")
        self.assertEqual(set(), why(draft, "h9"))


class TestProfiles(unittest.TestCase):
    def test_a_profile_may_be_named_by_its_handle(self):
        draft = asking()
        own(draft, handle="k7")
        draft.aliases["k7"] = "own"
        draft.extra_specs["nfv_mla:profile"] = "k7"
        self.assertEqual(set(), why(draft))

    def test_only_what_is_required_is_needed(self):
        for strength in Strength:
            draft = asking()
            bare(
                draft,
                requirements=("5.2.9",),
                strength={"5.2.9": strength},
            )
            for name in ("host-routing", "direct-memory-access"):
                silent(draft, name)
            refused = strength is Strength.REQUIRED
            self.assertEqual(refused, bool(why(draft)), strength)

    def test_a_requirement_with_keys_is_a_need_for_each(self):
        draft = asking(conceals="cpu")
        bare(draft, requirements=("5.2.5",))
        silent(draft, "telemetry-control")
        silent(draft, "concealed-resource-usage")
        self.assertEqual({"no-claim"}, why(draft))
        every = "ram,cpu,storage,network,cache,offload"
        draft.extra_specs["nfv_mla:conceals"] = every
        self.assertEqual(set(), why(draft))

    def test_provisioning_is_confidential_where_data_are(self):
        for names, found in (
            (("5.1.3",), False),
            (("5.1.3", "5.2.1"), True),
            (("5.1.3", "5.2.5"), False),
        ):
            draft = asking()
            bare(draft, requirements=names)
            says(
                draft,
                "secure-provisioning",
                values={"migration": "integrity"},
            )
            self.assertEqual(found, bool(why(draft)), names)

    def test_the_place_is_known_on_every_axis_that_matters(self):
        for axes, found in (
            ((), set()),
            ((Axis.LOGICAL,), set()),
            ((Axis.LOGICAL, Axis.GEOGRAPHIC), {"no-claim"}),
        ):
            draft = asking()
            bare(draft, requirements=("5.1.6",), location_axes=axes)
            for authority in ("kl", "ver"):
                says(
                    draft,
                    "location",
                    authority,
                    values={"logical": "rack-1"},
                )
            self.assertEqual(found, why(draft), axes)

    def test_an_axis_that_has_to_be_named_is_named_in_the_same_source(self):
        draft = asking(profile="lawful-interception")
        self.assertEqual({"malformed"}, why(draft))
        draft.floor["location.jurisdiction"] = "DE"
        self.assertEqual({"malformed"}, why(draft))
        draft.extra_specs["nfv_mla:location.jurisdiction"] = "!FR"
        self.assertEqual({"malformed"}, why(draft))
        draft.extra_specs["nfv_mla:location.jurisdiction"] = "DE"
        self.assertEqual(set(), why(draft))

    def test_what_a_profile_adds_is_needed(self):
        draft = asking()
        added = (
            (parse_term("tpm=virtual"),),
            (parse_term("hsm=physical"), parse_term("secured-boot")),
        )
        bare(draft, add=(("hsm", "6.20", added),))
        self.assertEqual(set(), why(draft))
        silent(draft, "secured-boot")
        self.assertTrue(why(draft))

    def test_only_the_values_that_it_states_count(self):
        draft = asking()
        bare(draft, requirements=("5.1.1",), values={"tpm": of("virtual")})
        self.assertEqual({"value-mismatch"}, why(draft))

    def test_a_group_with_no_value_left_is_dropped(self):
        draft = asking()
        bare(
            draft,
            requirements=("5.2.9",),
            values={"host-routing": of("lossless")},
        )
        self.assertEqual(set(), why(draft))
        added = ((parse_term("host-routing=sla"),),)
        bare(
            draft,
            add=(("routing", "5.2.9", added),),
            values={"host-routing": of("lossless")},
        )
        self.assertEqual({"no-claim"}, why(draft))

    def test_several_authorities_may_have_to_vouch(self):
        for least, found in ((2, False), (3, True)):
            draft = asking()
            bare(draft, vouchers_min=least)
            self.assertEqual(found, bool(why(draft)), least)
        draft = asking()
        bare(draft, vouchers_min=2)
        del draft.told["ver", "h1"].claims["attestation"]
        self.assertEqual({"authority-silent"}, why(draft))

    def test_trust_may_have_to_come_from_outside(self):
        draft = asking()
        bare(draft, external_voucher=True)
        self.assertEqual(set(), why(draft))
        del draft.told["ver", "h1"].claims["attestation"]
        self.assertTrue(why(draft))
        self._pin(draft)
        self.assertEqual({"authority-silent"}, why(draft))
        draft.told["kl", "h1"].key = PINNED
        self.assertEqual(set(), why(draft))
        says(draft, "tpm", "ver", values="virtual")
        self.assertTrue(why(draft))

    def test_a_pinned_tpm_is_of_the_kind_that_the_profile_states(self):
        draft = asking()
        bare(draft, external_voucher=True, values={"tpm": of("hardware")})
        del draft.told["ver", "h1"].claims["attestation"]
        self._pin(draft)
        draft.told["kl", "h1"].key = PINNED
        self.assertEqual(set(), why(draft))
        for authority in ("kl", "ver"):
            says(draft, "tpm", authority, values="equivalent-hardware")
        self.assertTrue(why(draft))

    def test_a_pinned_key_counts_where_an_authority_has_found_it(self):
        draft = asking()
        need = ((Term(Subject.SELF, "pinned-tpm"),),)
        bare(draft, add=(("pinned", "5.2.10", need),))
        told = draft.told["kl", "h1"]
        told.key = PINNED
        self.assertEqual({"self-unmet"}, why(draft))
        self._pin(draft)
        self.assertEqual(set(), why(draft))
        for key in ("", "sha256:" + 64 * "2"):
            told.key = key
            self.assertEqual({"not-judged"}, why(draft))
        told.key = PINNED
        # another's word, who has compared nothing, does not do instead
        told.at = draft.now - 3600
        self.assertEqual({"stale"}, why(draft))
        del told.claims["attestation"]
        self.assertEqual({"authority-silent"}, why(draft))

    def _pin(self, draft):
        draft.bindings["h1"] = dataclasses.replace(
            draft.bindings["h1"], pinned_keys=(PINNED,)
        )


class TestApplication(unittest.TestCase):
    def test_terms_about_the_application_are_read_from_flavor_and_image(self):
        for term, spoil in (
            ("signed-image", {"img_signature_key_type": None}),
            ("encrypted-volume", {"hw_ephemeral_encryption": "no"}),
            ("full-enclave-guest", {"hw_mem_encryption_model": "amd-sev"}),
        ):
            with self.subTest(term):
                draft = drafts.good(1)
                need = ((Term(Subject.APPLICATION, term),),)
                bare(draft, add=((term, "6", need),))
                self.assertEqual(set(), why(draft))
                draft.image.update(spoil)
                self.assertEqual({"application-lacks"}, why(draft))
