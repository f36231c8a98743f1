# SPDX-License-Identifier: Apache-2.0
"""Which ledger a service writes, by its options.

Touches nothing itself: the ledger opens its files in its own thread.
"""

from __future__ import annotations

import socket

from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.ledger import Limits
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.policy.officers import read_signer


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


def _no_passphrase(_prompt: str) -> bytes:
    """Answer for nobody: a service has no one to ask."""
    return b""
