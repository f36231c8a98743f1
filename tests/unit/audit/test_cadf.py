# SPDX-License-Identifier: Apache-2.0
"""Entries as events of CADF, by pycadf's own word."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import unittest
import uuid
import warnings
from typing import Any

import hypothesis
from hypothesis import strategies as st
from pycadf import cadftaxonomy

from nfv_mla_scheduler.audit import cadf
from nfv_mla_scheduler.audit import cadf_rows
from nfv_mla_scheduler.audit import shown
from nfv_mla_scheduler.audit.cadf_rows import Part
from nfv_mla_scheduler.audit.cadf_rows import Type
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.cmd.audit_cadf import event
from nfv_mla_scheduler.cmd.audit_cadf import made_event
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.steps import Ask
from tests.unit.audit.scribbled import PROJECT
from tests.unit.audit.scribbled import REFUSED
from tests.unit.audit.scribbled import SERVER
from tests.unit.audit.test_shown import FIELDS
from tests.unit.audit.test_shown import ORIGIN
from tests.unit.audit.test_shown import of

ROOT = pathlib.Path(__file__).parents[3]
PAGE = ROOT / "doc" / "source" / "reference" / "ledger.rst"
EXPORTED = tuple(kind for kind in EventKind if kind is not EventKind.SEALED)
NAMED = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            *("server", "host", "provider", "authority", "name", "topic"),
            *("by", "by_project", "project", "digest", "ask", "outcome"),
            *("code", "codes", "refusals", "counts", "dropped"),
            *("results_age_s", "finding"),
        ),
        st.text(max_size=8)
        | st.integers()
        | st.lists(st.text(max_size=3), max_size=3)
        | st.just("target")
        | st.just(SERVER),
    ),
)


def record(kind: str, fields: Any, **more: Any) -> cadf.Record:
    return cadf.record(of(fields, kind=kind, **more))


class RowsTest(unittest.TestCase):
    def test_every_kind_but_a_sealed_block_is_exported(self) -> None:
        self.assertEqual(set(EXPORTED), set(cadf_rows.ROWS))
        for kind in EventKind:
            self.assertEqual(
                kind is not EventKind.SEALED,
                cadf.is_exported(of({}, kind=kind.value)),
            )

    def test_every_word_is_of_the_taxonomy(self) -> None:
        actions = {row.action for row in cadf_rows.ROWS.values()} - {""}
        actions |= set(cadf_rows.ACTIONS.values())
        self.assertLessEqual(actions, cadftaxonomy.ACTION_TAXONOMY)
        outcomes = {row.outcome for row in cadf_rows.ROWS.values()} - {""}
        self.assertLessEqual(outcomes, cadftaxonomy.OUTCOME_TAXONOMY)
        types = set(cadf._TYPES.values())
        self.assertLessEqual(types, cadftaxonomy.RESOURCE_TAXONOMY)

    def test_requests_that_it_names_are_ones_of_the_monitor(self) -> None:
        asks = {ask.value for ask in Ask}
        self.assertLessEqual(set(cadf_rows.ACTIONS), asks)

    def test_every_outcome_of_a_step_has_one_in_cadf(self) -> None:
        found = {
            result: record("step-done", {"outcome": result.value}).outcome
            for result in Result
        }
        self.assertEqual("success", found[Result.DONE])
        self.assertEqual("unknown", found[Result.UNSURE])
        rest = {found[r] for r in Result} - {"success", "unknown"}
        self.assertEqual({"failure"}, rest)
        self.assertEqual("unknown", record("step-done", {}).outcome)


class RecordTest(unittest.TestCase):
    def test_a_refusal(self) -> None:
        found = record("request-refused", REFUSED)
        self.assertEqual(
            (Type.CONTROL, "deny", "success", "no-claim,host-unbound"),
            (found.type, found.action, found.outcome, found.reason),
        )
        self.assertEqual("2026-11-23T12:00:00.000+00:00", found.time)
        self.assertEqual(
            cadf.Resource(PROJECT, "data/security/project", PROJECT),
            found.initiator,
        )
        self.assertEqual(
            cadf.Resource(SERVER, "compute/machine", SERVER), found.target
        )
        self.assertEqual(ORIGIN, found.observer.name)

    def test_a_step_by_the_request_that_was_made(self) -> None:
        for ask, action in (
            ("os-stop", "stop/os-stop"),
            ("disable", "disable"),
            ("lock", "update/lock"),
            ("evacuate", "deploy/evacuate"),
            ("", "update"),
            ("../x\n", "update"),
        ):
            with self.subTest(ask):
                fields = {"ask": ask, "host": "ber-1"}
                found = record("step-intended", fields)
                self.assertEqual(action, found.action)
                self.assertEqual("pending", found.outcome)
                self.assertEqual("compute/node", found.target.type)

    def test_who_it_is_about(self) -> None:
        for kind, fields, initiator, target in (
            ("guard-released", {"by": "eve", "name": "kl"}, "eve", "kl"),
            ("guard-held", {"topic": "held", "name": "busy"}, None, "busy"),
            ("copied", {"by_project": "p", "server": "s"}, "p", "s"),
            ("step-done", {"provider": "r", "trait": "T"}, None, "r"),
            ("finding", {"authority": "kl"}, None, "kl"),
            ("lock-replaced", {"name": SERVER}, None, SERVER),
            ("policy-loaded", {"digest": "ab"}, None, "ab"),
            ("policy-expired", {}, None, "policy"),
            ("worker-started", {}, None, ORIGIN),
            ("ledger-closed", {}, None, ORIGIN),
            ("planned", {}, None, ORIGIN),
        ):
            with self.subTest(kind=kind, fields=fields):
                found = record(kind, fields)
                self.assertEqual(initiator or ORIGIN, found.initiator.name)
                self.assertEqual(target, found.target.name)

    def test_what_monitors_measures_something(self) -> None:
        for kind, fields, measure in (
            ("heartbeat", {"results_age_s": 3.5}, (3.5, "s")),
            ("heartbeat", {"results_age_s": None}, (1, "event")),
            ("heartbeat", {"results_age_s": True}, (1, "event")),
            ("events-dropped", {"dropped": 7}, (7, "event")),
            ("sealed-heads", {}, (1, "event")),
        ):
            with self.subTest(kind=kind, fields=fields):
                found = record(kind, fields)
                assert found.measure is not None
                self.assertEqual(measure, found.measure[:2])
                self.assertIsNone(found.reason)

    def test_a_kind_of_another_release_is_unknown_and_exported(self) -> None:
        found = record("new-kind", {"server": SERVER})
        self.assertEqual(("unknown", SERVER), (found.action, found.target.id))
        self.assertTrue(made_event(found).is_valid())

    def test_a_time_that_cannot_be_read(self) -> None:
        found = record("placed", {}, at=float("inf"))
        self.assertEqual(cadf.BEGINNING, found.time)
        self.assertEqual("inf", found.attachments["ledger"]["at"])


class IdsTest(unittest.TestCase):
    def test_an_id_says_where_an_entry_is_and_nothing_else(self) -> None:
        entry = of(REFUSED, kind="request-refused")
        once, again = cadf.record(entry), cadf.record(entry)
        self.assertEqual(once, again)
        self.assertEqual(
            str(uuid.uuid5(cadf.NAMESPACE, f"{ORIGIN}#7")), once.id
        )
        others = [
            dataclasses.replace(entry, seq=8),
            dataclasses.replace(entry, origin="ctl-2.nova-scheduler.0"),
            dataclasses.replace(entry, domain="acme"),
            dataclasses.replace(entry, domain="acme", place=1),
            dataclasses.replace(entry, domain="acme", place=2),
        ]
        ids = {cadf.record(each).id for each in (entry, *others)}
        self.assertEqual(6, len(ids))

    def test_every_event_leads_back_to_the_ledger(self) -> None:
        entry = of({"jwe": 1}, kind="sealed", origin=f"{ORIGIN}/acme")
        (opened,) = shown.of_opened(
            entry,
            [
                {
                    "at": entry.at,
                    "process": "p",
                    "kind": "placed",
                    "fields": {"server": SERVER},
                }
            ],
        )
        found = event(cadf.record(opened))
        content = {a["name"]: a["content"] for a in found["attachments"]}
        self.assertEqual(
            {
                "origin": ORIGIN,
                "domain": "acme",
                "seq": 7,
                "place": 1,
                "hash": entry.hash,
                "at": "2026-11-23T12:00:00.000Z",
                "process": "p",
            },
            content["ledger"],
        )
        self.assertEqual({"server": SERVER}, content["fields"])


class ValidTest(unittest.TestCase):
    @hypothesis.settings(deadline=None)
    @hypothesis.given(st.sampled_from(EXPORTED), FIELDS, NAMED)
    def test_pycadf_takes_every_event(
        self, kind: EventKind, fields: dict[str, Any], named: dict[str, Any]
    ) -> None:
        entry = of({**fields, **named}, kind=kind.value)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as ids that are no UUIDs
            made = made_event(cadf.record(entry))
            self.assertTrue(made.is_valid())
            found = event(cadf.record(entry))
        for part in ("initiator", "target", "observer"):
            self.assertTrue(getattr(made, part).is_valid())
            uuid.UUID(found[part]["id"])
        # DSP0262 asks for these, and pycadf does not
        if found["eventType"] == "control":
            self.assertTrue(made.reason.is_valid())
        if found["eventType"] == "monitor":
            (measured,) = made.measurements
            self.assertTrue(measured.is_valid())
            self.assertTrue(measured.metric.is_valid())
        written = json.dumps(found, allow_nan=False)
        self.assertEqual(entry.fields, _fields(json.loads(written)))
        self.assertNotEqual(NEVER, entry.time)

    def test_it_is_written_as_pycadf_writes_what_is_flat(self) -> None:
        for kind, fields in (
            ("request-refused", {"server": SERVER, "counts": {"a": 1}}),
            ("heartbeat", {"results_age_s": 1.5}),
        ):
            found = record(kind, fields)
            self.assertEqual(made_event(found).as_dict(), event(found))


class PageTest(unittest.TestCase):
    def test_the_table_is_that_of_the_code(self) -> None:
        page = PAGE.read_text(encoding="utf-8")
        found = re.findall(
            r"^   \* - ``([a-z-]+)``\n"
            r"     - (\w+)\n     - (.+)\n     - (.+)\n"
            r"     - (.+)\n     - (.+)$",
            page,
            re.MULTILINE,
        )
        self.assertEqual([_row(kind) for kind in EXPORTED], found)

    def test_the_namespace_is_on_the_page(self) -> None:
        page = PAGE.read_text(encoding="utf-8")
        self.assertIn(f"``{cadf.NAMESPACE}``", page)


def _fields(members: dict[str, Any]) -> Any:
    (found,) = (
        each["content"]
        for each in members["attachments"]
        if each["name"] == "fields"
    )
    return found


def _row(kind: EventKind) -> tuple[str, ...]:
    row = cadf_rows.ROWS[kind]
    parts = {Part.SUBJECT: "what it is about"}
    return (
        kind.value,
        row.type.value,
        row.action or "by the request",
        row.outcome or "by its outcome",
        parts.get(row.initiator, row.initiator.value),
        parts.get(row.target, row.target.value),
    )
