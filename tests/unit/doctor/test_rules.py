# SPDX-License-Identifier: Apache-2.0
"""Nova's API policy, read as nova-api reads it."""

from __future__ import annotations

import json
import logging
import pathlib
import tempfile
import unittest

from nova import policies as novas

from nfv_mla_scheduler.doctor import files
from nfv_mla_scheduler.doctor import rules
from nfv_mla_scheduler.doctor import ways
from nfv_mla_scheduler.doctor.files import ConfigUnreadable
from nfv_mla_scheduler.doctor.rules import EVACUATION
from nfv_mla_scheduler.doctor.rules import FORCED_CREATE
from nfv_mla_scheduler.doctor.rules import LIVE_MIGRATION
from nfv_mla_scheduler.doctor.rules import LIVE_MIGRATION_BEFORE_32
from nfv_mla_scheduler.doctor.rules import Access
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase

NOBODY, RESERVED, OPEN = Access.NOBODY, Access.RESERVED, Access.OPEN
# What the rule is set to, and whom it lets.
CHECKS = (
    ("!", NOBODY),
    ("@", OPEN),
    ("", OPEN),
    ("role:admin", OPEN),
    ("role:Admin", OPEN),
    ("role:remediation", RESERVED),
    ("role:%(role)s", OPEN),
    ("rule:context_is_admin", OPEN),
    ("rule:nobody", NOBODY),
    ("rule:nowhere", OPEN),
    ("rule:circle", OPEN),
    ("role:remediation and rule:context_is_admin", RESERVED),
    ("role:remediation or rule:context_is_admin", OPEN),
    ("role:remediation or role:rescue", RESERVED),
    ("role:remediation or !", RESERVED),
    ("role:admin and !", NOBODY),
    ("not @", NOBODY),
    ("not role:member", OPEN),
    ("is_admin:True", OPEN),
)
# Rules that the files set -> whom live migration to a host lets.
MIGRATION = (
    ({}, OPEN),
    ({LIVE_MIGRATION: "!"}, NOBODY),
    # Nova takes the old rule for the new one, if that alone is set
    ({LIVE_MIGRATION_BEFORE_32: "!"}, NOBODY),
    ({LIVE_MIGRATION_BEFORE_32: "!", LIVE_MIGRATION: rules.ADMIN}, OPEN),
    ({LIVE_MIGRATION_BEFORE_32: rules.ADMIN, LIVE_MIGRATION: "!"}, NOBODY),
)


class RulesCase(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.top = pathlib.Path(directory.name)
        self.conf = self.top / "nova.conf"
        self.conf.write_text("")
        # oslo.policy has much to say of rules such as these
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def write(
        self, found: dict[str, str], name: str = "policy.yaml"
    ) -> pathlib.Path:
        path = self.top / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found))
        return path

    def rules(self) -> rules.Rules:
        return rules.api_rules(files.load([self.conf], "nova"))

    def by_yaml(self) -> rules.Rules:
        return rules._by_yaml(files.load([self.conf], "nova"))


class RulesTest(RulesCase):
    def test_names_and_defaults_are_those_of_nova(self) -> None:
        known = {rule.name: rule for rule in novas.list_rules()}
        for name, text in rules.DEFAULTS.items():
            if name != LIVE_MIGRATION_BEFORE_32:
                self.assertEqual(text, known[name].check_str, name)
        before = known[LIVE_MIGRATION].deprecated_rule
        self.assertEqual(LIVE_MIGRATION_BEFORE_32, before.name)
        self.assertEqual(rules.ADMIN, before.check_str)

    def test_by_default_administrators_may(self) -> None:
        for found in (self.rules(), self.by_yaml()):
            for name in (LIVE_MIGRATION, EVACUATION, FORCED_CREATE):
                self.assertEqual((OPEN, rules.ADMIN), found[name])

    def test_a_check_says_whom_it_lets(self) -> None:
        for text, expected in CHECKS:
            self.write(
                {
                    EVACUATION: text,
                    "nobody": "!",
                    "circle": "rule:circle",
                }
            )
            with self.subTest(text=text):
                self.assertIs(expected, self.rules()[EVACUATION][0])

    def test_the_old_rule_of_live_migration_still_counts(self) -> None:
        for said, expected in MIGRATION:
            self.write(said)
            with self.subTest(said=said):
                self.assertIs(expected, self.rules()[LIVE_MIGRATION][0])
                self.assertIs(expected, self.by_yaml()[LIVE_MIGRATION][0])

    def test_a_directory_of_rules_comes_after_the_file(self) -> None:
        self.write({EVACUATION: "@"})
        self.write({EVACUATION: "!"}, "policy.d/local.yaml")
        self.write({EVACUATION: "@"}, "policy.d/.hidden.yaml")
        for found in (self.rules(), self.by_yaml()):
            self.assertIs(NOBODY, found[EVACUATION][0])

    def test_the_file_may_have_another_name(self) -> None:
        path = self.write({EVACUATION: "!"}, "elsewhere/rules.yaml")
        self.conf.write_text(f"[oslo_policy]\npolicy_file = {path}\n")
        for found in (self.rules(), self.by_yaml()):
            self.assertIs(NOBODY, found[EVACUATION][0])

    def test_without_oslo_policy_the_plain_ones_are_told_apart(self) -> None:
        for text, expected in (
            ("!", NOBODY),
            ("role:remediation", RESERVED),
            ("role:admin", OPEN),
            ("role:remediation or role:admin", OPEN),
            ("rule:nobody", OPEN),
        ):
            self.write({EVACUATION: text, "nobody": "!"})
            with self.subTest(text=text):
                self.assertIs(expected, self.by_yaml()[EVACUATION][0])

    def test_rules_that_cannot_be_read_are_an_error(self) -> None:
        for text in ("{", "[1, 2]", "just text", "a: {b"):
            (self.top / "policy.yaml").write_text(text)
            for look in (self.rules, self.by_yaml):
                with (
                    self.subTest(text=text),
                    self.assertRaisesRegex(ConfigUnreadable, "nova-api"),
                ):
                    look()


class WaysTest(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def test_closed_ways_are_well(self) -> None:
        for name in ("live-migration", "create", "evacuation"):
            self.assert_ok(self.site.look(f"ways.{name}"), "os_compute_api:")

    def test_open_ways_are_said_with_what_they_open(self) -> None:
        self.site.write_rules({})
        for name, words in (
            ("live-migration", ("force=true (2.30 to 2.67)", "migrate_live")),
            ("create", ("az:host", "forced_host", "'!'")),
            ("evacuation", ("2.29 to 2.67", "role:remediation")),
        ):
            found = self.site.look(f"ways.{name}")
            self.assert_warning(found, rules.ADMIN, *words)

    def test_a_role_of_its_own_suffices_for_evacuation_alone(self) -> None:
        self.site.write_rules(
            {
                EVACUATION: "role:remediation",
                FORCED_CREATE: "role:remediation",
            }
        )
        self.assert_ok(self.site.look("ways.evacuation"), "remediation")
        self.assert_warning(self.site.look("ways.create"), "remediation")

    def test_the_api_may_have_files_of_its_own(self) -> None:
        api = self.site.etc / "api"
        api.mkdir()
        (api / "nova.conf").write_text("")
        (api / "policy.yaml").write_text("{}")
        found = self.site.look("ways.create", api=(api / "nova.conf",))
        self.assert_warning(found)

    def test_without_an_api_they_are_not_looked_at(self) -> None:
        self.assert_skipped(self.site.look("ways.create", api=()), "nova-api")

    def test_before_nova_32_one_rule_governs_live_migration(self) -> None:
        for major, name in (
            (31, LIVE_MIGRATION_BEFORE_32),
            (32, LIVE_MIGRATION),
            (None, LIVE_MIGRATION),
        ):
            self.assertEqual(name, ways.live_migration_rule(major))
