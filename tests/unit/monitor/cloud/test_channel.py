# SPDX-License-Identifier: Apache-2.0
"""An API may answer with whatever it likes: CloudFailed, and nothing else."""

from __future__ import annotations

import contextlib
import gzip
import typing as ty
import unittest
import uuid
from concurrent import futures
from unittest import mock

from nfv_mla_scheduler.monitor.cloud import channel as channels
from nfv_mla_scheduler.monitor.cloud import paging
from nfv_mla_scheduler.monitor.cloud.channel import TooLarge
from nfv_mla_scheduler.monitor.cloud.nova import Nova
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from tests.unit.monitor.cloud.api import Api
from tests.unit.monitor.cloud.api import reply

SERVER = "11111111-2222-3333-4444-555555555555"
OTHER = "aaaaaaaa-2222-3333-4444-555555555555"
# status, code, whether a writer must be unsure
STATUSES = (
    (301, CloudCode.BAD_ANSWER, True),
    (400, CloudCode.REFUSED, False),
    (401, CloudCode.UNAUTHORISED, False),
    (403, CloudCode.REFUSED, False),
    (404, CloudCode.GONE, False),
    (405, CloudCode.REFUSED, False),
    (406, CloudCode.REFUSED, False),
    (408, CloudCode.UNAVAILABLE, True),
    (409, CloudCode.CONFLICT, False),
    (413, CloudCode.BUSY, False),
    (429, CloudCode.BUSY, False),
    (500, CloudCode.UNAVAILABLE, True),
    (502, CloudCode.UNAVAILABLE, True),
    (503, CloudCode.UNAVAILABLE, True),
    (504, CloudCode.UNAVAILABLE, True),
)


def cut_off(handler: ty.Any) -> None:
    """End the connection before there is any answer."""
    handler.close_connection = True
    handler.connection.close()


def half(handler: ty.Any) -> None:
    """Announce more than what comes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"servers": [')
    handler.close_connection = True


def thing(number: int) -> dict[str, str]:
    return {"id": str(uuid.UUID(int=number))}


class ChannelTestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.api = Api()
        self.addCleanup(self.api.close)
        self.channel = self.api.channel()

    def fails(self, call: ty.Callable[[], object]) -> CloudFailed:
        with self.assertRaises(CloudFailed) as caught:
            call()
        return caught.exception


class StatusTest(ChannelTestCase):
    def test_each_status_has_its_code(self) -> None:
        fault = {"conflictingRequest": {"code": 0, "message": "It is so."}}
        for status, code, unsure in STATUSES:
            for method in ("GET", "POST", "PUT", "DELETE"):
                with self.subTest(status=status, method=method):
                    # twice: ours is a token that may be asked for again
                    self.api.answers[:] = [(status, fault)] * 2
                    path = f"/servers/{SERVER}"

                    def call(m: str = method, path: str = path) -> object:
                        if m == "GET":
                            return self.channel.get(path)
                        self.channel.send(m, path, {"x": 1})
                        return None

                    error = self.fails(call)
                    self.assertIs(code, error.reason)
                    self.assertIs(unsure and method != "GET", error.unsure)
                    self.assertEqual(
                        f"Nova: {method} /servers/(id): HTTP {status}: "
                        "It is so.",
                        str(error),
                    )

    def test_no_status_is_asked_about_again(self) -> None:
        for status in (409, 429, 500, 503):
            self.api.asked.clear()
            self.api.answers[:] = [(status, {})] * 5
            self.fails(lambda: self.channel.send("POST", "/x", {}))
            self.assertEqual(1, len(self.api.asked), status)

    def test_what_is_said_is_bounded_and_names_nobody(self) -> None:
        for content, said in (
            (b"", ""),
            (b"<html>", ""),
            (b'{"x": 1}', ""),
            (b'{"x": {"message": 3}}', ""),
            (b'{"errors": []}', ""),
            (b'{"errors": [3]}', ""),
            (b'{"errors": [{"detail": "no\\n\\u0007"}]}', ": no ?"),
            (
                b'{"x": {"message": "Of ' + SERVER.encode() + b'"}}',
                ": Of (id)",
            ),
            (b"[" * 100_000, ""),
            (
                b'{"x": {"message": "' + b"y" * 9000 + b'"}}',
                ": " + "y" * 147 + "...",
            ),
        ):
            self.api.answers[:] = [(409, content)]
            error = self.fails(lambda: self.channel.send("POST", "/x", {}))
            self.assertEqual(f"Nova: POST /x: HTTP 409{said}", str(error))

    def test_success_needs_no_content(self) -> None:
        for status, content in ((200, b"["), (202, b""), (204, b"")):
            self.api.answers[:] = [(status, content)]
            self.channel.send("PUT", "/x", {"a": None})
        self.assertEqual(
            ("PUT", "/x", "compute 2.104", {"a": None}), self.api.asked[0]
        )


class ContentTest(ChannelTestCase):
    def test_what_is_no_object(self) -> None:
        for content in (
            b"",
            b"[]",
            b"null",
            b'{"a": ',
            b"\xff\xfe",
            b'{"a":' * 100_000,
        ):
            self.api.answers[:] = [(200, content)]
            error = self.fails(lambda: self.channel.get("/x"))
            self.assertIs(CloudCode.BAD_ANSWER, error.reason)

    def test_an_answer_that_does_not_come(self) -> None:
        for bad in (cut_off, half):
            with self.subTest(bad=bad):
                self.api.answers[:] = [bad]
                error = self.fails(lambda: self.channel.get("/x"))
                self.assertIs(CloudCode.UNAVAILABLE, error.reason)
                self.assertFalse(error.unsure)
                self.api.answers[:] = [bad] * 3
                self.api.asked.clear()
                error = self.fails(lambda: self.channel.send("POST", "/x"))
                self.assertIs(CloudCode.UNAVAILABLE, error.reason)
                self.assertTrue(error.unsure)
                self.assertEqual(1, len(self.api.asked), "not sent again")

    def test_an_answer_that_never_ends(self) -> None:
        def drip(handler: ty.Any) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            with contextlib.suppress(OSError):
                while not self.api.over.wait(0.02):
                    handler.wfile.write(b" ")
                    handler.wfile.flush()

        channel = self.api.channel(timeout_s=0.3)
        self.api.answers[:] = [drip]
        error = self.fails(lambda: channel.get("/x"))
        self.assertIs(CloudCode.UNAVAILABLE, error.reason)
        self.assertIn("does not end in time", str(error))

    def test_an_answer_that_does_not_begin(self) -> None:
        channel = self.api.channel(timeout_s=0.2)
        channel.version()
        self.api.answers[:] = [lambda handler: self.api.over.wait(20)]
        error = self.fails(lambda: channel.send("POST", "/x", {}))
        self.assertIs(CloudCode.UNAVAILABLE, error.reason)
        self.assertTrue(error.unsure)

    def test_an_answer_that_is_too_large(self) -> None:
        bomb = gzip.compress(b" " * (channels.ANSWER_MAX + 1))
        plain = b" " * (channels.ANSWER_MAX + 1)
        for answer in (
            (200, plain),
            lambda h: reply(h, 200, bomb, Content_Encoding="gzip"),
        ):
            self.api.answers[:] = [answer]
            error = self.fails(lambda: self.channel.get("/x"))
            self.assertIsInstance(error, TooLarge)
            self.assertIs(CloudCode.BAD_ANSWER, error.reason)

    def test_compressed_and_in_pieces(self) -> None:
        data = gzip.compress(b'{"a": "' + b"x" * 1_000_000 + b'"}', 0)

        def pieces(handler: ty.Any) -> None:
            handler.send_response(200)
            handler.send_header("Content-Encoding", "gzip")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for at in range(0, len(data), 70_001):
                part = data[at : at + 70_001]
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            handler.wfile.write(b"0\r\n\r\n")

        self.api.answers[:] = [pieces]
        self.assertEqual({"a": "x" * 1_000_000}, self.channel.get("/x"))


class ConnectionsTest(ChannelTestCase):
    def test_a_connection_is_kept_whatever_is_answered(self) -> None:
        self.api.answers = [
            (200, {"a": "x" * 100_000}),
            (202, b""),
            (409, {"x": {"message": "y"}}),
            (204, b""),
            (200, {}),
        ]
        self.channel.get("/x")
        self.channel.send("POST", "/x", {})
        self.fails(lambda: self.channel.send("POST", "/x", {}))
        self.channel.send("DELETE", "/x")
        self.channel.get("/x")
        self.assertEqual(1, self.api.connections)

    def test_several_threads_at_the_same_time(self) -> None:
        self.api.answers = [(202, b"")] * 100
        nova = Nova(self.channel)
        with futures.ThreadPoolExecutor(8) as pool:
            done = pool.map(lambda n: nova.lock(SERVER, str(n)), range(100))
            self.assertEqual([None] * 100, list(done))
        self.assertEqual(
            {str(number) for number in range(100)},
            {asked.body["lock"]["locked_reason"] for asked in self.api.asked},
        )
        self.assertLessEqual(self.api.connections, 9)


class VersionTest(unittest.TestCase):
    def _version(self, newest: str) -> str:
        api = Api(newest)
        self.addCleanup(api.close)
        return api.channel().version()

    def test_the_newest_that_both_speak(self) -> None:
        for newest, version in (
            ("2.100", "2.100"),
            ("2.101", "2.101"),
            ("2.104", "2.104"),
            ("2.150", "2.104"),
            ("3.1", "2.104"),
        ):
            self.assertEqual(version, self._version(newest))

    def test_one_that_is_too_old(self) -> None:
        for newest, text in (
            ("2.99", "microversion 2.99, and 2.100 is needed"),
            ("2.9", "microversion 2.9, and 2.100 is needed"),
            ("", "microversion none, and 2.100 is needed"),
        ):
            with self.assertRaises(CloudFailed) as caught:
                self._version(newest)
            self.assertIs(CloudCode.TOO_OLD, caught.exception.reason)
            self.assertIn(text, str(caught.exception))

    def test_one_that_becomes_older_is_asked_anew(self) -> None:
        api = Api("2.104")
        self.addCleanup(api.close)
        channel = api.channel()
        api.answers = [(406, {}), (200, {})]
        with self.assertRaises(CloudFailed):
            channel.get("/x")
        # what keystoneauth keeps goes with the connection
        channel._adapter = api.channel()._adapter
        api.newest = "2.101"
        channel.get("/x")
        self.assertEqual(
            ["compute 2.104", "compute 2.101"],
            [asked.version for asked in api.asked],
        )


class PagingTest(ChannelTestCase):
    def _listed(self) -> list[ty.Any]:
        pages = paging.pages(self.channel, "/things", {}, "things", limit=100)
        return [one for page, _ in pages for one in page]

    def _targets(self) -> list[str]:
        return [asked.target for asked in self.api.asked]

    def test_until_a_page_is_empty(self) -> None:
        self.api.answers = [
            (200, {"things": [thing(1), thing(2)]}),
            # shorter than its limit and without a link: not the last
            (200, {"things": [thing(3)]}),
            (
                200,
                {
                    "things": [thing(4)],
                    "things_links": [{"href": "http://evil/"}],
                },
            ),
            (200, {"things": []}),
        ]
        self.assertEqual([thing(n) for n in (1, 2, 3, 4)], self._listed())
        self.assertEqual(
            ["/things?limit=100"]
            + [
                f"/things?limit=100&marker={thing(n)['id']}" for n in (2, 3, 4)
            ],
            self._targets(),
        )

    def test_pages_that_are_too_large_are_made_smaller(self) -> None:
        large = (200, b" " * 2000)
        self.api.answers = [
            (200, {"things": [thing(1)]}),
            large,
            large,
            (200, {"things": [thing(2)]}),
            (200, {"things": []}),
        ]
        with mock.patch.object(channels, "ANSWER_MAX", 1000):
            self.assertEqual([thing(1), thing(2)], self._listed())
            self.assertEqual(
                [
                    "/things?limit=100",
                    f"/things?limit=100&marker={thing(1)['id']}",
                    f"/things?limit=25&marker={thing(1)['id']}",
                    f"/things?limit=6&marker={thing(1)['id']}",
                    f"/things?limit=6&marker={thing(2)['id']}",
                ],
                self._targets(),
            )
            self.api.answers = [large] * 9
            self.assertIsInstance(self.fails(self._listed), TooLarge)

    def test_a_listing_that_goes_round_ends(self) -> None:
        self.api.answers = [(200, {"things": [thing(1)]})] * 9
        error = self.fails(self._listed)
        self.assertIs(CloudCode.BAD_ANSWER, error.reason)

    def test_a_marker_that_is_gone_is_for_another_time(self) -> None:
        self.api.answers = [(200, {"things": [thing(1)]}), (400, {})]
        self.assertIs(CloudCode.CONFLICT, self.fails(self._listed).reason)
        self.api.answers = [(400, {})]
        self.assertIs(CloudCode.REFUSED, self.fails(self._listed).reason)

    def test_half_a_listing_is_an_error(self) -> None:
        for bad, code in (
            ((500, {}), CloudCode.UNAVAILABLE),
            ((200, {}), CloudCode.BAD_ANSWER),
            ((200, {"things": {}}), CloudCode.BAD_ANSWER),
            (half, CloudCode.UNAVAILABLE),
        ):
            self.api.answers = [(200, {"things": [thing(1)]}), bad]
            self.assertIs(code, self.fails(self._listed).reason)

    def test_one_that_cannot_be_read_is_no_end(self) -> None:
        bad = {"id": "X"}
        self.api.answers = [
            (200, {"things": [thing(1), bad]}),
            # it comes again, since nobody can go on from it
            (200, {"things": [bad, thing(2)]}),
            (200, {"things": []}),
        ]
        self.assertEqual([thing(1), bad, bad, thing(2)], self._listed())
        self.api.answers = [
            (200, {"things": [thing(1)]}),
            (200, {"things": [bad, None]}),
        ]
        self.assertEqual([thing(1), bad, None], self._listed())
        self.api.answers = [(200, {"things": [bad] * 100})]
        error = self.fails(self._listed)
        self.assertIs(CloudCode.BAD_ANSWER, error.reason)


class DownTest(ChannelTestCase):
    """A cell that does not answer, as Nova says it."""

    UP: ty.ClassVar[dict[str, object]] = {
        "id": SERVER,
        "host": "edge-1",
        "binary": "nova-compute",
        "status": "enabled",
        "state": "up",
        "disabled_reason": None,
        "forced_down": False,
    }

    def _down(self, *hosts: str) -> list[ty.Any]:
        return [
            {"binary": "nova-compute", "host": host, "status": "UNKNOWN"}
            for host in hosts
        ]

    def test_a_full_listing_asks_for_it_in_the_end(self) -> None:
        for hosts, missing in (
            ((), ()),
            (("edge-2",), ("cells do not answer: 1 hosts, edge-2",)),
            (
                ("d", "c", "b", "a"),
                ("cells do not answer: 4 hosts, a, b, c and others",),
            ),
        ):
            services = [self.UP, *self._down(*hosts)]
            self.api.answers = [
                (200, {"servers": []}),
                (200, {"services": services}),
            ]
            (page,) = Nova(self.channel).servers(None)
            self.assertEqual(missing, page.missing)
            self.assertEqual("", page.next)

    def test_one_server_of_it(self) -> None:
        small = {"id": SERVER, "status": "UNKNOWN", "links": []}
        self.api.answers = [(200, {"server": small})]
        error = self.fails(lambda: Nova(self.channel).server(SERVER))
        self.assertIs(CloudCode.UNAVAILABLE, error.reason)
        self.assertNotIn(SERVER, str(error))

    def test_its_hosts_have_no_service_until_it_is_back(self) -> None:
        nova = Nova(self.channel)
        hypervisor = {
            "id": "99999999-2222-3333-4444-555555555555",
            "hypervisor_hostname": "edge-1.example",
            "service": {"id": SERVER, "host": "edge-1"},
        }
        self.api.answers = [
            (200, {"services": [self.UP]}),
            (200, {"hypervisors": [hypervisor]}),
            (200, {"hypervisors": []}),
            (200, {"services": self._down("edge-1")}),
            (200, {"services": [self.UP]}),
            (200, {"services": []}),
        ]
        known = nova.nodes()
        self.assertEqual("compute 2.87", self.api.asked[1].version)
        away = nova.services(known)
        node = away["edge-1"]
        self.assertEqual(("", False), (node.service, node.up))
        self.assertEqual(hypervisor["id"], node.uuid)
        self.assertEqual(known, nova.services(away))
        self.assertEqual({}, nova.services(known))

    def test_nodes_are_the_same_until_a_service_changes(self) -> None:
        nova = Nova(self.channel)
        other = {**self.UP, "id": OTHER, "host": "edge-2"}
        off = {**other, "status": "disabled"}
        self.api.answers = [
            (200, {"services": services})
            for services in (
                [self.UP, other],
                # in another order, and reporting again
                [{**other, "updated_at": "later"}, dict(self.UP)],
                [self.UP, off],
                [self.UP, off],
                [off],
            )
        ]
        first = nova.services({})
        self.assertEqual({"edge-1", "edge-2"}, first.keys())
        self.assertIs(first, nova.services(first))
        changed = nova.services(first)
        self.assertFalse(changed["edge-2"].enabled)
        self.assertIs(first["edge-1"], changed["edge-1"])
        # whoever knew of others gets those as they are
        self.assertEqual(changed, nova.services(first))
        self.assertEqual({"edge-2"}, nova.services(changed).keys())

    def test_a_service_that_cannot_be_read(self) -> None:
        for name, value in (
            ("id", 3),
            ("host", ""),
            ("status", "perhaps"),
            ("state", None),
            ("forced_down", "no"),
            ("disabled_reason", 3),
        ):
            self.api.answers = [
                (200, {"services": [{**self.UP, name: value}]})
            ]
            error = self.fails(lambda: Nova(self.channel).services({}))
            self.assertIs(CloudCode.BAD_ANSWER, error.reason)
            self.assertIn(name, str(error))
            # whoever wrote it costs no other host anything, nor vanishes
            other = {**self.UP, "id": OTHER, "host": "edge-2"}
            bad = {**self.UP, name: value}
            nova = Nova(self.channel)
            self.api.answers = [
                (200, {"services": [self.UP, other]}),
                (200, {"services": [bad, {**other, "status": "disabled"}]}),
            ]
            before = nova.services({})
            self.assertEqual((), nova.unread)
            after = nova.services(before)
            self.assertFalse(after["edge-2"].enabled)
            (said,) = nova.unread
            self.assertIn("1 compute services cannot be read", said)
            self.assertIn(name, said)
            if name != "host":
                self.assertEqual(before["edge-1"], after["edge-1"])

    def test_a_full_listing_in_spite_of_a_service_without_a_host(self) -> None:
        self.api.answers = [
            (200, {"servers": []}),
            (200, {"services": [self.UP, {**self.UP, "host": None}]}),
        ]
        (page,) = Nova(self.channel).servers(None)
        self.assertEqual((), page.missing)

    def test_compute_nodes_in_spite_of_one_that_cannot_be_read(self) -> None:
        good = {
            "id": OTHER,
            "hypervisor_hostname": "edge-1.example",
            "service": {"id": SERVER, "host": "edge-1"},
        }
        for bad in (
            {**good, "id": OTHER.upper()},
            {**good, "hypervisor_hostname": None},
            {**good, "service": None},
        ):
            nova = Nova(self.channel)
            self.api.answers = [
                (200, {"services": [self.UP]}),
                (200, {"hypervisors": [good, bad]}),
                (200, {"hypervisors": []}),
            ]
            self.assertEqual(OTHER, nova.nodes()["edge-1"].uuid)
            (said,) = nova.unread
            self.assertIn("1 compute nodes cannot be read", said)
            # what nobody can read at all is no host's doing
            self.api.answers = [
                (200, {"services": [self.UP]}),
                (200, {"hypervisors": [{**bad, "id": 3}]}),
            ]
            error = self.fails(nova.nodes)
            self.assertIs(CloudCode.BAD_ANSWER, error.reason)
