# SPDX-License-Identifier: Apache-2.0
"""The page for operators names what there is, and what it shows works."""

from __future__ import annotations

import pathlib
import re
import unittest

from oslo_config import cfg

from nfv_mla_scheduler.authority.keylime import mapping
from nfv_mla_scheduler.authority.keylime.driver import KeylimeAuthority
from nfv_mla_scheduler.authority.keylime.key import keys_of
from nfv_mla_scheduler.errors import KeylimeCode
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.strict_yaml import read_yaml
from tests.authorities import keylime_data as data
from tests.authorities.keylime_stage import KeylimeStage
from tests.authorities.stage import driver_of
from tests.unit.test_docs import blocks

PAGE = pathlib.Path(__file__).parents[4] / "doc/source/admin/keylime.rst"


class PageTest(unittest.TestCase):
    text: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.text = PAGE.read_text(encoding="utf-8")

    def entries(self) -> list[str]:
        """Return what the first columns of the tables hold."""
        firsts = re.findall(r"^   \* - (``.*``)$", self.text, re.MULTILINE)
        return [
            name for one in firsts for name in re.findall("``([^`]+)``", one)
        ]

    def test_every_code_has_an_entry(self) -> None:
        for code in KeylimeCode:
            self.assertEqual(1, self.entries().count(code.value), code)

    def test_every_option_has_an_entry_with_its_default(self) -> None:
        table = self.text.partition("\nThe options\n")[2]
        for option in KeylimeAuthority.OPTIONS:
            self.assertEqual(1, self.entries().count(option.name), option.name)
            if isinstance(option, cfg.FloatOpt):
                self.assertIn(
                    f"* - ``{option.name}``\n     - {option.default:g}\n",
                    table,
                )
        self.assertIn("- ``once``\n     - ``once`` or", table)

    def test_the_lines_of_the_collector_make_a_driver(self) -> None:
        (block,) = blocks(self.text, "ini")
        lines = block.partition("_keylime-fra]\n")[2].splitlines()
        given = dict(line.split(" = ", 1) for line in lines)
        self.assertEqual("keylime", given.pop("driver"))
        stage = KeylimeStage(self)
        given |= {
            "ca_file": str(stage.ca_file),
            "cert_file": str(stage.client.cert_file),
            "key_file": str(stage.client.key_file),
            "mapping_file": str(stage.mapping_file),
        }
        driver_of(
            KeylimeAuthority,
            "keylime-fra",
            **{**given, "verifiers": [given["verifiers"]]},
        ).close()

    def test_its_mapping_is_one(self) -> None:
        _, table = blocks(self.text, "yaml")
        found = mapping.read_mapping(table.encode(), load())
        (tag,) = found.tags
        # the value that the command on the page gives
        self.assertEqual((15, data.TAG), (tag.pcr, tag.digest))
        self.assertIn(f"\n   {data.TAG}  -\n", self.text)

    def test_its_default_is_that_of_the_table(self) -> None:
        found = mapping.read_mapping(mapping.DEFAULT, load())
        boot = ", ".join(f"``{c.capability}``" for c in found.measured_boot)
        self.assertIn(f"       - {boot}\n", self.text)

    def test_the_key_that_it_pins_is_that_of_the_recording(self) -> None:
        policy, _ = blocks(self.text, "yaml")
        read = read_yaml(policy.encode(), max_bytes=9999).value
        (pinned,) = read["hosts"]["ber-1"]["pinned_keys"]
        self.assertIn(pinned, keys_of(data.entry()))
        self.assertEqual(
            {"keylime-fra": data.HEALTHY}, read["hosts"]["ber-1"]["attesters"]
        )
