# SPDX-License-Identifier: Apache-2.0
"""The security officers, and what they and strangers put into the files."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import time

from demo import world
from demo.asked import NotAsExpected
from demo.centre import DataCentre
from demo.reasons import Event
from demo.reasons import Reasons
from demo.screen import Screen
from nfv_mla_scheduler.cmd import main as command_line
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.policy.root import read_public_key
from tests.cloud.site import OFFICERS

_DAY_S = 86400
_LOADED, _REFUSED = "policy-loaded", "policy-refused"
_IN_LOG = "nfv-mla policy: "
_SILENCE = "not a word of it"


@dataclasses.dataclass(frozen=True)
class Draft:
    """A policy that gives the key stores to the lab.

    :ivar version: 0: the next one
    :ivar age_days: how long ago it was written, to hold for 90 days
    """

    what: str
    signers: tuple[str, ...]
    version: int = 0
    age_days: float = 0


class Offices:
    """Where policies and waivers are signed and put in place."""

    def __init__(
        self, centre: DataCentre, reasons: Reasons, screen: Screen
    ) -> None:
        self._centre = centre
        self._site = centre.site
        self._reasons = reasons
        self._screen = screen
        self._since = self._logged = 0

    def offer(self, draft: Draft, refused: PolicyCode | None = None) -> None:
        """Put a policy in place, and wait until it is taken or refused.

        :param refused: why it has to be refused; None: it has to be taken
        """
        version = draft.version or self._centre.next_version()
        at = time.time() - draft.age_days * _DAY_S
        text = world.policy(at, version=version)
        changed = text.replace(world.OWNED_BY_KEYS, world.OWNED_BY_LAB)
        self._screen.event(f"policy version {version}: {draft.what}")
        self._since = self._reasons.count()
        self._logged = len(self._reasons.logged(_IN_LOG))
        self._site.put_policy(changed, draft.signers)
        event = self._reasons.event(self._since, kind=(_REFUSED, _LOADED))
        self._told(event, _REFUSED if refused else _LOADED, refused)

    def _told(
        self, event: Event | None, kind: str, code: PolicyCode | None
    ) -> None:
        """Show an event, and demand that it is of this kind and code."""
        if event is None:
            raise NotAsExpected(f"an audit event {kind}", _SILENCE)
        fields = event["fields"]
        self._screen.why([f"{event['kind']}: {fields['text']}"])
        wanted = (kind, code.value if code else fields["code"])
        if (event["kind"], fields["code"]) != wanted:
            raise NotAsExpected(
                f"an audit event {' '.join(wanted)}",
                f"{event['kind']} {fields['code']}",
            )

    def said_once(self, code: PolicyCode) -> None:
        """Demand that the last refusal was told once, in log and audit."""
        events = self._reasons.events(self._since, kind=_REFUSED)
        codes = [event["fields"]["code"] for event in events]
        lines = self._reasons.logged(_IN_LOG)[self._logged :]
        if codes != [code.value] or len(lines) != 1:
            raise NotAsExpected(
                f"one event and one line of the log about {code.value}",
                f"there are {len(codes)} and {len(lines)}",
            )

    def put_policy_back(self) -> None:
        """Let both officers sign the demo's own policy once more."""
        since = self._reasons.count()
        self._centre.put_policy()
        self._screen.event("alice and bob sign the first policy anew")
        self._reasons.event(since, kind=_LOADED)

    def break_glass(self, officer: str, server: str, reason: str) -> None:
        """Let one officer sign a waiver for a server, for an hour."""
        waiver = self._site.directory / "waiver.json"
        keys = [str(self._site.public_key(name)) for name in OFFICERS]
        words = ["policy", "break-glass", "--server", server, "--hours", "1"]
        words += ["--reason", reason, "--out", str(waiver)]
        words += ["--key", str(self._site.directory / f"{officer}.key")]
        words += ["--officer-key", *keys]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            if command_line.main(words) != 0:
                raise NotAsExpected("a signed waiver", said.getvalue())
        os.replace(waiver, self._site.break_glass_dir / waiver.name)
        self._screen.event(f"{officer} breaks the glass: '{reason}'")
        self._centre.until(
            lambda: bool(self._reasons.logged("break-glass", server))
        )

    def glass_was_broken(self, officer: str, server: str) -> None:
        """Demand an audit event that says who let the server in."""
        event = self._reasons.event(kind="break-glass-used", server=server)
        key = read_public_key(
            self._site.public_key(officer).read_bytes(), officer
        ).keyid
        used = event["fields"]["waivers"] if event else []
        if [waiver["officer"] for waiver in used] != [key]:
            raise NotAsExpected(
                f"an audit event that names {officer}", f"{used or _SILENCE}"
            )
        self._screen.why(
            [
                f"break-glass-used: officer {key[:16]} ({officer}), "
                f"'{used[0]['reason']}', until {used[0]['until']}"
            ]
        )

    def mend_glass(self) -> None:
        """Take every waiver away."""
        for path in self._site.break_glass_dir.iterdir():
            path.unlink()
