# SPDX-License-Identifier: Apache-2.0
"""All checks, by the names that stay, in the order in which they are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from nfv_mla_scheduler.doctor import clock
from nfv_mla_scheduler.doctor import collecting
from nfv_mla_scheduler.doctor import collector
from nfv_mla_scheduler.doctor import dates
from nfv_mla_scheduler.doctor import hosts
from nfv_mla_scheduler.doctor import keys
from nfv_mla_scheduler.doctor import ledger
from nfv_mla_scheduler.doctor import loading
from nfv_mla_scheduler.doctor import nova
from nfv_mla_scheduler.doctor import options
from nfv_mla_scheduler.doctor import policy
from nfv_mla_scheduler.doctor import results
from nfv_mla_scheduler.doctor import secrets
from nfv_mla_scheduler.doctor import state
from nfv_mla_scheduler.doctor import ways
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.site import Site

Look = Callable[[Site], Verdict]

HEADINGS = {
    "options": "Our options",
    "nova": "Nova's options, and what it loads",
    "policy": "Policy",
    "keys": "Keys",
    "results": "Results",
    "clock": "Clocks",
    "hosts": "Hosts and pools",
    "ways": "Ways onto a host that can be forced",
    "state": "State and events",
    "collector": "Collector and authorities",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    :ivar name: ``heading.what``; never changes
    :ivar look: looks; may raise Skipped, or anything
    """

    name: str
    look: Look

    @property
    def heading(self) -> str:
        """Of :data:`HEADINGS`."""
        return self.name.partition(".")[0]

    @property
    def meaning(self) -> str:
        """What holds when the check is OK: one sentence."""
        words = (self.look.__doc__ or "").split("\n\n")[0].split()
        return " ".join(words).replace("``", "")


CHECKS = (
    Check("options.valid", options.valid),
    Check("options.ignored", options.ignored),
    Check("options.readable", options.readable),
    Check("nova.filters", nova.filters),
    Check("nova.weighers", nova.weighers),
    Check("nova.conductor", nova.conductor),
    Check("nova.window", nova.window),
    Check("nova.validators", loading.validators),
    Check("nova.modules", loading.modules),
    Check("policy.signed", policy.signed),
    Check("policy.version", policy.version),
    Check("policy.in-force", policy.in_force),
    Check("policy.waivers", dates.waivers),
    Check("policy.declared", dates.declared),
    Check("policy.modes", dates.modes),
    Check("policy.break-glass", policy.break_glass),
    Check("policy.lint", policy.lint),
    Check("keys.officers", keys.officers),
    Check("keys.threshold", keys.threshold),
    Check("keys.guarded", keys.guarded),
    Check("keys.collectors", keys.collectors),
    Check("keys.private", keys.private),
    Check("keys.secrets", secrets.secrets),
    Check("results.source", results.source),
    Check("results.verified", results.verified),
    Check("results.age", results.age),
    Check("results.fresh", results.fresh),
    Check("results.problems", results.problems),
    Check("results.faulty", results.faulty),
    Check("results.unbound", results.unbound),
    Check("results.missing", results.missing),
    Check("clock.document", clock.document),
    Check("clock.collector", clock.collector),
    Check("clock.authorities", clock.authorities),
    Check("hosts.unknown", hosts.unknown),
    Check("hosts.unbound", hosts.unbound),
    Check("hosts.uuids", hosts.uuids),
    Check("hosts.pools", hosts.pools),
    Check("hosts.proven", hosts.proven),
    Check("ways.live-migration", ways.live_migration),
    Check("ways.create", ways.create),
    Check("ways.evacuation", ways.evacuation),
    Check("state.directory", state.directory),
    Check("state.kept", state.kept),
    Check("state.persistent", state.persistent),
    Check("state.space", state.space),
    Check("state.audit", ledger.audit),
    Check("collector.options", collector.valid),
    Check("collector.policy", collector.policy),
    Check("collector.key", collector.key),
    Check("collector.scope", collector.scope),
    Check("collector.drivers", collector.drivers),
    Check("collector.embedded", collecting.embedded),
    Check("collector.files", collector.files),
    Check("collector.certificates", collecting.certificates),
    Check("collector.running", collecting.running),
    Check("collector.status", collecting.status),
    Check("collector.publishing", collecting.publishing),
    Check("collector.authorities", collecting.authorities),
    Check("collector.cadence", collector.cadence),
)
NAMES = tuple(check.name for check in CHECKS)
