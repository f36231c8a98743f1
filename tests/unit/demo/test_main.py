# SPDX-License-Identifier: Apache-2.0
"""The demo's exit status, and which scenes it plays."""

from __future__ import annotations

import contextlib
import io
import typing as ty
import unittest
from unittest import mock

from demo import __main__ as demo
from demo import play
from demo.scenes import SCENES
from demo.screen import Screen


def _run(*argv: str, failing: int = 0) -> tuple[int, list[str]]:
    """Run the demo without Nova; return its status and the scenes played."""
    played: list[str] = []

    def pretend(scenes: ty.Any, *_: object) -> list[play.Failure]:
        played.extend(scene.name for scene in scenes)
        return [play.Failure(s, "this", "that") for s in scenes[:failing]]

    with (
        mock.patch("demo.centre.DataCentre"),
        mock.patch("demo.serve.serve") as serve,
        mock.patch.object(demo, "INTERRUPTS"),
        mock.patch.object(play, "play", pretend),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        status = demo.main(argv)
    if serve.called:
        played.append("(serve)")
    return status, played


class MainTest(unittest.TestCase):
    def test_plays_every_scene(self) -> None:
        status, played = _run()
        self.assertEqual(0, status)
        self.assertEqual([scene.name for scene in SCENES], played)

    def test_one_scene_that_fails_is_enough_to_fail(self) -> None:
        self.assertEqual(1, _run(failing=1)[0])

    def test_plays_the_scenes_that_are_named(self) -> None:
        self.assertEqual(
            ["follow", "hints"], _run("--only", "hints", "follow")[1]
        )

    def test_without_the_filter_there_is_neither_monitor_nor_ledger(
        self,
    ) -> None:
        ours = [scene.name for scene in SCENES if scene.ours]
        _, played = _run("--without-filter")
        self.assertEqual(
            [scene.name for scene in SCENES if not scene.ours], played
        )
        self.assertTrue(ours)

    def test_a_scene_with_the_monitor_is_none_without_the_filter(self) -> None:
        said = io.StringIO()
        with (
            self.assertRaises(SystemExit) as caught,
            contextlib.redirect_stderr(said),
        ):
            _run("--without-filter", "--only", "hints", "locked")
        self.assertEqual(2, caught.exception.code)
        self.assertIn(
            "monitor and ledger out, which locked cannot", said.getvalue()
        )

    def test_refuses_a_scene_that_does_not_exist(self) -> None:
        with (
            self.assertRaises(SystemExit) as caught,
            contextlib.redirect_stderr(io.StringIO()),
        ):
            _run("--only", "nothing")
        self.assertEqual(2, caught.exception.code)

    def test_serves_without_scenes_unless_some_are_named(self) -> None:
        self.assertEqual(["(serve)"], _run("--serve")[1])
        self.assertEqual(
            ["hints", "(serve)"], _run("--serve", "--only", "hints")[1]
        )


class WidthTest(unittest.TestCase):
    def _shown(self, width: int) -> list[str]:
        stream = io.StringIO()
        screen = Screen(stream, colour=False, width=width)
        play.introduce(screen, filtered=True)
        with mock.patch.object(play, "_play", return_value=None):
            play.play(SCENES, ty.cast(ty.Any, mock.Mock()), screen)
        screen.step(True, "asked " * 20, "answered " * 20)
        screen.why(["because " * 30])
        screen.output("command " * 30, ["printed " * 30, "", "| a |"])
        screen.failure("expected " * 30, "answered " * 30)
        return stream.getvalue().splitlines()

    def test_no_line_is_wider_than_the_terminal(self) -> None:
        for width, wanted in ((80, 80), (98, 98), (110, 110), (300, 120)):
            with self.subTest(width=width):
                longest = max(map(len, self._shown(width)))
                self.assertLessEqual(longest, wanted)
                self.assertGreater(longest, wanted - 5)

    def test_a_terminal_that_is_too_small_is_taken_for_80(self) -> None:
        self.assertEqual(self._shown(80), self._shown(10))

    def test_scenes_are_called_as_the_option_wants_them(self) -> None:
        shown = "\n".join(self._shown(98))
        for number, scene in enumerate(SCENES, start=1):
            self.assertIn(f"\n{number}. {scene.name}: {scene.title}", shown)


class ScenesTest(unittest.TestCase):
    def test_have_names_of_their_own(self) -> None:
        names = [scene.name for scene in SCENES]
        self.assertEqual(len(names), len(set(names)))
