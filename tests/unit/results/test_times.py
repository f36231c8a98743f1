# SPDX-License-Identifier: Apache-2.0
"""Times in columns say what the same times one by one do."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.results.times import Times
from nfv_mla_scheduler.results.times import receded
from nfv_mla_scheduler.results.times import times_of
from nfv_mla_scheduler.results.values import Freshness
from tests.unit.generators import examples

names = st.sampled_from(("a", "b", "c", "d"))
freshness = st.builds(
    Freshness,
    st.integers(1, 3),
    st.sampled_from((None, "1", "2")),
    st.sampled_from((5, 6, FOREVER)),
)
tables = st.dictionaries(names, freshness, max_size=4)


def less_holds(old, new):
    """Return the attesters of which something may hold no longer."""
    return {
        name
        for name, was in old.items()
        if name not in new
        or new[name].at < was.at
        or new[name].until < was.until
        or new[name].boot != was.boot
    }


def in_rows_of(times, table):
    """Return a table in the rows of other times."""
    column = [table[attester] for attester in times.rows]
    return Times(
        times.rows,
        [fresh.at for fresh in column],
        [fresh.boot for fresh in column],
        [fresh.until for fresh in column],
    )


class TimesTest(unittest.TestCase):
    @given(tables)
    @examples(100)
    def test_they_are_a_mapping(self, table):
        times = times_of(table)
        self.assertEqual(table, dict(times))
        self.assertEqual(len(table), len(times))
        for name in "abcd":
            self.assertEqual(name in table, name in times)
            self.assertEqual(table.get(name), times.get(name))
            self.assertEqual(table.get(name), times.find(name))

    def test_what_is_in_columns_stays_as_it_is(self):
        times = times_of({"a": Freshness(1.0, None)})
        self.assertIs(times, times_of(times))

    @given(tables, tables)
    @examples(300)
    def test_what_goes_back_is_told(self, old, new):
        told = list(receded(times_of(old), times_of(new)))
        self.assertEqual(less_holds(old, new), set(told))
        self.assertEqual(len(told), len(set(told)))

    @given(tables, st.lists(freshness, min_size=4, max_size=4))
    @examples(300)
    def test_in_the_same_rows_as_well(self, old, others):
        new = dict(zip(old, others, strict=False))
        before = times_of(old)
        told = receded(before, in_rows_of(before, new))
        self.assertEqual(less_holds(old, new), set(told))

    def test_of_an_attester_that_is_there_twice_the_last_row_counts(self):
        times = Times({"a": 1}, [9.0, 1.0], ["x", "y"], [FOREVER, 5.0])
        self.assertEqual({"a": Freshness(1.0, "y", 5.0)}, dict(times))
        later = Times(times.rows, [1.0, 2.0], ["z", "y"], [FOREVER, 5.0])
        self.assertEqual([], list(receded(times, later)))
