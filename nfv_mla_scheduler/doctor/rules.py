# SPDX-License-Identifier: Apache-2.0
"""Rules of Nova's API policy: who may take the ways that skip the filter.

Reads the files that ``[oslo_policy]`` names, by oslo.policy where that is
installed, as it is wherever Nova is.  Names and defaults are those of
nova.policies (Nova 34), in which ``migrate_live:host`` falls back to what
``migrate_live`` is set to.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.doctor.files import ConfigUnreadable
from nfv_mla_scheduler.errors import bounded

ADMIN = "rule:context_is_admin"
IS_ADMIN = "role:admin"
LIVE_MIGRATION = "os_compute_api:os-migrate-server:migrate_live:host"
LIVE_MIGRATION_BEFORE_32 = "os_compute_api:os-migrate-server:migrate_live"
EVACUATION = "os_compute_api:os-evacuate"
FORCED_CREATE = "os_compute_api:servers:create:forced_host"

DEFAULTS = {
    "context_is_admin": IS_ADMIN,
    LIVE_MIGRATION: ADMIN,
    LIVE_MIGRATION_BEFORE_32: ADMIN,
    EVACUATION: ADMIN,
    FORCED_CREATE: ADMIN,
}
# Roles that people have anyway; any other is one that a site gave on purpose.
_ORDINARY = frozenset({"admin", "manager", "member", "reader", "service"})
_DEPTH_MAX = 32
_UNREADABLE = (cfg.Error, ValueError, TypeError)


class Access(enum.Enum):
    """Whom a rule lets."""

    NOBODY = "nobody"
    RESERVED = "reserved"
    OPEN = "open"


Rules = Mapping[str, tuple[Access, str]]
"""Rule -> whom it lets, and how it is written."""


def api_rules(conf: cfg.ConfigOpts) -> Rules:
    """Return the rules of :data:`DEFAULTS` as nova-api has them.

    :raises ConfigUnreadable: when a file of rules cannot be read
    """
    try:
        from oslo_policy import policy
    except ImportError:
        return _by_yaml(conf)
    enforcer = policy.Enforcer(conf)
    enforcer.suppress_deprecation_warnings = True
    enforcer.suppress_default_change_warnings = True
    enforcer.skip_undefined_check = True
    enforcer.register_defaults(_defaults(policy))
    try:
        enforcer.load_rules()
    except (*_UNREADABLE, AttributeError, RecursionError) as exc:
        raise ConfigUnreadable(
            f"the rules of nova-api: {bounded(exc, 160)}"
        ) from None
    except OSError as exc:
        raise ConfigUnreadable(
            f"the rules of nova-api: {exc.filename}: {exc.strerror}"
        ) from None
    return {
        name: (
            _access(enforcer.rules[name], enforcer.rules),
            str(enforcer.rules[name]),
        )
        for name in DEFAULTS
    }


def _defaults(policy: Any) -> list[Any]:
    """Return Nova's defaults of the rules that matter here."""
    before = policy.DeprecatedRule(
        LIVE_MIGRATION_BEFORE_32,
        ADMIN,
        deprecated_reason="Nova splits the rule",
        deprecated_since="32.0.0",
    )
    return [
        policy.RuleDefault(
            name,
            text,
            deprecated_rule=before if name == LIVE_MIGRATION else None,
        )
        for name, text in DEFAULTS.items()
    ]


def _access(check: Any, rules: Mapping[str, Any], depth: int = 0) -> Access:
    """Return whom a check lets, as oslo.policy has parsed it."""
    kind = type(check).__name__
    if depth > _DEPTH_MAX:
        return Access.OPEN
    if kind == "FalseCheck":
        return Access.NOBODY
    if kind in ("AndCheck", "OrCheck"):
        parts = [_access(each, rules, depth + 1) for each in check.rules]
        return _strictest(parts) if kind == "AndCheck" else _loosest(parts)
    if kind == "NotCheck":
        never = type(check.rule).__name__ == "TrueCheck"
        return Access.NOBODY if never else Access.OPEN
    if kind == "RuleCheck" and check.match in rules:
        return _access(rules[check.match], rules, depth + 1)
    if kind == "RoleCheck":
        return _role(check.match)
    return Access.OPEN


_STRICTEST_FIRST = tuple(Access)


def _strictest(parts: list[Access]) -> Access:
    return min(parts, key=_STRICTEST_FIRST.index, default=Access.OPEN)


def _loosest(parts: list[Access]) -> Access:
    return max(parts, key=_STRICTEST_FIRST.index, default=Access.OPEN)


def _role(name: str) -> Access:
    ordinary = name.lower() in _ORDINARY or "%(" in name
    return Access.OPEN if ordinary else Access.RESERVED


def _by_yaml(conf: cfg.ConfigOpts) -> Rules:
    """Do without oslo.policy: only what is closed for all is told apart."""
    import pathlib

    import yaml

    conf.register_opts(
        [
            cfg.StrOpt("policy_file", default="policy.yaml"),
            cfg.MultiStrOpt("policy_dirs", default=["policy.d"]),
        ],
        group="oslo_policy",
    )
    files = []
    for name in (
        conf.oslo_policy.policy_file,
        *conf.oslo_policy.policy_dirs,
    ):
        found = conf.find_file(name)
        path = pathlib.Path(found) if found else None
        if path is not None and path.is_dir():
            inside = [p for p in sorted(path.iterdir()) if p.is_file()]
            files += [p for p in inside if not p.name.startswith(".")]
        elif path is not None:
            files.append(path)
    said: dict[str, object] = {}
    for file in files:
        try:
            with open(file, "rb") as data:
                said.update(yaml.safe_load(data) or {})
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            raise ConfigUnreadable(
                f"the rules of nova-api: {file}: is not a YAML mapping"
            ) from None
    if LIVE_MIGRATION_BEFORE_32 in said:
        said.setdefault(LIVE_MIGRATION, said[LIVE_MIGRATION_BEFORE_32])
    texts = {**DEFAULTS, **said}
    return {
        name: (_by_text(texts[name]), bounded(texts[name]))
        for name in DEFAULTS
    }


def _by_text(text: object) -> Access:
    if text == "!":
        return Access.NOBODY
    kind, _, role = str(text).partition(":")
    if kind == "role" and " " not in role:
        return _role(role)
    return Access.OPEN
