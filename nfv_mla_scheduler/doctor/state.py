# SPDX-License-Identifier: Apache-2.0
"""Checks of what has to outlast a restart."""

from __future__ import annotations

import os
import pathlib
import stat

from nfv_mla_scheduler.doctor.access import LAYERED
from nfv_mla_scheduler.doctor.access import ROOT_UID
from nfv_mla_scheduler.doctor.access import VOLATILE
from nfv_mla_scheduler.doctor.access import account
from nfv_mla_scheduler.doctor.access import file_system
from nfv_mla_scheduler.doctor.access import writers
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.side import Side
from nfv_mla_scheduler.doctor.side import Unreadable
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import PolicyRefused

MIB = 2**20
LOW_BYTES = 256 * MIB
LEAST_BYTES = 64 * MIB


def directory(site: Site) -> Verdict:
    """The state directory is there, and its owner alone can write to it."""
    found, well = [], []
    for side in site.sides:
        path = side.settings.state_dir
        try:
            status = path.stat()
        except FileNotFoundError:
            found.append(
                warning(
                    f"{path} is not there yet",
                    "make it, with mode 0700, for the account that runs the "
                    f"{side.what}; that makes it itself if it can",
                )
            )
            continue
        if not stat.S_ISDIR(status.st_mode):
            found.append(failed(f"{path} is no directory", "move it away"))
            continue
        who = account(status.st_uid)
        found += _guarded(path, side, who.uid)
        mode = stat.S_IMODE(status.st_mode)
        well.append(f"{path}: of account {who.name}, mode {mode:04o}")
    dirs = [side.settings.state_dir for side in site.sides]
    if len(set(dirs)) < len(dirs):
        found.append(
            failed(
                f"scheduler and collector share {dirs[0]}",
                "give each a state_dir of its own",
            )
        )
    return worst(found, "; ".join(well))


def _guarded(path: pathlib.Path, side: Side, uid: int) -> list[Verdict]:
    found = []
    others = [
        f"{where} ({who})" for where, who in writers(path, frozenset({uid}))
    ]
    if others:
        found.append(
            failed(
                f"others can write to {some(others)}",
                f"let only the account that runs the {side.what} write to "
                "state_dir (mode 0700), and nobody move it",
                others,
            )
        )
    if uid == ROOT_UID:
        found.append(
            warning(
                f"{path} belongs to root",
                f"give it to the account that runs the {side.what}, or "
                "nothing is kept",
            )
        )
    return found


def kept(site: Site) -> Verdict:
    """What is kept of the policy can be read, and is what was signed."""
    found, well = [], []
    for side in site.sides:
        try:
            kept_ = side.kept
        except Unreadable as exc:
            found.append(
                failed(
                    f"{side.what}: {exc}",
                    "put it back from a backup; removed, an older policy "
                    "could be put in place of the last one",
                )
            )
            continue
        if kept_.highest is None and kept_.envelope is None:
            well.append(f"{side.what}: nothing kept so far")
            continue
        highest = kept_.highest[0] if kept_.highest else "unknown"
        well.append(f"{side.what}: version {highest} is the highest")
        if kept_.highest is None or kept_.envelope is None:
            lacks = "policy" if kept_.highest else "highest version"
            found.append(
                warning(
                    f"{side.what}: lacks the {lacks}",
                    "it is written again with the next policy",
                )
            )
        if kept_.envelope is not None:
            try:
                side.policies.read(kept_.envelope, side.root)
            except PolicyRefused as exc:
                found.append(
                    warning(
                        f"{side.what}: what is kept does not count: {exc}",
                        "sign a new version with the officers of today",
                    )
                )
    return worst(found, "; ".join(well))


def persistent(site: Site) -> Verdict:
    """The state directory lies where it outlasts a restart."""
    mounts = site.inputs.mountinfo.read_text(errors="replace")
    found, well = [], []
    for side in site.sides:
        path = _existing(side.settings.state_dir)
        kind = file_system(mounts, path)
        well.append(f"{path} is on {kind or 'a file system'}")
        advice = (
            "put state_dir on a disk: without it an older policy can come back"
        )
        if kind in VOLATILE:
            found.append(
                failed(f"{path} is lost at a restart ({kind})", advice)
            )
        elif kind in LAYERED:
            found.append(
                warning(f"{path} is lost with the container ({kind})", advice)
            )
    return worst(found, "; ".join(well))


def space(site: Site) -> Verdict:
    """There is room for the next policy."""
    found = []
    for side in site.sides:
        path = _existing(side.settings.state_dir)
        disk = os.statvfs(path)
        inodes = disk.f_favail if disk.f_files else None
        found.append(
            judge_space(str(path), disk.f_bavail * disk.f_frsize, inodes)
        )
    return worst(found, "")


def judge_space(
    path: str,
    free: int,
    inodes: int | None,
    advice: str = "make room: no policy can be kept",
) -> Verdict:
    """Judge how much room is left.

    :param free: bytes
    :param inodes: that are left; None: the file system counts none
    :param advice: when there is too little
    """
    said = f"{free // MIB} MiB free for {path}"
    if free < LEAST_BYTES or inodes == 0:
        more = ", and no inode" if inodes == 0 else ""
        return failed(said + more, advice)
    if free < LOW_BYTES:
        return warning(said, "make room")
    return ok(said)


def _existing(path: pathlib.Path) -> pathlib.Path:
    """Return a path, or what there is above it, without symbolic links."""
    real = path.resolve()
    for each in (real, *real.parents):
        if each.exists():
            return each
    return real
