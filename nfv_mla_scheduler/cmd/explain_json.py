# SPDX-License-Identifier: Apache-2.0
"""What was found out about a request as one JSON document.

Complete, and the same for the same findings.  ``doc/source/admin/explain.rst``
says what is in it; what is added later does not change what is there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.cmd.explain_found import Asked
from nfv_mla_scheduler.cmd.explain_found import Found
from nfv_mla_scheduler.judge.words import words
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.policy.aspects import floor_words
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.standard.values import Catalogue

FORMAT = "nfv-mla-explain/1"

Json = dict[str, Any]


def document(found: Found) -> Json:
    """Return everything that was found, as JSON has it."""
    reasons = Reasons(found.snapshot.catalogue)
    hosts = [_host(decision, reasons) for decision in found.decisions]
    return {
        "format": FORMAT,
        "at": write_instant(found.at),
        "asked": _asked(found.asked, found.snapshot),
        "judged_by": {
            **_judged_by(found.snapshot, found.at),
            "management_domain": found.management_domain,
            "no_room": list(found.full),
            "news": [
                {
                    "subject": news.subject,
                    "good": news.good,
                    "code": news.code,
                    "text": news.text,
                }
                for news in found.news
            ],
        },
        "summary": {
            "hosts": len(found.decisions),
            "admitted": found.admitted,
            "refused": dict(sorted(found.fallen.items())),
        },
        "reasons": reasons.listed(),
        "hosts": hosts,
    }


class Reasons:
    """Gives each refusal a number, in the order of their first use."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._numbers: dict[Refusal, int] = {}

    def numbers(self, refusals: Iterable[Refusal]) -> list[int]:
        """Return the numbers of ``refusals``."""
        return [
            self._numbers.setdefault(refusal, len(self._numbers))
            for refusal in refusals
        ]

    def listed(self) -> list[Json]:
        """Return every refusal that has a number, in words as well."""
        return [refusal_json(r, self._catalogue) for r in self._numbers]


def refusal_json(refusal: Refusal, catalogue: Catalogue) -> Json:
    """Return one refusal, in words as well."""
    said = words(refusal, catalogue)
    return {
        "code": refusal.code.value,
        "capability": refusal.capability,
        "clause": refusal.clause,
        "authority": refusal.authority,
        "detail": refusal.detail,
        "requirement": refusal.requirement,
        "profile": refusal.profile,
        "says": said.says,
        "basis": said.basis,
        "remedies": [
            {"role": remedy.role.value, "text": remedy.text}
            for remedy in said.remedies
        ],
    }


def ask_words(ask: Ask) -> Mapping[str, list[str]]:
    """Return what one source asks for: key -> words."""
    found = {}
    for key, value in floor_words(ask):
        words = value if isinstance(value, frozenset) else (value,)
        found[key] = sorted(str(word) for word in words)
    return found


def _host(decision: Decision, reasons: Reasons) -> Json:
    return {
        "host": decision.host,
        "admitted": decision.admitted,
        "until": _ends(decision.until) if decision.admitted else None,
        "refusals": reasons.numbers(decision.refusals),
        "waived": reasons.numbers(decision.waived),
        "would_refuse": reasons.numbers(decision.would_refuse),
    }


def _asked(asked: Asked, snapshot: Snapshot) -> Json:
    request, requirement = asked.request, asked.requirement
    policy = snapshot.policy
    project = policy.projects.get(request.project_id) if policy else None
    asks = requirement.asks if requirement else ()
    demand = asked.demand
    return {
        "project": request.project_id,
        "trust_domain": project.trust_domain if project else None,
        "source_host": request.source,
        "sources": {
            ask.source.value: ask_words(ask)
            for ask in sorted(asks, key=lambda ask: ask.source.value)
        },
        "malformed": [
            {"key": p.path, "message": p.message, "value": p.value}
            for p in asked.problems
        ],
        "needs": [_need(need) for need in demand.needs] if demand else [],
        "follows": [
            {"profile": follow.profile, "axis": follow.axis.value}
            for follow in (demand.follows if demand else ())
        ],
    }


def _need(need: Need) -> Json:
    return {
        "requirement": need.requirement,
        "clause": need.clause,
        "profile": need.profile or "",
        "waived_until": _ends(need.waived_until),
        "permissive_until": _ends(need.permissive_until),
    }


def _judged_by(snapshot: Snapshot, now: Instant) -> Json:
    policy, document = snapshot.policy, snapshot.document
    return {
        "policy": policy
        and {
            "version": policy.version,
            "digest": policy.digest,
            "expires": write_instant(policy.expires_at),
            "days_left": math.floor((policy.expires_at - now) / DAY_S),
        },
        "results": document
        and {
            "collector": document.collector,
            "issued": write_instant(document.issued_at),
            "age_s": round(now - document.issued_at, 3),
        },
        "break_glass": len(snapshot.break_glass),
    }


def _ends(at: Instant) -> str | None:
    """Return when something ends; None: at no known time, or long ago."""
    return write_instant(at) if math.isfinite(at) else None
