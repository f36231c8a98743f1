# SPDX-License-Identifier: Apache-2.0
"""What is said of dirty hosts, and what outlives the process."""

from __future__ import annotations

import dataclasses
import json
import unittest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.judge.dirty import owner_of
from nfv_mla_scheduler.monitor.cleaning import account as cleanup
from nfv_mla_scheduler.monitor.cleaning.account import Book
from nfv_mla_scheduler.monitor.cleaning.account import Departure
from nfv_mla_scheduler.monitor.cleaning.departures import Dirty
from nfv_mla_scheduler.monitor.cleaning.departures import as_hosts
from nfv_mla_scheduler.monitor.cycle import Cycle
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.cycle_report import Part
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.status import status
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.view import Snapshot
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.monitor import scene
from tests.unit.monitor.house import LEFT
from tests.unit.monitor.house import PROFILE
from tests.unit.monitor.house import SERVER
from tests.unit.monitor.house import HouseTestCase
from tests.unit.monitor.site import MonitorSite
from tests.unit.monitor.test_cycle import Fakes


class SaidTest(HouseTestCase):
    def setUp(self) -> None:
        super().setUp()
        house = self.house
        house.scene.add(scene.server(2, "h2", house.scene.asked()))
        house.dirty(NOW)
        house.delete(1)
        house.delete(2)
        self.said = house.said(LEFT)

    def _closed(self, said: tuple[Dirty, ...], project: str) -> int:
        owner = owner_of(project, self.house.scene.policy)
        return len(as_hosts(said).closed_to(owner))

    def test_it_is_open_to_its_own_domain_alone(self) -> None:
        self.assertEqual(2, len(self.said))
        self.assertEqual(0, self._closed(self.said, drafts.PROJECT))
        self.assertEqual(2, self._closed(self.said, "another"))

    def test_without_a_domain_a_project_is_on_its_own(self) -> None:
        self.house.draft.trust_domain = None
        self.house.scene.new_policy()
        said = self.house.said(LEFT + 1)
        self.assertEqual(0, self._closed(said, drafts.PROJECT))
        self.assertEqual(2, self._closed(said, "another"))

    def test_nobody_reads_who_it_was_nor_the_minute(self) -> None:
        for each in self.said:
            self.assertEqual(0, each.since % 3600)
            self.assertLessEqual(0, LEFT - each.since)
            self.assertLess(LEFT - each.since, 3600)
        first, second = self.said
        self.assertNotEqual(first.tag[16:], second.tag[16:])
        text = str(self.said)
        for word in ("acme", PROFILE, drafts.PROJECT, SERVER):
            self.assertNotIn(word, text)

    def test_a_sealed_domain_is_nobody(self) -> None:
        policy = self.house.scene.policy
        self.house.scene.policy = dataclasses.replace(
            policy, trust_domains={**policy.trust_domains, "acme-keys": "key"}
        )
        said = self.house.said(LEFT + 1)
        self.assertEqual(2, self._closed(said, drafts.PROJECT))
        self.assertEqual(2, self._closed(said, "another"))
        self.assertEqual({48}, {len(each.tag) for each in said})


class KeptTest(HouseTestCase):
    def test_a_restart_forgets_no_departure(self) -> None:
        self.house.leave()
        self.house.restart()
        self.assertEqual({"h1"}, self.house.dirty(LEFT + 1))

    def test_what_left_while_nobody_looked_has_left(self) -> None:
        self.house.dirty(NOW)
        self.house.restart()
        self.house.delete()
        self.assertEqual({"h1"}, self.house.dirty(LEFT))

    def test_a_cell_that_is_down_is_not_a_departure(self) -> None:
        house = self.house
        server = house.scene.servers[SERVER]
        house.dirty(NOW)
        house.restart()
        house.delete()
        house.scene.missing = ("cell 2",)
        self.assertEqual(set(), house.dirty(NOW + 5))
        house.scene.add(server)
        self.assertEqual(set(), house.dirty(NOW + 6))
        # one that was seen and is gone was said to be gone
        house.delete()
        self.assertEqual({"h1"}, house.dirty(LEFT))

    def test_a_file_that_is_damaged_is_set_aside_and_said(self) -> None:
        house = self.house
        house.leave()
        good = house.path.read_text()
        rows: tuple[tuple[str, str], ...] = (
            ("nothing", ""),
            ("cut off", good[:-9]),
            ("a list", "[]"),
            ("another version", good.replace('"version":1', '"version":2')),
            ("a short row", good.replace(f',["{PROFILE}"]', "")),
            ("a time in words", good.replace(f"{LEFT}", '"now"')),
            ("no name", good.replace(f'"{PROFILE}"', '""')),
            ("a node that is a number", good.replace(
                f'"{drafts.uuid("h1")}"', "7")),
        )  # fmt: skip
        for name, text in rows:
            with self.subTest(name):
                house.path.write_text(text)
                house.restart()
                self.assertEqual(set(), house.dirty(LEFT + 1))
                self.assertIn("dirty is lost", house.departures.fault)
                self.assertLessEqual(len(house.departures.fault), 203)
                aside = house.path.with_name("departures.json.damaged")
                self.assertEqual(text, aside.read_text())
                house.dirty(LEFT + 2)
                self.assertEqual("", house.departures.fault)
                json.loads(house.path.read_text())

    def test_what_cannot_be_written_is_known_all_the_same(self) -> None:
        house = self.house
        house.path.parent.parent.write_text("in the way")
        self.assertEqual(set(), house.dirty(NOW))
        self.assertNotEqual("", house.departures.fault)
        house.delete()
        self.assertEqual({"h1"}, house.dirty(LEFT))
        house.path.parent.parent.unlink()
        self.assertEqual({"h1"}, house.dirty(LEFT + 1))
        self.assertEqual("", house.departures.fault)
        house.restart()
        self.assertEqual({"h1"}, house.dirty(LEFT + 2))

    def test_a_dry_run_writes_nothing(self) -> None:
        self.house.restart(writes=False)
        self.house.leave()
        self.assertFalse(self.house.path.exists())

    def test_nobody_else_may_read_it(self) -> None:
        self.house.leave()
        self.assertEqual(0o600, self.house.path.stat().st_mode & 0o777)

    def test_it_is_not_written_while_nothing_changes(self) -> None:
        self.house.leave()
        before = self.house.path.stat().st_ino
        self.house.dirty(LEFT + 1)
        self.assertEqual(before, self.house.path.stat().st_ino)

    def test_without_a_policy_all_stays_as_it_is(self) -> None:
        house = self.house
        house.leave()
        house.draft.without_policy = True
        house.scene.look(LEFT + 1)
        picture = house.scene.picture()
        look = house.departures.look
        self.assertIsNone(look(picture, house.scene.snapshot, LEFT + 1))
        house.draft.without_policy = False
        self.assertEqual({"h1"}, house.dirty(LEFT + 2))

    def test_too_many_are_one_each_and_open_to_nobody(self) -> None:
        most = cleanup.DEPARTURES_MAX
        book = Book(
            departures=tuple(
                Departure(f"n{i % 3}", f"p{i}", frozenset({f"f{i % 2}"}), i)
                for i in range(most + 1)
            )
        )
        picture = self.house.scene.picture()
        found = cleanup.followed(book, picture, {}, {}, NOW).departures
        self.assertEqual(["n0", "n1", "n2"], sorted(d.node for d in found))
        for each in found:
            self.assertEqual(cleanup.NOBODY, each.project_id)
            self.assertEqual({"f0", "f1"}, each.profiles)
        self.assertEqual(most, max(each.since for each in found))


class Account:
    """Keeps account as a test says; an ``interfaces.CleanUp``."""

    def __init__(self) -> None:
        self.fault = ""
        self.broken = False
        self.found: tuple[Dirty, ...] | None = None

    def look(
        self, picture: Picture, snapshot: Snapshot, now: float
    ) -> tuple[Dirty, ...] | None:
        if self.broken:
            raise RuntimeError("broken")
        return self.found


ONE = Dirty("node-1", 3600.0, "0" * 48)


class CycleTest(unittest.TestCase):
    def setUp(self) -> None:
        fakes, snapshot = Fakes(), view.empty(drafts.CATALOGUE)
        self.account = Account()
        self.cycle = Cycle(
            *(fakes, fakes, fakes, fakes),
            snapshot=lambda: snapshot,
            holds=fakes.holds,
            edit=fakes.edit,
            room=fakes.room,
            picture_max_age_s=120.0,
            clean_up=self.account,
        )
        self.at = NOW

    def run_once(self) -> CycleReport:
        self.at += 10
        return self.cycle.run(self.at, self.at)

    def said(self, report: CycleReport | None) -> object:
        """Return what the status says of a cycle."""
        process = Process(NOW, "none")
        return status(self.at, process, report, Tally())["dirty"]

    def test_it_is_said_as_soon_as_it_is_known(self) -> None:
        self.assertIsNone(self.said(None))
        self.assertIsNone(self.said(self.run_once()))
        self.account.found = ()
        self.assertEqual([], self.said(self.run_once()))
        self.account.found = (ONE,)
        report = self.run_once()
        self.assertEqual(
            [{"node": "node-1", "since": 3600.0, "for": "0" * 48}],
            self.said(report),
        )
        assert report.ruling is not None
        self.assertEqual({"node-1"}, report.ruling.dirty.closed_to("us"))

    def test_what_cannot_be_found_out_opens_no_host(self) -> None:
        self.account.found = (ONE,)
        self.run_once()
        self.account.found = None
        self.assertEqual((ONE,), self.run_once().dirty)
        self.account.broken = True
        report = self.run_once()
        self.assertEqual((ONE,), report.dirty)
        self.assertEqual(Part.CLEAN_UP, report.failures[0].part)
        self.assertIsNotNone(report.plan)
        self.account.broken = False
        self.account.found = ()
        self.assertEqual((), self.run_once().dirty)

    def test_a_fault_is_said(self) -> None:
        self.account.fault = "the file is damaged"
        (failure,) = self.run_once().failures
        self.assertEqual(Part.CLEAN_UP, failure.part)
        self.assertEqual("the file is damaged", failure.text)

    def test_all_of_many_are_said(self) -> None:
        self.account.found = tuple(
            dataclasses.replace(ONE, node=f"node-{n}") for n in range(5000)
        )
        said = self.said(self.run_once())
        assert isinstance(said, list)
        self.assertEqual(5000, len(said))


class ProcessTest(unittest.TestCase):
    def test_a_monitor_says_it_and_a_dry_run_keeps_nothing(self) -> None:
        for dry_run in (True, False):
            site = MonitorSite.of(self)
            service = site.service(dry_run)
            self.addCleanup(service.stop)
            self.assertIsNone(service.status()["dirty"])
            site.add_asking(1)
            with self.assertLogs("nfv_mla_scheduler"):
                service.once()
            said = json.loads(site.status_file.read_text())
            self.assertEqual([], said["dirty"])


_HOSTS = st.sampled_from(["h1", "h2", "h3", ""])
_STEP = st.tuples(st.tuples(_HOSTS, _HOSTS), st.booleans(), st.booleans())


class PropertyTest(HouseTestCase):
    @settings(max_examples=40, deadline=None)
    @given(steps=st.lists(_STEP, min_size=1, max_size=6))
    def test_no_restart_and_no_order_changes_what_is_dirty(
        self, steps: list[tuple[tuple[str, str], bool, bool]]
    ) -> None:
        one, other = self.new(), self.new()
        for number, (hosts, restarts, heard) in enumerate(steps):
            now = NOW + 10 * number
            for house, order in ((one, (1, 2)), (other, (2, 1))):
                asked = house.scene.asked()
                house.scene.servers = {}
                for server in order:
                    host = hosts[server - 1]
                    house.scene.add(scene.server(server, host, asked))
                if heard:
                    house.scene.heard(now)
            if restarts:
                other.restart()
            self.assertEqual(one.dirty(now), other.dirty(now))
