# SPDX-License-Identifier: Apache-2.0
"""The frozen settings made from the options, once they are checked."""

from __future__ import annotations

import copy
import dataclasses
import pathlib
import re
import urllib.parse
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.conf import audit
from nfv_mla_scheduler.conf import policy
from nfv_mla_scheduler.conf import results
from nfv_mla_scheduler.conf import scheduler
from nfv_mla_scheduler.conf.policy import WithoutPolicy
from nfv_mla_scheduler.conf.reading import Section
from nfv_mla_scheduler.conf.results import ResultsFrom
from nfv_mla_scheduler.model import NAME_PATTERN

GROUP = cfg.OptGroup(
    "nfv_mla",
    title="Attested placement (ETSI GR NFV-SEC 009)",
    help="""
Which hosts may take servers that ask for attested hosts is said by a policy
that security officers sign, and known from results that a collector signs.
These options say where both are, and how this process reads them. They are
read when the process starts.
""",
)

_SECTION = Section(GROUP.name)
_OPTIONS: list[cfg.Opt] = [
    *policy.OPTIONS,
    *results.OPTIONS,
    *scheduler.OPTIONS,
    *audit.OPTIONS,
]
_PATHS = (
    "policy_file",
    "break_glass_dir",
    "results_file",
    "results_ca_file",
    "results_cert_file",
    "results_key_file",
    "audit_dir",
    "audit_key_file",
    "monitor_status_file",
)
# What each place that results may come from needs.  A file may be missing in
# the configuration: then there are no results.
_NEEDED = {
    ResultsFrom.FILE: (),
    ResultsFrom.HTTPS: (
        "results_url",
        "results_ca_file",
        "results_cert_file",
        "results_key_file",
    ),
    ResultsFrom.EMBEDDED: (),
}
_OF_ONE = {
    "results_file": ResultsFrom.FILE,
    **dict.fromkeys(_NEEDED[ResultsFrom.HTTPS], ResultsFrom.HTTPS),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The options, checked; ``None`` for a path or URL that is not set."""

    policy_file: pathlib.Path | None
    break_glass_dir: pathlib.Path | None
    officer_keys: tuple[pathlib.Path, ...]
    officer_threshold: int
    state_dir: pathlib.Path
    without_policy: WithoutPolicy
    results: ResultsFrom
    results_file: pathlib.Path | None
    results_url: str | None
    results_ca_file: pathlib.Path | None
    results_cert_file: pathlib.Path | None
    results_key_file: pathlib.Path | None
    results_max_bytes: int
    refresh_interval_s: float
    first_load_timeout_s: float
    max_skew_s: float
    boot_max_age_s: float
    management_domain: str
    assurance_weight_multiplier: float
    scarcity_weight_multiplier: float
    decision_cache_size: int
    monitor_status_file: pathlib.Path | None
    follow_room_max_age_s: float
    audit_dir: pathlib.Path | None
    audit_key_file: pathlib.Path | None
    audit_checkpoint_interval_s: float
    audit_segment_mib: int
    audit_seal_interval_s: float
    audit_queue_size: int


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of ``[nfv_mla]``; again does no harm."""
    # A copy: what registers a group also keeps its values in it.
    conf.register_group(copy.deepcopy(GROUP))
    conf.register_opts(_OPTIONS, group=GROUP.name)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for ``oslo-config-generator``."""
    return [(GROUP, list(_OPTIONS))]


def settings(conf: cfg.ConfigOpts) -> Settings:
    """Return what ``conf`` says, on which :func:`register` was called.

    :raises SettingsError: naming the option at fault, in one line
    """
    values = {option.dest: _SECTION.value(conf, option) for option in _OPTIONS}
    for name in _PATHS:
        values[name] = _SECTION.path(name, values[name])
    state_dir = _SECTION.path("state_dir", values["state_dir"])
    if state_dir is None:
        raise _SECTION.wrong("state_dir", "must be set")
    domain = values["management_domain"]
    if domain and not re.fullmatch(NAME_PATTERN, domain):
        raise _SECTION.wrong(
            "management_domain", f"must match {NAME_PATTERN}", domain
        )
    values |= {
        "state_dir": state_dir,
        "officer_keys": _keys(values),
        "without_policy": WithoutPolicy(values["without_policy"]),
        "results_url": _url(values["results_url"]),
        "results": ResultsFrom(values["results"]),
        "boot_max_age_s": float(values["boot_max_age_s"]),
    }
    _check_results(values)
    _check_audit(values)
    return Settings(**values)


def _url(text: str) -> str | None:
    """Return the URL of the results document."""
    if not text:
        return None
    try:
        parts = urllib.parse.urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    else:
        named = named and parts.scheme == "https"
        named = named and re.fullmatch("[!-~]+", text) is not None
    if not named or parts.username is not None or parts.fragment:
        raise _SECTION.wrong(
            "results_url", "must be https://HOST:PORT/PATH", text
        )
    if parts.path in ("", "/"):
        raise _SECTION.wrong(
            "results_url",
            "must name the document, which a collector has at /v1/results",
            text,
        )
    return text


def _check_results(values: dict[str, Any]) -> None:
    """Refuse what is missing, and what would have no effect."""
    chosen = values["results"]
    for name in _NEEDED[chosen]:
        if values[name] is None:
            raise _SECTION.wrong(
                name, f"must be set with results = {chosen.value}"
            )
    for name, needed_by in _OF_ONE.items():
        if values[name] is not None and chosen is not needed_by:
            raise _SECTION.wrong(
                name,
                f"is for results = {needed_by.value}, and results is "
                f"{chosen.value}: remove one of them",
            )


def _check_audit(values: dict[str, Any]) -> None:
    """Refuse a ledger without its key, and a key that signs nothing."""
    pair = ("audit_dir", "audit_key_file")
    for name, other in (pair, pair[::-1]):
        if values[name] is None and values[other] is not None:
            raise _SECTION.wrong(name, f"must be set beside {other}")


def _keys(values: dict[str, Any]) -> tuple[pathlib.Path, ...]:
    """Return the officers' keys, of which there must be enough."""
    keys = [
        _SECTION.path("officer_keys", text) for text in values["officer_keys"]
    ]
    paths = tuple(path for path in keys if path is not None)
    if len(set(paths)) != len(paths):
        raise _SECTION.wrong("officer_keys", "names a file twice")
    threshold = values["officer_threshold"]
    if paths and threshold > len(paths):
        raise _SECTION.wrong(
            "officer_threshold",
            f"asks for {threshold} signatures, and officer_keys has only "
            f"{len(paths)} keys",
        )
    for name in ("policy_file", "break_glass_dir"):
        if values[name] is not None and not paths:
            raise _SECTION.wrong("officer_keys", f"must be set beside {name}")
    return paths
