# SPDX-License-Identifier: Apache-2.0
"""What a server's flavor and image really ask Nova for.

Pure, and without Nova: ``explain`` and the monitor judge from the API's plain
strings.  Each rule names the Nova code that acts on the same setting.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.policy.keys import RESOURCES

# Guests whose memory other processes can neither read, alter nor replay
# (6.16).  Plain hw:mem_encryption means AMD SEV, which does not stop replay.
FULL_ENCLAVES = frozenset({"amd-sev-snp", "intel-tdx"})
_SIGNATURE = (
    "img_signature",
    "img_signature_hash_method",
    "img_signature_key_type",
    "img_signature_certificate_uuid",
)
# The image properties that are read here; the others need not be fetched.
IMAGE_PROPERTIES = (
    *_SIGNATURE,
    "hw_ephemeral_encryption",
    "hw_ephemeral_encryption_secret_uuid",
    "hw_mem_encryption",
    "hw_mem_encryption_model",
)
# Of a server that boots from a volume, image properties are metadata that the
# volume's owner writes, and Nova verifies no signature.
VOLUME_PROPERTIES = ("hw_mem_encryption", "hw_mem_encryption_model")
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})


@dataclasses.dataclass(frozen=True, slots=True)
class Application:
    """The application's own part in meeting a requirement.

    :ivar memory_encryption: model asked for, ``amd-sev`` unless it is named;
        ``None``: not encrypted
    :ivar conceals: resources whose use it conceals itself (7.2.2.0)
    """

    memory_encryption: str | None = None
    signed_image: bool = False
    encrypted_image: bool = False
    encrypted_volume: bool = False
    rng_device: bool = False
    direct_device: bool = False
    conceals: frozenset[str] = frozenset()

    @property
    def full_enclave(self) -> bool:
        """Whether it runs in an enclave that also stops alteration."""
        return self.memory_encryption in FULL_ENCLAVES

    def has(self, term: str, key: str | None = None) -> bool | None:
        """Return whether an application term holds.

        :param term: a name of the catalogue's application terms
        :param key: for ``conceals``, the resource; ``None``: any resource
        :returns: None when nothing in flavor or image can tell
        """
        if term == "conceals":
            return key in self.conceals if key else bool(self.conceals)
        known = {
            "full-enclave-guest": self.full_enclave,
            "signed-image": self.signed_image,
            "encrypted-image": self.encrypted_image,
            "encrypted-volume": self.encrypted_volume,
            "rng-device": self.rng_device,
            "direct-device": self.direct_device,
        }
        return known.get(term)


# One that does all that flavor and image could ask for, and of which all that
# nothing can tell remains unknown: for asking what hosts could take.
IDEAL = Application(
    memory_encryption="amd-sev-snp",
    signed_image=True,
    encrypted_image=True,
    encrypted_volume=True,
    rng_device=True,
    direct_device=True,
    conceals=frozenset(RESOURCES),
)
# An image that is signed and asks for encryption; the enclave is the flavor's.
IDEAL_IMAGE: Mapping[str, str] = {
    **dict.fromkeys(_SIGNATURE, "given"),
    "hw_ephemeral_encryption": "true",
    "hw_ephemeral_encryption_secret_uuid": "given",
}


def read_application(
    extra_specs: Mapping[str, str],
    image: Mapping[str, Any],
    conceals: frozenset[str] = frozenset(),
) -> Application:
    """Return what flavor and image ask for.

    :param extra_specs: of the flavor
    :param image: image properties under the names that Nova's API shows
    :param conceals: what remains of ``nfv_mla:conceals``
    """
    encrypted = _agreed(extra_specs, "hw:", image, "ephemeral_encryption")
    return Application(
        memory_encryption=_memory_encryption(extra_specs, image),
        signed_image=all(image.get(name) for name in _SIGNATURE),
        encrypted_image=encrypted
        and bool(image.get("hw_ephemeral_encryption_secret_uuid")),
        encrypted_volume=encrypted,
        # libvirt adds the device unless the flavor forbids it
        rng_device=_true(extra_specs.get("hw_rng:allowed", "true")),
        direct_device=bool(
            extra_specs.get("pci_passthrough:alias")
            or extra_specs.get("accel:device_profile")
        ),
        conceals=conceals,
    )


def _memory_encryption(
    extra_specs: Mapping[str, str], image: Mapping[str, Any]
) -> str | None:
    """As nova.virt.hardware.get_mem_encryption_constraint decides it."""
    if not _agreed(extra_specs, "hw:", image, "mem_encryption"):
        return None
    by_flavor = extra_specs.get("hw:mem_encryption_model")
    by_image = image.get("hw_mem_encryption_model")
    if by_flavor and by_image and by_flavor != by_image:
        return None
    return str(by_flavor or by_image or "amd-sev")


def _agreed(
    extra_specs: Mapping[str, str],
    prefix: str,
    image: Mapping[str, Any],
    name: str,
) -> bool:
    """Whether flavor or image asks for it, and neither says no.

    Nova refuses servers whose flavor and image contradict each other.
    """
    by_flavor = extra_specs.get(prefix + name)
    by_image = image.get("hw_" + name)
    said = [v for v in (by_flavor, by_image) if v is not None]
    return bool(said) and all(_true(v) for v in said)


def _true(value: object) -> bool:
    return str(value).strip().lower() in _TRUE
