# SPDX-License-Identifier: Apache-2.0
"""Write many agents straight into the databases, for measurements of scale.

They are copies of one that is enrolled, each under an id and with an
endorsement key of its own.  They belong to a verifier that there is not, so
that nobody asks them anything; the box's gives their records to who asks for
all, as it does of verifiers that share a database.
"""

import base64
import contextlib
import sqlite3
import uuid
from collections.abc import Mapping
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from keylime_box.settings import REGISTRAR_DATABASE
from keylime_box.settings import VERIFIER_DATABASE

_BUSY_S = 60
_GET_QUOTE = 3
VERIFIER_ID = "filled"


def fill(
    state: Path, like: str, count: int, passed_s: int
) -> dict[str, bytes]:
    """Write copies into both databases, in one transaction each.

    :param like: the id of the agent that is copied
    :param passed_s: when they passed, in seconds since 1970
    :returns: their ids, and the endorsement key of each: a TPM2B_PUBLIC
    """
    verifier, registrar = (
        state / name for name in (VERIFIER_DATABASE, REGISTRAR_DATABASE)
    )
    registered = _found(registrar, "registrarmain", "agent_id", like)
    enrolled = _found(verifier, "verifiermain", "agent_id", like)
    key = base64.b64decode(registered["ek_tpm"])
    keys = {
        agent_id: _another(key, agent_id)
        for agent_id in (str(uuid.uuid4()) for _ in range(count))
    }
    changed = {
        "verifier_id": VERIFIER_ID,
        "operational_state": _GET_QUOTE,
        "last_received_quote": passed_s,
        "last_successful_attestation": passed_s,
        # Policies of their own, or the agent itself could not be removed.
        "ima_policy_id": _copied(
            verifier, "allowlists", enrolled["ima_policy_id"]
        ),
        "mb_policy_id": _copied(
            verifier, "mbpolicies", enrolled["mb_policy_id"]
        ),
    }
    _write(
        verifier,
        "verifiermain",
        [enrolled | changed | {"agent_id": agent_id} for agent_id in keys],
    )
    _write(
        registrar,
        "registrarmain",
        [
            registered
            | {
                "agent_id": agent_id,
                "ek_tpm": base64.b64encode(another).decode(),
            }
            for agent_id, another in keys.items()
        ],
    )
    return keys


def _another(key: bytes, agent_id: str) -> bytes:
    """Return a key like this one, with another modulus, odd as they are."""
    return key[:-8] + sha256(agent_id.encode()).digest()[:7] + b"\x01"


def _copied(database: Path, table: str, policy_id: int) -> int:
    """Copy a policy, and return the copy's id."""
    policy = _found(database, table, "id", policy_id)
    return _write(
        database,
        table,
        [policy | {"id": None, "name": f"{VERIFIER_ID}-{uuid.uuid4()}"}],
    )


def _found(
    database: Path, table: str, column: str, value: object
) -> dict[str, Any]:
    with contextlib.closing(_connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(
            # Names of tables and columns are our own.
            f"SELECT * FROM {table} WHERE {column} = ?",
            (value,),
        ).fetchone()
        return dict(found)


def _write(
    database: Path, table: str, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Write rows, and return the last one's number."""
    if not rows:
        return 0
    columns = ", ".join(f'"{column}"' for column in rows[0])
    places = ", ".join("?" for _ in rows[0])
    with (
        contextlib.closing(_connect(database)) as connection,
        connection,
    ):
        text = f"INSERT INTO {table} ({columns}) VALUES ({places})"
        for row in rows:
            last = connection.execute(text, tuple(row.values())).lastrowid
    return last or 0


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=_BUSY_S)
