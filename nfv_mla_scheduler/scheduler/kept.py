# SPDX-License-Identifier: Apache-2.0
"""What is known of the policy in a process that has none, or no judge.

Standard library and oslo.config only: reads one file of ``state_dir``, which
``policy/state.py`` has written while all was well, and again when it changes.
Options are read one by one, as others of them may be what is wrong.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.scheduler import fallback
from nfv_mla_scheduler.scheduler.adapters import Plain

LOG = logging.getLogger(__name__)

# As policy/state.py names them, which this process may be unable to import.
ENVELOPE = "policy-last-good.json"
BRIEF = "policy-brief.json"
HIGHEST = "policy-highest.json"
BYTES_MAX = 32 * 2**20

# A named pipe must not keep us waiting for somebody who writes to it.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_Held = tuple[tuple[Any, ...], fallback.Brief]


class _Lost(Exception):
    """There may have been a policy, and nobody knows what it said."""


class Kept:
    """Says which hosts are open, by the policy that was kept; thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._told = ""

    def open_hosts(
        self,
        candidates: list[Any],
        plain: Plain,
        refuse_all_without_policy: bool,
        now: Instant,
    ) -> list[Any]:
        """Return the hosts that remain; none if what was kept is lost."""
        left = self.remaining(candidates, plain, now)
        if left is not None:
            return left
        return fallback.open_hosts(
            candidates, plain, None, "", refuse_all_without_policy, now
        )

    def remaining(
        self, candidates: list[Any], plain: Plain, now: Instant
    ) -> list[Any] | None:
        """Return the hosts that remain by what was kept; none if it is lost.

        None: there never was a policy.
        """
        with self._lock:
            try:
                brief = self._brief()
            except _Lost as exc:
                self._tell(str(exc))
                return []
            self._told = ""
        if brief is None:
            return None
        domain = self._option("management_domain")
        return fallback.open_hosts(candidates, plain, brief, domain, True, now)

    def discretion(self, plain: Plain) -> fallback.Discretion:
        """Return who may be told about a server, by what was kept."""
        with self._lock:
            try:
                brief = self._brief()
            except _Lost:
                return fallback.Discretion(known=False)
        if brief is None:  # nobody has asked for it ever
            return fallback.Discretion()
        return brief.discretion(plain.project_id)

    def ever(self) -> bool:
        """Whether there was a policy, or may have been one."""
        with self._lock:
            try:
                return self._brief() is not None
            except _Lost:
                return True

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            LOG.warning(
                "nfv-mla cannot tell what the policy was, and refuses every "
                "server: %s",
                bounded(text, LINE_MAX),
            )

    def _option(self, name: str) -> str:
        """Return an option, or nothing if it cannot be read."""
        try:
            value = self._conf[options.GROUP.name][name]
        except (cfg.Error, ValueError):
            return ""
        return value if isinstance(value, str) else ""

    def _brief(self) -> fallback.Brief | None:
        """Return the policy in brief; None: there never was one.

        :raises _Lost: when that cannot be told
        """
        directory = self._option("state_dir")
        if not directory.startswith("/"):
            raise _Lost("[nfv_mla] state_dir: cannot be used")
        path = os.path.join(directory, BRIEF)
        try:
            self._held = held = self._read(path)
        except FileNotFoundError:
            for name in (HIGHEST, ENVELOPE):
                if os.path.lexists(os.path.join(directory, name)):
                    raise _Lost(f"{path}: is missing") from None
            return None
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", "") or "cannot be read"
            raise _Lost(f"{path}: {reason}") from None
        except fallback.BadBrief:
            raise _Lost(f"{path}: is damaged") from None
        return held[1]

    def _read(self, path: str) -> _Held:
        """Return what the file says, and by what to tell whether it changes.

        It is only ever replaced, so that another one has another inode.
        """
        descriptor = os.open(path, _FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise fallback.BadBrief
            stamp = (
                path,
                status.st_dev,
                status.st_ino,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
            )
            if self._held is not None and self._held[0] == stamp:
                return self._held
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(BYTES_MAX + 1)
        finally:
            os.close(descriptor)
        if len(data) > BYTES_MAX:
            raise fallback.BadBrief
        return stamp, fallback.read_brief(data)
