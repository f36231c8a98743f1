# SPDX-License-Identifier: Apache-2.0
"""Checks of our own options: can they be read, and is any of them ignored."""

from __future__ import annotations

import difflib
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.collector import options as collector_options
from nfv_mla_scheduler.doctor import files
from nfv_mla_scheduler.doctor.access import READ
from nfv_mla_scheduler.doctor.access import obstacle
from nfv_mla_scheduler.doctor.asking import driver_options
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.side import Side
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import SettingsError

OURS = options.GROUP.name
COLLECTORS = collector_options.GROUP.name
AUTHORITY = collector_options.AUTHORITY_PREFIX
_ALIKE = 0.85


def valid(site: Site) -> Verdict:
    """``[nfv_mla]`` is there and can be used."""
    found = []
    for side in site.sides:
        try:
            options.settings(side.conf)
        except SettingsError as exc:
            found.append(
                failed(
                    f"{side.what}: {exc}",
                    "correct the option; until then servers that ask are "
                    "refused",
                )
            )
        if OURS not in side.sections:
            found.append(
                failed(
                    f"{side.what}: has no section [{OURS}]",
                    f"add [{OURS}] with policy_file, officer_keys and what "
                    "else the installation guide names",
                )
            )
    set_ = sum(len(side.sections.get(OURS, ())) for side in site.sides)
    return worst(found, f"[{OURS}] is valid, with {count(set_, 'option')} set")


def ignored(site: Site) -> Verdict:
    """No option of ours is misspelt, in a wrong section, or set twice."""
    unknown: list[str] = []
    twice: list[str] = []
    for side in site.sides:
        unknown += _unknown_sections(side)
        for section, names in side.sections.items():
            known = _known(side, section)
            if known is None:
                continue
            for name, times in names.items():
                if name not in known:
                    near = difflib.get_close_matches(name, known, 1)
                    meant = f" (for {near[0]}?)" if near else ""
                    unknown.append(f"[{section}] {name}{meant}")
                elif times > 1:
                    twice.append(f"[{section}] {name}")
    found = []
    if unknown:
        found.append(
            failed(
                f"{count(len(unknown), 'name')} that nothing reads: "
                f"{some(unknown)}",
                "correct or remove them: oslo.config ignores what it does "
                "not know",
                unknown,
            )
        )
    if twice:
        found.append(
            warning(
                f"set more than once: {some(twice)}",
                "keep one of them: the last one counts",
                twice,
            )
        )
    return worst(found, "every option in our sections is one that we read")


def _unknown_sections(side: Side) -> Iterator[str]:
    ours = {OURS, COLLECTORS, *_authority_sections(side)}
    for section in side.sections:
        if section in ours:
            continue
        plain = section.replace("-", "_").replace(" ", "_")
        near = difflib.get_close_matches(plain, ours, 1, _ALIKE)
        if near or plain.startswith(OURS):
            meant = f" (for [{near[0]}]?)" if near else ""
            yield f"section [{section}]{meant}"


def _authority_sections(side: Side) -> Iterator[str]:
    """Yield the sections of the authorities that are asked."""
    conf = _own_conf(side)
    conf.register_opt(collector_options.AUTHORITIES, group=COLLECTORS)
    for name in conf[COLLECTORS].authorities:
        yield f"{AUTHORITY}{name}".lower()


def _known(side: Side, section: str) -> list[str] | None:
    """Return the options of a section of ours; None: it is not ours."""
    found: Iterable[cfg.Opt] = ()
    if section == OURS:
        ((_, found),) = options.list_opts()
    elif section == COLLECTORS:
        found = collector_options.OPTIONS
    elif section.startswith(AUTHORITY):
        conf = _own_conf(side)
        conf.register_opt(collector_options.DRIVER, group=section)
        try:
            driver = loader.driver(conf[section].driver)
            found = [collector_options.DRIVER, *driver.OPTIONS]
        except SettingsError:
            return None  # said by collector.drivers
    else:
        return None
    return [option.dest for option in found]


def _own_conf(side: Side) -> cfg.ConfigOpts:
    """Return options of which nobody has registered any yet."""
    return files.load(side.paths, "")


def readable(site: Site) -> Verdict:
    """Whoever runs a service can read what its options name."""
    kept_out: dict[str, None] = {}
    seen = 0
    for side in site.sides:
        runner = site.runner_of(side)
        for path in sorted(_named(site, side)):
            try:
                found = obstacle(runner, path, READ)
            except FileNotFoundError:
                continue  # said where the file is looked at
            seen += 1
            if found is not None:
                kept_out[f"{runner.name}: {found}"] = None
    if not kept_out:
        return ok(f"{count(seen, 'file')} that options name can be read")
    return failed(
        f"cannot be read by who runs the service: {some(kept_out)}",
        "let the account read that file, or search that directory",
        kept_out,
    )


def _named(site: Site, side: Side) -> set[pathlib.Path]:
    """Return what a service has to read; its private keys not among it."""
    settings = side.settings
    found = {
        settings.policy_file,
        settings.break_glass_dir,
        settings.results_file,
        settings.results_ca_file,
        settings.results_cert_file,
        *settings.officer_keys,
    }
    names = site.contacts.drivers if side is _asker(site) else ()
    for name in names:
        try:
            values = driver_options(side, name)
        except SettingsError:
            continue  # said where drivers are looked at
        for option, value in values.items():
            if option.endswith("_file") and option != "key_file" and value:
                found.add(pathlib.Path(value))
    return {path for path in found if path is not None}


def _asker(site: Site) -> Side | None:
    """Return who asks authorities, if anybody here does."""
    try:
        return site.asker
    except Skipped:
        return None
