# SPDX-License-Identifier: Apache-2.0
"""The options of the monitor, as oslo.config knows them."""

from __future__ import annotations

from oslo_config import cfg

from nfv_mla_scheduler.monitor.planning.situation import Arming

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


_ACTING = [
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

_LOOKING = [
    cfg.FloatOpt(
        "interval_s",
        default=10.0,
        min=1.0,
        max=600.0,
        help="""
How often to look at Nova and Placement, in seconds.

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

_DEADLINES = [
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

_SERVING = [
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
    cfg.StrOpt(
        "listen",
        default="",
        help="""
Where to serve webhook, status, metrics and liveness over HTTPS.

Possible values:

* ``HOST:PORT``, an IPv6 address in brackets (``[::1]:8444``). Empty (the
  default): nothing is served, and news of an authority is noticed when the
  collector has asked it.

Related options:

* ``tls_cert_file``, ``tls_key_file`` and ``tls_client_ca_file`` must be set.
""",
    ),
    cfg.StrOpt(
        "tls_cert_file",
        default="",
        help="""
The certificate of the server, with its chain, in PEM.

Possible values:

* An absolute path.

Related options:

* ``listen``, ``tls_key_file``
""",
    ),
    cfg.StrOpt(
        "tls_key_file",
        default="",
        help="""
The private key of the server's certificate, in PEM, without a passphrase.

Possible values:

* An absolute path.

Related options:

* ``listen``, ``tls_cert_file``
""",
    ),
    cfg.StrOpt(
        "tls_client_ca_file",
        default="",
        help="""
The authority that must have issued the certificates of clients, in PEM.

Status and metrics are for clients with such a certificate alone. Anybody may
knock at the webhook, and ask whether the monitor lives and is ready: what a
knock says is never believed, it only has the monitor look earlier. A
certificate of somebody else is turned away.

Possible values:

* An absolute path.

Related options:

* ``listen``
""",
    ),
]

OPTIONS: list[cfg.Opt] = [*_ACTING, *_LOOKING, *_DEADLINES, *_SERVING]
