# SPDX-License-Identifier: Apache-2.0
"""Load the catalogue, and refuse it when it contradicts itself.

Reads one file of this package; otherwise pure.  GR NFV-SEC 009 V1.3.1.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.errors import CatalogueError
from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.standard.capabilities import read_application_keys
from nfv_mla_scheduler.standard.capabilities import read_application_terms
from nfv_mla_scheduler.standard.capabilities import read_capabilities
from nfv_mla_scheduler.standard.capabilities import read_self_terms
from nfv_mla_scheduler.standard.classes import read_classes
from nfv_mla_scheduler.standard.classes import read_differences
from nfv_mla_scheduler.standard.failure import read_axes
from nfv_mla_scheduler.standard.groups import GroupReader
from nfv_mla_scheduler.standard.profiles import ProfileReader
from nfv_mla_scheduler.standard.reading import Place
from nfv_mla_scheduler.standard.requirements import read_marks
from nfv_mla_scheduler.standard.requirements import read_requirements
from nfv_mla_scheduler.standard.strict_yaml import read_yaml
from nfv_mla_scheduler.standard.values import Anomaly
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Profile
from nfv_mla_scheduler.standard.values import Table12Row

SIZE_MAX = 256 * 1024


@functools.cache
def load() -> Catalogue:
    """Return the catalogue of this package, read once.

    :raises CatalogueError: never, unless this package is broken
    """
    here = importlib.resources.files(__package__)
    return read_catalogue(here.joinpath("catalogue.yaml").read_bytes())


def read_catalogue(data: bytes) -> Catalogue:
    """Return the catalogue in ``data``.

    :raises CatalogueError: naming the path of the first thing that is wrong
    """
    try:
        document = read_yaml(data, max_bytes=SIZE_MAX)
    except DocumentError as exc:
        raise CatalogueError(str(exc)) from None
    root = Place(document.value).only(
        "format",
        "measures",
        "further_capabilities",
        "self_terms",
        "application_terms",
        "groups",
        "use_cases",
        "requirements",
        "classes",
        "profiles",
        "axes_of_failure",
        "table12",
        "anomalies",
    )
    if root.at("format").value != 1:
        raise root.at("format").fault("must be 1")
    return _catalogue(root)


def _catalogue(root: Place) -> Catalogue:
    capabilities = read_capabilities(
        root, read_differences(root.at("classes"))
    )
    terms = root.at("application_terms")
    words = Catalogue(
        capabilities=capabilities,
        requirements={},
        classes={},
        profiles={},
        self_terms=read_self_terms(root.at("self_terms")),
        application_terms=read_application_terms(terms),
        table12=(),
        anomalies=tuple(_anomalies(root.at("anomalies"))),
        axes_of_failure=read_axes(root.at("axes_of_failure"), capabilities),
        use_cases=root.at("use_cases").texts(),
        application_keys=read_application_keys(terms, capabilities),
    )
    groups = GroupReader(words, root.at("groups"))
    place = root.at("requirements")
    words = dataclasses.replace(
        words,
        requirements=read_requirements(place, groups),
        classes=read_classes(root.at("classes"), root.at("measures"), groups),
    )
    marks = read_marks(place, words.use_cases)
    profiles = ProfileReader(words, marks, groups).read(root.at("profiles"))
    for use_case in words.use_cases:
        if use_case not in profiles:
            raise root.at("use_cases").fault(f"{use_case} is not a profile")
    return dataclasses.replace(
        words,
        profiles=profiles,
        table12=tuple(_table12(root.at("table12"), profiles)),
    )


def _anomalies(place: Place) -> Iterator[Anomaly]:
    for at in place.each():
        at.only("where", "what", "take")
        yield Anomaly(
            where=at.at("where").text(),
            what=at.at("what").text(),
            take=at.at("take").text(),
        )


def _table12(
    place: Place, profiles: Mapping[str, Profile]
) -> Iterator[Table12Row]:
    for at in place.each():
        at.only("node_class", "technology", "profile", "elements")
        yield Table12Row(
            profile=at.at("profile").text_of(profiles),
            elements=at.at("elements").texts(),
            node_class=at.at("node_class").text(),
            technology=at.at("technology").text(),
        )
