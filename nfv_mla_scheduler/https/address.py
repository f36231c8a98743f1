# SPDX-License-Identifier: Apache-2.0
"""Where a server is, and what of it is asked for.  Pure."""

from __future__ import annotations

import dataclasses
import http.client
import re
import urllib.parse

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

PEER_MAX = 120

_REFERENCE = re.compile("[!-~]*")
_LABEL = "[A-Za-z0-9_-]{1,63}"
# The second is any address of IPv6; the resolver knows better.
_HOST = re.compile(rf"(?:{_LABEL}[.])*{_LABEL}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """A server, and what of it is meant unless something else is said."""

    url: str
    host: str
    port: int

    @property
    def peer(self) -> str:
        """The server as people name it: host and port, bounded."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return bounded(f"{host}:{self.port}", PEER_MAX)

    @property
    def target(self) -> str:
        """Path and query, as a request has them."""
        parts = urllib.parse.urlsplit(self.url)
        path = parts.path or "/"
        return f"{path}?{parts.query}" if parts.query else path

    def at(self, reference: str) -> Address:
        """Return what a reference means here (RFC 3986).

        :raises ContactFailed: BAD_ANSWER, since what is no reference to this
            server can only have come from it
        """
        if not _REFERENCE.fullmatch(reference):
            raise ContactFailed(
                ContactCode.BAD_ANSWER,
                f"{self.peer}: a reference has a character that no URL has",
            )
        try:
            there = read_url(urllib.parse.urljoin(self.url, reference))
            same = (there.host, there.port) == (self.host, self.port)
        except (ValueError, SettingsError):
            same = False
        if not same:
            raise ContactFailed(
                ContactCode.BAD_ANSWER,
                f"{self.peer}: what it refers to is not on this server",
            )
        return there


def read_url(url: str) -> Address:
    """Return the server of an HTTPS URL.

    :raises SettingsError: when it is none, or holds more than it may
    """
    if not _REFERENCE.fullmatch(url):
        raise SettingsError("url: has a character that no URL has")
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise SettingsError(f"url: cannot be read: {bounded(exc)}") from exc
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "url: may hold no user and no password; a client certificate "
            "says who asks"
        )
    host = parts.hostname or ""
    if parts.scheme != "https" or not is_host(host):
        raise SettingsError(
            f"url: must be https://HOST..., not {bounded(url)!r}"
        )
    if parts.fragment:
        raise SettingsError("url: may have no fragment")
    if port == 0:
        raise SettingsError("url: has port 0")
    return Address(url, host, port or http.client.HTTPS_PORT)


def is_host(name: str) -> bool:
    """Whether this can be the name or the address of a host."""
    return bool(_HOST.fullmatch(name))
