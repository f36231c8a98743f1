# SPDX-License-Identifier: Apache-2.0
"""Push evidence to a verifier in push mode: its interface, 3.0.

A loop of its own thread: whatever the verifier answers, it goes on.
"""

import base64
import datetime
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keylime_box.inside.chip import ALL_PCRS
from keylime_box.inside.chip import Chip
from keylime_box.inside.kernel import Kernel
from keylime_box.inside.registering import b64
from keylime_box.rest import Rest

_TYPE = {"Content-Type": "application/vnd.api+json"}
_POSSESSION = {
    "authentication_class": "pop",
    "authentication_type": "tpm_pop",
}
_LONGEST = 300
_QUOTE = {
    "evidence_class": "certification",
    "evidence_type": "tpm_quote",
}


class Pusher:
    """A node's side of push mode.

    :param interval_s: between two pieces of evidence
    """

    def __init__(
        self,
        agent_id: str,
        chip: Chip,
        kernel: Kernel,
        *,
        verifier: str,
        ca_file: Path,
        interval_s: float,
    ) -> None:
        self._agent_id = agent_id
        self._chip = chip
        self._kernel = kernel
        self._interval_s = interval_s
        # No certificate: a token of its own says who the node is.
        tls = ssl.create_default_context(cafile=ca_file)
        self._rest = Rest(verifier, tls)
        self._token: str | None = None

    def run(self) -> None:
        """Push for ever."""
        while True:
            try:
                said = self._once()
            except OSError as exc:
                said = f"{type(exc).__name__}: {exc}"
            if said:
                print(said[:_LONGEST], flush=True)
            time.sleep(self._interval_s)

    def _once(self) -> str:
        if self._token is None:
            return self._open()
        path = f"/v3.0/agents/{self._agent_id}/attestations"
        status, asked = self._send("POST", path, self._capabilities())
        if status in (401, 403):
            self._token = None
        if status not in (200, 201):
            return f"capabilities: {status} {asked}"
        requested = asked["data"]["attributes"]["evidence_requested"]
        evidence = [self._evidence(each) for each in requested]
        status, answer = self._send(
            "PATCH", f"{path}/latest", {"evidence_collected": evidence}
        )
        return "" if status == 202 else f"evidence: {status} {answer}"

    def _open(self) -> str:
        """Open a session: prove possession of the attestation key."""
        status, opened = self._send(
            "POST",
            "/v3.0/sessions",
            {
                "agent_id": self._agent_id,
                "authentication_supported": [_POSSESSION],
            },
            kind="session",
        )
        if status not in (200, 201):
            return f"session: {status} {opened}"
        chosen = opened["data"]["attributes"]["authentication_requested"][0]
        signed = self._chip.certify_key(
            base64.b64decode(chosen["chosen_parameters"]["challenge"])
        )
        proof = {
            "message": b64(signed.message),
            "signature": b64(signed.signature),
        }
        status, proved = self._send(
            "PATCH",
            f"/v3.0/sessions/{opened['data']['id']}",
            {
                "agent_id": self._agent_id,
                "authentication_provided": [_POSSESSION | {"data": proof}],
            },
            kind="session",
        )
        if status == 200:
            self._token = proved["data"]["attributes"].get("token")
        return "" if self._token else f"proof: {status} {proved}"

    def _capabilities(self) -> Mapping[str, Any]:
        booted = datetime.datetime.fromtimestamp(
            self._kernel.boot_s, datetime.UTC
        )
        key = {
            "key_class": "asymmetric",
            "key_algorithm": "rsa",
            "key_size": 2048,
            "server_identifier": "ak",
            "public": b64(self._chip.ak_public),
        }
        quote = {
            "component_version": "2.0",
            "evidence_version": "1.0",
            "signature_schemes": ["rsassa"],
            "hash_algorithms": ["sha256"],
            "available_subjects": {"sha256": list(ALL_PCRS)},
            "certification_keys": [key],
        }
        return {
            "evidence_supported": [
                _QUOTE | {"capabilities": quote},
                _log(
                    "uefi_log",
                    supports_partial_access=False,
                    appendable=False,
                    formats=["application/octet-stream"],
                ),
                _log(
                    "ima_log",
                    entry_count=len(self._kernel.runtime_list()),
                    supports_partial_access=True,
                    appendable=True,
                    formats=["text/plain"],
                ),
            ],
            "system_info": {"boot_time": booted.isoformat()},
        }

    def _evidence(self, requested: Mapping[str, Any]) -> Mapping[str, Any]:
        chosen = requested["chosen_parameters"]
        kind = requested["evidence_type"]
        if kind == "tpm_quote":
            signed, values = self._chip.quote(
                base64.b64decode(chosen["challenge"]),
                chosen["selected_subjects"]["sha256"],
            )
            data = {
                "message": b64(signed.message),
                "signature": b64(signed.signature),
                "subject_data": b64(values),
            }
        elif kind == "uefi_log":
            data = {"entries": b64(self._kernel.boot_log())}
        else:
            first = chosen.get("starting_offset") or 0
            lines = self._kernel.runtime_list()[first:]
            data = {"entries": "".join(f"{line}\n" for line in lines)}
        return {
            "evidence_class": requested["evidence_class"],
            "evidence_type": kind,
            "data": data,
        }

    def _send(
        self,
        method: str,
        path: str,
        attributes: Mapping[str, Any],
        kind: str = "attestation",
    ) -> tuple[int, Any]:
        said = dict(_TYPE)
        if self._token is not None:
            said["Authorization"] = f"Bearer {self._token}"
        return self._rest.ask(
            method,
            path,
            {"data": {"type": kind, "attributes": attributes}},
            said,
        )


def _log(kind: str, **capabilities: object) -> Mapping[str, Any]:
    return {
        "evidence_class": "log",
        "evidence_type": kind,
        "capabilities": capabilities,
    }
