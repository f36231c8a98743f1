# SPDX-License-Identifier: Apache-2.0
"""What is done in Nova's database itself, since no API does it at once."""

from __future__ import annotations

import datetime

from nova import context
from nova import objects
from nova.db.main import api as db

_ROWS_MAX = 100_000
_LONG_AGO = datetime.datetime(2000, 1, 1)


def fall_silent(host: str) -> None:
    """Let Nova notice that a host reports no more.

    Until it does, it waits for the host's answer whenever the service is
    changed, for ``rpc_response_timeout``.
    """
    everywhere = context.get_admin_context()
    mapping = objects.HostMapping.get_by_host(everywhere, host)
    with context.target_cell(everywhere, mapping.cell_mapping) as there:
        service = objects.Service.get_by_compute_host(there, host)
        db.service_update(there, service.id, {"last_seen_up": _LONG_AGO})


def purge() -> None:
    """Forget all that was deleted, as operators do now and then.

    Whoever asks what has changed is told of it for as long as it is there.
    """
    everywhere = context.get_admin_context()
    for cell in objects.CellMappingList.get_all(everywhere):
        with context.target_cell(everywhere, cell) as there:
            db.archive_deleted_rows(there, max_rows=_ROWS_MAX)
            # Its numbers may be given anew.
            db.purge_shadow_tables(there, None)
