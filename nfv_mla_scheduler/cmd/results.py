# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla results``: sign a results document by hand, or look at one."""

from __future__ import annotations

import argparse
import pathlib
import time
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING

import prettytable

from nfv_mla_scheduler.cmd.policy_files import passphrase
from nfv_mla_scheduler.cmd.policy_files import passphrase_argument
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.root import PEM_MAX
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results.document import MAX_BYTES
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.document import read_head
from nfv_mla_scheduler.results.draft import ANYWHERE
from nfv_mla_scheduler.results.draft import read_draft
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.results.writer import write
from nfv_mla_scheduler.standard.catalogue import load

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

MAX_SKEW_S = 30.0

_ATTESTERS = (
    "Authority",
    "Attester",
    "Age",
    "Boot seen",
    "Boot attested",
    "Boot age",
    "Claim set",
)


def register(subparsers: Subparsers) -> None:
    """Add ``results`` and its sub-commands to the command line."""
    results = subparsers.add_parser(
        "results",
        help="sign attestation results by hand, or look at a document",
        description="Results documents: what authorities say of the hosts.",
    )
    commands = results.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    sign = commands.add_parser(
        "sign",
        help="make a signed document from a draft in YAML",
        description="Sign what a draft says, for a site that attests by "
        "other means than a collector.  The policy must name the collector "
        "and its public key.",
    )
    sign.add_argument("draft", type=pathlib.Path, metavar="DRAFT")
    sign.add_argument(
        "--key",
        type=pathlib.Path,
        required=True,
        metavar="FILE",
        help="the collector's private key, PEM",
    )
    passphrase_argument(sign)
    sign.add_argument(
        "--out",
        "--output",
        type=pathlib.Path,
        required=True,
        metavar="FILE",
        help="the document; replaced in one step",
    )
    sign.set_defaults(run=run_sign)
    show = commands.add_parser(
        "show",
        help="verify a document and print what it says",
        description="Verify a document and print its authorities, "
        "attesters, ages and claims.  Whether the policy hears its collector "
        "is not asked here.",
    )
    show.add_argument("file", type=pathlib.Path, metavar="FILE")
    show.add_argument(
        "--key",
        type=pathlib.Path,
        required=True,
        metavar="FILE",
        help="the collector's public key, PEM",
    )
    show.add_argument(
        "--attester", metavar="NAME", help="only this one (default: all)"
    )
    show.set_defaults(run=run_show)


def run_sign(args: argparse.Namespace) -> int:
    """Sign a draft."""
    signer = read_signer(args.key, passphrase(args))
    draft = read_draft(args.draft.read_bytes(), load(), time.time())
    publish(args.out, write(draft, signer))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Verify a document, and print it."""
    with open(args.key, "rb") as file:
        pem = file.read(PEM_MAX + 1).decode("ascii", "replace")
    if signature.public_key(pem) is None:
        raise KeyFileError(f"{args.key}: holds no public key that may sign")
    with open(args.file, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    now = time.time()
    document = read_with_key(data, pem, now)
    for line in report(document, now, args.attester):
        print(line)
    return 0


def read_with_key(data: bytes, pem: str, now: Instant) -> ResultsDocument:
    """Return what ``data`` says, believing whatever this key has signed.

    :raises ResultsRefused: as a scheduler would
    """
    name = ""
    anyone = Collector(name, pem, frozenset())
    try:
        payload, _ = signature.unseal(data.split(b"\n", 1)[0], {name: anyone})
        head = read_head(payload)
        name, heard = head.collector, frozenset(head.authorities)
    except ResultsRefused:
        heard = frozenset()  # and what is wrong is said below
    return Loader().read(
        data,
        {name: Collector(name, pem, heard)},
        {a: Authority(a, "", frozenset(), 0, 0, False) for a in heard},
        load(),
        ANYWHERE,
        now=now,
        max_skew_s=MAX_SKEW_S,
    )


def report(
    document: ResultsDocument, now: Instant, attester: str | None
) -> Iterable[str]:
    """Yield what there is to see in a document."""
    yield f"Collector  {document.collector}"
    yield (
        f"Issued     {write_instant(document.issued_at)}, "
        f"{age(document.issued_at, now)} ago"
    )
    yield f"Body       sha256:{document.body_digest}"
    yield ""
    yield "Authorities"
    yield _authorities(document, now)
    numbers = _Numbers()
    yield ""
    yield "Attesters"
    yield table(_ATTESTERS, _attesters(document, now, attester, numbers))
    yield ""
    yield "Claim sets"
    yield table(
        ("Claim set", "Capability", "Status", "Grade", "Values"),
        _claims(numbers.sets),
    )
    if document.problems:
        yield ""
        yield "Left out"
        yield from (f"  {problem}" for problem in document.problems)


def _authorities(document: ResultsDocument, now: Instant) -> str:
    rows = []
    for authority, fresh in document.freshness.items():
        times = [freshness.at for freshness in fresh.values()]
        ends = (min(times), max(times)) if times else ()
        oldest, newest = (age(at, now) for at in ends) if ends else ("", "")
        rows.append((authority, len(fresh), newest, oldest))
    return table(("Authority", "Attesters", "Newest", "Oldest"), rows)


class _Numbers:
    """Gives each claim set a number, in the order of their first use."""

    def __init__(self) -> None:
        self.sets: list[Claims] = []
        self._known: dict[int, int] = {}

    def of(self, claims: Claims) -> int:
        if id(claims) not in self._known:
            self.sets.append(claims)
            self._known[id(claims)] = len(self.sets)
        return self._known[id(claims)]


def _attesters(
    document: ResultsDocument,
    now: Instant,
    attester: str | None,
    numbers: _Numbers,
) -> Iterable[tuple[object, ...]]:
    for authority, results in document.results.items():
        for name, result in results.items():
            if attester not in (None, name):
                continue
            fresh = document.freshness[authority][name]
            yield (
                authority,
                name,
                age(fresh.at, now),
                fresh.boot or "",
                result.boot or "",
                age(result.boot_attested_at, now),
                numbers.of(result.claims),
            )


def _claims(
    sets: Iterable[Claims],
) -> Iterable[tuple[object, ...]]:
    for number, claims in enumerate(sets, start=1):
        for name, claim in sorted(claims.items()):
            values = "; ".join(
                (f"{key}: " if key else "") + ", ".join(sorted(found))
                for key, found in sorted(claim.values.items())
            )
            status, grade = claim.status.value, claim.grade.value
            yield number, name, status, grade, values


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as a table for a terminal."""
    shown = prettytable.PrettyTable(list(headings), align="l")
    for row in rows:
        shown.add_row(list(row))
    return str(shown.get_string())


def age(at: Instant, now: Instant) -> str:
    """Return how long ago ``at`` was, in the largest unit that says it."""
    seconds = now - at
    if abs(seconds) < 120:
        return f"{seconds:.0f} s"
    if abs(seconds) < 7200:
        return f"{seconds / 60:.0f} min"
    if abs(seconds) < 172800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"
