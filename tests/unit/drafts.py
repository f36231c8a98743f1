# SPDX-License-Identifier: Apache-2.0
"""A small world that is all good, as a draft that changes may spoil.

Everything in a draft is mutable and by name; ``build`` makes of it the values
that the judges take.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Guard
from nfv_mla_scheduler.policy.values import Permissive
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.policy.values import Project
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.policy.values import Waiver
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard import catalogue
from nfv_mla_scheduler.standard.values import Profile
from tests.unit import brute_reading
from tests.unit.brute_force import World

CATALOGUE = catalogue.load()
NOW = 1_000_000.0
PROJECT = "p1"
SERVER = "00000000-0000-4000-8000-000000000001"
HOST_CAPABILITIES = tuple(
    name
    for name, capability in CATALOGUE.capabilities.items()
    if {"host", "other"} & set(capability.subjects)
)
# Of those that have values, what a good host says.
GOOD = {
    "memory-inspection": "blocked",
    "secure-logging": "confidential entry chain",
    "physical-controls": "rack alarm",
    "personnel-controls": "host-admin",
    "logical-authentication": "two-factor",
    "read-only-partitions": "host",
    "write-only-partitions": "host",
    "communications-security": "confidentiality integrity headroom real-time",
    "execution-enclave": "sev-snp",
    "tpm": "hardware",
    "hsm": "physical",
    "software-integrity": "provisioning boot run-time",
    "secure-provisioning": "integrity confidentiality",
    "secure-storage": "encrypted local",
    "secure-clean-up": "overwrite",
    "concealed-resource-usage": "constant",
    "host-routing": "lossless",
    "entropy-source": "trusted random available",
    "telemetry-control": "withheld",
}
PLACES = {
    "jurisdiction": {
        "EU": None,
        "DE": "EU",
        "DE-BE": "DE",
        "DE-BY": "DE",
        "FR": "EU",
        "CH": None,
    },
    "geographic": {
        "europe": None,
        "berlin": "europe",
        "berlin-east": "berlin",
        "paris": "europe",
    },
    "logical": {"core": None, "rack-1": "core", "rack-2": "core"},
}
HOME = {
    "jurisdiction": "DE-BE",
    "geographic": "berlin-east",
    "logical": "rack-1",
}


def host(number: int) -> str:
    """Return the name of a host."""
    return f"h{number}"


def uuid(name: str) -> str:
    """Return the compute-node UUID that is bound to a host."""
    return f"00000000-0000-4000-9000-{int(name[1:]):012d}"


def good_claim(name: str) -> Claim:
    """Return the best claim of a capability."""
    capability = CATALOGUE.capabilities[name]
    values = frozenset(GOOD.get(name, "").split())
    if name == "location":
        split = {key: frozenset({HOME[key]}) for key in capability.keys}
    elif capability.keys:
        split = dict.fromkeys(capability.keys, values)
    else:
        split = {"": values} if values else {}
    grade = Grade.BOOT if capability.boot_only else Grade.RUN_TIME
    return Claim(name, Status.AFFIRMING, grade, split)


@dataclasses.dataclass
class Told:
    """What one authority says of one host."""

    claims: dict[str, Claim]
    boot: str | None
    attested_at: Instant
    at: Instant | None
    boot_seen: str | None
    until: Instant = FOREVER
    key: str = ""


@dataclasses.dataclass
class Draft:
    """A world that can still be changed."""

    extra_specs: dict[str, Any]
    image: dict[str, Any]
    hints: dict[str, Any]
    authorities: dict[str, Authority]
    bindings: dict[str, Binding]
    told: dict[tuple[str, str], Told]
    profiles: dict[str, Profile]
    site: list[DeclaredFact]
    own_state: dict[str, bool | None]
    places: dict[str, dict[str, str | None]]
    now: Instant = NOW
    source: str | None = None
    floor: dict[str, str] = dataclasses.field(default_factory=dict)
    trust_domain: str | None = "acme-keys"
    pools: dict[str, Pool] = dataclasses.field(default_factory=dict)
    aliases: dict[str, str] = dataclasses.field(default_factory=dict)
    waivers: list[Waiver] = dataclasses.field(default_factory=list)
    modes: dict[str, dict[str, Instant]] = dataclasses.field(
        default_factory=lambda: {"pools": {}, "profiles": {}, "projects": {}}
    )
    footprints: dict[str, dict[str, int]] = dataclasses.field(
        default_factory=dict
    )
    groups: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    expires_at: Instant = NOW + 100_000
    without_policy: bool = False
    break_glass: list[BreakGlass] = dataclasses.field(default_factory=list)
    room: frozenset[str] | None = None
    management_domain: str = "acme"
    boot_max_age_s: float = 5000.0
    misbound: dict[str, str] = dataclasses.field(default_factory=dict)

    def candidates(self) -> list[tuple[str, str]]:
        """Return (uuid, host name) of every host, one unknown included."""
        names = [*self.bindings, "h9"]
        return [(self.misbound.get(n, uuid(n)), n) for n in names]


def good(hosts: int = 2) -> Draft:
    """Return a world in which hosts can do everything."""
    everything = frozenset(HOST_CAPABILITIES)
    some = frozenset({"attestation", "tpm", "location", "execution-enclave"})
    names = [host(number) for number in range(1, hosts + 1)]
    draft = Draft(
        extra_specs={
            "hw:mem_encryption": "true",
            "hw:mem_encryption_model": "amd-sev-snp",
            "hw:ephemeral_encryption": "true",
            "pci_passthrough:alias": "nic:1",
        },
        image={
            "img_signature": "c2lnbmVk",
            "img_signature_hash_method": "SHA-256",
            "img_signature_key_type": "RSA-PSS",
            "img_signature_certificate_uuid": "u",
            "hw_ephemeral_encryption_secret_uuid": "u",
        },
        hints={},
        authorities={
            "kl": Authority("kl", "acme", everything, 10, 60, True),
            "ver": Authority("ver", "police", some, 20, 80, False),
        },
        bindings={
            name: Binding(
                name, uuid(name), {"kl": f"k-{name}", "ver": name}, (), ()
            )
            for name in names
        },
        told={},
        profiles=dict(CATALOGUE.profiles),
        site=[DeclaredFact(_fabric(), "NET-3", NOW + 9000)],
        own_state={
            "monitor-alive": True,
            "ledger-writable": True,
            "receipts-served": True,
        },
        places={axis: dict(regions) for axis, regions in PLACES.items()},
        groups={"jurisdiction": frozenset({"EU"})},
        room=frozenset(uuid(name) for name in names),
    )
    for name in names:
        for authority, boot in (("kl", f"boot-{name}"), ("ver", None)):
            vouched = draft.authorities[authority].vouches
            draft.told[authority, name] = Told(
                {c: good_claim(c) for c in sorted(vouched)},
                boot,
                NOW - 1000,
                NOW - 10,
                boot,
            )
    return draft


def _fabric() -> Claim:
    return Claim(
        "fabric-routing",
        Status.AFFIRMING,
        Grade.DECLARED,
        {"": frozenset({"lossless"})},
    )


def build(draft: Draft) -> World:
    """Return the world that a draft describes."""
    room = draft.room
    return World(
        Request(
            PROJECT,
            dict(draft.extra_specs),
            dict(draft.image),
            dict(draft.hints),
            draft.source,
            SERVER,
        ),
        CATALOGUE,
        None if draft.without_policy else policy_of(draft),
        document_of(draft),
        dict(draft.own_state),
        tuple(draft.break_glass),
        lambda _footprint: room,
        draft.management_domain,
        draft.boot_max_age_s,
    )


def policy_of(draft: Draft) -> Policy:
    """Return the policy of a draft."""
    project = Project(PROJECT, floor_of(draft), draft.trust_domain)
    return Policy(
        version=1,
        digest="",
        issued_at=NOW - 1000,
        expires_at=draft.expires_at,
        operator="acme",
        trust_domains={"acme": None, "acme-keys": None, "police": None},
        authorities=dict(draft.authorities),
        collectors={},
        hosts=dict(draft.bindings),
        regions={
            Axis(axis): Regions(dict(inside), draft.groups.get(axis, _NONE))
            for axis, inside in draft.places.items()
        },
        pools=dict(draft.pools),
        profiles=dict(draft.profiles),
        aliases=dict(draft.aliases),
        waivers=tuple(draft.waivers),
        projects={PROJECT: project},
        permissive=Permissive(**{k: dict(v) for k, v in draft.modes.items()}),
        site=tuple(draft.site),
        playbooks={},
        guard=Guard(1, 1, 1, 1, 50),
        footprints={k: dict(v) for k, v in draft.footprints.items()},
    )


_NONE: frozenset[str] = frozenset()


def floor_of(draft: Draft) -> Any:
    """Return the floor of a draft's project; None: it has none."""
    if not draft.floor:
        return None
    floor = {f"nfv_mla:{key}": value for key, value in draft.floor.items()}
    try:
        return brute_reading.read(Source.FLOOR, floor, CATALOGUE)
    except brute_reading.Unreadable:
        return None  # no policy with such a floor is ever accepted


def document_of(draft: Draft) -> ResultsDocument:
    """Return the results document of a draft."""
    results: dict[str, dict[str, Result]] = {}
    freshness: dict[str, dict[str, Freshness]] = {}
    for (authority, name), told in draft.told.items():
        attester = draft.bindings[name].attesters.get(authority)
        if attester is None:
            continue
        results.setdefault(authority, {})[attester] = Result(
            authority,
            attester,
            dict(told.claims),
            told.boot,
            told.attested_at,
            key=told.key,
        )
        if told.at is not None:
            freshness.setdefault(authority, {})[attester] = Freshness(
                told.at, told.boot_seen, told.until
            )
    return ResultsDocument("c", draft.now, "", results, freshness, ())
