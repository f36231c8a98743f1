# SPDX-License-Identifier: Apache-2.0
"""The options of the collector and of its authorities."""

from __future__ import annotations

import dataclasses
import io
import pathlib
import tempfile
import unittest
from unittest import mock

from oslo_config import cfg
from oslo_config import generator

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.collector import options
from nfv_mla_scheduler.collector import settings as own
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.serving.server import ServerSettings
from nfv_mla_scheduler.standard.catalogue import load
from tests.authorities.fake import FakeAuthority

ETC = pathlib.Path(__file__).parents[3] / "etc"

GOOD = {
    "name": "collector-a",
    "key_file": "/etc/nfv-mla/collector.key",
    "results_file": "/var/lib/nfv-mla-collector/results",
    "authorities": "keylime-fra, veraison-bka",
}
HTTPS = {
    "listen": "0.0.0.0:8443",
    "tls_cert_file": "/c.pem",
    "tls_key_file": "/k.pem",
    "tls_client_ca_file": "/ca.pem",
}

# options that differ, the option that the error names, what it says
REFUSED = (
    ({"name": ""}, "name", "must be set"),
    ({"name": "Collector A"}, "name", "Collector A"),
    ({"key_file": ""}, "key_file", "must be set"),
    ({"key_file": "collector.key"}, "key_file", "absolute"),
    ({"key_passphrase_file": "x"}, "key_passphrase_file", "absolute"),
    ({"results_file": ""}, "results_file", "must be set"),
    ({"results_file": "../results"}, "results_file", "absolute"),
    ({"status_file": "status"}, "status_file", "absolute"),
    ({"status_file": GOOD["results_file"]}, "status_file", "results_file"),
    ({"publish_interval_s": "0"}, "publish_interval_s", "0.1"),
    ({"publish_interval_s": "nan"}, "publish_interval_s", "finite"),
    ({"publish_interval_s": "often"}, "publish_interval_s", "often"),
    ({"authorities": ""}, "authorities", "one at least"),
    ({"authorities": "a,b,a"}, "authorities", "twice"),
    ({"authorities": "a,B"}, "authorities", "must match"),
    ({"authorities": "a\n b"}, "authorities", "must match"),
    (
        {"authorities": ",".join(f"a{i}" for i in range(65))},
        "authorities",
        "more than 64",
    ),
    (HTTPS | {"listen": "8443"}, "listen", "HOST:PORT"),
    (HTTPS | {"listen": "host:"}, "listen", "HOST:PORT"),
    (HTTPS | {"listen": "::1:8443"}, "listen", "HOST:PORT"),
    (HTTPS | {"listen": "host:99999"}, "listen", "HOST:PORT"),
    (HTTPS | {"listen": "a b:1"}, "listen", "HOST:PORT"),
    (HTTPS | {"tls_cert_file": ""}, "tls_cert_file", "beside listen"),
    (HTTPS | {"tls_key_file": "k"}, "tls_key_file", "absolute"),
    (HTTPS | {"tls_client_ca_file": ""}, "tls_client_ca_file", "listen"),
)


class Driver(FakeAuthority):
    """A driver with options."""

    OPTIONS = (
        cfg.StrOpt("url", required=True),
        cfg.IntOpt("depth", default=3, min=1, max=5),
        cfg.ListOpt("several", default=[]),
    )

    def __init__(self, setting):
        super().__init__(setting)
        self.setting = setting
        if setting.options["depth"] == 5:
            raise SettingsError("depth: is too deep for this url")
        if setting.options["depth"] == 4:
            raise SettingsError("[elsewhere] depth: is odd")


def configured(own_options, *groups: str) -> cfg.ConfigOpts:
    lines = [f"{name} = {value}" for name, value in own_options.items()]
    text = "\n".join(["[nfv_mla_collector]", *lines, *groups, ""])
    conf = cfg.ConfigOpts()
    own.register(conf)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        conf([], default_config_files=[file.name], default_config_dirs=[])
        return conf


class SettingsTestCase(unittest.TestCase):
    def refused(self, call, *args):
        with self.assertRaises(SettingsError) as caught:
            call(*args)
        message = str(caught.exception)
        self.assertNotIn("\n", message)
        self.assertLessEqual(len(message), LINE_MAX)
        return message


class SettingsTest(SettingsTestCase):
    def test_what_is_set_is_what_is_read(self):
        more = {
            "publish_interval_s": "2.5",
            "status_file": "/run/status.json",
            "key_passphrase_file": "/p",
        }
        found = own.settings(configured(GOOD | HTTPS | more))
        self.assertEqual("collector-a", found.name)
        self.assertEqual(pathlib.Path(GOOD["key_file"]), found.key_file)
        self.assertEqual(pathlib.Path("/p"), found.key_passphrase_file)
        self.assertEqual(
            pathlib.Path(GOOD["results_file"]), found.results_file
        )
        self.assertEqual(2.5, found.publish_interval_s)
        self.assertEqual(pathlib.Path("/run/status.json"), found.status_file)
        self.assertEqual(("keylime-fra", "veraison-bka"), found.authorities)
        self.assertEqual(
            ServerSettings(
                "0.0.0.0",
                8443,
                pathlib.Path("/c.pem"),
                pathlib.Path("/k.pem"),
                pathlib.Path("/ca.pem"),
            ),
            found.listen,
        )

    def test_what_need_not_be_set_is_none(self):
        found = own.settings(configured(GOOD))
        self.assertIsNone(found.listen)
        self.assertIsNone(found.status_file)
        self.assertIsNone(found.key_passphrase_file)
        self.assertEqual(1.0, found.publish_interval_s)

    def test_addresses_to_listen_on(self):
        for text, host, port in (
            ("collector.example:8443", "collector.example", 8443),
            ("127.0.0.1:0", "127.0.0.1", 0),
            ("[::1]:8443", "::1", 8443),
            ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        ):
            found = own.settings(configured(GOOD | HTTPS | {"listen": text}))
            self.assertEqual(
                (host, port), (found.listen.host, found.listen.port)
            )

    def test_a_bad_value_is_one_line_that_names_group_and_option(self):
        for differing, option, says in REFUSED:
            with self.subTest(differing):
                conf = configured(GOOD | differing)
                message = self.refused(own.settings, conf)
                self.assertIn(f"[nfv_mla_collector] {option}: ", message)
                self.assertIn(says, message)

    def test_every_option_is_tested_above(self):
        tested = {option for _, option, _ in REFUSED}
        self.assertEqual({o.name for o in options.OPTIONS}, tested)

    def test_settings_cannot_be_changed(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            own.settings(configured(GOOD)).name = "x"  # type: ignore[misc]

    def test_registering_twice_does_no_harm(self):
        own.register(configured(GOOD))


class AuthoritiesTest(SettingsTestCase):
    def setUp(self):
        super().setUp()
        found = mock.patch.object(loader, "driver", self._driver)
        found.start()
        self.addCleanup(found.stop)

    def _driver(self, name):
        if name != "fake":
            raise SettingsError(f"there is no authority driver {name!r}")
        return Driver

    def authorities(self, *lines, names="keylime-fra"):
        group = "\n".join(["[nfv_mla_authority_keylime-fra]", *lines])
        conf = configured({"authorities": names}, group)
        return own.authorities(conf, load())

    def test_each_is_made_from_its_own_group(self):
        conf = configured(
            {"authorities": "a,b-2"},
            "[nfv_mla_authority_a]\ndriver=fake\nurl=https://a\ndepth=2",
            "[nfv_mla_authority_b-2]\ndriver=fake\nurl=https://b\nseveral=x,y",
        )
        one, two = own.authorities(conf, load())
        self.assertEqual(("a", "b-2"), (one.name, two.name))
        self.assertEqual(
            {"url": "https://a", "depth": 2, "several": []},
            one.setting.options,
        )
        self.assertEqual(["x", "y"], two.setting.options["several"])
        self.assertIs(load(), one.setting.catalogue)

    def test_what_is_wrong_names_the_group_and_the_option(self):
        cases = (
            ((), "driver: must be set"),
            (("driver=nope",), "driver: there is no"),
            (("driver=fake",), "url: must be set"),
            (("driver=fake", "url=u", "depth=9"), "depth: "),
            (("driver=fake", "url=u", "depth=deep"), "depth: "),
            (("driver=fake", "url=u", "depth=5"), "depth: is too deep"),
        )
        for lines, says in cases:
            with self.subTest(lines):
                message = self.refused(self.authorities, *lines)
                self.assertIn(
                    f"[nfv_mla_authority_keylime-fra] {says}", message
                )

    def test_a_driver_that_names_the_group_itself_is_not_repeated(self):
        message = self.refused(
            self.authorities, "driver=fake", "url=u", "depth=4"
        )
        self.assertTrue(message.startswith("[elsewhere] depth"))

    def test_the_other_options_of_a_collector_are_not_needed(self):
        (one,) = self.authorities("driver=fake", "url=u")
        self.assertEqual("keylime-fra", one.name)

    def test_nothing_to_ask_is_refused(self):
        message = self.refused(lambda: self.authorities(names=""))
        self.assertIn("one at least", message)


def sample() -> str:
    """Generate the sample as ``oslo-config-generator`` does."""
    found = cfg.ConfigOpts()
    generator.register_cli_opts(found)
    found(
        [
            "--config-file",
            str(ETC / "nfv-mla-collector-config-generator.conf"),
        ],
        default_config_files=[],
        default_config_dirs=[],
    )
    text = io.StringIO()
    loaders = [
        ("nfv_mla_scheduler.collector", own.list_opts),
        ("nfv_mla_scheduler", common.list_opts),
    ]
    with mock.patch.object(
        generator, "_get_raw_opts_loaders", return_value=loaders
    ):
        generator.generate(found, output_file=text)
    return text.getvalue()


class SampleTest(unittest.TestCase):
    def test_the_sample_is_what_the_generator_writes(self):
        committed = (ETC / "nfv-mla-collector.conf.sample").read_text()
        self.assertEqual(
            committed,
            sample(),
            "run: oslo-config-generator --config-file "
            "etc/nfv-mla-collector-config-generator.conf",
        )

    def test_every_option_has_help(self):
        groups = own.list_opts()
        self.assertEqual(
            [
                "nfv_mla_collector",
                "nfv_mla_authority_name",
                "nfv_mla_authority_keylime",
            ],
            [group.name for group, _ in groups],
        )
        for _, found in groups:
            for option in found:
                self.assertTrue(option.help.strip(), option.name)

    def test_the_sample_has_the_options_of_a_driver(self):
        text = (ETC / "nfv-mla-collector.conf.sample").read_text()
        for group, driver in (("name", "ear"), ("keylime", "keylime")):
            part = text.partition(f"[nfv_mla_authority_{group}]")[2]
            part = part.partition("\n[")[0]
            for option in loader.driver(driver).OPTIONS:
                self.assertIn(f"#{option.name} =", part)
