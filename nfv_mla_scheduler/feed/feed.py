# SPDX-License-Identifier: Apache-2.0
"""Turn policy, waivers and results into snapshots, as they change.

:meth:`Feed.refresh` does the work and needs no thread; :class:`Refresher`
calls it in the background.  Whatever is wrong with a file, the snapshot
before stays, and the news of it is told once for each change.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Protocol

from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.policy_file import PolicyFile
from nfv_mla_scheduler.feed.waivers import Waivers
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """Where policy and waivers are; see the options.

    :ivar root: whose signatures count; None: no officer is configured
    :ivar read_only: whether to leave ``state_dir`` as it is, for who only
        looks
    """

    root: Root | None
    state_dir: pathlib.Path
    policy_file: pathlib.Path | None
    break_glass_dir: pathlib.Path | None
    read_only: bool = False


class ResultsSource(Protocol):
    """Where results come from: a file, a collector, or authorities."""

    def read(
        self, policy: Policy | None, now: Instant
    ) -> ResultsDocument | None:
        """Return the newest good results; None: none count.

        Waits for no other machine.  The same object means that nothing has
        changed.  What is wrong is told under the subject ``results``.
        """

    def report_unbound(self, unbound: tuple[tuple[str, str], ...]) -> None:
        """Say which attesters are bound to no host, and count for nothing."""

    def close(self) -> None:
        """End what goes on in the background."""


OwnState = Callable[[], Mapping[str, bool | None]]
Heed = Callable[[Policy], None]


class Feed:
    """Holds the newest snapshot.  One thread may refresh, any may read.

    From the first moment on it holds the policy of before the restart, so
    that its exclusive pools are closed before anything else is read.

    :param results: None: there are none; otherwise closed with the feed
    :param heed: called with each policy before anything is judged by it
    """

    def __init__(
        self,
        sources: Sources,
        results: ResultsSource | None,
        catalogue: Catalogue,
        own_state: OwnState,
        teller: Teller,
        heed: Heed = lambda _: None,
    ) -> None:
        self._own_state = own_state
        self._heed = heed
        self._results = results
        self._teller = teller
        self._policy: PolicyFile | None = None
        self._waivers: Waivers | None = None
        root = sources.root
        if root is not None:
            self._policy = PolicyFile(
                sources.policy_file,
                sources.state_dir,
                root,
                catalogue,
                teller,
                sources.read_only,
            )
            if sources.break_glass_dir is not None:
                self._waivers = Waivers(sources.break_glass_dir, root, teller)
        restored = self._policy.policy if self._policy else None
        if restored is not None:
            heed(restored)
        self.snapshot = view.merge(
            view.empty(catalogue), restored, None, own_state()
        )

    def refresh(self, now: Instant) -> None:
        """Read what changed, and swap the snapshot if anything did."""
        policy = self._policy.read(now) if self._policy else None
        document = self._results.read(policy, now) if self._results else None
        waivers = self._waivers.read(now) if self._waivers else ()
        if policy is not None and policy is not self.snapshot.policy:
            self._heed(policy)
        self.snapshot = view.merge(
            self.snapshot, policy, document, self._own_state(), waivers
        )
        if self._results is not None and document is not None:
            self._results.report_unbound(self.snapshot.unbound)
        self._teller.catch_up()

    @property
    def settled(self) -> bool:
        """Whether there are results by now, or it is known why there are none.

        True as well where none are looked for: without a policy nothing
        would count.
        """
        return (
            self._results is None
            or self.snapshot.policy is None
            or self.snapshot.document is not None
            or self._teller.is_bad("results")
        )

    def close(self) -> None:
        """End what goes on in the background; the snapshot stays."""
        if self._results is not None:
            self._results.close()
