# SPDX-License-Identifier: Apache-2.0
"""Checks of private keys that services hold: who else can read them."""

from __future__ import annotations

import pathlib

from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.doctor.access import READ
from nfv_mla_scheduler.doctor.access import ROOT_UID
from nfv_mla_scheduler.doctor.access import Account
from nfv_mla_scheduler.doctor.access import account
from nfv_mla_scheduler.doctor.access import obstacle
from nfv_mla_scheduler.doctor.access import readers
from nfv_mla_scheduler.doctor.asking import driver_options
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.side import Side
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import SettingsError


def secrets(site: Site) -> Verdict:
    """Nobody but the service that needs it can read a private key."""
    found: list[str] = []
    kept_out: list[str] = []
    seen = 0
    for side in site.sides:
        runner = site.runner_of(side)
        for path in sorted(_files(site, side)):
            try:
                found += [f"{path} ({who})" for who in _others(path, runner)]
                blocked = obstacle(runner, path, READ)
            except FileNotFoundError:
                continue  # said where the key is used
            seen += 1
            if blocked is not None:
                kept_out.append(f"{runner.name}: {blocked}")
    if not seen:
        raise Skipped("no option names a private key")
    said = []
    if found:
        said.append(
            failed(
                f"others can read private keys: {some(found)}",
                "give them to the account that needs them, with mode 0600, "
                "and replace those that others have read",
                found,
            )
        )
    if kept_out:
        said.append(
            failed(
                f"cannot be read by who needs it: {some(kept_out)}",
                "give it to that account",
                kept_out,
            )
        )
    return worst(said, f"nobody else can read {count(seen, 'private key')}")


def _others(path: pathlib.Path, runner: Account) -> list[str]:
    """Return who else may read a file."""
    status = path.stat()
    found = [who] if (who := readers(status)) else []
    if status.st_uid not in (ROOT_UID, runner.uid):
        found.append(account(status.st_uid).name)
    return found


def _files(site: Site, side: Side) -> set[pathlib.Path]:
    """Return the files of a service that nobody else may read."""
    if side is site.collector:
        settings = site.collector_settings
        found = {
            settings.key_file,
            settings.key_passphrase_file,
            settings.listen.key_file if settings.listen else None,
        }
        names = settings.authorities
    else:
        ours = side.settings
        embedded = ours.results is ResultsFrom.EMBEDDED
        found = {ours.results_key_file}
        names = tuple(site.contacts.drivers) if embedded else ()
    for name in names:
        try:
            values = driver_options(side, name)
        except SettingsError:
            continue  # said where drivers are looked at
        text = values.get("key_file") or values.get("cert_file")
        found.add(pathlib.Path(text) if text else None)
    found.add(side.settings.audit_key_file)
    return {path for path in found if path is not None}
