# SPDX-License-Identifier: Apache-2.0
"""The filter that nova-scheduler loads.

Imports only the standard library, oslo, nova, and what of ours needs nothing
else; opens nothing before the first request, since Nova forks in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

import nova.conf
from nova import exception
from nova.scheduler import filters

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.scheduler.adapters import read_spec

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
        plain = read_spec(spec_obj)
        try:
            engine = worker.shared(CONF).engine()
        except worker.Unavailable as exc:
            return self._unavailable(candidates, plain, exc)
        try:
            now = time.time()
            case = engine.case(plain)
            admitted = case.admitted(candidates, now)
            if candidates and not admitted:
                engine.reports.refused(plain, case, candidates, now)
            elif case.may_be_softened:
                engine.reports.softened(plain, case, admitted, now)
        except Exception:
            # A fault of ours: nobody is admitted by it.
            LOG.exception("nfv-mla cannot judge server %s", plain.server)
            return []
        if case.malformed is not None:
            raise exception.NoValidHost(
                reason=bounded(str(case.malformed), LINE_MAX)
            )
        return admitted

    def host_passes(self, host_state: Any, filter_properties: Any) -> bool:
        """Whether one host passes, for callers other than Nova's scheduler."""
        return bool(self.filter_all([host_state], filter_properties))

    @staticmethod
    def _unavailable(
        candidates: list[Any], plain: Plain, exc: worker.Unavailable
    ) -> list[Any]:
        """Without a judge, refuse whoever asks; hurt nobody else."""
        if not plain.asks and not exc.refuse_all:
            return candidates
        LOG.info("nfv-mla refused server %s: unavailable", plain.server)
        return []


def all_filters() -> list[type[filters.BaseHostFilter]]:
    """Return our filters, for ``[filter_scheduler] available_filters``."""
    return [NfvMlaFilter]
