# SPDX-License-Identifier: Apache-2.0
"""Keylime on a stage: its answers as they were recorded, changed by tests."""

from __future__ import annotations

import pathlib
import time
import unittest
import urllib.parse
from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.authority.keylime.driver import KeylimeAuthority
from tests.authorities import keylime_data as data
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import Server
from tests.authorities.servers import page
from tests.authorities.stage import HttpsStage
from tests.authorities.tokens import CAPABILITIES

# So that each capability rests on a policy of its own.
MAPPING = """\
measured_boot:
  - {capability: measured-boot, grade: run-time}
runtime_policy:
  - {capability: os-access-control, grade: run-time}
pcrs:
  - pcr: 15
    digest: TAG
    claims: [{capability: attestation, grade: run-time}]
""".replace("TAG", data.TAG)


class KeylimeStage(HttpsStage):
    """One verifier that is the registrar as well.

    :ivar agents: what the verifier has
    :ivar entries: what the registrar has
    :ivar versions: of the API, that both say they speak
    :ivar boot_policies: what the verifier's measured-boot policies hold; None:
        it has no such list
    """

    DRIVER = KeylimeAuthority
    TELLS_BOOTS = False
    # whose answers it gives
    version = data.NEWEST
    mapping = MAPPING

    def __init__(self, test: unittest.TestCase) -> None:
        self.agents: dict[str, Any] = {}
        self.entries: dict[str, Any] = {}
        self.boot_policies: dict[str, Any] | None = {}
        self.versions = data.recorded("version", self.version)
        super().__init__(test)
        self.mapping_file = self.directory / "mapping.yaml"
        self.mapping_file.write_text(self.mapping)

    def options(self) -> dict[str, Any]:
        return {
            "verifiers": [self.server.url],
            "registrar": self.server.url,
            "mapping_file": str(self.mapping_file),
            "measured_boot_evaluated": "always",
        }

    def unfit_options(self, missing: str) -> list[tuple[Any, str]]:
        return [
            ({"verifiers": []}, "verifiers: must be set"),
            ({"verifiers": ["http://127.0.0.1/"]}, "verifiers: must be https"),
            ({"verifiers": ["https://a", "https://a"]}, "verifiers: has a"),
            ({"registrar": ""}, "registrar: must be set"),
            ({"registrar": "https://u:p@h/"}, "registrar: may hold no user"),
            ({"mapping_file": missing}, f"mapping_file: {missing}"),
            ({"cert_file": ""}, "cert_file: must be set"),
            ({"key_file": ""}, "key_file: must be set"),
            ({"cert_file": missing}, f"cert_file with its key: {missing}"),
        ]

    def another_server(self) -> Server:
        """Start one beside it, such as another verifier."""
        other = Server(self.answer, self._issued, self.ca_file)
        self._test.addCleanup(other.stop)
        return other

    def stranger(self) -> pathlib.Path:
        """Return a CA that has issued nothing here."""
        return self._another.write(self.directory, "strangers.pem")

    def answer(self, asked: Asked) -> Script:
        return [page(*self.said(asked), **self.headers)]

    def said(self, asked: Asked) -> tuple[bytes, str, int]:
        """Return the body of an answer, its type and status."""
        _, version, *rest = asked.path.split("/")
        offered = self.versions["results"]["supported_versions"]
        found: Any = None
        if asked.path == "/version":
            found = self.versions["results"]
        elif version.removeprefix("v") not in offered:
            return data.answer({}, 400), self.content_type, 400
        elif rest == ["agents", ""] and "bulk=true" in asked.query:
            found = self.agents
        elif rest[0] == "mbpolicies":
            found = self._boot_policy(urllib.parse.unquote(rest[1]))
        elif rest[0] == "agents":
            found = self.entries.get(urllib.parse.unquote(rest[1]))
        if found is None:
            return data.answer({}, 404), self.content_type, 404
        return data.answer(found), self.content_type, 200

    def _boot_policy(self, name: str) -> Any:
        if self.boot_policies is None:
            return None
        if not name:
            return {"mbpolicy names": [*self.boot_policies]}
        if name not in self.boot_policies:
            return None
        return {"name": name, "mb_policy": self.boot_policies[name]}

    def say(
        self,
        attester: str,
        capabilities: Iterable[str] = CAPABILITIES,
        boot: int = 1,
        ahead_s: float = 0.0,
    ) -> None:
        known = frozenset(capabilities)
        policy = data.agent(data.HEALTHY, self.version)["tpm_policy"]
        if "attestation" not in known:
            policy = policy.replace(data.TAG, "0" * 64)
        at = int(time.time() + ahead_s)
        self.agents[attester] = data.agent(
            data.HEALTHY,
            self.version,
            has_mb_refstate=int("measured-boot" in known),
            has_runtime_policy=int("os-access-control" in known),
            tpm_policy=policy,
            last_successful_attestation=at,
            last_received_quote=at,
        )

    def forget(self, attester: str) -> None:
        self.agents.pop(attester, None)

    def spoil(self, attester: str) -> None:
        self.agents[attester] = data.agent(
            data.HEALTHY, self.version, attestation_count="many"
        )


class OldKeylimeStage(KeylimeStage):
    """Of a version that has no ``attestation_status``."""

    version = "7.13.1"
