# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla explain``: what operators type, and what they read."""

from __future__ import annotations

import io
import json
import os
import pathlib
import subprocess
import sys
import unittest
from typing import Any
from unittest import mock

from nfv_mla_scheduler.cmd import main
from nfv_mla_scheduler.cmd.explain_conf import read_conf
from nfv_mla_scheduler.conf import settings
from nfv_mla_scheduler.judge.dirty import tag_of
from nfv_mla_scheduler.policy.breakglass import break_glass_envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.scheduler.engine import Engine
from nfv_mla_scheduler.scheduler.kept import Kept
from tests import policies
from tests.unit.explain import estate
from tests.unit.explain.estate import NOW
from tests.unit.explain.estate import PROJECT
from tests.unit.explain.estate import EstateTest
from tests.unit.judge.court import Candidate

TPM = "--extra-spec nfv_mla:capability.tpm=hardware"


class ExplainTest(EstateTest):
    def document(self, line: str, status: int = 0) -> dict[str, Any]:
        text = self.typed(f"explain {line} --format json", status)
        found: dict[str, Any] = json.loads(text)
        self.assertEqual("nfv-mla-explain/1", found["format"])
        return found

    def verdicts(self, line: str, status: int = 0) -> dict[str, list[str]]:
        """Return the codes by which each host refuses."""
        found = self.document(line, status)
        return {
            host["host"]: sorted(
                {found["reasons"][n]["code"] for n in host["refusals"]}
            )
            for host in found["hosts"]
        }


class AskedTest(ExplainTest):
    def test_a_flavor_as_openstack_prints_it(self) -> None:
        by_file = self.verdicts("--flavor keys.small.json")
        self.assertEqual(
            {
                "ber-1": [],
                "ber-2": ["grade-too-weak", "pool-exclusive"],
                "par-1": ["no-claim", "value-mismatch"],
                "par-2": ["value-mismatch"],
            },
            by_file,
        )
        by_hand = self.verdicts(
            f"{TPM} --extra-spec nfv_mla:location.jurisdiction=DE"
        )
        self.assertEqual(by_file, by_hand)

    def test_whatever_form_a_flavor_has_it_asks_the_same(self) -> None:
        specs = estate.FLAVOR["properties"]
        expected = self.verdicts("--flavor keys.small.json")
        for number, form in enumerate(
            (
                specs,
                {"extra_specs": specs, "name": "x"},
                {"flavor": {"extra_specs": specs, "id": "7"}},
                {"Name": "x", "Properties": specs},
            )
        ):
            with self.subTest(form=number):
                self.estate.put("f.json", json.dumps(form))
                self.assertEqual(expected, self.verdicts("--flavor f.json"))

    def test_a_flavor_without_extra_specs_asks_for_nothing(self) -> None:
        for empty in ({"properties": {}}, {"properties": ""}, {}):
            self.estate.put("f.json", json.dumps(empty))
            found = self.document("--flavor f.json")
            self.assertEqual({}, found["asked"]["sources"])
            self.assertEqual(
                {"pool-exclusive": 1}, found["summary"]["refused"]
            )

    def test_an_argument_counts_for_more_than_a_file(self) -> None:
        self.assertEqual(
            [],
            self.verdicts(
                "--flavor keys.small.json "
                "--extra-spec nfv_mla:location.jurisdiction=FR"
            )["par-2"],
        )

    def test_what_an_image_asks_for_counts(self) -> None:
        wants = "--extra-spec nfv_mla:provision=signed-image --host par-2"
        signed = {
            "img_signature": "x",
            "img_signature_hash_method": "SHA-256",
            "img_signature_key_type": "RSA-PSS",
            "img_signature_certificate_uuid": "u",
            "hw_disk_bus": "virtio",
            "size": 12,
        }
        lacks = ["application-lacks", "no-claim"]
        self.assertEqual({"par-2": lacks}, self.verdicts(wants, 1))
        self.estate.put("i.json", json.dumps({"properties": signed}))
        plain = {"id": "7", "min_ram": 0, **signed}
        self.estate.put("j.json", json.dumps(plain))
        by_hand = " ".join(
            f"--property {name}={value}" for name, value in signed.items()
        )
        for image in ("--image i.json", "--image j.json", by_hand):
            with self.subTest(image=image):
                self.assertEqual(
                    {"par-2": ["no-claim"]},
                    self.verdicts(f"{wants} {image}", 1),
                )
                self.assertEqual(
                    {"par-2": lacks},
                    self.verdicts(f"{wants} {image} --from-volume", 1),
                )

    def test_hints_narrow_and_may_be_given_twice(self) -> None:
        axis = "nfv_mla:location.jurisdiction"
        one = self.verdicts(f"--hint {axis}=FR")
        self.assertEqual([], one["par-2"])
        self.assertEqual(["no-claim"], one["par-1"])
        both = self.verdicts(f"--hint {axis}=FR --hint {axis}=DE-BE")
        self.assertEqual([], both["ber-1"] + both["par-2"])
        found = self.document(f"--hint {axis}=FR --hint {axis}=DE-BE")
        self.assertEqual(
            {"location": ["jurisdiction: DE-BE FR"]},
            found["asked"]["sources"]["hint"],
        )

    def test_a_project_brings_floor_and_trust_domain(self) -> None:
        found = self.document(f"--project {PROJECT} --host par-2", 1)
        self.assertEqual("acme-keys", found["asked"]["trust_domain"])
        self.assertEqual(
            ["sensitive-application-function"],
            found["asked"]["sources"]["floor"]["profile"],
        )
        self.assertIn(
            "5.1.1", {need["requirement"] for need in found["asked"]["needs"]}
        )

    def test_a_move_goes_where_the_present_pool_lets_it(self) -> None:
        line = f"--project {PROJECT} --source-host par-1"
        (par,) = (
            h for h in self.document(line)["hosts"] if h["host"] == "par-2"
        )
        self.assertTrue(par["refusals"])
        verdicts = self.verdicts(f"{TPM} --source-host par-1")
        self.assertEqual([], verdicts["par-2"])
        self.assertIn("move-not-allowed", verdicts["ber-2"])

    def test_what_cannot_be_read_is_told_with_key_and_value(self) -> None:
        line = "--extra-spec nfv_mla:max_age=soon --hint nfv_mla:pool=No"
        text = self.typed(f"explain {line}", 1)
        self.assertIn("nfv_mla:max_age: is not of the form of '60'", text)
        self.assertIn("('soon')", text)
        self.assertIn("nfv_mla:pool", text)
        self.assertIn("  all 4 hosts\n    malformed", text)
        found = self.document(line, 1)
        self.assertEqual(
            ["nfv_mla:max_age", "nfv_mla:pool"],
            [p["key"] for p in found["asked"]["malformed"]],
        )
        unknown = self.document("--extra-spec nfv_mla:pool=other", 1)
        self.assertEqual(
            [
                {
                    "key": "nfv_mla:pool",
                    "message": "the policy knows no such name",
                    "value": "other",
                }
            ],
            unknown["asked"]["malformed"],
        )

    def test_room_is_taken_for_granted_unless_told(self) -> None:
        line = f"{TPM} --extra-spec nfv_mla:follow=enclaved@host --host par-2"
        self.estate.alter(
            (
                "profiles:\n",
                "profiles:\n  enclaved:\n    base: multi-tenant-hosting\n"
                "    accept_declared: [location]\n",
            ),
            (
                "modes:\n",
                "modes:\n"
                "  profiles: {enclaved: {permissive_until: 2027-01-01}}\n",
            ),
            ("version: 7", "version: 8"),
        )
        text = self.typed(f"explain {line}")
        self.assertIn("taken for granted on every host (--no-room)", text)
        full = self.typed(f"explain {line} --no-room par-2", 1)
        self.assertIn("on every host but par-2 (--no-room)", full)
        self.assertIn("nothing-follows", full)
        self.assertNotIn("--no-room", self.typed(f"explain {TPM}"))


class ShownTest(ExplainTest):
    def test_the_summary_counts_hosts(self) -> None:
        text = self.typed(f"explain {TPM}")
        self.assertIn("2 of 4 hosts admit the server; 1 falls to", text)
        self.assertIn("ber-1", text)
        self.assertIn("What would have to change", text)

    def test_one_host_is_told_in_full_and_an_unknown_one_too(self) -> None:
        text = self.typed(f"explain --project {PROJECT} --host par-1", 1)
        self.assertIn("Host par-1 refuses the server: ", text)
        self.assertNotIn("more: --all-refusals", text)
        self.assertNotIn("par-2", text)
        self.assertEqual(
            {"web-1": ["host-unbound"]},
            self.verdicts(f"{TPM} --host web-1", 1),
        )
        self.assertEqual({"web-1": []}, self.verdicts("--host web-1"))

    def test_all_refusals_are_there_when_asked_for(self) -> None:
        short = self.typed(f"explain --project {PROJECT}")
        whole = self.typed(f"explain --project {PROJECT} --all-refusals")
        self.assertIn("reasons more: --all-refusals", short)
        self.assertNotIn("--all-refusals", whole)
        self.assertGreater(len(whole), len(short))

    def test_until_when_it_holds_and_what_was_set_aside(self) -> None:
        text = self.typed(f"explain {TPM} --host ber-1 --host par-2")
        self.assertIn("ber-1: until 2027-01-01T00:00:00Z\n", text)
        self.assertIn("set aside by permissive mode:\n    pool-excl", text)
        self.assertIn("par-2: until 2026-11-20T10:00:50Z\n", text)
        (ber, par) = self.document(f"{TPM} --host ber-1 --host par-2")["hosts"]
        self.assertEqual("2026-11-20T10:00:50Z", par["until"])
        self.assertEqual(1, len(ber["would_refuse"]))

    def test_json_says_all_that_the_judge_says(self) -> None:
        found = self.document("--flavor keys.small.json")
        self.assertEqual("2026-11-20T10:00:00Z", found["at"])
        self.assertEqual(
            {
                "version": 7,
                "digest": policies.policy().digest,
                "expires": "2027-02-20T00:00:00Z",
                "days_left": 91,
            },
            found["judged_by"]["policy"],
        )
        self.assertEqual(
            {
                "collector": "collector-a",
                "issued": "2026-11-20T09:59:58Z",
                "age_s": 2.0,
            },
            found["judged_by"]["results"],
        )
        (par,) = (h for h in found["hosts"] if h["host"] == "par-2")
        (number,) = par["refusals"]
        self.assertEqual(
            {
                "code": "value-mismatch",
                "capability": "location[jurisdiction]",
                "clause": "5.1.6",
                "authority": "veraison-bka",
                "detail": "DE; boot grade",
                "requirement": "location",
                "profile": "",
            },
            {
                key: value
                for key, value in found["reasons"][number].items()
                if key not in ("says", "basis", "remedies")
            },
        )
        again = self.document("--flavor keys.small.json")
        self.assertEqual(found, again)

    def test_break_glass_lets_in_whom_it_names(self) -> None:
        envelope = break_glass_envelope(
            policies.root(), BreakGlassTarget.HOST, "par-1", "flood", NOW, 2
        )
        signed = sign(envelope, [policies.signer("alice")])
        self.estate.put("break-glass/one.json", write_envelope(signed))
        text = self.typed("explain --flavor keys.small.json --host par-1")
        self.assertIn("1 break-glass waiver in force", text)
        self.assertIn("Host par-1 admits the server.", text)
        self.assertIn("set aside by a waiver:", text)

    def test_others_are_kept_off_hosts_that_are_dirty(self) -> None:
        """As the monitor's status file tells nova-scheduler."""
        tag = tag_of("domain acme-keys", "0" * 16)
        node = policies.policy().hosts["par-2"].node_uuid
        dirty = [{"node": node, "since": NOW, "for": tag}]
        said = json.dumps({"now": NOW, "dirty": dirty})
        path = self.estate.put("monitor-status.json", said)
        self.estate.configure(
            ("[nfv_mla]\n", f"[nfv_mla]\nmonitor_status_file = {path}\n")
        )
        verdicts = self.verdicts(TPM)
        self.assertEqual(["not-clean"], verdicts["par-2"])
        self.assertEqual([], verdicts["ber-1"])
        text = self.typed("explain --host par-2", 1)
        self.assertIn("Host par-2 refuses the server: not-clean.", text)
        # who is there stays, and its own domain's are let in
        self.assertEqual([], self.verdicts("--source-host par-2")["par-2"])
        own = self.verdicts(f"--project {PROJECT}")
        self.assertNotIn("not-clean", own["par-2"])


class TroubleTest(ExplainTest):
    def test_wrong_usage(self) -> None:
        for line in (
            "explain --extra-spec x",
            "explain --hint =y",
            "explain --format xml",
            "explain --server 7",
        ):
            self.assertRegex(self.typed(line, 2), r"\(see nfv-mla.* --help\)")

    def test_files_that_hold_something_else(self) -> None:
        for option, content, expected in (
            ("flavor", "nope", "is not JSON; print it with -f json"),
            ("flavor", "[1]", "is no JSON object"),
            ("flavor", '{"properties": "a=b"}', "properties are no object"),
            ("flavor", '{"nfv_mla:max_age": 60}', "is not text (60)"),
            ("image", '{"properties": []}', "properties are no object"),
            ("image", "", "is not JSON"),
            ("flavor", "[" * 100_000, "is not JSON"),
        ):
            with self.subTest(content=content[:20]):
                self.estate.put("x.json", content)
                text = self.typed(f"explain --{option} x.json", 1)
                self.assertTrue(text.startswith("nfv-mla: x.json: "), text)
                self.assertIn(expected, text)
        text = self.typed("explain --flavor missing.json", 1)
        self.assertEqual(
            "nfv-mla: missing.json: No such file or directory\n", text
        )

    def test_configuration_that_is_not_there(self) -> None:
        err = io.StringIO()
        home = {"HOME": os.path.join(os.getcwd(), "break-glass")}
        with (
            mock.patch.dict(os.environ, home),
            mock.patch.object(sys, "stderr", err),
        ):
            self.assertEqual(1, main.main(["explain"]))
        if not pathlib.Path("/etc/nova").exists():
            self.assertIn("name it with --config-file", err.getvalue())
        for name, content, expected in (
            ("none.conf", None, "there is no such file"),
            ("odd.conf", "a = b\nsecret", "odd.conf, line 2: is no"),
            ("odd.conf", "[nfv_mla]\nmax_skew_s = 900\n", "max_skew_s"),
        ):
            if content is not None:
                self.estate.put(name, content)
            text = self.typed(f"explain --config-file {name}", 1)
            self.assertIn(expected, text)
            self.assertNotIn("secret", text)
            self.assertEqual(1, text.count("\n"))

    def test_no_policy(self) -> None:
        os.unlink("policy.json")
        text = self.typed(f"explain {TPM}", 1)
        self.assertIn("policy     none: the file: No such file", text)
        self.assertIn("Any host refuses the server: no-policy.", text)
        self.assertIn("set policy_file and officer_keys", text)
        self.assertIn("Any host admits the server.", self.typed("explain"))
        self.estate.configure(
            ("state_dir", "without_policy = refuse_all\nstate_dir")
        )
        self.assertIn("no-policy", self.typed("explain", 1))

    def test_nothing_configured(self) -> None:
        self.estate.put("nova.conf", "[DEFAULT]\n")
        text = self.typed(f"explain {TPM}", 1)
        self.assertIn("policy     none: policy_file is not set", text)
        self.assertIn("results    none: results_file is not set", text)

    def test_a_policy_that_is_not_taken(self) -> None:
        alone = policies.signed(
            policies.policy_yaml(), [policies.signer("alice")]
        )
        self.estate.put("policy.json", alone)
        text = self.typed(f"explain {TPM}", 1)
        self.assertIn("(policy-under-signed)", text)

    def test_an_expired_policy_never_taken_before(self) -> None:
        self.now = policies.policy().expires_at + 1
        text = self.typed(f"explain {TPM}", 1)
        self.assertIn("(policy-expired)", text)

    def test_no_results_or_bad_ones(self) -> None:
        os.rename("results", "gone")
        text = self.typed(f"explain {TPM} --host par-2", 1)
        self.assertIn("results    none: the file: No such file", text)
        self.assertIn("Nobody whose word counts claims tpm", text)
        self.estate.publish(signer="mallory")
        text = self.typed(f"explain {TPM} --host par-2", 1)
        self.assertIn("(results-wrong-key)", text)

    def test_results_that_are_too_old(self) -> None:
        self.now += 600
        text = self.typed(f"explain {TPM} --host par-2", 1)
        self.assertIn("issued 10 min ago", text)
        self.assertIn(
            "What authority veraison-bka said of tpm (Trusted Platform "
            "Module, TPM) is too old.",
            " ".join(text.split()),
        )


class StateTest(ExplainTest):
    """``state_dir`` is nova-scheduler's: read, and left as it is."""

    def _engine(self) -> Engine:
        conf = read_conf(["nova.conf"])
        engine = Engine.start(settings(conf), Kept(conf), conf)
        self.addCleanup(engine.stop)
        return engine

    def _kept(self) -> dict[str, bytes]:
        return {
            path.name: path.read_bytes()
            for path in pathlib.Path("state").iterdir()
        }

    def test_nothing_is_written(self) -> None:
        before = sorted(os.listdir())
        self.typed(f"explain {TPM}")
        self.assertEqual(before, sorted(os.listdir()))
        self._engine().stop()
        kept = self._kept()
        self.assertIn("policy-highest.json", kept)
        self.estate.alter(("version: 7", "version: 9"))
        self.typed(f"explain {TPM}")
        self.assertEqual(kept, self._kept())

    def test_an_older_policy_is_refused_as_the_scheduler_refuses_it(
        self,
    ) -> None:
        self.estate.alter(("version: 7", "version: 9"))
        self._engine().stop()
        self.estate.alter(("version: 7", "version: 8"))
        text = self.typed(f"explain {TPM}")
        self.assertIn("policy     version 9, until", text)
        self.assertIn("(policy-rolled-back)", text)

    def test_an_expired_policy_still_closes_its_pools(self) -> None:
        self._engine().stop()
        self.now = policies.policy().expires_at + 1
        text = self.typed(f"explain {TPM}", 1)
        self.assertIn("policy     version 7", text)
        self.assertIn("(expired)", text)
        self.assertIn("policy-expired", text)
        verdicts = self.verdicts("")
        self.assertEqual(["pool-exclusive"], verdicts["ber-2"])
        self.assertEqual([], verdicts["par-2"])

    def test_state_that_cannot_be_read_is_told_with_what_to_do(self) -> None:
        self.estate.put("state", "not a directory")
        text = self.typed(f"explain {TPM}")
        self.assertIn("state      ", text)
        self.assertIn(
            "use the account of nova-scheduler", " ".join(text.split())
        )

    def test_a_lost_policy_closes_what_the_scheduler_closes(self) -> None:
        self._engine().stop()
        os.unlink("policy.json")
        os.unlink("state/policy-last-good.json")
        engine = self._engine()
        hosts = ("ber-1", "ber-2", "par-2", "web-1")
        named = " ".join(f"--host {host}" for host in hosts)
        candidates = [Candidate("", host) for host in hosts]
        for asked, specs in (
            ("", {}),
            (TPM, {"nfv_mla:capability.tpm": "hardware"}),
        ):
            plain = Plain("", specs, None, {}, None, "")
            left, _ = engine.decide(plain, candidates, self.now)
            admitted = {c.host for c in left}
            verdicts = self.verdicts(f"{asked} {named}", 0 if left else 1)
            self.assertEqual(
                admitted, {h for h, codes in verdicts.items() if not codes}
            )
        self.assertEqual(
            {"web-1", "par-2", "ber-1"},
            {h for h, codes in self.verdicts(named).items() if not codes},
        )


class AloneTest(EstateTest):
    def test_it_needs_no_nova(self) -> None:
        code = (
            "import sys; sys.modules['nova'] = None\n"
            "from nfv_mla_scheduler.cmd import main\n"
            "sys.exit(main.main(sys.argv[1:]))\n"
        )
        done = subprocess.run(
            [
                *(sys.executable, "-c", code, "explain"),
                *("--config-file", "nova.conf"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # by the clock of today the policy has not come into force, or is over
        self.assertIn("Judged by", done.stdout, done.stderr)
        self.assertEqual("", done.stderr)


if __name__ == "__main__":
    unittest.main()
