# SPDX-License-Identifier: Apache-2.0
"""What a cloud for tests and demo shall consist of.  Values only.

Every identifier follows from a name, so that a policy signed beforehand can
bind hosts and projects of a cloud that does not run yet.
"""

from __future__ import annotations

import dataclasses
import typing as ty
import uuid

_NAMESPACE = uuid.UUID("8ad7dd69-9d2a-5a9b-8a5f-8c0a1c2b6a53")

#: Nova's names of its memory-encryption models (hw:mem_encryption_model).
AMD_SEV = "amd-sev"
AMD_SEV_ES = "amd-sev-es"
AMD_SEV_SNP = "amd-sev-snp"
INTEL_TDX = "intel-tdx"


def identifier(kind: str, name: str) -> str:
    """Return the UUID that something of this kind and name has."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


def project_id(name: str) -> str:
    """Return the id of a project; like Keystone's, it has no hyphens."""
    return uuid.UUID(identifier("project", name)).hex


@dataclasses.dataclass(frozen=True, slots=True)
class Compute:
    """One compute host with one node of the same name."""

    name: str
    #: Of the compute node, hence of its Placement provider; by default it
    #: follows from the name.
    uuid: str = ""
    vcpus: int = 16
    memory_mb: int = 32768
    disk_gb: int = 500
    #: How many guests of which model can have their memory encrypted.
    encrypted_guests: ty.Mapping[str, int] = dataclasses.field(
        default_factory=dict
    )
    #: Traits of the provider beside those of the driver's capabilities.
    traits: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.uuid:
            object.__setattr__(self, "uuid", identifier("compute", self.name))


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """An image that Glance shall know."""

    name: str
    properties: ty.Mapping[str, str] = dataclasses.field(default_factory=dict)
    id: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", identifier("image", self.name))


PLAIN_IMAGE = Image("plain")
#: What Nova asks of an image for any model of memory encryption.
CONFIDENTIAL_IMAGE = Image(
    "confidential",
    {
        "hw_firmware_type": "uefi",
        "hw_machine_type": "q35",
        "hw_firmware_stateless": "true",
        "hw_video_model": "none",
    },
)
SIGNED_IMAGE = Image(
    "signed",
    {
        "img_signature": "c2lnbmF0dXJl",
        "img_signature_hash_method": "SHA-256",
        "img_signature_key_type": "RSA-PSS",
        "img_signature_certificate_uuid": identifier("certificate", "signed"),
    },
)
#: Asks for what a sensitive function may need of its guest: a random number
#: generator, encrypted local disks.
HARDENED_IMAGE = Image(
    "hardened",
    {
        "hw_rng_model": "virtio",
        "hw_ephemeral_encryption": "true",
        "hw_ephemeral_encryption_format": "luks",
    },
)
IMAGES = (PLAIN_IMAGE, CONFIDENTIAL_IMAGE, SIGNED_IMAGE, HARDENED_IMAGE)


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """Someone with roles in one project.  The password is the name."""

    name: str
    project: str
    roles: frozenset[str] = frozenset({"reader", "member"})

    @property
    def id(self) -> str:
        return uuid.UUID(identifier("user", self.name)).hex

    @property
    def project_id(self) -> str:
        return project_id(self.project)


ADMIN = User(
    "admin", "admin", frozenset({"reader", "member", "manager", "admin"})
)
TENANT = User("tenant", "tenant")
OTHER_TENANT = User("other-tenant", "other-tenant")
USERS = (ADMIN, TENANT, OTHER_TENANT)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A whole cloud: Nova with its computes, Placement, who may use it."""

    computes: tuple[Compute, ...]
    images: tuple[Image, ...] = IMAGES
    users: tuple[User, ...] = USERS
    available_filters: tuple[str, ...] = (
        "nova.scheduler.filters.all_filters",
    )
    #: None: those that Nova enables by default.
    enabled_filters: tuple[str, ...] | None = None
    #: None: those that Nova has by default.
    weight_classes: tuple[str, ...] | None = None
    #: None: Nova's default.
    max_placement_results: int | None = None
    #: Called with the oslo.config object before ``overrides`` are applied,
    #: to register options that Nova does not know.
    register_options: ty.Callable[[ty.Any], object] | None = None
    #: Configuration group -> option -> value; ``DEFAULT`` is a group too.
    overrides: ty.Mapping[str, ty.Mapping[str, object]] = dataclasses.field(
        default_factory=dict
    )
    #: Rules of Nova's API policy that differ from its defaults.
    policy_rules: ty.Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )
