# SPDX-License-Identifier: Apache-2.0
"""How often and how fast the monitor looks at Nova and Placement."""

from __future__ import annotations

from oslo_config import cfg

from nfv_mla_scheduler.feed.ourselves import STATUS_AGE_MAX_S

# A cycle that takes as long as this may still end in time.
INTERVAL_MAX_S = STATUS_AGE_MAX_S / 2

OPTIONS: list[cfg.Opt] = [
    cfg.FloatOpt(
        "interval_s",
        default=10.0,
        min=1.0,
        max=INTERVAL_MAX_S,
        help="""
How often to look at Nova and Placement, in seconds.

Schedulers take a monitor for alive as long as its last cycle is not older than
60 seconds, of which this may be half.

New results and a new policy are judged at once by what is known of the cloud
already; the interval is how long a forced placement may go unnoticed.

Related options:

* ``full_listing_s``
* ``[nfv_mla] refresh_interval_s``: how often new results are looked for.
""",
    ),
    cfg.FloatOpt(
        "full_listing_s",
        default=3600.0,
        min=60.0,
        max=86400.0,
        help="""
How often to list all servers, rather than what has changed, in seconds.

It finds what a change did not show. 100,000 servers take some hundred
requests.

Related options:

* ``overlap_s``
""",
    ),
    cfg.FloatOpt(
        "overlap_s",
        default=300.0,
        min=10.0,
        max=3600.0,
        help="""
How far back to ask again for what has changed, in seconds.

Nova dates changes by the clock of whoever made them. Clocks that differ by
more than this hide changes until the next full listing.

Related options:

* ``full_listing_s`` must not be smaller.
""",
    ),
    cfg.FloatOpt(
        "picture_max_age_s",
        default=120.0,
        min=10.0,
        max=3600.0,
        help="""
How old what is known of the cloud may be for evictions, in seconds.

As long as Nova or Placement do not answer, the monitor judges and fences by
what it saw last. When that is older than this, nothing is moved or halted.

Related options:

* ``interval_s`` must not be larger.
""",
    ),
    cfg.FloatOpt(
        "request_timeout_s",
        default=60.0,
        min=1.0,
        max=600.0,
        help="""
How long Nova or Placement may take to answer one request, in seconds.
""",
    ),
    cfg.IntOpt(
        "workers",
        default=8,
        min=1,
        max=64,
        help="""
How many requests are made at the same time.

Each one is a connection to Nova's API. With 8, and an API that takes 20 ms
for a call, the 50 servers of a host are locked in well under a second.
""",
    ),
]
