# SPDX-License-Identifier: Apache-2.0
"""One request to Nova, what it answered, and what was expected of it."""

from __future__ import annotations

import typing as ty

from demo.answers import Answer
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode

if ty.TYPE_CHECKING:
    from demo.stage import Stage

_UNEXPLAINED = "Nova's own; our scheduler wrote nothing about it"


class NotAsExpected(Exception):
    """A scene went otherwise than it should have.

    :ivar expected: what should have been
    :ivar answered: what there was instead
    """

    def __init__(self, expected: str, answered: str) -> None:
        super().__init__(f"expected {expected}, got {answered}")
        self.expected = expected
        self.answered = answered


class Asked:
    """A request that waits for its expectation.

    :param target: the host that was asked for, if any was
    :param since: how many audit events there were before
    """

    def __init__(
        self,
        stage: Stage,
        asked: str,
        name: str,
        server: str,
        flavor: str,
        target: str,
        answer: Answer,
        since: int,
    ) -> None:
        self.asked = asked
        self.answer = answer
        self.judged = False
        self._stage = stage
        self._name = name
        self._server = server
        self._flavor = flavor
        self._target = target
        self._since = since

    def lands_on(self, *hosts: str) -> str:
        """Expect the server to run on one of ``hosts``, newly; return it."""
        answer = self.answer
        good = answer.placed and answer.host in hosts
        try:
            self._expect(good, f"to run on {' or '.join(hosts)}")
        except NotAsExpected:
            if answer.refused and self._stage.centre.filtered:
                self._stage.why(*self._refusals(None, hosts[0]))
            raise
        return ty.cast(str, answer.host)

    def is_on(self, host: str) -> None:
        """Expect the server to be, active, where it was."""
        answer = self.answer
        good = answer.status == "ACTIVE" and answer.host == host
        self._expect(good, f"to be ACTIVE on {host}")

    def api_refuses(self, *statuses: int) -> None:
        """Expect the API itself to answer with one of these statuses."""
        good = self.answer.http in statuses
        self._expect(good, f"HTTP {' or '.join(map(str, statuses))}")

    def refused(
        self,
        because: RefusalCode,
        at: str = "",
        saying: tuple[str, ...] = (),
    ) -> None:
        """Expect that Nova finds no host; a moving server stays as it was.

        :param because: a refusal that our scheduler has to have written down
        :param at: the host of which to explain it; by default the one that
            was asked for, or else the first that was refused so
        :param saying: what the message to the owner has to name
        """
        message = self.answer.message
        good = self.answer.refused and all(s in message for s in saying)
        wanted = "No valid host was found"
        wanted += f" with {' and '.join(saying)}" if saying else ""
        self._expect(good, wanted)
        self._explain(because, at or self._target)

    def names_no_host(self) -> None:
        """Expect that nothing the owner can read names any host."""
        self._stage.names_no_host(self._name)

    def _expect(self, good: bool, wanted: str) -> None:
        self.judged = True
        answered = str(self.answer)
        self._stage.screen.step(good, self.asked, answered)
        if not good:
            raise NotAsExpected(wanted, answered)

    def _explain(self, because: RefusalCode, at: str) -> None:
        """Show why, and demand that it is for the reason expected."""
        stage = self._stage
        event = stage.reasons.event(
            self._since, kind="request-refused", server=self._server
        )
        counts = event["fields"]["counts"] if event else {}
        if because.value not in counts:
            found = ", ".join(counts) or _UNEXPLAINED
            raise NotAsExpected(f"{because.value} to be the reason", found)
        most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(f"{n} {code}" for code, n in most)
        hosts = event["fields"]["candidates"] if event else 0
        lines = [f"of {hosts} hosts: {listed}"] if hosts > 1 else []
        lines += self._refusals(because, at)
        stage.why(*lines)

    def _refusals(self, because: RefusalCode | None, at: str) -> list[str]:
        """Return the refusal of one host, with its clause.

        :param because: None: the first, whatever it is
        :param at: empty: any host that is refused so
        """
        stage = self._stage
        shown = stage.centre.admin.server(self._server)
        explained = stage.reasons.explain(
            shown, self._flavor, self.answer.source
        )
        for host, refusals in explained.items():
            for refusal in refusals:
                if because in (None, refusal.code) and at in ("", host):
                    return [f"{host}: {_worded(refusal)}"]
        return []


def _worded(refusal: Refusal) -> str:
    """Return code, subject, whose word it is, what is needed, clause."""
    words = f"{refusal.code.value}, {refusal.capability}"
    if refusal.authority:
        words += f" by {refusal.authority}"
    if refusal.detail:
        words += f" ({refusal.detail})"
    profile = f" of {refusal.profile}" if refusal.profile else ""
    return f"{words}: clause {refusal.clause}{profile}"
