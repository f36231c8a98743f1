# SPDX-License-Identifier: Apache-2.0
"""The simulated Keystone: tokens for an administrator and two tenants."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Mapping

from tests.simulated.answers import Answer
from tests.simulated.answers import Request
from tests.simulated.answers import nova_error
from tests.simulated.answers import say

_DOMAIN = {"id": "default", "name": "Default"}
_REGION = "RegionOne"
# Name, which is the password -> id and project's id.
USERS = {
    "monitor": ("a" * 32, "a0" * 16),
    "tenant": ("b" * 32, "b0" * 16),
    "other-tenant": ("c" * 32, "c0" * 16),
}
ADMIN = "monitor"


class Keystone:
    """Answers what is asked of Keystone.

    :ivar endpoints: URL of each service, by its type
    """

    def __init__(self) -> None:
        self.endpoints: Mapping[str, str] = {}
        self._tokens: dict[str, str] = {}

    def owner(self, token: str) -> str | None:
        """Return the name of whoever has a token."""
        return self._tokens.get(token)

    def forget(self) -> None:
        """Have no token count any more."""
        self._tokens.clear()

    def answer(self, request: Request) -> Answer:
        match [request.method, *request.parts]:
            case ["GET"] | ["GET", "v3"]:
                return self._versions(bool(request.parts))
            case ["POST", "v3", "auth", "tokens"]:
                return self._authenticate(request)
            case ["GET", "v3", "auth", "tokens"]:
                token = request.headers.get("x-subject-token", "")
                owner = self.owner(token)
                if owner is not None:
                    return say(200, {"token": self._token(owner)})
        return nova_error(404, "Could not find it.")

    def issue(self, name: str) -> str:
        token = secrets.token_urlsafe(24)
        self._tokens[token] = name
        return token

    def _versions(self, one: bool) -> Answer:
        version = {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [
                {"rel": "self", "href": f"{self.endpoints['identity']}/v3/"}
            ],
        }
        if one:
            return say(200, {"version": version})
        return say(300, {"versions": {"values": [version]}})

    def _authenticate(self, request: Request) -> Answer:
        try:
            claimed = request.body["auth"]["identity"]["password"]["user"]
            name = claimed.get("name", "")
            if name not in USERS or claimed["password"] != name:
                return nova_error(401, "Authentication is required.")
        except (KeyError, TypeError):
            return nova_error(400, "No password.")
        token = self.issue(name)
        header = ("X-Subject-Token", token)
        return say(201, {"token": self._token(name)}, header)

    def _token(self, name: str) -> dict[str, object]:
        user, project = USERS[name]
        now = datetime.datetime.now(datetime.UTC)
        roles = ["member", "reader", *(["admin"] if name == ADMIN else [])]
        until = now + datetime.timedelta(hours=24)
        return {
            "methods": ["password"],
            "user": {
                "id": user,
                "name": name,
                "domain": _DOMAIN,
                "password_expires_at": None,
            },
            "project": {"id": project, "name": name, "domain": _DOMAIN},
            "is_domain": False,
            "roles": [{"id": role, "name": role} for role in roles],
            "catalog": [
                _service(kind, url) for kind, url in self.endpoints.items()
            ],
            "issued_at": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}",
            "expires_at": f"{until:%Y-%m-%dT%H:%M:%S.%fZ}",
            "audit_ids": [secrets.token_urlsafe(8)],
        }


def _service(kind: str, url: str) -> dict[str, object]:
    return {
        "id": f"{kind}-service",
        "type": kind,
        "name": kind,
        "endpoints": [
            {
                "id": f"{kind}-{interface}",
                "interface": interface,
                "region": _REGION,
                "region_id": _REGION,
                "url": url,
            }
            for interface in ("public", "internal", "admin")
        ],
    }
