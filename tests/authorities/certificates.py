# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made when they run: a CA, servers and clients.

ca = make_ca()
ca_file = ca.write(directory)
server = ca.issue_server(directory, "127.0.0.1", "localhost")
client = ca.issue_client(directory)
context.load_cert_chain(server.cert_file, server.key_file)
"""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Issued:
    """Where a certificate and its key are, both in PEM."""

    cert_file: pathlib.Path
    key_file: pathlib.Path


@dataclasses.dataclass(frozen=True, slots=True)
class Ca:
    """A CA that signs whatever it is asked to."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def write(
        self, directory: pathlib.Path, name: str = "ca.pem"
    ) -> pathlib.Path:
        """Write the CA's own certificate; return where it is."""
        path = directory / name
        path.write_bytes(_pem(self.certificate))
        return path

    def issue_server(
        self,
        directory: pathlib.Path,
        *names: str,
        file: str = "server",
        starts: datetime.timedelta = -DAY,
        ends: datetime.timedelta = DAY,
    ) -> Issued:
        """Issue a server's certificate for addresses and host names.

        :param starts: from now, when it becomes valid
        :param ends: from now, when it expires
        """
        return self._issue(
            directory,
            file,
            x509.SubjectAlternativeName([_name(name) for name in names]),
            ExtendedKeyUsageOID.SERVER_AUTH,
            (starts, ends),
        )

    def issue_client(
        self,
        directory: pathlib.Path,
        name: str = "client",
        *,
        ends: datetime.timedelta = DAY,
    ) -> Issued:
        """Issue a client's certificate."""
        return self._issue(
            directory,
            name,
            x509.SubjectAlternativeName([x509.DNSName(name)]),
            ExtendedKeyUsageOID.CLIENT_AUTH,
            (-DAY, ends),
        )

    def _issue(
        self,
        directory: pathlib.Path,
        file: str,
        names: x509.SubjectAlternativeName,
        usage: x509.ObjectIdentifier,
        valid: tuple[datetime.timedelta, datetime.timedelta],
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _draft(file, self.certificate.subject, key, valid)
            .add_extension(names, critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_authority_of(self.key), critical=False)
            .add_extension(
                x509.BasicConstraints(ca=False, path_length=None),
                critical=True,
            )
            .sign(self.key, hashes.SHA256())
        )
        issued = Issued(directory / f"{file}.pem", directory / f"{file}.key")
        issued.cert_file.write_bytes(_pem(certificate))
        issued.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        issued.key_file.chmod(0o600)
        return issued


def make_ca(
    name: str = "a CA for tests", *, ends: datetime.timedelta = DAY
) -> Ca:
    """Make a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    draft = _draft(
        name,
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        key,
        (-DAY, ends),
    )
    certificate = (
        draft.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        .add_extension(_signs_certificates(), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return Ca(certificate, key)


def _draft(
    subject: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid: tuple[datetime.timedelta, datetime.timedelta],
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        )
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid[0])
        .not_valid_after(now + valid[1])
    )


def _authority_of(
    key: ec.EllipticCurvePrivateKey,
) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
