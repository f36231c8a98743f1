# SPDX-License-Identifier: Apache-2.0
"""Whatever becomes of real Keylime, no host counts that is not attested."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from keylime_box.node import Node
from keylime_box.settings import Settings
from keylime_box.tenant import Record
from keylime_box.tenant import fails
from keylime_box.tenant import passes
from tests.authorities.servers import End
from tests.authorities.servers import head
from tests.authorities.servers import page
from tests.integration_keylime.boxed import PINNED as TAGGED
from tests.integration_keylime.boxed import BoxedTest
from tests.integration_keylime.boxed import is_silent
from tests.integration_keylime.front import Answer
from tests.integration_keylime.front import Front
from tests.integration_keylime.front import passed_on
from tests.integration_keylime.rows import Rows
from tests.integration_keylime.witness import MAX_AGE_S
from tests.integration_keylime.witness import PINNED
from tests.integration_keylime.witness import Witness

# Keylime goes on asking nodes that do not answer, as it does for a minute.
PATIENT = Settings(max_retries=1000)
SOON_S = 1.0


class BadInputTest(BoxedTest):
    def begin(self, node: Node, *pinned: Node, **options: Any) -> Witness:
        """Return who has seen that a node is admitted."""
        witness = Witness(self, self.box, node, **options)
        witness.pin(*pinned)
        witness.ask()
        self.assertEqual({PINNED}, witness.admits(node))
        return witness

    def ages(self, witness: Witness, node: Node) -> None:
        """Check that a node is admitted until its last success is too old."""
        self.assertEqual({PINNED}, witness.admits(node))
        self.ends(witness, node)

    def ends(self, witness: Witness, node: Node) -> None:
        """Check that a node is not admitted beyond its last success."""
        left_s = witness.at(node) + MAX_AGE_S - time.time()
        self.assertEqual(set(), witness.admits(node, left_s + 1))

    def copied(self, node: Node, name: str) -> Any:
        """Write a copy of an agent, of which nobody is asked anything."""
        self.rows = Rows(self.box)
        self.rows.put(self.rows.get(node.agent_id), name)
        # before the node, whose policies it shares
        self.addCleanup(self.rows.remove, name)
        return Stub(name)


class TestVerifier(BadInputTest):
    chosen = PATIENT

    def test_it_is_stopped_and_killed(self) -> None:
        node = self.node()
        witness = self.begin(node)
        for end in (self.box.verifier.stop, self.box.verifier.kill):
            at = witness.at(node)
            end()
            witness.fails("contact-unreachable", "contact-interrupted")
            witness.fails("contact-unreachable")
            self.assertEqual(at, witness.at(node))
            self.ages(witness, node)
            node.hang()
            self.box.verifier.start()
            # pending, or what it knew before
            witness.ask()
            self.assertEqual(at, witness.at(node))
            self.ends(witness, node)
            node.resume()
            self.box.wait(
                node,
                lambda seen, at=at: seen["last_successful_attestation"] > at,
            )
            witness.ask()
            self.assertGreater(witness.at(node), at)
            self.assertEqual({PINNED}, witness.admits(node))

    def test_it_is_not_attested_yet_after_a_restart(self) -> None:
        node = self.copied(self.node(), "restarted")
        witness = self.begin(node)
        self.box.verifier.kill()
        self.box.verifier.start()
        witness.refuses(node, "keylime-pending")

    def test_it_is_slow(self) -> None:
        node = self.node()
        witness = self.begin(node, timeout_s=SOON_S)
        at = witness.at(node)
        self.box.verifier.pause()
        try:
            for _ in range(2):
                began = time.monotonic()
                witness.fails("contact-timed-out")
                self.assertLess(time.monotonic() - began, 10 * SOON_S)
            self.assertEqual(at, witness.at(node))
            self.ages(witness, node)
        finally:
            self.box.verifier.resume()
        self.box.wait_for_more(node)
        witness.ask()
        self.assertEqual({PINNED}, witness.admits(node))

    def test_its_answers_are_spoiled(self) -> None:
        node = self.node()
        front = Front(self, self.box, self.box.verifier_url)
        witness = self.begin(node, verifiers=[front.url])
        at = witness.at(node)
        for code, spoil in SPOILED.items():
            for each in spoil:
                with self.subTest(code):
                    front.spoil = each
                    witness.fails(code)
                    self.assertEqual(at, witness.at(node))
                    self.ages(witness, node)
        front.spoil = passed_on
        witness.ask()
        self.assertEqual("", witness.code)

    def test_a_field_is_missing(self) -> None:
        node, other = self.node(), self.node()
        front = Front(self, self.box, self.box.verifier_url)
        witness = Witness(self, self.box, node, other, verifiers=[front.url])
        witness.ask()
        at = witness.at(node)
        for field in (
            "operational_state",
            "attestation_count",
            "last_successful_attestation",
            "has_mb_refstate",
            "has_runtime_policy",
            "tpm_policy",
        ):
            with self.subTest(field):
                front.spoil = without(node, field)
                self.ails(witness, node, "keylime-malformed", at)
                self.assertEqual({PINNED}, witness.admits(other))
        front.spoil = without(node, "attestation_status")
        witness.ask()
        self.assertEqual((), witness.found.problems)

    def test_a_row_that_it_cannot_tell(self) -> None:
        # Keylime tells none at all then
        node, other = self.copied(self.node(), "spoiled"), self.node()
        witness = Witness(self, self.box, node, other)
        witness.ask()
        at = witness.at(node), witness.at(other)
        self.rows.change("spoiled", tpm_policy="{")
        witness.fails("contact-bad-status")
        self.assertEqual(at, (witness.at(node), witness.at(other)))
        self.ages(witness, node)

    def ails(self, witness: Witness, node: Node, code: str, at: float) -> None:
        """Check that a fault of the answer is no word about a node."""
        said = witness.ask()[node.agent_id]
        self.assertEqual({code}, said)
        self.assertFalse(witness.found.complete)
        self.assertNotIn(node.agent_id, witness.found.results)
        self.assertEqual(at, witness.at(node))
        self.ages(witness, node)

    def test_a_field_is_of_another_type(self) -> None:
        node = self.copied(self.node(), "typed")
        witness = self.begin(node)
        at = witness.at(node)
        good = self.rows.get("typed")
        for field, value in (
            ("operational_state", "three"),
            ("operational_state", 42),
            ("attestation_count", "many"),
            ("attestation_count", -1),
            ("last_successful_attestation", "now"),
            ("last_successful_attestation", 1.5),
            ("tpm_policy", '{"mask": 7}'),
        ):
            with self.subTest(f"{field} = {value!r}"):
                self.rows.put(good, "typed", **{field: value})
                self.ails(witness, node, "keylime-malformed", at)
        ahead = int(time.time()) + 3600
        self.rows.put(good, "typed", last_successful_attestation=ahead)
        self.ails(witness, node, "keylime-ahead", at)

    def test_one_that_hangs_or_is_killed_passes_with_a_stale_success(
        self,
    ) -> None:
        for end in (Node.hang, Node.die):
            node = self.node()
            witness = self.begin(node)
            end(node)
            record = self.settled(node)
            for _ in range(2):
                witness.ask()
                self.assertTrue(passes(self.box.agent(node)))
                self.assertEqual(
                    record["last_successful_attestation"], witness.at(node)
                )
                self.ages(witness, node)

    def settled(self, node: Node) -> Record:
        """Return the record once no quote is under way any more."""
        seen: Record = {}

        def stays(record: Record) -> bool:
            nonlocal seen
            before, seen = seen, record
            # longer ago than any quote takes, in whole seconds
            return (
                before == record
                and time.time() > record["last_successful_attestation"] + 2
            )

        return self.box.wait(node, stays)


class Stub:
    """What is asked about an agent without a node."""

    def __init__(self, agent_id: str) -> None:
        self.agent_id = agent_id


class TestAgents(BadInputTest):
    def test_one_is_withdrawn(self) -> None:
        node = self.node()
        witness = self.begin(node)
        self.box.withdraw(node)
        witness.refuses(node, "keylime-unknown-agent")
        self.assertTrue(witness.found.complete)

    def test_one_fails_since_it_is_silent_and_later_by_its_quote(self) -> None:
        node = self.node()
        witness = self.begin(node)
        node.die()
        self.box.wait(node, is_silent)
        witness.refuses(node, "keylime-unreached")
        self.assertEqual(set(), witness.against(node))
        node.restart()
        self.box.reactivate(node)
        self.box.wait(node, passes)
        node.extend(15, b"tampered with")
        self.box.wait(node, fails)
        # what it said of the silence is not what it says of this
        witness.refuses(node, "keylime-failed")
        self.assertEqual({PINNED}, witness.against(node))

    def test_an_id_is_registered_anew_with_another_key(self) -> None:
        node = self.node()
        witness = self.begin(node, node)
        self.assertEqual(f"sha256:{node.ek_sha256}", witness.key(node))
        self.box.forget(node)
        node.replace_tpm()
        # by its quote, or since it was away for too long
        self.box.wait(node, fails)
        witness.refuses(node)
        self.box.withdraw(node)
        self.box.enrol(node, TAGGED)
        self.box.wait(node, passes)
        witness.refuses(node, "keylime-other-key")
        self.assertTrue(witness.found.complete)
        # the policy learns of it
        witness.pin(node)
        self.pause(witness, node)
        self.assertEqual({PINNED}, witness.admits(node))
        self.assertEqual(f"sha256:{node.ek_sha256}", witness.key(node))

    def test_so_is_one_between_two_questions(self) -> None:
        node = self.node()
        witness = self.begin(node, node)
        self.box.withdraw(node)
        self.box.forget(node)
        node.replace_tpm()
        self.box.enrol(node, TAGGED)
        self.box.wait(node, passes)
        witness.refuses(node, "keylime-other-key")

    def test_a_key_is_not_registered_any_more(self) -> None:
        node = self.node()
        witness = self.begin(node, node, registrar_recheck_s=1)
        self.box.forget(node)
        self.assertTrue(passes(self.box.wait_for_more(node)))
        self.pause(witness, node, "keylime-not-registered")

    def pause(self, witness: Witness, node: Node, code: str = "") -> None:
        """Ask until that is said."""
        until = time.monotonic() + 20
        while True:
            said = witness.ask().get(node.agent_id, set())
            if code in said if code else bool(witness.admits(node)):
                break
            self.assertLess(time.monotonic(), until, said)
            time.sleep(0.1)
        if code:
            self.assertEqual(set(), witness.admits(node))


class TestRegistrar(BadInputTest):
    def test_it_is_killed_before_it_was_asked(self) -> None:
        node, other = self.node(), self.node()
        witness = Witness(self, self.box, node, other)
        witness.pin(node)
        self.box.registrar.kill()
        witness.refuses(node, "keylime-registrar-silent")
        self.assertFalse(witness.found.complete)
        self.assertEqual({PINNED}, witness.admits(other))
        self.box.registrar.start()
        witness.ask()
        self.assertEqual({PINNED}, witness.admits(node))

    def test_it_is_slow(self) -> None:
        node, other = self.node(), self.node()
        witness = Witness(self, self.box, node, other, timeout_s=SOON_S)
        witness.pin(node)
        self.box.registrar.pause()
        try:
            witness.refuses(node, "keylime-registrar-silent")
            self.assertEqual({PINNED}, witness.admits(other))
        finally:
            self.box.registrar.resume()

    def test_its_answers_are_spoiled(self) -> None:
        node = self.node()
        front = Front(self, self.box, self.box.registrar_url)
        for code, spoil in SPOILED.items():
            for each in spoil:
                with self.subTest(code):
                    front.spoil = each
                    witness = Witness(
                        self, self.box, node, registrar=front.url
                    )
                    witness.pin(node)
                    witness.refuses(node, "keylime-registrar-silent")
                    self.assertFalse(witness.found.complete)


def without(node: Node, field: str) -> Callable[[Answer], Any]:
    """Return what leaves a field of one agent out."""

    def spoil(answer: Answer) -> Any:
        whole = json.loads(answer[1])
        del whole["results"][node.agent_id][field]
        return [page(json.dumps(whole).encode())]

    return spoil


#: code -> what becomes of an answer
SPOILED: dict[str, list[Callable[[Answer], Any]]] = {
    "contact-bad-status": [
        lambda answer: [page(answer[1], status=500)],
        lambda answer: [page(answer[1], status=503)],
    ],
    "contact-bad-answer": [
        lambda answer: [page(answer[1][: len(answer[1]) // 2])],
        lambda answer: [page(answer[1].replace(b"results", b"result"))],
        lambda answer: [page(b"")],
    ],
    "contact-interrupted": [
        lambda answer: [
            head(
                Content_Type="application/json", Content_Length=len(answer[1])
            )
            + answer[1][: len(answer[1]) // 2],
            End.PROPER,
        ],
    ],
    "contact-bad-content-type": [
        lambda answer: [page(answer[1], "text/html")],
    ],
    "contact-forbidden": [lambda answer: [page(answer[1], status=403)]],
}
