# SPDX-License-Identifier: Apache-2.0
"""A monitor's files, and a cloud in memory that it looks at."""

from __future__ import annotations

import functools
import pathlib
import tempfile
import unittest
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor import works
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.service import Service
from tests.unit.monitor.cloud_fake import FakeCloud
from tests.unit.scheduler.site import GOOD_1
from tests.unit.scheduler.site import GOOD_2
from tests.unit.scheduler.site import HOSTS
from tests.unit.scheduler.site import MAX_AGE_S
from tests.unit.scheduler.site import PLAIN
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import Said
from tests.unit.scheduler.site import Site
from tests.unit.scheduler.site import node_uuid
from tests.unit.scheduler.site import tpm

ASKS = Ask(TPM, {}, {}, {"VCPU": 1})
KEY = b"k" * 32
EVICTS: dict[str, Any] = {
    "authorities": {
        "lab": {
            "trust_domain": "acme",
            "vouches": ["attestation", "tpm", "location"],
            "cadence_s": 1,
            "max_age_s": MAX_AGE_S,
            "may_evict": True,
        }
    }
}


class MonitorSite(Site):
    """The files of one monitor, and its cloud."""

    def __init__(self, directory: pathlib.Path) -> None:
        super().__init__(directory)
        self.key_file = directory / "marks.key"
        self.key_file.write_bytes(KEY)
        self.key_file.chmod(0o600)
        self.status_file = directory / "state" / "monitor-status.json"
        #: Options of ``[nfv_mla]`` that are others than usual.
        self.shared: dict[str, Any] = {"audit_seal_interval_s": 0.1}
        self.cloud = FakeCloud(0)
        for host in HOSTS:
            self.cloud.add_host(host, uuid=node_uuid(host))

    @classmethod
    def of(cls, test: unittest.TestCase) -> MonitorSite:
        """Return one with a policy and results, until the test ends."""
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)
        site = cls(pathlib.Path(directory.name))
        site.put_policy(version=1, **EVICTS)
        site.put_results()
        (site.directory / "state").mkdir(mode=0o700)
        return site

    def write(self, **options: Any) -> str:
        """Write a configuration file, and return its name."""
        lines = ["[monitor]"]
        options = {
            "act": "all",
            "mark_key_files": str(self.key_file),
            "auth_type": "password",
            "auth_url": "https://127.0.0.1:1/v3",
            "username": "monitor",
            "password": "secret",
            "user_domain_name": "Default",
            "project_name": "service",
            "project_domain_name": "Default",
            **options,
        }
        lines += [f"{name} = {value}" for name, value in options.items()]
        path = pathlib.Path(self.configure(self.shared))
        own = self.directory / "monitor.conf"
        own.write_text(path.read_text() + "\n".join(lines) + "\n")
        return str(own)

    def conf(self, **options: Any) -> cfg.ConfigOpts:
        """Return the options as the monitor reads them."""
        conf = cfg.ConfigOpts()
        parts.register(conf)
        conf(
            [],
            default_config_files=[self.write(**options)],
            default_config_dirs=[],
        )
        return conf

    def service(self, dry_run: bool = False, **options: Any) -> Service:
        """Return a monitor of the cloud in memory."""
        conf = self.conf(**options)

        build = functools.partial(works.build, cloud=self.cloud)
        return Service(parts.read(conf), conf, dry_run, build)

    def add_asking(self, number: int, host: str = GOOD_1) -> str:
        """Add a server that asks for a TPM of hardware."""
        server = self.cloud.add_server(
            number, host, project_id=PLAIN, ask=ASKS
        )
        return server.uuid

    def turn_bad(self, host: str = GOOD_1) -> None:
        """Have the authority say that a host has no such TPM any more."""
        said = {h: Said(tpm()) for h in (GOOD_1, GOOD_2)}
        self.put_results({**said, host: Said(tpm("virtual"))})
