# SPDX-License-Identifier: Apache-2.0
"""What a new policy would change, as one JSON document.

Complete, and the same for the same two policies, results and time.
``doc/source/officer/impact.rst`` says what is in it; what is added later does
not change what is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.cmd.explain_json import Reasons
from nfv_mla_scheduler.cmd.policy_impact_found import Compared
from nfv_mla_scheduler.cmd.policy_impact_found import Side
from nfv_mla_scheduler.judge.impact import Change
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.standard.strict_yaml import format_path

FORMAT = "nfv-mla-impact/1"

Json = dict[str, Any]


def document(found: Compared) -> Json:
    """Return everything that was found, as JSON has it."""
    reasons = Reasons(found.catalogue)
    impact = found.impact
    return {
        "format": FORMAT,
        "at": write_instant(found.at),
        "management_domain": found.bearings.management_domain,
        "old": _side(found.old),
        "new": _side(found.new),
        "newly_refused": impact.refuses,
        "pools": [
            {
                "pool": pool.name,
                "host_class": pool.host_class.value,
                "listed": list(pool.listed),
                "proven": list(pool.proven),
                "changes": _changes(pool.changes, reasons),
            }
            for pool in impact.pools
        ],
        "requirements": [
            {
                "kind": effect.what.kind.value,
                "name": effect.what.name,
                "before": effect.before,
                "after": effect.after,
                "permissive": list(effect.permissive),
                "alarm": effect.alarm and effect.alarm.value,
                "changes": _changes(effect.changes, reasons),
            }
            for effect in impact.effects
        ],
        "asking_for_nothing": [
            {
                "trust_domain": closing.trust_domain,
                "changes": _changes(closing.changes, reasons),
            }
            for closing in impact.closings
        ],
        "exceptions": [
            {
                "change": change.kind.value,
                "path": format_path(change.path),
                "old": change.old,
                "new": change.new,
                "weaker": change.weaker,
            }
            for change in found.differences
        ],
        "ended": list(found.ended),
        "reasons": reasons.listed(),
    }


def _side(side: Side) -> Json:
    policy, results = side.policy, side.document
    return {
        "version": policy.version,
        "digest": policy.digest,
        "expires": write_instant(policy.expires_at),
        "results": results
        and {
            "collector": results.collector,
            "issued": write_instant(results.issued_at),
        },
        "results_missing": side.missing,
    }


def _changes(changes: Iterable[Change], reasons: Reasons) -> list[Json]:
    return [
        {
            "direction": change.direction.value,
            "pools": list(change.pools),
            "hosts": list(change.hosts),
            "refusals": reasons.numbers(change.refusals),
        }
        for change in changes
    ]
