# SPDX-License-Identifier: Apache-2.0
"""Turning a profile into needs."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.profiles import profile_needs
from nfv_mla_scheduler.policy.values import Waiver
from nfv_mla_scheduler.standard.terms import format_group
from nfv_mla_scheduler.standard.terms import parse_term
from tests.unit import drafts
from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import NOW
from tests.unit.judge.scenes import of

BASE = dataclasses.replace(
    CATALOGUE.profiles["pii-protection"],
    name="own",
    requirements=(),
    strength={},
)


def needs(preferred=False, policy=None, **how):
    profile = dataclasses.replace(BASE, **how)
    policy = policy or drafts.policy_of(drafts.good())
    return list(profile_needs(profile, policy, CATALOGUE, preferred))


def written(found):
    return [
        (need.requirement, [format_group(group) for group in need.groups])
        for need in found
    ]


class TestNeeds(unittest.TestCase):
    def test_each_profile_needs_what_table_9_requires_of_it(self):
        policy = drafts.policy_of(drafts.good())
        for profile in CATALOGUE.profiles.values():
            found = {
                need.requirement
                for need in profile_needs(profile, policy, CATALOGUE)
            }
            required = {
                name
                for name in profile.requirements
                if profile.strength_of(name) is Strength.REQUIRED
            }
            self.assertLessEqual(required, found)
            self.assertEqual(
                set(), found & set(CATALOGUE.requirements) - required
            )

    def test_what_is_preferred_is_for_weighing_only(self):
        how = {
            "requirements": ("5.1.2", "5.2.9"),
            "strength": {"5.2.9": Strength.PREFERRED},
            "external_voucher": True,
        }
        self.assertEqual(
            ["5.1.2", "external-voucher"],
            [need.requirement for need in needs(**how)],
        )
        self.assertEqual(
            ["5.2.9"], [need.requirement for need in needs(True, **how)]
        )

    def test_one_need_for_each_key(self):
        self.assertEqual(6, len(needs(requirements=("5.2.5",))))

    def test_a_further_need_where_data_are_confidential(self):
        self.assertEqual(2, len(needs(requirements=("5.1.3", "5.2.8"))))
        for name in ("5.2.1", "5.2.2", "5.2.3", "5.2.4"):
            found = needs(requirements=("5.1.3", name))
            names = [need.requirement for need in found]
            self.assertEqual(["5.1.3", "5.1.3", name], names)

    def test_the_place_on_each_axis_that_matters(self):
        axes = (Axis.LOGICAL, Axis.GEOGRAPHIC)
        found = needs(requirements=("5.1.6",), location_axes=axes)
        terms = {t.key for n in found for g in n.groups for t in g}
        self.assertEqual({"logical", "geographic"}, terms)
        found = needs(requirements=("5.1.6",), location_axes=())
        self.assertEqual([("5.1.6", ["location@boot"])], written(found))

    def test_values_are_cut_down_and_empty_groups_dropped(self):
        added = tuple(
            (parse_term(text),)
            for text in ("tpm", "tpm=virtual", "tpm=hardware|virtual", "hsm")
        )
        found = needs(add=(("x", "6", added),), values={"tpm": of("hardware")})
        self.assertEqual(
            [("x", ["tpm=hardware", "tpm=hardware", "hsm"])], written(found)
        )

    def test_grades_that_it_accepts(self):
        found = needs(requirements=("5.1.1",), accept_declared=of("tpm"))
        grades = {t.name: t.grade for t in found[0].groups[0]}
        self.assertEqual(
            {"attestation": Grade.BOOT, "tpm": Grade.DECLARED}, grades
        )

    def test_refused_values_are_kept_away_even_in_silence(self):
        (need,) = needs(refuse_values={"tpm": of("virtual")})
        self.assertEqual("tpm", need.requirement)
        ((term,),) = need.groups
        self.assertEqual(of("virtual"), term.none_of)
        self.assertTrue(term.silence_counts)

    def test_every_choice_of_as_many_authorities(self):
        (need,) = needs(vouchers_min=2)
        self.assertEqual(
            [("vouchers", ["attestation by kl and attestation by ver"])],
            written([need]),
        )
        (need,) = needs(vouchers_min=3)
        self.assertEqual((), need.groups)

    def test_all_needs_bear_the_ages_and_waivers_of_the_profile(self):
        draft = drafts.good()
        draft.waivers = [
            Waiver("own", "5.1.2", "why", "ref", NOW + end)
            for end in (1, 3, 2)
        ]
        draft.waivers.append(Waiver("other", "5.2.9", "why", "ref", NOW))
        one, other = needs(
            policy=drafts.policy_of(draft),
            requirements=("5.1.2", "5.2.9"),
            max_age_s=7,
            boot_claim_max_age_s=9,
        )
        for need in (one, other):
            self.assertEqual("own", need.profile)
            self.assertEqual(7, need.max_age_s)
            self.assertEqual(9, need.boot_max_age_s)
        self.assertEqual(NOW + 3, one.waived_until)
        self.assertEqual(NEVER, other.waived_until)
