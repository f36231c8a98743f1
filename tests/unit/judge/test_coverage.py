# SPDX-License-Identifier: Apache-2.0
"""That the worlds we try are worth trying: nothing is left out."""

from __future__ import annotations

import collections
import unittest
from random import Random

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.policy.keys import KEYS
from tests.unit import asks
from tests.unit import changes
from tests.unit import drafts
from tests.unit.generators import DRAWN
from tests.unit.generators import Recipe
from tests.unit.judge import court

# The judge never says this: it is said when there is nobody to judge.
ELSEWHERE = {RefusalCode.UNAVAILABLE, RefusalCode.NOT_CLEAN}
WORLDS = 1500


def sweep(worlds=WORLDS):
    """Yield (recipe, draft), the same ones every time."""
    rnd = Random(4)
    names = [key.name for key in KEYS]
    for _ in range(worlds):
        recipe = Recipe(
            rnd.choice((1, 2, 3)),
            tuple(
                (
                    rnd.choice(names),
                    rnd.choice(asks.SOURCES),
                    rnd.randrange(2**16),
                )
                for _ in range(rnd.choice((1, 1, 2, 3)))
            ),
            tuple(
                (rnd.choice(DRAWN), rnd.randrange(2**16))
                for _ in range(rnd.randrange(6))
            ),
            rnd.choice((None, rnd.randrange(2**16))),
        )
        yield recipe, recipe.draft()


class TestCoverage(unittest.TestCase):
    def test_nothing_is_left_out(self):
        seen = collections.Counter()
        for recipe, draft in sweep():
            seen.update(name for name, _, _ in recipe.asked)
            seen.update(name for name, _ in recipe.changed)
            case = court.case_of(drafts.build(draft))
            for uuid, host in draft.candidates():
                decision = case.decision(uuid, host, draft.now)
                seen.update(court.codes(decision))
                if host not in draft.bindings:
                    continue
                seen[decision.admitted] += 1
                seen["waived"] += bool(decision.waived)
                seen["permissive"] += bool(decision.would_refuse)
                if decision.admitted:
                    seen.update(self._asked_classes(draft))
                    seen.update(f"met {key}" for key in _keys(draft))
        wanted = {key.name for key in KEYS}
        wanted |= {f"met {key.name}" for key in KEYS}
        wanted |= set(changes.CHANGES) | {"waived", "permissive"}
        wanted |= {c.value for c in set(RefusalCode) - ELSEWHERE}
        wanted |= {host_class.value for host_class in HostClass}
        self.assertEqual(set(), wanted - set(seen))
        share = seen[True] / (seen[True] + seen[False])
        self.assertTrue(0.3 < share < 0.7, share)

    def _asked_classes(self, draft):
        for where in (draft.extra_specs, draft.floor):
            for key, value in where.items():
                if key.endswith("host_class"):
                    yield from value.split(", ")

    def test_drafts_know_every_status_grade_and_subject(self):
        statuses, grades = set(), set()
        for _, draft in sweep(300):
            for told in draft.told.values():
                statuses |= {c.status for c in told.claims.values()}
                grades |= {c.grade for c in told.claims.values()}
        self.assertEqual(set(Status), statuses)
        self.assertEqual(3, len(grades))
        subjects = {
            term.subject
            for requirement in drafts.CATALOGUE.requirements.values()
            for group in requirement.groups
            for term in group
        }
        self.assertEqual(set(Subject), subjects)


def _keys(draft):
    for where in (draft.extra_specs, draft.hints, draft.floor):
        for key in where:
            name = key.removeprefix("nfv_mla:")
            if name.startswith("capability."):
                name = "capability.{capability}"
            yield name
