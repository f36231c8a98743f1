# SPDX-License-Identifier: Apache-2.0
"""A policy document says what it means, or everything wrong with it."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.values import Place
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies

CATALOGUE = load()
EXPIRES = policies.ISSUED + 92 * 86400 - 9 * 3600
PROJECT = "6f70656e737461636b20342065766572"
FLOOR = "{profile: sensitive-application-function, location.jurisdiction: DE}"
WAIVER = "profile: li-de, requirement: 5.2.10"
UNTIL = "reference: CHG-1, until: 2027-01-31"
SINGLE = "host_class: single-restricted\n    members: [ber-2]"
KEYS = "host_class: pooled-restricted\n    members: [ber-1]"
PERSONNEL = "{capability: personnel-controls, values: [host-admin],"
LOCATION = "values: {jurisdiction: [DE-BE], geographic: [berlin]}"
INTEGRITY = "playbooks.integrity"
CONCEALED = "values: {cpu: [masked], ram: [constant]}"

# old text, new text, path of the problem, what its message says
REFUSED = (
    # The head.
    ("policy/1", "policy/2", "format", "'nfv-mla-policy/1'"),
    ("version: 7", "version: 0", "version", "from 1 to 2**53"),
    ("version: 7", "version: true", "version", "a whole number"),
    ("version: 7", 'version: "7"', "version", "a whole number"),
    ("version: 7", "version: 7.0", "version", "a whole number"),
    ("version: 7\n", "", "version", "is missing: it has to be a whole"),
    ("issued: 2026-11-20", "issued: 2026-11-31", "issued", "does not exist"),
    ("issued: 2026-11-20T09:00:00Z", "issued: 20.11.2026", "issued", "UTC"),
    ("09:00:00Z", "09:00:00+01:00", "issued", "a time in UTC"),
    ("09:00:00Z", "24:00:00Z", "issued", "does not exist"),
    ("expires: 2027-02-20", "expires: 2028-02-20", "expires", "400 days"),
    ("expires: 2027-02-20", "expires: 2026-02-20", "expires", "not after"),
    ("operator: acme", "operator: acne", "operator", "no such trust domain"),
    ("operator: acme", "operater: acme", "operater", "mean 'operator'?"),
    ("operator: acme", "operator: Acme", "operator", "lower-case letters"),
    ("operator: acme", 'operator: "acme\\n"', "operator", "lower-case"),
    # Trust domains, authorities, collectors.
    ("police: {}", "Police: {}", "trust_domains.Police", "the name has to"),
    (
        "police: {}",
        'police: {seal_key: "no"}',
        "trust_domains.police.seal_key",
        "for sealing",
    ),
    (
        "trust_domain: police",
        "trust_domain: polizei",
        "authorities.veraison-bka.trust_domain",
        "no such trust domain",
    ),
    (
        "[attestation, tpm,",
        "[attestation, tmp,",
        "authorities.keylime-fra.vouches[1]",
        "no such capability",
    ),
    (
        "[attestation, tpm,",
        "[attestation, fabric-routing,",
        "authorities.keylime-fra.vouches[1]",
        "no capability of a host",
    ),
    (
        "cadence_s: 10",
        "cadence_s: 31",
        "authorities.keylime-fra.max_age_s",
        "twice the cadence of 31 s",
    ),
    (
        "may_evict: true",
        "may_evict: yes",
        "authorities.keylime-fra.may_evict",
        "has to be true or false",
    ),
    (
        "authorities: [keylime-fra, veraison-bka]",
        "authorities: [keylime]",
        "collectors.collector-a.authorities[0]",
        "no such authority",
    ),
    (
        "authorities: [keylime-fra, veraison-bka]",
        "authorities: []",
        "collectors.collector-a.authorities",
        "is empty",
    ),
    (
        "BEGIN PUBLIC KEY",
        "BEGIN PUBLIC KAY",
        "collectors.collector-a.public_key",
        "not a public key in PEM",
    ),
    # Hosts and declared facts.
    (
        "22222222-2222-4222-8222-222222222222",
        "11111111-1111-4111-8111-111111111111",
        "hosts.ber-2.node_uuid",
        "the UUID of the host ber-1 already",
    ),
    (
        "22222222-2222-4222-8222-222222222222",
        "2222-x",
        "hosts.ber-2.node_uuid",
        "a UUID in lower case",
    ),
    (
        "81c00002}",
        "81c00001}",
        "hosts.ber-2.attesters.keylime-fra",
        "attester at keylime-fra of the host ber-1",
    ),
    (
        "attesters: {veraison-bka: par-2}",
        f'pinned_keys: ["sha256:{"1" * 64}"]',
        "hosts.par-2.pinned_keys[0]",
        "the pinned key of the host ber-1",
    ),
    (
        "attesters: {veraison-bka: par-2}",
        'pinned_keys: ["sha256:11"]',
        "hosts.par-2.pinned_keys[0]",
        "64 hexadecimal digits",
    ),
    (
        "{veraison-bka: par-2}",
        "{veraison: par-2}",
        "hosts.par-2.attesters.veraison",
        "no such authority",
    ),
    ("  par-2:\n", "  par 2:\n", "hosts.par 2", "as Nova has it"),
    (
        "capability: personnel-controls,",
        "capability: personal-controls,",
        "hosts.ber-1.declared[0].capability",
        "there is no such capability",
    ),
    (
        f"{PERSONNEL} reference: HR-4711",
        "{capability: fabric-routing, values: [sla], reference: HR-4711",
        "hosts.ber-1.declared[0].capability",
        "no capability of a host",
    ),
    (
        "values: [host-admin]",
        "values: [hostadmin]",
        "hosts.ber-1.declared[0].values[0]",
        "is no value of personnel-controls",
    ),
    (
        "values: [host-admin]",
        "values: {host: [host-admin]}",
        "hosts.ber-1.declared[0].values",
        "has to be a list",
    ),
    (
        "reference: HR-4711",
        'reference: " "',
        "hosts.ber-1.declared[0].reference",
        "where the grounds are kept",
    ),
    (
        "reference: HR-4711, ",
        "",
        "hosts.ber-1.declared[0].reference",
        "is missing",
    ),
    (
        CONCEALED,
        "values: [masked]",
        "hosts.ber-1.declared[3].values",
        "a mapping from keys of concealed-resource-usage",
    ),
    (
        f"{CONCEALED}, ",
        "",
        "hosts.ber-1.declared[3].values",
        "a mapping from keys of concealed-resource-usage",
    ),
    (
        CONCEALED,
        "values: {gpu: [masked]}",
        "hosts.ber-1.declared[3].values.gpu",
        "there are: ram, cpu",
    ),
    (
        CONCEALED,
        "values: {cpu: [hidden]}",
        "hosts.ber-1.declared[3].values.cpu[0]",
        "there are: constant, masked",
    ),
    (
        LOCATION,
        "values: {jurisdiction: [berlin]}",
        "hosts.ber-1.declared[4].values.jurisdiction[0]",
        "no such region on the jurisdiction axis",
    ),
    (
        LOCATION,
        "values: {jurisdiction: []}",
        "hosts.ber-1.declared[4].values.jurisdiction",
        "at least one region",
    ),
    # Regions.
    ("DE: {in: EU}", "DE: {in: E}", "regions.jurisdiction.DE.in", "no such"),
    (
        "EU: {group: true}",
        "EU: {in: DE-BE}",
        "regions.jurisdiction.EU.in",
        "lies inside itself",
    ),
    ("EU: {group", "EU: {grp", "regions.jurisdiction.EU.grp", "no key"),
    ("  jurisdiction:\n", "  juristic:\n", "regions.juristic", "is no key"),
    ("FR: {in", "F_R: {in", "regions.jurisdiction.F_R", "a region: letters"),
    # Pools.
    (KEYS, KEYS.replace("ber-1", "ber-9"), "pools.keys.members[0]", "host"),
    (
        SINGLE,
        SINGLE.replace("ber-2", "ber-2, ber-1"),
        "pools.single.members[1]",
        "is in one pool only",
    ),
    (
        "members: [par-1, par-2]",
        "members: [par-1, ber-1]\n    exclusive_to: [police]",
        "pools.enclaves.members[1]",
        "exclusive to different trust domains",
    ),
    (
        "members: [par-1, par-2]",
        "members: [par-1, ber-1]\n    management_domains: [police]",
        "pools.enclaves.members[1]",
        "no scheduler may place in both",
    ),
    (
        "members: [par-1, par-2]",
        "members: [par-1, par-1]",
        "pools.enclaves.members[1]",
        "stands in this list twice",
    ),
    (
        "members: [par-1, par-2]",
        "members: [par-1]\n    moves_to: [par-2]",
        "pools.enclaves.moves_to",
        "only single-restricted pools",
    ),
    ("[acme-keys]", "[acme-key]", "pools.keys.exclusive_to[0]", "no such"),
    (
        "exclusive_to: [acme-keys]",
        "exclusive_to: [acme-keys, acme]",
        "pools.keys.exclusive_to",
        "exactly one trust domain",
    ),
    (
        "    exclusive_to: [police]\n",
        "",
        "pools.single.exclusive_to",
        "a single-restricted pool (7.2.1) is dedicated",
    ),
    (
        "    management_domains: [acme]\n    moves_to",
        "    moves_to",
        "pools.single.management_domains",
        "managed from its own domain only",
    ),
    (
        "host_class: secure-execution",
        "host_class: pooled-restricted-concealed",
        "pools.enclaves.management_domains",
        "at least one trust domain",
    ),
    ("secure-execution", "secured", "pools.enclaves.host_class", "7.2"),
    ("[hsm, ", "[hmm, ", "pools.keys.prove[0]", "no such capability"),
    ("[hsm, ", '["hsm=", ', "pools.keys.prove[0]", "not a term"),
    ("[hsm, ", "[hsm=soft, ", "pools.keys.prove[0]", "no value of hsm"),
    ("[hsm, ", '["hsm[x]", ', "pools.keys.prove[0]", "a key that hsm lacks"),
    ("[hsm, ", '["app:conceals", ', "pools.keys.prove[0]", "about the host"),
    ("[hsm, ", '["hsm by nobody", ', "pools.keys.prove[0]", "authority"),
    ("handle: p7", "handle: enclaves", "pools.keys.handle", "a name already"),
    ("handle: p7", "handle: li-de", "pools.keys.handle", "a name already"),
    ("handle: p7", "handle: k7", "profiles.li-de.handle", "handle of keys"),
    # Profiles and waivers.
    (
        "base: lawful-interception",
        "base: lawful",
        "profiles.li-de.base",
        "no such profile of the standard",
    ),
    ("    base: lawful-interception\n", "", "profiles.li-de.base", "missing"),
    ("  li-de:", "  retained-data:", "profiles.retained-data.base", "cannot"),
    ("  li-de:", "  li.de:", "profiles.li.de", "has no dot"),
    ("max_age_s: 60\n    str", "max_age_s: 0\n    str", "profiles.li-de", "1"),
    ('"5.2.9"', '"5.2.99"', "profiles.li-de.strength.5.2.99", "Table 9"),
    (
        '"5.2.9": conditional',
        '"5.2.9": optional',
        "profiles.li-de.strength.5.2.9",
        "required, preferred",
    ),
    (
        "values: {tpm: [hardware]}",
        "values: {tpm: [steel]}",
        "profiles.li-de.values.tpm[0]",
        "there are: hardware",
    ),
    (
        "values: {tpm: [hardware]}",
        "values: {attestation: [x]}",
        "profiles.li-de.values.attestation",
        "has no values",
    ),
    (
        "values: {tpm: [hardware]}",
        "values: {tpm: []}",
        "profiles.li-de.values.tpm",
        "is empty",
    ),
    ("hsm|execution-enclave", "hsm|", "profiles.li-de.add[0]", "not a term"),
    ("hsm|execution-enclave", "secure-logging", "profiles.li-de.add[0]", "is"),
    (
        "accept_declared: [location]",
        "accept_declared: [fabric-routing]",
        "profiles.li-de.accept_declared[0]",
        "no capability that a host has",
    ),
    ("{VCPU: 2", "{vcpu: 2", "profiles.li-de.footprint.vcpu", "like VCPU"),
    (WAIVER, WAIVER.replace("li-de", "li"), "waivers[0].profile", "no such"),
    (WAIVER, f"{WAIVER}1", "waivers[0].requirement", "requirement of li-de"),
    (WAIVER, WAIVER.replace("5.2.10", "hsm"), "waivers[0].requirement", "no"),
    (UNTIL, UNTIL.replace("2027", "2026"), "waivers[0].until", "has ended"),
    (UNTIL, UNTIL.replace("2027", "2028"), "waivers[0].until", "a year"),
    # Projects, modes, the rest.
    (PROJECT, "acme", "projects.acme", "Keystone project's id"),
    (
        "trust_domain: acme-keys",
        "trust_domain: keys",
        f"projects.{PROJECT}.trust_domain",
        "no such trust domain",
    ),
    (
        FLOOR,
        "{profil: retained-data}",
        f"projects.{PROJECT}.floor.profil",
        "no such key",
    ),
    (
        FLOOR,
        "{profile: nobody}",
        f"projects.{PROJECT}.floor.profile",
        "knows no such name",
    ),
    (
        FLOOR,
        "{profile: lawful-interception}",
        f"projects.{PROJECT}.floor.profile",
        "location.jurisdiction beside it",
    ),
    (
        FLOOR,
        "{location.jurisdiction: XX}",
        f"projects.{PROJECT}.floor.location.jurisdiction",
        "no such region",
    ),
    (FLOOR, "{max_age: 5}", f"projects.{PROJECT}.floor.max_age", "cadence"),
    ("{keys: {perm", "{key: {perm", "modes.pools.key", "no such pool"),
    (
        "permissive_until: 2027-01-01",
        "permissive_until: 2028-01-01",
        "modes.pools.keys.permissive_until",
        "more than a year",
    ),
    ("permissive_until: 2027-01-01", "", "modes.pools.keys", "is missing"),
    (
        "{capability: fabric-routing",
        "{capability: host-routing",
        "site[0].capability",
        "no capability of the site",
    ),
    ("  integrity:", "  integrty:", "playbooks.integrty", "kind of failure"),
    ("[fence, lock", "[fence, halt", "playbooks.integrity[1]", "a step: "),
    ("[fence, lock", "[fence, fence", "playbooks.integrity[1]", "twice"),
    ("[fence, lock", "[lock, 7", "playbooks.integrity[1]", "a step: "),
    ("[fence, lock, stop, power-off, re", "[re", INTEGRITY, "nor power-off"),
    ("lock, stop, power-off, re", "lock, stop, re", INTEGRITY, "exist twice"),
    ("lock, stop, power-off,", "stop, power-off, lock,", INTEGRITY, "undo it"),
    (
        "stop, power-off, rebuild-elsewhere]",
        "rebuild-elsewhere, stop, power-off]",
        INTEGRITY,
        "rebuild-elsewhere without power-off before it",
    ),
    ("off, rebuild-elsewhere", "off, evacuate", INTEGRITY, "more than noth"),
    ("lock, stop,", "lock, live-migrate, stop,", INTEGRITY, "live-migrate"),
    ("lock, stop,", "lock, cold-migrate, stop,", INTEGRITY, "cold-migrate"),
    (
        "  integrity: [fence, lock, stop, power-off, rebuild-elsewhere]",
        "  confidentiality: [lock, live-migrate, stop]",
        "playbooks.confidentiality",
        "more than the disk",
    ),
    (
        "  integrity: [fence, lock, stop, power-off, rebuild-elsewhere]",
        "  exposure: [fence, lock, live-migrate, alert]",
        "playbooks.exposure",
        "neither stop nor power-off",
    ),
    (
        "  integrity: [fence, lock, stop, power-off, rebuild-elsewhere]",
        "  place: [alert]",
        "playbooks.place",
        "neither stop nor power-off",
    ),
    (
        "  integrity: [fence, lock, stop, power-off, rebuild-elsewhere]",
        "  withheld: [fence, lock, cold-migrate]",
        "playbooks.withheld",
        "neither stop nor power-off",
    ),
    (
        "  integrity: [fence, lock, stop, power-off, rebuild-elsewhere]",
        "  outage: [alert, lock, stop]",
        "playbooks.outage",
        "evicts nothing",
    ),
    ("playbooks:\n", "playbooks: []\n#", "playbooks", "has to be a mapping"),
    ("minute: 6", "minute: 0", "guard.evictions_per_minute", "from 1"),
    ("guard:", "gaurd:", "gaurd", "did you mean 'guard'?"),
)


def problems(text: str | bytes) -> tuple[Problem, ...]:
    data = text.encode() if isinstance(text, str) else text
    try:
        read_policy(data, CATALOGUE)
    except PolicyRefused as exc:
        assert exc.reason is PolicyCode.INVALID
        assert exc.problems
        return exc.problems
    return ()


class RefusedTest(unittest.TestCase):
    def test_each_fault_is_named_with_its_place(self) -> None:
        for old, new, path, told in REFUSED:
            with self.subTest(new=new, path=path):
                text = policies.policy_yaml((old, new))
                found = [p for p in problems(text) if p.path.startswith(path)]
                self.assertTrue(
                    any(told in p.message for p in found), problems(text)
                )

    def test_a_problem_has_its_line(self) -> None:
        text = policies.policy_yaml(("cadence_s: 20", "cadence_s: 40"))
        (problem,) = problems(text)
        line = text.splitlines()[problem.line - 1]
        self.assertEqual(line.strip(), "max_age_s: 60")

    def test_no_message_speaks_python(self) -> None:
        words = ("None", "True", "dict'", "str'", "int'", "regex", "Traceback")
        for old, new, _, _ in REFUSED:
            for problem in problems(policies.policy_yaml((old, new))):
                self.assertLessEqual(len(str(problem)), LINE_MAX)
                for word in words:
                    self.assertNotIn(word, str(problem))

    def test_everything_is_reported_at_once(self) -> None:
        text = policies.policy_yaml(
            ("version: 7", "version: 0"),
            ("cadence_s: 10", "cadence_s: 31"),
            ("DE: {in: EU}", "DE: {in: E}"),
            ("[hsm, ", "[hmm, "),
            ('"5.2.9": conditional', '"5.2.9": optional'),
            (f"{WAIVER}", f"{WAIVER}1"),
            ("[fence, lock", "[fence, halt"),
            (FLOOR, "{profile: nobody}"),
            ("  par-2:\n", "  par-2:\n    extra: 1\n"),
        )
        self.assertEqual(
            {p.path for p in problems(text)},
            {
                "version",
                "authorities.keylime-fra.max_age_s",
                "hosts.par-2.extra",
                "regions.jurisdiction.DE.in",
                "pools.keys.prove[0]",
                "profiles.li-de.strength.5.2.9",
                "waivers[0].requirement",
                f"projects.{PROJECT}.floor.profile",
                "playbooks.integrity[1]",
            },
        )

    def test_documents_that_are_no_mapping(self) -> None:
        for data in (b"", b"null", b"[]", b"7", b"a: b: c", b"\xff", b"&a *a"):
            with self.subTest(data=data):
                self.assertTrue(problems(data))

    def test_yaml_that_means_two_things(self) -> None:
        twice = policies.policy_yaml() + "version: 8\n"
        self.assertIn("already stands", problems(twice)[0].message)

    def test_a_circle_of_regions_is_reported_once(self) -> None:
        text = policies.policy_yaml(
            ("EU: {group: true}", "EU: {in: A}\n    A: {in: EU}")
        )
        self.assertEqual(len(problems(text)), 1)

    def test_a_project_is_spelled_as_keystone_does(self) -> None:
        other = "6f70656e-7374-6163-6b20-342065766572"
        text = policies.policy_yaml(
            ("projects:\n", f"projects:\n  {other}: {{}}\n")
        )
        self.assertIn("32 hexadecimal", problems(text)[0].message)

    def test_vouchers_cannot_be_chosen_in_ever_so_many_ways(self) -> None:
        one = "vouches: [attestation], cadence_s: 5, max_age_s: 60}\n"
        more = "".join(
            f"  a{n}: {{trust_domain: acme, {one}" for n in range(12)
        )
        text = policies.policy_yaml(
            ("authorities:\n  keylime", f"authorities:\n{more}  keylime"),
            ("vouchers_min: 1", "vouchers_min: 6"),
        )
        (problem,) = problems(text)
        self.assertIn("ways to choose among 14", problem.message)
        self.assertEqual("profiles.li-de.vouchers_min", problem.path)

    def test_two_collectors_do_not_share_a_key(self) -> None:
        text = policies.policy_yaml()
        start = text.index("  collector-a:")
        end = text.index("hosts:")
        again = text[start:end].replace("collector-a", "collector-b")
        found = problems(text[:end] + again + text[end:])
        self.assertIn("of the collector collector-a", found[0].message)

    def test_problems_are_bounded_in_number(self) -> None:
        hosts = "".join(f"  h{i}: {{}}\n" for i in range(3000))
        found = problems(
            policies.policy_yaml(("hosts:\n", f"hosts:\n{hosts}"))
        )
        self.assertEqual(len(found), 1001)
        self.assertEqual(found[-1].message, "and 2000 more problems")


class MeaningTest(unittest.TestCase):
    def setUp(self) -> None:
        self.policy = policies.policy()

    def test_head(self) -> None:
        policy = self.policy
        self.assertEqual(policy.version, 7)
        self.assertEqual(policy.issued_at, policies.ISSUED)
        self.assertEqual(policy.expires_at, EXPIRES)
        self.assertEqual(policy.operator, "acme")
        self.assertEqual(len(policy.digest), 64)

    def test_hosts_and_their_facts(self) -> None:
        host = self.policy.hosts["ber-1"]
        self.assertEqual(host.attesters["veraison-bka"], "ber-1")
        facts = {fact.claim.capability: fact for fact in host.declared}
        personnel = facts["personnel-controls"]
        self.assertEqual(personnel.claim.grade, Grade.DECLARED)
        self.assertEqual(
            personnel.claim.values, {"": frozenset({"host-admin"})}
        )
        self.assertEqual(personnel.until, policies.ISSUED + 100.625 * 86400)
        concealed = facts["concealed-resource-usage"].claim.values
        self.assertEqual(concealed["cpu"], frozenset({"masked"}))

    def test_regions_nest(self) -> None:
        tree = self.policy.regions[Axis.JURISDICTION]
        self.assertEqual(tree.around("DE-BE"), ("DE-BE", "DE", "EU"))
        self.assertEqual(tree.shared_as("DE-BE"), {"DE-BE", "DE"})

    def test_pools(self) -> None:
        pool = self.policy.pools["keys"]
        self.assertEqual(pool.host_class, HostClass.POOLED_RESTRICTED)
        self.assertEqual([term.name for term in pool.prove], ["hsm", "tpm"])
        self.assertEqual(pool.exclusive_to, {"acme-keys"})
        self.assertIsNone(self.policy.pools["enclaves"].exclusive_to)
        self.assertEqual(self.policy.aliases, {"p7": "keys", "k7": "li-de"})

    def test_an_own_profile_starts_from_its_base(self) -> None:
        base = CATALOGUE.profiles["lawful-interception"]
        own = self.policy.profiles["li-de"]
        self.assertEqual(own.name, "li-de")
        self.assertEqual(own.requirements, base.requirements)
        self.assertEqual(own.strength, {"5.2.9": Strength.CONDITIONAL})
        self.assertEqual(own.values["tpm"], {"hardware"})
        self.assertEqual(own.values["host-routing"], {"lossless"})
        name, _, groups = own.add[-1]
        self.assertEqual(name, "hsm|execution-enclave")
        self.assertEqual(
            [[term.name for term in group] for group in groups],
            [["hsm"], ["execution-enclave"]],
        )
        self.assertEqual(self.policy.profiles["lawful-interception"], base)

    def test_an_adjusted_profile_carries_over_to_those_based_on_it(
        self,
    ) -> None:
        adjusted = "profiles:\n  lawful-interception: {vouchers_min: 2}\n"
        text = policies.policy_yaml(
            ("profiles:\n  li-de", f"{adjusted}  li-de"),
            ("    vouchers_min: 1\n", ""),
        )
        profiles = policies.policy(text).profiles
        self.assertEqual(profiles["lawful-interception"].vouchers_min, 2)
        self.assertEqual(profiles["li-de"].vouchers_min, 2)

    def test_a_strength_for_an_unmarked_requirement_adds_it(self) -> None:
        text = policies.policy_yaml(
            (
                "  li-de:",
                '  pii-protection: {strength: {"5.2.5": required}}\n  li-de:',
            )
        )
        profile = policies.policy(text).profiles["pii-protection"]
        self.assertIn("5.2.5", profile.requirements)

    def test_alternatives_of_an_added_need(self) -> None:
        for text, expected in (
            ("tpm=hardware|shared", [["tpm"]]),
            ("hsm or tpm=hardware", [["hsm"], ["tpm"]]),
            ("hsm and tpm or attestation", [["hsm", "tpm"], ["attestation"]]),
        ):
            with self.subTest(text=text):
                policy = policies.policy(
                    policies.policy_yaml(("hsm|execution-enclave", text))
                )
                _, _, groups = policy.profiles["li-de"].add[-1]
                self.assertEqual(
                    [[t.name for t in group] for group in groups], expected
                )

    def test_a_waiver_may_name_a_need_that_the_profile_adds(self) -> None:
        for name in ("hsm|execution-enclave", "external-voucher", "5.3.3"):
            text = policies.policy_yaml(
                (WAIVER, f"profile: li-de, requirement: '{name}'")
            )
            self.assertEqual(
                policies.policy(text).waivers[0].requirement, name
            )

    def test_floors_are_asks(self) -> None:
        project = self.policy.projects[PROJECT]
        self.assertEqual(project.trust_domain, "acme-keys")
        assert project.floor is not None
        de = Place(Axis.JURISDICTION, frozenset({"DE"}), frozenset())
        self.assertEqual(project.floor.places, {de})

    def test_what_is_left_out_has_a_default(self) -> None:
        guard = self.policy.guard
        self.assertEqual(guard.evictions_per_minute, 6)
        self.assertEqual(guard.evictions_at_once, 2)
        self.assertEqual(guard.suspect_share_percent, 20)
        text = policies.policy_yaml()
        least = text[: text.index("authorities:")]
        policy = policies.policy(least)
        self.assertEqual(policy.hosts, {})
        self.assertEqual(policy.profiles, CATALOGUE.profiles)
        self.assertEqual(set(policy.regions), set(Axis))
