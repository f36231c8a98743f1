# SPDX-License-Identifier: Apache-2.0
"""The options about the audit file."""

from __future__ import annotations

from oslo_config import cfg

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "audit_file",
        default="",
        help="""
File to which audit events are appended, one JSON object in each line.

Several workers may share one file. It is opened again after it was rotated.
It is a record for operators; it is not the tamper-evident ledger.

Possible values:

* An absolute path. Empty (the default): no events are written.

Related options:

* ``audit_queue_size``
""",
    ),
    cfg.IntOpt(
        "audit_queue_size",
        default=10000,
        min=1,
        max=1000000,
        help="""
How many audit events may wait to be written.

Placement never waits for the disk. Events beyond this number are dropped,
and an event says how many.

Related options:

* ``audit_file``
""",
    ),
]
