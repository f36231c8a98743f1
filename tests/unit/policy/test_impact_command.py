# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy impact``: what officers type, and what they read."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import unittest
from typing import Any

from nfv_mla_scheduler.cmd import policy_impact_text
from nfv_mla_scheduler.cmd.policy_impact_found import Compared
from nfv_mla_scheduler.cmd.policy_impact_found import Side
from nfv_mla_scheduler.judge.considered import Considered
from nfv_mla_scheduler.judge.considered import Kind
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.impact import Change
from nfv_mla_scheduler.judge.impact import Closing
from nfv_mla_scheduler.judge.impact import Direction
from nfv_mla_scheduler.judge.impact import Effect
from nfv_mla_scheduler.judge.impact import Impact
from nfv_mla_scheduler.judge.impact import PoolEffect
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.instants import read_instant
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.unit.explain.estate import PROJECT
from tests.unit.explain.estate import EstateTest

PERMISSIVE = "modes:\n  pools: {keys: {permissive_until: 2027-01-01}}"
ENCLAVES = "members: [par-1, par-2]"
VOUCHES = "[attestation, execution-enclave, location, tpm, memory-inspection]"


class ImpactTest(EstateTest):
    """All is enforced by the policy in force.

    :cvar enforced: how that differs from the example
    """

    enforced: tuple[tuple[str, str], ...] = ((PERMISSIVE, "modes: {}"),)

    def setUp(self) -> None:
        super().setUp()
        self.estate.alter(*self.enforced)

    def draft(self, *replacements: tuple[str, str], version: int = 8) -> None:
        """Write ``new.yaml``: another version of the policy in force."""
        text = policies.policy_yaml(
            ("version: 7", f"version: {version}"),
            *self.enforced,
            *replacements,
        )
        self.estate.put("new.yaml", text)

    def document(self, line: str = "", status: int = 3) -> dict[str, Any]:
        text = self.typed(
            f"policy impact new.yaml {line} --format json", status
        )
        found: dict[str, Any] = json.loads(text)
        self.assertEqual("nfv-mla-impact/1", found["format"])
        return found

    def effects(self, found: dict[str, Any]) -> dict[str, list[int]]:
        """Return what changes: kind and name -> hosts before and after."""
        return {
            f"{r['kind']} {r['name']}": [r["before"], r["after"]]
            for r in found["requirements"]
            if r["changes"]
        }


class ChangesTest(ImpactTest):
    def test_the_same_policy_changes_nothing(self) -> None:
        self.draft(version=7)
        text = self.typed("policy impact new.yaml")
        self.assertIn("both are the same policy", text)
        self.assertTrue(text.endswith("\nNothing is newly refused.\n"), text)
        found = self.document(status=0)
        self.assertFalse(found["newly_refused"])
        self.assertEqual({}, self.effects(found))

    def test_hosts_that_are_lost_are_named_with_the_reason(self) -> None:
        self.draft(
            (VOUCHES, "[attestation, execution-enclave, tpm]"),
        )
        line = "policy impact new.yaml --flavors flavors.json"
        text = self.typed(line, 3)
        self.assertIn("version 8", text)
        self.assertIn(
            "  flavor keys.small\n    - 1 host lost, keys: ber-1", text
        )
        found = self.document("--flavors flavors.json")
        self.assertEqual([1, 0], self.effects(found)["flavor keys.small"])
        (flavor,) = (
            r for r in found["requirements"] if r["name"] == "keys.small"
        )
        (change,) = flavor["changes"]
        (number,) = change["refusals"]
        self.assertEqual("grade-too-weak", found["reasons"][number]["code"])
        self.assertEqual("none-left", flavor["alarm"])

    def test_more_extra_specs_are_one_more_flavor(self) -> None:
        self.draft((VOUCHES, "[attestation, execution-enclave, tpm]"))
        spec = "--extra-spec nfv_mla:location.jurisdiction=FR"
        self.assertEqual(
            [1, 0], self.effects(self.document(spec))["flavor as given"]
        )

    def test_only_gains_are_no_reason_to_stop(self) -> None:
        self.draft((ENCLAVES, "members: [ber-1, par-1, par-2]"))
        text = self.typed("policy impact new.yaml", 0)
        self.assertIn("enclaves (secure-execution)", text)
        self.assertRegex(text, r"Nothing is newly refused")

    def test_a_pool_that_closes_is_told_by_trust_domain(self) -> None:
        self.draft((ENCLAVES, f"{ENCLAVES}\n    exclusive_to: [police]"))
        text = self.typed("policy impact new.yaml", 3)
        self.assertIn(
            "  of trust domain acme, acme-keys and of projects without one\n"
            "    - 2 hosts closed, enclaves: par-1, par-2",
            text,
        )
        domains = {
            c["trust_domain"] for c in self.document()["asking_for_nothing"]
        }
        self.assertEqual({"acme", "acme-keys", None}, domains)

    def test_another_time_has_results_as_fresh_as_now(self) -> None:
        self.draft()
        found = self.document("--at 2026-12-01", 0)
        counts = {r["name"]: r["before"] for r in found["requirements"]}
        now = self.document(status=0)
        self.assertEqual(
            counts, {r["name"]: r["before"] for r in now["requirements"]}
        )
        self.assertEqual("2026-12-01T00:00:00Z", found["at"])

    def test_output_is_the_same_each_time(self) -> None:
        self.draft((VOUCHES, "[attestation, tpm]"))
        line = "policy impact new.yaml --flavors flavors.json"
        self.assertEqual(self.typed(line, 3), self.typed(line, 3))


class ModesTest(ImpactTest):
    enforced = ()

    def test_waivers_and_modes_that_differ_or_have_ended(self) -> None:
        self.draft(
            ("until: 2027-01-31}", "until: 2027-02-15}"),
            ("permissive_until: 2027-01-01", "permissive_until: 2026-12-24"),
        )
        text = self.typed("policy impact new.yaml", 0)
        self.assertIn("~ waivers.li-de without 5.2.10: 2027-01-31", text)
        self.assertIn("WEAKER", text)
        self.assertIn("~ modes.pools.keys.permissive_until", text)
        later = self.typed("policy impact new.yaml --at 2026-12-31", 3)
        self.assertIn("ended already: permissive mode of pool keys", later)
        self.assertIn("closed, keys: ber-1", later)

    def test_hosts_that_admit_in_permissive_mode_only_are_told(self) -> None:
        line = "policy impact new.yaml --flavors flavors.json"
        end = "permissive_until: 2027-01-01}"
        self.draft((f"{{{end}}}", f"{{{end}, enclaves: {{{end}}}"))
        text = self.typed(line)
        told = "1 -> 3\n    of these, in permissive mode only: 3\n"
        self.assertIn(told, text)


class BoundedTest(unittest.TestCase):
    def _compared(self) -> Compared:
        """Return forty requirements, each of which loses 2,000 hosts."""
        effects, pools = [], []
        for number in range(40):
            changes = tuple(
                Change(
                    direction,
                    (f"pool-{group % 7}",),
                    tuple(
                        Refusal(
                            RefusalCode.NO_CLAIM, f"c{n}-{number}", "5.1.1"
                        )
                        for n in range(20)
                    ),
                    tuple(f"host-{n:05}" for n in range(group, 2_000, 50)),
                )
                for direction in Direction
                for group in range(50)
            )
            what = Considered(Kind.PROFILE, f"profile-{number}")
            effects.append(Effect(what, 2_000, 2_000, (0, 9), changes))
            pools.append(
                PoolEffect(
                    f"pool-{number}",
                    HostClass.SECURE_EXECUTION,
                    (2_000, 2_000),
                    (2_000, 0),
                    changes,
                )
            )
        closings = tuple(
            Closing(f"domain-{n}", effects[n].changes) for n in range(40)
        )
        policy = policies.policy()
        side = Side("x", policy, None, "")
        return Compared(
            load(),
            side,
            side,
            Bearings(),
            policies.NOW,
            Impact(tuple(effects), tuple(pools), closings),
            (),
            tuple(f"waiver {n}" for n in range(5000)),
        )

    def test_text_is_bounded_whatever_changes(self) -> None:
        lines = list(
            policy_impact_text.lines(
                self._compared(), policy_impact_text.SHORT
            )
        )
        self.assertLess(len(lines), 800)
        for line in lines:
            self.assertLessEqual(len(line), 98)
        text = "\n".join(lines)
        self.assertIn("and 30 requirements more: --all", text)
        self.assertIn("and 1880 hosts more lost, for other reasons", text)
        self.assertIn("and 18 reasons more", text)


class SourcesTest(ImpactTest):
    def test_a_signed_policy_is_read_as_well(self) -> None:
        text = policies.policy_yaml(("version: 7", "version: 8"))
        self.estate.put("new.json", policies.signed(text))
        self.assertIn(
            "new.json: version 8", self.typed("policy impact new.json")
        )

    def test_two_files_and_given_results_need_no_configuration(self) -> None:
        self.draft((VOUCHES, "[attestation, execution-enclave, tpm]"))
        os.unlink("nova.conf")
        words = "policy impact new.yaml --old policy.json --results results"
        self.assertIn("there is no such file", self.typed(words, 1))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "nfv_mla_scheduler.cmd.main"),
                *words.split(),
                *("--at", "2026-11-20T10:00:00Z"),
                *("--management-domain", "acme"),
                *("--flavors", "flavors.json"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertIn("policy.json: version 7", done.stdout)

    def test_given_results_count_by_their_key(self) -> None:
        self.draft()
        words = "policy impact new.yaml --results results"
        self.assertIn("Nothing is newly", self.typed(words))
        text = self.typed(f"{words} --key collector.pub")
        self.assertIn("Nothing is newly", text)
        wrong = self.typed(f"{words} --key alice.pub", 1)
        self.assertIn("not signed with the key that is given", wrong)
        none = self.typed(f"{words} --key nova.conf", 1)
        self.assertIn("holds no public key", none)

    def test_a_collectors_new_key_makes_all_results_worth_nothing(
        self,
    ) -> None:
        theirs = policies.public_pem("mallory").splitlines()[1]
        ours = policies.public_pem("collector-a").splitlines()[1]
        self.draft((ours, theirs))
        text = self.typed("policy impact new.yaml --flavors flavors.json", 3)
        self.assertIn("none count under the new policy:", text)
        self.assertIn("(results-wrong-key)", text)
        self.assertIn("WARNING: none is left", text)
        found = self.document("--results results --key collector.pub", 0)
        self.assertEqual("", found["new"]["results_missing"])

    def test_it_writes_nothing(self) -> None:
        self.draft()
        before = sorted(os.listdir())
        self.typed("policy impact new.yaml")
        self.assertEqual(before, sorted(os.listdir()))


class TroubleTest(ImpactTest):
    def test_a_draft_that_does_not_lint(self) -> None:
        self.draft(("members: [par-1, par-2]", "members: [par-1, par-9]"))
        text = self.typed("policy impact new.yaml", 1)
        self.assertIn("pools.enclaves.members[1]", text)
        self.assertIn("the policy is not sound", text)

    def test_no_policy_is_in_force(self) -> None:
        self.draft()
        os.rename("policy.json", "old.json")
        text = self.typed("policy impact new.yaml", 1)
        self.assertIn("no policy is in force here: the file: No such", text)
        self.assertIn("name one with --old", text)
        self.assertIn(
            "Nothing is newly",
            self.typed("policy impact new.yaml --old old.json"),
        )

    def test_without_results_nothing_is_compared(self) -> None:
        self.draft()
        os.unlink("results")
        text = self.typed("policy impact new.yaml", 1)
        self.assertIn("no results count under the old policy", text)
        self.assertIn("results-missing", text)

    def test_results_that_are_too_old_tell_little(self) -> None:
        self.draft()
        self.now += 7 * 86400
        text = self.typed("policy impact new.yaml")
        self.assertIn(
            "this tells little; are the results too old?",
            " ".join(text.split()),
        )

    def test_a_version_that_does_not_rise(self) -> None:
        self.draft((VOUCHES, "[attestation, tpm]"), version=7)
        text = self.typed("policy impact new.yaml")
        self.assertIn("the new version has to be above 7", text)

    def test_policies_that_have_expired(self) -> None:
        self.draft(("expires: 2027-02-20", "expires: 2027-06-20"))
        moment = read_instant("2027-03-01")
        assert moment is not None
        self.now = moment
        text = self.typed("policy impact new.yaml --old policy.json")
        self.assertIn("the old policy has expired then", text)

    def test_wrong_usage(self) -> None:
        self.draft()
        for more in (
            "--at yesterday",
            "--management-domain Acme",
            "--extra-spec x",
            "--format xml",
        ):
            self.typed(f"policy impact new.yaml {more}", 2)
        self.estate.put("f.json", json.dumps([{"Name": "x"}]))
        text = self.typed("policy impact new.yaml --flavors f.json", 1)
        self.assertIn("list flavors with --long", text)
        self.estate.put("f.json", json.dumps({"Name": "x"}))
        text = self.typed("policy impact new.yaml --flavors f.json", 1)
        self.assertIn("is no list of flavors", text)

    def test_files_that_are_not_there(self) -> None:
        self.draft()
        for more in ("--old no", "--results no", "--flavors no"):
            self.assertEqual(
                "nfv-mla: no: No such file or directory\n",
                self.typed(f"policy impact new.yaml {more}", 1),
            )
        self.assertFalse(pathlib.Path("no").exists())
        self.assertIn(PROJECT, self.typed("policy show policy.json"))
