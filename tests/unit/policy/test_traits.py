# SPDX-License-Identifier: Apache-2.0
"""Names to traits and back, one to one."""

import re

import testtools
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.policy.traits import LENGTH_MAX
from nfv_mla_scheduler.policy.traits import PREFIX
from nfv_mla_scheduler.policy.traits import name_of
from nfv_mla_scheduler.policy.traits import trait_of

NAMES = st.from_regex(NAME_PATTERN, fullmatch=True).filter(
    lambda name: len(name) < 200
)
# What Placement accepts as a custom trait.
CUSTOM = re.compile("CUSTOM_[A-Z0-9_]+")


class TestTraits(testtools.TestCase):
    @settings(derandomize=True, deadline=None)
    @given(NAMES)
    def test_every_name_comes_back_from_its_trait(self, name: str) -> None:
        trait = trait_of(name)
        self.assertRegex(trait, CUSTOM)
        self.assertEqual(name, name_of(trait))

    @settings(derandomize=True, deadline=None)
    @given(NAMES, NAMES)
    def test_two_names_never_share_a_trait(self, one: str, two: str) -> None:
        self.assertEqual(one == two, trait_of(one) == trait_of(two))

    @settings(derandomize=True, deadline=None)
    @given(st.text(alphabet="ACPUSTOM_NFVLH0-9a", max_size=40))
    def test_a_trait_is_ours_only_if_a_name_makes_it(self, tail: str) -> None:
        trait = PREFIX + tail
        name = name_of(trait)
        if name is not None:
            self.assertEqual(trait, trait_of(name))

    def test_traits_of_others_are_not_ours(self) -> None:
        for trait in ("HW_CPU_X86_SGX", "CUSTOM_POOL_A", PREFIX, ""):
            with self.subTest(trait=trait):
                self.assertIsNone(name_of(trait))

    def test_what_is_no_name_has_no_trait(self) -> None:
        for name in ("", "A", "a_b", "a--b", "-a", "a" * LENGTH_MAX):
            with self.subTest(name=name):
                self.assertRaises(ValueError, trait_of, name)
