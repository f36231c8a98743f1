# SPDX-License-Identifier: Apache-2.0
"""What the doctor is given is read, or refused in one line."""

from __future__ import annotations

import json
import pathlib
import tempfile
import unittest

from nfv_mla_scheduler.doctor import files
from nfv_mla_scheduler.doctor.files import ConfigUnreadable
from nfv_mla_scheduler.doctor.findings import ITEMS_MAX
from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.nova_hosts import NotAList
from nfv_mla_scheduler.doctor.nova_hosts import NovaHost
from nfv_mla_scheduler.doctor.nova_hosts import read_hosts
from nfv_mla_scheduler.doctor.once import once
from nfv_mla_scheduler.doctor.status import NoStatus
from nfv_mla_scheduler.doctor.status import read_status
from nfv_mla_scheduler.errors import LINE_MAX
from tests.unit.doctor import sites

UUID = "11111111-1111-4111-8111-111111111111"
SECRET = "hunter2"


class FilesTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.top = pathlib.Path(directory.name)

    def _file(self, text: str, name: str = "nova.conf") -> pathlib.Path:
        path = self.top / name
        path.write_text(text)
        return path

    def test_names_are_counted_by_section(self) -> None:
        path = self._file("[A]\nx = 1\n\nx = 2\ny: 3\n  more\n[b]\nz=\n")
        found = files.sections_of([path])
        self.assertEqual({"a": {"x": 2, "y": 1}, "b": {"z": 1}}, found)

    def test_what_two_files_set_is_not_set_twice(self) -> None:
        paths = [self._file("[a]\nx = 1\n", n) for n in ("1.conf", "2.conf")]
        self.assertEqual({"a": {"x": 1}}, files.sections_of(paths))

    def test_a_directory_stands_for_its_files(self) -> None:
        self._file("[a]\nx = 1\n", "1.conf")
        self._file("[a]\ny = 1\n", "2.conf")
        self._file("[a]\nz = 1\n", "3.other")
        found = files.sections_of([self.top])
        self.assertEqual({"a": {"x": 1, "y": 1}}, found)
        conf = files.load([self.top], "nova")
        self.assertEqual([str(self.top)], conf.config_dir)

    def test_what_cannot_be_read_names_file_and_line_and_no_secret(
        self,
    ) -> None:
        for text in (
            f"[a]\npassword {SECRET}\n",
            f"password = {SECRET}\n",
            f"[a\npassword = {SECRET}\n",
            f"[a]\n = {SECRET}\n",
        ):
            path = self._file(text)
            for look in (
                lambda path: files.sections_of([path]),
                lambda path: files.load([path], "nova"),
            ):
                with (
                    self.subTest(text=text),
                    self.assertRaises(ConfigUnreadable) as raised,
                ):
                    look(path)
                said = str(raised.exception)
                self.assertNotIn(SECRET, said)
                self.assertRegex(said, rf"^{path}:\d: ")

    def test_what_is_not_text_or_not_there_is_refused(self) -> None:
        path = self._file("")
        path.write_bytes(b"[a]\nx = \xff\n")
        for each in (path, self.top / "none.conf"):
            with self.assertRaisesRegex(ConfigUnreadable, str(each)):
                files.sections_of([each])


class HostsTest(unittest.TestCase):
    def test_every_kind_of_list_is_read(self) -> None:
        named = (NovaHost(("ber-1",), None), NovaHost(("ber-2",), None))
        bound = (NovaHost(("ber-1",), UUID),)
        for data, expected in (
            ("ber-1\nber-2\n", named),
            ('["ber-1", "ber-2"]', named),
            (
                json.dumps(
                    [{"ID": UUID.upper(), "Hypervisor Hostname": "ber-1"}]
                ),
                bound,
            ),
            (
                json.dumps([{"ID": 1, "Hypervisor Hostname": "ber-1"}]),
                (NovaHost(("ber-1",), None),),
            ),
            (
                json.dumps(
                    {
                        "hypervisors": [
                            {
                                "id": UUID,
                                "hypervisor_hostname": "ber-1.example",
                                "service": {"host": "ber-1"},
                            }
                        ]
                    }
                ),
                (NovaHost(("ber-1.example", "ber-1"), UUID),),
            ),
            (
                json.dumps(
                    [
                        {"ID": UUID, "Binary": "nova-compute", "Host": "b"},
                        {"ID": UUID, "Binary": "nova-scheduler", "Host": "c"},
                    ]
                ),
                # the id of a service is not that of its compute node
                (NovaHost(("b",), None),),
            ),
        ):
            with self.subTest(data=data):
                self.assertEqual(expected, read_hosts(data.encode()))

    def test_anything_else_is_refused_in_one_line(self) -> None:
        for data in (
            b"",
            b"[]",
            b"\xff",
            b"[1]",
            b'{"servers": []}',
            b'[{"name": "x"}]',
            b'["a b"]',
            b'["x", ',
            b"[" * 100_000,
            b'[{"Hypervisor Hostname": "\\u0000"}]',
            b'["' + b"x" * 300 + b'"]',
        ):
            with (
                self.subTest(data=data[:20]),
                self.assertRaises(NotAList) as raised,
            ):
                read_hosts(data)
            self.assertLessEqual(len(str(raised.exception)), LINE_MAX)


class StatusTest(unittest.TestCase):
    def test_it_is_read(self) -> None:
        data = json.dumps(sites.status(100.0, state="late", skew_s=2.5))
        found = read_status(data.encode())
        self.assertEqual(sites.COLLECTOR, found.collector)
        one = found.authorities[sites.AUTHORITY]
        self.assertEqual(("late", 2.5), (one.state, one.skew_s))

    def test_what_it_does_not_say_may_be_missing(self) -> None:
        found = read_status(
            b'{"now": 1, "authorities": {"x": {"state": "starting"}}}'
        )
        self.assertIsNone(found.authorities["x"].skew_s)
        self.assertEqual("", found.publish_error)

    def test_anything_else_is_refused(self) -> None:
        for data in (
            b"",
            b"[]",
            b"{}",
            b'{"now": "x", "authorities": {}}',
            b'{"now": true, "authorities": {}}',
            b'{"now": 1, "authorities": []}',
            b'{"now": 1, "authorities": {"x": 1}}',
            b'{"now": 1, "authorities": {"x": {"state": "well"}}}',
            b'{"now": 1, "authorities": {"x": {"state": "late", '
            b'"skew_s": "2"}}}',
            b"[" * 100_000,
        ):
            with self.subTest(data=data[:40]), self.assertRaises(NoStatus):
                read_status(data)


class FindingsTest(unittest.TestCase):
    def test_the_gravest_is_said_first_and_nothing_is_lost(self) -> None:
        found = worst(
            [
                warning("a", "do a", ["1"]),
                failed("b", "do b", ["2"]),
                warning("c", "do a"),
            ],
            "well",
        )
        self.assertIs(State.FAILED, found.state)
        self.assertEqual("b; a; c", found.found)
        self.assertEqual("do b; do a", found.advice)
        self.assertEqual(("2", "1"), found.items)
        self.assertEqual(ok("well"), worst([], "well"))

    def test_lines_and_lists_are_bounded(self) -> None:
        found = failed("x" * 999, "y\n" * 999, ["z" * 999] * 9999)
        self.assertLessEqual(len(found.found), LINE_MAX)
        self.assertLessEqual(len(found.advice), LINE_MAX)
        self.assertNotIn("\n", found.advice)
        self.assertEqual(ITEMS_MAX, len(found.items))
        self.assertEqual(LINE_MAX, len(found.items[0]))

    def test_some_of_many_are_shown(self) -> None:
        self.assertEqual("a, b, c and 2 more", some("abcde"))
        self.assertEqual("a, b", some("ab"))

    def test_numbers_have_their_nouns(self) -> None:
        self.assertEqual("1 host", count(1, "host"))
        self.assertEqual("0 hosts", count(0, "host"))
        self.assertEqual("2 authorities", count(2, "authority", "authorities"))


class OnceTest(unittest.TestCase):
    def test_what_is_worked_out_is_not_worked_out_again(self) -> None:
        class Thing:
            times = 0

            @once
            def good(self) -> int:
                self.times += 1
                return self.times

            @once
            def bad(self) -> int:
                self.times += 1
                raise ValueError(str(self.times))

        thing = Thing()
        self.assertEqual([1, 1], [thing.good, thing.good])
        for _ in range(2):
            with self.assertRaisesRegex(ValueError, "^2$"):
                _ = thing.bad
        self.assertEqual(1, Thing().good)
