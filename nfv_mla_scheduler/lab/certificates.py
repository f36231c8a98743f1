# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of our own, and what it issues.  Pure.

All valid for ``LIFE_DAYS``.  The private key of the authority is not kept, so
that nobody can issue more in its name.
"""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.oid import NameOID

from nfv_mla_scheduler.lab.keys import new_key
from nfv_mla_scheduler.lab.keys import private_pem
from nfv_mla_scheduler.model import Instant

LIFE_DAYS = 365

# Clocks of those who connect may be a little behind.
_EARLIER_S = 300
# What is left of the 64 characters of a common name (RFC 5280).
_NAME_MAX = 40


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Certificates:
    """What both sides of mutual TLS need.

    :ivar ca: certificate of the authority that issued both
    """

    ca: bytes
    server: Pair
    client: Pair


def make_certificates(
    name: str, hosts: Sequence[str], now: Instant
) -> Certificates:
    """Make an authority, and let it issue to a server and to a client.

    :param name: for people, in the subjects; cut where it is too long
    :param hosts: addresses and names under which the server is reached
    """
    name = name[:_NAME_MAX]
    issuer = _Issuer(f"{name} CA, development only", now)
    names = x509.SubjectAlternativeName([_name(host) for host in hosts])
    return Certificates(
        issuer.certificate,
        issuer.issue(f"{name} server", ExtendedKeyUsageOID.SERVER_AUTH, names),
        issuer.issue(f"{name} client", ExtendedKeyUsageOID.CLIENT_AUTH),
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class _Issuer:
    def __init__(self, subject: str, now: Instant) -> None:
        self._key = new_key()
        self._name = _subject(subject)
        self._since = datetime.datetime.fromtimestamp(
            int(now) - _EARLIER_S, datetime.UTC
        )
        public = self._key.public_key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        self._authority = (
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                identifier
            )
        )
        builder = (
            self._builder(self._name, public)
            .add_extension(x509.BasicConstraints(True, 0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
        )
        self.certificate = self._sign(builder)

    def issue(
        self,
        subject: str,
        purpose: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None = None,
    ) -> Pair:
        key = new_key()
        builder = (
            self._builder(_subject(subject), key.public_key())
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(self._authority, critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return Pair(self._sign(builder), private_pem(key))

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        until = self._since + datetime.timedelta(
            days=LIFE_DAYS, seconds=_EARLIER_S
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._since)
            .not_valid_after(until)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(public),
                critical=False,
            )
        )

    def _sign(self, builder: x509.CertificateBuilder) -> bytes:
        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(Encoding.PEM)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
