# SPDX-License-Identifier: Apache-2.0
"""The frozen settings made from the options, once they are checked.

``[nfv_mla_collector]`` once, and ``[nfv_mla_authority_NAME]`` for each
authority, with the options of its driver.  No other module of the collector
sees a configuration object.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import pathlib
import re
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.collector.options import AUTHORITIES
from nfv_mla_scheduler.collector.options import AUTHORITY_PREFIX
from nfv_mla_scheduler.collector.options import DRIVER
from nfv_mla_scheduler.collector.options import GROUP
from nfv_mla_scheduler.collector.options import OPTIONS
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.standard.values import Catalogue

AUTHORITIES_MAX = 64

_PATHS = (
    "key_file",
    "key_passphrase_file",
    "results_file",
    "status_file",
    "tls_cert_file",
    "tls_key_file",
    "tls_client_ca_file",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Listen:
    """Where and how to serve over HTTPS."""

    host: str
    port: int
    cert_file: pathlib.Path
    key_file: pathlib.Path
    client_ca_file: pathlib.Path


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The options of ``[nfv_mla_collector]``, checked.

    :ivar authorities: names, each with a group of its own
    :ivar listen: None: no HTTPS
    """

    name: str
    key_file: pathlib.Path
    key_passphrase_file: pathlib.Path | None
    results_file: pathlib.Path
    publish_interval_s: float
    status_file: pathlib.Path | None
    authorities: tuple[str, ...]
    listen: Listen | None


def register(conf: cfg.ConfigOpts) -> None:
    """Register ``[nfv_mla_collector]``; again does no harm."""
    # A copy: what registers a group also keeps its values in it.
    conf.register_group(copy.deepcopy(GROUP))
    conf.register_opts(OPTIONS, group=GROUP.name)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for ``oslo-config-generator``.

    Those of an authority are of the driver ``ear``; others have their own.
    """
    example = cfg.OptGroup(
        f"{AUTHORITY_PREFIX}name",
        title="One authority, by its name in the policy",
        help="""
How to ask the authority called ``name`` in the policy. Each one that
``[nfv_mla_collector] authorities`` names has such a group. The options after
``driver`` are those of ``ear``.
""",
    )
    options = [DRIVER, *loader.driver("ear").OPTIONS]
    return [(GROUP, list(OPTIONS)), (example, options)]


def settings(conf: cfg.ConfigOpts) -> Settings:
    """Return what ``conf`` says, on which :func:`register` was called.

    :raises SettingsError: naming group and option at fault, in one line
    """
    values = {
        option.dest: _value(conf, GROUP.name, option) for option in OPTIONS
    }
    paths = {name: _path(name, values[name]) for name in _PATHS}
    name = values["name"]
    if not name:
        raise _wrong(GROUP.name, "name", "must be set")
    if not re.fullmatch(NAME_PATTERN, name):
        raise _wrong(GROUP.name, "name", f"must match {NAME_PATTERN}", name)
    results_file = paths["results_file"]
    if paths["status_file"] is not None and (
        paths["status_file"] == results_file
    ):
        raise _wrong(GROUP.name, "status_file", "must not be results_file")
    return Settings(
        name=name,
        key_file=_needed("key_file", paths),
        key_passphrase_file=paths["key_passphrase_file"],
        results_file=_needed("results_file", paths),
        publish_interval_s=values["publish_interval_s"],
        status_file=paths["status_file"],
        authorities=authority_names(conf),
        listen=_listen(values["listen"], paths),
    )


def authority_names(conf: cfg.ConfigOpts) -> tuple[str, ...]:
    """Return the names of the authorities to ask.

    :raises SettingsError: when there is none, or one is no name
    """
    names = tuple(_value(conf, GROUP.name, AUTHORITIES))
    for name in names:
        if not re.fullmatch(NAME_PATTERN, name):
            message = f"each must match {NAME_PATTERN}"
            raise _wrong(GROUP.name, "authorities", message, name)
    problem = ""
    if not names:
        problem = "must name one at least"
    elif len(set(names)) != len(names):
        problem = "names one twice"
    elif len(names) > AUTHORITIES_MAX:
        problem = f"names more than {AUTHORITIES_MAX}"
    if problem:
        raise _wrong(GROUP.name, "authorities", problem)
    return names


def authorities(
    conf: cfg.ConfigOpts, catalogue: Catalogue
) -> tuple[Authority, ...]:
    """Return the drivers of all authorities, made from their options.

    Opens no connection.

    :raises SettingsError: naming group and option at fault, in one line
    """
    return tuple(
        _authority(conf, name, catalogue) for name in authority_names(conf)
    )


def _authority(
    conf: cfg.ConfigOpts, name: str, catalogue: Catalogue
) -> Authority:
    group = cfg.OptGroup(f"{AUTHORITY_PREFIX}{name}")
    conf.register_group(group)
    conf.register_opts([DRIVER], group=group)
    named = _value(conf, group.name, DRIVER)
    if not named:
        raise _wrong(group.name, "driver", "must be set")
    try:
        driver = loader.driver(named)
    except SettingsError as exc:
        raise _wrong(group.name, "driver", str(exc)) from None
    conf.register_opts(list(driver.OPTIONS), group=group)
    options = {o.dest: _value(conf, group.name, o) for o in driver.OPTIONS}
    try:
        return driver(Setting(name, options, catalogue))
    except SettingsError as exc:
        said = str(exc)
        if not said.startswith("["):
            said = f"[{group.name}] {said}"
        raise SettingsError(said) from None


def _value(conf: cfg.ConfigOpts, group: str, option: cfg.Opt) -> Any:
    """Return one option's value, its type and bounds checked by oslo."""
    try:
        value = conf[group][option.dest]
    except (cfg.Error, ValueError) as exc:
        said = str(exc).rpartition(" is not valid: ")[2]
        raise _wrong(group, option.name, bounded(said, 160)) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(group, option.name, "must be a finite number", value)
    if option.required and value in (None, "", []):
        raise _wrong(group, option.name, "must be set")
    return value


def _path(name: str, text: str) -> pathlib.Path | None:
    if not text:
        return None
    if not text.startswith("/") or not text.isprintable():
        raise _wrong(GROUP.name, name, "must be an absolute path", text)
    return pathlib.Path(text)


def _needed(
    name: str, paths: dict[str, pathlib.Path | None], why: str = ""
) -> pathlib.Path:
    path = paths[name]
    if path is None:
        raise _wrong(GROUP.name, name, f"must be set{why}")
    return path


def _listen(text: str, paths: dict[str, pathlib.Path | None]) -> Listen | None:
    """Return where to serve; all files are needed for that."""
    if not text:
        return None
    found = re.fullmatch(
        r"(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^\s:\[\]]+):(\d{1,5})", text
    )
    if found is None or int(found[2]) > 65535:
        raise _wrong(GROUP.name, "listen", "must be HOST:PORT", text)
    beside = " beside listen"
    return Listen(
        found[1].strip("[]"),
        int(found[2]),
        _needed("tls_cert_file", paths, beside),
        _needed("tls_key_file", paths, beside),
        _needed("tls_client_ca_file", paths, beside),
    )


def _wrong(
    group: str, name: str, message: str, value: object = ""
) -> SettingsError:
    shown = f" ({bounded(value)!r})" if value != "" else ""
    return SettingsError(f"[{group}] {name}: {message}{shown}")
