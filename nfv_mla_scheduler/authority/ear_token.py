# SPDX-License-Identifier: Apache-2.0
"""Read one attestation result: bytes, keys, rules and the time in.

Pure: no socket, no file, no clock, no options.  An EAR as a signed JWT:
RFC 7519 held to RFC 8725, RFC 9711 (EAT), and draft-ietf-rats-ear in both
spellings.  doc/source/reference/ear.rst says in full what is taken.
"""

from __future__ import annotations

import dataclasses
import marshal
from collections.abc import Iterable
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from typing import NamedTuple

from nfv_mla_scheduler.authority import ear_boot
from nfv_mla_scheduler.authority import ear_encoding
from nfv_mla_scheduler.authority import ear_profile
from nfv_mla_scheduler.authority import ear_submods
from nfv_mla_scheduler.authority import ear_table
from nfv_mla_scheduler.authority.ear_claims import ClaimsReader
from nfv_mla_scheduler.authority.ear_jws import Opener
from nfv_mla_scheduler.authority.ear_jws import decoded
from nfv_mla_scheduler.authority.ear_keys import Keys
from nfv_mla_scheduler.authority.ear_template import Templates
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.standard.values import Catalogue

SUBJECT = "sub"
BODIES_MAX = 1024
BODY_BYTES_MAX = 4096

# What tells one token from the next that says the same.
_OF_ONE_TOKEN = ("iat", "exp", "nbf", *ear_boot.CLAIMS)
_PASSED_OVER = ("jti", "eat_nonce", "sub", "ueid")


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What the tokens of one authority are held to.

    :ivar regions: the policy's, against which locations are checked
    :ivar mapping: the authority's table; one without rules maps nothing
    :ivar issuer: what ``iss`` has to be; ``None``: it is not asked for
    :ivar identity: the claim at the top of a token that names the attester
    :ivar max_skew_s: how far the authority's clock may be ahead of ours
    :ivar attester: whom the token has to be about; ``None``: anybody
    :ivar audience: what ``aud`` has to hold; ``None``: a token that is meant
        for somebody by name is not for us
    """

    catalogue: Catalogue
    regions: Mapping[Axis, Regions]
    max_skew_s: float
    mapping: ear_table.Mapping = ear_table.NOTHING
    issuer: str | None = None
    identity: str = SUBJECT
    attester: str | None = None
    audience: str | None = None


class Appraisal(NamedTuple):
    """What a token says, verified.

    :ivar attester: whom it is about
    :ivar claims: capability -> claim; equal sets are one object
    :ivar at: when it was issued (``iat``)
    :ivar until: when its word ends (``exp``), or ``FOREVER``
    :ivar boot: identity of the boot that was seen; ``None``: it says none
    :ivar since: from when on it holds: ``at``, or ``nbf`` if that is later
    :ivar notes: what was left out of the claims, or lowered
    """

    attester: str
    claims: Claims
    at: Instant
    until: Instant
    boot: str | None
    since: Instant
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """What a token says apart from when, of whom and of which boot."""

    claims: Claims
    boots: tuple[str, ...]
    notes: tuple[str, ...]


def read(token: bytes, keys: Keys, rules: Rules, now: Instant) -> Appraisal:
    """Return what a token says.

    :raises TokenRefused: and nothing else, whatever ``token`` is
    """
    return TokenReader(keys, rules).read(token, now)


def check_times(
    since: Instant, until: Instant, now: Instant, max_skew_s: float
) -> None:
    """Refuse what does not hold yet, or no longer.

    :raises TokenRefused: AHEAD or EXPIRED
    """
    if since > now + max_skew_s:
        raise TokenRefused(
            TokenCode.AHEAD,
            f"holds from {since - now:.0f} s ahead of now on; at most "
            f"{max_skew_s:g} s are allowed",
        )
    if now >= until:
        raise TokenRefused(
            TokenCode.EXPIRED, f"expired {now - until:.0f} s ago"
        )


class TokenReader:
    """Reads the tokens of one authority; parts that are equal only once.

    Not for use by several threads at once.

    :ivar attester: whom the token is about that was read last, also when it
        was refused; ``None``: its signature is not good, or it names nobody
    :ivar notes: what the mapping table names in vain
    """

    def __init__(self, keys: Keys, rules: Rules) -> None:
        self._rules = rules
        self._opener = Opener(keys)
        self._claims = ClaimsReader(
            rules.catalogue, rules.regions, rules.mapping, rules.max_skew_s
        )
        self._bodies: dict[bytes, Body] = {}
        self._texts: Templates[Body] = Templates()
        self._bodies_read = 0
        self._pool: dict[claim_sets.Content, Claims] = {}
        self._names = tuple(dict.fromkeys((rules.identity, *_OF_ONE_TOKEN)))
        self.attester: str | None = None
        self.notes = self._claims.notes

    def read(self, token: bytes, now: Instant) -> Appraisal:
        """Return what a token says.

        :raises TokenRefused: and nothing else, whatever ``token`` is
        """
        self.attester = None
        try:
            return self._appraisal(self._opener.open(token), now)
        except TokenRefused:
            raise
        except Exception as exc:
            # One token must not cost what others say.
            raise TokenRefused(
                TokenCode.MALFORMED,
                f"cannot be read: {type(exc).__name__} in the reader",
            ) from exc

    @property
    def held(self) -> int:
        """How many different claim sets are held."""
        return len(self._pool)

    def pooled(self, claims: Claims) -> Claims:
        """Return the one object of the content of these claims."""
        content = claim_sets.content(claims)
        found = self._pool.get(content)
        if found is None:
            found = self._pool[content] = MappingProxyType(dict(claims))
        return found

    def forget_but(self, used: Iterable[Claims]) -> None:
        """Let go of what was read, all but the claims that are in use."""
        self._forget()
        self._pool = {claim_sets.content(claims): claims for claims in used}

    def _forget(self) -> None:
        self._bodies.clear()
        self._texts.clear()
        self._claims.forget()
        self._bodies_read = 0

    def _appraisal(self, encoded: bytes, now: Instant) -> Appraisal:
        """Judge the claims of a payload whose signature is good.

        What is of this one token is judged each time, and all the rest once
        for all tokens that have the same.
        """
        own, rest, body = self._known(encoded)
        attester = own.get(self._rules.identity)
        if strict_json.is_name(attester):
            self.attester = attester
        content = self._content(rest) if body is None else {}
        at = _time(own, "iat")
        since = max(at, _time(own, "nbf")) if "nbf" in own else at
        until = _time(own, "exp") if "exp" in own else FOREVER
        check_times(since, until, now, self._rules.max_skew_s)
        attester = self._checked()
        if body is None:
            body = self._body(content, at)
            self._remember(rest, content, body)
        boots = [*ear_boot.boots_of(own, ""), *body.boots]
        boot = ear_boot.boot_name(boots) if boots else None
        return Appraisal(
            attester, body.claims, at, until, boot, since, body.notes
        )

    def _known(
        self, encoded: bytes
    ) -> tuple[Mapping[str, Any], Mapping[str, Any], Body | None]:
        """Return what is of one token, the rest in pairs, and what it means.

        The rest is left out where the very text is known.
        """
        found = self._texts.find(encoded)
        if found is not None:
            return found[0], {}, found[1]
        own, rest = self._split(decoded(encoded, "payload"))
        body = self._bodies.get(_key(rest))
        if body is not None:
            self._texts.add(encoded, own, rest, body)
        return own, rest, body

    def _split(self, payload: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what is of one token in a payload, and the rest in pairs."""
        rest = ear_encoding.distinct(
            ear_encoding.parse_object(payload, "payload"), "payload"
        )
        own = {name: rest.pop(name) for name in self._names if name in rest}
        for name in _PASSED_OVER:
            if type(rest.get(name)) is str:
                own[name] = rest.pop(name)
        return own, rest

    def _content(self, rest: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims of what is an EAR, and meant for us."""
        content = {
            name: ear_encoding.unfolded(value, "payload", 2)
            for name, value in rest.items()
        }
        spelling = ear_profile.spelling_of(content.get("eat_profile"))
        ear_profile.check_spelling(content, spelling, "the token")
        ear_profile.check_issuer(content, self._rules.issuer)
        ear_profile.check_audience(content, self._rules.audience)
        return content

    def _checked(self) -> str:
        """Return the attester, if that is whom the token has to be about."""
        rules, attester = self._rules, self.attester
        if attester is None:
            raise TokenRefused(
                TokenCode.NO_ATTESTER,
                f"{bounded(rules.identity)} must be a name of 1 to "
                f"{strict_json.NAME_MAX} printable characters",
            )
        if rules.attester is not None and attester != rules.attester:
            raise TokenRefused(
                TokenCode.OTHER_ATTESTER,
                f"is about {bounded(attester)!r}, and not about "
                f"{bounded(rules.attester)!r}",
            )
        return attester

    def _body(self, content: Mapping[str, Any], at: Instant) -> Body:
        """Judge what a token may have in common with others."""
        spelling = ear_profile.spelling_of(content["eat_profile"])
        ear_profile.check_verifier(content, spelling)
        appraised = ear_submods.read_submods(content, spelling)
        boots = tuple(
            boot
            for name, submod in sorted(appraised.submods.items())
            for boot in ear_boot.boots_of(submod.content, f"{name}/")
        )
        claims, notes = self._claims.read(content, appraised, at)
        return Body(self.pooled(claims), boots, notes)

    def _remember(
        self, rest: Mapping[str, Any], content: Mapping[str, Any], body: Body
    ) -> None:
        """Keep what was judged, unless it would be judged otherwise later."""
        self._bodies_read += 1
        if self._bodies_read >= BODIES_MAX:
            self._forget()
        key = _key(rest)
        if len(key) > BODY_BYTES_MAX or self._claims.depends_on_time(content):
            return
        self._bodies[key] = body


def _key(rest: Mapping[str, Any]) -> bytes:
    """Return what only equal values have in common, types and all.

    Nothing is ever read back from it.
    """
    return marshal.dumps(dict(rest), 2)


def _time(own: Mapping[str, Any], name: str) -> Instant:
    """Return a time in whole seconds (RFC 9711, section 4.3.1)."""
    value = own.get(name)
    if type(value) is int and 0 <= value <= strict_json.NUMBER_MAX:
        return float(value)
    if not strict_json.is_number(value) or value % 1:
        raise TokenRefused(
            TokenCode.NO_TIME,
            f"{name} must be whole seconds since 1970"
            + (f": {strict_json.shown(value)!r}" if name in own else ""),
        )
    return float(value)
