# SPDX-License-Identifier: Apache-2.0
"""The collector: how it is set up, and what it says of itself."""

from __future__ import annotations

import datetime
import fcntl
import os
import shutil
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PrivateFormat

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.parts import PASSPHRASE
from nfv_mla_scheduler.collector.restore import Place
from nfv_mla_scheduler.doctor import collecting
from nfv_mla_scheduler.doctor.asking import driver_options
from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.doctor.site import Site as Examined
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.authorities.certificates import make_ca
from tests.unit.doctor.sites import AUTHORITY
from tests.unit.doctor.sites import COLLECTOR
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import SiteCase

GROUP = f"nfv_mla_authority_{AUTHORITY}"


class CollectorCase(SiteCase):
    def setUp(self) -> None:
        self.site = CollectorSite(self)

    def configure(
        self, section: str = "nfv_mla_collector", **options: Any
    ) -> None:
        self.site.collector[section].update(options)
        self.site.write_collector_conf()


class OptionsTest(CollectorCase):
    def test_they_are_valid(self) -> None:
        self.assert_ok(self.site.look("collector.options"), "5 options")

    def test_a_wrong_one_is_named(self) -> None:
        for name, value in (
            ("name", "No Name"),
            ("results_file", ""),
            ("listen", "nowhere"),
            ("authorities", ""),
        ):
            group = self.site.collector["nfv_mla_collector"]
            before = group.get(name, "")
            self.configure(**{name: value})
            with self.subTest(name=name):
                self.assert_failed(self.site.look("collector.options"), name)
                found = self.site.look("collector.scope")
                self.assert_skipped(found, "collector.options")
            self.configure(**{name: before})

    def test_its_state_is_not_that_of_nova(self) -> None:
        del self.site.collector["nfv_mla"]["state_dir"]
        self.site.write_collector_conf()
        self.assert_failed(self.site.look("collector.options"), "state_dir")

    def test_without_a_collector_none_is_looked_at(self) -> None:
        for name in ("options", "key", "scope", "drivers", "files", "running"):
            found = self.site.look(f"collector.{name}", collector=())
            self.assert_skipped(found, "no configuration of the collector")


class PolicyTest(CollectorCase):
    def test_both_go_by_the_same(self) -> None:
        self.assert_ok(self.site.look("collector.policy"), "version 7")

    def test_each_goes_by_its_own(self) -> None:
        other = self.site.etc / "other.json"
        shutil.copy(self.site.policy_file, other)
        self.configure("nfv_mla", policy_file=other)
        self.site.sign(version=8)
        found = self.site.look("collector.policy")
        self.assert_warning(found, "by version 8, the collector by 7")

    def test_one_alone_is_not_compared(self) -> None:
        found = self.site.look("collector.policy", scheduler=())
        self.assert_skipped(found, "scheduler")


class KeyTest(CollectorCase):
    def test_the_policy_has_it(self) -> None:
        self.assert_ok(self.site.look("collector.key"), COLLECTOR)

    def test_the_policy_has_another(self) -> None:
        self.site.key_file.write_bytes(policies.private_pem("mallory"))
        found = self.site.look("collector.key")
        self.assert_failed(found, "another key", "are refused")

    def test_the_policy_knows_no_such_collector(self) -> None:
        self.configure(name="collector-b")
        self.assert_failed(self.site.look("collector.key"), "collector-b")

    def test_it_is_missing_or_none(self) -> None:
        self.site.key_file.write_text("no key")
        self.assert_failed(self.site.look("collector.key"), "PEM")
        self.site.key_file.unlink()
        self.assert_failed(self.site.look("collector.key"), "collector.key")

    def _encrypt(self) -> None:
        self.site.key_file.write_bytes(
            policies.private_key(COLLECTOR).private_bytes(
                Encoding.PEM,
                PrivateFormat.PKCS8,
                BestAvailableEncryption(b"hunter2"),
            )
        )

    def test_an_encrypted_one_needs_its_passphrase(self) -> None:
        self._encrypt()
        self.assertNotIn(PASSPHRASE, os.environ)
        found = self.site.look("collector.key")
        self.assert_skipped(found, "is encrypted", PASSPHRASE)
        os.environ[PASSPHRASE] = "hunter2"
        self.addCleanup(os.environ.pop, PASSPHRASE)
        self.assert_ok(self.site.look("collector.key"))

    def test_the_passphrase_may_be_in_a_file(self) -> None:
        self._encrypt()
        path = self.site.own_state / "passphrase"
        self.configure(key_passphrase_file=path)
        self.assert_failed(self.site.look("collector.key"), "passphrase")
        path.write_text("hunter2\nwhatever\n")
        self.assert_ok(self.site.look("collector.key"))
        path.write_text("hunter3\n")
        found = self.site.look("collector.key")
        self.assert_failed(found, "passphrase is wrong")
        self.assertNotIn("hunter", repr(found))


class ScopeTest(CollectorCase):
    def test_it_asks_those_that_it_may_speak_for(self) -> None:
        self.assert_ok(self.site.look("collector.scope"), "asks lab")

    def test_it_asks_one_that_the_policy_does_not_know(self) -> None:
        self.configure(authorities="lab, other")
        found = self.site.look("collector.scope")
        self.assert_failed(found, "other is not asked", "has no such")

    def test_it_asks_one_that_it_may_not_speak_for(self) -> None:
        authorities = self.site.document["authorities"]
        authorities["other"] = authorities[AUTHORITY]
        self.site.sign(version=8)
        self.configure(authorities="lab, other")
        found = self.site.look("collector.scope")
        self.assert_failed(found, "does not let it speak for it")

    def test_it_lacks_one_that_it_may_speak_for(self) -> None:
        authorities = self.site.document["authorities"]
        authorities["other"] = authorities[AUTHORITY]
        collector = self.site.document["collectors"][COLLECTOR]
        collector["authorities"].append("other")
        self.site.sign(version=8)
        self.assert_warning(self.site.look("collector.scope"), "ask other")

    def test_the_policy_does_not_know_it(self) -> None:
        self.configure(name="collector-b")
        self.assert_failed(self.site.look("collector.scope"), "collector-b")


class DriversTest(CollectorCase):
    def test_they_load(self) -> None:
        self.assert_ok(self.site.look("collector.drivers"), "1 driver: lab")

    def test_each_that_does_not_is_named(self) -> None:
        self.configure(authorities="lab, other")
        self.configure(GROUP, url="http://127.0.0.1/")
        found = self.site.look("collector.drivers")
        self.assert_failed(found, GROUP, "nfv_mla_authority_other")

    def test_files_that_it_needs_are_named(self) -> None:
        for path in (self.site.keys_file, self.site.ca_file):
            before = path.read_bytes()
            path.unlink()
            with self.subTest(path=path):
                found = self.site.look("collector.drivers")
                self.assert_failed(found, str(path))
            path.write_bytes(before)

    def test_an_unknown_driver_is_named(self) -> None:
        self.configure(GROUP, driver="oracle")
        self.assert_failed(self.site.look("collector.drivers"), "'oracle'")

    def test_one_for_development_is_said_to_be(self) -> None:
        self.configure(GROUP, driver="lab")
        found = self.site.look("collector.drivers")
        self.assert_warning(found, "for development")

    def test_no_authority_is_named(self) -> None:
        self.configure(authorities="")
        self.assert_failed(self.site.look("collector.drivers"), "authorities")


class FilesTest(CollectorCase):
    def test_it_can_write(self) -> None:
        self.assert_ok(self.site.look("collector.files"))

    def test_it_cannot_write(self) -> None:
        self.site.run.chmod(0o555)
        found = self.site.look("collector.files")
        self.assert_failed(found, f"cannot write to {self.site.run}")

    def test_there_is_no_such_place(self) -> None:
        self.configure(status_file=self.site.root / "none" / "status")
        self.assert_failed(self.site.look("collector.files"), "not there")


class RunningTest(CollectorCase):
    def test_none_has_ever_published(self) -> None:
        self.assert_warning(self.site.look("collector.running"), "ever")

    def test_one_holds_the_place(self) -> None:
        place = Place(self.site.results_file)
        found = self.site.look("collector.running")
        self.assert_ok(found, f"process {os.getpid()}")
        place.release()
        found = self.site.look("collector.running")
        self.assert_warning(found, "no collector holds")

    def test_to_look_does_not_take_the_place(self) -> None:
        Place(self.site.results_file).release()
        self.site.look("collector.running")
        Place(self.site.results_file).release()

    def test_other_locks_are_not_counted(self) -> None:
        line = "1: {} ADVISORY  WRITE 77 fe:00:{} 0 EOF\n"
        for kind, number, expected in (
            ("FLOCK ", 12, "77"),
            ("POSIX ", 12, None),
            ("FLOCK ", 112, None),
        ):
            with self.subTest(kind=kind, number=number):
                text = line.format(kind, number)
                self.assertEqual(expected, collecting.lock_holder(text, 12))

    def test_locks_are_listed_as_expected(self) -> None:
        path = self.site.root / "some.lock"
        with open(path, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            text = self.site.inputs().locks.read_text()
            number = os.fstat(file.fileno()).st_ino
            holder = collecting.lock_holder(text, number)
        self.assertEqual(str(os.getpid()), holder)


class CertificatesTest(CollectorCase):
    def test_none_ends_soon(self) -> None:
        found = self.site.look("collector.certificates")
        self.assert_ok(found, "2 files of certificates")

    def _issue(self, days: float) -> None:
        ends = datetime.timedelta(days=days)
        make_ca().issue_client(self.site.own_state, ends=ends)

    def test_the_days_that_are_left_are_told(self) -> None:
        for days, state, words in (
            (40.0, State.OK, ""),
            (20.0, State.WARNING, "20.0 days"),
            (0.5, State.FAILED, "0.5 days"),
            (-0.1, State.FAILED, "has expired"),
        ):
            self._issue(days)
            with self.subTest(days=days):
                found = self.site.look("collector.certificates")
                self.assert_found(found, state, words)

    def test_those_of_the_server_are_looked_at_too(self) -> None:
        self.configure(
            listen="127.0.0.1:8443",
            tls_cert_file=self.site.server.cert_file,
            tls_key_file=self.site.server.key_file,
            tls_client_ca_file=self.site.ca_file,
        )
        found = self.site.look("collector.certificates")
        self.assert_ok(found, "4 files")
        ends = datetime.timedelta(days=9)
        make_ca().issue_server(self.site.own_state, "127.0.0.1", ends=ends)
        found = self.site.look("collector.certificates")
        self.assert_warning(found, "tls_cert_file")

    def test_of_several_cas_one_that_lasts_suffices(self) -> None:
        old = make_ca(ends=datetime.timedelta(days=2)).write(
            self.site.root, "old.pem"
        )
        data = self.site.ca_file.read_bytes() + old.read_bytes()
        self.site.ca_file.write_bytes(data)
        self.assert_ok(self.site.look("collector.certificates"))

    def test_a_chain_is_as_good_as_its_worst(self) -> None:
        old = make_ca(ends=datetime.timedelta(days=2)).write(
            self.site.root, "old.pem"
        )
        path = self.site.client.cert_file
        path.write_bytes(path.read_bytes() + old.read_bytes())
        self.assert_warning(self.site.look("collector.certificates"))

    def test_what_is_none_or_missing_is_named(self) -> None:
        path = self.site.client.cert_file
        path.write_text("none")
        self.assert_failed(self.site.look("collector.certificates"), str(path))
        path.unlink()
        self.assert_failed(self.site.look("collector.certificates"), str(path))

    def test_where_no_option_names_one_none_is_looked_at(self) -> None:
        found = self.site.look("collector.certificates", collector=())
        self.assert_skipped(found, "no option names a certificate")


class StatusTest(CollectorCase):
    def test_it_is_alive(self) -> None:
        self.assert_ok(self.site.look("collector.status"), COLLECTOR)

    def test_it_has_said_nothing_for_long(self) -> None:
        self.site.say(age_s=700.0)
        found = self.site.look("collector.status")
        self.assert_failed(found, "12 min ago")

    def test_it_is_missing_or_none(self) -> None:
        self.site.status_file.write_text("{")
        found = self.site.look("collector.status")
        self.assert_failed(found, str(self.site.status_file), "JSON")
        self.site.status_file.unlink()
        self.assert_failed(self.site.look("collector.status"))

    def test_another_file_may_be_named(self) -> None:
        moved = self.site.root / "status"
        self.site.status_file.rename(moved)
        found = self.site.look("collector.status", status_file=moved)
        self.assert_ok(found)
        found = self.site.look(
            "collector.status", status_file=moved, collector=()
        )
        self.assert_ok(found)

    def test_without_one_it_is_not_looked_at(self) -> None:
        found = self.site.look("collector.status", collector=())
        self.assert_skipped(found, "--status-file")

    def test_whether_it_publishes(self) -> None:
        self.assert_ok(self.site.look("collector.publishing"))
        self.site.say(publish_error="/x cannot be written: No space left")
        found = self.site.look("collector.publishing")
        self.assert_failed(found, "No space left")

    def test_how_authorities_stand(self) -> None:
        late = {
            "code": "authority-late",
            "reason": "has not answered",
            "since": self.site.now - 1300,
        }
        for said, state, words in (
            ({}, State.OK, "fresh: lab"),
            ({"state": "starting"}, State.WARNING, "lab starting"),
            ({"state": "late", **late}, State.WARNING, "late for 22 min"),
            (
                {"state": "failing", **late},
                State.FAILED,
                "has not answered (authority-late)",
            ),
            ({"problems": 3}, State.WARNING, "3 results not taken"),
        ):
            self.site.say(**said)
            with self.subTest(said=said):
                found = self.site.look("collector.authorities")
                self.assert_found(found, state, words)


class CadenceTest(CollectorCase):
    def test_answers_come_in_time(self) -> None:
        self.assert_ok(self.site.look("collector.cadence"), "lab 60 s")

    def test_an_exchange_may_take_longer_than_the_cadence(self) -> None:
        self.configure(GROUP, timeout_s=61)
        found = self.site.look("collector.cadence")
        self.assert_warning(found, "timeout_s is 61")

    def test_a_round_may_take_longer_than_results_live(self) -> None:
        self.configure(GROUP, collection_timeout_s=3600)
        self.assert_ok(self.site.look("collector.cadence"))
        authority = self.site.document["authorities"][AUTHORITY]
        authority["max_age_s"] = 300
        self.site.sign(version=8)
        found = self.site.look("collector.cadence")
        self.assert_warning(found, "results live 300 s")

    def test_an_answer_took_longer(self) -> None:
        self.site.say(last_poll_s=75.0)
        found = self.site.look("collector.cadence")
        self.assert_warning(found, "took 75 s")

    def test_options_are_read_as_they_are_set(self) -> None:
        self.configure(GROUP, timeout_s=7)
        side = Examined(self.site.inputs()).collector
        values = driver_options(side, AUTHORITY)
        self.assertEqual(7.0, values["timeout_s"])
        self.assertEqual(str(self.site.ca_file), values["ca_file"])


class Powerful(Authority):
    """A driver whose credential can do more than read."""

    def _collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        return Collected({}, {}, True)


class EmbeddedTest(CollectorCase):
    def setUp(self) -> None:
        super().setUp()
        ours = self.site.sections["nfv_mla"]
        del ours["results_file"]
        ours["results"] = "embedded"
        self.site.sections["nfv_mla_collector"] = {"authorities": AUTHORITY}
        self.site.sections[GROUP] = self.site.collector[GROUP]
        self.site.write_conf()

    def _look(self, name: str = "collector.embedded"):
        return self.site.look(name, collector=())

    def test_a_driver_that_only_reads_may_be_held(self) -> None:
        self.assert_ok(self._look(), "lab can only read")

    def test_one_that_cannot_be_used_is_named(self) -> None:
        self.site.keys_file.unlink()
        self.assert_failed(self._look(), str(self.site.keys_file))

    def test_one_that_can_do_more_is_refused(self) -> None:
        examined = Examined(self.site.inputs(collector=()))
        powerful = Powerful(Setting(AUTHORITY, {}, load()))
        broken = SettingsError("x")
        found = collecting.judge_embedded({"a": powerful, "b": broken})
        self.assert_failed(found, "a: the credential", "nfv-mla-collector")
        self.assertTrue(examined.contacts.drivers)

    def test_other_sources_have_no_such_question(self) -> None:
        self.site.sections["nfv_mla"]["results"] = "file"
        self.site.write_conf()
        self.assert_skipped(self._look(), "results = file")

    def test_there_is_no_document_to_look_for(self) -> None:
        self.assert_skipped(self._look("results.source"), "embedded")

    def test_its_options_are_known(self) -> None:
        self.assert_ok(self._look("options.ignored"))
        self.site.sections[GROUP]["urll"] = 1
        self.site.write_conf()
        self.assert_failed(self._look("options.ignored"), "urll")

    def test_its_keys_and_certificates_are_looked_at(self) -> None:
        self.assert_ok(self._look("keys.secrets"), "2 private keys")
        self.assert_ok(self._look("collector.certificates"), "2 files")
