# SPDX-License-Identifier: Apache-2.0
"""Read the use cases of clause 4 as profiles.

Pure.  A variant inherits: its maps are laid over those of the profile that it
names, and what it adds comes on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.standard.conduct import read_conduct
from nfv_mla_scheduler.standard.groups import GroupReader
from nfv_mla_scheduler.standard.reading import Place
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Group
from nfv_mla_scheduler.standard.values import Profile

Add = tuple[str, str, tuple[Group, ...]]
Values = Mapping[str, frozenset[str]]

_KEYS = (
    "inherits",
    "clause",
    "title",
    "strength",
    "max_age_s",
    "boot_claim_max_age_s",
    "values",
    "refuse_values",
    "add",
    "location",
    "accept_declared",
    "vouchers_min",
    "external_voucher",
    "conduct",
    "prefer",
    "conditional_measures",
    "unneeded_measures",
)
_NOBODY = Profile(
    name="",
    clause="",
    title="",
    requirements=(),
    strength={},
    max_age_s=None,
    boot_claim_max_age_s=None,
    values={},
    refuse_values={},
    add=(),
    location_axes=(),
    location_explicit=None,
    accept_declared=frozenset(),
    vouchers_min=1,
    external_voucher=False,
    conduct={},
)


class ProfileReader:
    """Reads profiles with the words of a catalogue and the marks of Table 9.

    :param marks: use case -> the requirements that Table 9 marks for it
    """

    def __init__(
        self,
        words: Catalogue,
        marks: Mapping[str, tuple[str, ...]],
        groups: GroupReader,
    ) -> None:
        self._words = words
        self._marks = marks
        self._groups = groups

    def read(self, place: Place) -> Mapping[str, Profile]:
        """Return every profile, inheritance resolved."""
        found: dict[str, Profile] = {}
        for name, at in place.entries():
            found[name] = self._profile(name, at.only(*_KEYS), found)
        return MappingProxyType(found)

    def _profile(
        self, name: str, place: Place, earlier: Mapping[str, Profile]
    ) -> Profile:
        base = _NOBODY
        if place.maybe("inherits").given():
            base = earlier[place.at("inherits").text_of(earlier)]
        elif name not in self._marks:
            raise place.fault("neither a use case of Table 9 nor a variant")
        requirements = base.requirements or self._marks[name]
        axes, explicit = self._location(place.maybe("location"), base)
        return Profile(
            name=name,
            clause=place.at("clause").text(),
            title=place.at("title").text(),
            requirements=requirements,
            strength=self._strength(place, base, requirements),
            max_age_s=_number(place, "max_age_s", base.max_age_s),
            boot_claim_max_age_s=_number(
                place, "boot_claim_max_age_s", base.boot_claim_max_age_s
            ),
            values=self._values(place.maybe("values"), base.values),
            refuse_values=self._values(
                place.maybe("refuse_values"), base.refuse_values
            ),
            add=self._add(place.maybe("add"), base),
            location_axes=axes,
            location_explicit=explicit,
            accept_declared=base.accept_declared
            | frozenset(self._names(place, "accept_declared")),
            vouchers_min=_number(place, "vouchers_min", base.vouchers_min)
            or 1,
            external_voucher=base.external_voucher
            or place.maybe("external_voucher").value is True,
            conduct=MappingProxyType(
                {**base.conduct, **read_conduct(place.maybe("conduct"))}
            ),
            prefer=self._names(place, "prefer") or base.prefer,
            conditional_measures=self._names(place, "conditional_measures")
            or base.conditional_measures,
            unneeded_measures=self._names(place, "unneeded_measures")
            or base.unneeded_measures,
        )

    def _names(self, place: Place, key: str) -> tuple[str, ...]:
        return place.maybe(key).texts(self._words.capabilities)

    def _strength(
        self, place: Place, base: Profile, requirements: tuple[str, ...]
    ) -> Mapping[str, Strength]:
        """Return the exceptions; what Table 9 leaves out stays conditional."""
        found = dict(base.strength)
        for name, at in place.maybe("strength").entries():
            if name not in self._words.requirements:
                raise at.fault(f"{name} is not a requirement")
            found[name] = at.word(Strength)
            marked = name in requirements
            if not marked and found[name] is not Strength.CONDITIONAL:
                raise at.fault(f"Table 9 does not mark {name}")
        return MappingProxyType(
            {
                name: strength
                for name, strength in found.items()
                if strength is not Strength.REQUIRED
            }
        )

    def _values(self, place: Place, base: Values) -> Values:
        found = dict(base)
        for name, at in place.entries():
            capability = self._words.capabilities.get(name)
            if capability is None:
                raise at.fault(f"{name} is not a capability")
            found[name] = frozenset(at.texts(capability.values))
            if not found[name]:
                raise at.fault("no value would ever count")
        return MappingProxyType(found)

    def _add(self, place: Place, base: Profile) -> tuple[Add, ...]:
        found = {add[0]: add for add in base.add}
        for name, at in place.entries():
            at.only("clause", "any")
            groups = self._groups.read(at.at("any"))
            if not groups:
                raise at.fault("nothing would ever meet it")
            found[name] = (name, at.at("clause").text(), groups)
        return tuple(found.values())

    def _location(
        self, place: Place, base: Profile
    ) -> tuple[tuple[Axis, ...], Axis | None]:
        if not place.given():
            return base.location_axes, base.location_explicit
        place.only("axes", "explicit")
        axes = tuple(item.word(Axis) for item in place.at("axes").each())
        explicit = place.maybe("explicit")
        if not explicit.given():
            return axes, None
        if explicit.word(Axis) not in axes:
            raise explicit.fault("must be one of axes")
        return axes, explicit.word(Axis)


def _number(place: Place, key: str, inherited: int | None) -> int | None:
    at = place.maybe(key)
    return at.number() if at.given() else inherited
