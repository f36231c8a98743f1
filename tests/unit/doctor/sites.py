# SPDX-License-Identifier: Apache-2.0
"""A site on disk on which all is well, and which tests may spoil.

Configuration, keys, policy, results and state are real files; nothing stands
for anything else.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import pathlib
import tempfile
import time
import unittest
import uuid
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.doctor.examination import examine
from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.site import Inputs
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.keeper import PolicyKeeper
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.authorities.certificates import make_ca

DAY = 86400.0
YEAR = datetime.timedelta(days=365)
COLLECTOR = "collector-a"
AUTHORITY = "lab"
HOSTS = ("ber-1", "ber-2")
MAX_AGE_S = 3600
# An account that is not root, for tests that root runs.
NOBODY = 65534
DISK = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"

NOVA = {
    "filter_scheduler": {
        "available_filters": "nova.scheduler.filters.all_filters\n"
        "available_filters = nfv_mla_scheduler.scheduler.filters.all_filters",
        "enabled_filters": "NfvMlaFilter, ComputeFilter",
        "weight_classes": "nova.scheduler.weights.all_weighers, "
        "nfv_mla_scheduler.scheduler.weighers.all_weighers",
    },
}
RULES = {
    "os_compute_api:os-migrate-server:migrate_live:host": "!",
    "os_compute_api:servers:create:forced_host": "!",
    "os_compute_api:os-evacuate": "role:remediation",
}
DECLARED = {
    "physical-controls": ["rack", "alarm"],
    "personnel-controls": ["host-admin"],
    "logical-authentication": ["two-factor"],
    "communications-security": ["confidentiality", "integrity"],
}
ATTESTED = (
    "attestation",
    "tpm",
    "measured-boot",
    "secured-boot",
    "software-integrity",
    "os-access-control",
)

Sections = dict[str, dict[str, Any]]


def node_uuid(host: str) -> str:
    """Return the UUID of a host's compute node."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, host))


def claims() -> dict[str, Claim]:
    """Return what a good host claims."""
    values = {"tpm": {"": frozenset({"hardware"})}}
    return {
        name: Claim(
            name, Status.AFFIRMING, Grade.RUN_TIME, values.get(name, {})
        )
        for name in ATTESTED
    }


class Site:
    """A site below a directory that is removed after the test."""

    def __init__(
        self, test: unittest.TestCase, now: float | None = None
    ) -> None:
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)
        self.now = time.time() if now is None else now
        self.root = pathlib.Path(directory.name).resolve()
        self.root.chmod(0o755)
        self.etc = self._made("etc")
        self.run = self._made("run")
        self.glass = self._made("etc/break-glass")
        self.state = self._made("state", 0o700)
        self.log = self._made("log", 0o700)
        self.audit_key = self.root / "audit.key"
        self.audit_key.write_bytes(policies.private_pem("audit"))
        self.audit_key.chmod(0o600)
        self.nova_conf = self.etc / "nova.conf"
        self.rules = self.etc / "policy.yaml"
        self.policy_file = self.etc / "policy.json"
        self.results_file = self.run / "results"
        self.mountinfo = self.root / "mountinfo"
        self.mountinfo.write_text(DISK)
        self.nova_hosts = self.root / "hosts.json"
        self.keys = [self.etc / f"{name}.pub" for name in policies.NAMES]
        for path, name in zip(self.keys, policies.NAMES, strict=True):
            path.write_text(policies.public_pem(name))
        self.sections: Sections = {
            **{name: dict(values) for name, values in NOVA.items()},
            "nfv_mla": {
                "policy_file": self.policy_file,
                "officer_keys": ", ".join(map(str, self.keys)),
                "results_file": self.results_file,
                "state_dir": self.state,
                "break_glass_dir": self.glass,
                "audit_dir": self.log,
                "audit_key_file": self.audit_key,
                "management_domain": "acme",
            },
        }
        self.document = self._document()
        self.write_conf()
        self.write_rules(RULES)
        self.sign()
        self.keep()
        self.record()
        self.publish()
        self.list_hosts()
        self._give_away()

    def _made(self, name: str, mode: int = 0o755) -> pathlib.Path:
        path = self.root / name
        path.mkdir(mode=mode)
        path.chmod(mode)
        return path

    def _give_away(self) -> None:
        """Give what a service writes to an account that is not root's."""
        if os.getuid() == 0:
            kept = (self.state, *self.state.iterdir(), self.audit_key)
            for path in (*kept, self.log, *self.log.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def without_ledger(self) -> None:
        """Keep no ledger from now on."""
        for name in ("audit_dir", "audit_key_file"):
            self.sections["nfv_mla"].pop(name)
        self.write_conf()

    def with_ledger(self) -> None:
        """Keep a ledger again."""
        self.sections["nfv_mla"].update(
            audit_dir=self.log, audit_key_file=self.audit_key
        )
        self.write_conf()

    def _document(self) -> dict[str, Any]:
        later = write_instant(self.now + 300 * DAY)
        declared = [
            {
                "capability": name,
                "values": values,
                "reference": "AUD-12",
                "until": later,
            }
            for name, values in DECLARED.items()
        ]
        return {
            "format": "nfv-mla-policy/1",
            "version": 7,
            "issued": write_instant(self.now - 3600),
            "expires": write_instant(self.now + 90 * DAY),
            "operator": "acme",
            "trust_domains": {"acme": {}, "acme-keys": {}},
            "authorities": {
                AUTHORITY: {
                    "trust_domain": "acme",
                    "vouches": list(ATTESTED),
                    "cadence_s": 60,
                    "max_age_s": MAX_AGE_S,
                }
            },
            "collectors": {
                COLLECTOR: {
                    "public_key": policies.public_pem(COLLECTOR),
                    "authorities": [AUTHORITY],
                }
            },
            "hosts": {
                host: {
                    "node_uuid": node_uuid(host),
                    "attesters": {AUTHORITY: f"a-{host}"},
                    "declared": declared,
                }
                for host in HOSTS
            },
            "regions": {},
            "pools": {
                "keys": {
                    "host_class": "pooled-restricted",
                    "members": list(HOSTS),
                    "exclusive_to": ["acme-keys"],
                    "management_domains": ["acme"],
                }
            },
        }

    def write_conf(self) -> None:
        """Write nova.conf from its sections."""
        self.nova_conf.write_text(ini(self.sections))

    def write_rules(self, rules: dict[str, str]) -> None:
        """Write the policy file of nova-api."""
        self.rules.write_text(json.dumps(rules))

    def sign(self, *names: str, **changes: Any) -> None:
        """Sign the policy, changed, by these officers; none: by both."""
        self.document.update(changes)
        keys = [policies.signer(name) for name in names or policies.NAMES]
        text = json.dumps(self.document)
        self.policy_file.write_bytes(policies.signed(text, keys))

    def keep(self) -> None:
        """Let a scheduler take the policy, and keep it."""
        keeper = PolicyKeeper(policies.root(), load(), self.state)
        keeper.offer(self.policy_file.read_bytes(), self.now)

    def record(
        self, age_s: float = 5.0, service: str = "nova-scheduler"
    ) -> pathlib.Path:
        """Write a chain with one entry, and return the origin's directory."""
        name = f"ctl.acme.test.{service}.0"
        origin = self.log / name
        origin.mkdir(exist_ok=True)
        (origin / "lock").touch()
        at = self.now - age_s
        line = entry.encode(
            1, entry.NOTHING, at, name, "ctl/x/1", "heartbeat", {}
        )
        (origin / f"{1:020}.jsonl").write_bytes(line)
        return origin

    def publish(
        self,
        *,
        age_s: float = 5.0,
        issued_s: float | None = None,
        hosts: tuple[str, ...] = HOSTS,
        said: dict[str, Claim] | None = None,
        signer: str = COLLECTOR,
    ) -> None:
        """Write the results document.

        :param age_s: how long ago hosts were appraised
        :param issued_s: how long ago the document was issued
        """
        at = self.now - age_s
        results = {
            f"a-{host}": Result(
                AUTHORITY,
                f"a-{host}",
                claims() if said is None else said,
                None,
                at,
            )
            for host in hosts
        }
        issued = self.now - (age_s if issued_s is None else issued_s)
        draft = ResultsDraft(
            COLLECTOR,
            issued,
            {AUTHORITY: results},
            {AUTHORITY: {name: Freshness(at, None) for name in results}},
        )
        data = write(draft, policies.signer(signer))
        self.results_file.write_bytes(data)

    def list_hosts(self, *more: dict[str, str]) -> None:
        """Write the list of Nova's hosts."""
        hosts = [
            {
                "ID": node_uuid(host),
                "Hypervisor Hostname": host,
                "Hypervisor Type": "QEMU",
                "State": "up",
            }
            for host in HOSTS
        ]
        self.nova_hosts.write_text(json.dumps([*hosts, *more]))

    def inputs(self, **changes: Any) -> Inputs:
        """Return what the doctor is given."""
        given: dict[str, Any] = {
            "now": self.now,
            "scheduler": (self.nova_conf,),
            "conductor": (self.nova_conf,),
            "api": (self.nova_conf,),
            "nova_hosts": self.nova_hosts,
            "mountinfo": self.mountinfo,
            "administrator": os.getuid(),
            **changes,
        }
        return Inputs(**given)

    def look(self, name: str, **changes: Any) -> Verdict:
        """Return what one check finds."""
        (finding,) = examine(self.inputs(**changes), {name})
        return finding.verdict


class CollectorSite(Site):
    """The same, with the configuration of a collector beside it."""

    def __init__(self, test: unittest.TestCase) -> None:
        super().__init__(test)
        self.own_state = self._made("collector", 0o700)
        self.collector_conf = self.etc / "collector.conf"
        self.key_file = self.own_state / "collector.key"
        self.key_file.write_bytes(policies.private_pem(COLLECTOR))
        self.key_file.chmod(0o600)
        ca = make_ca(ends=YEAR)
        self.ca_file = ca.write(self.etc)
        self.server = ca.issue_server(self.own_state, "127.0.0.1", ends=YEAR)
        self.client = ca.issue_client(self.own_state, ends=YEAR)
        self.keys_file = self.etc / "lab.jwks"
        self.keys_file.write_text(json.dumps({"keys": [jwk("lab")]}))
        self.status_file = self.run / "status.json"
        self.collector: Sections = {
            "nfv_mla": {
                "policy_file": self.policy_file,
                "officer_keys": ", ".join(map(str, self.keys)),
                "state_dir": self.own_state,
            },
            "nfv_mla_collector": {
                "name": COLLECTOR,
                "key_file": self.key_file,
                "results_file": self.results_file,
                "status_file": self.status_file,
                "authorities": AUTHORITY,
            },
            f"nfv_mla_authority_{AUTHORITY}": {
                "driver": "ear",
                "url": "https://127.0.0.1:1/results",
                "ca_file": self.ca_file,
                "cert_file": self.client.cert_file,
                "key_file": self.client.key_file,
                "keys_file": self.keys_file,
            },
        }
        self.write_collector_conf()
        self.say()
        self._give_away()

    def _give_away(self) -> None:
        super()._give_away()
        if os.getuid() == 0 and hasattr(self, "own_state"):
            paths = (self.own_state, *self.own_state.iterdir(), self.run)
            for path in paths:
                os.chown(path, NOBODY, NOBODY)

    def write_collector_conf(self) -> None:
        """Write the collector's configuration from its sections."""
        self.collector_conf.write_text(ini(self.collector))

    def say(self, age_s: float = 1.0, **authority: Any) -> None:
        """Write what the collector says of itself."""
        publish_error = authority.pop("publish_error", "")
        self.status_file.write_text(
            json.dumps(status(self.now - age_s, publish_error, **authority))
        )

    def inputs(self, **changes: Any) -> Inputs:
        return super().inputs(
            **{"collector": (self.collector_conf,), **changes}
        )


def status(
    now: float, publish_error: str = "", **authority: Any
) -> dict[str, Any]:
    """Return a status as a collector serves it."""
    return {
        "collector": COLLECTOR,
        "now": now,
        "started_at": now - 100,
        "policy": {"version": 7, "expires_at": now + DAY},
        "document": {"issued_at": now, "sha256": "00", "results": 2},
        "publish_error": publish_error,
        "publish_failing_since": None,
        "authorities": {
            AUTHORITY: {
                "state": "fresh",
                "since": now - 90,
                "last_success_at": now - 4,
                "code": "",
                "reason": "",
                "cadence_s": 60.0,
                "max_age_s": float(MAX_AGE_S),
                "attesters": 2,
                "results": 2,
                "fresh": 2,
                "problems": 0,
                "skew_s": 0.0,
                "last_poll_s": 0.1,
                "polls": 9,
                "failures": 0,
                **authority,
            }
        },
    }


def ini(sections: Sections) -> str:
    """Return sections as a configuration file."""
    lines = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {value}" for key, value in values.items()]
    return "\n".join((*lines, ""))


def jwk(name: str) -> dict[str, str]:
    """Return a public key as a JWK."""
    raw = (
        policies.private_key(name)
        .public_key()
        .public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": name,
        "x": base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }


class SiteCase(unittest.TestCase):
    """A test of checks."""

    def assert_found(
        self, verdict: Verdict, state: State, *words: str
    ) -> None:
        """The state is as expected, and each of these is said of it."""
        said = f"{verdict.found} / {verdict.advice}"
        self.assertIs(state, verdict.state, said)
        for word in words:
            self.assertIn(word, said)
        if state in (State.WARNING, State.FAILED):
            self.assertTrue(verdict.advice, said)

    def assert_ok(self, verdict: Verdict, *words: str) -> None:
        self.assert_found(verdict, State.OK, *words)

    def assert_warning(self, verdict: Verdict, *words: str) -> None:
        self.assert_found(verdict, State.WARNING, *words)

    def assert_failed(self, verdict: Verdict, *words: str) -> None:
        self.assert_found(verdict, State.FAILED, *words)

    def assert_skipped(self, verdict: Verdict, *words: str) -> None:
        self.assert_found(verdict, State.SKIPPED, *words)
