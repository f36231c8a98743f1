# SPDX-License-Identifier: Apache-2.0
"""The directory of break-glass waivers, looked at once."""

from __future__ import annotations

import dataclasses
import os
import pathlib

from nfv_mla_scheduler.doctor.side import Unreadable
from nfv_mla_scheduler.doctor.side import read
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.waivers import WAIVER_BYTES_MAX
from nfv_mla_scheduler.feed.waivers import WAIVERS_MAX
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import BreakGlass


@dataclasses.dataclass(frozen=True, slots=True)
class Glass:
    """What is in the directory.

    :ivar refused: of each file that is not taken: its name, and why
    """

    in_force: tuple[BreakGlass, ...]
    refused: tuple[str, ...]


def look(directory: pathlib.Path, root: Root, now: Instant) -> Glass:
    """Return the waivers in ``directory``, read as the feed does.

    :raises Unreadable: when there is no such directory
    """
    try:
        listed = os.listdir(directory)
    except OSError as exc:
        raise Unreadable(f"{directory}: {exc.strerror}") from None
    names = sorted(name for name in listed if not name.startswith("."))
    in_force, refused = [], []
    for name in names[:WAIVERS_MAX]:
        try:
            data = read(directory / name, WAIVER_BYTES_MAX)
            in_force.append(read_break_glass(data, root, now))
        except (PolicyRefused, Unreadable) as exc:
            refused.append(f"{bounded(name, 40)}: {exc}")
    if len(names) > WAIVERS_MAX:
        refused.append(f"only the first {WAIVERS_MAX} files are read")
    return Glass(tuple(in_force), tuple(refused))
