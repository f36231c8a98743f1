# SPDX-License-Identifier: Apache-2.0
"""The lab on a stage: the real one, behind a server that can misbehave."""

from __future__ import annotations

import time
import unittest
from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.authority.lab import LabAuthority
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.lab import directory as files
from nfv_mla_scheduler.lab import edits
from nfv_mla_scheduler.lab.server import LabServer
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import page
from tests.authorities.stage import HttpsStage
from tests.authorities.tokens import CAPABILITIES


class LabStage(HttpsStage):
    """All at once."""

    DRIVER = LabAuthority
    THREADS = (*HttpsStage.THREADS, "nfv-mla-lab")
    path = "/results"

    def __init__(self, test: unittest.TestCase) -> None:
        super().__init__(test)
        self.lab_files = files.make(
            self.directory / "lab", ["anybody"], now=time.time()
        )
        edits.put_attester(self.lab_files.path, "anybody", None)
        self.lab = LabServer(self.lab_files.path, say=lambda line: None)
        self.lab.start()
        test.addCleanup(self.lab.stop)

    def options(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}{self.path}",
            "keys_file": str(self.lab_files.jwk_set),
        }

    def answer(self, asked: Asked) -> Script:
        made = self.lab_files
        tls = Tls(made.ca, made.client, files.key_of(made.client))
        client = Client(self.lab.url, tls, deadline_s=5, max_bytes=2**20)
        try:
            said = client.get(asked.target, accept=(), also=range(600))
        finally:
            client.close()
        kind = said.headers["content-type"]
        return [page(said.body, kind, said.status, **self.headers)]

    def say(
        self,
        attester: str,
        capabilities: Iterable[str] = CAPABILITIES,
        boot: int = 1,
        ahead_s: float = 0.0,
    ) -> None:
        claims = {
            name: {"status": "affirming", "grade": "run-time"}
            for name in capabilities
        }
        entry = {"claims": claims, "boot": {"bootcount": boot}}
        if ahead_s:
            entry["ahead_s"] = int(ahead_s)
        edits.put_attester(self.lab_files.path, attester, entry)

    def forget(self, attester: str) -> None:
        edits.put_attester(self.lab_files.path, attester, None)

    def spoil(self, attester: str) -> None:
        edits.set_knobs(self.lab_files.path, attester, wrong="key")


class LabEachStage(LabStage):
    """One by one."""

    path = "/results/{attester}"
    content_type = "application/eat+jwt"

    def options(self) -> dict[str, Any]:
        return {**super().options(), "connections": 2}
