# SPDX-License-Identifier: Apache-2.0
"""The weighers order what the filter has let through."""

from __future__ import annotations

import logging
import math
from unittest import mock

from nova import objects
from nova.scheduler import weights

from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from nfv_mla_scheduler.scheduler.weighers import NfvMlaAssuranceWeigher
from nfv_mla_scheduler.scheduler.weighers import NfvMlaScarcityWeigher
from nfv_mla_scheduler.scheduler.weighers import all_weighers
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import names
from tests.unit.scheduler.site import spec
from tests.unit.scheduler.site import states

WEIGHERS = (NfvMlaAssuranceWeigher, NfvMlaScarcityWeigher)
OURS = "nfv_mla_scheduler"


class WeigherTest(site.SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ready()

    def _weights(
        self,
        weigher: weights.BaseHostWeigher,
        hosts: tuple[str, ...] = site.BOUND,
        request: objects.RequestSpec | None = None,
    ) -> dict[str, float]:
        found = weigher.weigh_objects(
            [weights.WeighedHost(state, 0.0) for state in states(*hosts)],
            request or spec(TPM),
        )
        return dict(zip(hosts, found, strict=True))

    def _best(self, request: objects.RequestSpec, *hosts: str) -> list[str]:
        """Return hosts in the order that Nova would prefer."""
        handler = weights.HostWeightHandler()
        weighers = [weigher() for weigher in WEIGHERS]
        weighed = handler.get_weighed_objects(
            weighers, states(*hosts), request
        )
        return names([host.obj for host in weighed])

    def test_nova_finds_them(self) -> None:
        self.assertEqual(list(WEIGHERS), all_weighers())
        loaded = weights.HostWeightHandler().get_matching_classes(
            ["nfv_mla_scheduler.scheduler.weighers.all_weighers"]
        )
        self.assertEqual(set(WEIGHERS), set(loaded))

    def test_weights_are_absolute_not_relative_to_the_candidates(
        self,
    ) -> None:
        for weigher in WEIGHERS:
            self.assertEqual((0.0, 1.0), (weigher.minval, weigher.maxval))
            for request in (spec(), spec(TPM), spec(project=site.TRIAL)):
                found = self._weights(weigher(), site.HOSTS, request)
                for weight in found.values():
                    self.assertTrue(0.0 <= weight <= 1.0, found)

    def test_assurance_prefers_what_was_attested_more_recently(self) -> None:
        found = self._weights(NfvMlaAssuranceWeigher())
        self.assertGreater(found[site.GOOD_1], found[site.OLD])
        self.assertAlmostEqual(
            found[site.GOOD_1], found[site.GOOD_2], places=3
        )
        self.assertEqual(
            [site.GOOD_1, site.OLD],
            self._best(spec(TPM), site.OLD, site.GOOD_1),
        )

    def test_assurance_prefers_hosts_for_which_nothing_was_set_aside(
        self,
    ) -> None:
        NfvMlaFilter().filter_all(states(*site.BOUND), spec(TPM))
        found = self._weights(NfvMlaAssuranceWeigher())
        self.assertGreater(found[site.GOOD_1], found[site.LENIENT])

    def test_assurance_is_equal_to_who_asks_for_nothing(self) -> None:
        found = self._weights(NfvMlaAssuranceWeigher(), site.HOSTS, spec())
        self.assertEqual({0.0}, set(found.values()))

    def test_scarcity_prefers_the_least_privileged_host(self) -> None:
        found = self._weights(NfvMlaScarcityWeigher(), site.HOSTS)
        self.assertEqual(1.0, found[site.GOOD_1])
        self.assertEqual(1.0, found[site.WEB])
        self.assertGreater(found[site.GOOD_1], found[site.ENCLAVE])
        self.assertGreater(found[site.GOOD_1], found[site.OWNED])
        self.assertEqual(
            [site.GOOD_1, site.ENCLAVE],
            self._best(spec(TPM), site.ENCLAVE, site.GOOD_1),
        )

    def test_a_host_alone(self) -> None:
        (state,) = states(site.GOOD_1)
        for weigher in WEIGHERS:
            weight = weigher()._weigh_object(state, spec(TPM))
            self.assertTrue(0.0 < weight <= 1.0)


class MultiplierTest(site.SiteTestCase):
    def _multiplier(self, metadata: str | None = None) -> tuple[float, ...]:
        (state,) = states(site.GOOD_1)
        found = []
        for weigher in WEIGHERS:
            if metadata is not None:
                state.aggregates = [
                    objects.Aggregate(
                        id=1, metadata={weigher.option: metadata}
                    )
                ]
            found.append(weigher().weight_multiplier(state))
        return tuple(found)

    def test_is_an_option(self) -> None:
        self.assertEqual((1.0, 1.0), self._multiplier())
        self.set(
            assurance_weight_multiplier=2.5, scarcity_weight_multiplier=-1.0
        )
        self.assertEqual((2.5, -1.0), self._multiplier())

    def test_may_come_from_an_aggregate(self) -> None:
        self.assertEqual((3.5, 3.5), self._multiplier("3.5"))

    def test_what_makes_no_sense_in_an_aggregate_is_not_used(self) -> None:
        self.assertEqual((1.0, 1.0), self._multiplier("many"))
        for nonsense in ("nan", "inf", "-inf"):
            self.assertEqual((0.0, 0.0), self._multiplier(nonsense))

    def test_an_option_that_makes_no_sense_stops_nothing(self) -> None:
        for nonsense in ("nan", "inf", "several"):
            path = self.site.configure(
                {
                    "assurance_weight_multiplier": nonsense,
                    "scarcity_weight_multiplier": nonsense,
                }
            )
            site.CONF([], project="nova", default_config_files=[path])
            self.assertEqual((0.0, 0.0), self._multiplier())


class TroubleTest(site.SiteTestCase):
    """Without anything to read, all hosts weigh the same."""

    def _all_equal(self) -> None:
        weighed = [weights.WeighedHost(s, 0.0) for s in states()]
        for weigher in WEIGHERS:
            found = weigher().weigh_objects(weighed, spec(TPM))
            self.assertEqual(len(weighed), len(found))
            self.assertEqual(1, len(set(found)))
            self.assertTrue(all(math.isfinite(weight) for weight in found))

    def test_without_a_policy(self) -> None:
        self._all_equal()

    def test_without_a_worker(self) -> None:
        self.set(officer_keys=["/nonexistent"], officer_threshold=1)
        with self.assertLogs(OURS, logging.ERROR):
            self._all_equal()

    def test_with_a_fault_of_ours(self) -> None:
        self.ready()
        engine = worker.shared(site.CONF).engine()
        with (
            mock.patch.object(
                type(engine.judge), "_of_epoch", side_effect=KeyError
            ),
            self.assertLogs(OURS, logging.ERROR),
        ):
            self._all_equal()

    def test_with_weights_that_are_none(self) -> None:
        for nonsense in (math.nan, math.inf, -math.inf, 7.0, -7.0):
            for weigher in WEIGHERS:
                with mock.patch.object(
                    weigher, "_weigh", return_value=[nonsense]
                ):
                    (state,) = states(site.GOOD_1)
                    worker.shared(site.CONF).engine()
                    found = weigher()._weigh_object(state, spec())
                    self.assertTrue(0.0 <= found <= 1.0)
