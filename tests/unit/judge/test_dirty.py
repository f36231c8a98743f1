# SPDX-License-Identifier: Apache-2.0
"""Dirty hosts take only servers of whose server they are dirty."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.dirty import NONE
from nfv_mla_scheduler.judge.dirty import DirtyHosts
from nfv_mla_scheduler.judge.dirty import owner_of
from nfv_mla_scheduler.judge.dirty import tag_of
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft
from tests.unit.judge import court
from tests.unit.judge import scenes

H1, H2 = drafts.uuid("h1"), drafts.uuid("h2")
SALT, OTHER_SALT = "0123456789abcdef", "f" * 16
OWN = tag_of("domain acme-keys", SALT)
OTHERS = tag_of("domain police", SALT)
NOBODYS = SALT + "0" * 32


def dirty(*tags: str) -> DirtyHosts:
    """Return the first host as dirty."""
    return DirtyHosts({H1: tags})


def case_of(
    draft: Draft, hosts: DirtyHosts, source: str | None = None
) -> Case:
    """Return the case of a draft's request while hosts are dirty."""
    world = drafts.build(draft)
    return court.judge_of(world).case(
        dataclasses.replace(world.request, source=source),
        court.snapshot_of(world),
        world.room,
        hosts,
    )


def glass(draft: Draft) -> None:
    draft.break_glass.append(
        BreakGlass(
            *(BreakGlassTarget.HOST, "h1", "why", "alice"),
            *(NOW - 1, NOW + 1),
        )
    )


# what is dirty, whether the draft's server may come to it
ROWS: tuple[tuple[str, DirtyHosts, bool], ...] = (
    ("nothing", NONE, True),
    ("left by its own domain", dirty(OWN), True),
    ("by another", dirty(OTHERS), False),
    ("by both", dirty(OWN, OTHERS), False),
    ("by its own twice", dirty(OWN, tag_of("domain acme-keys", "f" * 16)),
     True),
    ("by its project before it had a domain",
     dirty(tag_of(f"project {drafts.PROJECT}", SALT)), False),
    ("by one of whom nothing is said", dirty(NOBODYS), False),
    ("by one that cannot be read", dirty(""), False),
    ("another host", DirtyHosts({H2: (OTHERS,)}), True),
)  # fmt: skip


class DirtyTest(unittest.TestCase):
    def assert_admitted(self, case: Case, admitted: bool) -> None:
        """Assert what is decided, in whatever way it is asked."""
        host = court.Candidate(H1, "h1")
        self.assertEqual(
            [host] if admitted else [], case.admitted([host], NOW)
        )
        decision = case.decision(H1, "h1", NOW)
        self.assertEqual(admitted, decision.admitted)
        code = RefusalCode.NOT_CLEAN
        codes = [] if admitted else [code]
        self.assertEqual(codes, [r.code for r in decision.refusals])
        self.assertEqual(
            codes,
            [
                missing.refusal.code
                for unmet in case.unmet(H1, "h1", NOW)
                for way in unmet.ways
                for missing in way
            ],
        )
        self.assertEqual(
            {} if admitted else {code.value: 1},
            dict(case.tally([host], NOW)),
        )

    def test_who_may_come(self) -> None:
        asking = scenes.asking(2, capability__tpm="hardware")
        for asks, draft in (("asks", asking), ("nothing", drafts.good(2))):
            for name, hosts, admitted in ROWS:
                with self.subTest(name, asks=asks):
                    self.assert_admitted(case_of(draft, hosts), admitted)

    def test_who_is_there_may_stay(self) -> None:
        draft = drafts.good(2)
        self.assert_admitted(case_of(draft, dirty(OTHERS), "h1"), True)
        self.assert_admitted(case_of(draft, dirty(OTHERS), "h2"), False)

    def test_no_host_gets_clean_by_another_name_or_node(self) -> None:
        case = case_of(drafts.good(2), dirty(OTHERS))
        for pair in ((H1, "h9"), ("another", "h1")):
            with self.subTest(pair):
                admitted = case.admitted([court.Candidate(*pair)], NOW)
                self.assertEqual([], admitted)

    def test_it_is_one_reason_among_others(self) -> None:
        draft = scenes.asking(1, capability__tpm="hardware")
        scenes.silent(draft, "tpm")
        decision = case_of(draft, dirty(OTHERS)).decision(H1, "h1", NOW)
        self.assertEqual(
            {"no-claim", "not-clean"}, court.codes(decision.refusals)
        )

    def test_an_officer_may_break_the_glass(self) -> None:
        draft = drafts.good(2)
        glass(draft)
        case = case_of(draft, dirty(OTHERS))
        self.assert_admitted(case, True)
        decision = case.decision(H1, "h1", NOW)
        self.assertEqual({"not-clean"}, court.codes(decision.waived))
        host = court.Candidate(H1, "h1")
        self.assertEqual(1, len(case.broken_glass([host], NOW)))

    def test_no_mode_of_a_visitor_helps(self) -> None:
        draft = drafts.good(2)
        draft.modes["projects"][drafts.PROJECT] = NOW + 100
        self.assert_admitted(case_of(draft, dirty(OTHERS)), False)

    def test_without_a_policy_a_project_is_known_by_itself(self) -> None:
        draft = drafts.good(2)
        draft.without_policy = True
        own = tag_of(f"project {drafts.PROJECT}", SALT)
        self.assert_admitted(case_of(draft, dirty(own)), True)
        self.assert_admitted(case_of(draft, dirty(OWN)), False)

    def test_two_hosts_of_one_owner_do_not_look_alike(self) -> None:
        owner = owner_of(drafts.PROJECT, drafts.policy_of(drafts.good()))
        self.assertEqual("domain acme-keys", owner)
        tags = [tag_of(owner, salt)[16:] for salt in (SALT, OTHER_SALT)]
        self.assertNotEqual(*tags)
