# SPDX-License-Identifier: Apache-2.0
"""Which capabilities each policy of Keylime's vouches for.

Pure: bytes in, values out.  doc/source/admin/keylime.rst describes the file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import Any

from nfv_mla_scheduler.authority.mapping_file import is_mapping
from nfv_mla_scheduler.authority.mapping_file import read_table
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.draft import ANYWHERE
from nfv_mla_scheduler.standard.values import Catalogue

# These any software on the host can set back, and extend to what it likes.
RESETTABLE = frozenset({16, 23})
LAST_PCR = 23
# Keylime gives these a meaning of its own.
TAKEN = {10: "IMA's", 16: "that by which Keylime binds data"}

DEFAULT = b"""\
measured_boot:
  - {capability: measured-boot, grade: run-time}
  - {capability: attestation, grade: run-time}
  - {capability: tpm, grade: run-time}
runtime_policy:
  - {capability: software-integrity, grade: run-time, values: [run-time]}
"""

_TOP = (
    "measured_boot",
    "runtime_policy",
    "pcrs",
    "measured_boot_policies",
    "resettable_pcrs",
)
_PCR = ("pcr", "digest", "claims")
_CLAIM = ("capability", "grade", "values")
_GRADES = {grade.value: grade for grade in (Grade.BOOT, Grade.RUN_TIME)}
_DIGEST = re.compile("[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}")

Some = tuple[Claim, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Tag:
    """What it means that one PCR has one value."""

    pcr: int
    digest: str
    claims: Some


@dataclasses.dataclass(frozen=True, slots=True)
class Mapping:
    """What passes vouch for, by the policy that is bound.

    :ivar resettable: the PCRs in it that prove nothing, since they can be
        set back
    :ivar boot_policies: names of the measured-boot policies that count;
        empty: whichever is bound does
    """

    measured_boot: Some
    runtime_policy: Some
    tags: tuple[Tag, ...]
    resettable: tuple[int, ...] = ()
    boot_policies: frozenset[str] = frozenset()

    def digest(self) -> str:
        """Return what tells this mapping from another."""
        content = [
            _content(self.measured_boot),
            _content(self.runtime_policy),
            [[t.pcr, t.digest, _content(t.claims)] for t in self.tags],
            sorted(self.boot_policies),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def read_mapping(data: bytes, catalogue: Catalogue) -> Mapping:
    """Return the mapping in ``data``.

    :raises DocumentError: with everything that is wrong, by path and line
    """
    return read_table(data, _Reader(catalogue).read)


class _Reader:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._claims = claim_sets.Reader(catalogue, ANYWHERE)
        # capability -> the claim, and the PCR that it rests on
        self._known: dict[str, tuple[Claim, int | None]] = {}

    def read(self, top: Part) -> Mapping:
        if not is_mapping(top, _TOP):
            return Mapping((), (), ())
        measured = self._some(top.at("measured_boot"))
        runtime = self._some(top.at("runtime_policy"))
        allowed = top.at("resettable_pcrs")
        if allowed.present and not isinstance(allowed.value, bool):
            allowed.wrong("must be true or false", allowed.value)
        tags = self._tags(top.at("pcrs"), allowed.flag(False))
        if not (measured or runtime or tags) and not top.report.problems:
            top.wrong("maps nothing: say " + ", ".join(_TOP[:3]))
        named = _names(top.at("measured_boot_policies"))
        if named and not measured:
            top.at("measured_boot_policies").wrong(
                "is about nothing: measured_boot is not mapped"
            )
        used = tuple(sorted({tag.pcr for tag in tags} & RESETTABLE))
        return Mapping(measured, runtime, tags, used, named)

    def _tags(self, part: Part, resettable: bool) -> tuple[Tag, ...]:
        if not _is_list(part):
            return ()
        tags = [self._tag(item, resettable) for item in part.items()]
        seen: set[tuple[int, str]] = set()
        for tag, item in zip(tags, part.items(), strict=True):
            if tag is not None and (tag.pcr, tag.digest) in seen:
                item.wrong("is there twice")
            elif tag is not None:
                seen.add((tag.pcr, tag.digest))
        return tuple(tag for tag in tags if tag is not None)

    def _tag(self, part: Part, resettable: bool) -> Tag | None:
        if not is_mapping(part, _PCR):
            return None
        pcr = _pcr(part.at("pcr"), resettable)
        digest = part.at("digest")
        if not _DIGEST.fullmatch(digest.text()):
            digest.wrong(
                "must be the value of the PCR, in hexadecimal digits of "
                "lower case",
                digest.value,
            )
        claims = self._some(part.at("claims"), pcr)
        if not part.at("claims").present:
            part.at("claims").wrong("must be a list of claims")
        return Tag(pcr, digest.text(), claims)

    def _some(self, part: Part, pcr: int | None = None) -> Some:
        if not _is_list(part):
            return ()
        found = [self._claim(item, pcr) for item in part.items()]
        claims = [claim for claim in found if claim is not None]
        names = [claim.capability for claim in claims]
        if len(set(names)) != len(names):
            part.wrong("has a capability twice")
        return tuple(claims)

    def _claim(self, part: Part, pcr: int | None) -> Claim | None:
        if not is_mapping(part, _CLAIM):
            return None
        named, given = part.at("capability"), part.at("values")
        grade = part.at("grade")
        if grade.text() not in _GRADES:
            grade.wrong("must be one of " + ", ".join(_GRADES), grade.value)
            return None
        capability = self._catalogue.capabilities.get(named.text())
        if capability is None:
            named.wrong("is not a capability of the catalogue", named.value)
            return None
        if capability.name == claim_sets.LOCATION and pcr is None:
            named.wrong("only the value of a PCR can say it: see 'pcrs'")
            return None
        if capability.keys and not given.value:
            given.wrong("must say of which: " + ", ".join(capability.keys))
            return None
        wired: dict[str, Any] = {
            "status": Status.AFFIRMING.value,
            "grade": grade.text(),
        }
        if given.present:
            wired["values"] = given.value
        try:
            read, _ = self._claims.read({capability.name: wired}, "")
        except claim_sets.BadClaim as exc:
            given.wrong(exc.message, exc.value)
            return None
        claim = read[capability.name]
        self._compare(part, claim, pcr)
        return claim

    def _compare(self, part: Part, claim: Claim, pcr: int | None) -> None:
        """Refuse two claims that one pass could make contradict each other.

        One PCR has one value, so that its tags may differ.
        """
        first, of_pcr = self._known.setdefault(claim.capability, (claim, pcr))
        same_pcr = pcr is not None and pcr == of_pcr
        if first.values != claim.values and not same_pcr:
            part.wrong(
                f"what is said of {claim.capability} differs in values, so "
                "that one would contradict the other"
            )


def _pcr(part: Part, resettable: bool) -> int:
    number = part.number(-1)
    if not 0 <= number <= LAST_PCR:
        part.wrong(f"must be a number from 0 to {LAST_PCR}", part.value)
    elif number in RESETTABLE and not resettable:
        part.wrong(
            "proves nothing: software on the host can set this PCR back "
            "(for tests: resettable_pcrs: true)"
        )
    elif number in TAKEN and number not in RESETTABLE:
        part.wrong(f"cannot be used: this PCR is {TAKEN[number]}")
    return number


def _names(part: Part) -> frozenset[str]:
    if not _is_list(part):
        return frozenset()
    for item in part.items():
        if not strict_json.is_name(item.value):
            item.wrong("must be the name of a policy", item.value)
    return frozenset(item.text() for item in part.items())


def _is_list(part: Part) -> bool:
    if not part.present:
        return False
    if not isinstance(part.value, list) or not part.value:
        part.wrong("must be a list, and not an empty one", part.value)
        return False
    return True


def _content(claims: Some) -> list[Any]:
    return [
        [
            claim.capability,
            claim.grade.value,
            sorted((key, sorted(some)) for key, some in claim.values.items()),
        ]
        for claim in claims
    ]
