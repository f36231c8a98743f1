# SPDX-License-Identifier: Apache-2.0
"""The options of ``[nfv_mla]``, and the frozen settings made from them.

Standard library and oslo.config only.  No module below this one sees a
configuration object: it gets the value it needs, with the unit in its name.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import pathlib
import re
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
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


class WithoutPolicy(enum.Enum):
    """Whom to refuse for as long as no policy is known."""

    REFUSE_ASKING = "refuse_asking"
    REFUSE_ALL = "refuse_all"


_POLICY = [
    cfg.StrOpt(
        "policy_file",
        default="",
        help="""
The signed policy.

A DSSE envelope, as ``nfv-mla policy sign`` writes it. It is read again when
it changes. A policy that is not signed by enough officers, that is expired,
or whose version is lower than one seen before is refused, and the last good
one stays.

Possible values:

* An absolute path. Empty (the default): there is no policy, and
  ``without_policy`` decides.

Related options:

* ``officer_keys`` and ``officer_threshold`` say whose signatures count.
* ``state_dir`` keeps the last good policy.
""",
    ),
    cfg.StrOpt(
        "break_glass_dir",
        default="",
        help="""
Directory of break-glass waivers.

Each file in it is a waiver that one officer has signed, for one server, host
or project, for at most 24 hours. The use of one is an audit event.

Possible values:

* An absolute path. Empty (the default): none are read.

Related options:

* ``officer_keys``
""",
    ),
    cfg.ListOpt(
        "officer_keys",
        default=[],
        help="""
Public keys of the security officers: the root of all trust here.

Whoever can change this option or these files is trusted as much as all
officers together.

Possible values:

* A comma-separated list of absolute paths of PEM files, each with one
  ed25519 or ECDSA (P-256, P-384) public key. No path may be there twice.

Related options:

* ``officer_threshold`` may not be larger than this list is long.
""",
    ),
    cfg.IntOpt(
        "officer_threshold",
        default=2,
        min=1,
        help="""
How many officers have to sign a policy.

Possible values:

* A count of keys, at least 1. With 1 there are no four eyes, and each
  officer alone can change every rule.

Related options:

* ``officer_keys``
""",
    ),
    cfg.StrOpt(
        "state_dir",
        default="/var/lib/nova/nfv-mla",
        help="""
Directory for what has to outlast a restart.

The last good policy and the highest version ever seen are kept here, so that
an older policy cannot be put in place of a newer one. So is a list of who may
use which hosts by that policy, for a process that cannot judge. The user that
runs nova-scheduler must be able to write to it; nobody else should.

Possible values:

* An absolute path.
""",
    ),
    cfg.StrOpt(
        "without_policy",
        default=WithoutPolicy.REFUSE_ASKING.value,
        choices=[
            (
                WithoutPolicy.REFUSE_ASKING.value,
                "Refuse servers that ask for anything in ``nfv_mla:``; "
                "place all others as if this filter were not enabled",
            ),
            (
                WithoutPolicy.REFUSE_ALL.value,
                "Refuse every server: for a cloud whose hosts all belong to "
                "exclusive pools, where the policy alone knows who may come",
            ),
        ],
        help="""
What to do for as long as there never was any policy.

It also decides while a process cannot judge at all (another option is wrong,
a key file of an officer cannot be read, a library is missing), if
``state_dir`` holds nothing of a policy.

Once a policy was in force, this option has no effect. When the policy expires,
or the process cannot judge, servers that ask are refused, by their project's
floor as well, and the others are kept off the hosts of pools that are closed
to them.

A process that cannot judge refuses every server if what ``state_dir`` holds of
a policy cannot be read, if ``state_dir`` itself is what is wrong, or if this
option is and there never was any policy.

Related options:

* ``policy_file``, ``state_dir``
""",
    ),
]

_RESULTS = [
    cfg.StrOpt(
        "results_file",
        default="",
        help="""
The signed results document.

It is what the collector publishes, or what a site signs that attests by other
means. The key that must have signed it is in the policy.

Possible values:

* An absolute path. Empty (the default): there are no results, hence no
  server that asks for attested hosts is placed.

Related options:

* ``refresh_interval_s``, ``results_max_bytes``, ``max_skew_s``
""",
    ),
    cfg.IntOpt(
        "results_max_bytes",
        default=64 * 2**20,
        min=64 * 2**10,
        max=2**30,
        help="""
Largest results document that is read, in bytes.

A larger one is refused unread, and the results that are held grow old.
10,000 hosts at two authorities need about 4 MB.

Related options:

* ``results_file``
""",
    ),
    cfg.FloatOpt(
        "refresh_interval_s",
        default=1.0,
        min=0.1,
        max=60.0,
        help="""
How often to look for a new policy or new results, in seconds.

A thread in the background does; placement never waits for it, but for the
first time (``first_load_timeout_s``). What did not change is not read again.

Related options:

* ``policy_file``, ``results_file``, ``break_glass_dir``
""",
    ),
    cfg.FloatOpt(
        "first_load_timeout_s",
        default=5.0,
        min=0.0,
        max=30.0,
        help="""
How long the first request may wait for policy and results, in seconds.

Afterwards it is judged by what there is, which may be nothing. Keep it well
below ``[DEFAULT] rpc_response_timeout``. 0 does not wait.
""",
    ),
    cfg.FloatOpt(
        "max_skew_s",
        default=30.0,
        min=0.0,
        max=300.0,
        help="""
How far the clocks of authorities and collectors may be ahead, in seconds.

A result from further in the future is left out, as it would stay fresh for
too long. Keep clocks synchronised rather than raising this.
""",
    ),
    cfg.IntOpt(
        "boot_max_age_s",
        default=86400,
        min=60,
        max=31536000,
        help="""
How long boot-time claims live if nothing tells boots apart, in seconds.

Boot-time claims live until the boot ends. Where an authority says which boot
it saw, that is known; where it does not, they expire after this time.
""",
    ),
]

_SCHEDULER = [
    cfg.StrOpt(
        "management_domain",
        default="",
        help="""
The management domain that this scheduler belongs to.

Hosts of restricted pools may only be filled by a scheduler of their own
management domain (GR NFV-SEC 009, clauses 7.2.1 and 7.2.2).

Possible values:

* A name of lower-case letters, digits and single dashes, as the policy
  writes it. Empty (the default): none, so that pools that name management
  domains are closed to this scheduler.
""",
    ),
    cfg.FloatOpt(
        "assurance_weight_multiplier",
        default=1.0,
        help="""
Weight of hosts that are better attested: fresher results, fewer warnings.

Possible values:

* Any number. 0 turns the weigher off; a negative one prefers the hosts of
  which least is known, which is hardly ever wanted.

Related options:

* ``[filter_scheduler] weight_classes`` must hold the weigher.
""",
    ),
    cfg.FloatOpt(
        "scarcity_weight_multiplier",
        default=1.0,
        help="""
Weight of hosts that offer no more than a server needs.

It keeps the most capable hosts free for those who need them.

Possible values:

* Any number. 0 turns the weigher off; a negative one fills the most capable
  hosts first.

Related options:

* ``[filter_scheduler] weight_classes`` must hold the weigher.
""",
    ),
    cfg.IntOpt(
        "decision_cache_size",
        default=256,
        min=1,
        max=1048576,
        help="""
How many different requirements are kept judged.

Servers of one flavor, project and set of hints mostly share one requirement.
When more are in use than are kept, some are judged anew, which costs time
and nothing else. Each takes about 1.4 MB for 10,000 hosts, and more where
many different things are claimed of them.
""",
    ),
    cfg.FloatOpt(
        "follow_room_max_age_s",
        default=30.0,
        min=1.0,
        max=3600.0,
        help="""
How long the answer to "is there room for what has to follow" holds, in
seconds.

Servers with ``nfv_mla:follow`` are placed only where another function, such
as an intercepting one, could follow. Which hosts have room for that one is
looked up, and taken for true for this time.
""",
    ),
]

_AUDIT = [
    cfg.StrOpt(
        "audit_file",
        default="",
        help="""
File to which audit events are appended, one JSON object in each line.

Several workers may share one file. It is opened again after it was rotated.
It is a record for operators; it is not the tamper-evident ledger.

Possible values:

* An absolute path. Empty (the default): no events are written.

Related options:

* ``audit_queue_size``
""",
    ),
    cfg.IntOpt(
        "audit_queue_size",
        default=10000,
        min=1,
        max=1000000,
        help="""
How many audit events may wait to be written.

Placement never waits for the disk. Events beyond this number are dropped, and
an event says how many.

Related options:

* ``audit_file``
""",
    ),
]

_OPTIONS: list[cfg.Opt] = [*_POLICY, *_RESULTS, *_SCHEDULER, *_AUDIT]


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The options, checked; ``None`` for a path that is not set."""

    policy_file: pathlib.Path | None
    break_glass_dir: pathlib.Path | None
    officer_keys: tuple[pathlib.Path, ...]
    officer_threshold: int
    state_dir: pathlib.Path
    without_policy: WithoutPolicy
    results_file: pathlib.Path | None
    results_max_bytes: int
    refresh_interval_s: float
    first_load_timeout_s: float
    max_skew_s: float
    boot_max_age_s: float
    management_domain: str
    assurance_weight_multiplier: float
    scarcity_weight_multiplier: float
    decision_cache_size: int
    follow_room_max_age_s: float
    audit_file: pathlib.Path | None
    audit_queue_size: int


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of ``[nfv_mla]``; again does no harm."""
    conf.register_group(GROUP)
    conf.register_opts(_OPTIONS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for ``oslo-config-generator``."""
    return [(GROUP, list(_OPTIONS))]


def settings(conf: cfg.ConfigOpts) -> Settings:
    """Return what ``conf`` says, on which :func:`register` was called.

    :raises SettingsError: naming the option at fault, in one line
    """
    values = {option.dest: _value(conf, option.dest) for option in _OPTIONS}
    for name in ("policy_file", "break_glass_dir", "results_file"):
        values[name] = _path(name, values[name])
    values["audit_file"] = _path("audit_file", values["audit_file"])
    state_dir = _path("state_dir", values["state_dir"])
    if state_dir is None:
        raise _wrong("state_dir", "must be set")
    domain = values["management_domain"]
    if domain and not re.fullmatch(NAME_PATTERN, domain):
        raise _wrong("management_domain", f"must match {NAME_PATTERN}", domain)
    values |= {
        "state_dir": state_dir,
        "officer_keys": _keys(values),
        "without_policy": WithoutPolicy(values["without_policy"]),
        "boot_max_age_s": float(values["boot_max_age_s"]),
    }
    return Settings(**values)


def _value(conf: cfg.ConfigOpts, name: str) -> Any:
    """Return one option's value, its type and bounds checked by oslo."""
    try:
        value = conf[GROUP.name][name]
    except (cfg.Error, ValueError) as exc:
        said = str(exc).rpartition(" is not valid: ")[2]
        raise _wrong(name, bounded(said, 160)) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(name, "must be a finite number", value)
    return value


def _path(name: str, text: str) -> pathlib.Path | None:
    if not text:
        return None
    if not text.startswith("/") or not text.isprintable():
        raise _wrong(name, "must be an absolute path", text)
    return pathlib.Path(text)


def _keys(values: dict[str, Any]) -> tuple[pathlib.Path, ...]:
    """Return the officers' keys, of which there must be enough."""
    keys = [_path("officer_keys", text) for text in values["officer_keys"]]
    paths = tuple(path for path in keys if path is not None)
    if len(set(paths)) != len(paths):
        raise _wrong("officer_keys", "names a file twice")
    threshold = values["officer_threshold"]
    if paths and threshold > len(paths):
        raise _wrong(
            "officer_threshold",
            f"asks for {threshold} signatures, and officer_keys has only "
            f"{len(paths)} keys",
        )
    for name in ("policy_file", "break_glass_dir"):
        if values[name] is not None and not paths:
            raise _wrong("officer_keys", f"must be set beside {name}")
    return paths


def _wrong(name: str, message: str, value: object = "") -> SettingsError:
    shown = f" ({bounded(value)!r})" if value != "" else ""
    return SettingsError(f"[{GROUP.name}] {name}: {message}{shown}")
