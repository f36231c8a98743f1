# SPDX-License-Identifier: Apache-2.0
"""Directories of labs, and what reads their tokens without our own code."""

from __future__ import annotations

import base64
import http.client
import json
import pathlib
import ssl
import tempfile
import time
import unittest
from collections.abc import Mapping
from typing import Any

import jwt

from nfv_mla_scheduler.lab import directory

DOTTED = "tag:github.com,2023:veraison/ear"
UNDERSCORED = "tag:ietf.org,2026:rats/ear#03"
NOW = 1795132800.75
SECOND = 1795132800

TPM = {"status": "affirming", "grade": "boot", "values": ["hardware"]}
GOOD = {
    "attestation": {"status": "affirming", "grade": "run-time"},
    "tpm": TPM,
}


def make(
    test: unittest.TestCase, *attesters: str, hosts: tuple[str, ...] = ()
) -> pathlib.Path:
    """Return the directory of a new lab that is gone after the test."""
    temporary = tempfile.TemporaryDirectory()
    test.addCleanup(temporary.cleanup)
    path = pathlib.Path(temporary.name) / "lab"
    hosts = hosts or directory.HOSTS
    made = directory.make(path, attesters, hosts=hosts, now=time.time())
    return made.path


def client_context(directory: pathlib.Path) -> ssl.SSLContext:
    """Return TLS for those whom a lab answers, and who believe it."""
    context = ssl.create_default_context(cafile=directory / "ca.pem")
    context.load_cert_chain(directory / "client.pem", directory / "client.key")
    return context


def connect(
    url: str, directory: pathlib.Path, timeout_s: float = 10
) -> http.client.HTTPSConnection:
    """Return a connection to a lab that is opened by its first request."""
    return http.client.HTTPSConnection(
        url.removeprefix("https://"),
        context=client_context(directory),
        timeout=timeout_s,
    )


def get(
    connection: http.client.HTTPSConnection, target: str
) -> tuple[int, str, bytes]:
    """Return status, content type and body."""
    connection.request("GET", target)
    answer = connection.getresponse()
    return answer.status, answer.headers["Content-Type"], answer.read()


def yaml(attesters: Mapping[str, Any] | None = None, **top: Any) -> bytes:
    """Return an ``attesters.yaml``; JSON is YAML as well."""
    if attesters is None:
        attesters = {"ber-1": {"claims": GOOD}, "ber-2": {"claims": GOOD}}
    return json.dumps({**top, "attesters": attesters}).encode()


def decoded(part: str) -> Any:
    """Return what one part of a token holds, unverified."""
    padded = part + "=" * (-len(part) % 4)
    return json.loads(base64.urlsafe_b64decode(padded))


def header(token: str) -> Any:
    """Return the header of a token."""
    return decoded(token.split(".")[0])


def payload(token: str) -> Any:
    """Return the payload of a token, whoever signed it."""
    return decoded(token.split(".")[1])


def verified(token: str, jwk_set: Mapping[str, Any]) -> Any:
    """Return the payload of a token that one of these keys signed, by PyJWT.

    :raises jwt.InvalidTokenError: when it did not, whatever the times say
    """
    keys = jwt.PyJWKSet.from_dict(dict(jwk_set))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options: Any = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(token, key, algorithms=["ES256"], options=options)
