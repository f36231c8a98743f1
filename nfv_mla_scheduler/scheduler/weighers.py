# SPDX-License-Identifier: Apache-2.0
"""The weighers that nova-scheduler loads; see filters.py for what they import.

They read what the filter has just judged, and never decide: if there is
nothing to read, every host weighs the same.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import nova.conf
from nova.scheduler import utils
from nova.scheduler import weights
from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.adapters import read_spec

if TYPE_CHECKING:
    from nfv_mla_scheduler.scheduler.engine import Engine

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class _Weigher(weights.BaseHostWeigher):  # type: ignore[misc]
    """What both weighers share: weights from 0 to 1, all at once."""

    minval = 0.0
    maxval = 1.0
    option = ""

    def __init__(self) -> None:
        super().__init__()
        options.register(CONF)
        self._configured: float | None = None
        self._usual = 0.0

    def weight_multiplier(self, host_state: Any) -> float:
        """Return the multiplier, which an aggregate's metadata may set.

        0, which turns the weigher off, where that makes no sense.
        """
        if self._configured is None:
            try:
                self._configured = float(CONF.nfv_mla[self.option])
            except (cfg.Error, ValueError):
                return 0.0  # the worker says what is wrong with the options
            self._usual = _finite(self._configured)
        # Nova asks for every host, of which hardly any has one of its own
        option = self.option
        for aggregate in host_state.aggregates:
            if option in aggregate.metadata:
                return _finite(
                    utils.get_weight_multiplier(
                        host_state, option, self._configured
                    )
                )
        return self._usual

    def weigh_objects(
        self, weighed_obj_list: Sequence[Any], weight_properties: Any
    ) -> list[float]:
        """Return a weight for each host, in their order."""
        hosts = [weighed.obj for weighed in weighed_obj_list]
        try:
            engine = worker.shared(CONF).engine()
            weights_ = self._weigh(engine, hosts, weight_properties)
            return _in_bounds(weights_)
        except worker.Unavailable:
            pass
        except Exception:
            LOG.exception("nfv-mla cannot weigh hosts")
        return [0.0] * len(hosts)

    def _weigh_object(self, obj: Any, weight_properties: Any) -> float:
        alone = weights.WeighedHost(obj, 0.0)
        return self.weigh_objects([alone], weight_properties)[0]

    def _weigh(
        self, engine: Engine, hosts: list[Any], spec: Any
    ) -> list[float]:
        raise NotImplementedError


def _finite(multiplier: float) -> float:
    return multiplier if math.isfinite(multiplier) else 0.0


def _in_bounds(found: list[float]) -> list[float]:
    """Return weights that are sure to be from 0 to 1."""
    if (
        math.isfinite(sum(found))
        and min(found, default=0.0) >= 0.0
        and max(found, default=0.0) <= 1.0
    ):
        return found
    return [
        min(max(weight, 0.0), 1.0) if math.isfinite(weight) else 0.0
        for weight in found
    ]


class NfvMlaAssuranceWeigher(_Weigher):
    """Prefer hosts of which more is known, and more recently (5.1.2)."""

    option = "assurance_weight_multiplier"

    def _weigh(
        self, engine: Engine, hosts: list[Any], spec: Any
    ) -> list[float]:
        return engine.case(read_spec(spec)).assurance(hosts, time.time())


class NfvMlaScarcityWeigher(_Weigher):
    """Prefer the least privileged host that suffices (7.2).

    So that secure-execution hosts stay free for those who need them.
    """

    option = "scarcity_weight_multiplier"

    def _weigh(
        self, engine: Engine, hosts: list[Any], spec: Any
    ) -> list[float]:
        ranks = engine.judge.ranks(engine.feed.snapshot)
        return [1.0 - ranks.get(host.host, 0.0) for host in hosts]


def all_weighers() -> list[type[weights.BaseHostWeigher]]:
    """Return our weighers, for ``[filter_scheduler] weight_classes``."""
    return [NfvMlaAssuranceWeigher, NfvMlaScarcityWeigher]
