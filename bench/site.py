# SPDX-License-Identifier: Apache-2.0
"""Signed files in a directory, as a controller has them, and their options.

Touches that directory.  Whatever is measured reads policy and results from
these files, by no other way.
"""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterable
from typing import Any

from bench import rules
from bench.estate import Host
from bench.estate import Standing
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from tests import policies

#: A host is appraised anew when all others have been: so many generations,
#: so many seconds apart.
TURNS = 100
GENERATION_S = 10.0
STALE_S = 4000.0
#: One in so many hosts has rebooted when it is appraised anew.
REBOOTS = 10
_TOKEN_S = 7200.0


def put_ledger(directory: pathlib.Path) -> dict[str, str]:
    """Make a place for an audit ledger; return the options that lead there."""
    place, key = directory / "audit", directory / "audit.key"
    place.mkdir(mode=0o700)
    key.touch(mode=0o600)
    key.write_bytes(policies.private_pem("ledger"))
    return {"audit_dir": str(place), "audit_key_file": str(key)}


class Site:
    """The policy and results of an estate, signed and in their places.

    :param now: when the first results are published
    """

    def __init__(
        self, directory: pathlib.Path, hosts: tuple[Host, ...], now: float
    ) -> None:
        self.hosts = hosts
        self.now = now
        self.policy_file = directory / "policy.json"
        self.results_file = directory / "results"
        self._state_dir = directory / "state"
        self._ledger = put_ledger(directory)
        self._keys = []
        for name in policies.NAMES:
            key = directory / f"{name}.pub"
            key.write_text(policies.public_pem(name), encoding="utf-8")
            self._keys.append(str(key))
        self._turn = 0
        self._sets: dict[tuple[Any, ...], dict[str, Claim]] = {}
        self._results: dict[str, dict[str, Result]] = {}
        self._fresh: dict[str, dict[str, Freshness]] = {}
        for authority in rules.AUTHORITIES:
            self._results[authority] = {}
            self._fresh[authority] = {}
        for host in hosts:
            self._appraise(host, now - self._age(host), boot=0)

    def options(self) -> dict[str, Any]:
        """Return the options of ``[nfv_mla]`` that lead here."""
        return {
            "policy_file": str(self.policy_file),
            "results_file": str(self.results_file),
            "officer_keys": self._keys,
            "officer_threshold": len(self._keys),
            "state_dir": str(self._state_dir),
            **self._ledger,
            "management_domain": rules.OPERATOR,
            "first_load_timeout_s": 30.0,
            "refresh_interval_s": 60.0,
        }

    def forget_state(self) -> None:
        """Let the next worker find nothing of the one before."""
        shutil.rmtree(self._state_dir, ignore_errors=True)

    def put_policy(self) -> None:
        """Put the signed policy in its place."""
        key = policies.public_pem(rules.COLLECTOR)
        text = rules.policy_text(self.hosts, key, self.now)
        publish(self.policy_file, policies.signed(text))

    def put_results(self) -> None:
        """Publish what the authorities say, as of now."""
        draft = ResultsDraft(
            rules.COLLECTOR, self.now, self._results, self._fresh
        )
        publish(
            self.results_file, write(draft, policies.signer(rules.COLLECTOR))
        )

    def go_on(self) -> None:
        """Begin another generation: the oldest hosts are appraised anew."""
        self.now += GENERATION_S
        self._turn += 1
        for host in self.hosts:
            if host.number % TURNS == self._turn % TURNS:
                rebooted = host.number // TURNS % REBOOTS == 0
                boot = self._turn if rebooted else 0
                self._appraise(host, self.now, boot)

    def appraise_all(self, step_s: float = 0.001) -> None:
        """Let every time change a little, and nothing else."""
        self.now += step_s
        for fresh in self._fresh.values():
            for attester, was in fresh.items():
                fresh[attester] = Freshness(
                    was.at + step_s, was.boot, was.until + step_s
                )

    def _age(self, host: Host) -> float:
        """Return how long ago a host was appraised, by its turn."""
        return (TURNS - host.number % TURNS) % TURNS * GENERATION_S

    def _appraise(self, host: Host, at: float, boot: int) -> None:
        for authority, attester in attesters(host):
            claims = self._claims(host, authority)
            if claims is None:
                continue
            stale = authority == rules.OWN and host.standing is Standing.STALE
            when = self.now - STALE_S if stale else at
            known = self._results[authority].get(attester)
            if known is None or (boot and not stale):
                booted = f"{attester}-{boot}"
                known = Result(authority, attester, claims, booted, when - 60)
                self._results[authority][attester] = known
            elif stale:
                continue
            self._fresh[authority][attester] = Freshness(
                when, known.boot, when + _TOKEN_S
            )

    def _claims(self, host: Host, authority: str) -> dict[str, Claim] | None:
        place = host.row if authority == rules.OTHER else host.enclave
        key = (authority, host.standing, host.region, place)
        if key not in self._sets:
            claims = rules.claims(host, authority)
            if claims is None:
                return None
            self._sets[key] = claims
        return self._sets[key]


def attesters(host: Host) -> Iterable[tuple[str, str]]:
    """Yield the authorities of a host, and its attester ids there."""
    return (
        (rules.OWN, f"node-{host.number}"),
        (rules.OTHER, host.name),
    )
