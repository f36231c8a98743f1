# SPDX-License-Identifier: Apache-2.0
"""What outlives a restart: the last good envelope and the highest version.

And the policy in brief (``feed/brief.py``), for processes that cannot judge.

Touches the files of one directory, and nothing else.  Several processes may
share it: a lock keeps an older policy from replacing a newer one.  Nothing
here waits for long: whoever holds the lock, or puts a named pipe in the place
of a file, stops nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import stat
import tempfile
import time
from collections.abc import Iterator

from nfv_mla_scheduler.policy.envelope import ENVELOPE_MAX

ENVELOPE = "policy-last-good.json"
HIGHEST = "policy-highest.json"
BRIEF = "policy-brief.json"
LOCK = "policy.lock"
_HIGHEST_MAX = 4096
_BRIEF_MAX = 32 * 2**20
# Others hold the lock for as long as it takes to write two files.
LOCK_WAIT_S = 0.5
_LOCK_POLL_S = 0.01
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

Highest = tuple[int, str]


class StateFault(Exception):
    """The state cannot be read or written; never leaves the keeper.

    :ivar reason: one line for an operator
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class State:
    """The files that a keeper keeps.

    :param directory: made when it is missing; mode 0700
    :param read_only: for who only looks: what is to be kept is dropped
    """

    def __init__(
        self, directory: str | os.PathLike[str], read_only: bool = False
    ) -> None:
        self._directory = pathlib.Path(directory)
        self._read_only = read_only

    def load_envelope(self) -> bytes | None:
        """Return the last good envelope, as somebody left it there.

        :raises StateFault: when there is one that cannot be read
        """
        return self._load(ENVELOPE, ENVELOPE_MAX)

    def load_highest(self) -> Highest | None:
        """Return version and digest of the newest policy ever accepted.

        :raises StateFault: when they cannot be read, or make no sense
        """
        data = self._load(HIGHEST, _HIGHEST_MAX)
        if data is None:
            return None
        try:
            members = json.loads(data)
        except (ValueError, RecursionError):
            members = None
        if isinstance(members, dict):
            version, digest = members.get("version"), members.get("digest")
            if type(version) is int and isinstance(digest, str):
                return version, digest
        raise StateFault(f"{self._directory / HIGHEST}: is damaged")

    def keep(self, envelope: bytes, highest: Highest) -> None:
        """Write both, unless another process has kept a newer policy.

        Of two policies of one version the first one stays.

        The envelope comes first: a crash in between leaves an envelope newer
        than the highest version, which the envelope itself then raises.

        :raises StateFault: when they cannot be written
        """
        if self._read_only:
            return
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                if not self._rises(highest):
                    return
                self._write(ENVELOPE, envelope)
                members = {"version": highest[0], "digest": highest[1]}
                self._write(HIGHEST, json.dumps(members).encode() + b"\n")
        except OSError as exc:
            raise self._fault(exc) from None

    def keep_brief(self, version: int, brief: bytes) -> None:
        """Write a policy in brief, unless a newer policy has been kept.

        :raises StateFault: when it cannot be written
        """
        if self._read_only:
            return
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                if not self._outdated(version) and not self._says(brief):
                    self._write(BRIEF, brief)
        except OSError as exc:
            raise self._fault(exc) from None

    def _outdated(self, version: int) -> bool:
        try:
            kept = self.load_highest()
        except StateFault:
            return False
        return kept is not None and kept[0] > version

    def _says(self, brief: bytes) -> bool:
        try:
            return self._load(BRIEF, _BRIEF_MAX) == brief
        except StateFault:
            return False

    def _rises(self, highest: Highest) -> bool:
        """Whether ``highest`` may follow what another process has kept."""
        try:
            kept = self.load_highest()
        except StateFault:
            return True
        return kept is None or highest[0] > kept[0] or highest == kept

    def _load(self, name: str, limit: int) -> bytes | None:
        try:
            with open(os.open(self._directory / name, _FLAGS), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise StateFault(
                        f"{self._directory / name}: is not a regular file"
                    )
                data = file.read(limit + 1)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise self._fault(exc) from None
        if len(data) > limit:
            raise StateFault(f"{self._directory / name}: is too large")
        return data

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(self._directory / LOCK, flags, 0o600)
        try:
            self._lock(file)
            yield
        finally:
            os.close(file)

    def _lock(self, file: int) -> None:
        """Wait for the lock, but not for long.

        :raises StateFault: when somebody else holds it all the while
        """
        end = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= end:
                    reason = "is locked by another process"
                    raise StateFault(
                        f"{self._directory / LOCK}: {reason}"
                    ) from None
            time.sleep(_LOCK_POLL_S)

    def _write(self, name: str, data: bytes) -> None:
        """Replace a file so that a reader sees the old one or the new one."""
        handle, temporary = tempfile.mkstemp(
            dir=self._directory, prefix=f".{name}."
        )
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._directory / name)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _fault(self, exc: OSError) -> StateFault:
        return StateFault(f"{self._directory}: {exc.strerror or 'I/O error'}")
