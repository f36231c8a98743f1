# SPDX-License-Identifier: Apache-2.0
"""How long each step of a playbook may take."""

from __future__ import annotations

from oslo_config import cfg

OPTIONS: list[cfg.Opt] = [
    cfg.FloatOpt(
        "live_migrate_deadline_s",
        default=600.0,
        min=10.0,
        max=86400.0,
        help="""
How long a live migration may take, in seconds. Then it is aborted, and the
next step of the playbook follows.

Related options:

* ``cold_migrate_deadline_s``, ``stop_deadline_s``, ``rebuild_deadline_s``,
  ``power_off_deadline_s``. The ``halt_within_s`` of a server's profiles ends
  any move earlier.
""",
    ),
    cfg.FloatOpt(
        "cold_migrate_deadline_s",
        default=900.0,
        min=10.0,
        max=86400.0,
        help="""
How long a cold migration may take, in seconds. Then the next step follows.

Related options:

* ``live_migrate_deadline_s``
""",
    ),
    cfg.FloatOpt(
        "stop_deadline_s",
        default=120.0,
        min=10.0,
        max=86400.0,
        help="""
How long a host may take to stop a server, in seconds.

A host that does not is asked again, and then powered off if the playbook says
so; otherwise the alarm ``not-halted`` is raised. Nova gives a guest 60 seconds
to shut down by default.

Related options:

* ``live_migrate_deadline_s``
""",
    ),
    cfg.FloatOpt(
        "power_off_deadline_s",
        default=180.0,
        min=10.0,
        max=86400.0,
        help="""
How long a host may take to be off once that was asked, in seconds.

Related options:

* ``power_off_command``, ``live_migrate_deadline_s``
""",
    ),
    cfg.FloatOpt(
        "rebuild_deadline_s",
        default=900.0,
        min=10.0,
        max=86400.0,
        help="""
How long ``evacuate`` and ``rebuild-elsewhere`` may take, in seconds.

Related options:

* ``live_migrate_deadline_s``
""",
    ),
]
