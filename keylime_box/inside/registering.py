# SPDX-License-Identifier: Apache-2.0
"""Register at the registrar, and prove that the keys are in one TPM."""

import base64
import hmac
from collections.abc import Mapping

from keylime_box.errors import BoxError
from keylime_box.inside.chip import Chip
from keylime_box.rest import Rest


def register(
    chip: Chip,
    agent_id: str,
    registrar: Rest,
    *,
    ek_certificate: bytes,
    contact: Mapping[str, object],
) -> None:
    """Register and activate.

    :param ek_certificate: DER
    :param contact: where the verifier may ask; empty if the node pushes
    :raises BoxError: the registrar refuses, and what it says
    """
    path = f"/agents/{agent_id}"
    challenged = registrar.want(
        "POST",
        path,
        {
            "ek_tpm": b64(chip.ek_public),
            "aik_tpm": b64(chip.ak_public),
            "ekcert": b64(ek_certificate),
            **contact,
        },
    )
    secret = chip.activate(base64.b64decode(challenged["blob"]))
    tag = hmac.new(base64.b64encode(secret), agent_id.encode(), "sha384")
    status, answer = registrar.ask(
        "POST", f"/v2.6{path}/activate", {"auth_tag": tag.hexdigest()}
    )
    if status != 200:
        raise BoxError(f"the registrar does not activate: {answer}")


def b64(data: bytes) -> str:
    """Return base64 as text."""
    return base64.b64encode(data).decode()
