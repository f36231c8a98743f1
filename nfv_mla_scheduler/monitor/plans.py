# SPDX-License-Identifier: Apache-2.0
"""Plans: what is to be done, one server or host at a time, and what is not.

Values only.  ``planning/`` makes a plan, ``acting/`` carries it out and
``reporting/`` tells of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """One step to be taken now, about one server.

    :ivar asks: requests in their order; a mark is written before the first
    :ivar code: of the mark to write; see ``marks.Code``; empty: none
    :ivar migration: number of the one to abort
    :ivar until: by when its effect has to show
    :ivar kind: of its finding; ``complies``: it has none any more, and a move
        of ours is cancelled or confirmed before it is released
    :ivar anyway: whether it is also asked where it cannot be marked
    """

    server: str
    host: str
    step: Step
    asks: tuple[Ask, ...]
    code: str
    until: Instant
    kind: str
    migration: int = 0
    anyway: bool = False

    @property
    def regardless(self) -> bool:
        """Whether it is asked though Nova neither shows nor marks it."""
        return self.anyway or Ask.POWER_OFF in self.asks


@dataclasses.dataclass(frozen=True, slots=True)
class Fence:
    """A compute service to disable, or one of ours to enable."""

    host: str
    service: str
    disable: bool
    kind: str


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """A server to unlock, and to start if it was running before."""

    server: str
    host: str
    asks: tuple[Ask, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TraitEdit:
    """A trait to give to a provider, or to take from it."""

    provider: str
    trait: str
    add: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """A step that is due and is not taken.

    :ivar subject: server's UUID, or Nova's host name
    :ivar detail: bounded; what a person has to know beyond the reason
    """

    subject: str
    host: str
    step: Step
    why: Why
    detail: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class InFlight:
    """A server with a finding whose playbook has begun.

    :ivar since: when the finding was first acted upon
    :ivar halt_by: by when it has to be halted or gone
    """

    server: str
    host: str
    step: Step
    state: State
    since: Instant
    halt_by: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """What is spent of the guard's budgets.

    :ivar last_minute: evictions that began within a minute
    :ivar at_once: evictions that are in progress
    :ivar hosts: host that is left -> evictions in progress from it
    :ivar projects: project's id -> evictions in progress of its servers
    """

    last_minute: int = 0
    at_once: int = 0
    hosts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    projects: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """So many of so many fail at once: what makes somebody a suspect.

    :ivar name: of an authority, or a policy's digest
    :ivar failing: hosts that newly fail, or servers that are newly found
    :ivar of: hosts that are bound, or servers that ask
    :ivar found: UUIDs of the servers that were found, so that those of whom
        nobody is told can be left out of what is said
    :ivar asking: UUIDs of the servers that ask, likewise
    """

    name: str
    failing: int
    of: int
    found: frozenset[str] = dataclasses.field(
        default=frozenset(), compare=False, repr=False
    )
    asking: frozenset[str] = dataclasses.field(
        default=frozenset(), compare=False, repr=False
    )


@dataclasses.dataclass(frozen=True, slots=True)
class HoldsEdit:
    """What a cycle found out that has to outlive it.

    It is written before anything else is done (``holding/edits.py``).

    :ivar suspects: authorities that are held from now on
    :ivar cleared: those whose share has fallen again
    :ivar braked: digest of a policy that is held from now on; empty: none
    :ivar settled: digest of a policy under which little is found
    :ivar clipped: whether a pause lasts longer than any may, since the clock
        was put back, and is to end sooner
    """

    suspects: frozenset[str] = frozenset()
    cleared: frozenset[str] = frozenset()
    braked: str = ""
    settled: str = ""
    clipped: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return self == HoldsEdit()


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """All that one cycle would do, and all that it holds back.

    :ivar not_halted: servers that are not halted although they should be:
        the loudest alarm there is
    :ivar suspects: authorities whose findings are held, by their names
    :ivar braked: the policy under which what is newly found is held
    :ivar usage: what was spent before this plan
    :ivar holds: what is to be written before anything is done
    :ivar doubtful: UUIDs of servers to which nothing may be done unless that
        has been written
    :ivar tampered: locks of ours that somebody has written to
    :ivar replaced: UUIDs of servers whose owner's lock gives way to ours
    """

    fences: tuple[Fence, ...] = ()
    steps: tuple[Planned, ...] = ()
    releases: tuple[Release, ...] = ()
    traits: tuple[TraitEdit, ...] = ()
    held: tuple[Held, ...] = ()
    in_flight: tuple[InFlight, ...] = ()
    not_halted: tuple[InFlight, ...] = ()
    suspects: tuple[Share, ...] = ()
    braked: Share | None = None
    usage: Usage = Usage()
    holds: HoldsEdit = HoldsEdit()
    doubtful: frozenset[str] = frozenset()
    tampered: tuple[Tampered, ...] = ()
    replaced: frozenset[str] = frozenset()
