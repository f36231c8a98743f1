# SPDX-License-Identifier: Apache-2.0
"""Keys: whose signatures count, and where private keys lie."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat

from tests import policies
from tests.unit.doctor.sites import COLLECTOR
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase


class KeysCase(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)


class OfficersTest(KeysCase):
    def test_both_keys_make_a_root(self) -> None:
        self.assert_ok(self.site.look("keys.officers"), "2 keys: ")

    def test_a_key_is_missing(self) -> None:
        self.site.keys[1].unlink()
        found = self.site.look("keys.officers")
        self.assert_failed(found, "bob.pub", "are refused")

    def test_a_key_is_of_another_kind_or_private(self) -> None:
        for pem, words in (
            (policies.private_pem("bob"), "private key"),
            (b"no key", "PEM"),
            (policies.public_pem("alice").encode(), "twice"),
        ):
            self.site.keys[1].write_bytes(pem)
            with self.subTest(words=words):
                self.assert_failed(self.site.look("keys.officers"), words)

    def test_what_rests_on_the_root_is_not_looked_at(self) -> None:
        self.site.keys[1].unlink()
        found = self.site.look("policy.signed")
        self.assert_skipped(found, "keys.officers")

    def test_none_are_configured(self) -> None:
        self.site.sections["nfv_mla"] = {"state_dir": self.site.state}
        self.site.write_conf()
        self.assert_failed(self.site.look("keys.officers"), "not set")
        self.assert_skipped(self.site.look("keys.threshold"))
        self.assert_skipped(self.site.look("keys.guarded"))


class ThresholdTest(KeysCase):
    def test_two_have_to_sign(self) -> None:
        self.assert_ok(self.site.look("keys.threshold"), "2 of 2")

    def test_one_alone_suffices(self) -> None:
        self.site.sections["nfv_mla"]["officer_threshold"] = 1
        self.site.write_conf()
        found = self.site.look("keys.threshold")
        self.assert_warning(found, "one officer alone")


class GuardedTest(KeysCase):
    def test_nobody_else_can_change_them(self) -> None:
        self.assert_ok(self.site.look("keys.guarded"))

    def test_somebody_else_can(self) -> None:
        for path, mode in (
            (self.site.keys[0], 0o646),
            (self.site.etc, 0o757),
            (self.site.nova_conf, 0o602),
        ):
            before = path.stat().st_mode & 0o7777
            path.chmod(mode)
            with self.subTest(path=path):
                found = self.site.look("keys.guarded")
                self.assert_failed(found, f"{path} (everybody)")
            path.chmod(before)

    def test_another_owner_can(self) -> None:
        # whoever runs the tests is somebody else to this administrator
        stranger = os.getuid() + 4_000_000
        found = self.site.look("keys.guarded", administrator=stranger)
        if self.site.keys[0].stat().st_uid == 0:
            self.assert_ok(found)  # root may whatever it likes
            os.chown(self.site.keys[0], 12, 12)
            found = self.site.look("keys.guarded")
        self.assert_failed(found, str(self.site.keys[0]))

    def test_a_missing_one_is_said_elsewhere(self) -> None:
        self.site.keys[0].unlink()
        self.assert_ok(self.site.look("keys.guarded"))


class CollectorsTest(KeysCase):
    def _sign(self, **collectors: object) -> None:
        named = {name.replace("_", "-"): c for name, c in collectors.items()}
        self.site.sign(version=8, collectors=named)

    def test_one_with_a_key_of_its_own(self) -> None:
        self.assert_ok(self.site.look("keys.collectors"), COLLECTOR)

    def test_one_with_an_officer_s_key(self) -> None:
        key = policies.public_pem("alice")
        self._sign(mine={"public_key": key, "authorities": ["lab"]})
        found = self.site.look("keys.collectors")
        self.assert_failed(found, "mine", "officer's key")

    def test_none_at_all(self) -> None:
        self._sign()
        self.assert_failed(self.site.look("keys.collectors"), "no collector")

    def test_an_authority_for_which_none_may_speak(self) -> None:
        authorities = self.site.document["authorities"]
        authorities["other"] = authorities["lab"]
        self.site.sign(version=8)
        found = self.site.look("keys.collectors")
        self.assert_warning(found, "speak for other")


class PrivateTest(KeysCase):
    def test_none_lies_there(self) -> None:
        self.assert_ok(self.site.look("keys.private"))

    def test_an_officer_s_does_whatever_its_name_is(self) -> None:
        for directory in (self.site.etc, self.site.glass):
            path = directory / "notes.txt"
            path.write_bytes(policies.private_pem("alice"))
            with self.subTest(directory=directory):
                found = self.site.look("keys.private")
                self.assert_failed(found, str(path), "make new ones")
            path.unlink()

    def test_somebody_else_s_is_nobody_s_business(self) -> None:
        path = self.site.etc / "server.key"
        path.write_bytes(policies.private_pem("server"))
        self.assert_ok(self.site.look("keys.private"))
        key = rsa.generate_private_key(65537, 2048)
        path.write_bytes(
            key.private_bytes(
                Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            )
        )
        self.assert_ok(self.site.look("keys.private"))

    def test_an_encrypted_one_may_be_an_officer_s(self) -> None:
        path = self.site.etc / "x.key"
        path.write_bytes(
            policies.private_key("alice").private_bytes(
                Encoding.PEM,
                PrivateFormat.PKCS8,
                BestAvailableEncryption(b"secret"),
            )
        )
        self.assert_warning(self.site.look("keys.private"), str(path))

    def test_what_is_no_file_is_passed_over(self) -> None:
        os.mkfifo(self.site.etc / "pipe")
        (self.site.etc / "big").write_bytes(b"PRIVATE KEY-----" * 9999)
        (self.site.etc / "broken").symlink_to("nowhere")
        self.assert_ok(self.site.look("keys.private"))


class SecretsTest(SiteCase):
    def setUp(self) -> None:
        self.site = CollectorSite(self)
        # One private key more than there is in the collector's options.
        self.site.without_ledger()

    def test_nobody_else_can_read_them(self) -> None:
        self.assert_ok(self.site.look("keys.secrets"), "2 private keys")

    def test_the_ledger_s_key_is_one(self) -> None:
        self.site.with_ledger()
        self.assert_ok(self.site.look("keys.secrets"), "3 private keys")
        self.site.audit_key.chmod(0o604)
        found = self.site.look("keys.secrets")
        self.assert_failed(found, f"{self.site.audit_key} (everybody)")

    def test_somebody_else_can(self) -> None:
        for path in (self.site.key_file, self.site.client.key_file):
            path.chmod(0o604)
            with self.subTest(path=path):
                found = self.site.look("keys.secrets")
                self.assert_failed(found, f"{path} (everybody)")
            path.chmod(0o600)

    def test_every_private_file_is_looked_at(self) -> None:
        passphrase = self.site.own_state / "passphrase"
        passphrase.write_text("secret\n")
        passphrase.chmod(0o600)
        self.site.collector["nfv_mla_collector"].update(
            key_passphrase_file=passphrase,
            listen="127.0.0.1:8443",
            tls_cert_file=self.site.server.cert_file,
            tls_key_file=self.site.server.key_file,
            tls_client_ca_file=self.site.ca_file,
        )
        self.site.write_collector_conf()
        self.site._give_away()
        self.assert_ok(self.site.look("keys.secrets"), "4 private keys")
        passphrase.chmod(0o644)
        found = self.site.look("keys.secrets")
        self.assert_failed(found, str(passphrase))
        self.assertNotIn("secret\n", repr(found))

    def test_the_service_cannot_read_its_own(self) -> None:
        self.site.key_file.chmod(0o000)
        found = self.site.look("keys.secrets")
        self.assert_failed(found, "cannot be read by who needs it")

    def test_the_scheduler_s_key_for_https_is_one(self) -> None:
        self.site.sections["nfv_mla"].pop("results_file")
        self.site.sections["nfv_mla"].update(
            results="https",
            results_url="https://127.0.0.1:1/v1/results",
            results_ca_file=self.site.ca_file,
            results_cert_file=self.site.client.cert_file,
            results_key_file=self.site.client.key_file,
        )
        self.site.write_conf()
        found = self.site.look("keys.secrets", collector=())
        self.assert_ok(found, "1 private key")
        self.site.client.key_file.chmod(0o640)
        os.chown(self.site.client.key_file, -1, os.getgid() or 12)
        found = self.site.look("keys.secrets", collector=())
        self.assert_failed(found, "group")

    def test_where_there_are_none_they_are_not_looked_at(self) -> None:
        found = self.site.look("keys.secrets", collector=())
        self.assert_skipped(found, "no option names a private key")
