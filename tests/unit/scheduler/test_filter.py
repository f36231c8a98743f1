# SPDX-License-Identifier: Apache-2.0
"""The filter, on Nova's objects and signed policy and results on disk."""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from unittest import mock

from nova import exception
from nova import objects

from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.scheduler import fallback
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from nfv_mla_scheduler.scheduler.filters import all_filters
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import names
from tests.unit.scheduler.site import spec
from tests.unit.scheduler.site import states

OURS = "nfv_mla_scheduler"
PROFILE = {"nfv_mla:profile": "multi-tenant-hosting"}


class FilterTestCase(site.SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ready()
        self.filter = NfvMlaFilter()

    def admitted(self, request: objects.RequestSpec, *hosts: str) -> list[str]:
        return names(self.filter.filter_all(states(*hosts), request))

    def refused(self, request: objects.RequestSpec) -> str:
        """Return the line that says why nothing is left."""
        with self.assertLogs(OURS, logging.INFO) as logs:
            self.assertEqual([], self.admitted(request))
        (line,) = [m for m in logs.output if "refused server" in m]
        return line


class PlacementTest(FilterTestCase):
    def test_nova_finds_it(self) -> None:
        self.assertEqual([NfvMlaFilter], all_filters())
        self.assertTrue(NfvMlaFilter.RUN_ON_REBUILD)

    def test_who_asks_for_nothing_is_kept_off_what_belongs_to_others(
        self,
    ) -> None:
        self.assertEqual(
            [host for host in site.HOSTS if host != site.OWNED],
            self.admitted(spec()),
        )

    def test_the_owner_of_a_pool_may_use_it(self) -> None:
        self.assertEqual(
            list(site.HOSTS), self.admitted(spec(project=site.OWNER))
        )

    def test_a_capability_is_found_where_it_is_proved(self) -> None:
        self.assertEqual(
            [site.GOOD_1, site.GOOD_2, site.OLD, site.ENCLAVE],
            self.admitted(spec(TPM)),
        )

    def test_a_generator_is_as_good_as_a_list(self) -> None:
        self.assertEqual(
            [site.GOOD_1],
            names(
                self.filter.filter_all(
                    (s for s in states(site.GOOD_1, site.WEB)), spec(TPM)
                )
            ),
        )
        self.assertEqual([], self.filter.filter_all([], spec(TPM)))

    def test_a_host_under_another_name_is_not_that_host(self) -> None:
        (state,) = states(site.GOOD_1)
        state.uuid = site.node_uuid("stranger")
        self.assertEqual([], self.filter.filter_all([state], spec(TPM)))

    def test_a_profile_says_what_is_missing(self) -> None:
        line = self.refused(spec(PROFILE))
        self.assertRegex(line, r"on all 7 hosts: .*\d+ no-claim")

    def test_a_floor_asks_for_all_servers_of_a_project(self) -> None:
        self.assertEqual(
            self.admitted(spec(TPM)),
            self.admitted(spec(project=site.FLOORED)),
        )

    def test_a_hint_narrows(self) -> None:
        hints = {"nfv_mla:location.jurisdiction": ["DE"]}
        self.assertIn(site.GOOD_1, self.admitted(spec(TPM, hints)))
        hints = {"nfv_mla:location.jurisdiction": ["FR"]}
        self.assertEqual([], self.admitted(spec(TPM, hints)))

    def test_rebuild_is_judged_where_the_server_is(self) -> None:
        rebuild = {"_nova_check_type": ["rebuild"]}
        for host, left in ((site.GOOD_1, [site.GOOD_1]), (site.WEAK, [])):
            request = spec(TPM, rebuild, ignore_hosts=["somewhere"])
            self.assertEqual(left, self.admitted(request, host))

    def test_a_move_starts_where_nova_says(self) -> None:
        request = spec(TPM, project=site.OWNER, ignore_hosts=[site.OWNED])
        self.assertEqual([], self.admitted(request, site.GOOD_1))
        request = spec(TPM, project=site.OWNER, ignore_hosts=[site.GOOD_1])
        self.assertEqual([site.GOOD_2], self.admitted(request, site.GOOD_2))

    def test_a_server_of_a_volume_has_no_image(self) -> None:
        request = spec(TPM, image=None)
        self.assertIn(site.GOOD_1, self.admitted(request))
        request = spec(TPM, image=objects.ImageMeta())
        self.assertIn(site.GOOD_1, self.admitted(request))

    def test_fields_that_nova_has_not_set_are_no_trouble(self) -> None:
        self.assertIn(site.WEB, self.admitted(objects.RequestSpec()))
        request = objects.RequestSpec(
            flavor=objects.Flavor(extra_specs=dict(TPM)), scheduler_hints=None
        )
        self.assertEqual(
            [site.GOOD_1], self.admitted(request, site.GOOD_1, site.WEAK)
        )

    def test_one_host_at_a_time(self) -> None:
        good, weak = states(site.GOOD_1, site.WEAK)
        self.assertTrue(self.filter.host_passes(good, spec(TPM)))
        self.assertFalse(self.filter.host_passes(weak, spec(TPM)))
        wrong = spec({"nfv_mla:max_age": "x"})
        self.assertFalse(self.filter.host_passes(good, wrong))

    def test_image_properties_count(self) -> None:
        image = objects.ImageMeta(
            properties=objects.ImageMetaProps(
                img_signature="c2ln",
                img_signature_hash_method="SHA-256",
                img_signature_key_type="RSA-PSS",
                img_signature_certificate_uuid=str(uuid.uuid4()),
            )
        )
        asked = {"nfv_mla:provision": "signed-image"}
        self.assertNotIn(
            "application-lacks", self.refused(spec(asked, image=image))
        )
        self.assertIn("no-claim", self.refused(spec(asked)))


class MalformedTest(FilterTestCase):
    """What cannot be read is no host's fault, and the tenant is told."""

    def _reason(self, request: objects.RequestSpec) -> str:
        with self.assertRaises(exception.NoValidHost) as caught:
            self.admitted(request)
        message = str(caught.exception)
        for host in site.HOSTS:
            self.assertNotIn(host, message)
        self.assertLess(len(message), 300)
        self.assertTrue(message.isprintable())
        return message

    def test_a_flavor(self) -> None:
        for specs in (
            {"nfv_mla:capability.tpm": "quantum"},
            {"nfv_mla:capability.telepathy": "required"},
            {"nfv_mla:profil": "x"},
            {"nfv_mla:max_age": "-1"},
            {"nfv_mla:pool": "no-such-pool"},
            {"nfv_mla:profile": "lawful-interception"},
        ):
            ((key, value),) = specs.items()
            reason = self._reason(spec(specs))
            self.assertIn(key, reason)
            self.assertIn(value, reason)

    def test_a_hint(self) -> None:
        for hints in (
            {"nfv_mla:location.jurisdiction": ["D E"]},
            {"nfv_mla:capability.tpm": ["hardware"]},
            {"nfv_mla:pool": ["a", "b c"]},
        ):
            ((key, values),) = hints.items()
            reason = self._reason(spec(hints=hints))
            self.assertIn(key, reason)
            self.assertIn(values[-1], reason)

    def test_however_long(self) -> None:
        self._reason(spec(hints={"nfv_mla:pool": ["x\n" * 35_000]}))
        self._reason(spec(hints={"nfv_mla:" + "y" * 70_000: ["x"]}))
        many = {f"nfv_mla:pool{n}": ["x"] for n in range(5000)}
        self._reason(spec(hints=many))

    def test_what_was_claimed_for_others_is_given_back(self) -> None:
        """Nova keeps what a request has claimed if a filter raises."""
        self.request()
        first = spec(TPM, num_instances=2)
        self.assertTrue(self.admitted(first, site.GOOD_1))
        second = spec({"nfv_mla:pool": "gone"}, num_instances=2)
        self.assertEqual([], self.admitted(second, site.GOOD_1))
        self.request()
        with self.assertRaises(exception.NoValidHost):
            self.admitted(second, site.GOOD_1)


class ReportTest(FilterTestCase):
    """One line and one event for each request; test_sealed.py: of others."""

    def test_a_refused_request_is_reported_once(self) -> None:
        request = spec(PROFILE)
        with self.assertLogs(OURS, logging.INFO) as logs:
            for _ in range(3):
                self.admitted(request)
            self.request()
            self.admitted(request)
        lines = [m for m in logs.output if "refused server" in m]
        self.assertEqual(2, len(lines))
        events = self.site.requests()
        self.assertEqual(2, len(events))
        fields = events[0]["fields"]
        self.assertEqual(request.instance_uuid, fields["server"])
        self.assertEqual(site.PLAIN, fields["project"])
        self.assertTrue(fields["request"].startswith("req-"))

    def test_counts_are_of_hosts(self) -> None:
        line = self.refused(
            spec({"nfv_mla:capability.tpm": "equivalent-hardware"})
        )
        self.assertIn("on all 7 hosts", line)
        (event,) = self.site.requests()
        self.assertEqual(7, event["fields"]["candidates"])
        self.assertEqual(
            {"value-mismatch": 6, "host-unbound": 1, "pool-exclusive": 1},
            event["fields"]["counts"],
        )

    def test_who_asks_for_nothing_is_reported_as_well(self) -> None:
        with self.assertLogs(OURS, logging.INFO) as logs:
            self.assertEqual([], self.admitted(spec(), site.OWNED))
        self.assertIn("1 pool-exclusive", logs.output[-1])

    def test_what_is_malformed_is_in_the_line(self) -> None:
        with (
            self.assertLogs(OURS, logging.INFO) as logs,
            self.assertRaises(exception.NoValidHost),
        ):
            self.admitted(spec({"nfv_mla:profil": "x"}))
        self.assertIn("7 malformed: nfv_mla:profil", logs.output[-1])

    def test_lines_are_bounded_and_on_one_line(self) -> None:
        long = "x\ny" * 20_000
        request = spec(
            PROFILE, project=long, hints={"nfv_mla:pool": [long], long: []}
        )
        request.instance_uuid = str(uuid.uuid4())
        with (
            self.assertLogs(OURS, logging.INFO) as logs,
            self.assertRaises(exception.NoValidHost),
        ):
            self.admitted(request)
        for record in logs.records:
            self.assertLess(len(record.getMessage()), 800)
            self.assertNotIn("\n", record.getMessage())

    def test_no_line_names_a_host(self) -> None:
        with self.assertLogs(OURS, logging.INFO) as logs:
            self.admitted(spec(PROFILE))
            self.admitted(spec(TPM, project=site.TRIAL))
        for host in site.HOSTS:
            self.assertNotIn(host, "\n".join(logs.output))

    def test_a_sealed_domain_is_never_spoken_of(self) -> None:
        self.admitted(spec())  # make the worker
        server = str(uuid.uuid4())
        self.site.put_waiver(BreakGlassTarget.SERVER, server)
        self._wait_for_waiver()
        with self.assertNoLogs(OURS, logging.INFO):
            self.assertEqual(
                [], self.admitted(spec(PROFILE, project=site.SEALED))
            )
            let_in = spec(PROFILE, project=site.SEALED, instance_uuid=server)
            self.assertEqual(7, len(self.admitted(let_in)))
            with self.assertRaises(exception.NoValidHost):
                self.admitted(spec({"nfv_mla:x": "y"}, project=site.SEALED))
        self.assertEqual([], self.site.requests())

    def test_permissive_says_what_it_would_refuse(self) -> None:
        request = spec(TPM, project=site.TRIAL)
        with self.assertLogs(OURS, logging.INFO) as logs:
            for _ in range(2):
                self.assertEqual(
                    [site.GOOD_1, site.WEAK],
                    self.admitted(request, site.GOOD_1, site.WEAK),
                )
        lines = [m for m in logs.output if "would refuse" in m]
        self.assertEqual(1, len(lines))
        self.assertIn("on 1 of the 2 hosts", lines[0])
        self.assertIn("1 value-mismatch", lines[0])
        (event,) = self.site.requests()
        self.assertEqual("would-refuse", event["kind"])

    def test_a_permissive_pool_lets_others_in(self) -> None:
        with self.assertLogs(OURS, logging.INFO) as logs:
            self.assertEqual(
                [site.LENIENT], self.admitted(spec(), site.LENIENT)
            )
        self.assertIn("1 pool-exclusive", logs.output[-1])

    def test_a_waiver_in_use_is_an_event(self) -> None:
        self.site.put_policy(2, **site.waived_profile("mine", time.time()))
        request = spec({"nfv_mla:profile": "mine"})
        for _ in range(2):
            self.assertEqual(
                [site.GOOD_1], self.admitted(request, site.GOOD_1)
            )
        (event,) = self.site.requests()
        self.assertEqual("waiver-used", event["kind"])
        self.assertIn("mine 5.2.1", event["fields"]["counts"])

    def test_a_broken_glass_is_an_event_and_a_warning_once(self) -> None:
        self.admitted(spec())
        server = str(uuid.uuid4())
        self.site.put_waiver(BreakGlassTarget.SERVER, server)
        self._wait_for_waiver()
        request = spec(PROFILE, instance_uuid=server)
        with self.assertLogs(OURS, logging.WARNING) as logs:
            for _ in range(2):
                self.assertEqual(7, len(self.admitted(request)))
            self.assertEqual([], self.admitted(spec(PROFILE)))
        self.assertEqual(1, len(logs.output))
        self.assertIn(
            "on 7 hosts, not all of them without a break-glass waiver",
            logs.output[0],
        )
        events = self.site.requests()
        self.assertEqual(
            ["break-glass-used", "request-refused"],
            [event["kind"] for event in events],
        )
        (used,) = events[0]["fields"]["waivers"]
        self.assertEqual(server, used["server"])
        self.assertEqual("testing", used["reason"])

    def test_a_glass_that_nobody_needs_is_not_broken(self) -> None:
        self.admitted(spec())
        self.site.put_waiver(BreakGlassTarget.HOST, site.GOOD_1)
        self._wait_for_waiver()
        with self.assertNoLogs(OURS, logging.WARNING):
            self.assertEqual(
                [site.GOOD_1], self.admitted(spec(TPM), site.GOOD_1)
            )
        self.assertEqual([], self.site.requests())

    def _wait_for_waiver(self) -> None:
        engine = worker.shared(site.CONF).engine()
        self.wait_for(lambda: engine.feed.snapshot.break_glass)


class FaultTest(FilterTestCase):
    """A fault of ours admits nobody who asks, and hurts nobody else."""

    def setUp(self) -> None:
        super().setUp()
        self.admitted(spec())  # make the worker
        self.engine = worker.shared(site.CONF).engine()

    def _fails(self, target: object, name: str) -> None:
        patch = mock.patch.object(target, name, side_effect=RuntimeError("x"))
        patch.start()
        self.addCleanup(patch.stop)

    def _check(self) -> None:
        owner = spec(project=site.OWNER)
        with self.assertLogs(OURS, logging.ERROR) as logs:
            self.assertEqual([], self.admitted(spec(TPM)))
        self.assertEqual(1, len(logs.records))
        with self.assertLogs(OURS, logging.ERROR):
            hint = spec(hints={"nfv_mla:pool": ["owned"]})
            self.assertEqual([], self.admitted(hint))
            self.assertEqual([], self.admitted(spec(project=site.FLOORED)))
            self.assertEqual(
                [host for host in site.HOSTS if host != site.OWNED],
                self.admitted(spec()),
            )
            self.assertEqual(list(site.HOSTS), self.admitted(owner))

    def test_in_the_judge(self) -> None:
        self._fails(type(self.engine.judge), "case")
        self._check()

    def test_in_a_case(self) -> None:
        self._fails(Case, "admitted")
        self._check()

    def test_in_a_report_changes_no_decision(self) -> None:
        self._fails(type(self.engine.reports), "refused")
        with self.assertLogs(OURS, logging.ERROR):
            self.assertEqual([], self.admitted(spec(PROFILE)))
        self._fails(type(self.engine.reports), "softened")
        with self.assertLogs(OURS, logging.ERROR):
            self.assertEqual(
                [site.LENIENT], self.admitted(spec(), site.LENIENT)
            )

    def test_in_everything_refuses_everybody(self) -> None:
        self._fails(type(self.engine.judge), "case")
        self._fails(fallback, "open_hosts")
        with self.assertLogs(OURS, logging.ERROR):
            self.assertEqual([], self.admitted(spec()))

    def test_in_what_nova_hands_over_refuses(self) -> None:
        with self.assertLogs(OURS, logging.ERROR) as logs:
            self.assertEqual([], self.filter.filter_all(states(), object()))
        self.assertEqual(1, len(logs.records))

    def test_before_there_ever_was_a_policy(self) -> None:
        empty = mock.Mock(policy=None)
        self._fails(type(self.engine.judge), "case")
        self.engine.feed.snapshot = empty
        self.engine.refresher.stop()
        self.engine.feed.snapshot = empty
        shutil.rmtree(self.site.directory / "state")
        with self.assertLogs(OURS, logging.ERROR):
            self.assertEqual(7, len(self.admitted(spec())))
            self.assertEqual([], self.admitted(spec(TPM)))


class WithoutPolicyTest(site.SiteTestCase):
    def test_who_asks_is_refused(self) -> None:
        ours = NfvMlaFilter()
        self.assertEqual([], ours.filter_all(states(), spec(TPM)))
        self.assertEqual(7, len(ours.filter_all(states(), spec())))

    def test_everybody_is_refused_if_that_is_wanted(self) -> None:
        self.set(without_policy="refuse_all")
        ours = NfvMlaFilter()
        self.assertEqual([], ours.filter_all(states(), spec(TPM)))
        self.assertEqual([], ours.filter_all(states(), spec()))
