# SPDX-License-Identifier: Apache-2.0
"""The written form of a term."""

from __future__ import annotations

import unittest

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import CatalogueError
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.model import REGION_PATTERN
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.terms import TermError
from nfv_mla_scheduler.standard.terms import fault_of
from nfv_mla_scheduler.standard.terms import format_group
from nfv_mla_scheduler.standard.terms import format_term
from nfv_mla_scheduler.standard.terms import parse_term

HOST = Subject.HOST
SPELLED = (
    ("tpm", Term(HOST, "tpm")),
    ("tpm@boot", Term(HOST, "tpm", grade=Grade.BOOT)),
    ("tpm@run-time", Term(HOST, "tpm", grade=Grade.RUN_TIME)),
    (
        "tpm=hardware|shared@declared",
        Term(
            HOST,
            "tpm",
            any_of=frozenset({"hardware", "shared"}),
            grade=Grade.DECLARED,
        ),
    ),
    (
        "entropy-source=+random+trusted",
        Term(HOST, "entropy-source", all_of=frozenset({"random", "trusted"})),
    ),
    ("location[logical]", Term(HOST, "location", key="logical")),
    (
        "location[jurisdiction]=AT|DE!=DE-BY",
        Term(
            HOST,
            "location",
            key="jurisdiction",
            any_of=frozenset({"AT", "DE"}),
            none_of=frozenset({"DE-BY"}),
        ),
    ),
    (
        "memory-inspection?!=granted|open",
        Term(
            HOST,
            "memory-inspection",
            none_of=frozenset({"granted", "open"}),
            silence_counts=True,
        ),
    ),
    (
        "attestation by ops",
        Term(HOST, "attestation", authority="ops"),
    ),
    ("app:conceals[*]", Term(Subject.APPLICATION, "conceals", key="*")),
    ("site:fabric-routing", Term(Subject.SITE, "fabric-routing")),
    ("self:monitor-alive", Term(Subject.SELF, "monitor-alive")),
)

NOT_TERMS = (
    "",
    " tpm",
    "tpm ",
    "tpm\n",
    "TPM",
    "tpm=",
    "tpm=|",
    "tpm=a|",
    "tpm=a+b",
    "tpm=+",
    "tpm=a b",
    "tpm@",
    "tpm@soon",
    "tpm@boot@boot",
    "tpm@boot=a",
    "tpm[]",
    "tpm[a][b]",
    "host:tpm",
    "app:",
    "app:self:x",
    "-tpm",
    "tpm-",
    "a--b",
    "t\u0440m",
    "a" * 2000,
)

# spelling -> what is wrong with it, by the catalogue
UNKNOWN = (
    ("tmp", "tmp is not a capability"),
    ("site:host-routing", "host-routing is not about the site"),
    ("fabric-routing", "fabric-routing is not about a host"),
    ("placement-policy", "placement-policy is not about a host"),
    ("tpm=soft", "tpm has no value soft, only hardware"),
    ("tpm=+hardware+soft", "tpm has no value soft"),
    ("tpm!=soft", "tpm has no value soft"),
    ("attestation=yes", "attestation has no value yes, only none"),
    ("tpm[ram]", "tpm has no key ram, only none"),
    ("tpm[*]", "tpm has no key *"),
    ("location[street]", "location has no key street"),
    ("measured-boot@run-time", "cannot be attested at run time"),
    ("app:signed", "signed is not one of"),
    ("app:conceals[disk]", "conceals has no key disk"),
    ("app:rng-device@boot", "takes neither values nor a grade"),
    ("self:policy-in-force=a", "takes neither values nor a grade"),
    ("self:conceals", "conceals is not one of"),
)

names = st.from_regex(NAME_PATTERN, fullmatch=True).filter(
    lambda name: len(name) < 30
)
values = st.frozensets(
    st.from_regex(REGION_PATTERN, fullmatch=True).filter(
        lambda value: value.isascii() and len(value) < 20
    ),
    max_size=3,
)
terms = st.builds(
    Term,
    subject=st.sampled_from(Subject),
    name=names,
    key=st.none() | st.just("*") | names,
    any_of=values,
    all_of=values,
    none_of=values,
    grade=st.none() | st.sampled_from(Grade),
    authority=st.none() | names,
    silence_counts=st.booleans(),
)


class TermTest(unittest.TestCase):
    def test_is_read_and_written(self) -> None:
        for text, term in SPELLED:
            with self.subTest(text):
                self.assertEqual(term, parse_term(text))
                self.assertEqual(text, format_term(term))

    @hypothesis.given(terms)
    def test_any_term_is_read_back(self, term: Term) -> None:
        self.assertEqual(term, parse_term(format_term(term)))

    @hypothesis.given(st.text(max_size=40))
    def test_any_text_is_a_term_or_a_fault(self, text: str) -> None:
        try:
            parse_term(text)
        except TermError as exc:
            self.assertTrue(exc.reason)
            self.assertLessEqual(len(exc.value), 64)

    def test_what_is_no_term_is_refused(self) -> None:
        for text in NOT_TERMS:
            with self.subTest(text[:20]):
                self.assertRaises(TermError, parse_term, text)
                self.assertRaises(CatalogueError, parse_term, text)

    def test_a_group_is_one_line(self) -> None:
        group = (Term(HOST, "hsm"), Term(Subject.APPLICATION, "rng-device"))
        self.assertEqual("hsm and app:rng-device", format_group(group))


class FaultTest(unittest.TestCase):
    def test_unknown_words_are_told(self) -> None:
        for text, fault in UNKNOWN:
            with self.subTest(text):
                self.assertIn(fault, fault_of(parse_term(text), load()))

    def test_known_words_have_no_fault(self) -> None:
        for text, term in SPELLED:
            with self.subTest(text):
                self.assertEqual("", fault_of(term, load()))

    def test_the_values_of_a_location_are_the_policys(self) -> None:
        term = parse_term("location[jurisdiction]=XX")
        self.assertEqual("", fault_of(term, load()))
