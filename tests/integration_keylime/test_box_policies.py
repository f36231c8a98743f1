# SPDX-License-Identifier: Apache-2.0
"""That real Keylime sees what nodes measure, as far as its policies go.

What is found of Keylime itself is what the driver has to live with.
"""

from __future__ import annotations

import dataclasses

from keylime_box import golden
from keylime_box.policy import HEALTHY_FILES
from keylime_box.policy import Policy
from keylime_box.settings import Settings
from keylime_box.tenant import fails
from keylime_box.tenant import passes
from tests.integration_keylime.boxed import TAG
from tests.integration_keylime.boxed import BoxedTest
from tests.integration_keylime.boxed import is_silent

HEALTHY = golden.boot(tags={15: TAG})
BOOT = Policy(measured_boot=golden.reference(HEALTHY))
FILES = Policy(files=HEALTHY_FILES)
ALL = Policy(files=HEALTHY_FILES, measured_boot=golden.reference(HEALTHY))


class TestPolicies(BoxedTest):
    def test_a_pinned_pcr_is_extended(self) -> None:
        node = self.node()
        node.extend(15, b"tampered with")
        record = self.box.wait(node, fails)
        self.assertEqual(
            ("pcr_validation.invalid_pcr_15", 0, 0),
            (
                record["last_event_id"],
                record["has_runtime_policy"],
                record["has_mb_refstate"],
            ),
        )

    def test_known_files_run_and_an_unknown_one(self) -> None:
        node = self.node(FILES)
        for path, content in golden.FILES.items():
            node.run(path, content)
        record = self.box.wait_for_more(node)
        self.assertTrue(passes(record) and record["has_runtime_policy"])
        node.run("/tmp/unknown", b"anything")
        record = self.box.wait(node, fails)
        self.assertIn("not_in_allowlist", record["last_event_id"])

    def test_a_known_file_runs_with_other_content(self) -> None:
        node = self.node(FILES)
        node.run("/usr/bin/nova-compute", b"changed")
        self.assertIn(
            "runtime_policy_hash",
            self.box.wait(node, fails)["last_event_id"],
        )

    def test_a_pcr_of_the_boot_is_extended(self) -> None:
        node = self.node(BOOT)
        self.assertEqual(1, self.box.agent(node)["has_mb_refstate"])
        node.extend(4, b"not in the log")
        record = self.box.wait(node, fails)
        self.assertEqual(
            "measured_boot.invalid_pcr_4", record["last_event_id"]
        )

    def test_an_unknown_boot_at_first(self) -> None:
        node = self.node(None)
        node.reboot(firmware="other")
        self.box.enrol(node, BOOT)
        record = self.box.wait(node, fails)
        self.assertEqual(
            ("measured_boot.policy_box", 0),
            (record["last_event_id"], record["attestation_count"]),
        )

    def test_all_policies_at_once(self) -> None:
        node = self.node(
            dataclasses.replace(ALL, pcrs={15: [golden.measured(TAG)]})
        )
        record = self.box.wait_for_more(node)
        self.assertEqual(
            (1, 1, True),
            (
                record["has_runtime_policy"],
                record["has_mb_refstate"],
                passes(record),
            ),
        )

    def test_a_policy_that_is_not_quoted_is_bound_and_not_looked_at(
        self,
    ) -> None:
        node = self.node(dataclasses.replace(ALL, quoted=()))
        node.run("/tmp/unknown", b"anything")
        node.extend(4, b"not in the log")
        record = self.box.wait_for_more(node)
        self.assertEqual(
            (1, 1, True),
            (
                record["has_runtime_policy"],
                record["has_mb_refstate"],
                passes(record),
            ),
        )

    def test_an_empty_boot_policy_is_bound_and_checks_nothing(self) -> None:
        node = self.node(Policy(measured_boot={}))
        node.extend(4, b"not in the log")
        record = self.box.wait_for_more(node)
        self.assertEqual(
            (1, True), (record["has_mb_refstate"], passes(record))
        )


class TestAlways(BoxedTest):
    chosen = Settings(measured_boot_evaluate="always")

    def test_a_later_boot_is_looked_at(self) -> None:
        node = self.node(BOOT)
        node.die()
        self.box.wait(node, is_silent)
        node.reboot(firmware="other")
        self.box.reactivate(node)
        self.box.wait(
            node,
            lambda seen: seen["last_event_id"] == "measured_boot.policy_box",
        )


class TestOnce(BoxedTest):
    def test_a_later_boot_is_not_looked_at(self) -> None:
        node = self.node(BOOT)
        node.die()
        self.box.wait(node, is_silent)
        node.reboot(firmware="other")
        self.box.reactivate(node)
        record = self.box.wait_for_more(node)
        self.assertEqual(
            (1, True), (record["has_mb_refstate"], passes(record))
        )
