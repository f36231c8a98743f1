# SPDX-License-Identifier: Apache-2.0
"""A listing of all servers while it is under way.

Reads what it was given to read from; no clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.port import Page


@dataclasses.dataclass(slots=True)
class Listing:
    """A listing of everything, under way.

    :ivar unseen: what was known when it began and has not been seen since
    :ivar nameless: whether something without a UUID was in it
    """

    pages: Iterator[Page]
    unseen: set[str]
    nameless: bool = False
    missing: dict[str, None] = dataclasses.field(default_factory=dict)


def hidden(page: Page) -> dict[str, None]:
    """Return what a page could not show, bounded."""
    return dict.fromkeys(bounded(gap) for gap in page.missing)
