# SPDX-License-Identifier: Apache-2.0
"""What officers are warned of, and what a change means."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.policy.aspects import aspects
from nfv_mla_scheduler.policy.diff import Change
from nfv_mla_scheduler.policy.diff import compare
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.starter import starter_policy
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.strict_yaml import format_path
from tests import policies

CATALOGUE = load()
DAY = 86400
PROJECT = "6f70656e737461636b20342065766572"
HYPHENS = "6f70656e-7374-6163-6b20-342065766572"
FLOOR = "floor: {profile: sensitive-application-function, location.juris"

# old text, new text, path of the warning, what it says
WARNED = (
    (
        "playbooks:\n",
        "playbooks:\n  place: [lock, live-migrate, stop, power-off]\n",
        "playbooks.place",
        "left out for servers that are only misplaced",
    ),
    ("EU: {group: true}", "EU: {}", "regions.jurisdiction.EU", "say 'group"),
    (
        "vouches: [attestation, execution-enclave, location, tpm, memory-",
        "vouches: [hardware-inventory] #",
        "authorities.veraison-bka.vouches",
        "nothing that anybody asks for",
    ),
    (
        "hosts:\n",
        f"hosts:\n  x: {{node_uuid: {HYPHENS}}}\n",
        "hosts.x",
        "is in no pool",
    ),
    (
        "hosts:\n",
        f"hosts:\n  x: {{node_uuid: {HYPHENS}}}\n",
        "hosts.x",
        "has no attester",
    ),
    (
        "reference: HR-4711, until: 2027-03-01",
        "reference: HR-4711, until: 2027-02-01",
        "hosts.ber-1.declared[0].until",
        "before the policy does",
    ),
    (
        "reference: NET-3, until: 2027-03-01",
        "reference: NET-3, until: 2027-02-01",
        "site[0].until",
        "before the policy does",
    ),
    (
        "    accept_declared: [location]\n",
        "",
        "hosts.ber-2.declared[0].capability",
        "counts for nothing",
    ),
    (
        "cadence_s: 10\n    max_age_s: 60",
        "cadence_s: 40\n    max_age_s: 90",
        "profiles.li-de.max_age_s",
        "twice the cadence of keylime-fra",
    ),
    (
        f"{PROJECT}:\n    trust_domain: acme-keys\n",
        f"{PROJECT}:\n",
        f"projects.{PROJECT}",
        "has no trust domain",
    ),
    (
        "until: 2027-01-31",
        "until: 2026-11-20T09:30:00Z",
        "waivers[0].until",
        "has passed",
    ),
    (
        "_until: 2027-01-01",
        "_until: 2026-11-20T09:30:00Z",
        "modes.pools.keys.permissive_until",
        "has passed",
    ),
    # Whatever is weaker than the standard.
    (
        '{"5.2.9": conditional}',
        '{"5.3.2": preferred}',
        "profiles.li-de.strength.5.3.2",
        "which says 'required'",
    ),
    (
        "max_age_s: 60\n    str",
        "max_age_s: 61\n    str",
        "profiles.li-de.max_age_s",
        "which says '60'",
    ),
    (
        "{tpm: [hardware]}",
        "{tpm: [hardware, virtual]}",
        "profiles.li-de.values.tpm",
        "weaker than the standard's lawful",
    ),
    (
        "[open, granted, controlled]",
        "[open]",
        "profiles.li-de.refuse_values.memory-inspection",
        "granted, open",
    ),
    (
        "external_voucher: true",
        "external_voucher: false",
        "profiles.li-de.external_voucher",
        "which says 'true'",
    ),
)

# old text, new text, path, old value, new value, weaker
CHANGED = (
    ("version: 7", "version: 8", "version", "7", "8", False),
    ("operator: acme", "operator: police", "operator", "acme", "police", True),
    (
        "cadence_s: 10",
        "cadence_s: 20",
        "authorities.keylime-fra.cadence_s",
        "10",
        "20",
        False,
    ),
    (
        "may_evict: true",
        "may_evict: false",
        "authorities.keylime-fra.may_evict",
        "true",
        "false",
        True,
    ),
    (
        "[attestation, tpm, m",
        "[attestation, tpm, hsm, m",
        "authorities.keylime-fra.vouches",
        None,
        None,
        True,
    ),
    (
        "[attestation, tpm, m",
        "[attestation, m",
        "authorities.keylime-fra.vouches",
        None,
        None,
        False,
    ),
    (
        "81c00002",
        "81c00009",
        "hosts.ber-2.attesters.keylime-fra",
        None,
        None,
        True,
    ),
    (
        "DE-BE: {in: DE}",
        "DE-BE: {in: FR}",
        "regions.jurisdiction.DE-BE.in",
        "DE",
        "FR",
        True,
    ),
    (
        "EU: {group: true}",
        "EU: {group: false}",
        "regions.jurisdiction.EU.group",
        "true",
        "false",
        True,
    ),
    (
        "[par-1, par-2]",
        "[par-1]",
        "pools.enclaves.members",
        "par-1, par-2",
        "par-1",
        False,
    ),
    (
        "members: [ber-1]",
        "members: []",
        "pools.keys.members",
        "ber-1",
        "none",
        True,
    ),
    (
        '[hsm, "tpm=hardware"]',
        "[hsm]",
        "pools.keys.prove",
        "hsm, tpm=hardware",
        "hsm",
        True,
    ),
    (
        "[acme-keys]",
        "[acme]",
        "pools.keys.exclusive_to",
        "acme-keys",
        "acme",
        True,
    ),
    (
        "moves_to: [ber-1]",
        "moves_to: [ber-1, par-1]",
        "pools.single.moves_to",
        "ber-1",
        "ber-1, par-1",
        True,
    ),
    (
        "    moves_to: [ber-1]\n",
        "",
        "pools.single.moves_to",
        "ber-1",
        "",
        False,
    ),
    (
        "max_age_s: 60\n    str",
        "max_age_s: 30\n    str",
        "profiles.li-de.max_age_s",
        "60",
        "30",
        False,
    ),
    (
        "max_age_s: 60\n    str",
        "max_age_s: 90\n    str",
        "profiles.li-de.max_age_s",
        "60",
        "90",
        True,
    ),
    (
        '{"5.2.9": conditional}',
        "{}",
        "profiles.li-de.strength.5.2.9",
        "conditional",
        "required",
        False,
    ),
    (
        '    add: ["hsm|execution-enclave"]\n',
        "",
        "profiles.li-de.add.hsm|execution-enclave",
        "hsm or execution-enclave",
        "",
        True,
    ),
    (
        "vouchers_min: 1",
        "vouchers_min: 2",
        "profiles.li-de.vouchers_min",
        "1",
        "2",
        False,
    ),
    (
        "until: 2027-01-31",
        "until: 2027-02-01",
        "waivers.li-de without 5.2.10",
        "2027-01-31T00:00:00Z",
        "2027-02-01T00:00:00Z",
        True,
    ),
    (
        "until: 2027-01-31",
        "until: 2027-01-30",
        "waivers.li-de without 5.2.10",
        None,
        None,
        False,
    ),
    (
        "requirement: 5.2.10",
        "requirement: 5.2.9",
        "waivers.li-de without 5.2.9",
        "",
        "2027-01-31T00:00:00Z",
        True,
    ),
    (
        "trust_domain: acme-keys",
        "trust_domain: acme",
        f"projects.{PROJECT}.trust_domain",
        "acme-keys",
        "acme",
        True,
    ),
    (
        "location.jurisdiction: DE}",
        "location.jurisdiction: EU}",
        f"projects.{PROJECT}.floor.location",
        "jurisdiction: DE",
        "jurisdiction: EU",
        True,
    ),
    (
        f"{FLOOR}diction: DE}}",
        "",
        f"projects.{PROJECT}.floor.profile",
        "sensitive-application-function",
        "",
        True,
    ),
    (
        "permissive_until: 2027-01-01",
        "permissive_until: 2027-02-01",
        "modes.pools.keys.permissive_until",
        None,
        None,
        True,
    ),
    (
        "  pools: {keys: {permissive_until: 2027-01-01}}",
        "  pools: {}",
        "modes.pools.keys.permissive_until",
        "2027-01-01T00:00:00Z",
        "",
        False,
    ),
    (
        "values: [rack, alarm]",
        "values: [rack]",
        "hosts.ber-1.declared.physical-controls (rack)",
        "",
        "2027-03-01T00:00:00Z",
        True,
    ),
    ("minute: 6", "minute: 9", "guard.evictions_per_minute", "6", "9", False),
)


class LintTest(unittest.TestCase):
    def warnings(self, text: str, now: float = policies.NOW) -> list[str]:
        problems, warnings = lint_policy(text.encode(), CATALOGUE, now)
        self.assertEqual(problems, ())
        return [str(warning) for warning in warnings]

    def test_each_warning(self) -> None:
        for old, new, path, told in WARNED:
            with self.subTest(path=path, told=told):
                found = self.warnings(policies.policy_yaml((old, new)))
                self.assertTrue(
                    any(f"{path}: " in w and told in w for w in found), found
                )

    def test_an_authority_that_knows_no_host(self) -> None:
        text = policies.policy_yaml(
            ("\n      veraison-bka: ber-1", ""),
            ("{veraison-bka: par-2}", "{}"),
        )
        self.assertTrue(
            any(
                "veraison-bka: knows no host" in w for w in self.warnings(text)
            )
        )

    def test_the_end_is_near(self) -> None:
        text = policies.policy_yaml()
        end = policies.policy().expires_at
        for left, told in (
            (31 * DAY, ""),
            (29.5 * DAY, "expires: is only 29 days ahead"),
            (0, "expires: has passed"),
        ):
            found = [
                w for w in self.warnings(text, end - left) if "expires" in w
            ]
            self.assertEqual(len(found), 1 if told else 0)
            self.assertIn(told, "".join(found))

    def test_no_warnings_beside_problems(self) -> None:
        text = policies.policy_yaml(("version: 7", "version: 0"))
        problems, warnings = lint_policy(text.encode(), CATALOGUE, 0.0)
        self.assertEqual((len(problems), warnings), (1, ()))

    def test_a_policy_that_only_strengthens_is_not_warned_of(self) -> None:
        text = policies.policy_yaml(
            ('    strength: {"5.2.9": conditional}\n', ""),
            ("    accept_declared: [location]\n", ""),
        )
        found = [w for w in self.warnings(text) if "profiles." in w]
        self.assertEqual(found, [])

    def test_the_starter_policy_is_clean(self) -> None:
        now = 1_795_165_200.7
        text = starter_policy(
            "acme", "collector", policies.public_pem("collector-a"), now
        )
        self.assertEqual(self.warnings(text, now), [])


class DiffTest(unittest.TestCase):
    def changes(self, *pairs: tuple[str, str]) -> dict[str, Change]:
        old = policies.policy()
        new = policies.policy(policies.policy_yaml(*pairs))
        return {
            format_path(change.path): change
            for change in compare(aspects(old), aspects(new))
        }

    def test_a_policy_does_not_differ_from_itself(self) -> None:
        self.assertEqual(self.changes(), {})

    def test_layout_and_comments_mean_nothing(self) -> None:
        found = self.changes(
            ("  acme: {}\n  acme-keys: {}", "  acme-keys: {}  #\n  acme: {}")
        )
        self.assertEqual(found, {})

    def test_each_change_and_whether_it_weakens(self) -> None:
        for old, new, path, before, after, weaker in CHANGED:
            with self.subTest(path=path, new=new):
                change = self.changes((old, new))[path]
                self.assertEqual(change.weaker, weaker)
                if before is not None:
                    self.assertEqual((change.old, change.new), (before, after))

    def test_a_new_authority_weakens_and_a_new_host_does_not(self) -> None:
        authority = (
            "authorities:\n  new: {trust_domain: acme, vouches: [tpm], "
            "cadence_s: 1, max_age_s: 9}\n"
        )
        found = self.changes(("authorities:\n", authority))
        self.assertTrue(found["authorities.new.vouches"].weaker)
        host = f"hosts:\n  new: {{node_uuid: {HYPHENS}}}\n"
        found = self.changes(("hosts:\n", host))
        self.assertEqual(list(found), ["hosts.new.node_uuid"])
        self.assertFalse(found["hosts.new.node_uuid"].weaker)
