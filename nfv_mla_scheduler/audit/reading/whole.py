# SPDX-License-Identifier: Apache-2.0
"""Whether a ledger is whole: all its chains, and what they say of each other.

Touches the ledger's files, read only.  What was there at the start is looked
at: of a process that writes meanwhile, the rest is for the next time.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit.checkpoint import Checkpoint
from nfv_mla_scheduler.audit.origins import file_name
from nfv_mla_scheduler.audit.reading import files
from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.chain import ChainReading
from nfv_mla_scheduler.audit.reading.claims import Claim
from nfv_mla_scheduler.audit.reading.report import ChainReport
from nfv_mla_scheduler.audit.reading.report import Report
from nfv_mla_scheduler.audit.reading.report import Verdict
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.errors import bounded

# How many sealed chains that are not there are told of one origin.
_MISSING_MAX = 100


def verify(
    directory: pathlib.Path, trust: Trust, kept: Iterable[Checkpoint] = ()
) -> Report:
    """Return whether a ledger is whole.

    :param kept: checkpoints that were kept elsewhere
    :raises LedgerUnreadable: when the directory cannot be listed
    """
    claims: dict[str, list[Claim]] = {}
    for one in kept:
        by = f"a checkpoint of {_at(one)}"
        claim = Claim(one.seq, one.hash, by, kept=True)
        claims.setdefault(one.origin, []).append(claim)
    found: list[ChainReport] = []
    for origin in files.origins(directory):
        found += _Origin(origin, trust, claims.pop(origin.name, [])).read()
    for name, known in sorted(claims.items()):
        found.append(_gone(name, known))
    return Report(tuple(found), bool(trust.keys))


class _Origin:
    """The chains of one origin, read together."""

    def __init__(
        self, directory: pathlib.Path, trust: Trust, kept: list[Claim]
    ) -> None:
        self._name = directory.name
        self._common = ChainReading(
            directory,
            self._name,
            trust,
            kept,
            self._told,
            on_signed=self._signed,
        )
        # only now: whatever the common chain tells of is there
        self._sealed = {
            one.name: ChainReading(
                one, f"{self._name}/{one.name}", trust, domain=one.name
            )
            for one in files.sealed(directory)
        }
        self._missing: dict[str, Anomaly] = {}

    def read(self) -> Iterator[ChainReport]:
        """Yield what is found of each chain; the common one is the first."""
        self._common.read()
        yield self._common.report()
        for sealed in self._sealed.values():
            sealed.read()
            yield sealed.report()
        for origin, anomaly in sorted(self._missing.items()):
            yield ChainReport(
                origin,
                origin.partition("/")[2],
                Verdict.TAMPERED,
                anomalies=(anomaly,),
            )

    def _signed(self) -> None:
        """Know that what the common chain has told so far is signed."""
        for sealed in self._sealed.values():
            sealed.cover()

    def _told(self, fields: Mapping[str, Any], place: Place) -> None:
        """Compare sealed chains with what the common one tells of them."""
        domain, after = fields.get("domain"), fields.get("after_seq")
        if isinstance(domain, str) and fields.get("damaged") is True:
            damaged = self._sealed.get(file_name(domain))
            if damaged is not None and type(after) is int:
                damaged.excuse(after)
        for domain, seq, hash_ in _heads(fields):
            reading = self._sealed.get(file_name(domain))
            if reading is not None:
                by = f"the common chain, {place},"
                reading.expect(Claim(seq, hash_, by))
            elif seq and len(self._missing) < _MISSING_MAX:
                origin = f"{self._name}/{file_name(domain)}"
                self._missing[origin] = Anomaly(
                    AnomalyKind.MISSING,
                    origin,
                    1,
                    seq,
                    place,
                    "the common chain knows of it",
                )


def _heads(fields: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    heads = fields.get("heads")
    if not isinstance(heads, Mapping):
        return
    for domain, said in heads.items():
        if isinstance(said, Mapping):
            seq, hash_ = said.get("seq"), said.get("hash")
            if type(seq) is int and isinstance(hash_, str):
                yield domain, seq, hash_


def _gone(origin: str, known: list[Claim]) -> ChainReport:
    last = max(known)
    anomaly = Anomaly(
        AnomalyKind.MISSING,
        bounded(origin, 255),
        1,
        last.seq,
        None,
        f"{last.by} reaches to {last.seq}, and there is no such directory",
    )
    return ChainReport(
        bounded(origin, 255), None, Verdict.TAMPERED, anomalies=(anomaly,)
    )


def _at(one: Checkpoint) -> str:
    return bounded(one.at, 40)
