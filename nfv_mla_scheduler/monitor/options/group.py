# SPDX-License-Identifier: Apache-2.0
"""The group ``[monitor]``, and all of its options."""

from __future__ import annotations

from oslo_config import cfg

from nfv_mla_scheduler.monitor.options import acting
from nfv_mla_scheduler.monitor.options import deadlines
from nfv_mla_scheduler.monitor.options import looking
from nfv_mla_scheduler.monitor.options import power
from nfv_mla_scheduler.serving import listening

GROUP = cfg.OptGroup(
    "monitor",
    title="Monitor of servers and hosts",
    help="""
The monitor notices which servers are where they should not be, and moves or
halts them within the limits that the signed policy sets. Playbooks and guard
are said by the policy, which ``[nfv_mla]`` names; so is where results come
from. The options are read when the process starts; the policy is read again
whenever it changes.
""",
)

_TELLING: list[cfg.Opt] = [
    cfg.StrOpt(
        "status_file",
        default="",
        help="""
A file that says how everything stands, in JSON.

``nfv-mla monitor status`` prints it. It is replaced in one step after each
cycle, and every 10 seconds in any case, with mode 0640. Servers of trust
domains that keep their entries to themselves are not in it.

Possible values:

* An absolute path. Empty (the default): ``monitor-status.json`` in
  ``[nfv_mla] state_dir``.
""",
    ),
]

_SERVING = listening.options(
    listen="""
Where to serve webhook, status, metrics and liveness over HTTPS.

Possible values:

* ``HOST:PORT``, an IPv6 address in brackets (``[::1]:8444``). Empty (the
  default): nothing is served, and news of an authority is noticed when the
  collector has asked it.
""",
    clients="""
Status and metrics are for clients with such a certificate alone. Anybody may
knock at the webhook, and ask whether the monitor lives and is ready: what a
knock says is never believed, it only has the monitor look earlier. A
certificate of somebody else is turned away.
""",
)

OPTIONS: list[cfg.Opt] = [
    *acting.OPTIONS,
    *power.OPTIONS,
    *looking.OPTIONS,
    *deadlines.OPTIONS,
    *_TELLING,
    *_SERVING,
]
