# SPDX-License-Identifier: Apache-2.0
"""The certificates of a box, made afresh for each.

One authority signs for the servers and for who may ask them; the software
TPMs' endorsement keys have one of their own.  Writes files alone.
"""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.oid import NameOID

from keylime_box.ports import LOOPBACK

LIFETIME = datetime.timedelta(days=2)
AUTHORITY = "ca.crt"
ENDORSEMENT = "endorsement"


def make(directory: Path) -> None:
    """Write an authority and what it signs: ``NAME.crt`` and ``NAME.key``.

    ``server`` for verifier and registrar, ``client`` for the verifier towards
    the nodes, ``reader`` for a relying party, ``tenant`` for the box itself.
    """
    directory.mkdir(mode=0o700)
    authority = Authority("box")
    write(directory / AUTHORITY, authority.pem)
    for holder in ("server", "client", "reader", "tenant"):
        certificate, key = authority.sign(holder, server=holder == "server")
        write(directory / f"{holder}.crt", certificate)
        write(directory / f"{holder}.key", key)
    endorsement = Authority("endorsement keys")
    write(directory / f"{ENDORSEMENT}.crt", endorsement.pem)
    write(directory / f"{ENDORSEMENT}.key", pem(endorsement.key))


class Authority:
    """A key that signs, and its certificate."""

    def __init__(self, owner: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = name(f"Keylime in a box: {owner}")
        built = builder(self.subject, self.subject, self.key.public_key())
        certificate = built.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        ).sign(self.key, hashes.SHA256())
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, holder: str, *, server: bool) -> tuple[bytes, bytes]:
        """Return a certificate and its key, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = (
            ExtendedKeyUsageOID.SERVER_AUTH
            if server
            else ExtendedKeyUsageOID.CLIENT_AUTH
        )
        certificate = (
            builder(name(holder), self.subject, key.public_key())
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName(
                    [
                        x509.DNSName("localhost"),
                        x509.IPAddress(ipaddress.ip_address(LOOPBACK)),
                    ]
                ),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), pem(key)


def builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
) -> x509.CertificateBuilder:
    """Return a certificate to be, valid from an hour ago."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def name(common: str) -> x509.Name:
    """Return a name of that common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read."""
    path.touch(mode=0o600)
    path.write_bytes(content)
