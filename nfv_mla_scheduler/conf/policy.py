# SPDX-License-Identifier: Apache-2.0
"""The options about the policy: where it is, and whose signatures count."""

from __future__ import annotations

import enum

from oslo_config import cfg


class WithoutPolicy(enum.Enum):
    """Whom to refuse for as long as no policy is known."""

    REFUSE_ASKING = "refuse_asking"
    REFUSE_ALL = "refuse_all"


OPTIONS: list[cfg.Opt] = [
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
an older policy cannot be put in place of a newer one. So is a list of who
may use which hosts by that policy, for a process that cannot judge. The user
that runs nova-scheduler must be able to write to it; nobody else should.

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

Once a policy was in force, this option has no effect. When the policy
expires, or the process cannot judge, servers that ask are refused, by their
project's floor as well, and the others are kept off the hosts of pools that
are closed to them.

A process that cannot judge refuses every server if what ``state_dir`` holds
of a policy cannot be read, if ``state_dir`` itself is what is wrong, or if
this option is and there never was any policy.

Related options:

* ``policy_file``, ``state_dir``
""",
    ),
]
