# SPDX-License-Identifier: Apache-2.0
"""A node of the box: a software TPM and an agent, each a process.

What stands here runs in the user's process and gives the agent its orders.
"""

import base64
import json
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from typing import Literal

from keylime_box import golden
from keylime_box.errors import BoxError
from keylime_box.installation import PYTHON
from keylime_box.processes import Process
from keylime_box.processes import Processes
from keylime_box.tpm import SoftwareTpm
from keylime_box.tpm import tcti

ANSWER_S = 60
LARGEST_ANSWER = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all nodes of a box have in common.

    :ivar verifier: where a node pushes to
    """

    processes: Processes
    environment: Mapping[str, str]
    certificates: Path
    registrar: str
    verifier: str
    mode: Literal["pull", "push"]
    push_interval_s: float


class Node:
    """A node, which is registered and not enrolled.

    :param directory: its own
    :param ports: the agent's, and the first of two neighbours for its TPM
    :param pcrs: PCR -> what is measured into it at every boot
    """

    def __init__(
        self,
        around: Surroundings,
        agent_id: str,
        directory: Path,
        ports: tuple[int, int],
        pcrs: Mapping[int, bytes],
    ) -> None:
        self.agent_id = agent_id
        self._around = around
        self._directory = directory
        self._port, self._tpm_port = ports
        self._pcrs = dict(pcrs)
        self._firmware = golden.FIRMWARE
        self._replaced = 0
        self._tpm: SoftwareTpm | None = None
        self._agent: Process | None = None
        self._orders: socket.socket | None = None
        self._hangs = False
        self._who: Mapping[str, str] = {}
        directory.mkdir()

    @property
    def ek_tpm(self) -> bytes:
        """The endorsement key as the registrar tells it: a TPM2B_PUBLIC."""
        return base64.b64decode(self._who["ek_tpm"])

    @property
    def ek_sha256(self) -> str:
        """The digest of ``ek_tpm``, in hexadecimal."""
        return sha256(self.ek_tpm).hexdigest()

    @property
    def ek_certificate(self) -> bytes:
        """The endorsement key's certificate, as DER."""
        return base64.b64decode(self._who["ek_certificate"])

    def begin(self) -> None:
        """Start what does not run: the TPM, the agent."""
        if self._tpm is None:
            around = self._around
            self._tpm = SoftwareTpm(
                around.processes,
                around.environment,
                self._tpm_directory,
                self._tpm_port,
            )
        self._orders, theirs = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        self._orders.settimeout(ANSWER_S)
        with theirs:
            self._agent = self._around.processes.start(
                [
                    *(str(PYTHON), "-m", "keylime_box.inside"),
                    json.dumps(self._settings()),
                ],
                env=self._around.environment,
                cwd=self._directory,
                log=self._directory / "agent.log",
                stdin=theirs.fileno(),
            )

    def await_start(self) -> None:
        """Wait until it is registered.

        :raises BoxError: it is not, and why
        """
        self._who = self._answer()

    def extend(self, pcr: int, data: bytes) -> None:
        """Measure data into a PCR, as software on the node could."""
        self._order(do="extend", pcr=pcr, digest=sha256(data).hexdigest())

    def reset(self, pcr: int) -> None:
        """Set a PCR to zeros; the TPM lets that happen to 16 and 23."""
        self._order(do="reset", pcr=pcr)

    def read(self, pcr: int) -> bytes:
        """Return what a PCR holds."""
        return bytes.fromhex(self._order(do="read", pcr=pcr))

    def run(self, path: str, content: bytes) -> None:
        """Run a file, which IMA measures."""
        self._order(
            do="run", path=path, content=base64.b64encode(content).decode()
        )

    def hang(self) -> None:
        """Let the agent hang: it takes connections and answers none."""
        self._running().suspend()
        self._hangs = True

    def resume(self) -> None:
        """Let a hanging agent go on."""
        self._running().resume()
        self._hangs = False

    def die(self) -> None:
        """Let the agent's process die; its port is closed, the TPM lives."""
        self._end_agent()

    def restart(self) -> None:
        """Bring the agent back: it registers anew, with the same keys."""
        self._end_agent()
        self.begin()
        self.await_start()

    def reboot(self, firmware: str = golden.FIRMWARE) -> None:
        """Boot the machine anew: PCRs and lists start afresh.

        :param firmware: its version, which is measured
        """
        self._power_off()
        self._firmware = firmware
        self.restart()

    def replace_tpm(self) -> None:
        """Come back with another TPM, and its other keys.

        The registrar lets no other TPM take an id: whoever administers it
        has to remove the old entry first (``Box.forget``).
        """
        self._power_off()
        self._replaced += 1
        self.restart()

    def end(self) -> None:
        """End all that is the node's."""
        self._power_off()

    def _settings(self) -> Mapping[str, object]:
        around = self._around
        return {
            "agent_id": self.agent_id,
            "directory": str(self._directory),
            "tpm": str(self._tpm_directory),
            "tcti": tcti(self._tpm_port),
            "port": self._port,
            "certificates": str(around.certificates),
            "registrar": around.registrar,
            "verifier": around.verifier,
            "mode": around.mode,
            "push_interval_s": around.push_interval_s,
            "firmware": self._firmware,
            "pcrs": {
                str(pcr): base64.b64encode(tag).decode()
                for pcr, tag in self._pcrs.items()
            },
        }

    @property
    def _tpm_directory(self) -> Path:
        return self._directory / f"tpm{self._replaced}"

    def _power_off(self) -> None:
        self._end_agent()
        if self._tpm is not None:
            self._tpm.end()
            self._tpm = None
        (self._directory / "booted.json").unlink(missing_ok=True)

    def _end_agent(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._agent is not None:
            self._agent.end()
            self._agent = None
        self._hangs = False

    def _running(self) -> Process:
        if self._agent is None:
            raise BoxError(f"node {self.agent_id} is down")
        return self._agent

    def _order(self, **order: Any) -> Any:
        self._running()
        if self._hangs or self._orders is None:
            raise BoxError(f"node {self.agent_id} hangs")
        self._orders.send(json.dumps(order).encode())
        return self._answer()

    def _answer(self) -> Any:
        assert self._orders is not None
        said = self._orders.recv(LARGEST_ANSWER)
        answer = json.loads(said) if said else {"failed": "it ended"}
        if "failed" in answer:
            raise BoxError(f"node {self.agent_id}: {answer['failed']}")
        return answer["said"]

    def remove(self) -> None:
        """End it and remove its directory."""
        self.end()
        shutil.rmtree(self._directory, ignore_errors=True)
