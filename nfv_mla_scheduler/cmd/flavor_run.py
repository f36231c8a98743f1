# SPDX-License-Identifier: Apache-2.0
"""Read the policy, work out the traits of a flavor, and print them."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import sys
from collections.abc import Iterable
from collections.abc import Iterator

from nfv_mla_scheduler.cmd.explain_conf import read_conf
from nfv_mla_scheduler.cmd.explain_known import Known
from nfv_mla_scheduler.cmd.flavor_traits import Advice
from nfv_mla_scheduler.cmd.flavor_traits import advise
from nfv_mla_scheduler.cmd.policy_files import now
from nfv_mla_scheduler.cmd.policy_files import read_unsigned
from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.catalogue import load

NONE_REQUIRED = 3
FORMAT = "nfv-mla-flavor-traits/1"


def run(args: argparse.Namespace) -> int:
    """Print which traits a flavor should require."""
    specs = _specs(args.extra_specs)
    advice = advise(specs, _policy(args), load(), now())
    if args.format == "json":
        sys.stdout.write(f"{json.dumps(_document(advice), indent=2)}\n")
    else:
        for line in _lines(advice, args.flavor):
            sys.stdout.write(f"{line}\n")
        for warning in advice.warnings:
            sys.stderr.write(f"warning: {warning}\n")
    return NONE_REQUIRED if advice.choices or not advice.required else 0


def _specs(pairs: list[tuple[str, str]]) -> dict[str, str]:
    specs: dict[str, str] = {}
    for key, value in pairs:
        if key in specs:
            message = "is given twice; put commas between several values"
            raise Malformed((Problem(key, message, value),))
        specs[key] = value
    return specs


def _policy(args: argparse.Namespace) -> Policy:
    """Return the policy that is named, or the one in force.

    :raises PolicyRefused: when there is none
    """
    if args.policy:
        return read_unsigned(args.policy)
    with contextlib.closing(Known(read_conf(args.config_files))) as known:
        policy = known.snapshot.policy
        if policy is not None:
            return policy
        wrong = [n for n in known.news if n.subject == "policy" and not n.good]
        said = wrong[-1].text if wrong else "it is not known why"
        raise PolicyRefused(
            PolicyCode.MISSING,
            "there is no policy in force ([nfv_mla] policy_file = "
            f"{known.settings.policy_file or ''}): {said}",
        )


def _document(advice: Advice) -> dict[str, object]:
    return {
        "format": FORMAT,
        "extra_specs": {
            f"trait:{trait}": "required" for trait in advice.required.values()
        },
        "pools": dict(advice.required),
        "one_of": [
            {
                "asked": f"nfv_mla:{choice.asked}",
                "pools": {name: advice.traits[name] for name in choice.pools},
            }
            for choice in advice.choices
        ],
        "warnings": list(advice.warnings),
    }


def _lines(advice: Advice, flavor: str) -> Iterator[str]:
    if advice.required:
        yield _command(flavor, advice.required.values())
    elif not advice.choices:
        yield "# No trait can be required for this."
    for choice in advice.choices:
        yield (
            f"# nfv_mla:{choice.asked} can be met in several pools, and a "
            "flavor cannot"
        )
        yield "# require one trait of several.  Make a flavor for each pool:"
        for number, name in enumerate(choice.pools, 1):
            # no pool's name: a flavor's is read by whoever may use it
            yield _command(f"{flavor}-{number}", (advice.traits[name],))


def _command(flavor: str, traits: Iterable[str]) -> str:
    words = ["openstack", "flavor", "set", flavor]
    for trait in traits:
        words += ["--property", f"trait:{trait}=required"]
    return shlex.join(words)
