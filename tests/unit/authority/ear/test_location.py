# SPDX-License-Identifier: Apache-2.0
"""A location lies in a region when all of its circle does, for sure."""

from __future__ import annotations

import math
import unittest
from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.authority import ear_location
from nfv_mla_scheduler.authority.ear_table import Circle
from nfv_mla_scheduler.authority.ear_table import LocationRule
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.policy.regions import Regions

NOW = 1_790_000_000.0
BERLIN = (52.5163, 13.3777)
REGIONS = {
    Axis.GEOGRAPHIC: Regions({"berlin": "germany", "germany": None}),
    Axis.LOGICAL: Regions({}),
}
LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)


def geodesic_m(a: float, b: float, c: float, d: float) -> float | None:
    """Return a distance on the ellipsoid of WGS 84, after Vincenty.

    None, where the method does not converge: near the antipodes.
    """
    major, flattening = 6_378_137.0, 1 / 298.257223563
    minor = (1 - flattening) * major
    u1 = math.atan((1 - flattening) * math.tan(math.radians(a)))
    u2 = math.atan((1 - flattening) * math.tan(math.radians(c)))
    apart = math.radians(d - b)
    lam = apart
    for _ in range(100):
        across = math.cos(u2) * math.sin(lam)
        along = math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(
            u2
        ) * math.cos(lam)
        sine = math.hypot(across, along)
        if sine == 0:
            return 0.0
        cosine = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(
            u2
        ) * math.cos(lam)
        sigma = math.atan2(sine, cosine)
        alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sine
        square = 1 - alpha**2
        middle = cosine - (
            2 * math.sin(u1) * math.sin(u2) / square if square else 0
        )
        c_ = flattening / 16 * square * (4 + flattening * (4 - 3 * square))
        inner = middle + c_ * cosine * (2 * middle**2 - 1)
        before, lam = (
            lam,
            apart
            + (1 - c_) * flattening * alpha * (sigma + c_ * sine * inner),
        )
        if abs(lam - before) < 1e-12:
            break
    else:
        return None
    u = square * (major**2 - minor**2) / minor**2
    big = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
    small = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
    third = 4 * sine**2 - 3
    correction = (
        small
        * sine
        * (
            middle
            + small
            / 4
            * (
                cosine * (2 * middle**2 - 1)
                - small / 6 * middle * third * (4 * middle**2 - 3)
            )
        )
    )
    return minor * big * (sigma - correction)


def rule(*circles: Circle, **more: Any) -> LocationRule:
    return LocationRule(
        Grade.BOOT,
        {Axis.GEOGRAPHIC: {"berlin": circles}},
        more.get("assumed"),
        more.get("max_age_s", 3600),
    )


def found(raw: Any, **more: Any) -> bool:
    """Whether a location is found to lie within 10 km of Berlin."""
    circle = Circle(*BERLIN, 10_000)
    places = ear_location.places_of(
        raw, rule(circle, **more), REGIONS, NOW, 5.0, "location"
    )
    return bool(places)


def berlin(**more: Any) -> dict[str, Any]:
    return {"latitude": BERLIN[0], "longitude": BERLIN[1], **more}


class DistanceTest(unittest.TestCase):
    @settings(max_examples=300)
    @given(
        st.floats(-89.9, 89.9), LONGITUDES, st.floats(-89.9, 89.9), LONGITUDES
    )
    def test_distances_are_no_shorter_than_on_the_earth(
        self, a: float, b: float, c: float, d: float
    ) -> None:
        exact = geodesic_m(a, b, c, d)
        if exact is not None and exact < 19_000_000:
            ours = ear_location.distance_m(a, b, c, d)
            self.assertGreaterEqual(ours, exact - 0.01)
            self.assertLessEqual(ours, exact * 1.02 + 0.01)

    @given(st.floats(-89, 89), LONGITUDES, st.floats(0, 360))
    def test_nor_are_short_ones(
        self, a: float, b: float, bearing: float
    ) -> None:
        c = a + 0.2 * math.cos(math.radians(bearing))
        d = b + 0.2 * math.sin(math.radians(bearing))
        exact = geodesic_m(a, b, c, d)
        assert exact is not None
        ours = ear_location.distance_m(a, b, c, d)
        self.assertGreaterEqual(ours, exact - 0.01)

    def test_the_yardstick_is_right(self) -> None:
        # Vincenty's own example: Flinders Peak to Buninyong
        found = geodesic_m(-37.951033, 144.424868, -37.652821, 143.926496)
        assert found is not None
        self.assertAlmostEqual(54_972.27, found, delta=0.5)

    @given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
    def test_distances_are_finite_and_the_same_both_ways(
        self, a: float, b: float, c: float, d: float
    ) -> None:
        there = ear_location.distance_m(a, b, c, d)
        back = ear_location.distance_m(c, d, a, b)
        self.assertTrue(math.isfinite(there) and there >= 0)
        self.assertAlmostEqual(there, back, places=3)

    def test_the_antimeridian_is_no_wall(self) -> None:
        across = ear_location.distance_m(0, 179.99, 0, -179.99)
        self.assertLess(across, 3_000)


class InsideTest(unittest.TestCase):
    def test_the_whole_circle_has_to_lie_inside(self) -> None:
        self.assertTrue(found(berlin(accuracy=10_000)))
        self.assertFalse(found(berlin(accuracy=10_001)))
        near = {"latitude": 52.56, "longitude": 13.3777}  # 4.9 km away
        self.assertTrue(found({**near, "accuracy": 5_000}))
        self.assertFalse(found({**near, "accuracy": 5_200}))

    def test_without_accuracy_nothing_is_concluded(self) -> None:
        self.assertFalse(found(berlin()))
        self.assertTrue(found(berlin(), assumed=100.0))
        self.assertFalse(found(berlin(), assumed=20_000.0))
        # its own word goes before
        self.assertFalse(found(berlin(accuracy=20_000), assumed=100.0))

    def test_old_locations_conclude_nothing(self) -> None:
        for more, expected in (
            ({"age": 3600}, True),
            ({"age": 3601}, False),
            ({"timestamp": NOW - 3600}, True),
            ({"timestamp": NOW - 3601}, False),
            ({"timestamp": NOW, "age": 3601}, False),
            ({"timestamp": NOW - 3601, "age": 0}, False),
            ({"timestamp": NOW + 5}, True),
            ({"timestamp": NOW + 6}, False),
        ):
            with self.subTest(**more):
                self.assertIs(expected, found(berlin(accuracy=1, **more)))

    def test_any_circle_of_a_region_will_do(self) -> None:
        here, there = Circle(*BERLIN, 1_000), Circle(0, 0, 1_000)
        for circles in ((here, there), (there, here)):
            self.assertTrue(
                ear_location.places_of(
                    berlin(accuracy=1), rule(*circles), REGIONS, NOW, 5, "l"
                )
            )

    def test_a_circle_is_of_a_region_of_the_policy(self) -> None:
        circle = Circle(*BERLIN, 1_000)
        for regions in ({}, {Axis.GEOGRAPHIC: Regions({"paris": None})}):
            self.assertFalse(
                ear_location.places_of(
                    berlin(accuracy=1), rule(circle), regions, NOW, 5, "l"
                )
            )

    def test_only_the_inmost_regions_are_said(self) -> None:
        both = frozenset(
            {(Axis.GEOGRAPHIC, "berlin"), (Axis.GEOGRAPHIC, "germany")}
        )
        self.assertEqual(
            {"geographic": {"berlin"}}, ear_location.values_of(both, REGIONS)
        )


class FormTest(unittest.TestCase):
    def test_what_is_no_location_is_refused(self) -> None:
        good = berlin(accuracy=1, age=1, timestamp=1)
        for key in good:
            for value in (None, "1", True, [], 1e999, -(10**400)):
                with self.subTest(key=key, value=str(value)[:9]):
                    self.refused({**good, key: value})
        self.refused({**good, "latitude": -90.1})
        self.refused({**good, "longitude": 180.1})
        self.refused({**good, "age": -1})
        self.refused({"latitude": 1})
        self.refused({"longitude": 1})
        self.refused([52, 13])
        self.refused(None)

    def refused(self, raw: Any) -> None:
        with self.assertRaises(TokenRefused) as caught:
            found(raw)
        self.assertIs(TokenCode.BAD_CLAIM, caught.exception.reason)

    def test_what_is_not_asked_for_is_passed_over(self) -> None:
        more = {"altitude": "high", "heading": None, "x": []}
        self.assertTrue(found(berlin(accuracy=1, **more)))
