# SPDX-License-Identifier: Apache-2.0
"""A whole cloud that runs in this process and is reached over HTTP.

In a test it is a fixture, elsewhere a context manager or a pair of calls;
see the package's docstring.  Only one can run at a time in one process.
"""

from __future__ import annotations

import functools
import gc
import logging
import threading
import typing as ty

import fixtures

from tests.cloud import client
from tests.cloud import description as desc
from tests.cloud import driver
from tests.cloud import http
from tests.cloud import identity
from tests.cloud import image_api
from tests.cloud import logs
from tests.cloud import nova
from tests.cloud import wsgi


class Cloud(fixtures.Fixture):
    """Nova, Placement and what their clients need of Keystone and Glance."""

    def __init__(
        self,
        description: desc.Description,
        *,
        port: int = 0,
        log_level: int = logging.WARNING,
    ) -> None:
        """Describe a cloud that is still to be started.

        :param port: on loopback, of all APIs; 0 for any that is free
        :param log_level: of Nova's own log, which goes to ``nova_log``
        """
        super().__init__()
        self.description = description
        #: What loggers below ``nfv_mla_scheduler`` say.
        self.our_log = logs.Remembered()
        self._port = port
        self._log_level = log_level

    def _setUp(self) -> None:  # noqa: N802
        self.addCleanup(_join_threads_since(threading.enumerate()))
        self._identity = identity.Identity(self.description.users)
        self._listener = http.Listener(self._port)
        self.addCleanup(self._listener.close)
        self._nova = nova.Services(
            self.description, self._identity, self._log_level
        )
        self.addCleanup(self._stop_nova)
        self._nova.setUp()
        self.our_log = self._nova.quiet.ours
        self.url = self._listener.url
        self.endpoints = {
            "identity": f"{self.url}/identity",
            "compute": f"{self.url}/compute/v2.1",
            "placement": f"{self.url}/placement",
            "image": f"{self.url}/image",
        }
        self._listener.serve(self._apis())
        # Once more, now to be the first: the APIs go before the services.
        self.addCleanup(self._listener.close)

    def start(self) -> Cloud:
        """Start it, outside a test.  It cleans up after itself on error."""
        self.setUp()
        return self

    def stop(self) -> None:
        """Stop it; nothing of it is left running."""
        self.cleanUp()

    def client(
        self,
        user: desc.User = desc.ADMIN,
        **kwargs: ty.Any,
    ) -> client.Client:
        """Return a client that has a token of this user."""
        return client.Client(
            self.endpoints, self._identity.issue(user), **kwargs
        )

    def environment(self, user: desc.User = desc.ADMIN) -> dict[str, str]:
        """Return the OS_* variables by which OpenStack's own clients work."""
        return {
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": f"{self.endpoints['identity']}/v3",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": user.name,
            "OS_PASSWORD": user.name,
            "OS_PROJECT_NAME": user.project,
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_REGION_NAME": "RegionOne",
        }

    def driver(self, host: str) -> driver.Driver:
        """Return a host's virt driver, to look at or to make it lie."""
        return ty.cast(driver.Driver, self._nova.drivers.by_host[host])

    def stop_compute(self, host: str) -> None:
        """Stop the compute service of a host; its guests stay."""
        with self._compute.alone():
            self._nova.stop_compute(host)

    def start_compute(self, host: str) -> None:
        """Start the compute service of a host anew."""
        with self._compute.alone():
            self._nova.start_compute(host)

    def date_back(self, server: str, by_s: float, reason: str) -> None:
        """Have it that all was done to a server so much earlier.

        :param reason: of its lock from now on
        """
        with self._compute.alone():
            self._nova.date_back(server, by_s, reason)

    def swallow(self, host: str, method: str) -> None:
        """Let a host take a request of its service, and do nothing.

        :param method: such as ``stop_instance``; until the cloud is cleared
            or ``obey`` is called
        """
        self._nova.swallowed.add((host, method))

    def obey(self) -> None:
        """Let every host do again what it is asked for."""
        self._nova.swallowed.clear()

    def update_resources(self) -> None:
        """Let every compute report to Placement, as it does periodically."""
        self._nova.update_resources()

    def clear(self) -> None:
        """Remove all servers and flavors, bring every host back."""
        admin = self.client()
        self.obey()
        for compute in self.description.computes:
            # A host that was evacuated must be running before Nova lets
            # anybody call it up.
            if not self._nova.is_running(compute.name):
                self.start_compute(compute.name)
            service = admin.service_of(compute.name)
            if service["forced_down"] or service["status"] != "enabled":
                admin.update_service(
                    compute.name, forced_down=False, status="enabled"
                )
        for server in admin.servers(all_projects=True):
            admin.delete(server["id"])
        for flavor in admin.request("GET", "/flavors")["flavors"]:
            admin.request("DELETE", f"/flavors/{flavor['id']}")
        self.our_log.forget()

    def set_policy(self, rules: ty.Mapping[str, str]) -> None:
        """Change rules of Nova's API policy."""
        self._nova.set_policy(rules)

    @property
    def nova_log(self) -> str:
        """What anyone logged, from the level that was asked for."""
        return ty.cast(str, self._nova.stdlog.logger.output)

    @property
    def notifications(self) -> list[dict[str, ty.Any]]:
        """Nova's versioned notifications so far, oldest first."""
        return list(self._nova.notifier.versioned_notifications)

    def _stop_nova(self) -> None:
        services = self._nova
        # Timers of Nova's live as long as the services that own them.
        del self._nova
        services.stop()

    def _apis(self) -> wsgi.Application:
        placement = self._nova.placement_api()
        self._compute = http.OneAtATime(self._nova.compute_api())
        return wsgi.Mount(
            {
                "compute": self._compute,
                "placement": http.OneAtATime(
                    identity.TokenAuth(
                        placement, self._identity, open_paths=("", "/")
                    )
                ),
                "identity": identity.IdentityApi(
                    self._identity, self.endpoints
                ),
                "image": image_api.ImageApi(
                    self._nova.glance, self.endpoints["image"]
                ),
            }
        )


def _join_threads_since(
    before: ty.Collection[threading.Thread],
) -> ty.Callable[[], None]:
    def join() -> None:
        gc.collect()
        for thread in set(threading.enumerate()) - set(before):
            thread.join(timeout=5)
        _freeze()

    return join


@functools.cache
def _freeze() -> None:
    """Spare later collections what the first cloud has left: modules."""
    gc.collect()
    gc.freeze()
