# SPDX-License-Identifier: Apache-2.0
"""Ways onto a host on which Nova falls back, and asks no filter again.

As in ``test_gaps.py``, each is shown as it is.
"""

from __future__ import annotations

import threading
import typing as ty

import fixtures
from nova import exception
from nova.conductor import api as conductor

from tests.functional import placement
from tests.functional import world


class NextBestHostTest(placement.PlacementTestCase):
    """The host that was chosen lets Nova down, and Nova falls back."""

    def _failing(
        self, host: str, method: str, then: ty.Callable[[], object]
    ) -> None:
        """Let a host's driver fail once at what it is asked to do."""
        driver = self.cloud.driver(host)

        def fail(*_: object, **__: object) -> None:
            for other in self.hosts:
                vars(self.cloud.driver(other)).pop(method, None)
            then()
            raise exception.NovaException("this host cannot")

        setattr(driver, method, fail)
        self.addCleanup(vars(driver).pop, method, None)

    def _let_casts_be_casts(self) -> None:
        """Let the host that fails not wait for the next one to be done.

        It holds the server's lock, which all hosts here share.
        """
        build = conductor.ComputeTaskAPI.build_instances

        def cast(*args: object, **kwargs: object) -> None:
            thread = threading.Thread(target=build, args=args, kwargs=kwargs)
            thread.start()
            self.addCleanup(thread.join)

        self.useFixture(
            fixtures.MockPatchObject(
                conductor.ComputeTaskAPI, "build_instances", cast
            )
        )

    def test_alternate_host_is_not_judged_again(self) -> None:
        for host, other in (
            (world.GOOD_1, world.GOOD_2),
            (world.GOOD_2, world.GOOD_1),
        ):
            self._failing(
                host, "spawn", lambda other=other: self.contraindicate(other)
            )
        self._let_casts_be_casts()
        with self.filter_calls(1) as calls:
            server = self.tenant.create_server("vm", self.tpm)
        self.assertEqual({world.GOOD_1, world.GOOD_2}, calls[0].admitted)
        host = self.admin.host_of(server) or ""
        self.assert_rests(server, host)
        named = self.admin.create_server("vm", self.tpm, host=host)
        self.assert_reported(named, {"contraindicated": 1}, hosts=1)

    def test_live_migration_that_fails_goes_back_unjudged(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self._failing(
            world.GOOD_2,
            "pre_live_migration",
            lambda: self.contraindicate(world.GOOD_1),
        )
        with self.filter_calls(1) as calls:
            self.admin.live_migrate(server, world.GOOD_2)
        self.assertEqual({world.GOOD_2}, calls[0].offered)
        self.assert_rests(server, world.GOOD_1)
        self.assertEqual("failed", self.admin.migrations(server)[0]["status"])
