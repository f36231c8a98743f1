# SPDX-License-Identifier: Apache-2.0
"""The options of whoever serves over HTTPS."""

from __future__ import annotations

import pathlib
import unittest
from typing import Any

from nfv_mla_scheduler.conf.reading import Section
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.serving import listening
from nfv_mla_scheduler.serving.server import ServerSettings

SECTION = Section("gate")
GOOD: dict[str, Any] = {
    "listen": "[::1]:8443",
    "tls_cert_file": "/c.pem",
    "tls_key_file": "/k.pem",
    "tls_client_ca_file": "/ca.pem",
    "another": 1,
}
# an address, and what it means
ADDRESSES = (
    ("127.0.0.1:8443", ("127.0.0.1", 8443)),
    ("monitor.example.org:0", ("monitor.example.org", 0)),
    ("[fe80::1%eth0]:65535", ("fe80::1%eth0", 65535)),
)
# what differs, the option that the error names, what it says
REFUSED = (
    ({"listen": "8443"}, "listen", "HOST:PORT"),
    ({"listen": ":8443"}, "listen", "HOST:PORT"),
    ({"listen": "::1:8443"}, "listen", "HOST:PORT"),
    ({"listen": "a b:8443"}, "listen", "HOST:PORT"),
    ({"listen": "host:65536"}, "listen", "HOST:PORT"),
    ({"tls_cert_file": ""}, "tls_cert_file", "beside listen"),
    ({"tls_key_file": ""}, "tls_key_file", "beside listen"),
    ({"tls_client_ca_file": ""}, "tls_client_ca_file", "beside listen"),
    ({"tls_client_ca_file": "ca"}, "tls_client_ca_file", "absolute"),
    # also of files that nobody needs
    ({"listen": "", "tls_key_file": "k"}, "tls_key_file", "absolute"),
)


class ListeningTest(unittest.TestCase):
    def test_nothing_set_is_nowhere(self) -> None:
        options = listening.options("What.", "Who.")
        values = {option.dest: option.default for option in options}
        self.assertIsNone(listening.settings(SECTION, values))

    def test_what_is_set_is_where_to_serve(self) -> None:
        for anybody in (False, True):
            found = listening.settings(SECTION, GOOD, anybody=anybody)
            files = [pathlib.Path(f"/{name}.pem") for name in ("c", "k", "ca")]
            self.assertEqual(
                ServerSettings("::1", 8443, *files, anybody=anybody), found
            )

    def test_addresses(self) -> None:
        for text, expected in ADDRESSES:
            with self.subTest(text):
                found = listening.settings(SECTION, GOOD | {"listen": text})
                assert found is not None
                self.assertEqual(expected, (found.host, found.port))

    def test_what_is_wrong_is_named(self) -> None:
        for values, option, says in REFUSED:
            with self.subTest(**values):
                with self.assertRaises(SettingsError) as caught:
                    listening.settings(SECTION, GOOD | values)
                self.assertIn(f"[gate] {option}: ", str(caught.exception))
                self.assertIn(says, str(caught.exception))

    def test_each_service_says_in_its_words_what_there_is(self) -> None:
        listen, _, _, clients = listening.options("\nWhat.\n", "\nWho.\n")
        self.assertTrue(listen.help.startswith("\nWhat.\n\nRelated"))
        self.assertIn("\n\nWho.\n\nPossible values", clients.help)
