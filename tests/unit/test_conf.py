# SPDX-License-Identifier: Apache-2.0
"""The options of ``[nfv_mla]``."""

from __future__ import annotations

import dataclasses
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from oslo_config import cfg
from oslo_config import generator

from nfv_mla_scheduler import conf
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import SettingsError

ETC = pathlib.Path(__file__).parents[2] / "etc"

# option lines, the option that the error names, what it says
REFUSED = (
    ("policy_file = policy.yaml", "policy_file", "absolute"),
    ("results_file = ../results", "results_file", "absolute"),
    ("audit_dir = audit", "audit_dir", "absolute"),
    ("audit_dir = /a", "audit_key_file", "beside audit_dir"),
    ("audit_key_file = a.key", "audit_key_file", "absolute"),
    ("audit_key_file = /a.key", "audit_dir", "beside audit_key_file"),
    ("audit_checkpoint_interval_s = 0", "audit_checkpoint_interval_s", "1"),
    ("audit_checkpoint_interval_s = nan", "audit_checkpoint_inter", "finite"),
    ("audit_segment_mib = 0", "audit_segment_mib", "1"),
    ("audit_seal_interval_s = 61", "audit_seal_interval_s", "60"),
    ("monitor_status_file = s", "monitor_status_file", "absolute"),
    ("break_glass_dir = x", "break_glass_dir", "absolute"),
    ("state_dir =", "state_dir", "must be set"),
    ("officer_keys = /a,b.pem", "officer_keys", "absolute"),
    ("officer_keys = /a.pem,/a.pem", "officer_keys", "twice"),
    ("officer_keys = /a.pem", "officer_threshold", "only 1 keys"),
    ("policy_file = /p", "officer_keys", "beside policy_file"),
    ("break_glass_dir = /p", "officer_keys", "beside break_glass_dir"),
    ("officer_threshold = 0", "officer_threshold", "1"),
    ("officer_threshold = two", "officer_threshold", "two"),
    ("results_max_bytes = 1", "results_max_bytes", "65536"),
    ("refresh_interval_s = 0", "refresh_interval_s", "0.1"),
    ("refresh_interval_s = nan", "refresh_interval_s", "finite"),
    ("first_load_timeout_s = -1", "first_load_timeout_s", "0"),
    ("max_skew_s = inf", "max_skew_s", "300"),
    ("boot_max_age_s = 0", "boot_max_age_s", "60"),
    ("without_policy = allow", "without_policy", "refuse_asking"),
    ("management_domain = Core", "management_domain", "match"),
    ("assurance_weight_multiplier = inf", "assurance_weight", "finite"),
    ("scarcity_weight_multiplier = x", "scarcity_weight", "x"),
    ("decision_cache_size = 0", "decision_cache_size", "1"),
    ("follow_room_max_age_s = 0", "follow_room_max_age_s", "1"),
    ("audit_queue_size = 0", "audit_queue_size", "1"),
    ("results = https", "results_url", "must be set with results = https"),
    (
        "results_url = https://a/v1/results",
        "results_url",
        "for results = https, and results is file",
    ),
    ("results_ca_file = ca.pem", "results_ca_file", "absolute"),
    ("results_cert_file = cert.pem", "results_cert_file", "absolute"),
    ("results_key_file = key.pem", "results_key_file", "absolute"),
    ("results = mail", "results", "embedded"),
)
TLS = (
    "results_ca_file = /ca.pem\nresults_cert_file = /c.pem\n"
    "results_key_file = /k.pem\n"
)
HTTPS = f"results = https\nresults_url = https://a:1/v1/results\n{TLS}"
# what does not fit together, and what the error says
CONTRADICTORY = (
    (HTTPS.replace("results_ca_file = /ca.pem\n", ""), "results_ca_file"),
    (HTTPS.replace("results_cert_file = /c.pem\n", ""), "results_cert_file"),
    (HTTPS.replace("results_key_file = /k.pem\n", ""), "results_key_file"),
    (HTTPS + "results_file = /r", "results_file"),
    (HTTPS.replace("= https\n", "= file\n"), "results_url"),
    (HTTPS.replace("= https\n", "= embedded\n"), "results_url"),
    ("results = embedded\nresults_file = /r", "results_file"),
    ("results = embedded\nresults_key_file = /k.pem", "results_key_file"),
    (TLS, "results_ca_file"),
)
NO_URLS = (
    "a",
    "a:1/v1/results",
    "http://a/v1/results",
    "https:///v1/results",
    "https://a:0/v1/results",
    "https://a:70000/v1/results",
    "https://a:x/v1/results",
    "https://[::1/v1/results",
    "https://u@a/v1/results",
    "https://u:p@a/v1/results",
    "https://a/v1/results#x",
    "https://a/v1/re sults",
    "https://a/v1/r\u00e9sults",
    "https://a",
    "https://a:8443/",
)


# an option of each kind that is not secret, and two values of it
KINDS: tuple[tuple[cfg.Opt, str, str], ...] = (
    (cfg.StrOpt("text"), "a", "A"),
    (cfg.IntOpt("number"), "1", "-1"),
    (cfg.FloatOpt("seconds"), "1.5", "1.25"),
    (cfg.BoolOpt("whether"), "true", "false"),
    (cfg.ListOpt("names"), "a,b", "b,a"),
    (cfg.MultiStrOpt("lines"), "a", "b"),
    (cfg.DictOpt("pairs"), "a:1,b:2", "a:1,b:3"),
    (cfg.StrOpt("with-a-dash"), "x", "y"),
)


def another(option: cfg.Opt) -> object:
    """Return a value that an option may have, and not its default."""
    if isinstance(option, cfg.ListOpt):
        return ["/another"]
    choices = getattr(option.type, "choices", None)
    if choices:
        return next(c for c in choices if c != option.default)
    if isinstance(option.default, str):
        return "/another"
    return option.default + (-1 if option.default == option.type.max else 1)


def read(lines: str) -> conf.Settings:
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(f"[nfv_mla]\n{lines}\n")
        file.flush()
        found = cfg.ConfigOpts()
        conf.register(found)
        found([], default_config_files=[file.name], default_config_dirs=[])
        return conf.settings(found)


def sample() -> str:
    """Generate the sample as ``oslo-config-generator`` does."""
    found = cfg.ConfigOpts()
    generator.register_cli_opts(found)
    found(
        ["--config-file", str(ETC / "nfv-mla-config-generator.conf")],
        default_config_files=[],
        default_config_dirs=[],
    )
    text = io.StringIO()
    loaders = [("nfv_mla_scheduler", conf.list_opts)]
    with mock.patch.object(
        generator, "_get_raw_opts_loaders", return_value=loaders
    ):
        generator.generate(found, output_file=text)
    return text.getvalue()


class TestSettings(unittest.TestCase):
    def test_nothing_set_asks_for_nothing_and_refuses_who_asks(self):
        settings = read("")
        self.assertIsNone(settings.policy_file)
        self.assertIsNone(settings.results_file)
        self.assertIsNone(settings.audit_dir)
        self.assertIsNone(settings.audit_key_file)
        self.assertEqual((), settings.officer_keys)
        self.assertEqual(2, settings.officer_threshold)
        self.assertIs(
            conf.WithoutPolicy.REFUSE_ASKING, settings.without_policy
        )

    def test_what_is_set_is_what_is_read(self):
        settings = read(
            "policy_file = /p\nofficer_keys = /a.pem, /b.pem\n"
            "without_policy = refuse_all\nmanagement_domain = core-1\n"
            "assurance_weight_multiplier = -2.5\nboot_max_age_s = 60"
        )
        self.assertEqual(pathlib.Path("/p"), settings.policy_file)
        self.assertEqual(
            (pathlib.Path("/a.pem"), pathlib.Path("/b.pem")),
            settings.officer_keys,
        )
        self.assertIs(conf.WithoutPolicy.REFUSE_ALL, settings.without_policy)
        self.assertEqual("core-1", settings.management_domain)
        self.assertEqual(-2.5, settings.assurance_weight_multiplier)
        self.assertEqual(60.0, settings.boot_max_age_s)

    def test_a_bad_value_is_one_line_that_names_its_option(self):
        for lines, option, says in REFUSED:
            with self.subTest(lines):
                with self.assertRaises(SettingsError) as caught:
                    read(lines)
                message = str(caught.exception)
                self.assertIn(f"[nfv_mla] {option}", message)
                self.assertIn(says, message)
                self.assertNotIn("\n", message)
                self.assertLessEqual(len(message), LINE_MAX)

    def test_a_ledger_is_a_directory_and_a_key(self):
        settings = read("audit_dir = /a\naudit_key_file = /a.key")
        self.assertEqual(pathlib.Path("/a"), settings.audit_dir)
        self.assertEqual(pathlib.Path("/a.key"), settings.audit_key_file)

    def test_where_results_come_from(self):
        self.assertIs(conf.ResultsFrom.FILE, read("").results)
        settings = read(HTTPS)
        self.assertIs(conf.ResultsFrom.HTTPS, settings.results)
        self.assertEqual("https://a:1/v1/results", settings.results_url)
        self.assertEqual(pathlib.Path("/ca.pem"), settings.results_ca_file)
        self.assertEqual(pathlib.Path("/c.pem"), settings.results_cert_file)
        self.assertEqual(pathlib.Path("/k.pem"), settings.results_key_file)
        settings = read("results = embedded")
        self.assertIs(conf.ResultsFrom.EMBEDDED, settings.results)

    def test_results_come_from_one_place_of_which_all_is_known(self):
        for lines, option in CONTRADICTORY:
            with self.subTest(lines):
                with self.assertRaises(SettingsError) as caught:
                    read(lines)
                message = str(caught.exception)
                self.assertIn(f"[nfv_mla] {option}: ", message)
                self.assertIn("results = ", message)

    def test_a_url_names_a_document_over_https(self):
        for url in NO_URLS:
            with self.subTest(url):
                with self.assertRaises(SettingsError) as caught:
                    read(HTTPS.replace("https://a:1/v1/results", url))
                message = str(caught.exception)
                self.assertIn("[nfv_mla] results_url: ", message)
                self.assertLessEqual(len(message), LINE_MAX)
        for url in ("https://[::1]:8443/v1/results", "https://a.b/c?d=e"):
            settings = read(HTTPS.replace("https://a:1/v1/results", url))
            self.assertEqual(url, settings.results_url)

    def test_every_bound_is_tested_above(self):
        tested = {lines.split(" ")[0] for lines, _, _ in REFUSED}
        self.assertEqual(
            {field.name for field in dataclasses.fields(conf.Settings)},
            tested,
        )

    def test_settings_cannot_be_changed(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            read("").max_skew_s = 1e9  # type: ignore[misc]

    def test_registering_twice_does_no_harm(self):
        found = cfg.ConfigOpts()
        conf.register(found)
        conf.register(found)

    def test_every_option_has_a_setting_of_its_name_and_help(self):
        [(group, options)] = conf.list_opts()
        self.assertEqual("nfv_mla", group.name)
        self.assertEqual(
            {field.name for field in dataclasses.fields(conf.Settings)},
            {option.name for option in options},
        )
        for option in options:
            self.assertTrue(option.help.strip(), option.name)

    def test_the_sample_is_what_the_generator_writes(self):
        committed = (ETC / "nfv-mla.conf.sample").read_text()
        self.assertEqual(committed, sample())

    def test_it_loads_without_nova_and_without_our_dependencies(self):
        code = (
            "import sys, nfv_mla_scheduler.conf\n"
            "bad = {'nova', 'yaml', 'cryptography', 'securesystemslib',"
            " 'eventlet'} & {m.split('.')[0] for m in sys.modules}\n"
            # oslo.config itself reads YAML
            "sys.exit(' '.join(bad - {'yaml'}) or 0)"
        )
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            cwd=pathlib.Path(__file__).parents[2],
        )


class TestIdentity(unittest.TestCase):
    """Records say by which configuration a process works."""

    PASSWORD = cfg.StrOpt("password", secret=True)

    def digest(self, values, only=()):
        """Return the digest of what a file says, of two groups."""
        options = [kind[0] for kind in KINDS] + [self.PASSWORD]
        groups = [("a", options), ("b", [cfg.StrOpt("text")])]
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            for group in only or ("a", "b"):
                file.write(f"[{group}]\n")
                for name, value in values.get(group, {}).items():
                    file.write(f"{name} = {value}\n")
            file.flush()
            found = cfg.ConfigOpts()
            for group, members in groups:
                found.register_opts(members, group=group)
            found([], default_config_files=[file.name], default_config_dirs=[])
            return identity.digest(found, groups)

    def test_it_is_the_same_for_the_same_values(self):
        first = {kind[0].dest: kind[1] for kind in KINDS}
        again = dict(reversed(first.items()))
        again["pairs"] = "b:2,a:1"
        again["whether"] = "yes"
        self.assertRegex(self.digest({"a": first}), "^[0-9a-f]{64}$")
        self.assertEqual(
            self.digest({"a": first}), self.digest({"a": again}, ("b", "a"))
        )

    def test_each_option_makes_another(self):
        first = {kind[0].dest: kind[1] for kind in KINDS}
        found = {self.digest({"a": first})}
        for option, _, other in KINDS:
            found.add(self.digest({"a": first | {option.dest: other}}))
        found.add(self.digest({"a": first, "b": {"text": "a"}}))
        found.add(self.digest({}))
        self.assertEqual(len(KINDS) + 3, len(found))

    def test_each_of_ours_makes_another(self):
        found = set()
        [(group, options)] = conf.list_opts()
        for changed in (None, *options):
            ours = cfg.ConfigOpts()
            conf.register(ours)
            ours([], default_config_files=[], default_config_dirs=[])
            if changed is not None:
                value = another(changed)
                ours.set_override(changed.dest, value, group=group.name)
            found.add(identity.digest(ours, [(group.name, options)]))
        self.assertEqual(len(options) + 1, len(found))

    def test_secrets_are_left_out(self):
        self.assertEqual(
            self.digest({"a": {"password": "x"}}),
            self.digest({"a": {"password": "y"}}),
        )

    def test_values_cannot_be_taken_for_other_options(self):
        self.assertNotEqual(
            self.digest({"a": {"text": "x", "with_a_dash": "y"}}),
            self.digest({"a": {"text": "x\\na.with_a_dash=y"}}),
        )

    def test_the_version_of_the_package(self):
        self.assertTrue(identity.version())
