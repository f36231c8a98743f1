# SPDX-License-Identifier: Apache-2.0
"""Metrics as Prometheus reads them.

Pure: what is to be said in, text out.  prometheus_client is of extras and
imported when it is first asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

# What a service says of itself, as JSON can hold it.
Status = Mapping[str, Any]


class Unavailable(Exception):
    """The library that writes metrics is not there."""


class Figure(NamedTuple):
    """One number of a status.

    :ivar value: takes it from a status; nothing is said for None
    """

    name: str
    meaning: str
    value: Callable[[Status], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Registry:
    """What prometheus_client takes for a registry."""

    collect: Callable[[], Iterator[Any]]


def render(
    families: Callable[[], Iterator[Any]], extra: str
) -> tuple[str, bytes]:
    """Return the content type and the text of the metrics.

    :param families: yields families of ``prometheus_client.core``
    :param extra: of this package, that brings the library
    :raises Unavailable: when prometheus_client is not installed
    """
    try:
        import prometheus_client
    except ImportError:
        raise Unavailable(
            "metrics need the Python library prometheus-client: install "
            f"nfv-mla-scheduler[{extra}]"
        ) from None
    text: bytes = prometheus_client.generate_latest(_Registry(families))
    return str(prometheus_client.CONTENT_TYPE_LATEST), text


def add(family: Any, labels: tuple[str, ...], value: Any) -> None:
    """Add a sample to a family; of what is not known, None, none."""
    if value is not None:
        family.add_metric(labels, float(value))


def singles(
    kind: Any, prefix: str, figures: Iterable[Figure], status: Status
) -> Iterator[Any]:
    """Yield a family for each figure, with one sample without labels.

    :param kind: of metrics, as ``prometheus_client.core`` has them
    """
    for figure in figures:
        family = kind(prefix + figure.name, figure.meaning)
        add(family, (), figure.value(status))
        yield family


def of_part(status: Status, part: str, key: str) -> Any:
    """Return what a part of a status says; None: there is no such part yet."""
    found = status[part]
    return None if found is None else found[key]
