# SPDX-License-Identifier: Apache-2.0
"""The figures of the audit ledger.  Pure."""

from __future__ import annotations

from bench.units import Figure
from bench.units import Unit

FIGURES = (
    Figure(
        "append-bare",
        "make the lines of a ledger, hash each, sign one in 4096, no more",
        Unit.US_PER_ENTRY,
    ),
    Figure(
        "append",
        "record the same entries in a ledger, from its opening to its end",
        Unit.US_PER_ENTRY,
        "append-bare",
        2.0,
    ),
    Figure(
        "append-alone",
        "record one every 2 ms, so that each is written by itself",
        Unit.US_PER_ENTRY,
    ),
    Figure(
        "commit-bare",
        "write and sync such a line, by the clock on the wall",
        Unit.MS,
    ),
    Figure(
        "commit",
        "record such an entry and wait until it is synced",
        Unit.MS,
        "commit-bare",
    ),
    Figure(
        "seal-bare",
        "encrypt a block to a key on P-256 by jwcrypto, no more",
        Unit.MS,
    ),
    Figure(
        "seal",
        "seal and write a block of a trust domain",
        Unit.MS,
        "seal-bare",
    ),
    Figure(
        "seal-day",
        "the blocks of one trust domain in a day, as often as is the default",
        Unit.S,
    ),
    Figure("seal-day-size", "what they take on the disk", Unit.MIB),
    Figure(
        "verify",
        "verify a ledger by its public key; 20 us is 50,000 in a second",
        Unit.US_PER_ENTRY,
        None,
        20.0,
    ),
    Figure(
        "verify-bare",
        "read the lines of the same files, and hash each, no more",
        Unit.US_PER_ENTRY,
    ),
)
