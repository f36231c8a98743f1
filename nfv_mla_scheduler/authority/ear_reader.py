# SPDX-License-Identifier: Apache-2.0
"""Make results of an authority's tokens, and read none of them twice.

Pure.  A token is known by its digest: one that was read before costs a look
into a table, and its times are still compared with the clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple

from nfv_mla_scheduler.authority import ear_claims
from nfv_mla_scheduler.authority import ear_table
from nfv_mla_scheduler.authority import ear_token
from nfv_mla_scheduler.authority.ear_keys import Keys
from nfv_mla_scheduler.authority.ear_problems import Refused
from nfv_mla_scheduler.authority.ear_problems import problem_of
from nfv_mla_scheduler.authority.ear_problems import said
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.standard.values import Catalogue

BOOT_STEP_S = 600
# How many claim sets that nobody uses any more may lie about.
POOL_SLACK = 64
DIFFER = "several tokens of one second differ; the worse of all counts"


class _Known(NamedTuple):
    """A token that was read.

    :ivar since: before which it does not hold yet
    """

    attester: str
    since: Instant
    until: Instant
    result: Result
    freshness: Freshness
    notes: tuple[str, ...]


class EarReader:
    """Reads what one authority answers, again and again.

    Remembers what its last full answer held, and no more.  Not for use by
    several threads at once.

    :param identity: the claim that names the attester
    :param issuer: what ``iss`` has to be; ``None``: it is not asked for
    :param mapping: the authority's table; ``None``: it has none
    :param audience: what ``aud`` has to hold; ``None``: tokens for somebody
        by name are refused
    :ivar rules: what tells all these from others, by which other tokens would
        be taken, or other claims read in them
    """

    def __init__(
        self,
        authority: str,
        keys: Keys,
        catalogue: Catalogue,
        issuer: str | None = None,
        identity: str = ear_token.SUBJECT,
        mapping: ear_table.Mapping | None = None,
        audience: str | None = None,
    ) -> None:
        self._authority = authority
        self._keys = keys
        self._catalogue = catalogue
        self._issuer = issuer
        self._identity = identity
        self._mapping = mapping or ear_table.NOTHING
        self._audience = audience
        self.rules = self._rules()
        self._tokens: ear_token.TokenReader | None = None
        self._regions: Mapping[Axis, Regions] | None = None
        self._max_skew_s = 0.0
        self._inquiry: Inquiry | None = None
        self._known: dict[bytes, _Known] = {}
        self._asked: dict[str, tuple[bytes, _Known]] = {}
        self._results: dict[str, Result] = {}
        self._in_use = 0

    def read(
        self,
        tokens: Iterable[bytes],
        inquiry: Inquiry,
        now: Instant,
        complete: bool,
    ) -> Collected:
        """Return the results in one answer about many attesters.

        :param complete: whether the answer holds all that was asked for
        """
        reader = self._prepared(inquiry)
        latest = now + inquiry.max_skew_s
        refused = Refused()
        seen: dict[bytes, _Known] = {}
        best: dict[str, _Known] = {}
        for number, token in enumerate(tokens, start=1):
            digest = hashlib.sha256(token).digest()
            one = self._known.get(digest)
            if one is None:
                try:
                    one = self._new(reader, token, now)
                except TokenRefused as exc:
                    refused.add(reader.attester or f"token {number}", exc)
                    continue
            seen[digest] = one
            if one.since > latest or now >= one.until:
                refused.add(one.attester, _out_of_time(one, inquiry, now))
                continue
            rival = best.get(one.attester)
            if rival is not None and rival is not one:
                one = self._decided(reader, rival, one)
            best[one.attester] = one
        results = {name: one.result for name, one in best.items()}
        self._remember(reader, inquiry, seen, results)
        return Collected(
            results,
            {name: one.freshness for name, one in best.items()},
            complete and not refused.count,
            tuple(refused.problems()),
            rules=self.rules,
            notes=_said(reader, best.values()),
        )

    def read_one(
        self, token: bytes, attester: str, inquiry: Inquiry, now: Instant
    ) -> tuple[Result, Freshness] | Problem:
        """Return the result in the answer to the question about ``attester``.

        What was left out of it is in :meth:`left_out`.
        """
        reader = self._prepared(inquiry)
        before = self._asked.get(attester)
        digest = hashlib.sha256(token).digest()
        try:
            if before is not None and before[0] == digest:
                one = before[1]
                ear_token.check_times(
                    one.since, one.until, now, inquiry.max_skew_s
                )
            else:
                one = self._new(reader, token, now)
            if one.attester != attester:
                raise TokenRefused(
                    TokenCode.OTHER_ATTESTER,
                    f"is about {bounded(one.attester)!r}",
                )
        except TokenRefused as exc:
            return problem_of(attester, exc)
        self._asked[attester] = (digest, one)
        self._results[attester] = one.result
        self._tidy(reader)
        return one.result, one.freshness

    def left_out(self) -> tuple[Problem, ...]:
        """Say what was left out, or lowered, in what :meth:`read_one` read."""
        reader = self._tokens
        if reader is None:
            return ()
        return _said(reader, [one for _, one in self._asked.values()])

    def _rules(self) -> str:
        said = [
            sorted(
                (key.kid, key.algorithm, key.fingerprint)
                for key in self._keys.values()
            ),
            self._issuer,
            self._audience,
            self._identity,
            ear_table.content(self._mapping),
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def _prepared(self, inquiry: Inquiry) -> ear_token.TokenReader:
        """Return what reads tokens by the rules of an inquiry.

        Under another policy, claims may be other ones: all is read anew.
        """
        if (
            self._tokens is None
            or self._regions is not inquiry.regions
            or self._max_skew_s != inquiry.max_skew_s
        ):
            rules = ear_token.Rules(
                self._catalogue,
                inquiry.regions,
                inquiry.max_skew_s,
                self._mapping,
                self._issuer,
                self._identity,
                audience=self._audience,
            )
            self._tokens = ear_token.TokenReader(self._keys, rules)
            self._regions = inquiry.regions
            self._max_skew_s = inquiry.max_skew_s
            self._known, self._asked = {}, {}
            self._tokens.forget_but(r.claims for r in self._results.values())
        if inquiry is not self._inquiry and not inquiry.targeted:
            self._inquiry = inquiry
            for name in self._asked.keys() - set(inquiry.attesters):
                del self._asked[name]
                self._results.pop(name, None)
        return self._tokens

    def _tidy(self, reader: ear_token.TokenReader) -> None:
        """Let go of claims in no result and no known token, if many are."""
        if reader.held <= 2 * self._in_use + POOL_SLACK:
            return
        used = {id(r.claims): r.claims for r in self._results.values()}
        for one in self._known.values():
            used[id(one.result.claims)] = one.result.claims
        reader.forget_but(used.values())
        self._in_use = len(used)

    def _new(
        self, reader: ear_token.TokenReader, token: bytes, now: Instant
    ) -> _Known:
        """Read a token; what did not change stays the same object.

        :raises TokenRefused: whatever is wrong with it
        """
        found = reader.read(token, now)
        result = self._result(
            found.attester, found.claims, found.boot, found.at
        )
        return _Known(
            found.attester,
            found.since,
            found.until,
            result,
            Freshness(found.at, found.boot, found.until),
            found.notes,
        )

    def _result(
        self, attester: str, claims: Claims, boot: str | None, at: Instant
    ) -> Result:
        boot_at = at - at % BOOT_STEP_S
        held = self._results.get(attester)
        if (
            held is not None
            and held.claims is claims
            and held.boot == boot
            and held.boot_attested_at == boot_at
        ):
            return held
        return Result(self._authority, attester, claims, boot, boot_at)

    def _decided(
        self, reader: ear_token.TokenReader, one: _Known, other: _Known
    ) -> _Known:
        """Return which of two tokens about one attester counts.

        The later one; of the same second the worse of both, whatever that is.
        """
        if one.freshness.at != other.freshness.at:
            return max(one, other, key=lambda known: known.freshness.at)
        boot, claims = one.result.boot, one.result.claims
        notes = {*one.notes, *other.notes}
        if boot != other.result.boot or claims is not other.result.claims:
            notes.add(DIFFER)
        if boot != other.result.boot:
            boot = None
        if claims is not other.result.claims:
            claims = reader.pooled(
                ear_claims.worse_of_both(claims, other.result.claims)
            )
        at = one.freshness.at
        until = min(one.until, other.until)
        return _Known(
            one.attester,
            max(one.since, other.since),
            until,
            self._result(one.attester, claims, boot, at),
            Freshness(at, boot, until),
            tuple(sorted(notes)),
        )

    def _remember(
        self,
        reader: ear_token.TokenReader,
        inquiry: Inquiry,
        seen: dict[bytes, _Known],
        results: dict[str, Result],
    ) -> None:
        """Keep a full answer alone, and of a targeted one what was asked."""
        if not inquiry.targeted:
            self._known, self._results = seen, dict(results)
        else:
            asked = results.keys() & set(inquiry.attesters)
            self._known = {
                token: one
                for token, one in self._known.items()
                if one.attester not in asked
            }
            self._known.update(
                (token, one)
                for token, one in seen.items()
                if one.attester in asked
            )
            self._results.update((name, results[name]) for name in asked)
        self._tidy(reader)


def _out_of_time(one: _Known, inquiry: Inquiry, now: Instant) -> TokenRefused:
    """Return why a token that was read does not hold now."""
    try:
        ear_token.check_times(one.since, one.until, now, inquiry.max_skew_s)
    except TokenRefused as exc:
        return exc
    raise AssertionError("it holds")


def _said(
    reader: ear_token.TokenReader, known: Iterable[_Known]
) -> tuple[Problem, ...]:
    notes = ((one.attester, one.notes) for one in known if one.notes)
    return tuple(said(notes, reader.notes))
