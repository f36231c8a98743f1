# SPDX-License-Identifier: Apache-2.0
"""The mapping table of an authority, read from YAML."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.authority.ear_mapping import read_mapping
from nfv_mla_scheduler.authority.ear_table import Circle
from nfv_mla_scheduler.authority.ear_table import EntryRule
from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.standard.catalogue import load

GOOD = """\
entries:
- entry: hardware
  submod: host
  capability: tpm
  grade: boot
  values: [hardware]
  affirming: [2, -2]
- {entry: file-system, capability: read-only-partitions, grade: run-time}
location:
  grade: boot
  assume_accuracy_m: 0.5
  max_age_s: 600
  regions:
    geographic:
      berlin:
      - {latitude: 52.52, longitude: 13.405, radius_km: 25}
      - {latitude: -52, longitude: "-13.5", radius_km: 0.25}
    jurisdiction:
      DE-BE:
      - {latitude: 52.52, longitude: 13.405, radius_km: 25}
"""
RULE = "entries: [{entry: hardware, capability: tpm, grade: boot%s}]"
CIRCLE = "{latitude: 52, longitude: 13, radius_km: 5}"
PLACE = "location: {grade: boot, regions: {geographic: {berlin: [%s]}}%s}"


def flow(some: dict[str, str]) -> str:
    """Return a mapping in one line of YAML."""
    return "{" + ", ".join(f"{k}: {v}" for k, v in some.items()) + "}"


class TakenTest(unittest.TestCase):
    def test_a_table_says_what_it_says(self) -> None:
        mapping = read_mapping(GOOD.encode(), load())
        self.assertEqual(
            (
                EntryRule(
                    "hardware",
                    "host",
                    "tpm",
                    Grade.BOOT,
                    {"": frozenset({"hardware"})},
                    frozenset({2, -2}),
                ),
                EntryRule(
                    "file-system",
                    None,
                    "read-only-partitions",
                    Grade.RUN_TIME,
                    {},
                ),
            ),
            mapping.entries,
        )
        location = mapping.location
        assert location is not None
        self.assertIs(Grade.BOOT, location.grade)
        self.assertEqual(0.5, location.assumed_accuracy_m)
        self.assertEqual(600, location.max_age_s)
        self.assertEqual(
            {
                Axis.GEOGRAPHIC: {
                    "berlin": (
                        Circle(52.52, 13.405, 25_000),
                        Circle(-52.0, -13.5, 250),
                    )
                },
                Axis.JURISDICTION: {"DE-BE": (Circle(52.52, 13.405, 25_000),)},
            },
            location.circles,
        )

    def test_what_is_left_out_of_a_location(self) -> None:
        mapping = read_mapping((PLACE % (CIRCLE, "")).encode(), load())
        assert mapping.location is not None
        self.assertIsNone(mapping.location.assumed_accuracy_m)
        self.assertEqual(86_400, mapping.location.max_age_s)
        self.assertEqual((), mapping.entries)

    def test_capabilities_that_are_split_by_keys(self) -> None:
        text = (
            "entries: [{entry: storage-opaque, capability: secure-clean-up, "
            "grade: boot, values: {ram: [overwrite]}}]"
        )
        (rule,) = read_mapping(text.encode(), load()).entries
        self.assertEqual({"ram": frozenset({"overwrite"})}, rule.values)


class TierTest(unittest.TestCase):
    def rule(self, entry: str, grade: Grade, *affirming: int) -> EntryRule:
        some = frozenset(affirming) or None
        return EntryRule(entry, None, "tpm", grade, {}, some)

    def test_the_tier_decides(self) -> None:
        rule = self.rule("hardware", Grade.RUN_TIME)
        for values, status in (
            ((-1, 0, 1), Status.NONE),
            ((-32, -2, 2, 3, 31), Status.AFFIRMING),
            ((-96, -33, 32, 95), Status.WARNING),
            ((-128, -97, 96, 127), Status.CONTRAINDICATED),
        ):
            for value in values:
                self.assertIs(status, rule.tier(value), value)

    def test_only_the_values_that_are_named_affirm(self) -> None:
        rule = self.rule("hardware", Grade.BOOT, 2)
        self.assertIs(Status.AFFIRMING, rule.tier(2))
        self.assertIs(Status.NONE, rule.tier(4))
        self.assertIs(Status.WARNING, rule.tier(40))
        self.assertIs(Status.CONTRAINDICATED, rule.tier(96))

    def test_executables_of_the_boot_affirm_nothing_at_run_time(self) -> None:
        for entry, grade, status in (
            ("executables", Grade.RUN_TIME, Status.NONE),
            ("executables", Grade.BOOT, Status.AFFIRMING),
            ("configuration", Grade.RUN_TIME, Status.AFFIRMING),
        ):
            self.assertIs(status, self.rule(entry, grade).tier(3))


class RefusedTest(unittest.TestCase):
    def problems(self, text: str) -> list[str]:
        with self.assertRaises(DocumentError) as caught:
            read_mapping(text.encode(), load())
        return [str(problem) for problem in caught.exception.problems]

    def test_each_fault_is_told_with_its_path_and_line(self) -> None:
        for text, said in (
            ("", "line 1: document: must be a mapping"),
            ("{}", "line 1: document: maps nothing"),
            ("- entries", "document: must be a mapping"),
            ("entries: x", "line 1: entries: must be a list"),
            ("\nentry: []", "line 2: entry: is not known here"),
            ("entries:\n- x", "line 2: entries[0]: must be a mapping"),
            (RULE % ", why: x", "entries[0].why: is not known here"),
            (RULE % ", submod: ''", "entries[0].submod: must be the name"),
            (RULE % ", submod: [a]", "entries[0].submod: must be the name"),
            (RULE % ", values: [wood]", "entries[0].values: is not a value"),
            (RULE % ", values: hardware", "values: must be an array"),
            (RULE % ", affirming: []", "affirming: must be a list"),
            (RULE % ", affirming: 2", "affirming: must be a list"),
            (RULE % ", affirming: [32]", "affirming[0]: must be a value"),
            (RULE % ", affirming: [x]", "affirming[0]: must be a value"),
            (RULE % ", affirming: [true]", "affirming[0]: must be a value"),
            ("location: x", "location: must be a mapping"),
            ("location: {grade: boot}", "location.regions: must be a mapping"),
            (
                "location: {grade: boot, regions: {}}",
                "location.regions: names no axis",
            ),
            (
                "location: {grade: boot, regions: {logical: {}}}",
                "location.regions.logical: must be a mapping from regions",
            ),
            (
                "location: {grade: boot, regions: {up: {a: []}}}",
                "location.regions.up: is not known here",
            ),
            (
                PLACE.replace("berlin", "a_b") % (CIRCLE, ""),
                "location.regions.geographic.a_b: is no name of a region",
            ),
            (PLACE % ("", ""), "geographic.berlin: must be a list of circles"),
            (PLACE % ("x", ""), "geographic.berlin[0]: must be a mapping"),
            (PLACE % (CIRCLE, ", max_age_s: -1"), "max_age_s: must be a num"),
            (
                PLACE % (CIRCLE, ", assume_accuracy_m: far"),
                "location.assume_accuracy_m: must be a number",
            ),
            (
                PLACE % ("{latitude: 91, longitude: 1, radius_km: 1}", ""),
                "berlin[0].latitude: must be a number from -90 to 90",
            ),
            (
                PLACE % ("{latitude: 1, longitude: 1e2, radius_km: 1}", ""),
                "berlin[0].longitude: must be a number",
            ),
            (
                PLACE % ("{latitude: 1, longitude: true, radius_km: 1}", ""),
                "berlin[0].longitude: must be a number",
            ),
            (
                PLACE % ("{latitude: 1, longitude: 1}", ""),
                "berlin[0].radius_km: must be a number",
            ),
            (
                PLACE
                % ("{latitude: 1, longitude: 1, radius_km: 1, up: 1}", ""),
                "berlin[0].up: is not known here",
            ),
        ):
            with self.subTest(text=text):
                self.assertIn(said, "\n".join(self.problems(text)))

    def test_rules_need_an_entry_a_capability_and_a_grade(self) -> None:
        good = {"entry": "hardware", "capability": "tpm", "grade": "boot"}
        for key, value, said in (
            ("entry", "moon-phase", "entries[0].entry: must be one of inst"),
            ("grade", "declared", "entries[0].grade: must be one of boot"),
            ("grade", "always", "entries[0].grade: must be one of boot"),
            ("capability", "flux", "capability: is not a capability"),
            ("capability", "location", "capability: no entry says where"),
            ("capability", "secure-storage", "values: secure-storage is spli"),
        ):
            for rule in (
                {**good, key: value},
                {k: v for k, v in good.items() if k != key},
            ):
                text = "\n".join(f"  {k}: {v}" for k, v in rule.items())
                found = self.problems(f"entries:\n-\n{text}\n")
                if key in rule:
                    self.assertIn(said, "\n".join(found))
                else:
                    self.assertTrue(found)

    def test_executables_of_the_boot_cannot_be_named_for_run_time(
        self,
    ) -> None:
        text = (
            "entries: [{entry: executables, capability: tpm, "
            "grade: run-time, affirming: [2, 3]}]"
        )
        (said,) = self.problems(text)
        self.assertIn("3 of executables is about the boot alone", said)
        read_mapping(text.replace("run-time", "boot").encode(), load())

    def test_rules_for_one_capability_agree_on_its_values(self) -> None:
        text = (
            "entries:\n"
            "- {entry: hardware, capability: tpm, grade: boot}\n"
            "- {entry: executables, capability: tpm, grade: boot, "
            "values: [shared]}\n"
        )
        (said,) = self.problems(text)
        self.assertIn("line 3: entries[1]: the rules for tpm differ", said)

    def test_all_faults_are_told_at_once(self) -> None:
        text = "entries: [{entry: x}, {grade: y}]\nlocation: {z: 1}\n"
        self.assertGreater(len(self.problems(text)), 6)

    def test_yaml_is_strict(self) -> None:
        self.assertIn("key already stands", self.problems(GOOD + GOOD)[0])
        self.assertIn("anchors", self.problems("entries: &a []")[0])
        self.assertIn("longer than", self.problems(" " * 2**21)[0])

    @given(
        st.recursive(
            st.sampled_from(
                ["tpm", "hardware", "boot", "2", "true", "52.5", "''", "x"]
            ),
            lambda below: (
                st.lists(below, max_size=3).map(
                    lambda some: f"[{', '.join(some)}]"
                )
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "entries",
                            "entry",
                            "capability",
                            "grade",
                            "values",
                            "affirming",
                            "submod",
                            "location",
                            "regions",
                            "geographic",
                            "latitude",
                            "longitude",
                            "radius_km",
                        ]
                    ),
                    below,
                    max_size=5,
                ).map(flow)
            ),
            max_leaves=12,
        )
    )
    def test_nothing_else_is_raised(self, text: str) -> None:
        try:
            read_mapping(text.encode(), load())
        except DocumentError as exc:
            self.assertTrue(exc.problems)
