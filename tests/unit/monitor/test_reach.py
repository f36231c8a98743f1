# SPDX-License-Identifier: Apache-2.0
"""What an operator reads when the cloud does not let the monitor work."""

from __future__ import annotations

import contextlib
import io
import logging
import unittest
from typing import Any

from nfv_mla_scheduler.cmd import monitor_service as command
from nfv_mla_scheduler.cmd.monitor_text import report
from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor.service import Service
from tests.simulated.cloud import SimulatedCloud
from tests.unit.monitor.site import MonitorSite

TOO_OLD = "cloud-too-old: Nova is too old: its API has microversion 2.99, "
NEEDED = "and 2.100 is needed"


class ReachTest(unittest.TestCase):
    """A monitor as it is built, and a simulated cloud over HTTP."""

    def setUp(self) -> None:
        self.site = MonitorSite.of(self)
        logger = logging.getLogger("nfv_mla_scheduler")
        propagate = logger.propagate
        logger.propagate = False
        self.addCleanup(setattr, logger, "propagate", propagate)

    def cloud(self, **how: Any) -> SimulatedCloud:
        sim = SimulatedCloud(2, 3, **how).start()
        self.addCleanup(sim.stop)
        return sim

    def look(self, sim: SimulatedCloud, **options: Any) -> tuple[str, str]:
        """Look once; return what is printed of it, and the status' lines."""
        options = {**sim.credentials(), "act": "none", **options}
        conf = self.site.conf(**options)
        service = Service(parts.read(conf), conf)
        self.addCleanup(service.stop)
        with self.assertLogs("nfv_mla_scheduler", "WARNING") as said:
            found = service.once()
        self.logged = "\n".join(said.output)
        printed = "\n".join(command.report_lines(found, dry_run=False))
        return printed, "\n".join(report(service.status(), 10_000))

    def test_a_nova_that_is_too_old_is_said_to_be(self) -> None:
        for text in (
            *self.look(self.cloud(max_microversion="2.99")),
            self.logged,
        ):
            with self.subTest(text=text):
                self.assertIn(TOO_OLD + NEEDED, text)

    def test_a_password_that_is_wrong_is_said_to_be(self) -> None:
        for text in self.look(self.cloud(), password="another"):
            with self.subTest(text=text):
                self.assertIn("cloud-unauthorised: ", text)
                self.assertNotIn("another", text)

    def test_what_an_account_may_not_do_is_said_in_nova_s_words(self) -> None:
        sim = self.cloud()
        body = (
            b'{"forbidden": {"code": 403, "message": "Policy does not '
            b'allow os_compute_api:servers:index:get_all_tenants"}}'
        )
        sim.fail("GET", "servers", status=403, times=None, body=body)
        for text in self.look(sim):
            with self.subTest(text=text):
                self.assertIn("servers (cloud-refused: ", text)
                self.assertIn("Policy does not allow", text)

    def test_once_prints_what_it_found_once(self) -> None:
        sim = self.cloud(max_microversion="2.99")
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        self.addCleanup(root.setLevel, level)
        self.addCleanup(setattr, root, "handlers", handlers)
        logger = logging.getLogger("nfv_mla_scheduler")
        logger.propagate = True
        out, err = io.StringIO(), io.StringIO()
        path = self.site.write(**sim.credentials())
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command.main(("--once", "--config-file", path))
        self.assertEqual(1, status)
        self.assertEqual(1, out.getvalue().count("servers (cloud-too-old"))
        self.assertNotIn("WARNING", out.getvalue())
        self.assertIn("WARNING", err.getvalue())
        self.assertIn("servers (cloud-too-old", err.getvalue())
