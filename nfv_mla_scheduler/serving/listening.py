# SPDX-License-Identifier: Apache-2.0
"""The options of whoever serves over HTTPS, and what they come to.

Touches nothing.  The files that they name are read when a server is made.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.conf.reading import Section
from nfv_mla_scheduler.serving.server import ServerSettings


def options(listen: str, clients: str) -> list[cfg.Opt]:
    """Return the options of one service.

    :param listen: help of ``listen``: what is served, and what there may be
    :param clients: help of ``tls_client_ca_file``: who gets what
    """
    return [
        cfg.StrOpt(
            "listen",
            default="",
            help=f"""{listen}
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
            help=f"""
The authority that must have issued the certificates of clients, in PEM.
{clients}
Possible values:

* An absolute path.

Related options:

* ``listen``
""",
        ),
    ]


def settings(
    section: Section, values: dict[str, Any], *, anybody: bool = False
) -> ServerSettings | None:
    """Return where to serve; None: nowhere.

    :param values: of :func:`options`, and maybe others, by their names
    :param anybody: clients without a certificate are let in as well
    :raises SettingsError: naming group and option at fault, in one line
    """
    paths = {
        name: section.path(name, values[name])
        for name in ("tls_cert_file", "tls_key_file", "tls_client_ca_file")
    }
    text = values["listen"]
    if not text:
        return None
    found = re.fullmatch(
        r"(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^\s:\[\]]+):(\d{1,5})", text
    )
    if found is None or int(found[2]) > 65535:
        raise section.wrong("listen", "must be HOST:PORT", text)

    def needed(name: str) -> pathlib.Path:
        path = paths[name]
        if path is None:
            raise section.wrong(name, "must be set beside listen")
        return path

    return ServerSettings(
        found[1].strip("[]"),
        int(found[2]),
        needed("tls_cert_file"),
        needed("tls_key_file"),
        needed("tls_client_ca_file"),
        anybody=anybody,
    )
