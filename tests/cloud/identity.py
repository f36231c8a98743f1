# SPDX-License-Identifier: Apache-2.0
"""As much of Keystone as OpenStack's clients and Nova need.

Issues tokens for a fixed set of users and tells a service whose token a
request carries.  Everything is in memory.
"""

from __future__ import annotations

import datetime
import json
import secrets
import typing as ty

from tests.cloud import description
from tests.cloud import wsgi

_LIFETIME = datetime.timedelta(hours=24)
_DOMAIN = {"id": "default", "name": "Default"}
_REGION = "RegionOne"
_UNAUTHENTICATED = wsgi.error(
    401, "The request you have made requires authentication."
)


class Identity:
    """The users, and the tokens that they have."""

    def __init__(self, users: ty.Iterable[description.User]) -> None:
        self._users = {user.name: user for user in users}
        self._tokens: dict[str, description.User] = {}

    def issue(self, user: description.User) -> str:
        token = secrets.token_urlsafe(24)
        self._tokens[token] = user
        return token

    def owner(self, token: str | None) -> description.User | None:
        return self._tokens.get(token or "")

    def authenticate(
        self,
        request: ty.Mapping[str, ty.Any],
    ) -> tuple[str, description.User] | None:
        """Return a new token for the user whom a v3 request names.

        The scope must be the user's one project, if the request has one.
        """
        how = request["auth"]["identity"]
        if "token" in how["methods"]:
            user = self.owner(how["token"]["id"])
        else:
            claimed = how["password"]["user"]
            user = next(
                (
                    user
                    for user in self._users.values()
                    if claimed.get("name") == user.name
                    or claimed.get("id") == user.id
                ),
                None,
            )
            if user and claimed["password"] != user.name:
                user = None
        scope = request["auth"].get("scope")
        if user is None or not _is_own_project(user, scope):
            return None
        return self.issue(user), user


def _is_own_project(user: description.User, scope: ty.Any) -> bool:
    if not isinstance(scope, dict) or "project" not in scope:
        return True
    project = scope["project"]
    return bool(
        project.get("id") == user.project_id
        or project.get("name") == user.project
    )


class TokenAuth:
    """Stands where keystonemiddleware.auth_token does in a pipeline."""

    def __init__(
        self,
        app: wsgi.Application,
        identity: Identity,
        open_paths: ty.Collection[str] = (),
    ) -> None:
        self._app = app
        self._identity = identity
        self._open_paths = open_paths

    def __call__(
        self,
        environ: wsgi.Environ,
        start_response: wsgi.StartResponse,
    ) -> ty.Iterable[bytes]:
        if environ.get("PATH_INFO", "") in self._open_paths:
            return self._app(environ, start_response)
        user = self._identity.owner(environ.get("HTTP_X_AUTH_TOKEN"))
        if user is None:
            return _UNAUTHENTICATED(environ, start_response)
        # Overwrites whatever the client itself put into these headers.
        environ.update(
            {
                "HTTP_X_IDENTITY_STATUS": "Confirmed",
                "HTTP_X_USER_ID": user.id,
                "HTTP_X_USER_NAME": user.name,
                "HTTP_X_USER_DOMAIN_ID": _DOMAIN["id"],
                "HTTP_X_PROJECT_ID": user.project_id,
                "HTTP_X_PROJECT_NAME": user.project,
                "HTTP_X_PROJECT_DOMAIN_ID": _DOMAIN["id"],
                "HTTP_X_ROLES": ",".join(sorted(user.roles)),
            }
        )
        for name in (
            "HTTP_X_SERVICE_CATALOG",
            "HTTP_X_IS_ADMIN_PROJECT",
            "HTTP_OPENSTACK_SYSTEM_SCOPE",
            "HTTP_X_DOMAIN_ID",
        ):
            environ.pop(name, None)
        return self._app(environ, start_response)


class IdentityApi:
    """The WSGI application: versions, tokens, the catalogue."""

    def __init__(
        self,
        identity: Identity,
        endpoints: ty.Mapping[str, str],
    ) -> None:
        """Serve the users of *identity*.

        :param endpoints: URL of each service, by its type
        """
        self._identity = identity
        self._endpoints = endpoints

    def __call__(
        self,
        environ: wsgi.Environ,
        start_response: wsgi.StartResponse,
    ) -> ty.Iterable[bytes]:
        return self._answer(environ)(environ, start_response)

    def _answer(self, environ: wsgi.Environ) -> wsgi.Application:
        path = environ.get("PATH_INFO", "").rstrip("/")
        method = environ["REQUEST_METHOD"]
        if path in ("", "/v3"):
            return self._versions(path)
        if path == "/v3/auth/tokens" and method == "POST":
            return self._create_token(json.loads(wsgi.body(environ)))
        user = self._identity.owner(environ.get("HTTP_X_AUTH_TOKEN"))
        if user is None:
            return _UNAUTHENTICATED
        if path == "/v3/auth/tokens":
            subject = environ.get("HTTP_X_SUBJECT_TOKEN")
            owner = self._identity.owner(subject)
            if owner is None:
                return wsgi.error(404, "Could not find token.")
            return wsgi.answer(200, {"token": self._token(owner)})
        if path == "/v3/auth/catalog":
            return wsgi.answer(200, {"catalog": self._catalog()})
        return wsgi.error(404, f"No {path} here.")

    def _versions(self, path: str) -> wsgi.Application:
        version = {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [
                {"rel": "self", "href": self._endpoints["identity"] + "/v3/"}
            ],
            "media-types": [
                {
                    "base": "application/json",
                    "type": "application/vnd.openstack.identity-v3+json",
                }
            ],
        }
        if path:
            return wsgi.answer(200, {"version": version})
        return wsgi.answer(300, {"versions": {"values": [version]}})

    def _create_token(self, request: ty.Any) -> wsgi.Application:
        try:
            granted = self._identity.authenticate(request)
        except (KeyError, TypeError):
            return wsgi.error(400, "Neither a password nor a token.")
        if granted is None:
            return _UNAUTHENTICATED
        token, user = granted
        return wsgi.answer(
            201, {"token": self._token(user)}, ("X-Subject-Token", token)
        )

    def _token(self, user: description.User) -> dict[str, ty.Any]:
        now = datetime.datetime.now(datetime.UTC)
        return {
            "methods": ["password"],
            "user": {
                "id": user.id,
                "name": user.name,
                "domain": _DOMAIN,
                "password_expires_at": None,
            },
            "project": {
                "id": user.project_id,
                "name": user.project,
                "domain": _DOMAIN,
            },
            "is_domain": False,
            "roles": [
                {"id": role, "name": role} for role in sorted(user.roles)
            ],
            "catalog": self._catalog(),
            "issued_at": _timestamp(now),
            "expires_at": _timestamp(now + _LIFETIME),
            "audit_ids": [secrets.token_urlsafe(8)],
        }

    def _catalog(self) -> list[dict[str, ty.Any]]:
        return [
            {
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
            for kind, url in self._endpoints.items()
        ]


def _timestamp(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
