# SPDX-License-Identifier: Apache-2.0
"""Whatever the world is like, explain says what the filter's judge does."""

from __future__ import annotations

import json
import re
import unittest

from hypothesis import given

from nfv_mla_scheduler.cmd import explain_found
from nfv_mla_scheduler.cmd import explain_json
from nfv_mla_scheduler.cmd import explain_text
from nfv_mla_scheduler.cmd.explain_found import Found
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from tests.unit import drafts
from tests.unit.drafts import Draft
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.judge import court
from tests.unit.judge import scenes

#: So many lines are still read, however many hosts there are.
LINES_MAX = 160


def found_in(draft: Draft, names: tuple[str, ...] = ()) -> Found:
    """Return what ``explain`` finds out in the world of a draft."""
    world = drafts.build(draft)
    snapshot = court.snapshot_of(world)
    hosts = explain_found.candidates(snapshot, names)
    case = court.judge_of(world).case(world.request, snapshot, world.room)
    return Found(
        explain_found.asked(world.request, snapshot),
        snapshot,
        world.management_domain,
        (),
        (),
        explain_found.decide(case, hosts, draft.now),
        bool(names),
        draft.now,
    )


def read(found: Found, limits=explain_text.SHORT) -> str:
    return "\n".join(explain_text.lines(found, limits))


class AnyWorldTest(unittest.TestCase):
    @examples(200)
    @given(recipes())
    def test_hosts_admit_whom_the_filter_lets_through(self, recipe) -> None:
        draft = recipe.draft()
        draft.misbound.clear()
        known = set() if draft.without_policy else set(draft.bindings)
        everybody = [
            c if c.host in known else court.Candidate("", c.host)
            for c in court.candidates(draft)
        ]
        chosen = court.case_of(drafts.build(draft)).admitted(
            everybody, draft.now
        )
        found = found_in(draft, tuple(c.host for c in everybody))
        self.assertEqual(
            {c.host: c in chosen for c in everybody},
            {d.host: d.admitted for d in found.decisions},
        )
        document = explain_json.document(found)
        self.assertEqual(
            sorted(c.host for c in chosen),
            [h["host"] for h in document["hosts"] if h["admitted"]],
        )
        self.assertEqual(len(chosen), document["summary"]["admitted"])
        self.assertEqual(len(chosen), found.admitted)

    @examples(80)
    @given(recipes())
    def test_text_and_json_leave_nothing_out(self, recipe) -> None:
        draft = recipe.draft()
        found = found_in(draft)
        document = json.loads(json.dumps(explain_json.document(found)))
        reasons = document["reasons"]
        whole = read(found, explain_text.WHOLE)
        for decision, host in zip(
            found.decisions, document["hosts"], strict=True
        ):
            for field in ("refusals", "waived", "would_refuse"):
                told = [reasons[n]["detail"] for n in host[field]]
                refusals = getattr(decision, field)
                self.assertEqual([r.detail for r in refusals], told)
            if decision.host:
                self.assertRegex(whole, rf"\b{decision.host}\b|all \d+ hosts")
        for shared in explain_found.shared_reasons(found.decisions):
            for refusal in shared.refusals:
                self.assertIn(f"    {refusal.code.value} ", whole)
                having = [
                    d.host for d in found.decisions if refusal in d.refusals
                ]
                self.assertEqual(sorted(having), list(shared.hosts))

    @examples(80)
    @given(recipes())
    def test_it_is_plain_and_no_line_is_too_long(self, recipe) -> None:
        draft = recipe.draft()
        lines = read(found_in(draft)).splitlines()
        for line in lines:
            self.assertLessEqual(len(line), explain_text.WIDTH)
            self.assertNotRegex(line, r"None\b(?! of)|[{}]|\bnan\b|\binf\b")
            self.assertEqual(line, line.rstrip())
        self.assertLess(len(lines), LINES_MAX)

    @examples(60)
    @given(recipes())
    def test_what_is_asked_is_told_by_source(self, recipe) -> None:
        draft = recipe.draft()
        draft.without_policy = False
        found = found_in(draft)
        document = explain_json.document(found)
        asked = document["asked"]
        ours = [k for k in draft.extra_specs if k.startswith("nfv_mla:")]
        if asked["malformed"]:
            self.assertEqual(
                {"malformed"}, set(document["summary"]["refused"])
            )
            return
        demanding = {
            k.removeprefix("nfv_mla:")
            for k in ours
            if not k.endswith((":conceals", ":copy"))
        }
        told = asked["sources"].get("flavor", {})
        self.assertEqual(bool(demanding), "flavor" in asked["sources"])
        self.assertLessEqual(
            {k.partition(".")[0] for k in demanding},
            {re.sub("_s$", "", k) for k in told},
        )
        floor = drafts.floor_of(draft)
        self.assertEqual(
            floor is not None and floor.demands, "floor" in asked["sources"]
        )


class ManyHostsTest(unittest.TestCase):
    """Ten thousand hosts, each with troubles of its own."""

    def _found(self, decisions: tuple[Decision, ...]) -> Found:
        draft = scenes.asking(1, capability__tpm="hardware")
        few = found_in(draft)
        return Found(
            few.asked,
            few.snapshot,
            "",
            (),
            (),
            decisions,
            False,
            draft.now,
        )

    def test_the_text_stays_short(self) -> None:
        codes = list(RefusalCode)
        decisions = tuple(
            Decision(
                f"host-{n:05}",
                tuple(
                    Refusal(codes[(n + k) % 23], f"c{n % 97}", "5.1.1")
                    for k in range(n % 12)
                ),
                1e9 + n,
            )
            for n in range(10_000)
        )
        found = self._found(decisions)
        text = read(found)
        self.assertLess(len(text.splitlines()), LINES_MAX)
        self.assertRegex(text, r"and more of \d+ hosts: --all-refusals")
        self.assertIn("and 828 more: until", text)
        self.assertEqual(10_000, len(explain_json.document(found)["hosts"]))

    def test_hosts_with_the_same_reason_are_one_entry(self) -> None:
        refusal = Refusal(RefusalCode.NO_CLAIM, "tpm", "6.17")
        decisions = tuple(
            Decision(f"host-{n:05}", (refusal,), 1e9) for n in range(10_000)
        )
        text = read(self._found(decisions))
        self.assertIn("None of 10000 hosts admits the server: 10000", text)
        self.assertIn("  all 10000 hosts\n    no-claim", text)
        self.assertEqual(1, text.count("\n    no-claim"))
