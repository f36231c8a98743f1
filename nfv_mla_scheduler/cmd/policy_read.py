# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy lint``, ``verify``, ``show`` and ``diff``."""

from __future__ import annotations

import argparse

from nfv_mla_scheduler.cmd.policy_files import naming
from nfv_mla_scheduler.cmd.policy_files import now
from nfv_mla_scheduler.cmd.policy_files import print_problems
from nfv_mla_scheduler.cmd.policy_files import read_bytes
from nfv_mla_scheduler.cmd.policy_files import read_payload
from nfv_mla_scheduler.cmd.policy_files import read_unsigned
from nfv_mla_scheduler.cmd.policy_show import everything
from nfv_mla_scheduler.cmd.policy_show import summary
from nfv_mla_scheduler.cmd.policy_show import table
from nfv_mla_scheduler.cmd.policy_sign import describe
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy.acceptance import accept
from nfv_mla_scheduler.policy.aspects import aspects
from nfv_mla_scheduler.policy.breakglass import BREAK_GLASS_TYPE
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.diff import Change
from nfv_mla_scheduler.policy.diff import ChangeKind
from nfv_mla_scheduler.policy.diff import compare
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import examine
from nfv_mla_scheduler.policy.envelope import read_envelope
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.root import short
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.strict_yaml import format_path

FAILED = 1
_SHOWN_MAX = 200


def run_lint(args: argparse.Namespace) -> int:
    """Print every problem and warning; 1 if there are problems."""
    payload = read_payload(args.file)
    problems, warnings = lint_policy(payload, load(), now())
    print_problems(args.file, problems)
    print_problems(args.file, warnings, "warning: ")
    found = f"{_count(problems, 'problem')}, {_count(warnings, 'warning')}"
    print(f"{args.file}: {found}")
    return FAILED if problems else 0


def run_verify(args: argparse.Namespace) -> int:
    """Print who signed an envelope, and whether it would be accepted."""
    root = read_root(args.officer_keys, args.threshold)
    data = read_bytes(args.file)
    with naming(args.file):
        envelope = read_envelope(data)
        print(_signatures(envelope, root, args.officer_keys), end="\n\n")
        if envelope.payload_type == BREAK_GLASS_TYPE:
            print(describe(read_break_glass(data, root, now())))
            return 0
        try:
            policy = accept(data, root, load(), highest=None, now=now())
        except PolicyRefused as exc:
            print_problems(args.file, exc.problems)
            raise
    print("Accepted:\n")
    print(f"  digest    {policy.digest}")
    print(summary(policy, now()))
    return 0


def _signatures(envelope: Envelope, root: Root, paths: list[str]) -> str:
    """Return a table that says by whom each signature really is."""
    if not envelope.marks:
        return "No signatures."
    names = {
        key.keyid: path for key, path in zip(root.keys, paths, strict=True)
    }
    rows = []
    for mark, key in zip(
        envelope.marks, examine(envelope, root.keys), strict=True
    ):
        if key is None:
            verdict = "counts for nothing: by none of these officers"
            rows.append([f"{short(mark.hint)} (claimed)", "", verdict])
        else:
            rows.append([short(key.keyid), names[key.keyid], "valid"])
    return table(["Key", "Officer's key file", "Signature"], rows)


def run_show(args: argparse.Namespace) -> int:
    """Print what a policy says."""
    policy = read_unsigned(args.file)
    print(f"Policy in {args.file}; signatures are not looked at here.\n")
    print(f"  digest    {policy.digest}")
    print(summary(policy, now()))
    print(everything(policy, load()))
    return 0


def run_diff(args: argparse.Namespace) -> int:
    """Print what a new policy changes, by what it means."""
    old, new = read_unsigned(args.old), read_unsigned(args.new)
    changes = compare(aspects(old), aspects(new))
    for change in changes:
        print(change_line(change))
    weaker = sum(change.weaker for change in changes)
    print(f"{_count(changes, 'difference')}, {weaker} of them WEAKER")
    if old.digest != new.digest and new.version <= old.version:
        print(
            f"The version has to rise: it is {new.version}, and "
            f"{old.version} in the old policy."
        )
    return 0


def change_line(change: Change) -> str:
    """Return one difference between two policies, on one line."""
    old = bounded(change.old, _SHOWN_MAX)
    new = bounded(change.new, _SHOWN_MAX)
    if change.kind is ChangeKind.CHANGED:
        said = f"{old} -> {new}"
    else:
        said = old or new
    mark = "  WEAKER" if change.weaker else ""
    return f"{change.kind.value} {format_path(change.path)}: {said}{mark}"


def _count(found: tuple[object, ...], noun: str) -> str:
    number = len(found) or "no"
    return f"{number} {noun}{'' if len(found) == 1 else 's'}"
