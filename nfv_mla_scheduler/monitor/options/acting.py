# SPDX-License-Identifier: Apache-2.0
"""What the monitor may do, and how it marks what it has done."""

from __future__ import annotations

from oslo_config import cfg

from nfv_mla_scheduler.monitor.planning.situation import Arming

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "act",
        default=Arming.NONE.value,
        choices=[
            (
                Arming.NONE.value,
                "Look, judge and plan, and report what would be done",
            ),
            (
                Arming.FENCE.value,
                "Also disable the compute services of hosts that fail, so "
                "that they take no more servers, and enable them again",
            ),
            (
                Arming.ALL.value,
                "Also lock, move and halt servers, as the policy's playbooks "
                "say and as far as its guard allows",
            ),
        ],
        help="""
What to do about servers and hosts that do not comply.

Begin with ``none`` and read what ``nfv-mla monitor status`` says would be
done. Traits are another matter: see ``traits``.

Related options:

* ``mark_key_files`` must be set for ``fence`` and ``all``.
* ``traits``
""",
    ),
    cfg.BoolOpt(
        "traits",
        default=True,
        help="""
Whether to mirror what is decided about pools into traits in Placement.

The policy says which traits there are. ``nfv-mla flavor traits`` says which
of them a flavor should require, so that Placement finds hosts that comply
among many that do not. Traits are never read as evidence. They are written
with ``act = none`` as well, and never with ``--dry-run``.

Related options:

* ``act``
""",
    ),
    cfg.ListOpt(
        "mark_key_files",
        default=[],
        help="""
Keys of the marks that the monitor leaves in Nova.

A mark in the reason of a lock or of a disabled service says what was done
there, and a code by one of these keys shows that the monitor wrote it. All
monitors of a cloud share the keys. To change one, put the new one first and
keep the old one until no mark of it is left.

Possible values:

* A comma-separated list of absolute paths. Each file holds 32 bytes or more
  that are hard to guess, such as ``openssl rand 32`` gives; nobody but the
  monitor may read it. The first one makes marks, each of them verifies.

Related options:

* ``act``: with ``none``, marks are only verified, and there need not be any.
""",
    ),
]
