# SPDX-License-Identifier: Apache-2.0
"""A cloud with the hosts of the estate, and what there is for its monitor.

Touches a directory.  Hosts have the names and UUIDs that the simulated cloud
gives its own, ten servers each; two in a hundred ask for something, and stand
where they may.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from bench import rules
from bench.asks import Specs
from bench.asks import many
from bench.estate import ELSEWHERE
from bench.estate import Host
from bench.estate import Standing
from bench.estate import estate
from bench.site import Site
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.publish import publish
from tests import policies
from tests.simulated.records import identifier

SERVERS_PER_HOST = 10
#: Of all servers, by the hundred; those that stand on good hosts.
ASKING_PERCENT = 2
PROJECTS = 50
#: Results may be so old, and are by less than that.
OLDEST_S = 1150
KEY = b"the key of this bench's one monitor"

# What host classes need beyond what the estate's authorities claim.
_OF_CLASSES: Mapping[str, tuple[str, ...]] = {
    "os-access-control": (),
    "concealed-resource-usage": ("ram", "cpu", "storage", "network"),
}
# No image of the simulated cloud is signed.
_UNMET = "5.1.3"
_LAST = "concealed-resource-usage"
#: So many hosts of the estate are bad at once that it would be suspect.
SUSPECT_PERCENT = 90


def _project(name: object) -> str:
    return identifier("project", name).replace("-", "")


_OTHERS = _project("others")


@functools.cache
def grounds(count: int) -> tuple[Host, ...]:
    """Return the estate's hosts as the simulated cloud names them.

    None is silent, or it would be fenced for that in the middle of a run;
    one in twenty has contraindicated software.
    """
    return tuple(_ground(host) for host in estate(count))


def _ground(host: Host) -> Host:
    name = f"host-{host.number:05}"
    standing, region = host.standing, host.region
    if standing in (Standing.STALE, Standing.VIRTUAL):
        standing, region = Standing.ABROAD, ELSEWHERE
    return dataclasses.replace(
        host,
        name=name,
        uuid=identifier("node", name),
        standing=standing,
        region=region,
        enclave=host.enclave or "sev-snp",
    )


def extra_specs(count: int, number: int) -> Specs:
    """Return what the n-th server of a cloud of so many hosts asks for."""
    return _asking(count).get(number, {})


def project(count: int, number: int) -> str:
    """Return whose the n-th server is; exclusive hosts have their own."""
    host = grounds(count)[number % count]
    if host.standing is Standing.EXCLUSIVE:
        return _OTHERS
    specs = _asking(count).get(number)
    # what tenants ask for is in flavors of their own
    return _project(
        (int(specs["nfv_mla:max_age"]) if specs else number) % PROJECTS
    )


def asking(count: int) -> Mapping[int, Specs]:
    """Return the servers that ask for something, by number."""
    return _asking(count)


@functools.cache
def _asking(count: int) -> dict[int, Specs]:
    good = [h for h in grounds(count) if h.standing is Standing.GOOD]
    wanted = count * SERVERS_PER_HOST * ASKING_PERCENT // 100
    found: dict[int, Specs] = {}
    for turn in range(wanted):
        host = good[turn * 7 % len(good)]
        layer = turn // len(good) + turn % 3
        found[layer * count + host.number] = _suited(host.region, turn)
    return found


@functools.cache
def _suited(region: str, turn: int) -> Specs:
    """Return a requirement that a good host of a region meets."""
    place = "nfv_mla:location.jurisdiction"
    suited = [s for s in many() if s[place] in ("EU", "!US", region)]
    index = turn % len(suited)
    specs = {
        **suited[index],
        "nfv_mla:max_age": str(OLDEST_S + index % 50),
    }
    if turn % 3 == 0:
        specs["nfv_mla:copy"] = "deny"
    return specs


class Ground(Site):
    """A site with what a monitor needs beside policy and results."""

    def __init__(
        self, directory: pathlib.Path, count: int, now: float
    ) -> None:
        super().__init__(directory, grounds(count), now)
        self.count = count
        self._directory = directory
        self._key_file = directory / "marks.key"
        self._key_file.write_bytes(KEY)
        self._key_file.chmod(0o600)

    def put_policy(self) -> None:
        """Put a policy in its place by which results may evict."""
        key = policies.public_pem(rules.COLLECTOR)
        document = json.loads(rules.policy_text(self.hosts, key, self.now))
        document["projects"] = {_OTHERS: {"trust_domain": "others"}}
        for authority in document["authorities"].values():
            authority["may_evict"] = True
        document["authorities"][rules.OWN]["vouches"] += list(_OF_CLASSES)
        strength = document["profiles"][rules.PROFILE]["strength"]
        strength[_UNMET] = "conditional"
        document["guard"] = {"suspect_share_percent": SUSPECT_PERCENT}
        publish(self.policy_file, policies.signed(json.dumps(document)))

    def _claims(self, host: Host, authority: str) -> dict[str, Claim] | None:
        claims = super()._claims(host, authority)
        if claims is None or authority != rules.OWN:
            return claims
        if _LAST not in claims:
            claims.update(
                {
                    name: Claim(
                        name,
                        Status.AFFIRMING,
                        Grade.RUN_TIME,
                        {key: frozenset({"constant"}) for key in keys},
                    )
                    for name, keys in _OF_CLASSES.items()
                }
            )
        return claims

    def turn_bad(self, host: Host) -> None:
        """Have the next results say that the software of a host is bad."""
        bad = dataclasses.replace(host, standing=Standing.CONTRAINDICATED)
        # before that is published it has no other result than this one
        self._results[rules.OWN].pop(f"node-{host.number}")
        self._appraise(bad, self.now, boot=0)

    def configure(
        self, name: str, credentials: Mapping[str, str], **own: Any
    ) -> pathlib.Path:
        """Write the options of a monitor, and return the file.

        :param name: of the monitor, which has a state of its own
        :param own: options of ``[monitor]``
        """
        state = self._directory / name
        state.mkdir(mode=0o700)
        shared = {**self.options(), "state_dir": state}
        own = {
            "act": "all",
            "mark_key_files": self._key_file,
            "auth_type": "password",
            **credentials,
            **own,
        }
        return write_options(
            state / "monitor.conf", nfv_mla=shared, monitor=own
        )


def write_options(
    path: pathlib.Path, **groups: Mapping[str, Any]
) -> pathlib.Path:
    """Write a file of options, group by group."""
    lines = []
    for group, values in groups.items():
        lines.append(f"[{group}]")
        for name, value in values.items():
            said = ",".join(value) if isinstance(value, list) else value
            lines.append(f"{name} = {said}")
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path
