# SPDX-License-Identifier: Apache-2.0
"""What a monitor is made from: options and keys, checked, and its parts.

Touches files to read them, and nothing else: connections are opened when they
are first used.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import stat
import time
from collections.abc import Callable

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed.policy_file import POLICY_BYTES_MAX
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.monitor import settings as own
from nfv_mla_scheduler.monitor.acting.actor import Actor
from nfv_mla_scheduler.monitor.cleaning import file as cleanup_file
from nfv_mla_scheduler.monitor.cleaning.departures import Departures
from nfv_mla_scheduler.monitor.cloud import session
from nfv_mla_scheduler.monitor.cycle import Cycle
from nfv_mla_scheduler.monitor.holding import holds
from nfv_mla_scheduler.monitor.judging.court import Court
from nfv_mla_scheduler.monitor.judging.judging import Judging
from nfv_mla_scheduler.monitor.observing.observer import Observer
from nfv_mla_scheduler.monitor.options import GROUP
from nfv_mla_scheduler.monitor.planning.planner import Means
from nfv_mla_scheduler.monitor.planning.planner import Planning
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.web import App
from nfv_mla_scheduler.monitor.web import Knock
from nfv_mla_scheduler.monitor.web import Readiness
from nfv_mla_scheduler.monitor.web import Status
from nfv_mla_scheduler.monitor.web import new_server
from nfv_mla_scheduler.policy.acceptance import read_signed
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings
from nfv_mla_scheduler.standard import catalogue as catalogues

KEY_LEAST = 32
KEY_MOST = 4096
STATUS_FILE = "monitor-status.json"
# Of pages of servers; Nova gives no more.
PAGE = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """What a monitor is made from, checked.

    :ivar keys: of marks; the first one makes them
    """

    settings: own.Settings
    common: common.Settings
    root: Root
    keys: tuple[bytes, ...] = dataclasses.field(repr=False)

    @property
    def status_file(self) -> pathlib.Path:
        """Where the status is written."""
        default = self.common.state_dir / STATUS_FILE
        return self.settings.status_file or default

    @property
    def holds_file(self) -> pathlib.Path:
        """Where it is written what people said."""
        return holds.place(self.common.state_dir)


@dataclasses.dataclass(frozen=True, slots=True)
class Works:
    """The parts of a monitor, put together.

    :ivar close: lets their threads end
    """

    cloud: Cloud
    cycle: Cycle
    close: Callable[[], None]


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of a monitor; again does no harm."""
    common.register(conf)
    own.register(conf)


def read(conf: cfg.ConfigOpts) -> Parts:
    """Read everything; opens no connection, and writes nothing.

    :param conf: on which :func:`register` was called
    :raises NfvMlaError: in one line, naming the option or the file
    """
    settings, shared = own.settings(conf), common.settings(conf)
    parts = Parts(
        settings,
        shared,
        _root(conf, shared),
        tuple(_key(path) for path in settings.mark_key_files),
    )
    if len(set(parts.keys)) != len(parts.keys):
        raise _wrong("mark_key_files", "two files hold the same key")
    return parts


def check(parts: Parts, conf: cfg.ConfigOpts) -> tuple[str, ...]:
    """Look at what is only used later: TLS, credentials, the policy.

    Touches no state, and asks nobody.

    :returns: what is odd, and no error
    :raises NfvMlaError: for what would keep the monitor from its work
    """
    check_reach(parts, conf)
    path = parts.common.policy_file
    assert path is not None
    try:
        data = WatchedFile(path, POLICY_BYTES_MAX).changed() or b""
    except Unread as exc:
        raise SettingsError(f"{path}: {exc.reason}") from None
    policy = read_signed(data, parts.root, catalogues.load())
    odd = []
    if policy.expires_at <= time.time():
        odd.append(f"{path}: has expired: nothing will be evicted")
    if parts.settings.act is Arming.NONE:
        odd.append("[monitor] act: is none: nothing will be done")
    for program in (parts.settings.power_off, parts.settings.power_status):
        if program and not os.access(program[0], os.X_OK):
            odd.append(f"{program[0]}: is no program that can be run")
    return tuple(odd)


def check_reach(parts: Parts, conf: cfg.ConfigOpts) -> None:
    """Look at credentials and TLS; asks nobody.

    :raises SettingsError: when they cannot be used
    """
    connect(parts, conf)
    new_web(
        parts, dict, lambda: True, lambda: Readiness.STARTING, lambda *_: None
    )


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
) -> Works:
    """Put the parts of a cycle together; starts nothing.

    :param origin: this process, as readers of records know it; None: nothing
        is ever done
    :param cloud: None: the one that ``conf`` names
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
        Means(settings.act, settings.traits, settings.deadlines_s, power),
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
        holds=lambda: holds.read(path),
        edit=lambda edit, now: holds.edit(path, edit, now),
        room=cloud.room,
        picture_max_age_s=settings.picture_max_age_s,
        clean_up=Departures(
            cleanup_file.place(shared.state_dir),
            bearings,
            lambda: judging.sensitive,
            writes=origin is not None,
        ),
    )

    def close() -> None:
        planning.close()
        if actor is not None:
            actor.close()

    return Works(cloud, cycle, close)


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
    settings = ServerSettings(
        listen.host,
        listen.port,
        listen.cert_file,
        listen.key_file,
        listen.client_ca_file,
        anybody=True,
    )
    try:
        return app, new_server(settings, app)
    except SettingsError as exc:
        raise _wrong("listen", str(exc)) from None


def _root(conf: cfg.ConfigOpts, settings: common.Settings) -> Root:
    group = common.GROUP.name
    if settings.policy_file is None:
        raise SettingsError(f"[{group}] policy_file: must be set")
    found = conf.get_location("state_dir", group)
    if found is None or found.location is cfg.Locations.opt_default:
        raise SettingsError(
            f"[{group}] state_dir: must be set, to a directory of the "
            "monitor's own and not that of nova-scheduler"
        )
    return read_root(settings.officer_keys, settings.officer_threshold)


def _key(path: pathlib.Path) -> bytes:
    """Return one key of marks.

    :raises SettingsError: when it cannot be read, is too short, or everybody
        can read it
    """
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(KEY_MOST + 1)
    except OSError as exc:
        raise _wrong("mark_key_files", f"{path}: {exc.strerror}") from None
    if not KEY_LEAST <= len(key) <= KEY_MOST:
        message = f"{path}: must hold {KEY_LEAST} to {KEY_MOST} bytes"
        raise _wrong("mark_key_files", message)
    if mode & stat.S_IROTH:
        raise _wrong("mark_key_files", f"{path}: everybody can read it")
    return key


def _wrong(name: str, message: str) -> SettingsError:
    return SettingsError(f"[{GROUP.name}] {name}: {message}")
