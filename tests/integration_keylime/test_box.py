# SPDX-License-Identifier: Apache-2.0
"""That the box's nodes and servers do what they are told."""

from __future__ import annotations

import hashlib

from keylime_box import golden
from keylime_box.errors import BoxError
from keylime_box.policy import HEALTHY_FILES
from keylime_box.policy import Policy
from keylime_box.tenant import fails
from keylime_box.tenant import passes
from tests.integration_keylime.boxed import PINNED
from tests.integration_keylime.boxed import TAG
from tests.integration_keylime.boxed import BoxedTest
from tests.integration_keylime.boxed import is_silent


class TestNodes(BoxedTest):
    def test_who_a_node_is(self) -> None:
        node, other = self.node(), self.node(None)
        entry = self.box.registered(node)
        self.assertEqual(node.agent_id, entry["agent_id"])
        self.assertEqual(
            node.ek_sha256, hashlib.sha256(node.ek_tpm).hexdigest()
        )
        self.assertNotEqual(node.ek_sha256, other.ek_sha256)

    def test_it_recovers_once_it_is_healthy_and_reactivated(self) -> None:
        node = self.node(Policy(pcrs={23: [golden.ZERO]}))
        for _ in range(2):
            node.extend(23, b"tampered with")
            self.assertEqual(golden.measured(b"tampered with"), node.read(23))
            failed = self.box.wait(node, fails)
            node.reset(23)
            self.box.reactivate(node)
            record = self.box.wait(
                node,
                lambda seen, before=failed: (
                    seen["attestation_count"] > before["attestation_count"]
                ),
            )
            self.assertTrue(passes(record))
        # What is left of the failure says nothing of now.
        self.assertEqual(
            "pcr_validation.invalid_pcr_23", record["last_event_id"]
        )

    def test_it_hangs_and_goes_on(self) -> None:
        node = self.node()
        node.hang()
        with self.assertRaisesRegex(BoxError, "hangs"):
            node.extend(15, b"")
        self.assertTrue(passes(self.box.agent(node)))
        self.box.wait(node, is_silent)
        node.resume()
        self.box.reactivate(node)
        self.box.wait(node, passes)

    def test_it_dies_and_comes_back_as_it_was(self) -> None:
        node = self.node()
        keys = node.ek_tpm
        node.die()
        with self.assertRaisesRegex(BoxError, "is down"):
            node.read(15)
        self.box.wait(node, is_silent)
        node.restart()
        self.assertEqual(
            (keys, golden.measured(TAG)), (node.ek_tpm, node.read(15))
        )
        self.box.reactivate(node)
        self.box.wait(node, passes)

    def test_it_reboots(self) -> None:
        node = self.node(Policy(files=HEALTHY_FILES))
        node.extend(15, b"gone with the boot")
        node.run("/usr/sbin/libvirtd", golden.FILES["/usr/sbin/libvirtd"])
        node.die()
        self.box.wait(node, is_silent)
        node.reboot()
        self.assertEqual(golden.measured(TAG), node.read(15))
        self.box.reactivate(node)
        self.assertTrue(passes(self.box.wait_for_more(node)))

    def test_it_comes_back_with_another_tpm(self) -> None:
        node = self.node()
        before = node.ek_sha256
        with self.assertRaisesRegex(BoxError, "different TPM identity"):
            node.replace_tpm()
        self.box.forget(node)
        node.restart()
        self.assertNotEqual(before, node.ek_sha256)
        # The verifier knows the old key, and believes no other.
        self.box.wait(node, fails)
        self.box.withdraw(node)
        self.box.enrol(node, PINNED)
        self.box.wait(node, passes)

    def test_it_is_removed(self) -> None:
        node = self.box.node("to be removed".replace(" ", "-"), {15: TAG})
        self.box.enrol(node, PINNED)
        self.box.remove(node)
        self.assertNotIn(node.agent_id, self.box.agents())
        with self.assertRaisesRegex(BoxError, "404"):
            self.box.registered(node)


class TestServers(BoxedTest):
    def test_the_verifier_stops_and_goes_on(self) -> None:
        node = self.node()
        self.box.verifier.stop()
        with self.assertRaises(OSError):
            self.box.agent(node)
        node.extend(15, b"while nobody looks")
        self.box.verifier.start()
        self.box.wait(node, fails)

    def test_the_verifier_is_killed_and_goes_on(self) -> None:
        node = self.node()
        self.box.verifier.kill()
        self.box.verifier.start()
        self.box.wait_for_more(node)

    def test_the_verifier_hangs_and_goes_on(self) -> None:
        node = self.node()
        self.box.verifier.pause()
        with self.assertRaises(TimeoutError):
            self.box.verifier.rest.ask("GET", "/version", timeout_s=0.2)
        self.box.verifier.resume()
        self.box.wait_for_more(node)

    def test_the_registrar_is_killed_and_goes_on(self) -> None:
        node = self.node()
        self.box.registrar.kill()
        with self.assertRaises(OSError):
            self.box.registered(node)
        self.assertTrue(passes(self.box.agent(node)))
        self.box.registrar.start()
        self.assertEqual(node.agent_id, self.box.registered(node)["agent_id"])

    def test_many_are_written_into_the_databases(self) -> None:
        node = self.node()
        keys = self.box.fill(20, like=node) | self.box.fill(30, like=node)
        records = self.box.agents()
        self.assertEqual(50, len(set(keys.values())))
        self.assertLessEqual(set(keys), set(records))
        self.assertTrue(all(passes(records[name]) for name in keys))
