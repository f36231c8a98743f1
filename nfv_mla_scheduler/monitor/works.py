# SPDX-License-Identifier: Apache-2.0
"""A monitor, put together from its parts.

Touches files to read them, and nothing else: connections are opened when they
are first used.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from oslo_config import cfg

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.monitor.acting.actor import Actor
from nfv_mla_scheduler.monitor.cleaning import file as cleanup_file
from nfv_mla_scheduler.monitor.cleaning.departures import Departures
from nfv_mla_scheduler.monitor.cloud import session
from nfv_mla_scheduler.monitor.cycle import Cycle
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.holding import edits
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.monitor.judging.court import Court
from nfv_mla_scheduler.monitor.judging.judging import Judging
from nfv_mla_scheduler.monitor.observing.observer import Observer
from nfv_mla_scheduler.monitor.parts import Parts
from nfv_mla_scheduler.monitor.planning.planner import Means
from nfv_mla_scheduler.monitor.planning.planner import Planning
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.settings import SECTION
from nfv_mla_scheduler.monitor.web import App
from nfv_mla_scheduler.monitor.web import Knock
from nfv_mla_scheduler.monitor.web import Readiness
from nfv_mla_scheduler.monitor.web import Status
from nfv_mla_scheduler.monitor.web import new_server
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.serving.server import Server

# Of pages of servers; Nova gives no more.
PAGE = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Works:
    """The parts of a monitor, put together.

    :ivar close: lets their threads end
    :ivar drain: waits until what was begun aside has ended
    """

    cloud: Cloud
    cycle: Cycle
    close: Callable[[], None]
    drain: Callable[[], None]


def connect(parts: Parts, conf: cfg.ConfigOpts) -> Cloud:
    """Return Nova and Placement; nothing is sent yet.

    :raises SettingsError: when the credentials are not complete
    """
    return session.connect(conf, parts.settings.request_timeout_s, PAGE)


def build(
    parts: Parts,
    conf: cfg.ConfigOpts,
    audit: AuditPort,
    snapshot: Callable[[], Snapshot],
    origin: str | None,
    cloud: Cloud | None = None,
    announce: Callable[[CycleReport], None] = lambda _report: None,
) -> Works:
    """Put the parts of a cycle together; starts nothing.

    :param origin: this process, as readers of records know it; None: nothing
        is ever done
    :param cloud: None: the one that ``conf`` names
    :param announce: records what is found and planned, before it is done
    :raises SettingsError: when the credentials are not complete
    """
    settings, shared = parts.settings, parts.common
    cloud = connect(parts, conf) if cloud is None else cloud
    bearings = Bearings(shared.management_domain, shared.boot_max_age_s)
    judging = Judging(bearings)
    power = None
    if settings.power_off:
        power = Power(
            settings.power_off,
            settings.power_status,
            settings.power_timeout_s,
        )
    planning = Planning(
        cloud,
        judging.judge,
        Means(
            settings.act,
            settings.traits,
            settings.deadlines_s,
            power,
            acts=origin is not None,
        ),
        settings.workers,
    )
    actor = None
    if origin is not None:
        actor = Actor(
            cloud,
            parts.keys,
            audit,
            power=power,
            workers=settings.workers,
            origin=origin,
            seal_interval_s=shared.audit_seal_interval_s,
        )
    path = parts.holds_file
    cycle = Cycle(
        Observer(
            cloud,
            full_every_s=settings.full_listing_s,
            overlap_s=settings.overlap_s,
        ),
        Court(cloud, judging, parts.keys, time.time()),
        planning,
        actor,
        snapshot=snapshot,
        holds=lambda: store.read(path),
        edit=lambda edit, now: edits.edit(path, edit, now),
        room=cloud.room,
        picture_max_age_s=settings.picture_max_age_s,
        clean_up=Departures(
            cleanup_file.place(shared.state_dir),
            bearings,
            lambda: judging.sensitive,
            writes=origin is not None,
        ),
        announce=announce,
    )

    def close() -> None:
        planning.close()
        if actor is not None:
            actor.close()

    def drain() -> None:
        if actor is not None:
            actor.drain()

    return Works(cloud, cycle, close, drain)


def new_web(
    parts: Parts,
    status: Status,
    is_live: Callable[[], bool],
    ready: Callable[[], Readiness],
    knock: Knock,
) -> tuple[App | None, Server | None]:
    """Return a server that does not listen yet; None: none is wanted.

    :raises SettingsError: when files of TLS cannot be used
    """
    listen = parts.settings.listen
    if listen is None:
        return None, None
    app = App(status, is_live, ready, knock)
    try:
        return app, new_server(listen, app)
    except SettingsError as exc:
        raise SECTION.wrong("listen", str(exc)) from None
