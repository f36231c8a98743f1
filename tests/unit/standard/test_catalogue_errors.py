# SPDX-License-Identifier: Apache-2.0
"""A catalogue that contradicts itself is refused, with the path."""

from __future__ import annotations

import importlib.resources
import unittest

from nfv_mla_scheduler.errors import CatalogueError
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.catalogue import read_catalogue

# what stands in the file, what replaces it, what the error says
FAULTS = (
    ("format: 1", "format: 2", "format: must be 1"),
    ("format: 1", "", "document: format is missing"),
    ("format: 1", "format: 1\nextra: 2", "document: unknown: extra"),
    ('clause: "6.10"', 'clause: "6.10"\n    claus: x', "unknown: claus"),
    ("least: boot", "least: bot", "memory-inspection.least: not one of"),
    ("subjects: [host]", "subjects: [hots]", "subjects[0]: hots is not"),
    ("dynamic run-time", "dynamic later", "table10: not one of"),
    ('table11: "- M M"', 'table11: "- M"', "table11: must be three"),
    ('table11: "- M M"', 'table11: "- M Y"', "table11: must be three"),
    ('    table11: "- M M"\n', "", "table11 is for measures"),
    ("[open, controlled,", "[open, open,", "open stands there twice"),
    ("keys_of: conc", "keys_of: canc", "conceals.keys_of"),
    ('marks: "X X X X X X X"', 'marks: "X X X"', "5.1.1.marks: must be 7"),
    (
        "any: [[attestation@run-time]]",
        "any: [[attestations@run-time]]",
        "requirements.5.1.2.any[0][0]: attestations is not a capability",
    ),
    (
        "any: [[attestation@run-time]]",
        "any: [[measured-boot@run-time]]",
        "measured-boot cannot be attested at run time",
    ),
    (
        "any: [[attestation@run-time]]",
        "any: [[attestation@later]]",
        "5.1.2.any[0][0]: not a term",
    ),
    (
        "any: [[attestation@run-time]]",
        "any: [[tpm=soft]]",
        "tpm has no value soft",
    ),
    ("any: [[attestation@run-time]]", "any: []", "nothing would ever"),
    ("any: [[attestation@run-time]]", "any: [[]]", "an empty group"),
    ("any: [[attestation@run-time]]", "any: [[PROG]]", "not a shared group"),
    (
        '"secure-clean-up[ram]", "secure',
        '"secure-clean-up[rom]", "secure',
        "secure-clean-up has no key rom",
    ),
    ("per_key: [ram,", "per_key: [rom,", "per_key: not all keys"),
    ('"secure-clean-up[storage]"', '"secure-clean-up[*]"', "go together"),
    ("further_if: [5.2.1,", "further_if: [5.2.0,", "5.2.0 is not known"),
    ('"app:signed-image"', '"app:signed"', "signed is not one of"),
    ('"app:signed-image"', '"app:signed-image[ram]"', "has no key ram"),
    ('"self:authority-fresh"', '"self:authority"', "authority is not one"),
    (
        '"self:authority-fresh"',
        '"self:authority-fresh@boot"',
        "takes neither values nor a grade",
    ),
    ('"site:fabric-routing', '"site:tpm', "tpm is not about the site"),
    ('"site:fabric-routing', '"fabric-routing', "is not about a host"),
    ('{"6.14": none}', '{"6.14": never}', "differs.6.14: not one of"),
    ('{"6.14": none}', '{"6.99": none}', "not a row of Table 11"),
    ("rank: 1", "rank: 0", "single-restricted.rank: must be a number"),
    ("live_migrate: false", "live_migrate: no", "must be true or false"),
    ("telemetry: shared", "telemetry: sold", "telemetry: sold is not"),
    ("moves: own-pools", "moves: anywhere", "moves: not one of"),
    ("  secure-execution:\n", "  secure:\n", "secure-execution is missing"),
    ("self_term: policy-in", "self_term: police-in", "self_term"),
    ("5.2.5: preferred", "5.2.5: liked", "strength.5.2.5: not one of"),
    ("5.2.5: preferred", "5.2.55: preferred", "is not a requirement"),
    (
        "5.2.11: conditional  # an empty",
        "5.2.11: preferred  # an empty",
        "Table 9 does not mark 5.2.11",
    ),
    ("max_age_s: 120", "max_age_s: -1", "max_age_s: must be a number"),
    ("max_age_s: 120", "max_age_s: true", "max_age_s: must be a number"),
    ("tpm: [shared, virtual]", "tpm: [shared, soft]", "tpm[1]: soft is not"),
    ("tpm: [shared, virtual]", "tpn: [shared]", "tpn is not a capability"),
    ("tpm: [shared, virtual]", "tpm: []", "no value would ever count"),
    ("explicit: jurisdiction", "explicit: logical", "must be one of axes"),
    ("axes: [logical,", "axes: [local,", "axes[0]: not one of"),
    ("prefer: [hsm,", "prefer: [hms,", "prefer[0]: hms is not known"),
    (
        "inherits: sensitive-application-function\n",
        "inherits: pii-protection\n",
        "inherits: pii-protection is not known",
    ),
    ("first: move", "first: run", "conduct.first: run is not known"),
    ("halt_within_s: 600", "halt_within: 600", "unknown: halt_within"),
    ("snapshot: refuse", "snapshots: refuse", "unknown: snapshots"),
    ("cover_entries: true", "cover_entries: yes", "must be true or false"),
    ("profile: network-m", "profile: net-m", "table12[3].profile"),
    ("take: Table 9\n", "tke: Table 9\n", "anomalies[0]: unknown: tke"),
    ("  - where: 4.1, 4.2\n    what", "  - what", "where is missing"),
    ("carry: none", "carry: some", "carry: not one of none, disk, all"),
    ("steps: [alert]", "steps: [preserve]", "steps[0]: preserve is not known"),
    ("steps: [alert]", "steps: [stop]", "an outage evicts nothing"),
    ("  exposure:\n", "  exposures:\n", "unknown: exposures"),
    ("after_s: 60", "after_s: soon", "after_s: must be a number"),
    (
        "[fence, lock, stop, alert]",
        "[fence, stop, lock, alert]",
        "has stop without lock",
    ),
    (
        "[fence, lock, stop, alert]",
        "[fence, lock, live-migrate, stop]",
        "carries over more than nothing",
    ),
    ("      - hardware-inventory\n", "", "hardware-inventory must be on"),
    (
        "capabilities: [location,",
        "capabilities: [tpm, location,",
        "place: a capability is on two axes",
    ),
    ("  - pii-protection\n", "  - pii\n", "neither a use case"),
    ("measures:\n", "measures: &anchor\n", "anchors are not allowed"),
    ("measures:\n", "measures:\n  tpm: {}\n", "key already stands"),
)


class CatalogueErrorsTest(unittest.TestCase):
    def setUp(self) -> None:
        here = importlib.resources.files("nfv_mla_scheduler.standard")
        self.text = here.joinpath("catalogue.yaml").read_text("utf-8")

    def test_each_is_refused_with_its_path(self) -> None:
        for old, new, message in FAULTS:
            with self.subTest(f"{old!r} -> {new!r}"):
                self.assertIn(old, self.text)
                broken = self.text.replace(old, new, 1)
                with self.assertRaises(CatalogueError) as caught:
                    read_catalogue(broken.encode())
                self.assertIn(message, str(caught.exception))

    def test_what_is_not_a_mapping_is_refused(self) -> None:
        for data in (b"", b"[]", b"text", b"\xff", b"1"):
            with self.assertRaises(CatalogueError):
                read_catalogue(data)

    def test_its_own_is_read_once(self) -> None:
        self.assertIs(load(), load())

    def test_nobody_can_change_it(self) -> None:
        catalogue = load()
        with self.assertRaises(TypeError):
            catalogue.profiles["x"] = None  # type: ignore[index]
        conduct = catalogue.profiles["lawful-interception"].conduct
        with self.assertRaises(TypeError):
            conduct["copying"]["snapshot"] = "allow"
