# SPDX-License-Identifier: Apache-2.0
"""What records say of a policy or of results, besides words.

Pure.
"""

from __future__ import annotations

import hashlib

from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.feed.news import Facts
from nfv_mla_scheduler.policy.envelope import examine
from nfv_mla_scheduler.policy.envelope import read_envelope
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import ResultsDocument


def of_policy(policy: Policy) -> Facts:
    """Return which policy it is, and by whose signatures."""
    return {
        "version": policy.version,
        "digest": policy.digest,
        "signers": list(policy.signers),
    }


def of_offer(data: bytes, root: Root, read: Policy | None) -> Facts:
    """Return which policy was refused, as far as that can be told.

    :param data: the whole file
    :param read: what is in it; None: that was not looked at, or is no policy
    """
    if read is not None:
        return of_policy(read)
    try:
        envelope = read_envelope(data)
    except PolicyRefused:
        return {"file_sha256": hashlib.sha256(data).hexdigest()}
    held = {key.keyid for key in examine(envelope, root.keys) if key}
    return {"digest": envelope.digest, "signers": sorted(held)}


def of_results(document: ResultsDocument) -> Facts:
    """Return who issued a document, and when."""
    return {
        "issuer": document.collector,
        "issued_at": document.issued_at,
        "results": sum(map(len, document.results.values())),
    }


def of_held(document: ResultsDocument | None) -> Facts:
    """Return which results go on to count after others were refused.

    Of those nothing is known: their signature may be what is wrong.
    """
    if document is None:
        return {"held_issuer": None}
    return {
        "held_issuer": document.collector,
        "held_issued_at": document.issued_at,
    }
