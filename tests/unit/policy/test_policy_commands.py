# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy``: what officers type, and what they read."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

from nfv_mla_scheduler.cmd import main
from nfv_mla_scheduler.cmd import policy_files
from nfv_mla_scheduler.policy.acceptance import accept
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies

OFFICERS = ("--officer-key", "alice.pub", "bob.pub")


class CommandTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(temporary.name)
        self.now = policies.NOW
        patch = mock.patch.object(policy_files.time, "time", lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)
        for name in ("alice", "bob", "mallory"):
            pathlib.Path(f"{name}.key").write_bytes(policies.private_pem(name))
            pathlib.Path(f"{name}.pub").write_text(policies.public_pem(name))
        pathlib.Path("policy.yaml").write_text(policies.policy_yaml())

    def run_(self, *args: str, status: int = 0) -> str:
        """Run a command; return what it printed, errors at the end."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            got = main.main(["policy", *args])
        text = out.getvalue() + err.getvalue()
        self.assertEqual(got, status, text)
        self.assertNotIn("Traceback", text)
        if status:
            self.assertTrue(err.getvalue() or args[0] == "lint", text)
        for line in err.getvalue().splitlines():
            self.assertLessEqual(len(line), 340)
        return text

    def both(self) -> None:
        self.run_("sign", "policy.yaml", "--key", "alice.key")
        self.run_("sign", "policy.json", "--key", "bob.key")


class InitTest(CommandTest):
    def test_a_signed_starter_policy(self) -> None:
        text = self.run_("init", "new", "--operator", "acme")
        directory = pathlib.Path("new").resolve()
        for option in ("policy_file", "officer_keys", "officer_threshold"):
            self.assertIn(f"\n{option} = ", text)
        root = read_root(
            [directory / "officer-1.pub", directory / "officer-2.pub"], 2
        )
        data = (directory / "policy.json").read_bytes()
        policy = accept(data, root, load(), highest=None, now=self.now)
        self.assertEqual(policy.operator, "acme")
        self.assertIn("no problems", self.run_("lint", "new/policy.yaml"))
        for name in ("officer-1", "officer-2", "collector"):
            mode = (directory / f"{name}.key").stat().st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_keys_are_never_replaced(self) -> None:
        self.run_("init", "new")
        text = self.run_("init", "new", status=1)
        self.assertIn("is not empty", text)
        self.run_("init", "policy.yaml", status=1)

    def test_a_name_that_is_none(self) -> None:
        text = self.run_("init", "new", "--operator", "ACME", status=2)
        self.assertIn("lower-case", text)
        self.assertFalse(pathlib.Path("new").exists())

    def test_encrypted_keys(self) -> None:
        pathlib.Path("secret").write_text("correct horse\n")
        self.run_("init", "new", "--encrypt", "--passphrase-file", "secret")
        key = ("--key", "new/officer-1.key", "--out", "x.json")
        self.assertIn(b"ENCRYPTED", pathlib.Path(key[1]).read_bytes())
        with mock.patch.object(os, "environ", {}):
            text = self.run_("sign", "policy.yaml", *key, status=1)
        self.assertIn("a passphrase is needed", text)
        wrong = {"NFV_MLA_PASSPHRASE": "wrong horse"}
        with mock.patch.dict(os.environ, wrong):
            text = self.run_("sign", "policy.yaml", *key, status=1)
        self.assertIn("the passphrase is wrong", text)
        with mock.patch.dict(os.environ, wrong):
            self.run_(
                "sign", "policy.yaml", *key, "--passphrase-file", "secret"
            )


class SignTest(CommandTest):
    def test_two_officers_one_after_the_other(self) -> None:
        text = self.run_("sign", "policy.yaml", "--key", "alice.key")
        self.assertIn(policies.policy().digest, text)
        self.assertIn("version   7", text)
        self.assertIn("policy.json now has 1 signature.", text)
        self.run_("verify", "policy.json", *OFFICERS, status=1)
        os.rename("policy.json", "from-alice.json")
        text = self.run_(
            "sign", "from-alice.json", "--key", "bob.key", "--out", "both.json"
        )
        self.assertIn("now has 2 signatures", text)
        text = self.run_("verify", "both.json", *OFFICERS)
        self.assertIn("Accepted", text)
        self.assertIn("alice.pub", text)

    def test_a_key_of_openssl(self) -> None:
        for command in (
            ["genpkey", "-algorithm", "ed25519", "-out", "o.key"],
            ["pkey", "-in", "o.key", "-pubout", "-out", "o.pub"],
        ):
            subprocess.run(["openssl", *command], check=True)
        self.run_("sign", "policy.yaml", "--key", "o.key")
        keys = ("--officer-key", "o.pub", "--threshold", "1")
        self.run_("verify", "policy.json", *keys)

    def test_nobody_signs_twice(self) -> None:
        self.run_("sign", "policy.yaml", "--key", "alice.key")
        text = self.run_("sign", "policy.json", "--key", "alice.key", status=1)
        self.assertIn("has signed this already", text)

    def test_a_policy_with_problems_is_not_signed(self) -> None:
        bad = policies.policy_yaml(("version: 7", "version: 0"))
        pathlib.Path("bad.yaml").write_text(bad)
        key = ("--key", "alice.key")
        text = self.run_("sign", "bad.yaml", *key, status=1)
        self.assertIn("bad.yaml:2: version: has to be", text)
        self.assertFalse(pathlib.Path("bad.json").exists())
        self.run_("sign", "bad.yaml", *key, "--force")
        self.run_(
            "verify", "bad.json", *OFFICERS, "--threshold", "1", status=1
        )

    def test_files_are_not_replaced_unasked(self) -> None:
        self.run_("sign", "policy.yaml", "--key", "alice.key")
        text = self.run_("sign", "policy.yaml", "--key", "bob.key", status=1)
        self.assertIn("to add a signature, sign that file", text)

    def test_keys_that_are_none(self) -> None:
        rsa = ["genpkey", "-algorithm", "RSA", "-out", "rsa.key", "-quiet"]
        subprocess.run(["openssl", *rsa], check=True, capture_output=True)
        for key, told in (
            ("alice.pub", "holds no private key"),
            ("policy.yaml", "holds no private key"),
            ("nowhere.key", "No such file"),
            (".", "directory"),
            ("rsa.key", "another kind"),
        ):
            text = self.run_("sign", "policy.yaml", "--key", key, status=1)
            self.assertIn(told, text)

    def test_what_is_no_policy_is_not_signed(self) -> None:
        self.run_("sign", "alice.key", "--key", "alice.key", status=1)
        pathlib.Path("x.json").write_bytes(
            policies.signed("a: b", payload_type="text/plain")
        )
        text = self.run_("sign", "x.json", "--key", "alice.key", status=1)
        self.assertIn("'text/plain'", text)


class VerifyTest(CommandTest):
    def test_who_signed(self) -> None:
        self.both()
        self.run_("sign", "policy.json", "--key", "mallory.key")
        text = self.run_("verify", "policy.json", *OFFICERS)
        self.assertIn("by none of these officers", text)
        self.assertEqual(text.count("| valid"), 2)

    def test_its_time_has_passed(self) -> None:
        self.both()
        self.now = policies.policy().expires_at
        text = self.run_("verify", "policy.json", *OFFICERS, status=1)
        self.assertIn("expired at 2027-02-20T00:00:00Z", text)

    def test_roots_that_are_none(self) -> None:
        self.both()
        for args, told in (
            ((*OFFICERS, "--threshold", "0"), "below 1"),
            ((*OFFICERS, "--threshold", "3"), "only 2"),
            ((*OFFICERS, "alice.pub"), "twice"),
            (("--officer-key", "alice.key"), "alice.key: holds a private"),
            (("--officer-key", "nowhere.pub"), "No such file"),
        ):
            text = self.run_("verify", "policy.json", *args, status=1)
            self.assertIn(told, text)


class ReadTest(CommandTest):
    def test_lint_lists_every_problem_with_file_and_line(self) -> None:
        bad = policies.policy_yaml(
            ("version: 7", "version: 0"), ("[hsm, ", "[hmm, ")
        )
        pathlib.Path("bad.yaml").write_text(bad)
        text = self.run_("lint", "bad.yaml", status=1)
        first, second, last = text.splitlines()
        self.assertEqual(
            first,
            "bad.yaml:2: version: has to be a whole number from 1 to 2**53; "
            "it only ever rises (0)",
        )
        self.assertIn(": pools.keys.prove[0]: there is no such", second)
        self.assertEqual(last, "bad.yaml: 2 problems, no warnings")

    def test_lint_of_an_envelope(self) -> None:
        self.both()
        text = self.run_("lint", "policy.json")
        self.assertIn("policy.json:85: warning: profiles.li-de", text)
        self.assertIn("no problems, 2 warnings", text)

    def test_lint_of_what_is_no_policy(self) -> None:
        pathlib.Path("x").write_bytes(b"\xff\x00")
        self.assertIn("is not UTF-8", self.run_("lint", "x", status=1))
        self.assertIn("No such file", self.run_("lint", "y", status=1))
        self.run_("lint", ".", status=1)

    def test_show_names_everything(self) -> None:
        self.both()
        for file in ("policy.yaml", "policy.json"):
            text = self.run_("show", file)
            for word in (
                *("keylime-fra", "collector-a", "ber-2", "HR-4711", "DE-BY"),
                *("pooled-restricted", "li-de", "CHG-1", "acme-keys"),
                *("keys", "rebuild-elsewhere", "20 % of hosts", "lossless"),
            ):
                self.assertIn(word, text)

    def test_show_prints_nothing_that_moves_the_cursor(self) -> None:
        sly = policies.policy_yaml(("CHG-1", '"a\\u009b2J\\u202eb"'))
        pathlib.Path("sly.yaml").write_text(sly)
        text = self.run_("show", "sly.yaml")
        self.assertIn("a?2J?b", text)

    def test_show_of_a_policy_with_problems(self) -> None:
        bad = policies.policy_yaml(("version: 7", "version: 0"))
        pathlib.Path("bad.yaml").write_text(bad)
        self.assertIn("bad.yaml:2: ", self.run_("show", "bad.yaml", status=1))

    def test_diff_marks_what_weakens(self) -> None:
        new = policies.policy_yaml(
            ("version: 7", "version: 8"), ("[acme-keys]", "[acme]")
        )
        pathlib.Path("new.yaml").write_text(new)
        text = self.run_("diff", "policy.yaml", "new.yaml")
        self.assertEqual(
            text.splitlines(),
            [
                "~ version: 7 -> 8",
                "~ pools.keys.exclusive_to: acme-keys -> acme  WEAKER",
                "2 differences, 1 of them WEAKER",
            ],
        )

    def test_diff_tells_that_the_version_has_to_rise(self) -> None:
        pathlib.Path("new.yaml").write_text(policies.policy_yaml() + "#\n")
        text = self.run_("diff", "policy.yaml", "new.yaml")
        self.assertIn("no differences", text)
        self.assertIn("The version has to rise", text)


class BreakGlassTest(CommandTest):
    ARGS = ("--reason", "fire", "--key", "alice.key", "--out", "b.json")

    def test_a_waiver(self) -> None:
        text = self.run_(
            "break-glass", "--host", "b-1", "--hours", "3", *self.ARGS,
            *OFFICERS,
        )  # fmt: skip
        self.assertIn("the host b-1", text)
        data = pathlib.Path("b.json").read_bytes()
        waiver = read_break_glass(data, policies.root(), self.now)
        self.assertEqual(waiver.until, self.now + 3 * 3600)
        text = self.run_("verify", "b.json", *OFFICERS)
        self.assertIn("reason  fire", text)
        self.now += 3 * 3600
        self.run_("verify", "b.json", *OFFICERS, status=1)

    def test_what_is_refused(self) -> None:
        hours, long = ("--hours", "3"), ("--hours", "25")
        host = ("--host", "b-1")
        for args, status in (
            ((*host, *long), 2),
            ((*host, "--hours", "0"), 2),
            (hours, 2),
            ((*host, "--server", "x", *hours), 2),
            (("--server", "x", *hours), 2),
            (("--host", "b 1", *hours), 2),
            ((*host, *hours, "--reason", ""), 2),
            ((*host, *hours, "--key", "mallory.key"), 1),
            ((*host, *hours, "--threshold", "3"), 1),
        ):
            with self.subTest(args=args):
                self.run_(
                    "break-glass", *self.ARGS, *args, *OFFICERS, status=status
                )
        self.assertFalse(pathlib.Path("b.json").exists())


class UsageTest(CommandTest):
    def test_wrong_usage_is_one_line_and_status_2(self) -> None:
        for args in (
            ("sing", "policy.yaml"),
            ("sign", "policy.yaml"),
            ("sign", "--key", "alice.key"),
            ("lint",),
            ("verify", "policy.json"),
            ("verify", "policy.json", *OFFICERS, "--threshold", "x"),
            ("diff", "policy.yaml"),
            ("init",),
            ("sign", "-", "--key", "alice.key"),
        ):
            with (
                self.subTest(args=args),
                mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(b""))),
            ):
                text = self.run_(*args, status=2)
                self.assertEqual(text.count("\n"), 1, text)

    def test_every_command_explains_itself(self) -> None:
        for name in (
            *("init", "lint", "sign", "verify", "show", "diff"),
            "break-glass",
        ):
            self.assertIn("usage:", self.run_(name, "--help"))
