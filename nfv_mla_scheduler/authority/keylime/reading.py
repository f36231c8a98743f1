# SPDX-License-Identifier: Apache-2.0
"""From what verifiers and registrar have to results, agent by agent.

Pure but for its memory: results that say the same are the same object.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority.fetched import few
from nfv_mla_scheduler.authority.fetched import problem
from nfv_mla_scheduler.authority.keylime.record import read_record
from nfv_mla_scheduler.authority.keylime.registrar import Look
from nfv_mla_scheduler.authority.keylime.tpm_policy import Malformed
from nfv_mla_scheduler.authority.keylime.trust import Reason
from nfv_mla_scheduler.authority.keylime.trust import Rule
from nfv_mla_scheduler.authority.keylime.trust import Word
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.errors import KeylimeCode
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result

# No verifier tells one boot from another, so that claims of the grade boot
# count from the attestation.  By the hour, since what is around the times is
# meant to stay the same.
BOOT_STEP_S = 3600.0

Records = Mapping[str, tuple[Any, ...]]


@dataclasses.dataclass(slots=True)
class Sheet:
    """What one collection has come to."""

    results: dict[str, Result] = dataclasses.field(default_factory=dict)
    freshness: dict[str, Freshness] = dataclasses.field(default_factory=dict)
    problems: list[Problem] = dataclasses.field(default_factory=list)
    notes: dict[Reason, list[str]] = dataclasses.field(default_factory=dict)
    complete: bool = True

    def refuse(
        self, agent: str, reasons: Iterable[Reason], fault: bool
    ) -> None:
        """Say why there is no result about an agent: the first reason."""
        for code, why in (*reasons,)[:1]:
            self.problems.append(problem(agent, code.value, why))
        self.complete = self.complete and not fault

    def note(self, agent: str, reasons: Iterable[Reason]) -> None:
        """Say what a result lacks."""
        for reason in reasons:
            self.notes.setdefault(reason, []).append(agent)

    def collected(self) -> Collected:
        """Return it as an answer."""
        return Collected(
            self.results,
            self.freshness,
            self.complete,
            few(self.problems),
            notes=few([_note(*one) for one in self.notes.items()]),
        )


class Reading:
    """Reads records by one rule."""

    def __init__(self, authority: str, rule: Rule) -> None:
        self._authority = authority
        self._rule = rule
        self._results: dict[str, Result] = {}

    @property
    def boot_policies(self) -> frozenset[str]:
        """Names of the measured-boot policies that count; none: all do."""
        return self._rule.boot_policies

    def words(
        self,
        records: Records,
        uncounted: Mapping[str, str],
        asked: Iterable[str],
        sheet: Sheet,
        now: Instant,
        latest: Instant,
    ) -> dict[str, Word]:
        """Return what is believed of each agent that was asked for.

        Of those that no host is bound to, only what speaks for them.

        :param uncounted: agent -> why its measured-boot policy does not count
        """
        words = {}
        asked = frozenset(asked)
        for agent in sorted(asked):
            if agent not in records:
                reason = (KeylimeCode.UNKNOWN_AGENT, "no verifier knows it")
                sheet.note(agent, (reason,))
                continue
            why = uncounted.get(agent, "")
            word = self._word(records[agent], why, now, latest)
            if word.claims:
                words[agent] = word
            else:
                sheet.refuse(agent, word.lacks, word.fault)
        for agent in records.keys() - asked:
            if strict_json.is_name(agent):
                why = uncounted.get(agent, "")
                word = self._word(records[agent], why, now, latest)
                if word.passes:
                    words[agent] = dataclasses.replace(word, lacks=())
        return words

    def _word(
        self,
        records: tuple[Any, ...],
        uncounted: str,
        now: Instant,
        latest: Instant,
    ) -> Word:
        """Return what is believed of what all verifiers have on an agent."""
        words = []
        for raw in records:
            try:
                record = read_record(raw)
            except Malformed as exc:
                reason = (KeylimeCode.MALFORMED, str(exc))
                return Word({}, 0.0, False, (reason,), True)
            words.append(self._rule.judge(record, now, latest, uncounted))
        if len(words) == 1:
            return words[0]
        for word in words:
            if word.claims and not word.passes:
                return word
        said = f"is at {len(words)} verifiers, so that neither's word counts"
        return Word({}, 0.0, False, ((KeylimeCode.TWO_VERIFIERS, said),))

    def put(self, agent: str, word: Word, key: str, sheet: Sheet) -> None:
        """Put a result into the sheet.

        :param key: digest of the pinned key that attested; empty: none is
        """
        boot_at = word.at - word.at % BOOT_STEP_S
        before = self._results.get(agent)
        result = before
        if (
            before is None
            or before.claims is not word.claims
            or before.boot_attested_at != boot_at
            or before.key != key
        ):
            result = Result(
                self._authority, agent, word.claims, None, boot_at, key=key
            )
        assert result is not None
        sheet.results[agent] = result
        sheet.freshness[agent] = Freshness(word.at, None)
        sheet.note(agent, word.lacks)

    def keep(self, sheet: Sheet) -> None:
        """Remember the results of a sheet, and no others."""
        self._results = dict(sheet.results)


def check_pin(
    pinned: tuple[str, ...], look: Look | None, why: Callable[[], str]
) -> tuple[str, Reason | None, bool]:
    """Hold the keys that the policy pins against those that attest.

    :param look: what the registrar said; None: nothing, ``why``
    :returns: the key that is both; otherwise why there is none, and whether
        that is a fault for which the answer is not complete
    """
    if look is None:
        said = f"its key is pinned, and not compared: {why()}"
        return "", (KeylimeCode.REGISTRAR_SILENT, said), True
    if look.malformed:
        said = f"in the registrar's entry: {look.malformed}"
        return "", (KeylimeCode.MALFORMED, said), True
    if not look.keys:
        said = "the registrar does not know it, or it is not active there"
        return "", (KeylimeCode.NOT_REGISTERED, said), False
    for key in pinned:
        if key in look.keys:
            return key, None, False
    said = "its TPM has another key than those that the policy pins"
    return "", (KeylimeCode.OTHER_KEY, said), False


def _note(reason: Reason, agents: list[str]) -> Problem:
    code, why = reason
    others = len(agents) - 1
    more = f" (and {others} others)" if others else ""
    return problem(agents[0], code.value, f"{why}{more}")
