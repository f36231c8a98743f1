# SPDX-License-Identifier: Apache-2.0
"""Whether a host that was left is shown to be clean (5.2.8).

Pure.  The judge says so, as it says everything else: by all that is claimed
of the host, since a contradiction counts however old it is, and once more by
nothing but results that are newer than the departure.  Somebody who vouches
for the host has to be among these, or else a fact that the policy declares
would make it clean at once.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.judge.closures import pools_permissive_until
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.monitor.cleaning.account import Departure
from nfv_mla_scheduler.monitor.judging.stances import clean_up_needs
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.requirement import Requirement
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.records import RecordBuilder
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.view import Snapshot

_VOUCHED_FOR = Need(
    "attestation", "5.1.1", ((Term(Subject.SELF, "authority-fresh"),),)
)
# It has left: nothing that it could do itself cleans up after it.
_NOBODY = Requirement(frozenset(), Application())


class Shown:
    """Tells of departures whether they are over, at one moment.

    :param snapshot: has a policy
    """

    def __init__(
        self, snapshot: Snapshot, bearings: Bearings, now: Instant
    ) -> None:
        assert snapshot.policy is not None
        self._policy = snapshot.policy
        self._snapshot = snapshot
        self._bearings = bearings
        self._now = now
        self._needs: dict[frozenset[str], tuple[Need, ...]] = {}

    def is_over(self, departure: Departure) -> bool:
        """Whether nobody has to be kept off the host for it any more.

        It needs no clean-up, nobody else may come there anyway, or it is
        shown to be clean.
        """
        needs = self._asked(departure)
        if not needs:
            return True
        record = self._snapshot.records.get(departure.node)
        if record is None:
            return False
        if self._is_exclusive(record, departure):
            return True
        newer = self._newer(record, departure.since)
        if newer is None:
            return False
        return self._meets(record, needs) and self._meets(
            newer, (*needs, _VOUCHED_FOR)
        )

    def is_permissive(self, departure: Departure) -> bool:
        """Whether a departure has no effect but that it is known."""
        permissive = self._policy.permissive
        needs = self._asked(departure)
        record = self._snapshot.records.get(departure.node)
        until = [
            permissive.projects.get(departure.project_id, NEVER),
            min((n.permissive_until for n in needs), default=NEVER),
        ]
        if record is not None:
            pools = record.shape.pools
            until.append(pools_permissive_until(self._policy, pools))
        return max(until) > self._now

    def _asked(self, departure: Departure) -> tuple[Need, ...]:
        """Return what clean-up is asked for, but for what is waived now."""
        known = self._needs.get(departure.profiles)
        if known is None:
            profiles = self._policy.profiles
            known = self._needs[departure.profiles] = tuple(
                need
                for name in sorted(departure.profiles & profiles.keys())
                for need in clean_up_needs(
                    profiles[name], self._policy, self._snapshot.catalogue
                )
                if need.waived_until <= self._now
            )
        return known

    def _is_exclusive(self, record: HostRecord, departure: Departure) -> bool:
        """Whether the host is kept for those alone whose server left."""
        project = self._policy.projects.get(departure.project_id)
        if project is None or project.trust_domain is None:
            return False
        only = frozenset({project.trust_domain})
        permissive = self._policy.permissive.pools
        return any(
            self._policy.pools[name].exclusive_to == only
            and permissive.get(name, NEVER) <= self._now
            for name in record.shape.pools
        )

    def _newer(self, record: HostRecord, since: Instant) -> HostRecord | None:
        """Return what is known of a host by newer results alone, if any."""
        results: dict[str, dict[str, Result]] = {}
        for result in record.results:
            fresh = self._snapshot.freshness_of(result)
            if fresh is not None and fresh.at > since:
                results[result.authority] = {result.attester: result}
        if not results:
            return None
        uuid = record.binding.node_uuid
        built = RecordBuilder({}).follow_up({uuid: record}, (uuid,), results)
        return built[uuid]

    def _meets(self, record: HostRecord, needs: tuple[Need, ...]) -> bool:
        uuid = record.binding.node_uuid
        decisions = Decisions(
            Demand(_NOBODY, needs, (), (), None, NEVER), self._bearings
        )
        unmet = decisions.unmet(
            uuid,
            record.host,
            dataclasses.replace(self._snapshot, records={uuid: record}),
            self._now,
        )
        # that the policy has expired says nothing of the host
        return all(
            missing.refusal.code is RefusalCode.POLICY_EXPIRED
            for each in unmet
            for way in each.ways
            for missing in way
        )
