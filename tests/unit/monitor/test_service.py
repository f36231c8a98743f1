# SPDX-License-Identifier: Apache-2.0
"""A monitor put together: in this process, and as processes of its own."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import os
import signal
import subprocess
import sys
import time
import unittest
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.cmd import monitor_service as command
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.monitor import checking
from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor.cycle_report import Part
from nfv_mla_scheduler.monitor.cycle_report import well
from nfv_mla_scheduler.monitor.holding import edits
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.monitor.holding.file import LOCK
from nfv_mla_scheduler.monitor.knocks import LOOK_LEAST_ANYBODY_S
from nfv_mla_scheduler.monitor.knocks import LOOK_LEAST_S
from nfv_mla_scheduler.monitor.place import Place
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.refreshing import Refreshing
from nfv_mla_scheduler.monitor.service import Service
from nfv_mla_scheduler.monitor.web import Readiness
from tests.unit.monitor.site import MonitorSite
from tests.unit.scheduler.site import GOOD_1
from tests.unit.scheduler.site import SEALED
from tests.unit.scheduler.site import seal_key

WAIT_S = 60.0


class ServiceTestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.site = MonitorSite.of(self)
        self.cloud = self.site.cloud
        logger = logging.getLogger("nfv_mla_scheduler")
        logger.addHandler(logging.NullHandler())
        propagate = logger.propagate
        logger.propagate = False
        self.addCleanup(setattr, logger, "propagate", propagate)

    def new(self, **how: Any) -> Service:
        service = self.site.service(**how)
        self.addCleanup(service.stop)
        return service

    def wait(self, done: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + WAIT_S
        while not done():
            self.assertLess(time.monotonic(), end, f"in vain: {what}")
            time.sleep(0.005)

    def status(self) -> Any:
        return json.loads(self.site.status_file.read_text())


class LedgerTest(ServiceTestCase):
    def once(self, times: int = 1, **how: Any) -> None:
        """Run cycles, and end."""
        service = self.new(**how)
        for _ in range(times):
            service.once()
        service.stop()

    def recorded(self, kind: str) -> list[dict[str, Any]]:
        """Return what everybody can read of one kind."""
        return [
            event["fields"]
            for event in self.site.ledger.events()
            if event["kind"] == kind
        ]

    def test_it_says_what_it_is_and_what_it_goes_by(self) -> None:
        self.once()
        (started,) = self.recorded("monitor-started")
        self.assertEqual("all", started["act"])
        self.assertEqual(identity.version(), started["version"])
        (loaded,) = self.recorded("policy-loaded")
        (beat,) = self.recorded("heartbeat")
        self.assertEqual(1, beat["policy_version"])
        self.assertEqual(beat["policy_digest"], loaded["digest"])
        self.assertGreaterEqual(beat["cycle_age_s"], 0)

    def test_other_options_are_another_digest(self) -> None:
        for options in ({}, {}, {"interval_s": 7}, {"password": "another"}):
            self.once(**options)
        digests = [
            (
                each["configuration_digest"],
                each["monitor_configuration_digest"],
            )
            for each in self.recorded("monitor-started")
        ]
        self.assertEqual(digests[0], digests[1])
        self.assertEqual(digests[0][0], digests[2][0])
        self.assertNotEqual(digests[0][1], digests[2][1])
        # of a password nobody can guess by it
        self.assertEqual(digests[0], digests[3])

    def test_the_cause_is_there_before_what_is_done(self) -> None:
        uuid = self.site.add_asking(1)
        self.site.turn_bad()
        self.once()
        self.assertTrue(self.cloud.peek(uuid).locked)
        kinds = [
            event["kind"]
            for event in self.site.ledger.events()
            if event["fields"].get("server") == uuid
        ]
        self.assertEqual(
            ["finding", "planned", "step-intended", "step-done"], kinds
        )

    def test_a_sealed_domain_keeps_its_story_to_itself(self) -> None:
        uuid = self.site.add_asking(7)
        self.cloud.change(uuid, project_id=SEALED)
        self.site.turn_bad()
        self.once()
        self.assertTrue(self.cloud.peek(uuid).locked)
        self.assertNotIn(uuid.encode(), self.site.ledger.bytes())
        self.assertNotIn(SEALED.encode(), self.site.ledger.bytes())
        story = [
            (event["kind"], event["fields"].get("outcome"))
            for event in self.site.ledger.opened("hush", [seal_key()])
        ]
        self.assertEqual(
            [
                ("standing", None),
                ("finding", None),
                ("planned", None),
                ("step-intended", None),
                ("step-done", "done"),
            ],
            story,
        )

    def test_who_is_released_is_told_where_it_may_be(self) -> None:
        known, sealed = self.site.add_asking(1), self.site.add_asking(7)
        self.cloud.change(sealed, project_id=SEALED)
        now = time.time()
        holds = parts.read(self.site.conf()).holds_file
        for uuid in (known, sealed):
            edits.release_server(holds, uuid, now + 60, "seen", "ops", now)
        self.once()
        (released,) = self.recorded("guard-released")
        self.assertEqual(known, released["server"])
        self.assertIn(
            sealed,
            [
                event["fields"].get("server")
                for event in self.site.ledger.opened("hush", [seal_key()])
                if event["kind"] == "guard-released"
            ],
        )

    def test_without_a_ledger_it_acts_all_the_same(self) -> None:
        uuid = self.site.add_asking(1)
        self.site.turn_bad()
        self.site.shared = {"audit_dir": "", "audit_key_file": ""}
        self.once()
        self.assertTrue(self.cloud.peek(uuid).locked)
        self.assertIsNone(self.status()["ledger"])
        self.assertEqual([], self.site.ledger.events())

    def test_a_ledger_that_is_gone_is_an_alarm_and_stops_every_step(
        self,
    ) -> None:
        uuid = self.site.add_asking(1)
        service = self.new()
        service.once()
        self.assertTrue(self.status()["ledger"])
        away = self.site.audit_dir.with_suffix(".away")
        self.site.audit_dir.rename(away)
        self.site.audit_dir.touch()
        self.site.turn_bad()
        with self.assertLogs("nfv_mla_scheduler", "CRITICAL") as said:
            report = service.once()
        self.assertFalse(well(report))
        (line,) = said.output
        self.assertIn("(steps-unrecorded)", line)
        self.assertFalse(self.status()["ledger"])
        self.assertEqual({"unrecorded": 1}, self.status()["steps"]["lock"])
        self.assertFalse(self.cloud.peek(uuid).locked)
        self.assertTrue(self.cloud.node(GOOD_1).enabled)
        # it is said as long as it is so, whether or not anything is due
        self.site.put_results()
        service.once()
        service.once()
        self.assertFalse(self.status()["ledger"])
        self.site.audit_dir.unlink()
        away.rename(self.site.audit_dir)
        self.wait(lambda: service.status()["ledger"], "written again")
        with self.assertLogs("nfv_mla_scheduler", "INFO") as said:
            service.once()
        self.assertIn("(steps-recorded)", "\n".join(said.output))


class OnceTest(ServiceTestCase):
    def test_a_cloud_in_which_all_complies_is_well(self) -> None:
        self.site.add_asking(1)
        report = self.new().once()
        self.assertTrue(well(report), report)
        self.assertEqual([], self.cloud.written)
        status = self.status()
        self.assertEqual("all", status["act"])
        self.assertEqual({}, status["findings"])
        self.assertEqual(0, status["cycle"]["failures"])

    def test_a_host_that_turns_bad_is_fenced_and_its_server_locked(
        self,
    ) -> None:
        uuid = self.site.add_asking(1)
        service = self.new()
        self.assertTrue(well(service.once()))
        self.site.turn_bad()
        report = service.once()
        self.assertFalse(well(report))
        self.assertFalse(self.cloud.node(GOOD_1).enabled)
        self.assertTrue(self.cloud.peek(uuid).locked)
        self.assertEqual(1, self.status()["steps"]["fence"]["done"])
        service.once()
        self.assertEqual(
            [GOOD_1], [f["host"] for f in self.status()["fenced_list"]]
        )

    def test_a_disk_that_is_full_stops_no_lock(self) -> None:
        """That a policy has settled could not be written: it can wait."""
        uuid = self.site.add_asking(1)
        self.site.turn_bad()
        service = self.new()
        holds = parts.read(self.site.conf()).holds_file
        holds.with_name(LOCK).mkdir(parents=True)  # no file can be there
        report = service.once()
        [failure] = report.failures
        self.assertEqual(Part.WRITE_HOLDS, failure.part)
        self.assertTrue(self.cloud.peek(uuid).locked)
        self.assertFalse(self.cloud.node(GOOD_1).enabled)

    def test_what_is_sealed_is_in_no_status_and_no_line(self) -> None:
        uuid = self.site.add_asking(7)
        self.cloud.change(uuid, project_id=SEALED)
        self.site.turn_bad()
        service = self.new()
        with self.assertLogs("nfv_mla_scheduler", "DEBUG") as said:
            service.once()
        self.assertNotIn(uuid, "\n".join(said.output))
        report = service.once()
        assert report.ruling is not None
        self.assertIn(uuid, report.ruling.verdict.servers)
        self.assertNotIn(uuid, json.dumps(service.status()))
        self.assertEqual(0, service.status()["in_flight"])
        text = "\n".join(command.report_lines(report, dry_run=True))
        self.assertNotIn(uuid, text)

    def test_a_dry_run_says_what_it_would_do_and_does_nothing(self) -> None:
        self.site.add_asking(1)
        service = self.new(dry_run=True)
        service.once()
        self.site.turn_bad()
        report = service.once()
        self.assertEqual([], self.cloud.written)
        text = "\n".join(command.report_lines(report, dry_run=True))
        self.assertIn(f"host {GOOD_1}: fence", text)
        self.assertIn("lock, on good-1", text)
        # nobody must take it for a monitor that halts
        self.assertEqual("none", self.status()["act"])
        self.assertFalse(store.place(self.site.directory / "state").exists())

    def test_a_dry_run_leaves_a_shared_status_file_alone(self) -> None:
        shared = self.site.directory / "shared.json"
        self.new(act="fence", status_file=str(shared)).once()
        before = shared.read_bytes()
        self.assertFalse(self.site.status_file.exists())
        dry = self.new(dry_run=True, act="all", status_file=str(shared))
        dry.once()
        self.assertEqual(before, shared.read_bytes())
        self.assertEqual("none", self.status()["act"])
        self.assertEqual("all", self.status()["would_act"])
        self.assertIsNone(json.loads(before)["would_act"])

    def test_a_cloud_that_does_not_answer_is_a_failure_of_the_look(
        self,
    ) -> None:
        self.cloud.fail("servers", CloudCode.UNAVAILABLE, times=9)
        report = self.new().once()
        self.assertFalse(well(report))
        text = "\n".join(command.report_lines(report, dry_run=False))
        self.assertIn("missing: servers", text)
        self.assertIsNone(self.status()["picture"]["at"])


class RunningTest(ServiceTestCase):
    def start(self, **how: Any) -> Service:
        service = self.new(interval_s=30, picture_max_age_s=90, **how)
        service.start()
        return service

    def test_new_results_are_acted_upon_before_the_next_look(self) -> None:
        self.site.add_asking(1)
        service = self.start()
        self.wait(lambda: service.readiness() is Readiness.READY)
        looks = len([x for x in self.cloud.log if x[0] == "servers"])
        self.site.turn_bad()
        self.wait(lambda: not self.cloud.node(GOOD_1).enabled, "fenced")
        after = len([x for x in self.cloud.log if x[0] == "servers"])
        # none to notice it; one at most to see what became of it
        self.assertLessEqual(after - looks, 1)
        self.wait(lambda: self.status()["findings"], "the status")
        self.assertTrue(service.is_live())

    def test_a_knock_brings_the_next_look_forward(self) -> None:
        service = self.start()
        self.wait(lambda: service.readiness() is Readiness.READY)
        forced = self.site.add_asking(9, "web-1")
        service.knock((), certified=True)
        self.wait(
            lambda: service.status()["findings"].get("misplaced"),
            f"{forced} found",
        )

    def test_knocks_of_anybody_count_for_less(self) -> None:
        service = self.new()
        self.assertEqual(math.inf, service._haste.take())
        service.knock(())
        service.knock((), certified=True)
        service.knock(())
        self.assertEqual(LOOK_LEAST_S, service._haste.take())
        service.knock(())
        self.assertEqual(LOOK_LEAST_ANYBODY_S, service._haste.take())
        self.assertEqual(math.inf, service._haste.take())

    def test_before_the_first_cycle_it_is_not_ready(self) -> None:
        service = self.new()
        self.assertIs(Readiness.STARTING, service.readiness())
        self.assertFalse(service.is_live())

    def test_without_results_it_is_ready_in_part(self) -> None:
        self.site.results_file.unlink()
        service = self.new()
        service.once()
        self.assertIs(Readiness.PARTIAL, service.readiness())

    def test_it_ends_soon_and_twice_is_no_harm(self) -> None:
        service = self.start()
        self.wait(lambda: service.readiness() is Readiness.READY)
        began = time.monotonic()
        service.stop()
        self.assertLess(time.monotonic() - began, 5.0)
        self.assertFalse(service.is_live())
        service.stop()


class RefreshingTest(unittest.TestCase):
    def test_a_knock_is_passed_on_for_those_who_are_bound(self) -> None:
        asked: list[tuple[str, tuple[str, ...]]] = []
        bound = {"lab": {"a": "1", "b": "2"}, "fra": {"b": "2"}, "bka": {}}
        refreshing = Refreshing(
            lambda authority, names: asked.append((authority, names)),
            lambda: bound,
        )
        refreshing.want(("b", "stranger"))
        refreshing.want(("a",))
        refreshing.pass_on()
        self.assertEqual([("lab", ("a", "b")), ("fra", ("b",))], asked)
        refreshing.pass_on()
        self.assertEqual(2, len(asked))

    def test_strangers_by_the_thousand_suppress_nobody(self) -> None:
        asked: list[tuple[str, ...]] = []
        bound = {"lab": {"a": 1}}
        refreshing = Refreshing(lambda _, n: asked.append(n), lambda: bound)
        for k in range(10):
            refreshing.want(tuple(f"junk-{k}-{i}" for i in range(256)))
        refreshing.want(("a",))
        refreshing.pass_on()
        self.assertEqual([("a",)], asked)

    def test_a_collector_is_asked_for_no_more_than_it_takes(self) -> None:
        asked: list[tuple[str, ...]] = []
        bound = {"lab": {f"a{n:04}": 1 for n in range(600)}}
        refreshing = Refreshing(lambda _, n: asked.append(n), lambda: bound)
        refreshing.want(tuple(bound["lab"]))
        refreshing.pass_on()
        self.assertEqual([256, 256, 88], [len(names) for names in asked])
        self.assertEqual(set(bound["lab"]), {n for one in asked for n in one})

    def test_a_collector_that_refuses_is_said_once(self) -> None:
        def ask(authority: str, names: tuple[str, ...]) -> None:
            raise SettingsError("answers 429")

        refreshing = Refreshing(ask, lambda: {"lab": {"a": 1}})
        with self.assertLogs("nfv_mla_scheduler", "WARNING") as said:
            for _ in range(3):
                refreshing.want(("a",))
                refreshing.pass_on()
        self.assertEqual(1, len(said.output))


class PartsTest(ServiceTestCase):
    def refused(self, **options: Any) -> str:
        with self.assertRaises(SettingsError) as caught:
            parts.read(self.site.conf(**options))
        return str(caught.exception)

    def test_keys_that_cannot_be_used_are_named(self) -> None:
        key = self.site.key_file
        key.write_bytes(b"short")
        self.assertIn("32 to 4096 bytes", self.refused())
        key.write_bytes(b"k" * 5000)
        self.assertIn("32 to 4096 bytes", self.refused())
        key.write_bytes(b"k" * 32)
        key.chmod(0o644)
        self.assertIn("everybody can read it", self.refused())
        key.unlink()
        self.assertIn("No such file", self.refused())

    def test_one_key_twice_is_refused(self) -> None:
        other = self.site.directory / "other.key"
        other.write_bytes(self.site.key_file.read_bytes())
        other.chmod(0o600)
        both = f"{self.site.key_file},{other}"
        self.assertIn("the same key", self.refused(mark_key_files=both))

    def test_what_is_odd_is_said_before_it_matters(self) -> None:
        conf = self.site.conf(act="none")
        [odd] = checking.check(parts.read(conf), conf)
        self.assertIn("nothing will be done", odd)

    def test_files_that_cannot_be_written_are_odd(self) -> None:
        self.assertEqual((), self.odd())
        file = self.site.directory / "file"
        file.write_text("")
        [odd] = self.odd(status_file=str(file / "status.json"))
        self.assertIn(f"[monitor] status_file: {file} cannot be", odd)
        self.site.key_file.chmod(0o640)
        [odd] = self.odd()
        self.assertIn("[monitor] mark_key_files: ", odd)
        self.site.key_file.chmod(0o600)
        (self.site.directory / "state").rmdir()
        self.assertEqual((), self.odd())
        (self.site.directory / "state").write_text("")
        odd = "\n".join(self.odd())
        self.assertIn("[nfv_mla] state_dir: ", odd)

    def odd(self, **options: Any) -> tuple[str, ...]:
        conf = self.site.conf(**options)
        return checking.check(parts.read(conf), conf)

    def test_credentials_that_are_not_complete(self) -> None:
        conf = self.site.conf(auth_type="")
        with self.assertRaises(SettingsError) as caught:
            checking.check(parts.read(conf), conf)
        self.assertIn("[monitor]", str(caught.exception))

    def test_a_place_is_taken_once(self) -> None:
        directory = self.site.directory / "elsewhere"
        place = Place(directory)
        with self.assertRaises(SettingsError) as caught:
            Place(directory)
        self.assertIn(f"process {os.getpid()}", str(caught.exception))
        place.release()
        Place(directory).release()


class OptionsTest(ServiceTestCase):
    """What is read again at SIGHUP."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.site.write(act="fence")
        conf = cfg.ConfigOpts()
        words = ("--config-file", self.path)
        command._read_options(conf, words)
        self.options = command.Options(words, parts.read(conf), conf)

    def refused(self) -> str:
        before = self.options.found, self.options.conf
        with self.assertLogs("nfv_mla_scheduler", "ERROR") as said:
            self.options.reread()
        self.assertEqual(before, (self.options.found, self.options.conf))
        [line] = said.output
        self.assertIn("goes on with the options of before: ", line)
        return line

    def test_what_can_be_used_is_kept(self) -> None:
        self.site.write(act="none")
        self.options.reread()
        self.assertEqual("none", self.options.found.settings.act.value)
        self.assertEqual("none", self.options.conf.monitor.act)
        self.site.key_file.unlink()
        self.assertIn(str(self.site.key_file), self.refused())

    def test_a_line_that_cannot_be_read_is_not_shown(self) -> None:
        with open(self.path, "a") as file:
            file.write("\npassword s3cret without its sign\n")
        line = self.refused()
        self.assertIn(self.path, line)
        self.assertNotIn("s3cret", line)

    def test_its_place_stays_the_one_that_it_has(self) -> None:
        text = (self.site.directory / "monitor.conf").read_text()
        state = str(self.site.directory / "state")
        self.assertIn(f"state_dir = {state}\n", text)
        other = text.replace(f"= {state}\n", f"= {state}-2\n")
        (self.site.directory / "monitor.conf").write_text(other)
        self.assertIn("[nfv_mla] state_dir: ", self.refused())


class ProcessTest(ServiceTestCase):
    """Processes; of a cloud that cannot be reached."""

    def main(self, *words: str) -> tuple[int, str]:
        err = io.StringIO()
        with (
            contextlib.redirect_stderr(err),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            return command.main(words), err.getvalue()

    def test_wrong_usage_and_wrong_options_are_one_line(self) -> None:
        status, said = self.main("--perhaps")
        self.assertEqual(2, status)
        path = self.site.write(act="all", mark_key_files="")
        status, said = self.main("--config-file", path)
        self.assertEqual(1, status)
        self.assertIn("[monitor] mark_key_files", said)
        self.assertEqual(1, said.count("\n"))
        status, said = self.main("--config-file", "/nowhere/at.conf")
        self.assertEqual(1, status)
        self.assertEqual(1, said.count("\n"))

    def test_check_asks_nobody(self) -> None:
        status, said = self.main("--config-file", self.site.write(), "--check")
        self.assertEqual((0, ""), (status, said))
        self.assertFalse(self.site.status_file.exists())
        self.site.policy_file.unlink()
        status, said = self.main("--config-file", self.site.write(), "--check")
        self.assertEqual(1, status)
        self.assertIn(str(self.site.policy_file), said)

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "nfv_mla_scheduler.cmd.monitor_service",
                "--config-file",
                self.site.write(),
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def cycles(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return self.status()["cycle"] is not None
        return False

    def began_since(self, at: float) -> bool:
        return self.cycles() and self.status()["started_at"] > at

    def test_it_runs_alone_reloads_and_ends_at_a_signal(self) -> None:
        process = self.start()
        self.wait(self.cycles, "a cycle")
        began_at = [self.status()["started_at"]]
        second, said = self.main("--config-file", self.site.write())
        self.assertEqual(1, second)
        self.assertIn(f"another monitor (process {process.pid})", said)
        self.assertEqual(1, said.count("\n"))
        self.assertEqual("all", self.status()["act"])
        # What cannot be used leaves what was read last, not what was first.
        for act in ("none", "nonsense"):
            self.site.write(act=act)
            process.send_signal(signal.SIGHUP)
            self.wait(lambda: self.began_since(began_at[-1]), "a new worker")
            began_at.append(self.status()["started_at"])
            self.assertEqual("none", self.status()["act"])
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=WAIT_S)
        self.assertLess(time.monotonic() - began, 5.0)
        self.assertEqual(0, process.returncode, said)
        self.assertNotIn("Traceback", said)
        # its place is free
        Place(self.site.directory / "state").release()
