# SPDX-License-Identifier: Apache-2.0
"""Reading a results document: what it says, and what stays the same."""

from __future__ import annotations

import dataclasses
import unittest

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa

from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from tests.unit.results import documents as d


class TestReading(unittest.TestCase):
    def test_it_says_what_was_written(self):
        document = d.read(d.document(at=d.NOW - 1.25))
        self.assertEqual("collector", document.collector)
        self.assertEqual(d.NOW, document.issued_at)
        self.assertEqual((), document.problems)
        self.assertEqual({"ear", "keylime"}, set(document.results))
        result = document.results["ear"]["h1"]
        self.assertEqual(("ear", "h1"), (result.authority, result.attester))
        self.assertEqual(d.TPM, dict(result.claims))
        self.assertEqual("boot-h1", result.boot)
        self.assertEqual(d.NOW - 100, result.boot_attested_at)
        self.assertEqual(
            {"h1": Freshness(d.NOW - 1.25, "b")},
            {"h1": document.freshness["ear"]["h1"]},
        )
        self.assertEqual(
            Freshness(d.NOW - 1.25, None), document.freshness["keylime"]["h2"]
        )

    def test_what_was_read_can_be_written_and_is_the_same(self):
        first = d.document(at=d.NOW - 1.25)
        document = d.read(first)
        again = write(
            ResultsDraft(
                document.collector,
                document.issued_at,
                document.results,
                document.freshness,
            ),
            d.SIGNER,
        )
        self.assertEqual(first, again)

    def test_every_kind_of_key_that_a_collector_may_have(self):
        for curve in (ec.SECP256R1(), ec.SECP384R1()):
            key = ec.generate_private_key(curve)
            signer, collector = d.signer_and_collector(key=key)
            document = d.read(
                write(d.draft(), signer), collectors={"collector": collector}
            )
            self.assertIn("ear", document.results)

    def test_a_key_of_another_kind_signs_nothing(self):
        for key in (
            ec.generate_private_key(ec.SECP521R1()),
            rsa.generate_private_key(65537, 2048),
        ):
            signer, collector = d.signer_and_collector(key=key)
            with self.assertRaises(ResultsRefused) as caught:
                d.read(
                    write(d.draft(), signer),
                    collectors={"collector": collector},
                )
            self.assertIs(ResultsCode.WRONG_KEY, caught.exception.reason)

    def test_two_collectors_may_share_a_key(self):
        twin = dataclasses.replace(d.COLLECTOR, name="twin")
        collectors = {"collector": d.COLLECTOR, "twin": twin}
        document = d.read(d.document(collector="twin"), collectors=collectors)
        self.assertEqual("twin", document.collector)

    def test_its_values_cannot_be_changed(self):
        document = d.read(d.document())
        result = document.results["ear"]["h1"]
        for mapping in (
            document.results,
            document.results["ear"],
            document.freshness,
            document.freshness["ear"],
            result.claims,
            result.claims["tpm"].values,
            result.claims["location"].values,
        ):
            with self.assertRaises(TypeError):
                mapping["x"] = None  # type: ignore[index]

    def test_a_document_may_be_empty(self):
        empty = ResultsDraft("collector", d.NOW, {}, {})
        self.assertEqual({}, dict(d.read(write(empty, d.SIGNER)).results))
        nobody = ResultsDraft("collector", d.NOW, {"ear": {}}, {})
        document = d.read(write(nobody, d.SIGNER))
        self.assertEqual({}, dict(document.results["ear"]))

    def test_a_claim_without_values_and_one_with_an_empty_key(self):
        body = d.claims(
            tpm={"status": "affirming", "grade": "declared"},
            secure_clean_up={
                "status": "none",
                "grade": "boot",
                "values": {"ram": []},
            },
        )
        claims = d.read(d.by_hand(body)).results["ear"]["h1"].claims
        self.assertEqual({}, dict(claims["tpm"].values))
        self.assertIs(Status.AFFIRMING, claims["tpm"].status)
        self.assertIs(Grade.DECLARED, claims["tpm"].grade)
        self.assertEqual(
            {"ram": frozenset()}, dict(claims["secure-clean-up"].values)
        )

    def test_what_an_authority_may_not_vouch_for_stays(self):
        self.assertNotIn("location", d.AUTHORITIES["ear"].vouches)
        result = d.read(d.document()).results["ear"]["h1"]
        self.assertIn("location", result.claims)


class TestIdentity(unittest.TestCase):
    def setUp(self):
        self.loader = Loader()
        self.first = d.read(d.document(), self.loader)

    def _same(self, document, authority, attester):
        return (
            document.results[authority][attester]
            is self.first.results[authority][attester]
        )

    def test_equal_claim_sets_are_one_object(self):
        ear, keylime = self.first.results["ear"], self.first.results["keylime"]
        self.assertIs(ear["h1"].claims, keylime["h1"].claims)

    def test_when_only_times_change_all_results_are_the_same(self):
        later = d.read(
            d.document(at=d.NOW + 5, issued_at=d.NOW + 5), self.loader
        )
        self.assertEqual(self.first.body_digest, later.body_digest)
        self.assertIs(self.first.results["ear"], later.results["ear"])
        self.assertEqual(d.NOW + 5, later.freshness["ear"]["h1"].at)

    def test_when_one_result_changes_the_others_are_the_same(self):
        fewer = {"tpm": d.TPM["tpm"]}
        changes = {
            "claims": Result("ear", "h1", fewer, "boot-h1", d.NOW - 100),
            "boot": Result("ear", "h1", d.TPM, "boot-x", d.NOW - 100),
            "key": Result("ear", "h1", d.TPM, "boot-h1", d.NOW - 100, key="k"),
            "no boot": Result("ear", "h1", d.TPM, None, d.NOW - 100),
            "boot time": Result("ear", "h1", d.TPM, "boot-h1", d.NOW - 99),
        }
        for name, changed in changes.items():
            with self.subTest(name):
                later = d.read(d.document(h1=changed), self.loader)
                self.assertNotEqual(self.first.body_digest, later.body_digest)
                self.assertFalse(self._same(later, "ear", "h1"))
                self.assertTrue(self._same(later, "ear", "h2"))
                self.assertTrue(self._same(later, "keylime", "h1"))
                back = d.read(d.document(), self.loader)
                self.assertTrue(self._same(back, "keylime", "h1"))

    def test_claim_sets_are_compared_by_content_not_by_how_they_travel(self):
        def body(values, keys):
            named = {
                "tpm": {
                    "status": "affirming",
                    "grade": "boot",
                    "values": values,
                },
                "secured-boot": {"status": "none", "grade": "boot"},
            }
            return d.one_set({key: named[key] for key in keys})

        loader = Loader()
        keys = ["tpm", "secured-boot"]
        one = d.read(d.by_hand(body(["hardware", "virtual"], keys)), loader)
        two = d.read(
            d.by_hand(body(["virtual", "hardware"], keys[::-1])), loader
        )
        self.assertNotEqual(one.body_digest, two.body_digest)
        self.assertIs(one.results["ear"]["h1"], two.results["ear"]["h1"])

    def test_an_empty_claim_set_keeps_its_identity_too(self):
        loader = Loader()
        one = d.read(d.by_hand(d.one_set({})), loader)
        body = d.one_set({"secured-boot": {"status": "none", "grade": "boot"}})
        two = d.read(d.by_hand(body), loader)
        self.assertIs(one.results["ear"]["h2"], two.results["ear"]["h2"])

    def test_a_refused_document_changes_nothing(self):
        with self.assertRaises(ResultsRefused):
            d.read(d.document(issued_at=d.NOW + 1000), self.loader)
        with self.assertRaises(ResultsRefused):
            body = d.one_set({})
            d.read(d.by_hand(body, {"ear": {"at": [1]}}), self.loader)
        later = d.read(d.document(), self.loader)
        self.assertTrue(self._same(later, "ear", "h1"))

    def test_another_policy_means_reading_the_same_body_anew(self):
        regions = {**d.REGIONS, Axis.JURISDICTION: Regions({"DE": None})}
        for name, kwargs in {
            "regions": {"regions": regions},
            "authorities": {"authorities": {}},
            "collectors": {
                "collectors": {
                    "collector": dataclasses.replace(
                        d.COLLECTOR, authorities=frozenset()
                    )
                }
            },
        }.items():
            with self.subTest(name):
                later = d.read(d.document(), self.loader, **kwargs)
                self.assertTrue(later.problems)
                result = later.results.get("ear", {}).get("h1")
                self.assertTrue(result is None or result.faulty)
                back = d.read(d.document(), self.loader)
                self.assertEqual((), back.problems)
                self.assertFalse(back.results["ear"]["h1"].faulty)


class TestRollback(unittest.TestCase):
    def test_an_older_document_is_refused_and_an_equal_one_is_not(self):
        loader = Loader()
        d.read(d.document(issued_at=d.NOW - 1), loader)
        d.read(d.document(issued_at=d.NOW - 1), loader)
        with self.assertRaises(ResultsRefused) as caught:
            d.read(d.document(issued_at=d.NOW - 1.001), loader)
        self.assertIs(ResultsCode.ROLLED_BACK, caught.exception.reason)

    def test_each_collector_has_a_time_of_its_own(self):
        loader = Loader()
        signer, other = d.signer_and_collector("other")
        collectors = {**d.COLLECTORS, "other": other}
        d.read(d.document(issued_at=d.NOW - 1), loader, collectors=collectors)
        older = write(d.draft(issued_at=d.NOW - 50, collector="other"), signer)
        d.read(older, loader, collectors=collectors)
        with self.assertRaises(ResultsRefused) as caught:
            data = d.document(issued_at=d.NOW - 2)
            d.read(data, loader, collectors=collectors)
        self.assertIs(ResultsCode.ROLLED_BACK, caught.exception.reason)

    def test_an_older_one_of_another_collector_replaces_nothing(self):
        signer, other = d.signer_and_collector("other")
        collectors = {**d.COLLECTORS, "other": other}
        loader = Loader()
        held = d.read(
            d.document(issued_at=d.NOW - 1), loader, collectors=collectors
        )

        def of_other(at):
            data = write(d.draft(issued_at=at, collector="other"), signer)
            return d.read(data, loader, collectors=collectors, held=held)

        with self.assertRaises(ResultsRefused) as caught:
            of_other(d.NOW - 1.001)
        self.assertIs(ResultsCode.ROLLED_BACK, caught.exception.reason)
        for word in ("'other'", "'collector'", "0.001 s before"):
            self.assertIn(word, str(caught.exception))
        # not a word of it is remembered, and one as new may follow
        self.assertEqual("other", of_other(d.NOW - 1).collector)


class TestLeftOut(unittest.TestCase):
    """One result at fault carries nothing, is said, and nothing is lost."""

    def _only_faulty(self, document, *attesters):
        results = document.results["ear"]
        self.assertEqual(
            list(attesters), [a for a, r in results.items() if r.faulty]
        )
        self.assertEqual(list(results), list(document.freshness["ear"]))

    def _only(self, document, code):
        [problem] = document.problems
        self.assertTrue(problem.message.startswith(f"{code.value}: "))
        return problem

    def test_an_authority_that_the_policy_does_not_know(self):
        authorities = {"keylime": d.AUTHORITIES["keylime"]}
        document = d.read(d.document(), authorities=authorities)
        problem = self._only(document, ResultsCode.UNKNOWN_AUTHORITY)
        self.assertEqual("authorities.ear", problem.path)
        self.assertEqual(["keylime"], list(document.results))
        self.assertEqual(["keylime"], list(document.freshness))

    def test_an_authority_that_the_collector_may_not_speak_for(self):
        body = {
            "claim_sets": [{}],
            "authorities": {"other": [["h1", 0, None, 1]]},
        }
        document = d.read(d.by_hand(body))
        problem = self._only(document, ResultsCode.NOT_THEIRS)
        self.assertEqual("authorities.other", problem.path)
        self.assertEqual("collector", problem.value)
        self.assertEqual({}, dict(document.results))

    def test_a_time_from_the_future(self):
        for what, ahead in {
            "at": {"at": [d.NOW + 31, d.NOW]},
            "boot": {"at": [d.NOW, d.NOW]},
        }.items():
            with self.subTest(what):
                body = d.one_set({})
                if what == "boot":
                    body["authorities"]["ear"][0][3] = d.NOW + 31
                loader = Loader()
                data = d.by_hand(body, {"ear": ahead})
                document = d.read(data, loader)
                problem = self._only(document, ResultsCode.AHEAD)
                self.assertEqual("authorities.ear.h1", problem.path)
                self._only_faulty(document, "h1")
                again = d.read(data, loader)
                self.assertIs(
                    document.results["ear"]["h1"], again.results["ear"]["h1"]
                )
                later = d.read(data, loader, now=d.NOW + 1)
                self.assertEqual((), later.problems)
                self._only_faulty(later)

    def test_a_time_just_within_the_skew_counts(self):
        document = d.read(d.document(at=d.NOW + 30))
        self.assertEqual((), document.problems)

    def test_an_attester_that_is_there_twice(self):
        body = d.one_set({})
        body["authorities"]["ear"].append(["h1", 1, None, 2])
        document = d.read(d.by_hand(body))
        problem = self._only(document, ResultsCode.INVALID)
        self.assertEqual("authorities.ear.h1", problem.path)
        self._only_faulty(document, "h1")

    def test_one_that_is_there_twice_keeps_the_worst_of_all_entries(self):
        def claim(status, *values):
            return {
                "status": status,
                "grade": "boot",
                **({"values": list(values)} if values else {}),
            }

        affirming = claim("affirming", "hardware")
        for first, second, status, values in (
            ({}, {}, None, ()),
            ({}, {"tpm": claim("none")}, None, ()),
            ({"tpm": affirming}, {}, "affirming", ["hardware"]),
            ({"tpm": affirming}, {"tpm": affirming}, "affirming", None),
            (
                {"tpm": affirming},
                {"tpm": claim("affirming", "virtual")},
                "warning",
                ["hardware", "virtual"],
            ),
            ({"tpm": affirming}, {"tpm": claim("warning")}, "warning", None),
            (
                {"tpm": affirming},
                {"tpm": claim("contraindicated")},
                "contraindicated",
                None,
            ),
            (
                {"tpm": affirming, "secured-boot": 1},
                {"tpm": claim("contraindicated", "soft")},
                "contraindicated",
                None,
            ),
        ):
            for sets in ([first, second], [second, first]):
                with self.subTest(sets=sets):
                    entries = [["h1", n, None, 1] for n in (0, 1)]
                    body = {
                        "claim_sets": sets,
                        "authorities": {"ear": entries},
                    }
                    loader = Loader()
                    document = d.read(d.by_hand(body), loader)
                    self._only_faulty(document, "h1")
                    result = document.results["ear"]["h1"]
                    found = result.claims.get("tpm")
                    self.assertEqual(status, found and found.status.value)
                    if values and found:
                        self.assertEqual({"": set(values)}, found.values)
                    body["authorities"]["ear"].append(["h2", 0, None, 1])
                    again = d.read(d.by_hand(body), loader)
                    self.assertIs(result, again.results["ear"]["h1"])

    def test_what_a_faulty_set_holds_against_the_host_is_kept(self):
        good = {"status": "affirming", "grade": "boot"}
        against = {"status": "contraindicated", "grade": "boot"}
        warning = {"status": "warning", "grade": "boot"}
        de = {"values": {"jurisdiction": ["DE"]}}
        fr = {"values": {"jurisdiction": ["FR"]}}
        for name, capability, claim, status in (
            ("contraindicated", "tpm", against, "contraindicated"),
            ("warning", "tpm", warning, "warning"),
            ("affirming", "tpm", good, "affirming"),
            ("none", "tpm", {**good, "status": "none"}, "none"),
            ("region", "location", {**warning, **de}, "warning"),
            ("odd value", "tpm", {**warning, "values": ["x"]}, "warning"),
            ("odd grade", "tpm", {**against, "grade": 1}, "contraindicated"),
            ("odd region", "location", {**warning, **fr}, "contraindicated"),
            ("odd and affirming", "tpm", {**good, "values": ["x"]}, None),
            ("odd status", "tpm", {**good, "status": ["warning"]}, None),
            ("no object", "tpm", "contraindicated", None),
        ):
            with self.subTest(name):
                claims = {"new": 1, capability: claim, "secured-boot": 1}
                body = d.one_set(claims)
                loader = Loader()
                document = d.read(d.by_hand(body), loader)
                self._only_faulty(document, "h1")
                result = document.results["ear"]["h1"]
                self.assertEqual(
                    {capability: status} if status else {},
                    {k: c.status.value for k, c in result.claims.items()},
                )
                body["authorities"]["ear"].append(["h3", 1, None, 1])
                again = d.read(d.by_hand(body), loader)
                self.assertIs(result, again.results["ear"]["h1"])
                # and when it is mended
                body["claim_sets"][0] = {}
                mended = d.read(d.by_hand(body), loader)
                self._only_faulty(mended)

    def test_a_capability_that_is_not_known_costs_its_claim_alone(self):
        good = {"status": "affirming", "grade": "boot"}
        for strange in (good, {"state": 1}, None, "x", [[]]):
            for name in ("quantum-shield", "\x1b[0m", "n" * 999):
                with self.subTest(strange=strange, name=name):
                    body = d.one_set({"tpm": good, name: strange})
                    document = d.read(d.by_hand(body))
                    problem = self._only(document, ResultsCode.BAD_CLAIM)
                    self.assertTrue(problem.path.startswith("claim_sets.0."))
                    self.assertTrue(str(problem).isprintable())
                    self.assertEqual(
                        name[:3].replace("\x1b", "?"), (problem.value[:3])
                    )
                    results = document.results["ear"]
                    self.assertEqual(["h1", "h2"], list(results))
                    self.assertEqual(["tpm"], list(results["h1"].claims))

    def test_one_that_is_not_known_is_told_once_for_all_sets(self):
        good = {"status": "affirming", "grade": "boot"}
        body = d.one_set({})
        body["claim_sets"] = [
            {},
            {"new": good},
            {"new": good, "tpm": good},
            {"newer": good, "tpm": good},
        ]
        body["authorities"]["ear"] = [[f"h{n}", n, None, 1] for n in range(4)]
        document = d.read(d.by_hand(body))
        new, newer = document.problems
        self.assertEqual("claim_sets.1.new", new.path)
        self.assertIn("in 2 claim sets", new.message)
        self.assertEqual("claim_sets.3.newer", newer.path)
        results = document.results["ear"]
        # without it they say the same
        self.assertIs(results["h0"].claims, results["h1"].claims)
        self.assertIs(results["h2"].claims, results["h3"].claims)

    def test_another_fault_beside_it_costs_the_whole_result(self):
        good = {"status": "affirming", "grade": "boot"}
        for claims in (
            {"new": good, "tpm": {**good, "status": "fine"}},
            {"tpm": {**good, "grade": "best"}, "new": good},
        ):
            document = d.read(d.by_hand(d.one_set(claims)))
            self.assertEqual(2, len(document.problems))
            self._only_faulty(document, "h1")

    def test_a_claim_that_is_not_in_the_catalogue(self):
        good = {"status": "affirming", "grade": "boot"}
        bad = {
            "status": (
                {"tpm": good | {"status": "fine"}},
                "claim_sets.0.tpm.status",
                "fine",
            ),
            "no status": (
                {"tpm": {"grade": "boot"}},
                "claim_sets.0.tpm.status",
                "None",
            ),
            "grade": (
                {"tpm": good | {"grade": 2}},
                "claim_sets.0.tpm.grade",
                "2",
            ),
            "field": ({"tpm": good | {"x": 1}}, "claim_sets.0.tpm", "x"),
            "value": (
                {"tpm": good | {"values": ["soft"]}},
                "claim_sets.0.tpm.values",
                "soft",
            ),
            "value that is a list": (
                {"tpm": good | {"values": [["hardware"]]}},
                "claim_sets.0.tpm.values",
                "an array",
            ),
            "value twice": (
                {"tpm": good | {"values": ["hardware", "hardware"]}},
                "claim_sets.0.tpm.values",
                "",
            ),
            "value where there are none": (
                {"secured-boot": good | {"values": ["x"]}},
                "claim_sets.0.secured-boot.values",
                "x",
            ),
            "keys where there are none": (
                {"tpm": good | {"values": {"a": []}}},
                "claim_sets.0.tpm.values",
                "",
            ),
            "no keys where there must be": (
                {"location": good | {"values": ["DE"]}},
                "claim_sets.0.location.values",
                "",
            ),
            "key": (
                {"location": good | {"values": {"planet": ["DE"]}}},
                "claim_sets.0.location.values",
                "planet",
            ),
            "region": (
                {"location": good | {"values": {"jurisdiction": ["FR"]}}},
                "claim_sets.0.location.values.jurisdiction",
                "FR",
            ),
            "region of another axis": (
                {"location": good | {"values": {"geographic": ["DE"]}}},
                "claim_sets.0.location.values.geographic",
                "DE",
            ),
            "region of an axis without any": (
                {"location": good | {"values": {"logical": ["DE"]}}},
                "claim_sets.0.location.values.logical",
                "DE",
            ),
            "claim": ({"tpm": "affirming"}, "claim_sets.0.tpm", ""),
            "set": (["tpm"], "claim_sets.0", ""),
        }
        for name, (claims, path, value) in bad.items():
            with self.subTest(name):
                document = d.read(d.by_hand(d.one_set(claims)))
                of_set, of_result = document.problems
                self.assertIn(ResultsCode.BAD_CLAIM.value, of_set.message)
                self.assertEqual(path, of_set.path)
                self.assertEqual(value, of_set.value)
                self.assertIn(ResultsCode.BAD_CLAIM.value, of_result.message)
                self.assertEqual("authorities.ear.h1", of_result.path)
                self._only_faulty(document, "h1")
