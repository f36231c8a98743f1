# SPDX-License-Identifier: Apache-2.0
"""The observer: everything at first, then what changed, and nothing lost."""

from __future__ import annotations

import dataclasses
import unittest

from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.observing.observer import Observer
from nfv_mla_scheduler.monitor.observing.servers import DELETED_A_LOOK
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from tests.unit.monitor.observed import NOW
from tests.unit.monitor.observed import Remembered
from tests.unit.monitor.observed import a_move
from tests.unit.monitor.observed import a_node
from tests.unit.monitor.observed import a_server

POOL = "CUSTOM_NFV_MLA_POOL_"


class Case(unittest.TestCase):
    """An observer, a cloud, and two clocks that tests move."""

    def setUp(self) -> None:
        self.cloud = Remembered()
        self.observer = Observer(
            self.cloud,
            full_every_s=3600.0,
            overlap_s=300.0,
            pages_a_look=1,
            checks_a_look=1,
        )
        self.now, self.monotonic = NOW, 0.0

    def look(self, after_s: float = 30.0) -> Picture:
        self.now += after_s
        self.monotonic += after_s
        self.cloud.calls.clear()
        return self.observer.look(self.now, self.monotonic)

    def look_until_listed(self) -> Picture:
        before = self.observer.picture.full_at
        for _ in range(50):
            picture = self.look()
            if picture.full_at != before:
                return picture
        raise AssertionError("it is never listed")


class ServersTest(Case):
    def test_before_the_first_look_everything_is_missing(self) -> None:
        picture = self.observer.picture
        self.assertTrue(picture.partial)
        self.assertEqual(
            (NEVER, NEVER, {}),
            (picture.at, picture.full_at, dict(picture.servers)),
        )

    def test_the_first_look_lists_all_pages(self) -> None:
        self.cloud.put(*(a_server(name) for name in "abcde"))
        picture = self.look()
        self.assertEqual(set("abcde"), set(picture.servers))
        self.assertEqual((), picture.missing)
        self.assertEqual(self.now, picture.full_at)
        self.assertEqual([None], self.cloud.asked)

    def test_then_changes_are_asked_for_from_the_greatest_less_overlap(
        self,
    ) -> None:
        self.cloud.put(a_server("a", NOW - 5000), a_server("b", NOW - 1000))
        self.look()
        self.look()
        self.assertEqual([None, NOW - 1300], self.cloud.asked)
        self.cloud.put(a_server("b", NOW + 40, "h2"))
        picture = self.look()
        self.assertEqual("h2", picture.servers["b"].host)
        self.look()
        self.assertEqual(NOW + 40 - 300, self.cloud.asked[-1])

    def test_a_time_in_the_future_moves_nothing_beyond_now(self) -> None:
        self.cloud.put(a_server("a", NOW + 10**9))
        self.look()
        self.cloud.put(a_server("b", NOW + 40))
        picture = self.look()
        self.assertIn("b", picture.servers)
        # asked for as of the first look, when it was NOW + 30
        self.assertEqual(NOW + 30 - 300, self.cloud.asked[-1])

    def test_in_a_quiet_cloud_it_moves_with_the_time_that_passes(
        self,
    ) -> None:
        self.cloud.put(a_server("a", NOW - 5000))
        self.look()
        for _ in range(4):
            self.look(100)
        self.assertEqual(
            [NOW - 5300 + passed for passed in (0, 100, 200, 300)],
            self.cloud.asked[1:],
        )
        self.now -= 1
        self.look(0)
        self.cloud.failing["servers"] = 0
        self.look(100)
        del self.cloud.failing["servers"]
        self.look(100)
        # what failed is no reason to go on
        self.assertEqual(NOW - 4900, self.cloud.asked[-1])

    def test_a_clock_that_jumps_back_asks_for_more_not_less(self) -> None:
        self.cloud.put(a_server("a", NOW))
        self.look()
        self.now -= 7200
        self.look()
        self.assertEqual(NOW + 60 - 7200 - 300, self.cloud.asked[-1])

    def test_deleted_servers_go(self) -> None:
        self.cloud.put(a_server("a"), a_server("b"))
        self.look()
        self.cloud.delete("a", NOW + 20)
        self.assertEqual({"b"}, set(self.look().servers))

    def test_what_is_only_said_to_be_deleted_stays(self) -> None:
        """A host says so, and Nova with it; asked for, the server is there."""
        self.cloud.put(a_server("a"), a_server("b"))
        self.look()
        lie = dataclasses.replace(a_server("a"), vm_state=VmState.DELETED)
        self.cloud.there["a"] = lie
        self.cloud.gone["a"] = NOW + 20
        self.assertEqual(lie, self.look().servers["a"])
        self.cloud.delete("a", NOW + 30)
        self.assertEqual({"b"}, set(self.look().servers))

    def test_each_that_is_deleted_is_asked_for_once(self) -> None:
        names = [f"x{number:02d}" for number in range(DELETED_A_LOOK + 3)]
        self.cloud.put(a_server("b"), *map(a_server, names))
        self.look()
        for name in names:
            self.cloud.delete(name, NOW + 20)
        self.assertEqual(4, len(self.look().servers))
        self.assertEqual(DELETED_A_LOOK, self.cloud.calls["server"])
        self.assertEqual({"b"}, set(self.look().servers))
        self.assertEqual(3, self.cloud.calls["server"])
        self.look()
        self.assertEqual(0, self.cloud.calls["server"])

    def test_what_a_person_has_to_see_to_is_said_in_words(self) -> None:
        for reason in CloudCode:
            said = CloudFailed(reason, "Nova is too old").brief
            by_people = reason in (
                CloudCode.REFUSED,
                CloudCode.UNAUTHORISED,
                CloudCode.TOO_OLD,
            )
            more = ": Nova is too old" if by_people else ""
            self.assertEqual(reason.value + more, said)

    def test_of_a_listing_that_breaks_off_what_came_is_taken(self) -> None:
        self.cloud.put(*(a_server(name) for name in "abcde"))
        self.cloud.failing["servers"] = 1
        picture = self.look()
        self.assertEqual(set("ab"), set(picture.servers))
        self.assertEqual(("servers (cloud-unavailable)",), picture.missing)
        self.assertEqual(NEVER, picture.full_at)
        del self.cloud.failing["servers"]
        picture = self.look()
        self.assertEqual([None, None], self.cloud.asked)
        self.assertEqual(set("abcde"), set(picture.servers))
        self.assertEqual((), picture.missing)

    def test_changes_that_break_off_are_asked_for_again(self) -> None:
        self.cloud.put(*(a_server(name) for name in "abcde"))
        self.look()
        self.cloud.put(*(a_server(n, NOW + 500, "h2") for n in "abcde"))
        self.cloud.failing["servers"] = 1
        picture = self.look(900)
        hosts = {n: s.host for n, s in picture.servers.items()}
        self.assertEqual(
            {"a": "h2", "b": "h2", "c": "h1", "d": "h1", "e": "h1"}, hosts
        )
        self.assertTrue(picture.partial)
        del self.cloud.failing["servers"]
        picture = self.look(900)
        self.assertEqual(NOW - 300, self.cloud.asked[-1])
        self.assertEqual({"h2"}, {s.host for s in picture.servers.values()})
        self.assertFalse(picture.partial)

    def test_an_empty_cloud_is_listed_each_time(self) -> None:
        self.look()
        picture = self.look()
        self.assertEqual([None, None], self.cloud.asked)
        self.assertFalse(picture.partial)

    def test_a_picture_never_changes_once_it_is_handed_out(self) -> None:
        self.cloud.put(a_server("a"), a_server("b"))
        first = self.look()
        self.cloud.put(a_server("a", NOW + 20, "h2"))
        self.cloud.delete("b", NOW + 20)
        self.observer.refresh_server("a")
        second = self.observer.picture
        self.look()
        self.assertEqual("h1", first.servers["a"].host)
        self.assertEqual("h2", second.servers["a"].host)
        self.assertEqual(
            ({"a", "b"}, {"a", "b"}),
            (set(first.servers), set(second.servers)),
        )

    def test_what_did_not_change_is_not_copied(self) -> None:
        self.cloud.put(a_server("a"))
        self.assertIs(self.look().servers, self.look().servers)


class RefreshTest(Case):
    def test_one_server_is_read_anew(self) -> None:
        self.cloud.put(a_server("a"), a_server("b"))
        self.look()
        self.cloud.put(a_server("a", NOW, "h2"))
        found = self.observer.refresh_server("a")
        self.assertEqual("h2", found.host if found else "")
        self.assertEqual("h2", self.observer.picture.servers["a"].host)

    def test_one_that_is_gone_goes(self) -> None:
        self.cloud.put(a_server("a"), a_server("b"))
        self.look()
        del self.cloud.there["a"]
        self.assertIsNone(self.observer.refresh_server("a"))
        self.assertEqual({"b"}, set(self.observer.picture.servers))

    def test_when_it_fails_all_stays(self) -> None:
        self.cloud.put(a_server("a"))
        before = self.look()
        self.cloud.failing["server"] = 0
        with self.assertRaises(CloudFailed):
            self.observer.refresh_server("a")
        self.assertEqual(before.servers, self.observer.picture.servers)


class FullListingTest(Case):
    def setUp(self) -> None:
        super().setUp()
        self.cloud.put(*(a_server(name, NOW - 5000) for name in "bcdef"))
        self.cloud.put(a_server("a"))
        self.look()

    def test_it_is_due_by_the_monotonic_clock_alone(self) -> None:
        self.now += 10_000
        self.look()
        self.assertEqual(1, self.cloud.asked.count(None))
        self.monotonic += 3600
        self.look()
        self.look()
        self.assertEqual(2, self.cloud.asked.count(None))

    def test_it_is_spread_over_looks_beside_the_changes(self) -> None:
        self.look(3600)  # reads all compute nodes, and that is enough
        self.look()
        self.assertEqual(2, self.cloud.asked.count(None))
        looks = 1
        while self.observer.picture.full_at < NOW + 3600:
            self.look()
            looks += 1
        # three pages and the empty one, and who asks whether that was all
        self.assertEqual(5, looks)
        self.assertEqual(2, self.cloud.asked.count(None))

    def test_what_vanished_without_a_trace_goes_when_it_ends(self) -> None:
        del self.cloud.there["b"], self.cloud.there["e"]
        picture = self.look(3600)
        self.assertIn("b", picture.servers)
        self.look_until_listed()
        self.look()
        picture = self.look()
        self.assertEqual(set("acdf"), set(picture.servers))
        self.assertFalse(picture.partial)

    def test_what_it_left_out_and_is_there_stays(self) -> None:
        # a cell that is down for as long as the listing takes, unsaid
        left_out = self.cloud.there.pop("b")
        self.look(3600)
        self.look()
        self.look_until_listed_without_checks()
        self.cloud.there["b"] = left_out
        for _ in range(3):
            picture = self.look()
        self.assertIn("b", picture.servers)

    def look_until_listed_without_checks(self) -> None:
        self.cloud.failing["server"] = 0
        self.look_until_listed()
        del self.cloud.failing["server"]

    def test_what_appears_meanwhile_is_not_taken_for_gone(self) -> None:
        self.look(3600)
        self.look()
        self.cloud.put(a_server("0", self.now))
        self.look_until_listed()
        self.assertIn("0", self.look().servers)

    def test_one_that_fails_is_tried_again_later_and_drops_nothing(
        self,
    ) -> None:
        del self.cloud.there["b"]
        self.look(3600)
        self.look()
        self.look()
        # the changes come on two pages, the third of the listing does not
        self.cloud.failing["servers"] = 2
        picture = self.look()
        self.assertEqual(
            ("some servers (cloud-unavailable)",), picture.missing
        )
        self.assertIn("b", picture.servers)
        del self.cloud.failing["servers"]
        self.assertFalse(self.look().partial)
        self.assertEqual(2, self.cloud.asked.count(None))
        self.look_until_listed()
        self.assertEqual(3, self.cloud.asked.count(None))
        self.look()
        self.assertNotIn("b", self.look().servers)

    def test_a_cell_that_is_down_makes_it_partial_and_drops_nothing(
        self,
    ) -> None:
        self.cloud.put(a_server("x", NOW, "k1"))
        self.cloud.hosts["k1"] = a_node("k1")
        self.look()
        full_at = self.observer.picture.full_at
        self.cloud.down = {"k"}
        for _ in range(300):
            picture = self.look()
            self.assertTrue(picture.partial)
            self.assertIn("x", picture.servers)
        self.assertEqual(full_at, picture.full_at)
        self.assertEqual("u-k1", picture.nodes["k1"].uuid)
        # two and a half hours: tried at ever longer intervals
        self.assertLess(self.cloud.asked.count(None), 12)
        self.cloud.down = set()
        tried = self.cloud.asked.count(None)
        self.look()
        self.assertEqual(tried + 1, self.cloud.asked.count(None))

    def test_when_the_cell_is_back_all_is_listed_before_it_is_whole(
        self,
    ) -> None:
        self.cloud.put(a_server("x", NOW, "k1"))
        self.cloud.hosts["k1"] = a_node("k1")
        self.look()
        self.cloud.down = {"k"}
        self.look(1000)
        # changed while nobody could see it, and older than the cursor
        self.cloud.put(a_server("x", NOW + 100, "k2"))
        self.cloud.put(a_server("a", NOW + 2000))
        self.look(1000)
        self.cloud.down = set()
        picture = self.look(1000)
        self.assertTrue(picture.partial)
        while self.observer.picture.partial:
            self.assertLess(self.now, NOW + 6000)
            picture = self.look()
        self.assertEqual("k2", self.observer.picture.servers["x"].host)

    def test_a_record_that_cannot_be_read_does_not_stop_the_cursor(
        self,
    ) -> None:
        self.cloud.spoilt = {"a": "updated is no time"}
        self.cloud.put(a_server("a", NOW + 1000, "h2"))
        picture = self.look(1000)
        self.assertEqual(
            ("1 servers cannot be read: updated is no time",), picture.unread
        )
        self.assertEqual({"a"}, picture.unread_servers)
        # what was known of it stays, and nobody else waits for it
        self.assertEqual("h1", picture.servers["a"].host)
        self.assertFalse(picture.partial)
        self.look(10)
        self.assertEqual(NOW + 700, self.cloud.asked[-1])
        self.cloud.spoilt = {}
        picture = self.look(10)
        self.assertEqual(
            ((), frozenset()),
            (
                picture.unread,
                picture.unread_servers,
            ),
        )
        self.assertEqual("h2", picture.servers["a"].host)

    def test_such_a_record_holds_up_no_listing_and_nobody_else(self) -> None:
        self.cloud.spoilt = {"b": "tenant_id is no short text"}
        del self.cloud.there["c"]
        self.look(3600)
        self.look_until_listed()
        for _ in range(3):
            picture = self.look()
        self.assertEqual(set("abdef"), set(picture.servers))
        self.assertFalse(picture.partial)

    def test_one_that_fails_by_itself_is_not_partial_either(self) -> None:
        # Nova cannot show it, though it can show the others
        del self.cloud.there["b"], self.cloud.there["c"]
        self.cloud.failing["server b"] = 0
        self.look(3600)
        self.look_until_listed()
        for _ in range(4):
            picture = self.look()
        self.assertEqual(set("abdef"), set(picture.servers))
        self.assertFalse(picture.partial)
        self.assertEqual(
            ("1 servers cannot be read: cloud-busy",), picture.unread
        )
        del self.cloud.failing["server b"]
        for _ in range(2):
            picture = self.look()
        self.assertEqual(
            (set("adef"), ()), (set(picture.servers), picture.unread)
        )

    def test_one_that_is_said_to_be_deleted_and_unreadable_blocks_none(
        self,
    ) -> None:
        for failing in (False, True):
            with self.subTest(failing=failing):
                self.setUp()
                # of those that are said to be deleted, these two are not
                for name in ("a", "b"):
                    self.cloud.gone[name] = NOW + 40
                    if failing:
                        self.cloud.failing[f"server {name}"] = 0
                    else:
                        self.cloud.spoilt[name] = "bad"
                self.cloud.delete("e", NOW + 50)
                full_at = self.look().full_at
                for _ in range(200):
                    picture = self.look()
                self.assertEqual(set("abcdf"), set(picture.servers))
                self.assertFalse(picture.partial)
                self.assertGreater(picture.full_at, full_at)

    def test_what_hosts_and_moves_hide_is_said(self) -> None:
        self.cloud.unread = ("1 migrations cannot be read: status",)
        picture = self.look()
        self.assertEqual(self.cloud.unread, picture.unread)
        self.assertFalse(picture.partial)


class NodesTest(Case):
    def test_one_request_a_look(self) -> None:
        self.look()
        self.assertEqual(1, self.cloud.calls["nodes"])
        self.cloud.hosts["h1"] = dataclasses.replace(
            a_node("h1"), enabled=False, reason="x"
        )
        picture = self.look()
        self.assertEqual(
            (0, 1),
            (
                self.cloud.calls["nodes"],
                self.cloud.calls["services"],
            ),
        )
        self.assertEqual("x", picture.nodes["h1"].reason)
        self.assertEqual("u-h1", picture.nodes["h1"].uuid)

    def test_a_new_service_has_the_compute_nodes_read(self) -> None:
        self.look()
        self.cloud.hosts["h2"] = a_node("h2", service="s2")
        picture = self.look()
        self.assertEqual("u-h2", picture.nodes["h2"].uuid)
        self.look()
        self.assertEqual(0, self.cloud.calls["nodes"])

    def test_a_host_with_another_service_is_read_again(self) -> None:
        self.look()
        self.cloud.hosts["h1"] = a_node("h1", "other", "s-other")
        self.assertEqual("other", self.look().nodes["h1"].uuid)

    def test_a_service_that_never_gets_one_costs_ever_less(self) -> None:
        self.look()
        self.cloud.hosts["h2"] = a_node("h2", uuid="", service="s2")
        reads = 0
        for _ in range(100):
            self.look()
            reads += self.cloud.calls["nodes"]
        self.assertLess(reads, 8)
        self.cloud.hosts["h2"] = a_node("h2", service="s2")
        for _ in range(120):
            picture = self.look()
        self.assertEqual("u-h2", picture.nodes["h2"].uuid)

    def test_what_fails_leaves_what_was(self) -> None:
        before = self.look()
        self.cloud.failing = {"services": 0, "nodes": 0}
        picture = self.look()
        self.assertEqual(before.nodes, picture.nodes)
        self.assertEqual(("compute services (cloud-busy)",), picture.missing)
        self.cloud.failing = {}
        self.assertFalse(self.look().partial)

    def test_a_host_whose_service_was_removed_goes(self) -> None:
        self.cloud.hosts["h2"] = a_node("h2")
        self.look()
        del self.cloud.hosts["h2"]
        self.assertEqual({"h1"}, set(self.look().nodes))


class MovesTest(Case):
    def setUp(self) -> None:
        super().setUp()
        self.cloud.put(a_server("a"))

    def test_those_of_a_day_ago_only_while_they_are_under_way(self) -> None:
        self.cloud.moves = [
            a_move(1, NOW - 80_000),
            a_move(2, NOW - 7200, Course.ARRIVED),
            a_move(3, NOW - 60, Course.FAILED),
        ]
        moves = self.look().migrations["a"]
        self.assertEqual([1, 3], [move.number for move in moves])

    def test_what_is_over_is_kept_for_an_hour(self) -> None:
        self.cloud.moves = [a_move(1, NOW)]
        self.look()
        self.cloud.moves = [a_move(1, NOW + 50, Course.ARRIVED)]
        self.look()
        picture = self.look(3500)
        self.assertIs(Course.ARRIVED, picture.migrations["a"][0].course)
        self.assertEqual({}, dict(self.look(200).migrations))

    def test_a_clock_that_jumps_forgets_nothing(self) -> None:
        self.cloud.moves = [a_move(1, NOW, Course.ARRIVED)]
        self.look()
        self.now += 10**8
        self.assertIn("a", self.look().migrations)

    def test_when_they_fail_the_old_ones_stay(self) -> None:
        self.cloud.moves = [a_move(1)]
        self.look()
        self.cloud.failing["migrations"] = 0
        picture = self.look()
        self.assertEqual(("migrations (cloud-busy)",), picture.missing)
        self.assertIn("a", picture.migrations)

    def test_one_under_way_goes_with_its_server_and_its_hour(self) -> None:
        self.cloud.put(a_server("b"))
        self.cloud.moves = [a_move(1)]
        self.look()
        self.cloud.delete("a", NOW + 40)
        self.assertIn("a", self.look().migrations)
        self.cloud.moves = []
        self.assertEqual({}, dict(self.look(3700).migrations))

    def test_one_that_is_no_more_goes_when_all_are_read(self) -> None:
        self.cloud.moves = [a_move(1)]
        self.look()
        self.cloud.moves = []
        self.assertIn("a", self.look(1000).migrations)
        self.assertNotIn("a", self.look(2700).migrations)


class TraitsTest(Case):
    def setUp(self) -> None:
        super().setUp()
        self.cloud.put(a_server("a"))
        self.names = [f"{POOL}{name}" for name in "ABCDEFGHIJ"]
        self.cloud.traits = {name: frozenset("u") for name in self.names}
        self.cloud.traits["CUSTOM_OTHER"] = frozenset("u")

    def test_at_first_all_with_our_prefix_then_four_a_look(self) -> None:
        self.assertEqual(set(self.names), set(self.look().traits))
        read: set[str] = set()
        for _ in range(3):
            self.look()
            self.assertEqual(4, self.cloud.calls["providers"])
            read |= {
                n for n in self.names if self.cloud.calls[f"providers {n}"]
            }
        self.assertEqual(set(self.names), read)

    def test_those_that_we_edited_come_at_once(self) -> None:
        self.look()
        self.observer.touched_traits(self.names[-2:])
        self.cloud.traits[self.names[-1]] = frozenset("v")
        picture = self.look()
        self.assertEqual(frozenset("v"), picture.traits[self.names[-1]])
        self.assertEqual(6, self.cloud.calls["providers"])
        self.look()
        self.assertEqual(4, self.cloud.calls["providers"])

    def test_one_that_nobody_has_any_more_goes(self) -> None:
        self.look()
        del self.cloud.traits[self.names[0]]
        self.assertNotIn(self.names[0], self.look().traits)

    def test_when_names_fail_the_old_ones_stay(self) -> None:
        before = self.look()
        self.cloud.failing["trait_names"] = 0
        picture = self.look()
        self.assertEqual(before.traits, picture.traits)
        self.assertEqual(("traits (cloud-busy)",), picture.missing)

    def test_one_that_fails_does_not_hold_up_the_others(self) -> None:
        self.look()
        bad = f"providers {self.names[0]}"
        self.cloud.failing[bad] = 0
        self.observer.touched_traits(self.names[:1])
        read: set[str] = set()
        for _ in range(5):
            self.assertTrue(self.look().partial)
            read |= {
                n for n in self.names if self.cloud.calls[f"providers {n}"]
            }
        self.assertEqual(set(self.names), read)
        del self.cloud.failing[bad]
        self.assertFalse(self.look().partial)

    def test_thousands_of_strange_ones_make_no_look_dearer(self) -> None:
        self.look()
        self.cloud.traits.update(
            {f"{POOL}X{n}": frozenset("u") for n in range(5000)}
        )
        self.look()
        self.assertEqual(4, self.cloud.calls["providers"])


change = st.tuples(
    st.sampled_from("abcdef"),
    st.sampled_from(["put", "move", "delete", "fail", "look", "look"]),
)


class PropertiesTest(unittest.TestCase):
    @settings(max_examples=200, deadline=None)
    @given(st.lists(change, max_size=30))
    @example(
        [
            *(("a", "look"), ("d", "put"), ("d", "delete"), ("a", "look")),
            *(("d", "put"), ("a", "look"), ("a", "fail"), ("d", "delete")),
        ]
    )
    def test_when_nothing_fails_any_more_the_picture_is_the_cloud(
        self, changes: list[tuple[str, str]]
    ) -> None:
        cloud = Remembered()
        cloud.put(a_server("z"))
        observer = Observer(cloud, pages_a_look=1)
        now = NOW
        for name, what in changes:
            now += 20
            if what == "delete" and name in cloud.there:
                cloud.delete(name, now)
            elif what in ("put", "move"):
                cloud.gone.pop(name, None)
                cloud.put(a_server(name, now, f"h{int(now) % 7}"))
            elif what == "fail":
                cloud.failing["servers"] = int(now) % 3
                picture = observer.look(now, now)
                del cloud.failing["servers"]
            else:
                observer.look(now, now)
        for _ in range(4):
            # two a look are asked for that a listing did not show
            now += 20
            picture = observer.look(now, now)
        self.assertEqual(cloud.there, dict(picture.servers))
        self.assertFalse(picture.partial)


if __name__ == "__main__":
    unittest.main()
