# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy sign`` and ``break-glass``."""

from __future__ import annotations

import argparse
import pathlib
import sys

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.cmd.policy_files import is_envelope
from nfv_mla_scheduler.cmd.policy_files import naming
from nfv_mla_scheduler.cmd.policy_files import now
from nfv_mla_scheduler.cmd.policy_files import passphrase
from nfv_mla_scheduler.cmd.policy_files import print_problems
from nfv_mla_scheduler.cmd.policy_files import read_bytes
from nfv_mla_scheduler.cmd.policy_files import write_file
from nfv_mla_scheduler.cmd.policy_show import summary
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy.breakglass import break_glass_envelope
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.document import examine_policy
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import check_type
from nfv_mla_scheduler.policy.envelope import examine
from nfv_mla_scheduler.policy.envelope import read_envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.root import short
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.standard.catalogue import load

FAILED, USAGE = 1, 2


def run_sign(args: argparse.Namespace) -> int:
    """Sign a policy, or add a signature to an envelope."""
    data = read_bytes(args.file)
    adding = is_envelope(data)
    if args.file == "-" and not args.out:
        _say("to sign what comes from standard input, give --out")
        return USAGE
    with naming(args.file):
        envelope = Envelope(data, POLICY_TYPE)
        if adding:
            envelope = read_envelope(data)
        check_type(envelope, POLICY_TYPE)
    out = args.out or _out(args.file, adding)
    if not (adding and out == args.file) and pathlib.Path(out).exists():
        raise KeyFileError(
            f"{out}: exists already; to add a signature, sign that file; "
            "else name another with --out"
        )
    if not _shown(args.file, envelope, args.force):
        return FAILED
    signer = read_signer(args.key, passphrase(args))
    signed = _signed(envelope, signer, args.key)
    write_file(
        out, write_envelope(signed), replace=adding and out == args.file
    )
    count = len(signed.marks)
    print(
        f"Signed with the key {short(signer.public_key.keyid)}: {out} now has "
        f"{count} signature{'s' if count > 1 else ''}."
    )
    return 0


def _out(file: str, adding: bool) -> str:
    return file if adding else str(pathlib.Path(file).with_suffix(".json"))


def _shown(file: str, envelope: Envelope, force: bool) -> bool:
    """Print what is to be signed; return whether it may be."""
    catalogue = load()
    problems, warnings = lint_policy(envelope.payload, catalogue, now())
    print_problems(file, problems)
    print_problems(file, warnings, "warning: ")
    if problems and not force:
        _say(
            f"not signed: {len(problems)} problems, and nobody accepts a "
            "policy with problems"
        )
        return False
    policy, _, _ = examine_policy(envelope.payload, catalogue)
    print("To be signed:\n")
    print(f"  file      {bounded(file, 200)}")
    print(f"  digest    {envelope.digest}")
    if policy is not None:
        print(summary(policy, now()))
    if envelope.marks:
        hints = ", ".join(bounded(short(mark.hint)) for mark in envelope.marks)
        print(f"  signed    already, as it claims by {hints}")
    print()
    return True


def _signed(envelope: Envelope, signer: Signer, key: str) -> Envelope:
    """Return the envelope with one signature more."""
    if any(examine(envelope, [signer.public_key])):
        raise KeyFileError(
            f"{key}: has signed this already; a second officer has to sign, "
            "with another key"
        )
    return sign(envelope, [signer])


def run_break_glass(args: argparse.Namespace) -> int:
    """Sign a waiver of everything, for one thing and some hours."""
    root = read_root(args.officer_keys, args.threshold)
    signer = read_signer(args.key, passphrase(args))
    if signer.public_key.keyid not in {key.keyid for key in root.keys}:
        raise PolicyRefused(
            PolicyCode.BAD_ROOT,
            f"{args.key}: is the key of none of these officers",
        )
    target, name = next(
        (target, getattr(args, target.value))
        for target in BreakGlassTarget
        if getattr(args, target.value) is not None
    )
    start = now()
    try:
        envelope = break_glass_envelope(
            root, target, name, args.reason, start, args.hours
        )
    except PolicyRefused as exc:
        for problem in exc.problems:
            _say(f"--{problem.path}: {problem.message} ({problem.value})")
        return USAGE
    data = write_envelope(sign(envelope, [signer]))
    waiver = read_break_glass(data, root, start)
    write_file(args.out, data, replace=False)
    print(describe(waiver))
    print(f"\nWritten to {args.out}; copy it into break_glass_dir.")
    return 0


def describe(waiver: BreakGlass) -> str:
    """Return a break-glass waiver as people read it."""
    return (
        f"Everything is waived for the {waiver.target.value} "
        f"{bounded(waiver.name, 255)}\n"
        f"  from    {write_instant(waiver.since)}\n"
        f"  until   {write_instant(waiver.until)}\n"
        f"  reason  {bounded(waiver.reason, 255)}\n"
        f"  signed  by the key {short(waiver.officer)}"
    )


def _say(text: str) -> None:
    print(f"nfv-mla policy: {text}", file=sys.stderr)
