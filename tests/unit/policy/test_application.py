# SPDX-License-Identifier: Apache-2.0
"""What flavor and image are taken to ask Nova for."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.policy.application import IMAGE_PROPERTIES
from nfv_mla_scheduler.policy.application import read_application
from tests.unit.drafts import CATALOGUE

SIGNED = {
    "img_signature": "c2lnbmVk",
    "img_signature_hash_method": "SHA-256",
    "img_signature_key_type": "RSA-PSS",
    "img_signature_certificate_uuid": "b0",
}


def has(term, specs=None, image=None):
    return read_application(specs or {}, image or {}).has(term)


class TestApplication(unittest.TestCase):
    def test_an_image_is_signed_with_all_four_properties_only(self):
        self.assertTrue(has("signed-image", image=SIGNED))
        for name in SIGNED:
            for without in ("", None):
                image = {**SIGNED, name: without}
                self.assertFalse(has("signed-image", image=image), name)

    def test_disks_are_encrypted_if_nobody_says_no(self):
        spec, prop = "hw:ephemeral_encryption", "hw_ephemeral_encryption"
        for specs, image, found in (
            ({}, {}, False),
            ({spec: "true"}, {}, True),
            ({}, {prop: True}, True),
            ({spec: "True"}, {prop: "yes"}, True),
            ({spec: "true"}, {prop: "false"}, False),
            ({spec: "false"}, {prop: "true"}, False),
            ({spec: "maybe"}, {}, False),
        ):
            with self.subTest(specs=specs, image=image):
                self.assertIs(found, has("encrypted-volume", specs, image))

    def test_an_image_is_encrypted_with_its_secret(self):
        image = {"hw_ephemeral_encryption": "true"}
        self.assertFalse(has("encrypted-image", image=image))
        image["hw_ephemeral_encryption_secret_uuid"] = "b0"
        self.assertTrue(has("encrypted-image", image=image))

    def test_only_a_full_enclave_stops_alteration_and_replay(self):
        for model, found in (
            (None, False),
            ("amd-sev", False),
            ("amd-sev-es", False),
            ("amd-sev-snp", True),
            ("intel-tdx", True),
        ):
            specs = {"hw:mem_encryption": "true"}
            if model:
                specs["hw:mem_encryption_model"] = model
            self.assertIs(found, has("full-enclave-guest", specs), model)

    def test_a_model_alone_encrypts_nothing(self):
        specs = {"hw:mem_encryption_model": "amd-sev-snp"}
        self.assertFalse(has("full-enclave-guest", specs))

    def test_flavor_and_image_have_to_name_the_same_model(self):
        specs = {
            "hw:mem_encryption": "true",
            "hw:mem_encryption_model": "amd-sev-snp",
        }
        for model, found in (("amd-sev-snp", True), ("intel-tdx", False)):
            image = {"hw_mem_encryption_model": model}
            self.assertIs(found, has("full-enclave-guest", specs, image))

    def test_a_random_device_is_there_unless_it_is_forbidden(self):
        for allowed, found in (("True", True), ("false", False), ("", False)):
            specs = {"hw_rng:allowed": allowed}
            self.assertIs(found, has("rng-device", specs), allowed)
        self.assertTrue(has("rng-device"))

    def test_a_device_is_assigned_by_alias_or_device_profile(self):
        for key in ("pci_passthrough:alias", "accel:device_profile"):
            self.assertTrue(has("direct-device", {key: "nic:1"}), key)
            self.assertFalse(has("direct-device", {key: ""}), key)

    def test_it_conceals_what_the_flavor_offers(self):
        application = read_application({}, {}, frozenset({"cpu"}))
        self.assertTrue(application.has("conceals", "cpu"))
        self.assertFalse(application.has("conceals", "ram"))
        self.assertTrue(application.has("conceals"))
        self.assertFalse(has("conceals"))

    def test_every_term_of_the_catalogue_is_told_but_one(self):
        untold = {
            name for name in CATALOGUE.application_terms if has(name) is None
        }
        self.assertEqual({"own-hsm-client"}, untold)

    def test_the_image_properties_that_are_read_are_listed(self):
        self.assertLessEqual(set(SIGNED), set(IMAGE_PROPERTIES))
        self.assertEqual(len(IMAGE_PROPERTIES), len(set(IMAGE_PROPERTIES)))
