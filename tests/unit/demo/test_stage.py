# SPDX-License-Identifier: Apache-2.0
"""The demo cannot be pleased but by what Nova answers."""

from __future__ import annotations

import io
import typing as ty
import unittest
from unittest import mock

from demo import play
from demo import world
from demo.asked import NotAsExpected
from demo.scenes import Scene
from demo.screen import Screen
from demo.stage import Stage
from nfv_mla_scheduler.model import RefusalCode
from tests.unit.demo.fakes import FakeCentre
from tests.unit.demo.fakes import FakeNova
from tests.unit.demo.fakes import FakeReasons

_STALE = RefusalCode.STALE


def _stage(nova: FakeNova, *codes: str) -> Stage:
    centre: ty.Any = FakeCentre(nova)
    stage = Stage(centre, Screen(io.StringIO(), colour=False))
    stage.reasons = ty.cast(ty.Any, FakeReasons(*codes))
    return stage


def _created(nova: FakeNova, *codes: str) -> ty.Any:
    return _stage(nova, *codes).create(world.WEB, "shop", "plain")


def _moved(nova: FakeNova, to: str | None, *codes: str) -> ty.Any:
    stage = _stage(nova, *codes)
    stage.create(world.WEB, "shop", "plain").lands_on("a")
    nova.host = to
    return stage.live_migrate("shop", to)


class ANewServerTest(unittest.TestCase):
    def test_has_to_be_where_it_is_expected(self) -> None:
        self.assertEqual("a", _created(FakeNova("a")).lands_on("a", "b"))
        with self.assertRaises(NotAsExpected) as caught:
            _created(FakeNova("c")).lands_on("a", "b")
        self.assertEqual("ACTIVE on c", caught.exception.answered)

    def test_that_is_nowhere_did_not_land(self) -> None:
        with self.assertRaises(NotAsExpected):
            _created(FakeNova(None), "stale").lands_on("a")

    def test_that_landed_was_not_refused(self) -> None:
        with self.assertRaises(NotAsExpected):
            _created(FakeNova("a"), "stale").refused(_STALE)

    def test_has_to_be_refused_for_want_of_a_host(self) -> None:
        nova = FakeNova(None)
        nova.message = "Build of instance aborted"
        with self.assertRaises(NotAsExpected):
            _created(nova, "stale").refused(_STALE)

    def test_has_to_be_refused_for_the_reason_that_is_expected(self) -> None:
        _created(FakeNova(None), "stale").refused(_STALE)
        for codes in ((), ("doubted",)):
            with self.subTest(codes), self.assertRaises(NotAsExpected):
                _created(FakeNova(None), *codes).refused(_STALE)

    def test_has_to_be_refused_in_the_words_that_are_expected(self) -> None:
        with self.assertRaises(NotAsExpected):
            _created(FakeNova(None), "stale").refused(
                _STALE, saying=("nfv_mla:pool",)
            )


class AMovingServerTest(unittest.TestCase):
    def test_has_to_be_elsewhere_than_before(self) -> None:
        _moved(FakeNova("a"), "b").lands_on("b")
        with self.assertRaises(NotAsExpected):
            _moved(FakeNova("a"), "a").lands_on("a")

    def test_that_is_refused_stays_as_it_was(self) -> None:
        _moved(FakeNova("a"), None, "stale").refused(_STALE)
        with self.assertRaises(NotAsExpected):
            _moved(FakeNova("a"), "b", "stale").refused(_STALE)

    def test_that_stays_without_an_error_was_not_refused(self) -> None:
        with self.assertRaises(NotAsExpected):
            _moved(FakeNova("a"), "a", "stale").refused(_STALE)

    def test_is_refused_by_the_api_itself_only_with_a_status(self) -> None:
        _moved(FakeNova("a", http=409), "b").api_refuses(400, 409)
        for http in (0, 500):
            with self.subTest(http), self.assertRaises(NotAsExpected):
                _moved(FakeNova("a", http=http), "b").api_refuses(400, 409)


class ASceneTest(unittest.TestCase):
    def _play(self, act: ty.Any, nova: FakeNova) -> tuple[ty.Any, str]:
        stream = io.StringIO()
        screen = Screen(stream, colour=False)
        scene = Scene("name", "Title", "7.2", "It shows.", act)
        stage = _stage(nova)
        stage.screen = screen
        with (
            mock.patch.object(play, "Stage", lambda *_: stage),
            mock.patch.object(stage, "clear"),
        ):
            failures = play.play((scene,), ty.cast(ty.Any, None), screen)
        play.conclude(screen, (scene,), failures, filtered=True)
        return failures, stream.getvalue()

    def test_counts_when_all_went_as_expected(self) -> None:
        failures, shown = self._play(
            lambda s: s.create(world.WEB, "shop", "plain").lands_on("a"),
            FakeNova("a"),
        )
        self.assertEqual([], failures)
        self.assertIn("1 of 1 scene went as expected", shown)

    def test_does_not_count_otherwise_and_says_what_nova_answered(
        self,
    ) -> None:
        failures, shown = self._play(
            lambda s: s.create(world.WEB, "shop", "plain").lands_on("a"),
            FakeNova("b"),
        )
        self.assertEqual(["name"], [f.scene.name for f in failures])
        self.assertIn("0 of 1 scene went as expected", shown)
        self.assertIn("instead   ACTIVE on b", shown)

    def test_must_not_ask_without_expecting_anything(self) -> None:
        with self.assertRaises(AssertionError):
            self._play(
                lambda s: s.create(world.WEB, "shop", "plain"), FakeNova("a")
            )
