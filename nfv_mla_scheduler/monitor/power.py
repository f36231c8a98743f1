# SPDX-License-Identifier: Apache-2.0
"""The operator's own commands for switching hosts off, out of band.

Starts processes, without a shell, and ends what they leave.  Whether a host
is off is what the status command says, never what the other one returns: a
server that is started elsewhere while it still runs here destroys its disk.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import IO

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.outcomes import TEXT_MAX
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

TIMEOUT_S = 60.0
OUTPUT_MAX = 4096
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
}
# What becomes an argument: nothing that a program could take for an option,
# a path or two words.
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Alone, or as ipmitool says it.
_OFF = ("off", "chassis power is off")
_LOOK_S = 0.02
_DRAIN_S = 1.0


class _Unusable(Exception):
    """A command cannot be made for this host; never leaves this module."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Ended:
    """How a command ended.

    :ivar status: exit status, negative for a signal; None: killed for time
    :ivar whole: whether all that it printed is here
    """

    status: int | None
    output: str
    errors: str
    whole: bool


class Power:
    """Switches hosts off by the operator's commands; for any thread.

    :param off: words of ``power_off_command``; empty: there is none
    :param status: words of ``power_status_command``
    :param timeout_s: how long either may take
    """

    def __init__(
        self,
        off: Sequence[str],
        status: Sequence[str],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._off = tuple(off)
        self._status = tuple(status)
        self._timeout_s = timeout_s

    def power_off(self, host: str, uuid: str = "") -> Outcome:
        """Have a host switched off; that confirms nothing.

        :param host: Nova's name of it
        :param uuid: of its compute node; empty: it has none
        """
        try:
            ended = _run(_words(self._off, host, uuid), self._timeout_s)
        except _Unusable as exc:
            return _outcome(host, Result.REFUSED, str(exc))
        except (OSError, ValueError) as exc:
            said = getattr(exc, "strerror", None) or "cannot be started"
            return _outcome(host, Result.UNAVAILABLE, said)
        if ended.status is None:
            text = f"took longer than {self._timeout_s:g} s and was ended"
            return _outcome(host, Result.UNSURE, text)
        if ended.status != 0:
            text = f"exit status {ended.status}: {ended.errors.strip()}"
            return _outcome(host, Result.UNAVAILABLE, text)
        return _outcome(host, Result.DONE)

    def is_off(self, host: str, uuid: str = "") -> bool | None:
        """Whether a host is off; None: it cannot be told.

        Off is only what is said to be off: exit status 0, and nothing printed
        but the word ``off``, or ipmitool's sentence with it.
        """
        try:
            ended = _run(_words(self._status, host, uuid), self._timeout_s)
        except (_Unusable, OSError, ValueError):
            return None
        if ended.status != 0 or not ended.whole:
            return None
        return " ".join(ended.output.casefold().split()) in _OFF


def _outcome(host: str, code: Result, text: str = "") -> Outcome:
    return Outcome(
        host,
        host,
        Step.POWER_OFF,
        Ask.POWER_OFF,
        code,
        bounded(text, TEXT_MAX),
    )


def _words(template: tuple[str, ...], host: str, uuid: str) -> list[str]:
    """Return a command for one host.

    :raises _Unusable: when a name is not fit to be an argument
    """
    if not template:
        raise _Unusable("there is no command for it")
    values = {"{host}": (host, _HOST), "{uuid}": (uuid, _UUID)}
    for holder, (value, pattern) in values.items():
        needed = any(holder in word for word in template[1:])
        if needed and not pattern.fullmatch(value):
            raise _Unusable(f"{holder} cannot be an argument")
    return [template[0]] + [
        re.sub(r"\{(?:host|uuid)\}", lambda found: values[found[0]][0], word)
        for word in template[1:]
    ]


def _run(words: list[str], timeout_s: float) -> _Ended:
    """Run a command in a group of its own, and end what is left of it.

    :raises OSError: when it cannot be started
    """
    process = subprocess.Popen(  # noqa: S603  words, by the configuration
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    assert process.stdout is not None and process.stderr is not None
    output, errors = _Reader(process.stdout), _Reader(process.stderr)
    ended = False
    try:
        ended = _ends(process.pid, time.monotonic() + timeout_s)
    finally:
        # as long as its leader is not waited for, the group's id is its own
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    return _Ended(
        status if ended else None,
        output.text(),
        errors.text(),
        output.whole,
    )


def _ends(pid: int, until: float) -> bool:
    """Whether a child ends in time; it is not waited for."""
    while True:
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, pid, flags) is not None:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_S)


class _Reader:
    """Reads a pipe to its end in a thread, and keeps the beginning."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._kept = b""
        self._more = False
        self._ended = False
        self._thread = threading.Thread(
            target=self._read, args=(pipe,), daemon=True
        )
        self._thread.start()

    @property
    def whole(self) -> bool:
        return self._ended and not self._more

    def text(self) -> str:
        """Return what was kept; what still has the pipe is not waited for."""
        self._thread.join(_DRAIN_S)
        return self._kept.decode("utf-8", "replace")

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while data := os.read(pipe.fileno(), OUTPUT_MAX):
                room = OUTPUT_MAX - len(self._kept)
                self._more = self._more or len(data) > room
                self._kept += data[:room]
        self._ended = True
