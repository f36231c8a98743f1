# SPDX-License-Identifier: Apache-2.0
"""A directory with everything that a collector needs, and its options."""

from __future__ import annotations

import pathlib
import tempfile
import time
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies

AUTHORITIES = ("fra", "bka")
HOSTS = ("h1", "h2", "h3")
DAY_S = 86400


class Site:
    """Keys, a signed policy of now, and the file of options.

    :ivar policy: what was signed last, as values
    :ivar shared: further lines of ``[nfv_mla]``
    """

    def __init__(self, directory: str, driver: str = "fake") -> None:
        self.directory = pathlib.Path(directory)
        self.policy_file = self.directory / "policy.json"
        self.results_file = self.directory / "published" / "results"
        self.status_file = self.directory / "status.json"
        self.results_file.parent.mkdir()
        self._driver = driver
        self._version = 0
        self.policy: Policy
        self.shared: tuple[str, ...] = ()
        for name in policies.NAMES:
            path = self.directory / f"{name}.pub"
            path.write_text(policies.public_pem(name))
        for name in ("collector-a", "collector-b"):
            path = self.directory / f"{name}.key"
            path.write_bytes(policies.private_pem(name))
        self.put_policy()

    @classmethod
    def of(cls, test: object, driver: str = "fake") -> Site:
        """Return a site that goes when a test case ends."""
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)  # type: ignore[attr-defined]
        return cls(directory.name, driver)

    def put_policy(
        self,
        collectors: Mapping[str, Sequence[str]] | None = None,
        authorities: Sequence[str] = AUTHORITIES,
        hosts: Sequence[str] = HOSTS,
        cadence_s: int = 1,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """Sign the next version of the policy, and put it in place.

        :param collectors: name -> the authorities that it may speak for
        :param keys: collector -> whose key it has, where it is not its own
        """
        self._version += 1
        if collectors is None:
            collectors = {"collector-a": authorities}
        now = time.time()
        lines = [
            "format: nfv-mla-policy/1",
            f"version: {self._version}",
            f"issued: {write_instant(now - 60)}",
            f"expires: {write_instant(now + 30 * DAY_S)}",
            "operator: acme",
            "trust_domains: {acme: {}}",
            "authorities:",
        ]
        for name in authorities:
            lines += [
                f"  {name}:",
                "    trust_domain: acme",
                "    vouches: [attestation, measured-boot, os-access-control]",
                f"    cadence_s: {cadence_s}",
                f"    max_age_s: {max(60, 2 * cadence_s)}",
            ]
        lines.append("collectors:")
        for name, theirs in collectors.items():
            pem = policies.public_pem((keys or {}).get(name, name))
            lines += [f"  {name}:", "    public_key: |"]
            lines += [f"      {line}" for line in pem.splitlines()]
            lines.append(f"    authorities: [{', '.join(theirs)}]")
        lines.append("hosts:")
        for number, host in enumerate(hosts):
            ids = ", ".join(f"{name}: {host}" for name in authorities)
            lines += [
                f"  {host}:",
                f"    node_uuid: 00000000-0000-4000-8000-{number:012d}",
                f"    attesters: {{{ids}}}",
            ]
        text = "\n".join([*lines, "regions: {}", ""])
        self.policy = policies.policy(text)
        publish(self.policy_file, policies.signed(text))

    def options(
        self,
        name: str = "collector-a",
        *lines: str,
        asked: Sequence[str] = AUTHORITIES,
        results_file: pathlib.Path | None = None,
        more: Mapping[str, Sequence[str]] | None = None,
    ) -> pathlib.Path:
        """Write the options of a collector; return the file.

        :param lines: further ones of ``[nfv_mla_collector]``
        :param more: authority -> lines of its group
        """
        keys = ", ".join(
            str(self.directory / f"{n}.pub") for n in policies.NAMES
        )
        text = [
            "[nfv_mla]",
            f"policy_file = {self.policy_file}",
            f"officer_keys = {keys}",
            f"state_dir = {self.directory / f'state-{name}'}",
            "refresh_interval_s = 0.1",
            *self.shared,
            "[nfv_mla_collector]",
            f"name = {name}",
            f"key_file = {self.directory / f'{name}.key'}",
            f"results_file = {results_file or self.results_file}",
            f"status_file = {self.status_file}",
            "publish_interval_s = 0.1",
            f"authorities = {', '.join(asked)}",
            *lines,
        ]
        for authority in asked:
            text += [
                f"[nfv_mla_authority_{authority}]",
                f"driver = {self._driver}",
                *(more or {}).get(authority, ()),
            ]
        path = self.directory / f"{name}.conf"
        path.write_text("\n".join([*text, ""]))
        return path

    def read(
        self, data: bytes | None = None, loader: Loader | None = None
    ) -> ResultsDocument:
        """Return what is published, as a scheduler reads it."""
        if data is None:
            data = self.results_file.read_bytes()
        return (loader or Loader()).read(
            data,
            self.policy.collectors,
            self.policy.authorities,
            load(),
            self.policy.regions,
            now=time.time(),
            max_skew_s=30.0,
        )
