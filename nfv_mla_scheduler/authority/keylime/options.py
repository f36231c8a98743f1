# SPDX-License-Identifier: Apache-2.0
"""The options of the driver for Keylime, and the clients that they make.

Reads the files that options name; opens no connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.authority import contact
from nfv_mla_scheduler.authority.keylime.trust import Evaluated
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.https import Client

_SHARED = ("ca_file", "timeout_s", "max_bytes")

OPTIONS = (
    cfg.ListOpt(
        "verifiers",
        default=[],
        help="""
Where Keylime's verifiers are.

Each one is asked for all its agents at once. An agent has to be at one of
them: of one that is at two, nothing but a failure counts.

Possible values:

* A comma-separated list of URLs like ``https://verifier.example:8881``. At
  least one. Of verifiers that share a database name one, or say by
  ``?verifier=ID`` at the end which agents are meant of each.

Related options:

* ``ca_file``, ``cert_file``, ``key_file`` and ``server_name`` are for all of
  them, and for the registrar.
""",
    ),
    cfg.StrOpt(
        "registrar",
        default="",
        help="""
Where Keylime's registrar is, which knows the keys of the TPMs.

It is asked about agents whose keys the policy pins, each by itself.

Possible values:

* A URL like ``https://registrar.example:8891``, of the port that wants client
  certificates. It must be set.

Related options:

* ``registrar_recheck_s``
""",
    ),
    cfg.FloatOpt(
        "registrar_recheck_s",
        default=300.0,
        min=1.0,
        max=86400.0,
        help="""
How long what the registrar said of an agent is used, in seconds.

It is asked again sooner when the verifier's record of the agent changes in
anything but times and counts, and when the agent did not pass in between or
may have been enrolled anew. When it does not answer, what it said before is
used for as long again, and then nothing of the agent counts.

Related options:

* ``registrar``
""",
    ),
    cfg.StrOpt(
        "mapping_file",
        default="",
        help="""
A table of which capabilities the policies of Keylime's vouch for.

The file is read again when it changes; one that cannot be taken does not
replace what is known.

Possible values:

* An absolute path of a YAML file. Empty (the default): a measured-boot policy
  vouches for ``measured-boot``, ``attestation`` and ``tpm``, a run-time policy
  for ``software-integrity`` at run time.

Related options:

* ``measured_boot_evaluated``
""",
    ),
    cfg.StrOpt(
        "measured_boot_evaluated",
        default=Evaluated.ONCE.value,
        choices=[
            (Evaluated.ONCE.value, "as Keylime has it by default"),
            (Evaluated.ALWAYS.value, "at each attestation"),
        ],
        help="""
When the verifiers look into the boot logs of agents.

It has to be what ``measured_boot_evaluate`` in the ``verifier.conf`` of all
verifiers is; they do not tell. ``once`` is the first attestation after the
agent was added, and never again: a later boot is looked at by nobody, so that
a measured-boot policy vouches for nothing.

Related options:

* ``mapping_file``
""",
    ),
    cfg.StrOpt(
        "cert_file",
        default="",
        help="""
The client certificate with which to ask, in PEM, with its chain.

Keylime lets every client certificate do everything: whoever has this one can
add, change and remove agents. It belongs to the collector alone. It is read
again when it changes.

Possible values:

* An absolute path. It must be set.

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

* An absolute path. It must be set.

Related options:

* ``cert_file``
""",
    ),
    cfg.StrOpt(
        "server_name",
        default="",
        help="""
The name that the certificates of the servers have to be for.

For servers whose certificates are for one name that is not their own, as those
are that Keylime makes for itself.

Possible values:

* A host name or an address. Empty (the default): the host of each URL.

Related options:

* ``verifiers``, ``registrar``, ``ca_file``
""",
    ),
    *(option for option in contact.OPTIONS if option.name in _SHARED),
)


def verifiers(options: Mapping[str, Any]) -> dict[str, Client]:
    """Return a client of each verifier, by its URL.

    :raises SettingsError: naming the option at fault
    """
    urls = options["verifiers"]
    if not urls:
        raise SettingsError("verifiers: must be set")
    if len(set(urls)) != len(urls):
        raise SettingsError("verifiers: has a URL twice")
    return {url: _client(options, "verifiers", url) for url in urls}


def registrar(options: Mapping[str, Any]) -> Client:
    """Return a client of the registrar.

    :raises SettingsError: naming the option at fault
    """
    return _client(options, "registrar", options["registrar"])


def _client(options: Mapping[str, Any], name: str, url: str) -> Client:
    for needed in ("cert_file", "key_file"):
        if not options[needed]:
            raise SettingsError(f"{needed}: must be set")
    try:
        return contact.client(options, url)
    except SettingsError as exc:
        said = str(exc)
        if said.startswith("url: "):
            raise SettingsError(f"{name}: {said[5:]}") from None
        raise
