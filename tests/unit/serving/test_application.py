# SPDX-License-Identifier: Apache-2.0
"""What an application owes every client, without a socket."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.serving import application
from tests.unit.serving.asking import ask
from tests.unit.serving.site import LARGE_BYTES
from tests.unit.serving.site import Small


class ApplicationTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.app = Small()

    def test_a_path_that_there_is_not(self) -> None:
        for path in ("", "/", "/v1/live/", "/V1/live"):
            found = ask(self.app, "GET", path)
            self.assertEqual(404, found.status)
            self.assertIn("/v1/live", found.error)

    def test_a_method_that_is_not_taken(self) -> None:
        found = ask(self.app, "POST", "/v1/live")
        self.assertEqual(405, found.status)
        self.assertEqual("GET, HEAD", found.headers["allow"])
        found = ask(self.app, "GET", "/v1/body")
        self.assertEqual("POST", found.headers["allow"])

    def test_head_sends_nothing(self) -> None:
        found = ask(self.app, "HEAD", "/v1/large")
        self.assertEqual(b"", found.body)
        self.assertEqual(str(LARGE_BYTES), found.headers["content-length"])

    def test_a_fault_of_ours_is_an_error_in_one_line(self) -> None:
        with self.assertLogs(application.LOG, "ERROR"):
            found = ask(self.app, "GET", "/v1/fault")
        self.assertEqual(500, found.status)
        self.assertEqual(
            "the collector failed at this; its log says why", found.error
        )

    def test_only_the_server_says_that_a_certificate_was_verified(
        self,
    ) -> None:
        for certified in (False, True):
            found = ask(
                self.app,
                "GET",
                "/v1/status",
                {"SSL-Client-Verify": "SUCCESS"},
                certified=certified,
                address="192.0.2.9",
            )
            self.assertEqual(
                {"certified": certified, "address": "192.0.2.9"}, found.json
            )
