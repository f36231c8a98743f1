# SPDX-License-Identifier: Apache-2.0
"""The verifier's database, altered under its hands.

For what nobody can make a node do: a field of another type, a success of the
future, an id that no agent of Keylime's would have.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

from keylime_box.box import Box
from keylime_box.settings import VERIFIER_DATABASE

_BUSY_S = 60
# A verifier that there is not: nobody asks agents of its anything.
_NOBODY = "nobody"


class Rows:
    """The rows of agents in the database of a box's verifier."""

    def __init__(self, box: Box) -> None:
        self._path = box.state / VERIFIER_DATABASE

    def get(self, agent: str) -> dict[str, Any]:
        """Return one."""
        with self._connected() as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(
                "SELECT * FROM verifiermain WHERE agent_id = ?", (agent,)
            )
            return dict(found.fetchone())

    def put(self, row: dict[str, Any], agent: str, **changes: Any) -> None:
        """Put a copy there under another id, of which nobody is asked."""
        new = {
            **row,
            **changes,
            "agent_id": agent,
            "verifier_id": _NOBODY,
        }
        columns = ", ".join(f'"{name}"' for name in new)
        places = ", ".join("?" for _ in new)
        with self._connected() as connection:
            connection.execute(
                f"REPLACE INTO verifiermain ({columns}) VALUES ({places})",
                tuple(new.values()),
            )

    def change(self, agent: str, **changes: Any) -> None:
        """Change fields of one, whatever their type is."""
        places = ", ".join(f'"{name}" = ?' for name in changes)
        with self._connected() as connection:
            connection.execute(
                f"UPDATE verifiermain SET {places} WHERE agent_id = ?",
                (*changes.values(), agent),
            )

    def remove(self, agent: str) -> None:
        """Remove one."""
        with self._connected() as connection:
            connection.execute(
                "DELETE FROM verifiermain WHERE agent_id = ?", (agent,)
            )

    @contextlib.contextmanager
    def _connected(self) -> Any:
        connection = sqlite3.connect(self._path, timeout=_BUSY_S)
        with contextlib.closing(connection), connection:
            yield connection
