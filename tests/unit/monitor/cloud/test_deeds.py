# SPDX-License-Identifier: Apache-2.0
"""What was done to a server, of which there may be any number of pages."""

from __future__ import annotations

import time
import unittest

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.cloud.nova import Nova
from nfv_mla_scheduler.monitor.port import DEEDS_MAX
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from tests.simulated import records
from tests.simulated.cloud import SimulatedCloud
from tests.simulated.connecting import connected
from tests.unit.monitor.cloud import listed
from tests.unit.monitor.cloud.api import Api

AT = 1795432020.0
PATH = f"/servers/{listed.UUID}/os-instance-actions"
MORE = {"links": [{"rel": "next", "href": "http://elsewhere.example/"}]}


def deed(number: int, **how: object) -> listed.Json:
    """Return a deed; greater numbers are older."""
    return {
        "action": "createImage",
        "instance_uuid": listed.UUID,
        "request_id": f"req-{number}",
        "user_id": "u",
        "project_id": "p",
        "start_time": f"2026-11-23T14:{59 - number:02}:00.000000",
        "message": None,
        **how,
    }


class PagesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.api = Api()
        self.addCleanup(self.api.close)
        self.nova = Nova(self.api.channel(), limit=2)

    def answer(self, *numbers: int, more: bool = False, **how: object) -> None:
        found = {"instanceActions": [deed(n, **how) for n in numbers]}
        self.api.answers.append((200, found | (MORE if more else {})))

    def read(self, back_to: float = NEVER) -> list[str]:
        return [d.request_id for d in self.nova.deeds(listed.UUID, back_to)]

    def asked(self) -> list[str]:
        return [each.target for each in self.api.asked]

    def test_one_page_is_one_request(self) -> None:
        self.answer(1, 2)
        self.assertEqual(["req-2", "req-1"], self.read())
        self.assertEqual([f"{PATH}?limit=2"], self.asked())

    def test_pages_until_there_is_no_more(self) -> None:
        self.answer(1, 2, more=True)
        self.answer(3, 4, more=True)
        self.answer(5)
        self.assertEqual([f"req-{n}" for n in range(5, 0, -1)], self.read())
        self.assertEqual(
            [
                f"{PATH}?limit=2",
                f"{PATH}?limit=2&marker=req-2",
                f"{PATH}?limit=2&marker=req-4",
            ],
            self.asked(),
        )

    def test_no_page_more_than_is_asked_for(self) -> None:
        self.answer(1, 2, more=True)
        self.answer(3, 4, more=True)
        all_but_the_oldest = self.nova.deeds(listed.UUID, self._at(3))
        self.assertEqual(
            ["req-4", "req-3", "req-2", "req-1"],
            [d.request_id for d in all_but_the_oldest],
        )
        self.assertEqual(2, len(self.api.asked))

    def _at(self, number: int) -> float:
        self.answer(number)
        (found,) = Nova(self._apart().channel()).deeds(listed.UUID)
        return found.at

    def _apart(self) -> Api:
        api = Api()
        self.addCleanup(api.close)
        api.answers = [self.api.answers.pop()]
        return api

    def test_requests_that_share_an_id_make_pages_overlap(self) -> None:
        shared = deed(2, request_id="req-1")
        self.answer(1, more=True)
        self.api.answers[-1][1]["instanceActions"].append(shared)
        self.api.answers.append((200, {"instanceActions": [shared, deed(3)]}))
        self.assertEqual(["req-3", "req-1", "req-1"], self.read())

    def test_answers_that_cannot_be_read(self) -> None:
        for answers in (
            [{}],
            [{"instanceActions": {}}],
            [{"instanceActions": [1]}],
            [{"instanceActions": [deed(1, request_id=None)], **MORE}],
            [{"instanceActions": [deed(1), 7], **MORE}],
            # goes on for ever
            [{"instanceActions": [deed(1)], **MORE}] * 3,
        ):
            with self.subTest(answers=answers):
                self.api.answers = [(200, answer) for answer in answers]
                with self.assertRaises(CloudFailed) as caught:
                    self.read()
                self.assertIs(CloudCode.BAD_ANSWER, caught.exception.reason)
                self.assertNotIn(listed.UUID, str(caught.exception))


class ManyTest(unittest.TestCase):
    """More than anybody has in good faith."""

    def setUp(self) -> None:
        self.sim = SimulatedCloud(1, 1).start()
        self.addCleanup(self.sim.stop)
        self.cloud = connected(self.sim.credentials(), 30.0)
        self.server = self.sim.server(0).uuid
        self.at = float(int(time.time()))
        self.deeds = self.sim.world.deeds.setdefault(self.server, [])
        self.cloud.deeds(self.server)  # by now it has a token

    def add(self, number: int, action: str = "createImage") -> None:
        for _ in range(number):
            at = self.at + len(self.deeds)
            self.deeds.append(
                records.Deed(action, f"req-{len(self.deeds)}", "u", "p", at)
            )

    def read(self, back_to: float = NEVER) -> tuple[Deed, ...]:
        self.sim.forget_calls()
        return self.cloud.deeds(self.server, back_to)

    def test_all_up_to_the_bound(self) -> None:
        self.add(1, "lock")
        for number, calls in ((999, 2), (1, 2), (2999, 5)):
            self.add(number)
            found = self.read()
            self.assertEqual(len(self.deeds), len(found))
            self.assertEqual("lock", found[0].action)
            self.assertLessEqual(sum(self.sim.calls.values()), calls)

    def test_no_more_than_the_bound(self) -> None:
        self.add(DEEDS_MAX + 500)
        found = self.read()
        self.assertEqual(DEEDS_MAX, len(found))
        self.assertEqual(self.deeds[-1].request_id, found[-1].request_id)
        self.assertEqual(DEEDS_MAX // 1000, sum(self.sim.calls.values()))

    def test_what_was_known_is_not_read_again(self) -> None:
        self.add(4000)
        found = self.read(self.deeds[-10].at)
        self.assertEqual(self.deeds[-1].request_id, found[-1].request_id)
        self.assertEqual(1, sum(self.sim.calls.values()))
