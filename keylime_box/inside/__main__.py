# SPDX-License-Identifier: Apache-2.0
"""One node: register, attest, and do what the box says.

It takes its settings as JSON in the first argument and its orders, JSON too,
from standard input, which is a socket; when that closes it ends.
"""

import base64
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from keylime_box.inside import pulling
from keylime_box.inside.chip import Chip
from keylime_box.inside.identity import endorse
from keylime_box.inside.identity import self_sign
from keylime_box.inside.kernel import Kernel
from keylime_box.inside.pushing import Pusher
from keylime_box.inside.registering import b64
from keylime_box.inside.registering import register
from keylime_box.ports import LOOPBACK
from keylime_box.rest import Rest


class Node:
    """The node's parts, from its settings."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._directory = Path(settings["directory"])
        self._certificates = Path(settings["certificates"])
        self._chip = Chip(settings["tcti"])
        self._kernel = Kernel(self._directory, self._chip)
        self._kernel.boot(
            settings["firmware"],
            {
                int(pcr): base64.b64decode(tag)
                for pcr, tag in settings["pcrs"].items()
            },
            int(time.time()),
        )
        self.orders = {
            "extend": self._extend,
            "reset": self._reset,
            "run": self._run,
            "read": self._read,
        }

    def start(self) -> dict[str, Any]:
        """Register and attest from now on; return who the node is."""
        endorsed = endorse(
            self._certificates,
            Path(self._settings["tpm"]),
            self._chip.ek_der,
        )
        if self._settings["mode"] == "push":
            self._register(endorsed, {})
            self._push()
        else:
            certificate = self._pull()
            self._register(
                endorsed,
                {
                    "mtls_cert": certificate,
                    "ip": LOOPBACK,
                    "port": self._settings["port"],
                },
            )
        return {
            "ek_tpm": b64(self._chip.ek_public),
            "ak_tpm": b64(self._chip.ak_public),
            "ek_certificate": b64(endorsed),
        }

    def _register(self, endorsed: bytes, contact: dict[str, object]) -> None:
        register(
            self._chip,
            self._settings["agent_id"],
            Rest(self._settings["registrar"], None),
            ek_certificate=endorsed,
            contact=contact,
        )

    def _pull(self) -> str:
        certificate, public_key = self_sign(
            self._directory, self._settings["agent_id"]
        )
        server = pulling.serve(
            pulling.Agent(self._chip, self._kernel, public_key),
            self._settings["port"],
            self._directory / "agent.crt",
            self._directory / "agent.key",
            self._certificates / "ca.crt",
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return certificate

    def _push(self) -> None:
        pusher = Pusher(
            self._settings["agent_id"],
            self._chip,
            self._kernel,
            verifier=self._settings["verifier"],
            ca_file=self._certificates / "ca.crt",
            interval_s=self._settings["push_interval_s"],
        )
        threading.Thread(target=pusher.run, daemon=True).start()

    def _extend(self, order: dict[str, Any]) -> None:
        self._chip.extend(order["pcr"], bytes.fromhex(order["digest"]))

    def _reset(self, order: dict[str, Any]) -> None:
        self._chip.reset(order["pcr"])

    def _run(self, order: dict[str, Any]) -> None:
        self._kernel.run(order["path"], base64.b64decode(order["content"]))

    def _read(self, order: dict[str, Any]) -> str:
        return self._chip.read(order["pcr"]).hex()


def main() -> None:
    """Start, say who we are, obey."""
    with socket.socket(fileno=os.dup(0)) as box:
        try:
            node = Node(json.loads(sys.argv[1]))
            said: dict[str, Any] = {"said": node.start()}
        except Exception as exc:
            box.send(json.dumps({"failed": f"{exc!r}"}).encode())
            raise
        box.send(json.dumps(said).encode())
        while order := box.recv(1 << 18):
            asked = json.loads(order)
            try:
                said = {"said": node.orders[asked["do"]](asked)}
            except Exception as exc:
                said = {"failed": f"{exc!r}"}
            box.send(json.dumps(said).encode())


if __name__ == "__main__":
    main()
