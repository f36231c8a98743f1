# SPDX-License-Identifier: Apache-2.0
"""Which providers have which of our traits.

Reads through the port; no clock of its own.  One request a look for the
names, and some for the providers of a few traits, in turn: whoever writes
traits with our prefix by the thousand makes no look dearer.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader

AT_FIRST_MAX = 256


class TraitWatch:
    """Our traits in Placement, kept up to date look by look.

    :ivar traits: trait -> UUIDs of the providers that have it
    """

    def __init__(self, cloud: Reader, prefix: str, a_look: int) -> None:
        """Know nothing yet.

        :param a_look: how many traits' providers to read in a look, beside
            those that we have edited
        """
        self.traits: Mapping[str, frozenset[str]] = {}
        self._cloud = cloud
        self._prefix = prefix
        self._a_look = a_look
        self._touched: set[str] = set()
        self._failed: set[str] = set()
        # Trait -> the look in which it was read; the least is the next.
        self._read: dict[str, int] = {}
        self._looks = 0
        self._whole = False

    def touch(self, names: Iterable[str]) -> None:
        """Have these read again at the next look."""
        self._touched.update(names)

    def look(self, busy: bool = False) -> list[str]:
        """Look once; return what is missing, in a few words each.

        All that there are until that succeeds, then some in turn.

        :param busy: whether this look costs enough without what can wait
        """
        try:
            names = self._cloud.trait_names(self._prefix)
        except CloudFailed as exc:
            return [f"traits ({exc.brief})"]
        self._looks += 1
        self._touched &= names
        self._failed &= names
        self._read = {n: at for n, at in self._read.items() if n in names}
        traits = {n: of for n, of in self.traits.items() if n in names}
        missing: list[str] = []
        for name in self._next(names, busy):
            self._read[name] = self._looks
            try:
                traits[name] = self._cloud.providers(name)
            except CloudFailed as exc:
                # The others first next time, whatever is wrong with this one.
                self._failed.add(name)
                missing.append(f"providers of traits ({exc.brief})")
                break
            self._touched.discard(name)
            self._failed.discard(name)
        self.traits = traits
        self._whole = self._whole or not missing
        return missing

    def _next(self, names: frozenset[str], busy: bool) -> list[str]:
        """Return what to read: what we edited, the rest in turn."""
        last = names & self._failed
        first = sorted((self._touched & names) - last)
        turn = sorted(names - self._touched - last, key=self._age)
        if not self._whole:
            return [*first, *turn[:AT_FIRST_MAX], *sorted(last, key=self._age)]
        if busy:
            return first
        return [*first, *turn[: self._a_look], *sorted(last, key=self._age)]

    def _age(self, name: str) -> tuple[int, str]:
        return (self._read.get(name, 0), name)
