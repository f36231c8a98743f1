# SPDX-License-Identifier: Apache-2.0
"""The options about how this scheduler judges and weighs."""

from __future__ import annotations

from oslo_config import cfg

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "management_domain",
        default="",
        help="""
The management domain that this scheduler belongs to.

Hosts of restricted pools may only be filled by a scheduler of their own
management domain (GR NFV-SEC 009, clauses 7.2.1 and 7.2.2).

Possible values:

* A name of lower-case letters, digits and single dashes, as the policy
  writes it. Empty (the default): none, so that pools that name management
  domains are closed to this scheduler.
""",
    ),
    cfg.FloatOpt(
        "assurance_weight_multiplier",
        default=1.0,
        help="""
Weight of hosts that are better attested: fresher results, fewer warnings.

Possible values:

* Any number. 0 turns the weigher off; a negative one prefers the hosts of
  which least is known, which is hardly ever wanted.

Related options:

* ``[filter_scheduler] weight_classes`` must hold the weigher.
""",
    ),
    cfg.FloatOpt(
        "scarcity_weight_multiplier",
        default=1.0,
        help="""
Weight of hosts that offer no more than a server needs.

It keeps the most capable hosts free for those who need them.

Possible values:

* Any number. 0 turns the weigher off; a negative one fills the most capable
  hosts first.

Related options:

* ``[filter_scheduler] weight_classes`` must hold the weigher.
""",
    ),
    cfg.IntOpt(
        "decision_cache_size",
        default=256,
        min=1,
        max=1048576,
        help="""
How many different requirements are kept judged.

Servers of one flavor, project and set of hints mostly share one requirement.
When more are in use than are kept, some are judged anew, which costs time
and nothing else. Each takes about 0.6 MB for 10,000 hosts, and more where
many different things are claimed of them.
""",
    ),
    cfg.StrOpt(
        "monitor_status_file",
        default="",
        help="""
The status file of the monitor.

Profiles whose requirements are applied strictly are only placed where a
monitor runs that halts what stops complying (GR NFV-SEC 009, clause 5.3.2).
It does if its last cycle, by this file, is not older than 60 seconds, and
``[monitor] act`` is ``all``.

The file also says, whatever ``act`` is, which hosts a server has left that
needs secure clean-up (5.2.8). Such a host takes servers of the same trust
domain only, until it is shown to be clean: other servers are refused there,
also those that ask for nothing. While the file is missing, cannot be read or
is older than 60 seconds, no such host is known, and all are taken to be
clean.

Possible values:

* An absolute path. Empty (the default): nobody can tell, so that only those
  profiles are placed for which the policy waives it, and no host is known to
  need clean-up.

Related options:

* ``[monitor] status_file`` of the monitor. If it runs on another machine,
  have the file copied from there, at least twice a minute: whoever can write
  it can say that a monitor runs, and which hosts are clean.
""",
    ),
    cfg.FloatOpt(
        "follow_room_max_age_s",
        default=30.0,
        min=1.0,
        max=3600.0,
        help="""
How long the answer to "is there room for what has to follow" holds, in
seconds.

Servers with ``nfv_mla:follow`` are placed only where another function, such
as an intercepting one, could follow. Which hosts have room for that one is
looked up, and taken for true for this time.
""",
    ),
]
