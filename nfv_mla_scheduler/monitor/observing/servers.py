# SPDX-License-Identifier: Apache-2.0
"""What servers there are: all of them at first, then those that changed.

Reads through the port; no clock of its own.  What one look costs depends on
what changed: the listing of everything that is due once an hour is spread
over several looks, and a server that it does not show is asked for by itself
before it is believed to be gone, since a cell that goes down in the middle is
left out without a word (facts of Nova: ``list_records_by_skipping_down_cells``
is the default, and only the first page names such a cell).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.observing.cursor import Cursor
from nfv_mla_scheduler.monitor.observing.listing import Listing
from nfv_mla_scheduler.monitor.observing.listing import hidden
from nfv_mla_scheduler.monitor.observing.pace import Pace
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Page
from nfv_mla_scheduler.monitor.port import Reader

MISSING_MAX = 16
# Servers to ask for in a look that are said to be deleted.
DELETED_A_LOOK = 32
# And of those that could not be read.
UNREAD_A_LOOK = 1


class ServerWatch:
    """The servers of a cloud, kept up to date look by look.

    :ivar full_at: when a listing of everything last came whole
    """

    def __init__(
        self,
        cloud: Reader,
        *,
        full_every_s: float,
        overlap_s: float,
        pages_a_look: int,
        checks_a_look: int,
    ) -> None:
        """Know nothing yet.

        :param pages_a_look: of a listing of everything, but for the first
        :param checks_a_look: servers to ask for that a listing did not show
        """
        self.full_at: Instant = NEVER
        self._cloud = cloud
        self._cursor = Cursor(overlap_s)
        self._pace = Pace(full_every_s)
        self._pages_a_look = pages_a_look
        self._checks_a_look = checks_a_look
        self._servers: dict[str, Server] = {}
        self._shown = False
        self._listing: Listing | None = None
        self._doubted: dict[str, None] = {}
        self._deleted: dict[str, None] = {}
        self._gone: frozenset[str] = frozenset()
        # UUID -> what is wrong with its record; those to ask for next first.
        self._unread: dict[str, str] = {}
        self._gaps: tuple[str, ...] = ()

    @property
    def servers(self) -> Mapping[str, Server]:
        """UUID -> server; what was handed out once never changes."""
        self._shown = True
        return self._servers

    @property
    def unread(self) -> Mapping[str, str]:
        """Servers that cannot be read, and what is wrong with each.

        What was known of them stays.  One without a UUID has an empty one.
        """
        return self._unread

    def relist(self, gap: str) -> None:
        """Have everything listed soon, and something missing until then.

        :param gap: what is missing, in a few words
        """
        self._listing = None
        self._add_gaps([gap])
        self._pace.hurry()

    def look(
        self, now: Instant, monotonic: float, busy: bool = False
    ) -> list[str]:
        """Look once; return what is missing, in a few words each.

        It begins with ``servers (`` when not even the changes are known.

        :param busy: whether this look costs enough without what can wait
        """
        since = self._cursor.since(now)
        try:
            if since is None:
                self._list_all(now, monotonic)
            else:
                self._changes(since, now, monotonic)
        except CloudFailed as exc:
            return [f"servers ({exc.brief})", *self._gaps]
        self._check_deleted()
        if busy:
            return list(self._gaps)
        self._check()
        if since is None:
            return list(self._gaps)
        try:
            self._list_some(now, monotonic)
        except CloudFailed as exc:
            # All changes are known: only what a listing would show is not.
            return [f"some servers ({exc.brief})", *self._gaps]
        return list(self._gaps)

    def refresh(self, uuid: str) -> Server | None:
        """Read one server anew; None: it is gone.

        :raises CloudFailed: all stays as it was
        """
        server = self._cloud.server(uuid)
        if server is None:
            self._drop(uuid)
        else:
            self._put(server)
        self._doubted.pop(uuid, None)
        return server

    def _changes(self, since: Instant, now: Instant, monotonic: float) -> None:
        greatest = NEVER
        gaps: dict[str, None] = {}
        deleted: dict[str, None] = {}
        for page in self._cloud.servers(since):
            for server in page.servers:
                self._put(server)
            self._note(page.unread)
            deleted.update(dict.fromkeys(page.deleted))
            gaps.update(hidden(page))
            greatest = max((greatest, *(s.updated for s in page.servers)))
        self._cursor.advance(greatest, now, monotonic)
        # Each of them is listed again for as long as looks overlap.
        self._gone &= deleted.keys()
        self._deleted |= {u: None for u in deleted if u not in self._gone}
        if gaps and not self._gaps:
            # What was left out may be older than the cursor by the time that
            # it can be seen again: only a listing of everything brings it.
            self._pace.failed(monotonic)
        self._add_gaps(gaps)

    def _add_gaps(self, gaps: Iterable[str]) -> None:
        self._gaps = tuple(dict.fromkeys((*self._gaps, *gaps)))[:MISSING_MAX]

    def _begin(self) -> Listing:
        pages = iter(self._cloud.servers(None))
        self._listing = Listing(pages, set(self._servers))
        return self._listing

    def _list_all(self, now: Instant, monotonic: float) -> None:
        """Take the first listing as a whole: there is nothing before it."""
        listing = self._begin()
        greatest = NEVER
        for page in self._pages_of(listing, monotonic):
            greatest = max((greatest, *(s.updated for s in page.servers)))
        self._ended(listing, now, monotonic)
        self._cursor.advance(greatest, now, monotonic)

    def _list_some(self, now: Instant, monotonic: float) -> None:
        if self._listing is None and not self._pace.due(monotonic):
            return
        listing = self._listing or self._begin()
        pages = self._pages_of(listing, monotonic)
        for _ in range(self._pages_a_look):
            if next(pages, None) is None:
                self._ended(listing, now, monotonic)
                return

    def _pages_of(self, listing: Listing, monotonic: float) -> Iterator[Page]:
        """Yield the pages that are still to come, each already taken."""
        while True:
            try:
                page = next(listing.pages, None)
            except CloudFailed:
                self._listing = None
                self._pace.failed(monotonic)
                raise
            if page is None:
                return
            self._take(page)
            listing.missing.update(hidden(page))
            yield page

    def _ended(self, listing: Listing, now: Instant, monotonic: float) -> None:
        self._listing = None
        if not listing.nameless:
            self._unread.pop("", None)
        self._gaps = tuple(listing.missing)
        if listing.missing:
            self._pace.failed(monotonic)
            return
        self._pace.succeeded(monotonic)
        self.full_at = now
        self._doubted.update(dict.fromkeys(listing.unseen))

    def _check(self) -> None:
        """Ask for some that a listing did not show, and that are unread."""
        for uuid in list(self._doubted)[: self._checks_a_look]:
            # To the end: one that cannot be read must not hold up the others.
            del self._doubted[uuid]
            self._doubted[uuid] = None
            if self._ask(uuid) not in (None, CloudCode.BAD_ANSWER):
                return
        unread = (uuid for uuid in self._unread if uuid)
        for uuid in list(itertools.islice(unread, UNREAD_A_LOOK)):
            self._unread[uuid] = self._unread.pop(uuid)
            self._ask(uuid)

    def _ask(self, uuid: str) -> CloudCode | None:
        """Ask for one server; return why it cannot be read, if so.

        Whoever can spoil its record, its host, is to hold up nothing else.
        """
        try:
            self.refresh(uuid)
        except CloudFailed as exc:
            self._note({uuid: self._unread.get(uuid, exc.brief)})
            return exc.reason
        return None

    def _check_deleted(self) -> None:
        """Ask for those that are said to be deleted, before that counts.

        A host may say so of a server that it runs, and Nova says it after.
        """
        for uuid in list(self._deleted)[:DELETED_A_LOOK]:
            self._deleted.pop(uuid, None)
            why = self._ask(uuid)
            if why is None and uuid not in self._servers:
                self._gone |= {uuid}
            elif why not in (None, CloudCode.BAD_ANSWER):
                # The others first next time, whatever is wrong.
                self._deleted[uuid] = None
                return

    def _note(self, unread: Mapping[str, str]) -> None:
        """Take note of what cannot be read; it is there all the same."""
        for uuid, fault in unread.items():
            self._unread[uuid] = fault
            if self._listing is not None:
                self._listing.unseen.discard(uuid)
                self._listing.nameless |= not uuid

    def _take(self, page: Page) -> None:
        self._note(page.unread)
        for server in page.servers:
            self._put(server)
        for uuid in page.deleted:
            self._drop(uuid)

    def _put(self, server: Server) -> None:
        uuid = server.uuid
        if self._listing is not None:
            self._listing.unseen.discard(uuid)
        self._doubted.pop(uuid, None)
        self._unread.pop(uuid, None)
        if uuid in self._gone:
            # It is back: that it is deleted has to be asked for again.
            self._gone -= {uuid}
        known = self._servers.get(uuid)
        if known is not server and known != server:
            self._own()[uuid] = server

    def _drop(self, uuid: str) -> None:
        if self._listing is not None:
            self._listing.unseen.discard(uuid)
        self._doubted.pop(uuid, None)
        self._deleted.pop(uuid, None)
        self._unread.pop(uuid, None)
        if uuid in self._servers:
            del self._own()[uuid]

    def _own(self) -> dict[str, Server]:
        """Return the servers, to be changed: nobody else has them."""
        if self._shown:
            self._servers = dict(self._servers)
            self._shown = False
        return self._servers
