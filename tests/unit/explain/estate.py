# SPDX-License-Identifier: Apache-2.0
"""A site in a directory: what nova-scheduler would read there, and flavors.

The policy is the example of ``tests/policies.py``, the keys are the same at
each run, and time stands still an hour after the policy was issued.  What the
pages of the documentation show is printed here.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import shlex
import tempfile
import time
import unittest
from unittest import mock

from nfv_mla_scheduler.cmd import main
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from tests import policies

NOW = policies.NOW
PROJECT = "6f70656e737461636b20342065766572"
KEYLIME, VERAISON = "keylime-fra", "veraison-bka"
ATTESTERS = {
    "ber-1": {
        KEYLIME: "d432fbb3-d2f1-4a97-9ef7-75bd81c00001",
        VERAISON: "ber-1",
    },
    "ber-2": {KEYLIME: "d432fbb3-d2f1-4a97-9ef7-75bd81c00002"},
    "par-1": {KEYLIME: "d432fbb3-d2f1-4a97-9ef7-75bd81c00003"},
    "par-2": {VERAISON: "par-2"},
}
CONF = """\
[DEFAULT]
transport_url = rabbit://nova@bus:5672
[filter_scheduler]
enabled_filters = NfvMlaFilter, ComputeFilter
[nfv_mla]
policy_file = {0}/policy.json
officer_keys = {0}/alice.pub, {0}/bob.pub
results_file = {0}/results
state_dir = {0}/state
break_glass_dir = {0}/break-glass
management_domain = acme
"""
#: As ``openstack flavor show -f json`` prints one, abridged.
FLAVOR = {
    "OS-FLV-EXT-DATA:ephemeral": 0,
    "id": "7",
    "name": "keys.small",
    "os-flavor-access:is_public": True,
    "properties": {
        "hw:cpu_policy": "dedicated",
        "nfv_mla:capability.tpm": "hardware",
        "nfv_mla:location.jurisdiction": "DE",
    },
    "ram": 2048,
    "vcpus": 2,
}
FLAVORS = [
    {
        "ID": "7",
        "Name": "keys.small",
        "RAM": 2048,
        "Properties": FLAVOR["properties"],
    },
    {
        "ID": "8",
        "Name": "paris.small",
        "RAM": 2048,
        "Properties": {"nfv_mla:location.jurisdiction": "FR"},
    },
    {"ID": "1", "Name": "m1.small", "RAM": 2048, "Properties": {}},
]
#: How ``policy-8.yaml`` differs from the policy in force: an authority may no
#: longer say where hosts are, and the enclaves are for the police alone.
NEXT = (
    ("version: 7", "version: 8"),
    ("execution-enclave, location, tpm", "execution-enclave, tpm"),
    (
        "members: [par-1, par-2]",
        "members: [par-1, par-2]\n    exclusive_to: [police]",
    ),
    ("until: 2027-01-31}", "until: 2027-02-15}"),
)


def claim(
    name: str,
    values: str = "",
    status: Status = Status.AFFIRMING,
    grade: Grade = Grade.RUN_TIME,
) -> Claim:
    """Return a claim with values, or with one region for a location."""
    found = {"": frozenset(values.split())} if values else {}
    if name == "location":
        found = {"jurisdiction": frozenset(values.split())}
    return Claim(name, status, grade, found)


def good(*places: str) -> dict[str, dict[str, Claim]]:
    """Return what both authorities say of a good host."""
    ours = (
        claim("attestation"),
        claim("tpm", "hardware"),
        claim("measured-boot", grade=Grade.BOOT),
        claim("secured-boot", grade=Grade.BOOT),
        claim("software-integrity", "boot run-time"),
    )
    theirs = (
        claim("attestation"),
        claim("tpm", "hardware"),
        claim("execution-enclave", "sev-snp"),
        *(claim("location", place) for place in places),
    )
    return {
        KEYLIME: {c.capability: c for c in ours},
        VERAISON: {c.capability: c for c in theirs},
    }


class Estate:
    """The files of one site."""

    def __init__(self, directory: str) -> None:
        self.directory = pathlib.Path(directory)
        for name in policies.NAMES:
            self.put(f"{name}.pub", policies.public_pem(name))
        self.put("collector.pub", policies.public_pem("collector-a"))
        self.put("policy.yaml", policies.policy_yaml())
        self.put("policy.json", policies.signed(policies.policy_yaml()))
        self.put("policy-8.yaml", policies.policy_yaml(*NEXT))
        self.put("nova.conf", CONF.format(self.directory))
        self.put("keys.small.json", json.dumps(FLAVOR))
        self.put("flavors.json", json.dumps(FLAVORS))
        (self.directory / "break-glass").mkdir()
        self.said = {
            "ber-1": good("DE-BE"),
            "ber-2": good(),
            "par-1": good(),
            "par-2": good("FR"),
        }
        self.said["par-1"][KEYLIME]["tpm"] = claim("tpm", "virtual")
        self.ages = {"par-2": 10.0}
        self.publish()

    def put(self, name: str, data: str | bytes) -> pathlib.Path:
        """Write one file."""
        path = self.directory / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def publish(self, signer: str = "collector-a", at: float = NOW) -> None:
        """Publish what the authorities say."""
        results: dict[str, dict[str, Result]] = {KEYLIME: {}, VERAISON: {}}
        freshness: dict[str, dict[str, Freshness]] = {
            KEYLIME: {},
            VERAISON: {},
        }
        for host, attesters in ATTESTERS.items():
            for authority, attester in attesters.items():
                if host not in self.said:
                    continue
                results[authority][attester] = Result(
                    authority,
                    attester,
                    self.said[host][authority],
                    "boot-1",
                    at - 3600,
                )
                seen = at - self.ages.get(host, 5.0)
                freshness[authority][attester] = Freshness(seen, "boot-1")
        draft = ResultsDraft("collector-a", at - 2, results, freshness)
        self.put("results", write(draft, policies.signer(signer)))

    def alter(self, *replacements: tuple[str, str]) -> None:
        """Sign and put another policy in place of the present one."""
        text = policies.policy_yaml(*replacements)
        self.put("policy.json", policies.signed(text))

    def configure(self, *replacements: tuple[str, str]) -> None:
        """Change nova.conf."""
        text = (self.directory / "nova.conf").read_text()
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        self.put("nova.conf", text)


class EstateTest(unittest.TestCase):
    """Runs commands in the directory of a site, an hour after its issue."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(temporary.name)
        self.estate = Estate(temporary.name)
        self.now = NOW
        patch = mock.patch.object(time, "time", lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)

    def typed(self, line: str, status: int | None = 0) -> str:
        """Return what a command prints, errors at the end.

        :param line: as typed, but for ``nfv-mla`` and where nova.conf is
        :param status: the one that is expected; None: any
        """
        out, err = io.StringIO(), io.StringIO()
        words = shlex.split(line)
        if words[:1] == ["explain"] or words[:2] == ["policy", "impact"]:
            words += ["--config-file", "nova.conf"]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            got = main.main(words)
        text = out.getvalue() + err.getvalue()
        self.assertIn(status, (None, got), text)
        self.assertNotIn("Traceback", text)
        for said in err.getvalue().splitlines():
            self.assertLessEqual(len(said), 340)
        return text
