# SPDX-License-Identifier: Apache-2.0
"""Read what a server would ask for: arguments, and files of ``openstack``.

Touches the files that are named, and nothing else.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.policy.application import IMAGE_PROPERTIES
from nfv_mla_scheduler.policy.application import VOLUME_PROPERTIES

FILE_MAX = 16 * 2**20
_HOW = "print it with -f json, or write a plain object of text values"
# How flavors and images say, in the API and in what ``openstack`` prints, what
# is looked for here.
_EXTRA_SPECS = ("properties", "extra_specs", "Properties")


class AskUnreadable(NfvMlaError):
    """A file does not hold what a server would ask for."""

    code = "ask-unreadable"


def read_request(args: argparse.Namespace) -> Request:
    """Return what the arguments of ``explain`` ask for.

    An argument counts for more than the same key in a file.

    :raises AskUnreadable: naming the file and what would be right
    """
    extra_specs: dict[str, str] = {}
    if args.flavor:
        extra_specs |= read_flavor(args.flavor)
    extra_specs |= dict(args.extra_specs)
    image: dict[str, Any] = {}
    if args.image:
        image |= read_image(args.image)
    image |= dict(args.properties)
    names = VOLUME_PROPERTIES if args.from_volume else IMAGE_PROPERTIES
    return Request(
        args.project or "",
        extra_specs,
        {name: image[name] for name in names if name in image},
        _gathered(args.hints),
        args.source_host,
    )


def read_flavor(path: str) -> dict[str, str]:
    """Return the extra specs of a flavor in a file of JSON.

    :raises AskUnreadable: when there are none in it
    """
    return extra_specs_of(_object(path), path)


def read_flavors(path: str) -> dict[str, dict[str, str]]:
    """Return the extra specs of the flavors in a list, by name.

    :param path: what ``openstack flavor list --long -f json`` prints
    :raises AskUnreadable: when it holds no such list
    """
    listed = _json(path)
    if not isinstance(listed, list):
        raise AskUnreadable(
            f"{path}: is no list of flavors; print it with 'openstack flavor "
            "list --long -f json'"
        )
    found: dict[str, dict[str, str]] = {}
    for number, entry in enumerate(listed):
        where = f"{path}: flavor {number + 1}"
        if not isinstance(entry, dict):
            raise AskUnreadable(f"{where} is no object")
        name = entry.get("Name", entry.get("name"))
        if not isinstance(name, str) or name in found:
            raise AskUnreadable(f"{where} has no name, or one that is taken")
        if not any(key in entry for key in _EXTRA_SPECS):
            raise AskUnreadable(
                f"{where} has no properties; list flavors with --long"
            )
        found[name] = extra_specs_of(entry, f"{path}: {bounded(name)}")
    return found


def extra_specs_of(flavor: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return the extra specs of a flavor as ``openstack`` or the API shows it.

    :param flavor: or a plain object of extra specs
    :raises AskUnreadable: when a value is not text
    """
    inner = flavor.get("flavor", flavor)
    flavor = inner if isinstance(inner, dict) else flavor
    for key in _EXTRA_SPECS:
        if key in flavor:
            found = flavor[key]
            break
    else:
        found = flavor
    if found is None or found == "":
        return {}
    if not isinstance(found, dict):
        raise AskUnreadable(f"{where}: its properties are no object; {_HOW}")
    for key, value in found.items():
        if not isinstance(value, str):
            raise AskUnreadable(
                f"{where}: {bounded(key)} is not text "
                f"({bounded(json.dumps(value), 32)}); {_HOW}"
            )
    return dict(found)


def read_image(path: str) -> dict[str, Any]:
    """Return the properties of an image in a file of JSON.

    :param path: as ``openstack image show -f json`` prints it, or the API
    :raises AskUnreadable: when there are none in it
    """
    image = _object(path)
    properties = image.get("properties", {})
    if not isinstance(properties, dict):
        raise AskUnreadable(f"{path}: its properties are no object; {_HOW}")
    return {**image, **properties}


def _object(path: str) -> dict[str, Any]:
    value = _json(path)
    if not isinstance(value, dict):
        raise AskUnreadable(f"{path}: is no JSON object; {_HOW}")
    return value


def _json(path: str) -> Any:
    with open(path, "rb") as file:
        data = file.read(FILE_MAX + 1)
    if len(data) > FILE_MAX:
        raise AskUnreadable(f"{path}: is larger than {FILE_MAX} bytes")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise AskUnreadable(f"{path}: is not JSON; {_HOW}") from None


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return hints as Nova has them: each a list of its values."""
    hints: dict[str, list[str]] = {}
    for key, value in pairs:
        hints.setdefault(key, []).append(value)
    return hints
