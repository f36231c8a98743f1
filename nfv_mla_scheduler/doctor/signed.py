# SPDX-License-Identifier: Apache-2.0
"""Signed policies, each read once, wherever it turns up.  Pure.

What is offered, what is kept, and what another service goes by are mostly the
same bytes, and reading those of a large cloud takes seconds.
"""

from __future__ import annotations

import hashlib

from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.policy.acceptance import read_signed
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.catalogue import load


class SignedPolicies:
    """Reads signed policies, and remembers what came of it."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str], Policy | PolicyRefused] = {}

    def read(self, data: bytes, root: Root) -> Policy:
        """Return the policy in an envelope, of whatever version and age.

        :raises PolicyRefused: when it is not sound, or not signed
        """
        key = (hashlib.sha256(data).digest(), root.digest)
        if key not in self._known:
            try:
                self._known[key] = read_signed(data, root, load())
            except PolicyRefused as exc:
                self._known[key] = exc
        known = self._known[key]
        if isinstance(known, PolicyRefused):
            raise known
        return known
