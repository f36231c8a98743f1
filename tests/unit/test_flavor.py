# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla flavor traits``: what operators type, and what they read."""

from __future__ import annotations

import json
import shlex
import unittest
from typing import Any

from nova.api.validation.extra_specs import traits as nova_traits

from nfv_mla_scheduler.model import HostClass
from tests import policies
from tests.unit.explain.estate import EstateTest

SETS = "openstack flavor set FLAVOR --property trait:CUSTOM_NFV_MLA_POOL_"
ENCLAVES, P7 = f"{SETS}ENCLAVES=required", f"{SETS}P7=required"
STRICT = ("modes:\n  pools: {keys: {permissive_until: 2027-01-01}}\n", "")
HSM = ("vouches: [attestation, tpm, ", "vouches: [attestation, hsm, tpm, ")


class FlavorTest(EstateTest):
    def setUp(self) -> None:
        super().setUp()
        self.estate.alter(STRICT)

    def traits(self, line: str, status: int = 0) -> list[str]:
        text = self.typed(
            f"flavor traits {line} --config-file nova.conf", status
        )
        return text.splitlines()

    def document(self, line: str, status: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            "\n".join(self.traits(f"{line} --format json", status))
        )
        self.assertEqual("nfv-mla-flavor-traits/1", found["format"])
        return found

    def required(self, line: str) -> set[str]:
        return set(self.document(line)["extra_specs"])


class RequiredTest(FlavorTest):
    def test_the_one_pool_that_is_asked_for(self) -> None:
        self.assertEqual([P7], self.traits("nfv_mla:pool=p7"))
        self.assertEqual([ENCLAVES], self.traits("nfv_mla:pool=enclaves"))

    def test_a_handle_stands_for_a_name_and_the_name_is_told(self) -> None:
        line, warning = self.traits("nfv_mla:pool=keys")
        self.assertEqual(P7, line)
        self.assertIn("its handle is p7", warning)

    def test_the_one_pool_of_a_class(self) -> None:
        for name, trait in (
            ("secure-execution", "ENCLAVES"),
            ("single-restricted", "SINGLE"),
            ("pooled-restricted", "P7"),
            # serves as the other type, if the application conceals
            ("pooled-restricted-concealed", "P7"),
        ):
            with self.subTest(name):
                self.assertEqual(
                    [f"{SETS}{trait}=required"],
                    self.traits(f"nfv_mla:host_class={name}"),
                )

    def test_pool_and_class_each_have_their_trait(self) -> None:
        self.estate.alter(
            STRICT, ("members: [par-1, par-2]", "members: [ber-1, par-1]")
        )
        self.assertEqual(
            {
                "trait:CUSTOM_NFV_MLA_POOL_P7",
                "trait:CUSTOM_NFV_MLA_POOL_ENCLAVES",
            },
            self.required(
                "nfv_mla:pool=p7 nfv_mla:host_class=secure-execution"
            ),
        )

    def test_a_class_that_the_pool_asked_for_has_needs_no_more(self) -> None:
        self.assertEqual(
            [ENCLAVES],
            self.traits(
                "nfv_mla:pool=enclaves "
                "nfv_mla:host_class=secure-execution,single-restricted"
            ),
        )

    def test_of_several_the_one_whose_members_could_meet_the_rest(
        self,
    ) -> None:
        # hsm: nobody vouches for it but keylime, who knows no host par-2
        self.estate.alter(
            STRICT, HSM, ("members: [par-1, par-2]", "members: [par-2]")
        )
        line, warning = self.traits(
            "nfv_mla:pool=p7,enclaves nfv_mla:capability.hsm=required"
        )
        self.assertEqual(P7, line)
        self.assertIn("only keys has members that could", warning)

    def test_hosts_that_could_are_all_of_one_pool(self) -> None:
        # only ber-1 and par-2 are known to veraison, of different pools
        wants = "nfv_mla:capability.execution-enclave=required"
        self.assertEqual([], list(self.document(wants, 3)["extra_specs"]))
        self.estate.alter(
            STRICT, ("members: [ber-1]", "members: [ber-1, par-2]")
        )
        line, warning = self.traits(wants)
        self.assertEqual(P7, line)
        self.assertIn("prove pooled-restricted besides", warning)

    def test_permissive_pools_are_warned_of(self) -> None:
        self.estate.alter()
        line, warning = self.traits("nfv_mla:pool=p7")
        self.assertEqual(P7, line)
        self.assertIn("permissive until 2027-01-01", warning)

    def test_nova_takes_what_is_printed(self) -> None:
        found = self.document("nfv_mla:pool=p7")
        custom = nova_traits.EXTRA_SPEC_VALIDATORS[-1]
        for name, value in found["extra_specs"].items():
            custom.validate(name, value)
            self.assertRegex(name, f"^{custom.name_regex}$")

    def test_by_a_policy_that_is_not_in_force(self) -> None:
        text = policies.policy_yaml(STRICT, ("handle: p7", "handle: p8"))
        self.estate.put("next.yaml", text)
        line = "flavor traits --policy next.yaml nfv_mla:pool=p8"
        self.assertEqual(f"{SETS}P8=required\n", self.typed(f"{line}"))

    def test_a_name_with_blanks_is_one_word(self) -> None:
        (line,) = self.traits("nfv_mla:pool=p7 --flavor 'keys small'")
        self.assertEqual("keys small", shlex.split(line)[3])


class SeveralTest(FlavorTest):
    def test_one_flavor_for_each_pool(self) -> None:
        lines = self.traits("nfv_mla:pool=p7,enclaves", 3)
        self.assertTrue(lines[0].startswith("# nfv_mla:pool can be met in "))
        self.assertEqual(
            ["FLAVOR-1", "FLAVOR-2"],
            [shlex.split(line)[3] for line in lines if "set" in line],
        )
        found = self.document("nfv_mla:pool=p7,enclaves", 3)
        self.assertEqual({}, found["extra_specs"])
        self.assertEqual(
            {"keys", "enclaves"}, set(found["one_of"][0]["pools"])
        )

    def test_nova_still_has_no_way_to_say_any_of(self) -> None:
        custom = nova_traits.EXTRA_SPEC_VALIDATORS[-1]
        self.assertEqual(["required", "forbidden"], custom.value["enum"])

    def test_what_names_no_pool(self) -> None:
        line, warning = self.traits("nfv_mla:capability.tpm=hardware", 3)
        self.assertEqual("# No trait can be required for this.", line)
        self.assertIn("ask for a pool or host class", warning)

    def test_what_asks_for_nothing(self) -> None:
        _, warning = self.traits("nfv_mla:copy=deny", 3)
        self.assertIn("nothing is asked for", warning)

    def test_what_no_host_could_meet(self) -> None:
        _, warning = self.traits("nfv_mla:capability.hsm=required", 3)
        self.assertIn("no host of the policy could meet", warning)
        _, warning = self.traits(
            "nfv_mla:capability.hsm=required nfv_mla:pool=p7", 3
        )
        self.assertIn("no member of keys could meet", warning)

    def test_a_class_of_no_pool(self) -> None:
        self.estate.alter(
            STRICT,
            (
                "host_class: secure-execution",
                "host_class: single-restricted\n    exclusive_to: [police]\n"
                "    management_domains: [acme]",
            ),
        )
        asked = f"nfv_mla:host_class={HostClass.SECURE_EXECUTION.value}"
        _, warning = self.traits(asked, 3)
        self.assertIn("has no pool such as nfv_mla:host_class", warning)


class WrongTest(FlavorTest):
    ROWS = (
        ("", 2, "required: nfv_mla:KEY=VALUE"),
        ("pool=p7", 2, "'pool' is no key of ours"),
        ("trait:CUSTOM_X=required", 2, "is no key of ours"),
        ("nfv_mla:pool", 2, "is not of the form KEY=VALUE"),
        ("nfv_mla:pool=p7 --format yaml", 2, "invalid choice: 'yaml'"),
        ("nfv_mla:pol=p7", 1, "nfv_mla:pol: there is no such key ('p7')"),
        ("nfv_mla:pool=P7", 1, "nfv_mla:pool: is not of the form of"),
        ("nfv_mla:pool=nope", 1, "the policy knows no such name ('nope')"),
        ("nfv_mla:pool=p7 nfv_mla:pool=p7", 1, "is given twice"),
        ("nfv_mla:pool=p7 --policy nope.yaml", 1, "nope.yaml: No such file"),
        ("nfv_mla:profile=k7", 1, "needs nfv_mla:location.jurisdiction"),
    )

    def test_what_is_said_of_it(self) -> None:
        for words, status, said in self.ROWS:
            with self.subTest(words):
                lines = self.traits(words, status)
                self.assertEqual(1, len(lines))
                self.assertIn(said, lines[0])

    def test_without_a_policy_in_force(self) -> None:
        (self.estate.directory / "policy.json").unlink()
        (line,) = self.traits("nfv_mla:pool=p7", 1)
        self.assertIn("there is no policy in force", line)
        self.assertIn("policy.json", line)


if __name__ == "__main__":
    unittest.main()
