# SPDX-License-Identifier: Apache-2.0
"""The base class of tests that place servers by a signed policy.

It runs a cloud with our filter and records each of its calls.  What it
asserts is what people see: Nova's answers, our log, the audit file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import pathlib
import tempfile
import threading
import time
import typing as ty

import nova.conf

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.feed import feed
from nfv_mla_scheduler.scheduler import filters
from nfv_mla_scheduler.scheduler import worker
from tests.cloud import client
from tests.cloud import description as desc
from tests.cloud import testcase
from tests.cloud.site import Site
from tests.functional import world

_SCHEDULER = "nfv_mla_scheduler.scheduler"
NO_HOST = "No valid host was found. "


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call of the filter: what Nova offered, and what came back."""

    server: str
    offered: tuple[str, ...]
    admitted: tuple[str, ...]


class PlacementTestCase(testcase.CloudTestCase):
    """Tests in a cloud whose hosts are judged.

    :cvar hosts: names of the hosts that run
    :cvar options: of ``[nfv_mla]``, beside those of the site
    """

    hosts: ty.ClassVar[tuple[str, ...]] = (
        world.GOOD_1,
        world.GOOD_2,
        world.DULL,
        world.WEB,
    )
    more_filters: ty.ClassVar[tuple[str, ...]] = ()
    weighers: ty.ClassVar[tuple[str, ...] | None] = None
    overrides: ty.ClassVar[dict[str, dict[str, object]]] = {}
    options: ty.ClassVar[dict[str, object]] = {}

    site: ty.ClassVar[Site]
    calls: ty.ClassVar[list[Call]]
    keys: ty.ClassVar[client.Client]
    floored: ty.ClassVar[client.Client]
    _rounds: ty.ClassVar[int] = 0

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.site = Site(pathlib.Path(directory.name) / "site")
        cls.prepare_site()
        cls.description = desc.Description(
            computes=tuple(world.compute(name) for name in cls.hosts),
            users=world.USERS,
            available_filters=(
                "nova.scheduler.filters.all_filters",
                f"{_SCHEDULER}.filters.all_filters",
            ),
            enabled_filters=(
                "NfvMlaFilter",
                "ComputeFilter",
                *cls.more_filters,
            ),
            weight_classes=cls.weighers,
            register_options=options.register,
            overrides={
                **cls.overrides,
                "nfv_mla": cls.site.options(
                    management_domain="acme", **cls.options
                ),
            },
        )
        cls._watch_filter()
        cls._watch_feed()
        super().setUpClass()
        cls.addClassCleanup(worker.stop_all)
        cls.keys = cls.cloud.client(world.KEYS)
        cls.floored = cls.cloud.client(world.FLOORED)

    @classmethod
    def prepare_site(cls) -> None:
        """Put in place what nova-scheduler is to find when it starts."""
        cls.put_policy()
        world.attest(cls.site)
        cls.site.publish()

    @classmethod
    def put_policy(cls, **how: ty.Any) -> None:
        """Sign a policy and put it where it is looked for."""
        document = world.policy(cls.site, time.time(), **how)
        cls.site.put_policy(world.as_yaml(document))

    @classmethod
    def _watch_filter(cls) -> None:
        original = filters.NfvMlaFilter.filter_all
        cls.calls = []

        def filter_all(
            self: ty.Any, filter_obj_list: ty.Any, spec_obj: ty.Any
        ) -> ty.Any:
            candidates = list(filter_obj_list)
            admitted: list[ty.Any] = []
            try:
                admitted = original(self, candidates, spec_obj)
                return admitted
            finally:
                cls.calls.append(
                    Call(
                        spec_obj.instance_uuid,
                        tuple(sorted(c.host for c in candidates)),
                        tuple(sorted(c.host for c in admitted)),
                    )
                )

        cls._replace(filters.NfvMlaFilter, "filter_all", filter_all)

    @classmethod
    def _watch_feed(cls) -> None:
        original = feed.Feed.refresh
        cls._round = threading.Condition()

        def refresh(self: ty.Any, now: float) -> None:
            try:
                original(self, now)
            finally:
                with cls._round:
                    cls._rounds += 1
                    cls._round.notify_all()

        cls._replace(feed.Feed, "refresh", refresh)

    @classmethod
    def _replace(cls, owner: type, name: str, value: ty.Any) -> None:
        cls.addClassCleanup(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.forget)
        self.plain = self.admin.create_flavor("plain")
        self.tpm = self.admin.create_flavor("tpm", world.TPM)

    def forget(self) -> None:
        """Let the authorities speak as they do at first."""
        world.attest(self.site)
        self.publish()

    def publish(self) -> None:
        """Publish results, and wait until nova-scheduler has read them."""
        self.site.publish()
        self.wait_for_feed()

    def wait_for_feed(self) -> None:
        """Wait until files that were written before have been read."""
        worker.shared(nova.conf.CONF).engine()
        with self._round:
            # the round that is under way may have looked already
            wanted = self._rounds + 2
            done = self._round.wait_for(
                lambda: type(self)._rounds >= wanted, timeout=30
            )
        self.assertTrue(done, "nova-scheduler does not look for files")

    def contraindicate(self, *hosts: str) -> None:
        for host in hosts:
            world.contraindicate(self.site, host)
        self.publish()

    def boot(
        self,
        flavor: str,
        host: str,
        *,
        by: client.Client | None = None,
        **more: ty.Any,
    ) -> str:
        """Create a server past the scheduler, on a host by its name."""
        server = (by or self.tenant).create_server("vm", flavor, **more)
        return server

    @contextlib.contextmanager
    def filter_calls(self, count: int) -> ty.Iterator[list[Call]]:
        """Assert how often the filter is called within the context."""
        before = len(self.calls)
        made: list[Call] = []
        yield made
        made.extend(self.calls[before:])
        self.assertEqual(count, len(made), made)

    # What people see.

    def events(self, kind: str, **fields: ty.Any) -> list[world.Json]:
        """Return the audit events of a kind with these fields."""
        try:
            lines = self.site.audit_file.read_text().splitlines()
        except FileNotFoundError:
            return []
        found = [json.loads(line) for line in lines]
        return [
            event["fields"]
            for event in found
            if event["kind"] == kind
            and fields.items() <= event["fields"].items()
        ]

    def news(self, level: int = logging.DEBUG) -> list[str]:
        """Return what our loggers said since the test started."""
        return ty.cast(list[str], self.cloud.our_log.lines(level))
