# SPDX-License-Identifier: Apache-2.0
"""Results by which two policies are compared.

Touches the files that are named.  The same document counts for more or less
under another policy, which may name other collectors, authorities and regions.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.root import PEM_MAX
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results.document import MAX_BYTES
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.document import read_head
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.catalogue import load

MAX_SKEW_S = 30.0


class Results(Protocol):
    """Results, as far as they count under a policy."""

    def under(self, policy: Policy) -> tuple[ResultsDocument | None, str]:
        """Return what counts under ``policy``, or why nothing does."""


class AsFreshThen:
    """Results that are taken to be as fresh at another time as they are now.

    :param by_s: how far ahead that time is, in seconds
    """

    def __init__(self, results: Results, by_s: float) -> None:
        self._results = results
        self._by_s = by_s

    def under(self, policy: Policy) -> tuple[ResultsDocument | None, str]:
        """Return what counts under ``policy``, or why nothing does."""
        document, missing = self._results.under(policy)
        if document is None:
            return None, missing
        return _moved(document, self._by_s), ""


class GivenResults:
    """Results in a file.

    :param key: PEM file of the collector's public key; None: the collectors
        and keys that each policy names count
    :raises OSError: when a file cannot be read
    """

    def __init__(
        self,
        path: str,
        key: str | None,
        now: Instant,
        max_skew_s: float = MAX_SKEW_S,
    ) -> None:
        with open(path, "rb") as file:
            self._data = file.read(MAX_BYTES + 1)
        self._pem = None if key is None else _read_key(key)
        self._now = now
        self._max_skew_s = max_skew_s

    def under(self, policy: Policy) -> tuple[ResultsDocument | None, str]:
        """Return what counts under ``policy``, or why nothing does."""
        try:
            document = Loader().read(
                self._data,
                self._collectors(policy),
                policy.authorities,
                load(),
                policy.regions,
                now=self._now,
                max_skew_s=self._max_skew_s,
            )
        except ResultsRefused as exc:
            return None, f"{exc} ({exc.code})"
        return document, ""

    def _collectors(self, policy: Policy) -> dict[str, Collector]:
        """Return who may have signed the document."""
        if self._pem is None:
            return dict(policy.collectors)
        line = self._data.split(b"\n", 1)[0]
        anyone = Collector("", self._pem, frozenset())
        try:
            payload, _ = signature.unseal(line, {"": anyone})
        except ResultsRefused as exc:
            if exc.reason is not ResultsCode.WRONG_KEY:
                raise
            text = "the document is not signed with the key that is given"
            raise ResultsRefused(exc.reason, text) from None
        name = read_head(payload).collector
        heard = frozenset(policy.authorities)
        return {name: Collector(name, self._pem, heard)}


def _moved(document: ResultsDocument, by_s: float) -> ResultsDocument:
    return dataclasses.replace(
        document,
        issued_at=document.issued_at + by_s,
        results={
            authority: {
                attester: dataclasses.replace(
                    result, boot_attested_at=result.boot_attested_at + by_s
                )
                for attester, result in results.items()
            }
            for authority, results in document.results.items()
        },
        freshness={
            authority: {
                attester: Freshness(
                    fresh.at + by_s, fresh.boot, fresh.until + by_s
                )
                for attester, fresh in freshness.items()
            }
            for authority, freshness in document.freshness.items()
        },
    )


def _read_key(path: str) -> str:
    with open(path, "rb") as file:
        pem = file.read(PEM_MAX + 1).decode("ascii", "replace")
    if signature.public_key(pem) is None:
        raise KeyFileError(f"{path}: holds no public key that may sign")
    return pem
