# SPDX-License-Identifier: Apache-2.0
"""The frozen settings made from the options of ``[monitor]``, checked.

Touches nothing.  Files that options name are read by ``parts.py``.
"""

from __future__ import annotations

import copy
import dataclasses
import pathlib
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.conf.reading import Section
from nfv_mla_scheduler.monitor.cloud import session
from nfv_mla_scheduler.monitor.options.group import GROUP
from nfv_mla_scheduler.monitor.options.group import OPTIONS
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.serving import listening
from nfv_mla_scheduler.serving.server import ServerSettings

KEYS_MAX = 16
WORDS_MAX = 64
SECTION = Section(GROUP.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The options of ``[monitor]``, checked.

    :ivar mark_key_files: the first makes marks, each of them verifies
    :ivar power_off: words of a command; empty: there is none
    :ivar deadlines_s: step -> by when its effect has to show
    :ivar status_file: None: a file in ``state_dir``
    :ivar listen: None: no HTTPS
    """

    act: Arming
    traits: bool
    mark_key_files: tuple[pathlib.Path, ...]
    power_off: tuple[str, ...]
    power_status: tuple[str, ...]
    power_timeout_s: float
    interval_s: float
    full_listing_s: float
    overlap_s: float
    picture_max_age_s: float
    request_timeout_s: float
    workers: int
    deadlines_s: dict[Step, float]
    status_file: pathlib.Path | None
    listen: ServerSettings | None


def register(conf: cfg.ConfigOpts) -> None:
    """Register ``[monitor]``, with what it takes to reach Nova."""
    # A copy: what registers a group also keeps its values in it.
    conf.register_group(copy.deepcopy(GROUP))
    conf.register_opts(OPTIONS, group=GROUP.name)
    session.register(conf)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for ``oslo-config-generator``.

    All are in one group: ours, and then the credentials for Nova.
    """
    reaching = [o for _, options in session.list_opts() for o in options]
    return [(GROUP, [*OPTIONS, *reaching])]


def settings(conf: cfg.ConfigOpts) -> Settings:
    """Return what ``conf`` says, on which :func:`register` was called.

    :raises SettingsError: naming group and option at fault, in one line
    """
    values = {option.dest: SECTION.value(conf, option) for option in OPTIONS}
    act = Arming(values["act"])
    _check_times(values)
    return Settings(
        act=act,
        traits=values["traits"],
        mark_key_files=_keys(values["mark_key_files"], act),
        power_off=_command("power_off_command", values),
        power_status=_power_status(values),
        power_timeout_s=values["power_command_timeout_s"],
        interval_s=values["interval_s"],
        full_listing_s=values["full_listing_s"],
        overlap_s=values["overlap_s"],
        picture_max_age_s=values["picture_max_age_s"],
        request_timeout_s=values["request_timeout_s"],
        workers=values["workers"],
        deadlines_s=_deadlines_s(values),
        status_file=SECTION.path("status_file", values["status_file"]),
        listen=listening.settings(SECTION, values, anybody=True),
    )


def _deadlines_s(values: dict[str, Any]) -> dict[Step, float]:
    rebuild_s = values["rebuild_deadline_s"]
    return {
        Step.LIVE_MIGRATE: values["live_migrate_deadline_s"],
        Step.COLD_MIGRATE: values["cold_migrate_deadline_s"],
        Step.STOP: values["stop_deadline_s"],
        Step.POWER_OFF: values["power_off_deadline_s"],
        Step.EVACUATE: rebuild_s,
        Step.REBUILD_ELSEWHERE: rebuild_s,
    }


def _check_times(values: dict[str, Any]) -> None:
    for name, at_least in (
        ("full_listing_s", "overlap_s"),
        ("picture_max_age_s", "interval_s"),
    ):
        if values[name] < values[at_least]:
            message = f"must not be smaller than {at_least}"
            raise SECTION.wrong(name, message, values[name])


def _keys(texts: list[str], act: Arming) -> tuple[pathlib.Path, ...]:
    keys = [SECTION.path("mark_key_files", text) for text in texts]
    found = tuple(path for path in keys if path is not None)
    if not found and act is not Arming.NONE:
        raise SECTION.wrong(
            "mark_key_files", f"must be set with act = {act.value}"
        )
    if len(set(found)) != len(found):
        raise SECTION.wrong("mark_key_files", "names a file twice")
    if len(found) > KEYS_MAX:
        raise SECTION.wrong("mark_key_files", f"names more than {KEYS_MAX}")
    return found


def _power_status(values: dict[str, Any]) -> tuple[str, ...]:
    """Return the words; without them nothing would follow a power-off."""
    words = _command("power_status_command", values)
    if values["power_off_command"] and not words:
        raise SECTION.wrong(
            "power_status_command",
            "must be set beside power_off_command",
        )
    if words and not values["power_off_command"]:
        raise SECTION.wrong(
            "power_off_command",
            "must be set beside power_status_command",
        )
    return words


def _command(name: str, values: dict[str, Any]) -> tuple[str, ...]:
    words = tuple(values[name])
    if not words:
        return ()
    if not words[0].startswith("/"):
        message = "must begin with an absolute path"
        raise SECTION.wrong(name, message, words[0])
    if len(words) > WORDS_MAX or not all(w.isprintable() for w in words):
        message = f"must be at most {WORDS_MAX} printable words"
        raise SECTION.wrong(name, message)
    if not any("{host}" in w or "{uuid}" in w for w in words[1:]):
        raise SECTION.wrong(name, "must name the host by {host} or {uuid}")
    return words
