# SPDX-License-Identifier: Apache-2.0
"""What a new policy would change, for the officers who are to sign it.

Bounded, whatever changes: what is left out is counted, and ``--all`` shows it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from collections.abc import Sequence

from nfv_mla_scheduler.cmd.explain_text import counted
from nfv_mla_scheduler.cmd.explain_text import fields
from nfv_mla_scheduler.cmd.explain_text import some_of
from nfv_mla_scheduler.cmd.explain_text import span
from nfv_mla_scheduler.cmd.explain_text import wrapped
from nfv_mla_scheduler.cmd.policy_impact_found import Compared
from nfv_mla_scheduler.cmd.policy_impact_hosts import DOORS
from nfv_mla_scheduler.cmd.policy_impact_hosts import Limits
from nfv_mla_scheduler.cmd.policy_impact_hosts import change_lines
from nfv_mla_scheduler.cmd.policy_impact_hosts import gains
from nfv_mla_scheduler.cmd.policy_read import change_line
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge.considered import Kind
from nfv_mla_scheduler.judge.impact import Alarm
from nfv_mla_scheduler.judge.impact import Change
from nfv_mla_scheduler.judge.impact import Closing
from nfv_mla_scheduler.judge.impact import Direction
from nfv_mla_scheduler.judge.impact import Effect
from nfv_mla_scheduler.judge.impact import PoolEffect
from nfv_mla_scheduler.judge.words import together
from nfv_mla_scheduler.policy.instants import write_instant

_NAME_WIDTH = 56
_ALARMS = {
    Alarm.NONE_LEFT: "none is left",
    Alarm.HALF_LEFT: "half or less is left",
}
_KINDS = {
    Kind.PROFILE: "profile",
    Kind.POOL: "pool",
    Kind.FLOOR: "floor of",
    Kind.FLAVOR: "flavor",
}


SHORT = Limits(10, 3, 2, 6)
WHOLE = Limits(sys.maxsize, sys.maxsize, sys.maxsize, sys.maxsize)


def lines(found: Compared, limits: Limits) -> Iterator[str]:
    """Yield everything there is to read, line by line."""
    yield "Compared"
    yield from fields(_compared(found))
    for heading, body in (
        ("Pools: members that prove their class", _pools(found, limits)),
        ("Capacity: hosts that admit", _capacity(found, limits)),
        ("Who asks for something", _requirements(found, limits)),
        ("Who asks for nothing", _closings(found, limits)),
        ("Waivers and modes", _exceptions(found, limits)),
    ):
        shown = list(body)
        if shown:
            yield ""
            yield heading
            yield from shown
    yield ""
    yield from wrapped(_verdict(found))


def _compared(found: Compared) -> Iterator[tuple[str, str]]:
    for label, side in (("old", found.old), ("new", found.new)):
        policy = side.policy
        yield (
            label,
            f"{side.name}: version {policy.version}, digest "
            f"{policy.digest[:16]}",
        )
    old, new = found.old, found.new
    if old.policy.digest == new.policy.digest:
        yield "note", "both are the same policy"
    elif new.policy.version <= old.policy.version:
        yield (
            "note",
            f"the new version has to be above {old.policy.version}, or no "
            "scheduler takes it",
        )
    yield "at", write_instant(found.at)
    if old.document is not None:
        age = span(found.at - old.document.issued_at)
        collector = bounded(old.document.collector)
        yield "results", f"of {collector}, issued {age} before"
    if new.missing:
        yield "results", f"none count under the new policy: {new.missing}"
    domain = found.bearings.management_domain or "none"
    yield "scheduler", f"management domain {domain}"
    for label, side in (("old", old), ("new", new)):
        if side.policy.expires_at <= found.at:
            ends = write_instant(side.policy.expires_at)
            yield "note", f"the {label} policy has expired then, at {ends}"
    if old.policy.expires_at > found.at and not any(
        effect.before > effect.permissive[0]
        for effect in found.impact.effects
        if effect.what.kind is not Kind.FLOOR
    ):
        yield (
            "note",
            "by the old policy no host proves anything that is asked for, so "
            "that this tells little; are the results too old?",
        )


def _pools(found: Compared, limits: Limits) -> Iterator[str]:
    changed = [
        pool
        for pool in found.impact.pools
        if pool.changes or pool.listed[0] != pool.listed[1]
    ]
    for pool in changed[: limits.entries]:
        yield _row(f"{pool.name} ({pool.host_class.value})", _proven(pool))
        yield from change_lines(
            found.catalogue, pool.changes, limits, pools=False
        )
    yield from _left(changed, limits, "pool")
    same = len(found.impact.pools) - len(changed)
    if same:
        yield f"  {counted(same, 'pool')} as before"


def _proven(pool: PoolEffect) -> str:
    (listed_before, listed), (before, after) = pool.listed, pool.proven
    return f"{before} of {listed_before} -> {after} of {listed}"


def _capacity(found: Compared, limits: Limits) -> Iterator[str]:
    """Yield how many hosts are left to each requirement, the worst first."""
    effects = found.impact.effects
    changed = [e for e in effects if e.changes]
    changed.sort(key=lambda e: (_worry(e), _kind_order(e), e.what.name))
    for effect in changed[: limits.entries]:
        alarm = _ALARMS.get(effect.alarm) if effect.alarm else ""
        mark = f"  WARNING: {alarm}" if alarm else ""
        said = f"{effect.before} -> {effect.after}{mark}"
        yield _row(_titled(effect), said)
        number = effect.permissive[1]
        if number:
            yield f"    of these, in permissive mode only: {number}"
    yield from _left(changed, limits, "requirement")
    same = [e for e in effects if not e.changes]
    if same:
        kept = sum(e.after > 0 for e in same)
        none = len(same) - kept
        said = f"  {counted(len(same), 'requirement')} as before"
        yield f"{said}, {none} of them without any host" if none else said


def _worry(effect: Effect) -> int:
    if effect.alarm is None:
        return 2
    return 0 if effect.alarm is Alarm.NONE_LEFT else 1


def _kind_order(effect: Effect) -> int:
    return list(Kind).index(effect.what.kind)


def _titled(effect: Effect) -> str:
    return f"{_KINDS[effect.what.kind]} {bounded(effect.what.name)}"


def _requirements(found: Compared, limits: Limits) -> Iterator[str]:
    """Yield what changes for each, those of which the same is said as one."""
    told = {
        (Kind.POOL, pool.name): pool.changes for pool in found.impact.pools
    }
    alike: dict[object, list[Effect]] = {}
    for effect in found.impact.effects:
        # what stands under pools already is not told again
        known = told.get((effect.what.kind, effect.what.name))
        if effect.changes and effect.changes != known:
            alike.setdefault(_said(found, effect), []).append(effect)
    entries = list(alike.values())
    for effects in entries[: limits.entries]:
        names = [_titled(effect) for effect in effects]
        yield from wrapped(some_of(names, limits.hosts), "  ", "    ")
        changes = effects[0].changes
        alone = len(effects) == 1
        yield from change_lines(found.catalogue, changes, limits, alone)
    yield from _left(entries, limits, "requirement")


def _said(found: Compared, effect: Effect) -> object:
    """Return what would be printed of an effect, whatever its name."""
    lost = tuple(
        (
            change.hosts,
            tuple(
                (code, said.says)
                for code, said in together(change.refusals, found.catalogue)
            ),
        )
        for change in effect.changes
        if change.direction is Direction.LOST
    )
    return lost, tuple(gains(effect.changes).items())


def _closings(found: Compared, limits: Limits) -> Iterator[str]:
    alike: dict[tuple[Change, ...], list[Closing]] = {}
    for closing in found.impact.closings:
        alike.setdefault(closing.changes, []).append(closing)
    entries = list(alike.items())
    for changes, closings in entries[: limits.entries]:
        domains = [closing.trust_domain for closing in closings]
        known = some_of([d for d in domains if d is not None], limits.hosts)
        whose = [f"of trust domain {known}"] if known else []
        whose += ["of projects without one"] if None in domains else []
        yield from wrapped(" and ".join(whose), "  ", "    ")
        yield from change_lines(found.catalogue, changes, limits, verbs=DOORS)
    yield from _left(entries, limits, "trust domain")


def _exceptions(found: Compared, limits: Limits) -> Iterator[str]:
    for change in found.differences[: limits.entries]:
        yield f"  {change_line(change)}"
    yield from _left(found.differences, limits, "difference")
    for what in found.ended[: limits.entries]:
        yield f"  ended already: {what}"
    yield from _left(found.ended, limits, "that ended")


def _left(
    entries: Sequence[object], limits: Limits, noun: str
) -> Iterator[str]:
    left = len(entries) - limits.entries
    if left > 0:
        yield f"  and {counted(left, noun)} more: --all"


def _row(name: str, said: str) -> str:
    return f"  {bounded(name, _NAME_WIDTH - 2):<{_NAME_WIDTH}} {said}"


def _verdict(found: Compared) -> str:
    impact = found.impact
    lost = sum(
        any(c.direction is Direction.LOST for c in effect.changes)
        for effect in impact.effects
    )
    gained = sum(
        any(c.direction is Direction.GAINED for c in effect.changes)
        for effect in impact.effects
    )
    closed = sum(
        any(c.direction is Direction.LOST for c in closing.changes)
        for closing in impact.closings
    )
    if not impact.refuses:
        gains = (
            f"{counted(gained, 'requirement')} gain hosts" if gained else ""
        )
        return f"Nothing is newly refused{f'; {gains}' if gains else ''}."
    parts = []
    if lost:
        parts.append(f"{counted(lost, 'requirement')} would lose hosts")
    if closed:
        parts.append("hosts would close to servers that ask for nothing")
    if gained:
        parts.append(f"{counted(gained, 'requirement')} would gain some")
    return f"Something is newly refused: {', '.join(parts)}."
