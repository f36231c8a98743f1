# SPDX-License-Identifier: Apache-2.0
"""The base class of tests in which servers leave one host for others."""

from __future__ import annotations

import functools
import typing as ty

from tests.functional import placement
from tests.functional import world


class LeavingTestCase(placement.PlacementTestCase):
    """From the first of the hosts to any other."""

    #: What a flavor asks for.
    asked: ty.ClassVar[ty.Mapping[str, str]] = world.TPM
    #: Hosts to which a server may move from the first host, and others.
    allowed: ty.ClassVar[tuple[str, ...]]
    forbidden: ty.ClassVar[tuple[str, ...]]

    def setUp(self) -> None:
        super().setUp()
        flavor = self.admin.create_flavor("asking", self.asked)
        self.server = self.boot(flavor, self.hosts[0], self.keys)

    def test_each_way_leads_where_the_class_allows(self) -> None:
        (there, *_) = self.allowed
        source = self.hosts[0]
        self.admin.live_migrate(self.server)
        self.assert_rests(self.server, there)
        flavor = self.admin.create_flavor("again", self.asked)
        server = self.boot(flavor, source, self.keys)
        self.admin.migrate(server)
        self.assert_rests(server, there, "VERIFY_RESIZE")
        self.admin.revert_resize(server)
        self.take_down(source)
        self.admin.evacuate(server, microversion="2.94")
        self.assert_rests(server, there)

    def test_no_way_leads_elsewhere(self) -> None:
        for host, counts in self.refusals().items():
            for move in (self.admin.live_migrate, self.admin.migrate):
                self.assert_refused(
                    self.server,
                    functools.partial(move, self.server, host),
                    counts,
                    hosts=1,
                )
                self.assert_rests(self.server, self.hosts[0])
        self.take_down(self.hosts[0])
        for host, counts in self.refusals().items():
            self.assert_refused(
                self.server,
                functools.partial(self.admin.evacuate, self.server, host),
                counts,
                hosts=1,
            )
            self.assert_rests(self.server, self.hosts[0], "ERROR")

    def refusals(self) -> dict[str, dict[str, int]]:
        """Return what befalls a move to each forbidden host."""
        return {host: {"move-not-allowed": 1} for host in self.forbidden}
