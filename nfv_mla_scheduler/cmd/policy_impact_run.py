# SPDX-License-Identifier: Apache-2.0
"""Compare two policies by the same results, and print what changes."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator

from nfv_mla_scheduler.cmd import policy_impact_json
from nfv_mla_scheduler.cmd import policy_impact_text
from nfv_mla_scheduler.cmd.explain_asked import read_flavors
from nfv_mla_scheduler.cmd.explain_conf import read_conf
from nfv_mla_scheduler.cmd.explain_known import Known
from nfv_mla_scheduler.cmd.policy_files import now
from nfv_mla_scheduler.cmd.policy_files import read_unsigned
from nfv_mla_scheduler.cmd.policy_impact_found import Compared
from nfv_mla_scheduler.cmd.policy_impact_found import Side
from nfv_mla_scheduler.cmd.policy_impact_found import compared
from nfv_mla_scheduler.cmd.policy_impact_results import AsFreshThen
from nfv_mla_scheduler.cmd.policy_impact_results import GivenResults
from nfv_mla_scheduler.cmd.policy_impact_results import Results
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.feed.ourselves import own_state
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.catalogue import load

NEWLY_REFUSED = 3
GIVEN = "as given"


def run(args: argparse.Namespace) -> int:
    """Print what a new policy would change."""
    new = read_unsigned(args.new)
    at = now() if args.at is None else args.at
    flavors = read_flavors(args.flavors) if args.flavors else {}
    if args.extra_specs:
        flavors[GIVEN] = dict(args.extra_specs)
    with _known(args) as known:
        old, name = _old(args, known)
        results = _results(args, known, at)
        before = _side(name, old, results)
        if before.document is None:
            raise ResultsRefused(
                ResultsCode.MISSING,
                "no results count under the old policy, without which nothing "
                f"can be compared: {before.missing}",
            )
        found = compared(
            before,
            _side(args.new, new, results),
            load(),
            own_state(),
            _bearings(args, known),
            flavors,
            at,
        )
    _print(args, found)
    return NEWLY_REFUSED if found.impact.refuses else 0


def _print(args: argparse.Namespace, found: Compared) -> None:
    if args.format == "json":
        text = json.dumps(policy_impact_json.document(found), indent=2)
        sys.stdout.write(f"{text}\n")
        return
    limits = policy_impact_text.WHOLE if args.all else policy_impact_text.SHORT
    for line in policy_impact_text.lines(found, limits):
        sys.stdout.write(f"{line}\n")


@contextlib.contextmanager
def _known(args: argparse.Namespace) -> Iterator[Known | None]:
    """Yield what the configuration leads to, unless nobody needs it."""
    if args.old and args.results and not args.config_files:
        yield None
        return
    with contextlib.closing(Known(read_conf(args.config_files))) as known:
        yield known


def _old(args: argparse.Namespace, known: Known | None) -> tuple[Policy, str]:
    """Return the policy to compare with, and where it is from."""
    if args.old:
        return read_unsigned(args.old), args.old
    assert known is not None
    policy = known.snapshot.policy
    if policy is None:
        wrong = [n.text for n in known.news if n.subject == "policy"]
        because = f": {wrong[-1]}" if wrong else ""
        raise PolicyRefused(
            PolicyCode.MISSING,
            f"no policy is in force here{because}; name one with --old",
        )
    return policy, "in force"


def _results(
    args: argparse.Namespace, known: Known | None, at: Instant
) -> Results:
    if args.results:
        return GivenResults(args.results, args.key, at)
    assert known is not None
    return known if args.at is None else AsFreshThen(known, at - known.now)


def _side(name: str, policy: Policy, results: Results) -> Side:
    document, missing = results.under(policy)
    return Side(name, policy, document, missing)


def _bearings(args: argparse.Namespace, known: Known | None) -> Bearings:
    bearings = known.bearings if known else Bearings()
    if args.management_domain is None:
        return bearings
    return Bearings(args.management_domain, bearings.boot_max_age_s)
