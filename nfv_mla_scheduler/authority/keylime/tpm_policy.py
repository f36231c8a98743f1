# SPDX-License-Identifier: Apache-2.0
"""The PCRs that a verifier wants of an agent: the field ``tpm_policy``.

Pure.  JSON in a string: PCR -> the digests of which it may have any, and
``mask``, the PCRs that are quoted, as bits of a hexadecimal number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.results import strict_json

PCRS = range(24)

_MASK = re.compile("0x[0-9a-f]{1,8}", re.ASCII)
_DIGEST = re.compile("[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}")


class Malformed(Exception):
    """A field is missing, or of another kind than it should be.

    :ivar field: which one; empty: the record as a whole
    """

    def __init__(self, field: str, why: str) -> None:
        self.field = field
        super().__init__(f"{field} {why}" if field else why)


def read(
    text: Any,
) -> tuple[Mapping[int, tuple[str, ...]], frozenset[int]]:
    """Return the PCRs with their digests, and those that are quoted.

    :param text: the field as it came
    :raises Malformed:
    """
    if text in (None, ""):
        text = "{}"
    if type(text) is not str:
        raise Malformed("tpm_policy", "must be JSON in a string")
    try:
        policy = strict_json.parse(text.encode("utf-8", "replace"), "it")
    except ResultsRefused:
        raise Malformed("tpm_policy", "cannot be read as JSON") from None
    if type(policy) is not dict:
        raise Malformed("tpm_policy", "must hold an object")
    mask = policy.get("mask", "0x0")
    if type(mask) is not str or not _MASK.fullmatch(mask.lower()):
        raise Malformed("tpm_policy", "has a mask that is none")
    bits = int(mask, 16)
    pcrs = {
        _pcr(name): _digests(some)
        for name, some in policy.items()
        if name != "mask"
    }
    quoted = frozenset(pcr for pcr in PCRS if bits >> pcr & 1)
    return MappingProxyType(pcrs), quoted


def _pcr(name: str) -> int:
    if name not in map(str, PCRS):
        raise Malformed("tpm_policy", "names what is no PCR")
    return int(name)


def _digests(some: Any) -> tuple[str, ...]:
    listed = [some] if type(some) is str else some
    if type(listed) is not list:
        raise Malformed("tpm_policy", "must have lists of digests")
    for one in listed:
        if type(one) is not str or not _DIGEST.fullmatch(one.lower()):
            raise Malformed("tpm_policy", "has a digest that is none")
    return tuple(dict.fromkeys(one.lower() for one in listed))
