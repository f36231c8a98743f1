# SPDX-License-Identifier: Apache-2.0
"""Scenes about results: bad ones, old ones, forged ones."""

from __future__ import annotations

from demo import world
from demo.stage import Stage
from nfv_mla_scheduler.model import RefusalCode as Code
from nfv_mla_scheduler.model import Status


def results(stage: Stage) -> None:
    """A host turns bad; then nothing is heard of any."""
    stage.create(world.OFFICE, "tap", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )
    host = stage.host_of("tap")
    (other,) = (h for h in world.GERMAN_ENCLAVES if h != host)
    bad = Status.CONTRAINDICATED
    stage.authorities.say(other, world.OURS, "software-integrity", bad)
    stage.migrate("tap").refused(Code.CONTRAINDICATED, at=other)
    stage.create(world.OFFICE, "tap-2", "interception").lands_on(host)
    stage.authorities.all_is_well()
    stage.authorities.falls_silent()
    stage.create(world.OFFICE, "tap-3", "interception").refused(
        Code.STALE, at=host
    )
    stage.create(world.WEB, "shop", "plain").lands_on(*world.OPEN_HOSTS)
    stage.authorities.speaks_again()
    stage.migrate("tap").lands_on(other)


def forged(stage: Stage) -> None:
    """Results that a stranger has signed."""
    warning = Status.WARNING
    stage.authorities.say("ber-2", world.THEIRS, "execution-enclave", warning)
    stage.create(world.ADMIN, "probe", "interception", host="ber-2").refused(
        Code.WARNING
    )
    stage.authorities.forge("mallory")
    stage.create(world.OFFICE, "tap", "interception").lands_on("ber-1")
    for host, code in (
        ("ber-2", Code.WARNING),
        ("par-1", Code.VALUE_MISMATCH),
    ):
        stage.create(
            world.ADMIN, f"probe-{host}", "interception", host=host
        ).refused(code)
    stage.authorities.grow_stale("nothing else is published")
    stage.create(world.OFFICE, "tap-2", "interception").refused(
        Code.STALE, at="ber-1"
    )
    stage.authorities.speaks_again()
    stage.create(world.OFFICE, "tap-3", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )
