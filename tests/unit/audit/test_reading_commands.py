# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit show``, ``follow`` and ``export``: what they print."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import unittest
from typing import IO
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.audit import ledger as ledgers
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.cmd import main as program
from nfv_mla_scheduler.cmd.audit_show import UNVERIFIED
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.policy.root import key_id
from tests.unit.audit.scribbled import NOON
from tests.unit.audit.scribbled import OTHER
from tests.unit.audit.scribbled import PROJECT
from tests.unit.audit.scribbled import REFUSED
from tests.unit.audit.scribbled import SERVER
from tests.unit.audit.scribbled import Domain
from tests.unit.audit.scribbled import Ledger

ONE, TWO = "ctl-1.nova-scheduler.0", "ctl-2.nfv-mla-monitor.0"
STEP = {"step": "stop", "ask": "os-stop", "server": SERVER, "host": "ber-1"}
NASTY = '\x1b]0;x\x07\r\n\u202e\x9b2J"'
PATIENCE_S = 60.0
WRONG = (
    ("show", "--kind", "heart-beat"),
    ("show", "--since", "yesterday"),
    ("show", "--until", "2h ago"),
    ("show", "--limit", "-1"),
    ("show", "--limit", "ten"),
    ("show", "--format", "cadf"),
    ("show", "a", "b"),
    ("follow", "--last", "x"),
    ("follow", "--last", "5000"),
    ("export",),
    ("export", "--format", "xml"),
)


class AuditTestCase(unittest.TestCase):
    def setUp(self) -> None:
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.area = pathlib.Path(held.name)
        self.directory = self.area / "ledger"
        self.ledger = Ledger(self.directory)
        self.one = self.ledger.origin(ONE)
        self.two = self.ledger.origin(TWO)

    def say(self, *words: str) -> tuple[int, str, str]:
        """Run a command of ``audit``."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = program.main(("audit", *words))
        return found, out.getvalue(), err.getvalue()

    def show(self, *words: str) -> list[str]:
        """Return the lines that ``show`` prints of the ledger."""
        found, out, err = self.say("show", str(self.directory), *words)
        self.assertEqual(0, found, err)
        return out.splitlines()

    def seal(self, secret: bytes | None = None) -> str:
        """Seal something; return the file of the key that opens it."""
        domain = Domain()
        block = domain.block(
            (EventKind.STEP_DONE, NOON + 1, {**STEP, "server": OTHER})
        )
        chain = self.ledger.sealed(ONE, "acme")
        chain.add(EventKind.SEALED, NOON + 4, block)
        path = self.area / "acme.key"
        path.write_bytes(domain.pem(secret))
        return str(path)


class UsageTest(AuditTestCase):
    def test_wrong_usage_is_status_two_and_one_line(self) -> None:
        for words in WRONG:
            with self.subTest(words=words):
                found, out, err = self.say(*words)
                self.assertEqual((2, "", 1), (found, out, err.count("\n")))
                self.assertLessEqual(len(err), LINE_MAX + 120)

    def test_what_is_not_there_is_named(self) -> None:
        for command in (("show",), ("follow",), ("export", "--format=cadf")):
            for words, named, status in (
                (("/nowhere",), "/nowhere", 2),
                (("--config-file", "/nowhere.conf"), "/nowhere.conf", 2),
                ((str(self.directory), "--seal-key", "/no.key"), "/no.key", 1),
                ((str(self.one.directory),), "of one origin", 2),
            ):
                with self.subTest(command=command, words=words):
                    found, out, err = self.say(*command, *words)
                    self.assertEqual((status, ""), (found, out))
                    self.assertIn(named, err)

    def test_the_directory_comes_from_a_services_options(self) -> None:
        self.one.add(EventKind.PLACED, NOON, {"server": SERVER})
        conf = self.area / "x.conf"
        conf.write_text(f"[nfv_mla]\naudit_dir = {self.directory}\n")
        found, out, _ = self.say("show", "--config-file", str(conf))
        self.assertEqual((0, 1), (found, out.count("placed")))
        conf.write_text("[nfv_mla]\n")
        found, out, err = self.say("show", "--config-file", str(conf))
        self.assertEqual((2, ""), (found, out))
        self.assertIn("audit_dir is not set", err)


class ShowTest(AuditTestCase):
    def test_entries_of_all_origins_the_newest_last(self) -> None:
        self.two.add(EventKind.STEP_INTENDED, NOON + 1, STEP)
        self.one.add(EventKind.REQUEST_REFUSED, NOON, REFUSED)
        self.one.add(EventKind.HEARTBEAT, NOON + 3, {})
        self.two.add(EventKind.STEP_DONE, NOON + 2, {**STEP, "outcome": "x"})
        found, out, err = self.say("show", str(self.directory))
        self.assertEqual(0, found)
        told = [line.split(" ")[1:3] for line in out.splitlines()]
        self.assertEqual(
            [
                [ONE, "request-refused"],
                [TWO, "step-intended"],
                [TWO, "step-done"],
            ],
            told,
        )
        self.assertEqual(f"nfv-mla audit show: {UNVERIFIED}\n", err)

    def test_only_what_is_asked_for(self) -> None:
        for number in range(5):
            self.one.add(EventKind.PLACED, NOON + number, {"server": OTHER})
        self.one.add(EventKind.REQUEST_REFUSED, NOON + 5, REFUSED)
        self.two.add(EventKind.STEP_DONE, NOON + 6, STEP)
        self.two.add(EventKind.HEARTBEAT, NOON + 7, {})
        for words, count in (
            ((), 7),
            (("--all",), 8),
            (("--limit", "3"), 3),
            (("--limit", "0"), 0),
            (("--kind", "placed", "--kind", "heartbeat"), 6),
            (("--origin", TWO), 1),
            (("--server", SERVER.upper()), 2),
            (("--server", SERVER, "--host", "ber-1"), 1),
            (("--project", PROJECT), 1),
            (("--since", "2026-11-23T12:00:04Z"), 3),
            (("--until", "2026-11-23T12:00:04Z"), 4),
            (("--since", "2026-11-24"), 0),
        ):
            with self.subTest(words):
                self.assertEqual(count, len(self.show(*words)))
        (last,) = self.show("--limit", "1")
        self.assertIn("step-done", last)

    def test_as_json(self) -> None:
        self.one.add(EventKind.REQUEST_REFUSED, NOON, REFUSED)
        (line,) = self.show("--json")
        found = json.loads(line)
        self.assertEqual(self.one.hash, found["hash"])
        self.assertEqual(REFUSED, found["fields"])

    def test_what_an_attacker_wrote_is_harmless(self) -> None:
        fields = {NASTY: NASTY, "text": NASTY * 300, "name": [NASTY]}
        self.one.add(EventKind.FINDING, NOON, fields)
        self.one.write(f"{NASTY}\n".encode())
        for words in ((), ("--json",)):
            with self.subTest(words):
                (line,) = self.show(*words)
                self.assertTrue(line.isprintable())
                self.assertLessEqual(len(line), 32 * 1024)

    def test_what_cannot_be_read_is_said_and_the_rest_is_shown(self) -> None:
        self.one.add(EventKind.PLACED, NOON, {"server": SERVER})
        bad = self.directory / f"x{NASTY}"
        bad.mkdir()
        (bad / "a.jsonl.gz").write_bytes(b"\x1f\x8b no gzip")
        self.two.write(b"garbage\n")
        found, out, err = self.say("show", str(self.directory))
        self.assertEqual((1, 1), (found, out.count("\n")))
        self.assertEqual(3, err.count("\n"))
        self.assertIn("1 line passed over", err)
        self.assertTrue(all(map(str.isprintable, err.split("\n"))))

    def test_a_terminal_that_knows_ascii_alone(self) -> None:
        waiver = {"officer": "bob", "reason": "Störung"}
        fields = {"server": SERVER, "waivers": [waiver]}
        self.one.add(EventKind.BREAK_GLASS_USED, NOON, fields)
        self.assertIn("Störung", self.show()[0])
        found = subprocess.run(
            [*COMMAND, "show", str(self.directory)],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=True,
        )
        self.assertIn(rb"St\xf6rung", found.stdout)


class SealedTest(AuditTestCase):
    def test_with_the_key_what_is_sealed_is_among_the_rest(self) -> None:
        key = self.seal()
        self.one.add(EventKind.PLACED, NOON, {})
        self.one.add(EventKind.PLACED, NOON + 2, {})
        self.assertEqual(2, len(self.show()))
        lines = self.show("--seal-key", key)
        self.assertEqual(3, len(lines))
        self.assertIn(f"{ONE} sealed:acme step-done", lines[1])
        self.assertIn(OTHER, lines[1])

    def test_a_key_with_a_passphrase(self) -> None:
        key = self.seal(b"secret")
        secret = self.area / "secret"
        for said, expected in (("secret", 0), ("wrong", 1), ("", 1)):
            secret.write_text(f"{said}\n")
            with self.subTest(said):
                found, out, err = self.say(
                    *("show", str(self.directory), "--seal-key", key),
                    *("--passphrase-file", str(secret)),
                )
                self.assertEqual(expected, found, err)
                self.assertEqual(not expected, OTHER in out)

    def test_another_key_opens_nothing_and_says_how_much(self) -> None:
        self.seal()
        key = self.area / "other.key"
        key.write_bytes(Domain().pem())
        words = ("show", str(self.directory), "--seal-key", str(key))
        found, out, err = self.say(*words)
        self.assertEqual((0, ""), (found, out))
        self.assertIn("1 sealed block passed over", err)

    def test_a_public_key_is_no_key_for_this(self) -> None:
        key = self.area / "acme.pub"
        key.write_text("-----BEGIN PUBLIC KEY-----\n")
        words = ("show", str(self.directory), "--seal-key", str(key))
        found, _, err = self.say(*words)
        self.assertEqual(1, found)
        self.assertIn("holds no private key", err)


class ExportTest(AuditTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.one.add(EventKind.REQUEST_REFUSED, NOON, REFUSED)
        self.one.add(EventKind.HEARTBEAT, NOON + 1, {"results_age_s": 2.0})
        self.two.add(EventKind.STEP_DONE, NOON + 2, STEP)
        self.key = self.seal()

    def export(self, *words: str) -> tuple[int, str, str]:
        return self.say(
            "export", str(self.directory), "--format", "cadf", *words
        )

    def test_one_event_in_each_line_and_the_same_each_time(self) -> None:
        found, out, err = self.export()
        self.assertEqual((0, ""), (found, err))
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(
            ["request-refused", "heartbeat", "step-done"],
            [event["name"] for event in events],
        )
        self.assertEqual(3, len({event["id"] for event in events}))
        self.assertEqual((found, out, err), self.export())

    def test_what_is_sealed_needs_the_key(self) -> None:
        self.assertNotIn(OTHER, self.export()[1])
        _, out, _ = self.export("--seal-key", self.key)
        self.assertEqual(4, out.count("\n"))
        self.assertIn(OTHER, out)
        self.assertNotIn("jwe", out)

    def test_only_what_is_asked_for(self) -> None:
        _, out, _ = self.export("--kind", "step-done")
        self.assertEqual(1, out.count("\n"))

    def test_a_file_is_for_its_owner_and_replaced_in_one_step(self) -> None:
        path = self.area / "out.jsonl"
        path.write_text("old")
        words = ("export", "/nowhere", "--format", "cadf")
        found, _, _ = self.say(*words, "--output", str(path))
        self.assertEqual((2, "old"), (found, path.read_text()))
        found, out, _ = self.export("--output", str(path))
        self.assertEqual((0, ""), (found, out))
        self.assertEqual(self.export()[1], path.read_text())
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        names = sorted(each.name for each in self.area.iterdir())
        self.assertEqual(["acme.key", "ledger", "out.jsonl"], names)
        found, _, err = self.export("--output", "/nowhere/out.jsonl")
        self.assertEqual((1, 1), (found, err.count("\n")))

    def test_without_pycadf_it_says_what_is_missing(self) -> None:
        script = (
            "import sys; sys.modules['pycadf'] = None\n"
            "from nfv_mla_scheduler.cmd.main import main\n"
            "sys.exit(main(sys.argv[1:]))"
        )
        words = ("export", str(self.directory), "--format", "cadf")
        found = subprocess.run(
            [sys.executable, "-c", script, "audit", *words],
            capture_output=True,
            text=True,
        )
        self.assertEqual((1, ""), (found.returncode, found.stdout))
        self.assertEqual(1, found.stderr.count("\n"))
        self.assertIn("nfv-mla-scheduler[cadf]", found.stderr)


class FollowTestCase(AuditTestCase):
    def follow(self, *words: str) -> subprocess.Popen[str]:
        """Start ``follow``; it is ended when it is stuck."""
        process = subprocess.Popen(
            [*COMMAND, "follow", str(self.directory), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stuck = threading.Timer(PATIENCE_S, process.kill)
        stuck.start()
        self.addCleanup(_close, process)
        self.addCleanup(stuck.cancel)
        return process


class FollowTest(FollowTestCase):
    def test_what_is_there_and_what_comes_until_it_is_told(self) -> None:
        for number in range(3):
            self.one.add(EventKind.PLACED, NOON + number, {"count": number})
        for end in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(end):
                process = self.follow("--last", "2")
                lines = _lines(process.stdout)
                self.assertIn("count=1", next(lines))
                self.assertIn("count=2", next(lines))
                self.two.add(EventKind.STEP_DONE, NOON + 9, STEP)
                self.assertIn("step-done", next(lines))
                self.two.rotate()
                self.two.add(EventKind.STEP_INTENDED, NOON + 10, STEP)
                self.assertIn("step-intended", next(lines))
                process.send_signal(end)
                self.assertEqual("", process.stdout.read())  # type: ignore
                self.assertEqual(0, process.wait())
                err = process.stderr.read()  # type: ignore[union-attr]
                self.assertEqual(f"nfv-mla audit follow: {UNVERIFIED}\n", err)
                self.two = self.ledger.origin(f"{TWO[:-1]}{end.value}")
                self.one.add(EventKind.PLACED, NOON + 20, {"count": 1})
                self.one.add(EventKind.PLACED, NOON + 21, {"count": 2})

    def test_it_ends_when_its_reader_goes_away_though_nothing_comes(
        self,
    ) -> None:
        self.one.add(EventKind.PLACED, NOON, {"count": 1})
        process = self.follow("--json")
        self.assertEqual(
            {"count": 1}, json.loads(next(_lines(process.stdout)))["fields"]
        )
        process.stdout.close()  # type: ignore[union-attr]
        self.assertEqual(1, process.wait())
        err = process.stderr.read()  # type: ignore[union-attr]
        self.assertEqual(f"nfv-mla audit follow: {UNVERIFIED}\n", err)

    def test_what_is_sealed_comes_to_whoever_holds_the_key(self) -> None:
        key = self.seal()
        process = self.follow("--seal-key", key)
        self.assertIn("sealed:acme step-done", next(_lines(process.stdout)))


class WrittenTest(FollowTestCase):
    """What the ledger itself writes."""

    def setUp(self) -> None:
        super().setUp()
        private = ed25519.Ed25519PrivateKey.generate()
        public = private.public_key()
        known = SSlibKey.from_crypto(public, keyid=key_id(public))
        self.signer = CryptoSigner(private, known)

    def written(self) -> ledgers.Ledger:
        found = ledgers.Ledger(
            self.directory,
            "ctl-9.nova-scheduler",
            lambda: self.signer,
            Limits(segment_bytes=4000, seal_interval_s=0.1),
        )
        self.addCleanup(found.close)
        return found

    def put(
        self, found: ledgers.Ledger, number: int, domain: str | None = None
    ) -> None:
        event = Event(
            EventKind.MOVED, NOON + number, "p", {"count": number}, domain
        )
        self.assertTrue(found.commit(event, PATIENCE_S))

    def test_it_is_followed_through_segments_and_restarts(self) -> None:
        self.one.add(EventKind.MOVED, NOON, {"count": -1})
        process = self.follow("--kind", "moved", "--json")
        lines = _lines(process.stdout)
        self.assertIn("-1", next(lines))  # from now on it looks
        for begin in (0, 30):
            found = self.written()
            for number in range(begin, begin + 30):
                self.put(found, number)
            found.close()
            for number in range(begin, begin + 30):
                told = json.loads(next(lines))
                self.assertEqual({"count": number}, told["fields"])
                self.assertEqual("ctl-9.nova-scheduler.0", told["origin"])
        chain = self.directory / "ctl-9.nova-scheduler.0"
        self.assertGreater(len(list(chain.glob("*.jsonl"))), 3)

    def test_what_it_seals_is_shown_to_whoever_has_the_key(self) -> None:
        domain = Domain()
        key = self.area / "acme.key"
        key.write_bytes(domain.pem())
        found = self.written()
        found.seal_for({"acme": domain.public})
        self.put(found, 1)
        self.put(found, 2, "acme")
        found.close()
        told = [line.split()[2] for line in self.show("--kind", "moved")]
        self.assertEqual(["moved"], told)
        words = ("--kind", "moved", "--seal-key", str(key))
        told = [line.split()[2] for line in self.show(*words)]
        self.assertEqual(["moved", "sealed:acme"], told)


COMMAND = (sys.executable, "-m", "nfv_mla_scheduler.cmd.main", "audit")


def _lines(stream: IO[str] | None) -> Any:
    assert stream is not None
    return iter(stream.readline, "")


def _close(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
