# SPDX-License-Identifier: Apache-2.0
"""What people say, and what a cycle finds out, as changes of what is held.

Touches the file of ``store.py``.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.holding.holds import PAUSE_MAX_S
from nfv_mla_scheduler.monitor.holding.holds import RELEASE_MAX_S
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.holding.holds import HoldsFault
from nfv_mla_scheduler.monitor.holding.holds import Word
from nfv_mla_scheduler.monitor.holding.store import REASON_MAX
from nfv_mla_scheduler.monitor.holding.store import change
from nfv_mla_scheduler.monitor.holding.store import read
from nfv_mla_scheduler.monitor.plans import HoldsEdit

SETTLED_MAX = 16


def pause(
    path: pathlib.Path, until: Instant, reason: str, by: str, now: Instant
) -> Holds:
    """Pause the monitor: for a day at most, then it goes on by itself.

    :raises HoldsFault: also when ``until`` is too late, or past
    """
    word = _word(until, reason, by, now, PAUSE_MAX_S)
    return change(path, lambda h: dataclasses.replace(h, paused=word))


def resume(path: pathlib.Path) -> Holds:
    """Let a paused monitor go on.

    :raises HoldsFault: when that cannot be written
    """
    return change(path, lambda h: dataclasses.replace(h, paused=None))


def release_authority(
    path: pathlib.Path,
    authority: str,
    until: Instant,
    reason: str,
    by: str,
    now: Instant,
) -> Holds:
    """Believe a suspect authority, however many hosts fail by its word.

    :raises HoldsFault: also when ``until`` is too late, or past
    """
    word = _word(until, reason, by, now, RELEASE_MAX_S)

    def alter(h: Holds) -> Holds:
        return dataclasses.replace(
            h,
            suspects=_without(h.suspects, authority),
            authorities={**_in_force(h.authorities, now), authority: word},
        )

    return change(path, alter)


def release_policy(path: pathlib.Path, digest: str, now: Instant) -> Holds:
    """Let what is found by a policy's rules be acted upon, from now on.

    A digest is of one version for good: this needs no end.  Who said so and
    why belongs into the ledger.

    :raises HoldsFault: when that cannot be written
    """
    return change(path, lambda h: _settle(h, digest, now))


def release_server(
    path: pathlib.Path,
    server: str,
    until: Instant,
    reason: str,
    by: str,
    now: Instant,
) -> Holds:
    """Let what is found about a server be acted upon, whatever is suspect.

    :raises HoldsFault: also when ``until`` is too late, or past
    """
    word = _word(until, reason, by, now, RELEASE_MAX_S)

    def alter(h: Holds) -> Holds:
        servers = {**_in_force(h.servers, now), server: word}
        return dataclasses.replace(h, servers=servers)

    return change(path, alter)


def edit(path: pathlib.Path, it: HoldsEdit, now: Instant) -> Holds:
    """Write what a cycle found out, before it does anything.

    What a person released meanwhile stays released.

    :raises HoldsFault: when that cannot be written
    """

    def alter(h: Holds) -> Holds:
        suspects = {k: v for k, v in h.suspects.items() if k not in it.cleared}
        for name in it.suspects:
            if not h.trusts(name, now):
                suspects.setdefault(name, now)
        h = dataclasses.replace(h, suspects=suspects)
        if it.braked and it.braked not in h.settled:
            braked = {it.braked: h.braked.get(it.braked, now)}
            h = dataclasses.replace(h, braked=braked)
        if it.clipped and h.paused is not None:
            until = min(h.paused.until, now + PAUSE_MAX_S)
            word = dataclasses.replace(h.paused, until=until)
            h = dataclasses.replace(h, paused=word)
        # another process may have found more than we did
        if it.settled and it.settled not in h.braked:
            h = _settle(h, it.settled, now)
        return h

    return read(path) if it.empty else change(path, alter)


def _settle(h: Holds, digest: str, now: Instant) -> Holds:
    others = _without(h.settled, digest)
    newest = sorted(others, key=lambda d: (others[d], d))[1 - SETTLED_MAX :]
    return dataclasses.replace(
        h,
        braked=_without(h.braked, digest),
        settled={**{d: others[d] for d in newest}, digest: now},
    )


def _without(
    entries: Mapping[str, Instant], name: str
) -> Mapping[str, Instant]:
    return {key: at for key, at in entries.items() if key != name}


def _in_force(words: Mapping[str, Word], now: Instant) -> Mapping[str, Word]:
    return {k: w for k, w in words.items() if w.holds(now, RELEASE_MAX_S)}


def _word(
    until: Instant, reason: str, by: str, now: Instant, longest_s: float
) -> Word:
    if not now < until <= now + longest_s:
        hours = int(longest_s // 3600)
        raise HoldsFault(f"must end within {hours} hours from now")
    if not reason.strip():
        raise HoldsFault("needs a reason")
    return Word(until, bounded(reason, REASON_MAX), bounded(by), now)
