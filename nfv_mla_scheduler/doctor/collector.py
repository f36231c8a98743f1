# SPDX-License-Identifier: Apache-2.0
"""Checks of a collector's configuration: options, keys, drivers, files."""

from __future__ import annotations

import os

from nfv_mla_scheduler.collector import settings as options
from nfv_mla_scheduler.collector.parts import PASSPHRASE
from nfv_mla_scheduler.collector.parts import why_not
from nfv_mla_scheduler.doctor.access import SEARCH
from nfv_mla_scheduler.doctor.access import WRITE
from nfv_mla_scheduler.doctor.access import obstacle
from nfv_mla_scheduler.doctor.asking import Drivers
from nfv_mla_scheduler.doctor.asking import driver_options
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.root import PEM_MAX


def valid(site: Site) -> Verdict:
    """``[nfv_mla_collector]`` can be used."""
    conf = site.collector.conf
    options.register(conf)
    found = []
    try:
        options.settings(conf)
    except SettingsError as exc:
        found.append(failed(str(exc), "correct the option"))
    if "state_dir" not in site.collector.sections.get("nfv_mla", {}):
        found.append(
            failed(
                "[nfv_mla] state_dir is not set: the collector does not start",
                "set it to a directory of the collector's own",
            )
        )
    set_ = site.collector.sections.get("nfv_mla_collector", {})
    return worst(
        found,
        f"[nfv_mla_collector] is valid, with {count(len(set_), 'option')} set",
    )


def key(site: Site) -> Verdict:
    """The signing key is the one that the policy has for this collector."""
    settings = site.collector_settings
    try:
        signer = read_signer(settings.key_file, lambda _: _passphrase(site))
    except KeyFileError as exc:
        return failed(
            str(exc), "nothing is published without it; put the key there"
        )
    why = why_not(site.collector.policy, settings.name, signer)
    if why:
        return failed(
            f"{why}: its documents are refused",
            "put the collector's name and public key into the policy, or the "
            "right key into key_file",
        )
    return ok(f"the policy has the key of collector {settings.name}")


def _passphrase(site: Site) -> bytes:
    """Return the passphrase of the signing key.

    :raises Skipped: when it is not to be had here
    """
    path = site.collector_settings.key_passphrase_file
    if path is not None:
        try:
            with open(path, "rb") as file:
                return file.read(PEM_MAX).split(b"\n", 1)[0]
        except OSError as exc:
            raise KeyFileError(f"{path}: {exc.strerror}") from None
    found = os.environb.get(PASSPHRASE.encode())
    if found is None:
        raise Skipped(
            f"the key is encrypted, and {PASSPHRASE} is not set here"
        )
    return found


def files(site: Site) -> Verdict:
    """The collector can write what it publishes."""
    settings, runner = site.collector_settings, site.runner_of(site.collector)
    found = []
    for path in (settings.results_file, settings.status_file):
        if path is None:
            continue
        if not path.parent.is_dir():
            found.append(failed(f"{path.parent} is not there", "make it"))
            continue
        blocked = obstacle(runner, path.parent, WRITE | SEARCH)
        if blocked is not None:
            found.append(
                failed(
                    f"account {runner.name} cannot write to {blocked}",
                    f"give the directory to {runner.name}",
                )
            )
    return worst(
        found, f"account {runner.name} can write {settings.results_file}"
    )


def scope(site: Site) -> Verdict:
    """It asks the authorities that the policy lets it speak for."""
    settings, policy = site.collector_settings, site.collector.policy
    me = policy.collectors.get(settings.name)
    if me is None:
        return failed(
            f"the policy names no collector {settings.name}",
            "put its name and public key into the policy",
        )
    asked = set(settings.authorities)
    found = []
    for name in sorted(asked - me.authorities):
        known = name in policy.authorities
        found.append(
            failed(
                f"{name} is not asked: the policy "
                + ("does not let it speak for it" if known else "has no such"),
                "name it in the collector's authorities in the policy, or "
                "take it out of [nfv_mla_collector] authorities",
            )
        )
    missing = sorted(me.authorities - asked)
    if missing:
        found.append(
            warning(
                f"no option says how to ask {some(missing)}",
                "add it to [nfv_mla_collector] authorities, with a group of "
                "its own",
                missing,
            )
        )
    return worst(found, f"asks {some(sorted(asked))}")


def drivers(site: Site) -> Verdict:
    """The drivers load, and have what they need."""
    return judge_drivers(site.contacts.drivers)


def judge_drivers(found: Drivers) -> Verdict:
    """Say which drivers cannot be used, and which only for development."""
    said = []
    for name, driver in sorted(found.items()):
        if isinstance(driver, SettingsError):
            said.append(
                failed(
                    str(driver), "correct the option, or put the file there"
                )
            )
        elif driver.NOTICE:
            said.append(
                warning(
                    f"{name}: {driver.NOTICE}",
                    "use another driver where it matters",
                )
            )
    return worst(said, f"{count(len(found), 'driver')}: {some(sorted(found))}")


def cadence(site: Site) -> Verdict:
    """No authority may take longer to answer than it is asked."""
    settings, side = site.collector_settings, site.collector
    policy, status = side.policy, site.contacts.live_status
    found, well = [], []
    for name in settings.authorities:
        authority = policy.authorities.get(name)
        if authority is None:
            continue  # said by collector.scope
        try:
            values = driver_options(side, name)
        except SettingsError:
            continue  # said by collector.drivers
        timeout, whole = (
            values.get("timeout_s"),
            values.get("collection_timeout_s"),
        )
        well.append(f"{name} {authority.cadence_s} s")
        advice = "lower the option, or raise the cadence in the policy"
        if timeout and timeout > authority.cadence_s:
            found.append(
                warning(
                    f"{name}: timeout_s is {timeout:g}, its cadence "
                    f"{authority.cadence_s} s",
                    advice,
                )
            )
        if whole and whole > authority.max_age_s:
            found.append(
                warning(
                    f"{name}: collection_timeout_s is {whole:g}, and results "
                    f"live {authority.max_age_s} s",
                    advice,
                )
            )
        told = status.authorities.get(name) if status else None
        if told and told.last_poll_s > authority.cadence_s:
            found.append(
                warning(
                    f"{name}: took {told.last_poll_s:.0f} s to answer, its "
                    f"cadence is {authority.cadence_s} s",
                    "raise the cadence, or see why it takes so long",
                )
            )
    return worst(found, f"cadences: {some(well, 4)}")


def policy(site: Site) -> Verdict:
    """Scheduler and collector go by the same policy."""
    for side in (site.scheduler, site.collector):
        if not side.paths:
            raise Skipped(f"no configuration of the {side.what} is given")
    theirs, its = site.scheduler.policy, site.collector.policy
    if theirs.digest == its.digest:
        return ok(f"both go by version {its.version}")
    return warning(
        f"the scheduler goes by version {theirs.version}, the collector by "
        f"{its.version}",
        "put the same policy in both places",
    )
