# SPDX-License-Identifier: Apache-2.0
"""Key files: the officers' public keys, and their own private ones.

Touches files, and nothing else.  Private keys are PKCS#8 in PEM, written
with mode 0600 and never over an existing file.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
)
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.policy.root import KINDS
from nfv_mla_scheduler.policy.root import PEM_MAX
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.root import is_taken
from nfv_mla_scheduler.policy.root import key_id

Passphrase = Callable[[str], bytes]


def read_root(paths: Iterable[str | os.PathLike[str]], threshold: int) -> Root:
    """Return the root of trust that configuration names.

    :param paths: PEM files, one officer's public key in each
    :raises KeyFileError: when a file cannot be read
    :raises PolicyRefused: with BAD_ROOT, when the keys do not make a root
    """
    pems = [(os.fspath(path), _read(path)) for path in paths]
    return Root.of(pems, threshold)


def read_signer(
    path: str | os.PathLike[str], passphrase: Passphrase
) -> CryptoSigner:
    """Return a signer whose private key is in a PEM file.

    :param passphrase: called with a prompt when the key is encrypted
    :raises KeyFileError: when there is no such key in the file
    """
    name = os.fspath(path)
    pem = _read(path)
    if b"PRIVATE KEY" not in pem:
        raise KeyFileError(f"{name}: holds no private key in PEM")
    secret = None
    if b"ENCRYPTED" in pem:
        secret = passphrase(f"Passphrase of {name}: ")
    try:
        private = load_pem_private_key(pem, password=secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        reason = "the passphrase is wrong, or " if secret is not None else ""
        raise KeyFileError(
            f"{name}: {reason}it is not a private key in PEM"
        ) from None
    if not is_taken(private):
        raise KeyFileError(f"{name}: is a key of another kind than {KINDS}")
    public = private.public_key()
    return CryptoSigner(
        private, SSlibKey.from_crypto(public, keyid=key_id(public))
    )


def write_key_pair(
    directory: pathlib.Path, name: str, secret: bytes | None = None
) -> tuple[pathlib.Path, pathlib.Path]:
    """Make an ed25519 key pair; return the private and the public file.

    :param secret: encrypts the private key; None: it lies there plain
    :raises KeyFileError: when either file exists or cannot be written
    """
    private = ed25519.Ed25519PrivateKey.generate()
    encryption: KeySerializationEncryption = NoEncryption()
    if secret:
        encryption = BestAvailableEncryption(secret)
    private_path = directory / f"{name}.key"
    public_path = directory / f"{name}.pub"
    create(
        private_path,
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
        0o600,
    )
    create(
        public_path,
        private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ),
        0o644,
    )
    return private_path, public_path


def create(path: pathlib.Path, data: bytes, mode: int) -> None:
    """Write a file that must not exist yet.

    :raises KeyFileError: when it exists or cannot be written
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            file.write(data)
    except FileExistsError:
        raise KeyFileError(
            f"{path}: exists already and is not replaced"
        ) from None
    except OSError as exc:
        raise KeyFileError(f"{path}: {exc.strerror}") from None


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(PEM_MAX + 1)
    except OSError as exc:
        raise KeyFileError(f"{os.fspath(path)}: {exc.strerror}") from None
