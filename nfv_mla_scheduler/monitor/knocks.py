# SPDX-License-Identifier: Apache-2.0
"""Knocks at the webhook: how many may be, what they say and bring about.

Touches nothing.  Whoever knocks is believed in nothing: a knock brings the
next cycle forward, so that results are looked at sooner.  What is said in it
is never evidence, hence no signature is looked at.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.serving.exchange import Request
from nfv_mla_scheduler.serving.exchange import Unanswerable
from nfv_mla_scheduler.serving.limits import Allowance
from nfv_mla_scheduler.serving.limits import Allowances
from nfv_mla_scheduler.serving.limits import caller

# Knocks: so many at once, and then so many in a second.  Keylime knocks once
# for each of its agents that fails, all from one address.
KNOCKS_MAX = 200
KNOCKS_PER_S = 20.0
EACH_KNOCKS_MAX = 100
EACH_KNOCKS_PER_S = 10.0
CALLERS_MAX = 1024
ATTESTERS_MAX = 256
RETRY_AFTER_S = 1
# Knocks bring the next look forward, but not one right after the other; the
# less so those of anybody.
LOOK_LEAST_S = 1.0
LOOK_LEAST_ANYBODY_S = 5.0


class Haste:
    """How soon after a look to look again, for the sake of knocks.

    For any number of threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._least_s = math.inf

    def knock(self, certified: bool) -> None:
        """Take note of a knock."""
        least_s = LOOK_LEAST_S if certified else LOOK_LEAST_ANYBODY_S
        with self._lock:
            self._least_s = min(self._least_s, least_s)

    def take(self) -> float:
        """Return how long after the last look, in seconds; and forget it."""
        with self._lock:
            least_s, self._least_s = self._least_s, math.inf
        return least_s


class Knocks:
    """How many there were, and whether there may be one more.

    For any number of threads.

    :param clock: monotonic, in seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        # Who has no certificate takes nothing from those who have one.
        self._all = {
            certified: Allowance(KNOCKS_MAX, KNOCKS_PER_S, clock)
            for certified in (False, True)
        }
        self._each = {
            certified: Allowances(
                EACH_KNOCKS_MAX,
                EACH_KNOCKS_PER_S,
                clock,
                callers_max=CALLERS_MAX,
            )
            for certified in (False, True)
        }
        self._counts = {"knocks": 0, "refused": 0}
        self._lock = threading.Lock()

    def spend(self, request: Request) -> None:
        """Spend one of what is allowed, before its body is read.

        :raises Unanswerable: when nothing is left
        """
        kind = request.certified
        # One that asks too often is not to use up what there is for all.
        if not (
            self._each[kind].spend(caller(request.address))
            and self._all[kind].spend()
        ):
            raise Unanswerable(
                429,
                "too many knock at once; try again",
                ("Retry-After", str(RETRY_AFTER_S)),
            )

    def count(self, what: str) -> None:
        """Count one of ``knocks``, or of ``refused``."""
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> Mapping[str, int]:
        """Return how many there were, and how many were refused."""
        with self._lock:
            return dict(self._counts)


def of_keylime(request: Request) -> tuple[str, ...]:
    """Return whom a revocation of Keylime is about.

    ``msg`` is an object in JSON, as a string, since it is what Keylime signs;
    the agent's UUID in it is its only part that is of any use here.
    """
    body = request.json_body()
    try:
        found = strict_json.mapping(
            strict_json.parse(body, "request"), "request"
        )
        text = found.get("msg")
        if type(text) is not str:
            raise strict_json.invalid("msg", "must be a string of JSON")
        message = strict_json.mapping(
            strict_json.parse(text.encode("utf-8", "replace"), "msg"), "msg"
        )
        agent = message.get("agent_id")
        if not strict_json.is_name(agent):
            raise strict_json.invalid(
                "msg.agent_id", "must be a name of 1 to 255 characters"
            )
    except ResultsRefused as exc:
        raise Unanswerable(400, str(exc)) from None
    return (str(agent),)


def of_anybody(request: Request) -> tuple[str, ...]:
    """Return which attesters a knock is about; all may be left out."""
    if not request.has_body:
        return ()
    body = request.json_body()
    try:
        found = strict_json.fields(
            strict_json.parse(body, "request"),
            "request",
            (),
            ("authority", "attesters"),
        )
        attesters = strict_json.array(found.get("attesters", []), "attesters")
    except ResultsRefused as exc:
        raise Unanswerable(400, str(exc)) from None
    names = [found.get("authority", "any"), *attesters]
    if not all(strict_json.is_name(name) for name in names):
        raise Unanswerable(
            400, "authority and attesters must be names of 1 to 255 characters"
        )
    if len(attesters) > ATTESTERS_MAX:
        raise Unanswerable(
            400, f"more than {ATTESTERS_MAX} attesters are named"
        )
    return tuple(dict.fromkeys(attesters))
