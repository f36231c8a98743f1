# SPDX-License-Identifier: Apache-2.0
"""A small cloud with all that makes its monitor act: real programs, real TLS.

Two laboratories as authorities, the collector and the monitor as the programs
that they are, and a cloud of 40 hosts with 50 servers each, whose API takes
20 ms for a call.  Touches a directory, and sockets of this machine.
"""

from __future__ import annotations

import json
import pathlib
import time
from typing import Any

from bench.monitor.ground import KEY
from bench.monitor.ground import write_options
from bench.site import put_ledger
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.lab import directory as lab_files
from nfv_mla_scheduler.lab import edits
from nfv_mla_scheduler.lab.server import LabServer
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.results.publish import publish
from tests import policies
from tests.authorities.certificates import make_ca
from tests.simulated.apart import CloudApart
from tests.simulated.records import identifier

HERE = "127.0.0.1"
HOSTS = 40
SERVERS = 50
LATENCY_S = 0.02
#: The first is asked so rarely that only a knock can be what brings it.
RARELY, OFTEN = "rarely-asked", "often-asked"
CADENCE_S = {RARELY: 60, OFTEN: 2}
CAPABILITY = "software-integrity"

_COLLECTOR = "collector-a"


def extra_specs(number: int) -> dict[str, str]:
    """Return what every server asks for."""
    return {f"nfv_mla:capability.{CAPABILITY}": "run-time"}


def new_cloud() -> CloudApart:
    """Return the cloud, in a process of its own, not running yet."""
    return CloudApart(
        hosts=HOSTS,
        servers=HOSTS * SERVERS,
        latency_s=LATENCY_S,
        extra_specs=extra_specs,
    )


def hosts_of(authority: str) -> list[str]:
    """Return the hosts that an authority attests: each has one half."""
    half = HOSTS // 2
    first = 0 if authority == RARELY else half
    return [f"host-{n:05}" for n in range(first, first + half)]


class Town:
    """The files of all parties, and both laboratories."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        self.results_file = directory / "published" / "results"
        self.results_file.parent.mkdir()
        self._labs = {}
        for name in CADENCE_S:
            made = lab_files.make(
                directory / name, hosts_of(name), name, now=time.time()
            )
            self._labs[name] = made, LabServer(made.path, say=lambda _: None)
        ca = make_ca()
        self._ca = ca.write(directory)
        self._server = ca.issue_server(directory, HERE)
        self._client = ca.issue_client(directory)
        for name in policies.NAMES:
            self._public(name).write_text(policies.public_pem(name))
        self._put("collector.key", policies.private_pem(_COLLECTOR))
        self._put("marks.key", KEY)
        self._ledger = put_ledger(directory)
        self._put_policy()

    def start(self) -> None:
        """Have both laboratories answer."""
        for _, server in self._labs.values():
            server.start()

    def stop(self) -> None:
        """Have them answer no more."""
        for _, server in self._labs.values():
            server.stop()

    def turn_bad(self, authority: str, host: str) -> None:
        """Have a laboratory say from now on that a host's software is bad."""
        made, _ = self._labs[authority]
        edits.set_claim(made.path, host, CAPABILITY, status="contraindicated")

    def collector(self) -> pathlib.Path:
        """Write the collector's options, and return the file."""
        own = {
            "name": _COLLECTOR,
            "key_file": self._directory / "collector.key",
            "results_file": self.results_file,
            "status_file": self._directory / "collector-status.json",
            "authorities": list(self._labs),
            "publish_interval_s": 0.1,
            **self._listen(),
        }
        return write_options(
            self._directory / "collector.conf",
            nfv_mla=self._shared("collector"),
            nfv_mla_collector=own,
            **{
                f"nfv_mla_authority_{name}": self._asked(name)
                for name in self._labs
            },
        )

    def monitor(
        self, name: str, credentials: dict[str, str], **shared: Any
    ) -> pathlib.Path:
        """Write the options of a monitor, and return the file.

        :param name: of the monitor, which has a state of its own
        :param shared: where its results come from
        """
        own = {
            "act": "all",
            "mark_key_files": self._directory / "marks.key",
            "auth_type": "password",
            **credentials,
            **self._listen(),
        }
        return write_options(
            self._directory / f"{name}.conf",
            nfv_mla={**self._shared(name), **shared},
            monitor=own,
        )

    def over_https(self, port: int) -> dict[str, Any]:
        """Return the options by which results come from the collector."""
        return {
            "results": "https",
            "results_url": f"https://{HERE}:{port}/v1/results",
            "results_ca_file": self._ca,
            "results_cert_file": self._client.cert_file,
            "results_key_file": self._client.key_file,
        }

    def asks(self, port: int) -> Client:
        """Return a client of whoever listens at that port."""
        tls = Tls(self._ca, self._client.cert_file, self._client.key_file)
        return Client(
            f"https://{HERE}:{port}/", tls, deadline_s=10.0, max_bytes=2**20
        )

    def _put_policy(self) -> None:
        now = time.time()
        document = {
            "format": "nfv-mla-policy/1",
            "version": 1,
            "issued": write_instant(now - DAY_S),
            "expires": write_instant(now + 30 * DAY_S),
            "operator": "acme",
            "trust_domains": {"acme": {}},
            "authorities": {
                name: {
                    "trust_domain": "acme",
                    "vouches": ["attestation", CAPABILITY],
                    "cadence_s": cadence_s,
                    "max_age_s": 1200,
                    "may_evict": True,
                }
                for name, cadence_s in CADENCE_S.items()
            },
            "collectors": {
                _COLLECTOR: {
                    "public_key": policies.public_pem(_COLLECTOR),
                    "authorities": list(CADENCE_S),
                }
            },
            "hosts": {
                host: {
                    "node_uuid": identifier("node", host),
                    "attesters": {name: host},
                }
                for name in CADENCE_S
                for host in hosts_of(name)
            },
            "guard": {"suspect_share_percent": 90},
        }
        data = policies.signed(json.dumps(document))
        publish(self._directory / "policy.json", data)

    def _shared(self, name: str) -> dict[str, Any]:
        state = self._directory / f"{name}-state"
        state.mkdir(mode=0o700)
        return {
            "policy_file": self._directory / "policy.json",
            "officer_keys": [str(self._public(n)) for n in policies.NAMES],
            "officer_threshold": len(policies.NAMES),
            "state_dir": state,
            **self._ledger,
        }

    def _listen(self) -> dict[str, Any]:
        return {
            "listen": f"{HERE}:0",
            "tls_cert_file": self._server.cert_file,
            "tls_key_file": self._server.key_file,
            "tls_client_ca_file": self._ca,
        }

    def _asked(self, name: str) -> dict[str, Any]:
        made, server = self._labs[name]
        return {
            "driver": "lab",
            "url": f"{server.url}{lab_files.RESULTS}",
            "ca_file": made.ca,
            "cert_file": made.client,
            "key_file": lab_files.key_of(made.client),
            "keys_file": made.jwk_set,
        }

    def _public(self, name: str) -> pathlib.Path:
        return self._directory / f"{name}.pub"

    def _put(self, name: str, data: bytes) -> None:
        path = self._directory / name
        path.write_bytes(data)
        path.chmod(0o600)
