# SPDX-License-Identifier: Apache-2.0
"""What Placement may answer and should not; and how often it is asked."""

from __future__ import annotations

import typing as ty
import unittest

from nfv_mla_scheduler.monitor.cloud.placement import CONFLICTS_MAX
from nfv_mla_scheduler.monitor.cloud.placement import Placement
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from tests.unit.monitor.cloud.api import Api

UUID = "11111111-2222-3333-4444-555555555555"


class PlacementTest(unittest.TestCase):
    def setUp(self) -> None:
        self.api = Api()
        self.addCleanup(self.api.close)
        self.placement = Placement(self.api.channel())

    def _fails(self, call: ty.Callable[[], object]) -> CloudFailed:
        with self.assertRaises(CloudFailed) as caught:
            call()
        return caught.exception

    def test_answers_that_cannot_be_read(self) -> None:
        traits = {"traits": [], "resource_provider_generation": 1}
        for answer, call in (
            ({}, lambda: self.placement.trait_names("X")),
            ({"traits": {}}, lambda: self.placement.trait_names("X")),
            ({"traits": [1]}, lambda: self.placement.trait_names("X")),
            ({"traits": [""]}, lambda: self.placement.trait_names("X")),
            ({}, lambda: self.placement.providers("X")),
            (
                {"resource_providers": [{"uuid": "x"}]},
                lambda: self.placement.providers("X"),
            ),
            (
                {"resource_providers": [None]},
                lambda: self.placement.room({"VCPU": 1}),
            ),
            *(
                (answer, lambda: self.placement.allocation(UUID))
                for answer in (
                    {},
                    {"allocations": []},
                    {"allocations": {"": {}}},
                    {"allocations": {"x" * 256: {}}},
                )
            ),
            (
                {"resource_providers": {}},
                lambda: self.placement.tree(UUID),
            ),
            (
                {"traits": []},
                lambda: self.placement.edit_traits(UUID, {"X"}),
            ),
            (
                {**traits, "resource_provider_generation": "1"},
                lambda: self.placement.edit_traits(UUID, {"X"}),
            ),
            (
                {**traits, "traits": None},
                lambda: self.placement.edit_traits(UUID, remove={"X"}),
            ),
        ):
            self.api.answers = [(200, answer)]
            error = self._fails(call)
            self.assertIs(CloudCode.BAD_ANSWER, error.reason)
            self.assertFalse(error.unsure)

    def test_what_is_allocated_is_one_request(self) -> None:
        self.api.answers = [
            (200, {"allocations": {UUID: {"resources": {"VCPU": 1}}}}),
            (200, {"allocations": {}}),
            (200, {"resource_providers": [{"uuid": UUID}]}),
        ]
        for found, path in (
            (self.placement.allocation("a/b"), "/allocations/a%2Fb"),
            (self.placement.allocation(UUID), f"/allocations/{UUID}"),
            (
                self.placement.tree(UUID),
                f"/resource_providers?in_tree={UUID}",
            ),
        ):
            self.assertEqual(path, self.api.asked.pop(0).target)
            there = {UUID} if "a%2F" in path or "tree" in path else set()
            self.assertEqual(there, found)

    def test_others_traits_are_sent_back_with_the_generation(self) -> None:
        has = {"traits": ["HW_A", "X"], "resource_provider_generation": 7}
        self.api.answers = [(200, has), (200, {}), (200, has), (200, {})]
        self.placement.edit_traits(UUID, {"Y"})
        self.placement.edit_traits(UUID, remove={"X"})
        path = f"/resource_providers/{UUID}/traits"
        self.assertEqual(
            [
                ("GET", path, None),
                ("PUT", path, self._body(7, "HW_A", "X", "Y")),
                ("GET", path, None),
                ("PUT", path, self._body(7, "HW_A")),
            ],
            [(a.method, a.target, a.body) for a in self.api.asked],
        )

    def test_all_of_a_provider_is_one_request(self) -> None:
        has = {"traits": ["A", "B", "HW"], "resource_provider_generation": 7}
        self.api.answers = [(200, has), (200, {})]
        self.placement.edit_traits(UUID, {"C", "D"}, {"A", "B", "X"})
        self.assertEqual(
            [None, self._body(7, "C", "D", "HW")],
            [a.body for a in self.api.asked],
        )

    def _body(self, generation: int, *traits: str) -> dict[str, object]:
        return {
            "resource_provider_generation": generation,
            "traits": list(traits),
        }

    def test_nothing_is_sent_when_nothing_changes(self) -> None:
        has = {"traits": ["X"], "resource_provider_generation": 7}
        self.api.answers = [(200, has), (200, has)]
        self.placement.edit_traits(UUID, {"X"})
        self.placement.edit_traits(UUID, remove={"Y"})
        self.assertEqual(["GET"] * 2, [a.method for a in self.api.asked])

    def test_conflicts_come_to_an_end_and_other_errors_at_once(self) -> None:
        has = (200, {"traits": [], "resource_provider_generation": 7})
        for status, times, code, unsure in (
            (409, CONFLICTS_MAX + 1, CloudCode.CONFLICT, False),
            (404, 1, CloudCode.GONE, False),
            (503, 1, CloudCode.UNAVAILABLE, True),
        ):
            self.api.asked.clear()
            self.api.answers = [has, (status, {})] * 20
            error = self._fails(
                lambda: self.placement.edit_traits(UUID, {"X"})
            )
            self.assertIs(code, error.reason)
            self.assertIs(unsure, error.unsure)
            self.assertEqual(2 * times, len(self.api.asked))

    def test_names_cannot_leave_their_place_in_a_path(self) -> None:
        self.api.answers = [(204, b""), (200, {"traits": []})]
        self.placement.create_trait("../x?y#z")
        self.placement.trait_names("CUSTOM_A&associated=false")
        self.assertEqual(
            [
                "/traits/..%2Fx%3Fy%23z",
                "/traits?name=startswith%3ACUSTOM_A%26associated%3Dfalse"
                "&associated=true",
            ],
            [asked.target for asked in self.api.asked],
        )
