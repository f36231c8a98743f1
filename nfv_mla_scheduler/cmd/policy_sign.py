# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy init``, ``sign``, ``verify`` and ``break-glass``."""

from __future__ import annotations

import argparse
import pathlib
import re
import sys

from nfv_mla_scheduler.cmd.policy_files import is_envelope
from nfv_mla_scheduler.cmd.policy_files import now
from nfv_mla_scheduler.cmd.policy_files import passphrase
from nfv_mla_scheduler.cmd.policy_files import print_problems
from nfv_mla_scheduler.cmd.policy_files import read_bytes
from nfv_mla_scheduler.cmd.policy_files import write_file
from nfv_mla_scheduler.cmd.policy_show import summary
from nfv_mla_scheduler.cmd.policy_show import table
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.policy.acceptance import accept
from nfv_mla_scheduler.policy.breakglass import BREAK_GLASS_TYPE
from nfv_mla_scheduler.policy.breakglass import break_glass_envelope
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.document import examine_policy
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import examine
from nfv_mla_scheduler.policy.envelope import read_envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.officers import write_key_pair
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.starter import LIFE_DAYS
from nfv_mla_scheduler.policy.starter import starter_policy
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.standard.catalogue import load

USAGE = 2
_OFFICERS = ("officer-1", "officer-2")
_COLLECTOR = "collector"


def run_init(args: argparse.Namespace) -> int:
    """Make keys and a signed starter policy."""
    if not re.fullmatch(NAME_PATTERN, args.operator):
        return _usage(
            "init",
            "--operator has to be lower-case letters and digits, parts "
            f"joined by single hyphens, not {bounded(args.operator)!r}",
        )
    directory = pathlib.Path(args.directory).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise KeyFileError(
            f"{directory}: is not empty, and keys are never replaced"
        )
    ask = passphrase(args)
    for name in _OFFICERS:
        secret = ask(f"New passphrase of {name}: ") if args.encrypt else None
        private, _ = write_key_pair(directory, name, secret)
        envelope = None if name == _OFFICERS[0] else envelope
        if envelope is None:
            _, public = write_key_pair(directory, _COLLECTOR)
            text = starter_policy(
                args.operator, _COLLECTOR, public.read_text(), now()
            )
            write_file(
                str(directory / "policy.yaml"), text.encode(), replace=False
            )
            envelope = Envelope(text.encode(), POLICY_TYPE)
        signer = read_signer(private, lambda _prompt, s=secret: s or b"")
        envelope = sign(envelope, [signer])
    write_file(
        str(directory / "policy.json"), write_envelope(envelope), replace=False
    )
    _say_init(directory, args.encrypt)
    return 0
