# SPDX-License-Identifier: Apache-2.0
"""Serve quotes to a verifier that asks: the agent's interface, 2.4."""

import json
import ssl
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

from keylime_box import golden
from keylime_box.inside.chip import Chip
from keylime_box.inside.kernel import Kernel
from keylime_box.inside.registering import b64
from keylime_box.ports import LOOPBACK

VERSION = "2.4"
_DATA_PCR = 16


class Agent:
    """What the verifier asks.

    :param public_key: PEM of the certificate's key; quotes are bound to it
    """

    def __init__(self, chip: Chip, kernel: Kernel, public_key: str) -> None:
        self._chip = chip
        self._kernel = kernel
        self._public_key = public_key

    def answer(self, path: str) -> dict[str, Any] | None:
        """Return the results of a GET, or None if there is no such path."""
        asked = urlsplit(path)
        query = dict(parse_qsl(asked.query, keep_blank_values=True))
        if asked.path == "/version":
            return {"supported_version": VERSION}
        if asked.path.endswith("/keys/pubkey"):
            return {"pubkey": self._public_key}
        if asked.path.endswith("/quotes/identity"):
            return self._quote(query["nonce"], {0}) | self._key()
        if not asked.path.endswith("/quotes/integrity"):
            return None
        mask = int(query.get("mask", "0"), 0)
        pcrs = {pcr for pcr in range(24) if mask >> pcr & 1}
        # The quote first: the list may have grown beyond it, never less.
        quoted = self._quote(query["nonce"], pcrs)
        if query.get("partial") != "1":
            quoted |= self._key()
        if golden.IMA_PCR in pcrs:
            quoted |= self._runtime_list(int(query.get("ima_ml_entry", "0")))
        if golden.BOOT_PCRS[0] in pcrs:
            quoted["mb_measurement_list"] = b64(self._kernel.boot_log())
        return quoted

    def _quote(self, nonce: str, pcrs: set[int]) -> dict[str, Any]:
        signed, values = self._chip.quote(
            nonce.encode(),
            sorted(pcrs | {_DATA_PCR}),
            bound=self._public_key.encode(),
        )
        return {
            "quote": "r" + ":".join(map(b64, (*signed, values))),
            "hash_alg": "sha256",
            "enc_alg": "rsa",
            "sign_alg": "rsassa",
            "boottime": self._kernel.boot_s,
        }

    def _key(self) -> dict[str, Any]:
        return {"pubkey": self._public_key}

    def _runtime_list(self, first: int) -> dict[str, Any]:
        lines = self._kernel.runtime_list()
        if first > len(lines):
            first = 0
        return {
            "ima_measurement_list": "\n".join(lines[first:]),
            "ima_measurement_list_entry": first,
        }


def serve(
    agent: Agent, port: int, certificate: Path, key: Path, client_ca: Path
) -> ThreadingHTTPServer:
    """Return a server that listens; it asks for the verifier's certificate."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            results = agent.answer(self.path)
            self._say(404 if results is None else 200, results or {})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._say(200, {})

        def _say(self, status: int, results: dict[str, Any]) -> None:
            body = json.dumps({"code": status, "results": results}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.load_verify_locations(client_ca)
    tls.verify_mode = ssl.CERT_REQUIRED
    # Daemon threads, and SO_REUSEADDR for a port that the box holds.
    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    server.socket = tls.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    return server
