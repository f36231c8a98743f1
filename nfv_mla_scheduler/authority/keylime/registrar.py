# SPDX-License-Identifier: Apache-2.0
"""Ask the registrar for the keys of TPMs, and remember for a while.

Talks over the client that it is given.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.authority.keylime.api import Api
from nfv_mla_scheduler.authority.keylime.api import quoted
from nfv_mla_scheduler.authority.keylime.key import keys_of
from nfv_mla_scheduler.authority.keylime.seen import Seen
from nfv_mla_scheduler.authority.keylime.tpm_policy import Malformed
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import Client

# These say of the server that it will not answer about others either.
_OF_THE_SERVER = frozenset(
    (
        ContactCode.UNREACHABLE,
        ContactCode.TLS,
        ContactCode.TIMED_OUT,
        ContactCode.FORBIDDEN,
    )
)
# What it said is used for so many times as long as it goes unasked.
_OUTLASTS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What the registrar said of one agent.

    :ivar at: when, by the monotonic clock
    :ivar keys: digests of EK and AK; empty: it does not know the agent, or
        the agent has not proved yet that it has them
    :ivar malformed: what is wrong with its entry; empty: nothing
    """

    at: float
    keys: frozenset[str]
    malformed: str = ""


class Registrar:
    """One registrar; for one thread at a time.

    :param recheck_s: after which time it is asked again
    """

    def __init__(
        self,
        client: Client,
        recheck_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = Api(client)
        self._recheck_s = recheck_s
        self.clock = clock
        self._looks: dict[str, Look] = {}
        # agent -> when it was asked for last, answered or not
        self._asked: dict[str, float] = {}
        # agent -> as it was in the verifier's last answer
        self._seen: dict[str, Seen] = {}
        self.why = ""

    def looks(
        self,
        passing: Mapping[str, Seen],
        wanted: Collection[str],
        again: Iterable[str],
        stopped: Callable[[], bool],
        deadline_s: Callable[[], float],
    ) -> Mapping[str, Look]:
        """Return what is known of agents, after asking where that is due.

        Of whom nothing is in it, the registrar has not said anything that is
        recent enough; ``why`` says why it was not asked, or did not answer.

        What was known of an agent that did not pass, or may have been
        enrolled anew since the last time, is forgotten.

        :param passing: all agents that pass
        :param wanted: those of them that are to be looked at
        :param again: agents to ask for whatever is known
        :param deadline_s: how long all of that may still take
        """
        now = self.clock()
        self._forget(passing, now)
        due = sorted(
            self._due(wanted, frozenset(again), now),
            key=lambda name: (self._asked.get(name, 0.0), name),
        )
        self.why = "it was not asked"
        for name in due:
            if stopped() or deadline_s() <= 0:
                self.why = f"{self._api.peer}: no time was left to ask"
                break
            self._asked[name] = self.clock()
            try:
                self._looks[name] = self._look(name, deadline_s)
            except ContactFailed as exc:
                self.why = str(exc)
                if exc.reason in _OF_THE_SERVER:
                    break
        return {n: self._looks[n] for n in wanted if n in self._looks}

    def close(self) -> None:
        """Let go of the connection; any thread may call it."""
        self._api.close()

    def _forget(self, passing: Mapping[str, Seen], now: float) -> None:
        """Keep what is of the same enrolment, and not too old."""
        oldest = now - _OUTLASTS * self._recheck_s
        self._looks = {
            name: look
            for name, look in self._looks.items()
            if look.at > oldest and self._goes_on(name, passing)
        }
        self._asked = {n: at for n, at in self._asked.items() if at > oldest}
        self._seen = dict(passing)

    def _goes_on(self, name: str, passing: Mapping[str, Seen]) -> bool:
        """Whether an agent has been enrolled, and passed, all the time."""
        before, now = self._seen.get(name), passing.get(name)
        return before is not None and now is not None and now.follows(before)

    def _due(
        self, wanted: Iterable[str], again: frozenset[str], now: float
    ) -> list[str]:
        oldest = now - self._recheck_s
        return [
            name
            for name in wanted
            if name in again
            or name not in self._looks
            or self._looks[name].at <= oldest
        ]

    def _look(self, name: str, deadline_s: Callable[[], float]) -> Look:
        entry, _ = self._api.get(f"agents/{quoted(name)}", deadline_s)
        at = self.clock()
        if entry is None:
            return Look(at, frozenset())
        try:
            return Look(at, keys_of(entry))
        except Malformed as exc:
            return Look(at, frozenset(), bounded(exc))
