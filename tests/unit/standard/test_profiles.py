# SPDX-License-Identifier: Apache-2.0
"""What each profile asks beyond Table 9: Tables 1 to 8, and ours."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.terms import format_term
from nfv_mla_scheduler.standard.values import Profile

SAF = "sensitive-application-function"
HARDWARE = frozenset({"hardware", "equivalent-hardware"})
LOOKED_INTO = frozenset({"granted", "open"})


def profile(name: str) -> Profile:
    return load().profiles[name]


def strengths(name: str) -> dict[str, str]:
    return {k: v.value for k, v in profile(name).strength.items()}


def added(name: str) -> dict[str, tuple[str, list[list[str]]]]:
    return {
        what: (clause, [[format_term(t) for t in g] for g in groups])
        for what, clause, groups in profile(name).add
    }


class HostingTest(unittest.TestCase):
    """4.1 and 4.2: what a contract says."""

    names = ("multi-tenant-hosting", "infrastructure-as-a-service")

    def test_neither_needs_run_time_attestation(self) -> None:
        for name in self.names:
            self.assertNotIn("5.1.2", profile(name).requirements)
            self.assertIsNone(profile(name).max_age_s)
            self.assertEqual(30 * 86400, profile(name).boot_claim_max_age_s)

    def test_a_contract_decides(self) -> None:
        for name in self.names:
            self.assertEqual({}, strengths(name))
            self.assertEqual((), profile(name).add)
            self.assertEqual(
                {
                    "contractual": True,
                    "voucher_preference": "tenant-domain",
                    "first": "move",
                    "halt_within_s": 600,
                },
                dict(profile(name).conduct),
            )

    def test_infrastructure_prefers_what_keeps_the_customers_keys(
        self,
    ) -> None:
        self.assertEqual((), profile(self.names[0]).prefer)
        self.assertEqual(
            ("hsm", "execution-enclave"), profile(self.names[1]).prefer
        )


class SensitiveApplicationFunctionTest(unittest.TestCase):
    """4.3, Tables 1 and 2: much depends on the function."""

    def test_leaves_to_the_function_what_table_1_leaves_to_it(self) -> None:
        self.assertEqual(
            {
                "5.1.6": "conditional",
                "5.2.2": "conditional",
                "5.2.5": "preferred",
                "5.2.11": "conditional",
            },
            strengths(SAF),
        )
        self.assertEqual(120, profile(SAF).max_age_s)
        self.assertEqual({"tpm": HARDWARE}, dict(profile(SAF).values))
        self.assertEqual({}, dict(profile(SAF).refuse_values))

    def test_what_table_9_marks_and_nothing_softens_is_required(self) -> None:
        self.assertIs(Strength.REQUIRED, profile(SAF).strength_of("5.2.1"))

    def test_needs_logs(self) -> None:
        self.assertEqual(
            {"secure-logging": ("6.2", [["secure-logging"]])}, added(SAF)
        )

    def test_cryptographic_functions_need_metadata_and_entropy(self) -> None:
        name = f"{SAF}.cryptographic"
        self.assertEqual(
            {"5.1.6": "conditional", "5.2.5": "preferred"}, strengths(name)
        )
        self.assertEqual(
            {
                "tpm": frozenset({"shared", "virtual"}),
                "memory-inspection": LOOKED_INTO,
            },
            dict(profile(name).refuse_values),
        )
        self.assertEqual({"tpm": HARDWARE}, dict(profile(name).values))
        self.assertEqual(120, profile(name).max_age_s)

    def test_cryptographic_functions_need_people_walls_and_keys(self) -> None:
        self.assertEqual(
            {
                "secure-logging": ("6.2", [["secure-logging"]]),
                "key-protection": (
                    "6.20",
                    [
                        ["hsm"],
                        [
                            "execution-enclave=sev-snp|sgx|tdx@boot",
                            "app:full-enclave-guest",
                        ],
                    ],
                ),
                "physical-controls": ("6.5", [["physical-controls"]]),
                "personnel-controls": (
                    "6.6",
                    [["personnel-controls=host-admin"]],
                ),
            },
            added(f"{SAF}.cryptographic"),
        )

    def test_a_variant_changes_only_what_it_says(self) -> None:
        base = profile(SAF).conduct
        crypto = profile(f"{SAF}.cryptographic").conduct
        self.assertEqual("stop", crypto["first"])
        self.assertEqual(5, crypto["halt_within_s"])
        self.assertEqual(base["nowhere"], crypto["nowhere"])
        self.assertEqual(base["logging"], crypto["logging"])

    def test_subscriber_data_needs_its_metadata_kept(self) -> None:
        name = f"{SAF}.subscriber-data"
        self.assertEqual(
            {
                "5.1.6": "conditional",
                "5.2.5": "preferred",
                "5.2.11": "conditional",
            },
            strengths(name),
        )
        self.assertEqual(added(SAF), added(name))
        self.assertEqual(60, profile(name).conduct["halt_within_s"])
        self.assertEqual(1, profile(name).conduct["spare_hosts_min"])


class NetworkMonitoringControlTest(unittest.TestCase):
    """4.4, Tables 3 and 4."""

    name = "network-monitoring-control"

    def test_entropy_is_conditional_since_its_row_is_empty(self) -> None:
        self.assertNotIn("5.2.11", profile(self.name).requirements)
        self.assertEqual({"5.2.11": "conditional"}, strengths(self.name))

    def test_integrity_and_place_are_known_at_run_time(self) -> None:
        self.assertEqual(60, profile(self.name).max_age_s)
        self.assertEqual(
            {
                "tpm": HARDWARE,
                "software-integrity": frozenset({"run-time"}),
            },
            dict(profile(self.name).values),
        )
        self.assertEqual(
            (Axis.LOGICAL, Axis.GEOGRAPHIC),
            profile(self.name).location_axes,
        )
        self.assertIsNone(profile(self.name).location_explicit)

    def test_may_look_into_other_memory(self) -> None:
        self.assertEqual({}, dict(profile(self.name).refuse_values))
        self.assertIn(
            "memory-inspection", profile(self.name).conditional_measures
        )

    def test_needs_logs_and_their_analysis(self) -> None:
        self.assertEqual(
            {
                "secure-logging": ("6.2", [["secure-logging"]]),
                "post-incident-analysis": (
                    "6.4",
                    [["post-incident-analysis"]],
                ),
            },
            added(self.name),
        )


class LawfulInterceptionTest(unittest.TestCase):
    """4.5, Tables 5 and 6."""

    name = "lawful-interception"

    def test_takes_all_of_table_9(self) -> None:
        self.assertEqual(
            tuple(load().requirements), profile(self.name).requirements
        )
        self.assertEqual({}, strengths(self.name))

    def test_names_its_country(self) -> None:
        self.assertEqual(
            (Axis.JURISDICTION,), profile(self.name).location_axes
        )
        self.assertIs(Axis.JURISDICTION, profile(self.name).location_explicit)

    def test_loses_nothing_and_hides_without_bursts(self) -> None:
        self.assertEqual(
            {
                "tpm": HARDWARE,
                "concealed-resource-usage": frozenset(
                    {"constant", "masked", "decorrelated"}
                ),
                "host-routing": frozenset({"lossless"}),
                "fabric-routing": frozenset({"lossless"}),
            },
            dict(profile(self.name).values),
        )

    def test_is_not_looked_into(self) -> None:
        self.assertEqual(
            {"memory-inspection": LOOKED_INTO},
            dict(profile(self.name).refuse_values),
        )

    def test_delivers_in_real_time_with_headroom_and_logs_apart(
        self,
    ) -> None:
        self.assertEqual(
            {
                "secure-logging": ("6.2", [["secure-logging=confidential"]]),
                "communications-security": (
                    "6.11",
                    [["communications-security=+headroom+real-time"]],
                ),
            },
            added(self.name),
        )

    def test_is_trusted_from_outside(self) -> None:
        self.assertTrue(profile(self.name).external_voucher)
        self.assertEqual(60, profile(self.name).max_age_s)

    def test_gives_nothing_away(self) -> None:
        conduct = profile(self.name).conduct
        self.assertEqual(
            {
                "snapshot": "refuse",
                "backup": "refuse",
                "crash-dump": "refuse",
                "rescue": "refuse",
            },
            dict(conduct["copying"]),
        )
        self.assertTrue(conduct["logging"]["cover_entries"])
        self.assertIn("target", conduct["logging"]["never"])
        self.assertEqual(
            "opaque-handle", conduct["disclosure"]["profile_name"]
        )
        self.assertEqual(30, conduct["halt_within_s"])
        self.assertEqual(5, conduct["report_within_s"])


class RetainedDataTest(unittest.TestCase):
    """4.6, Tables 7 and 8."""

    name = "retained-data"

    def test_knows_its_place_and_is_trusted_from_outside(self) -> None:
        self.assertEqual(
            (Axis.JURISDICTION, Axis.GEOGRAPHIC),
            profile(self.name).location_axes,
        )
        self.assertIsNone(profile(self.name).location_explicit)
        self.assertTrue(profile(self.name).external_voucher)

    def test_requests_are_not_looked_into_and_logs_prove(self) -> None:
        self.assertEqual(
            {"memory-inspection": LOOKED_INTO},
            dict(profile(self.name).refuse_values),
        )
        self.assertEqual(
            {"secure-logging": ("6.2", [["secure-logging=entry"]])},
            added(self.name),
        )

    def test_wants_no_concealment(self) -> None:
        self.assertNotIn("5.2.5", profile(self.name).requirements)
        self.assertIn(
            "concealed-resource-usage",
            profile(self.name).unneeded_measures,
        )

    def test_stops_first_and_records_the_outage(self) -> None:
        conduct = profile(self.name).conduct
        self.assertEqual("stop", conduct["first"])
        self.assertEqual(10, conduct["halt_within_s"])
        self.assertEqual(60, conduct["restore_within_s"])
        self.assertEqual(
            ("start", "end", "backlog-cleared"), conduct["outage_record"]
        )


class PiiProtectionTest(unittest.TestCase):
    """4.7."""

    name = "pii-protection"

    def test_not_all_need_secure_storage(self) -> None:
        self.assertEqual({"5.2.7": "conditional"}, strengths(self.name))
        self.assertEqual(300, profile(self.name).max_age_s)

    def test_is_about_confidentiality_clean_up_and_jurisdiction(
        self,
    ) -> None:
        self.assertEqual(
            ("5.2.1", "5.2.8"), profile(self.name).conduct["stress"]
        )
        self.assertEqual(
            (Axis.JURISDICTION,), profile(self.name).location_axes
        )
        self.assertIsNone(profile(self.name).location_explicit)


class AllProfilesTest(unittest.TestCase):
    def test_one_voucher_is_the_least(self) -> None:
        self.assertEqual(
            {1}, {p.vouchers_min for p in load().profiles.values()}
        )

    def test_no_declaration_is_accepted_unless_a_policy_says_so(self) -> None:
        for found in load().profiles.values():
            self.assertEqual(frozenset(), found.accept_declared)
            self.assertIsNone(found.handle)

    def test_every_one_says_what_comes_first_and_by_when(self) -> None:
        for found in load().profiles.values():
            self.assertIn(found.conduct["first"], ("move", "stop"))
            self.assertGreater(found.conduct["halt_within_s"], 0)
