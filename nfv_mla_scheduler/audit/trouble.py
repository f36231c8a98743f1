# SPDX-License-Identifier: Apache-2.0
"""Whether entries can be written, and since when not.

Touches the log, in which it says once that they cannot, and once that they
can.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import time
from collections.abc import Callable
from typing import TypeVarTuple

from nfv_mla_scheduler.audit.entry import utc
from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.model import Instant

_Ts = TypeVarTuple("_Ts")

LOG = logging.getLogger(__name__)

#: What has taken longer than this may never come back.
HANG_S = 5.0


class Trouble:
    """What came of the last try to write.

    :param directory: of the ledger
    :param clock: what time it is
    :param monotonic: measures intervals
    :ivar fault: why the last try failed, as systems name it; empty: it did
        not
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        clock: Callable[[], Instant],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fault = ""
        self._began_at = math.inf
        self._monotonic = monotonic
        self._directory = os.fspath(directory)
        self._clock = clock
        self._since: Instant = 0.0
        self._was = ""

    def tries(self, write: Callable[[*_Ts], None], *args: *_Ts) -> bool:
        """Call what writes; whether it can."""
        self._began_at = self._monotonic()
        try:
            write(*args)
        except OSError as exc:
            fault = errno.errorcode.get(exc.errno or 0, "unknown")
            reason = exc.strerror or fault
        except BaseException:  # what ends this thread ends the ledger
            if not self.fault:
                LOG.exception("nfv-mla audit: a fault of our own")
            fault = reason = "fault"
        else:
            self.fault = ""
            return True
        finally:
            self._began_at = math.inf
        if not self._was:
            self._since = self._clock()
            self._was = fault
            LOG.warning(
                "nfv-mla audit: events cannot be written to %s: %s",
                *(self._directory, reason),
            )
        self.fault = fault
        return False

    @property
    def hangs(self) -> bool:
        """Whether a try goes on too long; for any thread, without a lock."""
        return self._monotonic() > self._began_at + HANG_S

    @property
    def to_tell(self) -> bool:
        """Whether something could not be written, and now can."""
        return bool(self._was and not self.fault)

    def tell(self, dropped: int) -> dict[str, JSON]:
        """Return what an entry says of it, and say it in the log."""
        LOG.info(
            "nfv-mla audit: events are written again; %d were dropped", dropped
        )
        was, self._was = self._was, ""
        return {"since": utc(self._since), "error": was, "dropped": dropped}
