# SPDX-License-Identifier: Apache-2.0
"""What a collector is made from: options, keys and drivers, checked.

Touches files to read them, and nothing else.
"""

from __future__ import annotations

import dataclasses
import os

from oslo_config import cfg
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler import startup
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.collector import settings as own
from nfv_mla_scheduler.collector.app import Refresh
from nfv_mla_scheduler.collector.app import Status
from nfv_mla_scheduler.collector.loop import tasks
from nfv_mla_scheduler.collector.options import AUTHORITY_PREFIX
from nfv_mla_scheduler.collector.rivals import Rivals
from nfv_mla_scheduler.collector.rivals import shares
from nfv_mla_scheduler.collector.server import new_server
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.root import PEM_MAX
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings
from nfv_mla_scheduler.standard import catalogue as catalogues
from nfv_mla_scheduler.standard.values import Catalogue

PASSPHRASE = "NFV_MLA_PASSPHRASE"  # noqa: S105  a name, not a secret


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """What a collector is made from: options, keys and drivers, checked."""

    settings: own.Settings
    common: common.Settings
    catalogue: Catalogue
    root: Root
    signer: CryptoSigner
    authorities: tuple[Authority, ...]


def read(conf: cfg.ConfigOpts) -> Parts:
    """Read everything; opens no connection, and writes nothing.

    :param conf: on which the options of both groups are registered
    :raises NfvMlaError: in one line, naming the option or the file
    """
    settings, shared = own.settings(conf), common.settings(conf)
    catalogue = catalogues.load()
    return Parts(
        settings,
        shared,
        catalogue,
        startup.root(conf, shared, "collector"),
        _signer(settings),
        own.authorities(conf, catalogue),
    )


def _signer(settings: own.Settings) -> CryptoSigner:
    path = settings.key_passphrase_file

    def passphrase(prompt: str) -> bytes:
        if path is None:
            found = os.environb.get(PASSPHRASE.encode())
            if found is None:
                raise KeyFileError(
                    f"{settings.key_file}: is encrypted; set "
                    f"key_passphrase_file, or {PASSPHRASE} in the environment"
                )
            return found
        try:
            with open(path, "rb") as file:
                return file.read(PEM_MAX).split(b"\n", 1)[0]
        except OSError as exc:
            raise KeyFileError(f"{path}: {exc.strerror}") from None

    try:
        return read_signer(settings.key_file, passphrase)
    except KeyFileError as exc:
        raise own.SECTION.wrong("key_file", str(exc)) from None


def check(parts: Parts) -> tuple[str, ...]:
    """Look at what is only used later: TLS, and what the policy says of us.

    Touches no state.

    :returns: what is odd, and no error
    :raises NfvMlaError: for what would keep results from being published
    """
    make_server(parts.settings.listen, Shelf(), dict, lambda *_: False)
    path = parts.common.policy_file
    policy = startup.policy(parts.common, parts.root, parts.catalogue)
    why = why_not(policy, parts.settings.name, parts.signer)
    if why:
        raise SettingsError(f"{path}: {why}")
    _check_rivals(parts.authorities)
    wanted = tasks(policy, parts.settings.name, parts.common.max_skew_s)
    asked = {authority.name for authority in parts.authorities}
    return (
        *(
            f"{name}: the policy wants it asked, and no option says how"
            for name in sorted(wanted.keys() - asked)
        ),
        *(
            f"{name}: is not asked, since the policy does not let collector "
            f"{parts.settings.name} speak for it"
            for name in sorted(asked - wanted.keys())
        ),
    )


def _check_rivals(authorities: tuple[Authority, ...]) -> None:
    rivals = Rivals(authorities)
    for authority in authorities:
        rival = rivals.rival(authority.name, None)
        if rival:
            raise SettingsError(
                f"[{AUTHORITY_PREFIX}{authority.name}] {shares(rival)}"
            )


def why_not(policy: Policy | None, name: str, signer: CryptoSigner) -> str:
    """Return why a collector may not publish anything; empty: it may."""
    if policy is None:
        return "there is no policy"
    me = policy.collectors.get(name)
    if me is None:
        return f"the policy names no collector {name}"
    key = signature.public_key(me.public_key)
    if key is None or key.keyid != signer.public_key.keyid:
        return f"the policy has another key for collector {name}"
    return ""


def make_server(
    listen: ServerSettings | None,
    shelf: Shelf,
    status: Status,
    refresh: Refresh,
) -> Server | None:
    """Return a server that does not listen yet; None: none is wanted.

    :raises SettingsError: when files of TLS cannot be used
    """
    if listen is None:
        return None
    try:
        return new_server(listen, shelf, status, refresh)
    except SettingsError as exc:
        raise own.SECTION.wrong("listen", str(exc)) from None
