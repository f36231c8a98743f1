# SPDX-License-Identifier: Apache-2.0
"""What drivers that speak HTTPS have in common: options, and a client.

Reads the files that options name; opens no connection.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls

OPTIONS = (
    cfg.StrOpt(
        "url",
        default="",
        help="""
Where the authority is asked for results.

Possible values:

* A URL that begins with ``https://``. Nothing else is asked: a redirect is
  not followed, and proxies that the environment names are not used.

Related options:

* ``ca_file`` says who may vouch for the server.
""",
    ),
    cfg.StrOpt(
        "ca_file",
        default="",
        help="""
The certificates that may vouch for the authority's server, in PEM.

These alone count, and never those that the system trusts. They may be of a
root, of an intermediate CA, or of the server itself. The file is read again
when it changes.

Possible values:

* An absolute path. It must be set.

Related options:

* ``server_name``
""",
    ),
    cfg.StrOpt(
        "cert_file",
        default="",
        help="""
The client certificate with which to ask, in PEM, with its chain.

It should be one that may read results and do nothing else. It is read again
when it changes.

Possible values:

* An absolute path. Empty (the default): the authority lets anyone read.

Related options:

* ``key_file``
""",
    ),
    cfg.StrOpt(
        "key_file",
        default="",
        help="""
The private key of the client certificate, in PEM, without a passphrase.

Possible values:

* An absolute path. Empty (the default): the key is in ``cert_file``.

Related options:

* ``cert_file``
""",
    ),
    cfg.StrOpt(
        "server_name",
        default="",
        help="""
The name that the certificate of the authority's server has to be for.

For a server that is reached by another name or address than the one in its
certificate.

Possible values:

* A host name or an address. Empty (the default): the host of ``url``.

Related options:

* ``url``, ``ca_file``
""",
    ),
    cfg.FloatOpt(
        "timeout_s",
        default=30.0,
        min=0.1,
        max=600.0,
        help="""
How long one exchange with the authority may take, in seconds.

From connecting to the last byte of the answer, whatever the server does in
between. Only the look-up of a host name cannot be cut short, and takes as
long as the resolver of this system is configured to take.

Related options:

* ``max_bytes``
""",
    ),
    cfg.IntOpt(
        "max_bytes",
        default=64 * 2**20,
        min=1024,
        max=2**30,
        help="""
How long an answer of the authority may be, in bytes.

A longer one is not taken, and not read to its end.

Related options:

* ``timeout_s``
""",
    ),
)


def client(options: Mapping[str, Any], url: str) -> Client:
    """Return a client of the authority's server.

    :param options: with values for :data:`OPTIONS`
    :param url: in which nothing is left to be filled in
    :raises SettingsError: naming the option at fault
    """
    ca_file = path(options, "ca_file")
    if ca_file is None:
        raise SettingsError("ca_file: must be set")
    tls = Tls(
        ca_file,
        path(options, "cert_file"),
        path(options, "key_file"),
        options["server_name"] or None,
    )
    if not url:
        raise SettingsError("url: must be set")
    return Client(
        url,
        tls,
        deadline_s=options["timeout_s"],
        max_bytes=options["max_bytes"],
    )


def path(options: Mapping[str, Any], name: str) -> pathlib.Path | None:
    """Return the path that an option holds; ``None``: it is not set.

    :raises SettingsError: when it is no absolute path
    """
    text = options[name]
    if not text:
        return None
    if not text.startswith("/") or not text.isprintable():
        raise SettingsError(
            f"{name}: must be an absolute path ({bounded(text)!r})"
        )
    return pathlib.Path(text)
