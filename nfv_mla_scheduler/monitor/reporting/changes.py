# SPDX-License-Identifier: Apache-2.0
"""What has changed since the last time, topic by topic.

Pure.  ``found.py`` and ``planned.py`` say how things stand.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import JSON


class Topic(enum.Enum):
    """What can change; see ``lines.TOPICS`` for how it is said."""

    NOT_HALTED = "not-halted"
    LEDGER = "ledger"
    SUSPECT = "suspect"
    TAMPERED = "tampered"
    REPLACED = "lock-replaced"
    COPIED = "copied"
    FINDING = "finding"
    HOST = "host-finding"
    OUTAGE = "outage"
    FENCED = "fenced"
    HELD = "held"
    PLANNED = "planned"
    RELEASED = "released"
    PAUSED = "paused"
    PART = "part-failed"
    MISSING = "missing"
    UNREAD = "unread"
    WOULD = "would"
    STRANGER = "stranger"
    ABSENT = "absent"
    EVADES = "evades"


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """How one thing stands.

    :ivar text: for people, bounded
    :ivar same: what makes it the same as before, whatever the text
    :ivar fields: for the audit
    :ivar recorded: whether the audit takes it at all
    """

    text: str
    same: str = ""
    fields: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    recorded: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One thing that begins to stand so, or does so no more.

    :ivar name: server's UUID, host, authority, ... by the topic
    """

    topic: Topic
    name: str
    over: bool
    said: Said


Standings = Mapping[Topic, Mapping[str, Said]]


def changes(before: Standings, now: Standings) -> Iterator[Change]:
    """Yield what has changed, by the order of the topics.

    A topic that ``now`` has not is not known now, hence as it was.
    """
    for topic in Topic:
        if topic not in now:
            continue
        was, there = before.get(topic, {}), now[topic]
        for name in sorted(was.keys() - there.keys()):
            yield Change(topic, name, True, was[name])
        for name in sorted(there):
            old, said = was.get(name), there[name]
            if old is None or old.same != said.same:
                yield Change(topic, name, False, said)
