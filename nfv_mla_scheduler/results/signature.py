# SPDX-License-Identifier: Apache-2.0
"""The signature of a results document: DSSE, by a collector of the policy.

Pure: bytes and keys in, bytes out.  Keys come from the policy alone, and the
key id that an envelope carries is nothing but a hint.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping

from securesystemslib.signer import Signer  # type: ignore[attr-defined]
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy import envelope as dsse
from nfv_mla_scheduler.policy.root import read_public_key
from nfv_mla_scheduler.policy.values import Collector

PAYLOAD_TYPE = "application/vnd.nfv-mla.results+json"
SIGNATURES_MAX = 4


def seal(payload: bytes, signer: Signer) -> bytes:
    """Return a DSSE envelope of one line over ``payload``."""
    signed = dsse.sign(dsse.Envelope(payload, PAYLOAD_TYPE), (signer,))
    members = json.loads(dsse.write_envelope(signed))
    return json.dumps(members, separators=(",", ":")).encode()


def unseal(
    line: bytes, collectors: Mapping[str, Collector]
) -> tuple[bytes, frozenset[str]]:
    """Return the payload, and which of ``collectors`` signed it.

    :returns: several names only where collectors share one key
    :raises ResultsRefused: TOO_LARGE, BAD_ENVELOPE, UNSIGNED or WRONG_KEY
    """
    envelope = _envelope(line)
    keys = {
        name: key
        for name, collector in collectors.items()
        if (key := public_key(collector.public_key)) is not None
    }
    different = {key.keyid: key for key in keys.values()}
    held = {key for key in dsse.examine(envelope, different.values()) if key}
    if not held:
        raise ResultsRefused(
            ResultsCode.WRONG_KEY,
            "no collector of the policy signed this results document",
        )
    return envelope.payload, frozenset(
        name for name, key in keys.items() if key in held
    )


@functools.lru_cache(maxsize=64)
def public_key(pem: str) -> SSlibKey | None:
    """Return the key, or ``None`` if it is of no kind that may sign."""
    try:
        return read_public_key(pem.encode(), "collector")
    except KeyFileError:
        return None


def _envelope(line: bytes) -> dsse.Envelope:
    """Parse a DSSE envelope of results that somebody signed."""
    try:
        envelope = dsse.read_envelope(line)
    except PolicyRefused as exc:
        raise _refused(exc) from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ResultsRefused(
            ResultsCode.BAD_ENVELOPE,
            f"the envelope holds {bounded(envelope.payload_type)!r}, not "
            f"{PAYLOAD_TYPE}",
        )
    if not envelope.marks:
        raise ResultsRefused(
            ResultsCode.UNSIGNED, "the results document is not signed"
        )
    if len(envelope.marks) > SIGNATURES_MAX:
        raise ResultsRefused(
            ResultsCode.BAD_ENVELOPE,
            f"the envelope has more than {SIGNATURES_MAX} signatures",
        )
    return envelope


def _refused(exc: PolicyRefused) -> ResultsRefused:
    """Say of results what was found of an envelope."""
    if exc.reason is PolicyCode.TOO_LARGE:
        return ResultsRefused(ResultsCode.TOO_LARGE, str(exc))
    if exc.reason is PolicyCode.UNREADABLE:
        return ResultsRefused(
            ResultsCode.BAD_ENVELOPE, "the first line is not JSON in UTF-8"
        )
    return ResultsRefused(ResultsCode.BAD_ENVELOPE, str(exc))
