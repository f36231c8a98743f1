# SPDX-License-Identifier: Apache-2.0
"""Which steps answer a finding, by the policy or else by the catalogue.

Pure.  What failed decides what may be carried over to another host (5.1.3,
5.1.5, 5.3.2); what Nova would do with this server is for ``states.py``.
"""

from __future__ import annotations

from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.failure import may_carry
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import FailureAxis

# What concerns all servers of a host, and what needs it to be off.
_ABOUT_HOSTS = (
    Step.FENCE,
    Step.POWER_OFF,
    Step.EVACUATE,
    Step.REBUILD_ELSEWHERE,
)


def axis_of(finding: Finding, catalogue: Catalogue) -> FailureAxis:
    """Return the kind of failure that a finding is, with its defaults.

    A host that fell silent is one of its own, whatever it was silent about.
    """
    return catalogue.axes_of_failure[_name_of(finding.kind, finding.axis)]


def _name_of(kind: Kind, axis: Axis) -> str:
    if kind is Kind.WITHHELD:
        return "withheld"
    return "outage" if kind is Kind.OUTAGE else axis.value


def steps_for(
    finding: Finding,
    policy: Policy,
    catalogue: Catalogue,
    closed: bool = False,
) -> tuple[Step, ...]:
    """Return the steps that answer a finding, in their order.

    Whatever the playbook says, more is not carried over than may be, no host
    is switched off that is not itself found bad, and a finding that halts has
    ``stop`` among its steps.

    :param closed: whether its host has a finding that fences, or our fence
    """
    axis = axis_of(finding, catalogue)
    words = policy.playbooks.get(axis.name, axis.steps)
    steps = [Step(word) for word in words if may_carry(word, axis)]
    halts = finding.halts
    if finding.kind is Kind.MISPLACED or not closed:
        # The host is well, or nobody says otherwise: it is the server that
        # should not be there, and not all the others with it.
        halts = halts or Step.POWER_OFF in steps
        steps = [step for step in steps if step not in _ABOUT_HOSTS]
    if halts and Step.STOP not in steps:
        steps.insert(_place_of_stop(steps), Step.STOP)
    if finding.conduct.stop_first and Step.STOP in steps:
        steps = _stop_first(steps)
    return tuple(steps)


def _place_of_stop(steps: list[Step]) -> int:
    """Return where a missing ``stop`` belongs: after all that moves alone."""
    for index, step in enumerate(steps):
        if step in (Step.POWER_OFF, Step.ALERT):
            return index
    return len(steps)


def _stop_first(steps: list[Step]) -> list[Step]:
    """Return the steps with ``stop`` before all moves, which are cold then."""
    kept = [step for step in steps if step is not Step.LIVE_MIGRATE]
    first = next(i for i, step in enumerate(kept) if step.disturbs)
    kept.remove(Step.STOP)
    return [*kept[:first], Step.STOP, *kept[first:]]
