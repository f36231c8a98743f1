# SPDX-License-Identifier: Apache-2.0
"""What one service goes by: options, root of trust, policy, what was kept.

The scheduler and the collector each have an ``[nfv_mla]`` of their own.
Reads files and never writes: what is kept of a policy is only looked at.
"""

from __future__ import annotations

import dataclasses
import pathlib

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.doctor import files
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.once import once
from nfv_mla_scheduler.doctor.signed import SignedPolicies
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed.policy_file import POLICY_BYTES_MAX
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.acceptance import AHEAD_MAX_S
from nfv_mla_scheduler.policy.acceptance import check_version
from nfv_mla_scheduler.policy.envelope import Verified
from nfv_mla_scheduler.policy.envelope import verify_envelope
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.state import Highest
from nfv_mla_scheduler.policy.state import State
from nfv_mla_scheduler.policy.state import StateFault
from nfv_mla_scheduler.policy.values import Policy

Paths = tuple[pathlib.Path, ...]


class Unreadable(NfvMlaError):
    """A file cannot be read."""

    code = "unreadable"


def read(path: pathlib.Path, limit: int) -> bytes:
    """Return a regular file's bytes.

    :raises Unreadable: when it is missing, too large, or something else
    """
    try:
        return WatchedFile(path, limit).changed() or b""
    except Unread as exc:
        raise Unreadable(f"{path}: {exc.reason}") from None


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """What a service keeps of the policies that it took."""

    highest: Highest | None
    envelope: bytes | None


class Side:
    """One service that goes by ``[nfv_mla]``.

    :param what: how messages call it
    :param paths: its configuration; none: there is no such service here
    :param project: where it looks for files that its options name
    """

    def __init__(
        self,
        what: str,
        paths: Paths,
        project: str,
        now: Instant,
        policies: SignedPolicies,
    ) -> None:
        self.what = what
        self.policies = policies
        self.paths = paths
        self.project = project
        self._now = now

    @once
    def conf(self) -> cfg.ConfigOpts:
        """Its options, Nova's or the collector's own not registered."""
        if not self.paths:
            raise Skipped(f"no configuration of the {self.what} is given")
        conf = files.load(self.paths, self.project)
        options.register(conf)
        return conf

    @once
    def sections(self) -> files.Sections:
        """The names that its configuration sets."""
        if not self.paths:
            raise Skipped(f"no configuration of the {self.what} is given")
        return files.sections_of(self.paths)

    @once
    def settings(self) -> Settings:
        """The options of its ``[nfv_mla]``."""
        try:
            return options.settings(self.conf)
        except SettingsError:
            raise Skipped(
                f"[nfv_mla] of the {self.what} cannot be used; see "
                "options.valid"
            ) from None

    @once
    def root(self) -> Root:
        """Whose signatures count."""
        settings = self.settings
        if not settings.officer_keys:
            raise Skipped("officer_keys is not set")
        try:
            return read_root(settings.officer_keys, settings.officer_threshold)
        except NfvMlaError:
            raise Skipped("no root of trust; see keys.officers") from None

    @once
    def offered(self) -> bytes:
        """The bytes of its ``policy_file``.

        :raises Unreadable: when they cannot be read
        """
        path = self.settings.policy_file
        if path is None:
            raise Skipped("policy_file is not set")
        return read(path, POLICY_BYTES_MAX)

    @once
    def verified(self) -> Verified:
        """The policy that is offered, its signatures verified.

        :raises PolicyRefused: when not enough hold
        """
        return verify_envelope(self.offered, self.root)

    @once
    def offered_policy(self) -> Policy:
        """The policy that is offered, of whatever version and age.

        :raises PolicyRefused: when it is not sound, or not signed
        """
        return self.policies.read(self.offered, self.root)

    @once
    def kept(self) -> Kept:
        """What is kept in its ``state_dir``.

        :raises Unreadable: when that cannot be read
        """
        state = State(self.settings.state_dir)
        try:
            return Kept(state.load_highest(), state.load_envelope())
        except StateFault as exc:
            raise Unreadable(exc.reason) from None

    @once
    def policy(self) -> Policy:
        """The policy that the service goes by, perhaps an expired one.

        What is offered if it would be taken; what was kept otherwise.
        """
        for look in (self._takeable, self._last_good):
            try:
                return look()
            except (NfvMlaError, Skipped):
                continue
        raise Skipped("no policy counts here; see policy.signed")

    def _takeable(self) -> Policy:
        policy = self.offered_policy
        check_version(policy, self._highest())
        if policy.issued_at > self._now + AHEAD_MAX_S:
            raise PolicyRefused(PolicyCode.NOT_YET, "its time has not come")
        return policy

    def _last_good(self) -> Policy:
        kept = self.kept
        if kept.envelope is None:
            raise Skipped("none is kept")
        policy = self.policies.read(kept.envelope, self.root)
        check_version(policy, kept.highest)
        return policy

    def _highest(self) -> Highest | None:
        try:
            return self.kept.highest
        except NfvMlaError:
            return None
