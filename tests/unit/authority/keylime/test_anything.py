# SPDX-License-Identifier: Apache-2.0
"""Whatever servers answer, the driver has no fault: results, or codes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import KeylimeCode
from tests.authorities import keylime_data as data
from tests.authorities.servers import page
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import DriverCase
from tests.unit.authority.keylime.test_record import ANYTHING

CODES = {code.value for code in (*ContactCode, *KeylimeCode)}
NAMES = st.sampled_from([A, B, "", "a\nb", "\ud800", "x" * 300]) | st.text()
CHANGED = st.dictionaries(st.sampled_from(sorted(data.agent())), ANYTHING).map(
    lambda changes: data.agent(**changes)
)
ENTRIES = ANYTHING | st.dictionaries(
    st.sampled_from(sorted(data.entry())), ANYTHING
).map(lambda changes: data.entry(**changes))


class AnythingTest(DriverCase):
    @settings(max_examples=150, deadline=None)
    @given(st.dictionaries(NAMES, CHANGED | ANYTHING, max_size=4), ENTRIES)
    def test_of_agents_and_entries(self, agents: Any, entry: Any) -> None:
        self.stage.agents = agents
        self.stage.entries = {A: entry, B: data.entry()}
        self.driver._registrar.clock = lambda: float("inf")
        try:
            found = self.collect(pinned={A: ("sha256:1",), B: ("sha256:2",)})
        except AuthorityError as exc:
            # such as for an infinity, which JSON does not have
            self.assertEqual(ContactCode.BAD_ANSWER.value, exc.code)
            return
        told = {p.path for p in (*found.problems, *found.notes)}
        self.assertLessEqual({A, B} & agents.keys(), {*found.results, *told})
        for said in (*found.problems, *found.notes):
            self.assertIn(said.message.partition(":")[0], CODES)

    @settings(max_examples=100, deadline=None)
    @given(ANYTHING)
    def test_of_whole_answers(self, answer: Any) -> None:
        text = repr(answer).encode("utf-8", "replace")
        for body in (data.answer(answer), text):
            self.stage.server.answer = lambda _asked, body=body: [page(body)]
            try:
                self.collect()
            except AuthorityError as exc:
                self.assertIn(exc.code, CODES)
