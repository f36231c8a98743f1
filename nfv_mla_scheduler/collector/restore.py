# SPDX-License-Identifier: Apache-2.0
"""The place of one collector's document, and what was there before a restart.

Touches the results file, a lock file beside it, and what a collector that was
killed may have left half written there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import math
import os
import pathlib
import re
from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from nfv_mla_scheduler.collector.notes import NoteFault
from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.document import read_head
from nfv_mla_scheduler.results.draft import ANYWHERE
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue

_NOTE_MAX = 4096
_OPTION = "[nfv_mla_collector] results_file"


@dataclasses.dataclass(frozen=True, slots=True)
class Restored:
    """What a collector takes up of its own at its start.

    :ivar data: the document; empty: nothing is taken up
    :ivar policy: digest of the policy by which all in it was checked; empty:
        not known
    :ivar why: a document is not taken up, or not all of it; empty: all is,
        or there is none
    """

    said: Mapping[str, Said]
    issued_at: Instant | None = None
    data: bytes = b""
    policy: str = ""
    why: str = ""


class Place:
    """Where one collector publishes, locked against any other."""

    def __init__(self, path: pathlib.Path) -> None:
        """Take the place.

        :raises SettingsError: when another collector has it, or nothing can
            be written there
        """
        self.path = path
        lock = path.with_name(f".{path.name}.lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._lock = os.open(lock, flags, 0o600)
        except OSError as exc:
            reason = exc.strerror or "cannot be opened"
            raise SettingsError(f"{_OPTION}: {lock}: {reason}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = self._note().get("pid")
            os.close(self._lock)
            raise SettingsError(
                f"{_OPTION}: another collector (process {bounded(pid, 20)}) "
                f"publishes to {path}"
            ) from None
        # Whoever is refused is told whom to look for.
        data = json.dumps({"pid": os.getpid()}).encode() + b"\n"
        with contextlib.suppress(OSError):
            os.pwrite(self._lock, data, 0)
            os.ftruncate(self._lock, len(data))
        self._clear()

    def release(self) -> None:
        """Leave the place to others."""
        os.close(self._lock)

    def restore(
        self,
        name: str,
        key: SSlibKey,
        catalogue: Catalogue,
        max_bytes: int,
        notes: Notes,
    ) -> Restored:
        """Return what the collector of this name and key published last.

        :param max_bytes: a larger document is not looked at
        :param notes: which say which one that was; no other is taken up
        """
        try:
            data = WatchedFile(self.path, max_bytes).changed() or b""
        except Missing:
            return Restored({})
        except Unread as exc:
            return Restored({}, why=f"{self.path}: {exc.reason}")
        try:
            document = read_own(data, name, key, catalogue, max_bytes)
        except ResultsRefused as exc:
            return Restored({}, why=f"{self.path}: {exc} ({exc.code})")
        try:
            note = notes.find(data)
        except NoteFault as exc:
            return Restored({}, why=_about(self.path, document, exc.reason))
        said = {
            n: _said(document, n, note.rules.get(n, ""))
            for n in document.results
        }
        left_out = sum(
            len(results) - len(said[n].results)
            for n, results in document.results.items()
        )
        why = ""
        if left_out or document.problems:
            few = "; ".join(map(str, document.problems[:4]))
            why = f"{left_out} results are not taken up: {few}"
        return Restored(said, document.issued_at, data, note.policy, why)

    def _note(self) -> dict[str, object]:
        try:
            found = json.loads(os.pread(self._lock, _NOTE_MAX, 0))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _clear(self) -> None:
        """Remove what was being written when a collector was killed."""
        name = re.escape(self.path.name)
        with contextlib.suppress(OSError):
            for left in self.path.parent.iterdir():
                if re.fullmatch(rf"\.{name}\.\w+\.new", left.name):
                    left.unlink()


def read_own(
    data: bytes, name: str, key: SSlibKey, catalogue: Catalogue, max_bytes: int
) -> ResultsDocument:
    """Return a document, if this collector signed it with this key.

    Regions are not checked: whoever reads it checks them by the policy.  Nor
    are times: one that was written while a clock was fast is not lost.

    :raises ResultsRefused: when it is another's, or no document
    """
    pem = public_pem(key)
    me = Collector(name, pem, frozenset())
    try:
        payload, _ = signature.unseal(data.partition(b"\n")[0], {name: me})
    except ResultsRefused as exc:
        if exc.reason is not ResultsCode.WRONG_KEY:
            raise
        said = "is not signed with the key of this collector"
        raise ResultsRefused(exc.reason, said) from None
    head = read_head(payload)
    if head.collector != name:
        raise ResultsRefused(
            ResultsCode.NOT_THEIRS,
            f"is of collector {bounded(head.collector)!r}, and this is {name}",
        )
    heard = frozenset(head.authorities)
    return Loader(max_bytes).read(
        data,
        {name: Collector(name, pem, heard)},
        {a: Authority(a, "", frozenset(), 0, 0, False) for a in heard},
        catalogue,
        ANYWHERE,
        now=head.issued_at,
        max_skew_s=math.inf,
    )


def public_pem(key: SSlibKey) -> str:
    """Return a public key in PEM, as a policy has it."""
    public = str(key.keyval["public"])
    if public.startswith("-----BEGIN"):
        return public
    ed = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return ed.public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    ).decode()


def _about(path: pathlib.Path, document: ResultsDocument, reason: str) -> str:
    issued = write_instant(document.issued_at)
    return f"{path}: issued {issued}, is not taken up: {reason}"


def _said(document: ResultsDocument, authority: str, rules: str) -> Said:
    """Return what an authority said, but for what cannot be passed on.

    That a result is faulty no document can say.
    """
    results = {
        attester: result
        for attester, result in document.results[authority].items()
        if not result.faulty
    }
    freshness = document.freshness[authority]
    return Said(
        MappingProxyType(results),
        MappingProxyType({a: freshness[a] for a in results}),
        rules,
    )
