# SPDX-License-Identifier: Apache-2.0
"""The options by which the monitor gets to Nova and Placement."""

from __future__ import annotations

import subprocess
import sys
import unittest

from oslo_config import cfg

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.monitor.cloud import session


class OptionsTest(unittest.TestCase):
    def test_they_are_those_of_every_service(self) -> None:
        ((group, options),) = session.list_opts()
        self.assertEqual("monitor", group)
        names = [option.dest for option in options]
        self.assertEqual(len(names), len(set(names)))
        for name in (
            *("auth_type", "auth_url", "username", "password", "cafile"),
            *("project_name", "region_name", "valid_interfaces"),
            *("compute_endpoint_override", "placement_endpoint_override"),
        ):
            self.assertIn(name, names)
        # what would send a request again, or to one endpoint for both
        for name in names:
            self.assertNotIn("retr", name)
        self.assertNotIn("endpoint_override", names)

    def test_registering_again_does_no_harm(self) -> None:
        conf = cfg.ConfigOpts()
        for _ in range(2):
            session.register(conf)
        conf([], project="nfv-mla", default_config_files=[])
        self.assertIsNone(conf.monitor.auth_type)
        with self.assertRaises(SettingsError) as caught:
            session.connect(conf, 10.0)
        self.assertIn("auth_type: must be set", str(caught.exception))

    def test_the_libraries_are_loaded_when_they_are_needed(self) -> None:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys, nfv_mla_scheduler.monitor.cloud.session\n"
                "print([n for n in sys.modules if n.partition('.')[0] in"
                " ('openstack', 'keystoneauth1', 'requests')])",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual("[]", done.stdout.strip())
