# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla monitor``: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import shutil
import time
import unittest
from typing import Any

from nfv_mla_scheduler.cmd import main as program
from nfv_mla_scheduler.cmd import monitor_record as record
from nfv_mla_scheduler.cmd import monitor_status
from nfv_mla_scheduler.cmd import monitor_text
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.monitor.acting.surrender import surrender
from nfv_mla_scheduler.monitor.holding import edits
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.place import Place
from nfv_mla_scheduler.monitor.plans import HoldsEdit
from nfv_mla_scheduler.monitor.port import CloudCode
from tests.unit.monitor.site import KEY
from tests.unit.monitor.site import MonitorSite
from tests.unit.scheduler.site import GOOD_1

NOW = 1_800_000_000.0
UUID = "00000000-0000-4000-8000-000000000001"
WRONG = (
    ("monitor",),
    ("monitor", "stop"),
    ("monitor", "status", "--url"),
    ("monitor", "status", "--url", "https://m:1"),
    ("monitor", "status", "--status-file", "/a", "--config-file", "/b"),
    ("monitor", "status", "--format", "xml"),
    ("monitor", "release", "--reason", "x"),
    ("monitor", "release", "everything", "--reason", "x"),
    ("monitor", "release", "authority", "lab"),
    ("monitor", "release", "authority", "lab", "--reason", " "),
    ("monitor", "release", "server", "web", "--reason", "x"),
    ("monitor", "release", "policy"),
    ("monitor", "pause", "--reason", "x"),
    ("monitor", "pause", "--for", "2h"),
    ("monitor", "pause", "--for", "2 hours", "--reason", "x"),
    ("monitor", "pause", "--for", "0h", "--reason", "x"),
    ("monitor", "pause", "--for", "2h", "--end"),
    ("monitor", "surrender"),
)


def status(**more: Any) -> dict[str, Any]:
    found = {
        "now": NOW,
        "started_at": NOW - 100,
        "act": "all",
        "policy": {"version": 7, "expires_at": NOW + 30 * 86400},
        "results": {"issued_at": NOW - 5},
        "picture": {"at": NOW - 3, "full_at": NOW - 600, "missing": []},
        "cycle": {"at": NOW - 2, "seconds": 0.25, "failures": 0},
        "hosts": {"well": 12},
        "findings": {},
        "in_flight": 0,
        "not_halted": 0,
        "held": {},
        "suspects": [],
        "paused_until": None,
        "steps": {},
        "evictions_last_minute": 0,
        "traits": {"providers": 0, "failed": 0},
        "webhook": {"knocks": 0, "refused": 0},
    }
    return {**found, **more}


class CommandTestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.site = MonitorSite.of(self)
        self.file = store.place(self.site.directory / "state")
        self.conf = self.site.write()

    def run_it(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = program.main(words)
        return found, out.getvalue(), err.getvalue()

    def say(self, *words: str) -> tuple[int, str, str]:
        """Run a command of ``monitor`` with the configuration."""
        return self.run_it("monitor", *words, "--config-file", self.conf)


class UsageTest(CommandTestCase):
    def test_wrong_usage_is_status_two_and_one_line(self) -> None:
        for words in WRONG:
            with self.subTest(words=words):
                found, out, err = self.run_it(*words)
                self.assertEqual(2, found, err)
                self.assertEqual(1, err.count("\n"))
                self.assertLessEqual(len(err), LINE_MAX + 120)
                self.assertEqual("", out)

    def test_a_configuration_that_is_not_there_is_named(self) -> None:
        for words in (
            ("status",),
            ("pause", "--end"),
            ("release", "policy", "--reason", "x"),
            ("surrender", "--reason", "x"),
        ):
            with self.subTest(words=words):
                found, _, err = self.run_it(
                    "monitor", *words, "--config-file", "/nowhere.conf"
                )
                self.assertEqual(1, found)
                self.assertIn("/nowhere.conf", err)
                self.assertEqual(1, err.count("\n"))


class StatusTest(CommandTestCase):
    def test_when_all_is_well(self) -> None:
        self.assertTrue(monitor_status.is_well(status()))
        lines = monitor_text.report(status(), 200)
        self.assertIn("Policy       version 7, 30 days left", lines[1])
        self.assertIn("issued 5 s ago", lines[2])
        self.assertIn("12 well", lines[5])

    def test_whatever_is_wrong_is_not_well(self) -> None:
        for more in (
            {"policy": None},
            {"policy": {"version": 7, "expires_at": NOW}},
            {"results": None},
            {"cycle": None},
            {"cycle": {"at": NOW, "seconds": 1.0, "failures": 1}},
            {"picture": None},
            {"picture": {"at": NOW, "full_at": NOW, "missing": ["cell1"]}},
            {
                "picture": {
                    "at": NOW,
                    "full_at": NOW,
                    "missing": [],
                    "unread": ["migrations"],
                }
            },
            {"findings": {"outage": 1}},
            {"suspects": ["lab"]},
            {"not_halted": 1},
            {"traits": {"providers": 1, "failed": 1}},
        ):
            with self.subTest(**more):
                found = status(**more)
                self.assertFalse(monitor_status.is_well(found))
                self.assertTrue(monitor_text.report(found, 80))

    def test_the_tables_say_who_why_and_how_far(self) -> None:
        found = status(
            not_halted=1,
            in_flight=1,
            paused_until=NOW + 60,
            suspects=["lab"],
            findings={"failed": 1},
            findings_list=[
                {
                    "subject": UUID,
                    "host": "ber-1",
                    "kind": "failed",
                    "axis": "integrity",
                    "permissive": True,
                    "why": "contraindicated tpm by lab",
                }
            ],
            in_flight_list=[
                {
                    "server": UUID,
                    "host": "ber-1",
                    "step": "stop",
                    "state": "not-halted",
                    "since": NOW - 600,
                    "halt_by": NOW - 1,
                }
            ],
            held_list=[
                {
                    "subject": UUID,
                    "host": "ber-1",
                    "step": "stop",
                    "why": "per-host",
                    "detail": "\x1b[31m" + "x" * 500,
                }
            ],
            fenced_list=[
                {"host": "ber-1", "mark": "0a1b2c3d", "since": NOW - 7200}
            ],
        )
        lines = monitor_text.report(found, 200)
        self.assertTrue(lines[0].startswith("NOT HALTED"))
        text = "\n".join(lines)
        for words in (
            "failed (permissive)",
            "contraindicated tpm by lab",
            "not-halted",
            "is over",
            "10 min",
            "per-host",
            "0a1b2c3d",
            "2 h",
            "Paused ",
            "Suspects     lab",
        ):
            self.assertIn(words, text)
        self.assertNotIn("\x1b", text)

    def test_it_is_no_wider_than_the_terminal_and_cuts_no_uuid(self) -> None:
        one = {
            "subject": UUID,
            "host": "ber-1",
            "kind": "tampered",
            "axis": None,
            "permissive": False,
            "why": "is locked " + "with a mark of others " * 4,
        }
        found = status(
            findings={"tampered": 1},
            findings_list=[one],
            picture={
                "at": None,
                "full_at": None,
                "missing": ["servers (cloud-too-old: Nova is too old)"] * 3,
            },
        )
        for width in (80, 100, 200):
            with self.subTest(width=width):
                lines = monitor_text.report(found, width)
                self.assertLessEqual(max(map(len, lines)), width)
                text = "\n".join(lines)
                self.assertEqual(1, text.count(UUID))
                self.assertEqual(4, text.count("mark"))
        narrow = "\n".join(monitor_text.report(found, 20))
        self.assertEqual(1, narrow.count(UUID))

    def test_what_is_out_of_sight_is_told_before_anything_was_seen(
        self,
    ) -> None:
        gap = "servers (cloud-too-old: Nova is too old)"
        picture = {"at": None, "full_at": None, "missing": [gap]}
        lines = monitor_text.report(status(picture=picture), 200)
        self.assertIn(f"never seen whole; out of sight: {gap}", lines[3])
        picture = {"at": NOW, "full_at": NOW, "missing": [], "unread": ["x"]}
        lines = monitor_text.report(status(picture=picture), 200)
        self.assertTrue(lines[3].endswith("all of it 0 s ago; left out: x"))

    def test_a_dry_run_says_what_it_would_act_on(self) -> None:
        lines = monitor_text.report(status(act="none", would_act="all"), 80)
        self.assertEqual(
            "Acts on      none (a dry run: would act on all)", lines[0]
        )

    def test_it_is_that_of_whoever_runs_with_the_directory(self) -> None:
        own, shared = self.site.status_file, self.site.directory / "shared"
        self.conf = self.site.write(status_file=str(shared))
        now = time.time()
        for path, act in ((own, "none"), (shared, "all")):
            path.write_text(json.dumps(status(now=now, act=act)))
        for age_s, act in ((9.0, "none"), (60.0, "all")):
            os.utime(own, (now - age_s, now - age_s))
            self.assertIn(f"Acts on      {act}\n", self.say("status")[1])
        shared.unlink()
        self.assertIn("Acts on      none\n", self.say("status")[1])
        own.unlink()
        self.assertIn(str(shared), self.say("status")[2])

    def test_it_is_read_from_where_the_configuration_says(self) -> None:
        path = self.site.status_file
        path.write_text(json.dumps(status(now=time.time(), cycle=None)))
        found, out, _ = self.say("status")
        self.assertEqual(1, found)
        self.assertIn("none yet", out)
        path.write_text(
            json.dumps(
                status(
                    now=time.time(),
                    policy={"version": 7, "expires_at": time.time() + 1e6},
                )
            )
        )
        found, out, _ = self.say("status", "--format", "json")
        self.assertEqual(0, found)
        self.assertEqual(7, json.loads(out)["policy"]["version"])
        found, out, _ = self.run_it(
            "monitor", "status", "--status-file", str(path)
        )
        self.assertEqual(0, found)
        self.assertIn("Acts on      all", out)

    def test_what_nobody_renews_and_what_is_no_status(self) -> None:
        path = self.site.status_file
        path.write_text(json.dumps(status(now=time.time() - 61)))
        found, _, err = self.say("status")
        self.assertEqual(1, found)
        self.assertIn("no monitor runs there", err)
        for text in (
            "",
            "[]",
            "{}",
            '{"now": 1}',
            json.dumps(status(hosts=1)),
        ):
            path.write_text(text)
            found, _, err = self.say("status")
            self.assertEqual(1, found, text)
            self.assertEqual(1, err.count("\n"))


class SayingTest(CommandTestCase):
    def test_a_pause_and_its_end(self) -> None:
        found, out, _ = self.say("pause", "--for", "2h", "--reason", "drill")
        self.assertEqual(0, found)
        now = time.time()
        self.assertTrue(store.read(self.file).pauses(now))
        self.assertFalse(store.read(self.file).pauses(now + 7201))
        found, out, _ = self.say("pause", "--end")
        self.assertIn("the pause is over", out)
        self.assertFalse(store.read(self.file).pauses(now))
        found, out, _ = self.say("pause", "--end")
        self.assertEqual((0, "there was no pause\n"), (found, out))

    def test_nobody_is_told_of_a_pause_that_no_monitor_hears(self) -> None:
        pause = ("pause", "--for", "1h", "--reason", "INC-1")
        status, _, said = self.say(*pause)
        self.assertEqual(0, status)
        self.assertIn("no monitor runs with", said)
        place = Place(self.site.directory / "state")
        self.addCleanup(place.release)
        status, _, said = self.say(*pause)
        self.assertEqual((0, ""), (status, said))

    def test_what_is_said_to_the_place_of_nobody_is_refused(self) -> None:
        text = "\n".join(
            line
            for line in pathlib.Path(self.conf).read_text().splitlines()
            if not line.startswith("state_dir")
        )
        pathlib.Path(self.conf).write_text(text)
        for words in (
            ("pause", "--for", "1h"),
            ("release", "policy"),
            ("release", "server", UUID),
        ):
            with self.subTest(words=words):
                found, out, err = self.say(*words, "--reason", "x")
                self.assertEqual((1, ""), (found, out))
                self.assertIn("[nfv_mla] state_dir: must be set", err)
        self.assertFalse(self.file.exists())

    def test_of_a_server_that_is_not_held_it_is_said(self) -> None:
        held = {"subject": UUID, "step": "stop", "host": "h", "why": "busy"}
        now = time.time()
        words = ("release", "server", UUID, "--reason", "x")
        for listed, known in (
            ((held,), True),
            ((), False),
            (({**held, "subject": UUID[:-1] + "9"},), False),
        ):
            told = status(
                now=now, held={"busy": len(listed)}, held_list=listed
            )
            for each in listed:
                each["detail"] = ""
            self.site.status_file.write_text(json.dumps(told))
            found, out, err = self.say(*words)
            self.assertEqual(0, found, err)
            self.assertIn("is released until", out)
            self.assertEqual(known, "nothing is held about it" not in err)
        # not all that is held is in the list
        told = status(now=now, held={"busy": 201}, held_list=[])
        self.site.status_file.write_text(json.dumps(told))
        self.assertNotIn("nothing is held", self.say(*words)[2])

    def test_a_pause_of_more_than_a_day_is_refused(self) -> None:
        found, _, err = self.say("pause", "--for", "25h", "--reason", "x")
        self.assertEqual(1, found)
        self.assertIn("24 hours", err)

    def test_an_authority_is_released_if_it_is_held(self) -> None:
        found, _, err = self.say(
            "release", "authority", "lab", "--reason", "x"
        )
        self.assertEqual(1, found)
        self.assertIn("not held (held: none)", err)
        edit = HoldsEdit(suspects=frozenset(("lab",)), braked="d" * 64)
        edits.edit(self.file, edit, time.time())
        found, _, err = self.say("release", "authority", "la", "--reason", "x")
        self.assertIn("(held: lab)", err)
        found, _, _ = self.say(
            "release", "authority", "lab", "--reason", "they mended it"
        )
        self.assertEqual(0, found)
        word = store.read(self.file).authorities["lab"]
        self.assertEqual("they mended it", word.reason)
        self.assertTrue(word.by)

    def test_a_policy_is_released_once(self) -> None:
        edit = HoldsEdit(braked="d" * 64)
        edits.edit(self.file, edit, time.time())
        words = ("release", "policy", "--reason", "as it should be")
        found, _, _ = self.say(*words)
        self.assertEqual(0, found)
        self.assertEqual({}, store.read(self.file).braked)
        found, _, err = self.say(*words)
        self.assertEqual(1, found)
        self.assertIn("no policy is held", err)

    def test_a_server_is_released_and_it_is_on_record(self) -> None:
        found, _, _ = self.say(
            "release", "server", UUID, "--for", "1h", "--reason", "seen"
        )
        self.assertEqual(0, found)
        self.assertTrue(store.read(self.file).frees(UUID, time.time()))
        (event,) = self.said()
        self.assertEqual("released", next(iter(event)))
        # which one it is may be for others than us to know
        self.assertNotIn(UUID, str(event))
        self.assertNotIn("seen", str(event))
        self.assertTrue(event["by"])

    def said(self) -> list[dict[str, Any]]:
        """Return what is on record of what people said."""
        kinds = ("guard-held", "guard-released")
        return [
            event["fields"]
            for event in self.site.ledger.events()
            if event["kind"] in kinds
        ]

    def hold(self, uuid: str) -> None:
        """Have the status name a server about which something is held."""
        held = {"subject": uuid, "step": "stop", "host": "h", "why": "busy"}
        told = status(
            now=time.time(),
            held={"busy": 1},
            held_list=[{**held, "detail": ""}],
        )
        self.site.status_file.write_text(json.dumps(told))

    def test_what_everybody_knows_of_is_on_record_by_its_name(self) -> None:
        self.hold(UUID)
        self.say("release", "server", UUID, "--reason", "seen")
        (event,) = self.said()
        self.assertEqual((UUID, "seen"), (event["server"], event["reason"]))

    def test_what_people_say_is_on_record(self) -> None:
        edit = HoldsEdit(suspects=frozenset(("lab",)), braked="d" * 64)
        edits.edit(self.file, edit, time.time())
        for words, expected in (
            (("release", "authority", "lab"), {"authority": "lab"}),
            (("release", "policy"), {"digest": "d" * 64}),
            (("pause", "--for", "1h"), {"pause": "begun"}),
            (("pause", "--end"), {"pause": "ended"}),
        ):
            found, _, err = self.say(*words, "--reason", "said")
            self.assertEqual(0, found, err)
            event = self.said()[-1]
            self.assertLessEqual(expected.items(), event.items())
            self.assertEqual("said", event["reason"])

    def test_what_cannot_be_recorded_does_not_count(self) -> None:
        edit = HoldsEdit(suspects=frozenset(("lab",)), braked="d" * 64)
        edits.edit(self.file, edit, time.time())
        self.say("pause", "--for", "1h", "--reason", "said")
        before = store.read(self.file)
        shutil.rmtree(self.site.audit_dir)
        self.addCleanup(setattr, record, "COMMIT_S", record.COMMIT_S)
        record.COMMIT_S = 0.2
        for words in (
            ("release", "authority", "lab", "--reason", "x"),
            ("release", "policy", "--reason", "x"),
            ("release", "server", UUID, "--reason", "x"),
            ("pause", "--end"),
            ("surrender", "--reason", "x"),
        ):
            with self.subTest(words):
                found, out, err = self.say(*words)
                self.assertEqual((1, ""), (found, out))
                self.assertIn("cannot be written", err)
        self.assertEqual(before, store.read(self.file))

    def test_a_brake_works_whatever_else_does_not(self) -> None:
        shutil.rmtree(self.site.audit_dir)
        self.addCleanup(setattr, record, "COMMIT_S", record.COMMIT_S)
        record.COMMIT_S = 0.2
        found, out, err = self.say("pause", "--for", "1h", "--reason", "now")
        self.assertEqual(0, found)
        self.assertIn("no new step is begun", out)
        self.assertIn("cannot be written; paused all the same", err)
        self.assertTrue(store.read(self.file).pauses(time.time()))

    def test_what_fails_after_it_was_recorded_is_recorded_as_well(
        self,
    ) -> None:
        self.hold(UUID)
        found, _, _ = self.say(
            "release", "server", UUID, "--for", "30d", "--reason", "seen"
        )
        self.assertEqual(1, found)
        begun, failed = self.said()
        self.assertNotIn("outcome", begun)
        self.assertEqual("failed", failed["outcome"])

    def test_nothing_is_surrendered_while_a_monitor_runs(self) -> None:
        place = Place(self.site.directory / "state")
        self.addCleanup(place.release)
        found, _, err = self.say("surrender", "--reason", "moving out")
        self.assertEqual(1, found)
        self.assertIn("another monitor", err)


class SurrenderTest(CommandTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.cloud = self.site.cloud
        self.ours = self._halted(1)
        self.theirs = self.site.add_asking(2)
        self.cloud.as_admin(self.theirs, "lock", "do not touch")
        self.forged = self.site.add_asking(3)
        text = marks.write(self._mark("stop"), self.forged, b"x" * 32)
        self.cloud.as_admin(self.forged, "lock", text)
        node = self.cloud.node(GOOD_1)
        fence = marks.write(self._mark("fence", "enabled"), node.service, KEY)
        self.cloud.disable(node.service, fence)
        self.cloud.create_trait("CUSTOM_NFV_MLA_POOL_A")
        self.cloud.edit_traits(node.uuid, {"CUSTOM_NFV_MLA_POOL_A"})

    def _mark(self, code: str, was: str = "active") -> marks.Mark:
        return marks.Mark(marks.Code(code), "0a1b2c3d", NOW, NOW, was)

    def _halted(self, number: int) -> str:
        uuid = self.site.add_asking(number)
        text = marks.write(self._mark("stop"), uuid, KEY)
        self.cloud.lock(uuid, text)
        self.cloud.act(uuid, "os-stop")
        self.cloud.settle()
        return uuid

    def test_what_is_ours_goes_and_the_rest_stays(self) -> None:
        done = surrender(self.cloud, (KEY,))
        self.assertEqual(
            (1, 0, 1, 1),
            (done.unlocked, done.started, done.enabled, done.traits),
        )
        self.assertFalse(self.cloud.peek(self.ours).locked)
        self.assertTrue(self.cloud.peek(self.theirs).locked)
        self.assertTrue(self.cloud.peek(self.forged).locked)
        self.assertTrue(self.cloud.node(GOOD_1).enabled)
        self.assertEqual(frozenset(), self.cloud.trait_names("CUSTOM_NFV_MLA"))
        [left] = done.left
        self.assertIn(self.forged, left)
        self.assertFalse(done.whole)

    def test_again_it_does_nothing_more(self) -> None:
        surrender(self.cloud, (KEY,))
        before = len(self.cloud.written)
        done = surrender(self.cloud, (KEY,))
        self.assertEqual(before, len(self.cloud.written))
        self.assertEqual((0, 0, 0), (done.unlocked, done.enabled, done.traits))

    def test_what_we_halted_is_started_only_if_that_is_asked(self) -> None:
        surrender(self.cloud, (KEY,))
        self.assertFalse(self.cloud.peek(self.ours).runs)
        other = self._halted(4)
        done = surrender(self.cloud, (KEY,), start=True)
        self.cloud.settle()
        self.assertEqual(1, done.started)
        self.assertTrue(self.cloud.peek(other).runs)

    def test_a_host_that_we_said_is_down_is_said_to_be_up_again(self) -> None:
        service = self.cloud.node(GOOD_1).service
        self.cloud.force_down(service, True)
        done = surrender(self.cloud, (KEY,))
        self.assertTrue(self.cloud.node(GOOD_1).forced_down)
        self.assertTrue(any("forced down" in line for line in done.left))
        mark = marks.write(self._mark("evacuate", "enabled"), service, KEY)
        self.cloud.disable(service, mark)
        surrender(self.cloud, (KEY,))
        self.assertFalse(self.cloud.node(GOOD_1).forced_down)
        self.assertTrue(self.cloud.node(GOOD_1).enabled)

    def test_what_fails_is_said_and_the_rest_is_done(self) -> None:
        self.cloud.fail("unlock", CloudCode.UNAVAILABLE)
        self.cloud.fail("trait_names", CloudCode.UNAVAILABLE)
        done = surrender(self.cloud, (KEY,))
        self.assertEqual(1, done.enabled)
        self.assertEqual(3, len(done.left))
        done = surrender(self.cloud, (KEY,))
        self.assertEqual((1, 1), (done.unlocked, done.traits))
