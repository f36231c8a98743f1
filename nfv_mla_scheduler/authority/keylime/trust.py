# SPDX-License-Identifier: Apache-2.0
"""When a verifier's word about an agent is believed, and what it says then.

Pure.  No field is believed alone: an agent that was never reached is said to
pass, one that was killed still is a minute later, and a pass under no policy
means that nothing was looked at.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.authority.keylime import mapping as mappings
from nfv_mla_scheduler.authority.keylime.record import Record
from nfv_mla_scheduler.authority.keylime.record import Standing
from nfv_mla_scheduler.errors import KeylimeCode
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results.claim_sets import LOCATION
from nfv_mla_scheduler.results.values import Claims

Reason = tuple[KeylimeCode, str]


class Evaluated(enum.Enum):
    """When verifiers look into boot logs (``measured_boot_evaluate``)."""

    ONCE = "once"
    ALWAYS = "always"


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """What a record says that is believed.

    :ivar claims: empty: nothing
    :ivar at: when; of a failure the moment of asking, since it stands
    :ivar passes: whether it speaks for the attester
    :ivar lacks: why it says nothing, or less than it could
    :ivar fault: whether the reason is one for which the answer is not
        complete
    """

    claims: Claims
    at: Instant
    passes: bool
    lacks: tuple[Reason, ...] = ()
    fault: bool = False


class Rule:
    """The rule by one mapping and the policy's regions.

    Equal claims are one object for as long as the rule is.
    """

    def __init__(
        self,
        mapping: mappings.Mapping,
        evaluated: Evaluated,
        regions: Mapping[Axis, Regions],
    ) -> None:
        self._mapping = mapping
        self._evaluated = evaluated
        self._regions = regions
        # By the parts of the mapping, which live as long as the rule.
        self._claims: dict[tuple[object, ...], Claims] = {}

    @property
    def boot_policies(self) -> frozenset[str]:
        """Names of the measured-boot policies that count; none: all do."""
        return self._mapping.boot_policies

    def judge(
        self,
        record: Record,
        now: Instant,
        latest: Instant,
        uncounted: str = "",
    ) -> Word:
        """Return what is believed of a record.

        :param latest: what is later than this is of the future
        :param uncounted: why its measured-boot policy, if there is one, counts
            for nothing
        """
        if record.standing is Standing.FAIL and record.unreached:
            # Silence is no evidence: it ends what was said, and no more.
            said = "did not answer the verifier, which has given up asking"
            return _nothing((KeylimeCode.UNREACHED, said))
        if record.standing is Standing.FAIL:
            return self._failed(record, now)
        reason = _not_attested(record)
        if reason is not None:
            return _nothing(reason)
        ahead_s = record.succeeded_at - latest
        if ahead_s > 0:
            said = f"succeeded {ahead_s:.0f} s later than clocks may differ"
            return _nothing((KeylimeCode.AHEAD, said), fault=True)
        return self._passes(record, uncounted)

    def _failed(self, record: Record, now: Instant) -> Word:
        """A failure speaks against all that its policies vouch for."""
        said = f"the verifier says FAIL ({record.why or 'and not why'})"
        some = self._bound(record)
        if not some:
            said += ", and no policy is bound that the mapping names"
            return _nothing((KeylimeCode.FAILED, said))
        key = ("against", *map(id, some))
        if key not in self._claims:
            self._claims[key] = _against(some)
        return Word(
            self._claims[key], now, False, ((KeylimeCode.FAILED, said),)
        )

    def _bound(self, record: Record) -> tuple[mappings.Some, ...]:
        """Return what the bound policies vouch for, however they do it."""
        known, some = self._mapping, []
        if record.measured_boot and known.measured_boot:
            some.append(known.measured_boot)
        if record.runtime_policy and known.runtime_policy:
            some.append(known.runtime_policy)
        some += [
            tag.claims
            for tag in known.tags
            if tag.digest in record.pcrs.get(tag.pcr, ())
        ]
        return tuple(some)

    def _passes(self, record: Record, uncounted: str) -> Word:
        known = self._mapping
        some: list[mappings.Some] = []
        lacks: list[Reason] = []
        for wanted, reason in (
            (known.measured_boot, self._no_boot(record, uncounted)),
            (known.runtime_policy, _no_runtime(record)),
        ):
            if wanted and reason is None:
                some.append(wanted)
            elif wanted and reason is not None:
                lacks.append(reason)
        met = [t for t in known.tags if record.pinned(t.pcr) == t.digest]
        some += [tag.claims for tag in met]
        for pcr in sorted({t.pcr for t in known.tags} - {t.pcr for t in met}):
            said = f"passes, but PCR {pcr} is pinned to no value that counts"
            lacks.append((KeylimeCode.NO_PCR, said))
        if not some:
            why = "; ".join(code.value for code, _ in lacks)
            said = f"passes, but no policy counts, so that nothing is: {why}"
            return _nothing((KeylimeCode.NO_POLICY, said), *lacks)
        if any(self._strange(some)):
            said = "passes, but its location is in no region of the policy"
            lacks.append((KeylimeCode.UNKNOWN_REGION, said))
        key = ("for", *map(id, some))
        if key not in self._claims:
            self._claims[key] = self._for(some)
        return Word(self._claims[key], record.succeeded_at, True, tuple(lacks))

    def _no_boot(self, record: Record, uncounted: str) -> Reason | None:
        """Return why measured boot is not vouched for."""
        if not record.measured_boot:
            return (
                KeylimeCode.NO_MEASURED_BOOT,
                "passes, but no measured-boot policy is bound",
            )
        if not record.boot_is_checked:
            return (
                KeylimeCode.NO_MEASURED_BOOT,
                "passes, but PCRs 0 to 7 are not all in its mask, so that "
                "they are compared with no boot log",
            )
        if self._evaluated is not Evaluated.ALWAYS:
            return (
                KeylimeCode.BOOT_ONCE,
                "passes, but its boot log is looked into only once: a later "
                "boot never is",
            )
        if uncounted:
            return KeylimeCode.BOOT_POLICY, f"passes, but {uncounted}"
        return None

    def _strange(self, some: Iterable[mappings.Some]) -> list[Claim]:
        """Return the locations that are in no region of the policy."""
        return [
            claim
            for claims in some
            for claim in claims
            if claim.capability == LOCATION and not self._is_known(claim)
        ]

    def _is_known(self, claim: Claim) -> bool:
        return all(
            region in self._regions.get(Axis(axis), ())
            for axis, some in claim.values.items()
            for region in some
        )

    def _for(self, some: Iterable[mappings.Some]) -> Claims:
        """Put together what several policies vouch for."""
        found: dict[str, Claim] = {}
        for claims in some:
            for claim in claims:
                if claim.capability == LOCATION and not self._is_known(claim):
                    continue
                known = found.setdefault(claim.capability, claim)
                if claim.grade.rank > known.grade.rank:
                    found[claim.capability] = claim
        return MappingProxyType(found)


def _not_attested(record: Record) -> Reason | None:
    """Return why a record that is no failure attests nothing, if so."""
    if record.standing is Standing.TIMEOUT:
        return KeylimeCode.TIMED_OUT, "the agent sends nothing any more"
    if record.standing is not Standing.PASS:
        said = f"is not attested yet ({record.why or record.standing.value})"
        return KeylimeCode.PENDING, said
    if record.count == 0:
        return KeylimeCode.NEVER_ATTESTED, "never attested: its count is zero"
    if record.succeeded_at == 0:
        return (
            KeylimeCode.NEVER_ATTESTED,
            "never attested: no time of a success",
        )
    return None


def _no_runtime(record: Record) -> Reason | None:
    """Return why run-time integrity is not vouched for."""
    code = KeylimeCode.NO_RUNTIME_POLICY
    if not record.runtime_policy:
        return code, "passes, but no run-time policy is bound"
    if not record.runtime_is_checked:
        return (
            code,
            "passes, but PCR 10 is not in its mask, so that its run-time "
            "policy is never looked at",
        )
    return None


def _nothing(*lacks: Reason, fault: bool = False) -> Word:
    return Word(MappingProxyType({}), 0.0, False, lacks, fault)


def _against(some: Iterable[mappings.Some]) -> Claims:
    return MappingProxyType(
        {
            claim.capability: Claim(
                claim.capability,
                Status.CONTRAINDICATED,
                claim.grade,
                MappingProxyType({}),
            )
            for claims in some
            for claim in claims
        }
    )
