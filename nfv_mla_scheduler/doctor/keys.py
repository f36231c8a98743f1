# SPDX-License-Identifier: Apache-2.0
"""Checks of keys: whose signatures count, and where private keys lie."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nfv_mla_scheduler.doctor.access import writers
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.side import Unreadable
from nfv_mla_scheduler.doctor.side import read
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.policy.root import PEM_MAX
from nfv_mla_scheduler.policy.root import is_taken
from nfv_mla_scheduler.policy.root import key_id
from nfv_mla_scheduler.policy.root import read_public_key
from nfv_mla_scheduler.policy.root import short

FILES_MAX = 2000


def officers(site: Site) -> Verdict:
    """The officers' public keys can be read and make a root of trust."""
    settings = site.main.settings
    if not settings.officer_keys:
        return failed(
            "officer_keys is not set: nobody's signature counts",
            "set officer_keys to the officers' public keys",
        )
    try:
        root = read_root(settings.officer_keys, settings.officer_threshold)
    except NfvMlaError as exc:
        return failed(
            f"{exc}; servers that ask are refused",
            "put each officer's own public key there, and restart",
        )
    ids = ", ".join(short(key.keyid) for key in root.keys)
    return ok(f"{count(len(root.keys), 'key')}: {ids}")


def threshold(site: Site) -> Verdict:
    """More than one officer has to sign."""
    settings = site.main.settings
    needed, keys = settings.officer_threshold, len(settings.officer_keys)
    if not keys:
        raise Skipped("officer_keys is not set")
    if needed == 1:
        return warning(
            "one officer alone can change every rule",
            "set officer_threshold to 2 or more",
        )
    return ok(f"{needed} of {count(keys, 'officer')} have to sign")


def guarded(site: Site) -> Verdict:
    """Only root can change the officers' keys, and the options' files.

    Those may also belong to the account of the service.
    """
    paths = site.main.settings.officer_keys
    if not paths:
        raise Skipped("officer_keys is not set")
    root = frozenset({site.inputs.administrator})
    own = root
    with contextlib.suppress(Skipped):
        own |= {site.runner_of(site.main).uid}
    found: dict[str, None] = {}
    for path in (*paths, *site.main.paths):
        try:
            for where, who in writers(path, root if path in paths else own):
                found[f"{where} ({who})"] = None
        except FileNotFoundError:
            continue  # said by keys.officers
    if not found:
        return ok("only root can change the officers' keys")
    return failed(
        f"others can change the root of trust: {some(found)}",
        "give these to root, writable by root alone: who can change them "
        "decides everything",
        found,
    )


def collectors(site: Site) -> Verdict:
    """Each collector has a key of its own, which no officer has."""
    policy = site.policy
    if not policy.collectors:
        return failed(
            "the policy names no collector: nobody's results count",
            "add the collector and its public key to the policy",
        )
    officers_ = {key.keyid for key in site.main.root.keys}
    bad, same = [], []
    for name, collector in sorted(policy.collectors.items()):
        try:
            key = read_public_key(collector.public_key.encode(), name)
        except KeyFileError as exc:
            bad.append(str(exc))
            continue
        if key.keyid in officers_:
            same.append(name)
    found = []
    if bad:
        found.append(failed(some(bad), "sign a policy with a good key", bad))
    if same:
        found.append(
            failed(
                f"{some(same)}: signs results with an officer's key, which "
                "has to lie on the collector's machine for that",
                "make a key for the collector alone, and one for the officer",
                same,
            )
        )
    heard = frozenset().union(
        *(one.authorities for one in policy.collectors.values())
    )
    mute = sorted(policy.authorities.keys() - heard)
    if mute:
        found.append(
            warning(
                f"no collector may speak for {some(mute)}",
                "name the authority in a collector of the policy",
                mute,
            )
        )
    names = some(sorted(policy.collectors))
    return worst(
        found, f"{count(len(policy.collectors), 'collector')}: {names}"
    )


def private(site: Site) -> Verdict:
    """No officer's private key lies beside what the options name."""
    settings = site.main.settings
    beside = [settings.policy_file, *settings.officer_keys]
    directories = {path.parent for path in beside if path is not None}
    if settings.break_glass_dir is not None:
        directories.add(settings.break_glass_dir)
    theirs = {key.keyid for key in site.main.root.keys}
    found, unknown = [], []
    for path, keyid in _private_keys(sorted(directories)):
        if keyid is None:
            unknown.append(str(path))
        elif keyid in theirs:
            found.append(str(path))
    said = []
    if found:
        said.append(
            failed(
                f"officers' private keys lie here: {some(found)}",
                "move them to the officers and make new ones: who had a look "
                "here can sign any policy",
                found,
            )
        )
    if unknown:
        said.append(
            warning(
                f"encrypted private keys lie here: {some(unknown)}",
                "see whose they are; an officer's belongs on no controller",
                unknown,
            )
        )
    return worst(
        said, "no officer's private key lies beside the options' files"
    )


def _private_keys(
    directories: list[pathlib.Path],
) -> Iterator[tuple[pathlib.Path, str | None]]:
    """Yield private keys, and whose they are; None: that cannot be told."""
    for directory in directories:
        try:
            names = sorted(os.listdir(directory))[:FILES_MAX]
        except OSError:
            continue  # said where the file in it is looked at
        for name in names:
            path = directory / name
            try:
                if not path.is_file() or path.stat().st_size > PEM_MAX:
                    continue
                pem = read(path, PEM_MAX)
            except (OSError, Unreadable):
                continue  # whoever looks may not read it: so it is guarded
            if b"PRIVATE KEY-----" in pem:
                yield path, _whose(pem)


def _whose(pem: bytes) -> str | None:
    """Return the id of a private key's public one; empty: of another kind."""
    if b"ENCRYPTED" in pem:
        return None
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ""
    return key_id(key.public_key()) if is_taken(key) else ""
