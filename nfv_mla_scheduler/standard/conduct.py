# SPDX-License-Identifier: Apache-2.0
"""Read what a profile says to later parts: halting, logging, disclosure.

Pure.  The keys are closed, so that a slip is noticed here and not when a
server should have been halted.  Words are ours, from the notes of Tables 1
to 8.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nfv_mla_scheduler.standard.reading import Place

Reader = Callable[[Place], Any]


def read_conduct(place: Place) -> dict[str, Any]:
    """Return the entries at ``place``, each checked for its kind."""
    if not place.given():
        return {}
    place.only(*_KEYS)
    return {key: _KEYS[key](at) for key, at in place.entries()}


def _one_of(*words: str) -> Reader:
    return lambda place: place.text_of(words)


def _mapping_of(readers: Mapping[str, Reader]) -> Reader:
    def read(place: Place) -> Mapping[str, Any]:
        place.only(*readers)
        return MappingProxyType(
            {key: readers[key](at) for key, at in place.entries()}
        )

    return read


_COPY = _one_of("refuse", "allow")

_KEYS: Mapping[str, Reader] = {
    # 4.1, 4.2: a contract decides which requirements hold
    "contractual": Place.flag,
    "voucher_preference": _one_of("tenant-domain"),
    # 5.3.2: what is tried first, by when a server is halted (seconds), and
    # what becomes of one that has nowhere to go
    "first": _one_of("move", "stop"),
    "halt_within_s": Place.number,
    "nowhere": _one_of("stop"),
    "report_within_s": Place.number,
    "restore_within_s": Place.number,
    "spare_hosts_min": Place.number,
    "priority": _one_of("same-as-followed-function"),
    "outage_record": Place.texts,
    # 5.1.6: what else has to be in the same place
    "location_same_for": Place.texts,
    # 5.2.5, 6.14
    "conceal_if_asked": Place.texts,
    "conceal_evidence": _one_of("resists-statistical-discovery"),
    # 6.1.2: inspection as a tool of the function itself
    "memory_inspection_grant": _one_of("named-server-on-same-host"),
    # 6.10: copies of a server's state
    "copying": _mapping_of(
        {
            "snapshot": _COPY,
            "backup": _COPY,
            "crash-dump": _COPY,
            "rescue": _COPY,
        }
    ),
    # 6.2
    "logging": _mapping_of(
        {
            "store": _one_of("own-domain"),
            "sealed": Place.flag,
            "content": Place.texts,
            "never": Place.texts,
            "cover_entries": Place.flag,
            "evidential": _one_of("hash-or-signature"),
        }
    ),
    # 5.0.3, Table 5: what this tool itself must not give away
    "disclosure": _mapping_of(
        {
            "profile_name": _one_of("opaque-handle"),
            "traits": _one_of("opaque-pool-only"),
            "metrics": _one_of("none"),
            "tenant_errors": _one_of("generic"),
        }
    ),
    # 4.7: the requirements that the use case is about
    "stress": Place.texts,
}
