# SPDX-License-Identifier: Apache-2.0
"""The options of the collector, as oslo.config knows them."""

from __future__ import annotations

from oslo_config import cfg

from nfv_mla_scheduler.serving import listening

GROUP = cfg.OptGroup(
    "nfv_mla_collector",
    title="Collector of attestation results",
    help="""
The collector asks attestation authorities and publishes what they say in a
results document that it signs. Which hosts it asks about and how often is
said by the signed policy, which ``[nfv_mla]`` names. The options are read
when the process starts; the policy is read again whenever it changes.
""",
)

AUTHORITY_PREFIX = "nfv_mla_authority_"

AUTHORITIES = cfg.ListOpt(
    "authorities",
    default=[],
    help="""
The authorities to ask.

Each one has a group of options of its own, ``[nfv_mla_authority_NAME]``.

Possible values:

* A comma-separated list of names, as the policy has them under
  ``authorities``. An authority that the policy lets this collector speak for
  and that is not in the list is not asked, and the log says so.

Related options:

* ``[nfv_mla_authority_NAME] driver``
""",
)

_DOCUMENT = [
    cfg.StrOpt(
        "name",
        default="",
        help="""
The name of this collector, as the policy has it under ``collectors``.

The policy gives the public key to this name, and the authorities that it may
speak for.

Related options:

* ``key_file``
""",
    ),
    cfg.StrOpt(
        "key_file",
        default="",
        help="""
The private key that signs the results documents.

The policy has the public one. Only the collector should be able to read the
file: whoever can, can claim anything of any host for this collector's
authorities.

Possible values:

* An absolute path of a PEM file with one ed25519 or ECDSA (P-256, P-384) key.

Related options:

* ``key_passphrase_file``, for a key that is encrypted
""",
    ),
    cfg.StrOpt(
        "key_passphrase_file",
        default="",
        help="""
A file whose first line is the passphrase of ``key_file``.

Possible values:

* An absolute path. Empty (the default): the environment variable
  ``NFV_MLA_PASSPHRASE`` has it, if the key is encrypted.

Related options:

* ``key_file``
""",
    ),
    cfg.StrOpt(
        "results_file",
        default="",
        help="""
The results document that this collector publishes.

It is replaced in one step, with mode 0640. Give its directory the group of
those who read it, and the setgid bit. When the collector starts it takes up
its own last document from here. A lock file beside it keeps a second
collector from publishing to the same place.

Possible values:

* An absolute path, in a directory that the collector may write to.

Related options:

* ``[nfv_mla] results_file`` names the same file where it is read.
""",
    ),
    cfg.FloatOpt(
        "publish_interval_s",
        default=1.0,
        min=0.1,
        max=60.0,
        help="""
How long to wait at least between two documents, in seconds.

A document is published when something has changed, and once a minute in any
case. A collector of many hosts waits longer by itself, so that it is busy
publishing for no more than a tenth of the time.
""",
    ),
    cfg.StrOpt(
        "status_file",
        default="",
        help="""
A file that says how each authority stands, in JSON.

``nfv-mla collector status --status-file`` prints it. It is replaced in one
step whenever a document is published, and every 10 seconds in any case.

Possible values:

* An absolute path. Empty (the default): there is none.
""",
    ),
]

_HTTPS = listening.options(
    listen="""
Where to serve results, status and metrics over HTTPS.

Possible values:

* ``HOST:PORT``, an IPv6 address in brackets (``[::1]:8443``). Empty (the
  default): nothing is served, and readers share the file.
""",
    clients="""
Which hosts pass which checks is nobody else's business, so that whoever has
no certificate of it is turned away.
""",
)

DRIVER = cfg.StrOpt(
    "driver",
    default="",
    help="""
The driver that knows how to ask this authority.

Possible values:

* The name of an installed driver; this package brings ``ear`` (attestation
  results after the IETF, RFC 9711 and draft-ietf-rats-ear, over HTTPS),
  ``keylime`` (Keylime's verifiers) and
  ``lab`` (for development).
""",
)

OPTIONS: list[cfg.Opt] = [*_DOCUMENT, AUTHORITIES, *_HTTPS]
