# SPDX-License-Identifier: Apache-2.0
"""What a monitor is made from: options and keys, checked.

Touches files to read them, and nothing else.  ``works.py`` puts it together.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import stat

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler import startup
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.monitor import settings as own
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.sources import configuration_digest

KEY_LEAST = 32
KEY_MOST = 4096
STATUS_FILE = "monitor-status.json"


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
        return self.settings.status_file or self.own_status_file

    @property
    def own_status_file(self) -> pathlib.Path:
        """Where a dry run writes it: no other monitor has the directory.

        nova-scheduler reads the other one to learn whether anybody acts.
        """
        return self.common.state_dir / STATUS_FILE

    @property
    def holds_file(self) -> pathlib.Path:
        """Where it is written what people said."""
        return store.place(self.common.state_dir)


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
        startup.root(conf, shared, "monitor"),
        tuple(_key(path) for path in settings.mark_key_files),
    )
    if len(set(parts.keys)) != len(parts.keys):
        raise own.SECTION.wrong(
            "mark_key_files", "two files hold the same key"
        )
    return parts


def made_of(parts: Parts, conf: cfg.ConfigOpts) -> dict[str, str]:
    """Return which package and which options a process runs with.

    By the first of the two digests it judges; the same one says that it does
    as a scheduler which records it.

    :param conf: with which a feed was made
    """
    # of the ways to reach Nova, those of the one that is taken
    groups = [
        (
            group.name,
            {o.dest: o for o in members if o.dest in conf[group.name]},
        )
        for group, members in own.list_opts()
    ]
    return {
        "version": identity.version(),
        "configuration_digest": configuration_digest(parts.common, conf),
        "monitor_configuration_digest": identity.digest(
            conf, [(name, found.values()) for name, found in groups]
        ),
    }


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
        raise own.SECTION.wrong(
            "mark_key_files", f"{path}: {exc.strerror}"
        ) from None
    if not KEY_LEAST <= len(key) <= KEY_MOST:
        message = f"{path}: must hold {KEY_LEAST} to {KEY_MOST} bytes"
        raise own.SECTION.wrong("mark_key_files", message)
    if mode & stat.S_IROTH:
        raise own.SECTION.wrong(
            "mark_key_files", f"{path}: everybody can read it"
        )
    return key
