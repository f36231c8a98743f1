# SPDX-License-Identifier: Apache-2.0
"""The monitor's own connection to a simulated cloud, by its own options."""

from __future__ import annotations

from collections.abc import Mapping

from keystoneauth1.loading import get_plugin_loader
from oslo_config import cfg

from nfv_mla_scheduler.monitor.cloud import session
from nfv_mla_scheduler.monitor.cloud.both import NovaAndPlacement


def configured(credentials: Mapping[str, str]) -> cfg.ConfigOpts:
    """Return a configuration with these credentials in ``[monitor]``."""
    conf = cfg.ConfigOpts()
    session.register(conf)
    conf([], project="nfv-mla", default_config_files=[])
    options = get_plugin_loader("password").get_options()
    conf.register_opts(
        [option._to_oslo_opt() for option in options],
        group=session.GROUP_NAME,
    )
    for name, text in {"auth_type": "password", **credentials}.items():
        conf.set_override(name, text, session.GROUP_NAME)
    return conf


def connected(
    credentials: Mapping[str, str], timeout_s: float = 30.0, limit: int = 1000
) -> NovaAndPlacement:
    """Return a ``port.Cloud`` that speaks to a simulated one.

    :param credentials: of ``SimulatedCloud.credentials()``
    """
    return session.connect(configured(credentials), timeout_s, limit)
