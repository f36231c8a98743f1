# SPDX-License-Identifier: Apache-2.0
"""The hosts that everything is measured on: how many, of which kinds, where.

Pure, and the same at every run.  How a host stands decides why it is refused,
so that a refusal is not always the same cheap one.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import uuid

POOLS = 20
EXCLUSIVE_POOLS = 2
#: The least number of hosts with every standing in every proportion.
LEAST = 360
COUNT = 10_000

REGIONS = ("DE", "FR", "NL", "ES", "IT")
ELSEWHERE = "US"
ENCLAVES = ("sev-snp", "tdx", "")
#: A row is bought at once: its hosts are of one kind, and stand together.
HOSTS_IN_ROW = 100


class Standing(enum.Enum):
    """How a host stands toward what is asked."""

    GOOD = "that meet all of it"
    EXCLUSIVE = "in a pool that is exclusive to others"
    VIRTUAL = "with a virtual TPM"
    ABROAD = "in another jurisdiction"
    STALE = "with results that are too old"
    CONTRAINDICATED = "with contraindicated software"
    SILENT = "without a result of one of the two authorities"


# Of 18 hosts outside the exclusive pools: 10 good, so that of all hosts half
# are admitted.
_TURN = (
    *(Standing.GOOD,) * 10,
    *(Standing.VIRTUAL,) * 2,
    *(Standing.ABROAD,) * 2,
    *(Standing.STALE,) * 2,
    Standing.CONTRAINDICATED,
    Standing.SILENT,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """One host, as Nova, the policy and the authorities know it.

    :ivar number: from 0
    :ivar row: of its data centre, which one of the authorities attests
    :ivar enclave: the kind of its execution enclave; empty: it has none
    """

    number: int
    name: str
    uuid: str
    pool: str
    region: str
    row: str
    enclave: str
    standing: Standing


def estate(count: int = COUNT) -> tuple[Host, ...]:
    """Return so many hosts."""
    return tuple(_host(number) for number in range(count))


def pools() -> tuple[str, ...]:
    """Return the names of all pools, the exclusive ones first."""
    return tuple(f"pool-{number:02}" for number in range(POOLS))


def exclusive_pools() -> tuple[str, ...]:
    """Return the names of the pools that are exclusive to others."""
    return pools()[:EXCLUSIVE_POOLS]


def counts(hosts: tuple[Host, ...]) -> dict[Standing, int]:
    """Return how many hosts stand how, in the order of the standings."""
    found = collections.Counter(host.standing for host in hosts)
    return {standing: found[standing] for standing in Standing}


def _host(number: int) -> Host:
    turn, pool = divmod(number, POOLS)
    name = f"compute-{number:05}"
    standing = Standing.EXCLUSIVE
    if pool >= EXCLUSIVE_POOLS:
        # shifted by one from pool to pool, so that each has all kinds
        standing = _TURN[(turn + pool) % len(_TURN)]
    region = REGIONS[pool % len(REGIONS)]
    row = turn // HOSTS_IN_ROW
    return Host(
        number,
        name,
        str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        pools()[pool],
        ELSEWHERE if standing is Standing.ABROAD else region,
        f"row-{pool:02}-{row:02}",
        ENCLAVES[(pool + row) % len(ENCLAVES)],
        standing,
    )
