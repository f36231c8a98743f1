# SPDX-License-Identifier: Apache-2.0
"""What is read of a server that boots from a volume."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.policy.application import IMAGE_PROPERTIES
from nfv_mla_scheduler.policy.application import VOLUME_PROPERTIES
from nfv_mla_scheduler.policy.application import read_application
from nfv_mla_scheduler.scheduler.adapters import read_image

SIGNED = {
    "img_signature": "c2ln",
    "img_signature_hash_method": "SHA-256",
    "img_signature_key_type": "RSA-PSS",
    "img_signature_certificate_uuid": "deadbeef",
    "hw_mem_encryption": True,
    "hw_mem_encryption_model": "amd-sev-snp",
    "hw_ephemeral_encryption": True,
    "hw_ephemeral_encryption_secret_uuid": "deadbeef",
}


class Properties(dict):
    """Like an ImageMetaProps, which knows what is set."""

    def __getattr__(self, name: str) -> object:
        return self[name]


class VolumeTest(unittest.TestCase):
    def test_its_owner_cannot_sign_it_by_writing_metadata(self) -> None:
        found = read_image(Properties(SIGNED), VOLUME_PROPERTIES)
        application = read_application({}, found)
        self.assertFalse(application.signed_image)
        self.assertFalse(application.encrypted_image)
        # Nova really starts such a guest in an enclave.
        self.assertTrue(application.full_enclave)

    def test_an_image_counts(self) -> None:
        found = read_image(Properties(SIGNED), IMAGE_PROPERTIES)
        application = read_application({}, found)
        self.assertTrue(application.signed_image)
        self.assertTrue(application.encrypted_image)
