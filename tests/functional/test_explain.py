# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla explain`` says of each host what the filter did.

A real Nova is asked for a server, and our filter's answer recorded; then the
command is run on the same flavor and image, as the APIs show them, and on the
files that nova-scheduler reads.  The last class has no Nova, and a collector
that serves over HTTPS.
"""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import typing as ty

from nfv_mla_scheduler.cmd import main
from nfv_mla_scheduler.collector.shelf import Shelf
from tests.cloud import description as desc
from tests.functional import placement
from tests.functional import witness
from tests.functional import world
from tests.functional.test_results_https import Collectors
from tests.functional.test_results_https import free_port
from tests.unit.explain.estate import EstateTest

Json = dict[str, ty.Any]

_AXIS = "nfv_mla:location.jurisdiction"
#: name -> extra specs, image, hints
ASKED: dict[str, tuple[dict[str, str], desc.Image, dict[str, ty.Any]]] = {
    "nothing": ({}, desc.PLAIN_IMAGE, {}),
    "tpm": (world.TPM, desc.PLAIN_IMAGE, {}),
    "virtual-tpm": (
        {"nfv_mla:capability.tpm": "virtual"},
        desc.PLAIN_IMAGE,
        {},
    ),
    "class": (world.ENCLAVE, desc.PLAIN_IMAGE, {}),
    "encrypted": (
        {**world.ENCRYPTED, **world.ENCLAVE},
        desc.CONFIDENTIAL_IMAGE,
        {},
    ),
    "pool": ({"nfv_mla:pool": "key-stores"}, desc.PLAIN_IMAGE, {}),
    "signed": (
        {"nfv_mla:provision": "signed-image", **world.TPM},
        desc.SIGNED_IMAGE,
        {},
    ),
    "unsigned": (
        {"nfv_mla:provision": "signed-image", **world.TPM},
        desc.PLAIN_IMAGE,
        {},
    ),
    "profile": (
        {"nfv_mla:profile": "pii-protection"},
        desc.HARDENED_IMAGE,
        {},
    ),
    "hinted": (world.TPM, desc.PLAIN_IMAGE, {"nfv_mla:pool": ["vaults"]}),
    "malformed": (world.TPM, desc.PLAIN_IMAGE, {_AXIS: "Hesse"}),
}


class ExplainTest(placement.PlacementTestCase):
    hosts = (
        *(world.GOOD_1, world.GOOD_2, world.DULL, world.WEB),
        *(world.KEY_1, world.KEY_2, world.LONE_1, world.LONE_2),
        *(world.ENCLAVE_1, world.ENCLAVE_2),
    )

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        options = cls.site.options(management_domain="acme")
        lines = ["[nfv_mla]"]
        for name, value in options.items():
            listed = value if isinstance(value, list) else [value]
            lines.append(f"{name} = {','.join(map(str, listed))}")
        cls.conf = cls.site.directory / "nova.conf"
        cls.conf.write_text("\n".join(lines) + "\n", encoding="utf-8")

    conf: ty.ClassVar[pathlib.Path]

    def setUp(self) -> None:
        super().setUp()
        self.seen: set[frozenset[str]] = set()

    def test_of_new_servers_of_all_projects(self) -> None:
        self.contraindicate(world.GOOD_2)
        for user in (desc.TENANT, world.KEYS, world.FLOORED):
            for name in ASKED:
                with self.subTest(asked=name, project=user.project):
                    self._assert_explained(name, user)
        # it was not the same every time
        self.assertGreater(len(self.seen), 5)
        self.assertIn(frozenset(), self.seen)

    def test_of_servers_that_move(self) -> None:
        for user, host, flavor in (
            (world.KEYS, world.LONE_1, self.tpm),
            (world.KEYS, world.KEY_1, self.tpm),
            (desc.TENANT, world.GOOD_1, self.tpm),
            (desc.TENANT, world.ENCLAVE_1, self.plain),
        ):
            with self.subTest(host=host):
                owner = self.cloud.client(user)
                server = self.boot(flavor, host, owner)
                before = len(self.calls.made)
                # no host may be left, which is told in the server's actions
                self.admin.migrate(server)
                self._assert_same(
                    self.calls.made[before],
                    self._typed(flavor, desc.PLAIN_IMAGE, user),
                    "--source-host",
                    host,
                )

    def _assert_explained(self, name: str, user: desc.User) -> None:
        extra_specs, image, hints = ASKED[name]
        flavor = self.admin.create_flavor(
            f"{name}-{user.project}", extra_specs
        )
        before = len(self.calls.made)
        self.cloud.client(user).create_server(
            "vm", flavor, image=image, hints=hints
        )
        words = self._typed(flavor, image, user)
        for key, value in hints.items():
            listed = value if isinstance(value, list) else [value]
            for item in listed:
                words += ["--hint", f"{key}={item}"]
        self._assert_same(self.calls.made[before], words)

    def _typed(
        self, flavor: str, image: desc.Image, user: desc.User
    ) -> list[str]:
        """Return the words that name what was asked for."""
        shown = self.admin.request("GET", f"/flavors/{flavor}")["flavor"]
        specs = self.admin.request("GET", f"/flavors/{flavor}/os-extra_specs")
        shown["properties"] = specs["extra_specs"]
        shown.pop("extra_specs", None)
        files = {
            "--flavor": shown,
            "--image": {"id": image.id, "properties": {**image.properties}},
        }
        words = ["--project", user.project_id]
        for option, content in files.items():
            path = self.site.directory / f"{option[2:]}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            words += [option, str(path)]
        return words

    def _assert_same(
        self, call: witness.Call, words: list[str], *more: str
    ) -> None:
        """Assert that what was admitted is what is explained."""
        for host in sorted(call.offered):
            words += ["--host", host]
        found = self._explained([*words, *more])
        admitted = {h["host"] for h in found["hosts"] if h["admitted"]}
        self.assertEqual({*call.offered}, {h["host"] for h in found["hosts"]})
        self.assertEqual({*call.admitted}, admitted, found["hosts"])
        self.seen.add(frozenset(admitted))
        for host in found["hosts"]:
            self.assertEqual(not host["refusals"], host["admitted"])

    def _explained(self, words: list[str]) -> Json:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = main.main(
                [
                    *("explain", "--config-file", str(self.conf)),
                    *("--format", "json", *words),
                ]
            )
        found = ty.cast(Json, json.loads(out.getvalue()))
        self.assertEqual(0 if found["summary"]["admitted"] else 1, status)
        return found


class HttpsTest(EstateTest):
    """Results come from a collector, and nothing is kept of them."""

    def setUp(self) -> None:
        super().setUp()
        self.collectors = Collectors(self)
        self.shelf = Shelf()
        self.by_file = self.typed("explain --flavor keys.small.json")
        self.impact = self.typed(
            "policy impact policy-8.yaml --flavors flavors.json", 3
        )

    def _serve(self, port: int) -> None:
        options = {
            **self.collectors.options(port),
            "first_load_timeout_s": 10,
        }
        lines = "".join(f"{key} = {value}\n" for key, value in options.items())
        path = pathlib.Path("nova.conf")
        text = [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if not line.startswith("results_file")
        ]
        path.write_text("\n".join(text) + f"\n{lines}", encoding="utf-8")

    def test_the_same_is_said_as_of_a_file(self) -> None:
        self.shelf.put(pathlib.Path("results").read_bytes())
        self._serve(self.collectors.serve(self.shelf).port)
        text = self.typed("explain --flavor keys.small.json")
        self.assertEqual(self.by_file, text)
        text = self.typed(
            "policy impact policy-8.yaml --flavors flavors.json", 3
        )
        self.assertEqual(self.impact, text)

    def test_a_collector_that_is_not_there_is_told(self) -> None:
        self._serve(free_port())
        text = self.typed("explain --flavor keys.small.json --host par-2", 1)
        self.assertIn("results    none: the collector:", text)
        self.assertIn("no-claim", text)
        text = self.typed("policy impact policy-8.yaml", 1)
        self.assertIn("no results count under the old policy", text)
