# SPDX-License-Identifier: Apache-2.0
"""The records of agents that push, whose state says nothing."""

from __future__ import annotations

from keylime_box import golden
from keylime_box.policy import HEALTHY_FILES
from keylime_box.policy import Policy
from keylime_box.settings import PUSH
from keylime_box.tenant import fails
from keylime_box.tenant import passes
from tests.integration_keylime.boxed import BoxedTest
from tests.integration_keylime.witness import FILES
from tests.integration_keylime.witness import PINNED
from tests.integration_keylime.witness import RESETTABLE
from tests.integration_keylime.witness import Witness

ZEROED = Policy(pcrs={23: [golden.ZERO]})


class TestPush(BoxedTest):
    chosen = PUSH

    def test_a_failure_sticks_while_successes_go_on(self) -> None:
        node = self.node(ZEROED)
        witness = Witness(self, self.box, node)
        # of a verifier that does not say which versions it speaks
        witness.ask()
        self.assertEqual({RESETTABLE}, witness.admits(node))
        node.extend(23, b"tampered with")
        failed = self.box.wait(node, fails)
        self.assertEqual(
            (3, None), (failed["operational_state"], failed["severity_level"])
        )
        witness.refuses(node, "keylime-failed")
        self.assertEqual({RESETTABLE}, witness.against(node))
        node.reset(23)
        record = self.box.wait(
            node,
            lambda seen: (
                seen["last_successful_attestation"]
                > failed["last_successful_attestation"]
            ),
        )
        self.assertTrue(fails(record))
        witness.refuses(node, "keylime-failed")
        self.box.withdraw(node)
        witness.refuses(node, "keylime-unknown-agent")
        self.box.enrol(node, ZEROED)
        self.box.wait(
            node,
            lambda seen: (
                passes(seen)
                and seen["last_successful_attestation"] > witness.at(node)
            ),
        )
        witness.ask()
        self.assertEqual({RESETTABLE}, witness.admits(node))

    def test_one_that_sends_nothing_any_more(self) -> None:
        node = self.node()
        witness = Witness(self, self.box, node)
        witness.ask()
        self.assertEqual({PINNED}, witness.admits(node))
        node.hang()
        record = self.box.wait(
            node, lambda seen: seen["attestation_status"] == "TIMEOUT"
        )
        self.assertEqual(3, record["operational_state"])
        witness.refuses(node, "keylime-timed-out")

    def test_one_that_was_never_attested(self) -> None:
        node = self.node(None)
        node.hang()
        self.box.enrol(node, ZEROED)
        record = self.box.agent(node)
        self.assertEqual(
            (3, "PENDING"),
            (record["operational_state"], record["attestation_status"]),
        )
        witness = Witness(self, self.box, node)
        witness.refuses(node, "keylime-pending")

    def test_all_that_is_bound_is_asked_for_whatever_the_mask(self) -> None:
        node = self.node(Policy(files=HEALTHY_FILES, quoted=()))
        witness = Witness(self, self.box, node)
        witness.ask()
        self.assertEqual({FILES}, witness.admits(node))
        node.run("/tmp/unknown", b"anything")
        self.box.wait(node, fails)
        witness.refuses(node, "keylime-failed")
