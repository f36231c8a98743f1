# SPDX-License-Identifier: Apache-2.0
"""Without a judge, the same hosts are closed as by the judge's own rules."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import unittest
from typing import Any
from typing import ClassVar

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.feed.brief import FORMAT
from nfv_mla_scheduler.feed.brief import brief
from nfv_mla_scheduler.judge.closures import closed_hosts
from nfv_mla_scheduler.judge.closures import shut
from nfv_mla_scheduler.scheduler import fallback
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.unit import drafts
from tests.unit.generators import examples
from tests.unit.generators import moments
from tests.unit.generators import recipes

ROOT = pathlib.Path(__file__).parents[3]
CATALOGUE = load()
GOOD = brief(policies.policy(), CATALOGUE)
MEMBERS = json.loads(GOOD)
TERMS: dict[str, Any] = {
    "exclusive_to": ["acme"],
    "managed_by": None,
    "permissive_until": None,
}


class Host:
    def __init__(self, host: str) -> None:
        self.host = host


def plain(project: str) -> Plain:
    return Plain(project, {}, None, {}, None, "")


class SameRulesTest(unittest.TestCase):
    """The rule of 7.2 is written twice; these hold the two together."""

    @examples(400)
    @hypothesis.given(recipes())
    def test_as_by_the_closures_of_the_judge(self, recipe: Any) -> None:
        draft = recipe.draft()
        policy = drafts.policy_of(draft)
        known = fallback.read_brief(brief(policy, CATALOGUE))
        hosts = [Host(name) for _, name in draft.candidates()]
        times = [draft.now, *moments(draft), *map(_after, moments(draft))]
        for project in (drafts.PROJECT, "other"):
            for domain in (draft.management_domain, "police", ""):
                closed = closed_hosts(policy, CATALOGUE, project, domain)
                asks = project == drafts.PROJECT and bool(
                    policy.projects[project].floor
                )
                for now in times:
                    left = fallback.open_hosts(
                        hosts, plain(project), known, domain, False, now
                    )
                    expected = [
                        h
                        for h in hosts
                        if not asks and not shut(closed, "", h.host, now)
                    ]
                    self.assertEqual(expected, left)

    def test_equal_policies_have_equal_briefs(self) -> None:
        again = brief(policies.policy(), load())
        self.assertEqual(GOOD, again)
        self.assertEqual(FORMAT, fallback.FORMAT)


def _after(moment: float) -> float:
    return moment + 0.5


def changed(**members: Any) -> bytes:
    return json.dumps({**MEMBERS, **members}).encode()


DAMAGED = {
    "nothing": b"",
    "half": GOOD[: len(GOOD) // 2],
    "no UTF-8": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "a list": b"[]",
    "another format": changed(format="nfv-mla-brief/2"),
    "no version": changed(version=None),
    "a version true": changed(version=True),
    "no pools": changed(pools=None),
    "pools of words": changed(pools={"a": "b"}),
    "a pool without its terms": changed(pools={"a": {}}),
    "pools of another policy": changed(pools={}, hosts={"h": ["a"]}),
    "exclusive to a word": changed(
        pools={"a": {**TERMS, "exclusive_to": "acme"}}, hosts={}
    ),
    "managed by numbers": changed(
        pools={"a": {**TERMS, "managed_by": [1]}}, hosts={}
    ),
    "permissive for ever": changed(
        pools={"a": {**TERMS, "permissive_until": float("inf")}}, hosts={}
    ),
    "permissive until no date": changed(
        pools={"a": {**TERMS, "permissive_until": "2027"}}, hosts={}
    ),
    "permissive for too long": changed(
        pools={"a": {**TERMS, "permissive_until": 10**400}}, hosts={}
    ),
    "permissive truly": changed(
        pools={"a": {**TERMS, "permissive_until": True}}, hosts={}
    ),
    "hosts of words": changed(hosts={"h": "a"}),
    "a trust domain of null": changed(trust_domains={"p": None}),
    "floors of an object": changed(floors={}),
    "floors of null": changed(floors=[None]),
    "sealed for a word": changed(sealed="acme"),
    "sealed for null": changed(sealed=None),
}


class DiscretionTest(unittest.TestCase):
    """Who may be told about a server."""

    DOMAINS: ClassVar[dict[str, str]] = {"p": "hush", "q": "loud"}

    def told(self, project: str, **members: Any) -> fallback.Discretion:
        data = changed(trust_domains=self.DOMAINS, **members)
        return fallback.read_brief(data).discretion(project)

    def test_as_the_policy_says(self) -> None:
        for project, domain in (("p", "hush"), ("q", None), ("other", None)):
            found = self.told(project, sealed=["hush"])
            with self.subTest(project):
                self.assertEqual(fallback.Discretion(True, domain), found)
                self.assertEqual(domain is None, found.logged)

    def test_what_was_kept_by_an_earlier_release_does_not_tell(self) -> None:
        older = {k: v for k, v in MEMBERS.items() if k != "sealed"}
        older["trust_domains"] = self.DOMAINS
        known = fallback.read_brief(json.dumps(older).encode())
        for project in self.DOMAINS:
            found = known.discretion(project)
            self.assertEqual(fallback.Discretion(known=False), found)
            self.assertFalse(found.logged)
        # nobody's entries are kept for no trust domain
        self.assertTrue(known.discretion("other").logged)


class DamagedTest(unittest.TestCase):
    def test_what_the_table_is_made_from_is_good(self) -> None:
        fallback.read_brief(changed())
        fallback.read_brief(changed(pools={"a": TERMS}, hosts={"h": ["a"]}))

    def test_each_is_called_damaged(self) -> None:
        for name, data in DAMAGED.items():
            with (
                self.subTest(name),
                self.assertRaises(fallback.BadBrief),
            ):
                fallback.read_brief(data)

    def test_every_member_is_needed(self) -> None:
        for name in MEMBERS.keys() - {"sealed"}:
            fewer = {k: v for k, v in MEMBERS.items() if k != name}
            with self.subTest(name), self.assertRaises(fallback.BadBrief):
                fallback.read_brief(json.dumps(fewer).encode())

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        st.integers(0, len(GOOD) - 1), st.binary(max_size=8), st.booleans()
    )
    def test_a_few_bytes_changed(
        self, at: int, patch: bytes, longer: bool
    ) -> None:
        rest = GOOD[at:] if longer else GOOD[at + len(patch) :]
        try:
            known = fallback.read_brief(GOOD[:at] + patch + rest)
        except fallback.BadBrief:
            return
        hosts = [Host(name) for name in (*MEMBERS["hosts"], "web-1")]
        for project in (*MEMBERS["trust_domains"], "other"):
            fallback.open_hosts(hosts, plain(project), known, "", True, 0.0)


class ImportsTest(unittest.TestCase):
    def test_the_standard_library_is_enough(self) -> None:
        code = (
            "import sys\n"
            f"sys.path.insert(0, {str(ROOT)!r})\n"
            "from nfv_mla_scheduler.scheduler import fallback\n"
            "ours = [m for m in sys.modules if m.startswith('nfv_mla')]\n"
            "print(*sorted(ours))\n"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            capture_output=True,
            text=True,
        )
        self.assertEqual("", done.stderr)
        package = "nfv_mla_scheduler"
        self.assertEqual(
            [
                package,
                f"{package}.model",
                f"{package}.policy",
                f"{package}.policy.keys",
                f"{package}.scheduler",
                f"{package}.scheduler.adapters",
                f"{package}.scheduler.fallback",
            ],
            done.stdout.split(),
        )
