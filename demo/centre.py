# SPDX-License-Identifier: Apache-2.0
"""The demo's data centre: Nova, the officers' files, who attests and watches.

Everything lies in one temporary directory, and all but collector and monitor
in one process; they are gone when the demo ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import tempfile
import time
import types
import typing as ty
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

import nova.conf

from demo import world
from demo.collector import Collector
from demo.collector import Section
from demo.interrupts import INTERRUPTS
from demo.laboratory import laboratories
from demo.monitor import Monitor
from demo.power import Power
from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.scheduler import worker
from tests.cloud import description as desc
from tests.cloud.client import Client
from tests.cloud.cloud import Cloud
from tests.cloud.site import Site

_OURS = "nfv_mla_scheduler.scheduler"
_NOVAS_FILTERS = (
    "ComputeFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
    "SameHostFilter",
)
_PATIENCE_S = 10.0
_POLL_S = 0.02


class DataCentre:
    """A running cloud and the files that rule it; a context manager.

    :param port: of all APIs, on loopback; 0 for any that is free
    :param filtered: whether Nova has our filter and weighers at all
    :cvar authorities: the names of those who attest
    """

    computes: ty.ClassVar[tuple[desc.Compute, ...]] = world.COMPUTES
    flavors: ty.ClassVar[Mapping[str, world.Flavor]] = world.FLAVORS
    authorities: ty.ClassVar[tuple[str, ...]] = (world.OURS, world.THEIRS)

    def __init__(self, *, port: int = 0, filtered: bool = True) -> None:
        self.filtered = filtered
        self._port = port
        self._stack = contextlib.ExitStack()
        self._clients: dict[str, Client] = {}
        self._flavors: dict[str, str] = {}
        self._version = 1

    def __enter__(self) -> ty.Self:
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="nfv-mla-demo-")
            )
            self.site = Site(pathlib.Path(directory))
            asked = self.start_authorities(stack)
            self.put_policy()
            self.collector = Collector(self.site)
            self.collector.configure(asked)
            stack.callback(self.collector.stop)
            self.collector.start()
            self.cloud = Cloud(self._description(), port=self._port)
            self.cloud.start()
            stack.callback(self.cloud.stop)
            self.power = Power(self.site.directory / "power")
            self.monitor = Monitor(self.site, self.power)
            self.monitor.configure(self.cloud.environment(world.MONITOR))
            stack.callback(self.monitor.stop)
            stack.callback(worker.stop_all)
            if self.filtered:
                # which otherwise loads policy and results at the first request
                self.engine()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self._stack.close()

    def start_authorities(
        self, stack: contextlib.ExitStack
    ) -> Iterable[Section]:
        """Start those who attest, until the stack is closed."""
        self.laboratories = laboratories(self.site.directory)
        for laboratory in self.laboratories.values():
            stack.callback(laboratory.stop)
            laboratory.start()
        return self.laboratories.values()

    def policy(self, now: float, version: int) -> str:
        """Return the policy, as officers would write it."""
        return world.policy(now, version=version)

    def client(self, user: desc.User) -> Client:
        """Return what this user works with."""
        if user.name not in self._clients:
            self._clients[user.name] = self.cloud.client(user)
        return self._clients[user.name]

    def admin_of(self, user: desc.User) -> Client:
        """Return what the administrator works with in a user's project."""
        return self.client(
            dataclasses.replace(
                world.ADMIN,
                name=f"{world.ADMIN.name} in {user.project}",
                project=user.project,
            )
        )

    @property
    def admin(self) -> Client:
        return self.client(world.ADMIN)

    def flavor(self, name: str) -> str:
        """Return the id of a flavor, which is made when first asked for."""
        if name not in self._flavors:
            flavor = self.flavors[name]
            self._flavors[name] = self.admin.create_flavor(
                name,
                flavor.wants,
                vcpus=flavor.vcpus,
                memory_mb=flavor.memory_gb * 1024,
            )
        return self._flavors[name]

    def image(self, flavor: str) -> desc.Image:
        """Return what servers of a flavor start from.

        What a flavor asks of the guest lies in the image.
        """
        wants = self.flavors[flavor].wants
        return world.VNF_IMAGE if wants else desc.PLAIN_IMAGE

    def next_version(self) -> int:
        """Return the number of the next policy."""
        self._version += 1
        return self._version

    def put_policy(self) -> None:
        """Let both officers sign the policy of the demo, a new version."""
        text = self.policy(time.time(), self.next_version())
        self.site.put_policy(text)

    @staticmethod
    def engine() -> ty.Any:
        """Return what decides in the scheduler of this very process."""
        return worker.shared(nova.conf.CONF).engine()

    @staticmethod
    def until(condition: Callable[[], bool]) -> bool:
        """Wait until something is so; return whether it came to be."""
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                return False
            INTERRUPTS.sleep(_POLL_S)
        return True

    def _description(self) -> desc.Description:
        filters: tuple[str, ...] = _NOVAS_FILTERS
        weighers = None
        if self.filtered:
            filters = ("NfvMlaFilter", *filters)
            weighers = (
                "nova.scheduler.weights.all_weighers",
                f"{_OURS}.weighers.all_weighers",
            )
        return desc.Description(
            computes=self.computes,
            images=(desc.PLAIN_IMAGE, world.VNF_IMAGE),
            users=(*world.USERS, world.MONITOR),
            available_filters=(
                "nova.scheduler.filters.all_filters",
                f"{_OURS}.filters.all_filters",
            ),
            enabled_filters=filters,
            weight_classes=weighers,
            register_options=options.register,
            overrides={
                "nfv_mla": self.site.options(
                    management_domain="acme",
                    audit_checkpoint_interval_s=world.SIGNED_EVERY_S,
                    follow_room_max_age_s=3.0,
                    scarcity_weight_multiplier=2.0,
                )
            },
        )
