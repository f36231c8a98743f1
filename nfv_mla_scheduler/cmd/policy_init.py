# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy init``: keys and a signed starter policy."""

from __future__ import annotations

import argparse
import pathlib
import re
import sys

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.cmd.policy_files import now
from nfv_mla_scheduler.cmd.policy_files import passphrase
from nfv_mla_scheduler.cmd.policy_files import write_file
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.officers import Passphrase
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.officers import write_key_pair
from nfv_mla_scheduler.policy.root import short
from nfv_mla_scheduler.policy.starter import LIFE_DAYS
from nfv_mla_scheduler.policy.starter import starter_policy

OFFICERS = ("officer-1", "officer-2")
COLLECTOR = "collector"
USAGE = 2
_NAME_MAX = 64


def run_init(args: argparse.Namespace) -> int:
    """Make keys and a signed starter policy in a new directory."""
    name = args.operator
    if len(name) > _NAME_MAX or not re.fullmatch(NAME_PATTERN, name):
        print(
            "nfv-mla policy init: --operator has to be lower-case letters "
            "and digits, parts joined by single hyphens, not "
            f"{bounded(name)!r}",
            file=sys.stderr,
        )
        return USAGE
    directory = pathlib.Path(args.directory).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise KeyFileError(
            f"{directory}: is not empty, and keys are never replaced"
        )
    ask = passphrase(args) if args.encrypt else None
    signers = [_new_officer(directory, officer, ask) for officer in OFFICERS]
    _, public = write_key_pair(directory, COLLECTOR)
    payload = starter_policy(
        name, COLLECTOR, public.read_text(encoding="ascii"), now()
    ).encode()
    envelope = sign(Envelope(payload, POLICY_TYPE), signers)
    write_file(str(directory / "policy.yaml"), payload, replace=False)
    signed = write_envelope(envelope)
    write_file(str(directory / "policy.json"), signed, replace=False)
    _tell(directory, signers, encrypted=args.encrypt)
    return 0


def _new_officer(
    directory: pathlib.Path, name: str, ask: Passphrase | None
) -> Signer:
    secret = ask(f"New passphrase of {name}: ") if ask else None
    private, _ = write_key_pair(directory, name, secret)
    return read_signer(private, lambda _prompt: secret or b"")


def _tell(
    directory: pathlib.Path, signers: list[Signer], *, encrypted: bool
) -> None:
    first, second = (short(signer.public_key.keyid) for signer in signers)
    how = "encrypted" if encrypted else "not encrypted"
    keys = ",".join(str(directory / f"{name}.pub") for name in OFFICERS)
    print(
        f"""\
Made in {directory}:

  officer-1.key  officer-2.key   private keys of the officers, {how}
  officer-1.pub  officer-2.pub   their public keys, {first} and {second}
  collector.key  collector.pub   the key that signs results, not encrypted
  policy.yaml                    the starter policy, to be changed
  policy.json                    the same, signed by both, for {LIFE_DAYS} days

Both officers' keys in one place are for development.  For nova.conf of
nova-scheduler:

[nfv_mla]
policy_file = {directory / "policy.json"}
officer_keys = {keys}
officer_threshold = {len(OFFICERS)}
results_file = {directory / "results"}

No host is bound yet, so that servers which ask for attested hosts find none.
Change policy.yaml, raise its version, then:

  nfv-mla policy lint policy.yaml
  nfv-mla policy sign policy.yaml --key officer-1.key --out new.json
  nfv-mla policy sign new.json --key officer-2.key
  nfv-mla policy diff policy.json new.json
  mv new.json policy.json"""
    )
