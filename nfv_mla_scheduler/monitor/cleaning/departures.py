# SPDX-License-Identifier: Apache-2.0
"""Keep account of the hosts that sensitive servers leave, look by look.

Touches one file, through ``file.py``, so that a restart forgets
nothing.  ``account.py`` notices departures, ``shown.py`` when they are
over.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import pathlib
import secrets
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.dirty import SALT_HEX
from nfv_mla_scheduler.judge.dirty import DirtyHosts
from nfv_mla_scheduler.judge.dirty import owner_of
from nfv_mla_scheduler.judge.dirty import tag_of
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cleaning import file as cleanup_file
from nfv_mla_scheduler.monitor.cleaning.account import NOBODY
from nfv_mla_scheduler.monitor.cleaning.account import Book
from nfv_mla_scheduler.monitor.cleaning.account import Departure
from nfv_mla_scheduler.monitor.cleaning.account import followed
from nfv_mla_scheduler.monitor.cleaning.file import CleanUpFault
from nfv_mla_scheduler.monitor.cleaning.shown import Shown
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.view import Snapshot

#: How exactly it is said since when a host is dirty: when a sealed domain's
#: servers come and go is not to be seen (5.0.3).
SINCE_S = 3600.0


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Dirty:
    """A host that is not clean, as it is said to others.

    :ivar node: UUID of its compute node
    :ivar since: to the hour
    :ivar tag: by what its owner is known; see ``judge.dirty``.  Of a sealed
        domain nothing is said: it fits nobody
    """

    node: str
    since: Instant
    tag: str


def as_hosts(dirty: tuple[Dirty, ...]) -> DirtyHosts:
    """Return dirty hosts as the judge takes them."""
    tags: dict[str, list[str]] = {}
    for each in dirty:
        tags.setdefault(each.node, []).append(each.tag)
    return DirtyHosts(tags)


class Departures:
    """Notices which hosts are dirty, and until when; an
    ``interfaces.CleanUp``.

    :param sensitive: returns, of the servers that were judged last, those
        that need secure clean-up, and the names of the profiles that need it
    :param writes: whether the file is written
    :ivar fault: one line: what went wrong in the last look; empty: nothing
    """

    def __init__(
        self,
        path: pathlib.Path,
        bearings: Bearings,
        sensitive: Callable[[], Mapping[str, frozenset[str]]],
        writes: bool = True,
    ) -> None:
        self.fault = ""
        self._path = path
        self._bearings = bearings
        self._sensitive = sensitive
        self._writes = writes
        self._book: Book | None = None
        self._written: Book | None = None
        self._secret = secrets.token_bytes(32)

    def look(
        self, picture: Picture, snapshot: Snapshot, now: Instant
    ) -> tuple[Dirty, ...] | None:
        """Return the hosts that are dirty; None: not known.

        Without a policy nobody can tell what is asked; then all stays as it
        was known to be.
        """
        self.fault = ""
        policy = snapshot.policy
        if policy is None:
            return None
        book = followed(
            self._known(), picture, snapshot.uuids, self._sensitive(), now
        )
        shown = Shown(snapshot, self._bearings, now)
        left = tuple(d for d in book.departures if not shown.is_over(d))
        self._book = dataclasses.replace(book, departures=left)
        self._keep(self._book)
        return tuple(
            sorted(
                {
                    self._said(each, policy)
                    for each in left
                    if not shown.is_permissive(each)
                }
            )
        )

    def _known(self) -> Book:
        """Return what is known; at first, what the file says.

        One that is damaged is set aside.  To close every host for it would
        hurt servers that ask for nothing; what is lost is said aloud.
        """
        if self._book is None:
            try:
                self._book = self._written = cleanup_file.read(self._path)
            except CleanUpFault as exc:
                said = "which hosts were dirty is lost"
                self.fault = bounded(f"{exc}; {said}", 200)
                if self._writes:
                    cleanup_file.set_aside(self._path)
                self._book = Book()
        return self._book

    def _keep(self, book: Book) -> None:
        if not self._writes or book == self._written:
            return
        try:
            cleanup_file.write(self._path, book)
        except CleanUpFault as exc:
            self.fault = self.fault or bounded(str(exc), 200)
            return
        self._written = book

    def _said(self, departure: Departure, policy: Policy) -> Dirty:
        since = departure.since - departure.since % SINCE_S
        owner = owner_of(departure.project_id, policy)
        own = self._digest(f"{departure.node}\0{owner}")
        salt, rest = own[:SALT_HEX], own[SALT_HEX:][:32]
        nameless = departure.project_id == NOBODY or _is_sealed(
            departure.project_id, policy
        )
        tag = salt + rest if nameless else tag_of(owner, salt)
        return Dirty(departure.node, since, tag)

    def _digest(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256).hex()


def _is_sealed(project_id: str, policy: Policy) -> bool:
    project = policy.projects.get(project_id)
    domain = project.trust_domain if project is not None else None
    return domain is not None and policy.trust_domains.get(domain) is not None
