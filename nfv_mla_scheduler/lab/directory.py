# SPDX-License-Identifier: Apache-2.0
"""The directory of a lab: which files it holds, and how it is made.

Touches files, and nothing else.  Nothing is ever replaced.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import pathlib
from collections.abc import Sequence

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.lab.certificates import make_certificates
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.keys import new_key
from nfv_mla_scheduler.lab.keys import private_pem
from nfv_mla_scheduler.lab.starter import starter_attesters
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.officers import create

NAME = "lab"
HOSTS = ("127.0.0.1", "localhost", "::1")
PORT = 8790
RESULTS = "/results"

_SECRET = 0o600
_PUBLIC = 0o644


@dataclasses.dataclass(frozen=True, slots=True)
class Directory:
    """Where everything lies.

    :ivar path: of the directory, absolute
    """

    path: pathlib.Path

    @property
    def ca(self) -> pathlib.Path:
        """The certificate authority of both sides."""
        return self.path / "ca.pem"

    @property
    def server(self) -> pathlib.Path:
        """The server's certificate; its key is ``server.key``."""
        return self.path / "server.pem"

    @property
    def client(self) -> pathlib.Path:
        """The client's certificate; its key is ``client.key``."""
        return self.path / "client.pem"

    @property
    def signing_key(self) -> pathlib.Path:
        """The private key that signs tokens."""
        return self.path / "signing.key"

    @property
    def jwk_set(self) -> pathlib.Path:
        """The public key that verifies them."""
        return self.path / "keys.json"

    @property
    def attesters(self) -> pathlib.Path:
        """What is said of hosts."""
        return self.path / "attesters.yaml"

    @property
    def collector(self) -> pathlib.Path:
        """The lines for the collector's configuration."""
        return self.path / "collector.conf"


def directory(path: pathlib.Path) -> Directory:
    """Return the directory at ``path``, which need not exist."""
    return Directory(path.resolve())


def key_of(certificate: pathlib.Path) -> pathlib.Path:
    """Return where the private key of a certificate lies."""
    return certificate.with_suffix(".key")


def url(host: str, port: int) -> str:
    """Return where a server is reached, without a path."""
    try:
        if ipaddress.ip_address(host).version == 6:
            host = f"[{host}]"
    except ValueError:
        pass
    return f"https://{host}:{port}"


def make(
    path: pathlib.Path,
    attesters: Sequence[str],
    name: str = NAME,
    hosts: Sequence[str] = HOSTS,
    port: int = PORT,
    *,
    now: Instant,
) -> Directory:
    """Make a new directory with everything in it.

    :param name: of the authority, as the policy has it
    :param hosts: addresses and names for the server's certificate; the first
        one stands in the configuration
    :raises KeyFileError: when the directory holds something already, or
        cannot be written
    """
    made = directory(path)
    certificates = make_certificates(name, hosts, now)
    keys = Keys.of(new_key())
    jwk_set = json.dumps(keys.jwk_set(), indent=2) + "\n"
    contents = (
        (made.ca, certificates.ca, _PUBLIC),
        (made.server, certificates.server.certificate, _PUBLIC),
        (key_of(made.server), certificates.server.key, _SECRET),
        (made.client, certificates.client.certificate, _PUBLIC),
        (key_of(made.client), certificates.client.key, _SECRET),
        (made.signing_key, private_pem(keys.own), _SECRET),
        (made.jwk_set, jwk_set.encode(), _PUBLIC),
        (made.attesters, starter_attesters(name, attesters).encode(), _PUBLIC),
        (made.collector, _options(made, name, hosts[0], port), _PUBLIC),
    )
    try:
        made.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        full = any(made.path.iterdir())
    except OSError as exc:
        raise KeyFileError(f"{made.path}: {exc.strerror}") from None
    if full:
        raise KeyFileError(
            f"{made.path}: is not empty, and nothing in it is replaced"
        )
    for file, data, mode in contents:
        create(file, data, mode)
    return made


def _options(made: Directory, name: str, host: str, port: int) -> bytes:
    """Return the authority's group in the collector's configuration."""
    return f"""\
[nfv_mla_authority_{name}]
driver = lab
url = {url(host, port)}{RESULTS}
ca_file = {made.ca}
cert_file = {made.client}
key_file = {key_of(made.client)}
keys_file = {made.jwk_set}
issuer = {name}
""".encode()
