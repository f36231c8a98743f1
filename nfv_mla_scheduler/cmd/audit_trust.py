# SPDX-License-Identifier: Apache-2.0
"""What verifying a ledger takes: its directory, keys, kept checkpoints.

Touches configuration, key files, kept checkpoints, and the ledger.
"""

from __future__ import annotations

import argparse
import pathlib

from securesystemslib.signer import Key  # type: ignore[attr-defined]

from nfv_mla_scheduler.audit.checkpoint import Checkpoint
from nfv_mla_scheduler.audit.reading import files
from nfv_mla_scheduler.audit.reading import kept
from nfv_mla_scheduler.audit.reading.report import Report
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.audit.reading.whole import verify
from nfv_mla_scheduler.cmd.audit_place import place
from nfv_mla_scheduler.cmd.audit_place import place_arguments
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.policy.root import PEM_MAX
from nfv_mla_scheduler.policy.root import read_public_key

FAILED = 1
#: What is wrong with what a command was given, rather than with a ledger.
MISUSES = (SettingsError, KeyFileError)


def trust_arguments(
    command: argparse.ArgumentParser, *, key_needed: bool
) -> None:
    """Add the arguments that :func:`verified` looks at."""
    place_arguments(command)
    command.add_argument(
        "--key",
        dest="keys",
        action="append",
        default=[],
        required=key_needed,
        metavar="[ORIGIN=]FILE",
        help="PEM, the public key of an audit_key_file; with ORIGIN= it "
        "counts only for the origins that begin so, in whole parts between "
        "dots; may be given several times",
    )
    command.add_argument(
        "--checkpoint",
        dest="kept",
        action="append",
        default=[],
        type=pathlib.Path,
        metavar="FILE",
        help="checkpoints that were kept elsewhere, as 'audit checkpoint' "
        "writes them; may be given several times",
    )


def verified(args: argparse.Namespace) -> Report:
    """Return what is found of the ledger.

    :raises SettingsError: when there is no ledger where it should be
    :raises KeyFileError: when a file holds no public key
    :raises KeptRefused: when a file holds no checkpoints that count
    :raises LedgerUnreadable: when the directory cannot be listed
    """
    trust = Trust(tuple(_key(text) for text in args.keys))
    directory = place(args)
    if not files.origins(directory):
        raise SettingsError(f"{directory}: holds no ledger: it is empty")
    known = [one for path in args.kept for one in _kept(path, trust)]
    return verify(directory, trust, known)


def _key(text: str) -> tuple[str, Key]:
    origin, path = "", pathlib.Path(text)
    if "=" in text and not path.exists():
        origin, _, named = text.partition("=")
        path = pathlib.Path(named)
    try:
        with path.open("rb") as file:
            pem = file.read(PEM_MAX + 1)
    except OSError as exc:
        raise KeyFileError(f"{path}: {exc.strerror}") from None
    if b"PRIVATE KEY" in pem:
        raise KeyFileError(
            f"{path}: holds a private key; make the public one of it with "
            "openssl pkey -in KEY -pubout"
        )
    return origin, read_public_key(pem, str(path))


def _kept(path: pathlib.Path, trust: Trust) -> list[Checkpoint]:
    try:
        return kept.read(path, trust)
    except OSError as exc:
        raise SettingsError(f"{path}: {exc.strerror}") from None
