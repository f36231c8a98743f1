# SPDX-License-Identifier: Apache-2.0
"""The port to Nova and Placement: each method is one request.

Values and a protocol only.  ``cloud/`` speaks to the real thing.  A method
raises :class:`CloudFailed` and nothing else.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set
from typing import Protocol

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Server

# Of one server, the newest ones: its owner can have any number recorded.
DEEDS_MAX = 5000
BRIEF_MAX = 120


class CloudCode(enum.Enum):
    """Why Nova or Placement did not do what it was asked for."""

    # it cannot be done as things are: look again (HTTP 409)
    CONFLICT = "cloud-conflict"
    # there is no such thing any more (404)
    GONE = "cloud-gone"
    # it will not be done, however often it is asked for (400, 403)
    REFUSED = "cloud-refused"
    # too many requests, or over a limit (413, 429)
    BUSY = "cloud-busy"
    # it fails, or does not answer in time (5xx, no connection)
    UNAVAILABLE = "cloud-unavailable"
    # it answers what cannot be read
    BAD_ANSWER = "cloud-bad-answer"
    # Nova (401) or Keystone does not let the credentials in
    UNAUTHORISED = "cloud-unauthorised"
    # its API is older than what is needed
    TOO_OLD = "cloud-too-old"


class CloudFailed(NfvMlaError):
    """One request failed.

    :ivar reason: of the closed vocabulary :class:`CloudCode`
    :ivar unsure: whether it may have been done all the same, since no answer
        came
    """

    def __init__(
        self, reason: CloudCode, message: str, unsure: bool = False
    ) -> None:
        self.reason = reason
        self.code = reason.value
        self.unsure = unsure
        super().__init__(message)

    @property
    def brief(self) -> str:
        """The code, with what was said where a person has to see to it.

        What passes by itself is said in other words each time.
        """
        if self.reason in _FOR_PEOPLE:
            return f"{self.code}: {bounded(self, BRIEF_MAX)}"
        return self.code


# Until a person sees to them they stay, and in the same words.
_FOR_PEOPLE = frozenset(
    {CloudCode.REFUSED, CloudCode.UNAUTHORISED, CloudCode.TOO_OLD}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Deed:
    """An entry of a server's ``os-instance-actions``.

    :ivar action: ``lock``, ``stop``, ``createImage``, ``live-migration``, ...
    """

    action: str
    request_id: str
    user_id: str
    project_id: str
    at: Instant
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some servers of a listing.

    :ivar deleted: UUIDs of servers that are said to be gone
        (``changes-since``): their hosts say so as well as Nova
    :ivar missing: cells that did not answer, as Nova says it, bounded; Nova
        lists the servers of such a cell by little more than their UUID
    :ivar next: by which to ask for the page after this one; empty: the last
    :ivar unread: UUIDs of servers the records of which cannot be read, and
        what is wrong with each; those without a UUID under an empty one
    """

    servers: tuple[Server, ...]
    deleted: tuple[str, ...]
    missing: tuple[str, ...]
    next: str
    unread: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Reader(Protocol):
    """What only looks."""

    def servers(self, since: Instant | None) -> Iterator[Page]:
        """Yield all servers of all projects, page by page.

        :param since: only what changed at that moment or later, the deleted
            among them
        """

    def server(self, uuid: str) -> Server | None:
        """Return one server as it is now; None: it is gone."""

    def nodes(self) -> Mapping[str, Node]:
        """Return all compute hosts with their compute nodes."""

    def services(self, known: Mapping[str, Node]) -> Mapping[str, Node]:
        """Return ``known`` with its services as they are now: one request.

        A service that ``known`` has not is there with an empty ``uuid``; one
        of a cell that does not answer (Nova says ``UNKNOWN`` and no more)
        with an empty ``service``.  ``nodes`` says so likewise.
        """

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be read of hosts and moves when last asked for.

        Services, compute nodes and migrations, in a few words each: a listing
        leaves them out, and a service stays as it was.
        """

    def migrations(self, since: Instant) -> tuple[Migration, ...]:
        """Return the moves that changed since then, oldest first."""

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        """Return what was done to a server, oldest first.

        Of ``DEEDS_MAX`` there may be more, which are older.

        :param back_to: what was done before need not be there
        """

    def trait_names(self, prefix: str) -> frozenset[str]:
        """Return the traits with a prefix that any provider has."""

    def providers(self, trait: str) -> frozenset[str]:
        """Return the UUIDs of the providers that have a trait."""

    def room(self, amounts: Mapping[str, int]) -> frozenset[str]:
        """Return the UUIDs of enabled providers that have as much left."""

    def allocation(self, server: str) -> frozenset[str]:
        """Return the UUIDs of providers that have something for a server."""

    def tree(self, provider: str) -> frozenset[str]:
        """Return the UUIDs of all providers of the tree that one is in."""

    @property
    def user_id(self) -> str:
        """Who we are, for telling our own deeds from those of others."""


class Writer(Protocol):
    """What changes something; each may be repeated without harm."""

    def disable(self, service: str, reason: str) -> None:
        """Disable a compute service, with a reason in place of its own."""

    def enable(self, service: str) -> None:
        """Enable a compute service."""

    def force_down(self, service: str, down: bool, reason: str = "") -> None:
        """Say that a compute service is down, or that it is not.

        :param reason: to disable it with as well, in the same request
        """

    def lock(self, server: str, reason: str) -> None:
        """Lock a server, with a reason in place of any that it has."""

    def unlock(self, server: str) -> None:
        """Unlock a server."""

    def act(self, server: str, action: str, argument: object = None) -> None:
        """Have Nova do an action with a server: ``os-stop``, ..."""

    def abort(self, server: str, migration: int) -> None:
        """Abort a live migration."""

    def create_trait(self, trait: str) -> None:
        """See to it that there is a trait."""

    def edit_traits(
        self,
        provider: str,
        add: Set[str] = frozenset(),
        remove: Set[str] = frozenset(),
    ) -> None:
        """Give traits to a provider, and take some; its others stay.

        Reads them with the provider's generation and writes by it, again
        when that has changed meanwhile.
        """


class Cloud(Reader, Writer, Protocol):
    """Nova and Placement."""
