# SPDX-License-Identifier: Apache-2.0
"""The page for operators names what there is, and what it shows works."""

from __future__ import annotations

import json
import pathlib
import re
import tempfile
import time
import unittest
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.authority.ear import EarAuthority
from nfv_mla_scheduler.authority.ear_keys import read_keys
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.model import Status
from tests.authorities.contract import inquiry
from tests.authorities.servers import page
from tests.authorities.stage import NAME
from tests.authorities.stage import EarStage
from tests.authorities.stage import driver_of
from tests.unit.test_docs import blocks

PAGE = pathlib.Path(__file__).parents[3] / "doc/source/admin/authorities.rst"


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
        entries = self.entries()
        for code in (*ContactCode, *TokenCode, AuthorityError):
            value = getattr(code, "value", None) or AuthorityError.code
            self.assertEqual(1, entries.count(value), value)

    def test_every_option_has_an_entry_with_its_default(self) -> None:
        entries = self.entries()
        for option in EarAuthority.OPTIONS:
            self.assertEqual(1, entries.count(option.name), option.name)
        table = self.text.partition("\nThe options\n")[2]
        for option in EarAuthority.OPTIONS:
            if not isinstance(option, cfg.StrOpt):
                default = f"{option.default:g}"
                if option.name == "max_bytes":
                    default = f"{option.default // 2**20} MiB"
                self.assertRegex(
                    table, rf"\* - ``{option.name}``\n     - {default}\n"
                )

    def test_the_lines_of_the_collector_make_a_driver(self) -> None:
        (block,) = blocks(self.text, "ini")
        group = "nfv_mla_authority_verifier-1"
        conf = cfg.ConfigOpts()
        conf.register_opts(
            [*EarAuthority.OPTIONS, cfg.StrOpt("driver")], group=group
        )
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(block)
            file.flush()
            conf([], default_config_files=[file.name])
        lines = block.partition(f"[{group}]\n")[2].splitlines()
        given = dict(line.split(" = ", 1) for line in lines)
        stage = EarStage(self)
        for name, value in given.items():
            self.assertEqual(value, conf[group][name])
            if name.endswith("_file"):
                given[name] = str(stage.keys_file)
        given |= {
            "ca_file": str(stage.ca_file),
            "cert_file": str(stage.client.cert_file),
            "key_file": str(stage.client.key_file),
        }
        self.assertEqual("ear", given.pop("driver"))
        driver_of(EarAuthority, "verifier-1", **given).close()

    def test_its_json_is_json_and_its_keys_are_keys(self) -> None:
        answer, keys = blocks(self.text, "json")
        self.assertEqual({"results", "next"}, set(json.loads(answer)))
        self.assertEqual({"2026-11"}, set(read_keys(keys.encode())))

    def test_the_driver_of_one_s_own_works(self) -> None:
        (block,) = blocks(self.text, "python")
        module: dict[str, Any] = {}
        exec(compile(block, str(PAGE), "exec"), module)
        stage = EarStage(self)
        now = time.time()
        racks = {
            "a": {"closed": True, "at": now},
            "b": {"closed": False, "at": now},
            "c": {"at": now},
        }
        body = json.dumps(racks).encode()
        stage.server.answer = lambda _asked: [page(body)]
        door = driver_of(
            module["DoorAuthority"],
            url=f"{stage.server.url}/racks",
            ca_file=str(stage.ca_file),
            cert_file=str(stage.client.cert_file),
            key_file=str(stage.client.key_file),
            site="ber",
        )
        self.addCleanup(door.close)
        found = door.collect(inquiry("a", "b", "c"), now)
        self.assertEqual("/racks?site=ber", stage.server.asked[0].target)
        self.assertEqual(
            {"a": Status.AFFIRMING, "b": Status.CONTRAINDICATED},
            {
                name: result.claims["physical-controls"].status
                for name, result in found.results.items()
            },
        )
        self.assertFalse(found.complete)
        self.assertEqual(NAME, found.results["a"].authority)
        stage.server.answer = lambda _asked: [page(b"[]")]
        with self.assertRaises(AuthorityError):
            door.collect(inquiry("a"), now)
