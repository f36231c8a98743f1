# SPDX-License-Identifier: Apache-2.0
"""The officers' and the collector's side of a cloud: keys, policy, results.

Everything lies in one directory, as it would on a controller: what is signed
here is read by nova-scheduler from its files, and by no other way.
"""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.officers import write_key_pair
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write

OFFICERS = ("alice", "bob")
COLLECTOR = "collector-a"
COLLECTOR_KEY = "      COLLECTOR-KEY\n"

Values = Sequence[str] | Mapping[str, Sequence[str]]


def claim(
    capability: str,
    values: Values = (),
    grade: Grade = Grade.RUN_TIME,
    status: Status = Status.AFFIRMING,
) -> Claim:
    """Return a claim; ``values`` are a list, or lists by key."""
    if isinstance(values, Mapping):
        found = {key: frozenset(v) for key, v in values.items()}
    else:
        found = {"": frozenset(values)} if values else {}
    return Claim(capability, status, grade, found)


@dataclasses.dataclass(slots=True)
class Attested:
    """What one authority says about one host, until it says otherwise.

    :ivar at: when it was last appraised; None: at each publication anew
    """

    claims: dict[str, Claim]
    boot: str | None = "boot-1"
    boot_attested_at: float = 0.0
    at: float | None = None


class Site:
    """Keys, a policy and results in a directory of their own."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.policy_file = directory / "policy.json"
        self.results_file = directory / "results.json"
        self.audit_dir = directory / "audit"
        self.break_glass_dir = directory / "break-glass"
        self.break_glass_dir.mkdir(parents=True)
        self.audit_dir.mkdir()
        self.audit_key, _public = write_key_pair(directory, "audit")
        self.signers = {}
        for name in (*OFFICERS, "mallory", COLLECTOR):
            private, _public = write_key_pair(directory, name)
            self.signers[name] = read_signer(private, lambda _prompt: b"")
        self.attested: dict[str, dict[str, Attested]] = {}

    def public_key(self, name: str) -> pathlib.Path:
        """Return the file of somebody's public key."""
        return self.directory / f"{name}.pub"

    def options(self, **more: object) -> dict[str, object]:
        """Return the options of ``[nfv_mla]`` that lead here."""
        return {
            "policy_file": str(self.policy_file),
            "results_file": str(self.results_file),
            "break_glass_dir": str(self.break_glass_dir),
            "officer_keys": [str(self.public_key(n)) for n in OFFICERS],
            "officer_threshold": 2,
            "state_dir": str(self.directory / "state"),
            "audit_dir": str(self.audit_dir),
            "audit_key_file": str(self.audit_key),
            "refresh_interval_s": 0.1,
            **more,
        }

    def collector_key(self) -> str:
        """Return the collector's public key, indented for a policy."""
        pem = self.public_key(COLLECTOR).read_text(encoding="utf-8")
        return "".join(f"      {line}\n" for line in pem.splitlines())

    def envelope(self, policy: str, officers: Sequence[str]) -> bytes:
        """Return ``policy``, signed by those officers."""
        text = policy.replace(COLLECTOR_KEY, self.collector_key())
        envelope = Envelope(text.encode(), POLICY_TYPE)
        signers = [self.signers[name] for name in officers]
        return write_envelope(sign(envelope, signers))

    def put_policy(
        self, policy: str, officers: Sequence[str] = OFFICERS
    ) -> None:
        """Put a signed policy where nova-scheduler looks for it."""
        publish(self.policy_file, self.envelope(policy, officers))

    def publish(
        self,
        signer: str = COLLECTOR,
        issued_at: float | None = None,
        to: pathlib.Path | None = None,
    ) -> None:
        """Publish what the authorities say now.

        :param to: a file; by default the one that nova-scheduler reads
        """
        now = time.time() if issued_at is None else issued_at
        results: dict[str, dict[str, Result]] = {}
        freshness: dict[str, dict[str, Freshness]] = {}
        for authority, hosts in self.attested.items():
            results[authority] = {
                host: Result(
                    authority,
                    host,
                    said.claims,
                    said.boot,
                    said.boot_attested_at or now,
                )
                for host, said in hosts.items()
            }
            freshness[authority] = {
                host: Freshness(now if said.at is None else said.at, said.boot)
                for host, said in hosts.items()
            }
        draft = ResultsDraft(COLLECTOR, now, results, freshness)
        data = write(draft, self.signers[signer])
        publish(to or self.results_file, data)
