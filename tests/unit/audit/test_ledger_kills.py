# SPDX-License-Identifier: Apache-2.0
"""Killed again and again: always whole, and no action without its intent."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import time

from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.audit.reading.whole import verify
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.officers import write_key_pair
from tests.unit.audit import seal_keys
from tests.unit.audit import written

KILLS = 30


class KillsTest(written.Case):
    def setUp(self):
        super().setUp()
        aside = self.directory.parent
        self.did = aside / "did"
        self.key, _ = write_key_pair(aside, "key")
        public = read_signer(self.key, lambda _: b"").public_key
        self.trust = Trust((("", public),))

    def act(self, acts):
        """Act as fast as it goes, as the monitor does; never returns.

        :param acts: a pipe that takes a byte after the first action
        """
        ledger = Ledger(
            self.directory,
            written.NAME,
            lambda: read_signer(self.key, lambda _: b""),
            Limits(
                seal_interval_s=0.01,
                segment_bytes=20000,
                checkpoint_entries=20,
            ),
        )
        ledger.seal_for({"silver": seal_keys.X25519.pem})
        threading.Thread(target=self.chat, args=(ledger,), daemon=True).start()
        done = os.open(self.did, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for count in itertools.count():
            step = f"{os.getpid()}-{count}"
            intent = written.event(kind=EventKind.STEP_INTENDED, step=step)
            if not ledger.commit(intent, 60):
                os._exit(1)
            os.write(done, step.encode() + b"\n")
            outcome = written.event(kind=EventKind.STEP_DONE, step=step)
            ledger.record(outcome)
            if not count:
                os.write(acts, b"!")

    def chat(self, ledger):
        """Have other things written meanwhile."""
        while True:
            for number in range(10):
                ledger.record(written.event(number, text="x" * 300))
            time.sleep(0.003)

    def act_for(self, seconds):
        """Let a process act, and kill it so long after its first action."""
        read_end, write_end = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                self.act(write_end)
            finally:
                os._exit(1)
        os.close(write_end)
        try:
            self.assertEqual(b"!", os.read(read_end, 1))
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.close(read_end)
            _, status = os.waitpid(pid, 0)
        self.assertEqual(signal.SIGKILL, os.WTERMSIG(status))

    def check(self, before):
        """Look at everything, by ourselves and with the verifier."""
        sealed = self.origin / "sealed" / "silver"
        for path, name in (
            (self.origin, f"{written.NAME}.0"),
            (sealed, f"{written.NAME}.0/silver"),
        ):
            lines = self.whole_lines(path)
            self.assertEqual([], written.faults(lines, name))
            kept = before.setdefault(name, [])
            self.assertEqual(kept, lines[: len(kept)])
            before[name] = lines
        intended = {
            one["fields"]["step"]
            for one in map(json.loads, before[f"{written.NAME}.0"])
            if one["kind"] == "step-intended"
        }
        did = self.did.read_text().split()
        self.assertEqual(set(), set(did) - intended)
        report = verify(self.directory, self.trust)
        wrong = [one.anomalies for one in report.chains if one.anomalies]
        self.assertEqual([], wrong)
        self.assertTrue(report.whole)
        return len(did)

    def whole_lines(self, directory):
        """Return the lines of a chain; only the very last may be torn."""
        found = []
        paths = sorted(directory.glob("*.jsonl"))
        for path in paths:
            *lines, rest = path.read_bytes().split(b"\n")
            self.assertTrue(not rest or path == paths[-1], path)
            found += lines
        return found

    def test_killed_at_random(self):
        chance = random.Random(62)
        before: dict[str, list[bytes]] = {}
        actions = 0
        for _ in range(KILLS):
            self.act_for(chance.random() * 0.04)
            now = self.check(before)
            self.assertGreater(now, actions)
            actions = now
        self.assertEqual([self.origin], list(self.directory.iterdir()))
        self.assertEqual(KILLS, self.kinds().count("ledger-opened"))
        self.assertGreater(len(list(self.origin.glob("*.jsonl"))), 3)
        ledger = self.ledger()
        self.assertTrue(ledger.commit(written.event(), 20))
        ledger.close()
        self.assert_whole()
