# SPDX-License-Identifier: Apache-2.0
"""Times as a policy writes them: RFC 3339 in UTC, or a date.  Pure."""

from __future__ import annotations

import datetime
import re

from nfv_mla_scheduler.model import Instant

DAY_S = 86_400
FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?",
    re.ASCII,
)


def read_instant(text: str) -> Instant | None:
    """Return the instant that ``text`` names, or None when there is none.

    A date means its first second: ``2027-01-01`` is 00:00:00Z.
    """
    if not FORM.fullmatch(text):
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return None
    return moment.replace(tzinfo=datetime.UTC).timestamp()


def write_instant(at: Instant) -> str:
    """Return an instant as RFC 3339 in UTC, to the second."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
