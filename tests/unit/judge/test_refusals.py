# SPDX-License-Identifier: Apache-2.0
"""When a host is refused: one test for each rule beyond the terms."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import uuid
from tests.unit.judge import court
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import bare
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import why

SINGLE = HostClass.SINGLE_RESTRICTED
TYPE_1 = HostClass.POOLED_RESTRICTED
TYPE_2 = HostClass.POOLED_RESTRICTED_CONCEALED
ENCLAVES = HostClass.SECURE_EXECUTION


class TestWithoutJudgingTheHost(unittest.TestCase):
    def test_what_cannot_be_read_makes_no_host_right(self):
        draft = asking(no_such_key="1")
        self.assertEqual({"malformed"}, why(draft))
        self.assertEqual({"malformed"}, why(draft, "h9"))

    def test_a_server_that_asks_needs_a_policy(self):
        draft = asking(capability__tpm="required")
        draft.without_policy = True
        self.assertEqual({"no-policy"}, why(draft))
        draft.extra_specs.clear()
        self.assertEqual(set(), why(draft))

    def test_an_expired_policy_lets_nobody_in_who_asks(self):
        draft = asking(capability__secured_boot="required")
        draft.expires_at = NOW + 1
        self.assertEqual(set(), why(draft, now=NOW + 0.9))
        self.assertEqual({"policy-expired"}, why(draft, now=NOW + 1))
        draft.extra_specs.clear()
        self.assertEqual(set(), why(draft, now=NOW + 1))

    def test_an_unknown_host_is_for_servers_that_do_not_ask(self):
        draft = asking(capability__tpm="required")
        self.assertEqual({"host-unbound"}, why(draft, "h9"))
        draft.extra_specs.clear()
        self.assertEqual(set(), why(draft, "h9"))

    def test_host_name_and_compute_node_have_to_belong_together(self):
        draft = asking(hosts=2, capability__tpm="required")
        case = court.case_of(drafts.build(draft))
        found = court.codes(case.decision(uuid("h2"), "h1", NOW))
        self.assertEqual({"binding-mismatch"}, found)


class TestPools(unittest.TestCase):
    def test_an_exclusive_pool_is_closed_to_everybody_else(self):
        draft = asking()
        pool(draft, exclusive_to=of("police"))
        self.assertEqual({"pool-exclusive"}, why(draft))
        draft.trust_domain = "police"
        self.assertEqual(set(), why(draft))

    def test_a_project_without_trust_domain_is_somebody_else(self):
        draft = asking()
        pool(draft, exclusive_to=of("acme"))
        draft.trust_domain = None
        self.assertEqual({"pool-exclusive"}, why(draft))

    def test_only_its_own_schedulers_fill_a_managed_pool(self):
        for host_class, found in (
            (SINGLE, {"management-domain"}),
            (TYPE_1, {"management-domain"}),
            (TYPE_2, {"management-domain"}),
            (ENCLAVES, set()),
        ):
            with self.subTest(host_class):
                draft = asking()
                pool(
                    draft,
                    host_class=host_class,
                    management_domains=of("police"),
                )
                self.assertEqual(found, why(draft))

    def test_a_listed_host_is_closed_though_its_node_is_another(self):
        draft = asking(capability__tpm="required")
        draft.modes["projects"][drafts.PROJECT] = NOW + 1
        pool(draft, exclusive_to=of("police"))
        case = court.case_of(drafts.build(draft))
        found = court.codes(case.decision("another", "h1", NOW))
        self.assertIn("pool-exclusive", found)

    def test_a_member_has_to_prove_the_class_of_its_pool(self):
        for host_class in HostClass:
            draft = asking(host_class=host_class.value)
            self.assertEqual({"not-in-pool"}, why(draft), host_class)
            pool(draft, host_class=host_class)
            self.assertEqual(set(), why(draft), host_class)
            for name in ("software-integrity", "communications-security"):
                del draft.told["kl", "h1"].claims[name]
            self.assertEqual({"no-claim"}, why(draft), host_class)

    def test_type_1_serves_as_type_2_where_everything_is_concealed(self):
        draft = asking(host_class=TYPE_2.value)
        pool(draft, host_class=TYPE_1)
        self.assertEqual(set(), why(draft))
        del draft.told["kl", "h1"].claims["concealed-resource-usage"]
        self.assertEqual({"no-claim"}, why(draft))
        every = "ram,cpu,storage,network,cache,offload"
        draft.extra_specs["nfv_mla:conceals"] = every
        self.assertEqual(set(), why(draft))
        draft.floor["conceals"] = "ram"
        self.assertEqual({"no-claim"}, why(draft))


class TestMoves(unittest.TestCase):
    def _moving(self, host_class, **how):
        draft = asking(hosts=3, capability__tpm="required")
        draft.source = "h1"
        pool(draft, host_class=host_class, **how)
        return draft

    def test_from_a_single_host_to_those_that_officers_listed(self):
        draft = self._moving(SINGLE, moves_to=of("h2"))
        self.assertEqual(set(), why(draft, "h2"))
        self.assertEqual({"move-not-allowed"}, why(draft, "h3"))

    def test_to_stay_is_no_move(self):
        draft = self._moving(SINGLE, moves_to=of("h2"))
        self.assertEqual(set(), why(draft, "h1"))

    def test_from_type_1_within_the_same_pool(self):
        draft = self._moving(TYPE_1, members="h1 h2")
        pool(draft, "pool-2", TYPE_1, "h3")
        self.assertEqual(set(), why(draft, "h2"))
        self.assertEqual({"move-not-allowed"}, why(draft, "h3"))

    def test_from_type_2_to_pools_of_the_same_owners(self):
        draft = self._moving(TYPE_2, exclusive_to=of("acme-keys"))
        pool(draft, "pool-2", TYPE_2, "h2", exclusive_to=of("acme-keys"))
        pool(draft, "pool-3", TYPE_2, "h3")
        self.assertEqual(set(), why(draft, "h2"))
        self.assertEqual({"move-not-allowed"}, why(draft, "h3"))

    def test_from_an_enclave_to_any_other(self):
        draft = self._moving(ENCLAVES)
        pool(draft, "pool-2", ENCLAVES, "h2")
        self.assertEqual(set(), why(draft, "h2"))
        self.assertEqual({"move-not-allowed"}, why(draft, "h3"))

    def test_a_host_in_no_pool_binds_nobody(self):
        draft = asking(hosts=2, capability__tpm="required")
        draft.source = "h2"
        self.assertEqual(set(), why(draft))

    def test_who_asks_for_nothing_may_move(self):
        draft = self._moving(SINGLE)
        del draft.extra_specs["nfv_mla:capability.tpm"]
        self.assertEqual(set(), why(draft, "h3"))


class TestOurselves(unittest.TestCase):
    def test_what_nobody_judges_does_not_hold(self):
        draft = asking()
        bare(draft, requirements=("5.3.2",))
        self.assertEqual(set(), why(draft))
        draft.own_state["monitor-alive"] = False
        self.assertEqual({"self-unmet"}, why(draft))
        draft.own_state["monitor-alive"] = None
        self.assertEqual({"not-judged"}, why(draft))
        draft.own_state.clear()
        self.assertEqual({"not-judged"}, why(draft))

    def test_somebody_has_to_attest(self):
        draft = asking()
        bare(draft, requirements=("5.3.3",))
        self.assertEqual(set(), why(draft))
        for authority in ("kl", "ver"):
            del draft.told[authority, "h1"].claims["attestation"]
        self.assertEqual({"authority-silent"}, why(draft))

    def test_the_application_has_its_part(self):
        draft = asking(provision="signed-image")
        self.assertEqual(set(), why(draft))
        del draft.image["img_signature"]
        self.assertEqual({"application-lacks"}, why(draft))

    def test_what_no_image_can_tell_is_not_judged(self):
        draft = asking()
        client = Term(Subject.APPLICATION, "own-hsm-client")
        bare(draft, add=(("client", "6.20", ((client,),)),))
        self.assertEqual({"not-judged"}, why(draft))
