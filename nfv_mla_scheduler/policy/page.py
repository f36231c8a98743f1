# SPDX-License-Identifier: Apache-2.0
"""Print the reference page of the policy document, made from its schema.

``python -m nfv_mla_scheduler.policy.page`` writes the page
``doc/source/reference/policy.rst`` to standard output.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from nfv_mla_scheduler.policy.reading.schema import schema

_WIDTH = 79
_HEAD = """\
..
   Generated: python -m nfv_mla_scheduler.policy.page

===================
The policy document
===================

A policy is one YAML document inside an envelope (DSSE, JSON) whose payload
type is ``application/vnd.nfv-mla.policy+yaml``.  A threshold of the officers
whose public keys the configuration names has to sign it.  Only ed25519 keys
and ECDSA keys on P-256 or P-384 count.

How to read the document
------------------------

* A key that is not listed here is an error, and so is a name that nothing
  defines.  ``nfv-mla policy lint`` lists everything that is wrong at once.
* Plain YAML only: no anchors, aliases or tags, no key twice.  ``true`` and
  ``false`` are the only booleans; ``5.2.10`` and ``NO`` are text.
* A date like ``2027-01-01`` means its first second in UTC.
* A version only rises: a scheduler that has accepted version 8 refuses 7, and
  refuses another document of version 8.
* A policy is accepted up to 300 seconds before ``issued``, and no longer once
  ``expires`` has come.  From then on, servers that ask for attested hosts are
  refused; exclusive pools still hold for all others.
* In size: 8 MiB of YAML, 64 signatures.

What places have to agree on
----------------------------

* No two hosts share a compute node's UUID, an attester at one authority, or a
  pinned key.  No two collectors share a key.
* A host is in several pools only if their rules agree: a
  ``single-restricted`` host is in one pool; pools that are exclusive to, or
  managed from, different trust domains have no host in common.
* ``single-restricted`` and ``pooled-restricted`` pools are exclusive to
  exactly one trust domain and managed from exactly one; a
  ``pooled-restricted-concealed`` pool from at least one.  Only a
  ``single-restricted`` pool has ``moves_to`` (7.2).
* An authority's ``max_age_s`` is at least twice its ``cadence_s``.
* A handle is nothing else's name or handle.
* A declared fact is about a capability that the catalogue gives to hosts (or,
  under ``site``, to the site), with values that the capability has.
* Waivers and permissive modes end within a year of ``issued``, and not before
  it.  A waiver names a requirement that its profile has.
* A floor is something that a server of the project can satisfy: names that
  exist, a jurisdiction where a profile wants one, an age not below twice the
  cadence.

How a profile is adjusted
-------------------------

Under a name of the standard's, an entry adjusts that profile for everybody
who asks for it.  Under another name, with ``base``, it makes a profile of the
operator's own, which starts from the base as this policy adjusts it.

A key that is given replaces what the base has; of ``strength``, ``values`` and
``refuse_values`` each entry does so by itself.  ``add`` adds needs to those of
the base.  A need may have alternatives: ``hsm|execution-enclave``, or
``hsm or tpm=hardware|equivalent-hardware``; ``and`` joins terms that have to
hold together.  A ``strength`` for a requirement that Table 9 does not mark for
the profile adds the requirement.  What is weaker than in the standard is
warned of by ``lint``, and marked by ``show`` and ``diff``.

Keys
----

"""
_ORDER = (
    ("authorities", "authority"),
    ("collectors", "collector"),
    ("hosts", "host"),
    ("hosts.*.declared, site", "fact"),
    ("pools", "pool"),
    ("profiles", "profile"),
    ("waivers", "waiver"),
    ("projects", "project"),
    ("modes.*", "mode"),
    ("trust_domains", "trust_domain"),
    ("guard", "guard"),
)


def page() -> str:
    """Return the page, in reStructuredText."""
    parts = [_HEAD, *_members("At the top", schema())]
    for where, name in _ORDER:
        parts += _members(f"In {where}", schema()["$defs"][name])
    regions = schema()["$defs"]["regions"]["additionalProperties"]
    parts += _members("In regions.*", regions)
    return "".join(parts).rstrip("\n") + "\n"


def _members(heading: str, mapping: dict[str, Any]) -> Iterator[str]:
    """Yield the keys of one mapping, and what each has to be."""
    yield f"{heading}\n{'~' * len(heading)}\n\n"
    for key, member in mapping["properties"].items():
        name = member.get("$ref", "").rpartition("/")[2]
        definition = schema()["$defs"].get(name, {})
        told = member.get("description") or definition["description"]
        notes = []
        if key in mapping.get("required", ()):
            notes.append("Required.")
        if "default" in member:
            default = member["default"]
            shown = str(default).lower() if default is False else default
            notes.append(f"Default: ``{shown}``.")
        text = " ".join([f"{told[0].upper()}{told[1:]}.", *notes])
        wrapped = textwrap.fill(
            text, _WIDTH, initial_indent="   ", subsequent_indent="   "
        )
        yield f"``{key}``\n{wrapped}\n\n"


if __name__ == "__main__":
    sys.stdout.write(page())
