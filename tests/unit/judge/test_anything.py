# SPDX-License-Identifier: Apache-2.0
"""Whatever people write into flavors and hints, nobody falls over it."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.values import Source
from tests.unit import asks
from tests.unit import brute_force
from tests.unit import brute_reading
from tests.unit import drafts
from tests.unit.generators import examples
from tests.unit.judge import court

KNOWN = [key.name for key in KEYS if "{" not in key.name]
KNOWN += [f"capability.{name}" for name in drafts.CATALOGUE.capabilities]
names = st.one_of(
    st.sampled_from(KNOWN).map(lambda name: PREFIX + name),
    st.text(max_size=12).map(lambda text: PREFIX + text),
    st.text(max_size=12),
)
WORDS = (
    *("required", "tpm", "ram", "cpu", "DE", "!DE", "EU", "berlin", "kl"),
    *("hardware", "60", "deny", "own", "pool-1", "signed-image"),
    *("lawful-interception", "lawful-interception@pool"),
    *("single-restricted", "sensitive-application-function.cryptographic"),
    *(" ", ",", "-", "@", ".", "!", "\n"),
)
texts = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(",".join),
    st.lists(st.sampled_from(WORDS), max_size=3).map("".join),
    st.text(max_size=300),
    st.integers(min_value=-1, max_value=10**9).map(str),
)
objects = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.binary(max_size=8),
        texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=4), inner, max_size=3),
        st.tuples(inner),
        st.frozensets(st.text(max_size=3), max_size=2),
    ),
    max_leaves=6,
)


class TestAnything(unittest.TestCase):
    @examples(500)
    @given(
        st.dictionaries(names, st.one_of(texts, objects), max_size=5),
        st.sampled_from(list(Source)),
    )
    def test_reading_raises_nothing_but_malformed(self, values, source):
        try:
            read_ask(source, values, drafts.CATALOGUE)
        except Malformed as malformed:
            self._people_can_read(malformed)

    def _people_can_read(self, malformed):
        self.assertTrue(malformed.problems)
        for line in (str(malformed), *map(str, malformed.problems)):
            self.assertLessEqual(len(line), LINE_MAX)
            self.assertTrue(line.isprintable(), line)
        for problem in malformed.problems:
            self.assertTrue(problem.path)
            self.assertTrue(problem.message)

    @examples(900)
    @given(st.sampled_from(KNOWN), texts, st.sampled_from(list(Source)[1:]))
    def test_both_read_texts_alike(self, name, text, source):
        values = {PREFIX + name: text}
        try:
            expected = brute_reading.read(source, values, drafts.CATALOGUE)
        except brute_reading.Unreadable:
            with self.assertRaises(Malformed):
                read_ask(source, values, drafts.CATALOGUE)
        else:
            self.assertEqual(
                expected, read_ask(source, values, drafts.CATALOGUE)
            )

    @examples(300)
    @given(
        st.dictionaries(names, texts, max_size=3),
        st.dictionaries(
            names, st.one_of(st.lists(texts, max_size=3), objects), max_size=3
        ),
        st.dictionaries(st.text(max_size=5), objects, max_size=2),
    )
    def test_both_judge_arbitrary_requests_alike(self, specs, hints, image):
        draft = drafts.good()
        draft.extra_specs.update(specs)
        draft.hints.update(hints)
        draft.image.update(image)
        world = drafts.build(draft)
        case = court.case_of(world)
        for uuid, host in draft.candidates():
            expected = brute_force.refusals(world, uuid, host, draft.now)
            decision = case.decision(uuid, host, draft.now)
            self.assertEqual(
                not expected, decision.admitted, (expected, decision)
            )
            self.assertEqual(
                "malformed" in expected, case.malformed is not None
            )

    @examples(100)
    @given(st.dictionaries(names, objects, max_size=4))
    def test_keys_of_others_are_nothing_to_us(self, values):
        values = {
            name: value
            for name, value in values.items()
            if not name.startswith(PREFIX)
        }
        for source in Source:
            ask = read_ask(source, values, drafts.CATALOGUE)
            self.assertFalse(ask.demands)

    def test_every_key_can_be_asked_for(self):
        drawn = {*asks.ASKS, "capability.{capability}"}
        self.assertEqual({key.name for key in KEYS}, drawn)
