# SPDX-License-Identifier: Apache-2.0
"""Checks of the signed policy: does it count, how long, and how it reads."""

from __future__ import annotations

from collections.abc import Iterator

from nfv_mla_scheduler.doctor.dates import SOON_DAYS
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.side import Side
from nfv_mla_scheduler.doctor.side import Unreadable
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.policy.acceptance import check_times
from nfv_mla_scheduler.policy.acceptance import check_version
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.catalogue import load

NEAR_DAYS = 7
LAST_DAYS = 1
_NEXT = {
    PolicyCode.UNDER_SIGNED: "let more of the officers sign it: nfv-mla "
    "policy sign ENVELOPE --key KEY",
    PolicyCode.INVALID: "correct it (nfv-mla policy lint), and sign it anew",
    PolicyCode.UNREADABLE: "put an envelope there, as nfv-mla policy sign "
    "writes it",
}


def signed(site: Site) -> Verdict:
    """The policy is there, sound, and signed by enough officers."""
    side = site.main
    if side.settings.policy_file is None:
        return failed(
            "policy_file is not set: no policy counts",
            "set policy_file to the signed policy",
        )
    try:
        verified, policy = side.verified, side.offered_policy
    except Unreadable as exc:
        return failed(str(exc), "put the signed policy there")
    except PolicyRefused as exc:
        return failed(
            str(exc),
            _NEXT.get(exc.reason, "see nfv-mla policy verify"),
            [str(problem) for problem in exc.problems],
        )
    return ok(
        f"version {policy.version}, signed by {len(verified.signers)} of "
        f"{count(len(side.root.keys), 'officer')}; {side.root.threshold} "
        "have to"
    )


def version(site: Site) -> Verdict:
    """The policy is not older than one that was taken before."""
    side = site.main
    policy, kept = _offered(side), side.kept
    if kept.highest is None:
        return ok(
            f"version {policy.version}; the {side.what} has kept none so far"
        )
    highest, digest = kept.highest
    try:
        check_version(policy, kept.highest)
    except PolicyRefused as exc:
        return failed(
            str(exc), "sign what is meant under a version that is higher"
        )
    if policy.version > highest:
        return warning(
            f"version {policy.version} is there, and the {side.what} has "
            f"taken {highest}",
            f"see the lines 'nfv-mla policy:' in the log of the {side.what}; "
            "it takes a policy when it is running and has had a request",
        )
    return ok(f"version {highest} was taken, digest {digest[:16]}")


def in_force(site: Site) -> Verdict:
    """The policy is in force, and stays so for more than 30 days."""
    policy = site.policy
    try:
        check_times(policy, site.now)
    except PolicyRefused as exc:
        return failed(
            f"{exc}: servers that ask are refused",
            "sign a policy that is in force, under a higher version",
        )
    ends = write_instant(policy.expires_at)
    left = (policy.expires_at - site.now) / DAY_S
    said = f"version {policy.version} expires in {left:.1f} days, at {ends}"
    advice = "have the next version signed before that"
    if left <= LAST_DAYS:
        return failed(said, "sign the next version now")
    if left <= NEAR_DAYS:
        return warning(said, f"{advice}: less than {NEAR_DAYS} days are left")
    if left <= SOON_DAYS:
        return warning(said, advice)
    return ok(said)


def break_glass(site: Site) -> Verdict:
    """No break-glass waiver is in force, and none is refused."""
    return worst(
        [*_in_force_glass(site), *_refused_glass(site)],
        "no break-glass waiver is in force",
    )


def _in_force_glass(site: Site) -> Iterator[Verdict]:
    # not for which one: its trust domain may keep its entries to itself
    found = [
        f"for a {glass.target.value} until {write_instant(glass.until)}"
        for glass in site.break_glass.in_force
    ]
    if found:
        yield warning(
            f"{count(len(found), 'break-glass waiver')} in force: "
            f"{some(found)}",
            "remove the file when it is no longer needed; it ends by itself",
            found,
        )


def _refused_glass(site: Site) -> Iterator[Verdict]:
    refused = site.break_glass.refused
    if refused:
        yield warning(
            f"{count(len(refused), 'break-glass file')} refused: "
            f"{some(refused, 1)}",
            "remove what has ended; sign anew what is needed",
            refused,
        )


def lint(site: Site) -> Verdict:
    """Nothing in the policy looks odd."""
    side = site.main
    _offered(side)
    _, odd = lint_policy(side.verified.payload, load(), site.now)
    # how long the policy lives has a check of its own
    odd = tuple(problem for problem in odd if problem.path != "expires")
    if not odd:
        return ok("nothing in the policy looks odd")
    return warning(
        f"{count(len(odd), 'warning')}, the first: {odd[0]}",
        "read them all with nfv-mla policy lint",
        [str(problem) for problem in odd],
    )


def _offered(side: Side) -> Policy:
    """Return the policy that is offered, if it is sound."""
    try:
        return side.offered_policy
    except (PolicyRefused, Unreadable):
        raise Skipped("there is no sound policy; see policy.signed") from None
