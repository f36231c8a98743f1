# SPDX-License-Identifier: Apache-2.0
"""What a status lists of what is found."""

from __future__ import annotations

import dataclasses
import json
import unittest
from typing import Any

from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Copied
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.reporting.listed import LIST_MAX
from nfv_mla_scheduler.monitor.reporting.listed import of_findings
from tests.unit.monitor.observed import a_server
from tests.unit.monitor.reporting.test_report import finding
from tests.unit.monitor.reporting.test_report import verdict

COPY = Copied("u2", "p1", "createImage", 1.0, "req-9", "p7")
FORGED = Tampered("server", "u3", "its mark is not ours")


class ListedTest(unittest.TestCase):
    def listed(self, *sealed: str, **found: Any) -> dict[str, Any]:
        said = dataclasses.replace(verdict(finding()), **found)
        snapshot: Any = None
        servers = {u: a_server(u, host="h4") for u in ("u2", "u3")}
        report = CycleReport(
            1.0,
            True,
            snapshot,
            Holds(),
            Picture(1.0, servers, {}, {}, {}),
            sealed=frozenset(sealed),
        )
        return of_findings(said, report)

    def test_copies_and_forgeries_have_rows_after_the_others(self) -> None:
        trait = Tampered("trait", "CUSTOM_X on p5", "is not one of ours")
        host = Tampered("host", "h8", "its mark is not ours")
        found = self.listed(copied=(COPY,), tampered=(FORGED, trait, host))
        self.assertEqual(
            {"failed": 1, "copied": 1, "tampered": 3}, found["findings"]
        )
        self.assertEqual(
            [
                ("failed", "u1", "h1"),
                ("copied", "u2", "h4"),
                ("tampered", "u3", "h4"),
                ("tampered", "trait CUSTOM_X on p5", ""),
                ("tampered", "host h8", "h8"),
            ],
            [
                (f["kind"], f["subject"], f["host"])
                for f in found["findings_list"]
            ],
        )
        row = found["findings_list"][1]
        self.assertEqual("createImage by project p7, req-9", row["why"])
        self.assertIsNone(row["axis"])
        self.assertEqual(
            {"its mark is not ours"},
            {f["why"] for f in found["findings_list"][2::2]},
        )

    def test_nobody_is_told_of_what_is_sealed(self) -> None:
        sealed = (
            dataclasses.replace(COPY, sealed=True),
            dataclasses.replace(FORGED, sealed=True),
        )
        for found in (
            self.listed(copied=sealed[:1], tampered=sealed[1:]),
            # found before its project was sealed
            self.listed("u2", "u3", copied=(COPY,), tampered=(FORGED,)),
        ):
            self.assertEqual({"failed": 1}, found["findings"])
            text = json.dumps(found)
            self.assertNotIn("u2", text)
            self.assertNotIn("u3", text)

    def test_a_list_has_an_end_and_counts_have_none(self) -> None:
        copies = (COPY,) * (LIST_MAX + 5)
        found = self.listed(copied=copies)
        self.assertEqual(LIST_MAX, len(found["findings_list"]))
        self.assertEqual(LIST_MAX + 5, found["findings"]["copied"])
