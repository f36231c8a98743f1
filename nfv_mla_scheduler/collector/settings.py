# SPDX-License-Identifier: Apache-2.0
"""The frozen settings made from the options, once they are checked.

``[nfv_mla_collector]`` once, and ``[nfv_mla_authority_NAME]`` for each
authority, with the options of its driver.  No other module of the collector
sees a configuration object.
"""

from __future__ import annotations

import copy
import dataclasses
import pathlib
import re

from oslo_config import cfg

from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.collector.options import AUTHORITIES
from nfv_mla_scheduler.collector.options import AUTHORITY_PREFIX
from nfv_mla_scheduler.collector.options import DRIVER
from nfv_mla_scheduler.collector.options import GROUP
from nfv_mla_scheduler.collector.options import OPTIONS
from nfv_mla_scheduler.conf.reading import Section
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.serving import listening
from nfv_mla_scheduler.serving.server import ServerSettings
from nfv_mla_scheduler.standard.values import Catalogue

AUTHORITIES_MAX = 64
SECTION = Section(GROUP.name)

_PATHS = (
    "key_file",
    "key_passphrase_file",
    "results_file",
    "status_file",
)


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
    listen: ServerSettings | None


def register(conf: cfg.ConfigOpts) -> None:
    """Register ``[nfv_mla_collector]``; again does no harm."""
    # A copy: what registers a group also keeps its values in it.
    conf.register_group(copy.deepcopy(GROUP))
    conf.register_opts(OPTIONS, group=GROUP.name)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for ``oslo-config-generator``.

    Those of an authority are of the drivers that most will use.
    """
    ear = cfg.OptGroup(
        f"{AUTHORITY_PREFIX}name",
        title="One authority, by its name in the policy",
        help="""
How to ask the authority called ``name`` in the policy. Each one that
``[nfv_mla_collector] authorities`` names has such a group. The options after
``driver`` are those of ``ear``.
""",
    )
    keylime = cfg.OptGroup(
        f"{AUTHORITY_PREFIX}keylime",
        title="One authority that is Keylime",
        help="""
How to ask an authority that is called ``keylime`` in the policy. The options
after ``driver`` are those of the driver ``keylime``.
""",
    )
    return [
        (GROUP, list(OPTIONS)),
        *(
            (group, [DRIVER, *loader.driver(name).OPTIONS])
            for name, group in (("ear", ear), ("keylime", keylime))
        ),
    ]


def settings(conf: cfg.ConfigOpts) -> Settings:
    """Return what ``conf`` says, on which :func:`register` was called.

    :raises SettingsError: naming group and option at fault, in one line
    """
    values = {option.dest: SECTION.value(conf, option) for option in OPTIONS}
    paths = {name: SECTION.path(name, values[name]) for name in _PATHS}
    name = values["name"]
    if not name:
        raise SECTION.wrong("name", "must be set")
    if not re.fullmatch(NAME_PATTERN, name):
        raise SECTION.wrong("name", f"must match {NAME_PATTERN}", name)
    results_file = paths["results_file"]
    if paths["status_file"] is not None and (
        paths["status_file"] == results_file
    ):
        raise SECTION.wrong("status_file", "must not be results_file")
    return Settings(
        name=name,
        key_file=_needed("key_file", paths),
        key_passphrase_file=paths["key_passphrase_file"],
        results_file=_needed("results_file", paths),
        publish_interval_s=values["publish_interval_s"],
        status_file=paths["status_file"],
        authorities=authority_names(conf),
        listen=listening.settings(SECTION, values),
    )


def authority_names(conf: cfg.ConfigOpts) -> tuple[str, ...]:
    """Return the names of the authorities to ask.

    :raises SettingsError: when there is none, or one is no name
    """
    names = tuple(SECTION.value(conf, AUTHORITIES))
    for name in names:
        if not re.fullmatch(NAME_PATTERN, name):
            message = f"each must match {NAME_PATTERN}"
            raise SECTION.wrong("authorities", message, name)
    problem = ""
    if not names:
        problem = "must name one at least"
    elif len(set(names)) != len(names):
        problem = "names one twice"
    elif len(names) > AUTHORITIES_MAX:
        problem = f"names more than {AUTHORITIES_MAX}"
    if problem:
        raise SECTION.wrong("authorities", problem)
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


def option_groups(conf: cfg.ConfigOpts) -> list[tuple[str, list[cfg.Opt]]]:
    """Return all options of a collector, by their groups.

    :param conf: with which :func:`authorities` was called
    """
    found: list[tuple[str, list[cfg.Opt]]] = [(GROUP.name, OPTIONS)]
    for name in authority_names(conf):
        group = f"{AUTHORITY_PREFIX}{name}"
        driver = loader.driver(conf[group][DRIVER.dest])
        found.append((group, [DRIVER, *driver.OPTIONS]))
    return found


def _authority(
    conf: cfg.ConfigOpts, name: str, catalogue: Catalogue
) -> Authority:
    group = cfg.OptGroup(f"{AUTHORITY_PREFIX}{name}")
    section = Section(group.name)
    conf.register_group(group)
    conf.register_opts([DRIVER], group=group)
    named = section.value(conf, DRIVER)
    if not named:
        raise section.wrong("driver", "must be set")
    try:
        driver = loader.driver(named)
    except SettingsError as exc:
        raise section.wrong("driver", str(exc)) from None
    conf.register_opts(list(driver.OPTIONS), group=group)
    options = {o.dest: section.value(conf, o) for o in driver.OPTIONS}
    try:
        return driver(Setting(name, options, catalogue))
    except SettingsError as exc:
        said = str(exc)
        if not said.startswith("["):
            said = f"[{group.name}] {said}"
        raise SettingsError(said) from None


def _needed(name: str, paths: dict[str, pathlib.Path | None]) -> pathlib.Path:
    path = paths[name]
    if path is None:
        raise SECTION.wrong(name, "must be set")
    return path
