# SPDX-License-Identifier: Apache-2.0
"""Reading what a source asks for: every key, and every way to get it wrong."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.policy.asking import KEYS_MAX
from nfv_mla_scheduler.policy.asking import PROBLEMS_MAX
from nfv_mla_scheduler.policy.asking import is_ours
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.keys import FOLLOWS_MAX
from nfv_mla_scheduler.policy.keys import ITEMS_MAX
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import VALUE_LENGTH_MAX
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.policy.values import Place
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.policy.values import Wanted
from tests.unit.drafts import CATALOGUE

FLAVOR, HINT, FLOOR = Source.FLAVOR, Source.HINT, Source.FLOOR


def read(source=FLAVOR, **keys):
    """Read keys whose ``__`` stands for a dot, and prefixed as usual."""
    values = {
        f"nfv_mla:{key.replace('__', '.')}": value
        for key, value in keys.items()
    }
    return read_ask(source, values, CATALOGUE)


def of(*names):
    return frozenset(names)


GOOD = (
    ("profile", "a, b.c", {"profiles": of("a", "b.c")}),
    (
        "host_class",
        "secure-execution,single-restricted",
        {
            "host_classes": of(
                HostClass.SECURE_EXECUTION, HostClass.SINGLE_RESTRICTED
            )
        },
    ),
    ("pool", "keys,p7", {"pools": of("keys", "p7")}),
    (
        "location__geographic",
        "!paris",
        {"places": of(Place(Axis.GEOGRAPHIC, of(), of("paris")))},
    ),
    (
        "location__logical",
        "a,b",
        {"places": of(Place(Axis.LOGICAL, of("a", "b"), of()))},
    ),
    (
        "location__jurisdiction",
        "DE, !DE-BY",
        {"places": of(Place(Axis.JURISDICTION, of("DE"), of("DE-BY")))},
    ),
    (
        "capability__tpm",
        "hardware,virtual",
        {"capabilities": of(Wanted("tpm", of("hardware", "virtual")))},
    ),
    (
        "capability__hsm",
        "required",
        {"capabilities": of(Wanted("hsm"))},
    ),
    (
        "capability__concealed-resource-usage",
        "cpu,ram",
        {
            "capabilities": of(
                Wanted("concealed-resource-usage", keys=of("cpu", "ram"))
            )
        },
    ),
    ("authority", "kl", {"authorities": of("kl")}),
    ("max_age", "60", {"max_age_s": 60}),
    (
        "follow",
        "a,b.c@pool",
        {
            "follows": of(
                Follow("a", FollowAxis.JURISDICTION),
                Follow("b.c", FollowAxis.POOL),
            )
        },
    ),
    (
        "provision",
        "signed-image,encrypted-image",
        {"provision": of("signed-image", "encrypted-image")},
    ),
    ("conceals", "cpu", {"conceals": of("cpu")}),
    ("copy", "same-project", {"copy": CopyRule.SAME_PROJECT}),
)
BAD = (
    ("profile", ""),
    ("profile", "A"),
    ("profile", "a,,b"),
    ("profile", "a b"),
    ("profile", "a.b.c"),
    ("profile", "a\n"),
    ("pool", "a.b"),
    ("pool", "-a"),
    ("host_class", "pooled"),
    ("location__jurisdiction", "!"),
    ("location__jurisdiction", "DE,!DE"),
    ("location__planet", "earth"),
    ("capability__tpm", "soft"),
    ("capability__tpm", "required,hardware"),
    ("capability__secured-boot", "yes"),
    ("capability__concealed-resource-usage", "constant"),
    ("capability__location", "required"),
    ("capability__placement-policy", "required"),
    ("capability__teleport", "required"),
    ("capability__", "required"),
    ("max_age", "0"),
    ("max_age", "060"),
    ("max_age", "60,70"),
    ("max_age", "-1"),
    ("max_age", "1.5"),
    ("max_age", "31536001"),
    ("max_age", "\u0661\u0662"),
    ("follow", "a@moon"),
    ("follow", "@pool"),
    ("provision", "signed"),
    ("conceals", "gpu"),
    ("copy", "deny,allow"),
    ("copy", "Deny"),
    ("profiles", "a"),
    ("", "a"),
    ("pool", "a" * (VALUE_LENGTH_MAX + 1)),
    ("pool", ",".join("abc"[n % 3] for n in range(ITEMS_MAX + 1))),
    ("follow", ",".join("abcde"[: FOLLOWS_MAX + 1])),
)


class TestReading(unittest.TestCase):
    def test_every_key_says_what_it_says(self):
        for key, value, fields in GOOD:
            with self.subTest(key):
                self.assertEqual(Ask(FLAVOR, **fields), read(**{key: value}))
        told = {key.replace("__", ".") for key, _, _ in GOOD}
        for key in KEYS:
            self.assertTrue(any(t.startswith(key.stem) for t in told), key)

    def test_examples_are_right(self):
        for key in KEYS:
            name = key.name.replace("{capability}", "secured-boot")
            ask = read_ask(FLAVOR, {f"nfv_mla:{name}": key.example}, CATALOGUE)
            offers = {"conceals", "copy"}
            self.assertEqual(key.name not in offers, ask.demands, name)

    def test_what_is_wrong_is_never_ignored(self):
        for key, value in BAD:
            with self.subTest(key, value=value):
                with self.assertRaises(Malformed) as caught:
                    read(**{key: value})
                (problem,) = caught.exception.problems
                self.assertEqual(
                    f"nfv_mla:{key.replace('__', '.')}", problem.path
                )

    def test_places_on_several_axes_are_joined(self):
        ask = read(location__logical="a", location__geographic="b")
        self.assertEqual(2, len(ask.places))

    def test_everything_that_is_wrong_is_named(self):
        with self.assertRaises(Malformed) as caught:
            read(copy="x", max_age="y", pool="good")
        paths = [p.path for p in caught.exception.problems]
        self.assertEqual(["nfv_mla:copy", "nfv_mla:max_age"], paths)

    def test_many_problems_and_keys_are_bounded(self):
        with self.assertRaises(Malformed) as caught:
            read(**{f"wrong{n}": "x" for n in range(KEYS_MAX)})
        self.assertEqual(PROBLEMS_MAX, len(caught.exception.problems))
        with self.assertRaises(Malformed) as caught:
            read(**{f"wrong{n}": "x" for n in range(KEYS_MAX + 1)})
        self.assertEqual(1, len(caught.exception.problems))

    def test_only_our_namespace_is_ours(self):
        for name, found in (
            ("nfv_mla:profile", True),
            ("nfv_mla:", True),
            ("NFV_MLA:profile", True),
            (" nfv_mla:profile", True),
            ("other_nfv_mla:profile", False),
            ("nfv_mla", False),
            (7, False),
        ):
            self.assertIs(found, is_ours(name), name)
        self.assertEqual(
            Ask(FLAVOR),
            read_ask(FLAVOR, {"hw:cpu_policy": "x", 7: "y"}, CATALOGUE),
        )


class TestHints(unittest.TestCase):
    def test_a_list_means_the_same_as_commas(self):
        expected = read(HINT, pool="a,b,c")
        for value in (["a", "b", "c"], ["a,b", "c"], ("a", "b, c")):
            self.assertEqual(expected, read(HINT, pool=value))

    def test_only_some_keys_may_be_hints(self):
        for key, value, fields in GOOD:
            stem = key.partition("__")[0]
            allowed = next(k for k in KEYS if k.stem.startswith(stem)).hint
            with self.subTest(key):
                if allowed:
                    self.assertEqual(
                        Ask(HINT, **fields), read(HINT, **{key: [value]})
                    )
                    continue
                with self.assertRaises(Malformed):
                    read(HINT, **{key: [value]})

    def test_hints_are_lists_of_texts(self):
        for value in ([], [1], [["a"]], {"a": 1}, None, 7, b"a", [None]):
            with self.subTest(value), self.assertRaises(Malformed):
                read(HINT, pool=value)


class TestFloors(unittest.TestCase):
    def test_a_floor_writes_its_keys_without_prefix(self):
        values = {"location.jurisdiction": "DE", "max_age": 60}
        ask = read_ask(FLOOR, values, CATALOGUE, prefix="")
        self.assertEqual(60, ask.max_age_s)
        self.assertEqual(1, len(ask.places))

    def test_only_a_maximum_age_may_be_a_number(self):
        for values in ({"pool": 7}, {"max_age": True}, {"max_age": 1.0}):
            with self.subTest(values), self.assertRaises(Malformed):
                read_ask(FLOOR, values, CATALOGUE, prefix="")
