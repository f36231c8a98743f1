# SPDX-License-Identifier: Apache-2.0
"""The ``attesters.yaml`` that a new lab begins with.  Pure."""

from __future__ import annotations

import enum
import json
import re
import textwrap
from collections.abc import Iterable

from nfv_mla_scheduler.lab.attesters import LIFETIME_S
from nfv_mla_scheduler.lab.attesters import PROFILE
from nfv_mla_scheduler.lab.values import Fault
from nfv_mla_scheduler.lab.values import Wrong
from nfv_mla_scheduler.results.ear_names import PROFILES

EXAMPLE = "host-1"

_PLAIN = re.compile(r"(?!(?:true|false|null)$)[A-Za-z][A-Za-z0-9._-]*")
_WIDTH = 79
_COLUMN = "#" + " " * 25


def starter_attesters(issuer: str, names: Iterable[str]) -> str:
    """Return a file about these attesters, or about an example.

    :param issuer: the authority, as it calls itself
    """
    entries = [f"  {_key(name)}:\n{_ATTESTER}" for name in names]
    if not entries:
        entries = [f"  {EXAMPLE}:\n{_ATTESTER}"]
    head = _HEAD.replace("ISSUER", issuer)
    return head + "\n".join(entries)


def _key(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    return json.dumps(name, ensure_ascii=False)


def _words(vocabulary: type[enum.Enum]) -> str:
    """Return the words of a vocabulary as lines of a comment."""
    return textwrap.fill(
        ", ".join(str(word.value) for word in vocabulary),
        _WIDTH,
        initial_indent=_COLUMN,
        subsequent_indent=_COLUMN,
        break_on_hyphens=False,
    )


_OTHERS = "\n# ".join(name for name in PROFILES if name != PROFILE)
_HEAD = f"""\
# What this lab says of hosts.  It attests nothing.
#
# Edit this file while the lab runs: it is read again at once.  What cannot be
# read is said on standard error, and what was read before stays in force.
#
# claims: what is claimed of each capability
#   status   affirming, warning, contraindicated or none
#   grade    run-time, boot or declared
#   values   as "nfv-mla standard show" has them
# Write contraindicated in place of affirming, and see where servers go.
#
# Each attester may also have
#   boot: {{bootcount: 1, bootseed: c2VlZA}}
#   location: {{latitude: 52.52, longitude: 13.405, accuracy: 100}}
#   status: warning       of the whole, if it is not to be the worst of its
#                         claims; a claim counts for no more than the whole
#
# And this is how the lab misbehaves, for one attester if it stands there, for
# all if it stands at the margin:
#   slow_s: 3             answers so many seconds late
#   silent: true          never answers; one attester: is left out
#   expired: true         tokens that ran out before they were issued
#   replayed: true        goes on serving the token that it issued until then
#   ahead_s: 90           its clock is ahead; negative: behind
#   wrong: key            a token that nobody may take:
{_words(Wrong)}
#   answers: redirect     an answer that nobody may take:
{_words(Fault)}
#   answers: {{status: 500}}

# How tokens are spelt; other ways are
# {_OTHERS}
profile: {PROFILE}
# Who says so (iss).
issuer: ISSUER
# How long a token holds.
lifetime_s: {LIFETIME_S}

attesters:
"""
_ATTESTER = """\
    boot: {bootcount: 1}  # change it, and the host has booted
    claims:
      attestation: {status: affirming, grade: run-time}
      tpm: {status: affirming, grade: boot, values: [hardware]}
      measured-boot: {status: affirming, grade: boot}
      secured-boot: {status: affirming, grade: boot}
      software-integrity:
        {status: affirming, grade: run-time, values: [boot, run-time]}
      os-access-control: {status: affirming, grade: run-time}
      memory-inspection:
        {status: affirming, grade: run-time, values: [controlled]}
      # Only with regions that your policy names:
      # location:
      #   {status: affirming, grade: boot, values: {jurisdiction: [DE]}}
"""
