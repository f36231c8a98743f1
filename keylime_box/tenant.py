# SPDX-License-Identifier: Apache-2.0
"""What an administrator of Keylime does: enrol, reactivate, remove, look."""

import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Protocol

from keylime_box.errors import BoxError
from keylime_box.policy import Policy
from keylime_box.rest import Rest
from keylime_box.servers import Server

WAIT_S = 60
LOOK_S = 0.02
Record = Mapping[str, Any]


class Named(Protocol):
    """Whatever has an id at Keylime."""

    @property
    def agent_id(self) -> str:
        """The id."""


class Tenant:
    """Acts at a verifier and a registrar, over their REST interfaces."""

    verifier: Server
    registrar: Server

    def enrol(self, node: Named, policy: Policy) -> None:
        """Enrol a node at the verifier."""
        registered = self.registrar.rest.want("GET", _path(node))
        self.verifier.rest.want(
            "POST", _path(node), policy.enrolment(registered)
        )

    def reactivate(self, node: Named) -> None:
        """Let the verifier ask a node again that has failed.

        Of one that has not Keylime would ask twice as often from then on.
        """
        self.verifier.rest.want("PUT", f"{_path(node)}/reactivate", {})

    def withdraw(self, node: Named) -> None:
        """Remove a node from the verifier; wait until it is gone."""
        rest = self.verifier.rest
        rest.want("DELETE", _path(node))
        until(
            lambda: not _known(rest, node),
            lambda: f"{node.agent_id} stays at the verifier",
        )

    def forget(self, node: Named) -> None:
        """Remove a node from the registrar: its id is free for any TPM."""
        self.registrar.rest.want("DELETE", _path(node))

    def leave(self, node: Named) -> None:
        """Remove a node from both, as far as it is there."""
        if _known(self.verifier.rest, node):
            self.withdraw(node)
        if _known(self.registrar.rest, node):
            self.forget(node)

    def agent(self, node: Named) -> Record:
        """Return the verifier's record of a node, as it is."""
        record: Record = self.verifier.rest.want("GET", _path(node))
        return record

    def agents(self) -> Mapping[str, Record]:
        """Return all records of the verifier, as a relying party gets them."""
        found = self.verifier.rest.want("GET", "/agents/?bulk=true")
        return dict(found)

    def registered(self, node: Named) -> Record:
        """Return the registrar's entry of a node, as it is."""
        entry: Record = self.registrar.rest.want("GET", _path(node))
        return entry

    def wait(
        self,
        node: Named,
        met: Callable[[Record], bool],
        within_s: float = WAIT_S,
    ) -> Record:
        """Return the verifier's record of a node as soon as it is so.

        :raises BoxError: it never is, with what it is instead
        """
        seen: Record = {}

        def looked() -> bool:
            nonlocal seen
            seen = self.agent(node)
            return met(seen)

        until(looked, lambda: f"{node.agent_id} stays {seen}", within_s)
        return seen

    def wait_for_more(self, node: Named, quotes: int = 2) -> Record:
        """Return the record once a node was attested so many times more.

        Whatever was done to the node before has been looked at by then: one
        quote may have been under way.
        """
        before = self.agent(node)["attestation_count"]
        return self.wait(
            node, lambda seen: seen["attestation_count"] >= before + quotes
        )


def passes(record: Record) -> bool:
    """Whether a node was attested, for ``wait``."""
    return bool(
        record["attestation_status"] == "PASS"
        and record["attestation_count"] > 0
    )


def fails(record: Record) -> bool:
    """Whether a node has failed, for ``wait``."""
    failed: bool = record["attestation_status"] == "FAIL"
    return failed


def until(
    met: Callable[[], bool],
    otherwise: Callable[[], str],
    within_s: float = WAIT_S,
) -> None:
    """Wait for something.

    :raises BoxError: it does not happen, and what is so instead
    """
    last = time.monotonic() + within_s
    while not met():
        if time.monotonic() > last:
            raise BoxError(otherwise())
        time.sleep(LOOK_S)


def _path(node: Named) -> str:
    return f"/agents/{node.agent_id}"


def _known(rest: Rest, node: Named) -> bool:
    return rest.ask("GET", f"/v2.6{_path(node)}")[0] != 404
