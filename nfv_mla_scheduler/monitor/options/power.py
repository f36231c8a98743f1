# SPDX-License-Identifier: Apache-2.0
"""How hosts are switched off, out of band."""

from __future__ import annotations

from oslo_config import cfg

OPTIONS: list[cfg.Opt] = [
    cfg.ListOpt(
        "power_off_command",
        default=[],
        help="""
The command that switches a host off, out of band.

It is run for the step ``power-off`` of a playbook, without a shell. It should
end within a minute; whether the host is off is not concluded from its exit
status but asked by ``power_status_command``.

Possible values:

* A comma-separated list: an absolute path, and the words after it. In each
  of those ``{host}`` becomes Nova's name of the host, and ``{uuid}`` the UUID
  of its compute node. Empty (the default): no host is switched off, and
  whatever comes after ``power-off`` in a playbook is not done.

Related options:

* ``power_status_command`` must be set beside it.
""",
    ),
    cfg.ListOpt(
        "power_status_command",
        default=[],
        help="""
The command that says whether a host is off, out of band.

It is run without a shell. A host is off if the exit status is 0 and the one
thing printed is the word ``off``, or ``Chassis Power is off`` as ipmitool says
it. Whatever else it is or prints, the host counts as running.

Possible values:

* As for ``power_off_command``.

Related options:

* ``power_off_command``
""",
    ),
    cfg.FloatOpt(
        "power_command_timeout_s",
        default=60.0,
        min=1.0,
        max=600.0,
        help="""
How long one of these commands may take, in seconds. Then it is ended.

Related options:

* ``power_off_command``, ``power_status_command``
""",
    ),
]
