# SPDX-License-Identifier: Apache-2.0
"""Our own options, and Nova's: each right, and wrong in every way."""

from __future__ import annotations

import os

from nova.conf import scheduler as novas
from oslo_config import cfg

from nfv_mla_scheduler.doctor import nova_conf
from nfv_mla_scheduler.doctor.access import account
from nfv_mla_scheduler.doctor.nova import NOVAS
from nfv_mla_scheduler.doctor.nova import OURS
from tests.unit.doctor.sites import AUTHORITY
from tests.unit.doctor.sites import NOBODY
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase

NOVA_FILTERS = f"available_filters = {NOVAS}"
OUR_FILTERS = f"available_filters = {OURS}.all_filters"
BOTH = f"{NOVA_FILTERS}\n{OUR_FILTERS}"
ENABLED = "enabled_filters = NfvMlaFilter, ComputeFilter"
# [filter_scheduler] -> OK, WARNING or FAILED, and what is said of it
FILTERS = (
    (f"{BOTH}\n{ENABLED}", "ok", "first of 2"),
    (
        f"{NOVA_FILTERS}\navailable_filters = {OURS}.NfvMlaFilter\n{ENABLED}",
        "ok",
        "",
    ),
    ("", "failed", "not enabled: nothing is enforced"),
    (f"{BOTH}\nenabled_filters = ComputeFilter", "failed", "not enabled"),
    (ENABLED, "failed", "does not start"),
    (f"{NOVA_FILTERS}\n{ENABLED}", "failed", "does not start"),
    (f"{OUR_FILTERS}\n{ENABLED}", "failed", f"= {NOVAS}"),
    (
        f"{OUR_FILTERS}\n{ENABLED}\n"
        "available_filters = nova.scheduler.filters.compute_filter."
        "ComputeFilter",
        "ok",
        "",
    ),
    # only Nova knows what a function of somebody else's returns
    (
        f"{OUR_FILTERS}\n{ENABLED}\navailable_filters = x.filters_of_ours",
        "ok",
        "",
    ),
    (
        f"{BOTH}\nenabled_filters = ComputeFilter, NfvMlaFilter",
        "warning",
        "number 2 of 2",
    ),
    (
        f"{BOTH}\nenabled_filters = NfvMlaFilter, NfvMlaFilter",
        "warning",
        "2 times",
    ),
    (
        f"{BOTH}\navailable_filters = x.NfvMlaFilter\n{ENABLED}",
        "failed",
        "in its place",
    ),
)
ALL = "nova.scheduler.weights.all_weighers"
OUR_ALL = "nfv_mla_scheduler.scheduler.weighers.all_weighers"
OUR_ONE = "nfv_mla_scheduler.scheduler.weighers.NfvMlaScarcityWeigher"
OFF = {"assurance_weight_multiplier": 0, "scarcity_weight_multiplier": 0}
# weight_classes, our multipliers, state, words
WEIGHERS = (
    (f"{ALL}, {OUR_ALL}", {}, "ok", "NfvMlaAssuranceWeigher and Nfv"),
    (f"{ALL}, {OUR_ONE}", {}, "ok", "NfvMlaScarcityWeigher"),
    ("", {}, "warning", "none of our weighers"),
    (ALL, {}, "warning", "none of our weighers"),
    (ALL, OFF, "ok", "turned off"),
    (OUR_ALL, {}, "warning", "none of Nova's"),
    (
        f"{ALL}, {OUR_ALL}",
        {"scarcity_weight_multiplier": -1},
        "warning",
        "negative",
    ),
)


class NovaTest(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def _write(self, text: str) -> None:
        self.site.nova_conf.write_text(f"[filter_scheduler]\n{text}\n")

    def test_defaults_are_those_of_nova(self) -> None:
        theirs, ours = cfg.ConfigOpts(), cfg.ConfigOpts()
        novas.register_opts(theirs)
        for conf in (theirs, ours):
            conf([])
        filters, found = theirs.filter_scheduler, nova_conf.nova_options(ours)
        self.assertEqual(
            (
                filters.available_filters,
                filters.enabled_filters,
                filters.weight_classes,
                theirs.scheduler.max_placement_results,
            ),
            (
                list(found.available_filters),
                list(found.enabled_filters),
                list(found.weight_classes),
                found.max_placement_results,
            ),
        )

    def test_filters(self) -> None:
        for text, state, words in FILTERS:
            self._write(text)
            with self.subTest(text=text):
                check = getattr(self, f"assert_{state}")
                check(self.site.look("nova.filters"), words)

    def test_weighers(self) -> None:
        for classes, ours, state, words in WEIGHERS:
            self.site.sections["filter_scheduler"].pop("weight_classes", "")
            if classes:
                self.site.sections["filter_scheduler"]["weight_classes"] = (
                    classes
                )
            for name in OFF:
                self.site.sections["nfv_mla"].pop(name, None)
            self.site.sections["nfv_mla"].update(ours)
            self.site.write_conf()
            with self.subTest(classes=classes, ours=ours):
                check = getattr(self, f"assert_{state}")
                check(self.site.look("nova.weighers"), words)

    def test_what_nova_cannot_read_is_said(self) -> None:
        self.site.sections["scheduler"] = {"max_placement_results": "many"}
        self.site.write_conf()
        found = self.site.look("nova.window")
        self.assert_failed(found, "max_placement_results")

    def test_the_conductor_has_the_same_filters(self) -> None:
        self.assert_ok(self.site.look("nova.conductor"), "same files")
        other = self.site.etc / "conductor.conf"
        other.write_text(self.site.nova_conf.read_text())
        found = self.site.look("nova.conductor", conductor=(other,))
        self.assert_ok(found, "scheduler's filters")

    def test_the_conductor_has_others(self) -> None:
        other = self.site.etc / "conductor.conf"
        other.write_text(f"[filter_scheduler]\n{BOTH}\n")
        found = self.site.look("nova.conductor", conductor=(other,))
        self.assert_warning(found, "another enabled_filters than")
        other.write_text(f"[filter_scheduler]\n{ENABLED}\n")
        found = self.site.look("nova.conductor", conductor=(other,))
        self.assert_warning(found, "another available_filters than")

    def test_without_a_conductor_it_is_not_looked_at(self) -> None:
        found = self.site.look("nova.conductor", conductor=())
        self.assert_skipped(found, "nova-conductor")

    def test_more_hosts_than_placement_offers(self) -> None:
        self.assert_ok(self.site.look("nova.window"), "1000", "Nova has 2")
        self.site.sections["scheduler"] = {"max_placement_results": 1}
        self.site.write_conf()
        found = self.site.look("nova.window")
        self.assert_warning(found, "Nova has 2 hosts", "trait")
        found = self.site.look("nova.window", nova_hosts=None)
        self.assert_warning(found, "the policy binds 2 hosts")


class ValidTest(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def test_good_options_are_valid(self) -> None:
        self.assert_ok(self.site.look("options.valid"), "8 options set")

    def test_a_bad_value_is_named(self) -> None:
        for name, value in (
            ("officer_threshold", 3),
            ("policy_file", "policy.json"),
            ("max_skew_s", "soon"),
            ("without_policy", "maybe"),
            ("results", "https"),
        ):
            self.site.sections["nfv_mla"] = {
                "officer_keys": ", ".join(map(str, self.site.keys)),
                name: value,
            }
            self.site.write_conf()
            with self.subTest(name=name):
                words = "results_url" if name == "results" else name
                self.assert_failed(self.site.look("options.valid"), words)

    def test_what_rests_on_bad_options_is_not_looked_at(self) -> None:
        self.site.sections["nfv_mla"]["max_skew_s"] = "soon"
        self.site.write_conf()
        found = self.site.look("policy.signed")
        self.assert_skipped(found, "see options.valid")

    def test_a_missing_section_is_said(self) -> None:
        del self.site.sections["nfv_mla"]
        self.site.write_conf()
        self.assert_failed(self.site.look("options.valid"), "no section")

    def test_a_file_that_cannot_be_read_is_said_everywhere(self) -> None:
        self.site.nova_conf.write_text("[nfv_mla\nx = secret\n")
        for name in ("options.valid", "options.ignored", "nova.filters"):
            found = self.site.look(name)
            self.assert_failed(found, "could not look", "nova.conf:1")
            self.assertNotIn("secret", found.found)


class IgnoredTest(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def test_every_option_is_ours(self) -> None:
        self.assert_ok(self.site.look("options.ignored"))

    def test_a_misspelt_option_is_named_with_the_one_that_is_meant(
        self,
    ) -> None:
        self.site.sections["nfv_mla"]["oficer_threshold"] = 1
        self.site.write_conf()
        found = self.site.look("options.ignored")
        self.assert_failed(
            found, "[nfv_mla] oficer_threshold", "for officer_threshold?"
        )

    def test_names_are_said_and_values_are_not(self) -> None:
        self.site.sections["nfv_mla"]["password"] = "hunter2"
        self.site.write_conf()
        found = self.site.look("options.ignored")
        self.assert_failed(found, "password")
        self.assertNotIn("hunter2", repr(found))

    def test_a_misspelt_section_is_named(self) -> None:
        for name in ("nfv-mla", "nfvmla", "nfv_mla_colector", "nfv_mlas"):
            self.site.sections[name] = {"policy_file": "/x"}
            self.site.write_conf()
            del self.site.sections[name]
            with self.subTest(name=name):
                found = self.site.look("options.ignored")
                self.assert_failed(found, f"section [{name}]", "for [nfv_mla")

    def test_sections_of_others_are_nobody_s_business(self) -> None:
        self.site.sections["neutron"] = {"whatever": 1}
        self.site.write_conf()
        self.assert_ok(self.site.look("options.ignored"))

    def test_the_case_of_a_section_does_not_matter(self) -> None:
        self.site.sections["NFV_MLA"] = self.site.sections.pop("nfv_mla")
        self.site.write_conf()
        self.assert_ok(self.site.look("options.ignored"))
        self.assert_ok(self.site.look("options.valid"))

    def test_an_option_that_is_set_twice_is_named(self) -> None:
        self.site.sections["nfv_mla"]["officer_threshold"] = (
            "2\nofficer_threshold = 1"
        )
        self.site.write_conf()
        found = self.site.look("options.ignored")
        self.assert_warning(found, "[nfv_mla] officer_threshold")


class IgnoredByTheCollectorTest(SiteCase):
    def setUp(self) -> None:
        self.site = CollectorSite(self)

    def test_every_option_is_ours(self) -> None:
        self.assert_ok(self.site.look("options.ignored"))

    def test_misspelt_ones_are_named(self) -> None:
        for section, name in (
            ("nfv_mla_collector", "results_fil"),
            (f"nfv_mla_authority_{AUTHORITY}", "urll"),
        ):
            self.site.collector[section][name] = 1
            self.site.write_collector_conf()
            del self.site.collector[section][name]
            with self.subTest(section=section):
                found = self.site.look("options.ignored")
                self.assert_failed(found, f"[{section}] {name}")

    def test_an_authority_that_nobody_asks_is_named(self) -> None:
        self.site.collector["nfv_mla_authority_other"] = {"driver": "ear"}
        self.site.write_collector_conf()
        found = self.site.look("options.ignored")
        self.assert_failed(found, "[nfv_mla_authority_other]")


class ReadableTest(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def test_the_service_can_read_what_is_named(self) -> None:
        self.assert_ok(self.site.look("options.readable"), "5 files")

    def test_the_service_cannot_read_one(self) -> None:
        # by its mode; whoever looks here may be root, the service is not
        self.site.policy_file.chmod(0o000)
        found = self.site.look("options.readable")
        who = account(self.site.state.stat().st_uid).name
        self.assert_failed(found, f"{who}: {self.site.policy_file}")

    def test_the_service_cannot_get_there(self) -> None:
        self.site.etc.chmod(0o600)
        found = self.site.look("options.readable")
        self.site.etc.chmod(0o755)
        self.assert_failed(found, f"{self.site.etc}")

    def test_what_is_missing_is_said_elsewhere(self) -> None:
        self.site.results_file.unlink()
        self.assert_ok(self.site.look("options.readable"))

    def test_the_collector_has_to_read_other_files(self) -> None:
        site = CollectorSite(self)
        self.assert_ok(site.look("options.readable"), "11 files")
        site.keys_file.chmod(0o000)
        found = site.look("options.readable")
        self.assert_failed(found, str(site.keys_file))

    def test_without_state_nobody_knows_who_reads(self) -> None:
        self.site.sections["nfv_mla"]["state_dir"] = self.site.root / "none"
        self.site.write_conf()
        found = self.site.look("options.readable")
        self.assert_skipped(found, "who runs the scheduler")

    def test_root_does_not_stand_for_the_service(self) -> None:
        self.assertNotEqual(0, self.site.state.stat().st_uid)
        self.assertIn(self.site.state.stat().st_uid, (NOBODY, os.getuid()))
