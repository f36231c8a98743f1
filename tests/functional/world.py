# SPDX-License-Identifier: Apache-2.0
"""The hosts of the functional tests, and what policy and authorities say.

Values only; ``tests/cloud/site.py`` signs and publishes them.  One policy
binds every host here; a test's cloud runs as many of them as it needs.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as ty

import yaml

from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.keys import RESOURCES
from nfv_mla_scheduler.policy.profiles import profile_needs
from nfv_mla_scheduler.standard import catalogue
from tests.cloud import description as desc
from tests.cloud.site import COLLECTOR
from tests.cloud.site import Attested
from tests.cloud.site import Site
from tests.cloud.site import claim

#: Has a floor of its own: all its servers need a hardware TPM.
FLOORED = desc.User("floored", "floored")
#: The one owner of the key stores and of the single hosts.
KEYS = desc.User("keys", "key-services")
USERS = (*desc.USERS, FLOORED, KEYS)

AUTHORITY = "keylime"
#: Whose results grow stale within seconds.
HASTY = "hasty"
HASTY_MAX_AGE_S = 4
#: For which the collector does not speak.
FOREIGN = "foreign"

GOOD_1, GOOD_2 = "good-1", "good-2"
#: Bound and attested, without a TPM that anybody claims.
DULL = "dull-1"
#: Known to Nova, and to nobody else.
WEB = "web-1"
KEY_1, KEY_2, VAULT = "key-1", "key-2", "vault-1"
LONE_1, LONE_2, LONE_3 = "lone-1", "lone-2", "lone-3"
ENCLAVE_1, ENCLAVE_2 = "enclave-1", "enclave-2"
BOUND = (
    *(GOOD_1, GOOD_2, DULL),
    *(KEY_1, KEY_2, VAULT),
    *(LONE_1, LONE_2, LONE_3),
    *(ENCLAVE_1, ENCLAVE_2),
)

_ENCRYPTED_GUESTS = {desc.AMD_SEV_SNP: 8}

#: What the flavors of the tests ask for.
TPM = {"nfv_mla:capability.tpm": "hardware"}
FRESH = {"nfv_mla:authority": HASTY, **TPM}
ENCLAVE = {"nfv_mla:host_class": "secure-execution"}
ENCRYPTED = {
    "hw:mem_encryption": "true",
    "hw:mem_encryption_model": desc.AMD_SEV_SNP,
}

Json = dict[str, ty.Any]


def compute(name: str) -> desc.Compute:
    """Return the compute host of this name."""
    guests = _ENCRYPTED_GUESTS if name.startswith("enclave") else {}
    return desc.Compute(name, encrypted_guests=guests)


def policy(
    site: Site,
    now: float,
    *,
    version: int = 1,
    expires_in_s: float = 90 * 86400,
    issued_ago_s: float = 60,
) -> Json:
    """Return the policy as a document that can still be altered."""
    until = utc(now + 365 * 86400 - issued_ago_s)
    facts = {
        "personnel-controls": ["host-admin", "vim-admin"],
        "secure-clean-up": {"ram": ["overwrite"], "storage": ["key-erase"]},
        "entropy-source": ["trusted", "random", "available"],
        "logical-authentication": ["two-factor"],
        "communications-security": [
            *("confidentiality", "integrity"),
            *("headroom", "real-time"),
        ],
        "concealed-resource-usage": {r: ["masked"] for r in RESOURCES},
        "secure-provisioning": {
            "instantiation": ["integrity", "confidentiality"],
            "migration": ["integrity", "confidentiality"],
        },
    }
    declared = [
        {
            "capability": capability,
            "values": values,
            "reference": "AUD-7",
            "until": until,
        }
        for capability, values in facts.items()
    ]
    document = {
        "format": "nfv-mla-policy/1",
        "version": version,
        "issued": utc(now - issued_ago_s),
        "expires": utc(now + expires_in_s),
        "operator": "acme",
        "trust_domains": {"acme": {}, "acme-keys": {}},
        "authorities": {
            AUTHORITY: _authority(),
            HASTY: {
                **_authority(),
                "vouches": ["attestation"],
                "cadence_s": 1,
                "max_age_s": HASTY_MAX_AGE_S,
            },
            FOREIGN: _authority(),
        },
        "collectors": {
            COLLECTOR: {
                "public_key": site.public_key(COLLECTOR).read_text(),
                "authorities": [AUTHORITY, HASTY],
            }
        },
        "hosts": {
            name: {
                "node_uuid": compute(name).uuid,
                "attesters": {
                    AUTHORITY: name,
                    HASTY: name,
                    FOREIGN: name,
                },
                "declared": declared,
            }
            for name in BOUND
        },
        "pools": {
            "key-stores": _owned("pooled-restricted", KEY_1, KEY_2),
            "vaults": _owned("pooled-restricted", VAULT),
            "lone-one": {
                **_owned("single-restricted", LONE_1),
                "moves_to": [LONE_2],
            },
            "lone-two": _owned("single-restricted", LONE_2),
            "lone-three": _owned("single-restricted", LONE_3),
            "enclaves-a": _shared("secure-execution", ENCLAVE_1),
            "enclaves-b": _shared("secure-execution", ENCLAVE_2),
        },
        "projects": {
            FLOORED.project_id: {
                "trust_domain": "acme",
                "floor": {"capability.tpm": "hardware"},
            },
            KEYS.project_id: {"trust_domain": "acme-keys"},
        },
    }
    # Nothing in it is to be one object: YAML would say so, which no policy
    # may.
    return ty.cast(Json, json.loads(json.dumps(document)))


def as_yaml(document: Json) -> str:
    """Return a policy as officers sign it."""
    return yaml.safe_dump(document, sort_keys=False)


def ask_alone(
    document: Json, profile: str, requirement: str, now: float
) -> None:
    """Let a policy have a profile of which one requirement alone is left.

    :param document: the policy's; the others of the profile are waived in it
    """
    document["profiles"] = {profile: {"base": "multi-tenant-hosting"}}
    known = catalogue.load()
    read = read_policy(as_yaml(document).encode(), known)
    needs = profile_needs(read.profiles[profile], read, known)
    document["waivers"] = [
        {
            "profile": profile,
            "requirement": name,
            "reason": "not what is tested here",
            "reference": "CHG-1",
            "until": utc(now + 86400),
        }
        for name in sorted({n.requirement for n in needs} - {requirement})
    ]


def attest(site: Site) -> None:
    """Let both authorities say of every bound host what is usual."""
    site.attested = {
        AUTHORITY: {
            name: Attested(_claims(enclave=name.startswith("enclave")))
            for name in BOUND
        },
        HASTY: {
            name: Attested({"attestation": claim("attestation")})
            for name in BOUND
        },
    }
    del site.attested[AUTHORITY][DULL].claims["tpm"]


def praise(site: Site, host: str) -> Attested:
    """Let the authority say of a host what it says of a good one."""
    said = Attested(_claims())
    site.attested[AUTHORITY][host] = said
    return said


def contraindicate(site: Site, host: str, *capabilities: str) -> None:
    """Let the authority say that a host is not what it should be."""
    said = site.attested[AUTHORITY][host]
    for name in capabilities or tuple(said.claims):
        said.claims[name] = dataclasses.replace(
            said.claims[name], status=Status.CONTRAINDICATED
        )


def utc(at: float) -> str:
    """Return an instant as policies write it."""
    moment = datetime.datetime.fromtimestamp(int(at), datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _authority() -> Json:
    return {
        "trust_domain": "acme",
        "vouches": [
            "attestation",
            "tpm",
            "measured-boot",
            "secured-boot",
            "software-integrity",
            "execution-enclave",
        ],
        "cadence_s": 5,
        "max_age_s": 3600,
    }


def _owned(host_class: str, *members: str) -> Json:
    return {
        "host_class": host_class,
        "members": list(members),
        "exclusive_to": ["acme-keys"],
        "management_domains": ["acme"],
    }


def _shared(host_class: str, *members: str) -> Json:
    return {"host_class": host_class, "members": list(members)}


def _claims(enclave: bool = False) -> dict[str, Claim]:
    claims = [
        claim("attestation"),
        claim("tpm", ["hardware"]),
        claim("software-integrity", ["boot", "run-time"]),
        claim("measured-boot", grade=Grade.BOOT),
        claim("secured-boot", grade=Grade.BOOT),
    ]
    if enclave:
        claims.append(claim("execution-enclave", ["sev-snp"]))
    return {c.capability: c for c in claims}
