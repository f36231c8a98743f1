# SPDX-License-Identifier: Apache-2.0
"""A node's certificates: of its endorsement key, and for its own server."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keylime_box import certificates


def endorse(directory: Path, tpm: Path, ek_der: bytes) -> bytes:
    """Return the certificate of an endorsement key, as DER; made once.

    :param directory: the box's certificates
    :param tpm: the directory of the TPM that the key is in
    """
    kept = tpm / "ek.crt"
    if not kept.exists():
        issuer = x509.load_pem_x509_certificate(
            (directory / f"{certificates.ENDORSEMENT}.crt").read_bytes()
        )
        signer = load_pem_private_key(
            (directory / f"{certificates.ENDORSEMENT}.key").read_bytes(), None
        )
        key = load_der_public_key(ek_der)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        assert isinstance(key, rsa.RSAPublicKey)
        made = certificates.builder(
            certificates.name("endorsement key"), issuer.subject, key
        ).sign(signer, hashes.SHA256())
        kept.write_bytes(made.public_bytes(Encoding.DER))
    return kept.read_bytes()


def self_sign(directory: Path, agent_id: str) -> tuple[str, str]:
    """Return a node's own certificate and its public key, as PEM; made once.

    It stays as it is when the node comes back, as the verifier keeps it.
    """
    kept = directory / "agent.crt"
    if not kept.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        named = certificates.name(agent_id)
        made = (
            certificates.builder(named, named, key.public_key())
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(agent_id)]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        certificates.write(directory / "agent.key", certificates.pem(key))
        certificates.write(kept, made.public_bytes(Encoding.PEM))
    certificate = x509.load_pem_x509_certificate(kept.read_bytes())
    public = certificate.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return kept.read_text(), public.decode()
