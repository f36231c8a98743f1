# SPDX-License-Identifier: Apache-2.0
"""What a plan depends on, as far as it is gathered for it."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.locks import Marks
from nfv_mla_scheduler.monitor.marks import Code
from nfv_mla_scheduler.monitor.planning import unbuilt
from nfv_mla_scheduler.monitor.port import Deed
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW

HERE = clouds.server(1, locked=True)
# the mark was first written two minutes ago
REBUILDS = clouds.mark(Code.REBUILD_ELSEWHERE, 120)


def deed(action: str, ago_s: float) -> Deed:
    at: Instant = NOW - ago_s
    return Deed(action, "req-1", "us", "ours", at, "")


class UnbuiltTest(unittest.TestCase):
    def found(self, *deeds: Deed, code: Code | None = None) -> bool | None:
        mark = clouds.mark(code, 120) if code else REBUILDS
        return unbuilt(
            clouds.picture([HERE]),
            Marks({HERE.uuid: mark}, {}),
            lambda _server: deeds,
        ).get(HERE.uuid)

    def test_what_nova_recorded_tells(self) -> None:
        table: tuple[tuple[str, tuple[Deed, ...], bool], ...] = (
            ("its host is well again", (deed("stop", 100),), False),
            ("evacuated", (deed("stop", 110), deed("evacuate", 90)), True),
            (
                "and rebuilt",
                (deed("evacuate", 90), deed("rebuild", 30)),
                False,
            ),
            (
                "rebuilt by its owner before",
                (deed("rebuild", 100), deed("evacuate", 90)),
                True,
            ),
            (
                "evacuated again",
                (
                    deed("evacuate", 90),
                    deed("rebuild", 60),
                    deed("evacuate", 30),
                ),
                True,
            ),
            ("evacuated long ago", (deed("evacuate", 4000),), False),
        )
        for name, deeds, expected in table:
            with self.subTest(name):
                self.assertIs(expected, self.found(*deeds))

    def test_who_is_not_to_be_rebuilt_is_not_asked_about(self) -> None:
        for code in set(Code) - {Code.REBUILD_ELSEWHERE}:
            self.assertIsNone(self.found(deed("evacuate", 90), code=code))

    def test_what_cannot_be_read_is_not_known(self) -> None:
        marks = Marks({HERE.uuid: REBUILDS}, {})
        picture = clouds.picture([HERE])
        self.assertEqual({}, unbuilt(picture, marks, lambda _server: None))
        gone = clouds.picture()
        self.assertEqual({}, unbuilt(gone, marks, lambda _server: ()))
