# SPDX-License-Identifier: Apache-2.0
"""Scenes about servers that move, and about who has to follow them."""

from __future__ import annotations

from demo import world
from demo.stage import Stage
from nfv_mla_scheduler.model import RefusalCode as Code
from nfv_mla_scheduler.model import Status

_BAD = Status.CONTRAINDICATED


def subscribers(stage: Stage) -> None:
    """A subscriber database moves, and interception can follow."""
    first = stage.create(world.CORE, "hss", "subscribers").lands_on(
        "fra-1", "fra-2"
    )
    stage.live_migrate("hss", "web-1").refused(Code.HOST_UNBOUND)
    stage.live_migrate("hss", "zrh-1").refused(Code.NOTHING_FOLLOWS)
    other = "fra-2" if first == "fra-1" else "fra-1"
    stage.live_migrate("hss", other).lands_on(other)


def follow(stage: Stage) -> None:
    """What happens when interception can no longer follow."""
    host = stage.create(world.CORE, "hss", "subscribers").lands_on(
        "fra-1", "fra-2"
    )
    for name in world.GERMAN_ENCLAVES:
        stage.authorities.say(name, world.OURS, "software-integrity", _BAD)
    stage.create(world.CORE, "hss-2", "subscribers").refused(
        Code.NOTHING_FOLLOWS, at=host
    )
    stage.still("hss").is_on(host)
    stage.authorities.all_is_well()
    stage.happens("both are well again; now others fill them up")
    for name in world.GERMAN_ENCLAVES:
        filler = f"filler-{name}"
        stage.create(world.ADMIN, filler, "filler", host=name).lands_on(name)
    stage.room_is_known(full=world.GERMAN_ENCLAVES)
    stage.create(world.CORE, "hss-3", "subscribers").refused(
        Code.NOTHING_FOLLOWS, at=host
    )
    stage.still("hss").is_on(host)


def resize(stage: Stage) -> None:
    """A resize to a plain flavor does not escape the project's floor."""
    open_german = [h for h in world.GERMAN if h not in world.KEY_STORES]
    stage.create(world.BILLING, "invoices", "subscribers").lands_on(
        *open_german
    )
    stage.resize("invoices", "plain").lands_on(*open_german)
    stage.confirm("invoices")
    stage.resize("invoices", "wide").refused(Code.HOST_UNBOUND, at="web-1")
