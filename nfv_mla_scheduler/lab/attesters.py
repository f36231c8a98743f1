# SPDX-License-Identifier: Apache-2.0
"""Read ``attesters.yaml``: what the lab says of hosts, and how it misbehaves.

Pure: bytes in, values out.  doc/source/admin/lab.rst describes the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.lab import appraisal
from nfv_mla_scheduler.lab.knobs import KNOBS
from nfv_mla_scheduler.lab.knobs import read_knobs
from nfv_mla_scheduler.lab.place import Place
from nfv_mla_scheduler.lab.values import Attester
from nfv_mla_scheduler.lab.values import Knobs
from nfv_mla_scheduler.lab.values import Roster
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.draft import ANYWHERE
from nfv_mla_scheduler.results.ear_names import PROFILES
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.standard.strict_yaml import format_path
from nfv_mla_scheduler.standard.strict_yaml import read_yaml
from nfv_mla_scheduler.standard.values import Catalogue

BYTES_MAX = 16 * 2**20
PROFILE = next(iter(PROFILES))
LIFETIME_S = 300
LIFETIME_MAX_S = 86_400
COUNT_MAX = 2**53

_TOP = (
    "profile",
    "issuer",
    "lifetime_s",
    "claim_sets",
    "attesters",
    *KNOBS,
)
_ATTESTER = ("claims", "boot", "location", "status", *KNOBS)
_SEED = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
# Members of EAT's location, RFC 9711, section 4.2.10, and their bounds.
_LOCATION = {
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "altitude": (-100_000, 100_000),
    "accuracy": (0, 100_000_000),
    "altitude-accuracy": (0, 100_000),
    "age": (0, 100_000_000),
}


def read_attesters(data: bytes, catalogue: Catalogue) -> Roster:
    """Return what ``data`` says.

    :raises DocumentError: naming path and line of the first thing at fault
    """
    document = read_yaml(data, max_bytes=BYTES_MAX)
    top = Place(document, document.value).only(_TOP)
    for_all = read_knobs(top, Knobs())
    reader = _Reader(catalogue, top.at("claim_sets", {}), for_all)
    return Roster(
        top.at("profile", PROFILE).choice(PROFILES),
        top.at("issuer").name() if top.has("issuer") else "",
        top.at("lifetime_s", LIFETIME_S).whole(1, LIFETIME_MAX_S),
        for_all,
        {
            name: reader.attester(name, place)
            for name, place in top.at("attesters").entries()
        },
    )


class _Reader:
    """Reads attesters; equal claims become one object."""

    def __init__(
        self, catalogue: Catalogue, sets: Place, for_all: Knobs
    ) -> None:
        self._claim_sets = claim_sets.Reader(catalogue, ANYWHERE)
        self._for_all = for_all
        self._sets = {
            name: self._claims(place) for name, place in sets.entries()
        }

    def attester(self, name: str, place: Place) -> Attester:
        place.only(_ATTESTER)
        if not strict_json.is_name(name):
            raise place.wrong("must be 1 to 255 printable characters")
        claims = self._claims_of(place.at("claims"))
        status = appraisal.status_of(claims)
        if place.has("status"):
            status = place.at("status").word(Status)
        return Attester(
            name,
            claim_sets.wire(claims),
            status,
            appraisal.vector_of(claims, status),
            _boot(place.at("boot", {})),
            _location(place.at("location", {})),
            read_knobs(place, self._for_all),
        )

    def _claims_of(self, place: Place) -> Claims:
        """Return claims that stand here, or those of the set named here."""
        if not isinstance(place.value, str):
            return self._claims(place)
        if place.value not in self._sets:
            raise place.wrong("is not among claim_sets", place.value)
        return self._sets[place.value]

    def _claims(self, place: Place) -> Claims:
        path = format_path(place.path)
        try:
            return self._claim_sets.read(place.value, path)[0]
        except claim_sets.BadClaim as exc:
            below = exc.path.removeprefix(path).split(".")[1:]
            raise place.wrong_at(
                exc.path, exc.message, exc.value, tuple(below)
            ) from None


def _boot(place: Place) -> Mapping[str, Any]:
    """Return bootcount and bootseed, RFC 9711, sections 4.2.12 and 4.2.13."""
    place.only(("bootcount", "bootseed"))
    if place.has("bootcount"):
        place.at("bootcount").whole(0, COUNT_MAX)
    if place.has("bootseed"):
        seed = place.at("bootseed")
        if not (isinstance(seed.value, str) and _SEED.fullmatch(seed.value)):
            raise seed.wrong(
                "must be text in base64url without padding; quote digits",
                seed.value,
            )
    return dict(place.value)


def _location(place: Place) -> Mapping[str, float]:
    place.only(tuple(_LOCATION))
    found = {
        key: member.number(*_LOCATION[key]) for key, member in place.entries()
    }
    if found and not {"latitude", "longitude"} <= found.keys():
        raise place.wrong("needs latitude and longitude")
    return found
