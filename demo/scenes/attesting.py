# SPDX-License-Identifier: Apache-2.0
"""Scenes about authorities: bad tokens, disagreement, vouching, an outage."""

from __future__ import annotations

from demo import world
from demo.stage import Stage
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.model import RefusalCode as Code
from nfv_mla_scheduler.model import Status


def tokens(stage: Stage) -> None:
    """Tokens that nobody may believe."""
    authorities, theirs = stage.authorities, world.THEIRS
    stage.create(world.OFFICE, "tap", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )
    authorities.issue(
        theirs,
        {
            "ber-1": ("wrong", "key", TokenCode.WRONG_SIGNATURE),
            "ber-2": ("wrong", "alg-none", TokenCode.ALGORITHM),
        },
    )
    authorities.grow_stale("no others come", (theirs,))
    for name, host in (("tap-2", "ber-1"), ("tap-3", "ber-2")):
        stage.create(world.ADMIN, name, "interception", host=host).refused(
            Code.STALE
        )
    authorities.all_is_well()
    authorities.replay(theirs, "ber-1")
    authorities.issue(theirs, {"ber-2": ("expired", True, TokenCode.EXPIRED)})
    authorities.grow_stale("no others come", (theirs,))
    for name, host in (("tap-4", "ber-1"), ("tap-5", "ber-2")):
        stage.create(world.ADMIN, name, "interception", host=host).refused(
            Code.STALE
        )
    authorities.all_is_well()
    stage.create(world.OFFICE, "tap-6", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )


def disagree(stage: Stage) -> None:
    """Of two authorities the worse word counts."""
    bad = Status.CONTRAINDICATED
    stage.authorities.say("ber-1", world.THEIRS, "attestation", bad)
    stage.create(world.ADMIN, "tap", "interception", host="ber-1").refused(
        Code.CONTRAINDICATED
    )
    stage.create(world.OFFICE, "tap-2", "interception").lands_on("ber-2")
    stage.authorities.say("ber-2", world.OURS, "attestation", bad)
    stage.create(world.OFFICE, "tap-3", "interception").refused(
        Code.CONTRAINDICATED, at="ber-2"
    )


def vouch(stage: Stage) -> None:
    """One authority has to vouch, whatever the other says."""
    stage.authorities.says_nothing_of("fra-1", world.THEIRS)
    stage.create(world.ADMIN, "probe", "vouched", host="fra-1").refused(
        Code.STALE
    )
    stage.create(world.ADMIN, "probe-2", "hardware", host="fra-1").lands_on(
        "fra-1"
    )
    stage.create(world.ADMIN, "probe-3", "vouched", host="fra-2").lands_on(
        "fra-2"
    )


def outage(stage: Stage) -> None:
    """An authority is down: askers wait, the others do not notice."""
    stage.create(world.OFFICE, "tap", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )
    host = stage.host_of("tap")
    stage.authorities.goes_down(world.THEIRS)
    stage.create(world.OFFICE, "tap-2", "interception").refused(
        Code.STALE, at=host
    )
    stage.migrate("tap").refused(Code.STALE, at=host)
    stage.still("tap").is_on(host)
    stage.create(world.WEB, "shop", "plain").lands_on(*world.OPEN_HOSTS)
    stage.create(world.ADMIN, "probe", "hardware", host="fra-1").lands_on(
        "fra-1"
    )
    stage.happens(f"{world.THEIRS} is up again")
    stage.authorities.all_is_well()
    stage.create(world.OFFICE, "tap-3", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )
