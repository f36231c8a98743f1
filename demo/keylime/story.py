# SPDX-License-Identifier: Apache-2.0
"""The story: a host is tampered with, is set right, and another falls silent.

Each part takes the data centre as the one before has left it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from demo import world as people
from demo.keylime import milestones
from demo.keylime import world
from demo.keylime.centre import BoxedCentre
from demo.keylime.stopwatch import Milestone
from demo.keylime.stopwatch import Reached
from demo.keylime.stopwatch import Sight
from demo.keylime.stopwatch import follow
from demo.screen import Screen
from demo.stage import Stage
from nfv_mla_scheduler.model import RefusalCode

#: The host that is tampered with, and the one whose agent dies.
TAMPERED, SILENT = "fra-1", "ber-2"
#: On the first: servers that have to be halted there, and one that asks for
#: nothing.
HALTED, STAYS = ("hss-1", "hss-2", "bills"), "shop"
#: The server on the second.
WAITS = "hss-4"

_HEADINGS = ("stage", "after", "bound")


class Story:
    """Plays the parts of the story."""

    def __init__(self, centre: BoxedCentre, screen: Screen) -> None:
        self._centre = centre
        self._screen = screen
        self._stage = Stage(centre, screen)
        self._nodes = centre.keylime.nodes

    def placed(self) -> None:
        """Servers that ask for attestation land on attested hosts alone."""
        create, unattested = self._stage.create, people.PLAIN.name
        self._stage.monitor.begins()
        create(people.CORE, "hss-3", "subscribers").lands_on(*world.NAMES)
        create(people.CORE, "hss-0", "subscribers", host=unattested).refused(
            RefusalCode.HOST_UNBOUND
        )
        self._stage.forget("hss-0")
        for user, name, flavor, host in (
            (people.CORE, "hss-1", "subscribers", TAMPERED),
            (people.CORE, "hss-2", "subscribers", TAMPERED),
            (people.BILLING, "bills", "german", TAMPERED),
            (people.WEB, STAYS, "plain", TAMPERED),
            (people.CORE, WAITS, "subscribers", SILENT),
        ):
            create(user, name, flavor, host=host).lands_on(host)
        self._stage.monitor.watches()

    def tampered(self) -> list[Reached]:
        """A PCR of one host is extended; return when each stage came."""
        node = self._nodes[TAMPERED]
        leave = [
            name
            for name, shown in sorted(self._servers().items())
            if milestones.is_on(shown, TAMPERED) and name != STAYS
        ]
        since = time.monotonic()
        node.extend(world.TAG_PCR, b"not what was provisioned")
        self._stage.happens(
            f"PCR {world.TAG_PCR} of the TPM of {TAMPERED} is extended: the "
            "clock starts"
        )
        stages = milestones.of_tampering(TAMPERED, leave)
        reached = self._follow(stages, TAMPERED, since)
        monitor = self._stage.monitor
        monitor.says(f"host {TAMPERED}")
        monitor.server("", STAYS, "ACTIVE", TAMPERED, locked=False)
        self._screen.line()
        self._table(reached)
        return reached

    def mended(self) -> list[Reached]:
        """The host is set right, and released; return when."""
        node = self._nodes[TAMPERED]
        since = time.monotonic()
        node.reboot()
        self._centre.keylime.box.reactivate(node)
        self._stage.happens(
            f"{TAMPERED} boots anew, which sets its PCRs back, and a person "
            "has Keylime attest it again (reactivate): the clock starts"
        )
        stages = milestones.of_mending(TAMPERED)
        reached = self._follow(stages, TAMPERED, since)
        locked = [n for n, s in sorted(self._servers().items()) if s["locked"]]
        self._stage.monitor.an_hour_goes_by(*locked)
        stages = milestones.of_release(TAMPERED, locked)
        reached += self._follow(stages, TAMPERED, since)
        return reached

    def silent(self) -> list[Reached]:
        """The agent of another host dies; nothing new is placed there."""
        since = time.monotonic()
        self._nodes[SILENT].die()
        self._stage.happens(f"the agent of {SILENT} dies: the clock starts")
        reached = self._follow(milestones.of_silence(), SILENT, since)
        self._stage.create(
            people.CORE, "hss-5", "subscribers", host=SILENT
        ).refused(RefusalCode.STALE)
        self._stage.monitor.server("", WAITS, "ACTIVE", SILENT, locked=False)
        return reached

    def _follow(
        self, stages: Sequence[Milestone], host: str, since: float
    ) -> list[Reached]:
        return follow(stages, lambda: self._look(host), since, self._screen)

    def _look(self, host: str) -> Sight:
        # from effect to cause: see Sight
        servers = self._servers()
        service = self._centre.admin.service_of(host)
        published = self._centre.published(host)
        record = self._centre.keylime.box.agent(self._nodes[host])
        return Sight(servers, service, published, record)

    def _servers(self) -> dict[str, dict[str, object]]:
        found = self._centre.admin.servers(all_projects=True)
        return {server["name"]: server for server in found}

    def _table(self, reached: Sequence[Reached]) -> None:
        rows = [
            (
                each.milestone.name,
                f"{each.after_s:5.1f} s",
                f"{each.milestone.within_s:5.0f} s",
            )
            for each in reached
        ]
        self._screen.table(_HEADINGS, rows)
