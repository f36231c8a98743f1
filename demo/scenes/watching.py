# SPDX-License-Identifier: Apache-2.0
"""Scenes about the monitor: what stops complying, and what is done then.

What the monitor does takes it a second or two; each scene starts one anew.
"""

from __future__ import annotations

from demo import world
from demo.stage import Stage
from nfv_mla_scheduler.model import Status

_BAD = Status.CONTRAINDICATED
_INTEGRITY = "software-integrity"
_BOUND = tuple(host.name for host in world.HOSTS)


def turns_bad(stage: Stage) -> None:
    """A host that four servers are on is not what it was, twice."""
    monitor = stage.monitor
    monitor.begins()
    for user, name, flavor in (
        (world.OFFICE, "tap", "interception"),
        (world.BILLING, "invoices", "plain"),
        (world.CORE, "probe", "measured"),
        (world.WEB, "shop", "plain"),
    ):
        stage.create(user, name, flavor, host="ber-1").lands_on("ber-1")
    monitor.watches()
    stage.authorities.finds(
        "ber-1", "location", jurisdiction="CH", geographic="zurich"
    )
    monitor.service("monitor: fence ber-1", "ber-1", "disabled")
    monitor.says("host ber-1", "location")
    german = [host for host in world.GERMAN if host not in world.KEY_STORES]
    german.remove("ber-1")
    monitor.server(
        "monitor: lock and move invoices live", "invoices", "ACTIVE", *german
    )
    monitor.says("live-migrate of invoices")
    monitor.server(
        "monitor: lock and move tap cold, since its memory is encrypted",
        "tap",
        "ACTIVE",
        "ber-2",
    )
    monitor.says("cold-migrate of tap", "confirmResize")
    stage.authorities.say("ber-1", world.OURS, _INTEGRITY, _BAD)
    monitor.server(
        "monitor: lock and stop probe; nothing of such a host is taken along",
        "probe",
        "SHUTOFF",
        "ber-1",
    )
    monitor.says("stop of probe")
    monitor.server("", "shop", "ACTIVE", "ber-1", locked=False)


def locked(stage: Stage) -> None:
    """Its owner cannot start what was stopped, nor learn where it is."""
    monitor = stage.monitor
    monitor.begins()
    stage.create(world.CORE, "probe", "measured", host="fra-1").lands_on(
        "fra-1"
    )
    monitor.watches()
    stage.authorities.say("fra-1", world.OURS, _INTEGRITY, _BAD)
    monitor.server("monitor: lock and stop probe", "probe", "SHUTOFF", "fra-1")
    monitor.owner_may_not("os-start", "probe", 409)
    monitor.owner_may_not("unlock", "probe", 403)
    monitor.owner_reads_reason("probe")
    stage.names_no_host("probe")
    monitor.server("", "probe", "SHUTOFF", "fra-1")


def swallowed(stage: Stage) -> None:
    """A host takes a request to stop, and does nothing."""
    monitor = stage.monitor
    monitor.begins()
    stage.create(world.KEYS, "vault", "key-store", host="ham-1").lands_on(
        "ham-1"
    )
    stage.centre.cloud.swallow("ham-1", "stop_instance")
    monitor.watches()
    stage.authorities.finds("ham-1", "memory-inspection", value="open")
    monitor.task(
        "monitor: lock and stop vault; ham-1 does nothing",
        "vault",
        "powering-off",
    )
    monitor.says("vault", "should have been halted")
    monitor.host_is_switched_off("ham-1")
    monitor.server(
        "monitor: rebuild vault elsewhere, from its image",
        "vault",
        "SHUTOFF",
        "ham-2",
    )
    monitor.says("rebuild-elsewhere of vault")
    monitor.an_hour_goes_by("vault")
    monitor.server(
        "monitor: start and unlock vault",
        "vault",
        "ACTIVE",
        "ham-2",
        locked=False,
    )


def forced(stage: Stage) -> None:
    """An administrator forces a host that nobody attests."""
    monitor = stage.monitor
    monitor.begins()
    monitor.watches()
    stage.create(world.CORE, "hss", "subscribers", forced="web-1").lands_on(
        "web-1"
    )
    monitor.server(
        "monitor: lock and move hss live", "hss", "ACTIVE", "fra-1", "fra-2"
    )
    monitor.says("server hss", "misplaced")
    monitor.service("web-1 itself is as good as ever", "web-1", "enabled")
    monitor.an_hour_goes_by("hss")
    monitor.server(
        "monitor: unlock hss", "hss", "ACTIVE", "fra-1", "fra-2", locked=False
    )


def everyone(stage: Stage) -> None:
    """An authority says of every host that it is bad."""
    monitor = stage.monitor
    monitor.begins()
    stage.create(world.CORE, "hss", "subscribers", host="fra-1").lands_on(
        "fra-1"
    )
    stage.create(world.KEYS, "vault", "key-store", host="ham-1").lands_on(
        "ham-1"
    )
    monitor.watches()
    stage.authorities.say_of_all(_BOUND, world.OURS, _INTEGRITY, _BAD)
    needed = ("ber-1", "ber-2", "fra-1", "ham-1", "ham-2", "par-1")
    monitor.services("monitor: fence the hosts that somebody needs", needed)
    monitor.says("suspect", world.OURS)
    monitor.held("suspect-authority")
    monitor.server("", "hss", "ACTIVE", "fra-1", locked=False)
    monitor.server("", "vault", "ACTIVE", "ham-1", locked=False)
    monitor.status(fenced=len(needed))
    stage.happens(f"{world.OURS} is mended, and says that all is well")
    stage.authorities.all_is_well()
    monitor.services("monitor: take the fences back", ())
    monitor.says("suspect", world.OURS, "no more")


def released(stage: Stage) -> None:
    """A person releases what the guard holds; then the hosts are mended."""
    monitor, hosts = stage.monitor, ("fra-1", "ham-1", "ham-2")
    monitor.begins()
    stage.create(world.CORE, "hss", "subscribers", host="fra-1").lands_on(
        "fra-1"
    )
    monitor.watches()
    stage.authorities.say_of_all(hosts, world.OURS, _INTEGRITY, _BAD)
    monitor.services("monitor: fence these three", hosts)
    monitor.held("suspect-authority")
    monitor.server("", "hss", "ACTIVE", "fra-1", locked=False)
    monitor.command(
        f"release authority {world.OURS} --for 1h "
        "--reason 'bad kernel, INC-12'"
    )
    monitor.server("monitor: lock and stop hss", "hss", "SHUTOFF", "fra-1")
    stage.happens("the three hosts boot the approved kernel again")
    stage.authorities.all_is_well()
    monitor.an_hour_goes_by("hss")
    monitor.server(
        "monitor: start and unlock hss",
        "hss",
        "ACTIVE",
        "fra-1",
        locked=False,
    )
    monitor.says("release of hss")
    monitor.services("monitor: take the fences back", ())
