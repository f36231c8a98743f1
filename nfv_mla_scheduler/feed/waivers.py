# SPDX-License-Identifier: Apache-2.0
"""The directory of break-glass waivers: which of them are in force now.

Touches that directory only.  What did not change is neither read nor
verified again, but for the waivers whose time alone is wrong.
"""

from __future__ import annotations

import os
import pathlib

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import BreakGlass

WAIVER_BYTES_MAX = 64 * 2**10
WAIVERS_MAX = 64
_TIMELY = (PolicyCode.NOT_YET, PolicyCode.EXPIRED)


class Waivers:
    """Reads a directory of waivers again and again.

    :param root: of whose officers one has to have signed each waiver
    """

    def __init__(
        self, directory: pathlib.Path, root: Root, teller: Teller
    ) -> None:
        self._directory = directory
        self._root = root
        self._teller = teller
        self._files: dict[str, _WaiverFile] = {}

    def read(self, now: Instant) -> tuple[BreakGlass, ...]:
        """Return the waivers in force; of a bad one, tell and go on."""
        try:
            listed = os.listdir(self._directory)
        except OSError as exc:
            reason = exc.strerror or "cannot be read"
            self._tell_bad(PolicyCode.UNREADABLE, f"the directory: {reason}")
            listed = []
        else:
            self._tell_crowd(len(listed))
        # hidden files are those that somebody is still writing
        names = sorted(n for n in listed if not n.startswith("."))
        del names[WAIVERS_MAX:]
        for name in self._files.keys() - set(names):
            del self._files[name]
            self._teller.gone(_subject(name), "the file is gone")
        found = [self._waiver(name, now) for name in names]
        return tuple(waiver for waiver in found if waiver is not None)

    def _tell_crowd(self, count: int) -> None:
        if count > WAIVERS_MAX:
            text = f"only the first {WAIVERS_MAX} files are read"
            self._tell_bad(PolicyCode.TOO_LARGE, text)
        elif self._teller.mended("break-glass"):
            self._teller.say("break-glass", True, "loaded", "is read again")

    def _tell_bad(self, code: PolicyCode, text: str) -> None:
        self._teller.bad("break-glass", code.value, text)

    def _waiver(self, name: str, now: Instant) -> BreakGlass | None:
        file = self._files.get(name)
        if file is None:
            path = self._directory / name
            file = self._files[name] = _WaiverFile(path, self._root)
        subject = _subject(name)
        try:
            waiver = file.read(now)
        except Unread as exc:
            code = PolicyCode.UNREADABLE.value
            self._teller.bad(subject, code, f"the file: {exc.reason}")
            return None
        except PolicyRefused as exc:
            self._teller.bad(subject, exc.code, str(exc))
            return None
        # not for which one: its trust domain may keep its entries to itself
        about = f"for a {waiver.target.value}, by officer"
        until = write_instant(waiver.until)
        text = f"{about} {waiver.officer[:16]}, until {until}"
        self._teller.good(subject, text)
        return waiver


class _WaiverFile:
    """One waiver, verified again only when that may say something else."""

    def __init__(self, path: pathlib.Path, root: Root) -> None:
        self._file = WatchedFile(path, WAIVER_BYTES_MAX)
        self._root = root
        self._data = b""
        self._waiver: BreakGlass | None = None
        self._refused: PolicyRefused | None = None

    def read(self, now: Instant) -> BreakGlass:
        """Return the waiver, in force now.

        :raises Unread: when there is none to be read
        :raises PolicyRefused: when it is not to be taken
        """
        data = self._file.changed()
        if data is not None:
            self._data, self._waiver, self._refused = data, None, None
        waiver, refused = self._waiver, self._refused
        if waiver is not None and now < waiver.until:
            return waiver
        if refused is not None and refused.reason not in _TIMELY:
            raise PolicyRefused(refused.reason, str(refused))
        self._waiver = self._refused = None
        try:
            self._waiver = read_break_glass(self._data, self._root, now)
        except PolicyRefused as exc:
            self._refused = PolicyRefused(exc.reason, str(exc))
            raise
        return self._waiver


def _subject(name: str) -> str:
    return f"break-glass {bounded(name, 40)}"
