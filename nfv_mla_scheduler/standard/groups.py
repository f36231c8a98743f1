# SPDX-License-Identifier: Apache-2.0
"""Read the terms and groups of the catalogue.

Pure.  A word in capitals stands for the terms of a group that several
requirements share (``PROC``, ``TECH``).
"""

from __future__ import annotations

from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.standard.reading import Place
from nfv_mla_scheduler.standard.terms import TermError
from nfv_mla_scheduler.standard.terms import Vocabulary
from nfv_mla_scheduler.standard.terms import fault_of
from nfv_mla_scheduler.standard.terms import parse_term
from nfv_mla_scheduler.standard.values import Group


class GroupReader:
    """Reads terms whose names, keys, values and grades have to exist."""

    def __init__(self, words: Vocabulary, shared: Place) -> None:
        self.words = words
        self._shared: dict[str, Group] = {}
        for name, place in shared.entries():
            if not name.isupper():
                raise place.fault("a shared group is named in capitals")
            self._shared[name] = self.group(place)

    def term(self, place: Place) -> Term:
        """Return the term written at ``place``."""
        try:
            term = parse_term(place.text())
        except TermError as exc:
            raise place.fault(str(exc)) from None
        return self.checked(term, place)

    def checked(self, term: Term, place: Place) -> Term:
        """Return ``term`` if all its words exist; blame ``place`` if not."""
        fault = fault_of(term, self.words)
        if fault:
            raise place.fault(fault)
        return term

    def group(self, place: Place) -> Group:
        """Return the terms listed at ``place``, shared groups expanded."""
        terms: list[Term] = []
        for item in place.each():
            if item.text().isupper():
                if item.text() not in self._shared:
                    raise item.fault("is not a shared group")
                terms.extend(self._shared[item.text()])
            else:
                terms.append(self.term(item))
        if not terms:
            raise place.fault("an empty group would always hold")
        return tuple(terms)

    def read(self, place: Place) -> tuple[Group, ...]:
        """Return the groups listed at ``place``, none for ``None``."""
        return tuple(self.group(item) for item in place.each())
