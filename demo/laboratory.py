# SPDX-License-Identifier: Apache-2.0
"""One attestation authority of the demo: a lab that serves signed EARs."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Iterable
from collections.abc import Mapping

from demo import world
from nfv_mla_scheduler.lab import directory as files
from nfv_mla_scheduler.lab import edits
from nfv_mla_scheduler.lab.server import LabServer
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results import claim_sets

BOOT = {"bootcount": 1}


class Laboratory:
    """Says of the demo's hosts what a scene lets it say.

    :param claims: what there is to say of each host when all is well
    """

    def __init__(
        self,
        name: str,
        directory: pathlib.Path,
        claims: Mapping[str, Mapping[str, Claim]],
    ) -> None:
        self.name = name
        self._claims = claims
        self.files = files.make(
            directory, sorted(claims), name=name, now=time.time()
        )
        self.all_is_well()
        self._server = LabServer(directory, say=lambda _line: None)
        self.serves = False

    def options(self) -> str:
        """Return the lines of the collector's configuration."""
        return f"""\
[nfv_mla_authority_{self.name}]
driver = lab
url = {self._server.url}{files.RESULTS}
ca_file = {self.files.ca}
cert_file = {self.files.client}
key_file = {files.key_of(self.files.client)}
keys_file = {self.files.jwk_set}
timeout_s = 2
"""

    def start(self) -> None:
        """Serve, where it served before if it did."""
        if not self.serves:
            self._server.start()
            self.serves = True

    def stop(self) -> None:
        """Serve no more."""
        self._server.stop()
        self.serves = False

    def all_is_well(self) -> None:
        """Speak well of every host, in tokens as they should be."""

        def change(document: edits.Document) -> None:
            for knob in edits.KNOBS:
                document.pop(knob, None)
            document["attesters"] = {
                host: {"boot": BOOT, "claims": claim_sets.wire(claims)}
                for host, claims in self._claims.items()
            }

        edits.edit(self.files.path, change)

    def says(self, host: str, capability: str, status: Status) -> None:
        """Change its mind about one capability of one host."""
        edits.set_claim(self.files.path, host, capability, status=status.value)

    def says_of_all(
        self, hosts: Iterable[str], capability: str, status: Status
    ) -> None:
        """Change its mind about one capability of hosts, at one moment."""
        changed = frozenset(hosts)

        def change(document: edits.Document) -> None:
            for host, entry in document["attesters"].items():
                if host in changed:
                    entry["claims"][capability]["status"] = status.value

        edits.edit(self.files.path, change)

    def measures(
        self, host: str, capability: str, **values: list[str]
    ) -> None:
        """Find other values of one capability of one host.

        :param values: by key; one without a key is called ``value``
        """
        found = values.get("value", values)
        edits.set_claim(self.files.path, host, capability, values=found)

    def misbehaves(self, host: str, **knobs: object) -> None:
        """Go wrong about one host, as ``attesters.yaml`` has words for."""
        edits.set_knobs(self.files.path, host, **knobs)

    def claims(self, host: str) -> Mapping[str, Claim]:
        """Return what it says of a host when all is well."""
        return self._claims[host]


def laboratories(directory: pathlib.Path) -> dict[str, Laboratory]:
    """Return both authorities of the demo, by their names."""
    platform = {h.name: h.platform_claims() for h in world.HOSTS}
    foreign = {h.name: h.foreign_claims() for h in world.HOSTS}
    return {
        name: Laboratory(name, directory / name, claims)
        for name, claims in (
            (world.OURS, platform),
            (world.THEIRS, foreign),
        )
    }
