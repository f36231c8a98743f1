# SPDX-License-Identifier: Apache-2.0
"""The driver ``ear`` puts options, exchanges and the reader together."""

from __future__ import annotations

import json
import logging
import time
import unittest
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.authority.ear import EarAuthority
from nfv_mla_scheduler.authority.lab import LabAuthority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.collector.board import Board
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.standard.catalogue import load
from tests.authorities.contract import inquiry
from tests.authorities.lab_stage import LabStage
from tests.authorities.stage import EarEachStage
from tests.authorities.stage import EarStage
from tests.authorities.tokens import Signer
from tests.authorities.tokens import jwk_set

MAPPING = """
entries:
- entry: executables
  capability: measured-boot
  grade: boot
"""


class EarTest(unittest.TestCase):
    STAGE = EarStage

    def setUp(self) -> None:
        self.stage = self.STAGE(self)
        self.stage.say("a")
        self.stage.say("b")

    def put(self, attester: str, **changes: Any) -> None:
        self.stage.tokens[attester] = self.stage.signer.token(
            changes.pop("sub", attester), time.time(), **changes
        )

    def make(self, **options: Any) -> EarAuthority:
        driver = self.stage.driver(**options)
        assert isinstance(driver, EarAuthority)
        return driver

    def collect(self, driver: EarAuthority, *names: str) -> Collected:
        return driver.collect(inquiry(*(names or "ab")), time.time())

    def refused(self, driver: EarAuthority, code: str) -> None:
        """Collect, and see that of the two ``a`` alone is refused."""
        found = self.collect(driver)
        self.assertEqual({"b"}, set(found.results))
        self.assertFalse(found.complete)
        self.assertIn(f"{code}: ", str(found.problems[0]))


class OptionsTest(EarTest):
    def test_the_issuer(self) -> None:
        self.put("a", iss="somebody")
        self.put("b", iss="authority")
        self.refused(self.make(issuer="authority"), "token-wrong-issuer")
        self.assertEqual(2, len(self.collect(self.make()).results))

    def test_the_audience(self) -> None:
        self.put("a", aud="others")
        self.put("b", aud=["others", "us"])
        self.refused(self.make(audience="us"), "token-wrong-audience")
        self.put("b")
        self.refused(self.make(), "token-wrong-audience")

    def test_the_identity(self) -> None:
        self.put("a", ueid="a")
        self.put("b", ueid="b", sub="whoever")
        driver = self.make(identity="ueid")
        self.assertEqual({"a", "b"}, set(self.collect(driver).results))
        self.put("a")
        self.refused(driver, "token-no-attester")

    def test_the_mapping(self) -> None:
        vector = {"ear.trustworthiness-vector": {"executables": 2}}
        submods = {"host": {"ear.status": "affirming", **vector}}
        self.put("a", submods=submods, nfv_mla=None)
        path = self.stage.directory / "mapping.yaml"
        path.write_text(MAPPING)
        claims = self.collect(self.make(), "a").results["a"].claims
        self.assertNotIn("measured-boot", claims)
        driver = self.make(mapping_file=str(path))
        claims = self.collect(driver, "a").results["a"].claims
        self.assertIs(Status.AFFIRMING, claims["measured-boot"].status)

    def test_one_that_cannot_be_used_is_named(self) -> None:
        place = self.stage.directory
        missing, wrong = place / "missing", place / "wrong"
        wrong.write_text("{}")
        for options, said in (
            ({"keys_file": ""}, "keys_file: must be set"),
            ({"keys_file": "keys.json"}, "keys_file: must be an absolute"),
            ({"keys_file": str(missing)}, f"keys_file: {missing}: No such"),
            ({"keys_file": str(place)}, f"keys_file: {place}: Is a dir"),
            ({"keys_file": str(wrong)}, f"keys_file: {wrong}: is no JWK"),
            ({"mapping_file": "x"}, "mapping_file: must be an absolute"),
            ({"mapping_file": str(missing)}, f"mapping_file: {missing}: No"),
            ({"mapping_file": str(wrong)}, f"mapping_file: {wrong}: "),
            ({"identity": ""}, "identity: must be set"),
            (
                {"timeout_s": 9.0, "collection_timeout_s": 8.0},
                "collection_timeout_s: must not be less than timeout_s",
            ),
        ):
            with self.subTest(options):
                with self.assertRaises(SettingsError) as caught:
                    self.make(**options)
                self.assertTrue(
                    str(caught.exception).startswith(said),
                    str(caught.exception),
                )

    def test_bounds_are_checked_by_oslo(self) -> None:
        for option, values in {
            "timeout_s": (0, -1, 601),
            "max_bytes": (0, 1023, 2**30 + 1),
            "connections": (0, 65),
            "collection_timeout_s": (0, 3601),
        }.items():
            for value in values:
                with (
                    self.subTest(option=option, value=value),
                    self.assertRaises((cfg.Error, ValueError)),
                ):
                    self.make(**{option: value})


class OptionsEachTest(OptionsTest):
    """The same of tokens that are asked for one by one."""

    STAGE = EarEachStage


class RotationTest(EarTest):
    def setUp(self) -> None:
        super().setUp()
        self.driver = self.make()
        self.next = Signer("key-2")

    def keys(self, *signers: Signer) -> None:
        self.stage.keys_file.write_bytes(jwk_set(*signers))

    def test_a_new_key_counts_from_when_it_is_there(self) -> None:
        self.stage.tokens["a"] = self.next.token("a", time.time())
        self.refused(self.driver, "token-unknown-key")
        self.keys(self.stage.signer, self.next)
        found = self.collect(self.driver)
        self.assertEqual({"a", "b"}, set(found.results))

    def test_a_key_that_is_gone_counts_for_nothing_at_once(self) -> None:
        # not even for tokens that were verified before
        self.stage.tokens["b"] = self.next.token("b", time.time())
        self.keys(self.stage.signer, self.next)
        self.assertEqual(2, len(self.collect(self.driver).results))
        self.keys(self.next)
        self.refused(self.driver, "token-unknown-key")

    def test_what_a_key_took_that_is_gone_ends_on_the_board(self) -> None:
        now = time.time()
        board = Board(30.0)
        asked = inquiry("a", "b")
        driver = self.make()
        name = driver.name
        board.rule({name: Task(asked, 30, 60)}, now, pins_hold=False)
        board.take(name, asked, driver.collect(asked, now), now)
        self.assertEqual({"a", "b"}, set(board.said[name].results))
        new = Signer("new")
        self.stage.tokens["b"] = new.token("b", now)
        self.keys(new)
        board.take(name, asked, driver.collect(asked, now), now + 9)
        fresh = board.said[name].freshness
        self.assertEqual(now + 9, fresh["a"].until)
        self.assertGreater(fresh["b"].until, now + 9)

    def test_rules_are_others_when_anything_is_that_they_are(self) -> None:
        mapping = self.stage.directory / "mapping.yaml"
        mapping.write_text(MAPPING)
        seen = set()
        for options in (
            {},
            {"issuer": "x"},
            {"audience": "x"},
            {"identity": "x"},
            {"mapping_file": str(mapping)},
        ):
            rules = self.collect(self.make(**options)).rules
            self.assertEqual(rules, self.collect(self.make(**options)).rules)
            seen.add(rules)
        mapping.write_text(MAPPING.replace("grade: boot", "grade: run-time"))
        seen.add(self.collect(self.make(mapping_file=str(mapping))).rules)
        self.keys(self.stage.signer, Signer("more"))
        seen.add(self.collect(self.make()).rules)
        self.assertEqual(7, len(seen))

    def test_whose_word_a_token_could_be_is_known(self) -> None:
        one, other = self.make(), self.make(issuer="x")
        self.assertTrue(one.trust().overlaps(other.trust()))
        self.keys(Signer("new"))
        found = self.collect(one)
        self.assertFalse(found.trust.overlaps(other.trust()))

    def test_another_key_of_the_same_name(self) -> None:
        self.collect(self.driver)
        twin = Signer(self.stage.signer.kid)
        self.stage.tokens["b"] = twin.token("b", time.time())
        self.keys(twin)
        self.refused(self.driver, "token-wrong-signature")

    def test_keys_that_cannot_be_read_do_not_replace_those_that_can(
        self,
    ) -> None:
        group = "[nfv_mla_authority_authority-a] keys_file: "
        path = self.stage.keys_file
        good = path.read_bytes()
        for number, spoil in enumerate(
            (
                lambda: path.write_bytes(b""),
                lambda: path.write_bytes(good[:-9]),
                lambda: path.write_bytes(b" " * (2**20 + 1)),
                lambda: path.write_bytes(
                    json.dumps({"keys": [{"kty": "oct"}]}).encode()
                ),
                path.unlink,
            )
        ):
            with self.subTest(number):
                spoil()
                with self.assertLogs(level="INFO") as logged:
                    for _ in range(3):
                        found = self.collect(self.driver)
                        self.assertEqual({"a", "b"}, set(found.results))
                        self.assertTrue(found.complete)
                    logging.info("the end")
                self.assertEqual(2, len(logged.output), logged.output)
                self.assertIn("ERROR", logged.output[0])
                self.assertIn(f"keeps what it knew, {group}", logged.output[0])
                path.write_bytes(good)
                with self.assertLogs(level="INFO") as logged:
                    for _ in range(3):
                        self.collect(self.driver)
                self.assertEqual(1, len(logged.output))
                self.assertIn(f"took up again {group}", logged.output[0])

    def test_a_table_that_changes_counts_at_once(self) -> None:
        vector = {"ear.trustworthiness-vector": {"executables": 2}}
        submods = {"host": {"ear.status": "affirming", **vector}}
        self.put("a", submods=submods, nfv_mla=None)
        path = self.stage.directory / "mapping.yaml"
        path.write_text(MAPPING)
        driver = self.make(mapping_file=str(path))
        before = self.collect(driver, "a").results["a"].claims
        path.write_text(MAPPING.replace("measured-boot", "secured-boot"))
        after = self.collect(driver, "a").results["a"].claims
        self.assertEqual(
            ({"measured-boot"}, {"secured-boot"}),
            tuple(set(c) - {"attestation"} for c in (before, after)),
        )
        path.write_text("entries: 7")
        with self.assertLogs(level="ERROR"):
            same = self.collect(driver, "a").results["a"].claims
        self.assertIs(after, same)

    def test_what_does_not_change_is_not_read_again(self) -> None:
        before = self.collect(self.driver)
        self.stage.keys_file.write_bytes(self.stage.keys_file.read_bytes())
        after = self.collect(self.driver)
        for name in "ab":
            self.assertIs(before.results[name], after.results[name])


class KindTest(unittest.TestCase):
    def test_both_only_read(self) -> None:
        self.assertTrue(EarAuthority.READS_ONLY)
        self.assertTrue(LabAuthority.READS_ONLY)

    def test_the_lab_says_what_it_is(self) -> None:
        self.assertEqual("", EarAuthority.NOTICE)
        self.assertIn("for development", LabAuthority.NOTICE)
        self.assertIn("attests nothing", LabAuthority.NOTICE)
        self.assertEqual(EarAuthority.OPTIONS, LabAuthority.OPTIONS)

    def test_the_options_that_a_lab_writes_are_all_that_it_takes(
        self,
    ) -> None:
        stage = LabStage(self)
        stage.say("a")
        made = stage.lab_files
        conf = cfg.ConfigOpts()
        group = "nfv_mla_authority_lab"
        conf.register_opts(list(LabAuthority.OPTIONS), group=group)
        conf([], default_config_files=[str(made.collector)])
        values = {o.dest: conf[group][o.dest] for o in LabAuthority.OPTIONS}
        # the port is one that was free just now
        values["url"] = f"{stage.lab.url}/results"
        driver = LabAuthority(Setting("lab", values, load()))
        self.addCleanup(driver.close)
        found = driver.collect(inquiry("a"), time.time())
        self.assertEqual({"a"}, set(found.results))
        self.assertTrue(found.complete)
        assert found.skew_s is not None
        self.assertLess(abs(found.skew_s), 3)
