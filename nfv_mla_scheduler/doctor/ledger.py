# SPDX-License-Identifier: Apache-2.0
"""The check of the audit ledger: whether services can write and sign it.

Reads files, and begins no chain: what is in a ledger is only looked at.
"""

from __future__ import annotations

import os
import pathlib
import stat

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.origins import LOCK
from nfv_mla_scheduler.audit.reading import files
from nfv_mla_scheduler.doctor.access import READ
from nfv_mla_scheduler.doctor.access import SEARCH
from nfv_mla_scheduler.doctor.access import WRITE
from nfv_mla_scheduler.doctor.access import Account
from nfv_mla_scheduler.doctor.access import obstacle
from nfv_mla_scheduler.doctor.access import writers
from nfv_mla_scheduler.doctor.collecting import lock_holder
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.side import Side
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.doctor.state import judge_space
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.officers import read_signer

# A worker records that it is there every minute.
SILENT_S = 300.0
_TAIL_BYTES = 4 * entry.LINE_MAX
_SERVICES = {"scheduler": "nova-scheduler", "collector": "nfv-mla-collector"}


def audit(site: Site) -> Verdict:
    """Events can be written to the audit ledger, and signed."""
    found, well = [], []
    for side in site.sides:
        path, key = side.settings.audit_dir, side.settings.audit_key_file
        if path is None or key is None:
            continue
        runner = site.runner_of(side)
        wrong = _place(site, path, runner)
        if wrong is None:
            found += _room(path)
            verdict, said = _chains(site, side, path)
            found += verdict
            well.append(f"{path}, {side.what}: {said}")
        else:
            found.append(wrong)
        found += _key(key, runner)
    if not (found or well):
        raise Skipped(
            "audit_dir is not set: no events are written, and profiles that "
            "need an audit ledger are refused"
        )
    return worst(found, "; ".join(well))


def _place(site: Site, path: pathlib.Path, runner: Account) -> Verdict | None:
    """Return what is wrong with the directory; None: nothing."""
    none = "no events are written"
    try:
        status = path.stat()
    except FileNotFoundError:
        advice = f"make it, with mode 0700, for {runner.name}"
        return failed(f"{path} is not there: {none}", advice)
    if not stat.S_ISDIR(status.st_mode):
        return failed(f"{path} is no directory: {none}", "name a directory")
    blocked = obstacle(runner, path, READ | WRITE | SEARCH)
    if blocked is not None:
        return failed(
            f"account {runner.name} cannot write to {blocked}: {none}",
            f"give it to {runner.name}",
        )
    trusted = frozenset(site.runner_of(side).uid for side in site.sides)
    shared = bool(status.st_mode & stat.S_ISVTX)
    others = [
        f"{where} ({who})"
        for where, who in writers(path, trusted)
        # services of several accounts, none of which moves another's chains
        if not (shared and where == path.resolve() and who != "everybody")
    ]
    if others:
        return failed(
            f"others can write to {some(others)}, and remove whole chains",
            "let the accounts of our services alone write to it: mode 0700, "
            "or 1770 for a group of several",
            others,
        )
    return None


def _key(path: pathlib.Path, runner: Account) -> list[Verdict]:
    """Return what is wrong with the key; who else reads it is not said."""
    none = "nothing is signed"
    try:
        blocked = obstacle(runner, path, READ)
        read_signer(path, lambda _: b"")
    except FileNotFoundError:
        advice = f"make it: openssl genpkey -algorithm ed25519 -out {path}"
        return [failed(f"{path} is not there: {none}", advice)]
    except KeyFileError as exc:
        advice = "make one without a passphrase, ed25519 or ECDSA on P-256"
        return [failed(f"{exc}: {none}", advice)]
    if blocked is None:
        return []
    said = f"account {runner.name} cannot read {blocked}: {none}"
    return [failed(said, f"give it to {runner.name}, with mode 0600")]


def _room(path: pathlib.Path) -> list[Verdict]:
    disk = os.statvfs(path)
    inodes = disk.f_favail if disk.f_files else None
    free = disk.f_bavail * disk.f_frsize
    advice = "make room, or no events are written"
    verdict = judge_space(str(path), free, inodes, advice)
    return [] if verdict.state is State.OK else [verdict]


def _chains(
    site: Site, side: Side, path: pathlib.Path
) -> tuple[list[Verdict], str]:
    """Return what is odd about a service's chains, and what there is."""
    service = _SERVICES[side.what]
    locks = site.inputs.locks.read_text()
    try:
        mine = [
            origin
            for origin in files.origins(path)
            if origin.name.rpartition(".")[0].endswith(f".{service}")
        ]
        ages = [
            site.now - at
            for origin in mine
            if (at := _last_at(origin)) is not None
        ]
    except files.LedgerUnreadable as exc:
        return [warning(str(exc), "look as root, or as the service")], "?"
    advice = f"see whether {service} runs, and what it logs about the audit"
    if not mine:
        return [warning(f"{path}: nothing of {service} yet", advice)], "?"
    held = sum(_is_held(origin, locks) for origin in mine)
    youngest = min(ages, default=None)
    last = "no entry" if youngest is None else f"last entry {youngest:.0f} s"
    said = f"{len(mine)} chains, {held} open, {last} ago"
    beats = side is site.scheduler
    if beats and (youngest is None or youngest > SILENT_S):
        return [warning(f"{path}, {service}: {said}", advice)], said
    if not held and not beats:
        return [warning(f"{path}, {service}: {said}", advice)], said
    return [], said


def _is_held(origin: pathlib.Path, locks: str) -> bool:
    try:
        number = (origin / LOCK).stat().st_ino
    except OSError:
        return False
    return lock_holder(locks, number) is not None


def _last_at(origin: pathlib.Path) -> Instant | None:
    """Return when the last whole entry of a chain was recorded."""
    for segment in reversed(files.segments(origin)):
        if segment.size is None:  # compressed: long ago
            return None
        with open(segment.path, "rb") as file:
            file.seek(max(segment.size - _TAIL_BYTES, 0))
            lines = file.read(_TAIL_BYTES).split(b"\n")[:-1]
        for line in reversed(lines):
            head = entry.head(line)
            if head is not None:
                return entry.instant(head.at)
    return None
