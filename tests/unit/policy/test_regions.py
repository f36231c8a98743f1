# SPDX-License-Identifier: Apache-2.0
"""Where places lie inside one another."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.policy.regions import Regions
from tests.unit.generators import examples

TREE = Regions(
    {"EU": None, "DE": "EU", "DE-BE": "DE", "FR": "EU", "CH": None},
    frozenset({"EU"}),
)


@st.composite
def trees(draw):
    """Return any forest: each region lies in none, or in an earlier one."""
    inside = {}
    for number in range(draw(st.integers(1, 7))):
        inside[f"R{number}"] = draw(st.sampled_from([None, *inside]))
    groups = draw(st.sets(st.sampled_from(sorted(inside))))
    return Regions(inside, frozenset(groups))


class TestRegions(unittest.TestCase):
    def test_around_a_region_is_all_that_it_lies_in_inmost_first(self):
        self.assertEqual(("DE-BE", "DE", "EU"), TREE.around("DE-BE"))
        self.assertEqual(("CH",), TREE.around("CH"))

    def test_an_unknown_region_lies_in_nothing_but_itself(self):
        self.assertNotIn("XX", TREE)
        self.assertEqual(("XX",), TREE.around("XX"))
        self.assertFalse(TREE.lies_in("XX", frozenset({"EU"})))

    def test_narrow_lies_in_wide_and_not_the_other_way_round(self):
        self.assertTrue(TREE.lies_in("DE-BE", frozenset({"FR", "EU"})))
        self.assertFalse(TREE.lies_in("EU", frozenset({"DE-BE"})))
        self.assertFalse(TREE.lies_in("DE", frozenset()))

    def test_they_touch_if_either_lies_in_the_other(self):
        for one, other, touching in (
            ("DE-BE", "EU", True),
            ("EU", "DE-BE", True),
            ("DE", "DE", True),
            ("DE", "FR", False),
            ("CH", "EU", False),
        ):
            self.assertIs(
                touching, TREE.touches(one, frozenset({other})), (one, other)
            )

    def test_hosts_do_not_meet_in_a_group(self):
        self.assertEqual({"DE", "DE-BE"}, TREE.shared_as("DE-BE"))

    @examples(60)
    @given(trees())
    def test_touching_is_mutual_and_lying_within_goes_on(self, tree):
        for one in tree.inside:
            self.assertTrue(tree.lies_in(one, frozenset({one})))
            for other in tree.inside:
                self.assertEqual(
                    tree.touches(one, frozenset({other})),
                    tree.touches(other, frozenset({one})),
                )
                if not tree.lies_in(one, frozenset({other})):
                    continue
                for third in tree.around(other):
                    self.assertTrue(tree.lies_in(one, frozenset({third})))
