# SPDX-License-Identifier: Apache-2.0
"""Read from the cloud beside judging, without keeping anybody waiting long.

Starts a thread, which ends with what it does.  Nothing is done about any host
before judging is over: what Nova or Placement does not answer soon is taken
at a later look.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic
from typing import TypeVar

from nfv_mla_scheduler.errors import bounded

LOG = logging.getLogger(__name__)

# For all that one look reads beside.
WAIT_S = 2.0

_T = TypeVar("_T")


class Beside(Generic[_T]):
    """Does one thing at a time, in a thread of its own."""

    def __init__(self) -> None:
        self._future: Future[_T] | None = None

    @property
    def busy(self) -> bool:
        """Whether what was begun has not ended."""
        return self._future is not None and not self._future.done()

    def begin(self, do: Callable[[], _T]) -> None:
        """Begin to do it, unless something is being done or to be taken."""
        if self._future is not None:
            return
        future: Future[_T] = Future()
        try:
            threading.Thread(
                target=_run,
                args=(do, future),
                name="nfv-mla beside",
                daemon=True,
            ).start()
        except Exception as exc:
            # No thread is left: the next look begins it again.
            LOG.debug("nfv-mla monitor: no thread: %s", bounded(exc))
            return
        self._future = future

    def take(self, until: float) -> _T | None:
        """Return what came of it, once; None: nothing, or not yet.

        Raises what that raised.

        :param until: how long to wait, by ``time.monotonic``
        """
        future = self._future
        if future is None:
            return None
        try:
            found = future.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            if not future.done():
                return None
            raise
        finally:
            if future.done():
                self._future = None
        return found


def _run(do: Callable[[], _T], future: Future[_T]) -> None:
    try:
        future.set_result(do())
    except BaseException as exc:
        future.set_exception(exc)
