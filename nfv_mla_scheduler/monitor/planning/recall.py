# SPDX-License-Identifier: Apache-2.0
"""What this process remembers from one plan to the next.

Pure but for its memory; both clocks are arguments.  Nothing here lets anybody
be evicted who would not be without it: a restart forgets all of it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.picture import Picture

# For how long it is remembered of a server that is out of sight.
KEPT_S = 3600.0


@dataclasses.dataclass(frozen=True, slots=True)
class _Sight:
    """For how long a server had been acted upon when that was seen.

    :ivar since: since when, as its mark or Nova's record says
    :ivar age_s: how long that was then
    :ivar at: when it was seen, by the monotonic clock
    :ivar last: when it was seen last
    """

    since: Instant
    age_s: float
    at: float
    last: float

    def age(self, monotonic: float) -> float:
        """Return for how long it has been by now, in seconds."""
        return self.age_s + monotonic - self.at


def _seen(
    known: _Sight | None, since: Instant, now: Instant, monotonic: float
) -> _Sight:
    """Return a sight; of the time before it only the clock can tell.

    Where it begins anew, what is known already bounds what the clock says.
    """
    if known is not None and since <= known.since:
        age_s = known.age_s + known.since - since
        return _Sight(since, age_s, known.at, monotonic)
    age_s = now - since
    if known is not None:
        age_s = min(age_s, known.age(monotonic) - (since - known.since))
    return _Sight(since, max(0.0, age_s), monotonic, monotonic)


class Recall:
    """Remembers who was there, who was found, and for how long."""

    def __init__(self) -> None:
        self._whole = False
        self._there: dict[str, str] = {}
        self._digest = ""
        self._digest_at: Instant = NEVER
        self._before: frozenset[str] = frozenset()
        self._found: frozenset[str] = frozenset()
        self._sights: dict[str, _Sight] = {}

    def residents(self, picture: Picture, verdict: Verdict) -> frozenset[str]:
        """Return the servers that are where they were when we first looked.

        The first look lasts until all of the cloud has been in sight.
        """
        if not self._whole:
            for uuid in verdict.asking | verdict.servers.keys():
                if uuid in picture.servers:
                    host = picture.servers[uuid].host
                    self._there.setdefault(uuid, host)
            self._whole = picture.full_at > NEVER and not picture.partial
        for uuid, host in list(self._there.items()):
            server = picture.servers.get(uuid)
            gone = server is None and not picture.partial
            if gone or (server is not None and server.host != host):
                del self._there[uuid]
        return frozenset(self._there)

    def before(
        self,
        digest: str,
        braked: Instant | None,
        verdict: Verdict,
        marks: Mapping[str, Mark],
        now: Instant,
    ) -> frozenset[str]:
        """Return the servers that were found before a policy was in force.

        By what this process knows, and by marks that are older.

        :param braked: since when the policy is held; None: it is not
        """
        if digest != self._digest:
            self._before = self._found if self._digest else frozenset()
            self._digest, self._digest_at = digest, now
        self._found = frozenset(
            uuid for uuid, it in verdict.servers.items() if it.evicts
        )
        # Who complies meanwhile, and is found again, is found anew.
        self._before &= self._found
        begun = min(self._digest_at, math.inf if braked is None else braked)
        # Marks lose the fraction of their second.
        first = math.floor(begun)
        return self._before | {
            uuid for uuid, mark in marks.items() if mark.since < first
        }

    def ages_s(
        self,
        marks: Mapping[str, Mark],
        acted: Mapping[str, Acted],
        now: Instant,
        monotonic: float,
    ) -> Mapping[str, float]:
        """Return for how long servers have been acted upon, by server.

        By the monotonic clock from when this process first saw it: one that
        is set forward makes nothing older.
        """
        since: dict[str, Instant] = {u: m.since for u, m in marks.items()}
        tried_s = {}
        for uuid, one in acted.items():
            if one.first is not None:
                since[uuid] = min(since.get(uuid, one.first), one.first)
            if one.tried is not None:
                # by a clock that nobody sets
                tried_s[uuid] = now - one.tried
        sights = self._sights
        for uuid, begun in since.items():
            sights[uuid] = _seen(sights.get(uuid), begun, now, monotonic)
        for uuid in list(sights):
            if monotonic - sights[uuid].last > KEPT_S:
                del sights[uuid]
        ages_s = {uuid: sights[uuid].age(monotonic) for uuid in since}
        return {
            uuid: max(ages_s.get(uuid, 0.0), tried_s.get(uuid, 0.0))
            for uuid in ages_s.keys() | tried_s.keys()
        }
