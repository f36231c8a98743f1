# SPDX-License-Identifier: Apache-2.0
"""Keylime in a box: a verifier, a registrar, and nodes with software TPMs."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Self

from keylime_box import certificates
from keylime_box import installation
from keylime_box import settings
from keylime_box.errors import BoxError
from keylime_box.fill import fill
from keylime_box.node import Node
from keylime_box.node import Surroundings
from keylime_box.ports import LOOPBACK
from keylime_box.ports import Ports
from keylime_box.processes import Process
from keylime_box.processes import Processes
from keylime_box.rest import context
from keylime_box.servers import Server
from keylime_box.servers import environment
from keylime_box.settings import Settings
from keylime_box.tenant import Tenant


class Box(Tenant):
    """A verifier and a registrar of their own, for as long as it is open.

    :param directory: where it keeps all it has, and what stays there for
        reading afterwards; by default one that is removed at the end
    :param chosen: how the verifier is set
    :raises NotInstalled: something is missing on this machine
    """

    def __init__(
        self,
        directory: Path | None = None,
        chosen: Settings | None = None,
    ) -> None:
        installation.check()
        self.settings = chosen or Settings()
        # Short, and apart: paths of Unix sockets have a limit.
        self.temporary = Path(tempfile.mkdtemp(prefix="keylime-box-"))
        self._directory = directory or self.temporary / "state"
        self._directory.mkdir(exist_ok=True)
        self.certificates = self._directory / "certificates"
        self.state = self._directory / "keylime"
        self._nodes: dict[str, Node] = {}
        self._ports = Ports()

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.verifier.launch()
            self.registrar.launch()
            self.verifier.await_answer()
            self.registrar.await_answer()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        self._processes = Processes([self.temporary])
        certificates.make(self.certificates)
        self.state.mkdir()
        for name in (settings.VERIFIER_DATABASE, settings.REGISTRAR_DATABASE):
            shutil.copyfile(installation.DATABASES / name, self.state / name)
        verifier, registrar, registration = (
            self._ports.reserve() for _ in range(3)
        )
        for name, text in (
            (
                "verifier",
                settings.verifier(self.settings, self.certificates, verifier),
            ),
            (
                "registrar",
                settings.registrar(self.certificates, registration, registrar),
            ),
            ("logging", settings.logging()),
        ):
            (self.state / f"{name}.conf").write_text(text)
        self.verifier_url = f"https://{LOOPBACK}:{verifier}"
        self.registrar_url = f"https://{LOOPBACK}:{registrar}"
        self.verifier = self._server(
            "verifier", "keylime_box.inside.verifier", self.verifier_url
        )
        self.registrar = self._server(
            "registrar", "keylime.cmd.registrar", self.registrar_url
        )
        self._around = Surroundings(
            processes=self._processes,
            environment=environment(self.state, self.temporary),
            certificates=self.certificates,
            registrar=f"http://{LOOPBACK}:{registration}",
            verifier=self.verifier_url,
            mode=self.settings.mode,
            push_interval_s=self.settings.quote_interval_s,
        )

    def _server(self, name: str, module: str, url: str) -> Server:
        log = self._directory / f"{name}.log"

        def launch() -> Process:
            return self._processes.start(
                [str(installation.PYTHON), "-m", module],
                env=self._around.environment,
                cwd=self.state,
                log=log,
            )

        return Server(
            name, url, log, launch, context(self.certificates, "tenant")
        )

    def close(self) -> None:
        """End everything; nothing is left but a directory that was given."""
        self._ports.close()
        if hasattr(self, "_processes"):
            self._processes.close()
        shutil.rmtree(self.temporary, ignore_errors=True)

    @property
    def ca_file(self) -> Path:
        """Who signs for the servers, and for who may ask them."""
        return self.certificates / certificates.AUTHORITY

    @property
    def client_cert(self) -> Path:
        """A relying party's certificate."""
        return self.certificates / "reader.crt"

    @property
    def client_key(self) -> Path:
        """A relying party's key."""
        return self.certificates / "reader.key"

    def options(self) -> Mapping[str, Any]:
        """Return what the section of an authority says of this box."""
        return {
            "verifiers": [self.verifier_url],
            "registrar": self.registrar_url,
            "ca_file": str(self.ca_file),
            "cert_file": str(self.client_cert),
            "key_file": str(self.client_key),
            "measured_boot_evaluated": self.settings.measured_boot_evaluate,
        }

    def node(
        self, agent_id: str, pcrs: Mapping[int, bytes] | None = None
    ) -> Node:
        """Start a node, which is registered then and not enrolled.

        :param pcrs: PCR -> what is measured into it at every boot
        """
        return self.nodes([agent_id], pcrs)[0]

    def nodes(
        self, ids: Sequence[str], pcrs: Mapping[int, bytes] | None = None
    ) -> Sequence[Node]:
        """Start several at once."""
        started = []
        for agent_id in ids:
            if agent_id in self._nodes:
                raise BoxError(f"there is a node {agent_id} already")
            node = Node(
                self._around,
                agent_id,
                self._directory / f"node-{agent_id}",
                (self._ports.reserve(), self._ports.reserve_two()),
                pcrs or {},
            )
            self._nodes[agent_id] = node
            node.begin()
            started.append(node)
        for node in started:
            node.await_start()
        return started

    def remove(self, node: Node) -> None:
        """Remove a node from everywhere, and end it."""
        self.leave(node)
        del self._nodes[node.agent_id]
        node.remove()

    def fill(self, count: int, like: Node) -> dict[str, bytes]:
        """Write that many copies of an enrolled node into the databases.

        They passed just now, and stay as they are until the verifier starts
        again, which sets them back.

        :returns: their ids, and what the registrar says is their ``ek_tpm``
        """
        return fill(self.state, like.agent_id, count, int(time.time()))
