# SPDX-License-Identifier: Apache-2.0
"""Hosts and pools, as Nova and as the policy have them."""

from __future__ import annotations

import json

from nfv_mla_scheduler.policy.instants import write_instant
from tests.unit.doctor.sites import DAY
from tests.unit.doctor.sites import HOSTS
from tests.unit.doctor.sites import MAX_AGE_S
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase
from tests.unit.doctor.sites import claims
from tests.unit.doctor.sites import node_uuid


class HostsCase(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def list_names(self, *names: str) -> None:
        self.site.nova_hosts.write_text(json.dumps(names))


class NovaHostsTest(HostsCase):
    def test_both_know_the_same_hosts(self) -> None:
        for name in ("unknown", "unbound", "uuids"):
            self.assert_ok(self.site.look(f"hosts.{name}"), "2 ")

    def test_without_a_list_they_are_not_looked_at(self) -> None:
        for name in ("unknown", "unbound", "uuids"):
            found = self.site.look(f"hosts.{name}", nova_hosts=None)
            self.assert_skipped(found, "--nova-hosts")

    def test_a_list_that_cannot_be_read_is_said(self) -> None:
        self.site.nova_hosts.write_text("{")
        found = self.site.look("hosts.unknown")
        self.assert_failed(found, "could not look", "hosts.json", "JSON")

    def test_a_host_of_the_policy_that_nova_does_not_know(self) -> None:
        self.list_names(HOSTS[0])
        found = self.site.look("hosts.unknown")
        self.assert_warning(found, "1 host of the policy", HOSTS[1])

    def test_a_host_of_nova_that_the_policy_does_not_bind(self) -> None:
        self.list_names(*HOSTS, "web-1")
        found = self.site.look("hosts.unbound")
        self.assert_warning(found, "1 host of 3", "web-1", "--skip")
        self.assertEqual(("web-1",), found.items)

    def test_a_host_is_known_by_its_uuid_under_any_name(self) -> None:
        hosts = [
            {"ID": node_uuid(host), "Hypervisor Hostname": f"{host}.example"}
            for host in HOSTS
        ]
        self.site.nova_hosts.write_text(json.dumps(hosts))
        for name in ("unknown", "unbound", "uuids"):
            self.assert_ok(self.site.look(f"hosts.{name}"))

    def test_another_uuid_under_the_same_name(self) -> None:
        hosts = [
            {"ID": node_uuid("another"), "Hypervisor Hostname": HOSTS[0]},
            {"ID": node_uuid(HOSTS[1]), "Hypervisor Hostname": HOSTS[1]},
        ]
        self.site.nova_hosts.write_text(json.dumps(hosts))
        found = self.site.look("hosts.uuids")
        self.assert_failed(found, "1 host with another UUID", HOSTS[0])

    def test_a_list_without_uuids_does_not_tell(self) -> None:
        self.list_names(*HOSTS)
        found = self.site.look("hosts.uuids")
        self.assert_skipped(found, "hypervisor list")


class PoolsTest(HostsCase):
    def test_pools_have_members_that_prove_their_class(self) -> None:
        self.assert_ok(self.site.look("hosts.pools"), "1 pool")
        self.assert_ok(self.site.look("hosts.proven"), "keys 2 of 2")

    def test_a_pool_without_members(self) -> None:
        pools = self.site.document["pools"]
        pools["empty"] = {**pools["keys"], "members": []}
        self.site.sign(version=8)
        self.assert_warning(self.site.look("hosts.pools"), "empty")
        self.assert_ok(self.site.look("hosts.proven"), "keys 2 of 2")

    def test_no_pools(self) -> None:
        self.site.sign(version=8, pools={})
        self.assert_ok(self.site.look("hosts.pools"), "no pools")
        self.assert_ok(self.site.look("hosts.proven"))

    def test_nobody_proves_the_class(self) -> None:
        said = claims()
        del said["secured-boot"]
        self.site.publish(said=said)
        found = self.site.look("hosts.proven")
        self.assert_failed(found, "keys 0 of 2")

    def test_results_that_have_grown_old_prove_nothing(self) -> None:
        self.site.publish(age_s=MAX_AGE_S + 1.0, issued_s=1.0)
        self.assert_failed(self.site.look("hosts.proven"), "keys 0 of 2")

    def test_some_prove_it(self) -> None:
        self.site.publish(hosts=HOSTS[:1])
        self.assert_warning(self.site.look("hosts.proven"), "keys 1 of 2")

    def test_being_permissive_proves_nothing(self) -> None:
        until = {"permissive_until": write_instant(self.site.now + 9 * DAY)}
        self.site.sign(version=8, modes={"pools": {"keys": until}})
        self.assert_ok(self.site.look("hosts.proven"), "keys 2 of 2")
        self.site.publish(hosts=())
        self.assert_failed(self.site.look("hosts.proven"), "keys 0 of 2")

    def test_whose_pool_it_is_does_not_matter(self) -> None:
        del self.site.sections["nfv_mla"]["management_domain"]
        self.site.write_conf()
        self.assert_ok(self.site.look("hosts.proven"), "keys 2 of 2")

    def test_without_results_it_is_not_looked_at(self) -> None:
        self.site.results_file.unlink()
        self.assert_skipped(self.site.look("hosts.proven"), "results.source")
