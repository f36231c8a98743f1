# SPDX-License-Identifier: Apache-2.0
"""A result at fault carries nothing, and contradicts what it did."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.values import ResultsDocument
from tests.unit import drafts
from tests.unit.drafts import Draft
from tests.unit.judge import court
from tests.unit.judge import scenes
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import declares
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent


def _faulty(document: ResultsDocument, authority: str) -> ResultsDocument:
    """Return the document with all results of an authority faulty."""
    results = {
        name: {
            attester: dataclasses.replace(result, faulty=name == authority)
            for attester, result in found.items()
        }
        for name, found in document.results.items()
    }
    return dataclasses.replace(document, results=results)


def _codes(draft: Draft, *faulty: str) -> set[str]:
    """Return the codes by which h1 is refused, and ask both judges."""
    world = drafts.build(draft)
    for authority in faulty:
        assert world.document is not None
        document = _faulty(world.document, authority)
        world = dataclasses.replace(world, document=document)
    case = court.case_of(world)
    return court.codes(case.decision(drafts.uuid("h1"), "h1", draft.now))


class FaultyTest(unittest.TestCase):
    def setUp(self) -> None:
        self.draft = asking(capability__tpm="hardware")
        self.assertEqual(set(), _codes(self.draft))

    def _alone(self) -> None:
        """Let only one authority and no other speak of the TPM."""
        silent(self.draft, "tpm")
        says(self.draft, "tpm")

    def test_what_it_affirms_carries_nothing(self) -> None:
        self._alone()
        self.assertEqual(set(), _codes(self.draft))
        self.assertEqual({"doubted"}, _codes(self.draft, "kl"))

    def test_what_it_contradicts_blocks_whoever_else_carries_it(self) -> None:
        for how in (
            {"status": Status.CONTRAINDICATED},
            {"status": Status.WARNING},
            {"values": "virtual"},
        ):
            with self.subTest(how):
                draft = asking(capability__tpm="hardware")
                for authority, host in draft.told:
                    says(draft, "tpm", authority, host)
                declares(draft, "tpm")
                self.assertEqual(set(), _codes(draft, "kl"))
                says(draft, "tpm", **how)
                self.assertTrue(_codes(draft))
                self.assertEqual(_codes(draft), _codes(draft, "kl"))

    def test_shapes_tell_a_faulty_result_from_a_good_one(self) -> None:
        self._alone()
        world = drafts.build(self.draft)
        document = world.document
        assert document is not None
        judge = court.judge_of(world)
        snapshot = court.snapshot_of(world)
        for faulty in ("", "kl", ""):
            snapshot = view.merge(
                snapshot,
                world.policy,
                _faulty(document, faulty),
                world.own_state,
            )
            case = judge.case(world.request, snapshot, world.room)
            decision = case.decision(drafts.uuid("h1"), "h1", self.draft.now)
            self.assertEqual(
                {"doubted"} if faulty else set(), court.codes(decision)
            )

    def test_hosts_of_one_claim_set_are_of_two_shapes(self) -> None:
        draft = scenes.asking(2, capability__tpm="hardware")
        world = drafts.build(draft)
        document = world.document
        assert document is not None
        attester = draft.bindings["h1"].attesters["kl"]
        claims = document.results["kl"][attester].claims
        results = {
            name: {
                a: dataclasses.replace(
                    r, claims=claims, faulty=(name, a) == ("kl", attester)
                )
                for a, r in found.items()
            }
            for name, found in document.results.items()
        }
        world = dataclasses.replace(
            world, document=dataclasses.replace(document, results=results)
        )
        records = court.snapshot_of(world).records
        one, two = (records[drafts.uuid(host)] for host in ("h1", "h2"))
        self.assertIsNot(one.shape, two.shape)
        self.assertEqual([True], [v.faulty for v in one.shape.voices][:1])
