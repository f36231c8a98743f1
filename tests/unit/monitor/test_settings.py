# SPDX-License-Identifier: Apache-2.0
"""The options of ``[monitor]``."""

from __future__ import annotations

import io
import pathlib
import tempfile
import unittest
from unittest import mock

from oslo_config import cfg
from oslo_config import generator

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.monitor import settings as own
from nfv_mla_scheduler.monitor.options.group import OPTIONS
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.steps import Step

ETC = pathlib.Path(__file__).parents[3] / "etc"
HTTPS = {
    "listen": "[::1]:8444",
    "tls_cert_file": "/c.pem",
    "tls_key_file": "/k.pem",
    "tls_client_ca_file": "/ca.pem",
}
POWER = {
    "power_off_command": "/usr/bin/off,{host}",
    "power_status_command": "/usr/bin/off,--status,{uuid}",
}
# options that differ, the option that the error names, what it says
REFUSED = (
    ({"act": "everything"}, "act", "none"),
    ({"act": "all"}, "mark_key_files", "must be set with act = all"),
    ({"act": "fence"}, "mark_key_files", "must be set with act = fence"),
    ({"traits": "perhaps"}, "traits", "perhaps"),
    ({"mark_key_files": "a"}, "mark_key_files", "absolute"),
    ({"mark_key_files": "/a,/a"}, "mark_key_files", "twice"),
    (
        {"mark_key_files": ",".join(f"/{i}" for i in range(17))},
        "mark_key_files",
        "more than 16",
    ),
    (POWER | {"power_status_command": ""}, "power_status_command", "beside"),
    (POWER | {"power_off_command": ""}, "power_off_command", "beside"),
    (POWER | {"power_off_command": "off,{host}"}, "power_off", "absolute"),
    (POWER | {"power_off_command": "/off,--all"}, "power_off", "{host}"),
    (POWER | {"power_status_command": "/{host}"}, "power_status", "{uuid}"),
    ({"power_command_timeout_s": "0"}, "power_command_timeout_s", "1"),
    ({"interval_s": "0"}, "interval_s", "1"),
    ({"interval_s": "nan"}, "interval_s", "finite"),
    ({"full_listing_s": "60"}, "full_listing_s", "overlap_s"),
    ({"overlap_s": "1"}, "overlap_s", "10"),
    ({"picture_max_age_s": "10", "interval_s": "20"}, "picture", "interval_s"),
    # schedulers would take it for dead between two cycles
    ({"interval_s": "31"}, "interval_s", "30"),
    ({"request_timeout_s": "0"}, "request_timeout_s", "1"),
    ({"workers": "0"}, "workers", "1"),
    ({"live_migrate_deadline_s": "1"}, "live_migrate_deadline_s", "10"),
    ({"cold_migrate_deadline_s": "1"}, "cold_migrate_deadline_s", "10"),
    ({"stop_deadline_s": "1"}, "stop_deadline_s", "10"),
    ({"power_off_deadline_s": "1"}, "power_off_deadline_s", "10"),
    ({"rebuild_deadline_s": "1"}, "rebuild_deadline_s", "10"),
    ({"status_file": "status"}, "status_file", "absolute"),
    (HTTPS | {"listen": "8444"}, "listen", "HOST:PORT"),
    (HTTPS | {"tls_cert_file": ""}, "tls_cert_file", "beside listen"),
    (HTTPS | {"tls_key_file": ""}, "tls_key_file", "beside listen"),
    (HTTPS | {"tls_client_ca_file": "ca"}, "tls_client_ca_file", "absolute"),
)


def read(**lines: str) -> own.Settings:
    text = "\n".join(f"{name} = {value}" for name, value in lines.items())
    conf = cfg.ConfigOpts()
    own.register(conf)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(f"[monitor]\n{text}\n")
        file.flush()
        conf([], default_config_files=[file.name], default_config_dirs=[])
        return own.settings(conf)


def sample() -> str:
    """Generate the sample as ``oslo-config-generator`` does."""
    conf = cfg.ConfigOpts()
    generator.register_cli_opts(conf)
    path = ETC / "nfv-mla-monitor-config-generator.conf"
    conf(
        ["--config-file", str(path)],
        default_config_files=[],
        default_config_dirs=[],
    )
    text = io.StringIO()
    loaders = [
        ("nfv_mla_scheduler.monitor", own.list_opts),
        ("nfv_mla_scheduler", common.list_opts),
    ]
    with mock.patch.object(
        generator, "_get_raw_opts_loaders", return_value=loaders
    ):
        generator.generate(conf, output_file=text)
    return text.getvalue()


class SettingsTest(unittest.TestCase):
    def test_nothing_set_looks_and_does_nothing(self) -> None:
        found = read()
        self.assertIs(Arming.NONE, found.act)
        self.assertTrue(found.traits)
        self.assertEqual((), found.mark_key_files)
        self.assertEqual((), found.power_off)
        self.assertIsNone(found.listen)
        self.assertIsNone(found.status_file)

    def test_what_is_set_is_what_is_read(self) -> None:
        found = read(
            act="fence",
            mark_key_files="/a,/b",
            stop_deadline_s="30",
            **POWER,
            **HTTPS,
        )
        self.assertIs(Arming.FENCE, found.act)
        self.assertEqual(
            (pathlib.Path("/a"), pathlib.Path("/b")), found.mark_key_files
        )
        self.assertEqual(("/usr/bin/off", "{host}"), found.power_off)
        self.assertEqual(30.0, found.deadlines_s[Step.STOP])
        assert found.listen is not None
        self.assertEqual(("::1", 8444), (found.listen.host, found.listen.port))

    def test_a_bad_value_is_one_line_that_names_its_option(self) -> None:
        for lines, option, says in REFUSED:
            with self.subTest(**lines):
                with self.assertRaises(SettingsError) as caught:
                    read(**lines)
                message = str(caught.exception)
                self.assertIn(f"[monitor] {option}", message)
                self.assertIn(says, message)
                self.assertNotIn("\n", message)
                self.assertLessEqual(len(message), LINE_MAX)

    def test_every_option_is_tested_above_and_has_help(self) -> None:
        tested = {name for lines, _, _ in REFUSED for name in lines}
        self.assertEqual({o.name for o in OPTIONS}, tested)
        for option in OPTIONS:
            self.assertTrue((option.help or "").strip(), option.name)

    def test_every_step_that_takes_time_has_a_deadline(self) -> None:
        self.assertEqual(
            {s for s in Step if s.disturbs}, set(read().deadlines_s)
        )

    def test_the_sample_is_what_the_generator_writes(self) -> None:
        committed = (ETC / "nfv-mla-monitor.conf.sample").read_text()
        self.assertEqual(committed, sample())
