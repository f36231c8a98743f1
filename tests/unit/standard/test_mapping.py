# SPDX-License-Identifier: Apache-2.0
"""What meets a requirement, and what a host of a class has to prove."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.terms import format_group
from nfv_mla_scheduler.standard.terms import format_term
from nfv_mla_scheduler.standard.values import Dedication
from nfv_mla_scheduler.standard.values import Management
from nfv_mla_scheduler.standard.values import Moves

TECH = "execution-enclave=sev-snp|sgx|tdx@boot and app:full-enclave-guest"
PROC = (
    "physical-controls and personnel-controls=host-admin"
    " and logical-authentication"
)
RESOURCES = ("ram", "cpu", "storage", "network", "cache", "offload")

# requirement -> the ways to meet it
WAYS = {
    "5.1.1": ["attestation@boot and tpm@boot"],
    "5.1.2": ["attestation@run-time"],
    "5.1.3": ["secure-provisioning=integrity and app:signed-image"],
    "5.1.4": [
        "secured-boot@boot and attestation@boot",
        "measured-boot@boot and attestation@boot and tpm@boot",
    ],
    "5.1.6": ["location@boot"],
    "5.2.1": [TECH, PROC],
    "5.2.3": [TECH, PROC],
    "5.2.8": [
        "secure-clean-up[ram] and secure-clean-up[storage]",
        "secure-clean-up[ram] and self-encrypting-storage",
    ],
    "5.3.1": ["site:fabric-routing=lossless|sla"],
    "5.3.2": [
        "self:policy-in-force and self:monitor-alive and self:ledger-writable"
    ],
    "5.3.3": ["self:authority-fresh"],
}


class RequirementsTest(unittest.TestCase):
    def test_are_met_in_these_ways(self) -> None:
        for name, ways in WAYS.items():
            with self.subTest(name):
                groups = load().requirements[name].groups
                self.assertEqual(ways, [format_group(g) for g in groups])

    def test_no_procedure_replaces_attestation(self) -> None:
        for name in ("5.1.1", "5.1.2", "5.1.4", "5.1.5"):
            for group in load().requirements[name].groups:
                self.assertIn("attestation", [term.name for term in group])

    def test_metadata_needs_more_than_an_enclave(self) -> None:
        for name in ("5.2.2", "5.2.4"):
            for group in load().requirements[name].groups:
                self.assertTrue(
                    {"concealed-resource-usage", "telemetry-control"}
                    & {term.name for term in group}
                )

    def test_provision_of_what_is_confidential_has_a_second_condition(
        self,
    ) -> None:
        provision = load().requirements["5.1.3"]
        self.assertEqual(
            ("5.2.1", "5.2.2", "5.2.3", "5.2.4"), provision.further_if
        )
        self.assertEqual(
            [
                "secure-provisioning=confidentiality and app:encrypted-image",
                f"secure-provisioning=confidentiality and {PROC}",
            ],
            [format_group(g) for g in provision.further_groups],
        )

    def test_concealment_is_needed_for_each_resource(self) -> None:
        conceal = load().requirements["5.2.5"]
        expanded = dict(conceal.expanded())
        self.assertEqual(RESOURCES, tuple(expanded))
        self.assertEqual(
            [
                "concealed-resource-usage[cpu]",
                "app:conceals[cpu]",
                f"telemetry-control=withheld and {PROC}",
            ],
            [format_group(group) for group in expanded["cpu"]],
        )

    def test_others_are_needed_once(self) -> None:
        one = load().requirements["5.2.1"]
        self.assertEqual(((None, one.groups),), one.expanded())

    def test_only_known_words_about_servers_and_ourselves(self) -> None:
        catalogue = load()
        for requirement in catalogue.requirements.values():
            groups = (*requirement.groups, *requirement.further_groups)
            for term in (term for group in groups for term in group):
                known = {
                    Subject.HOST: catalogue.capabilities,
                    Subject.SITE: catalogue.capabilities,
                    Subject.APPLICATION: catalogue.application_terms,
                    Subject.SELF: catalogue.self_terms,
                }[term.subject]
                self.assertIn(term.name, known)


class LeastGradeTest(unittest.TestCase):
    def test_a_term_may_ask_for_a_grade(self) -> None:
        term = Term(Subject.HOST, "hsm", grade=Grade.RUN_TIME)
        self.assertIs(Grade.RUN_TIME, load().least_grade(term))

    def test_else_the_capability_decides(self) -> None:
        for name, grade in (
            ("tpm", Grade.BOOT),
            ("location", Grade.BOOT),
            ("physical-controls", Grade.DECLARED),
            ("hardware-inventory", Grade.RUN_TIME),
        ):
            term = Term(Subject.HOST, name)
            self.assertIs(grade, load().least_grade(term), name)

    def test_the_site_is_declared(self) -> None:
        term = Term(Subject.SITE, "fabric-routing")
        self.assertIs(Grade.DECLARED, load().least_grade(term))


class ClassesTest(unittest.TestCase):
    def terms(self, host_class: HostClass) -> list[str]:
        return [format_term(t) for t in load().classes[host_class].terms]

    def test_a_single_host_relies_on_people_and_walls(self) -> None:
        self.assertEqual(
            [
                "physical-controls",
                "personnel-controls=host-admin",
                "logical-authentication",
                "self:policy-in-force",
                "communications-security",
                "software-integrity",
            ],
            self.terms(HostClass.SINGLE_RESTRICTED),
        )

    def test_a_pooled_host_is_attested_too(self) -> None:
        self.assertEqual(
            [
                "os-access-control",
                "physical-controls",
                "personnel-controls=host-admin",
                "logical-authentication",
                "self:policy-in-force",
                "communications-security",
                "measured-boot",
                "secured-boot",
                "attestation",
                "tpm",
                "software-integrity",
            ],
            self.terms(HostClass.POOLED_RESTRICTED),
        )

    def test_type_2_adds_concealment_to_type_1(self) -> None:
        self.assertEqual(
            {"concealed-resource-usage"},
            set(self.terms(HostClass.POOLED_RESTRICTED_CONCEALED))
            - set(self.terms(HostClass.POOLED_RESTRICTED)),
        )

    def test_a_secure_execution_host_needs_no_walls(self) -> None:
        self.assertEqual(
            [
                "personnel-controls",
                "logical-authentication",
                "self:policy-in-force",
                "communications-security",
                "measured-boot",
                "secured-boot",
                "concealed-resource-usage",
                "attestation",
                "execution-enclave=sev-snp|sgx|tdx",
                "tpm=equivalent-hardware|hardware",
                "software-integrity",
                "secure-clean-up",
                "entropy-source",
            ],
            self.terms(HostClass.SECURE_EXECUTION),
        )

    def test_each_names_its_rules(self) -> None:
        found = {
            host_class: (
                rules.clause,
                rules.management,
                rules.telemetry,
                rules.dedicated_to,
                rules.moves,
                rules.live_migrate,
                rules.rank,
            )
            for host_class, rules in load().classes.items()
        }
        self.assertEqual(
            {
                HostClass.SINGLE_RESTRICTED: (
                    "7.2.1",
                    Management.OWN_DOMAIN_ONLY,
                    "withheld",
                    Dedication.TRUST_DOMAIN,
                    Moves.LISTED_SET,
                    False,
                    1,
                ),
                HostClass.POOLED_RESTRICTED: (
                    "7.2.2.1",
                    Management.OWN_DOMAIN_ONLY,
                    "withheld",
                    Dedication.TRUST_DOMAIN,
                    Moves.OWN_POOL,
                    True,
                    2,
                ),
                HostClass.POOLED_RESTRICTED_CONCEALED: (
                    "7.2.2.2",
                    Management.SHARED_RESTRICTED,
                    "filtered",
                    Dedication.POLICY,
                    Moves.OWN_POOLS,
                    True,
                    3,
                ),
                HostClass.SECURE_EXECUTION: (
                    "7.2.3",
                    Management.SHARED,
                    "shared",
                    Dedication.NOBODY,
                    Moves.SAME_CLASS,
                    True,
                    4,
                ),
            },
            found,
        )
