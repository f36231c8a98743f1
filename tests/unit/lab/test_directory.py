# SPDX-License-Identifier: Apache-2.0
"""A new lab has what both sides need, and nothing of it is ever replaced."""

from __future__ import annotations

import datetime
import ipaddress
import json
import pathlib
import stat
import tempfile
import time
import unittest

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.lab import directory
from nfv_mla_scheduler.lab.keys import read_keys

DAY_S = 86_400


class MakeTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.path = pathlib.Path(temporary.name) / "deep" / "lab"
        self.now = time.time()

    def make(self, **settings: object) -> directory.Directory:
        return directory.make(
            self.path,
            ["ber-1"],
            now=self.now,
            **settings,  # type: ignore[arg-type]
        )

    def certificate(self, name: str) -> x509.Certificate:
        pem = (self.path / name).read_bytes()
        return x509.load_pem_x509_certificate(pem)

    def test_secrets_are_for_the_owner_alone(self) -> None:
        self.make()
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in self.path.iterdir()
        }
        secret = {"server.key", "client.key", "signing.key"}
        public = {
            "ca.pem",
            "server.pem",
            "client.pem",
            "keys.json",
            "attesters.yaml",
            "collector.conf",
        }
        self.assertEqual(
            {**dict.fromkeys(secret, 0o600), **dict.fromkeys(public, 0o644)},
            modes,
        )
        self.assertEqual(0o700, stat.S_IMODE(self.path.stat().st_mode))

    def test_certificates_are_valid_for_a_year(self) -> None:
        self.make()
        now = datetime.datetime.fromtimestamp(int(self.now), datetime.UTC)
        for name in ("ca.pem", "server.pem", "client.pem"):
            found = self.certificate(name)
            self.assertEqual(
                now + datetime.timedelta(days=365), found.not_valid_after_utc
            )
            self.assertLess(found.not_valid_before_utc, now)

    def test_one_authority_issued_both_and_can_issue_no_more(self) -> None:
        self.make()
        ca = self.certificate("ca.pem")
        for name, purpose in (
            ("server", ExtendedKeyUsageOID.SERVER_AUTH),
            ("client", ExtendedKeyUsageOID.CLIENT_AUTH),
        ):
            found = self.certificate(f"{name}.pem")
            found.verify_directly_issued_by(ca)
            usage = found.extensions.get_extension_for_class(
                x509.ExtendedKeyUsage
            )
            self.assertEqual([purpose], list(usage.value))
            basic = found.extensions.get_extension_for_class(
                x509.BasicConstraints
            )
            self.assertFalse(basic.value.ca)
            key = load_pem_private_key(
                (self.path / f"{name}.key").read_bytes(), None
            )
            self.assertEqual(found.public_key(), key.public_key())
        for path in self.path.glob("*.key"):
            key = load_pem_private_key(path.read_bytes(), None)
            self.assertNotEqual(ca.public_key(), key.public_key())

    def test_the_server_is_for_the_hosts_that_are_named(self) -> None:
        self.make(hosts=("10.0.0.7", "lab.example.org", "fd00::7"))
        names = (
            self.certificate("server.pem")
            .extensions.get_extension_for_class(x509.SubjectAlternativeName)
            .value
        )
        self.assertEqual(
            [ipaddress.ip_address(a) for a in ("10.0.0.7", "fd00::7")],
            names.get_values_for_type(x509.IPAddress),
        )
        self.assertEqual(
            ["lab.example.org"], names.get_values_for_type(x509.DNSName)
        )

    def test_the_key_set_is_of_the_signing_key(self) -> None:
        made = self.make()
        private = load_pem_private_key(made.signing_key.read_bytes(), None)
        self.assertIsInstance(private, ec.EllipticCurvePrivateKey)
        jwk_set = json.loads(made.jwk_set.read_bytes())
        key = jwt.PyJWK(jwk_set["keys"][0])
        self.assertEqual(private.public_key(), key.key)
        self.assertEqual(jwk_set, read_keys(made.signing_key).jwk_set())

    def test_the_collector_s_lines_name_the_files(self) -> None:
        made = self.make(name="lab-a", hosts=("::1",), port=4433)
        here = made.path
        self.assertEqual(
            f"""\
[nfv_mla_authority_lab-a]
driver = lab
url = https://[::1]:4433/results
ca_file = {here}/ca.pem
cert_file = {here}/client.pem
key_file = {here}/client.key
keys_file = {here}/keys.json
issuer = lab-a
""",
            made.collector.read_text(),
        )
        self.assertTrue(made.collector.is_absolute())
        self.assertIn("\nissuer: lab-a\n", made.attesters.read_text())

    def test_a_directory_with_anything_in_it_is_left_alone(self) -> None:
        self.make()
        before = {p.name: p.read_bytes() for p in self.path.iterdir()}
        with self.assertRaisesRegex(KeyFileError, "is not empty"):
            self.make()
        after = {p.name: p.read_bytes() for p in self.path.iterdir()}
        self.assertEqual(before, after)

    def test_an_empty_directory_will_do(self) -> None:
        self.path.mkdir(parents=True)
        self.assertTrue(self.make().jwk_set.is_file())

    def test_a_file_in_its_place_is_told(self) -> None:
        self.path.parent.mkdir()
        self.path.write_bytes(b"")
        with self.assertRaisesRegex(KeyFileError, "lab: File exists"):
            self.make()


class KeysTest(unittest.TestCase):
    def test_other_keys_are_refused(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        path = pathlib.Path(temporary.name) / "signing.key"
        with self.assertRaisesRegex(KeyFileError, "No such file"):
            read_keys(path)
        p384 = directory.private_pem(ec.generate_private_key(ec.SECP384R1()))
        for pem in (b"", b"nonsense", p384):
            path.write_bytes(pem)
            with self.assertRaisesRegex(KeyFileError, "no private key on"):
                read_keys(path)


if __name__ == "__main__":
    unittest.main()
