# SPDX-License-Identifier: Apache-2.0
"""Findings: a server that should not be where it is, or a host that fails.

Values only; ``judging/`` makes them, ``planning/`` answers them.
"""

from __future__ import annotations

import dataclasses
import enum

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal


class Kind(enum.Enum):
    """What is found, most urgent first."""

    # positive evidence: an authority says so
    FAILED = "failed"
    # policy, a static capability (Table 10) or hardware is not what it was
    CHANGED = "changed"
    # never admissible here: forced, resized to another flavor, reverted, ...
    MISPLACED = "misplaced"
    # this host's results went stale, its authority is fresh for others
    WITHHELD = "withheld"
    # fresh for nobody, or our own trouble: alarm, and evict nothing
    OUTAGE = "outage"
    # a snapshot, backup or rescue that the policy forbids (6.10)
    COPIED = "copied"
    # a mark or trait with our prefix that we did not write; or a server that
    # Nova and Placement have on different hosts
    TAMPERED = "tampered"


class Axis(enum.Enum):
    """What failed, hence what may be carried over (``axes_of_failure``)."""

    INTEGRITY = "integrity"
    CONFIDENTIALITY = "confidentiality"
    EXPOSURE = "exposure"
    PLACE = "place"


@dataclasses.dataclass(frozen=True, slots=True)
class Conduct:
    """How a server's profiles want a finding answered (5.3.2).

    :ivar stop_first: halt before any move is tried
    :ivar halt_within_s: by when it is halted or gone
    :ivar halt_nowhere: halt it also where nothing but its place is wrong, and
        there is no other host for it
    """

    stop_first: bool = False
    halt_within_s: float = 600.0
    halt_nowhere: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A server that should not be where it is.

    :ivar host: Nova's name of where it is now
    :ivar refusals: those that make it a finding, never empty
    :ivar authorities: whose evidence it is; empty: the policy's own
    :ivar evicts: whether it may be evicted for it: positive evidence, by an
        authority that ``may_evict``, or by the policy
    :ivar permissive: only said aloud; planned, and never acted upon
    :ivar by_rules: whether policy and binding alone say so, no authority
    :ivar by_identity: whether it is that who the host is, is not known
    :ivar sealed: of a domain whose servers nobody is told about
    """

    kind: Kind
    server: str
    host: str
    project_id: str
    axis: Axis
    refusals: tuple[Refusal, ...]
    conduct: Conduct
    authorities: frozenset[str] = frozenset()
    evicts: bool = False
    permissive: bool = False
    by_rules: bool = False
    sealed: bool = False
    by_identity: bool = False

    @property
    def halts(self) -> bool:
        """Whether it has to end in a halt if no move succeeds."""
        return self.evicts and (
            self.kind in (Kind.FAILED, Kind.CHANGED, Kind.WITHHELD)
            or self.conduct.halt_nowhere
        )


@dataclasses.dataclass(frozen=True, slots=True)
class HostFinding:
    """A host that stopped complying, for the pools that list it or a server.

    :ivar refusals: of what may be told; empty: only servers of sealed domains
        found it
    :ivar fences: whether it is to take no more servers of anybody
    :ivar authorities: whose evidence it is; for the guard, and told to nobody
    """

    kind: Kind
    host: str
    uuid: str
    axis: Axis
    refusals: tuple[Refusal, ...]
    authorities: frozenset[str] = frozenset()
    fences: bool = False
    permissive: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a server's state that its rules forbid (6.10).

    :ivar action: Nova's name of what was done, such as ``createImage``
    :ivar request_id: Nova's, by which it is found in its logs
    """

    server: str
    project_id: str
    action: str
    at: Instant
    request_id: str
    by_project: str
    sealed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Tampered:
    """Something that others write, and that is not as it should be.

    A mark or trait that we did not write; or a server that Nova says is on
    one host and Placement on another.

    :ivar what: ``server``, ``host``, ``trait`` or ``allocation``
    :ivar name: the server's UUID, Nova's host name, or the trait
    :ivar detail: what is wrong with it, bounded
    """

    what: str
    name: str
    detail: str
    sealed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """All that one look at a cloud has found.

    :ivar servers: server's UUID -> finding, one a server: the most urgent
    :ivar hosts: Nova's host name -> finding
    :ivar traits: trait -> UUIDs of the providers that are to have it, for
        each trait of the policy; ``kept`` are left as they are
    :ivar kept: (trait, provider) pairs about which nothing can be said now
    :ivar strangers: names of hosts that Nova knows and the policy does not
    :ivar absent: names of hosts that the policy knows and Nova does not
    :ivar complies: UUIDs of servers that ask for something and are where they
        may be; the only ones of those that ask which are ever released
    :ivar asking: UUIDs of servers that ask for something, or that stand on a
        host that is closed to them
    :ivar unproven: names of hosts of which nothing can be said now; a fence
        of such a host is not released
    """

    servers: dict[str, Finding]
    hosts: dict[str, HostFinding]
    traits: dict[str, frozenset[str]]
    kept: frozenset[tuple[str, str]]
    strangers: tuple[str, ...]
    absent: tuple[str, ...]
    complies: frozenset[str]
    asking: frozenset[str]
    copied: tuple[Copied, ...] = ()
    tampered: tuple[Tampered, ...] = ()
    unproven: frozenset[str] = frozenset()
