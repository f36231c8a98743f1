# SPDX-License-Identifier: Apache-2.0
"""A thread that asks one authority again and again.

One authority that hangs hurts no other: each has a thread of its own, and
whoever ends them waits no longer than they say.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable

from nfv_mla_scheduler.authority.template import FAULT_MAX
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.timetable import Timetable
from nfv_mla_scheduler.collector.values import Outcome
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import bounded

LOG = logging.getLogger(__name__)


class Poller:
    """Asks one authority when its timetable says so.

    :param hear: gets each outcome, in this poller's thread
    """

    def __init__(
        self,
        authority: Authority,
        timetable: Timetable,
        hear: Callable[[Outcome], None],
    ) -> None:
        self.name = authority.name
        self._authority = authority
        self._timetable = timetable
        self._hear = hear
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(
            target=self._run, name=f"nfv-mla asks {self.name}", daemon=True
        )

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def assign(self, task: Task | None) -> None:
        """Note what the policy wants of this authority; None: nothing."""
        with self._changed:
            self._timetable.assign(task, time.monotonic())
            self._changed.notify()

    def refresh(self, attesters: Iterable[str]) -> bool:
        """Ask soon about these attesters, or with none about all.

        :returns: whether anything will be asked for this
        """
        with self._changed:
            taken = self._timetable.refresh(attesters, time.monotonic())
            self._changed.notify()
        return taken

    def stop(self) -> None:
        """Ask nothing more, and interrupt what is being asked.

        Returns at once, whatever the driver does: see :meth:`join`.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        threading.Thread(
            target=self._close, name=f"nfv-mla ends {self.name}", daemon=True
        ).start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end; False if it takes longer than that."""
        if self._thread.is_alive():
            self._thread.join(max(timeout_s, 0.0))
        return not self._thread.is_alive()

    def _close(self) -> None:
        try:
            self._authority.close()
        except Exception:
            LOG.exception("nfv-mla cannot close authority %s", self.name)

    def _run(self) -> None:
        while (inquiry := self._wait()) is not None:
            began = time.monotonic()
            outcome = self._ask(inquiry, began)
            with self._changed:
                if self._stopping:
                    return  # that it was interrupted is no news
                well = outcome.collected is not None
                self._timetable.ended(inquiry, well, time.monotonic())
            try:
                self._hear(outcome)
            except Exception:
                LOG.exception("nfv-mla lost an answer of %s", self.name)

    def _wait(self) -> Inquiry | None:
        """Return what is to be asked, once it is time; None: stop."""
        with self._changed:
            while not self._stopping:
                inquiry, wait_s = self._timetable.next(time.monotonic())
                if inquiry is not None:
                    return inquiry
                self._changed.wait(None if math.isinf(wait_s) else wait_s)
        return None

    def _ask(self, inquiry: Inquiry, began: float) -> Outcome:
        collected, code, reason, rules = None, "", "", ""
        try:
            try:
                collected = self._authority.collect(inquiry, time.time())
            except AuthorityError as exc:
                code, reason = exc.code, str(exc)
                rules = self._authority.rules()
        except BaseException as exc:
            # not even a driver that calls sys.exit() may end its thread
            code = AuthorityError.code
            reason = f"the driver has a fault: {bounded(exc, FAULT_MAX)}"
        took_s = time.monotonic() - began
        return Outcome(
            self.name, inquiry, collected, code, reason, took_s, rules
        )
