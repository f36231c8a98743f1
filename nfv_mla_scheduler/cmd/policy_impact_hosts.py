# SPDX-License-Identifier: Apache-2.0
"""Hosts that a new policy would lose or gain, line by line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.cmd.explain_text import counted
from nfv_mla_scheduler.cmd.explain_text import some_of
from nfv_mla_scheduler.cmd.explain_text import wrapped
from nfv_mla_scheduler.judge.impact import Change
from nfv_mla_scheduler.judge.impact import Direction
from nfv_mla_scheduler.judge.words import together
from nfv_mla_scheduler.standard.values import Catalogue

_CODE_WIDTH = 19
VERBS = {Direction.LOST: "lost", Direction.GAINED: "gained"}
DOORS = {Direction.LOST: "closed", Direction.GAINED: "opened"}


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much is shown of each.

    :ivar entries: requirements, pools and trust domains that change
    :ivar changes: of one of them
    :ivar reasons: of one change
    :ivar hosts: names in one change
    """

    entries: int
    changes: int
    reasons: int
    hosts: int


def change_lines(
    catalogue: Catalogue,
    changes: Sequence[Change],
    limits: Limits,
    basis: bool = True,
    pools: bool = True,
    verbs: Mapping[Direction, str] = VERBS,
) -> Iterator[str]:
    """Yield the hosts that are lost, and why; and those that are gained.

    :param basis: whether to tell on what each reason rests
    :param pools: whether to tell in which pools the hosts are
    :param verbs: what happens to hosts
    """

    def hosts(
        direction: Direction, where: Sequence[str], names: Sequence[str]
    ) -> str:
        listed = f", {', '.join(where) or 'in no pool'}" if pools else ""
        number = counted(len(names), "host")
        shown = some_of(names, limits.hosts)
        return f"{number} {verbs[direction]}{listed}: {shown}"

    lost = [c for c in changes if c.direction is Direction.LOST]
    for change in lost[: limits.changes]:
        text = hosts(Direction.LOST, change.pools, change.hosts)
        yield from wrapped(text, "    - ")
        yield from _reasons(catalogue, change, limits, basis)
    left = sum(len(change.hosts) for change in lost[limits.changes :])
    if left:
        more = f"and {counted(left, 'host')} more {verbs[Direction.LOST]}"
        yield f"    {more}, for other reasons"
    gained = list(gains(changes).items())
    for where, names in gained[: limits.changes]:
        text = hosts(Direction.GAINED, where, names)
        yield from wrapped(text, "    + ")
    left = sum(len(names) for _, names in gained[limits.changes :])
    if left:
        more = f"and {counted(left, 'host')} more {verbs[Direction.GAINED]}"
        yield f"    {more}, in other pools"


def _reasons(
    catalogue: Catalogue, change: Change, limits: Limits, basis: bool
) -> Iterator[str]:
    told = together(change.refusals, catalogue)
    for code, said in told[: limits.reasons]:
        mark = f"      {code.value:<{_CODE_WIDTH - 1}} "
        rest = f"  {said.basis[:1].upper()}{said.basis[1:]}." if basis else ""
        yield from wrapped(f"{said.says}{rest}", mark)
    left = len(told) - limits.reasons
    if left > 0:
        yield f"      and {counted(left, 'reason')} more"


def gains(changes: Iterable[Change]) -> dict[tuple[str, ...], Sequence[str]]:
    """Return the hosts that are gained, by pools; sorted."""
    by_pools: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        if change.direction is Direction.GAINED:
            by_pools.setdefault(change.pools, []).extend(change.hosts)
    return {
        pools: tuple(sorted(hosts))
        for pools, hosts in sorted(by_pools.items())
    }
