# SPDX-License-Identifier: Apache-2.0
"""A trust vector says of each category the worst that is claimed."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.lab import appraisal
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.ear_names import ENTRIES
from nfv_mla_scheduler.standard.catalogue import load

WORST = Status.CONTRAINDICATED


def claims(**statuses: str) -> dict[str, Claim]:
    names = {key.replace("_", "-"): value for key, value in statuses.items()}
    return {
        name: Claim(name, Status(value), Grade.BOOT, {})
        for name, value in names.items()
    }


class VectorTest(unittest.TestCase):
    def test_what_is_said(self) -> None:
        # claims, status of them all, vector
        cases: tuple[tuple[dict[str, str], str, dict[str, int]], ...] = (
            ({}, "none", {}),
            ({"tpm": "none"}, "none", {}),
            ({"tpm": "affirming"}, "affirming", {"instance-identity": 2}),
            (
                {"tpm": "affirming", "attestation": "warning", "hsm": "none"},
                "warning",
                {"instance-identity": 32},
            ),
            (
                {"tpm": "contraindicated", "attestation": "warning"},
                "contraindicated",
                {"instance-identity": 96},
            ),
            (
                {"location": "affirming", "personnel_controls": "warning"},
                "warning",
                {"configuration": 32, "sourced-data": 2},
            ),
        )
        for statuses, status, vector in cases:
            with self.subTest(statuses=statuses):
                said = claims(**statuses)
                found = appraisal.status_of(said)
                self.assertEqual(status, found.value)
                self.assertEqual(vector, appraisal.vector_of(said, found))

    def test_it_says_nothing_that_the_status_would_hide(self) -> None:
        said = claims(
            tpm="contraindicated", hsm="warning", location="affirming"
        )
        cases: tuple[tuple[Status, dict[str, int]], ...] = (
            (Status.AFFIRMING, dict.fromkeys(("i", "h", "s"), 2)),
            (Status.NONE, {"s": 2}),
            (Status.WARNING, {"i": 32, "h": 32, "s": 2}),
            (Status.CONTRAINDICATED, {"i": 96, "h": 32, "s": 2}),
        )
        for status, expected in cases:
            with self.subTest(status=status):
                vector = appraisal.vector_of(said, status)
                initials = {name[0]: value for name, value in vector.items()}
                self.assertEqual(expected, initials)

    def test_capabilities_and_categories_exist(self) -> None:
        known = load().capabilities
        self.assertLessEqual(appraisal.CATEGORIES.keys(), known.keys())
        used = {appraisal.OTHER, *appraisal.CATEGORIES.values()}
        self.assertEqual(set(ENTRIES), used)

    def test_every_status_has_its_tier(self) -> None:
        self.assertEqual(
            {"none": 0, "affirming": 2, "warning": 32, "contraindicated": 96},
            {s.value: appraisal.TIERS[s] for s in Status},
        )


if __name__ == "__main__":
    unittest.main()
