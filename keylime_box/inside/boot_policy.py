# SPDX-License-Identifier: Apache-2.0
"""A measured-boot policy for Keylime: the log has known events alone.

Runs inside the verifier, which imports it by its configuration.  Keylime's
own ``accept-all`` never says no, and its others want a whole machine's UEFI.
"""

from typing import Any

from keylime.mba.elchecking import policies
from keylime.mba.elchecking import tests

NAME = "box"


class KnownEvents(policies.Policy):
    """A reference state names the digests: ``{"events": [hex, ...]}``."""

    def get_relevant_pcrs(self) -> frozenset[int]:
        """Say that nothing restricts Keylime's own choice."""
        return frozenset()

    def refstate_to_test(self, refstate: Any) -> tests.Test:
        """Return the test of a log."""
        return _Known(frozenset(refstate["events"]))


class _Known(tests.Test):
    def __init__(self, known: frozenset[str]) -> None:
        self._known = known

    def why_not(self, globs: tests.Globals, subject: Any) -> str:
        """Return why a log is not good, empty if it is."""
        for event in subject.get("events", []):
            for digest in event.get("Digests", []):
                if digest["Digest"] not in self._known:
                    return f"has an unknown event in PCR {event['PCRIndex']}"
        return ""


policies.register(NAME, KnownEvents())
