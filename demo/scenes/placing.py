# SPDX-License-Identifier: Apache-2.0
"""Scenes about where new servers go."""

from __future__ import annotations

from demo import world
from demo.stage import Stage
from nfv_mla_scheduler.model import RefusalCode as Code

_JURISDICTION = "nfv_mla:location.jurisdiction"


def interception(stage: Stage) -> None:
    """Lawful interception: where it runs, and how it moves."""
    first = stage.create(world.OFFICE, "tap", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )
    stage.live_migrate("tap").api_refuses(400, 409)
    stage.why("Nova's own rule: it cannot move encrypted memory")
    stage.migrate("tap", "par-1").refused(Code.VALUE_MISMATCH, at="par-1")
    others = [h for h in world.GERMAN_ENCLAVES if h != first]
    stage.migrate("tap").lands_on(*others)


def enclave(stage: Stage) -> None:
    """An enclave that the guest does not ask for is none."""
    stage.create(world.OFFICE, "bare-tap", "interception-bare").refused(
        Code.APPLICATION_LACKS, at="ber-1"
    )
    stage.create(world.OFFICE, "tap", "interception").lands_on(
        *world.GERMAN_ENCLAVES
    )


def key_stores(stage: Stage) -> None:
    """A pool for one trust domain, and everybody else."""
    stage.create(world.KEYS, "vault", "key-store").lands_on(*world.KEY_STORES)
    stage.create(world.CORE, "own-vault", "key-store").refused(
        Code.POOL_EXCLUSIVE, at="ham-1"
    )
    stage.create(world.WEB, "mall", "huge").refused(Code.POOL_EXCLUSIVE)
    stage.create(world.ADMIN, "probe", "plain", host="ham-1").refused(
        Code.POOL_EXCLUSIVE
    )
    stage.create(world.WEB, "shop", "plain").lands_on(*world.OPEN_HOSTS)
    stage.live_migrate("shop", "ham-2").refused(Code.POOL_EXCLUSIVE)


def web_servers(stage: Stage) -> None:
    """Those who ask for nothing are not hurt."""
    for name in ("shop", "shop-2"):
        stage.create(world.WEB, name, "plain").lands_on(*world.OPEN_HOSTS)
    stage.live_migrate("shop").lands_on(*world.OPEN_HOSTS)


def hints(stage: Stage) -> None:
    """What a tenant may say beside the flavor."""
    stage.create(
        world.WEB, "shop", "plain", hints={_JURISDICTION: "DE-HE"}
    ).lands_on("fra-1", "fra-2")
    stage.create(
        world.OFFICE, "tap", "interception", hints={_JURISDICTION: "FR"}
    ).refused(Code.VALUE_MISMATCH, at="par-1")
    asked = stage.create(
        world.WEB, "shop-2", "plain", hints={_JURISDICTION: "Hesse"}
    )
    asked.refused(Code.MALFORMED, saying=(_JURISDICTION, "'Hesse'"))
    asked.names_no_host()
