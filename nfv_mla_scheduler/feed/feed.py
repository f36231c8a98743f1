# SPDX-License-Identifier: Apache-2.0
"""Turn policy, waivers and results files into snapshots, as they change.

:meth:`Feed.refresh` does the work and needs no thread; :class:`Refresher`
calls it in the background.  Whatever is wrong with a file, the snapshot
before stays, and the news of it is told once for each change.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.policy_file import PolicyFile
from nfv_mla_scheduler.feed.results_file import ResultsFile
from nfv_mla_scheduler.feed.waivers import Waivers
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.standard.values import Catalogue


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """Where everything is, and how it is read; see the options.

    :ivar root: whose signatures count; None: no officer is configured
    """

    root: Root | None
    state_dir: pathlib.Path
    policy_file: pathlib.Path | None
    break_glass_dir: pathlib.Path | None
    results_file: pathlib.Path | None
    results_max_bytes: int
    max_skew_s: float


OwnState = Callable[[], Mapping[str, bool | None]]


class Feed:
    """Holds the newest snapshot.  One thread may refresh, any may read.

    From the first moment on it holds the policy of before the restart, so
    that its exclusive pools are closed before anything else is read.
    """

    def __init__(
        self,
        sources: Sources,
        catalogue: Catalogue,
        own_state: OwnState,
        tell: Callable[[News], None],
    ) -> None:
        self._own_state = own_state
        teller = Teller(tell)
        self._policy: PolicyFile | None = None
        self._waivers: Waivers | None = None
        self._results: ResultsFile | None = None
        root = sources.root
        if root is not None:
            self._policy = PolicyFile(
                sources.policy_file,
                sources.state_dir,
                root,
                catalogue,
                teller,
            )
            if sources.break_glass_dir is not None:
                self._waivers = Waivers(sources.break_glass_dir, root, teller)
        if sources.results_file is not None:
            self._results = ResultsFile(
                sources.results_file,
                sources.results_max_bytes,
                sources.max_skew_s,
                catalogue,
                teller,
            )
        restored = self._policy.policy if self._policy else None
        self.snapshot = view.merge(
            view.empty(catalogue), restored, None, own_state()
        )

    def refresh(self, now: Instant) -> None:
        """Read what changed, and swap the snapshot if anything did."""
        policy = self._policy.read(now) if self._policy else None
        document = self._results.read(policy, now) if self._results else None
        waivers = self._waivers.read(now) if self._waivers else ()
        self.snapshot = view.merge(
            self.snapshot, policy, document, self._own_state(), waivers
        )
        if self._results is not None and document is not None:
            self._results.report_unbound(self.snapshot.unbound)
