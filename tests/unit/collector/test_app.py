# SPDX-License-Identifier: Apache-2.0
"""The collector's HTTP interface, without a socket."""

from __future__ import annotations

import json
import sys
import threading
import time
import unittest
from collections.abc import Mapping
from typing import Any
from unittest import mock

from nfv_mla_scheduler.collector import app as module
from nfv_mla_scheduler.collector import conditions
from nfv_mla_scheduler.collector.app import ROUTES
from nfv_mla_scheduler.collector.app import App
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.results import delta
from nfv_mla_scheduler.serving import application
from nfv_mla_scheduler.serving.exchange import BODY_MAX
from tests.unit.collector import asking
from tests.unit.collector.asking import NOW
from tests.unit.collector.asking import status
from tests.unit.collector.test_shelf import document
from tests.unit.collector.test_shelf import tag
from tests.unit.serving.asking import Answered
from tests.unit.serving.asking import ask

ALL = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
ENTRIES = {"A-IM": "nfv-mla-entries"}


def known(*numbers: int) -> dict[str, str]:
    return {"If-None-Match": ", ".join(f'"{tag(n)}"' for n in numbers)}


class AppTestCase(unittest.TestCase):
    """An application on a shelf, and what it was asked to refresh."""

    def setUp(self) -> None:
        self.shelf = Shelf()
        self.addCleanup(self.shelf.close)
        self.status: dict[str, Any] = status()
        self.refreshed: list[tuple[str, tuple[str, ...]]] = []
        self.taken = True
        self.app = self.new_app()

    def new_app(self, **limits: int) -> App:
        return App(self.shelf, lambda: self.status, self._refresh, **limits)

    def _refresh(self, authority: str, attesters: tuple[str, ...]) -> bool:
        self.refreshed.append((authority, attesters))
        return self.taken

    def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> Answered:
        return ask(self.app, "GET", path, headers)

    def results(self, *headers: Mapping[str, str]) -> Answered:
        merged = {k: v for some in headers for k, v in some.items()}
        return self.get("/v1/results", merged)

    def wait_until(self, condition: Any) -> None:
        end = time.monotonic() + 5
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.001)


class RoutesTest(AppTestCase):
    def test_every_route_answers_its_methods_and_no_others(self) -> None:
        self.shelf.put(document(1))
        for path, methods in ROUTES.items():
            taken = {*methods, *(["HEAD"] if "GET" in methods else [])}
            for method in ALL:
                with self.subTest(path=path, method=method):
                    found = ask(self.app, method, path)
                    if method in taken:
                        self.assertNotIn(found.status, (404, 405))
                        continue
                    self.assertEqual(405, found.status)
                    allowed = found.headers["allow"].split(", ")
                    self.assertEqual(taken, set(allowed))
                    if method != "HEAD":
                        self.assertIn(method, found.error)

    def test_a_path_that_there_is_not(self) -> None:
        for path in ("/", "/v1", "/v1/results/", "/v2/results", "/v1/x" * 99):
            found = ask(self.app, "GET", path)
            self.assertEqual(404, found.status)
            self.assertIn("/v1/results", found.error)

    def test_head_says_what_get_would_and_sends_nothing(self) -> None:
        self.shelf.put(document(1))
        for path, methods in ROUTES.items():
            if "GET" in methods:
                got = ask(self.app, "GET", path)
                headed = ask(self.app, "HEAD", path)
                self.assertEqual(got.status, headed.status)
                self.assertEqual(got.headers, headed.headers)
                self.assertEqual(b"", headed.body)

    def test_nothing_may_be_kept_by_a_cache(self) -> None:
        for path in ROUTES:
            found = ask(self.app, "GET", path)
            self.assertEqual("no-store", found.headers["cache-control"])

    def test_a_fault_of_ours_is_an_error_in_one_line(self) -> None:
        for broken in (None, {}, {"now": object()}, {"now": float("nan")}):
            self.status = broken  # type: ignore[assignment]
            with self.assertLogs(application.LOG, "ERROR"):
                found = (
                    self.get("/v1/status") if broken else self.get("/v1/ready")
                )
            self.assertEqual(500, found.status)
            self.assertIn("its log", found.error)


class ResultsTest(AppTestCase):
    def test_there_is_none_yet(self) -> None:
        found = self.results()
        self.assertEqual(503, found.status)
        self.assertEqual("1", found.headers["retry-after"])
        self.assertIn("no results document yet", found.error)

    def test_the_whole_document(self) -> None:
        self.shelf.put(document(1))
        found = self.results()
        self.assertEqual(200, found.status)
        self.assertEqual(document(1), found.body)
        self.assertEqual(f'"{tag(1)}"', found.headers["etag"])
        self.assertEqual(
            "application/vnd.nfv-mla.results", found.headers["content-type"]
        )
        self.assertEqual(
            str(len(document(1))), found.headers["content-length"]
        )

    def test_a_large_document_is_whole(self) -> None:
        data = b"x" * 1_000_001
        self.shelf.put(data)
        self.assertEqual(data, self.results().body)

    def test_what_is_known_is_not_sent(self) -> None:
        self.shelf.put(document(1))
        for said in (
            f'"{tag(1)}"',
            f'W/"{tag(1)}"',
            f' "x","y" ,"{tag(1)}" ',
            " * ",
        ):
            found = self.results({"If-None-Match": said})
            self.assertEqual(304, found.status, said)
            self.assertEqual(b"", found.body)
            self.assertEqual(f'"{tag(1)}"', found.headers["etag"])
            self.assertNotIn("content-length", found.headers)

    def test_what_is_known_of_another_document_changes_nothing(self) -> None:
        self.shelf.put(document(1))
        for said in (f'"{tag(2)}"', tag(1), '"', "", "**", f"'{tag(1)}'"):
            found = self.results({"If-None-Match": said})
            self.assertEqual(200, found.status, said)

    def test_only_what_has_changed(self) -> None:
        for number in (1, 2, 3):
            self.shelf.put(document(number))
        for base in (1, 2):
            found = self.results(known(base), ENTRIES)
            self.assertEqual(226, found.status)
            self.assertEqual("nfv-mla-entries", found.headers["im"])
            self.assertEqual(f'"{tag(base)}"', found.headers["delta-base"])
            self.assertEqual(f'"{tag(3)}"', found.headers["etag"])
            self.assertEqual(
                "application/vnd.nfv-mla.results-delta+json",
                found.headers["content-type"],
            )
            rebuilt = delta.apply(document(base), found.body, max_bytes=2**20)
            self.assertEqual(document(3), rebuilt)

    def test_of_several_that_are_known_one_that_is_held(self) -> None:
        self.shelf.put(document(1))
        self.shelf.put(document(2))
        found = self.results(known(7, 1), ENTRIES)
        self.assertEqual(226, found.status)
        self.assertEqual(f'"{tag(1)}"', found.headers["delta-base"])

    def test_the_whole_where_changes_are_not_to_be_had(self) -> None:
        self.shelf.put(b"\xff")
        self.shelf.put(document(1))
        self.shelf.put(document(2))
        newest = (
            {},
            ENTRIES,
            known(1),
            known(9) | ENTRIES,
            {"If-None-Match": "W/x"} | ENTRIES,
            known(1) | {"A-IM": "vcdiff, gzip"},
            known(1) | {"A-IM": "nfv-mla-entries;q=0"},
        )
        for headers in newest:
            found = self.results(headers)
            self.assertEqual(200, found.status, headers)
            self.assertEqual(document(2), found.body)
            self.assertNotIn("im", found.headers)
        self.shelf.put(b"quite another")
        self.assertEqual(200, self.results(known(2), ENTRIES).status)

    def test_what_is_known_is_not_sent_as_no_change_either(self) -> None:
        self.shelf.put(document(1))
        self.assertEqual(304, self.results(known(1), ENTRIES).status)


class WaitTest(AppTestCase):
    def _later(self, *headers: Mapping[str, str]) -> list[Answered]:
        """Ask in another thread; return a list that gets the answer."""
        found: list[Answered] = []
        thread = threading.Thread(
            target=lambda: found.append(self.results(*headers))
        )
        thread.start()
        self.addCleanup(thread.join, 10)
        return found

    def test_the_next_document_is_waited_for(self) -> None:
        self.shelf.put(document(1))
        found = self._later(known(1), {"Prefer": "wait=30"})
        time.sleep(0.05)
        self.assertEqual([], found)
        self.shelf.put(document(2))
        self.wait_until(lambda: found)
        self.assertEqual(200, found[0].status)
        self.assertEqual(document(2), found[0].body)
        self.assertEqual("wait=30", found[0].headers["preference-applied"])

    def test_the_first_document_is_waited_for(self) -> None:
        found = self._later({"Prefer": "wait=30"})
        time.sleep(0.02)
        self.shelf.put(document(1))
        self.wait_until(lambda: found)
        self.assertEqual(200, found[0].status)

    def test_only_what_changed_while_it_was_waited_for(self) -> None:
        self.shelf.put(document(1))
        found = self._later(known(1), {"Prefer": "wait=30"}, ENTRIES)
        time.sleep(0.02)
        self.shelf.put(document(2))
        self.wait_until(lambda: found)
        self.assertEqual(226, found[0].status)

    def test_what_is_not_known_is_not_waited_for(self) -> None:
        self.shelf.put(document(1))
        for headers in ({}, known(2)):
            found = self.results(headers, {"Prefer": "wait=30"})
            self.assertEqual(200, found.status)
        anything = {"If-None-Match": "*"}
        found = self.results(anything, {"Prefer": "wait=30"})
        self.assertEqual(304, found.status)

    def test_it_is_waited_in_vain(self) -> None:
        with mock.patch.object(module, "WAIT_MAX_S", 0.05):
            self.assertEqual(503, self.results({"Prefer": "wait=99"}).status)
            self.shelf.put(document(1))
            found = self.results(known(1), {"Prefer": "wait=99"})
        self.assertEqual(304, found.status)
        self.assertEqual("wait=0.05", found.headers["preference-applied"])

    def test_a_wait_is_bounded(self) -> None:
        self.shelf.put(document(1))
        found = self.results({"Prefer": "wait=999999999"})
        self.assertEqual(
            f"wait={module.WAIT_MAX_S}", found.headers["preference-applied"]
        )

    def test_nobody_waits_who_did_not_ask_for_it(self) -> None:
        self.shelf.put(document(1))
        for prefer in ("", "wait", "wait=", "wait=-1", "wait=soon", "wait=0"):
            found = self.results(known(1), {"Prefer": prefer})
            self.assertEqual(304, found.status)
            applied = found.headers.get("preference-applied")
            expected = "wait=0" if prefer == "wait=0" else None
            self.assertEqual(expected, applied)

    def test_head_does_not_wait(self) -> None:
        self.shelf.put(document(1))
        headers = known(1) | {"Prefer": "wait=30"}
        self.assertEqual(
            304, ask(self.app, "HEAD", "/v1/results", headers).status
        )

    def test_the_end_of_the_collector_wakes_all(self) -> None:
        self.shelf.put(document(1))
        found = self._later(known(1), {"Prefer": "wait=30"})
        time.sleep(0.02)
        self.shelf.close()
        self.wait_until(lambda: found)
        self.assertEqual(304, found[0].status)


class CrowdTest(AppTestCase):
    """Those who wait take nobody else's place."""

    def setUp(self) -> None:
        super().setUp()
        self.shelf.put(document(1))
        self.app = self.new_app(waiting_max=2, sending_max=1)
        self.waiting = known(1) | {"Prefer": "wait=30"}

    def _fill(self) -> list[threading.Thread]:
        threads = [
            threading.Thread(target=self.results, args=(self.waiting,))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        free = self.app._waiting._free
        self.wait_until(lambda: free._value == 0)
        return threads

    def test_when_too_many_wait_the_next_one_does_not(self) -> None:
        threads = self._fill()
        found = self.results(self.waiting)
        self.assertEqual(304, found.status)
        self.assertEqual("wait=0", found.headers["preference-applied"])
        self.assertEqual(200, self.results().status)
        self.assertEqual(200, self.get("/v1/status").status)
        self.shelf.put(document(2))
        for thread in threads:
            thread.join(5)
        # their places are free again
        self.shelf.close()
        found = self.results(known(2), {"Prefer": "wait=30"})
        self.assertEqual("wait=30", found.headers["preference-applied"])

    def test_a_place_is_held_until_the_document_is_sent(self) -> None:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/results"}
        sending = self.app(environ, lambda status, headers: None)
        self.assertEqual(503, self.results().status)
        found = self.results()
        self.assertEqual("1", found.headers["retry-after"])
        self.assertIn("too many", found.error)
        # who waits has a place of their own
        self.assertEqual(200, self.results({"Prefer": "wait=1"}).status)
        sending.close()  # type: ignore[attr-defined]
        self.assertEqual(200, self.results().status)

    def test_errors_and_empty_answers_hold_no_place(self) -> None:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/v1/results",
            "HTTP_IF_NONE_MATCH": "*",
        }
        for _ in range(5):
            # as by a server that fails to close what it was given
            self.app(environ, lambda status, headers: None)
        self.assertEqual(200, self.results().status)


class RefreshTest(AppTestCase):
    def _post(
        self,
        body: Any,
        headers: Mapping[str, str] = {"Content-Type": "application/json"},
    ) -> Answered:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.app, "POST", "/v1/refresh", headers, data)

    def test_is_passed_on(self) -> None:
        found = self._post({"authority": "ear", "attesters": ["b", "a", "b"]})
        self.assertEqual(202, found.status)
        self.assertEqual({"accepted": True}, found.json)
        self._post({"authority": "ear", "attesters": []})
        self.assertEqual([("ear", ("b", "a")), ("ear", ())], self.refreshed)

    def test_what_nobody_will_be_asked_for_is_not_found(self) -> None:
        self.taken = False
        found = self._post({"authority": "x" * 200, "attesters": ["a"]})
        self.assertEqual(404, found.status)
        self.assertIn("xxx", found.error)

    def test_what_is_malformed_says_what_is_wrong(self) -> None:
        cases: tuple[tuple[Any, str], ...] = (
            (b"", "JSON"),
            (b"\xff", "UTF-8"),
            (b"[" * 1000, "deep"),
            ([], "object"),
            ({"authority": "ear"}, "attesters"),
            ({"attesters": ["a"]}, "authority"),
            ({"authority": "ear", "attesters": ["a"], "x": 1}, "not known"),
            ({"authority": "ear", "attesters": "a"}, "array"),
            ({"authority": "ear", "attesters": [1]}, "names"),
            ({"authority": "", "attesters": ["a"]}, "names"),
            ({"authority": "ear", "attesters": ["\n"]}, "names"),
            ({"authority": "ear", "attesters": ["a"] * 257}, "256"),
        )
        for body, word in cases:
            with self.subTest(body=body):
                found = self._post(body)
                self.assertEqual(400, found.status)
                self.assertIn(word, found.error)
        self.assertEqual([], self.refreshed)

    def test_a_body_is_bounded_and_said_to_be_json(self) -> None:
        body = {"authority": "ear", "attesters": ["a"]}
        kind = {"Content-Type": "application/json"}
        cases: tuple[tuple[dict[str, str], bytes | None, int], ...] = (
            ({"Content-Type": "text/plain"}, b"{}", 415),
            ({}, b"{}", 415),
            (kind | {"Content-Length": ""}, b"{}", 411),
            (kind | {"Content-Length": "-1"}, b"{}", 400),
            (kind | {"Content-Length": "many"}, b"{}", 400),
            (kind | {"Content-Length": "1000"}, b"{}", 400),
            (kind | {"Content-Length": str(BODY_MAX + 1)}, b"{}", 413),
        )
        for headers, data, expected in cases:
            with self.subTest(headers=headers):
                found = _unchecked(self.app, headers, data)
                self.assertEqual(expected, found)
        self.assertEqual([], self.refreshed)
        padded = json.dumps(body).ljust(BODY_MAX).encode()
        charset = {"Content-Type": "application/JSON; charset=utf-8"}
        self.assertEqual(202, self._post(padded, charset).status)

    def test_not_more_than_so_many_in_a_time(self) -> None:
        body = {"authority": "ear", "attesters": ["a"]}
        found = [self._post(body) for _ in range(module.REFRESHES_MAX + 2)]
        self.assertEqual(429, found[-1].status)
        self.assertEqual("1", found[-1].headers["retry-after"])
        self.assertIn("too much", found[-1].error)
        self.assertEqual(202, found[0].status)


def _unchecked(app: App, headers: dict[str, str], body: bytes | None) -> int:
    """Return the status of a request that WSGI's own checker would refuse."""
    import io

    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/refresh",
        "wsgi.input": io.BytesIO(body or b""),
    }
    for name, value in headers.items():
        environ[name.upper().replace("-", "_")] = value
    statuses: list[str] = []
    app(environ, lambda status, lines: statuses.append(status))
    (status_line,) = statuses
    return int(status_line.split()[0])


class StandingTest(AppTestCase):
    def test_the_status_is_what_the_collector_says(self) -> None:
        found = self.get("/v1/status")
        self.assertEqual(200, found.status)
        self.assertEqual(self.status, found.json)

    def test_it_is_alive(self) -> None:
        self.assertEqual({"live": True}, self.get("/v1/live").json)

    def test_is_ready_with_a_document_and_a_policy_in_force(self) -> None:
        cases: tuple[tuple[dict[str, Any], bool, str], ...] = (
            (status(policy=None), True, "no policy"),
            (
                status(policy={"version": 1, "expires_at": NOW}),
                True,
                "expired",
            ),
            (status(), False, "no results document"),
        )
        for said, put, word in cases:
            self.status, self.shelf = said, Shelf()
            if put:
                self.shelf.put(document(1))
            self.app = self.new_app()
            found = self.get("/v1/ready")
            self.assertEqual(503, found.status)
            self.assertIn(word, found.error)
        self.shelf.put(document(1))
        self.assertEqual({"ready": True}, self.get("/v1/ready").json)

    def test_metrics(self) -> None:
        found = self.get("/v1/metrics")
        self.assertEqual(200, found.status)
        self.assertTrue(found.headers["content-type"].startswith("text/plain"))
        self.assertIn(b"nfv_mla_collector_policy_version 7.0", found.body)

    def test_metrics_without_their_library(self) -> None:
        with mock.patch.dict(sys.modules, {"prometheus_client": None}):
            found = self.get("/v1/metrics")
        self.assertEqual(501, found.status)
        self.assertIn("nfv-mla-scheduler[collector]", found.error)


class ConditionsTest(unittest.TestCase):
    def test_how_long_a_client_would_wait(self) -> None:
        cases = {
            "wait=10": 10,
            "WAIT = 10": 10,
            'wait="10"': 10,
            "respond-async, wait=7": 7,
            "wait=7; x=y": 7,
            "wait=7, wait=9": 7,
            "wait=0": 0,
            "wait": None,
            "wait=": None,
            "wait=1.5": None,
            "wait=-1": None,
            'wait="7': None,
            "await=7": None,
            "wait=9999999999": None,
            "": None,
        }
        for said, expected in cases.items():
            self.assertEqual(expected, conditions.wait_s(said), said)

    def test_whether_changes_are_enough(self) -> None:
        cases = {
            "nfv-mla-entries": True,
            "gzip, nfv-mla-entries": True,
            "nfv-mla-entries;q=0.5": True,
            "nfv-mla-entries; q=0": False,
            "nfv-mla-entries;q=0.000": False,
            "nfv-mla-entries-2": False,
            "": False,
        }
        for said, expected in cases.items():
            self.assertEqual(expected, conditions.takes_entries(said), said)

    def test_no_more_tags_are_looked_at_than_anybody_needs(self) -> None:
        many = ", ".join(f'"{n}"' for n in range(10_000))
        found = conditions.known(many)
        self.assertEqual(conditions.TAGS_MAX, len(found.tags))


class AskingTest(unittest.TestCase):
    def test_the_statuses_that_tests_use_are_like_the_real_ones(self) -> None:
        from nfv_mla_scheduler.collector import status as real

        found = real.status(
            "core-collector", NOW, NOW, None, real.Published(), {}, {}
        )
        self.assertEqual(set(found), set(asking.status()))
