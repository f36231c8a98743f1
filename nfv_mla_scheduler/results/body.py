# SPDX-License-Identifier: Apache-2.0
"""The body of a results document: claims, without the times of appraisal.

Pure.  Parsed only when its digest changes, and even then whatever in it has
stayed the same stays the same object.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from typing import NamedTuple

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.standard.values import Catalogue

ByAttester = Mapping[str, Result]


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """What a body is read against; another context means reading it anew.

    :ivar authorities: all that the policy names
    :ivar collector: who signed
    :ivar theirs: the authorities that this collector may speak for
    """

    catalogue: Catalogue
    regions: Mapping[Axis, Regions]
    authorities: frozenset[str]
    collector: str
    theirs: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A body that was read, and what the next one may share with it.

    :ivar rows: authority -> attester id -> its row in the columns, those of
        authorities that are not heard included
    :ivar counts: authority -> how many rows there are
    :ivar claims: content -> the one object of that content
    :ivar newest_boot: authority -> the latest ``boot_attested_at`` in it
    """

    digest: str
    context: Context
    rows: Mapping[str, Mapping[str, int]]
    counts: Mapping[str, int]
    results: Mapping[str, ByAttester]
    claims: Mapping[claim_sets.Content, Claims]
    newest_boot: Mapping[str, float]
    problems: tuple[Problem, ...]


def problem(
    code: ResultsCode, path: str, message: str, value: object = ""
) -> Problem:
    """Return a problem whose message begins with its code."""
    return Problem(
        bounded(path, 128), f"{code.value}: {message}", bounded(value)
    )


def parse(
    data: bytes, digest: str, context: Context, held: Body | None
) -> Body:
    """Return the body that ``data`` holds.

    :param held: the body before this one, whose objects are used again
    :raises ResultsRefused: TOO_DEEP or INVALID
    """
    found = strict_json.fields(
        strict_json.parse(data, "body"), "body", ("claim_sets", "authorities")
    )
    problems: list[Problem] = []
    sets, claims = _sets(found["claim_sets"], context, held, problems)
    rows: dict[str, Mapping[str, int]] = {}
    counts: dict[str, int] = {}
    results: dict[str, ByAttester] = {}
    newest: dict[str, float] = {}
    authorities = strict_json.mapping(found["authorities"], "authorities")
    for name, raw in authorities.items():
        path = f"authorities.{name}"
        entries = _entries(raw, path, len(sets))
        counts[name] = len(entries)
        rows[name] = _rows(entries, held.rows.get(name) if held else None)
        wrong = _not_heard(name, context, len(entries))
        if wrong:
            problems.append(wrong)
            continue
        known = held.results.get(name, {}) if held else {}
        results[name] = MappingProxyType(
            _results(name, entries, sets, known, claims, problems)
        )
        newest[name] = max((entry[3] for entry in entries), default=0.0)
    return Body(
        digest,
        context,
        rows,
        counts,
        results,
        claims,
        newest,
        tuple(problems),
    )


def _sets(
    raw: Any, context: Context, held: Body | None, problems: list[Problem]
) -> tuple[list[_Set], dict[claim_sets.Content, Claims]]:
    """Return the claim sets by index, and the one object of each content."""
    sets: list[_Set] = []
    pool: dict[claim_sets.Content, Claims] = {}
    held_pool = held.claims if held else {}
    reader = claim_sets.Reader(context.catalogue, context.regions)
    unknown: dict[str, list[int]] = {}
    for index, entry in enumerate(strict_json.array(raw, "claim_sets")):
        path = f"claim_sets.{index}"
        try:
            strangers: list[str] = []
            claims, content = reader.read(entry, path, strangers)
        except claim_sets.BadClaim as exc:
            problems.append(
                problem(
                    ResultsCode.BAD_CLAIM, exc.path, exc.message, exc.value
                )
            )
            salvaged = reader.salvage(entry)
            sets.append(_Set(_pooled(salvaged, pool, held_pool), True))
            continue
        for name in strangers:
            unknown.setdefault(name, []).append(index)
        if content not in pool:
            pool[content] = held_pool.get(content, MappingProxyType(claims))
        sets.append(_Set(pool[content], False))
    problems.extend(_stranger(n, found) for n, found in unknown.items())
    return sets, pool


def _pooled(
    claims: Claims,
    pool: dict[claim_sets.Content, Claims],
    held: Mapping[claim_sets.Content, Claims],
) -> Claims:
    """Return the one object of the content of these claims."""
    content = claim_sets.content(claims)
    if content not in pool:
        pool[content] = held.get(content, MappingProxyType(dict(claims)))
    return pool[content]


def _stranger(name: str, found: list[int]) -> Problem:
    """Say which claims alone are left out.

    A collector may be newer than its readers, and know more capabilities.
    """
    return problem(
        ResultsCode.BAD_CLAIM,
        f"claim_sets.{found[0]}.{name}",
        "is not a capability of the catalogue; left out is this claim alone, "
        f"in {len(found)} claim sets",
        name,
    )


class _Set(NamedTuple):
    """A claim set; of a faulty one what can be read."""

    claims: Claims
    faulty: bool


# The last is missing where it is empty, as it mostly is.
_Entry = tuple[str, int, "str | None", float, str]


def _entries(raw: Any, path: str, sets: int) -> list[_Entry]:
    """Check the shape of one authority's list, and return it."""
    entries: list[_Entry] = []
    for index, entry in enumerate(strict_json.array(raw, path)):
        if type(entry) is not list or len(entry) not in (4, 5):
            raise strict_json.invalid(
                f"{path}.{index}", "must be an array of four or five"
            )
        attester, claim_set, boot, boot_at, *keys = entry
        if not strict_json.is_name(attester):
            raise strict_json.invalid(
                f"{path}.{index}", "has an unfit attester id", attester
            )
        if type(claim_set) is not int or not 0 <= claim_set < sets:
            raise strict_json.invalid(
                f"{path}.{index}", "points to no claim set", claim_set
            )
        if boot is not None and not strict_json.is_name(boot):
            raise strict_json.invalid(
                f"{path}.{index}", "has an unfit boot id", boot
            )
        if keys and not strict_json.is_name(keys[0]):
            raise strict_json.invalid(
                f"{path}.{index}", "has an unfit key", keys[0]
            )
        boot_at = strict_json.number(boot_at, f"{path}.{index}")
        entries.append((attester, claim_set, boot, boot_at, "".join(keys)))
    return entries


def _rows(
    entries: list[_Entry], held: Mapping[str, int] | None
) -> Mapping[str, int]:
    """Return the row of each attester, as the same object while it can."""
    rows = {entry[0]: row for row, entry in enumerate(entries)}
    return held if held == rows else rows


def _not_heard(name: str, context: Context, count: int) -> Problem | None:
    """Say why nothing counts that this collector says of this authority."""
    path = f"authorities.{name}"
    if name not in context.authorities:
        return problem(
            ResultsCode.UNKNOWN_AUTHORITY,
            path,
            f"the policy names no such authority; {count} results left out",
        )
    if name not in context.theirs:
        return problem(
            ResultsCode.NOT_THEIRS,
            path,
            "the policy does not let this collector speak for it; "
            f"{count} results left out",
            context.collector,
        )
    return None


def _results(
    authority: str,
    entries: list[_Entry],
    sets: list[_Set],
    known: ByAttester,
    pool: dict[claim_sets.Content, Claims],
    problems: list[Problem],
) -> dict[str, Result]:
    """Return one authority's results, the faulty ones marked."""
    doubled: dict[str, list[Claims]] = {}
    if len({entry[0] for entry in entries}) != len(entries):
        doubled = _doubled(authority, entries, sets, problems)
    results: dict[str, Result] = {}
    for attester, index, boot, boot_at, key in entries:
        claims, faulty = sets[index]
        if faulty:
            problems.append(
                problem(
                    ResultsCode.BAD_CLAIM,
                    f"authorities.{authority}.{attester}",
                    f"carries nothing for a fault in claim_sets.{index}",
                )
            )
        if attester in results:
            continue
        result = known.get(attester)
        if attester in doubled:
            faulty = True
            claims = _pooled(
                claim_sets.worst(doubled[attester]), pool, _own_claims(result)
            )
        if (
            result is None
            or result.claims is not claims
            or result.boot != boot
            or result.boot_attested_at != boot_at
            or result.faulty is not faulty
            or result.key != key
        ):
            result = Result(
                authority, attester, claims, boot, boot_at, faulty, key
            )
        results[attester] = result
    return results


def _own_claims(
    result: Result | None,
) -> Mapping[claim_sets.Content, Claims]:
    """Return the claims of a result before, to be used again."""
    if result is None:
        return {}
    return {claim_sets.content(result.claims): result.claims}


def _doubled(
    authority: str,
    entries: list[_Entry],
    sets: list[_Set],
    problems: list[Problem],
) -> dict[str, list[Claims]]:
    """Return what is said of each attester that is there more than once."""
    said: dict[str, list[Claims]] = collections.defaultdict(list)
    for attester, index, *_ in entries:
        said[attester].append(sets[index].claims)
    doubled = {name: found for name, found in said.items() if len(found) > 1}
    problems.extend(
        problem(
            ResultsCode.INVALID,
            f"authorities.{authority}.{name}",
            "is there more than once; none of its results carries anything",
        )
        for name in sorted(doubled)
    )
    return doubled
