# SPDX-License-Identifier: Apache-2.0
"""Turn Nova's objects into plain values.

Standard library only: Nova's objects are used, its modules are not needed.
Not every field of a RequestSpec is always set, hence ``in`` before each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.policy.keys import is_ours

# Hints that Nova itself adds begin so; users cannot set them.
_CHECK_TYPE = "_nova_check_type"


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    """A RequestSpec in plain words; see ``judge.Request``.

    :ivar source: the host that a moving server is on; None: not known
    :ivar several: whether one request may create more servers than this one
    :ivar stays: whether it is rebuilt where it is
    """

    project_id: str
    extra_specs: Mapping[str, str]
    image: Any
    hints: Mapping[str, Any]
    source: str | None
    server: str
    several: bool = False
    from_volume: bool = False
    stays: bool = False

    @property
    def asks(self) -> bool:
        """Whether flavor or hints name any key of ours, right or wrong.

        A floor may ask as well; only the policy can tell.
        """
        return any(
            is_ours(name)
            for values in (self.extra_specs, self.hints)
            for name in values
        )


def read_spec(spec: Any) -> Plain:
    """Return what a RequestSpec says, as far as placement here is concerned.

    Create, cold migrate, live migrate, resize, evacuate and unshelve look
    alike but for ``ignore_hosts``, which begins with the host that a moving
    server is on.  It does not where a resize may stay on its host, and it is
    empty for what is created or unshelved.  A rebuild stays where it is.
    """
    hints = _field(spec, "scheduler_hints") or {}
    rebuild = hints.get(_CHECK_TYPE) == ["rebuild"]
    ignored = None if rebuild else _field(spec, "ignore_hosts")
    image = _field(spec, "image")
    flavor = _field(spec, "flavor")
    return Plain(
        project_id=_field(spec, "project_id") or "",
        extra_specs=_field(flavor, "extra_specs") or {},
        image=_field(image, "properties"),
        from_volume=bool(_field(spec, "is_bfv")),
        hints=hints,
        source=ignored[0] if ignored else None,
        server=_field(spec, "instance_uuid") or "",
        several=(_field(spec, "num_instances") or 1) > 1,
        stays=rebuild,
    )


def read_image(properties: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return those of ``names`` that an ImageMetaProps has set."""
    if properties is None:
        return {}
    return {n: getattr(properties, n) for n in names if n in properties}


def _field(obj: Any, name: str) -> Any:
    return getattr(obj, name) if obj is not None and name in obj else None
