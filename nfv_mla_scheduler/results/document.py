# SPDX-License-Identifier: Apache-2.0
"""Read the signed results document, and no more of it than has changed.

Pure: bytes, keys and now in, values out.  A document is two lines.  The first
is a DSSE envelope over the *head*: who, when, the digest of the body, and for
each authority the times of its appraisals.  The second is the *body*: the
claims.  Claims rarely change and times always do, so that a refresh mostly
costs one signature, one digest and one pass over the times.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.results import body as bodies
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.garbage import uncollected
from nfv_mla_scheduler.results.times import Times
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue

FORMAT = "nfv-mla-results/1"
MAX_BYTES = 64 * 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """One authority's times, in the order of its attesters in the body."""

    at: list[float]
    boot: list[str | None] | None
    until: list[float | None] | None


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The signed part of a document."""

    collector: str
    issued_at: Instant
    body_sha256: str
    body_length: int
    authorities: Mapping[str, Columns]


class Loader:
    """Reads one document after the other, and keeps what did not change.

    Not for use by several threads at once.

    :param max_bytes: the largest document that is looked at
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._issued_at: dict[str, Instant] = {}
        self._head: Head | None = None
        self._body: bodies.Body | None = None
        # results whose times have not come -> the same ones as faulty
        self._ahead: dict[Result, Result] = {}

    def read(
        self,
        data: bytes,
        policy_collectors: Mapping[str, Collector],
        authorities: Mapping[str, Authority],
        catalogue: Catalogue,
        regions: Mapping[Axis, Regions],
        *,
        now: Instant,
        max_skew_s: float,
        held: ResultsDocument | None = None,
    ) -> ResultsDocument:
        """Return what ``data`` says, results that are at fault marked.

        :param data: the whole document
        :param max_skew_s: how far ahead of ``now`` a time may be, seconds
        :param held: what this document would replace
        :raises ResultsRefused: and then everything held stays as it was
        """
        line, rest = self._lines(data)
        payload, signers = signature.unseal(line, policy_collectors)
        head = read_head(payload, self._head)
        if head.collector not in signers:
            raise ResultsRefused(
                ResultsCode.WRONG_KEY,
                "signed with the key of another collector than the one it "
                f"names ({bounded(head.collector)!r})",
            )
        self._check_time(head, now, max_skew_s)
        if held is not None:
            _check_order(held, head)
        context = bodies.Context(
            catalogue,
            regions,
            frozenset(authorities),
            head.collector,
            policy_collectors[head.collector].authorities,
        )
        body = self._read_body(head, rest, context)
        ahead: dict[Result, Result] = {}
        document = _join(head, body, now + max_skew_s, self._ahead, ahead)
        if held is not None:
            _check_cover(held, document)
        self._head, self._body, self._ahead = head, body, ahead
        self._issued_at[head.collector] = head.issued_at
        return document

    def forget_after(self, latest: Instant) -> None:
        """Let older documents follow those that were issued after ``latest``.

        For when clocks were ahead, and no longer are.
        """
        self._issued_at = {
            collector: issued_at
            for collector, issued_at in self._issued_at.items()
            if issued_at <= latest
        }

    def _lines(self, data: bytes) -> tuple[bytes, memoryview]:
        """Split the envelope from the body."""
        if len(data) > self._max_bytes:
            raise ResultsRefused(
                ResultsCode.TOO_LARGE,
                f"larger than {self._max_bytes} bytes",
            )
        end = data.find(b"\n")
        if end < 0:
            raise ResultsRefused(
                ResultsCode.TRUNCATED, "ends before its second line"
            )
        stop = len(data) - 1 if data.endswith(b"\n") else len(data)
        return data[:end], memoryview(data)[end + 1 : max(stop, end + 1)]

    def _check_time(self, head: Head, now: Instant, max_skew_s: float) -> None:
        """Refuse a document from the future, or an older one than we hold."""
        if head.issued_at > now + max_skew_s:
            raise ResultsRefused(
                ResultsCode.AHEAD,
                f"issued {head.issued_at - now:.0f} s ahead of now; at most "
                f"{max_skew_s:g} s are allowed",
            )
        held = self._issued_at.get(head.collector)
        if held is not None and head.issued_at < held:
            raise ResultsRefused(
                ResultsCode.ROLLED_BACK,
                f"issued {held - head.issued_at:.3f} s before the document "
                "that is held",
            )

    def _read_body(
        self, head: Head, rest: memoryview, context: bodies.Context
    ) -> bodies.Body:
        """Return the body, the one that is held if nothing changed in it."""
        if len(rest) < head.body_length:
            raise ResultsRefused(
                ResultsCode.TRUNCATED,
                f"the body has {len(rest)} bytes of {head.body_length}",
            )
        digest = hashlib.sha256(rest).hexdigest()
        if len(rest) != head.body_length or digest != head.body_sha256:
            raise ResultsRefused(
                ResultsCode.INVALID, "the body is not the one that was signed"
            )
        held = self._body
        if held and held.digest == digest and held.context == context:
            return held
        with uncollected():
            return bodies.parse(bytes(rest), digest, context, held)


def _check_order(held: ResultsDocument, head: Head) -> None:
    """Refuse to let an old document of one collector undo another's.

    What a collector issued last may lie about for long before it is read.
    """
    if head.collector != held.collector and head.issued_at < held.issued_at:
        raise ResultsRefused(
            ResultsCode.ROLLED_BACK,
            f"of collector {bounded(head.collector, 64)!r}, issued "
            f"{held.issued_at - head.issued_at:.3f} s before the document "
            f"held, of collector {bounded(held.collector, 64)!r}",
        )


def _check_cover(held: ResultsDocument, document: ResultsDocument) -> None:
    """Refuse to let one collector silence the authorities of another."""
    silenced = held.results.keys() - document.results.keys()
    if silenced and document.collector != held.collector:
        raise ResultsRefused(
            ResultsCode.NOT_THEIRS,
            f"of collector {bounded(document.collector, 64)!r}, and says "
            f"nothing of {bounded(', '.join(sorted(silenced)), 128)}, of "
            f"which the document held does, of collector "
            f"{bounded(held.collector, 64)!r}",
        )


def read_head(payload: bytes, held: Head | None = None) -> Head:
    """Return the head that a verified ``payload`` holds.

    :param held: the head before this one, whose columns are used again
    :raises ResultsRefused: INVALID
    """
    found = strict_json.mapping(strict_json.parse(payload, "head"), "head")
    if found.get("format") != FORMAT:
        raise strict_json.invalid(
            "head.format", f"must be {FORMAT}", found.get("format", "missing")
        )
    strict_json.fields(
        found,
        "head",
        ("format", "collector", "issued_at", "body", "authorities"),
    )
    body = strict_json.fields(found["body"], "head.body", ("sha256", "length"))
    length = body["length"]
    if type(length) is not int or length < 0:
        raise strict_json.invalid("head.body.length", "must be a count")
    if not strict_json.is_name(body["sha256"]):
        raise strict_json.invalid("head.body.sha256", "must be a digest")
    if not strict_json.is_name(found["collector"]):
        raise strict_json.invalid("head.collector", "must be a name")
    authorities = strict_json.mapping(found["authorities"], "head.authorities")
    return Head(
        found["collector"],
        strict_json.number(found["issued_at"], "head.issued_at"),
        body["sha256"],
        length,
        {
            name: _columns(
                raw,
                f"head.authorities.{name}",
                held.authorities.get(name) if held else None,
            )
            for name, raw in authorities.items()
        },
    )


def _columns(raw: object, path: str, held: Columns | None) -> Columns:
    found = strict_json.fields(raw, path, ("at",), ("boot", "until"))
    at = strict_json.numbers(found["at"], f"{path}.at")
    boot = until = None
    if "boot" in found:
        boot = held.boot if held else None
        if boot is None or boot != found["boot"]:
            boot = strict_json.names(found["boot"], f"{path}.boot")
    if "until" in found:
        until = strict_json.numbers_or_null(found["until"], f"{path}.until")
    for column in (boot, until):
        if column is not None and len(column) != len(at):
            raise strict_json.invalid(path, "has columns of unequal length")
    return Columns(at, boot, until)


def _join(
    head: Head,
    body: bodies.Body,
    latest: Instant,
    before: Mapping[Result, Result],
    ahead: dict[Result, Result],
) -> ResultsDocument:
    """Put times and claims together.

    :param latest: what is later than this is ahead of us, and faulty
    :param before: the results that were ahead before -> as faulty ones
    :param ahead: gets those that are ahead now
    """
    if head.authorities.keys() != body.rows.keys():
        raise strict_json.invalid(
            "head.authorities", "are not those of the body"
        )
    results: dict[str, Mapping[str, Result]] = {}
    freshness: dict[str, Mapping[str, Freshness]] = {}
    problems = list(body.problems)
    for name, rows in body.rows.items():
        columns = head.authorities[name]
        if len(columns.at) != body.counts[name]:
            raise strict_json.invalid(
                f"head.authorities.{name}",
                f"has {len(columns.at)} times for {body.counts[name]} "
                "attesters",
            )
        if name not in body.results:
            continue
        kept = body.results[name]
        fresh = _times(columns, rows)
        newest = max(columns.at, default=0.0)
        if max(newest, body.newest_boot[name]) > latest:
            early = _ahead(name, kept, fresh, latest)
            problems.extend(early.values())
            for attester in early:
                result = kept[attester]
                ahead[result] = before.get(result) or dataclasses.replace(
                    result, faulty=True
                )
            if early:
                kept = MappingProxyType(
                    {a: ahead.get(r, r) for a, r in kept.items()}
                )
        results[name] = kept
        freshness[name] = fresh
    return ResultsDocument(
        head.collector,
        head.issued_at,
        body.digest,
        MappingProxyType(results),
        MappingProxyType(freshness),
        tuple(problems),
    )


def _times(columns: Columns, rows: Mapping[str, int]) -> Times:
    count = len(columns.at)
    until = [FOREVER] * count
    if columns.until is not None:
        until = [FOREVER if t is None else t for t in columns.until]
    boot = columns.boot
    return Times(rows, columns.at, boot or [None] * count, until)


def _ahead(
    authority: str,
    results: Mapping[str, Result],
    fresh: Mapping[str, Freshness],
    latest: Instant,
) -> dict[str, Problem]:
    """Return the results whose times have not come yet, and say so."""
    problems: dict[str, Problem] = {}
    for attester, result in results.items():
        last = max(fresh[attester].at, result.boot_attested_at)
        if last > latest and not result.faulty:
            problems[attester] = bodies.problem(
                ResultsCode.AHEAD,
                f"authorities.{authority}.{attester}",
                f"carries nothing: attested {last - latest:.0f} s later than "
                "clocks may differ",
            )
    return problems
