# SPDX-License-Identifier: Apache-2.0
"""What cannot be read is refused, by nova-api or by the filter.

Nova's validators see flavors from microversion 2.86 on, and hints never.
"""

from __future__ import annotations

import functools

from tests.functional import placement
from tests.functional import world

_PREFIX = "No valid host was found. "
#: What nova-api keeps of a fault's message, and what we say at most.
_FAULT_MAX = 255
_SAID_MAX = 240

#: Key, value, what is wrong with it; these the validators see as well.
READABLE_BY_NOBODY = (
    ("capability.tpm", "granite", "has an unknown value"),
    ("capability.tpm", "", "is not of the form"),
    ("capability.tpm", "härdware", "is not of the form"),
    ("capability.nonsense", "required", "there is no such capability"),
    ("host_class", "palace", "is not of the form"),
    ("max_age", "-5", "is not of the form"),
    ("copy", "sometimes", "is not of the form"),
    ("follow", "nothing@nowhere", "is not of the form"),
    ("no_such_key", "x", "there is no such key"),
)
#: These take a policy to tell.
UNKNOWN_TO_THE_POLICY = (
    ("profile", "no-such-profile", "knows no such name"),
    ("pool", "nowhere", "knows no such name"),
    ("pool", "x" * 255, "knows no such name"),
    ("authority", "nobody", "knows no such name"),
    ("location.jurisdiction", "ZZ", "knows no such region"),
    ("max_age", "1", "is below twice"),
)
#: Hint, its value, what is wrong with it.
HINTS: tuple[tuple[str, object, str], ...] = (
    ("pool", "nowhere", "knows no such name ('nowhere')"),
    ("profile", ["a", "b"], "knows no such name ('a')"),
    ("profile", 5, "knows no such name ('5')"),
    ("profile", True, "is not of the form"),
    ("profile", [], "needs 1 to 32 values"),
    ("profile", "", "is not of the form"),
    ("capability.tpm", "hardware", "cannot be asked for by a scheduler hint"),
    ("\x01\u2028", "x", "there is no such key ('x')"),
    ("profile", "x" * 70_000, "is longer than 255 characters"),
    ("profile", ["x" * 100] * 700, "needs 1 to 32 values"),
)


class MalformedTest(placement.PlacementTestCase):
    """The server ends in ERROR, and its owner reads what is wrong."""

    def _assert_malformed(self, server: str, key: str, wrong: str) -> None:
        shown = "".join(c if c.isprintable() else "?" for c in key)
        fault = self.tenant.fault_of(server)
        assert fault is not None
        message = fault["message"]
        self.assertTrue(
            message.startswith(f"{_PREFIX}nfv_mla:{shown}: "), message
        )
        self.assertIn(wrong, message)
        self.assertLessEqual(len(message), _FAULT_MAX)
        self.assert_fault(server, message)
        self.assert_reported(server, {"malformed": 4}, hosts=4)
        said = self.log_of(server)[-1].partition("4 malformed: ")[2]
        self.assertTrue(f"{_PREFIX}{said}".startswith(message), said)
        self.assertLessEqual(len(said), _SAID_MAX)

    def _create_and_assert(self, key: str, value: str, wrong: str) -> None:
        flavor = self.admin.create_flavor(
            f"flavor-{len(self.calls.made)}",
            {f"nfv_mla:{key}": value},
            microversion="2.85",
        )
        with self.filter_calls(1):
            server = self.tenant.create_server("vm", flavor)
        self._assert_malformed(server, key, wrong)
        if value:
            self.assertIn(value[:60], self.log_of(server)[-1])

    def test_flavor_that_nobody_can_read_is_refused_by_the_filter(
        self,
    ) -> None:
        for case in READABLE_BY_NOBODY:
            self._create_and_assert(*case)

    def test_flavor_that_the_policy_cannot_fill_is_refused_by_the_filter(
        self,
    ) -> None:
        for case in UNKNOWN_TO_THE_POLICY:
            self._create_and_assert(*case)

    def test_hint_that_cannot_be_read_is_refused(self) -> None:
        for key, value, wrong in HINTS:
            with self.filter_calls(1):
                server = self.tenant.create_server(
                    "vm", self.plain, hints={f"nfv_mla:{key}": value}
                )
            self._assert_malformed(server, key, wrong)

    def test_hint_that_nova_cannot_read_is_an_error_of_nova_api(
        self,
    ) -> None:
        for value in (None, {"a": "b"}, [None], [["a"]]):
            with self.filter_calls(0):
                message = self.assert_api_refuses(
                    500,
                    functools.partial(
                        self.tenant.create_server,
                        "vm",
                        self.plain,
                        hints={"nfv_mla:profile": value},
                    ),
                )
            self.assert_names_no_host(message)
        # Everybody lives, and serves the next one.
        server = self.tenant.create_server("vm", self.tpm)
        self.assertEqual("ACTIVE", self.tenant.status_of(server))

    def test_next_request_is_served_after_each_malformed_one(self) -> None:
        for hints in (
            {f"nfv_mla:{number}": "x" for number in range(1000)},
            {"nfv_mla:profile": "x" * 70_000},
        ):
            refused = self.tenant.create_server("vm", self.tpm, hints=hints)
            self.assert_reported(refused, {"malformed": 4}, hosts=4)
            server = self.tenant.create_server("vm", self.tpm)
            self.assertEqual("ACTIVE", self.tenant.status_of(server))

    def test_malformed_resize_leaves_the_server_as_it_was(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        flavor = self.admin.create_flavor(
            "wrong",
            {"nfv_mla:capability.tpm": "granite"},
            vcpus=4,
            microversion="2.85",
        )
        self.assert_refused(
            server,
            functools.partial(self.tenant.resize, server, flavor),
            {"malformed": 3},
            hosts=3,
        )
        self.assert_rests(server, world.GOOD_1)


class ValidatorsTest(placement.PlacementTestCase):
    """nova-api refuses what nobody could read, with HTTP 400."""

    hosts = ()

    def setUp(self) -> None:
        super().setUp()
        self.flavor = self.admin.create_flavor("flavor")

    def _set(self, microversion: str, **specs: str) -> None:
        self.admin.request(
            "POST",
            f"/flavors/{self.flavor}/os-extra_specs",
            {"extra_specs": {f"nfv_mla:{k}": v for k, v in specs.items()}},
            microversion=microversion,
        )

    def test_key_is_named_in_the_answer(self) -> None:
        for key, value, _ in READABLE_BY_NOBODY:
            for microversion in ("2.86", "latest"):
                message = self.assert_api_refuses(
                    400,
                    functools.partial(self._set, microversion, **{key: value}),
                )
                self.assertIn(f"nfv_mla:{key}", message)

    def test_dot_of_a_key_is_no_wildcard(self) -> None:
        for key in ("locationxjurisdiction", "capabilityxtpm"):
            self.assert_api_refuses(
                400,
                functools.partial(self._set, "latest", **{key: "required"}),
            )

    def test_what_only_a_policy_could_tell_is_accepted(self) -> None:
        for key, value, _ in UNKNOWN_TO_THE_POLICY:
            self._set("latest", **{key: value})

    def test_older_microversions_accept_everything(self) -> None:
        for key, value, _ in READABLE_BY_NOBODY:
            self._set("2.85", **{key: value})

    def test_right_values_are_accepted(self) -> None:
        for specs in (world.TPM, world.FRESH, world.ENCLAVE):
            self.admin.create_flavor(f"right-{len(specs)}-{min(specs)}", specs)
