# SPDX-License-Identifier: Apache-2.0
"""The demo's data centres: hosts, what is known of them, who rents them.

Values and text only; ``tests/cloud/site.py`` signs and publishes them.
"""

from __future__ import annotations

import dataclasses
import datetime
import pathlib

from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.policy.keys import RESOURCES
from tests.cloud import description as desc
from tests.cloud.site import Attested
from tests.cloud.site import Site
from tests.cloud.site import claim

KEYS = desc.User("keys", "key-services")
CORE = desc.User("core", "mobile-core")
LAB = desc.User("lab", "lab")
WEB = desc.User("web", "web-shop")
OFFICE = desc.User("li", "interception")
USERS = (desc.ADMIN, KEYS, CORE, LAB, WEB, OFFICE)

_FOR_ALL = (
    ("personnel-controls", "[host-admin, vim-admin]"),
    ("physical-controls", "[site, rack, alarm]"),
    ("logical-authentication", "[two-factor]"),
    (
        "communications-security",
        "[confidentiality, integrity, headroom, real-time]",
    ),
    (
        "secure-provisioning",
        "{instantiation: [integrity, confidentiality], "
        "migration: [integrity, confidentiality]}",
    ),
    ("secure-logging", "[confidential, entry, chain]"),
    ("secure-clean-up", "{ram: [overwrite], storage: [key-erase]}"),
    ("entropy-source", "[trusted, random, available]"),
    ("host-routing", "[lossless]"),
    ("telemetry-control", "[filtered]"),
    ("self-encrypting-storage", "[]"),
)
_CONCEALED = ", ".join(f"{r}: [masked]" for r in RESOURCES)


@dataclasses.dataclass(frozen=True)
class Host:
    """A host that the policy binds.

    :ivar enclaves: whether it runs guests in AMD SEV-SNP enclaves
    """

    name: str
    jurisdiction: str
    city: str
    enclaves: bool = False
    hsm: bool = False

    @property
    def declared(self) -> tuple[tuple[str, str], ...]:
        """Capability and values of each fact that the policy declares."""
        facts = _FOR_ALL
        if self.enclaves:
            facts += (("concealed-resource-usage", f"{{{_CONCEALED}}}"),)
        if self.hsm or self.enclaves:
            facts += (("hsm", "[physical]"),)
            facts += (("secure-storage", "{block: [encrypted]}"),)
        return facts

    @property
    def compute(self) -> desc.Compute:
        """The compute host in Nova."""
        guests = {desc.AMD_SEV_SNP: 8} if self.enclaves else {}
        return desc.Compute(self.name, encrypted_guests=guests)

    def platform_claims(self) -> dict[str, Claim]:
        """What the operator's own authority attests."""
        boot = Grade.BOOT
        claims = (
            claim("attestation"),
            claim("tpm", ["hardware"], boot),
            claim("measured-boot", grade=boot),
            claim("secured-boot", grade=boot),
            claim("software-integrity", ["boot", "run-time"]),
            claim("os-access-control"),
        )
        return {c.capability: c for c in claims}

    def foreign_claims(self) -> dict[str, Claim]:
        """What the authority outside the operator's domain attests."""
        boot = Grade.BOOT
        where = {
            "jurisdiction": [self.jurisdiction],
            "geographic": [self.city],
        }
        claims = [
            claim("attestation"),
            claim("location", where, boot),
            claim("memory-inspection", ["controlled"]),
        ]
        if self.enclaves:
            claims.append(claim("execution-enclave", ["sev-snp"], boot))
        return {c.capability: c for c in claims}


HOSTS = (
    Host("ber-1", "DE-BE", "berlin", enclaves=True),
    Host("ber-2", "DE-BE", "berlin", enclaves=True),
    Host("par-1", "FR", "paris", enclaves=True),
    Host("ham-1", "DE-HH", "hamburg", hsm=True),
    Host("ham-2", "DE-HH", "hamburg", hsm=True),
    Host("fra-1", "DE-HE", "frankfurt"),
    Host("fra-2", "DE-HE", "frankfurt"),
)
# Known to Nova, and to nobody else.
PLAIN_HOSTS = (desc.Compute("web-1"), desc.Compute("web-2"))
COMPUTES = tuple(host.compute for host in HOSTS) + PLAIN_HOSTS

# An image that a network function is shipped in: signed, for UEFI guests
# with a source of random numbers, fit to run in an enclave.
VNF_IMAGE = desc.Image(
    "vnf",
    {
        **desc.CONFIDENTIAL_IMAGE.properties,
        **desc.SIGNED_IMAGE.properties,
        "hw_rng_model": "virtio",
    },
)
ENCLAVE = {
    "hw:mem_encryption": "true",
    "hw:mem_encryption_model": "amd-sev-snp",
}
FLAVORS = {
    "plain": {},
    "interception": {
        "nfv_mla:profile": "k7",
        "nfv_mla:host_class": "secure-execution",
        "nfv_mla:location.jurisdiction": "DE",
        **ENCLAVE,
    },
    "subscribers": {
        "nfv_mla:profile": "sensitive-application-function.subscriber-data",
        "nfv_mla:capability.personnel-controls": "host-admin",
        "nfv_mla:follow": "lawful-interception@jurisdiction",
    },
    "key-store": {
        "nfv_mla:profile": "sensitive-application-function.cryptographic",
        "nfv_mla:pool": "key-stores",
    },
}


def policy(
    now: float, *, version: int = 1, days: float = 90, issued_ago: float = 60
) -> str:
    """Return the policy as YAML, its times relative to ``now``."""
    text = pathlib.Path(__file__).with_name("policy.yaml").read_text()
    replaced = {
        "version: 1": f"version: {version}",
        "ISSUED": _utc(now - issued_ago),
        "EXPIRES": _utc(now + days * 86400),
        "WAIVED": _utc(now + 60 * 86400),
        "HOSTS\n": "".join(_host(host, now) for host in HOSTS),
        "PROJECT-KEYS": KEYS.project_id,
        "PROJECT-CORE": CORE.project_id,
        "PROJECT-LAB": LAB.project_id,
    }
    _comment, _, text = text.partition("format:")
    text = f"format:{text}"
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def attest(site: Site) -> None:
    """Let both authorities speak well of every host."""
    site.attested = {
        "keylime-dc": {
            h.name: Attested(h.platform_claims()) for h in HOSTS
        },
        "veraison-police": {
            h.name: Attested(h.foreign_claims()) for h in HOSTS
        },
    }


def _host(host: Host, now: float) -> str:
    until = _utc(now + 80 * 86400)
    lines = [
        f"  {host.name}:",
        f"    node_uuid: {host.compute.uuid}",
        f"    attesters: {{keylime-dc: {host.name}, "
        f"veraison-police: {host.name}}}",
        "    declared:",
    ]
    for capability, values in host.declared:
        given = "" if values == "[]" else f"values: {values}, "
        lines.append(
            f"    - {{capability: {capability}, {given}"
            f"reference: AUD-7, until: {until}}}"
        )
    return "\n".join(lines) + "\n"


def _utc(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(int(at), datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
