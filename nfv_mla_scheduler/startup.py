# SPDX-License-Identifier: Apache-2.0
"""What a service needs of ``[nfv_mla]`` before it starts, looked at.

Touches files to read them, and nothing else.
"""

from __future__ import annotations

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.conf.reading import Section
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed.policy_file import POLICY_BYTES_MAX
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.policy.acceptance import read_signed
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.values import Catalogue

_SECTION = Section(common.GROUP.name)


def root(
    conf: cfg.ConfigOpts, settings: common.Settings, service: str
) -> Root:
    """Return whose signatures count for a service.

    It has a policy, and keeps what it remembers of it in a place of its own.

    :param settings: made from ``conf``
    :param service: what people call it
    :raises NfvMlaError: naming the option or the key at fault
    """
    if settings.policy_file is None:
        raise _SECTION.wrong("policy_file", "must be set")
    check_state_dir(conf, service)
    return read_root(settings.officer_keys, settings.officer_threshold)


def check_state_dir(conf: cfg.ConfigOpts, service: str) -> None:
    """Refuse the default, which is nova-scheduler's.

    :param service: what people call it
    :raises SettingsError: when ``state_dir`` is not set
    """
    found = conf.get_location("state_dir", _SECTION.name)
    if found is None or found.location is cfg.Locations.opt_default:
        raise _SECTION.wrong(
            "state_dir",
            f"must be set, to a directory of the {service}'s own and not "
            "that of nova-scheduler",
        )


def policy(
    settings: common.Settings, signers: Root, catalogue: Catalogue
) -> Policy:
    """Return the policy as its file is now; nothing is remembered of it.

    :raises NfvMlaError: when it cannot be read, or may not be in force
    """
    path = settings.policy_file
    assert path is not None
    try:
        data = WatchedFile(path, POLICY_BYTES_MAX).changed() or b""
    except Unread as exc:
        raise SettingsError(f"{path}: {exc.reason}") from None
    return read_signed(data, signers, catalogue)
