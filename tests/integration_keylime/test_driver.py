# SPDX-License-Identifier: Apache-2.0
"""No field of a real verifier's record is believed alone.

Each test brings Keylime to say what misleads, sees that it does, and that the
judge admits nothing by it.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from keylime_box import golden
from keylime_box.policy import HEALTHY_FILES
from keylime_box.policy import Policy
from keylime_box.settings import Settings
from keylime_box.tenant import fails
from keylime_box.tenant import passes
from tests.integration_keylime.boxed import PINNED as TAGGED
from tests.integration_keylime.boxed import TAG
from tests.integration_keylime.boxed import BoxedTest
from tests.integration_keylime.boxed import is_silent
from tests.integration_keylime.witness import BOOT
from tests.integration_keylime.witness import FILES
from tests.integration_keylime.witness import MAPPING
from tests.integration_keylime.witness import PINNED
from tests.integration_keylime.witness import RESETTABLE
from tests.integration_keylime.witness import Witness

REFERENCE = golden.reference(golden.boot(tags={15: TAG}))
BOOTED = Policy(measured_boot=REFERENCE)
ALL = Policy(pcrs=TAGGED.pcrs, files=HEALTHY_FILES, measured_boot=REFERENCE)
ZEROED = Policy(pcrs={23: [golden.ZERO]})
GOLDEN = f"{MAPPING}measured_boot_policies: [golden]\n"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Named(Policy):
    """A policy whose part for measured boot is one that has a name."""

    name: str

    def enrolment(self, registered: Any) -> dict[str, object]:
        whole = Policy.enrolment(self, registered)
        return {**whole, "mb_policy": None, "mb_policy_name": self.name}


class TestAlways(BoxedTest):
    chosen = Settings(measured_boot_evaluate="always")

    def test_a_pass_vouches_for_what_is_bound(self) -> None:
        whole, tagged, bare = self.node(ALL), self.node(), self.node(Policy())
        witness = Witness(self, self.box, whole, tagged, bare)
        said = witness.ask()
        self.assertEqual({BOOT, FILES, PINNED}, witness.admits(whole))
        self.assertEqual({PINNED}, witness.admits(tagged))
        self.assertTrue(witness.found.complete)
        # it passes, and nothing was looked at
        self.assertTrue(passes(self.box.agent(bare)))
        self.assertEqual(set(), witness.admits(bare))
        self.assertIn("keylime-no-policy", said[bare.agent_id])

    def test_what_is_bound_and_not_quoted_was_not_looked_at(self) -> None:
        node = self.node(dataclasses.replace(ALL, pcrs={}, quoted=()))
        witness = Witness(self, self.box, node)
        node.run("/tmp/unknown", b"anything")
        node.extend(4, b"not in the log")
        record = self.box.wait_for_more(node)
        self.assertEqual(
            (1, 1, True),
            (
                record["has_mb_refstate"],
                record["has_runtime_policy"],
                passes(record),
            ),
        )
        witness.refuses(node, "keylime-no-policy")

    def test_one_of_several_values_does_not_tell_which(self) -> None:
        several = [golden.measured(TAG), golden.measured(b"region=2")]
        node = self.node(Policy(pcrs={15: several}))
        Witness(self, self.box, node).refuses(node, "keylime-no-policy")

    def test_one_that_was_never_reached(self) -> None:
        node = self.node(None)
        node.hang()
        self.box.enrol(node, TAGGED)
        record = self.box.wait(
            node, lambda seen: seen["attestation_status"] == "PASS"
        )
        self.assertEqual(
            (3, 0), (record["operational_state"], record["attestation_count"])
        )
        witness = Witness(self, self.box, node)
        witness.refuses(node, "keylime-never-attested")

    def test_severity_and_event_outlast_a_recovery(self) -> None:
        node = self.node(ZEROED)
        witness = Witness(self, self.box, node)
        witness.ask()
        self.assertEqual({RESETTABLE}, witness.admits(node))
        node.extend(23, b"tampered with")
        failed = self.box.wait(node, fails)
        witness.refuses(node, "keylime-failed")
        self.assertEqual({RESETTABLE}, witness.against(node))
        failed_at = witness.at(node)
        node.reset(23)
        self.box.reactivate(node)
        recovered = self.box.wait(
            node,
            # whole seconds, of which one has to be after the failure
            lambda seen: seen["last_successful_attestation"] > failed_at,
        )
        for field in ("severity_level", "last_event_id"):
            self.assertTrue(recovered[field])
            self.assertEqual(failed[field], recovered[field])
        witness.ask()
        self.assertEqual({RESETTABLE}, witness.admits(node))

    def test_a_success_does_not_outlast_a_later_boot(self) -> None:
        node = self.node(BOOTED)
        witness = Witness(self, self.box, node)
        witness.ask()
        self.assertEqual({BOOT}, witness.admits(node))
        node.die()
        self.box.wait(node, is_silent)
        node.reboot(firmware="other")
        self.box.reactivate(node)
        record = self.box.wait(
            node, lambda seen: "measured_boot" in seen["last_event_id"]
        )
        self.assertGreater(record["attestation_count"], 0)
        witness.refuses(node, "keylime-failed")
        self.assertEqual({BOOT}, witness.against(node))


class TestOnce(BoxedTest):
    def test_a_boot_that_nobody_looked_at_counts_for_nothing(self) -> None:
        node = self.node(BOOTED)
        witness = Witness(self, self.box, node)
        node.die()
        self.box.wait(node, is_silent)
        node.reboot(firmware="other")
        self.box.reactivate(node)
        record = self.box.wait_for_more(node)
        self.assertEqual(
            (1, True), (record["has_mb_refstate"], passes(record))
        )
        witness.refuses(node, "keylime-no-policy")
        self.assertIn("keylime-boot-once", str(witness.found.problems))


class TestNamed(BoxedTest):
    """In a box of its own, since every policy of a verifier counts."""

    chosen = Settings(measured_boot_evaluate="always")

    def put(self, method: str, content: str) -> None:
        status, said = self.box.verifier.rest.ask(
            method, "/v2.6/mbpolicies/golden", {"mb_policy": content}
        )
        self.assertEqual(201, status, said)

    def test_a_boot_policy_that_is_named_counts(self) -> None:
        self.put("POST", json.dumps(REFERENCE))
        named = Named(pcrs=TAGGED.pcrs, measured_boot=REFERENCE, name="golden")
        nodes = sorted(
            (self.node(named), self.node(named)), key=lambda n: n.agent_id
        )
        # one that has no policy for its boot has no name for it either
        tagged = self.node()
        empty = self.node(
            dataclasses.replace(ALL, files=None, measured_boot={})
        )
        witness = Witness(
            self, self.box, *nodes, tagged, empty, mapping=GOLDEN
        )
        said = witness.ask()
        for node in nodes:
            self.assertEqual({BOOT, PINNED}, witness.admits(node))
        for node in (tagged, empty):
            self.assertEqual({PINNED}, witness.admits(node))
        # it is bound, and passes
        empty.extend(4, b"not in the log")
        record = self.box.wait_for_more(empty)
        self.assertEqual(
            (1, True), (record["has_mb_refstate"], passes(record))
        )
        self.assertIn("keylime-boot-policy", said[empty.agent_id])
        self.put("PUT", "{}")
        self.box.wait_for_more(nodes[0])
        witness.ask()
        for node in nodes:
            self.assertTrue(passes(self.box.agent(node)))
            self.assertEqual({PINNED}, witness.admits(node))
