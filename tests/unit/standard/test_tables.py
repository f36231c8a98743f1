# SPDX-License-Identifier: Apache-2.0
"""Tables 9 to 12, against transcriptions made from the text itself."""

from __future__ import annotations

import csv
import pathlib
import unittest

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Level
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.reading.schema import schema
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.failure import CARRIES
from nfv_mla_scheduler.standard.failure import KINDS
from nfv_mla_scheduler.standard.failure import STEPS
from nfv_mla_scheduler.standard.tables import table10
from nfv_mla_scheduler.standard.values import Carry

HERE = pathlib.Path(__file__).parent
MARKS = {"X": Level.CORE, "M": Level.MAY, "": Level.NONE}


def transcription(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Table9Test(unittest.TestCase):
    def setUp(self) -> None:
        self.rows = transcription("table9.csv")
        self.profiles = [load().profiles[name] for name in load().use_cases]

    def test_has_20_requirements_and_7_use_cases(self) -> None:
        self.assertEqual(20, len(self.rows))
        self.assertEqual(
            [f"4.{n}" for n in range(1, 8)], [p.clause for p in self.profiles]
        )

    def test_names_the_requirements_as_the_text_does(self) -> None:
        self.assertEqual(
            [(row["clause"], row["title"]) for row in self.rows],
            [(r.name, r.title) for r in load().requirements.values()],
        )

    def test_marks_what_the_text_marks_and_nothing_else(self) -> None:
        for row in self.rows:
            for profile in self.profiles:
                with self.subTest(row["clause"], use_case=profile.clause):
                    self.assertEqual(
                        row[profile.clause] == "X",
                        row["clause"] in profile.requirements,
                    )

    def test_its_variants_have_the_marks_of_clause_4_3(self) -> None:
        saf = load().profiles["sensitive-application-function"]
        for variant in ("cryptographic", "subscriber-data"):
            profile = load().profiles[f"{saf.name}.{variant}"]
            self.assertEqual(saf.requirements, profile.requirements)
            self.assertNotIn(profile.name, load().use_cases)


class Table11Test(unittest.TestCase):
    columns = (
        ("7.2.1", HostClass.SINGLE_RESTRICTED),
        ("7.2.2", HostClass.POOLED_RESTRICTED),
        ("7.2.3", HostClass.SECURE_EXECUTION),
    )

    def setUp(self) -> None:
        self.rows = transcription("table11.csv")
        self.measures = [c for c in load().capabilities.values() if c.levels]

    def test_names_the_21_measures_as_the_text_does(self) -> None:
        self.assertEqual(21, len(self.rows))
        self.assertEqual(
            [(row["clause"], row["title"]) for row in self.rows],
            [(m.clause, m.title) for m in self.measures],
        )

    def test_has_the_marks_of_the_text(self) -> None:
        for row, measure in zip(self.rows, self.measures, strict=True):
            for column, host_class in self.columns:
                with self.subTest(measure.name, column=column):
                    self.assertIs(
                        MARKS[row[column]], measure.levels[host_class]
                    )

    def test_a_type_2_pool_differs_from_the_column_in_6_14_only(self) -> None:
        type2 = HostClass.POOLED_RESTRICTED_CONCEALED
        for row, measure in zip(self.rows, self.measures, strict=True):
            expected = MARKS[row["7.2.2"]]
            if measure.clause == "6.14":
                expected = Level.CORE
            self.assertIs(expected, measure.levels[type2], measure.name)

    def test_the_types_of_pool_part_over_6_14(self) -> None:
        classes = load().classes
        self.assertEqual(
            {"6.14": Level.NONE},
            dict(classes[HostClass.POOLED_RESTRICTED].differs),
        )
        self.assertEqual(
            {"6.14": Level.CORE},
            dict(classes[HostClass.POOLED_RESTRICTED_CONCEALED].differs),
        )


class Table10Test(unittest.TestCase):
    def test_boot_measurements_and_place_are_static_and_boot_only(
        self,
    ) -> None:
        self.assertEqual(
            ["measured-boot", "secured-boot", "location"],
            table10(load())["static"]["boot-time"],
        )

    def test_every_rated_capability_is_in_one_cell(self) -> None:
        cells = [
            name
            for kind in table10(load()).values()
            for names in kind.values()
            for name in names
        ]
        rated = [
            c.name
            for c in load().capabilities.values()
            if c.static is not None
        ]
        self.assertEqual(sorted(rated), sorted(cells))


class Table12Test(unittest.TestCase):
    def test_keeps_the_rows_of_the_text(self) -> None:
        self.assertEqual(
            [
                ("Lawful Interception (POIs and supporting nodes)", "3GPP"),
                (
                    "Lawful Interception (POIs and supporting nodes)",
                    "Fixed Networks",
                ),
                ("Subscriber data/Billing Databases", "3GPP All"),
                ("Security perimeter boxes", "All"),
                ("Cryptographic Functions/CAs", "3GPP"),
                ("Cryptographic Functions/CAs", "All"),
            ],
            [(row.node_class, row.technology) for row in load().table12],
        )

    def test_several_profiles_may_apply_to_an_element(self) -> None:
        self.assertEqual(
            [
                "lawful-interception",
                "sensitive-application-function.subscriber-data",
            ],
            [r.profile for r in load().table12 if "HSS" in r.elements],
        )

    def test_does_not_inherit_the_slips_of_the_text(self) -> None:
        elements = [e for row in load().table12 for e in row.elements]
        self.assertIn("MRFP", elements)
        self.assertNotIn("MFRP", elements)
        self.assertIn("SMSC", elements)


class AxesOfFailureTest(unittest.TestCase):
    def setUp(self) -> None:
        self.axes = load().axes_of_failure

    def test_every_capability_of_a_host_fails_on_one_axis(self) -> None:
        placed = [
            name for axis in self.axes.values() for name in axis.capabilities
        ]
        about_hosts = set(load().capabilities) - {"placement-policy"}
        self.assertEqual(sorted(about_hosts), sorted(placed))

    def test_what_failed_decides_what_may_be_carried_over(self) -> None:
        self.assertEqual(
            {
                "integrity": Carry.NONE,
                "confidentiality": Carry.DISK,
                "exposure": Carry.ALL,
                "place": Carry.ALL,
                "withheld": Carry.DISK,
                "outage": Carry.NONE,
            },
            {name: axis.carry for name, axis in self.axes.items()},
        )
        self.assertIn("measured-boot", self.axes["integrity"].capabilities)

    def test_steps_of_each_kind(self) -> None:
        self.assertEqual(
            {
                "integrity": "fence lock stop alert",
                "confidentiality": "fence lock stop cold-migrate",
                "exposure": "fence lock live-migrate cold-migrate stop",
                "place": "fence lock live-migrate cold-migrate stop",
                "withheld": "fence lock stop cold-migrate",
                "outage": "alert",
            },
            {name: " ".join(axis.steps) for name, axis in self.axes.items()},
        )

    def test_silence_of_one_host_is_answered_after_a_grace(self) -> None:
        self.assertEqual(60, self.axes["withheld"].after_s)
        self.assertEqual(
            {0},
            {a.after_s for a in self.axes.values() if a.name != "withheld"},
        )

    def test_steps_and_kinds_are_those_of_a_policy(self) -> None:
        words = schema()["$defs"]["playbook"]["items"]
        self.assertEqual(list(STEPS), words["enum"])
        for step in STEPS:
            self.assertIn(step, words["description"])
        self.assertEqual(KINDS, tuple(self.axes))
        self.assertEqual(len(STEPS), schema()["$defs"]["playbook"]["maxItems"])

    def test_steps_are_those_that_the_monitor_knows(self) -> None:
        self.assertEqual(STEPS, tuple(step.value for step in Step))
        self.assertEqual(
            {step.value for step in Step if step.moves}, set(CARRIES)
        )
