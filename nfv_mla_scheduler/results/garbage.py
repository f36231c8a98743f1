# SPDX-License-Identifier: Apache-2.0
"""Keep the garbage collector from running while much is read at once.

Touches the collector of the process, for a moment.  The tens of thousands of
lists that a parsed body consists of are gone when it has been read, but are
young no longer if the collector runs in between; it takes that for growth, and
goes through everything that lives in the process, which takes half a second
in a scheduler of 10,000 hosts.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Let no garbage be collected meanwhile, unless it never is.

    Of several threads the one that stopped the collector starts it again.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
