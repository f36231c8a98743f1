# SPDX-License-Identifier: Apache-2.0
"""The audit ledger of a running nova-scheduler: down, and up again.

A profile that needs a ledger is refused while it is down.  Everybody else is
placed as before, and nobody waits for it.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import pathlib
import time
import typing as ty

import nova.conf

from nfv_mla_scheduler.cmd import main as command_line
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.scheduler import worker
from tests.functional import placement
from tests.functional import world

PROFILE = "audited"
#: Needs policy, monitor and ledger, and nothing of any host.
OPERATION = "5.3.2"


class LedgerTest(placement.PlacementTestCase):
    hosts = (world.GOOD_1, world.WEB)
    status_file: ty.ClassVar[pathlib.Path]

    @classmethod
    def prepare_site(cls) -> None:
        super().prepare_site()
        cls.status_file = cls.site.directory / "monitor-status.json"
        cls.options = {"monitor_status_file": str(cls.status_file)}

    @classmethod
    def next_policy(cls, **how: ty.Any) -> placement.Json:
        """Return a policy with a profile that needs nothing but auditing."""
        document = super().next_policy(**how)
        world.ask_alone(document, PROFILE, OPERATION, time.time())
        return document

    def setUp(self) -> None:
        super().setUp()
        now = time.time()
        said = {"now": now, "act": "all", "cycle": {"at": now}}
        publish(self.status_file, json.dumps(said).encode())
        self.rounds.wait()

    @functools.cached_property
    def audited(self) -> str:
        """The flavor of servers whose placement has to be audited."""
        return self.admin.create_flavor(
            "audited", {"nfv_mla:profile": PROFILE}
        )

    def verify(self) -> tuple[int, str]:
        """Return what ``nfv-mla audit verify`` finds, and prints."""
        words = ["audit", "verify", str(self.site.audit_dir)]
        words += ["--key", str(self.site.public_key("audit"))]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = command_line.main(words)
        return status, said.getvalue()

    def test_who_needs_it_is_refused_while_its_directory_is_gone(self) -> None:
        self.boot(self.audited, world.GOOD_1)
        aside = self.site.directory / "aside"
        self.site.audit_dir.rename(aside)
        # what is refused has to be written, which shows that it cannot be
        first = self.tenant.create_server("vm", self.tpm, host=world.WEB)
        self.assertEqual([], self.audit.events("request-refused"))
        engine = worker.shared(nova.conf.CONF).engine()
        self.admin.wait_until(
            lambda: engine.audit.ledger is False, "the ledger is not down"
        )
        self.rounds.wait()
        refused = self.tenant.create_server(
            "vm", self.audited, host=world.GOOD_1
        )
        self.assert_rests(refused, None, "ERROR")
        self.assertIn("1 self-unmet", self.log_of(refused)[-1])
        self.boot(self.tpm, world.GOOD_1)
        self.boot(self.plain, world.WEB)

        aside.rename(self.site.audit_dir)
        self.admin.wait_until(
            lambda: engine.audit.ledger is True, "the ledger is not up"
        )
        self.rounds.wait()
        self.boot(self.audited, world.GOOD_1)
        # what happened meanwhile is written, and it is said since when not
        self.assert_reported(first, {"host-unbound": 1}, hosts=1)
        self.assert_reported(refused, {"self-unmet": 1}, hosts=1)
        (gap,) = self.audit.entries("ledger-interrupted")
        self.assertEqual(("ENOENT", 0), (gap["error"], gap["dropped"]))
        status, said = self.verify()
        self.assertEqual(0, status, said)
