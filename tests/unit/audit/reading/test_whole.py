# SPDX-License-Identifier: Apache-2.0
"""What is said of ledgers that are whole, unsigned, old or unfinished."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import tempfile
import tracemalloc
import unittest
from collections.abc import Sequence

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.checkpoint import Checkpoint
from nfv_mla_scheduler.audit.ledger import BATCH
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.reading.anomalies import ANOMALIES_MAX
from nfv_mla_scheduler.audit.reading.anomalies import NoteKind
from nfv_mla_scheduler.audit.reading.chain import ChainReading
from nfv_mla_scheduler.audit.reading.checkpoints import FIRST_MAX
from nfv_mla_scheduler.audit.reading.checkpoints import TAIL_MAX
from nfv_mla_scheduler.audit.reading.checkpoints import YOUNG_MAX
from nfv_mla_scheduler.audit.reading.claims import Claim
from nfv_mla_scheduler.audit.reading.claims import Claims
from nfv_mla_scheduler.audit.reading.report import ChainReport
from nfv_mla_scheduler.audit.reading.report import Report
from nfv_mla_scheduler.audit.reading.report import Verdict
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.audit.reading.whole import verify
from tests.unit.audit.reading import built
from tests.unit.audit.reading import tampering
from tests.unit.audit.reading.built import ONE
from tests.unit.audit.reading.built import TWO
from tests.unit.audit.reading.built import Ledger
from tests.unit.audit.reading.built import Writer
from tests.unit.audit.reading.built import trust


class Case(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def one(
        self,
        lines: Sequence[bytes],
        keys: Trust | None = None,
        kept: Sequence[Checkpoint] = (),
    ) -> ChainReport:
        """Return what is said of a ledger of one chain."""
        ledger = Ledger({})
        ledger.put(ONE, lines)
        ledger.write(self.directory)
        return self.only(self.verify(keys, kept))

    def verify(
        self, keys: Trust | None = None, kept: Sequence[Checkpoint] = ()
    ) -> Report:
        return verify(self.directory, trust() if keys is None else keys, kept)

    def only(self, report: Report) -> ChainReport:
        (chain,) = report.chains
        return chain

    def path(self, first: int = 1) -> pathlib.Path:
        return self.directory / ONE / f"{first:020d}.jsonl"

    def kinds(self, chain: ChainReport) -> list[str]:
        return [one.kind.value for one in chain.anomalies]

    def notes(self, chain: ChainReport) -> dict[NoteKind, int]:
        return {note.kind: note.count for note in chain.notes}


class TestWhole(Case):
    def test_what_is_told_of_a_chain(self) -> None:
        chain = self.one(built.chain(ONE, 950))
        self.assertEqual(Verdict.WHOLE, chain.verdict)
        self.assertEqual(
            (952, 3, 10),
            (chain.entries, chain.files, chain.checkpoints),
        )
        self.assertEqual("2023-11-14T22:13:21.000Z", chain.first_at)
        self.assertEqual("2023-11-14T22:29:12.000Z", chain.last_at)
        self.assertEqual(
            (0, (), ()), (chain.tail, chain.notes, chain.anomalies)
        )

    def test_files_that_were_renamed_and_compressed(self) -> None:
        built.ledger().write(self.directory)
        for number, path in enumerate(
            sorted(self.directory.glob("*/*.jsonl"))
        ):
            if number % 3 == 0:
                path.with_name(path.name + ".gz").write_bytes(
                    gzip.compress(path.read_bytes())
                )
                path.unlink()
            elif number % 3 == 1:
                path.rename(path.with_name(path.name + ".1"))
        self.assertTrue(self.verify().whole)

    def test_an_unsigned_tail(self) -> None:
        lines = built.chain(ONE, 250)
        chain = self.one(lines[:230])
        self.assertEqual((Verdict.WHOLE, 31), (chain.verdict, chain.tail))
        self.assertEqual(31, self.notes(chain)[NoteKind.UNSIGNED_TAIL])

    def test_a_tail_that_is_longer_than_a_process_leaves_it(self) -> None:
        lines = built.chain(ONE, 250)[:199]
        for size in (TAIL_MAX, TAIL_MAX + 1):
            forged = tampering.branch(lines, 199, size)
            chain = self.one(lines + [line[:-1] for line in forged])
            self.assertEqual(size, chain.tail)
            self.assertEqual(size, self.notes(chain)[NoteKind.UNSIGNED_TAIL])
            if size == TAIL_MAX:
                self.assertEqual(Verdict.WHOLE, chain.verdict)
        (found,) = chain.anomalies
        self.assertEqual("long-tail", found.kind.value)
        self.assertEqual((200, 199 + size), (found.first, found.last))

    def test_it_is_what_a_process_leaves(self) -> None:
        """After so many entries it signs, and each batch may be the last."""
        self.assertEqual(
            Limits().checkpoint_entries + 2 * BATCH,
            TAIL_MAX,
        )
        self.assertLess(BATCH, FIRST_MAX)

    def test_no_checkpoint_at_all(self) -> None:
        chain = self.one(built.chain(ONE, 250)[:90])
        self.assertEqual((Verdict.NOT_SIGNED, 90), (chain.verdict, chain.tail))
        self.assertIn(NoteKind.NO_CHECKPOINT, self.notes(chain))
        self.assertFalse(self.verify().whole)
        self.assertTrue(self.verify(Trust(())).whole)

    def test_a_process_that_has_just_begun(self) -> None:
        lines = built.chain(ONE, 250)
        for size, young in ((YOUNG_MAX, True), (YOUNG_MAX + 1, False)):
            chain = self.one(lines[:size])
            self.assertEqual(Verdict.NOT_SIGNED, chain.verdict)
            self.assertEqual(young, chain.young)
            self.assertEqual(young, self.verify().whole)
        made = Writer(ONE)
        made.add("ledger-opened", {})
        made.add("ledger-closed", {})  # it had the time to
        self.one(made.lines)
        self.assertFalse(self.verify().whole)

    def opened_again(self, before: int, found: int) -> ChainReport:
        """Return what is said of a process that has signed what it found.

        :param before: how many entries are signed by the one before it
        """
        made = Writer(ONE)
        if before:
            made.add("ledger-opened", {})
            for _ in range(before - 2):
                made.add("heartbeat", {})
            made.sign()
        for _ in range(found):
            made.add("heartbeat", {})
        made.add("ledger-opened", {})
        made.sign()
        made.add("ledger-opened", {"domain": "acme"})  # of a sealed chain
        made.sign()
        return self.one(made.lines)

    def test_what_was_signed_only_by_who_came_later(self) -> None:
        chain = self.opened_again(100, 0)
        self.assertNotIn(NoteKind.SIGNED_LATER, self.notes(chain))
        for before, found, fine in (
            (100, 200, True),
            (0, FIRST_MAX, True),
            (0, FIRST_MAX + 1, False),
            (100, TAIL_MAX, True),
            (100, TAIL_MAX + 1, False),
        ):
            with self.subTest(before=before, found=found):
                chain = self.opened_again(before, found)
                self.assertEqual(
                    found, self.notes(chain)[NoteKind.SIGNED_LATER]
                )
                told = [] if fine else ["long-tail"]
                self.assertEqual(told, self.kinds(chain))
                for one in chain.anomalies:
                    self.assertEqual(
                        (before + 1, before + found), (one.first, one.last)
                    )

    def test_an_origin_that_has_written_nothing(self) -> None:
        (self.directory / ONE).mkdir()
        (self.directory / ONE / "lock").touch()
        report = self.verify()
        self.assertTrue(report.whole)
        self.assertEqual(Verdict.EMPTY, self.only(report).verdict)

    def test_old_files_that_were_moved_to_where_a_checkpoint_is_kept(
        self,
    ) -> None:
        lines = built.chain(ONE, 950)
        ledger = Ledger({})
        ledger.put(ONE, lines)
        del ledger.files[ledger.names(ONE)[0]]
        ledger.write(self.directory)
        gone = self.only(self.verify())
        self.assertEqual(["removed"], self.kinds(gone))
        self.assertIn("first file is missing", str(gone.anomalies[0]))
        hashes = [entry.digest(line) for line in lines]
        for seq, fine in ((399, False), (400, True), (398, False)):
            kept = Checkpoint(ONE, seq, hashes[seq - 1], "then")
            with self.subTest(seq):
                self.assertEqual(fine, self.verify(kept=[kept]).whole)
        good = Checkpoint(ONE, 400, hashes[399], "then")
        chain = self.only(self.verify(kept=[good]))
        self.assertIn(NoteKind.KEPT_ELSEWHERE, self.notes(chain))
        other = Checkpoint(ONE, 400, hashes[1], "then")
        self.assertFalse(self.verify(kept=[other]).whole)

    def test_all_was_forged_behind_what_is_kept(self) -> None:
        """Neither near to what is kept, nor right behind it unsigned."""
        lines = built.chain(ONE, 250)
        kept = tampering.kept(lines, 199)
        forged = Writer(ONE)
        for seq, hash_ in (
            (kept.seq, kept.hash),
            (kept.seq, "ab" * 32),
            (kept.seq + 1, "ab" * 32),
        ):
            forged.seq, forged.hash, forged.lines = seq, hash_, []
            for _ in range(20):
                forged.add("guard-released", {})
            for signed in (False, True):
                if signed:  # by the process, when it comes again
                    forged.add("ledger-opened", {"after_seq": forged.seq})
                    forged.sign()
                chain = self.one(forged.lines, kept=[kept])
                fits = signed and (seq, hash_) == (kept.seq, kept.hash)
                with self.subTest(seq=seq, hash=hash_, signed=signed):
                    self.assertEqual(not fits, "removed" in self.kinds(chain))
                    if fits:  # this much can be forged, and is told
                        told = self.notes(chain)[NoteKind.SIGNED_LATER]
                        self.assertEqual(20, told)

    def test_the_beginning_of_a_sealed_chain_is_never_excused(self) -> None:
        ledger = built.ledger(600).copy()
        sealed = ledger.lines(built.SEALED)
        common = [json.loads(line) for line in ledger.lines(ONE)]
        heads = [
            one["fields"]["heads"][built.DOMAIN]["seq"]
            for one in common
            if one["kind"] == "sealed-heads"
        ]
        for first in sorted(set(heads))[:-1]:
            ledger.put(built.SEALED, ())
            ledger.files[
                f"{built.place(built.SEALED)}/{first + 1:020d}.jsonl"
            ] = [line + b"\n" for line in sealed[first:]]
            with tempfile.TemporaryDirectory(dir=self.directory) as name:
                ledger.write(pathlib.Path(name))
                report = verify(pathlib.Path(name), trust())
            (found,) = report.chains[1].anomalies
            self.assertEqual(
                ("removed", 1, first),
                (found.kind.value, found.first, found.last),
            )


class TestKeys(Case):
    def test_no_key(self) -> None:
        chain = self.one(built.chain(ONE, 250), Trust(()))
        self.assertEqual(Verdict.NOT_CHECKED, chain.verdict)
        self.assertIn(NoteKind.NOT_CHECKED, self.notes(chain))
        # what a checkpoint says is compared all the same
        lines = built.chain(ONE, 250)
        lines[50] = tampering.refield(lines[50])
        chain = self.one(tampering.relinked(lines, 50), Trust(()))
        self.assertEqual(["rewritten"], self.kinds(chain))

    def test_another_key_since(self) -> None:
        lines = built.chain(ONE, 250)[:230]
        made = Writer(ONE)
        made.lines, made.seq = list(lines), len(lines)
        made.hash = entry.digest(lines[-1])
        made.sign(2)
        chain = self.one(made.lines)
        self.assertEqual(["bad-checkpoint"], self.kinds(chain))
        self.assertIn("none of the keys given", str(chain.anomalies[0]))
        chain = self.one(made.lines, trust(1, 2))
        self.assertEqual((Verdict.WHOLE, 0), (chain.verdict, chain.tail))
        # whoever has the new key only: the old checkpoints are covered by it
        chain = self.one(made.lines, trust(2))
        self.assertEqual(
            (Verdict.WHOLE, 1), (chain.verdict, chain.checkpoints)
        )
        self.assertEqual(2, self.notes(chain)[NoteKind.UNKNOWN_KEY])

    def test_a_key_counts_for_its_origins_only(self) -> None:
        lines = built.chain(ONE, 250)
        key = built.signer().public_key
        for prefix, fine in (
            ("", True),
            ("ctl-1", True),
            ("ctl-1.", True),
            ("ctl-1.nova-scheduler.0", True),
            ("ctl-1.nova", False),
            ("ctl", False),
            ("ctl-", False),
            ("ctl-2.", False),
        ):
            with self.subTest(prefix):
                chain = self.one(lines, Trust(((prefix, key),)))
                self.assertEqual(not fine, bool(chain.anomalies))

    def test_a_checkpoint_of_another_origin_is_none_of_this_one(self) -> None:
        made = Writer(ONE)
        for _ in range(3):
            made.add("heartbeat", {})
        made.origin = TWO  # in whose name it signs
        made.sign()
        made.lines[-1] = made.lines[-1].replace(TWO.encode(), ONE.encode(), 1)
        chain = self.one(made.lines)
        self.assertEqual(["rewritten"], self.kinds(chain))


class TestLive(Case):
    def test_what_is_written_meanwhile_is_for_the_next_time(self) -> None:
        lines = built.chain(ONE, 950)
        ledger = Ledger({})
        ledger.put(ONE, lines[:500])
        ledger.write(self.directory)
        reading = ChainReading(self.directory / ONE, ONE, trust())
        ledger.put(ONE, lines)
        ledger.write(self.directory)
        reading.read()
        found = reading.report()
        self.assertEqual(((), 500), (found.anomalies, found.entries))

    def test_a_line_that_is_not_whole_yet(self) -> None:
        lines = built.chain(ONE, 250)
        self.one(lines[:230])
        with self.path().open("ab") as file:
            file.write(lines[230][:50])
        chain = self.only(self.verify())
        self.assertEqual((Verdict.WHOLE, 230), (chain.verdict, chain.entries))
        self.assertEqual(50, self.notes(chain)[NoteKind.TORN])

    def test_the_same_within_the_chain_is_tampering(self) -> None:
        self.one(built.chain(ONE, 950))
        data = self.path().read_bytes()
        self.path().write_bytes(data[:-30])
        chain = self.only(self.verify())
        self.assertEqual(
            ["changed 400"],
            [f"{one.kind.value} {one.last}" for one in chain.anomalies],
        )


class TestFaults(Case):
    def test_a_file_that_cannot_be_read(self) -> None:
        self.one(built.chain(ONE, 950))
        data = gzip.compress(self.path(401).read_bytes())
        self.path(401).with_suffix(".jsonl.gz").write_bytes(data[:-1000])
        self.path(401).unlink()
        chain = self.only(self.verify())
        self.assertEqual(["unreadable"], self.kinds(chain))
        self.assertEqual(Verdict.TAMPERED, chain.verdict)

    def test_a_file_without_an_end(self) -> None:
        self.one(built.chain(ONE, 250))
        path = self.path(10**19)
        path.touch()
        os.truncate(path, 2**42)
        chain = self.only(self.verify())
        self.assertEqual(["no-entry"], self.kinds(chain))

    def test_names_are_printed_in_a_line(self) -> None:
        self.one(built.chain(ONE, 250))
        name = os.fsencode(self.directory / ONE) + b"/y\xff\x1b[2J.jsonl"
        with open(name, "wb") as file:
            file.write(b"junk\n")
        (found,) = self.only(self.verify()).anomalies
        self.assertTrue(str(found).isprintable())
        str(found).encode()

    def test_what_is_no_entry_and_was_told(self) -> None:
        for told in (True, False):
            made = Writer(ONE)
            for number in range(10):
                made.add("heartbeat", {"n": number})
            before = list(made.lines)
            fields = {"after_seq": 10, "damaged": told, "torn_bytes": 0}
            made.add("ledger-opened", fields)
            made.sign()
            ledger = Ledger({})
            ledger.put(ONE, [*before, b"\0" * 99, b"rubbish"])
            rest = [line + b"\n" for line in made.lines[10:]]
            ledger.files[f"{ONE}/{11:020d}.jsonl"] = rest
            ledger.write(self.directory)
            chain = self.only(self.verify())
            with self.subTest(told=told):
                expected = [] if told else ["no-entry"]
                self.assertEqual(expected, self.kinds(chain))
                self.assertEqual(told, NoteKind.TORN in self.notes(chain))

    def test_what_a_chain_tells_of_its_processes(self) -> None:
        made = Writer(ONE)
        for kind, fields in (
            ("ledger-opened", {}),
            ("ledger-opened", {"torn_bytes": 17}),
            ("ledger-opened", {"domain": "a"}),  # of a sealed chain
            ("clock-back", {}),
            ("clock-back", {}),
            ("ledger-interrupted", {}),
            ("events-dropped", {}),
            ("ledger-moved", {}),
            ("ledger-closed", {}),
            ("ledger-opened", {}),
        ):
            made.add(kind, fields)
        made.sign()
        chain = self.one(made.lines)
        self.assertEqual(Verdict.WHOLE, chain.verdict)
        self.assertEqual(
            {
                NoteKind.NEVER_CLOSED: 1,
                NoteKind.TORN: 1,
                NoteKind.CLOCK_BACK: 2,
                NoteKind.INTERRUPTED: 1,
                NoteKind.DROPPED: 1,
                NoteKind.MOVED: 1,
                NoteKind.SILENT_SINCE: 1,
                NoteKind.SIGNED_LATER: 9,
            },
            self.notes(chain),
        )

    def test_heads_that_nobody_has_signed_count_for_nothing(self) -> None:
        sealed = Writer(built.SEALED)
        made = Writer(ONE)
        made.add("ledger-opened", {})
        made.sign()
        for _ in range(3):
            for number in range(5):
                sealed.add("sealed", {"jwe": str(number)})
            head = {"seq": sealed.seq, "hash": sealed.hash}
            made.add("sealed-heads", {"heads": {built.DOMAIN: head}})
        for signed in (False, True):
            if signed:
                made.sign()
            ledger = Ledger({})
            ledger.put(ONE, made.lines)
            ledger.put(built.SEALED, sealed.lines)
            ledger.write(self.directory)
            _, chain = self.verify().chains
            with self.subTest(signed=signed):
                self.assertEqual(
                    (Verdict.WHOLE, 0, 3)
                    if signed
                    else (Verdict.NOT_SIGNED, 15, 0),
                    (chain.verdict, chain.tail, chain.checkpoints),
                )

    def test_a_sealed_chain_of_which_nothing_is_told(self) -> None:
        ledger = built.ledger().copy()
        ledger.put(ONE, built.chain(ONE, 250))
        ledger.write(self.directory)
        for path in (self.directory / ONE).glob("*.jsonl"):
            if int(path.stem) > 300:
                path.unlink()
        common, sealed, _ = self.verify().chains
        self.assertEqual(Verdict.WHOLE, common.verdict)
        self.assertEqual(Verdict.NOT_SIGNED, sealed.verdict)
        self.assertIn(NoteKind.NO_HEADS, self.notes(sealed))


class TestExcuses(Case):
    def test_many_are_no_anomaly(self) -> None:
        """Each process has told of what it found, of however many."""
        made, lines = Writer(ONE), []
        made.add("ledger-opened", {})
        for _ in range(ANOMALIES_MAX + 5):
            fields = {"after_seq": made.seq, "damaged": True}
            made.add("ledger-opened", fields)
            made.sign()
            lines += [b"rubbish", *made.lines[-2:]]
        chain = self.one([made.lines[0], *lines])
        self.assertEqual(((), 0), (chain.anomalies, chain.more))
        self.assertEqual(ANOMALIES_MAX + 5, self.notes(chain)[NoteKind.TORN])

    def test_what_heads_promise_is_bounded(self) -> None:
        claims = Claims(built.SEALED)
        for seq in range(10, 5 * ANOMALIES_MAX):
            claims.add(Claim(seq, "x", "somebody"))
            self.assertLessEqual(len(claims._open), ANOMALIES_MAX)
        (found,) = claims.anomalies(9, None)
        self.assertEqual("truncated", found.kind.value)
        self.assertEqual(5 * ANOMALIES_MAX - 1, found.last)


class TestForks(Case):
    def test_two_branches_that_are_both_signed(self) -> None:
        lines = built.chain(ONE, 250)
        other = Writer(ONE)
        other.seq, other.hash = 120, entry.digest(lines[119])
        for _ in range(30):
            other.add("guard-released", {})
        other.sign()
        chain = self.one([*lines, *other.lines])
        (found,) = chain.anomalies
        self.assertEqual("forked", found.kind.value)
        self.assertEqual((121, 151), (found.first, found.last))
        self.assertIn("31 in this branch (signed)", found.detail)
        self.assertIn("132 in the chain (signed)", found.detail)

    def test_the_branch_that_is_signed_is_the_chain(self) -> None:
        lines = built.chain(ONE, 2500)
        forged = [line[:-1] for line in tampering.branch(lines, 400, 1500)]
        for mixed in (
            lines[:400] + forged + lines[400:],
            lines + forged,
            lines[:900] + forged + lines[900:],
        ):
            chain = self.one(mixed)
            (found,) = chain.anomalies
            self.assertEqual("forked", found.kind.value)
            self.assertEqual((401, 1900), (found.first, found.last))
            self.assertIn("1500 in this branch (not signed)", found.detail)
            self.assertEqual((2502, 0), (chain.entries, chain.tail))


class TestBounds(Case):
    def test_anomalies_are_counted_beyond_some(self) -> None:
        chain = self.one(built.chain(ONE, 2500)[::2])
        self.assertEqual(ANOMALIES_MAX, len(chain.anomalies))
        self.assertEqual(1250 - ANOMALIES_MAX, chain.more)

    def test_memory_does_not_grow_with_the_chain(self) -> None:
        few, many = self.peak(8000), self.peak(24000)
        self.assertLess(many, 1.2 * few)

    def peak(self, entries: int) -> int:
        lines = built.chain(ONE, entries)
        # something to look into, as well
        del lines[entries // 2], lines[entries // 3]
        ledger = Ledger({})
        ledger.put(ONE, lines, 2000)
        ledger.write(self.directory)
        del lines, ledger
        tracemalloc.start()
        try:
            self.assertEqual(2, len(self.only(self.verify()).anomalies))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


if __name__ == "__main__":
    unittest.main()
