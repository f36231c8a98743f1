# SPDX-License-Identifier: Apache-2.0
"""The policy of the estate, and what its two authorities claim.

Pure.  The policy is as a site would have it: each host bound and with facts
that its officers declare, every pool of a class, profiles of the operator's
own after the standard's, one of them with waivers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from bench.estate import ELSEWHERE
from bench.estate import REGIONS
from bench.estate import Host
from bench.estate import Standing
from bench.estate import exclusive_pools
from bench.estate import pools
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant

OWN, OTHER = AUTHORITIES = ("boot-watch", "inspector")
COLLECTOR = "collector-a"
OPERATOR = "acme"
#: No requirement asks for fresher results than this, in seconds.
LEAST_AGE_S = 1050
MAX_AGE_S = 1200

PROFILE, WAIVED = "payload", "payload-waived"
# What a site cannot have before there is a monitor, receipts and a guest with
# a random number device.
_UNMET = ("5.2.10", "5.2.11", "5.3.2")

_PROC = (
    ("physical-controls", ["rack", "alarm"]),
    ("personnel-controls", ["host-admin"]),
    ("logical-authentication", ["two-factor"]),
)
_OWN_WORD: Mapping[str, Any] = {
    "attestation": (),
    "tpm": ("hardware",),
    "measured-boot": (),
    "secured-boot": (),
    "software-integrity": ("boot", "run-time"),
    "secure-provisioning": {
        "instantiation": ("integrity", "confidentiality"),
        "migration": ("integrity", "confidentiality"),
    },
    "communications-security": ("confidentiality", "integrity"),
    "entropy-source": ("trusted", "random", "available"),
    "self-encrypting-storage": (),
    "secure-clean-up": {"ram": ("overwrite",), "storage": ("key-erase",)},
}
_AT_BOOT = frozenset(
    {"measured-boot", "secured-boot", "location", "execution-enclave"}
)


def policy_text(
    hosts: Iterable[Host], public_key: str, now: float, version: int = 1
) -> str:
    """Return the policy as JSON, which is YAML, too."""
    bound = tuple(hosts)
    until = write_instant(now + 80 * DAY_S)
    document = {
        "format": "nfv-mla-policy/1",
        "version": version,
        "issued": write_instant(now - DAY_S),
        "expires": write_instant(now + 90 * DAY_S),
        "operator": OPERATOR,
        "trust_domains": {OPERATOR: {}, "auditors": {}, "others": {}},
        "authorities": {
            OWN: _authority(OPERATOR, [*_OWN_WORD, "execution-enclave"]),
            OTHER: _authority("auditors", ["attestation", "tpm", "location"]),
        },
        "collectors": {
            COLLECTOR: {
                "public_key": public_key,
                "authorities": list(AUTHORITIES),
            }
        },
        "regions": {
            "jurisdiction": {
                "EU": {"group": True},
                **{region: {"in": "EU"} for region in REGIONS},
                ELSEWHERE: {},
            },
            "logical": {row: {} for row in sorted({h.row for h in bound})},
        },
        "hosts": {host.name: _binding(host, until) for host in bound},
        "pools": {name: _pool(name, bound) for name in pools()},
        "profiles": {
            PROFILE: {
                "base": "multi-tenant-hosting",
                "strength": dict.fromkeys(_UNMET, "conditional"),
            },
            WAIVED: {"base": "multi-tenant-hosting"},
        },
        "waivers": [
            {
                "profile": WAIVED,
                "requirement": requirement,
                "reason": "not before there is a monitor",
                "reference": "CHG-1",
                "until": until,
            }
            for requirement in _UNMET
        ],
    }
    return json.dumps(document)


def claims(host: Host, authority: str) -> dict[str, Claim] | None:
    """Return what an authority claims of a host; None: nothing at all."""
    if authority == OTHER and host.standing is Standing.SILENT:
        return None
    word: dict[str, Any]
    if authority == OWN:
        word = dict(_OWN_WORD)
        if host.enclave:
            word["execution-enclave"] = (host.enclave,)
    else:
        word = {
            "attestation": (),
            "tpm": ("hardware",),
            "location": {
                "jurisdiction": (host.region,),
                "logical": (host.row,),
            },
        }
    if host.standing is Standing.VIRTUAL:
        word["tpm"] = ("virtual",)
    against = host.standing is Standing.CONTRAINDICATED
    return {
        name: _claim(name, values, against and name == "software-integrity")
        for name, values in word.items()
    }


def _claim(name: str, values: Any, against: bool) -> Claim:
    if not isinstance(values, Mapping):
        values = {"": values} if values else {}
    return Claim(
        name,
        Status.CONTRAINDICATED if against else Status.AFFIRMING,
        Grade.BOOT if name in _AT_BOOT else Grade.RUN_TIME,
        {key: frozenset(found) for key, found in values.items()},
    )


def _authority(domain: str, vouches: list[str]) -> dict[str, Any]:
    return {
        "trust_domain": domain,
        "vouches": vouches,
        "cadence_s": 10,
        "max_age_s": MAX_AGE_S,
    }


def _binding(host: Host, until: str) -> dict[str, Any]:
    return {
        "node_uuid": host.uuid,
        "attesters": {OWN: f"node-{host.number}", OTHER: host.name},
        "declared": [
            {
                "capability": name,
                "values": values,
                "reference": f"AUD-{host.region}",
                "until": until,
            }
            for name, values in _PROC
        ],
    }


def _pool(name: str, hosts: tuple[Host, ...]) -> dict[str, Any]:
    """Return a pool; every other of those that are shared is restricted."""
    pool: dict[str, Any] = {
        "host_class": "secure-execution",
        "members": [host.name for host in hosts if host.pool == name],
    }
    if name in exclusive_pools():
        pool["host_class"] = "pooled-restricted"
        pool["exclusive_to"] = ["others"]
    elif int(name[-1]) % 2:
        pool["host_class"] = "pooled-restricted-concealed"
    if pool["host_class"] != "secure-execution":
        pool["management_domains"] = [OPERATOR]
    return pool
