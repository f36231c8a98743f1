# SPDX-License-Identifier: Apache-2.0
"""A signed policy and results on disk, and Nova's own objects to judge.

Times are relative to now, since the scheduler reads the clock.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
import time
import unittest
import uuid
from collections.abc import Mapping
from typing import Any

import nova.conf
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat
from nova import context
from nova import objects
from nova.scheduler import host_manager

from nfv_mla_scheduler import conf
from nfv_mla_scheduler.audit.sealing import SealKey
from nfv_mla_scheduler.audit.sealing import read_opening_key
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.breakglass import break_glass_envelope
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.profiles import profile_needs
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.ledgers import Ledger

objects.register_all()

CONF = nova.conf.CONF

COLLECTOR = "collector-a"
DAY = 86400
MAX_AGE_S = 3600

GOOD_1, GOOD_2, WEAK, OLD = "good-1", "good-2", "weak-1", "old-1"
#: Of an exclusive pool; of one that is permissive; of a shared one.
OWNED, LENIENT, ENCLAVE = "owned-1", "lenient-1", "enclave-1"
#: Known to Nova alone.
WEB = "web-1"
BOUND = (GOOD_1, GOOD_2, WEAK, OLD, OWNED, LENIENT, ENCLAVE)
#: Those that a test judges when it names none; not the lenient one, which
#: admits everybody.
HOSTS = (GOOD_1, GOOD_2, WEAK, OLD, OWNED, ENCLAVE, WEB)

PLAIN, FLOORED, OWNER, SEALED, TRIAL = (
    uuid.uuid5(uuid.NAMESPACE_URL, name).hex
    for name in ("plain", "floored", "owner", "sealed", "trial")
)
TPM = {"nfv_mla:capability.tpm": "hardware"}


def node_uuid(host: str) -> str:
    """Return the UUID of a host's compute node."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, host))


_SEAL_KEY = x25519.X25519PrivateKey.from_private_bytes(b"s" * 32)


def seal_key() -> SealKey:
    """Return what opens the entries of the trust domain ``hush``."""
    pem = _SEAL_KEY.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return read_opening_key(pem, "hush.key")


def seal_pem() -> str:
    """Return the key that the policy has for it."""
    return (
        _SEAL_KEY.public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def policy(now: float, version: int = 1, **more: Any) -> str:
    """Return the policy; JSON is YAML, too."""
    until = write_instant(now + 100 * DAY)
    document = {
        "format": "nfv-mla-policy/1",
        "version": version,
        "issued": write_instant(now - 3600),
        "expires": write_instant(now + 90 * DAY),
        "operator": "acme",
        "trust_domains": {
            "acme": {},
            "owners": {},
            "hush": {"seal_key": seal_pem()},
        },
        "authorities": {
            "lab": {
                "trust_domain": "acme",
                "vouches": ["attestation", "tpm", "location"],
                "cadence_s": 1,
                "max_age_s": MAX_AGE_S,
            }
        },
        "collectors": {
            COLLECTOR: {
                "public_key": policies.public_pem(COLLECTOR),
                "authorities": ["lab"],
            }
        },
        "regions": {"jurisdiction": {"DE": {}, "FR": {}}},
        "hosts": {
            host: {"node_uuid": node_uuid(host), "attesters": {"lab": host}}
            for host in BOUND
        },
        "pools": {
            "owned": {
                "host_class": "pooled-restricted",
                "members": [OWNED],
                "exclusive_to": ["owners"],
                "management_domains": ["acme"],
            },
            "lenient": {
                "host_class": "pooled-restricted",
                "members": [LENIENT],
                "exclusive_to": ["owners"],
                "management_domains": ["acme"],
            },
            "enclaves": {
                "host_class": "secure-execution",
                "members": [ENCLAVE],
            },
        },
        "projects": {
            FLOORED: {
                "trust_domain": "acme",
                "floor": {"capability.tpm": "hardware"},
            },
            OWNER: {"trust_domain": "owners"},
            SEALED: {"trust_domain": "hush"},
        },
        "modes": {
            "pools": {"lenient": {"permissive_until": until}},
            "projects": {TRIAL: {"permissive_until": until}},
        },
        **more,
    }
    return json.dumps(document)


def waived_profile(name: str, now: float, **more: Any) -> dict[str, Any]:
    """Return a profile of which everything is waived, and the waivers."""
    profiles = {name: {"base": "multi-tenant-hosting", **more}}
    read = read_policy(policy(now, profiles=profiles).encode(), load())
    needs = profile_needs(read.profiles[name], read, load())
    waivers = [
        {
            "profile": name,
            "requirement": requirement,
            "reason": "not before next year",
            "reference": "CHG-1",
            "until": write_instant(now + 30 * DAY),
        }
        for requirement in sorted({need.requirement for need in needs})
    ]
    return {"profiles": profiles, "waivers": waivers}


def tpm(value: str = "hardware") -> dict[str, Claim]:
    """Return claims of run-time grade about a TPM and a place."""
    return {
        "attestation": Claim(
            "attestation", Status.AFFIRMING, Grade.RUN_TIME, {}
        ),
        "tpm": Claim(
            "tpm",
            Status.AFFIRMING,
            Grade.RUN_TIME,
            {"": frozenset({value})},
        ),
        "location": Claim(
            "location",
            Status.AFFIRMING,
            Grade.RUN_TIME,
            {"jurisdiction": frozenset({"DE"})},
        ),
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What the authority says of a host, and how long ago it said so."""

    claims: dict[str, Claim]
    age_s: float = 0.0


ALL_GOOD: Mapping[str, Said] = {
    **{host: Said(tpm()) for host in BOUND},
    WEAK: Said(tpm("virtual")),
    OLD: Said(tpm(), MAX_AGE_S / 2),
}


class Site:
    """The files of one scheduler, and the options that lead to them."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.policy_file = directory / "policy.json"
        self.results_file = directory / "results.json"
        self.waivers = directory / "break-glass"
        self.audit_dir = directory / "audit"
        self.audit_key = directory / "audit.key"
        self.ledger = Ledger(self.audit_dir)
        self.waivers.mkdir()
        self.audit_dir.mkdir()
        self.audit_key.touch(0o600)
        self.audit_key.write_bytes(policies.private_pem("audit"))
        self.put_keys()

    def put_keys(self) -> None:
        """Put the officers' public keys in their places."""
        for name in policies.NAMES:
            pem = self.directory / f"{name}.pub"
            pem.write_text(policies.public_pem(name), encoding="utf-8")

    def options(self) -> dict[str, Any]:
        """Return the options of ``[nfv_mla]`` that lead here."""
        return {
            "policy_file": str(self.policy_file),
            "results_file": str(self.results_file),
            "break_glass_dir": str(self.waivers),
            "officer_keys": [
                str(self.directory / f"{name}.pub") for name in policies.NAMES
            ],
            "state_dir": str(self.directory / "state"),
            "audit_dir": str(self.audit_dir),
            "audit_key_file": str(self.audit_key),
            "refresh_interval_s": 0.1,
            "management_domain": "acme",
        }

    def configure(self, lines: Mapping[str, Any] | None = None) -> str:
        """Write a configuration file for a process of its own."""
        path = self.directory / "nova.conf"
        text = ["[nfv_mla]"]
        for name, value in {**self.options(), **(lines or {})}.items():
            listed = ",".join(value) if isinstance(value, list) else value
            text.append(f"{name} = {listed}")
        path.write_text("\n".join(text) + "\n", encoding="utf-8")
        return str(path)

    def put_policy(self, version: int = 1, **more: Any) -> None:
        """Put the signed policy in its place."""
        text = policy(time.time(), version, **more)
        publish(self.policy_file, policies.signed(text))

    def put_results(
        self, said: Mapping[str, Said] = ALL_GOOD, now: float | None = None
    ) -> None:
        """Publish what the authority says."""
        now = time.time() if now is None else now
        results = {
            host: Result("lab", host, s.claims, None, now - s.age_s)
            for host, s in said.items()
        }
        fresh = {
            host: Freshness(now - s.age_s, None) for host, s in said.items()
        }
        draft = ResultsDraft(COLLECTOR, now, {"lab": results}, {"lab": fresh})
        publish(self.results_file, write(draft, policies.signer(COLLECTOR)))

    def put_waiver(self, target: BreakGlassTarget, name: str) -> None:
        """Let an officer waive everything for one thing."""
        envelope = break_glass_envelope(
            policies.root(), target, name, "testing", time.time() - 60, 2
        )
        signed = sign(envelope, [policies.signer("alice")])
        publish(self.waivers / "waiver.json", write_envelope(signed))

    def events(self) -> list[dict[str, Any]]:
        """End the writer, and return what it wrote for anybody to read."""
        worker.stop_all()
        return self.ledger.events()

    def sealed(self, domain: str = "hush") -> list[dict[str, Any]]:
        """End the writer, and return what it sealed for a trust domain."""
        worker.stop_all()
        return self.ledger.opened(domain, [seal_key()])

    def requests(self) -> list[dict[str, Any]]:
        """Return the events that are about requests."""
        kinds = (
            "request-refused",
            "would-refuse",
            "waiver-used",
            "break-glass-used",
        )
        return [event for event in self.events() if event["kind"] in kinds]


class SiteTestCase(unittest.TestCase):
    """Tests with a site of their own, and Nova's configuration on it."""

    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.site = Site(pathlib.Path(directory.name))
        self.addCleanup(worker.stop_all)
        conf.register(CONF)
        CONF([], project="nova", default_config_files=[])
        # others in this process register options of the command line
        self.addCleanup(CONF.clear)
        self.set(**self.site.options())
        self.request()

    def set(self, **options: Any) -> None:
        """Set options of ``[nfv_mla]`` until the test ends."""
        for name, value in options.items():
            CONF.set_override(name, value, group="nfv_mla")
            self.addCleanup(CONF.clear_override, name, group="nfv_mla")

    def request(self) -> context.RequestContext:
        """Begin another request, as oslo.messaging does in its thread."""
        return context.RequestContext("user", "project", overwrite=True)

    def ready(self) -> None:
        """Put policy and results in place."""
        self.site.put_policy()
        self.site.put_results()

    def wait_for(self, condition: Any, timeout_s: float = 30.0) -> None:
        """Wait until the background thread has seen to something."""
        end = time.monotonic() + timeout_s
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.01)


def states(*hosts: str) -> list[host_manager.HostState]:
    """Return Nova's view of these hosts; of all, if none is named."""
    found = []
    for host in hosts or HOSTS:
        state = host_manager.HostState(host, host, "cell")
        state.uuid = node_uuid(host)
        found.append(state)
    return found


def names(found: Any) -> list[str]:
    """Return the names of hosts."""
    return [state.host for state in found]


def spec(
    extra_specs: Mapping[str, str] | None = None,
    hints: Mapping[str, list[str]] | None = None,
    project: str = PLAIN,
    **more: Any,
) -> objects.RequestSpec:
    """Return a RequestSpec as Nova's scheduler gets it."""
    fields: dict[str, Any] = {
        "project_id": project,
        "instance_uuid": str(uuid.uuid4()),
        "num_instances": 1,
        "flavor": objects.Flavor(extra_specs=dict(extra_specs or {})),
        "image": objects.ImageMeta(properties=objects.ImageMetaProps()),
        "scheduler_hints": dict(hints or {}),
        "ignore_hosts": None,
        **more,
    }
    return objects.RequestSpec(**fields)
