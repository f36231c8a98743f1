# SPDX-License-Identifier: Apache-2.0
"""Give traits to resource providers, and take them away.

Speaks to Placement through the port, and to the audit port.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Patience
from nfv_mla_scheduler.monitor.acting.crew import Task
from nfv_mla_scheduler.monitor.acting.hand import Cycle
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed

NAMED_MAX = 3


class Traits:
    """Edits the traits of providers; for one plan after the other."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._created: set[str] = set()

    def tasks(
        self, edits: tuple[TraitEdit, ...], cycle: Cycle, patience: Patience
    ) -> Iterator[Task]:
        """Yield one task for each provider."""
        providers: dict[str, list[TraitEdit]] = {}
        for edit in edits:
            providers.setdefault(edit.provider, []).append(edit)
        for provider, its in providers.items():
            add = frozenset(edit.trait for edit in its if edit.add)
            remove = frozenset(edit.trait for edit in its if not edit.add)
            told = {
                "provider": provider,
                "add": _few(add),
                "remove": _few(remove),
            }
            attempt = Attempt(cycle.scribe, patience, provider, "", None, told)

            def do(
                attempt: Attempt,
                provider: str = provider,
                add: frozenset[str] = add,
                remove: frozenset[str] = remove,
            ) -> Outcome:
                attempt.make(
                    None, lambda: self._edit(provider, add, remove, cycle)
                )
                return attempt.outcome(Result.DONE, _few(add | remove))

            yield Task(provider, attempt, do)

    def _edit(
        self,
        provider: str,
        add: frozenset[str],
        remove: frozenset[str],
        cycle: Cycle,
    ) -> None:
        for trait in sorted(add - self._created):
            cycle.once.do(
                trait, functools.partial(self._cloud.create_trait, trait)
            )
            self._created.add(trait)
        try:
            self._cloud.edit_traits(provider, add, remove)
        except CloudFailed as exc:
            if exc.reason in (CloudCode.GONE, CloudCode.REFUSED):
                # somebody may have deleted one of them: make them again
                self._created -= add
            raise


def _few(names: frozenset[str]) -> str:
    """Return some names, bounded: whoever writes traits chooses how many."""
    few = [bounded(name, 80) for name in sorted(names)[:NAMED_MAX]]
    more = len(names) - len(few)
    return ", ".join([*few, f"and {more} more"] if more else few)
