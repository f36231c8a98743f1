# SPDX-License-Identifier: Apache-2.0
"""The feed keeps the policy in brief, for processes that cannot judge."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import unittest
from typing import Any
from unittest import mock

from nfv_mla_scheduler.feed import policy_file
from nfv_mla_scheduler.feed.brief import brief
from nfv_mla_scheduler.policy.state import BRIEF
from nfv_mla_scheduler.policy.state import State
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.unit.feed.files import Files
from tests.unit.feed.files import version


class WhatItSaysTest(unittest.TestCase):
    said: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.policy = policies.policy()
        cls.said = json.loads(brief(cls.policy, load()))

    def test_pools_that_are_closed_to_anybody(self) -> None:
        closed = {
            name
            for name, pool in self.policy.pools.items()
            if pool.exclusive_to is not None or pool.management_domains
        }
        self.assertEqual(closed, set(self.said["pools"]))
        self.assertLess(closed, set(self.policy.pools))
        for name, terms in self.said["pools"].items():
            pool = self.policy.pools[name]
            exclusive = terms["exclusive_to"]
            self.assertEqual(
                pool.exclusive_to,
                None if exclusive is None else frozenset(exclusive),
            )
            self.assertEqual(
                pool.management_domains, frozenset(terms["managed_by"] or ())
            )
            self.assertEqual(
                self.policy.permissive.pools.get(name),
                terms["permissive_until"],
            )
        dates = [t["permissive_until"] for t in self.said["pools"].values()]
        self.assertTrue(any(dates))

    def test_their_hosts(self) -> None:
        self.assertEqual(
            {
                member: sorted(
                    name
                    for name in self.said["pools"]
                    if member in self.policy.pools[name].members
                )
                for name in self.said["pools"]
                for member in self.policy.pools[name].members
            },
            self.said["hosts"],
        )

    def test_projects(self) -> None:
        projects = self.policy.projects.values()
        self.assertEqual(
            sorted(p.project_id for p in projects if p.floor),
            self.said["floors"],
        )
        self.assertEqual(
            {
                p.project_id: p.trust_domain
                for p in projects
                if p.trust_domain is not None
            },
            self.said["trust_domains"],
        )

    def test_whose_servers_nobody_is_told_about(self) -> None:
        self.assertEqual([], self.said["sealed"])
        domains = {"loud": None, "hush": "a key", "calm": "another"}
        policy = dataclasses.replace(self.policy, trust_domains=domains)
        said = json.loads(brief(policy, load()))
        self.assertEqual(["calm", "hush"], said["sealed"])

    def test_the_version(self) -> None:
        self.assertEqual(7, self.said["version"])


class KeepingTest(unittest.TestCase):
    def setUp(self) -> None:
        self.files = Files.of(self)
        self.path = self.files.state / BRIEF

    def _version(self) -> int:
        found: int = json.loads(self.path.read_bytes())["version"]
        return found

    def _take(self, number: int) -> list[str]:
        self.files.put_policy(version(number))
        return self.files.codes()

    def test_it_is_kept_with_each_policy_that_is_taken(self) -> None:
        self._take(7)
        self.assertEqual(7, self._version())
        self._take(8)
        self.assertEqual(8, self._version())
        self._take(6)
        self.assertEqual(8, self._version())

    def test_it_is_for_its_owner_only(self) -> None:
        self._take(7)
        self.assertEqual(0o600, stat.S_IMODE(self.path.stat().st_mode))

    def test_it_is_kept_again_after_a_restart(self) -> None:
        self._take(7)
        for damage in (None, b"{", b" " * (33 * 2**20)):
            self.path.unlink()
            if damage is not None:
                self.path.write_bytes(damage)
            self.files.policy_file.unlink(missing_ok=True)
            self.files.new_feed()
            self.files.refresh()
            self.assertEqual(7, self._version())

    def test_it_is_not_written_again_while_it_says_the_same(self) -> None:
        self._take(7)
        before = self.path.stat()
        self.files.new_feed()
        self.files.refresh()
        self.assertEqual(before.st_ino, self.path.stat().st_ino)
        with mock.patch.object(policy_file, "brief") as made:
            self.files.refresh()
        self.assertEqual(0, made.call_count)

    def test_an_older_one_does_not_replace_a_newer_one(self) -> None:
        self._take(8)
        State(self.files.state).keep_brief(7, b"{}")
        self.assertEqual(8, self._version())
        State(self.files.state).keep_brief(8, b"{}")
        self.assertEqual(b"{}", self.path.read_bytes())

    def test_that_it_cannot_be_kept_is_told_once_and_tried_again(
        self,
    ) -> None:
        replace = os.replace
        refusing = True

        def full(source: Any, target: Any) -> None:
            if refusing and os.path.basename(target) == BRIEF:
                raise OSError(28, "No space left on device")
            replace(source, target)

        with mock.patch.object(os, "replace", full):
            self.assertEqual(
                ["policy-taken", "policy-not-kept"],
                [c for c in self._take(7) if c.startswith("policy")],
            )
            self.assertNotIn("policy-not-kept", self.files.codes())
            refusing = False
            self.assertEqual(["policy-kept-again"], self.files.codes())
        self.assertEqual(7, self._version())
        self.assertEqual([], self.files.codes())
