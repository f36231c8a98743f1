# SPDX-License-Identifier: Apache-2.0
"""Which ledger a service writes, by its options, and what of its news.

Touches nothing itself: the ledger opens its files in its own thread.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.officers import read_signer

Kinds = Mapping[tuple[str, bool], EventKind]

_POLICY: Kinds = {
    ("policy", True): EventKind.POLICY_LOADED,
    ("policy", False): EventKind.POLICY_REFUSED,
    ("authority", True): EventKind.AUTHORITY_WELL,
    ("authority", False): EventKind.AUTHORITY_FAILED,
}
#: By subject, and whether it is well: of who goes by results, and of who
#: publishes them.  What is not in it is no event, and only logged.
READS: Kinds = {
    **_POLICY,
    ("results", True): EventKind.RESULTS_LOADED,
    ("results", False): EventKind.RESULTS_REFUSED,
}
PUBLISHES: Kinds = {
    **_POLICY,
    ("results", True): EventKind.RESULTS_PUBLISHED,
    ("results", False): EventKind.RESULTS_UNPUBLISHED,
}


def new_audit(settings: Settings, service: str) -> AuditPort:
    """Return what takes the events of this process.

    :param service: as people know it, such as ``nova-scheduler``
    """
    directory, key_file = settings.audit_dir, settings.audit_key_file
    if directory is None:
        return NullAudit()
    return Ledger(
        directory,
        f"{socket.gethostname()}.{service}",
        None
        if key_file is None
        else lambda: read_signer(key_file, _no_passphrase),
        Limits(
            queue_size=settings.audit_queue_size,
            checkpoint_interval_s=settings.audit_checkpoint_interval_s,
            seal_interval_s=settings.audit_seal_interval_s,
            segment_bytes=settings.audit_segment_mib * 2**20,
        ),
    )


def event(
    news: News, at: Instant, origin: str, kinds: Kinds = READS
) -> Event | None:
    """Return what is recorded of a change of state; None: nothing.

    :param origin: the process, as a reader knows it
    """
    subject = news.subject
    if subject == "expiry" and news.code == PolicyCode.EXPIRED.value:
        kind: EventKind | None = EventKind.POLICY_EXPIRED
    else:
        # of what else there is to say of an authority, nothing is recorded
        if subject.startswith("authority ") and "state" in news.facts:
            subject = "authority"
        kind = kinds.get((subject, news.good))
    if kind is None:
        return None
    fields = {"code": news.code, "text": news.text, **news.facts}
    return Event(kind, at, origin, fields)


def _no_passphrase(_prompt: str) -> bytes:
    """Answer for nobody: a service has no one to ask."""
    return b""
