# SPDX-License-Identifier: Apache-2.0
"""A results document as a person writes it, before it is signed.  Pure.

YAML, for sites that attest by other means::

    collector: by-hand
    claim_sets:
      inspected:
        tpm: {status: affirming, grade: boot, values: [hardware]}
    authorities:
      site-audit:
        ber-1: {claims: inspected, at: 2026-03-01T09:30:00Z, boot: "17"}

``at`` is when the authority looked; left out, or ``now``, it is the moment of
signing.  ``boot_attested_at`` is ``at`` unless it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import read_instant
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.standard.strict_yaml import Path
from nfv_mla_scheduler.standard.strict_yaml import YamlDocument
from nfv_mla_scheduler.standard.strict_yaml import format_path
from nfv_mla_scheduler.standard.strict_yaml import read_yaml
from nfv_mla_scheduler.standard.values import Catalogue

BYTES_MAX = 64 * 2**20

_ENTRY = ("claims", "at", "boot", "boot_attested_at")


class AnyRegions(Regions):
    """Regions where no policy is at hand: every name may be one."""

    def __contains__(self, region: object) -> bool:
        return isinstance(region, str) and bool(region)


ANYWHERE = {axis: AnyRegions({}) for axis in Axis}


def read_draft(
    data: bytes, catalogue: Catalogue, now: Instant
) -> ResultsDraft:
    """Return what ``data`` says, ready to be signed ``now``.

    :raises DocumentError: naming path and line of what is wrong
    """
    return _Draft(read_yaml(data, max_bytes=BYTES_MAX), catalogue, now).read()


class _Draft:
    def __init__(
        self, document: YamlDocument, catalogue: Catalogue, now: Instant
    ) -> None:
        self._document = document
        self._reader = claim_sets.Reader(catalogue, ANYWHERE)
        self._now = now

    def read(self) -> ResultsDraft:
        top = self._mapping(self._document.value, ())
        self._only(top, (), ("collector", "claim_sets", "authorities"))
        collector = top.get("collector")
        if not strict_json.is_name(collector):
            raise self._wrong(("collector",), "must be a name", collector)
        sets = {
            name: self._claims(raw, name)
            for name, raw in self._mapping(
                top.get("claim_sets"), ("claim_sets",)
            ).items()
        }
        results: dict[str, dict[str, Result]] = {}
        freshness: dict[str, dict[str, Freshness]] = {}
        authorities = self._mapping(top.get("authorities"), ("authorities",))
        for name, entries in authorities.items():
            results[name], freshness[name] = {}, {}
            path: Path = ("authorities", name)
            for attester, raw in self._mapping(entries, path).items():
                result, fresh = self._result(name, attester, raw, sets)
                results[name][attester] = result
                freshness[name][attester] = fresh
        return ResultsDraft(collector, self._now, results, freshness)

    def _claims(self, raw: Any, name: str) -> Claims:
        try:
            return self._reader.read(raw, f"claim_sets.{name}")[0]
        except claim_sets.BadClaim as exc:
            line = self._document.line(("claim_sets", name))
            raise DocumentError(
                (Problem(exc.path, exc.message, exc.value, line),)
            ) from None

    def _result(
        self, authority: str, attester: str, raw: Any, sets: dict[str, Claims]
    ) -> tuple[Result, Freshness]:
        path: Path = ("authorities", authority, attester)
        entry = self._mapping(raw, path)
        self._only(entry, path, _ENTRY)
        if not strict_json.is_name(attester):
            raise self._wrong(path, "is no fit attester id")
        claims = entry.get("claims")
        if not isinstance(claims, str) or claims not in sets:
            raise self._wrong(
                (*path, "claims"), "must name one of claim_sets", claims
            )
        boot = entry.get("boot")
        if boot is not None and not strict_json.is_name(boot):
            raise self._wrong((*path, "boot"), "must be text: quote it", boot)
        at = self._instant(entry.get("at", "now"), (*path, "at"))
        since = self._instant(
            entry.get("boot_attested_at", at), (*path, "boot_attested_at")
        )
        return (
            Result(authority, attester, sets[claims], boot, since),
            Freshness(at, boot),
        )

    def _instant(self, raw: Any, path: Path) -> Instant:
        if raw == "now":
            return self._now
        instant = read_instant(raw) if isinstance(raw, str) else raw
        if not strict_json.is_number(instant):
            raise self._wrong(
                path, "must be now, seconds, or like 2026-01-31T12:00:00Z", raw
            )
        return float(instant)

    def _mapping(self, raw: Any, path: Path) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise self._wrong(path, "must be a mapping", raw)
        return raw

    def _only(
        self, raw: dict[str, Any], path: Path, keys: Sequence[str]
    ) -> None:
        for key in raw:
            if key not in keys:
                raise self._wrong((*path, key), "is not known here")

    def _wrong(
        self, path: Path, message: str, value: object = None
    ) -> DocumentError:
        shown = "" if value is None else strict_json.shown(value)
        line = self._document.line(path)
        return DocumentError(
            (Problem(format_path(path), message, shown, line),)
        )
