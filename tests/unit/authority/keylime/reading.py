# SPDX-License-Identifier: Apache-2.0
"""What the tests of the rule share: a mapping, and judging by it."""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.authority.keylime.mapping import read_mapping
from nfv_mla_scheduler.authority.keylime.record import read_record
from nfv_mla_scheduler.authority.keylime.trust import Evaluated
from nfv_mla_scheduler.authority.keylime.trust import Rule
from nfv_mla_scheduler.authority.keylime.trust import Word
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.standard.catalogue import load
from tests.authorities import keylime_data as data

REGIONS = {Axis.JURISDICTION: Regions({"EU": None, "DE": "EU"})}
SKEW_S = 30.0
TABLE = f"""
measured_boot:
  - {{capability: measured-boot, grade: run-time}}
  - {{capability: attestation, grade: run-time}}
  - {{capability: tpm, grade: boot}}
runtime_policy:
  - capability: software-integrity
    grade: run-time
    values: [run-time]
pcrs:
  - pcr: 15
    digest: {data.TAG}
    claims:
      - capability: location
        grade: boot
        values: {{jurisdiction: [DE]}}
"""
MEASURED_BOOT = {"measured-boot", "attestation", "tpm"}
ALL = {*MEASURED_BOOT, "software-integrity", "location"}


def rule(
    table: str = TABLE,
    evaluated: Evaluated = Evaluated.ALWAYS,
    regions: Any = REGIONS,
) -> Rule:
    mapping = read_mapping(table.encode(), load())
    return Rule(mapping, evaluated, regions)


def one(name: str, **changes: Any) -> data.Json:
    """Return the record of a recording of one agent, with changes."""
    return {**data.recorded(name)["results"], **changes}


def judged(raw: Any, by: Rule | None = None, now: float | None = None) -> Word:
    """Return what is believed of a record, a moment after its last quote."""
    record = read_record(raw)
    if now is None:
        now = record.succeeded_at + 1
    return (by or rule()).judge(record, now, now + SKEW_S)


def codes(word: Word) -> list[str]:
    return [code.value for code, _ in word.lacks]


def carried(word: Word) -> set[str]:
    """Return the capabilities that a word speaks for."""
    return {
        name
        for name, claim in word.claims.items()
        if claim.status is Status.AFFIRMING
    }


def blocked(word: Word) -> set[str]:
    """Return the capabilities that a word speaks against."""
    return {
        name
        for name, claim in word.claims.items()
        if claim.status is Status.CONTRAINDICATED
    }
