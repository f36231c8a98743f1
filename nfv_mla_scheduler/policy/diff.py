# SPDX-License-Identifier: Apache-2.0
"""Compare what two policies say, and tell when the later one is weaker.

Pure.  An aspect is one thing that a policy says; its rule tells when a change
lets more pass than before.  Where that cannot be told, a change counts as
weaker: better to look twice than not at all.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.standard.strict_yaml import Path

_STRENGTHS = (Strength.CONDITIONAL, Strength.PREFERRED, Strength.REQUIRED)


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """When a change of one aspect makes a policy weaker.

    :ivar appears: it is weaker if the aspect is new
    :ivar vanishes: it is weaker if the aspect is gone
    :ivar changes: whether going from one value to another is weaker
    """

    appears: bool = False
    vanishes: bool = False
    changes: Callable[[Any, Any], bool] = lambda _old, _new: False


def _grows(old: Any, new: Any) -> bool:
    return not new <= old


def _shrinks(old: Any, new: Any) -> bool:
    return not old <= new


def _rises(old: Any, new: Any) -> bool:
    return bool(new > old)


def _falls(old: Any, new: Any) -> bool:
    return bool(new < old)


def _softens(old: Any, new: Any) -> bool:
    return _STRENGTHS.index(new) < _STRENGTHS.index(old)


def _any(_old: Any, _new: Any) -> bool:
    return True


PLAIN = Rule()
TRUST = Rule(appears=True, changes=_any)
TRUST_SET = Rule(appears=True, changes=_grows)
IDENTITY = Rule(changes=_any)
EXCEPTION = Rule(appears=True, changes=_rises)
CEILING = Rule(vanishes=True, changes=_rises)
AT_LEAST = Rule(vanishes=True, changes=_falls)
ALLOWED = Rule(vanishes=True, changes=_grows)
DEMANDED = Rule(vanishes=True, changes=_shrinks)
DEMANDED_TEXT = Rule(vanishes=True, changes=_any)
STRENGTH = Rule(vanishes=True, changes=_softens)


@dataclasses.dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that a policy says.

    :ivar is_time: the value is an instant
    """

    path: Path
    value: Any
    rule: Rule
    is_time: bool = False

    @property
    def shown(self) -> str:
        """The value as people read it."""
        if self.is_time:
            return write_instant(self.value)
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, Strength):
            return self.value.value
        if isinstance(self.value, frozenset):
            return ", ".join(sorted(self.value)) or "none"
        return str(self.value)


class ChangeKind(enum.Enum):
    """What happened to an aspect, by the sign that a listing shows."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One difference between two policies.

    :ivar old: what was said, as people read it; empty if nothing was
    :ivar new: what is said now; empty if nothing is
    :ivar weaker: whether it lets more pass than before
    """

    kind: ChangeKind
    path: Path
    old: str
    new: str
    weaker: bool


def compare(
    before: Iterable[Aspect], after: Iterable[Aspect]
) -> tuple[Change, ...]:
    """Return the differences, in the order of what is said now."""
    old, new = _by_path(before), _by_path(after)
    changes = []
    for path, aspect in new.items():
        was = old.get(path)
        if was is None:
            change = Change(
                ChangeKind.ADDED, path, "", aspect.shown, aspect.rule.appears
            )
        elif was.value != aspect.value:
            change = Change(
                ChangeKind.CHANGED,
                path,
                was.shown,
                aspect.shown,
                aspect.rule.changes(was.value, aspect.value),
            )
        else:
            continue
        changes.append(change)
    for path, was in old.items():
        if path not in new:
            weaker = was.rule.vanishes
            changes.append(
                Change(ChangeKind.REMOVED, path, was.shown, "", weaker)
            )
    return tuple(changes)


def _by_path(found: Iterable[Aspect]) -> dict[Path, Aspect]:
    """Of two waivers of one thing, the one that lasts longer counts."""
    by_path: dict[Path, Aspect] = {}
    for aspect in found:
        other = by_path.get(aspect.path)
        if other is None or not aspect.is_time or aspect.value > other.value:
            by_path[aspect.path] = aspect
    return by_path
