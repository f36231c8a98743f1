# SPDX-License-Identifier: Apache-2.0
"""What a monitor needs only later, looked at before it starts.

Touches files to read them; asks nobody.
"""

from __future__ import annotations

import os
import pathlib
import stat
import time
from collections.abc import Iterator

from oslo_config import cfg

from nfv_mla_scheduler import startup
from nfv_mla_scheduler.monitor.parts import Parts
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.web import Readiness
from nfv_mla_scheduler.monitor.works import connect
from nfv_mla_scheduler.monitor.works import new_web
from nfv_mla_scheduler.standard import catalogue as catalogues


def check(parts: Parts, conf: cfg.ConfigOpts) -> tuple[str, ...]:
    """Look at what is only used later: TLS, credentials, the policy.

    Touches no state, and asks nobody.

    :returns: what is odd, and no error
    :raises NfvMlaError: for what would keep the monitor from its work
    """
    check_reach(parts, conf)
    path = parts.common.policy_file
    policy = startup.policy(parts.common, parts.root, catalogues.load())
    odd = []
    if policy.expires_at <= time.time():
        odd.append(f"{path}: has expired: nothing will be evicted")
    odd += _files(parts)
    if parts.settings.act is Arming.NONE:
        odd.append("[monitor] act: is none: nothing will be done")
    for program in (parts.settings.power_off, parts.settings.power_status):
        if program and not os.access(program[0], os.X_OK):
            odd.append(f"{program[0]}: is no program that can be run")
    return tuple(odd)


def _files(parts: Parts) -> Iterator[str]:
    """Yield what cannot be written, and keys that others can read."""
    if not _writable(parts.common.state_dir):
        yield (
            f"[nfv_mla] state_dir: {parts.common.state_dir} cannot be "
            "written by this account"
        )
    if not _writable(parts.status_file.parent):
        yield (
            f"[monitor] status_file: {parts.status_file.parent} cannot be "
            "written by this account"
        )
    for path in parts.settings.mark_key_files:
        if path.stat().st_mode & stat.S_IRGRP:
            yield f"[monitor] mark_key_files: {path}: its group can read it"


def _writable(directory: pathlib.Path) -> bool:
    """Whether files can be made there; it may be made first."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return directory.is_dir() and os.access(directory, os.W_OK | os.X_OK)


def check_reach(parts: Parts, conf: cfg.ConfigOpts) -> None:
    """Look at credentials and TLS; asks nobody.

    :raises SettingsError: when they cannot be used
    """
    connect(parts, conf)
    new_web(
        parts, dict, lambda: True, lambda: Readiness.STARTING, lambda *_: None
    )
