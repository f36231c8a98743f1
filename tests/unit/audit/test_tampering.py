# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to a ledger is found, is named, and is placed."""

from __future__ import annotations

import pathlib
import random
import tempfile
import unittest

from nfv_mla_scheduler.audit.ledger import Ledger as RealLedger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.report import Report
from nfv_mla_scheduler.audit.reading.whole import verify
from tests.unit.audit.reading import built
from tests.unit.audit.reading.built import Ledger
from tests.unit.audit.reading.tampering import WAYS
from tests.unit.audit.reading.tampering import Expected
from tests.unit.audit.reading.tampering import Tampered

# Of each way, so many places.
TIMES = 5
MIXTURES = 30
# These look at lines alone, and so can be used one after another.
MIXABLE = (
    "a_byte_is_changed",
    "a_newline_is_changed",
    "a_field_is_changed",
    "an_entry_is_blanked",
    "one_is_removed",
    "a_run_is_removed",
    "one_is_forged",
    "one_is_copied",
    "a_line_that_is_no_entry",
    "neighbours_are_swapped",
    "an_entry_of_another_origin",
)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def report(self, ledger: Ledger, done: Tampered) -> Report:
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            directory = pathlib.Path(name)
            ledger.write(directory)
            return verify(directory, built.trust(), done.kept)

    def check(self, report: Report, done: Tampered) -> None:
        """Everything is found as it is expected, and nothing else."""
        found = [one for chain in report.chains for one in chain.anomalies]
        told = [str(one) for one in found]
        self.assertFalse(report.whole)
        for expected in done.expected:
            self.assertTrue(
                any(is_it(one, expected) for one in found), (expected, told)
            )
        for one in found:
            self.assertTrue(
                any(is_it(one, each, each.also) for each in done.expected),
                (str(one), done.expected),
            )


def is_it(
    found: Anomaly, expected: Expected, also: frozenset[object] = frozenset()
) -> bool:
    return (
        found.kind in expected.kinds | also
        and found.origin == expected.origin
        and expected.first <= found.first
        and found.last <= expected.last
    )


class TestTampering(Case):
    def test_nobody_has_tampered(self) -> None:
        report = self.report(built.ledger(), Tampered(()))
        self.assertTrue(report.whole)
        self.assertEqual(3, len(report.chains))

    def test_each_way_at_many_places(self) -> None:
        for name, tamper in WAYS.items():
            for seed in range(TIMES):
                with self.subTest(name, seed=seed):
                    ledger = built.ledger().copy()
                    done = tamper(ledger, random.Random(f"{name} {seed}"))
                    self.check(self.report(ledger, done), done)

    def test_any_mixture_is_found(self) -> None:
        for seed in range(MIXTURES):
            pick = random.Random(f"mixture {seed}")
            ledger = built.ledger().copy()
            names = pick.choices(MIXABLE, k=pick.randrange(2, 8))
            done = [WAYS[name](ledger, pick) for name in names]
            with self.subTest(seed=seed, names=names):
                report = self.report(ledger, done[0])
                self.assertFalse(report.whole)
                other = [c for c in report.chains if c.origin != built.ONE]
                self.assertTrue(all(not one.anomalies for one in other))


class TestAnything(Case):
    """Lines that are moved, copied, lost and edited as it comes."""

    def test_all_but_what_was_written_shows(self) -> None:
        lines = built.chain(built.ONE, 300)
        for seed in range(100):
            with self.subTest(seed=seed):
                done = self.shaken(list(lines), random.Random(seed))
                ledger = Ledger({})
                ledger.put(built.ONE, done, 100)
                report = self.report(ledger, Tampered(()))
                # what is cut off behind a checkpoint does not show
                left = done == lines[: len(done)]
                self.assertEqual(left, report.whole)

    def shaken(self, lines: list[bytes], pick: random.Random) -> list[bytes]:
        for _ in range(pick.randrange(1, 5)):
            first, to = pick.randrange(len(lines)), pick.randrange(len(lines))
            run = lines[first : first + pick.choice((1, 2, 30))]
            how = pick.choice(("lost", "copied", "moved", "turned", "edited"))
            if how != "copied":
                del lines[first : first + len(run)]
            if how == "edited":
                byte = pick.randrange(len(run[0]))
                other = bytes([run[0][byte] ^ 1])
                run[0] = run[0][:byte] + other + run[0][byte + 1 :]
            if how == "turned":
                run = run[::-1]
            at = to if how in ("copied", "moved") else first
            if how != "lost":
                lines[at:at] = run
        return lines


class TestRealLedger(Case):
    """The same of what a process has written."""

    def test_what_a_process_wrote(self) -> None:
        directory = self.directory / "ledger"
        directory.mkdir()
        ledger = RealLedger(
            directory, "ctl-1.nova-scheduler", built.signer, Limits()
        )
        fields = {"server": "x" * 36, "hosts": ["ber-1", "ber-2"]}
        for number in range(600):
            event = Event(
                EventKind.REQUEST_REFUSED,
                built.NOW + number,
                "worker",
                {"n": number, **fields},
            )
            ledger.record(event)
        ledger.close()
        whole = verify(directory, built.trust())
        self.assertTrue(whole.whole, whole)
        (chain,) = whole.chains
        self.assertEqual(0, chain.tail)
        self.assertGreater(chain.entries, 600)
        for seed in range(20):
            self.tamper(directory, random.Random(seed))

    def tamper(self, directory: pathlib.Path, pick: random.Random) -> None:
        (path,) = directory.glob("*/*.jsonl")
        was = path.read_bytes()
        lines = was.splitlines(keepends=True)
        at = pick.randrange(1, len(lines) - 2)
        how = pick.choice(("changed", "removed", "reordered"))
        if how == "changed":
            lines[at] = lines[at][:-3] + b',"and":1}}\n'
        elif how == "removed":
            del lines[at]
        else:
            lines[at : at + 2] = lines[at + 1], lines[at]
        path.write_bytes(b"".join(lines))
        with self.subTest(how, at=at):
            report = verify(directory, built.trust())
            found = report.chains[0].anomalies
            self.assertEqual([how], [one.kind.value for one in found])
            self.assertIn(found[0].first, (at + 1, at + 2))
        path.write_bytes(was)


if __name__ == "__main__":
    unittest.main()
