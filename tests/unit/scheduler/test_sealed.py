# SPDX-License-Identifier: Apache-2.0
"""Of a sealed trust domain only that domain reads, and it reads all."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from nova import exception

from nfv_mla_scheduler.policy import state
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import spec
from tests.unit.scheduler.site import states

OURS = "nfv_mla_scheduler"
VIRTUAL = {"nfv_mla:capability.tpm": "equivalent-hardware"}


class SealedCase(site.SiteTestCase):
    """Requests of the project whose trust domain is sealed."""

    def setUp(self) -> None:
        super().setUp()
        self.ready()
        self.filter = NfvMlaFilter()

    def ask(self, what: dict[str, str], *hosts: str, **more: Any) -> str:
        """Ask for hosts, and return the server's UUID."""
        request = spec(what, **{"project": site.SEALED, **more})
        self.filter.filter_all(states(*hosts), request)
        return str(request.instance_uuid)

    def start(self) -> None:
        """Have the worker made, which says something itself."""
        self.filter.filter_all(states(), spec())

    def assert_nowhere(self, *words: str) -> None:
        """Nobody who has no key reads any of these in the ledger."""
        found = self.site.ledger.bytes()
        for word in words:
            self.assertNotIn(word.encode(), found)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Return kinds and fields of what is sealed, without requests' ids.

        Nobody else can read any of it.
        """
        events = self.site.sealed()
        for event in events:
            self.assertRegex(event["fields"].pop("request"), "^req-")
        self.assertEqual([], self.site.requests())
        self.assert_nowhere(site.SEALED)
        return [(event["kind"], event["fields"]) for event in events]


class KnownTest(SealedCase):
    """While a policy is in force, it says who is sealed."""

    def test_a_refusal(self) -> None:
        self.start()
        with self.assertNoLogs(OURS, logging.INFO):
            for _ in range(3):
                server = self.ask(VIRTUAL, instance_uuid=str(_SERVER))
        self.assertEqual(
            [
                (
                    "request-refused",
                    {
                        "server": server,
                        "project": site.SEALED,
                        "candidates": 7,
                        "counts": {
                            "value-mismatch": 6,
                            "host-unbound": 1,
                            "pool-exclusive": 1,
                        },
                    },
                )
            ],
            self.told(),
        )
        self.assert_nowhere(server)

    def test_what_is_malformed_is_a_code(self) -> None:
        self.start()
        secret = "target-alice"
        with (
            self.assertNoLogs(OURS, logging.INFO),
            self.assertRaises(exception.NoValidHost),
        ):
            self.ask({"nfv_mla:profile": secret, f"nfv_mla:{secret}": "x"})
        ((kind, fields),) = self.told()
        self.assertEqual("request-refused", kind)
        self.assertEqual({"malformed": 7}, fields["counts"])
        self.assertNotIn(secret, str(fields))

    def test_what_would_be_refused(self) -> None:
        until = write_instant(time.time() + site.DAY)
        modes = {"projects": {site.SEALED: {"permissive_until": until}}}
        self.site.put_policy(2, modes=modes)
        self.start()
        with self.assertNoLogs(OURS, logging.INFO):
            self.ask(TPM, site.WEAK, site.GOOD_1)
        ((kind, fields),) = self.told()
        self.assertEqual("would-refuse", kind)
        self.assertEqual({"value-mismatch": 1}, fields["counts"])

    def test_a_waiver_is_named_by_codes(self) -> None:
        self.site.put_policy(2, **site.waived_profile("mine", time.time()))
        self.ask({"nfv_mla:profile": "mine"}, site.GOOD_1)
        ((kind, fields),) = self.told()
        self.assertEqual("waiver-used", kind)
        self.assertEqual(1, fields["counts"]["mine/5.2.1"])
        self.assertNotIn("omitted", fields)

    def test_a_broken_glass_without_its_reason(self) -> None:
        self.start()
        self.site.put_waiver(BreakGlassTarget.PROJECT, site.SEALED)
        engine = worker.shared(site.CONF).engine()
        self.wait_for(lambda: engine.feed.snapshot.break_glass)
        with self.assertNoLogs(OURS, logging.INFO):
            self.ask(VIRTUAL, site.WEAK)
        ((kind, fields),) = self.told()
        self.assertEqual("break-glass-used", kind)
        (waiver,) = fields["waivers"]
        self.assertEqual({"officer", "until", "project"}, set(waiver))

    def test_a_policy_seals_from_when_it_is_in_force(self) -> None:
        self.start()
        domains = {
            "acme": {"seal_key": site.seal_pem()},
            "owners": {},
            "hush": {"seal_key": site.seal_pem()},
        }
        self.site.put_policy(2, trust_domains=domains)
        engine = worker.shared(site.CONF).engine()

        def version() -> int:
            policy = engine.feed.snapshot.policy
            assert policy is not None
            return policy.version

        self.wait_for(lambda: version() == 2)
        server = self.ask(VIRTUAL, project=site.FLOORED)
        (event,) = self.site.sealed("acme")
        self.assertEqual(server, event["fields"]["server"])
        self.assertEqual([], self.site.sealed("hush"))
        self.assert_nowhere(server, site.FLOORED)

    def test_others_are_sealed_for_nobody(self) -> None:
        server = self.ask(VIRTUAL, project=site.OWNER)
        (event,) = self.site.requests()
        self.assertEqual(server, event["fields"]["server"])
        self.assertEqual([], self.site.sealed())


class LostTest(SealedCase):
    """While there is no policy, what was kept says who is sealed."""

    def setUp(self) -> None:
        super().setUp()
        self.start()
        worker.stop_all()
        self.brief = self.site.directory / "state" / state.BRIEF
        self.assertTrue(self.brief.exists())
        self.site.policy_file.unlink()
        (self.brief.parent / state.ENVELOPE).unlink()

    def test_it_is_sealed_as_soon_as_a_policy_has_the_key(self) -> None:
        self.start()
        with self.assertNoLogs(OURS, logging.INFO):
            server = self.ask(TPM)
        self.site.put_policy(2)
        engine = worker.shared(site.CONF).engine()
        self.wait_for(lambda: engine.feed.snapshot.policy)
        ((kind, fields),) = self.told()
        self.assertEqual("request-refused", kind)
        self.assertEqual(server, fields["server"])
        self.assertEqual({"no-policy": 7}, fields["counts"])
        self.assert_nowhere(server)

    def test_who_is_not_sealed_is_named(self) -> None:
        self.start()
        with self.assertLogs(OURS, logging.INFO) as logs:
            server = self.ask(TPM, project=site.OWNER)
        self.assertIn(f"server {server} of project", logs.output[-1])
        (event,) = self.site.requests()
        self.assertEqual(server, event["fields"]["server"])

    def test_where_nobody_knows_nobody_is_named(self) -> None:
        for damage in (b"{", None):
            self.brief.unlink()
            if damage is not None:
                self.brief.write_bytes(damage)
            with self.assertLogs(OURS, logging.INFO) as logs:
                self.start()
                servers = [
                    self.ask(TPM, project=project)
                    for project in (site.SEALED, site.OWNER)
                ]
            events = self.site.requests()[-2:]
            with self.subTest(damage=damage):
                for event in events:
                    self.assertEqual(
                        {"candidates": 7, "counts": {"no-policy": 7}},
                        event["fields"],
                    )
                said = "\n".join(logs.output)
                self.assertIn("refused a server on all 7 hosts", said)
                for word in (*servers, site.SEALED, site.OWNER):
                    self.assertNotIn(word, said)
                self.assert_nowhere(*servers, site.SEALED)

    def test_a_process_that_cannot_judge_names_nobody_either(self) -> None:
        (self.site.directory / "alice.pub").unlink()
        for project, named in ((site.SEALED, False), (site.OWNER, True)):
            with self.assertLogs(OURS, logging.INFO) as logs:
                server = self.ask(TPM, project=project)
            line = logs.output[-1]
            self.assertIn(": unavailable", line)
            self.assertEqual(named, server in line)


_SERVER = uuid.uuid4()
