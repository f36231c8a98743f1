# SPDX-License-Identifier: Apache-2.0
"""Decide whether an envelope holds the policy that is to be in force.

Pure: bytes, the root, what was seen before, and now.  In this order, since
nothing is to be read that officers did not sign: envelope, document,
version, times.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.envelope import verify_envelope
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.values import Catalogue

AHEAD_MAX_S = 300

Highest = tuple[int, str]


def accept(
    data: bytes,
    root: Root,
    catalogue: Catalogue,
    *,
    highest: Highest | None,
    now: Instant,
) -> Policy:
    """Return the policy in an envelope, if it may be in force now.

    :param highest: version and digest of the newest policy ever accepted
    :raises PolicyRefused: and nothing else, whatever the bytes are
    """
    policy = read_signed(data, root, catalogue)
    check_version(policy, highest)
    check_times(policy, now)
    return policy


def read_signed(data: bytes, root: Root, catalogue: Catalogue) -> Policy:
    """Return the policy that enough officers signed, of whatever age."""
    verified = verify_envelope(data, root)
    policy = read_policy(verified.payload, catalogue)
    return dataclasses.replace(policy, signers=verified.signers)


def check_version(policy: Policy, highest: Highest | None) -> None:
    """Refuse a policy that is older than one seen before, or twins it."""
    if highest is None:
        return
    version, digest = highest
    if policy.version < version:
        raise PolicyRefused(
            PolicyCode.ROLLED_BACK,
            f"the policy has version {policy.version}; version {version} was "
            "accepted before, and a version only rises",
        )
    if policy.version == version and policy.digest != digest:
        raise PolicyRefused(
            PolicyCode.SAME_VERSION,
            f"another policy of version {version} was accepted before; give "
            "the new one a higher version",
        )


def check_times(policy: Policy, now: Instant) -> None:
    """Refuse a policy whose time has not come, or is over."""
    if policy.issued_at > now + AHEAD_MAX_S:
        raise PolicyRefused(
            PolicyCode.NOT_YET,
            f"the policy is issued at {write_instant(policy.issued_at)}, "
            "which lies ahead",
        )
    if now >= policy.expires_at:
        raise PolicyRefused(
            PolicyCode.EXPIRED,
            f"the policy expired at {write_instant(policy.expires_at)}",
        )
