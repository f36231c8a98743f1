# SPDX-License-Identifier: Apache-2.0
"""What a client says of the answer that it wants: three headers, read.

Pure.  What cannot be read is ignored, as RFC 9110 and RFC 7240 have it: the
client then gets the whole document at once, which is always right.
"""

from __future__ import annotations

import dataclasses
import re

from nfv_mla_scheduler.results.delta import MANIPULATION

TAGS_MAX = 16

_TAG = re.compile(r'(?:W/)?"([!#-~\x80-\xff]*)"')
_WAIT = re.compile(r'wait\s*=\s*("?)(\d{1,9})\1\s*(?:;.*)?', re.IGNORECASE)
_ENTRIES = re.compile(rf"{MANIPULATION}\s*(?:;\s*q\s*=\s*(?P<q>[\d.]+)\s*)?")


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What a client has already (``If-None-Match``).

    :ivar tags: opaque parts of entity tags, first ones first
    :ivar anything: it wants nothing if there is anything (``*``)
    """

    tags: tuple[str, ...] = ()
    anything: bool = False

    def has(self, tag: str) -> bool:
        """Whether the client has the document of that tag."""
        return self.anything or tag in self.tags


def known(if_none_match: str) -> Known:
    """Return what ``If-None-Match`` says; tags are compared weakly."""
    text = if_none_match.strip()
    if text == "*":
        return Known(anything=True)
    return Known(tuple(_TAG.findall(text)[:TAGS_MAX]))


def wait_s(prefer: str) -> int | None:
    """Return for how many seconds a client would wait (RFC 7240, 4.3).

    :returns: None when it does not say
    """
    for preference in prefer.split(","):
        found = _WAIT.fullmatch(preference.strip())
        if found:
            return int(found[2])
    return None


def takes_entries(a_im: str) -> bool:
    """Whether a client can make do with what has changed (RFC 3229)."""
    for manipulation in a_im.split(","):
        found = _ENTRIES.fullmatch(manipulation.strip())
        if found:
            return found["q"] is None or found["q"].strip("0.") != ""
    return False
