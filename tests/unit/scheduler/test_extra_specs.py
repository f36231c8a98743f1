# SPDX-License-Identifier: Apache-2.0
"""Flavors are validated by Nova's own code, with what our keys say."""

from __future__ import annotations

import logging
import unittest
from unittest import mock

from nova import exception
from nova.api.validation.extra_specs import base
from nova.api.validation.extra_specs import validators

from nfv_mla_scheduler.policy import keys
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.scheduler import extra_specs

# key, value that is wrong
MALFORMED = (
    ("profile", ""),
    ("profile", "Lawful Interception"),
    ("profile", "a,,b"),
    ("profile", "a.b.c"),
    ("host_class", "restricted"),
    ("pool", "a;b"),
    ("location.jurisdiction", "D E"),
    ("location.jurisdiction", "DE, !DE"),
    ("location.geographic", "!"),
    ("capability.tpm", "quantum"),
    ("capability.telepathy", "required"),
    ("capability.location", "required"),
    ("capability.concealed-resource-usage", "mind"),
    ("authority", "a_b"),
    ("max_age", "0"),
    ("max_age", "1.5"),
    ("max_age", "99999999"),
    ("follow", "x@moon"),
    ("provision", "image"),
    ("conceals", "colour"),
    ("copy", "maybe"),
    ("copy", "deny, allow"),
    ("pool", ", ".join(f"p{n}" for n in range(40))),
    ("pool", "x" * 254 + "!"),
    ("pool", "a\n"),
)
UNKNOWN = (
    "nfv_mla:profil",
    "nfv_mla:",
    "nfv_mla:location",
    "nfv_mla:location.planet",
    "nfv_mla:locationxjurisdiction",
    "nfv_mla:capabilityxtpm",
    "nfv_mla:capability.",
    "nfv_mla:capability.TPM",
    "nfv_mla:capability.tpm.x",
    "nfv_mla:profile ",
)


def example(key: keys.Key) -> str:
    return PREFIX + key.name.replace("{capability}", "tpm")


class ValidatorsTest(unittest.TestCase):
    def test_nova_has_loaded_one_for_each_key(self) -> None:
        for key in KEYS:
            found = validators.VALIDATORS[PREFIX + key.name]
            # nova may have loaded it before a test loaded the module anew
            self.assertEqual("KeyValidator", type(found).__name__)
        self.assertIn("nfv_mla", validators.NAMESPACES)

    def test_every_example_is_accepted(self) -> None:
        for key in KEYS:
            with self.subTest(key.name):
                validators.validate(example(key), key.example)

    def test_what_is_malformed_is_refused_naming_key_and_value(self) -> None:
        for key, value in MALFORMED:
            with self.subTest(key=key, value=value):
                with self.assertRaises(exception.ValidationError) as caught:
                    validators.validate(PREFIX + key, value)
                message = str(caught.exception)
                self.assertIn(PREFIX + key, message)
                self.assertIn(value[:20].strip(), message)
                self.assertLessEqual(len(message), 255)
                self.assertTrue(message.isprintable())

    def test_a_refused_form_shows_a_right_one(self) -> None:
        with self.assertRaisesRegex(
            exception.ValidationError, "For example: secure-execution"
        ):
            validators.validate("nfv_mla:host_class", "x")

    def test_unknown_keys_of_ours_are_refused(self) -> None:
        for name in UNKNOWN:
            with (
                self.subTest(name),
                self.assertRaises(exception.ValidationError),
            ):
                validators.validate(name, "required")

    def test_keys_of_others_are_theirs(self) -> None:
        validators.validate("hw:mem_encryption", "true")
        validators.validate("nfvmla:profile", "ANYTHING")
        validators.validate("nfv_mla", "ANYTHING")

    def test_what_a_hint_may_not_ask_a_flavor_may(self) -> None:
        for key in KEYS:
            if not key.hint:
                validators.validate(example(key), key.example)

    def test_names_that_only_the_policy_knows_are_not_checked(self) -> None:
        for name in ("profile", "pool", "authority", "follow"):
            validators.validate(PREFIX + name, "never-heard-of")
        validators.validate("nfv_mla:location.jurisdiction", "Atlantis")

    def test_validators_are_what_nova_expects(self) -> None:
        for validator in extra_specs.register():
            self.assertIsInstance(validator, base.ExtraSpecValidator)
            self.assertIs(str, validator.value["type"])
            self.assertFalse(validator.deprecated)
            self.assertTrue(validator.description)


class TroubleTest(unittest.TestCase):
    """nova-api never stops for our sake."""

    def test_register_does_not_raise(self) -> None:
        for broken in (None, [object()], 7):
            with (
                mock.patch.object(extra_specs, "KEYS", broken),
                self.assertLogs("nfv_mla_scheduler", logging.ERROR),
            ):
                self.assertEqual([], extra_specs.register())

    def test_without_the_parser_the_patterns_have_to_do(self) -> None:
        (tpm,) = [v for v in extra_specs.register() if "capab" in v.name]
        with mock.patch(
            "nfv_mla_scheduler.standard.catalogue.load",
            side_effect=ImportError,
        ):
            tpm.validate("nfv_mla:capability.tpm", "quantum")
            with self.assertRaises(exception.ValidationError):
                tpm.validate("nfv_mla:capability.tpm", "quan tum")
