# SPDX-License-Identifier: Apache-2.0
"""Scenes about those who make the rules: policies, modes, waivers."""

from __future__ import annotations

from demo import world
from demo.offices import Draft
from demo.stage import Stage
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.model import RefusalCode as Code

_BOTH = ("alice", "bob")


def policies(stage: Stage) -> None:
    """Policies that are no good, and one that is."""
    offices = stage.offices
    stage.happens("each of these would give the key stores to the lab")
    for draft, code in (
        (Draft("expired", _BOTH, age_days=91), PolicyCode.EXPIRED),
        (Draft("older", _BOTH, version=1), PolicyCode.ROLLED_BACK),
        (Draft("signed by alice", ("alice",)), PolicyCode.UNDER_SIGNED),
        (
            Draft("signed by alice, twice", ("alice", "alice")),
            PolicyCode.BAD_ENVELOPE,
        ),
        (
            Draft("signed by alice and mallory", ("alice", "mallory")),
            PolicyCode.UNDER_SIGNED,
        ),
    ):
        offices.offer(draft, code)
        stage.create(world.LAB, "trial", "huge").refused(Code.POOL_EXCLUSIVE)
        stage.forget()
        offices.said_once(code)
    stage.create(world.KEYS, "vault", "key-store").lands_on(*world.KEY_STORES)
    offices.offer(Draft("signed by alice and bob", _BOTH))
    stage.create(world.LAB, "trial", "huge").lands_on(*world.KEY_STORES)
    offices.put_policy_back()
    stage.create(world.LAB, "trial-2", "huge").refused(Code.POOL_EXCLUSIVE)


def permissive(stage: Stage) -> None:
    """The same request, from two projects with the same floor."""
    stage.create(world.BILLING, "invoices", "wide").refused(
        Code.HOST_UNBOUND, at="web-1"
    )
    stage.create(world.LAB, "trial", "wide").lands_on("web-1")
    stage.would_refuse("trial", Code.HOST_UNBOUND)


def break_glass(stage: Stage) -> None:
    """One officer lets one server in, for an hour, and is on record."""
    for name in ("hss", "hss-2"):
        stage.create(world.CORE, name, "subscribers").lands_on(
            "fra-1", "fra-2"
        )
    stage.live_migrate("hss", "zrh-1").refused(Code.NOTHING_FOLLOWS)
    hss = stage.id_of("hss")
    stage.offices.break_glass("alice", hss, "flood in Frankfurt")
    stage.live_migrate("hss", "zrh-1").lands_on("zrh-1")
    stage.offices.glass_was_broken("alice", hss)
    stage.live_migrate("hss-2", "zrh-1").refused(Code.NOTHING_FOLLOWS)
