# SPDX-License-Identifier: Apache-2.0
"""That nodes can push to the box's verifier, and what its records say then."""

from __future__ import annotations

import dataclasses

from keylime_box.policy import HEALTHY_FILES
from keylime_box.policy import Policy
from keylime_box.settings import PUSH
from keylime_box.tenant import Record
from keylime_box.tenant import fails
from keylime_box.tenant import passes
from tests.integration_keylime.boxed import BoxedTest

FILES = Policy(files=HEALTHY_FILES)


def is_late(record: Record) -> bool:
    """Whether a node has not pushed for too long."""
    return bool(record["attestation_status"] == "TIMEOUT")


class TestPush(BoxedTest):
    chosen = PUSH

    def test_a_failure_stays_while_the_node_is_healthy_again(self) -> None:
        node = self.node(Policy(pcrs={23: [bytes(32)]}))
        node.extend(23, b"tampered with")
        failed = self.box.wait(node, fails)
        # The state of pull mode says nothing, nor does the severity.
        self.assertEqual(
            (3, None), (failed["operational_state"], failed["severity_level"])
        )
        node.reset(23)
        record = self.box.wait(
            node,
            lambda seen: (
                seen["last_successful_attestation"]
                > failed["last_successful_attestation"]
            ),
        )
        self.assertTrue(fails(record))
        self.box.reactivate(node)
        self.assertTrue(fails(self.box.wait_for_more(node)))
        self.box.withdraw(node)
        self.box.enrol(node, Policy(pcrs={23: [bytes(32)]}))
        self.box.wait(node, passes)

    def test_known_files_run_and_an_unknown_one(self) -> None:
        node = self.node(FILES)
        node.run("/tmp/unknown", b"anything")
        self.box.wait(node, fails)

    def test_a_node_that_hangs_is_late_and_comes_back(self) -> None:
        node = self.node()
        node.hang()
        self.assertTrue(passes(self.box.agent(node)))
        self.box.wait(node, is_late)
        node.resume()
        self.box.wait(node, passes)

    def test_a_node_dies_and_comes_back(self) -> None:
        node = self.node()
        node.die()
        self.box.wait(node, is_late)
        node.restart()
        self.box.wait(node, passes)

    def test_the_verifier_is_killed_and_goes_on(self) -> None:
        node = self.node()
        self.box.verifier.kill()
        self.box.verifier.start()
        self.box.wait_for_more(node)

    def test_it_takes_whole_seconds_alone(self) -> None:
        with self.assertRaisesRegex(ValueError, "whole seconds"):
            dataclasses.replace(PUSH, quote_interval_s=0.5)

    def test_the_verifier_has_no_page_of_versions(self) -> None:
        self.assertEqual(410, self.box.verifier.rest.ask("GET", "/version")[0])
        self.assertEqual(
            200,
            self.box.verifier.rest.ask("GET", "/v2.6/agents/?bulk=true")[0],
        )
