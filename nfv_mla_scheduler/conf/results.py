# SPDX-License-Identifier: Apache-2.0
"""The options about results: where they come from, how they are read."""

from __future__ import annotations

import enum

from oslo_config import cfg


class ResultsFrom(enum.Enum):
    """Where results come from."""

    FILE = "file"
    HTTPS = "https"
    EMBEDDED = "embedded"


OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "results",
        default=ResultsFrom.FILE.value,
        choices=[
            (
                ResultsFrom.FILE.value,
                "From the signed document in ``results_file``",
            ),
            (
                ResultsFrom.HTTPS.value,
                "From a collector, which serves its signed document at "
                "``results_url``",
            ),
            (
                ResultsFrom.EMBEDDED.value,
                "From the authorities themselves: each worker asks them, as "
                "a collector would",
            ),
        ],
        help="""
Where results come from.

With ``file`` and ``https`` a collector asks the authorities, holds the
credentials for it, and signs what they say. With ``embedded`` there is no
collector, and nothing is signed: every worker asks the authorities that
``[nfv_mla_collector] authorities`` names, by the groups of options of a
collector. It is for small sites, and refused for a driver whose credential
can do more than read.

Related options:

* ``results_file`` goes with ``file``; ``results_url``, ``results_ca_file``,
  ``results_cert_file`` and ``results_key_file`` go with ``https``.
""",
    ),
    cfg.StrOpt(
        "results_file",
        default="",
        help="""
The signed results document.

It is what the collector publishes, or what a site signs that attests by
other means. The key that must have signed it is in the policy.

Possible values:

* An absolute path. Empty (the default): with ``results = file`` there are no
  results, hence no server that asks for attested hosts is placed.

Related options:

* ``results``, ``refresh_interval_s``, ``results_max_bytes``, ``max_skew_s``
""",
    ),
    cfg.StrOpt(
        "results_url",
        default="",
        help="""
The signed results document of a collector that serves it over HTTPS.

A thread waits there for the next document, and of that only what has changed
is sent. The collector's signature decides as it does for a file; TLS keeps
others from reading along.

Possible values:

* A URL such as ``https://collector.example:8443/v1/results``. The server's
  certificate has to be for its host. It is asked directly, through no proxy,
  and redirects are not followed.

Related options:

* ``results``, ``results_ca_file``, ``results_cert_file``,
  ``results_key_file``, ``results_max_bytes``, ``max_skew_s``
* ``[nfv_mla_collector] listen`` of the collector.
""",
    ),
    cfg.StrOpt(
        "results_ca_file",
        default="",
        help="""
Who may vouch for the server at ``results_url``.

Possible values:

* An absolute path of a PEM file. The certificates in it and no others count;
  those of the system do not.

Related options:

* ``results_url``
""",
    ),
    cfg.StrOpt(
        "results_cert_file",
        default="",
        help="""
The certificate by which this process is let in at ``results_url``.

Possible values:

* An absolute path of a PEM file: a client certificate, and what leads to its
  CA. It is read again when it changes.

Related options:

* ``results_key_file``
* ``[nfv_mla_collector] tls_client_ca_file`` of the collector must know its
  CA.
""",
    ),
    cfg.StrOpt(
        "results_key_file",
        default="",
        help="""
The private key of ``results_cert_file``.

Possible values:

* An absolute path of a PEM file without a passphrase.

Related options:

* ``results_cert_file``
""",
    ),
    cfg.IntOpt(
        "results_max_bytes",
        default=64 * 2**20,
        min=64 * 2**10,
        max=2**30,
        help="""
Largest results document that is read, in bytes.

A larger one is refused unread, and the results that are held grow old.
10,000 hosts at two authorities need about 4 MB.

Related options:

* ``results_file``, ``results_url``
""",
    ),
    cfg.FloatOpt(
        "refresh_interval_s",
        default=1.0,
        min=0.1,
        max=60.0,
        help="""
How often to look for a new policy or new results, in seconds.

A thread in the background does; placement never waits for it, but for the
first time (``first_load_timeout_s``). What did not change is not read again.
Results that come over HTTPS are taken as they come.

Related options:

* ``policy_file``, ``results_file``, ``break_glass_dir``
""",
    ),
    cfg.FloatOpt(
        "first_load_timeout_s",
        default=5.0,
        min=0.0,
        max=30.0,
        help="""
How long the first request may wait for policy and results, in seconds.

Afterwards it is judged by what there is, which may be nothing. Keep it well
below ``[DEFAULT] rpc_response_timeout``. 0 does not wait.
""",
    ),
    cfg.FloatOpt(
        "max_skew_s",
        default=30.0,
        min=0.0,
        max=300.0,
        help="""
How far the clocks of authorities and collectors may be ahead, in seconds.

A result from further in the future is left out, as it would stay fresh for
too long. Keep clocks synchronised rather than raising this.
""",
    ),
    cfg.IntOpt(
        "boot_max_age_s",
        default=86400,
        min=60,
        max=31536000,
        help="""
How long boot-time claims live if nothing tells boots apart, in seconds.

Boot-time claims live until the boot ends. Where an authority says which boot
it saw, that is known; where it does not, they expire after this time.
""",
    ),
]
