# SPDX-License-Identifier: Apache-2.0
"""The collector's interface over the real server: documents, and waiting."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from unittest import mock

from nfv_mla_scheduler.collector.server import new_server
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.serving import listener
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings
from tests.unit.collector.asking import status
from tests.unit.collector.test_shelf import document
from tests.unit.collector.test_shelf import tag
from tests.unit.serving.site import ServerTestCase


class ShelfTestCase(ServerTestCase):
    """A server of a shelf."""

    PATH = "/v1/results"

    def setUp(self) -> None:
        self.shelf = Shelf()
        self.refreshed: list[str] = []
        super().setUp()

    def new_server(self, settings: ServerSettings) -> Server:
        return new_server(
            settings,
            self.shelf,
            status,
            lambda authority, _: (
                bool(self.refreshed.append(authority)) or True
            ),
            waiting_max=4,
        )


class ServesTest(ShelfTestCase):
    def test_documents_changes_and_errors_travel(self) -> None:
        client = self.new_client()
        self.assertEqual(503, client.get(accept=(), also=(503,)).status)
        data = document(1) * 500
        self.shelf.put(data)
        answer = client.get(accept=("application/vnd.nfv-mla.results",))
        self.assertEqual(data, answer.body)
        headers = {
            "If-None-Match": answer.headers["etag"],
            "A-IM": "nfv-mla-entries",
            "Prefer": "wait=20",
        }
        threading.Timer(0.1, self.shelf.put, (document(2) + data,)).start()
        with self.in_time():
            answer = client.get(accept=(), headers=headers, also=(226,))
        self.assertEqual(226, answer.status)
        headers["If-None-Match"] = answer.headers["etag"]
        headers["Prefer"] = "wait=0"
        answer = client.get(accept=(), headers=headers, also=(304,))
        self.assertEqual((304, b""), (answer.status, answer.body))
        with self.assertRaises(ContactFailed) as caught:
            client.get("/v1/nothing", accept=())
        self.assertIn("404", str(caught.exception))

    def test_a_refresh_travels(self) -> None:
        body = json.dumps({"authority": "ear", "attesters": ["a"]}).encode()
        answer = self.new_client().post(
            "/v1/refresh", body, "application/json", accept=(), also=(202,)
        )
        self.assertEqual(202, answer.status)
        self.assertEqual(["ear"], self.refreshed)


class CrowdTest(ShelfTestCase):
    """Who is slow, and who waits, takes nothing from the others."""

    def test_answers_that_nobody_reads(self) -> None:
        self.shelf.put(b"x" * 2**23)
        readers = []
        with (
            mock.patch.object(listener, "ANSWER_S", 0.5),
            mock.patch.object(self.server._listener, "wait_max_s", 0),
        ):
            # as many as may be sent a document without waiting
            for _ in range(8):
                sock = self.raw()
                sock.sendall(b"GET /v1/results HTTP/1.1\r\nHost: x\r\n\r\n")
                readers.append(sock)
            time.sleep(0.2)
            self.assert_alive()
            with self.assertRaises(ContactFailed) as caught:
                self.new_client().get(accept=())
            self.assertIn("503", str(caught.exception))
            time.sleep(1.0)
        with self.in_time():
            answer = self.new_client().get(accept=())
        self.assertEqual(2**23, len(answer.body))
        for sock in readers:
            size = 0
            with contextlib.suppress(OSError):
                while part := sock.recv(2**20):
                    size += len(part)
            self.assertLess(size, 2**23)

    def test_more_that_wait_than_may(self) -> None:
        self.shelf.put(document(1))
        headers = {"If-None-Match": f'"{tag(1)}"', "Prefer": "wait=30"}
        found: list[int] = []

        def wait() -> None:
            answer = self.new_client().get(
                accept=(), headers=headers, deadline_s=40, also=(304,)
            )
            found.append(answer.status)

        threads = [threading.Thread(target=wait) for _ in range(12)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 5
        while len(found) < 8 and time.monotonic() < end:
            time.sleep(0.01)
        # four wait, the others were told at once that nothing is new
        self.assertEqual([304] * 8, found)
        self.assert_alive()
        self.shelf.put(document(2))
        for thread in threads:
            thread.join(5)
        self.assertEqual([200] * 4, found[8:])

    def test_who_waits_is_woken(self) -> None:
        self.shelf.put(document(1))
        found: list[int] = []
        client = self.new_client()
        thread = threading.Thread(
            target=lambda: found.append(
                client.get(
                    accept=(),
                    headers={
                        "If-None-Match": f'"{tag(1)}"',
                        "Prefer": "wait=50",
                    },
                    deadline_s=60,
                    also=(304,),
                ).status
            )
        )
        thread.start()
        time.sleep(0.2)
        with self.in_time(4):
            self.server.stop()
            thread.join(5)
        self.assertEqual([304], found)
