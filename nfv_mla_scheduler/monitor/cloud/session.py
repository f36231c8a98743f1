# SPDX-License-Identifier: Apache-2.0
"""From oslo.config's options to a connection with Nova and Placement.

The options are those that every OpenStack service has for its credentials,
all in ``[monitor]``.  keystoneauth and openstacksdk are imported where they
are needed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.cloud import nova
from nfv_mla_scheduler.monitor.cloud import placement
from nfv_mla_scheduler.monitor.cloud.both import NovaAndPlacement
from nfv_mla_scheduler.monitor.cloud.channel import Channel
from nfv_mla_scheduler.monitor.cloud.channel import Speaks

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from openstack.connection import Connection

GROUP_NAME = "monitor"

# Of the options that keystoneauth has for an adapter, those that hold for
# both APIs; none that would have a request repeated.
_ADAPTER_OPTIONS = ("region_name", "valid_interfaces")

_ENDPOINTS = [
    cfg.StrOpt(
        f"{service}_endpoint_override",
        default="",
        help=f"""
The URL of {name}'s API, instead of the one in Keystone's catalogue.

Related options:

* ``region_name`` and ``valid_interfaces`` do not matter beside it.
""",
    )
    for service, name in (("compute", "Nova"), ("placement", "Placement"))
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options in ``[monitor]``; again does no harm."""
    from keystoneauth1 import loading

    loading.register_auth_conf_options(conf, GROUP_NAME)
    loading.register_session_conf_options(conf, GROUP_NAME)
    conf.register_opts(_adapter_options(), group=GROUP_NAME)
    conf.register_opts(_ENDPOINTS, group=GROUP_NAME)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Return the options for ``oslo-config-generator``.

    Those of the credentials are of the plugin ``password``; others have their
    own.
    """
    from keystoneauth1 import loading

    options = [
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options("password"),
        *loading.get_session_conf_options(),
        *_adapter_options(),
        *_ENDPOINTS,
    ]
    return [(GROUP_NAME, options)]


def connect(
    conf: cfg.ConfigOpts, request_timeout_s: float, limit: int = 1000
) -> NovaAndPlacement:
    """Return the cloud that ``conf`` names; nothing is sent yet.

    :param request_timeout_s: for an answer to begin, and once more for it to
        end; ``[monitor] timeout`` may only shorten it
    :param limit: how many things to list on a page
    :raises SettingsError: when the credentials are not complete
    """
    timeout_s = min(request_timeout_s, conf[GROUP_NAME].timeout or 1e9)
    reach = Reach(conf, timeout_s)
    reach.session()
    return NovaAndPlacement(
        nova.Nova(reach.channel(nova.SPEAKS), limit),
        placement.Placement(reach.channel(placement.SPEAKS)),
        reach.user_id,
    )


class Reach:
    """Makes connections, one after the other, when the one before fails.

    What is found out about endpoints and versions is kept by a connection:
    after an upgrade of Nova that would be wrong.
    """

    def __init__(self, conf: cfg.ConfigOpts, timeout_s: float) -> None:
        self._conf = conf
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def channel(self, speaks: Speaks) -> Channel:
        """Return a channel to one API."""
        return Channel(
            speaks,
            lambda: self._adapter(speaks.service),
            self.drop,
            self._timeout_s,
        )

    def user_id(self) -> str:
        """Return whose credentials these are, by Keystone's word."""
        return str(self._connected().session.get_user_id())

    def drop(self) -> None:
        """Make a new connection next time."""
        with self._lock:
            self._connection = None

    def session(self) -> Any:
        """Return a new keystoneauth session.

        :raises SettingsError: when the options do not make one
        """
        from keystoneauth1 import exceptions
        from keystoneauth1 import loading

        conf = self._conf
        try:
            auth = loading.load_auth_from_conf_options(conf, GROUP_NAME)
            if auth is None:
                raise _wrong("auth_type: must be set")
            return loading.load_session_from_conf_options(
                conf, GROUP_NAME, auth=auth, timeout=self._timeout_s
            )
        except (exceptions.ClientException, cfg.Error, ValueError) as exc:
            raise _wrong(f"credentials: {bounded(exc, 160)}") from exc

    def _adapter(self, service: str) -> Adapter:
        connection = self._connected()
        # Known to have worked before anything is sent: a failure here leaves
        # nobody unsure.  A token is kept as long as it is good.
        connection.session.get_token()
        with self._lock:
            # Looks for the endpoint and its versions at first.
            found: Adapter = getattr(connection, service)
            return found

    def _connected(self) -> Connection:
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection

    def _connect(self) -> Connection:
        from openstack.connection import Connection

        said = self._conf[GROUP_NAME]
        overrides = {
            option.dest: said[option.dest]
            for option in _ENDPOINTS
            if said[option.dest]
        }
        if said.valid_interfaces:
            overrides["interface"] = list(said.valid_interfaces)
        return Connection(
            session=self.session(),
            region_name=said.region_name,
            app_name="nfv-mla-monitor",
            strict_proxies=True,
            **overrides,
        )


def _adapter_options() -> list[cfg.Opt]:
    from keystoneauth1 import loading

    options = loading.get_adapter_conf_options(include_deprecated=False)
    return [o for o in options if o.dest in _ADAPTER_OPTIONS]


def _wrong(message: str) -> SettingsError:
    return SettingsError(f"[{GROUP_NAME}] {message}")
