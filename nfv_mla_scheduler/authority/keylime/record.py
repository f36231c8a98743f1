# SPDX-License-Identifier: Apache-2.0
"""What a verifier has on one agent, read strictly.

Pure.  Every field that anything rests on is taken by its type or not at all;
fields that are not known are passed over, since later versions add some.
Keylime 7.14.3, ``cloud_verifier_common.process_get_status``.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority.keylime import tpm_policy
from nfv_mla_scheduler.authority.keylime.tpm_policy import Malformed
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json

IMA_PCR = 10
# Firmware, its configuration and the boot loader (TCG PC Client).
BOOT_PCRS = frozenset(range(8))

_LAST_STATE = 10


class Standing(enum.Enum):
    """How an agent stands; the words of ``attestation_status``."""

    PASS = "PASS"  # noqa: S105  a word, not a secret
    FAIL = "FAIL"
    PENDING = "PENDING"
    TIMEOUT = "TIMEOUT"


# ``operational_state``, keylime/common/states.py.  Of those that are not
# here (registered, start, saved, terminated) nothing is attested yet.
_OF_STATE = {
    **dict.fromkeys((3, 4, 5, 6), Standing.PASS),
    **dict.fromkeys((7, 9, 10), Standing.FAIL),
}
# A failure of which this is the event found nothing: the verifier gave up
# asking.  It begins a round without an event, and ends it at the first failure
# that it will not get over, so that the event is of this failure.
_UNREACHED = frozenset(
    f"internal.verifier.{event}"
    for event in ("not_reachable", "not_reachable_v")
)
_STANDINGS = {standing.value: standing for standing in Standing}


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One agent, as one verifier has it.

    :ivar count: how many attestations have succeeded
    :ivar succeeded_at: when the last one did, by the verifier's clock; 0:
        none has
    :ivar measured_boot: whether a measured-boot policy is bound
    :ivar runtime_policy: whether a run-time (IMA) policy is bound
    :ivar quoted: the PCRs that the verifier asks for; None: all that its
        policies need (push mode)
    :ivar pcrs: PCR -> digests of which it may have any
    :ivar why: what the verifier says besides, for people
    :ivar unreached: whether a failure is only that nobody answered
    """

    standing: Standing
    count: int
    succeeded_at: Instant
    measured_boot: bool
    runtime_policy: bool
    quoted: frozenset[int] | None
    pcrs: Mapping[int, tuple[str, ...]]
    why: str = ""
    unreached: bool = False

    @property
    def boot_is_checked(self) -> bool:
        """Whether what the measured-boot policy is about is quoted at all."""
        return self.measured_boot and self._quotes(BOOT_PCRS)

    @property
    def runtime_is_checked(self) -> bool:
        """Whether the PCR of IMA is quoted, without which nothing is."""
        return self.runtime_policy and self._quotes(frozenset({IMA_PCR}))

    def pinned(self, pcr: int) -> str:
        """Return the one digest that a PCR has to have; empty: there is none.

        One of several would not tell which.
        """
        some = self.pcrs.get(pcr, ())
        if len(some) != 1 or not self._quotes(frozenset({pcr})):
            return ""
        return some[0]

    def _quotes(self, pcrs: frozenset[int]) -> bool:
        return self.quoted is None or pcrs <= self.quoted


def read_record(raw: Any) -> Record:
    """Return what a verifier says of one agent.

    :raises Malformed: naming the field
    """
    if type(raw) is not dict:
        raise Malformed("", "the record must be an object")
    state = _state(raw)
    pcrs, mask = tpm_policy.read(_field(raw, "tpm_policy"))
    return Record(
        _standing(raw, state),
        _whole(raw, "attestation_count"),
        float(_whole(raw, "last_successful_attestation")),
        _flag(raw, "has_mb_refstate"),
        _flag(raw, "has_runtime_policy"),
        None if _pushes(raw, state) else mask,
        pcrs,
        _why(raw, state),
        str(raw.get("last_event_id")) in _UNREACHED,
    )


def _field(raw: Mapping[str, Any], name: str) -> Any:
    if name not in raw:
        raise Malformed(name, "is missing")
    return raw[name]


def _state(raw: Mapping[str, Any]) -> int | None:
    """Return the state; ``None``: of an agent that pushes."""
    state = _field(raw, "operational_state")
    if state is None:
        return None
    if type(state) is not int or not 0 <= state <= _LAST_STATE:
        raise Malformed(
            "operational_state", f"is no state ({strict_json.shown(state)!r})"
        )
    return state


def _standing(raw: Mapping[str, Any], state: int | None) -> Standing:
    """Return the worse of what status and state say.

    The state alone is no answer: an agent that pushes stays in that of a
    periodic check through failures and silence.  Before 7.14 there is nothing
    else.
    """
    of_state = Standing.PENDING
    if state is not None:
        of_state = _OF_STATE.get(state, Standing.PENDING)
    if "attestation_status" not in raw:
        return of_state
    said = raw["attestation_status"]
    if type(said) is not str or said not in _STANDINGS:
        raise Malformed(
            "attestation_status",
            f"is no status ({strict_json.shown(said)!r})",
        )
    standing = _STANDINGS[said]
    if Standing.FAIL in (standing, of_state):
        return Standing.FAIL
    if standing is Standing.PASS and state is not None:
        return of_state
    return standing


def _whole(raw: Mapping[str, Any], name: str) -> int:
    """Return a count or a time in whole seconds; null is none yet."""
    value = _field(raw, name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= strict_json.NUMBER_MAX:
        raise Malformed(
            name, f"is no whole number ({strict_json.shown(value)!r})"
        )
    return value


def _flag(raw: Mapping[str, Any], name: str) -> bool:
    value = _field(raw, name)
    if type(value) not in (int, bool) or value not in (0, 1):
        raise Malformed(
            name, f"is neither 0 nor 1 ({strict_json.shown(value)!r})"
        )
    return bool(value)


def _pushes(raw: Mapping[str, Any], state: int | None) -> bool:
    """Whether the agent pushes (keylime/agent_util.py).

    The mask says nothing then: the verifier asks for what its policies need.
    """
    return state is None or (
        raw.get("ip", "") is None and raw.get("port", "") is None
    )


def _why(raw: Mapping[str, Any], state: int | None) -> str:
    """Return what the verifier says of a failure, for people.

    Severity and event stay when an agent has recovered.
    """
    event = raw.get("last_event_id")
    said = "" if state is None else f"state {state}"
    if type(event) is str and event:
        shown = strict_json.shown(event)
        said = f"{said}, last event {shown}" if said else shown
    return said
