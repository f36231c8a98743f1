# SPDX-License-Identifier: Apache-2.0
"""An authority falls silent for everybody: nobody is evicted for it."""

from __future__ import annotations

from nfv_mla_scheduler.monitor.findings import Axis
from tests.faults import faulty
from tests.faults.play import BAD
from tests.faults.play import GOOD
from tests.faults.play import StoryTestCase
from tests.faults.process import Cycle
from tests.functional import world


class SilenceTest(StoryTestCase):
    def test_of_an_authority_for_everybody(self) -> None:
        self.begin()
        for number, host in enumerate((BAD, BAD, GOOD)):
            self.put_server(f"vm-{number}", Axis.INTEGRITY, host)
        plain = self.admin.create_flavor("plain")
        before = self.state()
        self._assert_does_nothing({})
        self.silence(*world.BOUND)
        # Longer than any grace for one host that is silent.
        for _ in range(12):
            self._assert_does_nothing({"outage"})
            self.wait(faulty.INTERVAL_S)
        self.assertEqual(1, self._alarms(), self.log())
        # Who begins anew knows no more, and does no more.
        self.end_monitor()
        for _ in range(12):
            self._assert_does_nothing({"outage"})
            self.wait(faulty.INTERVAL_S)
        self.assertEqual(2, self._alarms(), self.log())
        self.assertEqual([], before.differs(self.state()))
        # Who asks for something is placed nowhere; who does not, is.
        flavor = self.flavors[Axis.INTEGRITY]
        refused = self.tenant.create_server("asks", flavor)
        self.assert_rests(refused, None, "ERROR")
        self.admin.delete(refused)
        asks_nothing = self.tenant.create_server("asks-nothing", plain)
        self.assertEqual("ACTIVE", self.admin.status_of(asks_nothing))
        # And when it speaks again, all is as it was.
        self.recover()
        self._assert_does_nothing({})
        self.assertEqual([], before.differs(self.state()))
        placed = self.tenant.create_server("asks", flavor)
        self.assertEqual("ACTIVE", self.admin.status_of(placed))
        self._assert_does_nothing({})

    def test_of_an_authority_that_has_said_before_that_one_failed(
        self,
    ) -> None:
        """What contradicts counts however old it is (ADR 4), and no more."""
        steps = {"integrity": ["fence", "lock", "stop"]}
        self.use_policy(steps, dict(self.guard))
        self.begin()
        for number, host in enumerate((BAD, BAD, GOOD)):
            self.put_server(f"vm-{number}", Axis.INTEGRITY, host)
        # The policy settles, which it would not with most of them found.
        self._assert_does_nothing({})
        self.contraindicate(BAD, axis=Axis.INTEGRITY)
        self.silence(*world.BOUND)
        self.rest()
        self.assertEqual(1, self.most_in_a_minute())
        state = self.state()
        self.assertEqual(
            {
                "vm-0": (BAD, "stopped", "", True),
                "vm-1": (BAD, "stopped", "", True),
                "vm-2": (GOOD, "active", "", False),
            },
            state.servers,
            self.log(),
        )
        self.assertEqual("disabled", state.services[BAD][0])
        self.assertEqual("enabled", state.services[GOOD][0])
        # Silence is no recovery.
        self.wait(1000.0)
        self.rest()
        self.assertEqual([], state.differs(self.state()))

    def _assert_does_nothing(self, kinds: set[str] | dict[str, str]) -> Cycle:
        done = self.cycle()
        assert done is not None
        self.assertEqual([], done.does, self.log())
        self.assertEqual([], done.failures)
        self.assertEqual(set(kinds), set(done.found.values()))
        return done

    def _alarms(self) -> int:
        lines = self.log().splitlines()
        return sum("(outage)" in line for line in lines)
