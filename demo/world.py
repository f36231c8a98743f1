# SPDX-License-Identifier: Apache-2.0
"""The demo's data centres: hosts, what is known of them, who rents them.

Values and text only; ``laboratory.py`` says them, ``tests/cloud/site.py``
signs the policy.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping

from demo import drafting
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.policy.keys import RESOURCES
from tests.cloud import description as desc
from tests.cloud.site import Attested
from tests.cloud.site import Site
from tests.cloud.site import claim

ADMIN = desc.ADMIN
OFFICE = desc.User("office", "interception")
CORE = desc.User("core", "mobile-core")
KEYS = desc.User("keys", "key-services")
BILLING = desc.User("billing", "billing")
LAB = desc.User("lab", "lab")
WEB = desc.User("web", "web-shop")
USERS = (ADMIN, OFFICE, CORE, KEYS, BILLING, LAB, WEB)
# The account of the monitor, in a project in which there are no servers.
MONITOR = desc.User("monitor", "security", ADMIN.roles)

# As policy.yaml has it: when results are too old, who owns a pool, ...
MAX_AGE_S = 5
OWNED_BY_KEYS = "    exclusive_to: [acme-keys]\n"
OWNED_BY_LAB = "    exclusive_to: [acme-lab]\n"
CLASSES = {"enclaves": "secure-execution", "key-stores": "pooled-restricted"}
FOOTPRINT = {"VCPU": 2, "MEMORY_MB": 2048}

# How often each process signs how far its ledger goes.
SIGNED_EVERY_S = 1.0

# The authorities: the operator's own, and one in another trust domain.
OURS = "keylime-dc"
THEIRS = "veraison-police"

_FOR_ALL: tuple[tuple[str, str], ...] = (
    ("physical-controls", "[site, rack, alarm]"),
    ("logical-authentication", "[two-factor]"),
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

    :ivar pool: as the policy lists it; empty: none
    :ivar enclaves: whether it runs guests in AMD SEV-SNP enclaves
    """

    name: str
    jurisdiction: str
    city: str
    pool: str = ""
    enclaves: bool = False
    hsm: bool = False
    memory_gb: int = 32

    @property
    def declared(self) -> tuple[tuple[str, str], ...]:
        """Capability and values of each fact that the policy declares."""
        facts = _FOR_ALL
        lines, staff = "confidentiality, integrity", "host-admin, vim-admin"
        if self.enclaves:
            facts += (("concealed-resource-usage", f"{{{_CONCEALED}}}"),)
            # as much as a tap needs (6.11)
            lines += ", headroom, real-time"
            # rented racks: nobody vouches for those who run the hosts
            staff = "vim-admin"
        facts += (("personnel-controls", f"[{staff}]"),)
        facts += (("communications-security", f"[{lines}]"),)
        if self.hsm or self.enclaves:
            facts += (("hsm", "[physical]"),)
            facts += (("secure-storage", "{block: [encrypted]}"),)
        return facts

    @property
    def compute(self) -> desc.Compute:
        """The compute host in Nova."""
        guests = {desc.AMD_SEV_SNP: 8} if self.enclaves else {}
        return desc.Compute(
            self.name,
            memory_mb=self.memory_gb * 1024,
            encrypted_guests=guests,
        )

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


# The hosts that are wrong for most are the roomiest, so that Nova alone would
# choose them.
HOSTS = (
    Host("ber-1", "DE-BE", "berlin", "enclaves", enclaves=True),
    Host("ber-2", "DE-BE", "berlin", "enclaves", enclaves=True),
    Host("par-1", "FR", "paris", "enclaves", enclaves=True, memory_gb=48),
    Host("ham-1", "DE-HH", "hamburg", "key-stores", hsm=True, memory_gb=128),
    Host("ham-2", "DE-HH", "hamburg", "key-stores", hsm=True, memory_gb=128),
    Host("fra-1", "DE-HE", "frankfurt"),
    Host("fra-2", "DE-HE", "frankfurt"),
    Host("zrh-1", "CH", "zurich", memory_gb=48),
)
# Known to Nova, and to nobody else.
PLAIN = desc.Compute("web-1", memory_mb=64 * 1024)
COMPUTES = (*(host.compute for host in HOSTS), PLAIN)

GERMAN = tuple(h.name for h in HOSTS if h.jurisdiction.startswith("DE"))
GERMAN_ENCLAVES = ("ber-1", "ber-2")
KEY_STORES = ("ham-1", "ham-2")
OPEN_HOSTS = tuple(c.name for c in COMPUTES if c.name not in KEY_STORES)

# An image that a network function is shipped in: signed, encrypted, for UEFI
# guests with a source of random numbers, fit to run in an enclave.
VNF_IMAGE = desc.Image(
    "vnf",
    {
        **desc.CONFIDENTIAL_IMAGE.properties,
        **desc.SIGNED_IMAGE.properties,
        **desc.HARDENED_IMAGE.properties,
        "hw_ephemeral_encryption_secret_uuid": desc.identifier(
            "secret", "vnf"
        ),
    },
)
ENCLAVE = {
    "hw:mem_encryption": "true",
    "hw:mem_encryption_model": "amd-sev-snp",
}
_INTERCEPTION = {
    "nfv_mla:profile": "k7",
    "nfv_mla:host_class": "secure-execution",
    "nfv_mla:location.jurisdiction": "DE",
}


@dataclasses.dataclass(frozen=True)
class Flavor:
    """A flavor.

    :ivar words: what it asks for, for people
    :ivar wants: its extra specs
    """

    words: str
    wants: Mapping[str, str] = dataclasses.field(default_factory=dict)
    vcpus: int = 1
    memory_gb: int = 1


FLAVORS = {
    "plain": Flavor("nothing"),
    "interception": Flavor(
        "lawful interception (k7), in Germany, in an enclave that it uses",
        {**_INTERCEPTION, **ENCLAVE},
    ),
    "interception-bare": Flavor(
        "the same, but does not use the enclave", _INTERCEPTION
    ),
    "subscribers": Flavor(
        "subscriber data; staff that is vouched for; a tap can follow it",
        {
            "nfv_mla:profile": "sensitive-application-function"
            ".subscriber-data",
            "nfv_mla:capability.personnel-controls": "host-admin",
            "nfv_mla:follow": "lawful-interception@jurisdiction",
        },
    ),
    "key-store": Flavor(
        "cryptographic functions, in the pool key-stores",
        {
            "nfv_mla:profile": "sensitive-application-function.cryptographic",
            "nfv_mla:pool": "key-stores",
        },
    ),
    "vouched": Flavor(
        f"that {THEIRS} vouches for the host; a hardware TPM",
        {
            "nfv_mla:authority": THEIRS,
            "nfv_mla:capability.tpm": "hardware",
        },
    ),
    "measured": Flavor(
        "that the host's software is measured as it runs",
        {"nfv_mla:capability.software-integrity": "run-time"},
    ),
    "hardware": Flavor(
        "a hardware TPM", {"nfv_mla:capability.tpm": "hardware"}
    ),
    "wide": Flavor(
        "nothing; but web-1, ham-1 and ham-2 alone are as large", memory_gb=56
    ),
    "huge": Flavor(
        "nothing; but ham-1 and ham-2 alone are as large", memory_gb=100
    ),
    "filler": Flavor("nothing; takes all processors of a host", vcpus=16),
}


def policy(
    now: float, *, version: int = 1, days: float = 90, issued_ago: float = 60
) -> str:
    """Return the policy as YAML, its times relative to ``now``."""
    return drafting.filled(
        pathlib.Path(__file__).with_name("policy.yaml"),
        {
            "version: 1": f"version: {version}",
            "ISSUED": drafting.utc(now - issued_ago),
            "EXPIRES": drafting.utc(now + days * 86400),
            "WAIVED": drafting.utc(now + 120 * 86400),
            "HOSTS\n": "".join(_bound(host, now) for host in HOSTS),
            "PROJECT-KEYS": KEYS.project_id,
            "PROJECT-CORE": CORE.project_id,
            "PROJECT-BILLING": BILLING.project_id,
            "PROJECT-LAB": LAB.project_id,
        },
    )


def host(name: str) -> Host:
    """Return the bound host of this name."""
    return next(host for host in HOSTS if host.name == name)


def attest(site: Site) -> None:
    """Have it ready that both authorities speak well of every host."""
    site.attested = {
        OURS: {h.name: Attested(h.platform_claims()) for h in HOSTS},
        THEIRS: {h.name: Attested(h.foreign_claims()) for h in HOSTS},
    }


def _bound(host: Host, now: float) -> str:
    known = dict.fromkeys((OURS, THEIRS), host.name)
    return drafting.bound(host, now, known)
