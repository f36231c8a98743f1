# SPDX-License-Identifier: Apache-2.0
"""What is found out about one host, and said of others that are alike.

A loader hands out one object for all claims that are equal; the worlds of the
other tests have objects for each host, of which nothing is shared.
"""

from __future__ import annotations

import dataclasses
import unittest

from hypothesis import given

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.standard.terms import parse_term
from tests.unit import brute_force
from tests.unit import drafts
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.judge import court
from tests.unit.judge import scenes

BOTH = ("h1", "h2")


def shared(world):
    """Return a world in which equal claims are one object, as are sets."""
    known = {}

    def one(content, value):
        return known.setdefault(content, value)

    def claims_of(result):
        claims = {}
        for name, claim in sorted(result.claims.items()):
            values = tuple(sorted((k, v) for k, v in claim.values.items()))
            content = (name, claim.status, claim.grade, values)
            claims[name] = one(content, claim)
        return one(tuple(map(id, claims.values())), claims)

    results = {
        authority: {
            attester: dataclasses.replace(result, claims=claims_of(result))
            for attester, result in attesters.items()
        }
        for authority, attesters in world.document.results.items()
    }
    document = dataclasses.replace(world.document, results=results)
    return dataclasses.replace(world, document=document)


class SharedTest(unittest.TestCase):
    def _compare(self, draft) -> dict[str, set[str]]:
        """Judge each host by a judge that knows the others, and by none."""
        world = shared(drafts.build(draft))
        case = court.case_of(world)
        found = {}
        for c in court.candidates(draft):
            decision = case.decision(c.uuid, c.host, draft.now)
            alone = court.case_of(world).decision(c.uuid, c.host, draft.now)
            self.assertEqual(alone, decision)
            found[c.host] = court.codes(decision)
        return found

    @examples(300)
    @given(recipes())
    def test_whatever_differs_a_host_is_judged_as_if_alone(self, recipe):
        self._compare(recipe.draft())

    @examples(150)
    @given(recipes())
    def test_as_by_brute_force(self, recipe):
        draft = recipe.draft()
        world = shared(drafts.build(draft))
        chosen = court.case_of(world).admitted(
            court.candidates(draft), draft.now
        )
        self.assertEqual(
            {
                c
                for c in court.candidates(draft)
                if brute_force.admitted(world, c.uuid, c.host, draft.now)
            },
            set(chosen),
        )

    def test_hosts_that_differ_in_their_pool_alone(self) -> None:
        draft = scenes.asking(2, pool="pool-1")
        scenes.pool(draft, "pool-1", members="h1")
        scenes.pool(draft, "pool-2", members="h2")
        self.assertEqual(
            {"h1": set(), "h2": {"not-in-pool"}}, self._some(draft)
        )

    def test_hosts_that_lack_what_each_pool_of_theirs_wants(self) -> None:
        draft = scenes.asking(2, pool="pool-1,pool-2")
        for number, wanted in enumerate(("hsm", "secure-logging"), start=1):
            scenes.pool(
                draft,
                f"pool-{number}",
                HostClass.SECURE_EXECUTION,
                f"h{number}",
                prove=(parse_term(wanted),),
            )
            for host in BOTH:
                scenes.silent(draft, wanted, host)
        world = shared(drafts.build(draft))
        case = court.case_of(world)
        lacks = [
            {
                refusal.capability
                for refusal in case.decision(
                    drafts.uuid(host), host, draft.now
                ).refusals
            }
            for host in BOTH
        ]
        self.assertEqual([{"hsm"}, {"secure-logging"}], lacks)

    def test_hosts_that_differ_in_a_declared_fact(self) -> None:
        draft = scenes.asking(2, capability__hsm="required")
        for host in BOTH:
            scenes.silent(draft, "hsm", host)
        scenes.declares(draft, "hsm", "h1")
        self.assertEqual({"h1": set(), "h2": {"no-claim"}}, self._some(draft))

    def test_hosts_that_differ_in_the_end_of_a_declared_fact(self) -> None:
        draft = scenes.asking(2, capability__hsm="required")
        for number, host in enumerate(BOTH):
            scenes.silent(draft, "hsm", host)
            scenes.declares(draft, "hsm", host, until=drafts.NOW + 10 * number)
        draft.now = drafts.NOW + 5
        self.assertEqual({"h1": {"stale"}, "h2": set()}, self._some(draft))

    def test_hosts_of_which_one_is_in_a_permissive_pool(self) -> None:
        draft = scenes.asking(2, capability__hsm="required")
        for host in BOTH:
            scenes.silent(draft, "hsm", host)
        scenes.pool(draft, "pool-1", members="h1")
        draft.modes["pools"]["pool-1"] = drafts.NOW + 100
        self.assertEqual({"h1": set(), "h2": {"no-claim"}}, self._some(draft))

    def test_hosts_of_which_one_has_a_tpm_that_is_pinned(self) -> None:
        draft = drafts.good(2)
        scenes.bare(draft, external_voucher=True)
        for host in BOTH:
            del draft.told["ver", host]
        self.assertEqual(
            {"h1": {"authority-silent"}, "h2": {"authority-silent"}},
            self._some(draft),
        )
        one = draft.bindings["h1"]
        assert isinstance(one, Binding)
        draft.bindings["h1"] = dataclasses.replace(one, pinned_keys=("a",))
        for host in BOTH:
            draft.told["kl", host].key = "a"
        self.assertEqual(
            {"h1": set(), "h2": {"authority-silent"}}, self._some(draft)
        )
        two = draft.bindings["h2"]
        assert isinstance(two, Binding)
        draft.bindings["h2"] = dataclasses.replace(two, pinned_keys=("b",))
        self.assertEqual(
            {"h1": set(), "h2": {"authority-silent"}}, self._some(draft)
        )

    def test_hosts_of_which_different_authorities_claim_the_same(self) -> None:
        draft = scenes.asking(2, authority="kl")
        del draft.told["ver", "h1"], draft.told["kl", "h2"]
        self.assertEqual(
            {"h1": set(), "h2": {"authority-silent"}}, self._some(draft)
        )

    def test_hosts_of_which_one_is_doubted(self) -> None:
        draft = scenes.asking(2, capability__tpm="hardware")
        for host in BOTH:
            del draft.told["ver", host]
        draft.now = drafts.NOW
        world = shared(drafts.build(draft))
        results = world.document.results["kl"]
        one = results["k-h1"]
        assert isinstance(one, Result)
        results["k-h1"] = dataclasses.replace(one, faulty=True)
        case = court.case_of(world)
        self.assertEqual(
            [{"doubted"}, set()],
            [
                court.codes(case.decision(drafts.uuid(h), h, draft.now))
                for h in BOTH
            ],
        )

    def _some(self, draft) -> dict[str, set[str]]:
        found = self._compare(draft)
        return {host: found[host] for host in BOTH}
