# SPDX-License-Identifier: Apache-2.0
"""The filter that nova-scheduler loads.

Imports only the standard library, oslo, nova, and what of ours needs nothing
else; opens nothing before the first request, since Nova forks in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

import nova.conf
from nova import exception
from nova.scheduler import filters

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.scheduler.adapters import read_spec

if TYPE_CHECKING:
    from nfv_mla_scheduler.scheduler.engine import Engine

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class NfvMlaFilter(filters.BaseHostFilter):  # type: ignore[misc]
    """Let through the hosts that meet what the server needs (5.3.2).

    ``filter_all`` is overridden, so that a request is read once and not once
    for each host, and so that it also runs on rebuild, where it must not
    touch allocation candidates, and does not.
    """

    RUN_ON_REBUILD = True

    def __init__(self) -> None:
        super().__init__()
        options.register(CONF)

    def filter_all(
        self, filter_obj_list: Iterable[Any], spec_obj: Any
    ) -> list[Any]:
        """Return the hosts on which the server may be placed now.

        :raises nova.exception.NoValidHost: when what the server asks for is
            malformed; the message names key and value, and no host
        """
        candidates = list(filter_obj_list)
        now = time.time()
        try:
            plain = read_spec(spec_obj)
        except Exception:
            # Nobody can tell what it asks for.
            LOG.exception("nfv-mla cannot read a request, and refuses it")
            return []
        here = worker.shared(CONF)
        try:
            engine = here.engine()
        except worker.Unavailable:
            return _unjudged(here, plain, candidates, now)
        try:
            admitted, malformed = engine.decide(plain, candidates, now)
        except Exception:
            LOG.exception(
                "nfv-mla cannot judge a request; who asks is refused"
            )
            return _open_hosts(engine, plain, candidates, now)
        if malformed is None or engine.reports.was_placed():
            # Nova keeps what it has claimed for other servers of a request
            # when a filter raises, and gives it back when no host remains.
            return admitted
        raise exception.NoValidHost(reason=bounded(malformed, LINE_MAX))

    def host_passes(self, host_state: Any, filter_properties: Any) -> bool:
        """Whether one host passes, for callers other than Nova's scheduler."""
        try:
            return bool(self.filter_all([host_state], filter_properties))
        except exception.NoValidHost:
            return False


def _unjudged(
    here: worker.Worker, plain: Plain, candidates: list[Any], now: float
) -> list[Any]:
    """Do without a judge in the whole process."""
    left = _open_hosts(here, plain, candidates, now)
    if candidates and not left:
        named = here.names(plain)
        LOG.info(
            "nfv-mla refused %s: %s",
            f"server {bounded(plain.server)}" if named else "a server",
            RefusalCode.UNAVAILABLE.value,
        )
    return left


def _open_hosts(
    known: worker.Worker | Engine,
    plain: Plain,
    candidates: list[Any],
    now: float,
) -> list[Any]:
    """Do without a judge: refuse whoever asks, and hurt nobody else."""
    try:
        return known.open_hosts(plain, candidates, now)
    except Exception:
        LOG.exception("nfv-mla cannot tell which hosts are nobody's")
        return []


def all_filters() -> list[type[filters.BaseHostFilter]]:
    """Return our filters, for ``[filter_scheduler] available_filters``."""
    return [NfvMlaFilter]
