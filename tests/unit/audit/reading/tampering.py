# SPDX-License-Identifier: Apache-2.0
"""Ways to tamper with a ledger, and how each has to be found."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.checkpoint import Checkpoint
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from tests.unit.audit.reading.built import NOW
from tests.unit.audit.reading.built import ONE
from tests.unit.audit.reading.built import SEALED
from tests.unit.audit.reading.built import TWO
from tests.unit.audit.reading.built import Ledger
from tests.unit.audit.reading.built import place
from tests.unit.audit.reading.built import signer

CHANGED = AnomalyKind.CHANGED
REMOVED = AnomalyKind.REMOVED
INSERTED = AnomalyKind.INSERTED
REORDERED = AnomalyKind.REORDERED
FORKED = AnomalyKind.FORKED
REWRITTEN = AnomalyKind.REWRITTEN
BAD_CHECKPOINT = AnomalyKind.BAD_CHECKPOINT
TRUNCATED = AnomalyKind.TRUNCATED
MISSING = AnomalyKind.MISSING
NO_ENTRY = AnomalyKind.NO_ENTRY
FOREIGN = AnomalyKind.FOREIGN


@dataclasses.dataclass(frozen=True, slots=True)
class Expected:
    """How something has to be found.

    :ivar kinds: as which of these
    :ivar first: seq of the first entry that it may be said of
    :ivar also: what may be found besides
    """

    kinds: frozenset[AnomalyKind]
    origin: str
    first: int
    last: int
    also: frozenset[AnomalyKind] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Tampered:
    """What was done, and what was kept elsewhere before."""

    expected: tuple[Expected, ...]
    kept: tuple[Checkpoint, ...] = ()


Way = Callable[[Ledger, random.Random], Tampered]
WAYS: dict[str, Way] = {}


def way(function: Way) -> Way:
    """Have a way of tampering tried."""
    WAYS[function.__name__] = function
    return function


def one(
    kind: AnomalyKind,
    first: int,
    last: int | None = None,
    origin: str = ONE,
    also: tuple[AnomalyKind, ...] = (),
) -> Tampered:
    """Return that it is to be found as one anomaly."""
    last = first if last is None else last
    return Tampered(
        (Expected(frozenset({kind}), origin, first, last, frozenset(also)),)
    )


def somewhere(
    ledger: Ledger, pick: random.Random, origin: str = ONE, margin: int = 3
) -> int:
    """Return a seq that has entries before and behind it."""
    return pick.randrange(2, len(ledger.lines(origin)) - margin)


def edited(ledger: Ledger, origin: str, lines: list[bytes]) -> None:
    """Put lines back into the files they came from, as far as they go."""
    names = ledger.names(origin)
    rest = [line + b"\n" for line in lines]
    for name in names[:-1]:
        size = len(ledger.files[name])
        ledger.files[name], rest = rest[:size], rest[size:]
    ledger.files[names[-1]] = rest


def forged(seq: int, prev: str, origin: str = ONE, **fields: object) -> bytes:
    """Return an entry that the process never wrote, with its newline."""
    return entry.encode(
        seq, prev, NOW + seq, origin, "a process", "guard-released", fields
    )


def relinked(lines: list[bytes], start: int) -> list[bytes]:
    """Return a chain whose hashes and seqs are right again from a place on."""
    made = lines[:start]
    prev = entry.digest(made[-1]) if made else entry.NOTHING
    for line in lines[start:]:
        members = json.loads(line)
        members["seq"], members["prev"] = len(made) + 1, prev
        line = json.dumps(members, separators=(",", ":")).encode()
        prev = entry.digest(line)
        made.append(line)
    return made


def resigned(lines: list[bytes], start: int, origin: str) -> list[bytes]:
    """Return the same, its checkpoints made anew with the key."""
    made = lines[:start]
    prev = entry.digest(made[-1]) if made else entry.NOTHING
    for line in lines[start:]:
        members = json.loads(line)
        seq = len(made) + 1
        members["seq"], members["prev"] = seq, prev
        if members["kind"] == "checkpoint":
            members["fields"]["signed"] = checkpoint.sign(
                origin, seq - 1, prev, NOW + seq, signer()
            )
        line = json.dumps(members, separators=(",", ":")).encode()
        prev = entry.digest(line)
        made.append(line)
    return made


def checkpoints(lines: list[bytes]) -> list[int]:
    """Return the seqs of the checkpoints."""
    return [
        place
        for place, line in enumerate(lines, start=1)
        if b'"kind":"checkpoint"' in line
    ]


def around(lines: list[bytes], seq: int) -> tuple[int, int]:
    """Return the checkpoints before and after an entry; 1: none before."""
    found = checkpoints(lines)
    return (
        max((one for one in found if one < seq), default=1),
        min((one for one in found if one > seq), default=len(lines)),
    )


def kept(lines: list[bytes], seq: int) -> Checkpoint:
    """Return what a checkpoint in a chain says."""
    members = json.loads(lines[seq - 1])["fields"]["signed"]
    read = checkpoint.read(members, ())
    assert read is not None
    return read.checkpoint


def refield(line: bytes) -> bytes:
    """Return an entry with one more thing said in it."""
    assert line.endswith(b"}}")
    return line[:-2] + b',"and":1}}'


@way
def a_byte_is_changed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    line = bytearray(ledger.files[name][at])
    byte = pick.randrange(len(line))
    line[byte] = (line[byte] + pick.randrange(1, 256)) % 256
    ledger.files[name][at] = bytes(line)
    # what was the hash of the one before, or the newline
    return one(CHANGED, seq - 1, seq + 1, also=(FOREIGN,))


@way
def a_newline_is_changed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    line = ledger.files[name][at]
    ledger.files[name][at] = line[:-1] + pick.choice((b"", b" ", b"\r", b"}"))
    return one(CHANGED, seq, seq + 1)


@way
def a_field_is_changed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    ledger.files[name][at] = refield(ledger.files[name][at][:-1]) + b"\n"
    return one(CHANGED, seq)


@way
def a_run_is_changed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick, margin=60)
    size = pick.randrange(2, 50)
    for each in range(seq, seq + size):
        name, at = ledger.find(ONE, each)
        line = ledger.files[name][at]
        ledger.files[name][at] = refield(line[:-1]) + b"\n"
    return one(CHANGED, seq, seq + size - 1, also=(BAD_CHECKPOINT, REWRITTEN))


@way
def an_entry_is_blanked(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    line = ledger.files[name][at]
    ledger.files[name][at] = b" " * (len(line) - 1) + b"\n"
    return one(CHANGED, seq)


@way
def an_entry_is_replaced(ledger: Ledger, pick: random.Random) -> Tampered:
    """By another one, linked to the one before it."""
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    prev = entry.digest(ledger.lines(ONE)[seq - 2])
    ledger.files[name][at] = forged(seq, prev)
    return one(CHANGED, seq)


@way
def a_field_is_changed_and_hashes_with_it(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    lines = ledger.lines(ONE)
    seq = somewhere(ledger, pick)
    low, high = around(lines, seq)
    lines[seq - 1] = refield(lines[seq - 1])
    edited(ledger, ONE, relinked(lines, seq - 1))
    return one(REWRITTEN, low, high)


@way
def one_is_removed_and_the_rest_made_anew(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    lines = ledger.lines(ONE)
    seq = somewhere(ledger, pick)
    low, high = around(lines, seq)
    del lines[seq - 1]
    edited(ledger, ONE, relinked(lines, seq - 1))
    return one(REWRITTEN, low, high)


@way
def one_is_inserted_and_the_rest_made_anew(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    lines = ledger.lines(ONE)
    seq = somewhere(ledger, pick)
    low, high = around(lines, seq)
    lines.insert(seq - 1, forged(seq, entry.NOTHING)[:-1])
    edited(ledger, ONE, relinked(lines, seq - 1))
    return one(REWRITTEN, low, high + 1)


@way
def all_is_made_anew_with_the_key(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    lines = ledger.lines(ONE)
    mark = pick.choice(checkpoints(lines)[3:])
    seq = pick.randrange(2, mark)
    known = kept(lines, mark)
    lines[seq - 1] = refield(lines[seq - 1])
    edited(ledger, ONE, resigned(lines, seq - 1, ONE))
    found = one(REWRITTEN, 1, mark - 1)
    return dataclasses.replace(found, kept=(known,))


@way
def one_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    del ledger.files[name][at]
    return one(REMOVED, seq)


@way
def a_run_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    size = pick.choice((2, 10, 100, 1200))
    seq = somewhere(ledger, pick, margin=size + 3)
    for _ in range(size):
        name, at = ledger.find(ONE, seq)
        del ledger.files[name][at]
    return one(REMOVED, seq, seq + size - 1)


@way
def a_file_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    name = pick.choice(ledger.names(ONE)[:-1])
    seq = int(name[-26:-6])
    size = len(ledger.files.pop(name))
    return one(REMOVED, seq, seq + size - 1)


@way
def the_first_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    size = pick.randrange(1, 5)
    del ledger.files[ledger.names(ONE)[0]][:size]
    return one(REMOVED, 1, size)


@way
def one_before_a_checkpoint_is_removed(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    seq = pick.choice(checkpoints(ledger.lines(ONE))) - 1
    name, at = ledger.find(ONE, seq)
    del ledger.files[name][at]
    return one(REMOVED, seq)


@way
def one_is_forged(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    said = pick.choice((seq - 1, seq, seq + 1, 1, 10**6))
    prev = f"{pick.getrandbits(256):064x}"
    ledger.files[name].insert(at, forged(said, prev))
    return one(INSERTED, said)


@way
def a_line_that_is_no_entry(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    line = pick.choice((b"", b"{}", b"\x00" * 20000, b'{"seq":1}', b"hello"))
    ledger.files[name].insert(at, line + b"\n")
    return one(NO_ENTRY, 0)


@way
def one_is_copied(ledger: Ledger, pick: random.Random) -> Tampered:
    seq, source = somewhere(ledger, pick), somewhere(ledger, pick)
    if pick.random() < 0.5:
        source = max(1, seq - pick.randrange(1, 5))
    name, at = ledger.find(ONE, source)
    line = ledger.files[name][at]
    name, at = ledger.find(ONE, seq)
    ledger.files[name].insert(at, line)
    return one(INSERTED, source)


@way
def a_run_is_copied(ledger: Ledger, pick: random.Random) -> Tampered:
    size = pick.randrange(2, 40)
    source = somewhere(ledger, pick, margin=size + 3)
    lines = ledger.lines(ONE)[source - 1 : source - 1 + size]
    name, at = ledger.find(ONE, somewhere(ledger, pick))
    ledger.files[name][at:at] = [line + b"\n" for line in lines]
    return one(INSERTED, source, source + size - 1)


@way
def one_is_forged_with_the_right_hash(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    seq = somewhere(ledger, pick)
    prev = entry.digest(ledger.lines(ONE)[seq - 2])
    name, at = ledger.find(ONE, seq)
    ledger.files[name].insert(at, forged(seq, prev))
    return one(FORKED, seq)


def branch(lines: list[bytes], seq: int, size: int) -> list[bytes]:
    """Return forged entries that follow one of a chain, linked."""
    made: list[bytes] = []
    prev = entry.digest(lines[seq - 1])
    for number in range(seq + 1, seq + 1 + size):
        made.append(forged(number, prev, n=number))
        prev = entry.digest(made[-1][:-1])
    return made


@way
def a_branch_in_its_place(ledger: Ledger, pick: random.Random) -> Tampered:
    size = pick.choice((2, 30, 300, 1500))
    seq = somewhere(ledger, pick, margin=size + 3)
    made = branch(ledger.lines(ONE), seq, size)
    name, at = ledger.find(ONE, seq)
    ledger.files[name][at + 1 : at + 1] = made
    return one(FORKED, seq + 1, seq + size)


@way
def a_branch_at_the_end(ledger: Ledger, pick: random.Random) -> Tampered:
    size = pick.choice((1, 30, 300, 1500))
    seq = somewhere(ledger, pick)
    made = branch(ledger.lines(ONE), seq, size)
    ledger.files[ledger.names(ONE)[-1]] += made
    return one(FORKED, seq + 1, seq + size)


@way
def two_writers(ledger: Ledger, pick: random.Random) -> Tampered:
    """A branch whose entries stand between those of the chain."""
    size = 300
    seq = somewhere(ledger, pick, margin=size + 3)
    lines = ledger.lines(ONE)
    made = branch(lines, seq, size)
    mixed = lines[:seq]
    for ours, theirs in zip(lines[seq : seq + size], made, strict=True):
        mixed += [ours, theirs[:-1]]
    edited(ledger, ONE, mixed + lines[seq + size :])
    return one(FORKED, seq + 1, seq + size)


@way
def neighbours_are_swapped(ledger: Ledger, pick: random.Random) -> Tampered:
    lines = ledger.lines(ONE)
    seq = somewhere(ledger, pick)
    lines[seq - 1 : seq + 1] = lines[seq], lines[seq - 1]
    edited(ledger, ONE, lines)
    return one(REORDERED, seq, seq + 1)


@way
def two_are_swapped(ledger: Ledger, pick: random.Random) -> Tampered:
    lines = ledger.lines(ONE)
    away = pick.choice((2, 20, 400, 1500))
    seq = somewhere(ledger, pick, margin=away + 3)
    other = seq + away
    lines[seq - 1], lines[other - 1] = lines[other - 1], lines[seq - 1]
    edited(ledger, ONE, lines)
    if away == 2:  # which two of three it was cannot be told
        return one(REORDERED, seq, other)
    return Tampered(
        tuple(
            Expected(frozenset({REORDERED}), ONE, each, each)
            for each in (seq, other)
        )
    )


@way
def a_run_is_moved(ledger: Ledger, pick: random.Random) -> Tampered:
    lines = ledger.lines(ONE)
    size = pick.choice((1, 5, 80, 700))
    away = pick.choice((1, 30, 1100))
    seq = somewhere(ledger, pick, margin=size + away + 3)
    moved = lines[seq - 1 : seq - 1 + size]
    rest = lines[: seq - 1] + lines[seq - 1 + size :]
    if pick.random() < 0.5:  # forth
        at = seq - 1 + away
        low, high = seq, seq + size + away - 1
    else:
        at = max(0, seq - 1 - away)
        low, high = at + 1, seq + size - 1
    edited(ledger, ONE, rest[:at] + moved + rest[at:])
    return one(REORDERED, low, high)


@way
def a_run_is_reversed(ledger: Ledger, pick: random.Random) -> Tampered:
    lines = ledger.lines(ONE)
    size = pick.choice((3, 30, 300))
    seq = somewhere(ledger, pick, margin=size + 3)
    lines[seq - 1 : seq - 1 + size] = lines[seq - 1 : seq - 1 + size][::-1]
    edited(ledger, ONE, lines)
    return one(REORDERED, seq, seq + size - 1)


@way
def a_checkpoint_is_edited(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = pick.choice(checkpoints(ledger.lines(ONE))[:-1])
    name, at = ledger.find(ONE, seq)
    line = ledger.files[name][at]
    ledger.files[name][at] = line.replace(b'"sig":"', b'"sig":"AAAA', 1)
    return one(CHANGED, seq, also=(BAD_CHECKPOINT,))


@way
def a_checkpoint_is_edited_and_the_rest_made_anew(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    lines = ledger.lines(ONE)
    seq = pick.choice(checkpoints(lines)[1:-1])
    low, high = around(lines, seq)
    lines[seq - 1] = lines[seq - 1].replace(b'"sig":"', b'"sig":"AAAA', 1)
    edited(ledger, ONE, relinked(lines, seq - 1))
    found = one(BAD_CHECKPOINT, low, seq)
    more = one(REWRITTEN, low, high)
    return Tampered(found.expected + more.expected)


@way
def the_last_checkpoint_is_edited(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    lines = ledger.lines(ONE)
    low = around(lines, len(lines))[0]
    other = checkpoint.sign(
        ONE, len(lines) - 1, entry.digest(lines[-2]), NOW, signer(9)
    )
    if pick.random() < 0.5:
        other["signatures"][0]["keyid"] = signer().public_key.keyid
    members = json.loads(lines[-1])
    members["fields"]["signed"] = other
    lines[-1] = json.dumps(members, separators=(",", ":")).encode()
    edited(ledger, ONE, lines)
    return one(BAD_CHECKPOINT, low, len(lines))


@way
def a_checkpoint_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = pick.choice(checkpoints(ledger.lines(ONE))[:-1])
    name, at = ledger.find(ONE, seq)
    del ledger.files[name][at]
    return one(REMOVED, seq)


@way
def the_end_is_cut_off(ledger: Ledger, pick: random.Random) -> Tampered:
    lines = ledger.lines(ONE)
    known = kept(lines, pick.choice(checkpoints(lines)[5:]))
    seq = pick.randrange(1, known.seq)
    for name in ledger.names(ONE):
        size = len(ledger.files[name])
        left = seq - int(name[-26:-6]) + 1
        if left <= 0:
            del ledger.files[name]
        elif left < size:
            del ledger.files[name][left:]
    return Tampered(one(TRUNCATED, seq + 1, known.seq).expected, (known,))


@way
def an_origin_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    lines = ledger.lines(TWO)
    known = kept(lines, pick.choice(checkpoints(lines)))
    for name in ledger.names(TWO):
        del ledger.files[name]
    found = one(MISSING, 1, known.seq, TWO)
    return dataclasses.replace(found, kept=(known,))


@way
def a_sealed_block_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick, SEALED)
    name, at = ledger.find(SEALED, seq)
    del ledger.files[name][at]
    return one(REMOVED, seq, origin=SEALED)


@way
def a_sealed_block_is_changed(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick, SEALED)
    name, at = ledger.find(SEALED, seq)
    ledger.files[name][at] = refield(ledger.files[name][at][:-1]) + b"\n"
    return one(CHANGED, seq, origin=SEALED)


@way
def a_sealed_chain_is_made_anew(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    lines = ledger.lines(SEALED)
    seq = somewhere(ledger, pick, SEALED)
    lines[seq - 1] = refield(lines[seq - 1])
    edited(ledger, SEALED, relinked(lines, seq - 1))
    return one(REWRITTEN, seq - 30, seq + 30, SEALED)


@way
def a_sealed_chain_is_cut_off(ledger: Ledger, pick: random.Random) -> Tampered:
    seq = somewhere(ledger, pick, SEALED)
    last = len(ledger.lines(SEALED))
    ledger.put(SEALED, ledger.lines(SEALED)[:seq])
    return one(TRUNCATED, seq + 1, last, SEALED)


@way
def a_sealed_chain_is_removed(ledger: Ledger, pick: random.Random) -> Tampered:
    last = len(ledger.lines(SEALED))
    for name in ledger.names(SEALED):
        del ledger.files[name]
    return one(MISSING, 1, last, SEALED)


@way
def an_entry_of_another_origin(
    ledger: Ledger, pick: random.Random
) -> Tampered:
    line = pick.choice(ledger.lines(TWO))
    seq = somewhere(ledger, pick)
    name, at = ledger.find(ONE, seq)
    ledger.files[name].insert(at, line + b"\n")
    return one(FOREIGN, json.loads(line)["seq"])


@way
def files_are_swapped(ledger: Ledger, pick: random.Random) -> Tampered:
    name = pick.choice(ledger.names(TWO)[:1])
    other = name.replace(place(TWO), place(ONE))
    files = ledger.files
    files[name], files[other] = files[other], files[name]
    size = len(files[other])
    return Tampered(
        tuple(
            Expected(frozenset({kind}), origin, 1, size, frozenset({CHANGED}))
            for origin in (ONE, TWO)
            for kind in (FOREIGN,)
        )
    )


@way
def directories_are_swapped(ledger: Ledger, pick: random.Random) -> Tampered:
    ours, theirs = ledger.lines(ONE), ledger.lines(TWO)
    ledger.put(ONE, theirs)
    ledger.put(TWO, ours)
    return Tampered(
        (
            Expected(frozenset({FOREIGN}), ONE, 1, len(theirs)),
            Expected(frozenset({FOREIGN}), TWO, 1, len(ours)),
        )
    )


@way
def a_directory_is_renamed(ledger: Ledger, pick: random.Random) -> Tampered:
    lines = ledger.lines(TWO)
    for name in ledger.names(TWO):
        ledger.files[name.replace(place(TWO), "ctl-3.x.0")] = ledger.files.pop(
            name
        )
    return one(FOREIGN, 1, len(lines), "ctl-3.x.0")
