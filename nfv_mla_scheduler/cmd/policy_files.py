# SPDX-License-Identifier: Apache-2.0
"""Read and write the files that commands are given, and get passphrases."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.envelope import ENVELOPE_MAX
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.envelope import check_type
from nfv_mla_scheduler.policy.envelope import read_envelope
from nfv_mla_scheduler.policy.officers import Passphrase
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.catalogue import load

PASSPHRASE = "NFV_MLA_PASSPHRASE"  # noqa: S105  a name, not a secret


def now() -> float:
    """Return the time, in seconds since the epoch."""
    return time.time()


def read_bytes(path: str) -> bytes:
    """Return a file's bytes, or those of standard input for ``-``."""
    if path == "-":
        data = sys.stdin.buffer.read(ENVELOPE_MAX + 1)
    else:
        with open(path, "rb") as file:
            data = file.read(ENVELOPE_MAX + 1)
    if len(data) > ENVELOPE_MAX:
        raise PolicyRefused(
            PolicyCode.TOO_LARGE, f"{path}: is larger than any policy"
        )
    return data


def is_envelope(data: bytes) -> bool:
    """Whether a file looks like an envelope rather than like YAML."""
    return data.lstrip()[:1] == b"{" and b'"payloadType"' in data


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Say which file it is that is refused."""
    try:
        yield
    except PolicyRefused as exc:
        raise PolicyRefused(
            exc.reason, f"{path}: {exc}", exc.problems
        ) from None


def read_payload(path: str) -> bytes:
    """Return the YAML of a policy, out of its envelope if it is in one.

    Signatures are not looked at.
    """
    data = read_bytes(path)
    if not is_envelope(data):
        return data
    with naming(path):
        envelope = read_envelope(data)
        check_type(envelope, POLICY_TYPE)
    return envelope.payload


def read_unsigned(path: str) -> Policy:
    """Return the policy in a file, whoever signed it.

    :raises PolicyRefused: after all its problems have been printed
    """
    payload = read_payload(path)
    with naming(path):
        try:
            return read_policy(payload, load())
        except PolicyRefused as exc:
            print_problems(path, exc.problems)
            raise


def print_problems(
    path: str, problems: tuple[Problem, ...], kind: str = ""
) -> None:
    """Print problems as compilers do, one on a line."""
    for problem in problems:
        value = f" ({problem.value})" if problem.value else ""
        where = f"{path}:{problem.line}: {kind}{problem.path}"
        print(f"{where}: {problem.message}{value}")


def write_file(path: str, data: bytes, *, replace: bool) -> None:
    """Write a file whole or not at all.

    :param replace: whether it may exist already
    """
    target = pathlib.Path(path)
    if not replace and target.exists():
        raise KeyFileError(
            f"{path}: exists already; name another file with --out"
        )
    if not target.parent.is_dir():
        raise KeyFileError(f"{target.parent}: is no directory")
    handle, temporary = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}."
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def passphrase_argument(command: argparse.ArgumentParser) -> None:
    """Add the option that :func:`passphrase` looks at."""
    command.add_argument(
        "--passphrase-file",
        metavar="FILE",
        help="read the passphrase from the first line of FILE, rather than "
        f"from {PASSPHRASE} or the terminal",
    )


def passphrase(args: argparse.Namespace) -> Passphrase:
    """Return how to get a passphrase: a file, the environment, or a person."""

    def ask(prompt: str) -> bytes:
        if args.passphrase_file:
            with open(args.passphrase_file, "rb") as file:
                secret = file.readline(4096).rstrip(b"\r\n")
        elif PASSPHRASE in os.environ:
            secret = os.environ[PASSPHRASE].encode()
        elif sys.stdin.isatty():
            secret = getpass.getpass(prompt).encode()
        else:
            raise KeyFileError(
                "a passphrase is needed: use --passphrase-file or "
                f"{PASSPHRASE}"
            )
        if not secret:
            raise KeyFileError("the passphrase is empty")
        return secret

    return ask
