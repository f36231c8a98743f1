# SPDX-License-Identifier: Apache-2.0
"""Kinds of failure, and the steps by which they may be answered.

Pure.  Clauses 5.1.3, 5.1.5 and 5.3.2 say that something has to be done; the
kinds, the steps and their order are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.standard.reading import Place
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Carry
from nfv_mla_scheduler.standard.values import FailureAxis

STEPS = (
    "fence",
    "lock",
    "live-migrate",
    "cold-migrate",
    "stop",
    "power-off",
    "evacuate",
    "rebuild-elsewhere",
    "alert",
)
KINDS = (
    "integrity",
    "confidentiality",
    "exposure",
    "place",
    "withheld",
    "outage",
)
HALTS = frozenset({"stop", "power-off"})
# What each step brings to another host; the others bring nothing.
CARRIES: Mapping[str, Carry] = MappingProxyType(
    {
        "live-migrate": Carry.ALL,
        "cold-migrate": Carry.DISK,
        "evacuate": Carry.DISK,
        "rebuild-elsewhere": Carry.NONE,
    }
)
_BEFORE_THEM = frozenset({"fence", "lock", "alert"})
_FROM_HOSTS_OFF = ("evacuate", "rebuild-elsewhere")
_MEASURE = (Carry.NONE, Carry.DISK, Carry.ALL)


def may_carry(step: str, axis: FailureAxis) -> bool:
    """Whether a step brings along no more than may be carried over."""
    brought = CARRIES.get(step, Carry.NONE)
    return _MEASURE.index(brought) <= _MEASURE.index(axis.carry)


def faults_of(steps: tuple[str, ...], axis: FailureAxis) -> Iterator[str]:
    """Yield what is wrong with a playbook that answers a kind of failure.

    Whether each step is one of :data:`STEPS` is for whoever reads them.
    """
    if axis.name == "outage":
        for step in steps:
            if step not in _BEFORE_THEM:
                yield f"has {step}: an outage evicts nothing"
        return
    if HALTS.isdisjoint(steps):
        yield (
            "has neither stop nor power-off: where a move fails, the server "
            "would go on running"
        )
    for step in steps:
        if not may_carry(step, axis):
            yield (
                f"has {step}, which carries over more than "
                f"{_CARRIED[axis.carry]} from a host that failed like this"
            )
    for step in _FROM_HOSTS_OFF:
        if step in steps and "power-off" not in _before(steps, step):
            yield (
                f"has {step} without power-off before it: the server would "
                "exist twice"
            )
    first = next((s for s in steps if s not in _BEFORE_THEM), None)
    if first is not None and "lock" not in _before(steps, first):
        yield (
            f"has {first} without lock before it: whoever owns the server "
            "could undo it"
        )


_CARRIED = {Carry.NONE: "nothing", Carry.DISK: "the disk", Carry.ALL: "all"}


def _before(steps: tuple[str, ...], step: str) -> tuple[str, ...]:
    return steps[: steps.index(step)]


def read_axes(
    place: Place, capabilities: Mapping[str, Capability]
) -> Mapping[str, FailureAxis]:
    """Return the kinds of failure; each capability fails in one of them."""
    place.only(*KINDS)
    found: dict[str, FailureAxis] = {}
    placed: set[str] = set()
    for name in KINDS:
        axis = _axis(name, place.at(name), capabilities)
        if placed & set(axis.capabilities):
            raise place.at(name).fault("a capability is on two axes")
        placed.update(axis.capabilities)
        found[name] = axis
    for capability in capabilities.values():
        ours = capability.subjects == ("self",)
        if (capability.name in placed) is ours:
            raise place.fault(f"{capability.name} must be on one axis")
    return MappingProxyType(found)


def _axis(
    name: str, at: Place, capabilities: Mapping[str, Capability]
) -> FailureAxis:
    at.only("capabilities", "when", "after_s", "carry", "steps")
    carry, when = at.maybe("carry"), at.maybe("when")
    after = at.maybe("after_s")
    axis = FailureAxis(
        name=name,
        capabilities=at.maybe("capabilities").texts(capabilities),
        carry=carry.word(Carry) if carry.given() else Carry.NONE,
        steps=at.at("steps").texts(STEPS),
        when=when.text() if when.given() else "",
        after_s=after.number() if after.given() else 0,
    )
    for fault in faults_of(axis.steps, axis):
        raise at.at("steps").fault(fault)
    return axis
